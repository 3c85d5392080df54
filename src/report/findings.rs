//! What the trials say, worked out once for every format.

use crate::experiment::Outcomes;
use crate::measure::expect::Ruling;
use crate::measure::{Expectation, Judgement, MetricKey, Sample, stats};
use crate::model::roster::Roster;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The percentiles that are always worked out.
pub const PERCENTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// The metrics that a summary shows although nothing is expected of them.
pub const HEADLINES: [&str; 10] = [
    "rto.restored",
    "rto.first_write",
    "rpo.time",
    "writes.lost",
    "writes.stranded",
    "split_brain.incidents",
    "dual_primary.time",
    "failover.false",
    "failover.missed",
    "availability",
];

/// The metrics that a summary shows where they have something to say: where a trial had more than
/// none.
pub const WHERE_NOT_ZERO: [&str; 2] = ["writes.doubled", "degraded.rule_time"];

/// Which scenario, and which trials of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Heading {
    /// The scenario's name.
    pub name: String,
    /// One line.
    pub title: String,
    /// The question it answers; empty when none is stated.
    pub question: String,
    /// The variant that was applied.
    pub variant: Option<String>,
    /// Digest of the scenario's text and of all that was applied to it.
    pub digest: u64,
    /// The seed.
    pub seed: u64,
}

impl Heading {
    /// `name`, or `name@variant`: also the name of the results folder.
    pub fn label(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}@{variant}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A percentile over trials.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantile {
    /// The value of the trial at that rank, or the least it can be.
    pub value: f64,
    /// True when it can be more: that trial is censored or unresolved.
    pub at_least: bool,
    /// Order-statistic interval, 95 %; a side that too few trials leave open is infinite.
    pub interval: (f64, f64),
}

/// One metric over all trials.
#[derive(Clone, PartialEq, Debug)]
pub struct Metric {
    /// Which.
    pub key: MetricKey,
    /// Trials with a value of any kind.
    pub count: usize,
    /// Trials to which it does not apply.
    pub missing: usize,
    /// Trials that ended before it did.
    pub censored: usize,
    /// Trials in which only bounds are known.
    pub unresolved: usize,
    /// The least of the trials that were run.
    pub min: Option<f64>,
    /// The most; infinite where a trial is censored.
    pub max: Option<f64>,
    /// The mean; nothing where a trial is censored or unresolved.
    pub mean: Option<f64>,
    /// Its bootstrap interval; worked out for metrics without labels other than the store.
    pub mean_interval: Option<(f64, f64)>,
    /// One per [`PERCENTILES`]; empty when no trial has a value.
    pub quantiles: Vec<Quantile>,
    /// Where every trial says zero: the most the share of trials with more can be (95 %).
    pub zero_bound: Option<f64>,
}

impl Metric {
    /// A percentile of [`PERCENTILES`] by its name.
    pub fn quantile(&self, name: &str) -> Option<Quantile> {
        let at = PERCENTILES.iter().position(|(known, _)| *known == name)?;
        self.quantiles.get(at).copied()
    }
}

/// Everything a report shows.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Which scenario.
    pub heading: Heading,
    /// Who is who.
    pub roster: Roster,
    /// Every metric, in the judges' order.
    pub metrics: Vec<Metric>,
    /// Every expectation and what became of it.
    pub expectations: Vec<(Expectation, Judgement)>,
    /// The trials.
    pub outcomes: Outcomes,
}

impl Findings {
    /// Works out what the trials say.
    pub fn new(
        heading: Heading,
        roster: &Roster,
        expectations: &[Expectation],
        outcomes: Outcomes,
    ) -> Findings {
        let ranks = Ranks::new(outcomes.trials.len());
        let metrics = (0..outcomes.keys.len())
            .into_par_iter()
            .map(|column| metric(&outcomes.keys[column], &outcomes.column(column), &ranks))
            .collect();
        let expectations = expectations.iter().map(|e| (e.clone(), judge(e, &outcomes))).collect();
        Findings { heading, roster: roster.clone(), metrics, expectations, outcomes }
    }

