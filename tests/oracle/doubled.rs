//! Stories of writes whose effect came twice.

use crate::story::*;
use regionsim::measure::Sample;
use regionsim::model::fact::{OpKind, Outcome};
use regionsim::model::id::OpId;

/// A write of node a that gets no answer, and whose retry node a appends once more, on top.
fn charged_twice(story: &mut Story, time: u64, op: OpId, first: u64, ends: Outcome) {
    let s = segment(1, A);
    story.invoked(time, op, OpKind::Write, 7).appended(time, A, op, at(s, first));
    story.appended(time + 500, A, op, at(s, first + 1)).durable(time + 500, A, at(s, first + 1));
    if ends == Outcome::Ok {
        story.answered(time + 501, A, op, at(s, first + 1));
    }
    story.concluded(time + 502, op, ends, A);
}

#[test]
fn a_retry_that_the_store_does_not_recognise_is_charged_twice() {
    let mut story = Story::new();
    charged_twice(&mut story, 10_000, op(WEB, 0), 1, Outcome::Ok);
    charged_twice(&mut story, 20_000, op(WEB, 1), 3, Outcome::Unknown);
    charged_twice(&mut story, 30_000, op(APP, 0), 5, Outcome::Ok);
    story.settling().flushed(101_000, op(WEB, 2), A, at(segment(1, A), 7));
    expect(
        &story.verdict(),
        &[
            ("writes.doubled", 3.0),
            ("writes.doubled_acknowledged", 2.0),
            ("writes.doubled{client=\"web\"}", 2.0),
            ("writes.doubled_acknowledged{client=\"web\"}", 1.0),
            ("writes.doubled{region=\"b\"}", 1.0),
            // The client gave the second one up, and yet it happened: once is bad enough.
            ("writes.unacked_survived", 1.0),
            ("writes.lost", 0.0),
        ],
    );
}

#[test]
fn a_repeated_answer_is_no_second_effect() {
    let mut story = Story::new();
    let place = at(segment(1, A), 1);
    story.flushed(10_000, op(WEB, 0), A, place).answered(12_000, A, op(WEB, 0), place);
    expect(&story.settling().verdict(), &[("writes.doubled", 0.0)]);
}

#[test]
fn a_second_entry_that_is_rewound_takes_its_effect_with_it() {
    let mut story = Story::new();
    let s = segment(1, A);
    // Node b has the first of the two entries, and takes over from there.
    charged_twice(&mut story, 10_000, op(WEB, 0), 1, Outcome::Ok);
    story.replicated(10_100, B, at(s, 1));
    story.onset(11_000, 0, &[A]).down(11_000, A, false).promoted(20_000, B, 2, at(s, 1));
    story.settling().flushed(101_000, op(WEB, 1), B, at(segment(2, B), 2));
    expect(&story.verdict(), &[("writes.doubled", 0.0), ("writes.lost", 0.0)]);
}

#[test]
fn a_retry_across_a_failover_doubles_what_had_been_shipped() {
    let mut story = Story::new();
    let (s, retried) = (segment(1, A), op(WEB, 0));
    story.invoked(10_000, retried, OpKind::Write, 7).appended(10_001, A, retried, at(s, 1));
    story.durable(10_001, A, at(s, 1)).replicated(10_050, B, at(s, 1));
    story.onset(10_100, 0, &[A]).down(10_100, A, false).promoted(12_000, B, 2, at(s, 1));
    let again = at(segment(2, B), 2);
    story.appended(12_500, B, retried, again).durable(12_500, B, again);
    story.answered(12_501, B, retried, again).concluded(12_502, retried, Outcome::Ok, B);
    story.settling().flushed(101_000, op(WEB, 1), B, at(segment(2, B), 3));
    expect(&story.verdict(), &[("writes.doubled", 1.0), ("writes.doubled_acknowledged", 1.0)]);
}

#[test]
fn where_the_survivor_is_unresolved_doubles_have_bounds() {
    let mut story = Story::new();
    story.flushed(9_000, op(WEB, 0), A, at(segment(1, A), 1));
    story.replicated(9_100, B, at(segment(1, A), 1)).onset(9_500, 0, &[A]);
    story.promoted(9_600, B, 2, at(segment(1, A), 1));
    charged_twice(&mut story, 10_000, op(WEB, 1), 2, Outcome::Ok);
    story.settling().flushed(101_000, op(APP, 0), B, at(segment(2, B), 2));
    let verdict = story.verdict();
    assert_eq!(sample(&verdict, "writes.doubled"), Sample::Bounds { low: 0.0, high: 1.0 });
}
