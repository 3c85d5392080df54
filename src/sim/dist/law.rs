//! The laws behind the tables: quantile and distribution function of every shape, in
//! nanoseconds, exact in both tails.

use super::spec::{DistSpec, Known, Shape, Stat, Tail};
use super::special::{self, Prob};
use crate::sim::time::Span;

/// Values are limited to 2^61 ns, 73 years: far beyond every run, and far from overflow.
pub const LIMIT: f64 = (1u64 << 61) as f64;

/// One law, its parameters worked out. All values in nanoseconds.
#[derive(Clone, PartialEq, Debug)]
pub enum Law {
    /// One value.
    Constant(f64),
    /// From, to.
    Uniform(f64, f64),
    /// Mean.
    Exponential(f64),
    /// Mean and standard deviation of the logarithm.
    LogNormal(f64, f64),
    /// Shape and scale.
    Gamma(f64, f64),
    /// Minimum and exponent.
    Pareto(f64, f64),
    /// Sorted values, each with the same probability.
    Values(Vec<f64>),
    /// Probabilities and values, straight lines between.
    Quantiles(Vec<(f64, f64)>),
    /// Probabilities that sum to one, and parts.
    Mixture(Vec<(f64, Law)>),
    /// A law whose larger values become this one.
    Capped(Box<Law>, f64),
    /// A law that with this probability gives infinity.
    Never(Box<Law>, f64),
}

fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

/// The standard normal quantile of a statistic that is a quantile.
fn z_of(stat: Stat) -> f64 {
    special::normal_quantile(Prob::below(stat.probability().unwrap_or(0.5)))
}

/// How many times its mean the quantile at `p` of a lognormal can be at most: the variance that
/// maximises `exp(z s - s^2 / 2)` is `z^2`.
pub fn most_quantile_of_mean(p: f64) -> f64 {
    let z = special::normal_quantile(Prob::below(p));
    libm::exp(z * z / 2.0)
}

/// Mean and standard deviation of the logarithm, from two known statistics.
fn lognormal(a: Known, b: Known) -> Law {
    let (a, b) = if a.stat <= b.stat { (a, b) } else { (b, a) };
    let (la, lb) = (libm::log(nanos(a.value)), libm::log(nanos(b.value)));
    let (za, zb) = (z_of(a.stat), z_of(b.stat));
    match (a.stat, b.stat) {
        (Stat::Mean, _) => {
            let ratio = nanos(b.value) / nanos(a.value);
            let variance = libm::log1p(ratio * ratio);
            Law::LogNormal(la - variance / 2.0, libm::sqrt(variance))
        }
        (Stat::P50, Stat::Mean) => Law::LogNormal(la, libm::sqrt(2.0 * (lb - la))),
        // ln q = ln mean - s^2/2 + z s has two solutions; the narrower one is meant.
        (_, Stat::Mean) => {
            let sigma = za - libm::sqrt(za * za - 2.0 * (la - lb));
            Law::LogNormal(lb - sigma * sigma / 2.0, sigma)
        }
        _ => {
            let sigma = (lb - la) / (zb - za);
            Law::LogNormal(la - sigma * za, sigma)
        }
    }
}

/// Mean and standard deviation of the logarithm, where the latter is stated.
fn log_sigma(known: Known, sigma: f64) -> Law {
    let log = libm::log(nanos(known.value));
    match known.stat {
        Stat::Mean => Law::LogNormal(log - sigma * sigma / 2.0, sigma),
        stat => Law::LogNormal(log - sigma * z_of(stat), sigma),
    }
}

fn exponential(known: Known) -> Law {
    match known.stat.probability() {
        Some(p) => Law::Exponential(nanos(known.value) / -libm::log1p(-p)),
        None => Law::Exponential(nanos(known.value)),
    }
}

fn pareto(min: Span, tail: Tail) -> Law {
    let min = nanos(min);
    let alpha = match tail {
        Tail::Alpha(alpha) => alpha,
        Tail::Known(Known { stat, value }) => match stat.probability() {
            Some(p) => -libm::log1p(-p) / libm::log(nanos(value) / min),
            None => nanos(value) / (nanos(value) - min),
        },
    };
    Law::Pareto(min, alpha)
}

