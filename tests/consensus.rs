//! Stores that elect their leader, in the whole world: laws over random storms here, cases computed
//! by hand in `consensus/cases.rs`.

mod common;

#[path = "consensus/cases.rs"]
mod cases;

use common::{Tape, aim, crash, cut, fault, link, mode, pause, plan};
use proptest::prelude::*;
use regionsim::measure::metric::MetricKey;
use regionsim::measure::oracle::Oracle;
use regionsim::measure::sample::Sample;
use regionsim::measure::settings::Settings;
use regionsim::measure::verdict::Verdict;
use regionsim::model::client::ArrivalParams;
use regionsim::model::consensus::member::Params;
use regionsim::model::fact::{Claim, Fact, OpKind, Outcome};
use regionsim::model::id::{NodeId, OpId, Position, Term};
use regionsim::model::replica::ModeParams;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Node;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::crash::{Disk, Process};
use regionsim::world::fault::partition::Direction;
use regionsim::world::fault::{FaultParams, InFlight, crash as crashes};
use regionsim::world::plan::{FaultPlan, Plan};
use regionsim::world::{Limits, Stage};
use std::collections::{BTreeMap, BTreeSet};

fn ms(n: u64) -> Span {
    Span::from_millis(n)
}
fn at(n: u64) -> SimTime {
    SimTime::ZERO + ms(n)
}

/// `consensus`, with words for some of its parameters.
fn consensus(words: &[(&'static str, &'static str)]) -> ModeParams {
    let mut entries = vec![("mode", Node::text("consensus"))];
    entries.extend(words.iter().map(|(key, word)| (*key, Node::text(word))));
    mode(entries)
}

/// A store over so many regions 40 ms apart, with writers and readers everywhere.
fn elected(replicas: usize, words: &[(&'static str, &'static str)]) -> Plan {
    let mut plan = plan(replicas, ms(40), replicas, consensus(words), 5.0);
    (plan.stores[0].routing, plan.routings) = (None, Vec::new());
    plan.stores[0].electors.initial_leader = Some(0);
    for client in &mut plan.clients {
        client.params.reads = Some(ArrivalParams { per_second: 3.0, ..ArrivalParams::default() });
    }
    plan
}

/// With the parameters of a store that elects its leader changed.
fn set(plan: &mut Plan, change: impl FnOnce(&mut Params)) {
    match &mut plan.stores[0].params.replication {
        ModeParams::Consensus(params) => change(params),
        other => panic!("{other:?}"),
    }
}

fn judged(plan: &Plan, seed: u64) -> (Tape, Verdict) {
    let stage = Stage::new(plan).expect("a valid plan");
    let oracle = Oracle::new(stage.roster(), &Settings::default());
    let mut both = (oracle, Tape::default());
    let finish = stage.run(seed, 0, &mut both, &Limits::default());
    assert!(!finish.halted);
    (both.1, both.0.verdict(finish.at))
}

fn value(verdict: &Verdict, key: &str) -> f64 {
    let key = MetricKey::parse(key).unwrap();
    match verdict.get(&key) {
        Some(Sample::Value(value)) => value,
        other => panic!("{key}: {other:?}"),
    }
}

