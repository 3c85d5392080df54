//! Kinds of faults one by one, on plans built by hand: what each does, to whom, and that nothing
//! of it is left when it clears.

mod common;

use common::{
    Tape, aim, bursty, cut, errors, fault, lossy_node, mode, narrow, plain, plan, play, slow_disk,
    slow_node,
};
use regionsim::model::fact::{Claim, Fact, OpKind, Outcome};
use regionsim::model::id::{NodeId, OpId};
use regionsim::model::replica::GuardParams;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Bytes, Node};
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::errors::Of;
use regionsim::world::fault::partition::Direction;
use regionsim::world::fault::{FaultParams, InFlight, clock, crash};
use regionsim::world::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

/// Who goes down when, in seconds, in the order of the facts.
fn downs(tape: &Tape) -> Vec<(u64, NodeId)> {
    let down = |(at, fact): &(SimTime, Fact)| match fact {
        Fact::Down { node, .. } => Some((at.as_nanos() / 1_000_000_000, *node)),
        _ => None,
    };
    tape.facts.iter().filter_map(down).collect()
}

fn crash_of(targets: &[&str]) -> FaultParams {
    FaultParams::Crash(crash::Params { target: aim(targets), ..crash::Params::default() })
}

#[test]
fn a_fault_may_aim_at_several_at_once_and_at_a_role() {
    let hit = |targets: &[&str]| {
        let mut plan = plan(2, Span::from_millis(60), 2, plain("async"), 5.0);
        plan.faults.push(fault("f", secs(10), Some(secs(5)), crash_of(targets)));
        downs(&play(&plan, 1).1)
    };
    let both = [(10, A), (10, B)];
    assert_eq!(hit(&["role:database"]), both);
    assert_eq!(hit(&["orders@b", "orders@a"]), both);
    assert_eq!(hit(&["role:database@b"]), [(10, B)]);
    // Named twice, a node is still hit once.
    assert_eq!(hit(&["role:database@b", "orders@b"]), [(10, B)]);
    // The name servers of both regions are the third and the fourth node.
    assert_eq!(hit(&["role:name_server"]), [(10, NodeId(2)), (10, NodeId(3))]);
}

/// How each operation of the first population that began in that time ended, and how long it took.
fn ended(tape: &Tape, from: u64, to: u64) -> Vec<(Span, Outcome)> {
    let (from, to) = (SimTime::ZERO + secs(from), SimTime::ZERO + secs(to));
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } if op.client().index() == 0 && (from..to).contains(now) => {
                began.insert(*op, *now);
            }
            Fact::Concluded { op, outcome, .. } => {
                ended.extend(began.remove(op).map(|began| (now.since(began), *outcome)));
            }
            _ => {}
        }
    }
    ended
}

/// Two regions, users who ask once.
fn once(word: &str, rate: f64) -> Plan {
    let mut plan = plan(2, Span::from_millis(60), 2, plain(word), rate);
    plan.clients.truncate(1);
    for client in &mut plan.clients {
        client.params.retry.attempts = 1;
        client.params.retry.attempt_timeout = secs(5);
    }
    plan
}

#[test]
fn a_slow_disk_makes_each_write_as_much_slower_and_then_is_well_again() {
    // A write is 0.4 ms of network there and back (users stand 200 us from their region's
    // database), and a flush of 1 ms. At 2 a second they hardly ever wait for each other.
    let mut plan = once("async", 2.0);
    let never = DistSpec::Constant(Span::ZERO);
    plan.faults.push(fault("f", secs(10), Some(secs(10)), slow_disk("orders@a", 50.0, never)));
    let add = DistSpec::Constant(Span::from_millis(30));
    plan.faults.push(fault("g", secs(30), Some(secs(10)), slow_disk("orders@a", 1.0, add)));
    let (_, tape, _) = play(&plan, 1);
    let least = |from, to| {
        let all = ended(&tape, from, to);
        assert!(all.len() > 5 && all.iter().all(|(_, outcome)| *outcome == Outcome::Ok));
        all.iter().map(|(took, _)| *took).min().expect("some")
    };
    let well = least(0, 10);
    assert!(well < Span::from_millis(2), "{well}");
    assert_eq!(least(11, 19), well + Span::from_millis(49));
    assert_eq!(least(21, 29), well);
    assert_eq!(least(31, 39), well + Span::from_millis(30));
    assert_eq!(least(41, 59), well);
    let ails = tape.facts.iter().filter_map(|(at, fact)| match fact {
        Fact::Ails { node: A, yes } => Some((at.as_nanos() / 1_000_000_000, *yes)),
        _ => None,
    });
    let ails: Vec<_> = ails.collect();
    assert_eq!(ails, [(10, true), (20, false), (30, true), (40, false)]);
}

