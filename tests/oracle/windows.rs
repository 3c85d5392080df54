//! Stories of windows: what is restricted to a stretch of time, a kind, a population.

use crate::story::*;
use Outcome::{Ok, Unknown};
use regionsim::measure::windows::WindowTable;
use regionsim::measure::{Sample, Verdict};
use regionsim::model::fact::{OpKind, Outcome};
use regionsim::sim::Span;
use regionsim::sim::param::Name;

/// `[measure.window.NAME]`, in seconds.
fn window(story: &mut Story, name: &str, after: Option<&str>, from: u64, to: Option<u64>) {
    let (from, to) = (secs(from), to.map(secs));
    let table = WindowTable { from, to, after: after.map(Name::of) };
    story.settings.window.0.push((Name::of(name), table));
}

/// A write of `web` and a read of `app` every 100 ms until 119 s; writes take 10 ms, and fail
/// from 40 to 50 s, while a fault acts.
fn writes_fail_for_ten_seconds(story: &mut Story) {
    for n in 0..1_190 {
        let time = n * 100;
        story.invoked(time, op(WEB, n), OpKind::Write, 0);
        let bad = (40_000..50_000).contains(&time);
        let (ends, outcome) = if bad { (time + 1_000, Unknown) } else { (time + 10, Ok) };
        story.concluded(ends, op(WEB, n), outcome, A);
        story.invoked(time, op(APP, n), OpKind::Read, 0).concluded(time + 1, op(APP, n), Ok, A);
    }
    story.onset(40_000, 0, &[A]).cleared(50_000, 0).settling();
}

fn told(windows: impl Fn(&mut Story)) -> Verdict {
    let mut story = Story::new();
    windows(&mut story);
    writes_fail_for_ten_seconds(&mut story);
    story.verdict()
}

#[test]
fn availability_and_counts_are_told_before_in_and_after_the_episode() {
    let verdict = told(|_| {});
    // Writes are bad in the window of 40 to 50 s: the episode ends there.
    assert_eq!(verdict.episodes[0].end, Some(ms(50_000)));
    expect(
        &verdict,
        &[
            ("availability{window=\"before\"}", 1.0),
            ("availability{window=\"episode\"}", 0.5),
            ("availability.writes{window=\"episode\"}", 0.0),
            ("availability.reads{window=\"episode\"}", 1.0),
            ("availability{kind=\"write\", window=\"after\"}", 1.0),
            ("ops.ok{kind=\"write\", window=\"before\"}", 400.0),
            ("ops.unknown{client=\"web\", window=\"episode\"}", 100.0),
            ("ops.ok{client=\"app\", window=\"episode\"}", 100.0),
            ("ops.ok{kind=\"write\", window=\"after\"}", 690.0),
            ("ops.ok", 2_280.0),
            // Ten of each kind a second.
            ("ops.rate{window=\"before\"}", 20.0),
            ("ops.rate{window=\"episode\"}", 10.0),
            ("ops.rate{kind=\"read\", window=\"episode\"}", 10.0),
            // Nothing is offered in the last of the 70 s after it.
            ("ops.rate{kind=\"write\", window=\"after\"}", 690.0 / 70.0),
            ("ops.rate{kind=\"read\"}", 1_190.0 / 120.0),
        ],
    );
}

#[test]
fn a_named_window_holds_what_was_invoked_in_it() {
    let verdict = told(|story| {
        window(story, "minute", None, 30, Some(45));
        window(story, "rest", None, 45, None);
    });
    expect(
        &verdict,
        &[
            // Ten seconds of success and five of failure; the last of those end after it.
            ("ops.ok{kind=\"write\", window=\"minute\"}", 100.0),
            ("ops.unknown{window=\"minute\"}", 50.0),
            ("availability.writes{window=\"minute\"}", 100.0 / 150.0),
            ("availability{region=\"b\", window=\"minute\"}", 1.0),
            ("ops.rate{kind=\"write\", window=\"minute\"}", 100.0 / 15.0),
            ("ops.unknown{window=\"rest\"}", 50.0),
            ("latency.mean{kind=\"write\", window=\"minute\"}", 0.010),
            ("latency.mean{kind=\"read\", window=\"rest\"}", 0.001),
        ],
    );
}

#[test]
fn a_window_may_be_counted_from_the_first_time_a_fault_begins_or_clears() {
    let mut story = Story::new();
    window(&mut story, "shock", Some("onset:first"), 0, Some(2));
    window(&mut story, "healed", Some("cleared:first"), 1, Some(3));
    window(&mut story, "never", Some("onset:second"), 0, Some(3));
    writes_fail_for_ten_seconds(&mut story);
    // It begins once more; that moves nothing.
    story.onset(70_000, 0, &[A]).cleared(71_000, 0);
    let verdict = story.verdict();
    expect(
        &verdict,
        &[
            ("ops.unknown{window=\"shock\"}", 20.0),
            ("ops.ok{kind=\"read\", window=\"shock\"}", 20.0),
            ("ops.ok{kind=\"write\", window=\"healed\"}", 20.0),
            ("availability{window=\"healed\"}", 1.0),
        ],
    );
    // What did not come about has no operations, not none.
    for metric in ["ops.ok", "ops.rate", "availability", "latency.p50"] {
        let key = format!("{metric}{{window=\"never\"}}");
        assert_eq!(sample(&verdict, &key), Sample::Missing, "{key}");
    }
}

#[test]
fn a_window_may_be_counted_from_a_promotion() {
    let verdict = told(|story| {
        window(story, "new-primary", Some("promoted:orders"), 1, Some(3));
        window(story, "any", Some("promoted"), 1, None);
        // The same primary again is no promotion.
        story.admits(20_000, A, false).admits(21_000, A, true);
    });
    for name in ["new-primary", "any"] {
        assert_eq!(sample(&verdict, &format!("ops.ok{{window=\"{name}\"}}")), Sample::Missing);
    }
    let mut story = Story::new();
    window(&mut story, "new-primary", Some("promoted:orders"), 1, Some(3));
    story.admits(20_000, A, false).admits(43_000, B, true);
    writes_fail_for_ten_seconds(&mut story);
    let metric = "ops.unknown{kind=\"write\", window=\"new-primary\"}";
    expect(&story.verdict(), &[(metric, 20.0)]);
}

#[test]
fn warm_up_is_left_out_of_every_window() {
    let verdict = told(|story| {
        story.roster.warmup = ms(35_000);
        window(story, "across", None, 30, Some(40));
    });
    expect(
        &verdict,
        &[
            ("ops.ok{kind=\"write\", window=\"across\"}", 50.0),
            ("ops.rate{kind=\"write\", window=\"across\"}", 10.0),
            ("ops.ok{kind=\"write\", window=\"before\"}", 50.0),
            ("ops.rate{kind=\"write\", window=\"before\"}", 10.0),
        ],
    );
}

#[test]
fn the_windows_against_episodes_share_out_all_operations() {
    let verdict = told(|story| story.settings.stable_hold = Span::from_secs(5));
    for metric in ["ops.ok", "ops.fail", "ops.unknown"] {
        let of = |window: &str| value(&verdict, &format!("{metric}{{window=\"{window}\"}}"));
        let sum = of("before") + of("episode") + of("after");
        assert_eq!(sum, value(&verdict, metric), "{metric}");
    }
}
