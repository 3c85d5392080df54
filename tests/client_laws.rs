//! Laws of a client population, whatever happens to it: random answers, refusals, resets, orders
//! and lookups, at random moments, on time, late, repeated and for nobody.

#[path = "client_laws/any.rs"]
mod any;
mod stage;

use any::{any_load, any_params, any_routing, any_users};
use proptest::prelude::*;
use regionsim::model::client::ClientParams;
use regionsim::model::client::curve::LoadParams;
use regionsim::model::client::loops::paced::Late;
use regionsim::model::client::loops::{LoopParams, closed, paced};
use regionsim::model::ctx::{Class, Effect, Input};
use regionsim::model::fact::{OpKind, Outcome};
use regionsim::model::id::{NodeId, OpId, ProcessId};
use regionsim::model::msg::{ClientMsg, DnsMsg, Msg, ProbeMsg};
use regionsim::model::route::RoutingParams;
use regionsim::sim::time::{LocalTime, Span};
use stage::{CLIENTS, DB_A, DB_B, GROUP, NS_A, NS_B, Stage, answer, order, population};
use std::collections::BTreeMap;

/// One thing that happens: what, to which, and how long until the next.
type Blow = (u8, usize, u64);

/// What a test knows of one operation.
#[derive(Default)]
struct Life {
    invoked: LocalTime,
    /// Attempts sent, in order, with what was said of each: `Some(true)` a definite no, at the
    /// time it was the last one sent.
    sent: Vec<(u8, ProcessId, bool)>,
    /// The first success that reached it in time.
    success: Option<(LocalTime, ProcessId)>,
    ends: Vec<(LocalTime, Outcome, Option<NodeId>)>,
}

struct Trial {
    stage: Stage<regionsim::model::client::Population>,
    params: ClientParams,
    lives: BTreeMap<OpId, Life>,
    requests: Vec<(OpId, u8, ProcessId, Msg)>,
    lookups: Vec<(u32, u32, ProcessId)>,
    probes: Vec<(u32, ProcessId, Msg)>,
    invoked: Vec<(LocalTime, OpId, OpKind, u32)>,
}

