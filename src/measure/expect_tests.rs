//! Stories of limits and trials.

use super::*;
use crate::measure::sample::Sample::{Bounds, Censored, Missing, Value};

fn judge(key: &str, limit: &str, samples: &[Sample]) -> Judgement {
    Expectation::parse(key, limit).unwrap().judge(samples)
}

fn steps(n: u32) -> Vec<Sample> {
    (1..=n).map(|i| Value(f64::from(i))).collect()
}

#[test]
fn limits_are_read_with_their_units() {
    let p95 = Expectation::parse("rto.restored", "p95 < 110s").unwrap();
    assert_eq!((p95.aggregate, p95.limit), (Aggregate::Percentile(0.95), 110.0));
    assert_eq!(p95.aggregate.to_string(), "p95");
    let mean = Expectation::parse("availability.writes", "mean >= 95%").unwrap();
    assert_eq!((mean.compare, mean.limit), (Compare::AtLeast, 0.95));
    let share = Expectation::parse("split_brain.incidents", "share<=1%").unwrap();
    assert_eq!((share.aggregate, share.limit), (Aggregate::Share, 0.01));
    let p999 = Expectation::parse("rto.restored", "p99.9 < 2m").unwrap();
    assert_eq!((p999.aggregate.to_string().as_str(), p999.limit), ("p99.9", 120.0));
}

#[test]
fn mistakes_say_what_was_expected() {
    let error = |key: &str, limit: &str| Expectation::parse(key, limit).unwrap_err();
    assert!(error("rto.restored", "p95 < 110").contains("bare number has no unit"));
    assert!(error("rto.restored", "p95 < 5%").contains("is a duration"));
    assert!(error("writes.lost", "max == 3s").contains("expected a plain number"));
    assert!(error("writes.lost", "most == 3").contains("unknown aggregate"));
    assert!(error("writes.lost", "p100 == 3").contains("unknown aggregate"));
    assert!(error("writes.lost", "max 3").contains("aggregate operator value"));
    assert!(error("writes.lost", "max = 3").contains("operator"));
}

#[test]
fn a_limit_inside_the_interval_is_inconclusive() {
    let samples = steps(1000);
    // p95 of 1..=1000 is 950; its interval is about 936 to 963.
    assert_eq!(judge("rto.restored", "p95 < 980s", &samples).verdict, Ruling::Pass);
    assert_eq!(judge("rto.restored", "p95 < 955s", &samples).verdict, Ruling::Inconclusive);
    assert_eq!(judge("rto.restored", "p95 < 900s", &samples).verdict, Ruling::Fail);
}

#[test]
fn too_few_trials_can_fail_a_percentile_but_not_pass_it() {
    let low = judge("rto.restored", "p99 < 500s", &steps(100));
    assert_eq!(low.verdict, Ruling::Inconclusive);
    assert!(low.note.contains("needs 368"), "{}", low.note);
    assert_eq!(judge("rto.restored", "p99 < 20s", &steps(100)).verdict, Ruling::Fail);
}

#[test]
fn a_censored_trial_counts_as_longer() {
    let mut samples = steps(99);
    samples.push(Censored(30.0));
    assert_eq!(judge("rto.restored", "max < 20s", &samples).verdict, Ruling::Fail);
    assert_eq!(judge("rto.restored", "max < 200s", &samples).verdict, Ruling::Inconclusive);
    assert_eq!(judge("rto.restored", "median < 70s", &samples).verdict, Ruling::Pass);
    let mean = judge("rto.restored", "mean < 1000s", &samples);
    assert_eq!((mean.verdict, mean.at_least), (Ruling::Inconclusive, true));
}

#[test]
fn unresolved_trials_leave_the_ruling_open_only_where_they_matter() {
    let mut samples = vec![Value(0.0); 99];
    samples.push(Bounds { low: 0.0, high: 7.0 });
    assert_eq!(judge("writes.lost", "max == 0", &samples).verdict, Ruling::Inconclusive);
    assert_eq!(judge("writes.lost", "max < 8", &samples).verdict, Ruling::Pass);
}

#[test]
fn zero_events_are_printed_with_their_bound() {
    let none = judge("split_brain.incidents", "max == 0", &vec![Value(0.0); 500]);
    assert_eq!(none.verdict, Ruling::Pass);
    assert!(none.note.contains("at most 0.6% of trials"), "{}", none.note);
    let share = judge("split_brain.incidents", "share <= 0.5%", &vec![Value(0.0); 500]);
    assert_eq!(share.verdict, Ruling::Inconclusive);
}

#[test]
fn trials_to_which_a_metric_does_not_apply_are_left_out() {
    let judgement = judge("dns.tail", "max < 3s", &[Missing, Value(2.0)]);
    assert_eq!((judgement.verdict, judgement.value), (Ruling::Pass, Some(2.0)));
    assert_eq!(judge("dns.tail", "max < 3s", &[Missing]).verdict, Ruling::Inconclusive);
}

#[test]
fn lint_names_the_trials_needed_and_limits_that_must_fail_in_the_end() {
    let lint = |key, limit, n| Expectation::parse(key, limit).unwrap().lint(n);
    assert!(lint("rpo.time", "p99 < 16s", 100)[0].contains("needs 368 trials"));
    assert!(lint("rpo.time", "p99 < 16s", 368).is_empty());
    assert!(lint("rto.restored", "max < 60s", 500)[0].contains("no upper bound"));
    assert!(lint("split_brain.incidents", "max == 0", 500).is_empty());
}
