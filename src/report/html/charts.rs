//! Charts over trials: distributions as steps, what was lost and why, latency by region.

use super::element::{escaped, exact, percentile, table};
use crate::measure::expect::Aggregate;
use crate::measure::{Expectation, MetricKey, Unit};
use crate::report::findings::{Findings, Metric, only_store};
use crate::report::number;

/// Distributions, causes, latencies: all that this block has.
pub fn block(findings: &Findings, objectives: &[Expectation]) -> String {
    let limits: Vec<&Expectation> =
        objectives.iter().chain(findings.expectations.iter().map(|(e, _)| e)).collect();
    let wanted = |key: &MetricKey| {
        let named = ["rto.restored", "rpo.time", "writes.lost"].contains(&key.name);
        (named || limits.iter().any(|e| e.key == *key)) && only_store(key)
    };
    let keys = findings.outcomes.keys.iter().filter(|key| wanted(key));
    let charts: Vec<String> =
        keys.filter_map(|key| distribution(findings, key, &limits)).take(9).collect();
    let mut out = String::new();
    if !charts.is_empty() {
        out.push_str(&format!(
            "<div class=\"pair\">{}</div>\n<p class=\"told\"></p>",
            charts.concat()
        ));
    }
    out.push_str(&causes(findings));
    out.push_str(&latencies(findings));
    out
}

/// The share of trials at or below each value, with what was expected as lines. Nothing where
/// no trial has a value, or all have the same.
fn distribution(findings: &Findings, key: &MetricKey, limits: &[&Expectation]) -> Option<String> {
    let samples = findings.outcomes.samples(key)?;
    let ranges: Vec<(f64, f64)> = samples.iter().filter_map(|sample| sample.range()).collect();
    let mut known: Vec<f64> =
        ranges.iter().filter(|(low, high)| low == high).map(|(low, _)| *low).collect();
    crate::measure::stats::sort(&mut known);
    let (unit, n) = (key.doc().unit, ranges.len());
    let mine = limits.iter().filter(|e| e.key == *key && e.aggregate != Aggregate::Share);
    let mut limits: Vec<&Expectation> = mine.copied().collect();
    limits.dedup_by(|a, b| a.limit == b.limit);
    let (first, last) = (*known.first()?, *known.last()?);
    if first == last {
        return None;
    }
    let frame = Frame::around(first, last, &limits);
    let mut path = format!("M{:.1} {:.1}", Frame::LEFT, Frame::y(0.0));
    for (i, value) in known.iter().enumerate() {
        // Of trials with one value only the last step is seen.
        if known.get(i + 1).is_none_or(|next| next > value) {
            let before = known.partition_point(|other| other < value) as f64 / n as f64;
            let (x, after) = (frame.x(*value), (i + 1) as f64 / n as f64);
            path.push_str(&format!(
                "L{x:.1} {:.1}L{x:.1} {:.1}",
                Frame::y(before),
                Frame::y(after)
            ));
        }
    }
    let reached = Frame::y(known.len() as f64 / n as f64);
    path.push_str(&format!("L{:.1} {reached:.1}", Frame::RIGHT));
    let name = key.to_string();
    let rest = match n - known.len() {
        0 => String::new(),
        open => {
            format!(" {open} of {n} are not known exactly and stand beyond the end of the line.")
        }
    };
    let metric = findings.metric(key);
    Some(format!(
        "<figure><figcaption><code>{}</code>: share of {n} trials at or below. p50 {}, p95 {}.{rest}\
         </figcaption><svg viewBox=\"0 0 340 170\" role=\"img\" aria-label=\"distribution of \
         {}\">{}<path class=\"t ecdf\" d=\"{path}\"><title>{}: {} to {}</title></path>{}</svg></figure>\n",
        escaped(&name),
        percentile(metric, "p50"),
        percentile(metric, "p95"),
        escaped(&name),
        frame.grid(unit),
        escaped(&name),
        number::show(unit, first),
        number::show(unit, last),
        frame.limits(&limits)
    ))
}