    /// A metric by its key.
    pub fn metric(&self, key: &MetricKey) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == *key)
    }

    /// The worst ruling of all expectations; pass when there are none.
    pub fn ruling(&self) -> Ruling {
        let rulings = self.expectations.iter().map(|(_, judgement)| judgement.verdict);
        rulings.max().unwrap_or(Ruling::Pass)
    }

    /// The headline metrics nothing is expected of, in the order of [`HEADLINES`] and
    /// [`WHERE_NOT_ZERO`].
    pub fn headlines(&self) -> impl Iterator<Item = &Metric> {
        let expected = |key: &MetricKey| self.expectations.iter().any(|(e, _)| e.key == *key);
        let always = HEADLINES.iter().map(|name| (name, false));
        always.chain(WHERE_NOT_ZERO.iter().map(|name| (name, true))).flat_map(
            move |(name, speaks)| {
                self.metrics.iter().filter(move |metric| {
                    metric.key.name == *name
                        && metric.count > 0
                        && only_store(&metric.key)
                        && !expected(&metric.key)
                        && (!speaks || metric.max.is_some_and(|max| max > 0.0))
                })
            },
        )
    }
}

pub(super) fn only_store(key: &MetricKey) -> bool {
    key.labels.iter().all(|(label, _)| *label == "store")
}

pub(super) fn judge(expectation: &Expectation, outcomes: &Outcomes) -> Judgement {
    let samples = outcomes.samples(&expectation.key);
    let known = samples.is_some() || outcomes.trials.is_empty();
    let mut judgement = expectation.judge(&samples.unwrap_or_default());
    if !known {
        judgement.note = "nothing of this kind is in the scenario".to_string();
    }
    judgement
}

/// The ranks an interval lies between; a side is missing where trials are too few for it.
type Between = (Option<usize>, Option<usize>);

/// The ranks of the interval of each percentile. Worked out once for the number of trials, and
/// again only for metrics that some trials lack.
struct Ranks {
    full: usize,
    of_full: Vec<Between>,
}

impl Ranks {
    fn new(full: usize) -> Ranks {
        Ranks { full, of_full: Ranks::of(full) }
    }
    fn of(n: usize) -> Vec<Between> {
        PERCENTILES.iter().map(|(_, p)| stats::rank_interval(n, *p)).collect()
    }
    fn get(&self, n: usize) -> Vec<Between> {
        if n == self.full { self.of_full.clone() } else { Ranks::of(n) }
    }
}

fn metric(key: &MetricKey, samples: &[Sample], ranks: &Ranks) -> Metric {
    let count = |f: fn(&Sample) -> bool| samples.iter().filter(|sample| f(sample)).count();
    let censored = count(|s| matches!(s, Sample::Censored(_)));
    let unresolved = count(|s| matches!(s, Sample::Bounds { .. }));
    let (values, mut high): (Vec<f64>, Vec<f64>) = samples.iter().filter_map(Sample::range).unzip();
    let mut low = values.clone();
    stats::sort(&mut low);
    stats::sort(&mut high);
    let n = low.len();
    let exact = censored + unresolved == 0;
    let constant = low.first() == low.last();
    let mean = if exact { stats::mean(&values) } else { None };
    let mean_interval = match mean {
        Some(mean) if n > 1 && constant => Some((mean, mean)),
        Some(_) if only_store(key) => stats::mean_interval(&values),
        _ => None,
    };
    let quantile = |((_, p), (below, above)): (&(&str, f64), Between)| {
        let rank = stats::rank(n, *p);
        let (least, most) = (low[rank], high[rank]);
        let below = below.map_or(f64::NEG_INFINITY, |rank| low[rank]);
        let above = above.map_or(f64::INFINITY, |rank| high[rank]);
        Quantile { value: least, at_least: most > least, interval: (below, above) }
    };
    let quantiles = if n == 0 {
        Vec::new()
    } else {
        PERCENTILES.iter().zip(ranks.get(n)).map(quantile).collect()
    };
    Metric {
        key: key.clone(),
        count: n,
        missing: samples.len() - n,
        censored,
        unresolved,
        min: low.first().copied(),
        max: high.last().copied(),
        mean,
        mean_interval,
        quantiles,
        zero_bound: (n > 0 && high[n - 1] == 0.0).then(|| stats::zero_bound(n as u64)),
    }
}

