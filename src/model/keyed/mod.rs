//! Stores with many writers: versions per key, no log, and nobody who leads.
//!
//! Every node takes every request. What a node has of a key is a value that takes versions in
//! ([`Merge`]); a mode says which nodes are told, and when an operation counts as done. May use
//! the model's vocabulary and `sim`. Will never know true time, what a client has read
//! elsewhere, or what the network does.
//!
//! # Decided
//! - A mode is one machine and one line of [`Keyed`]; what it keeps of a key is a [`Merge`] of
//!   its own choice, so that a quorum may keep registers and a register may be gossiped.
//! - A version is the operation that wrote it and a stamp; values themselves do not exist here.
//! - Which nodes hold a key is a rule that every node knows ([`Ring`]), and the judges too.
//! - A write that is asked for again is a new version with a new stamp, as in Cassandra.
//! - Delays that messages have beside the wire are drawn by operation and replica, not in the
//!   order of sending: a design that waits for more hears the same answers at the same times.

pub mod latency;
pub mod level;
pub mod lww;
pub mod quorum;
pub mod ring;

pub use latency::{Latency, LatencyParams};
pub use level::{Level, Need};
pub use lww::Registers;
pub use ring::Ring;

use crate::model::ctx::{Ctx, Input, Machine};
use crate::model::id::{OpId, Version};

/// Between the nodes of a store with versions per key.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum KeyedMsg {
    /// Coordinator to replica: take this version in.
    Write {
        /// Numbers the coordinator's writes; the answer repeats it.
        round: u32,
        /// The key.
        key: u32,
        /// Of the client's operation.
        attempt: u8,
        /// What.
        version: Version,
    },
    /// Replica to coordinator: it is in.
    Ack {
        /// Of the write.
        round: u32,
    },
    /// Coordinator to replica: what do you have?
    Read {
        /// Numbers the coordinator's reads; the answer repeats it.
        round: u32,
        /// The key.
        key: u32,
        /// Of the client's operation.
        attempt: u8,
        /// The client's operation.
        op: OpId,
    },
    /// Replica to coordinator: this.
    Response {
        /// Of the read.
        round: u32,
        /// What it has; nothing where the key was never written.
        version: Version,
    },
}

/// What a node keeps of its keys, and how a version becomes part of a value.
pub trait Merge {
    /// Takes a version in. False when it knows it already.
    fn merge(&mut self, key: u32, version: Version) -> bool;
    /// What a read of the key returns.
    fn value(&self, key: u32) -> Version;
    /// What is there now begins its way to the disk.
    fn flush_begins(&mut self);
    /// What began is on disk.
    fn flush_ends(&mut self);
    /// True when something is neither on disk nor on its way there.
    fn is_dirty(&self) -> bool;
    /// Memory is lost: every value is what it was on disk, or nothing where the disk went too.
    /// Tells each key whose value changed by that.
    fn crash(&mut self, disk_kept: bool) -> Vec<(u32, Version)>;
}

/// One line per mode makes its part of the machine.
macro_rules! machines {
    ($($(#[doc = $doc:literal])* $variant:ident($machine:ty)),* $(,)?) => {
        /// A node of a store with versions per key.
        #[derive(Debug)]
        #[allow(clippy::large_enum_variant, reason = "one per node, in a box of its own")]
        pub enum Keyed {
            $($(#[doc = $doc])* $variant($machine),)*
        }

        impl Keyed {
            /// What the last crash took: each key whose value changed, and what is left of it.
            pub fn reverted(&mut self) -> Vec<(u32, Version)> {
                match self { $(Keyed::$variant(node) => node.reverted(),)* }
            }
            /// The store.
            pub fn group(&self) -> crate::model::id::GroupId {
                match self { $(Keyed::$variant(node) => node.group(),)* }
            }
        }

        impl Machine for Keyed {
            #[inline]
            fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
                match self { $(Keyed::$variant(node) => node.step(input, ctx),)* }
            }
            fn crash(&mut self, disk_kept: bool) {
                match self { $(Keyed::$variant(node) => node.crash(disk_kept),)* }
            }
        }
    };
}

machines! {
    /// A leaderless quorum.
    Quorum(quorum::Node<Registers>),
}
