//! A law: whatever the network loses, delays or reorders, and whatever a controller orders, at
//! most one agent believes that it holds the lease, and at most one database was told that it
//! may answer. The service here is the plainest there can be: one process that never fails.

use proptest::prelude::*;
use regionsim::model::control::LeaseParams;
use regionsim::model::control::agent::{Agent, AgentPlan};
use regionsim::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::Claim;
use regionsim::model::id::{FencingToken, GroupId, NodeId, Position, ProcessId, Term};
use regionsim::model::log::Book;
use regionsim::model::msg::{ControlMsg, LeaseMsg, LocalMsg, Msg, Resync, Role};
use regionsim::sim::Span;
use regionsim::sim::rng::{Label, Stream, Streams};
use regionsim::sim::time::{LocalTime, WallTime};
use std::collections::BTreeMap;

const GROUP: GroupId = GroupId(0);
const SERVICE: ProcessId = ProcessId(70);
const CONTROLLER: ProcessId = ProcessId(50);
const TTL: Span = Span::from_secs(10);
const GUARD: Span = Span::from_millis(500);

/// A lease granted by one process with a perfect clock.
#[derive(Default)]
struct Service {
    holder: Option<(usize, LocalTime)>,
    last: usize,
    newest: u64,
}

impl Service {
    fn hear(&mut self, from: usize, msg: LeaseMsg, now: LocalTime) -> Option<LeaseMsg> {
        self.holder = self.holder.filter(|(_, end)| *end > now);
        match msg {
            LeaseMsg::Release { token } => {
                if token.0 == self.newest && self.last == from {
                    self.holder = None;
                }
                None
            }
            LeaseMsg::Acquire { seq, token } => {
                let renews = token.0 == self.newest && self.last == from;
                let free = self.holder.is_none();
                if !(renews || (free && token.0 == 0)) {
                    let token = FencingToken(self.newest);
                    return Some(LeaseMsg::Denied { seq, holder: NodeId(self.last as u16), token });
                }
                if free {
                    self.newest += 1;
                }
                self.last = from;
                let length = TTL.saturating_add(GUARD);
                self.holder = Some((from, now.saturating_add(length)));
                Some(LeaseMsg::Granted { seq, token: FencingToken(self.newest) })
            }
            _ => None,
        }
    }
}

enum Event {
    Timer(usize, Timer, u64),
    ToAgent(usize, ProcessId, Msg),
    ToService(usize, LeaseMsg),
    Order,
}

struct World {
    agents: Vec<Agent>,
    service: Service,
    now: LocalTime,
    events: BTreeMap<(LocalTime, u64), Event>,
    next: u64,
    /// The armed instance of each timer.
    armed: BTreeMap<(usize, Timer), u64>,
    dice: Stream,
    roles: Vec<Role>,
    tokens: Vec<FencingToken>,
    believes: Vec<bool>,
    may_answer_until: Vec<LocalTime>,
    /// Until when each is cut off: what it sends or is sent is lost, but for its releases.
    cut_until: Vec<LocalTime>,
    /// How often each believed it.
    reigns: Vec<u32>,
}

