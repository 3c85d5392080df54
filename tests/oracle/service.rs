//! Stories of outages, gaps and what clients lived through.

use crate::story::*;
use Outcome::{Ok, Unknown};
use regionsim::measure::{Cause, Sample};
use regionsim::model::fact::{Fact, OpKind, Outcome};
use regionsim::model::id::{ClientId, FaultId};

/// Two populations, each with a write every 20 ms, from 0 to 119 s; `web` fails from one
/// instant to another.
fn web_fails(story: &mut Story, from: u64, to: u64) {
    let mut web = Traffic::new(WEB, 20);
    web.writes(story, 0, from, Ok, A);
    web.writes(story, from, to, Unknown, A);
    web.writes(story, to, 119_000, Ok, B);
    Traffic::new(APP, 20).writes(story, 0, 119_000, Ok, A);
}

#[test]
fn without_a_failure_there_is_no_outage_and_no_episode() {
    let mut story = Story::new();
    web_fails(&mut story, 50_000, 50_000);
    let verdict = story.settling().verdict();
    assert!(verdict.episodes.is_empty());
    expect(
        &verdict,
        &[
            ("rto.restored", 0.0),
            ("rto.first_write", 0.0),
            ("rto.client_mean", 0.0),
            ("rto.p95_clients", 0.0),
            ("outage.count", 0.0),
            ("downtime", 0.0),
            ("availability", 1.0),
            ("writes.gap{client=\"web\"}", 0.02),
        ],
    );
    assert_eq!(sample(&verdict, "dns.tail"), Sample::Missing);
    assert_eq!(sample(&verdict, "availability.reads"), Sample::Missing);
}

#[test]
fn a_fault_that_clients_do_not_notice_has_an_episode_and_no_rto() {
    let mut story = Story::new();
    web_fails(&mut story, 50_000, 50_000);
    story.onset(40_000, 0, &[C]).cleared(45_000, 0);
    let verdict = story.settling().verdict();
    assert_eq!(verdict.episodes.len(), 1);
    assert_eq!(verdict.episodes[0].cause, Cause::Fault(FaultId(0)));
    assert!(verdict.episodes[0].end.is_some());
    expect(&verdict, &[("rto.restored", 0.0), ("rto.first_write", 0.0), ("outage.count", 0.0)]);
}

#[test]
fn an_outage_is_measured_for_the_region_that_has_it() {
    let mut story = Story::new();
    web_fails(&mut story, 40_000, 55_000);
    story.onset(39_000, 0, &[A]).cleared(60_000, 0);
    let verdict = story.settling().verdict();
    expect(
        &verdict,
        &[
            // Acknowledged again at 55.002; windows of ten seconds are bad from 40 to 60.
            ("rto.first_write{region=\"a\"}", 16.002),
            ("rto.first_write{region=\"b\"}", 0.0),
            ("rto.first_write", 16.002),
            ("rto.restored{region=\"a\"}", 21.0),
            ("rto.restored{region=\"b\"}", 0.0),
            ("rto.restored", 21.0),
            ("outage.count{region=\"a\", kind=\"write\"}", 1.0),
            ("downtime{region=\"a\"}", 20.0),
            ("downtime{region=\"b\"}", 0.0),
            ("downtime", 20.0),
            // The last acknowledgement was at 39.982.
            ("writes.gap{client=\"web\"}", 15.02),
            // The whole store never went without: population app wrote on.
            ("writes.gap", 0.02),
            // A quarter of the time span of web's own; half of that on average.
            ("rto.client_mean{region=\"a\"}", 15.0),
            ("rto.client_mean", 7.5),
            // Half of all traffic fails until 55 s.
            ("rto.p95_clients", 16.0),
        ],
    );
    let episode = &verdict.episodes[0];
    assert_eq!((episode.onset, episode.end), (ms(39_000), Some(ms(60_000))));
}

