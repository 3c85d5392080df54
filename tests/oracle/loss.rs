//! Stories of lost and surviving writes.

use crate::story::*;
use regionsim::measure::Sample;
use regionsim::measure::history::Limits;
use regionsim::model::fact::{Claim, Fact, OpKind, Outcome};
use regionsim::model::id::Term;

/// Node a writes three entries, of which node b has one.
fn one_of_three_replicated() -> Story {
    let mut story = Story::new();
    let s = segment(1, A);
    story.flushed(10_000, op(WEB, 0), A, at(s, 1)).replicated(10_100, B, at(s, 1));
    story.flushed(10_500, op(WEB, 1), A, at(s, 2));
    story.flushed(10_900, op(WEB, 2), A, at(s, 3));
    story
}

/// Node b takes over from the one entry it has, and serves to the end.
fn b_takes_over(story: &mut Story, time: u64, next: u64) {
    story.promoted(time, B, 2, at(segment(1, A), 1));
    story.flushed(time + 1_000, op(WEB, next), B, at(segment(2, B), 2));
    story.settling().flushed(101_000, op(WEB, next + 1), B, at(segment(2, B), 3));
}

#[test]
fn writes_answered_before_the_crash_and_not_shipped_are_lost_by_lag() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A]).down(11_000, A, false);
    b_takes_over(&mut story, 20_000, 3);
    let verdict = story.verdict();
    expect(
        &verdict,
        &[
            ("writes.acknowledged", 5.0),
            ("writes.lost", 2.0),
            ("writes.lost_lag", 2.0),
            ("writes.stranded", 0.0),
            ("writes.unflushed", 0.0),
            // From the first lost answer, at 10.501, to the onset.
            ("rpo.time", 0.499),
            ("rpo.at_onset", 0.499),
            ("split_brain.incidents", 0.0),
            ("survivor.provisional", 0.0),
            ("survivor.unresolved", 0.0),
            ("failover.count", 1.0),
        ],
    );
}

#[test]
fn writes_answered_in_the_cut_off_region_are_stranded_and_stretch_the_rpo() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A]);
    story.flushed(12_000, op(WEB, 3), A, at(segment(1, A), 4));
    story.flushed(13_000, op(WEB, 4), A, at(segment(1, A), 5));
    story.admits(14_000, A, false);
    b_takes_over(&mut story, 20_000, 5);
    let verdict = story.verdict();
    expect(
        &verdict,
        &[
            ("writes.lost", 4.0),
            ("writes.lost_lag", 2.0),
            ("writes.stranded", 2.0),
            // From 10.501 to the last lost answer, at 13.001; the textbook sees only the onset.
            ("rpo.time", 2.5),
            ("rpo.at_onset", 0.499),
            // The old side had stopped before the new one began.
            ("split_brain.incidents", 0.0),
        ],
    );
}

#[test]
fn writes_that_no_disk_ever_held_are_unflushed() {
    let mut story = Story::new();
    let s = segment(1, A);
    story.flushed(10_000, op(WEB, 0), A, at(s, 1)).replicated(10_100, B, at(s, 1));
    story.write(10_500, op(WEB, 1), A, at(s, 2));
    // The machine dies with the entry in memory, and comes back without it.
    story.onset(11_000, 0, &[A]).down(11_000, A, false).truncated(12_000, A, at(s, 1));
    story.up(12_000, A).began(12_000, A, segment(2, A), at(s, 1));
    story.settling().flushed(101_000, op(WEB, 2), A, at(segment(2, A), 2));
    let verdict = story.verdict();
    expect(&verdict, &[("writes.lost", 1.0), ("writes.unflushed", 1.0), ("rpo.time", 0.499)]);
}

#[test]
fn a_primary_that_takes_its_own_numbers_again_has_lost_what_stood_there() {
    let mut story = Story::new();
    let s = segment(1, A);
    story.write(10_000, op(WEB, 0), A, at(s, 1)).truncated(11_000, A, at(s, 0));
    story.settling().flushed(101_000, op(WEB, 1), A, at(s, 1));
    expect(&story.verdict(), &[("writes.lost", 1.0), ("writes.unflushed", 1.0)]);
}

#[test]
fn a_flush_under_way_at_the_end_loses_nothing() {
    let mut story = Story::new();
    story.settling().write(119_990, op(WEB, 0), A, at(segment(1, A), 1));
    expect(&story.verdict(), &[("writes.lost", 0.0), ("survivor.provisional", 0.0)]);
}

