//! Clocks that run fast or slow.

use super::{Act, Fault};
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::params! {
    /// Drift: the clocks of a node run fast or slow while the fault lasts.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:lease`, …).
        target: OneOrMore<Name>, required;
        /// Parts per million: 1000 gains a millisecond a second, -1000 loses one.
        drift_ppm: f64, required;
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let ppb = (self.drift_ppm * 1e3) as i64;
        nodes.into_iter().map(|node| Act::Drift { node, ppb }).collect()
    }
}
