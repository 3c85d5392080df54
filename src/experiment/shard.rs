//! Shards: a part of the trials of a scenario, kept as a file, and joined again.
//!
//! A shard carries the scenario's text and all that was applied to it, so that joining needs
//! nothing else and cannot mix what does not belong together. Whatever the number of shards and
//! the order in which they are given, what comes of them is what one run says, byte for byte.
//!
//! Samples are written as text, as `trials.csv` has them, because the shortest text of a number is
//! exact; everything else is whole numbers and names.

mod rows;

pub use rows::sample;

use crate::experiment::{Outcomes, Total};
use crate::measure::MetricKey;
use rows::{TotalRow, TrialRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// What a shard file says it is.
const FORMAT: &str = "regionsim shard";
/// The version of the format.
const VERSION: u32 = 1;
/// The version of the model: trials of different ones do not belong together.
pub const MODEL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which part of the trials: the `index`-th (from 1) of `of` parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    pub index: u64,
    /// How many there are.
    pub of: u64,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { index: 1, of: 1 };

    /// The trials of this part, of so many in all: parts differ by one trial at most.
    pub fn trials(self, asked: u64) -> Range<u64> {
        let cut = |n: u64| (u128::from(asked) * u128::from(n) / u128::from(self.of)) as u64;
        cut(self.index - 1)..cut(self.index)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What was run: the scenario's text and what was applied to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Source {
    /// The text of the file.
    pub text: String,
    /// The expectations that stood in for its own, if any.
    pub expect: Option<String>,
    /// The variant.
    pub variant: Option<String>,
    /// Overrides.
    pub set: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// How many trials in all parts together.
    pub asked: u64,
}

/// A part of the trials, and what it is a part of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Shard {
    format: String,
    version: u32,
    model_version: String,
    /// Which part.
    pub part: Part,
    /// Of what.
    pub source: Source,
    keys: Vec<String>,
    trials: Vec<TrialRow>,
    totals: Vec<TotalRow>,
}

impl Shard {
    /// Keeps what a part of the trials came to.
    pub fn new(source: Source, part: Part, outcomes: &Outcomes) -> Shard {
        Shard {
            format: FORMAT.to_string(),
            version: VERSION,
            model_version: MODEL_VERSION.to_string(),
            part,
            source,
            keys: outcomes.keys.iter().map(MetricKey::to_string).collect(),
            trials: outcomes.trials.iter().map(TrialRow::new).collect(),
            totals: outcomes.totals.iter().map(TotalRow::new).collect(),
        }
    }

    /// The file.
    pub fn text(&self) -> String {
        let json = serde_json::to_string(self).expect("names and numbers");
        format!("{json}\n")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it: no shard, torn, or of another version.
    pub fn read(text: &str) -> Result<Shard, String> {
        let torn = |error: serde_json::Error| match error.is_eof() {
            true => "torn: it ends in the middle".to_string(),
            false => format!("no shard: {error}"),
        };
        let shard: Shard = serde_json::from_str(text).map_err(torn)?;
        if shard.format != FORMAT || shard.version != VERSION {
            return Err(format!("no shard of a format known here ({FORMAT}, version {VERSION})"));
        }
        if shard.model_version != MODEL_VERSION {
            let (its, ours) = (&shard.model_version, MODEL_VERSION);
            return Err(format!("made by regionsim {its}; this is {ours}"));
        }
        let Part { index, of } = shard.part;
        if index == 0 || index > of {
            return Err(format!("there is no part {index} of {of}"));
        }
        Ok(shard)
    }

    /// What its trials came to.
    ///
    /// # Errors
    /// What in it cannot be read.
    pub fn outcomes(&self) -> Result<Outcomes, String> {
        let keys: Result<Vec<MetricKey>, String> =
            self.keys.iter().map(|key| MetricKey::parse(key)).collect();
        let keys = keys?;
        let mut outcomes = Outcomes { keys, asked: self.asked_here(), ..Outcomes::default() };
        for row in &self.trials {
            let trial = row.trial()?;
            if trial.samples.len() != outcomes.keys.len() {
                return Err(format!("trial {} has no sample for every metric", trial.trial));
            }
            outcomes.trials.push(trial);
        }
        let totals: Result<Vec<Total>, String> = self.totals.iter().map(TotalRow::total).collect();
        outcomes.totals = totals?;
        Ok(outcomes)
    }

    fn asked_here(&self) -> u64 {
        let trials = self.part.trials(self.source.asked);
        trials.end - trials.start
    }

    /// True when all its trials are there.
    pub fn is_whole(&self) -> bool {
        self.trials.len() as u64 == self.asked_here()
    }
}

/// Joins shards, in whatever order they come. Each has a name for messages.
///
/// # Errors
/// Everything that is wrong, one message each: shards of different scenarios, seeds or numbers of
/// parts, one part twice, a part that is missing or was interrupted.
pub fn merge(shards: Vec<(String, Shard)>) -> Result<(Source, Outcomes), Vec<String>> {
    let Some((first_name, first)) = shards.first().cloned() else {
        return Err(vec!["no shard was given".to_string()]);
    };
    let mut wrong = Vec::new();
    let mut parts: BTreeMap<u64, (String, Shard)> = BTreeMap::new();
    for (name, shard) in shards {
        let other = differs(&first, &shard);
        if let Some(what) = other {
            wrong.push(format!("{name}: {what} than {first_name}"));
            continue;
        }
        if !shard.is_whole() {
            let (has, of) = (shard.trials.len(), shard.asked_here());
            wrong.push(format!("{name}: it was interrupted after {has} of {of} trials"));
        }
        if let Some((earlier, _)) = parts.insert(shard.part.index, (name.clone(), shard)) {
            wrong.push(format!("{name}: the same part as {earlier}"));
        }
    }
    let missing = (1..=first.part.of.min(100_000)).filter(|index| !parts.contains_key(index));
    wrong.extend(missing.map(|index| format!("part {index}/{} is missing", first.part.of)));
    let mut all = Vec::new();
    for (name, shard) in parts.into_values() {
        match shard.outcomes() {
            Ok(outcomes) => all.push(outcomes),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    if wrong.is_empty() { Ok((first.source, Outcomes::join(all))) } else { Err(wrong) }
}

/// In what two shards that should belong together differ.
fn differs(a: &Shard, b: &Shard) -> Option<&'static str> {
    let (of, with) = (&a.source, &b.source);
    if of.seed != with.seed {
        Some("another seed")
    } else if of.asked != with.asked {
        Some("another number of trials in all")
    } else if of != with {
        Some("another scenario")
    } else if a.part.of != b.part.of {
        Some("another number of parts")
    } else if a.keys != b.keys && !a.trials.is_empty() && !b.trials.is_empty() {
        Some("other metrics")
    } else {
        None
    }
}

#[cfg(test)]
#[path = "shard/tests.rs"]
mod tests;
