//! Standbys that stall: they run, answer health checks, and fall behind.

use super::{Act, Fault};
use crate::model::ctx;
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::choices! {
    /// Which part of a standby stops working.
    pub enum Part {
        /// What applies the log: it arrives, and readers do not see it (a conflict with a long
        /// query, a lock, `pg_wal_replay_pause`).
        Applier = "applier",
        /// What receives the log: nothing arrives (a full disk, a hung receiver process).
        Receiver = "receiver",
    }
}

crate::params! {
    /// A standby's receiver or applier stops while the fault lasts; the rest of it works.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or `role:database`; without effect on a primary.
        target: OneOrMore<Name>, required;
        /// Which part stops.
        part: Part = Part::Applier, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let part = match self.part {
            Part::Applier => ctx::Part::Applier,
            Part::Receiver => ctx::Part::Receiver,
        };
        let databases = nodes.into_iter().flat_map(|node| layout.on_node(node, "database"));
        databases.map(|process| Act::Stall { process, part }).collect()
    }
}
