//! Dumb twins and known values of the statistics.

use super::*;
use proptest::prelude::*;

#[test]
fn p99_needs_368_trials_and_p95_72() {
    assert_eq!(trials_needed(0.99), 368);
    assert_eq!(trials_needed(0.95), 72);
    assert_eq!(trials_needed(0.5), 6);
    assert_eq!(rank_interval(367, 0.99).1, None);
    assert_eq!(rank_interval(368, 0.99).1, Some(367));
}

#[test]
fn the_median_of_ten_lies_between_the_second_and_the_ninth() {
    // Hahn and Meeker, table A.15a: n = 10, p = 0.5, ranks 2 and 9 give 97.9 %.
    assert_eq!(rank_interval(10, 0.5), (Some(1), Some(8)));
}

#[test]
fn wilson_agrees_with_published_values() {
    // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148,
    // 0 of 20.
    for (hits, n, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
    {
        let (a, b) = wilson(hits, n);
        assert!((a - low).abs() < 5e-5 && (b - high).abs() < 5e-5, "{hits}/{n}: {a} {b}");
    }
}

#[test]
fn nothing_seen_in_500_trials_is_below_six_in_a_thousand() {
    assert!((zero_bound(500) - 0.005_973_6).abs() < 1e-6, "{}", zero_bound(500));
    assert!(zero_bound(500) < 3.0 / 500.0);
    assert_eq!(zero_bound(0), 1.0);
}

#[test]
fn pairs_remove_what_the_variants_share() {
    let mut dice = Streams::new(7, 0).stream(Label::new("pairs"));
    let (mut first, mut second) = (vec![], vec![]);
    for _ in 0..200 {
        let shared = 100.0 * dice.unit();
        first.push(Sample::Value(shared));
        second.push(Sample::Value(shared + 1.0 + dice.unit()));
    }
    let difference = paired_difference(&first, &second, &[]).unwrap();
    let (low, high) = difference.interval.unwrap();
    let mean = difference.mean.unwrap();
    assert!(low > 1.4 && high < 1.6 && low < mean && mean < high);
    assert_eq!(difference.sign(), 1);
    // One censored trial: no mean, but the median of 200 is hardly less known.
    second[0] = Sample::Censored(3.0);
    let blurred = paired_difference(&first, &second, &[]).unwrap();
    assert_eq!((blurred.pairs, blurred.blurred, blurred.mean), (199, 1, None));
    assert_eq!((blurred.interval, blurred.sign()), (None, 1));
    assert!(blurred.median.0 <= blurred.median.1 && blurred.median.1 < 1.7);
}

#[test]
fn a_run_against_itself_differs_by_exactly_nothing() {
    let samples: Vec<Sample> = (0..50)
        .map(|n| if n % 5 == 0 { Sample::Censored(9.0) } else { Sample::Value(n.into()) })
        .collect();
    let same = vec![true; 50];
    let nothing = paired_difference(&samples, &samples, &same).unwrap();
    assert!(nothing.is_nothing());
    assert_eq!((nothing.mean, nothing.interval), (Some(0.0), Some((0.0, 0.0))));
    // Two other runs that were censored at the same time need not be alike.
    let unknown = paired_difference(&samples, &samples, &[]).unwrap();
    assert_eq!((unknown.mean, unknown.blurred, unknown.sign()), (None, 10, 0));
}

/// Pairing narrows the interval by the factor that theory predicts: with a shared part of
/// variance `s`, and an own part of variance `o` on each side, the variance of the difference is
/// `2 o` paired and `2 (s + o)` unpaired.
#[test]
fn pairing_narrows_the_interval_as_much_as_theory_says() {
    let mut dice = Streams::new(11, 0).stream(Label::new("pairing"));
    let trials = 4000;
    let mut uniform = |width: f64| width * dice.unit();
    let (mut first, mut second, mut alone) = (vec![], vec![], vec![]);
    for _ in 0..trials {
        let (shared, other) = (uniform(6.0), uniform(6.0));
        first.push(Sample::Value(shared + uniform(2.0)));
        second.push(Sample::Value(shared + uniform(2.0)));
        alone.push(Sample::Value(other + uniform(2.0)));
    }
    let width = |other: &[Sample]| {
        let (low, high) = paired_difference(&first, other, &[]).unwrap().interval.unwrap();
        high - low
    };
    // Variances of uniforms are width² / 12: 36 shared, 4 own.
    let predicted = (40.0f64 / 4.0).sqrt();
    let found = width(&alone) / width(&second);
    // The width of a bootstrap interval from 1,000 resamples is known to about 3 %.
    assert!((found / predicted - 1.0).abs() < 0.12, "{found} against {predicted}");
}

#[test]
fn intervals_of_percentiles_cover_the_truth_as_often_as_they_say() {
    let mut dice = Streams::new(1, 0).stream(Label::new("coverage"));
    for (n, p) in [(30, 0.5), (100, 0.9), (400, 0.99)] {
        let (low, high) = rank_interval(n, p);
        let rounds = 2_000;
        let mut covered = 0;
        for _ in 0..rounds {
            let mut values: Vec<f64> = (0..n).map(|_| dice.unit()).collect();
            sort(&mut values);
            covered += usize::from(values[low.unwrap()] <= p && p <= values[high.unwrap()]);
        }
        // At least 95 %, less three standard errors of 2,000 rounds; not needlessly wide.
        let share = covered as f64 / f64::from(rounds);
        assert!(share > 0.935 && share < 0.995, "n {n} p {p}: {share}");
    }
}

#[test]
fn bootstrap_intervals_of_a_mean_cover_it() {
    let mut dice = Streams::new(2, 0).stream(Label::new("mean"));
    let covered = (0..300)
        .filter(|_| {
            let values: Vec<f64> = (0..40).map(|_| dice.unit()).collect();
            let (low, high) = mean_interval(&values).unwrap();
            low <= 0.5 && 0.5 <= high
        })
        .count();
    assert!((270..=300).contains(&covered), "{covered}");
}

proptest! {
    #[test]
    fn a_percentile_is_sort_and_index(mut values in prop::collection::vec(0u32..50, 1..60), q in 1u32..1000) {
        let p = f64::from(q) / 1000.0;
        let mut floats: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        sort(&mut floats);
        let fast = percentile(&floats, p).unwrap();
        // The smallest value with at least `q` in a thousand of all at or below it.
        values.sort_unstable();
        let n = values.len() as u32;
        let dumb = values.iter().find(|v| {
            1000 * values.iter().filter(|w| w <= v).count() as u32 >= q * n
        }).unwrap();
        prop_assert_eq!(fast, f64::from(*dumb));
    }

    #[test]
    fn binomial_sums_agree_with_counting_heads(n in 1usize..16, tenths in 0u32..=10) {
        let p = f64::from(tenths) / 10.0;
        let mut dumb = vec![0.0; n + 1];
        for coins in 0u32..1 << n {
            let heads = coins.count_ones() as i32;
            let chance = (0..n).fold(1.0, |c, i| c * if coins >> i & 1 == 1 { p } else { 1.0 - p });
            dumb[heads as usize] += chance;
        }
        let mut sum = 0.0;
        for (k, cdf) in binomial_cdf(n, p).into_iter().enumerate() {
            sum += dumb[k];
            prop_assert!((cdf - sum).abs() < 1e-9);
        }
    }

    #[test]
    fn wilson_solves_its_own_equation(hits in 0u64..200, more in 1u64..200) {
        let n = hits + more;
        let (low, high) = wilson(hits, n);
        let share = hits as f64 / n as f64;
        prop_assert!(low <= share + 1e-12 && share <= high + 1e-12);
        for edge in [low, high] {
            // |share - edge| is Z standard errors of a true share `edge`.
            let distance = (share - edge) * (share - edge);
            let spread = Z * Z * edge * (1.0 - edge) / n as f64;
            prop_assert!((distance - spread).abs() < 1e-9, "{} {}", distance, spread);
        }
    }
}
