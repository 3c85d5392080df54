//! Stories of the onset: whose it is.

use crate::story::*;
use Outcome::{Ok, Unknown};
use regionsim::measure::{Cause, Verdict};
use regionsim::model::fact::Outcome;
use regionsim::model::id::FaultId;
use regionsim::sim::param::Name;

/// A mild fault acts from 20 s on and hurts nobody; a second one stops the writes of 60 to 70 s.
fn a_mild_fault_and_a_bad_one(named: Option<&str>) -> Verdict {
    let mut story = Story::new();
    story.settings.onset = named.map(Name::of);
    let mut web = Traffic::new(WEB, 20);
    web.writes(&mut story, 0, 60_000, Ok, A);
    web.writes(&mut story, 60_000, 70_000, Unknown, A);
    web.writes(&mut story, 70_000, 119_000, Ok, A);
    story.onset(20_000, 0, &[A]).onset(60_000, 1, &[A]);
    story.cleared(70_000, 1).cleared(99_000, 0).settling().verdict()
}

#[test]
fn an_episode_begins_with_its_first_fault() {
    let verdict = a_mild_fault_and_a_bad_one(None);
    assert_eq!(verdict.episodes.len(), 1);
    assert_eq!((verdict.episodes[0].onset, verdict.episodes[0].faults.len()), (ms(20_000), 2));
    expect(&verdict, &[("rto.first_write", 50.002), ("rto.restored", 50.002)]);
    expect(&verdict, &[("availability{window=\"before\"}", 1.0)]);
}

#[test]
fn the_scenario_may_name_the_fault_that_is_the_disaster() {
    let verdict = a_mild_fault_and_a_bad_one(Some("second"));
    let [episode] = &verdict.episodes[..] else { panic!("{:?}", verdict.episodes) };
    assert_eq!((episode.onset, episode.end), (ms(60_000), Some(ms(70_000))));
    assert_eq!((episode.cause, &episode.faults[..]), (Cause::Fault(FaultId(1)), &[FaultId(1)][..]));
    expect(
        &verdict,
        &[
            ("rto.first_write", 10.002),
            ("rto.restored", 10.002),
            ("rto.client_mean", 10.0),
            ("ops.ok{window=\"before\"}", 3_000.0),
            ("ops.unknown{window=\"episode\"}", 500.0),
        ],
    );
}

#[test]
fn what_happens_without_the_named_fault_is_no_episode() {
    let mut story = Story::new();
    story.settings.onset = Some(Name::of("second"));
    let mut web = Traffic::new(WEB, 20);
    web.writes(&mut story, 0, 30_000, Ok, A);
    web.writes(&mut story, 30_000, 40_000, Unknown, A);
    web.writes(&mut story, 40_000, 119_000, Ok, B);
    story.onset(30_000, 0, &[A]).promoted(39_000, B, 2, at(segment(1, A), 0)).cleared(50_000, 0);
    let verdict = story.settling().verdict();
    assert!(verdict.episodes.is_empty());
    // Outages and failovers are told all the same.
    let told = [("rto.restored", 0.0), ("downtime", 10.0), ("failover.count", 1.0)];
    expect(&verdict, &told);
}
