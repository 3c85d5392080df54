//! Stories of stores that serve on with less behind them than was asked for.

use crate::story::*;
use regionsim::measure::Sample;
use regionsim::model::fact::{Claim, Fact};
use regionsim::model::id::Term;

/// Node a waits for one confirmation, as configured; nodes a, b and c run.
fn waits_for_one() -> Story {
    let mut story = Story::new();
    story.roster.groups[0].acks = 1;
    story.rule(0, A, 1);
    story
}

#[test]
fn a_primary_that_stops_waiting_for_its_standby_is_degraded_until_it_waits_again() {
    let mut story = waits_for_one();
    story.rule(20_000, A, 0).rule(50_000, A, 1);
    expect(&story.settling().verdict(), &[("degraded.rule_time", 30.0)]);
}

#[test]
fn a_weak_rule_counts_only_while_somebody_admits_writes_under_it() {
    let mut story = waits_for_one();
    // Frozen for ten seconds, and no longer primary after that.
    story.rule(20_000, A, 0).down(30_000, A, true).up(40_000, A).admits(45_000, A, false);
    // The new primary waits as it should.
    story.promoted(60_000, B, 2, at(segment(1, A), 0)).rule(60_000, B, 1);
    expect(&story.settling().verdict(), &[("degraded.rule_time", 15.0)]);
}

#[test]
fn warm_up_is_no_degraded_time_and_a_weaker_design_is_not_degraded() {
    let mut story = waits_for_one();
    story.roster.warmup = ms(30_000);
    story.rule(20_000, A, 0).rule(50_000, A, 1);
    expect(&story.settling().verdict(), &[("degraded.rule_time", 20.0)]);

    let mut asynchronous = Story::new();
    asynchronous.rule(0, A, 0);
    expect(&asynchronous.settling().verdict(), &[("degraded.rule_time", 0.0)]);
}

/// A write every second, from 0 to 119 s, of node a; nodes b and c receive each at once while
/// they follow.
fn writes_with_standbys(story: &mut Story, follows: impl Fn(usize, u64) -> bool) {
    let s = segment(1, A);
    for n in 0..119 {
        story.flushed(n * 1_000, op(WEB, n), A, at(s, n + 1));
        for (which, node) in [B, C].into_iter().enumerate() {
            if follows(which, n) {
                story.replicated(n * 1_000 + 50, node, at(s, n + 1));
            }
        }
    }
    story.settling();
}

#[test]
fn the_last_redundancy_is_gone_when_one_running_member_is_left() {
    let mut story = Story::new();
    // Node c is down from the start of the disaster, node b follows it for twenty seconds.
    story.onset(20_000, 0, &[C]).down(20_000, C, false);
    story.onset(40_000, 1, &[B]).down(40_000, B, false).up(60_000, B);
    writes_with_standbys(&mut story, |which, n| which == 0 && !(40..60).contains(&n) || n < 20);
    expect(
        &story.verdict(),
        // Node b has what it missed 50 ms after it is back, which is seen at the second's end.
        &[("degraded.redundancy_time", 21.0), ("degraded.no_copy_time", 0.0)],
    );
}

#[test]
fn a_standby_that_runs_and_has_fallen_behind_is_no_redundancy() {
    let mut story = Story::new();
    story.down(0, C, false);
    // Node b hears nothing from 30 s on, and has all of it again at 70 s.
    writes_with_standbys(&mut story, |which, n| which == 0 && !(30..70).contains(&n));
    let time = value(&story.verdict(), "degraded.redundancy_time");
    // Seen once a second at both ends.
    assert!((time - 40.0).abs() <= 1.1, "{time}");

    // A standby that is never more than nine seconds behind is a copy throughout.
    let mut slow = Story::new();
    slow.down(0, C, false);
    let s = segment(1, A);
    for n in 0..100 {
        slow.flushed(n * 1_000, op(WEB, n), A, at(s, n + 1));
        slow.replicated(n * 1_000 + 8_500, B, at(s, n + 1));
    }
    expect(&slow.settling().verdict(), &[("degraded.redundancy_time", 0.0)]);
}

#[test]
fn nobody_who_runs_has_it_all_while_the_only_copy_is_down() {
    let mut story = Story::new();
    story.down(0, B, false).down(0, C, false).down(50_000, A, false).up(55_000, A);
    writes_with_standbys(&mut story, |_, n| n < 1);
    expect(
        &story.verdict(),
        &[("degraded.no_copy_time", 5.0), ("degraded.redundancy_time", 120.0)],
    );
}

#[test]
fn what_a_failover_cut_off_is_lost_and_owed_by_nobody() {
    let mut story = Story::new();
    let s = segment(1, A);
    story.flushed(10_000, op(WEB, 0), A, at(s, 1));
    story.replicated(10_100, B, at(s, 1)).replicated(10_100, C, at(s, 1));
    story.flushed(19_000, op(WEB, 1), A, at(s, 2));
    // Nodes b and c never saw the second write; b takes over, and both have all that is left.
    story.onset(20_000, 2, &[A]).down(20_000, A, false).promoted(25_000, B, 2, at(s, 1));
    for n in 0..80 {
        let place = at(segment(2, B), n + 2);
        story.flushed(30_000 + n * 1_000, op(APP, n), B, place);
        story.replicated(30_050 + n * 1_000, C, place);
    }
    let verdict = story.settling().verdict();
    expect(&verdict, &[("writes.lost", 1.0), ("degraded.no_copy_time", 0.0)]);
    expect(&verdict, &[("degraded.redundancy_time", 0.0)]);
}

#[test]
fn a_store_with_one_member_has_no_redundancy_to_lose() {
    let mut story = Story::new();
    story.roster.groups[0].members.truncate(1);
    let verdict = story.settling().verdict();
    assert_eq!(sample(&verdict, "degraded.redundancy_time"), Sample::Missing);
}

#[test]
fn claims_of_being_primary_degrade_nothing() {
    let mut story = waits_for_one();
    story.claim(10_000, B, Claim::Primary(ORDERS, Term(7)));
    // A node that does not admit writes may wait for as few as it likes.
    story.fact(10_000, Fact::Rule { node: B, group: ORDERS, acks: 0 });
    expect(&story.settling().verdict(), &[("degraded.rule_time", 0.0)]);
}