impl Trial {
    fn new(params: &ClientParams, routing: &RoutingParams) -> Trial {
        let mut trial = Trial {
            stage: Stage::new(CLIENTS, population(params, routing, 11)),
            params: params.clone(),
            lives: BTreeMap::new(),
            requests: Vec::new(),
            lookups: Vec::new(),
            probes: Vec::new(),
            invoked: Vec::new(),
        };
        trial.hear(Input::Start);
        trial
    }
    fn hear(&mut self, input: Input) {
        let effects = self.stage.step(input);
        let now = self.stage.now;
        effects.into_iter().for_each(|effect| self.note(now, effect));
    }
    fn pass(&mut self, span: Span) {
        for (at, effect) in self.stage.pass(span) {
            self.note(at, effect);
        }
    }
    fn note(&mut self, at: LocalTime, effect: Effect) {
        match effect {
            Effect::Invoke { op, kind, key, .. } => {
                self.invoked.push((at, op, kind, key));
                let old = self.lives.insert(op, Life { invoked: at, ..Life::default() });
                assert!(old.is_none(), "an operation begins once");
            }
            Effect::Send { to, msg, class, .. } => match msg {
                Msg::Client(ClientMsg::Request { op, attempt, .. }) => {
                    self.requests.push((op, attempt, to, msg));
                    let life = self.lives.get_mut(&op).expect("begun before it is sent");
                    assert!(life.ends.is_empty(), "nothing is sent for what has ended");
                    assert!(life.sent.last().is_none_or(|last| last.0 < attempt));
                    assert!(u32::from(attempt) < self.params.retry.attempts);
                    let patience = self.params.deadline.saturating_sub(at.since(life.invoked));
                    assert_eq!(class, Class::Independent { patience });
                    life.sent.push((attempt, to, false));
                }
                Msg::Dns(_, DnsMsg::Lookup { resolver, seq }) => {
                    self.lookups.push((resolver, seq, to));
                }
                Msg::Probe(ProbeMsg::Probe { seq, .. }) => self.probes.push((seq, to, msg)),
                other => panic!("clients do not say {other:?}"),
            },
            Effect::Conclude { op, outcome, by } => {
                self.lives.get_mut(&op).unwrap().ends.push((at, outcome, by));
            }
            Effect::Route { .. } => {}
            other => panic!("clients do not do {other:?}"),
        }
    }
    fn blow(&mut self, (what, which, pause): Blow) {
        match what {
            0..=3 if !self.requests.is_empty() => {
                let (op, attempt, to, msg) = self.requests[which % self.requests.len()];
                let outcome = [Outcome::Ok, Outcome::Fail, Outcome::Unknown][usize::from(what) % 3];
                let life = self.lives.get_mut(&op).unwrap();
                let in_time = self.stage.now.since(life.invoked) <= self.params.deadline;
                if what != 3 && outcome == Outcome::Ok && in_time && life.success.is_none() {
                    life.success = Some((self.stage.now, to));
                }
                if what == 3 || outcome == Outcome::Fail {
                    let last = life.sent.last_mut().unwrap();
                    last.2 |= last.0 == attempt;
                }
                if what == 3 {
                    self.hear(Input::Refused { by: to, msg });
                } else {
                    self.hear(Input::Message { from: to, msg: answer(op, attempt, outcome) });
                }
            }
            4 => self.hear(Input::Reset { by: [DB_A, DB_B][which % 2] }),
            5 | 6 if !self.lookups.is_empty() => {
                let (resolver, seq, to) = self.lookups[which % self.lookups.len()];
                let target = [DB_A, DB_B][which % 2];
                let found = Msg::Dns(GROUP, DnsMsg::Found { resolver, seq, target });
                let lookup = Msg::Dns(GROUP, DnsMsg::Lookup { resolver, seq });
                if what == 5 {
                    self.hear(Input::Message { from: to, msg: found });
                } else {
                    self.hear(Input::Refused { by: to, msg: lookup });
                }
            }
            8 if !self.probes.is_empty() => {
                // Mostly the newest: an old one says nothing any more.
                let back = self.probes.len().min(which % 7 + 1);
                let (seq, by, msg) = self.probes[self.probes.len() - back];
                if which % 3 == 0 {
                    self.hear(Input::Refused { by, msg });
                } else {
                    let msg = Msg::Probe(ProbeMsg::Alive { seq });
                    self.hear(Input::Message { from: by, msg });
                }
            }
            7 => {
                let msg = order([DB_A, DB_B][which % 2], (which % 9) as u32);
                self.hear(Input::Message { from: [NS_A, NS_B][which % 2], msg });
            }
            _ => {}
        }
        self.pass(Span::from_millis(pause));
    }
    /// Every operation whose deadline has come has ended once, in time, and as it should.
    fn judge(&self) {
        for (op, life) in &self.lives {
            let due = life.invoked.saturating_add(self.params.deadline);
            assert!(life.ends.len() <= 1, "{op:?} ended {:?}", life.ends);
            let Some((at, outcome, by)) = life.ends.first() else {
                assert!(due > self.stage.now, "{op:?} outlived its deadline");
                continue;
            };
            assert!(*at <= due);
            let sooner = life.success.is_some_and(|(when, _)| when < *at);
            assert!(!sooner, "{op:?} was answered in time and went on");
            match outcome {
                Outcome::Ok => {
                    let (when, from) = life.success.expect("somebody said yes");
                    assert_eq!((*at, *by), (when, Some(NodeId(from.0))));
                }
                Outcome::Fail => {
                    assert!(life.sent.iter().all(|(_, _, no)| *no), "{op:?} {:?}", life.sent);
                    assert!(*at < due, "a deadline is unknown, never a failure");
                }
                Outcome::Unknown => assert_eq!(*by, None),
            }
        }
    }
}

