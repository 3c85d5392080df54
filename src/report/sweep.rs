//! A sweep: one scenario at many points of a grid, as a table, a chart, rows, JSON and Markdown.

use crate::experiment::grid::Axis;
use crate::measure::MetricKey;
use crate::report::findings::{Findings, HEADLINES, Metric, only_store};
use crate::report::json::{MODEL_VERSION, metric as metric_value, pretty};
use crate::report::plot::{Point, chart};
use crate::report::{csv, number};
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Map, Value, json};

/// The version of the JSON format. It rises when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// What a sweep came to.
pub struct Sweep {
    /// The scenario.
    pub label: String,
    /// The seed of every point.
    pub seed: u64,
    /// The trials of every point.
    pub trials: u64,
    /// What was varied.
    pub axes: Vec<Axis>,
    /// The points that were finished, in the order of the grid: its values, and what came of it.
    pub points: Vec<(Vec<(String, String)>, Findings)>,
    /// The metrics to show; the scenario's expectations, else the headlines, where it is empty.
    pub shown: Vec<MetricKey>,
    /// How many points were asked for.
    pub asked: usize,
}

/// The values of a point in a line.
pub fn label(point: &[(String, String)]) -> String {
    point.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

impl Sweep {
    /// The metrics to show.
    pub fn keys(&self) -> Vec<MetricKey> {
        if !self.shown.is_empty() {
            return self.shown.clone();
        }
        let Some((_, first)) = self.points.first() else { return Vec::new() };
        let mut keys: Vec<MetricKey> = Vec::new();
        for (expectation, _) in &first.expectations {
            if !keys.contains(&expectation.key) {
                keys.push(expectation.key.clone());
            }
        }
        if keys.is_empty() {
            let headline = |metric: &&Metric| {
                only_store(&metric.key) && HEADLINES[..4].contains(&metric.key.name)
            };
            keys.extend(first.metrics.iter().filter(headline).map(|metric| metric.key.clone()));
        }
        keys
    }

    fn title(&self) -> String {
        let cut = self.points.len() < self.asked;
        let keys: Vec<&str> = self.axes.iter().map(|axis| axis.key.as_str()).collect();
        format!(
            "sweep of {} over {}   {}{} points, {} trials each, seed {}",
            self.label,
            keys.join(" × "),
            self.points.len(),
            if cut { format!(" of {}", self.asked) } else { String::new() },
            self.trials,
            self.seed,
        )
    }
}

fn cells(point: &[(String, String)], metric: Option<&Metric>) -> Vec<String> {
    let mut row: Vec<String> = point.iter().map(|(_, value)| value.clone()).collect();
    let unit = metric.map(|metric| metric.key.doc().unit);
    let quantile = |name: &str| {
        let found = metric.and_then(|metric| metric.quantile(name)).zip(unit);
        found.map_or("-".into(), |(q, unit)| number::show_open(unit, q.value, q.at_least))
    };
    let mean = metric.and_then(|metric| Some((metric.mean?, metric.mean_interval))).zip(unit);
    let mean = mean.map_or("-".to_string(), |((mean, interval), unit)| {
        let interval = interval.map(|i| format!(" {}", number::interval(unit, i)));
        format!("{}{}", number::show(unit, mean), interval.unwrap_or_default())
    });
    row.extend([quantile("p50"), quantile("p95"), mean]);
    row
}

/// What a person reads: a table per metric, and a chart where one number is varied.
pub fn text(sweep: &Sweep, ascii: bool) -> String {
    let mut out = format!("{}\n", sweep.title());
    for key in sweep.keys() {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        let mut header: Vec<String> = sweep.axes.iter().map(|axis| axis.key.clone()).collect();
        header.extend(["p50", "p95", "mean [95 % CI]"].map(String::from));
        let numbers = sweep.axes.len()..sweep.axes.len() + 2;
        table.set_header(header);
        for (point, findings) in &sweep.points {
            table.add_row(cells(point, findings.metric(&key)));
        }
        for column in numbers {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        out.push_str(&format!("\n{key}\n"));
        for line in table.to_string().lines() {
            out.push_str(&format!(" {}\n", line.trim_end()));
        }
        out.push_str(&drawn(sweep, &key, ascii));
    }
    out
}

/// The mean over the one number that is varied; the median where no mean is known.
fn drawn(sweep: &Sweep, key: &MetricKey, ascii: bool) -> String {
    let [axis] = sweep.axes.as_slice() else { return String::new() };
    let Some((xs, unit)) = axis.numbers() else { return String::new() };
    let of_point = |(point, findings): &(Vec<(String, String)>, Findings)| {
        let at = axis.values.iter().position(|value| point.iter().any(|(_, v)| v == value))?;
        let metric = findings.metric(key)?;
        let mean = metric.mean.map(|mean| (mean, metric.mean_interval));
        let median =
            metric.quantile("p50").filter(|q| !q.at_least).map(|q| (q.value, Some(q.interval)));
        let (y, interval) = mean.or(median)?;
        Some(Point { x: xs[at], y, interval })
    };
    let points: Vec<Point> = sweep.points.iter().filter_map(of_point).collect();
    if points.len() < 3 {
        return String::new();
    }
    chart(&format!("{key} over {}", axis.key), key.doc().unit, unit, &points, ascii)
}

/// `sweep.csv`: a row per point and metric.
pub fn rows(sweep: &Sweep) -> Vec<u8> {
    let mut header: Vec<String> = sweep.axes.iter().map(|axis| axis.key.clone()).collect();
    header.extend(csv::metric_columns());
    let rows = sweep.points.iter().flat_map(|(point, findings)| {
        findings.metrics.iter().map(move |metric| {
            let mut row: Vec<String> = point.iter().map(|(_, value)| value.clone()).collect();
            row.extend(csv::metric_row(findings, metric));
            row
        })
    });
    csv::written(std::iter::once(header).chain(rows))
}

/// `sweep.json`.
pub fn value(sweep: &Sweep) -> Value {
    let points = sweep.points.iter().map(|(point, findings)| {
        let at: Map<String, Value> =
            point.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        json!({
            "at": at,
            "finished": findings.outcomes.trials.len(),
            "metrics": findings.metrics.iter().map(metric_value).collect::<Vec<_>>(),
        })
    });
    json!({
        "format": "regionsim sweep",
        "version": VERSION,
        "model_version": MODEL_VERSION,
        "scenario": sweep.label,
        "seed": sweep.seed,
        "trials": sweep.trials,
        "asked": sweep.asked,
        "axes": sweep.axes.iter().map(axis).collect::<Vec<_>>(),
        "shown": sweep.shown.iter().map(MetricKey::to_string).collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
    })
}

fn axis(axis: &Axis) -> Value {
    json!({ "key": axis.key, "values": axis.values })
}

/// `sweep.json` as text.
pub fn json_text(sweep: &Sweep) -> String {
    pretty(&value(sweep))
}

/// A line of JSON per point.
pub fn lines(sweep: &Sweep) -> String {
    let value = value(sweep);
    let points = value["points"].as_array().cloned().unwrap_or_default();
    points.iter().map(|point| format!("{point}\n")).collect()
}

/// `sweep.md`.
pub fn markdown(sweep: &Sweep) -> String {
    let mut out = format!("# Sweep of {}\n\n`{}`\n", sweep.label, sweep.title());
    for key in sweep.keys() {
        let mut header: Vec<String> = sweep.axes.iter().map(|axis| axis.key.clone()).collect();
        header.extend(["p50", "p95", "mean \\[95 % CI\\]"].map(String::from));
        out.push_str(&format!("\n## `{key}`\n\n| {} |\n", header.join(" | ")));
        out.push_str(&format!("|{}\n", "---|".repeat(header.len())));
        for (point, findings) in &sweep.points {
            let cells = cells(point, findings.metric(&key));
            let cells: Vec<String> =
                cells.iter().map(|cell| crate::report::markdown::escaped(cell)).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    out.push_str(&format!("\nregionsim {MODEL_VERSION}. A model, not your system.\n"));
    out
}
