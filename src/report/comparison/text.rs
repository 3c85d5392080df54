//! The table of a comparison for the terminal.

use crate::measure::stats::Difference;
use crate::measure::{Better, Unit};
use crate::report::comparison::{Cell, Comparison, Line};
use crate::report::findings::Metric;
use crate::report::number;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

/// A row: metric and design, mean, p50, p95, difference with its interval, what it means.
pub type Row = [String; 6];

/// The header of [`rows`].
pub const HEADER: [&str; 6] = ["metric / design", "mean", "p50", "p95", "difference [95 % CI]", ""];

/// For each metric on which designs differ a row with its name and its winner, and below it a row
/// per design; designs that are the same as the reference share one.
pub fn rows(comparison: &Comparison) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in comparison.lines.iter().filter(|line| !line.says_nothing()) {
        let name = match line.winner() {
            Some(winner) => format!("best: {}", comparison.designs[winner].label),
            None => String::new(),
        };
        rows.push([line.key.to_string(), "".into(), "".into(), "".into(), "".into(), name]);
        let mut alike: Vec<&str> = Vec::new();
        for (cell, design) in line.cells.iter().zip(&comparison.designs) {
            match &cell.difference {
                Some(difference) if difference.is_nothing() => alike.push(&design.label),
                _ => rows.push(design_row(line, cell, &design.label)),
            }
        }
        if !alike.is_empty() {
            let those = format!("the same: {}", alike.join(", "));
            rows.push(["".into(), "".into(), "".into(), "".into(), "".into(), those]);
        }
    }
    rows
}

/// The metrics on which no design differs from the reference, with what they are in all.
pub fn the_same(comparison: &Comparison) -> Option<String> {
    let said = |line: &Line| {
        let metric = line.cells.first()?.metric.as_ref()?;
        let unit = line.key.doc().unit;
        let median = metric.quantile("p50")?;
        let value = number::show_open(unit, median.value, median.at_least);
        Some(format!("{} (median {value})", line.key))
    };
    let those = comparison.lines.iter().filter(|line| line.says_nothing()).filter_map(said);
    let those: Vec<String> = those.collect();
    (!those.is_empty()).then(|| format!("the same in all designs: {}", those.join(", ")))
}

fn design_row(line: &Line, cell: &Cell, label: &str) -> Row {
    let unit = line.key.doc().unit;
    let none = || "-".to_string();
    let mean = cell.metric.as_ref().and_then(|metric| metric.mean);
    let quantile = |name: &str| {
        let quantile = cell.metric.as_ref().and_then(|metric| metric.quantile(name));
        quantile.map_or_else(none, |q| number::show_open(unit, q.value, q.at_least))
    };
    let mean = mean.map_or_else(none, |mean| number::show(unit, mean));
    let difference = cell.difference.as_ref().map_or_else(String::new, |d| difference(unit, d));
    let meaning = cell.difference.as_ref().map_or("", |d| meaning(line, d));
    [
        format!("  {label}"),
        mean,
        quantile("p50"),
        quantile("p95"),
        difference,
        format!("{meaning}{}", open(cell.metric.as_ref())),
    ]
}

/// `+12.3s [10.1s, 14.5s]`; the median where the mean is not known.
pub fn difference(unit: Unit, difference: &Difference) -> String {
    if difference.is_nothing() {
        return "none".to_string();
    }
    match (difference.mean, difference.interval) {
        (Some(mean), Some(interval)) => {
            format!("{} {}", signed(unit, mean), signed_interval(unit, interval))
        }
        (Some(mean), None) => signed(unit, mean),
        _ => {
            let (low, high) = difference.median;
            let median = match (low == high, low.is_finite()) {
                (true, _) => signed(unit, low),
                (false, true) => format!("> {}", signed(unit, low)),
                (false, false) => "?".to_string(),
            };
            format!("median {median} {}", signed_interval(unit, difference.median_interval))
        }
    }
}

/// A difference with its sign; of shares in percentage points.
pub fn signed(unit: Unit, value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    match unit {
        // Differences of shares are in percentage points, and need no special case near one.
        Unit::Share => format!("{sign}{:.3} pp", value * 100.0),
        _ => format!("{sign}{}", number::show(unit, value)),
    }
}