fn blows() -> impl Strategy<Value = Vec<Blow>> {
    // Mostly recent requests, now and then one of long ago.
    proptest::collection::vec((0u8..9, prop_oneof![0usize..4, any::<usize>()], 0u64..60), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_operation_ends_once_by_its_deadline_and_as_its_attempts_did(
        params in any_params(), routing in any_routing(), blows in blows(),
    ) {
        let mut trial = Trial::new(&params, &routing);
        for (what, which, pause) in blows {
            // Counted from the newest, so that small numbers hit what is in flight.
            let newest = |len: usize| len.wrapping_sub(1).wrapping_sub(which % len.max(1));
            let which = if what <= 3 { newest(trial.requests.len()) }
                else if what == 5 || what == 6 { newest(trial.lookups.len()) }
                else { which };
            trial.blow((what, which, pause));
        }
        trial.judge();
        trial.pass(params.deadline);
        trial.judge();
    }

    #[test]
    fn what_users_do_does_not_depend_on_what_becomes_of_it(
        params in any_params(), other in any_params(),
        routing in any_routing(), other_routing in any_routing(), blows in blows(),
    ) {
        // Those who wait for their operations are in the law below.
        let params = ClientParams { users: None, ..params };
        let other = ClientParams { users: None, ..other };
        let mut one = Trial::new(&params, &routing);
        blows.into_iter().for_each(|blow| one.blow(blow));
        // Another design, with other retries, where nobody ever answers.
        let mut silent = Trial::new(&other, &other_routing);
        silent.pass(one.stage.now.since(LocalTime::ZERO));
        prop_assert_eq!(&one.invoked, &silent.invoked);
        // And without reads, the writes are the same (but for their numbers).
        let mut writes_only = Trial::new(&ClientParams { reads: None, ..params }, &routing);
        writes_only.pass(one.stage.now.since(LocalTime::ZERO));
        let writes = |trial: &Trial| -> Vec<(LocalTime, u32)> {
            let writes = trial.invoked.iter().filter(|(_, _, kind, _)| *kind == OpKind::Write);
            writes.map(|(at, _, _, key)| (*at, *key)).collect()
        };
        prop_assert_eq!(writes(&one), writes(&writes_only));
    }
    #[test]
    fn a_load_changes_when_operations_begin_and_nothing_that_they_do(
        params in any_params(), load in any_load(), routing in any_routing(),
    ) {
        let acts = |load: Option<LoadParams>, kind: OpKind| -> Vec<u32> {
            let mut trial = Trial::new(&ClientParams { load, users: None, ..params.clone() }, &routing);
            trial.pass(Span::from_secs(4));
            let of_kind = trial.invoked.iter().filter(|(_, _, it, _)| *it == kind);
            of_kind.map(|(.., key)| *key).collect()
        };
        for kind in [OpKind::Write, OpKind::Read] {
            let (plain, loaded) = (acts(None, kind), acts(Some(load.clone()), kind));
            prop_assert!(!plain.is_empty());
            prop_assert!(plain.iter().zip(&loaded).all(|(a, b)| a == b));
            let flat = LoadParams { curve: Vec::new(), period: None, spikes: Vec::new() };
            prop_assert_eq!(plain, acts(Some(flat), kind));
        }
    }
    #[test]
    fn one_user_does_the_same_things_whatever_becomes_of_them(
        users in any_users(), params in any_params(), other in any_params(),
        routing in any_routing(), other_routing in any_routing(), blows in blows(),
    ) {
        let users = alone(users);
        let only = |params: ClientParams| {
            ClientParams { writes: None, reads: None, users: Some(users.clone()), ..params }
        };
        let mut one = Trial::new(&only(params), &routing);
        blows.into_iter().for_each(|blow| one.blow(blow));
        let mut silent = Trial::new(&only(other), &other_routing);
        silent.pass(one.stage.now.since(LocalTime::ZERO));
        let (some, others) = (one.courses(), silent.courses());
        if let LoopParams::Script(_) = users {
            prop_assert_eq!(&one.invoked, &silent.invoked);
            return Ok(());
        }
        for trial in [&some, &others] {
            for pair in trial.windows(2) {
                prop_assert!(pair[0].ended.is_some_and(|at| at <= pair[1].began), "one at a time");
            }
        }
        match &users {
            LoopParams::Paced(paced) if paced.late == Late::Skip => {
                let by_tick: BTreeMap<LocalTime, _> = some.iter().map(|c| (c.began, c.act)).collect();
                for course in some.iter().chain(&others) {
                    let since = course.began.since(LocalTime::ZERO).as_nanos();
                    prop_assert_eq!(since % paced.every.as_nanos(), 0, "only at ticks");
                    let same = by_tick.get(&course.began).is_none_or(|act| *act == course.act);
                    prop_assert!(same, "a tick has its operation, whatever was left out");
                }
            }
            LoopParams::Paced(paced) => {
                let due = |n: usize| LocalTime::ZERO + paced.every.saturating_mul(n as u64);
                for (n, course) in some.iter().enumerate() {
                    let before = n.checked_sub(1).and_then(|n| some[n].ended);
                    prop_assert_eq!(Some(course.began), Some(due(n)).max(before));
                }
                prop_assert!(some.iter().zip(&others).all(|(a, b)| a.act == b.act));
            }
            _ => {
                prop_assert!(some.iter().zip(&others).all(|(a, b)| a.act == b.act));
                let pauses = |trial: &[Course]| -> Vec<Span> {
                    trial.windows(2).map(|p| p[1].began.since(p[0].ended.unwrap())).collect()
                };
                prop_assert!(pauses(&some).iter().zip(&pauses(&others)).all(|(a, b)| a == b));
            }
        }
    }
}

/// What one user did: when, what, and when it had ended.
struct Course {
    began: LocalTime,
    act: (OpKind, u32),
    ended: Option<LocalTime>,
}

impl Trial {
    fn courses(&self) -> Vec<Course> {
        let course = |(began, op, kind, key): &(LocalTime, OpId, OpKind, u32)| Course {
            began: *began,
            act: (*kind, *key),
            ended: self.lives[op].ends.first().map(|(at, ..)| *at),
        };
        self.invoked.iter().map(course).collect()
    }
}

/// The same with one user.
fn alone(users: LoopParams) -> LoopParams {
    match users {
        LoopParams::Closed(params) => LoopParams::Closed(closed::Params { count: 1, ..params }),
        LoopParams::Paced(params) => LoopParams::Paced(paced::Params { count: 1, ..params }),
        other => other,
    }
}