impl Law {
    /// Works the parameters out of what was stated.
    pub fn new(spec: &DistSpec) -> Law {
        let shaped = match spec {
            DistSpec::Constant(span) => return Law::Constant(nanos(*span)),
            DistSpec::Shaped(shaped) => shaped,
        };
        let mut law = match &shaped.shape {
            Shape::Constant(span) => Law::Constant(nanos(*span)),
            Shape::Uniform { min, max } => Law::Uniform(nanos(*min), nanos(*max)),
            Shape::Exponential(known) => exponential(*known),
            Shape::LogNormal([a, b]) => lognormal(*a, *b),
            Shape::LogSigma(known, sigma) => log_sigma(*known, *sigma),
            Shape::Gamma { mean, sd } => {
                let ratio = nanos(*mean) / nanos(*sd);
                Law::Gamma(ratio * ratio, nanos(*sd) / ratio)
            }
            Shape::Pareto { min, tail } => pareto(*min, *tail),
            Shape::Values(values) => {
                let mut values: Vec<f64> = values.iter().map(|v| nanos(*v)).collect();
                values.sort_by(f64::total_cmp);
                Law::Values(values)
            }
            Shape::Quantiles(points) => {
                Law::Quantiles(points.iter().map(|(p, v)| (*p, nanos(*v))).collect())
            }
            Shape::Mixture(parts) => {
                let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
                Law::Mixture(parts.iter().map(|(w, part)| (w / total, Law::new(part))).collect())
            }
        };
        if let Some(cap) = shaped.cap {
            law = Law::Capped(Box::new(law), nanos(cap));
        }
        if shaped.never > 0.0 {
            law = Law::Never(Box::new(law), shaped.never);
        }
        law
    }

