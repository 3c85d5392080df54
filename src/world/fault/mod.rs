//! What goes wrong. One file and one line per kind.

pub mod clock;
pub mod crash;
pub mod link;
pub mod partition;
pub mod pause;

use crate::sim::dist::DistSpec;
use crate::sim::param::Name;

crate::catalogue! {
    /// What goes wrong.
    pub enum FaultParams by "kind" {
        "partition" => Partition(partition::Params),
        "crash" => Crash(crash::Params),
        "pause" => Pause(pause::Params),
        "clock" => Clock(clock::Params),
        "link" => Link(link::Params),
    }
}

crate::choices! {
    /// What becomes of packets that are under way when a path is cut.
    pub enum InFlight {
        /// They die.
        Lost = "lost",
        /// They still arrive.
        Delivered = "delivered",
    }
}

crate::params! {
    /// A fault: when it begins and how long it lasts; its kind has parameters of its own.
    pub struct FaultCommon {
        /// Its name in reports, and of its dice; the kind and a number where left out.
        name: Option<Name> = None, "the kind and its place in the file";
        /// When it begins, counted from the start of the run.
        at: DistSpec, required;
        /// How long it lasts; left out: it is permanent.
        duration: Option<DistSpec> = None, "permanent";
    }
}
