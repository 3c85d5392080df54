//! A law: whatever the network loses, delays or reorders, whichever agents and databases die, at
//! most one racer believes that it holds the lease, and at most one database may answer. The
//! service here is the plainest there can be: one process that never fails.

use proptest::prelude::*;
use regionsim::model::control::LeaseParams;
use regionsim::model::control::controller::Seat;
use regionsim::model::control::race::{Learn, RaceParams, Racer, RacerPlan};
use regionsim::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::Claim;
use regionsim::model::id::{
    FencingToken, GroupId, LogIndex, NodeId, Position, ProcessId, Segment, Term,
};
use regionsim::model::log::Book;
use regionsim::model::msg::{ControlMsg, LeaseMsg, LocalMsg, Msg, Role};
use regionsim::sim::Span;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::rng::{Label, Stream, Streams};
use regionsim::sim::time::{LocalTime, WallTime};
use std::collections::BTreeMap;

const GROUP: GroupId = GroupId(0);
const SERVICE: ProcessId = ProcessId(70);
const RACERS: usize = 3;
const TTL: Span = Span::from_secs(10);
const GUARD: Span = Span::from_millis(500);

/// A lease granted by one process with a perfect clock.
#[derive(Default)]
struct Service {
    holder: Option<(usize, LocalTime)>,
    last: usize,
    newest: u64,
    published: LogIndex,
}

impl Service {
    fn hear(&mut self, from: usize, msg: LeaseMsg, now: LocalTime) -> Option<LeaseMsg> {
        self.holder = self.holder.filter(|(_, end)| *end > now);
        let (newest, node) = (FencingToken(self.newest), |who: usize| NodeId(who as u16));
        let newest_is = |token: FencingToken| token == newest && self.last == from;
        match msg {
            LeaseMsg::Release { token } if newest_is(token) => self.holder = None,
            LeaseMsg::Publish { token, at } if newest_is(token) => self.published = at,
            LeaseMsg::Look { seq, .. } => {
                let (holder, published) = (self.holder.map(|(who, _)| node(who)), self.published);
                return Some(LeaseMsg::Seen { seq, holder, token: newest, published });
            }
            LeaseMsg::Acquire { seq, token } => {
                let free = self.holder.is_none();
                if !(newest_is(token) || (free && token.0 == 0)) {
                    let holder = node(self.last);
                    return Some(LeaseMsg::Denied { seq, holder, token: newest });
                }
                self.newest += u64::from(free);
                self.last = from;
                self.holder = Some((from, now.saturating_add(TTL.saturating_add(GUARD))));
                return Some(LeaseMsg::Granted { seq, token: FencingToken(self.newest) });
            }
            _ => {}
        }
        None
    }
}

/// A database that is enforced by its own clock: it answers while it is primary and its lease
/// lasts.
struct Database {
    role: Role,
    term: Term,
    token: FencingToken,
    until: LocalTime,
    index: u64,
    runs: bool,
}

enum Event {
    Timer(usize, Timer, u64),
    ToRacer(usize, Input),
    ToService(usize, LeaseMsg),
    Trouble,
}

struct World {
    racers: Vec<Racer>,
    alive: Vec<bool>,
    databases: Vec<Database>,
    service: Service,
    now: LocalTime,
    events: BTreeMap<(LocalTime, u64), Event>,
    next: u64,
    armed: BTreeMap<(usize, Timer), u64>,
    dice: Stream,
    believes: Vec<bool>,
    cut_until: Vec<LocalTime>,
    promotions: Vec<u32>,
}

fn seat(n: usize) -> Seat {
    Seat { node: NodeId::of(n), agent: ProcessId::of(10 + n), database: ProcessId::of(100 + n) }
}

