//! The world as a whole, on plans built by hand: what each fault does, as stories.

mod common;

use common::{Tape, crash, cut, fault, link, pause, plain, plan, play};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::{NodeId, OpId};
use regionsim::sim::param::{Bandwidth, Bytes};
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::InFlight;
use regionsim::world::fault::crash::Process;
use regionsim::world::fault::partition::Direction;
use regionsim::world::plan::{LinkPlan, PairPlan, PhysicalPlan, Plan};
use std::collections::BTreeMap;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}
fn at(n: u64) -> SimTime {
    SimTime::ZERO + secs(n)
}

/// Every operation of the first population: when it began, when and how it ended.
fn operations(tape: &Tape) -> Vec<(SimTime, Span, Outcome)> {
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } if op.client().index() == 0 => {
                began.insert(*op, *now);
            }
            Fact::Concluded { op, outcome, .. } if began.contains_key(op) => {
                ended.push((began[op], now.since(began[op]), *outcome));
            }
            _ => {}
        }
    }
    ended
}

fn between(tape: &Tape, from: Span, to: Span) -> Vec<(Span, Outcome)> {
    let (from, to) = (SimTime::ZERO + from, SimTime::ZERO + to);
    let all = operations(tape).into_iter();
    let within = all.filter(|(began, ..)| *began >= from && *began < to);
    within.map(|(_, took, outcome)| (took, outcome)).collect()
}

/// How far a node's history reached by then: in memory, and on disk.
fn reach(tape: &Tape, who: NodeId, by: SimTime) -> (u64, u64) {
    let (mut held, mut durable) = (0, 0);
    for (_, fact) in tape.facts.iter().take_while(|(now, _)| *now <= by) {
        match fact {
            Fact::Held { node, upto, .. } if *node == who => held = upto.index.0,
            Fact::Appended { node, at, .. } if *node == who => held = at.index.0,
            Fact::Durable { node, upto, .. } if *node == who => durable = upto.index.0,
            Fact::Truncated { node, to, .. } if *node == who => {
                (held, durable) = (held.min(to.index.0), durable.min(to.index.0));
            }
            Fact::Wiped { node, .. } if *node == who => (held, durable) = (0, 0),
            _ => {}
        }
    }
    (held, durable)
}

/// Two regions 60 ms apart, the clients ask once and wait for 5 s.
fn once(word: &str, rate: f64) -> Plan {
    let mut plan = plan(2, Span::from_millis(60), 2, plain(word), rate);
    for client in &mut plan.clients {
        client.params.retry.attempts = 1;
        client.params.retry.attempt_timeout = secs(5);
    }
    plan
}

#[test]
fn on_a_quiet_day_every_write_is_acknowledged() {
    for word in ["async", "sync"] {
        let (_, tape, _) = play(&plan(2, Span::from_millis(60), 2, plain(word), 50.0), 7);
        let ended = operations(&tape);
        assert!(ended.iter().all(|(.., outcome)| *outcome == Outcome::Ok), "{word}");
        // 80 s at 50 a second, Poisson: within five standard deviations.
        assert!((3_680..4_320).contains(&ended.len()), "{word}: {}", ended.len());
    }
}

#[test]
fn a_killed_process_fails_at_once_and_a_dead_host_is_silence() {
    let mut killed = once("async", 20.0);
    killed.faults.push(fault("f", secs(10), Some(secs(10)), crash("orders@a", Process::Database)));
    let (_, tape, _) = play(&killed, 1);
    let during = between(&tape, secs(11), secs(19));
    assert!(during.len() > 80, "clients go on asking");
    let refused = |(took, outcome): &(Span, Outcome)| {
        *outcome == Outcome::Fail && *took < Span::from_millis(2)
    };
    assert!(during.iter().all(refused), "refused within a local round trip");

    let mut dead = once("async", 20.0);
    dead.faults.push(fault("f", secs(10), Some(secs(10)), crash("orders@a", Process::Host)));
    let (_, tape, _) = play(&dead, 1);
    let during = between(&tape, secs(11), secs(14));
    assert!(during.len() > 30);
    assert!(during.iter().all(|(took, outcome)| *outcome == Outcome::Unknown && *took == secs(5)));
    // Both serve again once the database has recovered (5 s).
    let after = between(&tape, secs(27), secs(60));
    assert!(after.iter().all(|(_, outcome)| *outcome == Outcome::Ok), "service is back");
}

