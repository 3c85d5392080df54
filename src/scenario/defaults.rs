//! Defaults that need more than a constant, with where they come from.

use crate::sim::Span;
use crate::sim::dist::{DistSpec, Shape};

/// Jitter between regions, one way: a gamma with sd 0.5 ms. The RTT matrices report mean deviations
/// of 0.43 ms (AWS 2020, median over pairs) and 0.52 ms (GCP 2020).
pub fn wan_jitter() -> DistSpec {
    gamma(Span::from_micros(500))
}

/// Jitter between zones of a region, one way.
pub fn zone_jitter() -> DistSpec {
    gamma(Span::from_micros(100))
}

fn gamma(mean: Span) -> DistSpec {
    Shape::Gamma { mean, sd: mean }.into()
}
