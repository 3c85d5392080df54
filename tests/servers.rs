//! Nodes of limited capacity, in the whole world: backlogs and overloads computed by hand.

mod common;

use common::{Tape, fault, pause, plain, plan, play};
use regionsim::model::client::{Arrival, ArrivalParams};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::OpId;
use regionsim::model::replica::ServerParams;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::{SimTime, Span};
use regionsim::world::plan::Plan;
use std::collections::BTreeMap;

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

/// One database that serves 1,000 reads a second, one after another, and one population that asks
/// for so many a second at equal intervals, once, and waits so long.
fn office(per_second: f64, queue: u32, deadline: Span) -> Plan {
    let mut plan = plan(1, Span::from_millis(1), 1, plain("async"), 0.0);
    plan.stores[0].params.server = Some(ServerParams {
        service_time: DistSpec::Constant(Span::from_millis(1)),
        concurrency: 1,
        queue,
        ..ServerParams::default()
    });
    let client = &mut plan.clients[0].params;
    client.writes = None;
    client.reads = Some(ArrivalParams { arrival: Arrival::Constant, per_second });
    client.deadline = deadline;
    client.retry.attempts = 1;
    client.retry.attempt_timeout = deadline;
    plan
}

/// Every operation: when it began, how long it took, how it ended.
fn operations(tape: &Tape) -> Vec<(f64, f64, Outcome)> {
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } => {
                began.insert(*op, *now);
            }
            Fact::Concluded { op, outcome, .. } => {
                let at = began[op];
                let (at, took) = (at.since(SimTime::ZERO), now.since(at));
                ended.push((at.as_secs_f64(), took.as_secs_f64(), *outcome));
            }
            _ => {}
        }
    }
    ended
}

/// A database stands still for D = 10 s and is asked for λ = 500 a second all the time. It serves
/// μ = 1,000 a second, so the backlog of λ D = 5,000 is gone λ D / (μ - λ) = 10 s after the end.
/// Who asks t seconds after the beginning is the (λ t)-th in the line: served 10 + λ t / μ seconds
/// after the beginning.
#[test]
fn a_backlog_drains_at_what_capacity_is_left() {
    let mut plan = office(500.0, 10_000, secs(30));
    plan.faults.push(fault("stop", secs(20), Some(secs(10)), pause("orders@a")));
    let (_, tape, _) = play(&plan, 3);
    let mut seen = 0;
    for (began, took, outcome) in operations(&tape) {
        assert_eq!(outcome, Outcome::Ok);
        let since = began - 20.0;
        // A millisecond of service, and one there and back: who is under way stands still too.
        let expected = if (-0.002..20.0).contains(&since) { 10.0 - since / 2.0 } else { 0.001 };
        assert!((took - expected).abs() < 0.005, "began at {began}: took {took}, not {expected}");
        seen += usize::from((-0.002..20.0).contains(&since));
    }
    assert!((seen as i64 - 10_000).abs() <= 2, "{seen} had to wait");
}

/// Asked for 1,500 a second, a server of 1,000 a second with a long queue does nothing useful: once
/// 1,000 wait, everybody is served after the second that they were ready to wait. With 500 places
/// in the queue nobody waits longer than half a second: 1,000 a second are served in time, and the
/// other 500 are told at once.
#[test]
fn a_long_queue_wastes_all_work_and_a_short_one_none() {
    for (queue, ok, refused) in [(100_000, 0.0, 0.0), (500, 1000.0, 500.0)] {
        let (_, tape, _) = play(&office(1500.0, queue, secs(1)), 3);
        let count = |wanted: Outcome| {
            let all = operations(&tape);
            let late = all.iter().filter(|(began, ..)| (10.0..50.0).contains(began));
            late.filter(|(.., outcome)| *outcome == wanted).count() as f64 / 40.0
        };
        assert!((count(Outcome::Ok) - ok).abs() < 1.0, "queue {queue}: {}", count(Outcome::Ok));
        assert!((count(Outcome::Fail) - refused).abs() < 1.0, "queue {queue}");
        let unknown = 1500.0 - ok - refused;
        assert!((count(Outcome::Unknown) - unknown).abs() < 1.0, "queue {queue}");
        let quick =
            |(_, took, outcome): &(f64, f64, Outcome)| *outcome != Outcome::Fail || *took < 0.002;
        assert!(operations(&tape).iter().all(quick), "who is refused hears it at once");
    }
}
