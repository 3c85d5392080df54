//! `--junit`: expectations, and checks against a baseline, as test cases.

use crate::measure::expect::Ruling;
use crate::report::Findings;
use crate::report::baseline::Check;
use crate::report::comparison::text::difference;
pub use quick_junit::TestSuite;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};

/// The file of all suites.
pub fn text(suites: Vec<TestSuite>) -> String {
    let mut report = Report::new("regionsim");
    report.add_test_suites(suites);
    // Writing to memory cannot fail.
    report.to_string().unwrap_or_default()
}

/// The suite of a scenario: one case per expectation or check.
pub fn suite(findings: &Findings, checks: &[Check]) -> TestSuite {
    let label = findings.heading.label();
    let mut suite = TestSuite::new(label.clone());
    for (expectation, judgement) in &findings.expectations {
        let kind = match judgement.verdict {
            Ruling::Pass => None,
            Ruling::Fail => Some("fail"),
            Ruling::Inconclusive => Some("inconclusive"),
        };
        let name = format!("{} {}", expectation.key, expectation.text);
        let value = judgement.value.map(|value| format!("{} is {value}", expectation.aggregate));
        let mut said = vec![value.unwrap_or_else(|| "no value".to_string())];
        said.extend(Some(judgement.note.clone()).filter(|note| !note.is_empty()));
        suite.add_test_case(case(&name, &label, kind, &said.join("; ")));
    }
    for check in checks {
        let name = format!("{} against the baseline", check.key);
        let kind = check.regressed.then_some("regression");
        let said = difference(check.key.doc().unit, &check.difference);
        suite.add_test_case(case(&name, &label, kind, &said));
    }
    suite
}

fn case(name: &str, label: &str, kind: Option<&str>, said: &str) -> TestCase {
    let mut status = match kind {
        None => TestCaseStatus::success(),
        Some(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if let Some(kind) = kind {
        status.set_type(kind).set_message(said);
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(label);
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn a_case_per_expectation_and_only_what_holds_succeeds() {
        let text = text(vec![suite(&findings(100), &[])]);
        assert!(text.contains("<testsuite name=\"cut\" tests=\"2\""), "{text}");
        assert!(text.contains("failures=\"1\""), "{text}");
        assert!(text.contains("type=\"inconclusive\""), "{text}");
        assert!(text.contains("10 of 100 trials censored"), "{text}");
    }
}
