//! Crashes: of a process, a node, a zone or a region, with or without the disk.

use super::{Act, Fault};
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::choices! {
    /// What becomes of the disk.
    pub enum Disk {
        /// It survives: what was durable is there after the restart.
        Kept = "kept",
        /// It is gone.
        Lost = "lost",
    }
}

crate::choices! {
    /// Which process of the node.
    pub enum Process {
        /// The whole host: silence.
        Host = "host",
        /// The database; its host refuses connections at once.
        Database = "database",
        /// The agent.
        Agent = "agent",
    }
}

crate::params! {
    /// A crash. A dead host is silence; a process killed on a live host refuses connections at
    /// once. When the fault clears, what it stopped starts again.
    pub struct Params {
        /// Regions, zones (`region/zone`), nodes (`store@region`, `lease@region`, …) or roles:
        /// `role:checker` is every checker, `role:checker@region` those that stand there. Roles are
        /// `database`, `lease` (its voters), `checker`, `controller`, `name_server`, `storage`.
        target: OneOrMore<Name>, required;
        /// Which process of the node.
        process: Process = Process::Host, "our choice";
        /// What becomes of the disk.
        disk: Disk = Disk::Kept, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, sites) = layout.targets(&self.target, problems);
        let disk_kept = self.disk == Disk::Kept;
        if self.process != Process::Host {
            let processes = nodes.iter().flat_map(|n| layout.on_node(*n, self.process.word()));
            return processes.map(|process| Act::Kill { process, disk_kept }).collect();
        }
        // A lost place takes the packets in its wires with it; a dead host does not.
        let severed = sites.into_iter().map(Act::Sever);
        severed.chain(nodes.into_iter().map(|node| Act::StopHost { node, disk_kept })).collect()
    }
}
