//! Stories of two primaries: incidents, exposure, false and missed failovers.

use crate::story::*;
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::{GroupId, Segment, SiteId, Term};

/// Node a has one entry, which node b has too; then a is cut off and b promoted at 20 s.
fn cut_and_promoted() -> Story {
    let mut story = Story::new();
    let s = segment(1, A);
    story.flushed(10_000, op(WEB, 0), A, at(s, 1)).replicated(10_100, B, at(s, 1));
    story.onset(11_000, 0, &[A]).promoted(20_000, B, 2, at(s, 1));
    story
}

#[test]
fn two_nodes_answering_on_conflicting_histories_are_an_incident() {
    let mut story = cut_and_promoted();
    // Stranded, but before the new side answered.
    story.flushed(15_000, op(WEB, 1), A, at(segment(1, A), 2));
    for n in 0..5 {
        story.flushed(21_000 + n * 1_000, op(APP, n), B, at(segment(2, B), 2 + n));
    }
    story.flushed(22_500, op(WEB, 2), A, at(segment(1, A), 3));
    story.flushed(23_500, op(WEB, 3), A, at(segment(1, A), 4));
    story.admits(24_000, A, false);
    story.settling().flushed(101_000, op(APP, 5), B, at(segment(2, B), 7));
    let verdict = story.verdict();
    let incident = &verdict.incidents[0];
    assert_eq!((incident.start, incident.end), (ms(21_001), ms(23_501)));
    assert_eq!((&incident.winners[..], &incident.losers[..]), (&[B][..], &[A][..]));
    expect(
        &verdict,
        &[
            ("split_brain.incidents", 1.0),
            ("split_brain.duration", 2.5),
            // Node b at 21.001, 22.001, 23.001; node a at 22.501, 23.501.
            ("split_brain.answers_winner", 3.0),
            ("split_brain.answers_loser", 2.0),
            // Keys are the operations' numbers: 2 was written on both sides. Key 3 of node b
            // came after the incident.
            ("split_brain.keys_both", 1.0),
            ("writes.stranded", 3.0),
            ("dual_primary.time", 4.0),
            ("dual_primary.intervals", 1.0),
        ],
    );
}

#[test]
fn an_old_answer_that_arrives_late_is_no_incident() {
    let mut story = cut_and_promoted();
    let (late, place) = (op(WEB, 1), at(segment(1, A), 2));
    story.invoked(18_000, late, regionsim::model::fact::OpKind::Write, 1);
    story.appended(18_000, A, late, place).answered(19_000, A, late, place);
    story.flushed(21_000, op(APP, 0), B, at(segment(2, B), 2));
    // Heard after the new side answered; but node a answered before it.
    story.concluded(22_000, late, Outcome::Ok, A).admits(22_000, A, false);
    story.settling().flushed(101_000, op(APP, 1), B, at(segment(2, B), 3));
    expect(&story.verdict(), &[("split_brain.incidents", 0.0), ("writes.lost", 1.0)]);
}

#[test]
fn repeating_an_old_answer_that_the_new_side_shares_is_no_incident() {
    let mut story = cut_and_promoted();
    story.flushed(21_000, op(APP, 0), B, at(segment(2, B), 2));
    // A retry of the first write, which stands in both histories.
    story.answered(22_000, A, op(WEB, 0), at(segment(1, A), 1));
    story.settling().flushed(101_000, op(APP, 1), B, at(segment(2, B), 3));
    expect(&story.verdict(), &[("split_brain.incidents", 0.0), ("writes.lost", 0.0)]);
}

#[test]
fn two_nodes_admitting_writes_that_nobody_sends_are_exposure_without_incident() {
    let mut story = cut_and_promoted();
    story.admits(26_000, A, false);
    story.settling().flushed(101_000, op(APP, 0), B, at(segment(2, B), 2));
    expect(
        &story.verdict(),
        &[
            ("dual_primary.time", 6.0),
            ("dual_primary.intervals", 1.0),
            ("split_brain.incidents", 0.0),
        ],
    );
}

#[test]
fn a_frozen_primary_admits_nothing_until_it_wakes() {
    let mut story = cut_and_promoted();
    story.down(15_000, A, true).up(30_000, A).admits(30_500, A, false);
    story.settling().flushed(101_000, op(APP, 0), B, at(segment(2, B), 2));
    expect(&story.verdict(), &[("dual_primary.time", 0.5)]);
}

#[test]
fn where_the_old_side_wins_the_incident_still_begins_with_the_new_one() {
    let mut story = cut_and_promoted();
    story.flushed(15_000, op(WEB, 1), A, at(segment(1, A), 2));
    story.flushed(21_000, op(APP, 0), B, at(segment(2, B), 2));
    story.flushed(22_000, op(WEB, 2), A, at(segment(1, A), 3));
    story.flushed(25_000, op(APP, 1), B, at(segment(2, B), 3));
    // Somebody decides for node a, and node b is rewound.
    story.admits(26_000, B, false).truncated(27_000, B, at(segment(1, A), 1));
    story.replicated(28_000, B, at(segment(1, A), 3));
    story.settling().flushed(101_000, op(WEB, 3), A, at(segment(1, A), 4));
    let verdict = story.verdict();
    let incident = &verdict.incidents[0];
    assert_eq!((incident.start, incident.end), (ms(21_001), ms(25_001)));
    assert_eq!(&incident.winners[..], &[A][..]);
    expect(&verdict, &[("split_brain.answers_winner", 1.0), ("split_brain.answers_loser", 2.0)]);
    expect(&verdict, &[("writes.lost", 2.0)]);
}