/// What holds in every run, from the facts: a term has one leader; a leader has everything that was
/// ever answered; nothing is answered that a majority of disks does not have.
fn obeys_the_laws(tape: &Tape, members: usize) {
    let mut parents: BTreeMap<u64, Position> = BTreeMap::new();
    let mut terms: BTreeMap<Term, NodeId> = BTreeMap::new();
    let mut appended: BTreeMap<Position, OpId> = BTreeMap::new();
    let mut durable: BTreeMap<NodeId, Position> = BTreeMap::new();
    let mut answered: BTreeSet<Position> = BTreeSet::new();
    let mut writes: BTreeSet<OpId> = BTreeSet::new();
    for (now, fact) in &tape.facts {
        match *fact {
            Fact::Invoked { op, kind: OpKind::Write, .. } => {
                writes.insert(op);
            }
            Fact::Began { node, segment, from, .. } => {
                let other = terms.insert(segment.term(), node);
                assert_eq!(other, None, "a second leader of {:?} at {now}", segment.term());
                parents.insert(segment.word(), from);
                for place in &answered {
                    assert!(has(&parents, from, *place), "{node:?} leads without {place:?}");
                }
            }
            Fact::Appended { op, at, .. } => {
                assert_eq!(appended.insert(at, op), None, "{at:?} is the name of two entries");
            }
            Fact::Durable { node, upto, .. } => {
                durable.insert(node, upto);
            }
            Fact::Truncated { node, to, .. } => {
                let known = durable.get(&node).copied().unwrap_or_default();
                if !has(&parents, to, known) {
                    durable.insert(node, to);
                }
            }
            Fact::Wiped { node, .. } => {
                durable.remove(&node);
            }
            Fact::Answered { op, outcome: Outcome::Ok, at, .. } if writes.contains(&op) => {
                assert_eq!(appended.get(&at), Some(&op), "answered for another entry");
                let with = durable.values().filter(|end| has(&parents, **end, at)).count();
                // One whose disk is lost later may have been one of them.
                assert!(with + 1 > members / 2, "{op:?} is on {with} disks at {now}");
                answered.insert(at);
            }
            _ => {}
        }
    }
}

/// True when a history that ends at `end` has that entry.
fn has(parents: &BTreeMap<u64, Position>, end: Position, wanted: Position) -> bool {
    let mut at = end;
    while at.index >= wanted.index && wanted.index.0 > 0 {
        if at.segment == wanted.segment {
            return true;
        }
        let Some(from) = parents.get(&at.segment.word()) else { return false };
        at = Position { segment: from.segment, index: at.index.min(from.index) };
    }
    wanted.index.0 == 0
}

fn any_fault() -> impl Strategy<Value = FaultPlan> {
    let region = || prop::sample::select(vec!["a", "b", "c"]);
    let direction = prop::sample::select(vec![Direction::Both, Direction::To, Direction::From]);
    let in_flight = prop::sample::select(vec![InFlight::Lost, InFlight::Delivered]);
    let process = prop::sample::select(vec![Process::Host, Process::Database]);
    let kind = prop_oneof![
        3 => (region(), region(), direction, in_flight)
            .prop_filter("two places", |(a, b, ..)| a != b)
            .prop_map(|(a, b, d, f)| cut(a, b, d, f)),
        3 => (region(), process).prop_map(|(r, p)| crash(&format!("orders@{r}"), p)),
        1 => region().prop_map(|r| crash(r, Process::Host)),
        2 => region().prop_map(|r| pause(&format!("orders@{r}"))),
        1 => (0..200u64, 0..40u32)
            .prop_map(|(d, l)| link(&["a", "b"], ms(d), f64::from(l) / 100.0, false)),
    ];
    (500..25_000u64, 20..12_000u64, kind).prop_map(|(at, lasts, kind): (u64, u64, FaultParams)| {
        fault("", ms(at), Some(ms(lasts)), kind)
    })
}

/// How the members of a store may be set, in twos.
fn any_words()
-> impl Strategy<Value = (Vec<(&'static str, &'static str)>, Option<Span>, Vec<usize>)> {
    let select = prop::sample::select;
    (
        select(vec!["forward", "redirect", "refuse"]),
        select(vec!["hold", "refuse"]),
        select(vec!["lease", "quorum"]),
        prop::sample::select(vec![None, Some(ms(100)), Some(ms(250))]),
        prop::collection::vec(0..3usize, 0..2),
        select(vec!["at_once", "next_message"]),
        select(vec!["wait", "withhold"]),
        select(vec!["500ms", "900ms", "3s"]),
    )
        .prop_map(|(not_leader, no_leader, reads, tick, preferred, notice, leased, lease)| {
            let words = vec![
                ("not_leader", not_leader),
                ("no_leader", no_leader),
                ("reads", reads),
                ("commit_notice", notice),
                ("while_leased", leased),
                ("lease", lease),
            ];
            (words, tick, preferred)
        })
}

