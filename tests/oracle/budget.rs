//! Stories of the error budget: what an outage uses of it, how fast, and who would be woken.

use crate::story::*;
use Outcome::{Ok, Unknown};
use regionsim::measure::budget::BurnAlert;
use regionsim::measure::{Sample, Verdict};
use regionsim::model::fact::{Fact, OpKind, Outcome};

/// Ten writes a second of `web`, and as many reads of `app`, for two minutes; writes fail from 60
/// to 70 s. An alert looks at forty and ten seconds, and fires at a rate of 2.
fn ten_bad_seconds(slo: Option<f64>) -> Verdict {
    let mut story = Story::new();
    story.roster.availability_slo = slo;
    story.settings.burn_alerts = vec![BurnAlert { long: secs(40), short: secs(10), rate: 2.0 }];
    for n in 0..1_200 {
        let time = n * 100;
        let outcome = if (60_000..70_000).contains(&time) { Unknown } else { Ok };
        story.invoked(time, op(WEB, n), OpKind::Write, 0);
        story.concluded(time + 10, op(WEB, n), outcome, A);
        story.invoked(time, op(APP, n), OpKind::Read, 0).concluded(time + 1, op(APP, n), Ok, A);
    }
    story.onset(60_000, 0, &[A]).cleared(70_000, 0).settling().verdict()
}

#[test]
fn an_outage_uses_up_what_may_fail() {
    // 100 of 2,400 operations fail, of which a hundredth, 24, may.
    expect(
        &ten_bad_seconds(Some(0.99)),
        &[
            ("budget.used", 100.0 / 24.0),
            ("budget.used{client=\"web\"}", 100.0 / 12.0),
            ("budget.used{client=\"app\"}", 0.0),
        ],
    );
}

#[test]
fn the_burn_rate_is_the_share_of_errors_by_the_share_that_may_be() {
    expect(
        &ten_bad_seconds(Some(0.9)),
        &[
            // Half of everything for ten seconds is five times a tenth; an eighth over forty.
            ("burn.worst{over=\"10s\"}", 5.0),
            ("burn.worst{over=\"40s\"}", 1.25),
            ("burn.worst", 5.0),
            // The long stretch never reaches 2.
            ("burn.alert_time", 0.0),
        ],
    );
}

#[test]
fn an_alert_fires_while_both_stretches_burn_and_ends_with_the_short_one() {
    // At a budget of a twentieth the rates are 10 and 2.5 when the bad window ends; ten seconds
    // later the short stretch is clean.
    expect(
        &ten_bad_seconds(Some(0.95)),
        &[("burn.alert_time", 10.0), ("burn.alert_time{over=\"40s\"}", 10.0)],
    );
}

#[test]
fn before_a_stretch_is_full_what_there_is_of_it_counts() {
    let mut story = Story::new();
    story.roster.availability_slo = Some(0.9);
    story.settings.burn_alerts = vec![BurnAlert { long: secs(3600), short: secs(60), rate: 2.0 }];
    let mut web = Traffic::new(WEB, 100);
    web.writes(&mut story, 0, 60_000, Ok, A);
    web.writes(&mut story, 60_000, 80_000, Unknown, A);
    let verdict = story.settling().verdict();
    // 200 of 800 is a quarter, 2.5 times what may fail. Nothing is offered after 80 s, so that
    // all of the last minute's operations failed.
    expect(&verdict, &[("burn.worst{over=\"1h\"}", 2.5), ("burn.worst{over=\"1m\"}", 10.0)]);
}

#[test]
fn without_an_objective_or_with_one_of_everything_there_is_no_budget() {
    for slo in [None, Some(1.0)] {
        let verdict = ten_bad_seconds(slo);
        for key in ["budget.used", "burn.worst{over=\"10s\"}", "burn.alert_time"] {
            assert_eq!(sample(&verdict, key), Sample::Missing, "{key}");
        }
    }
}

/// Node b took over from a; a follows it up to `upto` and is returned to at 60 s.
fn returns(upto: u64, drained: bool) -> Story {
    let mut story = Story::new();
    let s = segment(1, A);
    story.flushed(10_000, op(WEB, 0), A, at(s, 1)).replicated(10_100, B, at(s, 1));
    story.onset(11_000, 0, &[A]).down(11_000, A, false).promoted(15_000, B, 2, at(s, 1));
    story.up(20_000, A).cleared(20_000, 0);
    for n in 0..40 {
        let time = 16_000 + n * 1_000;
        story.flushed(time, op(WEB, n + 1), B, at(segment(2, B), n + 2));
    }
    let last = if upto == 1 { at(s, 1) } else { at(segment(2, B), upto) };
    story.replicated(56_000, A, last);
    if drained {
        story.fact(58_000, Fact::Withdrawn { group: ORDERS, holder: B }).admits(58_000, B, false);
    }
    story.promoted(60_000, A, 3, last).admits(60_000, B, false);
    story.flushed(62_000, op(WEB, 50), A, at(segment(3, A), upto + 1));
    story.settling().flushed(101_000, op(WEB, 51), A, at(segment(3, A), upto + 2));
    story
}

#[test]
fn a_careful_failback_loses_nothing_and_costs_the_gap_of_the_switch() {
    expect(
        &returns(41, true).verdict(),
        &[
            ("failback.count", 1.0),
            ("failback.caught_up", 1.0),
            ("failback.lost", 0.0),
            // From the last write of node b, at 55.002, to the first of node a, at 62.002.
            ("failback.outage", 7.0),
            ("failback.outage{region=\"a\"}", 7.0),
        ],
    );
}

#[test]
fn a_hasty_failback_loses_what_the_old_primary_had_not_received() {
    let verdict = returns(31, false).verdict();
    expect(
        &verdict,
        &[("failback.caught_up", 0.0), ("failback.lost", 10.0), ("writes.lost", 10.0)],
    );
}

#[test]
fn without_a_return_there_is_nothing_to_say_of_it() {
    let mut story = Story::new();
    story.promoted(20_000, B, 2, at(segment(1, A), 0));
    let verdict = story.settling().verdict();
    for key in ["failback.caught_up", "failback.lost", "failback.outage"] {
        assert_eq!(sample(&verdict, key), Sample::Missing, "{key}");
    }
}

#[test]
fn a_return_after_which_nobody_is_served_is_censored() {
    let mut story = returns(41, true);
    // Those who ask after it are told nothing; the writes of the story go to another population.
    story.roster.clients[1].group = ORDERS;
    for n in 0..200 {
        let time = 54_000 + n * 300;
        let (node, outcome) = if time < 58_000 { (B, Ok) } else { (A, Unknown) };
        story.invoked(time, op(APP, n), OpKind::Write, 0);
        story.concluded(time + 10, op(APP, n), outcome, node);
    }
    let verdict = story.verdict();
    assert_eq!(sample(&verdict, "failback.outage{region=\"b\"}"), Sample::Censored(62.09));
}
