//! A storm over three replicas that moves messages, disks and timers at random, and what must hold
//! in it.

use super::{Parcel, Replicas, Shape};
use proptest::prelude::*;
use regionsim::model::ctx::Effect;
use regionsim::model::fact::OpKind;
use regionsim::model::id::{ClientId, FencingToken, OpId, Position, ProcessId, Term};
use regionsim::model::msg::{LocalMsg, Resync};
use regionsim::model::replica::{ModeParams, ServerParams};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Node, Param, Problems, Tree};
use regionsim::sim::time::Span;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that happens in a storm.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Write(usize, bool),
    Retry(usize, u64),
    Deliver(usize, usize, u8),
    DropAlone(usize, usize),
    Reset(usize, usize),
    Fsync(usize),
    Tick(u64),
    Crash(usize),
    LoseDisk(usize),
    Restart(usize),
    FailOver(usize),
    Pause(usize),
}

pub fn act() -> impl Strategy<Value = Act> {
    let n = 0..3usize;
    prop_oneof![
        8 => (n.clone(), any::<bool>()).prop_map(|(i, id)| Act::Write(i, id)),
        3 => (n.clone(), 0..40u64).prop_map(|(i, back)| Act::Retry(i, back)),
        30 => (n.clone(), n.clone(), 1..6u8).prop_map(|(a, b, k)| Act::Deliver(a, b, k)),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::DropAlone(a, b)),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::Reset(a, b)),
        14 => n.clone().prop_map(Act::Fsync),
        4 => (1..3_000u64).prop_map(Act::Tick),
        1 => n.clone().prop_map(Act::Crash),
        3 => n.clone().prop_map(Act::Restart),
        1 => n.clone().prop_map(Act::FailOver),
        1 => n.prop_map(Act::Pause),
    ]
}

/// The same, and standbys lose their disks.
pub fn act_or_loss() -> impl Strategy<Value = Act> {
    prop_oneof![40 => act(), 1 => (1..3usize).prop_map(Act::LoseDisk)]
}

