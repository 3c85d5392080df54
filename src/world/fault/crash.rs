//! Crashes: of a process, a node, a zone or a region, with or without the disk.

use crate::sim::param::Name;

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
        /// A region, a zone (`region/zone`), or a node (`store@region`, `lease@region`, …).
        target: Name, required;
        /// Which process of the node.
        process: Process = Process::Host, "our choice";
        /// What becomes of the disk.
        disk: Disk = Disk::Kept, "our choice";
    }
}
