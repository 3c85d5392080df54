//! What participants say of themselves and of others. No measure reads a claim.

use crate::model::id::{FencingToken, GroupId, NodeId, Term};

/// A step of a failover, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FailoverStep {
    /// Enough checkers say unhealthy; the hold time begins.
    Suspected,
    /// The lease is free, and a node races for it.
    Race,
    /// The hold time is over, but the last failover is too recent.
    CoolDown,
    /// Waiting for a person to agree, or to begin.
    Approve,
    /// The controller decided to fail over.
    Declared,
    /// Traffic to the old primary is being stopped.
    StopTraffic,
    /// Work under way is given time to end.
    Drain,
    /// The old primary is being made harmless.
    Fence,
    /// The new primary is being promoted.
    Promote,
    /// Clients are being sent to the new primary.
    Route,
    /// The failover is over.
    Done,
    /// The failover was given up.
    Abandoned,
}

/// A step of a careful return, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReturnStep {
    /// The first primary is there again, and follows.
    BringBack,
    /// It catches up.
    Sync,
    /// Somebody looks at it.
    Verify,
    /// It waits for the window, and is switched to.
    Window,
    /// It leads, and is watched.
    Watch,
}

/// What a participant says of itself or of others.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Claim {
    /// "I am primary of this group."
    Primary(GroupId, Term),
    /// "I am primary no longer."
    SteppedDown(GroupId, Term),
    /// A checker's opinion of a node changed.
    Opinion {
        /// Of whom.
        node: NodeId,
        /// What it now says.
        healthy: bool,
        /// After so many probes in a row.
        streak: u32,
    },
    /// The controller counts so many unhealthy opinions of a node.
    Tally {
        /// Of whom.
        node: NodeId,
        /// How many say unhealthy.
        unhealthy: u16,
        /// Of how many checkers.
        of: u16,
    },
    /// A step of the failover of a group begins.
    Step(GroupId, FailoverStep),
    /// An attempt at a step of the failover of a group failed.
    Failed(GroupId, FailoverStep),
    /// Even the best candidate, this node, lacks so many entries: too many to be promoted.
    TooFar(NodeId, u32),
    /// The first primary of this group returns: so far.
    Returning(GroupId, ReturnStep),
    /// The device of this host was asked to switch it off; which attempt, from 0.
    Shooting(NodeId, u32),
    /// That failed, or nothing was heard of it.
    StillOn(NodeId, u32),
    /// It is off.
    SwitchedOff(NodeId),
    /// Clients are cut off from this node, but for so many load balancers that did not confirm.
    CutOff(NodeId, u32),
    /// "I hold the lease of this group, with this token."
    LeaseHeld(GroupId, FencingToken),
    /// "I hold the lease no longer", or "I could not renew it in time".
    LeaseLost(GroupId),
    /// A voter stands for election.
    Candidate(GroupId, Term),
    /// "I vote for that one in this term."
    Voted(GroupId, Term, NodeId),
    /// "I have learned that this node is primary since that term."
    Learned(GroupId, Term, NodeId),
    /// A write was refused because storage or a standby has seen a newer token.
    Fenced(GroupId, FencingToken),
    /// A node was told to follow a new primary and rewinds its history.
    Rejoining(GroupId, NodeId),
    /// Contact with a node was lost or regained, as the speaker sees it.
    Contact(NodeId, bool),
}
