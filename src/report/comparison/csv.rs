//! A comparison as rows: one per metric and design. What is open or unknown is empty.

use crate::report::comparison::{Cell, Comparison, Line};
use crate::report::csv::written;
use crate::report::json::unit_word;

/// The columns.
pub const HEADER: [&str; 18] = [
    "metric",
    "unit",
    "design",
    "count",
    "censored",
    "unresolved",
    "mean",
    "mean_low",
    "mean_high",
    "p50",
    "p95",
    "difference_mean",
    "difference_mean_low",
    "difference_mean_high",
    "difference_median_low",
    "difference_median_high",
    "sign",
    "best",
];

/// All of it.
pub fn bytes(comparison: &Comparison) -> Vec<u8> {
    let header = HEADER.map(String::from).to_vec();
    let lines = comparison.lines.iter().chain(&comparison.others);
    let rows = lines.flat_map(|line| {
        let cells = line.cells.iter().zip(&comparison.designs);
        cells.map(move |(cell, design)| row(line, cell, &design.label))
    });
    written(std::iter::once(header).chain(rows))
}

fn row(line: &Line, cell: &Cell, label: &str) -> Vec<String> {
    let known = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let shown = |value: Option<f64>| value.map_or(String::new(), known);
    let metric = cell.metric.as_ref();
    let quantile = |name: &str| {
        let found = metric.and_then(|metric| metric.quantile(name));
        found.map_or(String::new(), |q| {
            format!("{}{}", if q.at_least { ">" } else { "" }, known(q.value))
        })
    };
    let difference = cell.difference.as_ref();
    let count = |n: Option<usize>| n.map_or(String::new(), |n| n.to_string());
    vec![
        line.key.to_string(),
        unit_word(line.key.doc().unit).to_string(),
        label.to_string(),
        count(metric.map(|metric| metric.count)),
        count(metric.map(|metric| metric.censored)),
        count(metric.map(|metric| metric.unresolved)),
        shown(metric.and_then(|metric| metric.mean)),
        shown(metric.and_then(|metric| metric.mean_interval).map(|(low, _)| low)),
        shown(metric.and_then(|metric| metric.mean_interval).map(|(_, high)| high)),
        quantile("p50"),
        quantile("p95"),
        shown(difference.and_then(|difference| difference.mean)),
        shown(difference.and_then(|difference| difference.interval).map(|(low, _)| low)),
        shown(difference.and_then(|difference| difference.interval).map(|(_, high)| high)),
        shown(difference.map(|difference| difference.median_interval.0)),
        shown(difference.map(|difference| difference.median_interval.1)),
        difference.map_or(String::new(), |difference| difference.sign().to_string()),
        cell.best.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::three;

    #[test]
    fn a_row_per_metric_and_design() {
        let bytes = bytes(&three());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), 1 + 2 * 3);
        let fast = text.lines().nth(2).unwrap();
        assert!(fast.starts_with("rto.restored,seconds,fast,100,0,0,62.9"), "{fast}");
        assert!(fast.ends_with(",-40,-40,-40,-40,-40,-1,true"), "{fast}");
    }
}
