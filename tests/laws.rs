//! Laws of the world, over random schedules of faults.

mod common;

use common::{
    Tape, bursty, crash, cut, errors, fault, link, lossy_node, mode, narrow, pause, plain, plan,
    play, slow_disk, slow_node,
};
use proptest::prelude::*;
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::{NodeId, OpId, Position};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Node;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::crash::Process;
use regionsim::world::fault::errors::Of;
use regionsim::world::fault::partition::Direction;
use regionsim::world::fault::{FaultParams, InFlight};
use regionsim::world::plan::{FaultPlan, Plan};
use regionsim::world::{Limits, Stage};
use std::collections::{BTreeMap, BTreeSet};

const PRIMARY: NodeId = NodeId(0);

fn ms(n: u64) -> Span {
    Span::from_millis(n)
}

/// A fault of any kind over regions `a`, `b` and `c`; disks are kept, nothing is permanent.
fn any_fault() -> impl Strategy<Value = FaultPlan> {
    let region = || prop::sample::select(vec!["a", "b", "c"]);
    let direction = prop::sample::select(vec![Direction::Both, Direction::To, Direction::From]);
    let direction2 = direction.clone();
    let of = prop::sample::select(vec![Of::All, Of::Reads, Of::Writes]);
    let in_flight = prop::sample::select(vec![InFlight::Lost, InFlight::Delivered]);
    let process = prop::sample::select(vec![Process::Host, Process::Database]);
    let kind = prop_oneof![
        3 => (region(), region(), direction, in_flight)
            .prop_filter("two places", |(a, b, ..)| a != b)
            .prop_map(|(a, b, d, f)| cut(a, b, d, f)),
        2 => (region(), process).prop_map(|(r, p)| crash(&format!("orders@{r}"), p)),
        1 => region().prop_map(|r| crash(r, Process::Host)),
        1 => region().prop_map(|r| pause(&format!("orders@{r}"))),
        1 => (0..200u64, 0..40u32)
            .prop_map(|(d, l)| link(&["a", "b"], ms(d), f64::from(l) / 100.0, false)),
        1 => (region(), 1..40u32, 0..3_000u64).prop_map(|(r, factor, add)| {
            let add = DistSpec::uniform(ms(0), ms(add + 1));
            slow_disk(&format!("orders@{r}"), f64::from(factor), add)
        }),
        1 => (region(), 0..300u64, direction2)
            .prop_map(|(r, delay, d)| slow_node(&format!("orders@{r}"), ms(delay), d)),
        1 => (region(), 0..60u32)
            .prop_map(|(r, loss)| lossy_node(&format!("orders@{r}"), f64::from(loss) / 100.0)),
        1 => (region(), 0..=100u32, of)
            .prop_map(|(r, share, of)| errors(&format!("orders@{r}"), f64::from(share) / 100.0, of)),
        1 => (1..20u32, 5..100u32)
            .prop_map(|(p, r)| bursty("a", "b", f64::from(p) / 100.0, f64::from(r) / 100.0)),
        1 => (300_000..3_000_000u64).prop_map(|bandwidth| narrow("a", "c", bandwidth)),
    ];
    (500..25_000u64, 20..12_000u64, kind).prop_map(|(at, lasts, kind): (u64, u64, FaultParams)| {
        fault("", ms(at), Some(ms(lasts)), kind)
    })
}

/// A store over three regions, 30 s of storm and 20 s of calm.
fn stormy(word: &str, faults: Vec<FaultPlan>) -> Plan {
    let mut plan = plan(3, ms(40), 3, plain(word), 6.0);
    (plan.horizon, plan.settle) = (Span::from_secs(30), Span::from_secs(20));
    plan.faults = faults;
    for (i, fault) in plan.faults.iter_mut().enumerate() {
        fault.name = format!("fault-{i}");
    }
    plan
}

/// Every node's history, rebuilt from the facts: which positions it has, on disk.
#[derive(Default)]
struct Histories {
    appended: BTreeMap<Position, OpId>,
    parents: BTreeMap<u64, Position>,
    durable: BTreeMap<NodeId, Position>,
}

impl Histories {
    fn on_fact(&mut self, fact: &Fact) {
        match *fact {
            Fact::Appended { op, at, .. } => {
                let other = self.appended.insert(at, op);
                assert_eq!(other, None, "{at:?} is the name of two entries");
            }
            Fact::Began { segment, from, .. } => {
                let other = self.parents.insert(segment.word(), from);
                assert_eq!(other, None, "{segment:?} begins twice");
            }
            Fact::Durable { node, upto, .. } => {
                self.durable.insert(node, upto);
            }
            Fact::Truncated { node, to, .. } => {
                if !self.has(node, to) {
                    return;
                }
                self.durable.insert(node, to);
            }
            Fact::Wiped { node, .. } => {
                self.durable.remove(&node);
            }
            _ => {}
        }
    }
    /// True when that entry is part of a node's durable history.
    fn has(&self, node: NodeId, wanted: Position) -> bool {
        let Some(mut at) = self.durable.get(&node).copied() else { return wanted.index.0 == 0 };
        if wanted.index.0 == 0 {
            return true;
        }
        while at.index >= wanted.index {
            if at.segment == wanted.segment {
                return true;
            }
            let Some(from) = self.parents.get(&at.segment.word()) else { return false };
            at = Position { segment: from.segment, index: at.index.min(from.index) };
            if at.index.0 == 0 {
                return false;
            }
        }
        false
    }
}