fn signed_interval(unit: Unit, (low, high): (f64, f64)) -> String {
    let side =
        |value: f64| if value.is_infinite() { "…".to_string() } else { signed(unit, value) };
    format!("[{}, {}]", side(low), side(high))
}

/// What a difference to the reference means.
pub fn meaning(line: &Line, difference: &Difference) -> &'static str {
    let good = match line.key.doc().better {
        Better::Higher => 1,
        Better::Lower => -1,
        Better::Neither => 0,
    };
    if difference.is_nothing() {
        return "the same";
    }
    match (difference.sign(), difference.sign() * good) {
        (0, _) => "not distinguishable",
        (_, 0) => "different",
        (_, 1) => "better",
        _ => "worse",
    }
}

fn open(metric: Option<&Metric>) -> String {
    let Some(metric) = metric else { return String::new() };
    let counts = [(metric.censored, "censored"), (metric.unresolved, "unresolved")];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!(" ({count} {what})"))
        .collect();
    parts.concat()
}

/// What stands above the table.
pub fn title(comparison: &Comparison) -> String {
    let reference = comparison.designs.first();
    let (trials, seed) =
        reference.map_or((0, 0), |d| (d.findings.outcomes.trials.len(), d.findings.heading.seed));
    let cut = comparison.designs.iter().any(|design| design.findings.outcomes.interrupted());
    format!(
        "{}   {} designs, the same {trials} trials of seed {seed}{}",
        comparison.title,
        comparison.designs.len(),
        if cut { " (interrupted)" } else { "" },
    )
}

/// What nothing else beats, in a sentence.
pub fn front(comparison: &Comparison) -> String {
    let labels = |unbeaten: bool| {
        let those = comparison.designs.iter().filter(|design| design.unbeaten == unbeaten);
        those.map(|design| design.label.as_str()).collect::<Vec<_>>().join(", ")
    };
    match comparison.designs.iter().all(|design| design.unbeaten) {
        true => "of no design another is better somewhere and worse nowhere".to_string(),
        false => format!(
            "beaten, for another is better somewhere and worse nowhere: {}; unbeaten: {}",
            labels(false),
            labels(true)
        ),
    }
}

/// What the designs are, where their labels do not say it.
pub fn descriptions(comparison: &Comparison) -> Vec<String> {
    let told = comparison.designs.iter().filter(|design| !design.about.is_empty());
    told.map(|design| format!("{}: {}", design.label, design.about)).collect()
}

/// The whole of it.
pub fn text(comparison: &Comparison) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for row in rows(comparison) {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((1, 1)).set_constraint(ColumnConstraint::ContentWidth);
    }
    for right in [1, 2, 3] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = format!("{}\n", title(comparison));
    if let Some(reference) = comparison.designs.first() {
        out.push_str(&format!("  differences are to `{}`, trial by trial\n", reference.label));
    }
    for line in table.to_string().lines() {
        out.push_str(&format!(" {}\n", line.trim_end()));
    }
    for line in the_same(comparison).into_iter().chain(descriptions(comparison)) {
        out.push_str(&format!("  {line}\n"));
    }
    out.push_str(&format!("  {}\n", front(comparison)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::three;

    #[test]
    fn a_comparison_reads_like_this() {
        let expected = "\
comparison   3 designs, the same 100 trials of seed 42
  differences are to `slow`, trial by trial
  metric / design   mean    p50     p95  difference [95 % CI]
  rto.restored                                                            best: fast
    slow            103s   103s    106s
    fast           63.0s  63.0s   66.0s  -40.0s [-40.0s, -40.0s]          better
    poor               -   130s  > 200s  median +27.0s [+27.0s, +28.0s]   worse (10 censored)
  writes.lost                                                             best: slow
    slow               0      0       0
    fast            0.99      1       2  +0.99 [+0.82, +1.14]             worse
    poor               5      5       5  +5 [+5, +5]                      worse
  beaten, for another is better somewhere and worse nowhere: poor; unbeaten: slow, fast
";
        let shown = text(&three());
        let squeezed = |text: &str| -> Vec<String> {
            text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(squeezed(&shown), squeezed(expected), "\n{shown}");
    }
}
