//! Baselines: what a scenario came to before, and whether it is worse now.
//!
//! A baseline is a results folder that somebody accepted: its `results.json` says of what it is,
//! its `trials.csv` has a sample per trial. Where seed and model version are the same, trials are
//! paired: what does not depend on the change is the same in both, and a change of nothing is a
//! difference of exactly nothing. Otherwise the two are independent, and the interval is wider.

use crate::experiment::shard::sample;
use crate::measure::stats::{Difference, independent_difference, paired_difference};
use crate::measure::{Better, MetricKey, Sample};
use crate::report::findings::{Findings, HEADLINES, only_store};
use crate::report::json::MODEL_VERSION;
use serde_json::Value;
use std::collections::BTreeMap;

/// A baseline that was read.
#[derive(Clone, Debug)]
pub struct Baseline {
    name: String,
    variant: Option<String>,
    seed: u64,
    model_version: String,
    keys: Vec<MetricKey>,
    /// By trial: a sample per key.
    trials: BTreeMap<u64, Vec<Sample>>,
}

/// One metric against its baseline.
#[derive(Clone, Debug)]
pub struct Check {
    /// Which.
    pub key: MetricKey,
    /// Now minus then.
    pub difference: Difference,
    /// True where trials were paired.
    pub paired: bool,
    /// True where it is surely worse, by more than is tolerated.
    pub regressed: bool,
    /// True where it is surely better.
    pub improved: bool,
}

impl Baseline {
    /// Reads the two files of a results folder.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(results: &str, trials: &[u8]) -> Result<Baseline, String> {
        let value: Value =
            serde_json::from_str(results).map_err(|error| format!("results.json: {error}"))?;
        if value["format"] != "regionsim results" {
            return Err("results.json: not the results of a run".to_string());
        }
        let text = |value: &Value| value.as_str().map(str::to_string);
        let seed = value["seed"].as_u64().ok_or("results.json: no seed")?;
        let (keys, trials) = samples(trials).map_err(|error| format!("trials.csv: {error}"))?;
        Ok(Baseline {
            name: text(&value["scenario"]["name"]).ok_or("results.json: no scenario")?,
            variant: text(&value["scenario"]["variant"]),
            seed,
            model_version: text(&value["model_version"]).unwrap_or_default(),
            keys,
            trials,
        })
    }

    /// Why findings cannot be held against it, if they cannot.
    pub fn foreign(&self, findings: &Findings) -> Option<String> {
        let heading = &findings.heading;
        let other = heading.name != self.name || heading.variant != self.variant;
        other.then(|| {
            let variant = self.variant.as_ref().map(|v| format!("@{v}")).unwrap_or_default();
            format!("it is of `{}{variant}`, not of `{}`", self.name, heading.label())
        })
    }

    /// Holds what was found now against it: the metrics that something is expected of, and the
    /// headlines. `tolerance` is a share of the baseline's mean: a difference counts as worse only
    /// where its whole interval lies beyond.
    pub fn check(&self, findings: &Findings, tolerance: f64) -> Vec<Check> {
        let paired = self.seed == findings.heading.seed && self.model_version == MODEL_VERSION;
        let expected = findings.expectations.iter().map(|(expectation, _)| &expectation.key);
        let headlines = findings.metrics.iter().map(|metric| &metric.key);
        let headlines = headlines.filter(|key| HEADLINES.contains(&key.name) && only_store(key));
        let mut keys: Vec<&MetricKey> = Vec::new();
        for key in expected.chain(headlines) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.into_iter().filter_map(|key| self.one(key, findings, paired, tolerance)).collect()
    }

    fn one(
        &self,
        key: &MetricKey,
        findings: &Findings,
        paired: bool,
        tolerance: f64,
    ) -> Option<Check> {
        let column = self.keys.iter().position(|known| known == key)?;
        let now = findings.outcomes.keys.iter().position(|known| known == key)?;
        let trials = &findings.outcomes.trials;
        let difference = if paired {
            let both = trials.iter().filter_map(|trial| {
                Some((self.trials.get(&trial.trial)?[column], trial.samples[now]))
            });
            let (then, now): (Vec<Sample>, Vec<Sample>) = both.unzip();
            // One and the same run, censored or not, is no difference.
            let same: Vec<bool> = then.iter().zip(&now).map(|(a, b)| a == b).collect();
            paired_difference(&then, &now, &same)?
        } else {
            let then: Vec<Sample> = self.trials.values().map(|samples| samples[column]).collect();
            let now: Vec<Sample> = trials.iter().map(|trial| trial.samples[now]).collect();
            independent_difference(&then, &now)?
        };
        let good = match key.doc().better {
            Better::Higher => 1,
            Better::Lower => -1,
            Better::Neither => return None,
        };
        let allowed = tolerance * self.mean(column).abs();
        let (low, high) = difference.interval.unwrap_or(difference.median_interval);
        let beyond = if good > 0 { high < -allowed } else { low > allowed };
        let improved = difference.sign() == good;
        Some(Check { key: key.clone(), difference, paired, regressed: beyond, improved })
    }

    fn mean(&self, column: usize) -> f64 {
        let known: Vec<f64> =
            self.trials.values().filter_map(|samples| samples[column].value()).collect();
        known.iter().sum::<f64>() / known.len().max(1) as f64
    }
}

type Samples = (Vec<MetricKey>, BTreeMap<u64, Vec<Sample>>);

/// The columns of `trials.csv` that are metrics known here, and their samples. A metric that is
/// no longer known is left out.
fn samples(bytes: &[u8]) -> Result<Samples, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let number = header.iter().position(|name| name == "trial").ok_or("no column `trial`")?;
    let known: Vec<(usize, MetricKey)> = header
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((at, MetricKey::parse(name).ok()?)))
        .collect();
    let mut trials = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let cell = |at: usize| row.get(at).unwrap_or("");
        let trial = cell(number).parse().map_err(|_| format!("`{}` is no trial", cell(number)))?;
        let of_row: Option<Vec<Sample>> = known.iter().map(|(at, _)| sample(cell(*at))).collect();
        trials.insert(
            trial,
            of_row.ok_or_else(|| format!("trial {trial} has a cell that is no sample"))?,
        );
    }
    Ok((known.into_iter().map(|(_, key)| key).collect(), trials))
}

#[cfg(test)]
#[path = "baseline_tests.rs"]
mod tests;
