//! Where the time of an outage goes, for each region with clients.
//!
//! Medians of parts do not add up; means do. In each trial the parts are laid one after the other,
//! from the onset, and cut off where the region was served again. What is left after the failover
//! was over is the time to the first write, and then the tail of those sent there late.

use super::element::{escaped, exact};
use crate::experiment::Trial;
use crate::measure::{MetricKey, Sample, Unit};
use crate::report::findings::{Findings, phases};
use crate::report::number;

/// The parts in order: their words, and the metrics that tell them.
const PARTS: [(&str, &str); 7] = [
    ("detect", "phase.detect"),
    ("decide", "phase.decide"),
    ("approve", "phase.approve"),
    ("drain", "phase.drain"),
    ("fence", "phase.fence"),
    ("promote", "phase.promote"),
    ("route", "phase.route"),
];
/// What is not told by a step.
const FIRST: &str = "first write";
const TAIL: &str = "DNS tail";
const ALONE: &str = "no failover";
/// The tail, where no resolver is the reason.
const REST: &str = "the rest";

/// The mean outage of the clients of a region, part by part.
#[derive(Clone, PartialEq, Debug)]
pub struct Spent {
    /// The region, with the store where there are several.
    pub of: String,
    /// The metric whose mean it is.
    pub metric: String,
    /// Trials in which service was lost and is known to have come back.
    pub trials: usize,
    /// Words and seconds, in order; those that took no time are left out.
    pub parts: Vec<(&'static str, f64)>,
}

impl Spent {
    /// The largest part.
    pub fn largest(&self) -> Option<(&'static str, f64)> {
        self.parts.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))
    }
    /// All parts together.
    pub fn total(&self) -> f64 {
        self.parts.iter().map(|(_, seconds)| seconds).sum()
    }
}

/// A bar for each region (and store) with an outage.
pub fn spent(findings: &Findings) -> Vec<Spent> {
    let outages = findings.outcomes.keys.iter().enumerate().filter(|(_, key)| {
        key.name == "rto.restored" && key.label("region").is_some() && key.label("client").is_none()
    });
    outages.filter_map(|(column, key)| of(findings, column, key)).collect()
}

