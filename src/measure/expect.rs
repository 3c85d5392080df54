//! Expectations: what a scenario states about a metric over all trials, and whether it holds.
//!
//! `"p95 < 110s"`, `"max == 0"`, `"mean >= 95%"`, `"share <= 1%"` (of trials with more than none).

use crate::measure::metric::{MetricDoc, MetricKey, Unit};
use crate::measure::sample::Sample;
use crate::measure::stats;
use crate::sim::time::Span;
use crate::sim::units;
use std::fmt;

/// What is made of the values of all trials.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Aggregate {
    /// A percentile, as a fraction: p95 is 0.95.
    Percentile(f64),
    /// The mean.
    Mean,
    /// The largest of the trials that were run.
    Max,
    /// The smallest of the trials that were run.
    Min,
    /// The share of trials in which the value is above zero.
    Share,
}

/// How the aggregate is compared with the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

/// One expectation.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// Of which metric.
    pub key: MetricKey,
    /// What is made of it.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub compare: Compare,
    /// With what; in the metric's unit.
    pub limit: f64,
    /// The limit as it was written.
    pub text: String,
}

/// Whether an expectation holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ruling {
    /// It holds.
    Pass,
    /// The trials cannot tell.
    Inconclusive,
    /// It does not.
    Fail,
}

/// What became of an expectation.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// The aggregate; a lower bound of it where [`Judgement::at_least`]. Nothing without trials.
    pub value: Option<f64>,
    /// True when censored or unresolved trials leave the aggregate open upwards.
    pub at_least: bool,
    /// Its 95 % interval. A side that too few trials or censored ones leave open is infinite.
    pub interval: Option<(f64, f64)>,
    /// Whether it holds.
    pub verdict: Ruling,
    /// What a reader should know of it; empty when nothing.
    pub note: String,
}

const OPERATORS: [(&str, Compare); 5] = [
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("==", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::More),
];

impl Expectation {
    /// Reads a metric key and a limit such as `"p95 < 110s"`.
    ///
    /// # Errors
    /// What was expected, where the key, aggregate, operator or unit is wrong.
    pub fn parse(key: &str, limit: &str) -> Result<Expectation, String> {
        let key = MetricKey::parse(key)?;
        let expected = "expected `aggregate operator value`, such as \"p95 < 110s\"";
        let at = limit.find(['<', '>', '=']).ok_or(expected)?;
        let (word, rest) = limit.split_at(at);
        let (sign, compare) = OPERATORS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .ok_or("unknown operator; expected one of < <= == >= >")?;
        let aggregate = Aggregate::parse(word.trim())?;
        let unit = if aggregate == Aggregate::Share { Unit::Share } else { key.doc().unit };
        let limit_value = parse_value(rest[sign.len()..].trim(), unit)
            .map_err(|error| format!("`{}` is {}: {error}", key.name, counted_in(unit)))?;
        let text = limit.trim().to_string();
        Ok(Expectation { key, aggregate, compare: *compare, limit: limit_value, text })
    }

    /// The unit of the aggregate: a share of trials, or the metric's own.
    pub fn unit(&self) -> Unit {
        if self.aggregate == Aggregate::Share { Unit::Share } else { self.key.doc().unit }
    }

    /// What a lint should say: too few trials for a percentile's interval, a `max` limit on
    /// something that grows with the number of trials.
    pub fn lint(&self, trials: u64) -> Vec<String> {
        let mut found = Vec::new();
        let doc: &MetricDoc = self.key.doc();
        if let Aggregate::Percentile(p) = self.aggregate {
            let needed = stats::trials_needed(p);
            if trials < needed {
                found.push(format!(
                    "{} needs {needed} trials for a two-sided 95 % interval; {trials} are planned",
                    self.aggregate
                ));
            }
        }
        let upper = matches!(self.compare, Compare::Less | Compare::AtMost);
        if self.aggregate == Aggregate::Max && upper && doc.unbounded {
            found.push(format!(
                "`{}` has no upper bound: a `max` limit fails as trials grow; limit a percentile",
                doc.name
            ));
        }
        found
    }

