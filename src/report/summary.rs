//! The table a person reads in the terminal.

use crate::measure::expect::Ruling;
use crate::measure::{Expectation, Judgement};
use crate::report::findings::{Findings, Metric, phases};
use crate::report::json::ruling_word;
use crate::report::number;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

/// A row: metric, limit, p50, p95, the judged value with its interval, verdict and note.
pub type Row = [String; 6];

/// The header of [`rows`].
pub const HEADER: [&str; 6] = ["metric", "limit", "p50", "p95", "[95 % CI]", "verdict"];

/// A row per expectation, then one per headline metric nothing is expected of.
pub fn rows(findings: &Findings) -> Vec<(Row, Option<Ruling>)> {
    let expected = findings.expectations.iter().map(|(expectation, judgement)| {
        (expected_row(findings, expectation, judgement), Some(judgement.verdict))
    });
    let headlines = findings.headlines().map(|metric| (headline_row(metric), None));
    expected.chain(headlines).collect()
}

fn expected_row(findings: &Findings, expectation: &Expectation, judgement: &Judgement) -> Row {
    let unit = expectation.unit();
    let metric = findings.metric(&expectation.key);
    let value = judgement.value.map(|value| {
        let value = number::show_open(unit, value, judgement.at_least);
        let interval = judgement.interval.map(|i| format!(" {}", number::interval(unit, i)));
        format!("{} {value}{}", expectation.aggregate, interval.unwrap_or_default())
    });
    let value = match metric.and_then(|metric| metric.zero_bound) {
        Some(bound) => none_seen(bound),
        None => value.unwrap_or_else(|| "-".to_string()),
    };
    let (p50, p95) = middle(metric);
    let verdict = match judgement.verdict {
        Ruling::Pass => ruling_word(judgement.verdict).to_string(),
        _ if judgement.note.is_empty() => ruling_word(judgement.verdict).to_string(),
        _ => format!("{} ({})", ruling_word(judgement.verdict), judgement.note),
    };
    [expectation.key.to_string(), expectation.text.clone(), p50, p95, value, verdict]
}

fn headline_row(metric: &Metric) -> Row {
    let unit = metric.key.doc().unit;
    let interval = match (metric.zero_bound, metric.quantile("p95")) {
        (Some(bound), _) => none_seen(bound),
        (None, Some(p95)) => format!("p95 {}", number::interval(unit, p95.interval)),
        (None, None) => "-".to_string(),
    };
    let (p50, p95) = middle(Some(metric));
    let mut notes = Vec::new();
    for (count, what) in [(metric.censored, "censored"), (metric.unresolved, "unresolved")] {
        if count > 0 {
            notes.push(format!("{count} {what}"));
        }
    }
    [metric.key.to_string(), String::new(), p50, p95, interval, notes.join(", ")]
}

/// Zero is a claim too: it is printed with its bound.
fn none_seen(bound: f64) -> String {
    format!("none (< {:.2} % of trials)", bound * 100.0)
}

fn middle(metric: Option<&Metric>) -> (String, String) {
    let show = |name: &str| {
        let quantile = metric.and_then(|metric| Some((metric, metric.quantile(name)?)));
        quantile.map_or("-".to_string(), |(metric, quantile)| {
            number::show_open(metric.key.doc().unit, quantile.value, quantile.at_least)
        })
    };
    (show("p50"), show("p95"))
}

/// What stands above the table.
pub fn title(findings: &Findings) -> String {
    let (heading, outcomes) = (&findings.heading, &findings.outcomes);
    let finished = outcomes.trials.len();
    let mut title = format!("{}   ", heading.label());
    title.push_str(&match outcomes.interrupted() {
        true => format!("{finished} of {} trials (interrupted)", outcomes.asked),
        false => format!("{finished} trials"),
    });
    title.push_str(&format!("  seed {}", heading.seed));
    let halted = outcomes.trials.iter().filter(|trial| trial.finish.halted).count();
    if halted > 0 {
        title.push_str(&format!("  {halted} halted at the limit of events"));
    }
    title
}

