//! Distributions of lengths of time, stated by what people know: quantiles and means.

use crate::sim::param::{Kind, Node, Param, Problems, Tree};
use crate::sim::rng::Stream;
use crate::sim::time::Span;

/// A distribution as the user stated it.
#[derive(Clone, PartialEq, Debug)]
pub enum DistSpec {
    /// Always the same.
    Constant(Span),
}

impl Default for DistSpec {
    fn default() -> Self {
        DistSpec::Constant(Span::ZERO)
    }
}

/// A distribution ready to be sampled.
#[derive(Clone, Debug)]
pub struct Dist {
    constant: Span,
}

impl Dist {
    /// Prepares the tables.
    pub fn new(spec: &DistSpec) -> Dist {
        let DistSpec::Constant(constant) = spec;
        Dist { constant: *constant }
    }
    /// One value, from one draw.
    pub fn sample(&self, stream: &mut Stream) -> Span {
        self.quantile_of(stream.next_u64())
    }
    /// The value at quantile `bits / 2^64`.
    pub fn quantile_of(&self, _bits: u64) -> Span {
        self.constant
    }
}

impl Param for DistSpec {
    fn kind() -> Kind {
        Kind::Dist
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<DistSpec> {
        match &node.tree {
            Tree::Text(_) => Span::read(node, problems).map(DistSpec::Constant),
            _ => None,
        }
    }
    fn show(&self) -> String {
        let DistSpec::Constant(span) = self;
        span.show()
    }
}
