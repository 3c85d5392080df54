//! What would change it: the rungs of a ladder, and the points of a sweep, as small multiples.

use super::element::{escaped, exact, percentile, shortened, table};
use crate::measure::MetricKey;
use crate::report::comparison::{Cell, Comparison, Line, text};
use crate::report::findings::{Findings, Metric};
use crate::report::number;
use crate::report::sweep::{Sweep, label};

/// The most panels of a metric.
const LIMIT_PANELS: usize = 24;
/// The most metrics of a ladder.
const LIMIT_LINES: usize = 6;

/// What each safety device is worth: a panel per metric, a row per rung.
pub fn ladder(comparison: &Comparison) -> String {
    let lines = comparison.lines.iter().filter(|line| !line.says_nothing()).take(LIMIT_LINES);
    let panels: String = lines.map(|line| rungs(comparison, line)).collect();
    if panels.is_empty() {
        return String::new();
    }
    format!(
        "<p>Each row changes one safety device of the scenario; it shows by how much the metric moves, \
         with the 95 % interval. The upright line is the scenario as written.</p>\n<div \
         class=\"pair\">{panels}</div><p class=\"told\"></p>"
    )
}

/// Where a rung moved a metric: the middle and both ends.
fn moved(cell: &Cell) -> Option<(f64, f64, f64)> {
    let difference = cell.difference.as_ref()?;
    let (low, high) = difference.interval.unwrap_or(difference.median_interval);
    let middle = difference.mean.unwrap_or(difference.median.0);
    let known = |side: f64| if side.is_finite() { side } else { middle };
    middle.is_finite().then(|| (middle, known(low), known(high)))
}

fn rungs(comparison: &Comparison, line: &Line) -> String {
    let unit = line.key.doc().unit;
    let all = || line.cells.iter().filter_map(moved);
    let least = all().map(|(_, low, _)| low).fold(0.0, f64::min);
    let most = all().map(|(.., high)| high).fold(0.0, f64::max);
    let span = (most - least).max(1e-12);
    let x = |value: f64| 162.0 + 98.0 * (value - least) / span;
    let mut out = String::new();
    let mut y = 6.0;
    for (cell, design) in line.cells.iter().zip(&comparison.designs).skip(1) {
        let Some((middle, low, high)) = moved(cell) else { continue };
        let meaning = cell.difference.as_ref().map_or("", |d| text::meaning(line, d));
        let shown = cell.difference.as_ref().map_or(String::new(), |d| text::difference(unit, d));
        let sign = match meaning {
            "better" => "▲",
            "worse" => "▼",
            _ => "",
        };
        out.push_str(&format!(
            "<text class=\"label\" x=\"0\" y=\"{0:.1}\">{1}</text><g class=\"t rung {6}\"><title>{7}: {8}, \
             {6}</title><line x1=\"{2:.1}\" x2=\"{3:.1}\" y1=\"{4:.1}\" y2=\"{4:.1}\"/><circle \
             cx=\"{5:.1}\" cy=\"{4:.1}\" r=\"4\"/></g><text class=\"tick\" x=\"268\" y=\"{0:.1}\">{9} \
             {sign}</text>",
            y + 12.0,
            escaped(&shortened(&design.label, 23)),
            x(low),
            x(high),
            y + 8.0,
            x(middle),
            if meaning.starts_with("not") || meaning == "the same" { "same" } else { meaning },
            escaped(&design.label),
            escaped(&shown),
            if meaning == "the same" { "0".to_string() } else { text::signed(unit, middle) },
        ));
        y += 19.0;
    }
    format!(
        "<figure><figcaption><code>{0}</code></figcaption><svg viewBox=\"0 0 340 {1:.0}\" role=\"img\" \
         aria-label=\"what each device is worth by {0}\"><line class=\"zero\" x1=\"{2:.1}\" x2=\"{2:.1}\" \
         y1=\"0\" y2=\"{y:.1}\"/>{out}</svg></figure>\n",
        escaped(&line.key.to_string()),
        y + 4.0,
        x(0.0),
    )
}

