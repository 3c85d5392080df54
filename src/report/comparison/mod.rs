//! What several designs say of the same trials: side by side, and the interval of each difference.
//!
//! The first design is the reference that differences are taken to. `text`, `json`, `csv` and
//! `markdown` only render.
//!
//! # Decided
//! - Every design runs the same trials with the same seed: what does not depend on the design
//!   (arrivals, keys, faults, the length of steps) is the same in each, so a difference is taken
//!   trial by trial and its interval is that of the difference.
//! - *Better* is what is better with 95 % confidence. A design is *beaten* on a metric where some
//!   other is surely better; it is *unbeaten* as a whole where no other is surely better on one
//!   of the metrics shown and surely worse on none. The rest of a Pareto front is opinion.

pub mod csv;
pub mod json;
pub mod markdown;
pub mod text;

use crate::measure::stats::{Difference, paired_difference};
use crate::measure::{Better, MetricKey, Sample};
use crate::report::Findings;
use crate::report::findings::{HEADLINES, Metric, only_store};
use rayon::prelude::*;

/// Several designs over the same trials.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What kind of comparison it is.
    pub title: String,
    /// The designs; the first is the reference.
    pub designs: Vec<Design>,
    /// The metrics that are shown: those of the designs' expectations, then the headlines.
    pub lines: Vec<Line>,
    /// Every other metric of a whole store that the reference has; for programs.
    pub others: Vec<Line>,
}

/// One design.
#[derive(Clone, Debug)]
pub struct Design {
    /// What it is called here.
    pub label: String,
    /// What it is, in a sentence; empty where the label says it.
    pub about: String,
    /// What its trials say.
    pub findings: Findings,
    /// True where no other design is surely better on a metric shown and surely worse on none.
    pub unbeaten: bool,
}

/// One metric over all designs.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which.
    pub key: MetricKey,
    /// One per design.
    pub cells: Vec<Cell>,
}

/// One metric of one design.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Over all trials; nothing where the design has no such metric.
    pub metric: Option<Metric>,
    /// This design minus the reference; nothing for the reference itself.
    pub difference: Option<Difference>,
    /// True where no other design is surely better.
    pub best: bool,
}

impl Line {
    /// The one design that is surely better than every other, if there is one.
    pub fn winner(&self) -> Option<usize> {
        let mut best = (0..self.cells.len()).filter(|design| self.cells[*design].best);
        let first = best.next()?;
        if self.cells.len() < 2 || best.next().is_some() { None } else { Some(first) }
    }
    /// True where no design differs from the reference in any trial.
    pub fn says_nothing(&self) -> bool {
        let others = self.cells.iter().skip(1);
        self.cells.len() > 1
            && others
                .map(|cell| &cell.difference)
                .all(|difference| difference.as_ref().is_some_and(Difference::is_nothing))
    }
}

impl Comparison {
    /// Compares designs by label, description and findings. All must have run the same trials with
    /// the same seed.
    pub fn new(title: String, designs: Vec<(String, String, Findings)>) -> Comparison {
        let findings: Vec<&Findings> = designs.iter().map(|(.., findings)| findings).collect();
        let same: Vec<Vec<Vec<bool>>> =
            findings.iter().map(|a| findings.iter().map(|b| same_runs(a, b)).collect()).collect();
        let shown = shown(&findings);
        let rest = rest(&findings, &shown);
        let line = |key: &MetricKey| Duel { key, findings: &findings, same: &same }.line();
        let (lines, wins): (Vec<Line>, Vec<Vec<Vec<i8>>>) = shown.par_iter().map(line).unzip();
        let others = rest.par_iter().map(|key| line(key).0).collect();
        let unbeaten = unbeaten(findings.len(), &wins);
        let design =
            |((label, about, findings), unbeaten)| Design { label, about, findings, unbeaten };
        let designs = designs.into_iter().zip(unbeaten).map(design).collect();
        Comparison { title, designs, lines, others }
    }
}

/// Of which trials both are one and the same run.
fn same_runs(a: &Findings, b: &Findings) -> Vec<bool> {
    let pairs = a.outcomes.trials.iter().zip(&b.outcomes.trials);
    let settings = a.heading.digest == b.heading.digest;
    pairs
        .map(|(a, b)| {
            settings && a.trial == b.trial && a.finish == b.finish && a.samples == b.samples
        })
        .collect()
}

/// The metrics that are shown.
fn shown(findings: &[&Findings]) -> Vec<MetricKey> {
    let mut keys: Vec<MetricKey> = Vec::new();
    let expected = findings.iter().flat_map(|f| f.expectations.iter().map(|(e, _)| &e.key));
    let headlines = HEADLINES.iter().flat_map(|name| {
        let of = |f: &&Findings| -> Vec<MetricKey> {
            let mine = f.metrics.iter().filter(|m| m.key.name == *name && only_store(&m.key));
            mine.map(|metric| metric.key.clone()).collect()
        };
        findings.iter().flat_map(of).collect::<Vec<_>>()
    });
    for key in expected.cloned().chain(headlines) {
        let known = |f: &&Findings| f.metric(&key).is_some_and(|metric| metric.count > 0);
        if !keys.contains(&key) && findings.iter().any(known) {
            keys.push(key);
        }
    }
    keys
}

fn rest(findings: &[&Findings], shown: &[MetricKey]) -> Vec<MetricKey> {
    let reference = findings.iter().take(1).flat_map(|f| &f.metrics);
    let whole = reference.filter(|metric| only_store(&metric.key) && metric.count > 0);
    whole.map(|metric| metric.key.clone()).filter(|key| !shown.contains(key)).collect()
}

