//! Stores with versions per key: staleness, visibility, sessions, lost updates, convergence.

use crate::story::*;
use regionsim::model::fact::{Fact, OpKind, Outcome};
use regionsim::model::id::*;
use regionsim::model::keyed::Ring;
use std::sync::Arc;

/// Three replicas that all hold every key; the clients of the usual cast.
fn story() -> Story {
    let mut story = Story::leaderless();
    let regions = [0, 1, 2].map(RegionId);
    story.roster.groups[0].ring = Some(Arc::new(Ring::new(&regions, None)));
    story
}

fn version(stamp: u64, op: OpId) -> Version {
    Version { stamp, op }
}

fn installed(story: &mut Story, time: u64, node: NodeId, key: u32, version: Version) {
    story.fact(time, Fact::Installed { node, group: ORDERS, key, version });
}

/// A write that takes from one time to the other, and arrives at these nodes when it says.
fn write(s: &mut Story, (from, to): (u64, u64), key: u32, v: Version, at: &[(u64, NodeId)]) {
    s.invoked(from, v.op, OpKind::Write, key);
    for (time, node) in at {
        installed(s, *time, *node, key, v);
    }
    s.concluded(to, v.op, Outcome::Ok, A);
}

/// A read that takes from one time to the other and returns this.
fn read(s: &mut Story, (from, to): (u64, u64), key: u32, op: OpId, version: Version) {
    s.invoked(from, op, OpKind::Read, key);
    s.fact(to, Fact::Returned { node: A, group: ORDERS, op, version });
    s.concluded(to, op, Outcome::Ok, A);
}

fn session(s: &mut Story, time: u64, op: OpId, user: u32) {
    s.fact(time, Fact::Session { op, user });
}

const EVERYWHERE: [NodeId; 3] = [A, B, C];

fn all_at(time: u64) -> Vec<(u64, NodeId)> {
    EVERYWHERE.map(|node| (time, node)).to_vec()
}

#[test]
fn a_stale_read_is_late_since_the_first_newer_acknowledgement() {
    let mut s = story();
    let [one, two, three] = [1, 2, 3].map(|n| version(n * 10, op(WEB, n - 1)));
    write(&mut s, (1_000, 1_010), 7, one, &all_at(1_005));
    write(&mut s, (2_000, 2_010), 7, two, &[(2_005, A)]);
    write(&mut s, (3_000, 3_010), 7, three, &[(3_005, A)]);
    // Two versions were acknowledged since the first: the earlier one 1490 ms before.
    read(&mut s, (3_500, 3_520), 7, op(WEB, 3), one);
    read(&mut s, (3_600, 3_620), 7, op(WEB, 4), three);
    // It began before anything was acknowledged that it missed.
    read(&mut s, (2_009, 2_030), 7, op(WEB, 5), one);
    read(&mut s, (4_000, 4_010), 8, op(WEB, 6), Version::NOTHING);
    let verdict = s.verdict();
    expect(
        &verdict,
        &[
            ("reads.stale", 0.25),
            ("staleness.max", 1.490),
            ("staleness.mean", 1.490 / 4.0),
            ("staleness.versions_max", 2.0),
            ("staleness.versions_mean", 0.5),
            ("writes.acknowledged", 3.0),
            ("updates.lost", 0.0),
            ("writes.concurrent", 0.0),
            ("divergence.keys", 1.0),
        ],
    );
}

#[test]
fn visibility_counts_reads_by_their_age_against_the_last_acknowledgement() {
    let mut s = story();
    let v = version(10, op(WEB, 0));
    write(&mut s, (1_000, 1_010), 1, v, &[(1_005, A)]);
    // 1 ms, 1 ms and 15 ms after it; and one that began before it ended.
    read(&mut s, (1_011, 1_012), 1, op(WEB, 1), Version::NOTHING);
    read(&mut s, (1_011, 1_012), 1, op(WEB, 2), v);
    read(&mut s, (1_025, 1_026), 1, op(WEB, 3), v);
    read(&mut s, (1_009, 1_012), 1, op(WEB, 4), Version::NOTHING);
    let verdict = s.verdict();
    expect(
        &verdict,
        &[
            ("visibility.share{after=\"1ms\"}", 0.5),
            ("visibility.share{after=\"10ms\"}", 1.0),
            ("visibility.share", 2.0 / 3.0),
            ("visibility.t99", 0.010),
            ("reads.stale", 0.25),
        ],
    );
}

#[test]
fn a_fast_clock_loses_a_later_write_that_overlapped_with_nothing() {
    let mut s = story();
    // The first coordinator's clock is ahead: its stamp stays the largest.
    let (ahead, later) = (version(900, op(WEB, 0)), version(20, op(WEB, 1)));
    write(&mut s, (1_000, 1_010), 7, ahead, &all_at(1_005));
    write(&mut s, (2_000, 2_010), 7, later, &all_at(2_005));
    read(&mut s, (3_000, 3_010), 7, op(WEB, 2), ahead);
    let verdict = s.verdict();
    expect(&verdict, &[("updates.lost", 1.0), ("writes.concurrent", 0.0), ("reads.stale", 1.0)]);
}

