//! What fences with: storage that checks tokens, devices that cut a host's power, load balancers
//! that cut its clients off.

use crate::model::id::{FencingToken, ProcessId};

/// A primary and the storage that checks its fencing token.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum StorageMsg {
    /// Accept my writes up to `seq`, if nobody newer has been here.
    Check {
        /// My token.
        token: FencingToken,
        /// Repeated in the answer. The primary's: its round of questions in the upper 16 bits,
        /// the last entry asked about in the others.
        seq: u64,
    },
    /// Accepted.
    Accepted {
        /// Up to this batch.
        seq: u64,
    },
    /// Refused: a newer token has been here.
    Refused {
        /// The newest.
        token: FencingToken,
    },
}

/// A controller, and what makes an old primary harmless for it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FenceMsg {
    /// Controller to a fence device: switch your host off.
    PowerOff {
        /// In which failover.
        episode: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// The device did so, or could not.
    Switched {
        /// In which failover.
        episode: u32,
        /// Which attempt.
        attempt: u32,
        /// It did.
        off: bool,
    },
    /// Controller to load balancers: let nobody reach that database, and cut who is there, until an
    /// order to send clients there that is newer than `version`.
    Block {
        /// Which database.
        target: ProcessId,
        /// Of the last order that named it.
        version: u32,
    },
    /// The load balancer does so.
    Blocked {
        /// Which database.
        target: ProcessId,
    },
    /// Controller to load balancers: that was called off.
    Admit {
        /// Which database.
        target: ProcessId,
    },
}