/// The phases of the outage, a line per store: medians of what participants reported.
pub fn phase_lines(findings: &Findings) -> Vec<String> {
    let phases = phases(findings);
    let several = phases.len() > 1;
    let line = |(store, phases): (&String, &Vec<(&'static str, f64)>)| {
        let parts: Vec<String> = phases
            .iter()
            .map(|(word, s)| format!("{word} {}", number::show(crate::measure::Unit::Seconds, *s)))
            .collect();
        let of = if several { format!("outage of {store}") } else { "outage".to_string() };
        format!("{of}, medians, self-reported: {}", parts.join(" · "))
    };
    phases.iter().map(line).collect()
}

/// How often each note of the judges was made, in the order of the text.
pub fn notes(findings: &Findings) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for trial in &findings.outcomes.trials {
        for note in &trial.notes {
            let first = counts.entry(note).or_insert((0u64, trial.trial));
            first.0 += 1;
        }
    }
    let show = |(note, (count, first)): (&String, (u64, u64))| match count {
        1 => format!("{note} (trial {first})"),
        n => format!("{note} ({n} trials, first {first})"),
    };
    counts.into_iter().take(10).map(show).collect()
}

/// The whole summary. Colour marks the verdicts; the words alone say as much.
pub fn text(findings: &Findings, colour: bool) -> String {
    let rows = rows(findings);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for (row, _) in &rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((1, 1)).set_constraint(ColumnConstraint::ContentWidth);
    }
    for right in [2, 3] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = format!("{}\n", title(findings));
    for (n, line) in table.to_string().lines().enumerate() {
        let ruling = n.checked_sub(1).and_then(|n| rows.get(n)).and_then(|(_, ruling)| *ruling);
        out.push_str(&format!(" {}\n", coloured(line.trim_end(), ruling.filter(|_| colour))));
    }
    for line in phase_lines(findings) {
        out.push_str(&format!("  {line}\n"));
    }
    for note in notes(findings) {
        out.push_str(&format!("  note: {note}\n"));
    }
    out
}

fn coloured(line: &str, ruling: Option<Ruling>) -> String {
    let Some(ruling) = ruling else { return line.to_string() };
    let colour = match ruling {
        Ruling::Pass => 32,
        Ruling::Inconclusive => 33,
        Ruling::Fail => 31,
    };
    let word = ruling_word(ruling);
    match line.rfind(&format!("  {word}")) {
        Some(at) => {
            let (before, after) = line.split_at(at + 2);
            format!("{before}\u{1b}[{colour}m{after}\u{1b}[0m")
        }
        None => line.to_string(),
    }
}

/// One line for a list of scenarios.
pub fn line(findings: &Findings) -> String {
    let expectations = &findings.expectations;
    let count = |ruling| expectations.iter().filter(|(_, j)| j.verdict == ruling).count();
    let verdict = if expectations.is_empty() {
        "measured; nothing expected".to_string()
    } else {
        let word = ruling_word(findings.ruling());
        format!("{word}: {} of {} expectations hold", count(Ruling::Pass), expectations.len())
    };
    format!("{}: {verdict}", title(findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn a_summary_reads_like_this() {
        let expected = "\
cut   100 trials  seed 42
  metric                 limit         p50     p95  [95 % CI]                      verdict
  rto.restored           p50 < 1m    54.0s  > 100s  p50 54.0s [43.0s, 66.0s]       inconclusive (10 of 100 trials censored)
  split_brain.incidents  max == 0        0       0  none (< 2.95 % of trials)      pass
  outage, medians, self-reported: detect 29.0s · DNS tail 41.0s
";
        let shown = text(&findings(100), false);
        let squeezed = |text: &str| {
            text.lines()
                .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(squeezed(&shown), squeezed(expected), "\n{shown}");
        let columns =
            |line: &str| line.find("p50 <").or(line.find("max ==")).or(line.find("limit"));
        let starts: Vec<_> = shown.lines().skip(1).take(3).map(columns).collect();
        assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "\n{shown}");
    }

    #[test]
    fn colour_marks_only_the_verdict() {
        let shown = text(&findings(500), true);
        assert!(shown.contains("\u{1b}[32mpass\u{1b}[0m"), "{shown}");
        assert!(!text(&findings(500), false).contains('\u{1b}'));
    }

    #[test]
    fn an_interruption_is_said() {
        let mut findings = findings(3);
        findings.outcomes.asked = 500;
        assert!(title(&findings).contains("3 of 500 trials (interrupted)"));
        assert!(line(&findings).contains("expectations hold"));
    }
}