pub fn mode(word: &str, acks: Option<i64>, entries: &[(&str, &str)]) -> ModeParams {
    let mut table = vec![("mode", Node::text(word))];
    table.extend(entries.iter().map(|(key, value)| (*key, Node::text(value))));
    table.extend(acks.map(|acks| ("acks", Node { place: 0..0, tree: Tree::Int(acks) })));
    let mut problems = Problems::default();
    let mode = ModeParams::read(&Node::table(table), &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    mode.unwrap()
}

/// How many standbys must have a write on disk when it is answered.
#[derive(Clone, Copy)]
pub enum Promise {
    /// Nobody knows: roles change, and a standby may have been rewound since.
    Nothing,
    /// So many.
    OnDisks(usize),
    /// As many as the mode says that it waits for at that moment.
    RuleInForce,
}

/// A storm over three replicas, and what must hold in it.
pub struct Storm {
    pub all: Replicas,
    names: BTreeMap<Position, OpId>,
    seq: u64,
    term: u32,
    promised: Promise,
    pub answered: BTreeSet<(OpId, Position)>,
}

impl Storm {
    pub fn new(mode: ModeParams, promised: Promise, server: Option<ServerParams>) -> Storm {
        let all = Replicas::new(&Shape {
            server,
            replicas: 3,
            restart_time: Span::from_millis(500),
            entry_bytes: 3_000_000,
            ..Shape::of(mode)
        });
        let (names, answered) = (BTreeMap::new(), BTreeSet::new());
        Storm { all, names, seq: 0, term: 1, promised, answered }
    }

    pub fn act(&mut self, act: Act, roles_change: bool) {
        let all = &mut self.all;
        match act {
            Act::Write(i, id) if all.nodes[i].up => {
                self.seq += 1;
                all.request(i, self.seq, OpKind::Write, 0, id);
            }
            Act::Retry(i, back) if all.nodes[i].up => {
                let seq = self.seq.saturating_sub(back).max(1);
                all.request(i, seq, OpKind::Write, 1, true);
            }
            Act::Deliver(a, b, count) if a != b => {
                for _ in 0..count {
                    self.all.deliver(a, b);
                    self.check();
                }
                return;
            }
            Act::DropAlone(a, b) => {
                all.wire(a, b).retain(|parcel| !matches!(parcel, Parcel::Msg(_, true)));
            }
            Act::Reset(a, b) if a != b && all.nodes[a].up => {
                // What was under way from a to b is gone, and a hears of it.
                all.wire(a, b).clear();
                all.wire(b, a).push_back(Parcel::Reset);
            }
            Act::Fsync(i) if all.nodes[i].up => {
                all.fsync(i);
            }
            Act::Tick(ms) => all.tick(Span::from_millis(ms)),
            Act::Crash(i) if all.nodes[i].up => all.crash(i, true),
            Act::LoseDisk(i) if all.nodes[i].up => all.crash(i, false),
            Act::Restart(i) if !all.nodes[i].up => all.restart(i),
            Act::FailOver(i) if roles_change => self.fail_over(i),
            Act::Pause(i) if roles_change && all.nodes[i].up => {
                all.local(i, LocalMsg::StepDown);
                all.local(i, LocalMsg::Resume);
            }
            _ => {}
        }
        self.check();
    }

    fn fail_over(&mut self, to: usize) {
        self.term += 1;
        let (term, token) = (Term(self.term), FencingToken(u64::from(self.term)));
        for i in 0..3 {
            if !self.all.nodes[i].up {
                continue;
            }
            let primary = ProcessId::of(to);
            let takes = Span::from_millis(100);
            let resync = Resync::NONE;
            let follow = LocalMsg::Follow { primary, term, token, resync };
            let lead = LocalMsg::Lead { term, token, takes };
            // The old primary hears of it half the time only.
            if i == to {
                self.all.local(i, lead);
            } else if self.term.is_multiple_of(2) || i != 0 {
                self.all.local(i, follow);
            }
        }
    }

    pub fn check(&mut self) {
        for (i, effect) in std::mem::take(&mut self.all.seen) {
            match effect {
                Effect::Append { op, at, .. } => {
                    let before = self.names.insert(at, op);
                    assert_eq!(before, None, "{at:?} is the name of two entries");
                }
                Effect::Answer { .. } => self.check_answer(i, effect),
                _ => {}
            }
        }
    }

    fn check_answer(&mut self, i: usize, effect: Effect) {
        for (_, op, at) in Replicas::acknowledged(&[(i, effect)]) {
            let log = self.all.nodes[i].machine.log();
            assert!(log.contains(at), "{i} answered {op:?} and has no {at:?}: {log:?}");
            assert!(log.durable().index >= at.index, "{i} answered {op:?} before its disk had it");
            assert_eq!(self.names.get(&at), Some(&op), "{i} answered for another's entry");
            let on_disk = |node: &&super::Node| {
                let log = node.machine.log();
                log.contains(at) && log.durable().index >= at.index
            };
            let standbys = &self.all.nodes[1..];
            match self.promised {
                Promise::Nothing => {}
                Promise::OnDisks(promised) => {
                    let count = standbys.iter().filter(on_disk).count();
                    assert!(count >= promised, "{op:?} at {at:?} is on {count} standbys");
                }
                Promise::RuleInForce => {
                    let promised = usize::from(self.all.nodes[i].machine.acks_required());
                    let count = standbys.iter().filter(on_disk).count();
                    assert!(count >= promised, "{op:?}: {count} standbys of {promised} have it");
                }
            }
            self.answered.insert((op, at));
        }
    }

    /// One more write is answered.
    pub fn serves_again(&mut self) {
        self.seq += 1;
        let last = OpId::new(ClientId(0), self.seq);
        self.all.request(0, self.seq, OpKind::Write, 0, true);
        self.all.tick(Span::from_secs(1));
        self.all.settle();
        self.check();
        assert!(self.answered.iter().any(|(op, _)| *op == last), "service is back");
    }

    /// All faults are over: everybody runs, everything arrives.
    pub fn calm(&mut self) {
        for i in 0..3 {
            if !self.all.nodes[i].up {
                self.all.restart(i);
            }
        }
        for _ in 0..20 {
            self.all.settle();
            self.check();
            self.all.tick(Span::from_secs(1));
        }
        self.all.settle();
        self.check();
    }
}

/// Nodes that serve everything at once, or two requests at a time with three in the queue.
pub fn server() -> impl Strategy<Value = Option<ServerParams>> {
    prop::option::of((0u64..300).prop_map(|ms| ServerParams {
        service_time: DistSpec::Constant(Span::from_millis(ms)),
        concurrency: 2,
        queue: 3,
        ..ServerParams::default()
    }))
}
