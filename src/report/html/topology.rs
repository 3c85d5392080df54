//! The topology: regions on a ring with what stands in each, and where faults hit.

use super::element::{escaped, shortened, table};
use super::lanes::Lanes;
use crate::measure::Unit;
use crate::model::roster::Roster;
use crate::report::number;
use crate::scenario::explain::PairRow;
use crate::sim::time::Span;
use std::collections::BTreeMap;

/// What stands in a region, by role: `database` and the names of what it serves.
pub fn roles(roster: &Roster, region: usize) -> BTreeMap<&'static str, Vec<String>> {
    let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for process in &roster.processes {
        let node = &roster.nodes[process.node.index()];
        if roster.sites[node.site.index()].region.index() != region {
            continue;
        }
        let name = node.name.split('@').next().unwrap_or(&node.name).to_string();
        let names = found.entry(process.role).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    found
}

/// Regions on a ring with what stands in each; round trips on the edges where they are few.
pub fn block(roster: &Roster, pairs: &[PairRow], lanes: Option<&Lanes>) -> String {
    let n = roster.regions.len().max(1);
    let place = |i: usize| {
        let turn = i as f64 / n as f64;
        (500.0 + 380.0 * sine(turn), 196.0 - 160.0 * sine(turn + 0.25))
    };
    let mut out = edges(roster, pairs, &place);
    let mut rows = Vec::new();
    for (i, region) in roster.regions.iter().enumerate() {
        let (x, y) = place(i);
        let hit = lanes.is_some_and(|lanes| hits(roster, lanes, i));
        let class = if hit { "place hit" } else { "place" };
        let roles = roles(roster, i);
        let what: Vec<&str> = roles.keys().copied().collect();
        let struck = if hit { " ⚡" } else { "" };
        out.push_str(&format!(
            "<rect class=\"t {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"220\" height=\"44\" rx=\"8\">\
             <title>{}: {}</title></rect><text class=\"region\" text-anchor=\"middle\" x=\"{x:.1}\" \
             y=\"{:.1}\">{}{struck}</text><text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" \
             y=\"{:.1}\">{}</text>",
            x - 110.0,
            y - 22.0,
            escaped(region),
            escaped(&what.join(", ")),
            y - 4.0,
            escaped(region),
            y + 14.0,
            escaped(&shortened(&what.join(", "), 36)),
        ));
        let told = roles.iter().map(|(role, names)| format!("{role}: {}", names.join(", ")));
        let told = told.collect::<Vec<_>>().join("; ");
        rows.push(vec![escaped(region), escaped(&told)]);
    }
    let all = table(&[("region", false), ("what stands there", false)], &rows);
    format!(
        "<div class=\"wide\"><svg class=\"ring\" viewBox=\"0 0 1000 392\" role=\"img\" \
         aria-label=\"the topology\">{out}</svg></div><p class=\"told\"></p>\n<small>Round trips on the \
         edges. ⚡ and a dashed border: a fault hit a node there, or its links.</small>\n\
         <details><summary>What stands where</summary>{all}</details>"
    )
}

/// True where a fault touched a node of this region.
fn hits(roster: &Roster, lanes: &Lanes, region: usize) -> bool {
    roster.nodes.iter().zip(&lanes.hit).any(|(node, hit)| {
        *hit && node.name.contains('@') && roster.sites[node.site.index()].region.index() == region
    })
}

fn edges(roster: &Roster, pairs: &[PairRow], place: &impl Fn(usize) -> (f64, f64)) -> String {
    let mut out = String::new();
    let mut texts = String::new();
    if roster.regions.len() > 8 {
        return out;
    }
    let index = |name: &str| roster.regions.iter().position(|region| region == name);
    for pair in pairs {
        let (Some(a), Some(b)) = (index(&pair.from), index(&pair.to)) else { continue };
        if a >= b {
            continue;
        }
        let ((x1, y1), (x2, y2)) = (place(a), place(b));
        // Off the middle, where lines of even rings cross.
        let (x, y) = (x1 + 0.42 * (x2 - x1), y1 + 0.42 * (y2 - y1));
        out.push_str(&format!(
            "<line class=\"edge\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
        texts.push_str(&format!(
            "<text class=\"rtt\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            y + 4.0,
            number::show(Unit::Seconds, Span::as_secs_f64(pair.rtt))
        ));
    }
    out + &texts
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
    use crate::report::story_of_tests::cast;

    #[test]
    fn the_series_is_the_sine() {
        let known =
            [(0.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, -1.0), (1.0 / 12.0, 0.5), (1.25, 1.0)];
        for (turns, sine_of) in known {
            assert!((sine(turns) - sine_of).abs() < 1e-6, "{turns}: {}", sine(turns));
        }
    }

    #[test]
    fn what_stands_in_a_region_is_told_by_role() {
        let roles = roles(&cast(), 1);
        assert_eq!(roles["database"], ["db-us-west"]);
        assert_eq!(roles["checker"], ["checker-us-west"]);
    }
}
