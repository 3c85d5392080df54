//! A distribution as the user stated it: its shapes, what is refused, and how it is shown.

use crate::sim::param::Param;
use crate::sim::time::Span;
use crate::sim::units;

/// The most parts a mixture may have.
pub const LIMIT_PARTS: usize = 64;
/// The most values or quantiles an empirical distribution may list.
pub const LIMIT_VALUES: usize = 100_000;

/// A distribution as the user stated it.
#[derive(Clone, PartialEq, Debug)]
pub enum DistSpec {
    /// Always the same.
    Constant(Span),
    /// Anything else.
    Shaped(Box<Shaped>),
}

/// A shape with what may be added to every shape.
#[derive(Clone, PartialEq, Debug)]
pub struct Shaped {
    /// The shape.
    pub shape: Shape,
    /// Larger values become this one.
    pub cap: Option<Span>,
    /// The probability that it never happens: the value is then [`Span::MAX`].
    pub never: f64,
}

/// The shapes.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// One value.
    Constant(Span),
    /// Every value from `min` to `max` alike.
    Uniform {
        /// The smallest value.
        min: Span,
        /// The largest value.
        max: Span,
    },
    /// Memoryless; its mean or one quantile.
    Exponential(Known),
    /// The logarithm is normal; two of mean, sd and quantiles.
    LogNormal([Known; 2]),
    /// The same by its mean or a quantile, and the standard deviation of the logarithm.
    LogSigma(Known, f64),
    /// Gamma by mean and standard deviation.
    Gamma {
        /// The mean.
        mean: Span,
        /// The standard deviation.
        sd: Span,
    },
    /// A power-law tail: P(X > x) = (min / x)^alpha.
    Pareto {
        /// The smallest value.
        min: Span,
        /// What fixes the tail.
        tail: Tail,
    },
    /// Each part with probability proportional to its weight.
    Mixture(Vec<(f64, DistSpec)>),
    /// Every listed value with the same probability.
    Values(Vec<Span>),
    /// Values at probabilities from 0 to 1, straight lines between.
    Quantiles(Vec<(f64, Span)>),
}

/// What fixes the tail of a Pareto distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tail {
    /// The exponent.
    Alpha(f64),
    /// The mean or one quantile.
    Known(Known),
}

/// One thing that is known of a distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Known {
    /// Which.
    pub stat: Stat,
    /// Its value.
    pub value: Span,
}

/// What people know of a distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Stat {
    P50,
    P75,
    P90,
    P95,
    P99,
    P999,
    Mean,
    Sd,
}

impl Stat {
    /// All, quantiles first and in order.
    pub const ALL: [Stat; 8] =
        [Stat::P50, Stat::P75, Stat::P90, Stat::P95, Stat::P99, Stat::P999, Stat::Mean, Stat::Sd];
    /// Their keys, in the order of [`Stat::ALL`].
    pub const WORDS: [&'static str; 8] = ["p50", "p75", "p90", "p95", "p99", "p999", "mean", "sd"];
    /// Its key.
    pub const fn word(self) -> &'static str {
        Stat::WORDS[self as usize]
    }
    /// The probability below, when it is a quantile.
    pub const fn probability(self) -> Option<f64> {
        match self {
            Stat::P50 => Some(0.5),
            Stat::P75 => Some(0.75),
            Stat::P90 => Some(0.9),
            Stat::P95 => Some(0.95),
            Stat::P99 => Some(0.99),
            Stat::P999 => Some(0.999),
            Stat::Mean | Stat::Sd => None,
        }
    }
    /// `self = value`.
    pub const fn is(self, value: Span) -> Known {
        Known { stat: self, value }
    }
}

impl Default for DistSpec {
    fn default() -> Self {
        DistSpec::Constant(Span::ZERO)
    }
}

impl From<Shape> for DistSpec {
    /// The shape, without cap, always happening.
    fn from(shape: Shape) -> DistSpec {
        match shape {
            Shape::Constant(span) => DistSpec::Constant(span),
            shape => DistSpec::Shaped(Box::new(Shaped { shape, cap: None, never: 0.0 })),
        }
    }
}