#[test]
fn a_disk_that_hangs_lets_go_when_the_fault_clears() {
    let mut plan = once("sync", 20.0);
    let add = DistSpec::Constant(secs(3_600));
    plan.faults.push(fault("f", secs(10), Some(secs(3)), slow_disk("orders@b", 1.0, add)));
    let (_, tape, _) = play(&plan, 1);
    // The writes of those three seconds wait for b, and end within two flushes and a round trip.
    let during = ended(&tape, 10, 13);
    assert!(during.len() > 40 && during.iter().all(|(_, outcome)| *outcome == Outcome::Ok));
    let longest = during.iter().map(|(took, _)| *took).max().expect("some");
    assert!(longest > Span::from_millis(2_700) && longest < Span::from_millis(3_100), "{longest}");
    let after = ended(&tape, 14, 59);
    assert!(after.iter().all(|(took, _)| *took < Span::from_millis(80)), "well again");
}

#[test]
fn a_share_of_the_requests_fails_at_once_and_none_before_or_after() {
    let mut plan = once("async", 200.0);
    plan.clients[0].params.reads = plan.clients[0].params.writes.clone();
    plan.faults.push(fault("f", secs(10), Some(secs(20)), errors("orders@a", 0.2, Of::All)));
    plan.faults.push(fault("g", secs(20), Some(secs(20)), errors("orders@a", 0.5, Of::Writes)));
    let (_, tape, _) = play(&plan, 1);
    let kind = |wanted: OpKind| {
        move |fact: &Fact| match fact {
            Fact::Invoked { op, kind, .. } if *kind == wanted => Some(*op),
            _ => None,
        }
    };
    let failed = |wanted, from, to| {
        let (from, to) = (SimTime::ZERO + secs(from), SimTime::ZERO + secs(to));
        let within = tape.facts.iter().filter(|(at, _)| (from..to).contains(at));
        let ops: BTreeSet<OpId> = within.filter_map(|(_, fact)| kind(wanted)(fact)).collect();
        let fails = tape.facts.iter().filter(|(_, fact)| match fact {
            Fact::Concluded { op, outcome, .. } => ops.contains(op) && *outcome == Outcome::Fail,
            _ => false,
        });
        (fails.count() as f64 / ops.len() as f64, ops.len() as f64)
    };
    // Five standard errors of the share.
    let about = |(share, n): (f64, f64), expected: f64| {
        let error = (expected * (1.0 - expected) / n).sqrt();
        assert!((share - expected).abs() <= 5.0 * error, "{share} of {n}, {expected} expected");
    };
    for wanted in [OpKind::Read, OpKind::Write] {
        about(failed(wanted, 0, 10), 0.0);
        about(failed(wanted, 10, 20), 0.2);
        about(failed(wanted, 40, 60), 0.0);
    }
    // Independent faults: 1 - 0.8 * 0.5.
    about(failed(OpKind::Read, 20, 30), 0.2);
    about(failed(OpKind::Write, 20, 30), 0.6);
    about(failed(OpKind::Read, 30, 40), 0.0);
    about(failed(OpKind::Write, 30, 40), 0.5);
    let all = ended(&tape, 10, 40);
    let fails: Vec<_> = all.iter().filter(|(_, outcome)| *outcome == Outcome::Fail).collect();
    assert!(fails.iter().all(|(took, _)| *took < Span::from_millis(1)), "at once");
}

#[test]
fn a_database_started_again_errs_as_long_as_the_fault_lasts() {
    let mut plan = once("async", 50.0);
    plan.faults.push(fault("f", secs(10), Some(secs(30)), errors("orders@a", 1.0, Of::All)));
    plan.faults.push(fault("k", secs(15), Some(secs(1)), crash_of(&["orders@a"])));
    let (_, tape, _) = play(&plan, 1);
    let during = ended(&tape, 23, 39);
    assert!(during.len() > 600 && during.iter().all(|(_, outcome)| *outcome == Outcome::Fail));
    let after = ended(&tape, 40, 59);
    assert!(after.len() > 800 && after.iter().all(|(_, outcome)| *outcome == Outcome::Ok));
}

