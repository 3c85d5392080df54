//! 95 % means 95 %: how often each kind of interval covers a truth that is known, by simulation.
//!
//! A share of `ROUNDS` covers is known to within `ERROR`, three and a half standard errors: a
//! right interval fails that once in two thousand times, and the dice are fixed.

use super::*;

const ROUNDS: usize = 1_000;
/// 3.5 times the square root of 0.95 x 0.05 / 1,000.
const ERROR: f64 = 0.024;

/// The share of rounds in which the interval covers the truth.
fn coverage(name: &str, truth: f64, interval: impl Fn(&mut Stream) -> (f64, f64)) -> f64 {
    let mut dice = Streams::new(17, 0).stream(Label::new("coverage").with(name));
    let covers = |dice: &mut Stream| {
        let (low, high) = interval(dice);
        low <= truth && truth <= high
    };
    (0..ROUNDS).filter(|_| covers(&mut dice)).count() as f64 / ROUNDS as f64
}

fn is_95_percent(name: &str, share: f64) {
    assert!((share - 0.95).abs() <= ERROR, "{name}: {share}");
}

/// Unit exponential: skewed, as times to recover are.
fn exponential(dice: &mut Stream) -> f64 {
    -libm::log(1.0 - dice.unit())
}

fn values(count: usize, dice: &mut Stream, draw: fn(&mut Stream) -> f64) -> Vec<f64> {
    (0..count).map(|_| draw(dice)).collect()
}

fn samples(values: &[f64]) -> Vec<Sample> {
    values.iter().map(|value| Sample::Value(*value)).collect()
}

#[test]
fn means_of_a_hundred_trials() {
    let even =
        coverage("even", 0.5, |dice| mean_interval(&values(100, dice, Stream::unit)).unwrap());
    is_95_percent("even", even);
    let skewed =
        coverage("skewed", 1.0, |dice| mean_interval(&values(100, dice, exponential)).unwrap());
    is_95_percent("skewed", skewed);
}

/// The percentile bootstrap is too narrow where trials are few: it takes their spread for the
/// true one, and skew moves it. The README says so.
#[test]
fn means_of_twenty_trials_fall_short_by_some_percent() {
    let even =
        coverage("few even", 0.5, |dice| mean_interval(&values(20, dice, Stream::unit)).unwrap());
    assert!((0.90..0.96).contains(&even), "{even}");
    let skewed =
        coverage("few skewed", 1.0, |dice| mean_interval(&values(20, dice, exponential)).unwrap());
    assert!((0.86..0.95).contains(&skewed), "{skewed}");
}

/// What two designs share is large, what is their own is small and skewed.
#[test]
fn differences_trial_by_trial() {
    let pairs = |dice: &mut Stream| {
        let shared = values(100, dice, exponential);
        let mut second = Vec::new();
        for value in &shared {
            second.push(value + 2.0 + exponential(dice) - exponential(dice));
        }
        paired_difference(&samples(&shared), &samples(&second), &[]).unwrap()
    };
    let mean = coverage("paired mean", 2.0, |dice| pairs(dice).interval.unwrap());
    is_95_percent("paired mean", mean);
    // Ranks are whole: at least 95 %, and for the median of a hundred 96.5 %.
    let median = coverage("paired median", 2.0, |dice| pairs(dice).median_interval);
    assert!((0.965 - median).abs() <= ERROR, "{median}");
}

#[test]
fn differences_of_two_lots() {
    let share = coverage("two lots", 0.5, |dice| {
        let first = values(60, dice, exponential);
        let second: Vec<f64> =
            values(90, dice, exponential).iter().map(|value| value * 1.5).collect();
        let told = independent_difference(&samples(&first), &samples(&second)).unwrap();
        told.interval.unwrap()
    });
    is_95_percent("two lots", share);
}

/// The true value of a percentile, by ranks, whatever the distribution.
#[test]
fn percentiles_cover_at_least_95_percent_and_no_more_than_whole_ranks_force() {
    for (count, p) in [(72, 0.95), (100, 0.5), (368, 0.99), (500, 0.95)] {
        let (low, high) = rank_interval(count, p);
        let (low, high) = (low.unwrap(), high.unwrap());
        let cdf = binomial_cdf(count, p);
        // The interval covers unless too many or too few values lie below the percentile.
        let exact = cdf[high] - if low == 0 { cdf[0] } else { cdf[low] };
        assert!((0.95..0.985).contains(&exact), "{count} {p}: {exact}");
        let share = coverage("percentile", p, |dice| {
            let mut values = values(count, dice, Stream::unit);
            sort(&mut values);
            (values[low], values[high])
        });
        assert!((share - exact).abs() <= ERROR, "{count} {p}: {share}, exactly {exact}");
    }
}

/// Of shares: Wilson's interval covers 95 % on the average over all true shares.
#[test]
fn shares_are_covered_as_often_as_wilson_says() {
    for trials in [20u64, 100, 500] {
        let covered = |p: f64| {
            let cdf = binomial_cdf(trials as usize, p);
            let mass = |hits: u64| {
                let hits = hits as usize;
                cdf[hits] - if hits == 0 { 0.0 } else { cdf[hits - 1] }
            };
            let covers = |hits: &u64| {
                let (low, high) = wilson(*hits, trials);
                low <= p && p <= high
            };
            (0..=trials).filter(covers).map(mass).sum::<f64>()
        };
        let grid = 999;
        let mean = (1..=grid).map(|i| covered(f64::from(i) / f64::from(grid + 1))).sum::<f64>()
            / f64::from(grid);
        assert!((0.945..0.96).contains(&mean), "{trials}: {mean}");
    }
    let share = coverage("share", 0.2, |dice| {
        wilson((0..100).filter(|_| dice.unit() < 0.2).count() as u64, 100)
    });
    is_95_percent("share", share);
}

/// Of what was never seen: if its chance were at the bound, it would have been seen 19 times of 20.
#[test]
fn what_was_not_seen_is_below_its_bound_19_times_of_20() {
    for trials in [20u64, 200] {
        let chance = zero_bound(trials);
        let share = coverage("never", 1.0, |dice| {
            let seen = (0..trials).any(|_| dice.unit() < chance);
            (0.0, if seen { 1.0 } else { 0.0 })
        });
        is_95_percent("never", share);
    }
}
