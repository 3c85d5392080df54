//! Clocks that run fast or slow, and wall clocks that are set.

use super::{Act, Fault};
use crate::sim::Span;
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::params! {
    /// Clocks. Drift: both clocks of a node run fast or slow while the fault lasts. A step: its wall
    /// clock is set at the onset, and set right when the fault clears; its monotonic clock, on which
    /// leases and timers run, does not notice. Guards read the wall clock, as Redis does.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:lease`, …).
        target: OneOrMore<Name>, required;
        /// Parts per million: 1000 gains a millisecond a second, -1000 loses one.
        drift_ppm: f64 = 0.0, "none";
        /// Sets the wall clock forward by so much.
        forward: Span = Span::ZERO, "no step";
        /// Sets the wall clock back by so much.
        back: Span = Span::ZERO, "no step";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let ppb = (self.drift_ppm * 1e3) as i64;
        let nanos = |span: Span| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        let by = nanos(self.forward) - nanos(self.back);
        let drift = |node| (ppb != 0).then_some(Act::Drift { node, ppb });
        let step = |node| (by != 0).then_some(Act::Step { node, by });
        nodes.into_iter().flat_map(|node| drift(node).into_iter().chain(step(node))).collect()
    }
}
