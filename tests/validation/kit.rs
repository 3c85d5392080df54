//! What every case needs: rows and tables, trials over all cores, a few statistics.

use rayon::prelude::*;
use regionsim::measure::{MetricKey, Oracle, Sample, Verdict};
use regionsim::model::fact::{Claim, Fact, Observer};
use regionsim::model::id::NodeId;
use regionsim::scenario::{Scenario, load};
use regionsim::sim::SimTime;
use regionsim::world::{Limits, Stage};

/// The seed of every case.
pub const SEED: u64 = 20_260;

/// How many trials: few for every day's tests, many for the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// A few seconds in all.
    Few,
    /// A few minutes.
    Many,
}

impl Effort {
    /// One number or the other.
    pub fn of(self, few: u64, many: u64) -> u64 {
        if self == Effort::Few { few } else { many }
    }
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is compared, with its parameters.
    pub what: String,
    /// READ, DERIVED or DIGITISED.
    pub label: &'static str,
    /// What was published or follows from the source.
    pub published: String,
    /// What the simulator says.
    pub ours: String,
    /// The interval of ours, or how many trials it rests on.
    pub interval: String,
    /// How far the two may be apart, and why.
    pub tolerance: String,
    /// Whether they are no further apart.
    pub pass: bool,
}

/// A file of figures.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name under `results/validation/`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A published case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its heading.
    pub title: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
    /// How it is encoded, and which bias is known.
    pub notes: &'static str,
    /// The comparisons.
    pub rows: Vec<Row>,
    /// The figures behind them.
    pub tables: Vec<Table>,
}

/// Reads a scenario that must be sound, and prepares it.
pub fn stage(text: &str) -> (Scenario, Stage) {
    let (scenario, diagnostics) = load(text);
    let Some(scenario) = scenario else {
        let told: Vec<String> = diagnostics.iter().map(|d| format!("{d:?}")).collect();
        panic!("the scenario has errors:\n{text}\n{}", told.join("\n"));
    };
    let stage = Stage::new(&scenario.plan).expect("a scenario without errors can be staged");
    (scenario, stage)
}

/// The head of a scenario whose network takes a microsecond a leg and whose clocks run true: what
/// is left is the mechanism under test.
pub fn head(name: &str, warmup: &str, horizon: &str, settle: &str, regions: &[&str]) -> String {
    let regions: String = regions.iter().map(|region| format!("[region.{region}]\n")).collect();
    format!(
        r#"
schema_version = 1
[scenario]
name = "{name}"
[run]
warmup = "{warmup}"
horizon = "{horizon}"
settle = "{settle}"
clock_drift_ppm = 0.0
{regions}[wan]
default = {{ rtt = "2us", jitter = "0ms" }}
within_zone = {{ rtt = "2us" }}
"#
    )
}

/// Runs `trials` trials over all cores and returns what `one` makes of each, in trial order.
pub fn trials<T: Send>(trials: u64, one: impl Fn(u64) -> T + Sync + Send) -> Vec<T> {
    (0..trials).into_par_iter().map(one).collect()
}

/// One trial before the judges.
pub fn judged(scenario: &Scenario, stage: &Stage, trial: u64) -> Verdict {
    let mut oracle = Oracle::new(stage.roster(), &scenario.settings);
    let finish = stage.run(SEED, trial, &mut oracle, &Limits::default());
    assert!(!finish.halted, "trial {trial} was halted");
    oracle.verdict(finish.at)
}

/// Hands every fact to a closure.
pub struct Facts<F>(pub F);

impl<F: FnMut(SimTime, &Fact)> Observer for Facts<F> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        (self.0)(at, fact);
    }
}

/// Hands every claim to a closure: what it reads is self-reported.
pub struct Claims<F>(pub F);

impl<F: FnMut(SimTime, NodeId, &Claim)> Observer for Claims<F> {
    fn on_fact(&mut self, _at: SimTime, _fact: &Fact) {}
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        (self.0)(at, by, claim);
    }
}

/// The exact value of a metric of the only store, for all its clients.
pub fn value(verdict: &Verdict, name: &'static str) -> f64 {
    match verdict.get(&MetricKey::new(name)) {
        Some(Sample::Value(value)) => value,
        other => panic!("{name} is {other:?}"),
    }
}

/// Sum over count.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The unbiased variance.
pub fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// The standard error of the mean.
pub fn error(values: &[f64]) -> f64 {
    (variance(values) / values.len() as f64).sqrt()
}

/// `x` to the power of `n`, by multiplication: the same bits everywhere.
pub fn power(x: f64, n: u32) -> f64 {
    (0..n).fold(1.0, |product, _| product * x)
}

/// Sorted, for quantiles.
pub fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The quantile of sorted values.
pub fn at(sorted: &[f64], q: f64) -> f64 {
    sorted[((q * sorted.len() as f64) as usize).min(sorted.len() - 1)]
}

/// The greatest distance of the sample's distribution from `cdf` (Kolmogorov-Smirnov).
pub fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let n = sorted.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    sorted.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// A mean against what it should be, within four standard errors (exceeded by chance in one
/// test of 16,000) and `slack` for what is known and not modelled in the closed form.
pub fn mean_row(what: String, expected: f64, unit: &str, values: &[f64], slack: f64) -> Row {
    let (ours, error) = (mean(values), error(values));
    let tolerance = 4.0 * error + slack;
    Row {
        what,
        label: "DERIVED",
        published: format!("{expected:.4} {unit}"),
        ours: format!("{ours:.4} {unit}"),
        interval: format!("± {:.4} ({} trials)", 1.96 * error, values.len()),
        tolerance: format!("± {tolerance:.4} (4 standard errors)"),
        pass: (ours - expected).abs() <= tolerance,
    }
}

/// The shape of a distribution: its distance from the law, at most 1.95 / sqrt(n) + `slack`
/// (exceeded by chance once in a thousand).
pub fn shape_row(
    what: String,
    law: &str,
    sorted: &[f64],
    slack: f64,
    cdf: impl Fn(f64) -> f64,
) -> Row {
    let ours = distance(sorted, cdf);
    let limit = 1.95 / (sorted.len() as f64).sqrt() + slack;
    Row {
        what,
        label: "DERIVED",
        published: law.to_string(),
        ours: format!("distance {ours:.4}"),
        interval: format!("{} trials", sorted.len()),
        tolerance: format!("distance ≤ {limit:.4} (Kolmogorov-Smirnov, 0.1 %)"),
        pass: ours <= limit,
    }
}

/// Every value within hard bounds; `slack` is the network's share, stated in the notes.
pub fn bounds_row(
    what: String,
    low: f64,
    high: f64,
    unit: &str,
    sorted: &[f64],
    slack: f64,
) -> Row {
    let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
    Row {
        what,
        label: "DERIVED",
        published: format!("[{low:.3}, {high:.3}] {unit}"),
        ours: format!("[{first:.3}, {last:.3}] {unit}"),
        interval: format!("{} trials", sorted.len()),
        tolerance: format!("never outside (± {slack} {unit} of network)"),
        pass: first >= low - slack && last <= high + slack,
    }
}

/// Sorted values thinned to the quantiles of a plot.
pub fn cdf_table(name: &str, unit: &str, sorted: &[f64]) -> Table {
    let mut text = format!("share,{unit}\n");
    for i in 0..=1000 {
        let q = f64::from(i) / 1000.0;
        text += &format!("{q:.3},{:.6}\n", at(sorted, q));
    }
    Table { name: name.to_string(), text }
}