/// One metric of all designs against each other.
struct Duel<'a> {
    key: &'a MetricKey,
    findings: &'a [&'a Findings],
    same: &'a [Vec<Vec<bool>>],
}

impl Duel<'_> {
    /// The line, and by pair of designs -1, 0 or 1: whether the first is surely worse, neither, or
    /// surely better.
    fn line(&self) -> (Line, Vec<Vec<i8>>) {
        let samples: Vec<Option<Vec<Sample>>> =
            self.findings.iter().map(|f| f.outcomes.samples(self.key)).collect();
        let between = |a: usize, b: usize| {
            let (first, second) = (samples[a].as_ref()?, samples[b].as_ref()?);
            paired_difference(first, second, &self.same[a][b])
        };
        let good = match self.key.doc().better {
            Better::Higher => 1,
            Better::Lower => -1,
            Better::Neither => 0,
        };
        let n = self.findings.len();
        let mut wins = vec![vec![0; n]; n];
        let mut differences: Vec<Option<Difference>> = vec![None; n];
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        for (a, b) in pairs.filter(|(a, _)| *a == 0 || good != 0) {
            let difference = between(a, b);
            let sign = difference.as_ref().map_or(0, |d| d.sign() * good);
            (wins[b][a], wins[a][b]) = (sign, -sign);
            if a == 0 {
                differences[b] = difference;
            }
        }
        let beaten = |design: usize| (0..n).any(|other| wins[other][design] > 0);
        let cells = (0..n).zip(differences).map(|(design, difference)| Cell {
            metric: self.findings[design].metric(self.key).cloned(),
            difference,
            best: good != 0 && samples[design].is_some() && !beaten(design),
        });
        (Line { key: self.key.clone(), cells: cells.collect() }, wins)
    }
}

/// Which designs no other one beats: better somewhere, worse nowhere.
fn unbeaten(designs: usize, wins: &[Vec<Vec<i8>>]) -> Vec<bool> {
    let beats = |a: usize, b: usize| {
        wins.iter().any(|line| line[a][b] > 0) && wins.iter().all(|line| line[a][b] >= 0)
    };
    (0..designs).map(|design| !(0..designs).any(|other| beats(other, design))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::experiment::{Outcomes, Trial};
    use crate::report::findings::Heading;
    use crate::report::story_of_tests::{at, cast};
    use crate::world::Finish;

    /// A design whose RTO and lost writes in trial `n` are what the closure says.
    pub(crate) fn design(
        name: &str,
        of: impl Fn(u64) -> (Sample, Sample),
    ) -> (String, String, Findings) {
        let keys = ["rto.restored", "writes.lost"].map(MetricKey::new).to_vec();
        let fingerprint = name.bytes().map(u64::from).sum();
        let finish = Finish { at: at(1), events: 10, facts: 5, fingerprint, halted: false };
        let trial = |n: u64| {
            let (rto, lost) = of(n);
            let (incidents, episodes, notes) = Default::default();
            Trial { trial: n, finish, samples: vec![rto, lost], incidents, episodes, notes }
        };
        let trials: Vec<Trial> = (0..100).map(trial).collect();
        let outcomes = Outcomes { keys, trials, asked: 100, totals: vec![] };
        let heading =
            Heading { name: name.into(), digest: fingerprint, seed: 42, ..Heading::default() };
        (name.to_string(), String::new(), Findings::new(heading, &cast(), &[], outcomes))
    }

    /// A slow design that loses nothing, a fast one that does, and one that is worse than both.
    pub(crate) fn three() -> Comparison {
        use Sample::Value;
        let slow = design("slow", |n| (Value(100.0 + (n % 7) as f64), Value(0.0)));
        let fast = design("fast", |n| (Value(60.0 + (n % 7) as f64), Value((n % 3) as f64)));
        let poor = design("poor", |n| {
            let rto = if n % 10 == 0 { Sample::Censored(200.0) } else { Value(130.0) };
            (rto, Value(5.0))
        });
        Comparison::new("comparison".to_string(), vec![slow, fast, poor])
    }

    #[test]
    fn what_each_wins_and_what_nothing_else_beats() {
        let comparison = three();
        let winners: Vec<_> = comparison.lines.iter().map(Line::winner).collect();
        assert_eq!(winners, [Some(1), Some(0)], "the fast one by RTO, the slow one by loss");
        let unbeaten: Vec<bool> = comparison.designs.iter().map(|d| d.unbeaten).collect();
        assert_eq!(unbeaten, [true, true, false]);
        let rto = &comparison.lines[0].cells;
        assert_eq!(rto[0].difference, None);
        assert_eq!(rto[1].difference.as_ref().unwrap().mean, Some(-40.0));
        let censored = rto[2].difference.as_ref().unwrap();
        assert_eq!((censored.mean, censored.blurred, censored.sign()), (None, 10, 1));
    }

    #[test]
    fn a_design_against_itself_is_nothing_and_nobody_wins() {
        let of = |n: u64| {
            (
                if n == 3 { Sample::Censored(9.0) } else { Sample::Value(n as f64) },
                Sample::Value(1.0),
            )
        };
        let twice = Comparison::new("comparison".into(), vec![design("a", of), design("a", of)]);
        for line in &twice.lines {
            assert!(line.cells[1].difference.as_ref().unwrap().is_nothing(), "{}", line.key);
            assert_eq!(line.winner(), None);
        }
        assert!(twice.designs.iter().all(|design| design.unbeaten));
    }
}