/// What a metric comes to at a point: its mean, or its median where no mean is known.
fn value(metric: &Metric) -> Option<(f64, (f64, f64))> {
    let mean = metric.mean.map(|mean| (mean, metric.mean_interval.unwrap_or((mean, mean))));
    let median = metric.quantile("p50").filter(|q| !q.at_least).map(|q| (q.value, q.interval));
    mean.or(median)
}

/// How a sweep is laid out: which axis runs from left to right, and the panels of the others.
struct Layout<'a> {
    sweep: &'a Sweep,
    axis: usize,
    /// Where each value of the axis stands, between 0 and 1.
    at: Vec<f64>,
    panels: Vec<String>,
}

impl<'a> Layout<'a> {
    fn of(sweep: &'a Sweep) -> Option<Layout<'a>> {
        let numbers = sweep.axes.iter().position(|axis| axis.numbers().is_some());
        let axis = numbers.unwrap_or(0);
        let values = &sweep.axes.get(axis)?.values;
        let even = |i: usize| i as f64 / (values.len() - 1).max(1) as f64;
        let places = match sweep.axes[axis].numbers() {
            Some((xs, _)) => {
                let least = xs.iter().copied().fold(f64::INFINITY, f64::min);
                let most = xs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let span = if most > least { most - least } else { 1.0 };
                xs.iter().map(|x| (x - least) / span).collect()
            }
            None => (0..values.len()).map(even).collect(),
        };
        let mut panels: Vec<String> = Vec::new();
        for (point, _) in &sweep.points {
            let rest = rest(point, axis);
            if !panels.contains(&rest) {
                panels.push(rest);
            }
        }
        Some(Layout { sweep, axis, at: places, panels })
    }

    fn points(&self, panel: &str) -> impl Iterator<Item = (f64, &str, &'a Findings)> + '_ {
        let axis = &self.sweep.axes[self.axis];
        let panel = panel.to_string();
        self.sweep.points.iter().filter_map(move |(point, findings)| {
            let (_, mine) = point.get(self.axis)?;
            let place = axis.values.iter().position(|value| value == mine)?;
            (rest(point, self.axis) == panel).then_some((self.at[place], mine.as_str(), findings))
        })
    }
}

/// The other values of a point.
fn rest(point: &[(String, String)], axis: usize) -> String {
    let others = point.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, pair)| pair.clone());
    label(&others.collect::<Vec<_>>())
}

/// A metric over the points: a panel for each value of the other axes, all on one scale.
pub fn sweep(sweep: &Sweep) -> String {
    let Some(layout) = Layout::of(sweep) else { return String::new() };
    let mut out = String::new();
    for key in sweep.keys() {
        let values = sweep.points.iter().filter_map(|(_, f)| value(f.metric(&key)?));
        let sides = values.flat_map(|(y, (low, high))| [y, low, high]).filter(|y| y.is_finite());
        let sides: Vec<f64> = sides.chain(limits(sweep, &key).map(|(limit, _)| limit)).collect();
        let most = sides.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = sides.iter().copied().fold(f64::INFINITY, f64::min);
        if sides.is_empty() {
            continue;
        }
        // From zero, unless all of it lies in a narrow band far away.
        let least = if least > 0.0 && most - least > 0.5 * least { 0.0 } else { least };
        let span = if most > least { (least, most) } else { (least, least + 1.0) };
        out.push_str(&format!(
            "<h3><code>{}</code></h3>\n<div class=\"pair\">",
            escaped(&key.to_string())
        ));
        for panel in layout.panels.iter().take(LIMIT_PANELS) {
            out.push_str(&self::panel(&layout, &key, panel, span));
        }
        out.push_str("</div>\n");
        if layout.panels.len() > LIMIT_PANELS {
            let more = layout.panels.len() - LIMIT_PANELS;
            out.push_str(&format!("<p>{more} more panels are in <code>sweep.csv</code>.</p>\n"));
        }
        out.push_str(&numbers(sweep, &key));
    }
    format!("{out}<p class=\"told\"></p>")
}