#[test]
fn each_deposition_has_its_own_rpo_and_the_worst_is_reported() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A]).down(11_000, A, false);
    story.promoted(20_000, B, 2, at(segment(1, A), 1)).up(30_000, A);
    story.truncated(30_000, A, at(segment(1, A), 1)).cleared(30_000, 0);
    // Node b writes three seconds' worth that node a never gets, and is cut off.
    story.flushed(40_000, op(WEB, 3), B, at(segment(2, B), 2));
    story.flushed(43_000, op(WEB, 4), B, at(segment(2, B), 3));
    story.onset(44_000, 1, &[B]).down(44_000, B, false);
    story.promoted(50_000, A, 3, at(segment(1, A), 1));
    story.settling().flushed(101_000, op(WEB, 5), A, at(segment(3, A), 2));
    let verdict = story.verdict();
    expect(
        &verdict,
        &[
            ("writes.lost", 4.0),
            // 44.000 minus 40.001; not stretched from 10.501.
            ("rpo.time", 3.999),
            ("failover.count", 1.0),
            ("failback.count", 1.0),
        ],
    );
}

#[test]
fn where_nobody_wrote_or_admits_the_survivor_is_provisional() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A, B]).down(11_000, A, false).down(11_000, B, false);
    let verdict = story.settling().verdict();
    // Both disks could restart; node a's is the more advanced.
    expect(&verdict, &[("survivor.provisional", 1.0), ("writes.lost", 0.0)]);
    assert_eq!(verdict.notes.len(), 1);
}

#[test]
fn a_disk_that_is_gone_for_good_cannot_be_the_survivor() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 2, &[A]).down(11_000, A, false).admits(11_000, A, false);
    let verdict = story.settling().verdict();
    expect(
        &verdict,
        &[("survivor.provisional", 1.0), ("writes.lost", 2.0), ("writes.lost_lag", 2.0)],
    );
}

#[test]
fn two_primaries_in_the_end_leave_loss_unresolved_with_bounds() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A]);
    b_takes_over(&mut story, 20_000, 3);
    // Node a never stopped admitting writes. If it survives, node b's two are lost.
    story.flushed(90_000, op(APP, 0), A, at(segment(1, A), 4));
    let verdict = story.verdict();
    expect(&verdict, &[("survivor.unresolved", 1.0)]);
    assert_eq!(sample(&verdict, "writes.lost"), Sample::Bounds { low: 2.0, high: 3.0 });
}

#[test]
fn a_retry_that_is_in_the_surviving_history_too_is_not_lost() {
    let mut story = one_of_three_replicated();
    // Answered by node a, but the answer is lost; the retry reaches node b after the failover.
    let (retried, first) = (op(WEB, 3), at(segment(1, A), 4));
    story.invoked(10_950, retried, OpKind::Write, 7).appended(10_951, A, retried, first);
    story.durable(10_951, A, first).answered(10_952, A, retried, first);
    story.onset(11_000, 0, &[A]).down(11_000, A, false);
    story.promoted(12_000, B, 2, at(segment(1, A), 1));
    let again = at(segment(2, B), 2);
    story.appended(12_500, B, retried, again).durable(12_500, B, again);
    story.answered(12_501, B, retried, again).concluded(12_502, retried, Outcome::Ok, B);
    story.settling().flushed(101_000, op(WEB, 4), B, at(segment(2, B), 3));
    let verdict = story.verdict();
    expect(&verdict, &[("writes.acknowledged", 5.0), ("writes.lost", 2.0), ("rpo.time", 0.499)]);
}

#[test]
fn a_write_that_timed_out_and_yet_survives_is_counted_apart() {
    let mut story = Story::new();
    let place = at(segment(1, A), 1);
    story.invoked(10_000, op(WEB, 0), OpKind::Write, 1).appended(10_001, A, op(WEB, 0), place);
    story.durable(10_002, A, place).concluded(12_000, op(WEB, 0), Outcome::Unknown, A);
    // The answer comes after the deadline: the write stays unknown.
    story.answered(13_000, A, op(WEB, 0), place);
    let verdict = story.settling().verdict();
    expect(
        &verdict,
        &[
            ("writes.acknowledged", 0.0),
            ("writes.lost", 0.0),
            ("writes.unacked_survived", 1.0),
            ("ops.unknown", 1.0),
        ],
    );
}

#[test]
fn a_liar_moves_no_verdict() {
    let honest = || {
        let mut story = one_of_three_replicated();
        story.onset(11_000, 0, &[A]).down(11_000, A, false);
        b_takes_over(&mut story, 20_000, 3);
        story
    };
    let mut lied_to = honest();
    for second in 0..120 {
        lied_to.claim(second * 1_000, A, Claim::Primary(ORDERS, Term(9)));
        lied_to.claim(second * 1_000, C, Claim::LeaseHeld(ORDERS, Default::default()));
    }
    assert_eq!(honest().verdict(), lied_to.verdict());
}