#[test]
fn an_elected_leader_that_errs_goes_on_leading() {
    // It beats on, so nobody else stands; and the others pass writes on to it.
    let mode = mode(vec![("mode", Node::text("consensus"))]);
    let mut plan = plan(3, Span::from_millis(40), 3, mode, 5.0);
    (plan.stores[0].routing, plan.routings) = (None, Vec::new());
    plan.stores[0].electors.initial_leader = Some(0);
    for client in &mut plan.clients {
        client.params.retry.attempts = 1;
    }
    plan.faults.push(fault("f", secs(10), Some(secs(10)), errors("orders@a", 1.0, Of::Writes)));
    let (_, tape, _) = play(&plan, 3);
    let well = |from, to| {
        let all = ended(&tape, from, to);
        let ok = all.iter().filter(|(_, outcome)| *outcome == Outcome::Ok);
        (ok.count(), all.len())
    };
    for (from, to) in [(1, 9), (20, 55)] {
        let (ok, all) = well(from, to);
        assert!(ok == all && all > 20, "{ok} of {all}");
    }
    let (ok, all) = well(10, 15);
    assert!(ok == 0 && all > 10, "{ok} of {all}");
    let voted = tape.claims.iter().any(|(.., claim)| matches!(claim, Claim::Candidate(..)));
    assert!(!voted, "nobody stands for election");
}

#[test]
fn a_slow_node_is_slow_for_all_and_nobody_else_of_its_region_is() {
    // Two stores in each region, users in region a for each.
    let mut plan = once("sync", 10.0);
    let mut other = plan.stores[0].clone();
    other.name = "stock".into();
    plan.stores.push(other);
    let mut buyers = plan.clients[0].clone();
    (buyers.name, buyers.store) = ("buyers".into(), 1);
    plan.clients.push(buyers);
    let slow = |target, ms, way| slow_node(target, Span::from_millis(ms), way);
    plan.faults.push(fault("f", secs(10), Some(secs(10)), slow("orders@a", 100, Direction::Both)));
    plan.faults.push(fault("g", secs(30), Some(secs(10)), slow("orders@b", 50, Direction::To)));
    let (_, tape, _) = play(&plan, 1);
    let least = |from, to| ended(&tape, from, to).iter().map(|(took, _)| *took).min();
    let well = least(0, 10).expect("some");
    // The request and the answer, and in between the log and its confirmation.
    let later = |ms| Some(well + Span::from_millis(ms));
    assert_eq!(least(11, 19), later(400));
    assert_eq!(least(21, 29), later(0));
    assert_eq!(least(31, 39), later(50));
    assert_eq!(least(41, 59), later(0));
    let mut calm = plan.clone();
    calm.faults.clear();
    let (_, quiet, _) = play(&calm, 1);
    let of_stock = |tape: &Tape| {
        let mine = |fact: &&(SimTime, Fact)| match fact.1 {
            Fact::Concluded { op, .. } => op.client().index() == 1,
            _ => false,
        };
        tape.facts.iter().filter(mine).copied().collect::<Vec<_>>()
    };
    assert_eq!(of_stock(&tape), of_stock(&quiet), "the other store's users notice nothing");
}

#[test]
fn a_lossy_node_loses_its_share_and_then_none() {
    // One attempt, sent once more after 1 s or so by its connection; a read is a request and an
    // answer, each lost with a probability of 0.3.
    let mut plan = once("async", 50.0);
    plan.clients[0].params.reads = plan.clients[0].params.writes.take();
    plan.faults.push(fault("f", secs(10), Some(secs(20)), lossy_node("orders@a", 0.3)));
    let (_, tape, _) = play(&plan, 1);
    let well = |from, to| {
        let all = ended(&tape, from, to);
        let quick = all.iter().filter(|(took, _)| *took < Span::from_millis(2)).count();
        (quick as f64 / all.len() as f64, all.len() as f64)
    };
    let (share, n) = well(10, 30);
    // Both get through at once: 0.7 * 0.7 = 49 %.
    assert!((share - 0.49).abs() < 5.0 * (0.49 * 0.51 / n).sqrt(), "{share} of {n}");
    assert!(well(0, 10).0 == 1.0 && well(32, 59).0 == 1.0);
}

#[test]
fn bursts_leave_gaps_in_what_is_sent_once() {
    // Each burst holds up the log, which loses nothing.
    let mut plan = once("async", 100.0);
    plan.faults.push(fault("f", secs(10), Some(secs(30)), bursty("a", "b", 0.02, 0.1)));
    let (_, tape, _) = play(&plan, 1);
    let lag = |n: u64| reach(&tape, A, n) - reach(&tape, B, n);
    assert!(lag(9) < 10 && lag(58) < 10, "{} before and {} after", lag(9), lag(58));
    let worst = (10..40).map(lag).max().expect("some");
    assert!(worst > 20, "{worst}");
}

