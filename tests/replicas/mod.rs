//! A few databases, the wires between them, their disks and timers: all moved by hand.

#![allow(dead_code)]

pub mod storm;

use regionsim::model::ctx::{Class, Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::{OpKind, Outcome};
use regionsim::model::id::{ClientId, GroupId, NodeId, OpId, Position, ProcessId};
use regionsim::model::log::Book;
use regionsim::model::msg::{ClientMsg, LocalMsg, Msg, ProbeMsg, StorageMsg};
use regionsim::model::replica::{
    Guard, GuardParams, Mode, ModeParams, Replica, ReplicaSpec, Restart, Server, ServerParams,
    Unapplied,
};
use regionsim::sim::dist::{Dist, DistSpec};
use regionsim::sim::rng::{Label, Streams};
use regionsim::sim::time::{LocalTime, Span, WallTime};
use std::collections::{BTreeMap, VecDeque};

pub const GROUP: GroupId = GroupId(0);
pub const CLIENT: ProcessId = ProcessId(50);
pub const CHECKER: ProcessId = ProcessId(51);
pub const STORAGE: ProcessId = ProcessId(60);
const AGENTS: u16 = 20;

/// What a store of the stories is like.
pub struct Shape {
    pub mode: ModeParams,
    pub replicas: usize,
    pub leased: bool,
    pub tokens: bool,
    pub storage: bool,
    pub idempotent: bool,
    pub server: Option<ServerParams>,
    pub restart: Restart,
    pub restart_time: Span,
    pub entry_bytes: u32,
    pub apply_rate: Option<f64>,
    pub unapplied: Unapplied,
    pub guard: Option<GuardParams>,
}

impl Shape {
    /// Two replicas of that mode, nothing special.
    pub fn of(mode: ModeParams) -> Shape {
        Shape {
            mode,
            replicas: 2,
            leased: false,
            tokens: false,
            storage: false,
            idempotent: true,
            server: None,
            restart: Restart::AsItWas,
            restart_time: Span::ZERO,
            entry_bytes: 1000,
            apply_rate: None,
            unapplied: Unapplied::Replay,
            guard: None,
        }
    }
}

/// What is on its way from one database to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Parcel {
    /// A message, and whether it travels on a connection of its own.
    Msg(Msg, bool),
    /// The word that the sender was killed.
    Reset,
}

pub struct Node {
    pub machine: Replica,
    pub up: bool,
    pub timers: BTreeMap<(LocalTime, u64), Timer>,
    pub writing: bool,
}

/// All of it.
pub struct Replicas {
    pub nodes: Vec<Node>,
    pub now: LocalTime,
    pub wires: BTreeMap<(usize, usize), VecDeque<Parcel>>,
    pub book: Book,
    order: u64,
    /// Every effect since last asked, with who left it.
    pub seen: Vec<(usize, Effect)>,
    /// Checks that the storage has not answered.
    pub checks: Vec<(usize, StorageMsg)>,
}

impl Replicas {
    pub fn new(shape: &Shape) -> Replicas {
        let streams = Streams::new(1, 0);
        let make = |i: usize| {
            let spec = ReplicaSpec {
                group: GROUP,
                replicas: (0..shape.replicas).map(ProcessId::of).collect(),
                agent: Some(ProcessId(AGENTS + i as u16)),
                leased: shape.leased,
                checks_tokens: shape.tokens,
                storage: shape.storage.then_some(STORAGE),
                idempotent: shape.idempotent,
                restart: shape.restart,
                restart_time: Dist::new(&DistSpec::Constant(shape.restart_time)),
                apply_rate: shape.apply_rate,
                unapplied: shape.unapplied,
                entry_bytes: shape.entry_bytes,
                answer_bytes: 100,
            };
            let mode = Mode::new(&shape.mode, shape.replicas - 1).expect("a mode with a primary");
            let apply = Dist::new(shape.mode.apply_delay());
            let dice = streams.stream(Label::new("replica").with_index(i as u64));
            let mut machine = Replica::new(spec, ProcessId::of(i), mode, apply, dice);
            if let Some(params) = &shape.server {
                machine =
                    machine.with_server(Server::new(params, streams.draws(Label::new("server"))));
            }
            if let Some(params) = &shape.guard {
                let mut dice = streams.stream(Label::new("guard").with_index(i as u64));
                machine = machine.with_guard(Guard::new(params, &mut dice));
            }
            Node { machine, up: true, timers: BTreeMap::new(), writing: false }
        };
        let mut all = Replicas {
            nodes: (0..shape.replicas).map(make).collect(),
            now: LocalTime::ZERO,
            wires: BTreeMap::new(),
            book: Book::new(1),
            order: 0,
            seen: Vec::new(),
            checks: Vec::new(),
        };
        for i in 0..shape.replicas {
            all.step(i, Input::Start);
        }
        all
    }

    pub fn step(&mut self, i: usize, input: Input) {
        let mut effects = Vec::new();
        let wall = WallTime::from_nanos(self.now.as_nanos());
        let node = NodeId::of(i);
        let mut ctx = Ctx::new(ProcessId::of(i), node, self.now, wall, &self.book, &mut effects);
        self.nodes[i].machine.step(input, &mut ctx);
        for effect in effects {
            self.carry_out(i, effect);
            self.seen.push((i, effect));
        }
    }