#[test]
fn a_wiped_disk_takes_its_history_with_it() {
    let mut story = one_of_three_replicated();
    story.onset(11_000, 0, &[A]).down(11_000, A, false);
    story.fact(11_000, Fact::Wiped { node: A, group: ORDERS });
    story.onset(11_000, 1, &[B]).down(11_000, B, false);
    let verdict = story.settling().verdict();
    // Only node b's disk is left, with one entry.
    expect(&verdict, &[("survivor.provisional", 1.0), ("writes.lost", 2.0)]);
}

/// Node c is dead all the time, node b from its first entry to 40 s; node a writes ten entries
/// alone and folds them. Then node b takes over.
fn folded_past_a_dead_disk(limits: Limits) -> Story {
    let mut story = Story::new();
    story.limits = limits;
    let s = segment(1, A);
    story.down(0, C, false);
    for n in 0..=10 {
        story.flushed(10_000 + n * 1_000, op(WEB, n), A, at(s, n + 1));
        if n == 1 {
            story.replicated(11_100, B, at(s, 2)).onset(11_500, 0, &[B]).down(11_500, B, false);
        }
    }
    story.onset(30_000, 1, &[A]).down(30_000, A, false).up(40_000, B);
    story.promoted(41_000, B, 2, at(s, 2));
    story.settling().flushed(101_000, op(WEB, 11), B, at(segment(2, B), 3));
    story
}

#[test]
fn a_dead_disk_is_a_boundary_so_folded_losses_are_exact() {
    let verdict = folded_past_a_dead_disk(Limits { every: 1, ..Limits::default() }).verdict();
    // Entries 3 to 11 are lost; the first of them was answered at 12.001.
    expect(&verdict, &[("writes.lost", 9.0), ("writes.lost_lag", 9.0), ("rpo.time", 17.999)]);
    assert!(verdict.notes.is_empty());
}

/// Node b gets two entries more on its way, and is promoted there.
fn promoted_half_way(limits: Limits) -> Story {
    let mut story = folded_past_a_dead_disk(limits);
    story.replicated(40_500, B, at(segment(1, A), 4));
    story.began(40_900, B, segment(3, B), at(segment(1, A), 4));
    story.flushed(102_000, op(WEB, 12), B, at(segment(3, B), 5));
    story
}

#[test]
fn one_that_comes_back_and_is_promoted_half_way_is_judged_entry_by_entry() {
    let verdict = promoted_half_way(Limits { every: 1, ..Limits::default() }).verdict();
    // Entries 5 to 11, and the write of the short-lived second segment.
    expect(&verdict, &[("writes.lost", 8.0)]);
    assert!(verdict.notes.is_empty());
}

#[test]
fn a_history_that_ends_inside_folded_entries_gives_bounds_and_says_so() {
    // No more than one entry is kept by itself.
    let limits = Limits { every: 1, detail: 1, ..Limits::default() };
    let verdict = promoted_half_way(limits).verdict();
    // Entry 11 and the write of the short-lived second segment are lost for certain; of the
    // eight folded ones, perhaps all are.
    assert_eq!(sample(&verdict, "writes.lost"), Sample::Bounds { low: 2.0, high: 10.0 });
    assert!(verdict.notes[0].contains("inside folded entries"));
}

#[test]
fn a_promotion_that_discards_what_its_disk_had_is_judged_entry_by_entry() {
    let mut story = Story::new();
    story.limits = Limits { every: 1, ..Limits::default() };
    let s = segment(1, A);
    for n in 0..10 {
        let time = 10_000 + n * 1_000;
        story.flushed(time, op(WEB, n), A, at(s, n + 1)).replicated(time + 100, B, at(s, n + 1));
        story.replicated(time + 100, C, at(s, n + 1));
    }
    story.onset(20_000, 0, &[A]).down(20_000, A, false).truncated(25_000, B, at(s, 4));
    story.promoted(25_000, B, 2, at(s, 4));
    story.settling().flushed(101_000, op(WEB, 10), B, at(segment(2, B), 5));
    // The newest entry stands apart, and of the others only their number is known.
    assert_eq!(sample(&story.verdict(), "writes.lost"), Sample::Bounds { low: 1.0, high: 10.0 });
    // Where the roster says that members may do so, the newest entries stay apart.
    story.roster.groups[0].cuts_disks = true;
    let verdict = story.verdict();
    // Entries 5 to 10; the first of them was answered at 14.001.
    expect(&verdict, &[("writes.lost", 6.0), ("writes.lost_lag", 6.0), ("rpo.time", 5.999)]);
}