    /// Judges the samples of all trials.
    pub fn judge(&self, samples: &[Sample]) -> Judgement {
        let ranges: Vec<(f64, f64)> = samples.iter().filter_map(Sample::range).collect();
        if ranges.is_empty() {
            let note = "no trial has a value".to_string();
            let verdict = Ruling::Inconclusive;
            return Judgement { value: None, at_least: false, interval: None, verdict, note };
        }
        let (mut low, mut high): (Vec<f64>, Vec<f64>) = ranges.into_iter().unzip();
        stats::sort(&mut low);
        stats::sort(&mut high);
        let mut judgement = match self.aggregate {
            Aggregate::Percentile(p) => self.of_percentile(p, &low, &high),
            Aggregate::Mean => self.of_mean(&low, &high),
            Aggregate::Max => self.of_trials_run(low[low.len() - 1], high[high.len() - 1]),
            Aggregate::Min => self.of_trials_run(low[0], high[0]),
            Aggregate::Share => self.of_share(&low, &high),
        };
        self.add_notes(&mut judgement, samples, &high);
        judgement
    }

    fn of_percentile(&self, p: f64, low: &[f64], high: &[f64]) -> Judgement {
        let (below, above) = stats::rank_interval(low.len(), p);
        let lower = below.map_or(f64::NEG_INFINITY, |r| low[r]);
        let upper = above.map_or(f64::INFINITY, |r| high[r]);
        let rank = stats::rank(low.len(), p);
        let mut judgement = self.within(low[rank], high[rank], Some((lower, upper)));
        if below.is_none() || above.is_none() {
            judgement.note = format!(
                "{} trials; {} needs {} for its interval",
                low.len(),
                self.aggregate,
                stats::trials_needed(p)
            );
        }
        judgement
    }

    fn of_mean(&self, low: &[f64], high: &[f64]) -> Judgement {
        let value = stats::mean(low).unwrap_or(0.0);
        let open = high.iter().any(|v| v.is_infinite());
        let (below, above) = (stats::mean_interval(low), stats::mean_interval(high));
        match (below, above) {
            (Some((lower, _)), Some((_, upper))) if !open => {
                let top = stats::mean(high).unwrap_or(value);
                self.within(value, top, Some((lower, upper)))
            }
            _ => Judgement {
                value: Some(value),
                at_least: open,
                interval: None,
                verdict: Ruling::Inconclusive,
                note: if open {
                    "a mean with censored trials"
                } else {
                    "one trial has no interval"
                }
                .to_string(),
            },
        }
    }

    /// `max` and `min` judge the trials that were run, and claim nothing beyond them.
    fn of_trials_run(&self, low: f64, high: f64) -> Judgement {
        let mut judgement = self.within(low, high, Some((low, high)));
        judgement.interval = None;
        judgement.note = "of the trials that were run".to_string();
        judgement
    }

    fn of_share(&self, low: &[f64], high: &[f64]) -> Judgement {
        let n = low.len() as u64;
        let hits = |values: &[f64]| values.iter().filter(|v| **v > 0.0).count() as u64;
        let (least, most) = (hits(low), hits(high));
        let interval = (stats::wilson(least, n).0, stats::wilson(most, n).1);
        self.within(least as f64 / n as f64, most as f64 / n as f64, Some(interval))
    }

    /// The ruling from the interval, which holds what sampling and open trials leave open.
    fn within(&self, low: f64, high: f64, interval: Option<(f64, f64)>) -> Judgement {
        let (a, b) = interval.unwrap_or((low, high));
        let verdict = match (self.holds(a), self.holds(b)) {
            (true, true) => Ruling::Pass,
            (false, false) if self.compare != Compare::Equal => Ruling::Fail,
            (false, false) if b < self.limit || a > self.limit => Ruling::Fail,
            _ => Ruling::Inconclusive,
        };
        let at_least = high > low;
        Judgement { value: Some(low), at_least, interval, verdict, note: String::new() }
    }