#[test]
fn a_third_primary_does_not_make_the_zombies_answers_count_twice() {
    let mut story = cut_and_promoted();
    story.flushed(21_000, op(APP, 0), B, at(segment(2, B), 2));
    story.replicated(21_500, C, at(segment(2, B), 2));
    story.flushed(22_000, op(WEB, 1), A, at(segment(1, A), 2));
    story.admits(23_000, B, false).promoted(23_000, C, 3, at(segment(2, B), 2));
    story.flushed(24_000, op(APP, 1), C, at(segment(3, C), 3));
    story.flushed(25_000, op(WEB, 2), A, at(segment(1, A), 3)).admits(26_000, A, false);
    story.settling().flushed(101_000, op(APP, 2), C, at(segment(3, C), 4));
    let verdict = story.verdict();
    expect(
        &verdict,
        &[
            ("split_brain.incidents", 1.0),
            ("split_brain.duration", 4.0),
            ("split_brain.answers_loser", 2.0),
            ("split_brain.answers_winner", 2.0),
        ],
    );
}

#[test]
fn replacing_a_primary_that_is_well_is_a_false_failover() {
    let mut story = Story::new();
    // Drained and fenced first, so it does not admit writes when its rival is authorised: what
    // counts is how it was when the failover began to stop it.
    story.fact(29_000, Fact::Withdrawn { group: GroupId(0), holder: A });
    story.admits(30_000, A, false).promoted(31_000, B, 2, at(segment(1, A), 0));
    let verdict = story.settling().verdict();
    expect(&verdict, &[("failover.count", 1.0), ("failover.false", 1.0)]);
    // That is where the episode begins, too.
    assert_eq!(verdict.episodes[0].onset, ms(29_000));
}

#[test]
fn replacing_a_primary_that_most_regions_cannot_reach_is_not_false() {
    let mut story = Story::new();
    story.onset(30_000, 0, &[A]);
    for (from, to) in [(0, 1), (1, 0)] {
        story.fact(30_000, Fact::Link { from: SiteId(from), to: SiteId(to), up: false });
    }
    // One of two client regions reaches it: not a majority.
    story.promoted(31_000, B, 2, at(segment(1, A), 0));
    expect(&story.settling().verdict(), &[("failover.count", 1.0), ("failover.false", 0.0)]);
}

#[test]
fn an_old_primary_that_restarts_in_its_old_term_takes_nothing_back() {
    let mut story = Story::new();
    story.onset(20_000, 0, &[A]).down(20_000, A, false);
    story.promoted(30_000, B, 2, at(segment(1, A), 0));
    let restarted = Segment::again(Term(1), A, 1);
    let from = at(segment(1, A), 0);
    story.fact(40_000, Fact::Began { node: A, group: GroupId(0), segment: restarted, from });
    expect(&story.settling().verdict(), &[("failover.count", 1.0), ("failback.count", 0.0)]);
}

#[test]
fn a_primary_that_stays_down_and_is_not_replaced_is_a_missed_failover() {
    let mut story = Story::new();
    story.roster.rto_objective = Some(secs(30));
    story.onset(20_000, 0, &[A]).down(20_000, A, false);
    expect(&story.settling().verdict(), &[("failover.missed", 1.0), ("failover.count", 0.0)]);

    let mut in_time = Story::new();
    in_time.roster.rto_objective = Some(secs(30));
    in_time.onset(20_000, 0, &[A]).down(20_000, A, false);
    in_time.promoted(45_000, B, 2, at(segment(1, A), 0));
    expect(&in_time.settling().verdict(), &[("failover.missed", 0.0)]);
}

#[test]
fn the_first_majority_of_a_coordination_service_is_timed() {
    let mut story = Story::new();
    story.fact(1_250, Fact::Admits { node: C, group: GroupId(1), yes: true });
    expect(&story.verdict(), &[("election.first_majority{group=\"locks\"}", 1.25)]);
}

#[test]
fn the_first_election_is_no_failover_whoever_wins_it() {
    let mut story = Story::leaderless();
    story.promoted(500, B, 1, at(segment(0, A), 0));
    story.onset(20_000, 0, &[B]).admits(21_000, B, false);
    story.promoted(25_000, C, 2, at(segment(1, B), 0));
    story.admits(40_000, C, false).promoted(40_000, B, 3, at(segment(2, C), 0));
    let verdict = story.settling().verdict();
    expect(&verdict, &[("failover.count", 1.0), ("failback.count", 1.0), ("failover.false", 0.0)]);
}