fn racer(n: usize, streams: &Streams, watch: bool, patient: bool) -> Racer {
    Racer::new(RacerPlan {
        group: GROUP,
        seat: seat(n),
        rivals: (0..RACERS).filter(|other| *other != n).map(seat).collect(),
        lease: LeaseParams {
            ttl: TTL,
            guard: GUARD,
            request_timeout: Span::from_secs(1),
            ..LeaseParams::default()
        },
        voters: vec![SERVICE],
        race: RaceParams {
            loop_wait: Span::from_secs(2),
            // In half of the runs a demotion comes before the lease lapses, in half after.
            retry_timeout: Span::from_secs(if patient { 20 } else { 4 }),
            check_timeout: Span::from_secs(1),
            primary_start_timeout: Span::from_secs(6),
            learn: if watch { Learn::Watch } else { Learn::Poll },
            ..RaceParams::default()
        },
        rejoin: Default::default(),
        promotion: DistSpec::Constant(Span::from_millis(300)),
        route: DistSpec::Constant(Span::ZERO),
        routers: Vec::new(),
        entry_bytes: 1_000,
        streams: streams.clone(),
        label: Label::new("store"),
        dice: streams.stream(Label::new("agent").with_index(n as u64)),
    })
}

impl World {
    fn new(seed: u64) -> World {
        let streams = Streams::new(seed, 0);
        let role = |n| if n == 0 { Role::Primary } else { Role::Standby };
        let database = |n| Database {
            role: role(n),
            term: Term(1),
            token: FencingToken(0),
            until: LocalTime::ZERO,
            index: 1,
            runs: true,
        };
        World {
            racers: (0..RACERS).map(|n| racer(n, &streams, seed & 1 == 0, seed & 2 == 0)).collect(),
            alive: vec![true; RACERS],
            databases: (0..RACERS).map(database).collect(),
            service: Service::default(),
            now: LocalTime::ZERO,
            events: BTreeMap::new(),
            next: 0,
            armed: BTreeMap::new(),
            dice: streams.stream(Label::new("network")),
            believes: vec![false; RACERS],
            cut_until: vec![LocalTime::ZERO; RACERS],
            promotions: vec![0; RACERS],
        }
    }
    fn after(&mut self, span: Span, event: Event) {
        self.next += 1;
        self.events.insert((self.now.saturating_add(span), self.next), event);
    }
    fn delay(&mut self, most_ms: u64) -> Span {
        Span::from_millis(self.dice.below(most_ms))
    }
    fn lost(&mut self, who: usize) -> bool {
        self.dice.chance(0.1) || self.now < self.cut_until[who]
    }
    fn input(&mut self, who: usize, input: Input) {
        if !self.alive[who] {
            return;
        }
        let (book, mut effects) = (Book::new(0), Vec::new());
        let wall = WallTime::ZERO;
        let me = seat(who);
        let mut ctx = Ctx::new(me.agent, me.node, self.now, wall, &book, &mut effects);
        self.racers[who].step(input, &mut ctx);
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
            Effect::Claim(Claim::LeaseHeld(..)) => self.believes[who] = true,
            Effect::Claim(Claim::LeaseLost(_)) => self.believes[who] = false,
            Effect::Start(_) if self.dice.chance(0.8) => self.databases[who].runs = true,
            Effect::Send { msg: Msg::Lease(_, msg), .. } => {
                // A release may take its time; the database was stopped before.
                let delay = self.delay(2_000);
                if !self.lost(who) {
                    self.after(delay, Event::ToService(who, msg));
                }
            }
            Effect::Send { to, msg, .. } if to == seat(who).database => self.tell(who, msg),
            Effect::Send { to, msg, .. } => {
                let other = to.index() - 10;
                let delay = self.delay(300);
                if !self.lost(who) && !self.lost(other) {
                    let from = seat(who).agent;
                    let input = match msg {
                        Msg::Control(_, ControlMsg::Hello { .. }) if !self.alive[other] => {
                            return self
                                .after(delay, Event::ToRacer(who, Input::Refused { by: to, msg }));
                        }
                        msg => Input::Message { from, msg },
                    };
                    self.after(delay, Event::ToRacer(other, input));
                }
            }
            _ => {}
        }
    }
    /// The database beside a racer hears something.
    fn tell(&mut self, who: usize, msg: Msg) {
        let by = seat(who).database;
        let now = self.now;
        let database = &mut self.databases[who];
        let Msg::Local(_, local) = msg else { return };
        if !database.runs {
            return self.after(Span::ZERO, Event::ToRacer(who, Input::Refused { by, msg }));
        }
        let mut answer = None;
        match local {
            LocalMsg::Lease { token, until } => {
                (database.token, database.until) = (database.token.max(token), until);
            }
            LocalMsg::Lead { term, .. } if term > database.term => {
                (database.role, database.term) = (Role::Primary, term);
                self.promotions[who] += 1;
                answer = Some(LocalMsg::Leading { term });
            }
            LocalMsg::Resume if database.role == Role::Deposed => database.role = Role::Primary,
            LocalMsg::StepDown if database.role == Role::Primary => database.role = Role::Deposed,
            LocalMsg::Quiesce => database.until = now,
            LocalMsg::Follow { term, .. } if term >= database.term => {
                (database.role, database.term, database.index) = (Role::Standby, term, 1);
            }
            LocalMsg::Ask { seq } => {
                let Database { role, term, token, .. } = *database;
                let segment = Segment::new(term, NodeId(0));
                let durable = Position { segment, index: LogIndex(database.index) };
                answer = Some(LocalMsg::Status { seq, role, term, token, durable, idle: true });
            }
            _ => {}
        }
        if let Some(answer) = answer {
            let msg = Msg::Local(GROUP, answer);
            self.after(Span::from_micros(1), Event::ToRacer(who, Input::Message { from: by, msg }));
        }
    }
    fn check(&self) {
        let may_answer = |d: &Database| d.runs && d.role == Role::Primary && d.until > self.now;
        let answering = self.databases.iter().filter(|d| may_answer(d)).count();
        let believing = self.believes.iter().filter(|yes| **yes).count();
        assert!(answering <= 1, "two may answer at {}", self.now);
        assert!(believing <= 1, "two holders at {}", self.now);
    }
    fn trouble(&mut self) {
        let who = self.dice.below(RACERS as u64) as usize;
        match self.dice.below(5) {
            0 => {
                let lasts = self.delay(25_000);
                self.cut_until[who] = self.now.saturating_add(lasts);
            }
            1 => {
                self.databases[who].runs = false;
                self.databases[who].until = LocalTime::ZERO;
            }
            2 => {
                self.armed.retain(|(whose, _), _| *whose != who);
                self.racers[who].crash(true);
                (self.alive[who], self.believes[who]) = (false, false);
            }
            _ => {}
        }
        for who in 0..RACERS {
            if !self.alive[who] && self.dice.chance(0.4) {
                self.alive[who] = true;
                self.input(who, Input::Start);
            }
        }
    }
    fn run(&mut self, seconds: u64) {
        (0..RACERS).for_each(|who| self.input(who, Input::Start));
        self.after(Span::from_secs(5), Event::Trouble);
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
                Event::ToRacer(who, input) => self.input(who, input),
                Event::ToService(who, msg) => {
                    if let Some(answer) = self.service.hear(who, msg, self.now)
                        && !self.lost(who)
                    {
                        let delay = self.delay(2_000);
                        let msg = Msg::Lease(GROUP, answer);
                        let input = Input::Message { from: SERVICE, msg };
                        self.after(delay, Event::ToRacer(who, input));
                    }
                }
                Event::Trouble => {
                    self.trouble();
                    let next = self.delay(10_000);
                    self.after(next, Event::Trouble);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn at_most_one_racer_holds_the_lease_and_one_database_answers(seed in any::<u64>()) {
        World::new(seed).run(600);
    }
}

#[test]
fn the_law_is_not_empty() {
    for seed in 0..4 {
        let mut world = World::new(seed);
        world.run(3_600);
        let all = &world.promotions;
        assert!(all.iter().all(|promotions| *promotions > 5), "promotions: {all:?}");
    }
}