    /// True where one value, taken alone, is what was expected.
    pub fn holds(&self, value: f64) -> bool {
        match self.compare {
            Compare::Less => value < self.limit,
            Compare::AtMost => value <= self.limit,
            Compare::Equal => value == self.limit,
            Compare::AtLeast => value >= self.limit,
            Compare::More => value > self.limit,
        }
    }

    fn add_notes(&self, judgement: &mut Judgement, samples: &[Sample], high: &[f64]) {
        let mut notes: Vec<String> = Vec::new();
        if !judgement.note.is_empty() {
            notes.push(std::mem::take(&mut judgement.note));
        }
        let count = |f: fn(&Sample) -> bool| samples.iter().filter(|s| f(s)).count();
        let censored = count(|s| matches!(s, Sample::Censored(_)));
        let unresolved = count(|s| matches!(s, Sample::Bounds { .. }));
        let missing = count(|s| matches!(s, Sample::Missing));
        for (n, what) in
            [(censored, "censored"), (unresolved, "unresolved"), (missing, "without a value")]
        {
            if n > 0 {
                notes.push(format!("{n} of {} trials {what}", samples.len()));
            }
        }
        // Zero is a claim too: it is printed with its bound.
        if high[high.len() - 1] == 0.0 && high[0] == 0.0 && self.key.doc().unit != Unit::Share {
            let n = high.len() as u64;
            let bound = units::show_share(libm::ceil(stats::zero_bound(n) * 1e4) / 1e4);
            notes.push(format!("none in {n} trials: at most {bound} of trials (95 %)"));
        }
        judgement.note = notes.join("; ");
    }
}

impl Aggregate {
    /// Reads `p95`, `p99.9`, `mean`, `median`, `max`, `min` or `share`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(word: &str) -> Result<Aggregate, String> {
        let unknown = || {
            format!(
                "unknown aggregate `{word}`; expected p50 … p99.9, mean, median, max, min or share"
            )
        };
        match word {
            "mean" => Ok(Aggregate::Mean),
            "median" => Ok(Aggregate::Percentile(0.5)),
            "max" => Ok(Aggregate::Max),
            "min" => Ok(Aggregate::Min),
            "share" => Ok(Aggregate::Share),
            _ => {
                let digits = word.strip_prefix('p').ok_or_else(unknown)?;
                if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
                    return Err(unknown());
                }
                let p: f64 = format!("{digits}e-2").parse().map_err(|_| unknown())?;
                if p > 0.0 && p < 1.0 { Ok(Aggregate::Percentile(p)) } else { Err(unknown()) }
            }
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregate::Percentile(p) => {
                write!(f, "p{}", units::show_share(*p).trim_end_matches('%'))
            }
            Aggregate::Mean => f.write_str("mean"),
            Aggregate::Max => f.write_str("max"),
            Aggregate::Min => f.write_str("min"),
            Aggregate::Share => f.write_str("share"),
        }
    }
}

fn counted_in(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "a duration",
        Unit::Count => "a count",
        Unit::Share => "a share",
        Unit::PerSecond => "a rate",
        Unit::Ratio => "a ratio",
    }
}

fn parse_value(text: &str, unit: Unit) -> Result<f64, String> {
    match unit {
        // A duration of zero is zero in every unit.
        Unit::Seconds if text == "0" => Ok(0.0),
        Unit::Seconds => units::parse_span(text).map(Span::as_secs_f64),
        Unit::Share => units::parse_share(text),
        Unit::Count | Unit::PerSecond | Unit::Ratio => {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
            let number = text.replace('_', "").parse::<f64>();
            match number {
                Ok(n) if plain && n.is_finite() => Ok(n),
                _ => Err(format!("expected a plain number, found `{text}`")),
            }
        }
    }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
