//! A chain in the whole world: what a write takes, computed by hand.

mod common;

use common::{Tape, crash, fault, plain, plan, play};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::OpId;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::crash::Process;
use regionsim::world::plan::Plan;
use std::collections::BTreeMap;

fn ms(n: u64) -> Span {
    Span::from_millis(n)
}

/// Head in `a`, then `b` and `c`; one way it is 20 ms from `a` to `b`, 30 ms from `b` to `c`, 50 ms
/// from `c` to `a`. Each disk takes 1 ms. Two writes a second, from next door.
fn chain() -> Plan {
    let mut plan = plan(3, ms(1), 3, plain("chain"), 2.0);
    for (from, to, delay) in [(0, 1, 20), (1, 2, 30), (2, 0, 50)] {
        plan.wan.pairs[from * 3 + to].delay = ms(delay);
        plan.wan.pairs[to * 3 + from].delay = ms(delay);
    }
    plan.clients.truncate(1);
    plan
}

/// From the head's memory to its answer, by the write's moment.
fn waits(tape: &Tape) -> Vec<(SimTime, Span)> {
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut waits = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Appended { op, .. } => {
                began.insert(*op, *now);
            }
            Fact::Answered { op, outcome: Outcome::Ok, .. } => {
                waits.push((began[op], now.since(began[op])));
            }
            _ => {}
        }
    }
    waits
}

/// Alone on the way a write takes 1 + 20 + 1 + 30 + 1 + 50 = 103 ms. One that finds a disk busy
/// waits for it once more at each: at most 3 ms.
#[test]
fn a_write_goes_around_once() {
    let (_, tape, _) = play(&chain(), 1);
    let waits = waits(&tape);
    assert!(waits.len() > 80, "{} writes", waits.len());
    let alone = waits.iter().filter(|(_, wait)| *wait == ms(103)).count();
    assert!(alone * 10 > waits.len() * 8, "{alone} of {} took 103 ms", waits.len());
    let bounds = ms(103)..=ms(106);
    assert!(waits.iter().skip(1).all(|(_, wait)| bounds.contains(wait)), "{waits:?}");
}

/// `b` is killed at 20 s and started again at 30 s. From then on `a` ships to `c` itself: 1 + 50 + 1 + 50 =
/// 102 ms. It works again after 5 s, asks `a` and then `c` (100 ms and more), and is behind `c`
/// then: 1 + 50 + 1 + 30 + 1 + 20 = 103 ms.
#[test]
fn the_others_close_the_gap_and_the_lost_one_comes_to_the_end() {
    let mut plan = chain();
    let dead = crash("orders@b", Process::Database);
    plan.faults.push(fault("dead", Span::from_secs(20), Some(Span::from_secs(10)), dead));
    let (_, tape, _) = play(&plan, 1);
    let within = |from: u64, to: u64| {
        let (from, to) = (Span::from_secs(from), Span::from_secs(to));
        let moment = move |at: SimTime| at.since(SimTime::ZERO);
        waits(&tape).into_iter().filter(move |(at, _)| (from..to).contains(&moment(*at)))
    };
    let typical = |from, to, takes: u64| {
        let all: Vec<Span> = within(from, to).map(|(_, wait)| wait).collect();
        let exact = all.iter().filter(|wait| **wait == ms(takes)).count();
        assert!(exact * 10 > all.len() * 7, "{takes} ms from {from} to {to} s: {all:?}");
    };
    typical(5, 20, 103);
    typical(21, 35, 102);
    typical(36, 60, 103);
    // Around the kill: c's question and the answer to it, 100 ms and a disk, come on top.
    let longest = within(19, 22).map(|(_, wait)| wait).max().expect("some were written");
    assert!(longest < ms(103 + 50 + 100 + 50), "{longest:?}");
}
