//! What goes wrong. One file and one line per kind.
//!
//! A kind of fault says which [`Act`]s it consists of; the world carries them out at the onset
//! and takes back all that the fault owns when it clears. Overlapping faults compose: a pair is
//! up when no fault blocks it, a process runs when no fault stops it.

pub mod bursty_loss;
pub mod clock;
pub mod control_plane;
pub mod crash;
pub mod errors;
pub mod link;
pub mod lossy_node;
pub mod partition;
pub mod pause;
pub mod slow_disk;
pub mod slow_node;
pub mod stall;
pub mod target;
pub mod when;

use crate::model::ctx::Part;
use crate::model::id::{NodeId, ProcessId, SiteId};
use crate::net::Gilbert;
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
    /// Packets of a directed pair get lost in bursts.
    Bursty {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// By which chain.
        law: Gilbert,
    },
    /// Packets of a directed pair queue before a narrow place.
    Narrow {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// Which narrow place of the fault: pairs that name the same one share it.
        place: u32,
        /// Its bits per second.
        bandwidth: u64,
        /// How many bytes may wait for it.
        queue: u64,
    },
    /// Packets of a node take longer, or get lost: those that it sends, and those sent to it.
    BadWire {
        /// Whose.
        node: NodeId,
        /// By how much longer, either way.
        delay: [Option<DistSpec>; 2],
        /// Which share gets lost, either way.
        loss: [f64; 2],
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
    /// A process's disk takes longer to write.
    SlowDisk {
        /// Whose.
        process: ProcessId,
        /// So many times as long.
        factor: f64,
        /// And so much more.
        delay: DistSpec,
    },
    /// A database fails a share of what it is asked.
    Err {
        /// Which.
        process: ProcessId,
        /// Which share of reads.
        reads: f64,
        /// Which share of writes.
        writes: f64,
    },
    /// Orders of that kind do not get through.
    StopOrders(control_plane::Stops),
    /// A node's wall clock is set, by so many nanoseconds.
    Step {
        /// Whose.
        node: NodeId,
        /// Forward; backwards where it is negative.
        by: i64,
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
    "slow_disk" => SlowDisk in slow_disk,
    "slow_node" => SlowNode in slow_node,
    "lossy_node" => LossyNode in lossy_node,
    "errors" => Errors in errors,
    "control_plane" => ControlPlane in control_plane,
    "clock" => Clock in clock,
    "link" => Link in link,
    "bursty_loss" => BurstyLoss in bursty_loss,
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