/// How far a node's history in memory reached by that second.
fn reach(tape: &Tape, who: NodeId, second: u64) -> u64 {
    let by = SimTime::ZERO + secs(second);
    let upto = |(_, fact): &(SimTime, Fact)| match fact {
        Fact::Held { node, upto, .. } if *node == who => Some(upto.index.0),
        Fact::Appended { node, at, .. } if *node == who => Some(at.index.0),
        _ => None,
    };
    tape.facts.iter().take_while(|(at, _)| *at <= by).filter_map(upto).last().unwrap_or(0)
}

#[test]
fn a_narrowed_link_lets_the_log_fall_behind() {
    // 100 writes a second of some 1.1 KB each need 0.9 Mbit/s; a quarter of it is left.
    let mut plan = once("async", 100.0);
    let mut kind = narrow("a", "b", 220_000);
    if let FaultParams::Link(link) = &mut kind {
        link.queue = Some(Bytes(10_000_000));
    }
    plan.faults.push(fault("f", secs(10), Some(secs(20)), kind));
    let (_, tape, _) = play(&plan, 1);
    let lag = |n: u64| reach(&tape, A, n) - reach(&tape, B, n);
    assert!(lag(9) < 10, "{}", lag(9));
    let bytes = plan.stores[0].params.write_size.0 + plan.stores[0].params.log_overhead.0;
    let passes = 220_000.0 / 8.0 / bytes as f64;
    let expected = (reach(&tape, A, 30) - reach(&tape, A, 10)) as f64 - 20.0 * passes;
    let found = lag(30) as f64;
    assert!((found - expected).abs() < 0.1 * expected, "{found}, {expected} expected");
}

#[test]
fn a_wall_clock_set_back_blinds_a_guard_and_one_set_forward_startles_it() {
    // The primary wants a standby heard within 10 s; that is cut off at 10 s.
    let refuses_at = |step: Option<(Span, Span)>| {
        let mut plan = once("async", 20.0);
        let guard = GuardParams { min_replicas: 1, ..GuardParams::default() };
        plan.stores[0].params.guard = Some(guard);
        let kind = cut("a", "b", Direction::Both, InFlight::Lost);
        plan.faults.push(fault("cut", secs(10), None, kind));
        if let Some((forward, back)) = step {
            let target = aim(&["orders@a"]);
            let kind = clock::Params { target, forward, back, ..clock::Params::default() };
            plan.faults.push(fault("step", secs(15), None, FaultParams::Clock(kind)));
        }
        let (_, tape, _) = play(&plan, 1);
        let refuses = |(at, fact): &(SimTime, Fact)| match fact {
            Fact::Admits { node: A, yes: false, .. } if *at > SimTime::ZERO + secs(5) => Some(*at),
            _ => None,
        };
        tape.facts.iter().find_map(refuses).expect("in the end").since(SimTime::ZERO)
    };
    // Last heard at 9 to 10 s; it counts once a second, in whole seconds.
    let plain = refuses_at(None);
    assert!(plain > secs(19) && plain < secs(23), "{plain}");
    let startled = refuses_at(Some((secs(30), Span::ZERO)));
    assert!(startled >= secs(15) && startled <= secs(16), "{startled}: at the next count");
    let blinded = refuses_at(Some((Span::ZERO, secs(30))));
    assert_eq!(blinded, plain + secs(30));
}

#[test]
fn a_wall_clock_is_set_right_when_the_fault_clears() {
    // Set back for 10 s in the middle of nothing: the guard sees no more of it than of nothing.
    let told = |step: bool| {
        let mut plan = once("async", 20.0);
        plan.stores[0].params.guard =
            Some(GuardParams { min_replicas: 1, ..GuardParams::default() });
        let kind = cut("a", "b", Direction::Both, InFlight::Lost);
        plan.faults.push(fault("cut", secs(30), None, kind));
        if step {
            let (target, back) = (aim(&["a"]), secs(3_600));
            let kind = clock::Params { target, back, ..clock::Params::default() };
            plan.faults.push(fault("step", secs(10), Some(secs(10)), FaultParams::Clock(kind)));
        }
        let (_, tape, _) = play(&plan, 1);
        let answered = |(at, fact): &(SimTime, Fact)| match fact {
            Fact::Admits { node, yes, .. } => Some((*at, *node, *yes)),
            _ => None,
        };
        tape.facts.iter().filter_map(answered).collect::<Vec<_>>()
    };
    assert_eq!(told(true), told(false));
}