/// Where values stand from left to right, and shares from bottom to top.
struct Frame {
    low: f64,
    high: f64,
}

impl Frame {
    const LEFT: f64 = 36.0;
    const RIGHT: f64 = 330.0;

    /// From zero, unless all lies far from it in a narrow band.
    fn around(first: f64, last: f64, limits: &[&Expectation]) -> Frame {
        let limits = || limits.iter().map(|e| e.limit);
        let (least, most) = (limits().fold(first, f64::min), limits().fold(last, f64::max));
        let span = most - least;
        let narrow = least > 0.0 && span < 0.5 * least;
        let low = if narrow { least - 0.1 * span } else { least.min(0.0) };
        Frame { low, high: most + 0.04 * span.max(1e-12) }
    }
    fn x(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        Frame::LEFT + (Frame::RIGHT - Frame::LEFT) * share.clamp(0.0, 1.0)
    }
    fn y(share: f64) -> f64 {
        148.0 - 134.0 * share
    }
    fn grid(&self, unit: Unit) -> String {
        let mut out = String::new();
        for share in [0.0, 0.5, 0.95] {
            let y = Frame::y(share);
            out.push_str(&format!(
                "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text \
                 class=\"tick\" text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{:.0} %</text>",
                Frame::LEFT,
                Frame::RIGHT,
                Frame::LEFT - 4.0,
                y + 4.0,
                share * 100.0
            ));
        }
        let middle = (self.low + self.high) / 2.0;
        for (value, anchor) in [(self.low, "start"), (middle, "middle"), (self.high, "end")] {
            out.push_str(&format!(
                "<text class=\"tick\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"164\">{}</text>",
                self.x(value),
                number::show(unit, value)
            ));
        }
        out
    }
    fn limits(&self, limits: &[&Expectation]) -> String {
        let line = |(row, e): (usize, &&Expectation)| {
            let x = self.x(e.limit);
            let left = x > 120.0;
            format!(
                "<line class=\"limit\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"8\" y2=\"148\"/><text \
                 class=\"limit\" text-anchor=\"{}\" x=\"{:.1}\" y=\"{}\">{}</text>",
                if left { "end" } else { "start" },
                if left { x - 4.0 } else { x + 4.0 },
                90 + 13 * row,
                escaped(&e.text)
            )
        };
        limits.iter().enumerate().map(line).collect()
    }
}