impl DistSpec {
    /// Every value from `min` to `max` alike.
    pub fn uniform(min: Span, max: Span) -> DistSpec {
        Shape::Uniform { min, max }.into()
    }
    /// Memoryless with that mean.
    pub fn exponential(mean: Span) -> DistSpec {
        Shape::Exponential(Stat::Mean.is(mean)).into()
    }
    /// Log-normal with that median and 99th percentile.
    pub fn lognormal(p50: Span, p99: Span) -> DistSpec {
        Shape::LogNormal([Stat::P50.is(p50), Stat::P99.is(p99)]).into()
    }
    /// Pareto from `min` on, with exponent `alpha`.
    pub fn pareto(min: Span, alpha: f64) -> DistSpec {
        Shape::Pareto { min, tail: Tail::Alpha(alpha) }.into()
    }
    /// Tells why no such distribution exists.
    pub fn check(&self) -> Result<(), String> {
        match self {
            DistSpec::Constant(_) => Ok(()),
            DistSpec::Shaped(shaped) => shaped.check(),
        }
    }
}

impl Shaped {
    fn check(&self) -> Result<(), String> {
        require((0.0..=1.0).contains(&self.never), "`never` is a share from 0% to 100%")?;
        self.shape.check()
    }
}

/// An error unless `holds`.
fn require(holds: bool, message: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message.to_string()) }
}

impl Shape {
    fn check(&self) -> Result<(), String> {
        match self {
            Shape::Constant(_) => Ok(()),
            Shape::Uniform { min, max } => {
                require(min <= max, &format!("min ({min}) lies above max ({max})"))
            }
            Shape::Exponential(known) => {
                require(known.stat != Stat::Sd, "an exponential takes its mean or one quantile")?;
                require(!known.value.is_zero(), "an exponential of zero; write \"0s\" instead")
            }
            Shape::LogNormal([a, b]) => check_lognormal(*a, *b),
            Shape::LogSigma(known, sigma) => {
                require(known.stat != Stat::Sd, "sigma goes with the mean or one quantile")?;
                require(!known.value.is_zero(), "a lognormal never takes the value zero")?;
                require(*sigma > 0.0 && *sigma <= 10.0, "sigma must lie above 0 and not above 10")
            }
            Shape::Gamma { mean, sd } => {
                require(!mean.is_zero() && !sd.is_zero(), "mean and sd must be above zero")?;
                let ratio = sd.as_nanos() as f64 / mean.as_nanos() as f64;
                let help = "a gamma takes an sd from 1% of its mean to 10 times its mean";
                require((0.01..=10.0).contains(&ratio), help)
            }
            Shape::Pareto { min, tail } => check_pareto(*min, *tail),
            Shape::Mixture(parts) => check_mixture(parts),
            Shape::Values(values) => require(
                (1..=LIMIT_VALUES).contains(&values.len()),
                &format!("`values` takes 1 to {LIMIT_VALUES} durations"),
            ),
            Shape::Quantiles(points) => check_quantiles(points),
        }
    }
}

fn check_lognormal(a: Known, b: Known) -> Result<(), String> {
    let (a, b) = if a.stat <= b.stat { (a, b) } else { (b, a) };
    let (low, high) = (a.stat.word(), b.stat.word());
    require(a.stat != b.stat, "a lognormal takes two different statistics")?;
    require(!a.value.is_zero() && !b.value.is_zero(), "a lognormal never takes the value zero")?;
    match (a.stat.probability(), b.stat) {
        (Some(_), Stat::Sd) => Err("sd goes with mean only".to_string()),
        (Some(0.5), Stat::Mean) => {
            require(a.value < b.value, "the mean of a lognormal lies above its p50")
        }
        (Some(p), Stat::Mean) => {
            let most = super::law::most_quantile_of_mean(p);
            let ratio = a.value.as_nanos() as f64 / b.value.as_nanos() as f64;
            require(ratio > 1.0, &format!("{low} ({}) does not lie above the mean", a.value))?;
            let message =
                format!("no lognormal has its {low} more than {most:.2} times above its mean");
            require(ratio < most, &message)
        }
        (Some(_), _) => require(
            a.value < b.value,
            &format!("{low} ({}) does not lie below {high} ({})", a.value, b.value),
        ),
        (None, _) => Ok(()),
    }
}

fn check_pareto(min: Span, tail: Tail) -> Result<(), String> {
    require(!min.is_zero(), "the min of a pareto must be above zero")?;
    match tail {
        Tail::Alpha(alpha) => {
            require(alpha > 0.0 && alpha <= 1e6, "alpha must lie above 0 and not above 1000000")
        }
        Tail::Known(Known { stat: Stat::Sd, .. }) => {
            Err("a pareto takes min and one of alpha, mean or a quantile".to_string())
        }
        Tail::Known(Known { stat, value }) => require(
            value > min,
            &format!("{} ({value}) does not lie above min ({min})", stat.word()),
        ),
    }
}

