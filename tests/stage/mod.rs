//! A stage for one machine: a clock, its timers, and nothing else.

#![allow(dead_code)]

use regionsim::model::client::{ArrivalParams, ClientParams, Keys, Population, Setup};
use regionsim::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::Outcome;
use regionsim::model::id::{ClientId, GroupId, NodeId, OpId, ProcessId};
use regionsim::model::log::Book;
use regionsim::model::msg::{ClientMsg, ControlMsg, Msg};
use regionsim::model::route::{Direct, Place, Router, RoutingParams, ViaParams};
use regionsim::sim::rng::Streams;
use regionsim::sim::time::{LocalTime, Span, WallTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The population's process, and the others.
pub const CLIENTS: ProcessId = ProcessId(0);
pub const DB_A: ProcessId = ProcessId(1);
pub const DB_B: ProcessId = ProcessId(2);
pub const NS_A: ProcessId = ProcessId(3);
pub const NS_B: ProcessId = ProcessId(4);
pub const GROUP: GroupId = GroupId(0);

/// A machine, what its clock reads, and its timers.
pub struct Stage<M> {
    pub machine: M,
    pub me: ProcessId,
    pub now: LocalTime,
    timers: BTreeMap<(LocalTime, u64), Timer>,
    armed: BTreeMap<Timer, (LocalTime, u64)>,
    order: u64,
    book: Book,
}

impl<M: Machine> Stage<M> {
    pub fn new(me: ProcessId, machine: M) -> Stage<M> {
        let (timers, armed) = (BTreeMap::new(), BTreeMap::new());
        Stage { machine, me, now: LocalTime::ZERO, timers, armed, order: 0, book: Book::new(1) }
    }
    /// One input; the effects that are not about timers.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        let wall = WallTime::from_nanos(self.now.as_nanos());
        let node = NodeId(self.me.0);
        let mut ctx = Ctx::new(self.me, node, self.now, wall, &self.book, &mut effects);
        self.machine.step(input, &mut ctx);
        effects.retain(|effect| self.others(effect));
        effects
    }
    fn others(&mut self, effect: &Effect) -> bool {
        match *effect {
            Effect::SetTimer { timer, after } => {
                self.disarm(timer);
                let key = self.arm(timer, after);
                self.armed.insert(timer, key);
            }
            Effect::Wake { timer, after } => {
                self.arm(timer, after);
            }
            Effect::CancelTimer(timer) => self.disarm(timer),
            _ => return true,
        }
        false
    }
    fn arm(&mut self, timer: Timer, after: Span) -> (LocalTime, u64) {
        self.order += 1;
        let key = (self.now.saturating_add(after), self.order);
        self.timers.insert(key, timer);
        key
    }
    fn disarm(&mut self, timer: Timer) {
        if let Some(key) = self.armed.remove(&timer) {
            self.timers.remove(&key);
        }
    }
    /// When the next timer fires.
    pub fn next(&self) -> Option<LocalTime> {
        self.timers.keys().next().map(|(at, _)| *at)
    }
    /// How many timers were armed so far.
    pub fn armings(&self) -> u64 {
        self.order
    }
    /// Fires the next timer.
    pub fn fire(&mut self) -> Vec<Effect> {
        let Some(((at, _), timer)) = self.timers.pop_first() else { return Vec::new() };
        self.now = at;
        self.armed.remove(&timer);
        self.step(Input::Timer(timer))
    }
    /// Lets time pass; every effect with its moment.
    pub fn pass(&mut self, span: Span) -> Vec<(LocalTime, Effect)> {
        let end = self.now.saturating_add(span);
        let mut seen = Vec::new();
        while self.next().is_some_and(|at| at <= end) {
            let effects = self.fire();
            seen.extend(effects.into_iter().map(|effect| (self.now, effect)));
        }
        self.now = end;
        seen
    }
    pub fn message(&mut self, from: ProcessId, msg: Msg) -> Vec<Effect> {
        self.step(Input::Message { from, msg })
    }
}

/// A population of process 0 beside two databases and two name servers.
pub fn population(params: &ClientParams, routing: &RoutingParams, seed: u64) -> Population {
    populate(params, Some(routing), seed)
}

/// A routing by that, and nothing else.
pub fn by(via: ViaParams) -> RoutingParams {
    RoutingParams { via, ..RoutingParams::default() }
}

/// The same; where nothing sends them, its clients know the address of the second database only.
pub fn populate(params: &ClientParams, routing: Option<&RoutingParams>, seed: u64) -> Population {
    let streams = Streams::new(seed, 0);
    let homes: Arc<[NodeId]> = (0..5).map(NodeId).collect();
    let place = Place {
        client: ClientId(0),
        name: "web",
        group: GROUP,
        initial: DB_A,
        databases: &[DB_A, DB_B],
        servers: &[NS_A, NS_B],
        homes: &homes,
        streams: &streams,
    };
    Population::new(Setup {
        id: ClientId(0),
        name: "web",
        params,
        group: GROUP,
        write_bytes: 1000,
        read_bytes: 2000,
        keys: Keys::new(&params.keys),
        router: match routing {
            Some(routing) => Router::of(routing, &place),
            None => Router::Direct(Direct(DB_B)),
        },
        tells_sessions: false,
        homes: &homes,
        streams: &streams,
    })
}

/// An open loop of so many a second.
pub fn poisson(per_second: f64) -> Option<ArrivalParams> {
    Some(ArrivalParams { per_second, ..ArrivalParams::default() })
}

pub fn answer(op: OpId, attempt: u8, outcome: Outcome) -> Msg {
    Msg::Client(ClientMsg::Answer { op, attempt, outcome })
}

pub fn order(target: ProcessId, version: u32) -> Msg {
    Msg::Control(GROUP, ControlMsg::Route { target, version })
}
