//! Statistics over trials: exact percentiles, intervals, paired differences, zero events.
//!
//! All intervals are two-sided 95 % ones unless they say otherwise. Sources: order-statistic
//! intervals, Hahn and Meeker, *Statistical Intervals*, ch. 5; Wilson, JASA 22 (1927); the
//! percentile bootstrap, Efron and Tibshirani, ch. 13; zero events, Clopper and Pearson,
//! Biometrika 26 (1934).

use crate::measure::sample::Sample;
use crate::sim::rng::{Label, Stream, Streams};

/// Chance of an interval to miss.
const ALPHA: f64 = 0.05;
/// The normal quantile of 1 - `ALPHA` / 2.
const Z: f64 = 1.959_963_984_540_054;

/// The 0-based rank of percentile `p` (a fraction) among `n` sorted values: the smallest value
/// with at least a share `p` of all at or below it. `n` must not be zero.
pub fn rank(n: usize, p: f64) -> usize {
    // The product is nudged down so that 0.95 * 20 is the 19th and not the 20th value.
    let target = libm::ceil(p * n as f64 - 1e-9);
    (target.max(1.0) as usize).min(n) - 1
}

/// The percentile `p` of sorted values; nothing when there are none.
pub fn percentile(sorted: &[f64], p: f64) -> Option<f64> {
    sorted.get(rank(sorted.len().max(1), p)).copied()
}

/// Sorts numbers; infinities are welcome, NaN is a bug of ours.
pub fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// The 0-based ranks between which percentile `p` of the distribution lies with 95 %
/// confidence, whatever the distribution. A side is missing where `n` is too small for it.
pub fn rank_interval(n: usize, p: f64) -> (Option<usize>, Option<usize>) {
    let cdf = binomial_cdf(n, p);
    // Below: the r-th smallest (1-based) exceeds the percentile with chance P(B <= r - 1).
    let lower = (1..=n).take_while(|r| cdf[r - 1] <= ALPHA / 2.0).last();
    let upper = (1..=n).find(|r| cdf[r - 1] >= 1.0 - ALPHA / 2.0);
    (lower.map(|r| r - 1), upper.map(|r| r - 1))
}

/// Trials needed before both sides of the interval of percentile `p` exist: 368 for p99.
pub fn trials_needed(p: f64) -> u64 {
    let edge = p.max(1.0 - p);
    if edge >= 1.0 {
        return u64::MAX;
    }
    libm::ceil(libm::log(ALPHA / 2.0) / libm::log(edge)) as u64
}

/// P(B <= k) for k = 0..=n, B binomial (n, p). Works outwards from the mode, where the mass is
/// largest, so that nothing underflows.
fn binomial_cdf(n: usize, p: f64) -> Vec<f64> {
    let mut mass = vec![0.0; n + 1];
    if p <= 0.0 || p >= 1.0 {
        mass[if p <= 0.0 { 0 } else { n }] = 1.0;
    } else {
        let mode = (((n + 1) as f64 * p) as usize).min(n);
        mass[mode] = 1.0;
        let odds = p / (1.0 - p);
        for k in mode..n {
            mass[k + 1] = mass[k] * odds * (n - k) as f64 / (k + 1) as f64;
        }
        for k in (0..mode).rev() {
            mass[k] = mass[k + 1] / odds * (k + 1) as f64 / (n - k) as f64;
        }
    }
    let total: f64 = mass.iter().sum();
    let mut sum = 0.0;
    for m in &mut mass {
        sum += *m / total;
        *m = sum;
    }
    mass
}

/// The Wilson interval of a share: `hits` out of `n`. All of `[0, 1]` when `n` is zero.
pub fn wilson(hits: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (n as f64, hits as f64 / n as f64);
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

/// The most the chance of an event can be that was seen in none of `n` trials: the exact
/// one-sided 95 % bound, about 3/n.
pub fn zero_bound(n: u64) -> f64 {
    if n == 0 { 1.0 } else { 1.0 - libm::pow(ALPHA, 1.0 / n as f64) }
}

/// The mean; nothing when there are no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The bootstrap interval of the mean. The dice are our own and depend on the number of values
/// alone, so the same values give the same interval. Nothing below two values.
pub fn mean_interval(values: &[f64]) -> Option<(f64, f64)> {
    bootstrap(values, |values, dice| {
        let n = values.len() as u64;
        (0..n).map(|_| values[dice.below(n) as usize]).sum::<f64>() / n as f64
    })
}

fn bootstrap(values: &[f64], draw: impl Fn(&[f64], &mut Stream) -> f64) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    // Fewer resamples where each is long: the interval's own error falls with both.
    let resamples = (4_000_000 / values.len()).clamp(400, 2_000);
    let mut dice = Streams::new(0, values.len() as u64).stream(Label::new("bootstrap"));
    let mut draws: Vec<f64> = (0..resamples).map(|_| draw(values, &mut dice)).collect();
    sort(&mut draws);
    let low = draws[rank(resamples, ALPHA / 2.0)];
    let high = draws[rank(resamples, 1.0 - ALPHA / 2.0)];
    Some((low, high))
}

