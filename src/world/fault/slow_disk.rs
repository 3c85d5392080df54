//! Slow disks: the node runs, answers, and writes badly.

use super::{Act, Fault};
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::params! {
    /// A slow disk, a gray failure: its node runs and answers whoever does not wait for a write.
    /// A write that is held up when the fault clears is finished as if it began then.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:lease`, …).
        target: OneOrMore<Name>, required;
        /// Each write takes so many times as long.
        factor: f64 = 1.0, "as long as ever";
        /// Added to each write, drawn for each.
        delay: DistSpec = DistSpec::Constant(Span::ZERO), "none";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let slow = |process| {
            let (factor, delay) = (self.factor, self.delay.clone());
            Act::SlowDisk { process, factor, delay }
        };
        let processes =
            |node: crate::model::id::NodeId| layout.nodes[node.index()].processes.clone();
        nodes.into_iter().flat_map(processes).map(slow).collect()
    }
}
