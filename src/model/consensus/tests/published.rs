//! The numbers of D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, chapter
//! 9: the rate of split votes, and the time that elections take over a wide-area network.

use super::{Bare, Tiny};
use crate::model::consensus::{ElectionParams, Raft, Setup};
use crate::model::id::{GroupId, ProcessId, Term};
use crate::sim::Span;
use crate::sim::rng::{Label, Streams};

/// The plain protocol: neither pre-vote nor check-quorum, and no question asked twice.
fn plain(timeouts: (Span, Span)) -> ElectionParams {
    ElectionParams {
        timeout_min: timeouts.0,
        timeout_max: timeouts.1,
        heartbeat_interval: Span::from_secs(1000),
        pre_vote: false,
        check_quorum: false,
        ..ElectionParams::default()
    }
}

/// `n` voters with fresh timers at zero, of which only the first `live` ever start.
fn fresh(n: usize, live: usize, params: &ElectionParams, trial: u64) -> Tiny<Bare> {
    let dice = Streams::new(7, trial);
    let members: Vec<ProcessId> = (0..n).map(ProcessId::of).collect();
    let bare = |i: usize| {
        let setup = Setup {
            group: GroupId(0),
            me: ProcessId::of(i),
            members: members.clone(),
            params: params.clone(),
            initial_leader: None,
            log_length: 0,
        };
        let label = Label::new("election").with_index(i as u64);
        Bare { raft: Raft::new(setup, dice.stream(label)), applied: Vec::new() }
    };
    let mut tiny = Tiny::new((0..n).map(bare).collect(), dice.stream(Label::new("net")));
    tiny.delay = (Span::from_millis(30), Span::from_millis(40));
    for who in 0..live {
        tiny.start(who);
    }
    tiny
}

/// Split votes: with timeouts uniform over one unit and a constant latency l, the first term
/// fails when c - 1 others time out within l of the first (section 9.2 of the thesis).
#[test]
fn split_votes_are_as_rare_as_the_closed_form_says() {
    // n, live, latency as a share of the range, probability.
    let table = [
        (3, 2, 0.05, 0.0975),
        (3, 2, 0.2, 0.36),
        (5, 4, 0.1, 0.0523),
        (5, 4, 0.2, 0.1808),
        (5, 3, 0.1, 0.271),
        (5, 3, 0.2, 0.488),
        (7, 5, 0.2, 0.26272),
        (9, 5, 0.1, 0.40951),
        (9, 5, 0.2, 0.67232),
    ];
    let trials = 2_000;
    for (n, live, latency, expected) in table {
        let params = plain((Span::from_secs(10), Span::from_secs(11)));
        let mut split = 0;
        for trial in 0..trials {
            let mut tiny = fresh(n, live, &params, trial);
            let delay = Span::from_nanos((latency * 1e9) as u64);
            tiny.delay = (delay, delay);
            // All first timeouts and all answers lie before 12 s, all second ones after 20 s.
            while tiny.advance(12_000_000_000) {}
            let led = tiny.machines.iter().any(|bare| bare.raft.leads() == Some(Term(1)));
            split += u64::from(!led);
        }
        let rate = split as f64 / trials as f64;
        let sigma = (expected * (1.0 - expected) / trials as f64).sqrt();
        assert!(
            (rate - expected).abs() < 4.0 * sigma,
            "{live} of {n}, latency {latency}: {rate} against {expected} (sigma {sigma})"
        );
    }
}

/// Five servers, one-way delays of 30 to 40 ms, timeouts of 300 to 600 ms: time until a
/// candidate holds three votes (figure 9.4 of the thesis, 10,000 elections, digitised to about
/// 3 ms). Four times as many here, so that the tolerances are those of the published tail.
#[test]
fn elections_over_a_wide_area_take_as_long_as_published() {
    // Failed servers; mean, median, 90th, 99th and 99.9th percentile in ms.
    let table = [
        (0, [432.0, 411.0, 491.0, 834.0, 986.0]),
        (1, [470.0, 425.0, 563.0, 1006.0, 1386.0]),
        (2, [633.0, 470.0, 1063.0, 1930.0, 2854.0]),
    ];
    let params = plain((Span::from_millis(300), Span::from_millis(600)));
    for (failed, published) in table {
        let mut times: Vec<f64> = (0..40_000)
            .map(|trial| {
                let mut tiny = fresh(5, 5 - failed, &params, trial);
                while tiny.machines.iter().all(|bare| bare.raft.leads().is_none()) {
                    assert!(tiny.advance(u64::MAX - 1));
                }
                tiny.now as f64 / 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |q: f64| times[(q * times.len() as f64) as usize];
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let measured = [mean, at(0.5), at(0.9), at(0.99), at(0.999)];
        println!("{failed} failed: {measured:.0?}");
        for ((measured, published), tolerance) in
            measured.iter().zip(published).zip([0.04, 0.04, 0.05, 0.07, 0.10])
        {
            assert!(
                (measured / published - 1.0).abs() < tolerance,
                "{failed} failed: {measured:.0} against {published}, tolerance {tolerance}"
            );
        }
    }
}