/// What the scenario expects of a metric.
fn limits<'a>(sweep: &'a Sweep, key: &'a MetricKey) -> impl Iterator<Item = (f64, &'a str)> {
    let first = sweep.points.first().map_or(&[][..], |(_, findings)| &findings.expectations);
    first.iter().filter(|(e, _)| e.key == *key).map(|(e, _)| (e.limit, e.text.as_str()))
}

fn panel(layout: &Layout<'_>, key: &MetricKey, panel: &str, (least, most): (f64, f64)) -> String {
    let unit = key.doc().unit;
    let x = |at: f64| 64.0 + 260.0 * at;
    let y = |value: f64| 124.0 - 108.0 * ((value - least) / (most - least)).clamp(0.0, 1.0);
    let mut out = String::new();
    for value in [least, (least + most) / 2.0, most] {
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"60\" x2=\"330\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text class=\"tick\" \
             text-anchor=\"end\" x=\"56\" y=\"{1:.1}\">{2}</text>",
            y(value),
            y(value) + 4.0,
            number::show(unit, value)
        ));
    }
    for (limit, text) in limits(layout.sweep, key) {
        out.push_str(&format!(
            "<line class=\"limit\" x1=\"60\" x2=\"330\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text class=\"limit\" \
             text-anchor=\"end\" x=\"330\" y=\"{1:.1}\">{2}</text>",
            y(limit),
            y(limit) - 3.0,
            escaped(text)
        ));
    }
    let (mut path, mut dots, mut free) = (String::new(), String::new(), f64::NEG_INFINITY);
    for (at, word, findings) in layout.points(panel) {
        let metric = findings.metric(key);
        let Some((middle, (low, high))) = metric.and_then(value) else { continue };
        let known = |side: f64| if side.is_finite() { side } else { middle };
        path.push_str(&format!(
            "{}{:.1} {:.1}",
            if path.is_empty() { "M" } else { "L" },
            x(at),
            y(middle)
        ));
        let name = metric.map_or("", |m| if m.mean.is_some() { "mean" } else { "p50" });
        dots.push_str(&format!(
            "<g class=\"t dot\"><title>{}: {name} {} {}</title><line x1=\"{2:.1}\" x2=\"{2:.1}\" \
             y1=\"{3:.1}\" y2=\"{4:.1}\"/><circle cx=\"{2:.1}\" cy=\"{5:.1}\" r=\"3.5\"/></g>",
            escaped(word),
            number::show(unit, middle) + " " + &number::interval(unit, (low, high)),
            x(at),
            y(known(low)),
            y(known(high)),
            y(middle)
        ));
        let width = 6.5 * word.chars().count() as f64;
        if x(at) - width / 2.0 > free {
            out.push_str(&format!(
                "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1}\" y=\"142\">{}</text>",
                x(at),
                escaped(&shortened(word, 12))
            ));
            free = x(at) + width / 2.0 + 4.0;
        }
    }
    let axis = &layout.sweep.axes[layout.axis].key;
    let of = if panel.is_empty() { String::new() } else { format!(", {panel}") };
    format!(
        "<figure><figcaption>over <code>{}</code>{}</figcaption><svg viewBox=\"0 0 340 148\" role=\"img\" \
         aria-label=\"{} over {}\">{out}<path class=\"run\" d=\"{path}\"/>{dots}</svg></figure>\n",
        escaped(axis),
        escaped(&of),
        escaped(&key.to_string()),
        escaped(axis)
    )
}