#[test]
fn a_paused_database_answers_late_what_arrived_meanwhile() {
    let mut plan = once("async", 20.0);
    plan.faults.push(fault("f", secs(10), Some(secs(3)), pause("orders@a")));
    let (_, tape, _) = play(&plan, 1);
    let ended = operations(&tape);
    assert!(ended.iter().all(|(.., outcome)| *outcome == Outcome::Ok), "nothing is lost");
    for (began, took, _) in ended.iter().filter(|(b, ..)| *b >= at(10) && *b < at(13)) {
        let until = *began + *took;
        assert!(until >= at(13) && until < at(13) + Span::from_millis(20), "{began} took {took}");
    }
    let of_a = |fact: &Fact| match fact {
        Fact::Down { node, paused, .. } if *node == A => {
            Some(if *paused { "frozen" } else { "dead" })
        }
        Fact::Up { node, .. } if *node == A => Some("up"),
        _ => None,
    };
    let seen: Vec<_> = tape.facts.iter().filter_map(|(_, fact)| of_a(fact)).collect();
    assert_eq!(seen, ["frozen", "up"]);
}

#[test]
fn overlapping_faults_hold_a_process_until_the_last_is_gone() {
    // A pause around a kill, a kill inside a host crash, and a host crash that outlives it.
    let mut plan = once("async", 20.0);
    plan.faults.push(fault("pause", secs(5), Some(secs(15)), pause("orders@a")));
    plan.faults.push(fault("kill", secs(8), Some(secs(4)), crash("orders@a", Process::Database)));
    plan.faults.push(fault("host", secs(30), Some(secs(10)), crash("orders@a", Process::Host)));
    plan.faults.push(fault("in", secs(32), Some(secs(4)), crash("orders@a", Process::Database)));
    plan.faults.push(fault("out", secs(38), Some(secs(6)), crash("orders@a", Process::Database)));
    let (_, tape, _) = play(&plan, 1);
    let change = |(now, fact): &(SimTime, Fact)| match fact {
        Fact::Down { node, paused, .. } if *node == A => {
            Some((now.as_nanos() / 1_000_000_000, if *paused { "frozen" } else { "dead" }))
        }
        Fact::Up { node, .. } if *node == A => Some((now.as_nanos() / 1_000_000_000, "up")),
        _ => None,
    };
    let seen: Vec<_> = tape.facts.iter().filter_map(change).collect();
    // Started at 12 s in the pause, it runs at 20 s only; the last to hold it down lets go at 44.
    assert_eq!(seen, [(5, "frozen"), (8, "dead"), (20, "up"), (30, "dead"), (44, "up")]);
    let after = between(&tape, secs(51), secs(75));
    assert!(after.iter().all(|(_, outcome)| *outcome == Outcome::Ok), "service is back");
}

#[test]
fn two_partitions_over_one_pair_open_when_both_are_gone() {
    let mut plan = once("sync", 20.0);
    let kind = || cut("a", "b", Direction::Both, InFlight::Lost);
    plan.faults.push(fault("one", secs(10), Some(secs(10)), kind()));
    plan.faults.push(fault("two", secs(15), Some(secs(15)), kind()));
    let (_, tape, _) = play(&plan, 1);
    let link = |(now, fact): &(SimTime, Fact)| match fact {
        Fact::Link { up, .. } => Some((now.as_nanos() / 1_000_000_000, *up)),
        _ => None,
    };
    let seen: Vec<_> = tape.facts.iter().filter_map(link).collect();
    assert_eq!(seen, [(10, false), (10, false), (30, true), (30, true)], "both directions, once");
    let during = between(&tape, secs(11), secs(24));
    assert!(during.iter().all(|(_, outcome)| *outcome == Outcome::Unknown), "sync waits");
    let after = between(&tape, secs(40), secs(70));
    assert!(after.iter().all(|(_, outcome)| *outcome == Outcome::Ok), "and goes on by itself");
}

#[test]
fn a_one_way_partition_stops_one_way_only() {
    // The log still reaches b, and its confirmations do not come back.
    let mut plan = once("sync", 20.0);
    let kind = cut("a", "b", Direction::To, InFlight::Lost);
    plan.faults.push(fault("f", secs(10), Some(secs(20)), kind));
    let (_, tape, _) = play(&plan, 1);
    assert!(between(&tape, secs(11), secs(24)).iter().all(|(_, o)| *o == Outcome::Unknown));
    let (before, after) = (reach(&tape, B, at(11)).1, reach(&tape, B, at(29)).1);
    assert!(after > before + 200, "{before} to {after}: the way there is open");
    assert!(between(&tape, secs(40), secs(70)).iter().all(|(_, o)| *o == Outcome::Ok));
}