fn stormy(replicas: usize, words: &[(&'static str, &'static str)], faults: Vec<FaultPlan>) -> Plan {
    let mut plan = elected(replicas, words);
    (plan.horizon, plan.settle) = (Span::from_secs(30), Span::from_secs(20));
    plan.stores[0].params.restart_time = DistSpec::Constant(ms(200));
    // Where members refuse, a client must get to the one that leads by itself.
    plan.clients.iter_mut().for_each(|client| client.params.retry.attempts = 8);
    plan.faults = faults;
    for (i, fault) in plan.faults.iter_mut().enumerate() {
        fault.name = format!("fault-{i}");
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_happens_nothing_is_lost_and_no_two_lead(
        replicas in prop::sample::select(vec![3usize, 5]), words in any_words(),
        faults in prop::collection::vec(any_fault(), 0..8), seed in 0..1000u64,
    ) {
        let (words, tick, preferred) = words;
        let mut plan = stormy(replicas, &words, faults);
        set(&mut plan, |params| params.tick = tick);
        plan.stores[0].electors.preferred = preferred;
        let (tape, verdict) = judged(&plan, seed);
        obeys_the_laws(&tape, replicas);
        prop_assert_eq!(value(&verdict, "writes.lost"), 0.0);
        prop_assert_eq!(value(&verdict, "split_brain.incidents"), 0.0);
        prop_assert_eq!(value(&verdict, "survivor.unresolved"), 0.0);
        never_reads_old(&tape)?;
        back_in_service(&tape)?;
    }

    /// One disk of five is lost: that member forgets what it had promised, and comes back.
    #[test]
    fn a_lost_disk_of_a_minority_loses_nothing(
        faults in prop::collection::vec(any_fault(), 0..4), lost in 2_000..20_000u64, seed in 0..1000u64,
    ) {
        let mut faults = faults;
        let wiped = crashes::Params { target: aim(&["orders@b"]), process: Process::Host, disk: Disk::Lost };
        faults.push(fault("", ms(lost), Some(ms(500)), FaultParams::Crash(wiped)));
        let (tape, verdict) = judged(&stormy(5, &[], faults), seed);
        obeys_the_laws(&tape, 5);
        prop_assert_eq!(value(&verdict, "writes.lost"), 0.0);
        prop_assert_eq!(value(&verdict, "split_brain.incidents"), 0.0);
        back_in_service(&tape)?;
    }
}

/// A read sees every write that was acknowledged before it began.
fn never_reads_old(tape: &Tape) -> Result<(), TestCaseError> {
    let mut reads: BTreeMap<OpId, u64> = BTreeMap::new();
    let mut writes: BTreeMap<OpId, u64> = BTreeMap::new();
    let mut acknowledged = 0;
    for (now, fact) in &tape.facts {
        match *fact {
            Fact::Invoked { op, kind: OpKind::Read, .. } => {
                reads.insert(op, acknowledged);
            }
            Fact::Answered { op, outcome: Outcome::Ok, at, .. } => match reads.get(&op) {
                Some(known) => {
                    prop_assert!(at.index.0 >= *known, "{:?} at {} reads {:?}", op, now, at);
                }
                None => {
                    writes.insert(op, at.index.0);
                }
            },
            Fact::Concluded { op, outcome: Outcome::Ok, .. } => {
                let index = writes.get(&op).copied().unwrap_or(0);
                acknowledged = acknowledged.max(index);
            }
            _ => {}
        }
    }
    Ok(())
}

/// All faults are over by 37 s; soon after every operation ends well.
fn back_in_service(tape: &Tape) -> Result<(), TestCaseError> {
    let mut late = BTreeSet::new();
    let mut well = 0;
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } if *now >= at(43_000) => {
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
