//! Errors: a node that answers, and fails a share of what it is asked.

use super::{Act, Fault};
use crate::sim::param::{Name, OneOrMore, Problems, Share};
use crate::world::layout::Layout;

crate::choices! {
    /// Which requests.
    pub enum Of {
        /// All.
        All = "all",
        /// Reads.
        Reads = "reads",
        /// Writes.
        Writes = "writes",
    }
}

crate::params! {
    /// Errors for a share of requests, a gray failure: the database answers `Fail` at once, before
    /// it has done anything. A health check that asks the application (`app`) or writes a test
    /// row (`write`) meets them as a read or a write does; one that only connects does not.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or `role:database`.
        target: OneOrMore<Name>, required;
        /// Which share of the requests fails.
        share: Share, required;
        /// Of which requests.
        of: Of = Of::All, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let share = |hit: bool| if hit { self.share.0 } else { 0.0 };
        let (reads, writes) = (share(self.of != Of::Writes), share(self.of != Of::Reads));
        let databases = nodes.into_iter().flat_map(|node| layout.on_node(node, "database"));
        databases.map(|process| Act::Err { process, reads, writes }).collect()
    }
}