#[test]
fn an_outage_that_outlives_the_run_is_censored() {
    let mut story = Story::new();
    web_fails(&mut story, 90_000, 119_000);
    story.onset(89_000, 2, &[A]);
    let verdict = story.settling().verdict();
    assert_eq!(sample(&verdict, "rto.first_write{region=\"a\"}"), Sample::Censored(31.0));
    assert_eq!(sample(&verdict, "rto.restored"), Sample::Censored(31.0));
    assert_eq!(verdict.episodes[0].end, None);
}

#[test]
fn two_outages_closer_than_the_hold_are_one() {
    let outages = |second: u64| {
        let mut story = Story::new();
        let mut web = Traffic::new(WEB, 20);
        web.writes(&mut story, 0, 10_000, Ok, A);
        web.writes(&mut story, 10_000, 20_000, Unknown, A);
        web.writes(&mut story, 20_000, second, Ok, A);
        web.writes(&mut story, second, second + 10_000, Unknown, A);
        web.writes(&mut story, second + 10_000, 119_000, Ok, A);
        let verdict = story.onset(9_000, 0, &[A]).cleared(11_000, 0).settling().verdict();
        (value(&verdict, "outage.count"), value(&verdict, "downtime"), verdict.episodes.len())
    };
    assert_eq!(outages(40_000), (1.0, 40.0, 1));
    assert_eq!(outages(60_000), (2.0, 20.0, 1));
}

#[test]
fn a_window_with_few_operations_is_widened_before_it_is_judged() {
    let mut story = Story::new();
    // Two writes a second: fifty seconds hold a hundred. One of them fails: 99 % are ok.
    let mut web = Traffic::new(WEB, 500);
    web.writes(&mut story, 0, 20_000, Ok, A);
    web.writes(&mut story, 20_000, 20_500, Unknown, A);
    web.writes(&mut story, 20_500, 119_000, Ok, A);
    expect(&story.settling().verdict(), &[("outage.count", 0.0)]);
}

#[test]
fn where_warm_up_was_bad_an_outage_is_measured_against_it() {
    let with = |share: u64| {
        let mut story = Story::new();
        story.roster.warmup = ms(20_000);
        // One write in fifty fails all the time; later, one in `share`.
        for n in 0..4_000 {
            let every = if n < 2_000 { 50 } else { share };
            let outcome = if n % every == 0 { Unknown } else { Ok };
            story.invoked(n * 25, op(WEB, n), OpKind::Write, 0);
            story.concluded(n * 25 + 2, op(WEB, n), outcome, A);
        }
        value(&story.settling().verdict(), "outage.count")
    };
    assert_eq!(with(50), 0.0);
    assert_eq!(with(25), 1.0);
}

#[test]
fn a_stray_success_does_not_end_the_gap() {
    let mut story = Story::new();
    let mut web = Traffic::new(WEB, 20);
    web.writes(&mut story, 0, 40_000, Ok, A);
    web.writes(&mut story, 40_000, 44_000, Unknown, A);
    // A packet that was under way.
    web.writes(&mut story, 44_000, 44_020, Ok, A);
    web.writes(&mut story, 44_020, 60_000, Unknown, A);
    web.writes(&mut story, 60_000, 119_000, Ok, B);
    let verdict = story.onset(40_000, 0, &[A]).cleared(60_000, 0).settling().verdict();
    expect(&verdict, &[("rto.first_write", 20.002), ("writes.gap", 16.0)]);
}

#[test]
fn a_random_loss_is_no_outage() {
    let mut story = Story::new();
    let mut web = Traffic::new(WEB, 20);
    web.writes(&mut story, 0, 45_000, Ok, A);
    web.writes(&mut story, 45_000, 45_020, Unknown, A);
    web.writes(&mut story, 45_020, 119_000, Ok, A);
    // Two populations share the store, so its gap is not longer than ever before.
    let mut app = Traffic::new(APP, 20);
    app.writes(&mut story, 10, 119_000, Ok, A);
    let verdict = story.onset(40_000, 0, &[C]).cleared(50_000, 0).settling().verdict();
    expect(&verdict, &[("rto.restored{region=\"b\"}", 0.0), ("outage.count", 0.0)]);
}