/// How many entries of those on a's disk at the onset (10 s) reached b, which never hears of a
/// again; some 1,000 a second are written, and one way takes 30 ms.
fn under_way(kind: regionsim::world::fault::FaultParams) -> u64 {
    let mut plan = once("async", 500.0);
    plan.faults.push(fault("f", secs(10), None, kind));
    let (_, tape, _) = play(&plan, 3);
    reach(&tape, A, at(10)).1 - reach(&tape, B, at(60)).0
}

#[test]
fn what_is_in_flight_moves_the_loss_by_a_whole_one_way_delay() {
    let lost = under_way(cut("a", "b", Direction::Both, InFlight::Lost));
    let delivered = under_way(cut("a", "b", Direction::Both, InFlight::Delivered));
    assert_eq!(delivered, 0, "what left before the cut arrives");
    assert!((10..60).contains(&lost), "{lost}: some 30 were under way");

    // A dead node's packets still arrive; a lost region's wires die with it.
    assert_eq!(under_way(crash("orders@a", Process::Host)), 0);
    assert_eq!(under_way(crash("a", Process::Host)), lost, "the same dice, the same loss");
}

#[test]
fn packet_loss_delays_a_log_and_loses_none_of_it() {
    let mut plan = once("async", 50.0);
    let lossy = link(&["a", "b"], Span::ZERO, 0.2, false);
    plan.faults.push(fault("f", secs(5), Some(secs(55)), lossy));
    let (_, tape, finish) = play(&plan, 1);
    let (at_a, at_b) = (reach(&tape, A, finish.at).1, reach(&tape, B, finish.at).1);
    assert!(at_a - at_b < 30, "{at_a} and {at_b}: all but what is under way");
    let cuts = |fact: &&(SimTime, Fact)| matches!(fact.1, Fact::Truncated { .. });
    assert_eq!(tape.facts.iter().filter(cuts).count(), 0, "no connection broke");
}

#[test]
fn lag_builds_up_when_bandwidth_is_short_and_drains_when_it_is_not() {
    // 40 writes a second of 1.1 KB on a wire for 75 a second, cut off for 20 s.
    let mut plan = once("async", 20.0);
    plan.wan.pairs[1].bandwidth = Some(Bandwidth(660_000));
    plan.wan.pairs[1].queue = Bytes(2_000_000);
    let kind = cut("a", "b", Direction::Both, InFlight::Lost);
    plan.faults.push(fault("f", secs(10), Some(secs(20)), kind));
    let (_, tape, _) = play(&plan, 1);
    let lag = |n: u64| reach(&tape, A, at(n)).1 - reach(&tape, B, at(n)).1;
    assert!(lag(9) < 20, "{}: no lag before", lag(9));
    assert!(lag(30) > 300, "{}: 20 s of writes (b's users cannot reach a)", lag(30));
    // Less the pause of the connection, 35 a second more than are written.
    assert!(lag(42) > 100 && lag(42) < lag(36), "{} and {}: it drains", lag(36), lag(42));
    assert!(lag(75) < 20, "{}: it has drained", lag(75));
}

#[test]
fn traffic_goes_around_a_dead_link_once_routing_has_noticed() {
    // A triangle: a-b 10 ms, a-c and c-b 25 ms each; routing takes 5 s to converge.
    let mut plan = plan(3, Span::from_millis(20), 2, plain("sync"), 20.0);
    let wire = |ms| PairPlan { delay: Span::from_millis(ms), ..PairPlan::default() };
    let link_of = |name: &str, a, b, ms| LinkPlan { name: name.into(), a, b, wire: wire(ms) };
    plan.wan.physical = Some(PhysicalPlan {
        links: vec![link_of("ab", 0, 1, 10), link_of("ac", 0, 2, 25), link_of("cb", 2, 1, 25)],
        convergence: secs(5),
    });
    plan.clients.truncate(1);
    let dead = link(&["ab"], Span::ZERO, 0.0, true);
    plan.faults.push(fault("f", secs(10), Some(secs(30)), dead));
    let (_, tape, _) = play(&plan, 1);
    let worst = |from, to| {
        let ended = between(&tape, secs(from), secs(to));
        assert!(ended.iter().all(|(_, outcome)| *outcome == Outcome::Ok), "{from} to {to}");
        ended.iter().map(|(took, _)| *took).max().expect("some")
    };
    // Until routing notices, packets die; the retries (2 s each, ids kept) bridge none of it.
    let short = worst(1, 9);
    assert!(short > Span::from_millis(20) && short < Span::from_millis(30), "{short}");
    let long = worst(22, 39);
    assert!(long > Span::from_millis(100) && long < Span::from_millis(110), "{long}");
    assert!(worst(50, 75) < Span::from_millis(30), "the short way is back");
}