    /// The value at that probability; infinite where it never happens.
    pub fn quantile(&self, at: Prob) -> f64 {
        match self {
            Law::Constant(value) => *value,
            Law::Uniform(low, high) => low + (high - low) * at.p,
            Law::Exponential(mean) if at.p < at.q => -mean * libm::log1p(-at.p),
            Law::Exponential(mean) => -mean * libm::log(at.q),
            Law::LogNormal(mu, sigma) => libm::exp(mu + sigma * special::normal_quantile(at)),
            Law::Gamma(shape, scale) => scale * special::gamma_quantile(*shape, at),
            Law::Pareto(min, alpha) if at.p < at.q => min * libm::exp(-libm::log1p(-at.p) / alpha),
            Law::Pareto(min, alpha) => min * libm::exp(-libm::log(at.q) / alpha),
            Law::Values(values) => {
                let index = (at.p * values.len() as f64) as usize;
                values[index.min(values.len() - 1)]
            }
            Law::Quantiles(points) => {
                let next = points.partition_point(|(p, _)| *p <= at.p).clamp(1, points.len() - 1);
                let ((p0, v0), (p1, v1)) = (points[next - 1], points[next]);
                v0 + (v1 - v0) * ((at.p - p0) / (p1 - p0)).min(1.0)
            }
            Law::Mixture(parts) => {
                let each = parts.iter().map(|(_, law)| law.quantile(at).min(LIMIT));
                let (low, high) =
                    each.fold((LIMIT, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
                if self.cdf(LIMIT).q >= at.q && at.q > 0.0 {
                    return f64::INFINITY;
                }
                if at.p <= 0.0 || at.q <= 0.0 {
                    return if at.p <= 0.0 { low } else { high };
                }
                special::solve(|x| self.cdf(x), at, low, high)
            }
            Law::Capped(law, cap) => law.quantile(at).min(*cap),
            Law::Never(_, share) if at.q <= *share => f64::INFINITY,
            Law::Never(law, share) => {
                let rest = 1.0 - share;
                law.quantile(Prob { p: (at.p / rest).min(1.0), q: (at.q - share) / rest })
            }
        }
    }

    /// The distribution function at `x`.
    pub fn cdf(&self, x: f64) -> Prob {
        let step = |reached: bool| Prob::below(if reached { 1.0 } else { 0.0 });
        match self {
            Law::Constant(value) => step(x >= *value),
            Law::Uniform(low, high) if low >= high => step(x >= *low),
            Law::Uniform(low, high) => Prob::below(((x - low) / (high - low)).clamp(0.0, 1.0)),
            Law::Exponential(mean) => Prob { p: -libm::expm1(-x / mean), q: libm::exp(-x / mean) },
            Law::LogNormal(..) if x <= 0.0 => step(false),
            Law::LogNormal(mu, sigma) => special::normal((libm::log(x) - mu) / sigma),
            Law::Gamma(shape, scale) => special::gamma(*shape, x / scale),
            Law::Pareto(min, _) if x <= *min => step(false),
            Law::Pareto(min, alpha) => {
                let exponent = -alpha * libm::log(x / min);
                Prob { p: -libm::expm1(exponent), q: libm::exp(exponent) }
            }
            Law::Values(values) => {
                let below = values.partition_point(|v| *v <= x);
                Prob::below(below as f64 / values.len() as f64)
            }
            Law::Quantiles(points) => {
                let next = points.partition_point(|(_, v)| *v <= x);
                if next == 0 || next == points.len() {
                    return step(next > 0);
                }
                let ((p0, v0), (p1, v1)) = (points[next - 1], points[next]);
                Prob::below(p0 + (p1 - p0) * (x - v0) / (v1 - v0))
            }
            Law::Mixture(parts) => {
                parts.iter().fold(Prob { p: 0.0, q: 0.0 }, |sum, (weight, law)| {
                    let part = law.cdf(x);
                    Prob { p: sum.p + weight * part.p, q: sum.q + weight * part.q }
                })
            }
            Law::Capped(_, cap) if x >= *cap => step(true),
            Law::Capped(law, _) => law.cdf(x),
            Law::Never(law, share) => {
                let (part, rest) = (law.cdf(x), 1.0 - share);
                Prob { p: part.p * rest, q: part.q * rest + share }
            }
        }
    }

    /// The mean, where it exists: nothing for a power law with `alpha <= 1`, and nothing for
    /// what may never happen.
    pub fn mean(&self) -> Option<f64> {
        match self {
            Law::Constant(value) => Some(*value),
            Law::Uniform(low, high) => Some((low + high) / 2.0),
            Law::Exponential(mean) => Some(*mean),
            Law::LogNormal(mu, sigma) => Some(libm::exp(mu + sigma * sigma / 2.0)),
            Law::Gamma(shape, scale) => Some(shape * scale),
            Law::Pareto(_, alpha) if *alpha <= 1.0 => None,
            Law::Pareto(min, alpha) => Some(min * alpha / (alpha - 1.0)),
            Law::Values(values) => Some(values.iter().sum::<f64>() / values.len() as f64),
            Law::Quantiles(points) => {
                Some(points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum())
            }
            Law::Mixture(parts) => parts
                .iter()
                .try_fold(0.0, |sum, (weight, law)| law.mean().map(|mean| sum + weight * mean)),
            Law::Capped(law, cap) => law.capped_mean(*cap),
            Law::Never(law, share) if *share <= 0.0 => law.mean(),
            Law::Never(..) => None,
        }
    }

    /// The integral of the capped quantile function, in octaves towards probability one, so
    /// that a heavy tail is not missed: midpoint rule, 256 points an octave.
    fn capped_mean(&self, cap: f64) -> Option<f64> {
        let (mut sum, mut tail) = (0.0, 1.0);
        for _ in 0..60 {
            let width = tail / 512.0;
            for point in 0..256 {
                let q = tail - width * (f64::from(point) + 0.5);
                sum += self.quantile(Prob { p: 1.0 - q, q }).min(cap) * width;
            }
            tail /= 2.0;
        }
        Some(sum)
    }
}
