//! Users who do one thing after another, and clients of one node, in the whole world: what they
//! see of a fault, computed by hand.

mod common;

use common::{Tape, cut, fault, pause, plain, plan, play};
use regionsim::model::client::curve::{LoadParams, PointParams, SpikeParams};
use regionsim::model::client::loops::paced::Late;
use regionsim::model::client::loops::{LoopParams, OpWord, paced, script};
use regionsim::model::client::{Arrival, ArrivalParams};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::OpId;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::InFlight;
use regionsim::world::fault::partition::Direction;
use regionsim::world::plan::Plan;
use std::collections::BTreeMap;

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

/// When each operation of a population began, in seconds, how long it took, and how it ended.
fn operations(tape: &Tape, client: usize) -> Vec<(f64, f64, Outcome)> {
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } if op.client().index() == client => {
                began.insert(*op, *now);
            }
            Fact::Concluded { op, outcome, .. } if op.client().index() == client => {
                let at = began[op];
                let (at, took) = (at.since(SimTime::ZERO), now.since(at));
                ended.push((at.as_secs_f64(), took.as_secs_f64(), *outcome));
            }
            _ => {}
        }
    }
    ended.sort_by(|a, b| a.0.total_cmp(&b.0));
    ended
}

/// One writer beside its database, a write every 10 ms: 100 us there, 1 ms on the disk, 100 us
/// back. At 20 s the database stands still for 10 s.
fn writer(late: Late) -> Plan {
    let mut plan = plan(1, Span::from_millis(1), 1, plain("async"), 0.0);
    plan.clients[0].node = Some(0);
    let client = &mut plan.clients[0].params;
    client.writes = None;
    let every = Span::from_millis(10);
    client.users =
        Some(LoopParams::Paced(paced::Params { every, late, ..paced::Params::default() }));
    client.deadline = secs(30);
    client.retry.attempts = 1;
    client.retry.attempt_timeout = secs(30);
    plan.faults.push(fault("stop", secs(20), Some(secs(10)), pause("orders@a")));
    plan
}

/// At the end of the stop 1,000 ticks are due. A write takes 1.2 ms, so that in 10 ms the schedule
/// moves on by one and the writer by 8.3: it meets the schedule 1,000 * 1.2 ms / (1 - 0.12) =
/// 1.364 s after the stop. No tick is left out.
#[test]
fn a_blocked_writer_catches_up_back_to_back() {
    let (_, tape, _) = play(&writer(Late::CatchUp), 3);
    let all = operations(&tape, 0);
    assert!((all.len() as i64 - 8_000).abs() <= 1, "80 s of ticks: {}", all.len());
    assert!(all.iter().all(|(.., outcome)| *outcome == Outcome::Ok));
    for (number, (began, took, _)) in all.iter().enumerate() {
        let late = began - number as f64 / 100.0;
        let expected = match began {
            // Each is as late as the writer is behind: 10 s at the end of the stop, nothing when
            // it has met the schedule.
            30.0..31.364 => 10.0 * (1.0 - (began - 30.0) / 1.364),
            _ => 0.0,
        };
        assert!((late - expected).abs() < 0.02, "number {number} at {began}: {late} s late");
        // A clock may drift by 200 ppm: the stop may find one under way.
        assert!((took - 0.0012).abs() < 1e-4 || (*took > 9.9 && *began < 20.001), "{took}");
    }
}

#[test]
fn a_blocked_writer_skips_what_was_due_meanwhile() {
    let (_, tape, _) = play(&writer(Late::Skip), 3);
    let all = operations(&tape, 0);
    assert!((all.len() as i64 - 7_000).abs() <= 2, "70 s of ticks: {}", all.len());
    let worst = all.windows(2).map(|pair| pair[1].0 - pair[0].0).fold(0.0, f64::max);
    assert!((worst - 10.01).abs() < 0.02, "{worst} s without a write");
    for (began, ..) in &all {
        let ticks = began * 100.0;
        assert!((ticks - (ticks + 0.5).floor()).abs() < 0.9, "{began} is no tick");
    }
}

