//! Pauses: a process or a host freezes and goes on later as if nothing had been (the lease killer).

use super::crash::Process;
use super::{Act, Fault};
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::params! {
    /// A pause: garbage collection, a stopped virtual machine. Clocks run on; messages wait.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:controller`, …).
        target: OneOrMore<Name>, required;
        /// Which process of the node.
        process: Process = Process::Host, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let of = |node| match self.process {
            Process::Host => layout.nodes[crate::model::id::NodeId::index(node)].processes.clone(),
            process => layout.on_node(node, process.word()),
        };
        nodes.into_iter().flat_map(of).map(Act::Pause).collect()
    }
}