/// What holds in every run; how many other nodes must have an answered write is the caller's.
fn judge(
    tape: &Tape,
    end: SimTime,
    deadline: Span,
    others: usize,
) -> (Histories, Vec<(OpId, Position)>) {
    let mut histories = Histories::default();
    let mut answered: BTreeMap<OpId, Position> = BTreeMap::new();
    let mut open: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut closed: BTreeSet<OpId> = BTreeSet::new();
    let mut acknowledged = Vec::new();
    let mut last = SimTime::ZERO;
    for (now, fact) in &tape.facts {
        assert!(*now >= last, "time goes back");
        last = *now;
        histories.on_fact(fact);
        match *fact {
            Fact::Invoked { op, .. } => assert_eq!(open.insert(op, *now), None, "invoked twice"),
            Fact::Concluded { op, outcome, .. } => {
                assert!(open.remove(&op).is_some() && closed.insert(op), "concluded twice: {op:?}");
                if outcome == Outcome::Ok {
                    acknowledged.push((op, answered[&op]));
                }
            }
            Fact::Answered { node, op, outcome: Outcome::Ok, at, .. } => {
                assert_eq!(histories.appended.get(&at), Some(&op), "{node:?} answered for {at:?}");
                assert!(histories.has(node, at), "{node:?} answered {op:?} before it was durable");
                let nodes = [NodeId(0), NodeId(1), NodeId(2)];
                let with = nodes.iter().filter(|n| **n != node && histories.has(**n, at)).count();
                assert!(with >= others, "{op:?} at {at:?} is on {with} other disks");
                answered.insert(op, at);
            }
            _ => {}
        }
    }
    let late = open.values().filter(|began| **began + deadline < end).count();
    assert_eq!(late, 0, "operations that never end");
    (histories, acknowledged)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn sync_that_blocks_loses_nothing_acknowledged(
        faults in prop::collection::vec(any_fault(), 0..6), seed in 0..1000u64,
    ) {
        let plan = stormy("sync", faults);
        let (_, tape, finish) = play(&plan, seed);
        let deadline = plan.clients[0].params.deadline;
        let (histories, acknowledged) = judge(&tape, finish.at, deadline, 2);
        for (op, at) in &acknowledged {
            for node in [NodeId(0), NodeId(1), NodeId(2)] {
                prop_assert!(histories.has(node, *at), "{:?} is lost at {:?}", op, node);
            }
        }
        back_in_service(&tape)?;
    }

    #[test]
    fn async_answers_are_durable_where_they_were_given(
        faults in prop::collection::vec(any_fault(), 0..6), seed in 0..1000u64,
    ) {
        let plan = stormy("async", faults);
        let (_, tape, finish) = play(&plan, seed);
        let (histories, acknowledged) = judge(&tape, finish.at, plan.clients[0].params.deadline, 0);
        // Disks are kept and nobody else is promoted: the primary has it all in the end.
        for (op, at) in &acknowledged {
            prop_assert!(histories.has(PRIMARY, *at), "{:?} is lost", op);
        }
        back_in_service(&tape)?;
    }

    #[test]
    fn the_same_seed_tells_the_same_story(
        word in prop::sample::select(vec!["async", "sync"]),
        faults in prop::collection::vec(any_fault(), 0..4), seed in 0..1000u64,
    ) {
        let plan = stormy(word, faults);
        let (stage, _, recorded) = play(&plan, seed);
        let again = Stage::new(&plan).unwrap().run(seed, 0, &mut None::<Tape>, &Limits::default());
        prop_assert_eq!(recorded, again, "with and without a recorder");
        let other = stage.run(seed + 1, 0, &mut None::<Tape>, &Limits::default());
        prop_assert_ne!(recorded.fingerprint, other.fingerprint);
    }
}

/// All faults are over by 30 s; 10 s later every operation ends well.
fn back_in_service(tape: &Tape) -> Result<(), TestCaseError> {
    let calm = SimTime::ZERO + Span::from_secs(40);
    let mut late = BTreeSet::new();
    let mut well = 0;
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } if *now >= calm => {
                late.insert(*op);
            }
            Fact::Concluded { op, outcome, .. } if late.contains(op) => {
                prop_assert_eq!(*outcome, Outcome::Ok, "{:?} at {}", op, now);
                well += 1;
            }
            _ => {}
        }
    }
    prop_assert!(well > 60, "{} operations", well);
    Ok(())
}

#[test]
fn without_faults_nothing_is_lost_anywhere() {
    for word in ["async", "sync"] {
        let plan = stormy(word, Vec::new());
        let (_, tape, finish) = play(&plan, 5);
        let others = if word == "sync" { 2 } else { 0 };
        let (histories, acknowledged) = judge(&tape, finish.at, Span::from_secs(5), others);
        assert!(acknowledged.len() > 700);
        let early = acknowledged.len() - 20;
        for (op, at) in &acknowledged[..early] {
            let all = (0..3).all(|n| histories.has(NodeId(n), *at));
            assert!(all, "{word}: {op:?} is not everywhere");
        }
    }
}

#[test]
fn any_k_of_n_is_what_it_says() {
    let mut plan =
        stormy("sync", vec![fault("", ms(5_000), Some(ms(20_000)), crash("c", Process::Host))]);
    let any = vec![("mode", Node::text("sync")), ("acks", one())];
    plan.stores[0].params.replication = mode(any);
    let (_, tape, finish) = play(&plan, 5);
    let (_, acknowledged) = judge(&tape, finish.at, Span::from_secs(5), 1);
    let during = tape.facts.iter().filter(|(now, fact)| {
        let second = now.as_nanos() / 1_000_000_000;
        (6..24).contains(&second) && matches!(fact, Fact::Concluded { outcome: Outcome::Ok, .. })
    });
    assert!(during.count() > 200, "one dead standby of two stops nothing");
    assert!(acknowledged.len() > 700);
}

fn one() -> Node {
    Node { place: 0..0, tree: regionsim::sim::param::Tree::Int(1) }
}