/// Three scripts of the same three writes, before, in and after a cut between the regions: beside
/// the primary, on the other side of the cut, and addressed to the standby.
#[test]
fn clients_on_either_side_of_a_partition_say_what_they_see() {
    let mut plan = plan(2, Span::from_millis(60), 2, plain("async"), 0.0);
    let line = |at| script::Line { at: secs(at), op: OpWord::Write, key: Some(7) };
    let operations_at = script::Params { operations: vec![line(10), line(25), line(40)] };
    let mut other = plan.clients[1].clone();
    other.name = "probe".into();
    other.node = Some(1);
    plan.clients.push(other);
    plan.clients[0].node = Some(0);
    for client in &mut plan.clients {
        client.params.writes = None;
        client.params.users = Some(LoopParams::Script(operations_at.clone()));
        client.params.retry.attempts = 1;
    }
    let both = cut("a", "b", Direction::Both, InFlight::Lost);
    plan.faults.push(fault("cut", secs(20), Some(secs(10)), both));
    let (_, tape, _) = play(&plan, 3);
    let seen = |client| -> Vec<(u64, Outcome)> {
        let all = operations(&tape, client).into_iter();
        // The script's clock drifts by less than 200 ppm.
        all.map(|(began, _, outcome)| ((began + 0.01) as u64, outcome)).collect()
    };
    use Outcome::{Fail, Ok, Unknown};
    assert_eq!(seen(0), [(10, Ok), (25, Ok), (40, Ok)], "beside the primary");
    assert_eq!(seen(1), [(10, Ok), (25, Unknown), (40, Ok)], "beyond the cut");
    assert_eq!(seen(2), [(10, Fail), (25, Fail), (40, Fail)], "a standby takes no writes");
    let keys = tape.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Invoked { key, .. } => Some(*key),
        _ => None,
    });
    assert!(keys.collect::<Vec<_>>().iter().all(|key| *key == 7));
}

/// A day of 40 s: 10 writes a second, twice that at noon, and for 2 s ten times as many. A day
/// is 40 x 10 x 1.5 = 600 writes, and its quarters have 125, 175, 175 and 125. The spike of the
/// second day, from 50 to 52 s where the factor goes from 1.5 to 1.6, is ten times 2 x 10 x 1.55 = 31.
#[test]
fn a_day_and_a_spike_have_as_many_writes_as_they_say() {
    let mut plan = plan(1, Span::from_millis(1), 1, plain("async"), 0.0);
    let client = &mut plan.clients[0].params;
    client.writes = Some(ArrivalParams { arrival: Arrival::Constant, per_second: 10.0 });
    client.load = Some(LoadParams {
        curve: vec![
            PointParams { at: Span::ZERO, factor: 1.0 },
            PointParams { at: secs(20), factor: 2.0 },
        ],
        period: Some(secs(40)),
        spikes: vec![SpikeParams { from: secs(50), to: secs(52), factor: 10.0 }],
    });
    let (_, tape, _) = play(&plan, 3);
    let began: Vec<f64> = operations(&tape, 0).into_iter().map(|(began, ..)| began).collect();
    let within = |from: f64, to: f64| began.iter().filter(|at| (from..to).contains(*at)).count();
    for (from, to, expected) in [
        (0.0, 10.0, 125),
        (10.0, 30.0, 350),
        (30.0, 40.0, 125),
        (40.0, 50.0, 125),
        (50.0, 52.0, 310),
        (52.0, 80.0, 350 - 31 + 125),
    ] {
        // A beat may fall on either side of an edge, and a clock drifts by less than 200 ppm.
        let found = within(from, to);
        assert!(found.abs_diff(expected) <= 1, "{found} from {from} to {to}, not {expected}");
    }
}