#[test]
fn warm_up_is_left_out_of_service_but_not_of_loss() {
    let mut story = Story::new();
    story.roster.warmup = ms(20_000);
    story.flushed(10_000, op(WEB, 0), A, at(segment(1, A), 1));
    story.settling().flushed(101_000, op(WEB, 1), A, at(segment(1, A), 2));
    let verdict = story.verdict();
    expect(&verdict, &[("ops.ok", 1.0), ("writes.acknowledged", 2.0)]);
    expect(&verdict, &[("latency.p50", 0.002), ("latency.mean", 0.002)]);
}

#[test]
fn latency_is_told_apart_by_when_the_operation_was_invoked() {
    let mut story = Story::new();
    let mut n = 0;
    let mut slow = |story: &mut Story, from: u64, to: u64, latency: u64| {
        for time in (from..to).step_by(20) {
            story.invoked(time, op(WEB, n), OpKind::Read, 0);
            story.concluded(time + latency, op(WEB, n), Ok, A);
            n += 1;
        }
    };
    slow(&mut story, 0, 30_000, 10);
    slow(&mut story, 30_000, 60_000, 100);
    slow(&mut story, 60_000, 119_000, 20);
    let verdict = story.onset(30_000, 0, &[A]).cleared(60_000, 0).settling().verdict();
    for (window, expected) in [("before", 0.010), ("episode", 0.100), ("after", 0.020)] {
        let found = value(&verdict, &format!("latency.p99{{kind=\"read\", window=\"{window}\"}}"));
        assert!((found / expected - 1.0).abs() < 0.001, "{window}: {found}");
    }
    assert_eq!(sample(&verdict, "latency.p50{kind=\"write\"}"), Sample::Missing);
}

#[test]
fn the_tail_of_the_resolvers_is_timed_from_the_first_write_that_worked() {
    let route =
        |client: ClientId, resolver, node| Fact::Routed { client, resolver, group: ORDERS, node };
    let tell = |laggard: bool| {
        let mut story = Story::new();
        for resolver in 0..3 {
            story.fact(0, route(WEB, resolver, A));
        }
        story.onset(20_000, 0, &[A]).promoted(25_000, B, 2, at(segment(1, A), 0));
        story.fact(30_000, route(WEB, 0, B));
        story.flushed(31_000, op(WEB, 0), B, at(segment(2, B), 1));
        story.fact(50_000, route(WEB, 1, B));
        if !laggard {
            story.fact(85_002, route(WEB, 2, B));
        }
        sample(&story.settling().verdict(), "dns.tail{region=\"a\"}")
    };
    assert_eq!(tell(false), Sample::Value(54.0));
    assert_eq!(tell(true), Sample::Censored(88.998));
}

#[test]
fn the_series_holds_every_operation_once() {
    let mut story = Story::new();
    web_fails(&mut story, 40_000, 55_000);
    let verdict = story.settling().verdict();
    let of = |region: &str| {
        let series = verdict.series.iter().find(|s| s.region == region && s.kind == "write");
        series
            .unwrap()
            .bins
            .iter()
            .fold([0; 3], |sum, bin| [sum[0] + bin[0], sum[1] + bin[1], sum[2] + bin[2]])
    };
    assert_eq!((of("a"), of("b")), ([5_200, 0, 750], [5_950, 0, 0]));
}

#[test]
fn every_trial_of_a_roster_has_the_same_metrics_in_the_same_order() {
    let quiet = Story::new().verdict();
    let mut story = Story::new();
    web_fails(&mut story, 40_000, 55_000);
    let stormy = story.onset(39_000, 0, &[A]).settling().verdict();
    let keys = |v: &regionsim::measure::Verdict| -> Vec<String> {
        v.metrics.iter().map(|(key, _)| key.to_string()).collect()
    };
    assert_eq!(keys(&quiet), keys(&stormy));
    let mut sorted = keys(&quiet);
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), quiet.metrics.len());
}
