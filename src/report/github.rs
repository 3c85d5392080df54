//! What GitHub Actions reads: annotations of what does not hold, at the line that expects it.

use crate::measure::expect::Ruling;
use crate::report::Findings;
use crate::report::baseline::Check;
use crate::report::comparison::text::difference;

/// A line per expectation that does not hold and per regression; `file` is the scenario as the
/// user named it, `text` what it holds. The format is that of workflow commands:
/// `::error file=…,line=…,title=…::message`.
pub fn annotations(findings: &Findings, checks: &[Check], file: &str, text: &str) -> String {
    let mut out = String::new();
    for (expectation, judgement) in &findings.expectations {
        let level = match judgement.verdict {
            Ruling::Pass => continue,
            Ruling::Fail => "error",
            Ruling::Inconclusive => "warning",
        };
        let key = expectation.key.to_string();
        let value = judgement.value.map_or("no value".to_string(), |value| value.to_string());
        let note = if judgement.note.is_empty() { "" } else { " · " };
        let message = format!(
            "{} is {value}, expected {}{note}{}",
            expectation.aggregate, expectation.text, judgement.note
        );
        out.push_str(&line(level, file, line_of(text, &key), &key, &message));
    }
    for check in checks.iter().filter(|check| check.regressed) {
        let key = check.key.to_string();
        let by = difference(check.key.doc().unit, &check.difference);
        let message = format!("worse than the baseline by {by}");
        out.push_str(&line("error", file, line_of(text, &key), &key, &message));
    }
    out
}

fn line(level: &str, file: &str, number: usize, title: &str, message: &str) -> String {
    let (file, title) = (property(file), property(title));
    format!("::{level} file={file},line={number},title={title}::{}\n", escaped(message))
}

/// The first line that names the metric, quotes or not, escaped or not; the first line of all where
/// there is none (the expectations may come from elsewhere).
fn line_of(text: &str, key: &str) -> usize {
    let name = key.split('{').next().unwrap_or(key);
    let named = |line: &str| {
        let line = line.trim_start();
        !line.starts_with('#') && line.replace("\\\"", "\"").contains(key)
    };
    let by_name = |line: &str| !line.trim_start().starts_with('#') && line.contains(name);
    let found = text.lines().position(named).or_else(|| text.lines().position(by_name));
    found.map_or(1, |at| at + 1)
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn what_does_not_hold_is_annotated_where_it_is_expected() {
        let text = "# rto.restored is of interest\n[expect]\n\"rto.restored\" = [\"p50 < 1m\"]\n";
        let told = annotations(&findings(100), &[], "a,b.toml", text);
        assert_eq!(
            told,
            "::warning file=a%2Cb.toml,line=3,title=rto.restored::p50 is 54, expected p50 < 1m · 10 of 100 trials censored\n"
        );
    }
}
