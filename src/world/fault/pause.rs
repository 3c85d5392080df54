//! Pauses: a process or a host freezes and goes on later as if nothing had been (the lease killer).

use super::crash::Process;
use crate::sim::param::Name;

crate::params! {
    /// A pause: garbage collection, a stopped virtual machine. Clocks run on; messages wait.
    pub struct Params {
        /// A region, a zone, or a node (`store@region`, …).
        target: Name, required;
        /// Which process of the node.
        process: Process = Process::Host, "our choice";
    }
}
