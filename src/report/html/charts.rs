//! Charts over trials: distributions as steps, phases as a stack, regions on a ring.

use super::lanes::Lanes;
use super::{escaped, shortened};
use crate::measure::expect::Aggregate;
use crate::measure::{MetricKey, Unit};
use crate::model::roster::Roster;
use crate::report::findings::{Findings, phases};
use crate::report::number;
use crate::scenario::explain::PairRow;
use crate::sim::time::Span;

/// The share of trials at or below each value, with what was expected as a line. Nothing where
/// no trial has a value, or all have the same.
pub fn distribution(findings: &Findings, key: &MetricKey) -> Option<String> {
    let samples = findings.outcomes.samples(key)?;
    let ranges: Vec<(f64, f64)> = samples.iter().filter_map(|sample| sample.range()).collect();
    let mut known: Vec<f64> =
        ranges.iter().filter(|(low, high)| low == high).map(|(low, _)| *low).collect();
    crate::measure::stats::sort(&mut known);
    let (unit, n) = (key.doc().unit, ranges.len());
    let limits = findings.expectations.iter().filter(|(e, _)| e.key == *key);
    let limits: Vec<_> =
        limits.filter(|(e, _)| e.aggregate != Aggregate::Share).map(|(e, _)| e).collect();
    let (first, last) = (*known.first()?, *known.last()?);
    let top = limits.iter().map(|e| e.limit).fold(last, f64::max);
    if first == last && limits.is_empty() {
        return None;
    }
    let (left, right, base, high) = (44.0, 470.0, 190.0, 14.0);
    let span = if top > 0.0 { top * 1.04 } else { 1.0 };
    let x = |value: f64| left + (right - left) * (value.max(0.0) / span).min(1.0);
    let y = |share: f64| base - (base - high) * share;
    let mut path = format!("M{left} {base}");
    for (i, value) in known.iter().enumerate() {
        let (before, after) = (i as f64 / n as f64, (i + 1) as f64 / n as f64);
        path.push_str(&format!("L{0:.1} {1:.1}L{0:.1} {2:.1}", x(*value), y(before), y(after)));
    }
    path.push_str(&format!("L{right} {:.1}", y(known.len() as f64 / n as f64)));
    let mut out = String::new();
    for share in [0.0, 0.5, 0.95, 1.0] {
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
             <text class=\"tick\" text-anchor=\"end\" x=\"{1}\" y=\"{2:.1}\">{3:.0} %</text>",
            y(share),
            left - 4.0,
            y(share) + 4.0,
            share * 100.0
        ));
    }
    for value in [0.0, span / 2.0, span] {
        out.push_str(&format!(
            "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1}\" y=\"208\">{}</text>",
            x(value).min(right - 14.0),
            number::show(unit, value)
        ));
    }
    out.push_str(&format!("<path class=\"ecdf\" d=\"{path}\"/>"));
    for limit in limits {
        out.push_str(&format!(
            "<line class=\"limit\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{high}\" y2=\"{base}\"/>\
             <text class=\"limit\" text-anchor=\"end\" x=\"{1:.1}\" y=\"24\">{2}</text>",
            x(limit.limit),
            x(limit.limit) - 4.0,
            escaped(&limit.text)
        ));
    }
    let open = n - known.len();
    let rest = if open > 0 {
        format!(" {open} of {n} trials are not known exactly and stand beyond the end of the line.")
    } else {
        String::new()
    };
    Some(format!(
        "<figure><figcaption><code>{}</code>: share of {n} trials at or below.{rest}</figcaption>\
         <svg viewBox=\"0 0 480 214\" role=\"img\" aria-label=\"distribution of {}\">{out}</svg>\
         </figure>",
        escaped(&key.to_string()),
        escaped(&key.to_string())
    ))
}

/// What [`phases`] calls the tail of resolvers.
const TAIL: &str = "DNS tail";