/// How two designs differ, trial by trial.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// Pairs in which both values are known exactly.
    pub pairs: usize,
    /// Pairs in which a value is censored or unresolved: only bounds of the difference are known.
    pub blurred: usize,
    /// Pairs left out, because the metric does not apply to one of the two.
    pub missing: usize,
    /// Mean of second minus first; nothing where a pair is blurred (a mean without it would
    /// flatter).
    pub mean: Option<f64>,
    /// Its bootstrap interval; nothing below two pairs.
    pub interval: Option<(f64, f64)>,
    /// The least and the most the median of second minus first can be: the same where no pair is
    /// blurred.
    pub median: (f64, f64),
    /// Its order-statistic interval; a side that too few or blurred pairs leave open is infinite.
    pub median_interval: (f64, f64),
}

impl Difference {
    /// What a reader may rely on: -1 or 1 where the second is surely smaller or larger (95 %), 0
    /// where the trials cannot tell. By the mean where it is known, else by the median. Where not
    /// one pair differs the two are the same, which is 0 too.
    pub fn sign(&self) -> i8 {
        let (low, high) = self.interval.unwrap_or(self.median_interval);
        if low > 0.0 {
            1
        } else if high < 0.0 {
            -1
        } else {
            0
        }
    }
    /// True where both are equal in every pair.
    pub fn is_nothing(&self) -> bool {
        self.mean == Some(0.0) && self.interval.is_none_or(|interval| interval == (0.0, 0.0))
    }
}

/// Second minus first, paired by trial. Nothing when the metric applies to no pair. `same` says
/// of which trials it is known that both sides are one and the same run: there the difference is
/// zero even where the value is censored.
pub fn paired_difference(first: &[Sample], second: &[Sample], same: &[bool]) -> Option<Difference> {
    let of_pair = |(trial, (a, b)): (usize, (&Sample, &Sample))| {
        let ((least_a, most_a), (least_b, most_b)) = (a.range()?, b.range()?);
        if same.get(trial) == Some(&true) {
            return Some((0.0, 0.0));
        }
        Some((least_b - most_a, most_b - least_a))
    };
    let (mut low, mut high): (Vec<f64>, Vec<f64>) =
        first.iter().zip(second).enumerate().filter_map(of_pair).unzip();
    let n = low.len();
    let blurred = low.iter().zip(&high).filter(|(low, high)| low != high).count();
    let exact = blurred == 0 && n > 0;
    let mean = if exact { mean(&low) } else { None };
    let interval = if exact { mean_interval(&low) } else { None };
    sort(&mut low);
    sort(&mut high);
    let (below, above) = rank_interval(n, 0.5);
    Some(Difference {
        pairs: n - blurred,
        blurred,
        missing: first.len().max(second.len()) - n,
        mean,
        interval,
        median: (percentile(&low, 0.5)?, percentile(&high, 0.5)?),
        median_interval: (
            below.map_or(f64::NEG_INFINITY, |rank| low[rank]),
            above.map_or(f64::INFINITY, |rank| high[rank]),
        ),
    })
}

/// Second minus first of two independent lots of trials: means with a bootstrap interval in which
/// each lot is drawn anew by itself. Where a value is censored or unresolved there is no mean, and
/// nothing is surely different. Nothing when one of the two has no value.
pub fn independent_difference(first: &[Sample], second: &[Sample]) -> Option<Difference> {
    let ranges = |samples: &[Sample]| -> Vec<(f64, f64)> {
        samples.iter().filter_map(Sample::range).collect()
    };
    let (a, b) = (ranges(first), ranges(second));
    let blurred = a.iter().chain(&b).filter(|(low, high)| low != high).count();
    let middle = |ranges: &[(f64, f64)]| {
        let (mut low, mut high): (Vec<f64>, Vec<f64>) = ranges.iter().copied().unzip();
        sort(&mut low);
        sort(&mut high);
        Some((percentile(&low, 0.5)?, percentile(&high, 0.5)?))
    };
    let ((low_a, high_a), (low_b, high_b)) = (middle(&a)?, middle(&b)?);
    let values =
        |ranges: Vec<(f64, f64)>| -> Vec<f64> { ranges.into_iter().map(|(v, _)| v).collect() };
    let pairs = a.len().min(b.len());
    let (a, b) = (values(a), values(b));
    let missing = first.len() + second.len() - a.len() - b.len();
    let known = blurred == 0;
    let mean = if known { Some(mean(&b)? - mean(&a)?) } else { None };
    let interval = if known { means_interval(&a, &b) } else { None };
    Some(Difference {
        pairs,
        blurred,
        missing,
        mean,
        interval,
        median: (low_b - high_a, high_b - low_a),
        median_interval: (f64::NEG_INFINITY, f64::INFINITY),
    })
}

/// The bootstrap interval of the difference of two independent means.
fn means_interval(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let resamples = (4_000_000 / (a.len() + b.len())).clamp(400, 2_000);
    let label = Label::new("bootstrap").with("independent");
    let mut dice = Streams::new(0, (a.len() + b.len()) as u64).stream(label);
    let mut drawn = |values: &[f64]| {
        let n = values.len() as u64;
        (0..n).map(|_| values[dice.below(n) as usize]).sum::<f64>() / n as f64
    };
    let mut draws: Vec<f64> = (0..resamples).map(|_| -drawn(a) + drawn(b)).collect();
    sort(&mut draws);
    Some((draws[rank(resamples, ALPHA / 2.0)], draws[rank(resamples, 1.0 - ALPHA / 2.0)]))
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "stats_coverage.rs"]
mod coverage;