#[test]
fn of_two_writes_that_overlap_the_smaller_stamp_is_lost_and_reading_the_larger_is_fresh() {
    let mut s = story();
    let (small, large) = (version(10, op(WEB, 0)), version(11, op(APP, 0)));
    write(&mut s, (1_000, 1_020), 7, small, &all_at(1_005));
    write(&mut s, (1_010, 1_030), 7, large, &all_at(1_015));
    read(&mut s, (1_040, 1_050), 7, op(WEB, 1), large);
    read(&mut s, (1_060, 1_070), 7, op(WEB, 2), small);
    let verdict = s.verdict();
    expect(&verdict, &[("updates.lost", 1.0), ("writes.concurrent", 2.0), ("reads.stale", 0.5)]);
    // Written one after the other, the first is replaced, not lost.
    let mut s = story();
    write(&mut s, (1_000, 1_010), 7, small, &all_at(1_005));
    write(&mut s, (1_010, 1_030), 7, large, &all_at(1_015));
    expect(&s.verdict(), &[("updates.lost", 0.0), ("writes.concurrent", 0.0)]);
}

#[test]
fn a_user_that_misses_its_own_write_or_goes_back_is_counted() {
    let mut s = story();
    let [one, two] = [version(10, op(WEB, 0)), version(20, op(APP, 0))];
    session(&mut s, 1_000, one.op, 4);
    write(&mut s, (1_000, 1_010), 7, one, &all_at(1_005));
    session(&mut s, 1_020, op(WEB, 1), 4);
    read(&mut s, (1_020, 1_030), 7, op(WEB, 1), Version::NOTHING);
    // Another user may miss it: it is stale, and no broken promise.
    session(&mut s, 1_020, op(WEB, 2), 5);
    read(&mut s, (1_020, 1_030), 7, op(WEB, 2), Version::NOTHING);
    write(&mut s, (1_040, 1_050), 7, two, &all_at(1_045));
    for (n, (time, version)) in [(1_060, two), (1_080, one)].into_iter().enumerate() {
        session(&mut s, time, op(WEB, 3 + n as u64), 4);
        read(&mut s, (time, time + 10), 7, op(WEB, 3 + n as u64), version);
    }
    let verdict = s.verdict();
    expect(
        &verdict,
        &[
            ("session.read_your_writes", 1.0),
            ("session.monotonic_reads", 1.0),
            ("session.reads", 4.0),
            ("reads.stale", 0.75),
        ],
    );
}

#[test]
fn convergence_counts_from_the_last_clearing_until_every_running_replica_has_it() {
    let mut s = story();
    let [one, two, late] = [1, 2, 3].map(|n| version(n * 10, op(WEB, n - 1)));
    write(&mut s, (1_000, 1_010), 7, one, &all_at(1_005));
    s.onset(5_000, 0, &[C]);
    write(&mut s, (6_000, 6_010), 7, two, &[(6_005, A), (6_006, B)]);
    s.cleared(10_000, 0);
    // What ends after the clearing is not waited for.
    write(&mut s, (11_000, 11_010), 8, late, &[(11_005, A)]);
    installed(&mut s, 12_500, C, 7, two);
    expect(&s.verdict(), &[("convergence.time", 2.5), ("divergence.keys", 1.0)]);
}

#[test]
fn a_dead_replica_is_not_waited_for_until_it_runs_again() {
    let mut s = story();
    let one = version(10, op(WEB, 0));
    s.onset(1_000, 0, &[C]);
    s.down(1_000, C, false);
    write(&mut s, (2_000, 2_010), 7, one, &[(2_005, A), (2_005, B)]);
    s.cleared(10_000, 0);
    s.up(10_000, C);
    let mut never = s;
    let censored = sample(&never.verdict(), "convergence.time");
    assert_eq!(censored, regionsim::measure::Sample::Censored(110.0), "120 s less 10 s");
}

#[test]
fn what_a_crash_took_from_every_disk_is_lost() {
    let mut s = story();
    let [one, two] = [version(10, op(WEB, 0)), version(20, op(WEB, 1))];
    write(&mut s, (1_000, 1_010), 7, one, &all_at(1_005));
    write(&mut s, (2_000, 2_010), 7, two, &[(2_005, A)]);
    s.fact(3_000, Fact::Reverted { node: A, group: ORDERS, key: 7, version: one });
    expect(&s.verdict(), &[("writes.lost", 1.0), ("divergence.keys", 0.0)]);
}

#[test]
fn an_answer_that_did_not_end_the_read_does_not_count() {
    let mut s = story();
    let one = version(10, op(WEB, 0));
    write(&mut s, (1_000, 1_010), 7, one, &all_at(1_005));
    let id = op(WEB, 1);
    s.invoked(2_000, id, OpKind::Read, 7);
    let version = Version::NOTHING;
    s.fact(2_005, Fact::Returned { node: B, group: ORDERS, op: id, version });
    s.fact(2_006, Fact::Returned { node: A, group: ORDERS, op: id, version: one });
    s.concluded(2_010, id, Outcome::Ok, A);
    expect(&s.verdict(), &[("reads.stale", 0.0)]);
}
