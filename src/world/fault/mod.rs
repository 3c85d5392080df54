//! What goes wrong. One file and one line per kind.
//!
//! A kind of fault says which [`Act`]s it consists of; the world carries them out at the onset
//! and takes back all that the fault owns when it clears. Overlapping faults compose: a pair is
//! up when no fault blocks it, a process runs when no fault stops it.

pub mod clock;
pub mod crash;
pub mod link;
pub mod partition;
pub mod pause;
pub mod stall;
pub mod target;
pub mod when;

use crate::model::ctx::Part;
use crate::model::id::{NodeId, ProcessId, SiteId};
use crate::sim::dist::DistSpec;
use crate::sim::param::Problems;
use crate::world::layout::Layout;

pub use when::{Backbone, FaultCommon, Rate, Repeat};

/// One thing that a fault does to the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Packets of a directed pair of sites no longer pass.
    Block {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// What becomes of those under way.
        in_flight: InFlight,
    },
    /// Packets of a directed pair take longer.
    Slow {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// By how much, one way.
        delay: DistSpec,
    },
    /// Packets of a directed pair get lost.
    Lossy {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// Which share of them.
        share: f64,
    },
    /// A physical link is dead.
    LinkDown {
        /// Its index.
        link: usize,
        /// What becomes of packets under way.
        in_flight: InFlight,
    },
    /// All packets from, to and within a site die, once.
    Sever(SiteId),
    /// A whole host stops: silence.
    StopHost {
        /// Which.
        node: NodeId,
        /// Its disk survives.
        disk_kept: bool,
    },
    /// A process is killed; its host lives and refuses its connections.
    Kill {
        /// Which.
        process: ProcessId,
        /// Its disk survives.
        disk_kept: bool,
    },
    /// A process freezes.
    Pause(ProcessId),
    /// A part of a standby stops working.
    Stall {
        /// Whose.
        process: ProcessId,
        /// Which.
        part: Part,
    },
    /// A node's clocks run fast (or slow), in parts per billion.
    Drift {
        /// Whose.
        node: NodeId,
        /// By how much.
        ppb: i64,
    },
}

/// A kind of fault.
pub trait Fault {
    /// What it does, once its names are looked up; names that stand for nothing are problems.
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act>;
}

/// Turns one line per fault into the reader's catalogue and the dispatch.
macro_rules! faults {
    ($($word:literal => $variant:ident in $file:ident),* $(,)?) => {
        crate::catalogue! {
            /// What goes wrong.
            pub enum FaultParams by "kind" {
                $($word => $variant($file::Params)),*
            }
        }

        impl Fault for FaultParams {
            fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
                match self { $(FaultParams::$variant(params) => params.acts(layout, problems),)* }
            }
        }
    };
}

faults! {
    "partition" => Partition in partition,
    "crash" => Crash in crash,
    "pause" => Pause in pause,
    "replication_stall" => Stall in stall,
    "clock" => Clock in clock,
    "link" => Link in link,
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