/// The median of each phase of a failover, and of the DNS tail, by store: what explains an
/// outage. Phases that took no time in the median are left out.
pub fn phases(findings: &Findings) -> BTreeMap<String, Vec<(&'static str, f64)>> {
    const NAMES: [(&str, &str); 7] = [
        ("phase.detect", "detect"),
        ("phase.decide", "decide"),
        ("phase.drain", "drain"),
        ("phase.fence", "fence"),
        ("phase.promote", "promote"),
        ("phase.route", "route"),
        ("dns.tail", "DNS tail"),
    ];
    let mut found: BTreeMap<String, Vec<(&'static str, f64)>> = BTreeMap::new();
    for (name, word) in NAMES {
        let metrics = findings.metrics.iter().filter(|m| m.key.name == name && only_store(&m.key));
        for metric in metrics {
            let store = metric.key.label("store").unwrap_or("").to_string();
            if let Some(median) = metric.quantile("p50").filter(|q| q.value > 0.0) {
                found.entry(store).or_default().push((word, median.value));
            }
        }
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::experiment::Trial;
    use crate::report::story_of_tests::{at, cast};
    use crate::world::Finish;

    /// Trials with one value each of an RTO (every tenth censored), and no incident.
    pub(crate) fn findings(trials: u64) -> Findings {
        let keys = ["rto.restored", "split_brain.incidents", "phase.detect", "dns.tail"];
        let keys: Vec<MetricKey> = keys.iter().map(|name| MetricKey::new(name)).collect();
        let finish = Finish { at: at(1), events: 10, facts: 5, fingerprint: 7, halted: false };
        let trial = |n: u64| {
            let rto = if n % 10 == 9 { Sample::Censored(100.0) } else { Sample::Value(n as f64) };
            let detect = if n == 0 { Sample::Missing } else { Sample::Value(29.0) };
            Trial {
                trial: n,
                finish,
                samples: vec![rto, Sample::Value(0.0), detect, Sample::Value(41.0)],
                incidents: vec![],
                episodes: vec![],
                notes: vec![],
            }
        };
        let trials: Vec<Trial> = (0..trials).map(trial).collect();
        let asked = trials.len() as u64;
        let outcomes = Outcomes { keys, trials, asked, totals: vec![] };
        let expected = [
            Expectation::parse("rto.restored", "p50 < 1m"),
            Expectation::parse("split_brain.incidents", "max == 0"),
        ];
        let expected: Vec<Expectation> = expected.into_iter().map(Result::unwrap).collect();
        let heading = Heading {
            name: "cut".into(),
            title: "A cut".into(),
            question: "Does it heal?".into(),
            variant: None,
            digest: 0xabc,
            seed: 42,
        };
        Findings::new(heading, &cast(), &expected, outcomes)
    }

    #[test]
    fn censored_trials_stand_above_all_others() {
        let findings = findings(100);
        let rto = &findings.metrics[0];
        assert_eq!((rto.count, rto.censored, rto.missing), (100, 10, 0));
        assert_eq!(rto.quantile("p50").unwrap().value, 54.0);
        let p95 = rto.quantile("p95").unwrap();
        assert!(p95.at_least && p95.value == 100.0 && p95.interval.1.is_infinite());
        assert_eq!((rto.mean, rto.max), (None, Some(f64::INFINITY)));
        assert_eq!(findings.metrics[2].missing, 1);
    }

    #[test]
    fn zero_is_shown_with_its_bound_and_nothing_is_never_a_pass() {
        let bound = findings(500).metrics[1].zero_bound.unwrap();
        assert!((bound - 3.0 / 500.0).abs() < 1e-4);
        let none = findings(0);
        assert_eq!(none.ruling(), Ruling::Inconclusive);
        assert!(none.metrics.iter().all(|metric| metric.quantiles.is_empty()));
    }
}