/// Lost writes by cause. Nothing where none was lost.
fn causes(findings: &Findings) -> String {
    const CAUSES: [(&str, &str); 4] = [
        ("writes.lost_lag", "answered before the onset, and not yet replicated (lag)"),
        ("writes.stranded", "answered after the onset by a primary about to be deposed (stranded)"),
        ("writes.unflushed", "of all lost ones: never on any disk"),
        ("failback.lost", "of all lost ones: lost by the way back"),
    ];
    let lost = |metric: &&Metric| {
        metric.key.name == "writes.lost"
            && only_store(&metric.key)
            && metric.max.is_some_and(|max| max > 0.0)
    };
    let mut rows = Vec::new();
    for all in findings.metrics.iter().filter(lost) {
        let most = all.mean.or(all.quantile("p50").map(|q| q.value)).unwrap_or(1.0).max(1e-9);
        let causes = CAUSES.iter().filter_map(|(name, words)| {
            let mut of = findings.metrics.iter();
            let mine = of.find(|m| m.key.name == *name && m.key.labels == all.key.labels)?;
            (mine.max.is_some_and(|max| max > 0.0)).then_some((mine, *words))
        });
        for (metric, words) in std::iter::once((all, "acknowledged writes lost")).chain(causes) {
            let mean = metric.mean.map_or("-".to_string(), |mean| {
                exact(&metric.key.to_string(), "mean", mean, &number::show(Unit::Count, mean))
            });
            let share = metric.mean.unwrap_or(0.0) / most;
            rows.push(vec![
                format!("{}<br><code>{}</code>", escaped(words), escaped(&metric.key.to_string())),
                percentile(Some(metric), "p50"),
                percentile(Some(metric), "p95"),
                mean,
                format!("<svg class=\"share\" viewBox=\"0 0 100 12\" aria-hidden=\"true\"><rect class=\"lost\" \
                     width=\"{:.1}\" height=\"12\"/></svg>", (100.0 * share).clamp(0.0, 100.0)),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = [
        ("lost writes by cause", false),
        ("p50", true),
        ("p95", true),
        ("mean", true),
        ("", false),
    ];
    format!("<h3>What was lost, and why</h3>\n{}\n", table(&head, &rows))
}

/// Latency of what ended ok, and availability, by region: before, during and after.
fn latencies(findings: &Findings) -> String {
    const WINDOWS: [&str; 3] = ["before", "episode", "after"];
    let mut rows = Vec::new();
    for region in findings.roster.clients.iter().map(|c| c.region.index()).fold(
        Vec::new(),
        |mut seen: Vec<usize>, region| {
            if !seen.contains(&region) {
                seen.push(region);
            }
            seen
        },
    ) {
        let region = findings.roster.regions[region].as_str();
        for kind in ["read", "write"] {
            let metric = |name: &'static str, window: &str| {
                let of = |m: &&Metric| {
                    let labels = &m.key.labels;
                    m.key.name == name
                        && m.count > 0
                        && m.key.label("region") == Some(region)
                        && m.key.label("kind") == Some(kind)
                        && m.key.label("window") == Some(window)
                        && labels.iter().all(|(l, _)| *l != "client" && *l != "store")
                };
                findings.metrics.iter().find(of)
            };
            if metric("latency.p50", "before").or(metric("latency.p50", "after")).is_none() {
                continue;
            }
            let mut row = vec![format!("{}, {kind}s", escaped(region))];
            for window in WINDOWS {
                row.push(percentile(metric("latency.p50", window), "p50"));
                row.push(percentile(metric("latency.p99", window), "p50"));
                row.push(percentile(metric("availability", window), "p50"));
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut head = vec![("clients in", false)];
    let titles =
        [["before: p50", "p99", "ok"], ["during: p50", "p99", "ok"], ["after: p50", "p99", "ok"]];
    head.extend(titles.iter().flatten().map(|title| (*title, true)));
    format!(
        "<h3>Latency and availability by region, before, during and after</h3>\n{}<small>p50 and p99 of \
         operations that ended ok, and the share that did; each the median over trials.</small>\n",
        table(&head, &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn a_distribution_rises_to_the_share_that_is_known_and_shows_what_is_expected() {
        let findings = findings(100);
        let limits: Vec<&Expectation> = findings.expectations.iter().map(|(e, _)| e).collect();
        let key = MetricKey::new("rto.restored");
        let chart = distribution(&findings, &key, &limits).unwrap();
        assert!(chart.contains("10 of 100 are not known exactly"), "{chart}");
        assert!(chart.contains("class=\"limit\"") && chart.contains("p50 &lt; 1m"), "{chart}");
        // Ninety of a hundred are known: the line ends at 90 % of the height.
        assert!(chart.contains(&format!("L330.0 {:.1}\"", Frame::y(0.9))), "{chart}");
        let same = MetricKey::new("split_brain.incidents");
        assert!(distribution(&findings, &same, &limits).is_none(), "all trials say zero");
    }

    #[test]
    fn a_narrow_band_far_from_zero_is_seen_from_near() {
        let frame = Frame::around(100.0, 110.0, &[]);
        assert!(frame.low > 98.0 && frame.x(100.0) < 80.0 && frame.x(110.0) > 300.0);
        assert_eq!(Frame::around(1.0, 110.0, &[]).low, 0.0);
    }
}