fn of(findings: &Findings, column: usize, key: &MetricKey) -> Option<Spent> {
    let keys = &findings.outcomes.keys;
    let find = |name: &str, region: bool| {
        keys.iter().position(|other| {
            let labels = other.labels.iter().all(|(label, _)| ["store", "region"].contains(label));
            other.name == name
                && labels
                && other.label("store") == key.label("store")
                && other.label("region") == key.label("region").filter(|_| region)
        })
    };
    let steps = PARTS.map(|(_, name)| find(name, false));
    let first = find("rto.first_write", true);
    let mut sums = [0.0; PARTS.len() + 3];
    let mut trials = 0;
    for trial in &findings.outcomes.trials {
        let Some(outage) = trial.samples[column].value().filter(|seconds| *seconds > 0.0) else {
            continue;
        };
        trials += 1;
        let parts = parts(trial, outage, &steps, first);
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    if trials == 0 {
        return None;
    }
    let resolvers = find("dns.tail", true).is_some_and(|at| {
        findings.outcomes.trials.iter().any(|trial| trial.samples[at] != Sample::Missing)
    });
    let tail = if resolvers { TAIL } else { REST };
    let words = PARTS.iter().map(|(word, _)| *word).chain([FIRST, tail, ALONE]);
    let parts = words.zip(sums).filter(|(_, sum)| *sum > 0.0);
    let region = key.label("region").unwrap_or_default();
    let of = key.label("store").map_or(region.to_string(), |store| format!("{region}, {store}"));
    let parts = parts.map(|(word, sum)| (word, sum / trials as f64)).collect();
    Some(Spent { of, metric: key.to_string(), trials, parts })
}

/// One trial: what of the outage each part took.
fn parts(
    trial: &Trial,
    outage: f64,
    steps: &[Option<usize>],
    first: Option<usize>,
) -> [f64; PARTS.len() + 3] {
    let sample = |column: &Option<usize>| column.map_or(Sample::Missing, |at| trial.samples[at]);
    let mut parts = [0.0; PARTS.len() + 3];
    let mut left = outage;
    let told = steps.iter().map(|step| sample(step).value()).collect::<Vec<_>>();
    if told.iter().all(Option::is_none) {
        parts[PARTS.len() + 2] = outage;
        return parts;
    }
    for (part, told) in parts.iter_mut().zip(&told) {
        *part = told.unwrap_or(0.0).clamp(0.0, left);
        left -= *part;
    }
    let gone = outage - left;
    let until_first = sample(&first).value().unwrap_or(outage) - gone;
    parts[PARTS.len()] = until_first.clamp(0.0, left);
    parts[PARTS.len() + 1] = left - parts[PARTS.len()];
    parts
}

/// The bars, and the largest part in words. Nothing where there was no outage.
pub fn block(findings: &Findings) -> String {
    let bars = spent(findings);
    let most = bars.iter().map(Spent::total).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let (mut said, mut out) = (String::new(), String::new());
    for (row, spent) in bars.iter().enumerate() {
        let (word, seconds) = spent.largest().unwrap_or((ALONE, 0.0));
        let mean = spent.total();
        said.push_str(&format!(
            "<p>{}: the largest part of the outage is <strong>{word}</strong>, {} of {} in the mean of \
             {} trials.</p>\n",
            escaped(&spent.of),
            number::show(Unit::Seconds, seconds),
            exact(&spent.metric, "spent", mean, &number::show(Unit::Seconds, mean)),
            spent.trials
        ));
        out.push_str(&bar(spent, row as f64 * 48.0, most));
    }
    let height = bars.len() as f64 * 48.0 + 4.0;
    format!(
        "{said}<div class=\"wide\"><svg viewBox=\"0 0 1000 {height:.0}\" role=\"img\" aria-label=\"parts \
         of the outage\">{out}</svg></div>\n<p class=\"told\"></p>{}",
        legend(findings)
    )
}

fn bar(spent: &Spent, y: f64, most: f64) -> String {
    let mut x = 0.0;
    let told =
        spent.parts.iter().map(|(word, s)| format!("{word} {}", number::show(Unit::Seconds, *s)));
    let mut out = format!(
        "<text class=\"label\" x=\"0\" y=\"{:.1}\">{}, {}: {}</text>",
        y + 13.0,
        escaped(&spent.of),
        number::show(Unit::Seconds, spent.total()),
        told.collect::<Vec<_>>().join(" · ")
    );
    for (word, seconds) in &spent.parts {
        let width = 1000.0 * seconds / most;
        let shown = number::show(Unit::Seconds, *seconds);
        let words = PARTS.iter().map(|(word, _)| *word).chain([FIRST, TAIL, ALONE, REST]);
        let colour = words.into_iter().position(|known| known == *word).unwrap_or(0);
        out.push_str(&format!(
            "<rect class=\"t part p{colour}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"24\"><title>{}: {word} {shown}</title></rect>",
            y + 18.0,
            escaped(&spent.of)
        ));
        let text = format!("{word} {shown}");
        let room = |text: &str| width > 7.0 * text.len() as f64 + 6.0;
        if let Some(text) = [text.as_str(), word].into_iter().find(|text| room(text)) {
            out.push_str(&format!(
                "<text class=\"inside\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                x + 5.0,
                y + 34.5
            ));
        }
        x += width;
    }
    out
}

/// What the parts are, and the medians that the participants told.
fn legend(findings: &Findings) -> String {
    let told = phases(findings).into_iter().map(|(store, parts)| {
        let parts: Vec<String> = parts
            .iter()
            .map(|(word, s)| format!("{word} {}", number::show(Unit::Seconds, *s)))
            .collect();
        let of = if store.is_empty() { String::new() } else { format!(" of {store}") };
        format!(" Medians over trials{of}: {}.", parts.join(" · "))
    });
    let told: String = told.collect();
    format!(
        "<small>Laid one after the other from the onset, and cut off where the region was served again: \
         detect to route as their participants told them; then the time to the region's first write; then \
         the tail of clients that were sent to the new primary late.{}</small>",
        escaped(&told)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::design;

    /// By hand: detect 30, promote 4, first write at 40 of 100 seconds; the rest is tail.
    #[test]
    fn the_parts_of_an_outage_add_up_to_it() {
        let (.., mut findings) = design("x", |_| (Sample::Value(100.0), Sample::Value(0.0)));
        let named = |name| MetricKey::new(name).with("region", "paris");
        findings.outcomes.keys = vec![
            named("rto.restored"),
            named("rto.first_write"),
            MetricKey::new("phase.detect"),
            MetricKey::new("phase.promote"),
        ];
        let mut told =
            [[100.0, 40.0, 30.0, 4.0], [20.0, 20.0, 30.0, 4.0]].map(|row| row.map(Sample::Value));
        findings.outcomes.trials.truncate(3);
        for (trial, samples) in findings.outcomes.trials.iter_mut().zip(&mut told) {
            trial.samples = samples.to_vec();
        }
        findings.outcomes.trials[2].samples = vec![Sample::Censored(9.0); 4];
        let bars = spent(&findings);
        assert_eq!(bars.len(), 1);
        // The second trial was served again by itself while the fault was still being detected.
        let parts = [("detect", 25.0), ("promote", 2.0), ("first write", 3.0), ("the rest", 30.0)];
        assert_eq!(bars[0].parts, parts);
        assert_eq!((bars[0].total(), bars[0].trials), (60.0, 2));
        assert_eq!(bars[0].largest(), Some(("the rest", 30.0)));
        let shown = block(&findings);
        assert!(shown.contains("the largest part of the outage is <strong>the rest</strong>"));
    }
}