/// The same as numbers.
fn numbers(sweep: &Sweep, key: &MetricKey) -> String {
    let mut head: Vec<(&str, bool)> =
        sweep.axes.iter().map(|axis| (axis.key.as_str(), false)).collect();
    head.extend([("p50", true), ("p95", true), ("mean", true)]);
    let name = key.to_string();
    let rows = sweep.points.iter().map(|(point, findings)| {
        let metric = findings.metric(key);
        let mut row: Vec<String> = point.iter().map(|(_, value)| escaped(value)).collect();
        row.push(percentile(metric, "p50"));
        row.push(percentile(metric, "p95"));
        row.push(metric.and_then(|m| m.mean).map_or("-".to_string(), |mean| {
            exact(&name, "mean", mean, &number::show(key.doc().unit, mean))
        }));
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    format!("<details><summary>The numbers</summary>{}</details>\n", table(&head, &rows))
}

/// What a sweep comes to, in a sentence for its first metrics: from where to where it moves.
pub fn sentence(sweep: &Sweep) -> String {
    let keys: Vec<&str> = sweep.axes.iter().map(|axis| axis.key.as_str()).collect();
    let moves = sweep.keys().into_iter().take(3).filter_map(|key| {
        let unit = key.doc().unit;
        let known =
            sweep.points.iter().filter_map(|(point, f)| Some((value(f.metric(&key)?)?.0, point)));
        let known: Vec<(f64, &Vec<(String, String)>)> = known.collect();
        let least = known.iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        let most = known.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
        let show = |value: f64| number::show(unit, value);
        if least.0 == most.0 {
            return Some(format!("{key} is {} everywhere", show(least.0)));
        }
        Some(format!(
            "{key} goes from {} (at {}) to {} (at {})",
            show(least.0),
            label(least.1),
            show(most.0),
            label(most.1)
        ))
    });
    let moves: Vec<String> = moves.collect();
    format!(
        "At {} points of {}, {} simulated trials each: {}.",
        sweep.points.len(),
        keys.join(" and "),
        sweep.trials,
        moves.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::grid::Axis;
    use crate::measure::Sample;
    use crate::report::comparison::tests::{design, three};

    fn two_axes() -> Sweep {
        let axes = vec![
            Axis {
                key: "lease.ttl".into(),
                values: vec!["10s".into(), "20s".into(), "60s".into()],
            },
            Axis { key: "mode".into(), values: vec!["async".into(), "sync".into()] },
        ];
        let mut points = Vec::new();
        for (i, ttl) in axes[0].values.iter().enumerate() {
            for mode in &axes[1].values {
                let (.., findings) = design("x", |n| {
                    (Sample::Value((n + 100 * i as u64) as f64), Sample::Value(0.0))
                });
                let at = [("lease.ttl", ttl), ("mode", mode)];
                points.push((at.map(|(k, v)| (k.to_string(), v.clone())).to_vec(), findings));
            }
        }
        let shown = vec![MetricKey::new("rto.restored")];
        Sweep { label: "x".into(), seed: 42, trials: 100, axes, points, shown, asked: 6 }
    }

    #[test]
    fn the_other_axis_makes_the_panels_and_the_numbers_stand_where_they_belong() {
        let sweep = two_axes();
        let layout = Layout::of(&sweep).unwrap();
        assert_eq!(layout.panels, ["mode=async", "mode=sync"]);
        assert_eq!(layout.at, [0.0, 0.2, 1.0]);
        let shown = super::sweep(&sweep);
        assert_eq!(shown.matches("class=\"t dot\"").count(), 6);
        // A fifth of the way from 64 to 324.
        assert!(shown.contains("cx=\"116.0\""), "{shown}");
        let said = sentence(&sweep);
        assert!(
            said.contains("rto.restored goes from 49.5s (at lease.ttl=10s mode=async)"),
            "{said}"
        );
    }

    #[test]
    fn a_rung_stands_left_or_right_of_the_scenario_as_written() {
        let shown = ladder(&three());
        assert_eq!(shown.matches("<figure>").count(), 2);
        assert!(
            shown.contains("class=\"t rung better\"") && shown.contains("class=\"t rung worse\"")
        );
    }
}