    fn carry_out(&mut self, i: usize, effect: Effect) {
        match effect {
            Effect::SetTimer { timer, after } => {
                self.order += 1;
                let at = self.now.saturating_add(after);
                self.nodes[i].timers.retain(|_, other| *other != timer);
                self.nodes[i].timers.insert((at, self.order), timer);
            }
            Effect::Wake { timer, after } => {
                self.order += 1;
                self.nodes[i].timers.insert((self.now.saturating_add(after), self.order), timer);
            }
            Effect::CancelTimer(timer) => self.nodes[i].timers.retain(|_, other| *other != timer),
            Effect::Send { to, msg, class, .. } => {
                if let Msg::Storage(_, check) = msg {
                    self.checks.push((i, check));
                } else if to.index() < self.nodes.len() {
                    let alone = class != Class::Stream;
                    self.wire(i, to.index()).push_back(Parcel::Msg(msg, alone));
                }
            }
            Effect::Append { group, op, at } => self.book.note(group, op, at),
            Effect::Sync { .. } => self.nodes[i].writing = true,
            Effect::Truncate { .. } => self.nodes[i].writing = false,
            _ => {}
        }
    }

    pub fn wire(&mut self, from: usize, to: usize) -> &mut VecDeque<Parcel> {
        self.wires.entry((from, to)).or_default()
    }

    /// The first parcel on that way arrives; false when there is none.
    pub fn deliver(&mut self, from: usize, to: usize) -> bool {
        let Some(parcel) = self.wire(from, to).pop_front() else { return false };
        let by = ProcessId::of(to);
        match parcel {
            Parcel::Reset => self.hear(to, Input::Reset { by: ProcessId::of(from) }),
            Parcel::Msg(msg, alone) if !self.nodes[to].up => {
                let bad = if alone { Input::Refused { by, msg } } else { Input::Reset { by } };
                self.hear(from, bad);
            }
            Parcel::Msg(msg, _) => {
                self.step(to, Input::Message { from: ProcessId::of(from), msg });
            }
        }
        true
    }

    fn hear(&mut self, i: usize, input: Input) {
        if self.nodes[i].up {
            self.step(i, input);
        }
    }

    /// Everything on its way now arrives, once around.
    pub fn deliver_all(&mut self) -> bool {
        let ways: Vec<((usize, usize), usize)> =
            self.wires.iter().map(|(way, parcels)| (*way, parcels.len())).collect();
        let mut any = false;
        for ((from, to), count) in ways {
            for _ in 0..count {
                any |= self.deliver(from, to);
            }
        }
        any
    }

    /// The disk write under way ends; false when there is none.
    pub fn fsync(&mut self, i: usize) -> bool {
        let ends = std::mem::take(&mut self.nodes[i].writing);
        if ends {
            self.step(i, Input::Durable);
        }
        ends
    }

    /// Messages arrive and disks write until all is quiet.
    pub fn settle(&mut self) {
        for _ in 0..1_000 {
            let mut any = self.deliver_all();
            for i in 0..self.nodes.len() {
                any |= self.fsync(i);
            }
            if !any {
                return;
            }
        }
        panic!("it never gets quiet");
    }

    /// Time passes; timers fire as they fall due.
    pub fn tick(&mut self, span: Span) {
        let end = self.now.saturating_add(span);
        loop {
            let next = |(i, node): (usize, &Node)| {
                node.timers.keys().next().filter(|(at, _)| *at <= end).map(|key| (*key, i))
            };
            let Some((key, i)) = self.nodes.iter().enumerate().filter_map(next).min() else {
                break;
            };
            let timer = self.nodes[i].timers.remove(&key).expect("looked at it");
            self.now = key.0;
            self.step(i, Input::Timer(timer));
        }
        self.now = end;
    }

    /// A database is killed, its host lives. What was sent to it is gone; what it sent arrives.
    pub fn crash(&mut self, i: usize, disk_kept: bool) {
        let node = &mut self.nodes[i];
        let was_up = std::mem::take(&mut node.up);
        node.machine.crash(disk_kept);
        node.timers.clear();
        node.writing = false;
        for other in (0..self.nodes.len()).filter(|other| *other != i && was_up) {
            self.wire(other, i).clear();
            self.wire(i, other).push_back(Parcel::Reset);
        }
    }

    pub fn restart(&mut self, i: usize) {
        self.nodes[i].up = true;
        self.step(i, Input::Start);
    }

    pub fn local(&mut self, i: usize, msg: LocalMsg) {
        let from = ProcessId(AGENTS + i as u16);
        self.step(i, Input::Message { from, msg: Msg::Local(GROUP, msg) });
    }

    pub fn request(&mut self, i: usize, seq: u64, kind: OpKind, attempt: u8, idempotent: bool) {
        let msg = Msg::Client(ClientMsg::Request {
            op: OpId::new(ClientId(0), seq),
            group: GROUP,
            kind,
            attempt,
            idempotent,
            answer_bytes: 1000,
            key: 0,
        });
        self.step(i, Input::Message { from: CLIENT, msg });
    }

    pub fn storage(&mut self, i: usize, msg: StorageMsg) {
        self.step(i, Input::Message { from: STORAGE, msg: Msg::Storage(GROUP, msg) });
    }

    pub fn probe(&mut self, i: usize, probe: ProbeMsg) {
        self.step(i, Input::Message { from: CHECKER, msg: Msg::Probe(probe) });
    }

    /// The successful answers to writes among what was seen.
    pub fn acknowledged(seen: &[(usize, Effect)]) -> Vec<(usize, OpId, Position)> {
        let pick = |(i, effect): &(usize, Effect)| match effect {
            Effect::Answer { op, outcome: Outcome::Ok, at, .. } => Some((*i, *op, *at)),
            _ => None,
        };
        seen.iter().filter_map(pick).collect()
    }
}