fn check_mixture(parts: &[(f64, DistSpec)]) -> Result<(), String> {
    let message = format!("a mixture takes 1 to {LIMIT_PARTS} parts");
    require((1..=LIMIT_PARTS).contains(&parts.len()), &message)?;
    for (weight, part) in parts {
        require(weight.is_finite() && *weight > 0.0, "a weight must be above zero")?;
        if let DistSpec::Shaped(shaped) = part {
            let nested = matches!(shaped.shape, Shape::Mixture(_));
            require(!nested, "a mixture inside a mixture: list all parts in one")?;
        }
        part.check()?;
    }
    Ok(())
}

fn check_quantiles(points: &[(f64, Span)]) -> Result<(), String> {
    let message = format!("`quantiles` takes 2 to {LIMIT_VALUES} pairs");
    require((2..=LIMIT_VALUES).contains(&points.len()), &message)?;
    let ends = points[0].0 == 0.0 && points[points.len() - 1].0 == 1.0;
    require(ends, "`quantiles` must begin at \"0%\" and end at \"100%\"")?;
    for pair in points.windows(2) {
        let rising = pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        require(rising, "`quantiles` must rise from pair to pair")?;
    }
    Ok(())
}

impl Shape {
    /// Its entries as the user would write them.
    fn show(&self) -> String {
        let known = |k: &Known| format!("{} = {}", k.stat.word(), k.value.show());
        match self {
            Shape::Constant(v) => format!("dist = \"constant\", value = {}", v.show()),
            Shape::Uniform { min, max } => {
                format!("dist = \"uniform\", min = {}, max = {}", min.show(), max.show())
            }
            Shape::Exponential(k) => format!("dist = \"exponential\", {}", known(k)),
            Shape::LogNormal([a, b]) => {
                format!("dist = \"lognormal\", {}, {}", known(a), known(b))
            }
            Shape::LogSigma(k, sigma) => {
                format!("dist = \"lognormal\", {}, sigma = {sigma}", known(k))
            }
            Shape::Gamma { mean, sd } => {
                format!("dist = \"gamma\", mean = {}, sd = {}", mean.show(), sd.show())
            }
            Shape::Pareto { min, tail } => {
                let tail = match tail {
                    Tail::Alpha(alpha) => format!("alpha = {alpha}"),
                    Tail::Known(k) => known(k),
                };
                format!("dist = \"pareto\", min = {}, {tail}", min.show())
            }
            Shape::Mixture(parts) => {
                let part = |(weight, spec): &(f64, DistSpec)| match spec {
                    DistSpec::Constant(v) => {
                        format!("{{ weight = {weight}, {} }}", Shape::Constant(*v).show())
                    }
                    DistSpec::Shaped(s) => format!("{{ weight = {weight}, {} }}", s.entries()),
                };
                let parts: Vec<String> = parts.iter().map(part).collect();
                format!("dist = \"mixture\", parts = [{}]", parts.join(", "))
            }
            Shape::Values(values) => {
                let values: Vec<String> = values.iter().map(Param::show).collect();
                format!("dist = \"empirical\", values = [{}]", values.join(", "))
            }
            Shape::Quantiles(points) => {
                let pair =
                    |(p, v): &(f64, Span)| format!("[\"{}\", {}]", units::show_share(*p), v.show());
                let points: Vec<String> = points.iter().map(pair).collect();
                format!("dist = \"empirical\", quantiles = [{}]", points.join(", "))
            }
        }
    }
}

impl Shaped {
    /// Shape, cap and never as the user would write them.
    fn entries(&self) -> String {
        let mut text = self.shape.show();
        if let Some(cap) = self.cap {
            text += &format!(", cap = {}", cap.show());
        }
        if self.never > 0.0 {
            text += &format!(", never = \"{}\"", units::show_share(self.never));
        }
        text
    }
}

impl DistSpec {
    /// As the user would write it: `"150ms"` or `{ dist = "lognormal", … }`.
    pub fn as_written(&self) -> String {
        match self {
            DistSpec::Constant(span) => span.show(),
            DistSpec::Shaped(shaped) => format!("{{ {} }}", shaped.entries()),
        }
    }
}