impl World {
    fn new(seed: u64) -> World {
        let streams = Streams::new(seed, 0);
        let agent = |n: usize| {
            let lease = LeaseParams {
                ttl: TTL,
                guard: GUARD,
                renew_interval: Span::from_secs(3),
                request_timeout: Span::from_secs(1),
                ..LeaseParams::default()
            };
            Agent::new(AgentPlan {
                group: GROUP,
                node: NodeId::of(n),
                database: ProcessId::of(100 + n),
                lease: Some((lease, vec![SERVICE])),
                self_fence_after: None,
                dice: streams.stream(Label::new("agent").with_index(n as u64)),
            })
        };
        World {
            agents: (0..2).map(agent).collect(),
            service: Service::default(),
            now: LocalTime::ZERO,
            events: BTreeMap::new(),
            next: 0,
            armed: BTreeMap::new(),
            dice: streams.stream(Label::new("network")),
            roles: vec![Role::Primary, Role::Standby],
            tokens: vec![FencingToken(0); 2],
            believes: vec![false; 2],
            may_answer_until: vec![LocalTime::ZERO; 2],
            cut_until: vec![LocalTime::ZERO; 2],
            reigns: vec![0; 2],
        }
    }
    fn after(&mut self, span: Span, event: Event) -> u64 {
        self.next += 1;
        self.events.insert((self.now.saturating_add(span), self.next), event);
        self.next
    }
    fn delay(&mut self, most_ms: u64) -> Span {
        Span::from_millis(self.dice.below(most_ms))
    }
    fn input(&mut self, who: usize, input: Input) {
        let (book, mut effects) = (Book::new(0), Vec::new());
        let me = ProcessId::of(10 + who);
        let wall = WallTime::ZERO;
        let mut ctx = Ctx::new(me, NodeId::of(who), self.now, wall, &book, &mut effects);
        self.agents[who].step(input, &mut ctx);
        for effect in effects {
            self.carry_out(who, effect);
            self.check();
        }
    }
    fn carry_out(&mut self, who: usize, effect: Effect) {
        match effect {
            Effect::SetTimer { timer, after } => {
                let instance = self.next + 1;
                self.after(after, Event::Timer(who, timer, instance));
                self.armed.insert((who, timer), instance);
            }
            Effect::CancelTimer(timer) => {
                self.armed.remove(&(who, timer));
            }
            Effect::Claim(Claim::LeaseHeld(..)) => {
                self.believes[who] = true;
                self.reigns[who] += 1;
            }
            Effect::Claim(Claim::LeaseLost(_)) => self.believes[who] = false,
            Effect::Send { msg: Msg::Lease(_, msg), .. } => {
                let released = matches!(msg, LeaseMsg::Release { .. });
                if released {
                    self.may_answer_until[who] = self.now;
                    self.believes[who] = false;
                }
                let cut = self.now < self.cut_until[who];
                let lost = !released && (self.dice.chance(0.2) || cut);
                let delay = self.delay(if released { 20_000 } else { 3_000 });
                if !lost {
                    self.after(delay, Event::ToService(who, msg));
                }
            }
            Effect::Send { msg: Msg::Local(_, msg), .. } => self.database(who, msg),
            _ => {}
        }
    }
    /// The database beside agent `who`: always idle, always there.
    fn database(&mut self, who: usize, msg: LocalMsg) {
        match msg {
            LocalMsg::Lease { token, until } => {
                self.tokens[who] = self.tokens[who].max(token);
                self.may_answer_until[who] = until;
            }
            LocalMsg::Lead { .. } | LocalMsg::Resume => self.roles[who] = Role::Primary,
            LocalMsg::StepDown => {
                self.may_answer_until[who] = self.now;
                if self.roles[who] == Role::Primary {
                    self.roles[who] = Role::Deposed;
                }
            }
            LocalMsg::Follow { .. } => {
                self.roles[who] = Role::Standby;
                self.may_answer_until[who] = self.now;
            }
            LocalMsg::Ask { seq } => {
                let (role, token, durable) =
                    (self.roles[who], self.tokens[who], Position::default());
                let term = Term(1);
                let status = LocalMsg::Status { seq, role, term, token, durable, idle: true };
                let from = ProcessId::of(100 + who);
                let event = Event::ToAgent(who, from, Msg::Local(GROUP, status));
                self.after(Span::ZERO, event);
            }
            _ => {}
        }
    }
    fn check(&self) {
        let claims = |who: usize| self.believes[who] || self.may_answer_until[who] > self.now;
        assert!(!(claims(0) && claims(1)), "two holders at {}", self.now);
    }
    /// A controller out of its mind: any order, to anybody.
    fn order(&mut self) {
        let who = self.dice.below(2) as usize;
        let episode = self.dice.below(3) as u32;
        let (term, token) = (Term(2), FencingToken(0));
        let msg = match self.dice.below(9) {
            0 | 1 => ControlMsg::Take { episode },
            2 => ControlMsg::Abandon { episode },
            3 => ControlMsg::StopTraffic { episode },
            4 => ControlMsg::Resume { episode },
            5 => ControlMsg::Promote { episode, term, token, takes: Span::ZERO },
            6 => {
                let lasts = self.delay(30_000);
                self.cut_until[who] = self.now.saturating_add(lasts);
                ControlMsg::Hello { seq: 0, primary: None }
            }
            7 => {
                let (primary, resync) = (ProcessId::of(101 - who), Resync::NONE);
                ControlMsg::Follow { primary, term, token, resync }
            }
            _ => {
                // The agent is killed and starts again; its database goes on.
                self.armed.retain(|(whose, _), _| *whose != who);
                self.agents[who].crash(true);
                self.believes[who] = false;
                self.input(who, Input::Start);
                ControlMsg::Hello { seq: 0, primary: None }
            }
        };
        self.input(who, Input::Message { from: CONTROLLER, msg: Msg::Control(GROUP, msg) });
    }
    fn run(&mut self, seconds: u64) {
        self.input(0, Input::Start);
        self.input(1, Input::Start);
        self.after(Span::from_secs(1), Event::Order);
        let end = LocalTime::ZERO.saturating_add(Span::from_secs(seconds));
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > end {
                break;
            }
            self.now = at;
            match event {
                Event::Timer(who, timer, instance) => {
                    if self.armed.get(&(who, timer)) == Some(&instance) {
                        self.armed.remove(&(who, timer));
                        self.input(who, Input::Timer(timer));
                    }
                }
                Event::ToAgent(who, from, msg) => self.input(who, Input::Message { from, msg }),
                Event::ToService(who, msg) => {
                    if let Some(answer) = self.service.hear(who, msg, self.now)
                        && !self.dice.chance(0.2)
                        && self.now >= self.cut_until[who]
                    {
                        let delay = self.delay(3_000);
                        let event = Event::ToAgent(who, SERVICE, Msg::Lease(GROUP, answer));
                        self.after(delay, event);
                    }
                }
                Event::Order => {
                    self.order();
                    let next = self.delay(12_000);
                    self.after(next, Event::Order);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn at_most_one_agent_holds_the_lease(seed in any::<u64>()) {
        World::new(seed).run(600);
    }
}

#[test]
fn the_law_is_not_empty() {
    let mut world = World::new(1);
    world.run(3600);
    assert!(world.reigns.iter().all(|reigns| *reigns > 20), "reigns: {:?}", world.reigns);
}