/// The phases of the outage, stacked, a bar per store. Nothing where none was told.
pub fn stack(findings: &Findings) -> Option<String> {
    let mut phases = phases(findings);
    // The slowest resolver is long after the failover, and no part of it.
    let tails: Vec<f64> = phases
        .values_mut()
        .filter_map(|parts| parts.pop_if(|(word, _)| *word == TAIL).map(|(_, seconds)| seconds))
        .collect();
    let most = phases.values().map(|all| all.iter().map(|(_, s)| s).sum::<f64>());
    let most = most.fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let mut out = String::new();
    let mut said = String::new();
    for (row, (store, parts)) in phases.iter().enumerate() {
        let (y, mut x) = (row as f64 * 54.0 + 8.0, 0.0);
        let name = if store.is_empty() { "" } else { store };
        out.push_str(&format!(
            "<text class=\"label\" x=\"0\" y=\"{:.1}\">{}</text>",
            y + 42.0,
            escaped(name)
        ));
        for (i, (word, seconds)) in parts.iter().enumerate() {
            let width = 980.0 * seconds / most;
            let shown = number::show(Unit::Seconds, *seconds);
            out.push_str(&format!(
                "<rect class=\"part p{}\" tabindex=\"0\" x=\"{x:.1}\" y=\"{y:.1}\" \
                 width=\"{width:.1}\" height=\"26\"><title>{word} {shown}</title></rect>",
                i % 6
            ));
            if width > 70.0 {
                out.push_str(&format!(
                    "<text class=\"inside\" x=\"{:.1}\" y=\"{:.1}\">{word} {shown}</text>",
                    x + 5.0,
                    y + 17.5
                ));
            }
            x += width;
        }
        let largest = parts.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((word, seconds)) = largest {
            let of = if store.is_empty() { String::new() } else { format!(" of {store}") };
            said.push_str(&format!(
                "<p>The largest part of the outage{} is <strong>{word}</strong>, {} in the median.</p>",
                escaped(&of),
                number::show(Unit::Seconds, *seconds)
            ));
        }
    }
    for tail in tails {
        said.push_str(&format!(
            "<p>The slowest resolver sent its clients to the new primary {} after that was published \
             (median).</p>",
            number::show(Unit::Seconds, tail)
        ));
    }
    let height = phases.len() as f64 * 54.0 + 6.0;
    Some(format!(
        "{said}<svg viewBox=\"0 0 1000 {height:.0}\" role=\"img\" aria-label=\"phases of the \
         outage\">{out}</svg>"
    ))
}

/// Regions on a ring with what stands in each; round trips on the edges where they are few.
pub fn ring(roster: &Roster, pairs: &[PairRow], lanes: Option<&Lanes>) -> String {
    let n = roster.regions.len().max(1);
    let place = |i: usize| {
        let turn = i as f64 / n as f64;
        (500.0 + 300.0 * sine(turn), 190.0 - 140.0 * sine(turn + 0.25))
    };
    let mut out = String::new();
    let index = |name: &str| roster.regions.iter().position(|region| region == name);
    if n <= 8 {
        for pair in pairs {
            let (Some(a), Some(b)) = (index(&pair.from), index(&pair.to)) else { continue };
            if a >= b {
                continue;
            }
            let ((x1, y1), (x2, y2)) = (place(a), place(b));
            out.push_str(&format!(
                "<line class=\"edge\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\
                 <text class=\"tick\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                (x1 * 2.0 + x2) / 3.0,
                (y1 * 2.0 + y2) / 3.0,
                number::show(Unit::Seconds, Span::as_secs_f64(pair.rtt))
            ));
        }
    }
    for (i, region) in roster.regions.iter().enumerate() {
        let (x, y) = place(i);
        let here = roster.nodes.iter().enumerate().filter(|(_, node)| {
            roster.sites[node.site.index()].region.index() == i && node.name.contains('@')
        });
        let here: Vec<(usize, &str)> = here.map(|(n, node)| (n, node.name.as_str())).collect();
        let hit = lanes.is_some_and(|lanes| here.iter().any(|(n, _)| lanes.hit[*n]));
        let class = if hit { "place hit" } else { "place" };
        let what: Vec<&str> =
            here.iter().map(|(_, name)| name.split('@').next().unwrap_or(name)).collect();
        let struck = if hit { " ⚡" } else { "" };
        out.push_str(&format!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"200\" height=\"44\" rx=\"8\"/>\
             <text class=\"region\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}{struck}</text>\
             <text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}<title>{}</title></text>",
            x - 100.0,
            y - 22.0,
            y - 4.0,
            escaped(region),
            y + 14.0,
            escaped(&shortened(&what.join(", "), 34)),
            escaped(&what.join(", "))
        ));
    }
    format!("<svg viewBox=\"0 0 1000 380\" role=\"img\" aria-label=\"the topology\">{out}</svg>")
}

/// The sine of so many whole turns, by its series: the standard library's differs by platform in its
/// last bits, and a page is the same bytes everywhere.
fn sine(turns: f64) -> f64 {
    let x = std::f64::consts::TAU * (turns - if turns > 0.5 { 1.0 } else { 0.0 });
    let (mut term, mut sum) = (x, x);
    for k in 1..14 {
        let k = f64::from(2 * k);
        term *= -x * x / (k * (k + 1.0));
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_sine() {
        let known =
            [(0.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, -1.0), (1.0 / 12.0, 0.5), (1.25, 1.0)];
        for (turns, sine_of) in known {
            assert!((sine(turns) - sine_of).abs() < 1e-6, "{turns}: {}", sine(turns));
        }
    }
}
