//! Held against a baseline, findings are the same, worse, better, or cannot be held against it.

use super::*;
use crate::measure::Expectation;
use crate::report::comparison::tests::design;
use crate::report::{csv, json};

fn findings(seed: u64, of: impl Fn(u64) -> f64) -> Findings {
    let (_, _, mut findings) = design("cut", |n| (Sample::Value(of(n)), Sample::Value(0.0)));
    findings.heading.seed = seed;
    findings
}

fn accepted(findings: &Findings) -> Baseline {
    let trials = csv::trials(findings);
    Baseline::read(&json::text(findings), &trials).expect("what was written can be read")
}

fn rto(checks: &[Check]) -> &Check {
    checks.iter().find(|check| check.key.name == "rto.restored").expect("a headline")
}

/// Much noise that both share when the seed is the same.
fn noise(n: u64) -> f64 {
    100.0 + ((n * 7919) % 97) as f64
}

#[test]
fn the_same_again_is_exactly_nothing() {
    let then = findings(42, noise);
    let checks = accepted(&then).check(&then, 0.0);
    assert!(checks.iter().all(|check| check.difference.is_nothing() && !check.regressed));
}

#[test]
fn a_small_change_shows_where_trials_are_paired_and_drowns_where_they_are_not() {
    let then = accepted(&findings(42, noise));
    let worse = |n: u64| noise(n) + 1.0;
    let paired = then.check(&findings(42, worse), 0.0);
    assert!(rto(&paired).paired && rto(&paired).regressed);
    assert_eq!(rto(&paired).difference.mean, Some(1.0));
    let alone = then.check(&findings(43, worse), 0.0);
    assert!(!rto(&alone).paired && !rto(&alone).regressed && !rto(&alone).improved);
    // What is large shows all the same.
    assert!(rto(&then.check(&findings(43, |n| noise(n) + 90.0), 0.0)).regressed);
    assert!(rto(&then.check(&findings(42, |n| noise(n) - 1.0), 0.0)).improved);
}

#[test]
fn what_is_tolerated_is_no_regression() {
    let then = accepted(&findings(42, noise));
    let worse = findings(42, |n| noise(n) + 1.0);
    assert!(rto(&then.check(&worse, 0.001)).regressed, "the mean is 148: 0.1 % is 0.15");
    assert!(!rto(&then.check(&worse, 0.05)).regressed, "5 % is 7.4");
}

#[test]
fn what_is_no_baseline_is_refused() {
    let then = findings(42, noise);
    let (results, trials) = (json::text(&then), csv::trials(&then));
    assert!(Baseline::read("{}", &trials).unwrap_err().contains("not the results of a run"));
    assert!(Baseline::read("{", &trials).unwrap_err().starts_with("results.json"));
    assert!(Baseline::read(&results, b"a,b\n1,2\n").unwrap_err().contains("no column `trial`"));
    let torn = b"trial,rto.restored\n1,fast\n";
    assert!(Baseline::read(&results, torn).unwrap_err().contains("no sample"));
    let mut other = findings(42, noise);
    other.heading.name = "another".to_string();
    assert!(accepted(&then).foreign(&other).unwrap().contains("not of `another`"));
}

#[test]
fn an_expectation_of_a_labelled_metric_is_checked_too() {
    let mut now = findings(42, noise);
    let expected = Expectation::parse("writes.lost", "max == 0").unwrap();
    let judged = expected.judge(&[Sample::Value(0.0)]);
    now.expectations.push((expected, judged));
    let checks = accepted(&now).check(&now, 0.0);
    assert_eq!(checks[0].key.name, "writes.lost");
    assert_eq!(checks.len(), 2, "once each");
}
