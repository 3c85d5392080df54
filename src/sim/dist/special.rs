//! The few special functions that quantiles need, from `+ - * /`, `sqrt` and libm alone, so
//! that they have the same bits on every platform.

/// A probability with its complement, so that neither tail is lost to rounding: near one, `q`
/// still has all its digits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Prob {
    /// The probability below.
    pub p: f64,
    /// The probability above: `1 - p`.
    pub q: f64,
}

impl Prob {
    /// From the probability below.
    pub fn below(p: f64) -> Prob {
        Prob { p, q: 1.0 - p }
    }
    /// The middle of the step `bits` of 2^64.
    pub fn of_bits(bits: u64) -> Prob {
        const STEP: f64 = 1.0 / (1u128 << 64) as f64;
        Prob { p: (bits as f64 + 0.5) * STEP, q: (!bits as f64 + 0.5) * STEP }
    }
}

fn poly(c: &[f64; 8], x: f64) -> f64 {
    c.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Numerator in the middle. Of [`normal_quantile`].
const A: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
/// Denominator in the middle. Of [`normal_quantile`].
const B: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
/// Numerator on the shoulders. Of [`normal_quantile`].
const C: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
/// Denominator on the shoulders. Of [`normal_quantile`].
const D: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
/// Numerator in the tails. Of [`normal_quantile`].
const E: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
/// Denominator in the tails. Of [`normal_quantile`].
const F: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// The standard normal quantile. Formula and coefficients: Wichura, "Algorithm AS 241: The
/// Percentage Points of the Normal Distribution", 1988 (PPND16); about 16 digits.
pub fn normal_quantile(at: Prob) -> f64 {
    let centre = (at.p - at.q) / 2.0;
    if centre.abs() <= 0.425 {
        let r = 0.180625 - centre * centre;
        return centre * poly(&A, r) / poly(&B, r);
    }
    let tail = at.p.min(at.q);
    if tail <= 0.0 {
        return if at.p < at.q { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 {
        poly(&C, r - 1.6) / poly(&D, r - 1.6)
    } else {
        poly(&E, r - 5.0) / poly(&F, r - 5.0)
    };
    if at.p < at.q { -z } else { z }
}

/// The standard normal distribution function.
pub fn normal(z: f64) -> Prob {
    let half = std::f64::consts::FRAC_1_SQRT_2;
    Prob { p: 0.5 * libm::erfc(-z * half), q: 0.5 * libm::erfc(z * half) }
}

/// The distribution function of Gamma(shape, 1): the regularised incomplete gamma functions, by
/// their series below the mean and by their continued fraction above (DLMF 8.7.1 and 8.9.2).
pub fn gamma(shape: f64, x: f64) -> Prob {
    if x <= 0.0 {
        return Prob { p: 0.0, q: 1.0 };
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let p = (front * sum).min(1.0);
        return Prob { p, q: 1.0 - p };
    }
    // Lentz's method; the fraction's terms are positive here, so it needs no guard for zero.
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let mut h = d;
    for i in 1..100_000 {
        let a = -f64::from(i) * (f64::from(i) - shape);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let q = (front * h).min(1.0);
    Prob { p: 1.0 - q, q }
}

/// The quantile of Gamma(shape, 1): Newton's method with Halley's correction from the start of
/// Wilson and Hilferty (1931), kept inside a bracket.
pub fn gamma_quantile(shape: f64, at: Prob) -> f64 {
    if at.p <= 0.0 {
        return 0.0;
    }
    if at.q <= 0.0 {
        return f64::INFINITY;
    }
    let lgamma = libm::lgamma(shape);
    let cube = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(at) / (3.0 * libm::sqrt(shape));
    let mut x = shape * cube * cube * cube;
    if x < 0.1 * shape {
        x = libm::exp((libm::log(at.p) + libm::lgamma(shape + 1.0)) / shape);
    }
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..100 {
        if x <= f64::MIN_POSITIVE {
            return 0.0;
        }
        let here = gamma(shape, x);
        let error = if at.p < at.q { here.p - at.p } else { at.q - here.q };
        if error > 0.0 {
            high = x
        } else {
            low = x
        }
        let density = libm::exp((shape - 1.0) * libm::log(x) - x - lgamma);
        let newton = error / density;
        let bend = 0.5 * newton * ((shape - 1.0) / x - 1.0);
        let mut next = x - newton / (1.0 - bend.min(0.5));
        if !(next > low && next < high) {
            next = if high.is_finite() { 0.5 * (low + high) } else { x * 2.0 };
        }
        let done = (next - x).abs() <= 1e-14 * x;
        x = next;
        if done {
            break;
        }
    }
    x
}

/// The smallest `x` in `[low, high]` with `cdf(x) >= at`, to a quarter of a unit: regula falsi
/// in the logarithm of the nearer tail, with a bisection every third step.
pub fn solve(cdf: impl Fn(f64) -> Prob, at: Prob, mut low: f64, mut high: f64) -> f64 {
    let lower = at.p < at.q;
    let error = |x: f64| {
        let here = cdf(x);
        if lower { libm::log(here.p / at.p) } else { libm::log(at.q / here.q) }
    };
    let (mut below, mut above) = (error(low), error(high));
    if below >= 0.0 {
        return low;
    }
    for round in 0..400 {
        if high - low <= 0.25 + 1e-15 * high {
            break;
        }
        let slope = above - below;
        let mut x = low - below * (high - low) / slope;
        if round % 3 == 2 || !slope.is_finite() || !(x > low && x < high) {
            x = 0.5 * (low + high);
        }
        let here = error(x);
        if here >= 0.0 {
            (high, above) = (x, here);
        } else {
            (low, below) = (x, here);
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_quantile_undoes_the_normal_distribution_in_both_tails() {
        for exponent in 1..60 {
            let tail = 1.0 / (1u64 << exponent) as f64;
            for at in [Prob { p: tail, q: 1.0 - tail }, Prob { p: 1.0 - tail, q: tail }] {
                let back = normal(normal_quantile(at));
                assert!((back.p / at.p - 1.0).abs() < 1e-13, "{at:?} {back:?}");
                assert!((back.q / at.q - 1.0).abs() < 1e-13, "{at:?} {back:?}");
            }
        }
        // The textbook values.
        assert!((normal_quantile(Prob::below(0.975)) - 1.959_963_984_540_054).abs() < 1e-14);
        assert_eq!(normal_quantile(Prob::below(0.5)), 0.0);
    }

    #[test]
    fn the_gamma_quantile_undoes_the_gamma_distribution() {
        for shape in [0.05, 0.5, 1.0, 2.5, 30.0, 2_000.0, 10_000.0] {
            for p in [1e-9, 0.001, 0.1, 0.5, 0.9, 0.999] {
                let at = Prob::below(p);
                let x = gamma_quantile(shape, at);
                if x > 1e-200 {
                    assert!((gamma(shape, x).p / p - 1.0).abs() < 1e-9, "{shape} {p}");
                }
            }
            let at = Prob { p: 1.0, q: 1e-15 };
            let x = gamma_quantile(shape, at);
            assert!((gamma(shape, x).q / at.q - 1.0).abs() < 1e-6, "{shape} {x}");
        }
        // Shape one is the exponential.
        assert!((gamma_quantile(1.0, Prob::below(0.5)) - std::f64::consts::LN_2).abs() < 1e-13);
    }

    #[test]
    fn the_solver_finds_a_jump_and_a_smooth_crossing() {
        let jump = |x: f64| Prob::below(if x < 40.0 { 0.2 } else { 0.9 });
        assert!((solve(jump, Prob::below(0.5), 0.0, 1e9) - 40.0).abs() <= 0.25);
        let smooth = |x: f64| Prob { p: -libm::expm1(-x / 1e9), q: libm::exp(-x / 1e9) };
        let x = solve(smooth, Prob { p: 1.0, q: 1e-12 }, 0.0, 1e12);
        assert!((x / (1e9 * 12.0 * std::f64::consts::LN_10) - 1.0).abs() < 1e-9);
    }
}
