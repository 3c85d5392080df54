//! Distributions over trials as lines of bars, for the terminal: one line a metric.

use crate::measure::MetricKey;
use crate::report::findings::{Findings, only_store};
use crate::report::number;

/// What is drawn beside what is expected of a metric.
const NAMED: [&str; 3] = ["rto.restored", "rpo.time", "writes.lost"];
/// With fewer trials there is no distribution to see.
const LEAST_TRIALS: usize = 20;
/// The most lines.
const LIMIT_LINES: usize = 6;
const WIDTH: usize = 40;

/// Heights of bars, from none to the highest.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '.', '.', ':', ':', '+', '*', '#', '@'];

/// A line for each of the metrics that people ask for and differ between trials. Nothing where there
/// are few trials.
pub fn text(findings: &Findings, ascii: bool) -> String {
    if findings.outcomes.trials.len() < LEAST_TRIALS {
        return String::new();
    }
    let wanted = |key: &&MetricKey| {
        let expected = findings.expectations.iter().any(|(e, _)| e.key == **key);
        only_store(key) && (expected || NAMED.contains(&key.name))
    };
    let keys = findings.outcomes.keys.iter().filter(wanted);
    let lines: Vec<[String; 4]> = keys.filter_map(|key| line(findings, key, ascii)).collect();
    let lines = &lines[..lines.len().min(LIMIT_LINES)];
    if lines.is_empty() {
        return String::new();
    }
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let (names, lows) = (width(0), width(1));
    let wall = if ascii { '|' } else { '│' };
    let mut out = String::from("  trials by value\n");
    for [name, low, bars, rest] in lines {
        out.push_str(&format!("  {name:names$}  {low:>lows$} {wall}{bars}{wall} {rest}\n"));
    }
    out
}

fn line(findings: &Findings, key: &MetricKey, ascii: bool) -> Option<[String; 4]> {
    let samples = findings.outcomes.samples(key)?;
    let known: Vec<f64> = samples.iter().filter_map(|sample| sample.value()).collect();
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let most = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if known.is_empty() || least >= most {
        return None;
    }
    let mut counts = [0usize; WIDTH];
    for value in &known {
        let place = ((value - least) / (most - least) * WIDTH as f64) as usize;
        counts[place.min(WIDTH - 1)] += 1;
    }
    let highest = counts.iter().copied().max().unwrap_or(1);
    let heights = if ascii { ASCII } else { BARS };
    // One trial is seen, however many there are elsewhere.
    let bar = |count: &usize| heights[(count * 8).div_ceil(highest)];
    let bars: String = counts.iter().map(bar).collect();
    let unit = key.doc().unit;
    let open = samples.iter().filter(|sample| sample.range().is_some()).count() - known.len();
    let beyond = if open > 0 { format!(", {open} not known exactly") } else { String::new() };
    let rest = format!("{}{beyond}", number::show(unit, most));
    Some([key.to_string(), number::show(unit, least), bars, rest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn trials_stand_where_their_values_are_and_what_is_open_is_said() {
        let drawn = text(&findings(100), true);
        // Ninety trials from 0 to 98 seconds, in forty bars of two or three.
        let bars = drawn.split('|').nth(1).unwrap();
        assert_eq!(bars.len(), WIDTH);
        assert!(bars.chars().all(|bar| "*@#+:".contains(bar)), "{drawn}");
        assert!(drawn.ends_with("| 98.0s, 10 not known exactly\n"), "{drawn}");
        assert!(drawn.is_ascii() && text(&findings(100), false).contains('█'));
        assert_eq!(text(&findings(19), true), "", "too few to see anything");
    }
}
