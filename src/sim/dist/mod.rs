//! Distributions of lengths of time, stated by what people know: quantiles and means.
//!
//! Holds what the user stated ([`DistSpec`]), the laws behind it, and tables to sample them
//! from ([`Dist`]). May use `libm` and `sim`. Will never know what the times are for.
//!
//! # Decided
//! - The body comes from a table of 1,024 steps read with integers: the same bits everywhere,
//!   and a third of the price of a live logarithm. Wherever a straight line is off by more than
//!   a thousandth (the tails, steps of mixtures) the exact inverse is worked out instead: a
//!   plain table would cut a Pareto tail off at its last step and with it the mean.
//! - One draw of 64 bits per sample, even for a constant: changing one distribution in a file
//!   never shifts the dice of the next question put to the same stream.
//! - `cap` moves larger values to the cap instead of drawing again: one draw stays one draw.

mod law;
mod read;
mod spec;
mod special;

pub use read::{COMMON_KEYS, FORMS, Form};
pub use spec::{DistSpec, Known, LIMIT_PARTS, LIMIT_VALUES, Shape, Shaped, Stat, Tail};

use crate::sim::rng::Stream;
use crate::sim::time::Span;
use law::{LIMIT, Law};
use special::Prob;
use std::sync::Arc;

/// Steps of a table.
const CELLS: usize = 1024;
/// A straight line may be off by this share of the value before the cell is worked out exactly.
const TOLERANCE: f64 = 1e-3;

/// A distribution ready to be sampled. Copies share their table (8 KB).
#[derive(Clone, Debug)]
pub struct Dist {
    form: Ready,
}

#[derive(Clone, Debug)]
enum Ready {
    Constant(Span),
    /// The smallest value and how many whole nanoseconds there are from it on.
    Uniform(u64, u64),
    Table(Arc<Table>),
}

/// Quantiles at multiples of 1/1024: whole nanoseconds times two, so that the lowest bit is
/// free to mark a cell that must be worked out from the law.
#[derive(Debug)]
struct Table {
    nodes: [u64; CELLS + 1],
    law: Law,
}

/// The upper half of the 128-bit product: `a * b / 2^64`.
#[inline]
fn mul_high(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

impl Dist {
    /// Prepares the table.
    ///
    /// # Panics
    /// When [`DistSpec::check`] refuses the specification; what was read has been checked.
    pub fn new(spec: &DistSpec) -> Dist {
        if let Err(message) = spec.check() {
            panic!("{}: {message}", spec.as_written());
        }
        if let DistSpec::Constant(span) = spec {
            return Dist { form: Ready::Constant(*span) };
        }
        let form = match Law::new(spec) {
            Law::Constant(value) => Ready::Constant(rounded(value)),
            Law::Uniform(low, high) => Ready::Uniform(low as u64, (high - low) as u64 + 1),
            law => Ready::Table(Arc::new(Table::new(law))),
        };
        Dist { form }
    }
    /// One value, from one draw.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        self.quantile_of(stream.next_u64())
    }
    /// The value at quantile `bits / 2^64`; [`Span::MAX`] where it never happens.
    #[inline]
    pub fn quantile_of(&self, bits: u64) -> Span {
        match &self.form {
            Ready::Constant(span) => *span,
            Ready::Uniform(low, width) => Span::from_nanos(low + mul_high(*width, bits)),
            Ready::Table(table) => table.quantile_of(bits),
        }
    }
    /// The value, when it is always the same.
    pub fn constant(&self) -> Option<Span> {
        match self.form {
            Ready::Constant(span) => Some(span),
            _ => None,
        }
    }
    /// The mean, where it exists: nothing for a power law with `alpha <= 1` and nothing for
    /// what may never happen.
    pub fn mean(&self) -> Option<Span> {
        match &self.form {
            Ready::Constant(Span::MAX) => None,
            Ready::Constant(span) => Some(*span),
            Ready::Uniform(low, width) => Some(Span::from_nanos(low + (width - 1) / 2)),
            Ready::Table(table) => table.law.mean().map(rounded),
        }
    }
    /// The smallest possible value.
    pub fn min(&self) -> Span {
        match &self.form {
            Ready::Table(table) => rounded(table.law.quantile(Prob { p: 0.0, q: 1.0 })),
            _ => self.quantile_of(0),
        }
    }
    /// The largest possible value, where there is one: nothing for an endless tail and nothing
    /// for what may never happen.
    pub fn max(&self) -> Option<Span> {
        match &self.form {
            Ready::Constant(Span::MAX) => None,
            Ready::Table(table) => {
                let most = table.law.quantile(Prob { p: 1.0, q: 0.0 });
                (most < LIMIT).then(|| rounded(most))
            }
            _ => Some(self.quantile_of(u64::MAX)),
        }
    }
}

/// `least` times e^(growth p): what grows with a rank `p` from 0 to 1.
pub fn growing(least: Span, growth: f64, p: f64) -> Span {
    rounded(least.as_nanos() as f64 * libm::exp(growth * p))
}

/// Whole nanoseconds, limited; infinity is "never".
fn rounded(nanos: f64) -> Span {
    if nanos == f64::INFINITY {
        return Span::MAX;
    }
    Span::from_nanos((nanos.min(LIMIT) + 0.5) as u64)
}

impl Table {
    fn new(law: Law) -> Table {
        let steps = CELLS as f64;
        let value = |at: f64| law.quantile(Prob { p: at / steps, q: (steps - at) / steps });
        let mut nodes = [0u64; CELLS + 1];
        let mut exact = [0.0f64; CELLS + 1];
        let mut last = 0;
        for (i, node) in nodes.iter_mut().enumerate() {
            exact[i] = value(i as f64);
            last = last.max(rounded(exact[i].min(LIMIT)).as_nanos() * 2);
            *node = last;
        }
        for cell in 0..CELLS {
            let (low, high) = (exact[cell], exact[cell + 1]);
            let off = [0.25, 0.5, 0.75].into_iter().any(|part| {
                let (line, truth) = (low + (high - low) * part, value(cell as f64 + part));
                let error = (line - truth).abs();
                !error.is_finite() || error > 1.0 + TOLERANCE * truth
            });
            nodes[cell] |= u64::from(off);
        }
        Table { nodes, law }
    }
    #[inline]
    fn quantile_of(&self, bits: u64) -> Span {
        let cell = (bits >> 54) as usize;
        let low = self.nodes[cell];
        if low & 1 == 1 {
            return self.exactly(bits);
        }
        // The mark of the upper node adds less than one half nanosecond: it never shows.
        let width = self.nodes[cell + 1] - low;
        Span::from_nanos((low + mul_high(width, bits << 10)) >> 1)
    }
    /// Works the value out, kept between the nodes beside it so that order is kept too.
    #[cold]
    #[inline(never)]
    fn exactly(&self, bits: u64) -> Span {
        let cell = (bits >> 54) as usize;
        let value = rounded(self.law.quantile(Prob::of_bits(bits)));
        if value == Span::MAX {
            return value;
        }
        let (low, high) = (self.nodes[cell] >> 1, self.nodes[cell + 1] >> 1);
        Span::from_nanos(value.as_nanos().clamp(low, high))
    }
}

#[cfg(test)]
mod tests;
