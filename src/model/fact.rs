//! The narrow waist: what the world did, and what nodes say of themselves.
//!
//! [`Fact`]s are written by `world` alone, while it carries out an effect. [`Claim`]s are what a
//! participant says. No measure reads a claim.

use crate::model::id::{
    ClientId, FaultId, FencingToken, GroupId, NodeId, OpId, Position, ProcessId, Segment, SiteId,
    Term,
};
use crate::sim::time::SimTime;

/// How an operation ended for its client (as in Jepsen).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// Success received before the deadline.
    Ok,
    /// It definitely did not happen.
    Fail,
    /// Anything else. A deadline is unknown, never a failure.
    Unknown,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OpKind {
    /// Reads one key.
    Read,
    /// Writes one key.
    Write,
}

/// Something the simulated world did. Protocol-neutral: about clients, disks, histories,
/// authority, processes, links and faults.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fact {
    /// A client began an operation (its first attempt; retries are silent).
    Invoked {
        /// The operation; its number tells the population.
        op: OpId,
        /// The store.
        group: GroupId,
        /// Read or write.
        kind: OpKind,
        /// The key, as a rank in the population's key space.
        key: u32,
    },
    /// A client's operation ended, once, and for good.
    Concluded {
        /// The operation.
        op: OpId,
        /// How it ended.
        outcome: Outcome,
        /// The node whose answer ended it, if one did.
        by: Option<NodeId>,
    },
    /// A node sent an answer. `at` is where the write stands in its history; for a read, the
    /// position it read at.
    Answered {
        /// Who answered.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// Which operation.
        op: OpId,
        /// What it said.
        outcome: Outcome,
        /// Where.
        at: Position,
    },
    /// A node that admits writes appended a new entry for `op` to its history.
    Appended {
        /// Who appended.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// Which operation.
        op: OpId,
        /// Where.
        at: Position,
    },
    /// A node began to write a segment of its own, on top of `from` of its history.
    Began {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The new segment.
        segment: Segment,
        /// The last entry it shares with its parent (index 0: none).
        from: Position,
    },
    /// A node's history in memory now ends here: it received entries from another. Only ever
    /// moves forward along one lineage; [`Fact::Truncated`] goes back.
    Held {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The end.
        upto: Position,
    },
    /// A node's durable history now ends here.
    Durable {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The end.
        upto: Position,
    },
    /// A node cut its history, in memory and on disk, back to here (a rewind, or what a crash
    /// left of it).
    Truncated {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The new end.
        to: Position,
    },
    /// A node's disk lost this group's history altogether.
    Wiped {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
    },
    /// A node started or stopped admitting writes. The world asks after every step; it is a
    /// rule of the node's state, not an announcement. For the voters of a coordination service:
    /// it leads with the votes of a majority.
    Admits {
        /// Who.
        node: NodeId,
        /// The store or service.
        group: GroupId,
        /// From now on.
        yes: bool,
    },
    /// The acknowledgements this node waits for before it answers a write, beside its own disk.
    Rule {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// How many other nodes must confirm.
        acks: u16,
    },
    /// Whoever decides gave a node the right to be primary.
    Authorised {
        /// The store.
        group: GroupId,
        /// Who may.
        holder: NodeId,
        /// With this token.
        token: FencingToken,
    },
    /// A resolver or load balancer of a population began to send its clients to a node.
    Routed {
        /// Whose.
        client: ClientId,
        /// Which resolver of that population (0 for a load balancer).
        resolver: u32,
        /// The store.
        group: GroupId,
        /// Where to.
        node: NodeId,
    },
    /// A process stopped running: crashed, or frozen by a pause.
    Down {
        /// Where.
        node: NodeId,
        /// Which.
        process: ProcessId,
        /// True when it will go on with its memory intact.
        paused: bool,
    },
    /// A process runs (again).
    Up {
        /// Where.
        node: NodeId,
        /// Which.
        process: ProcessId,
    },
    /// A directed pair of sites was cut, or restored. Written when the state changes.
    Link {
        /// Sender's side.
        from: SiteId,
        /// Receiver's side.
        to: SiteId,
        /// True when packets can pass.
        up: bool,
    },
    /// A fault began.
    Onset {
        /// Which.
        fault: FaultId,
    },
    /// A fault that began touched this node, one of its processes or its links.
    Hit {
        /// Which fault.
        fault: FaultId,
        /// Whom.
        node: NodeId,
    },
    /// A fault ended.
    Cleared {
        /// Which.
        fault: FaultId,
    },
    /// The storm is over: nothing begins from now on.
    Settling,
}

/// A step of a failover, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FailoverStep {
    /// Enough checkers say unhealthy; the hold time begins.
    Suspected,
    /// Waiting for a person to agree.
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
    /// "I hold the lease of this group, with this token."
    LeaseHeld(GroupId, FencingToken),
    /// "I hold the lease no longer", or "I could not renew it in time".
    LeaseLost(GroupId),
    /// A voter stands for election.
    Candidate(GroupId, Term),
    /// A write was refused because storage or a standby has seen a newer token.
    Fenced(GroupId, FencingToken),
    /// A node was told to follow a new primary and rewinds its history.
    Rejoining(GroupId, NodeId),
    /// Contact with a node was lost or regained, as the speaker sees it.
    Contact(NodeId, bool),
}

/// Listens to a run. Pairs of observers observe.
pub trait Observer {
    /// The world did something.
    fn on_fact(&mut self, at: SimTime, fact: &Fact);
    /// A participant said something.
    fn on_claim(&mut self, _at: SimTime, _by: NodeId, _claim: &Claim) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.0.on_fact(at, fact);
        self.1.on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.0.on_claim(at, by, claim);
        self.1.on_claim(at, by, claim);
    }
}

impl<T: Observer> Observer for &mut T {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        (**self).on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        (**self).on_claim(at, by, claim);
    }
}

impl<T: Observer> Observer for Option<T> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        if let Some(observer) = self {
            observer.on_fact(at, fact);
        }
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        if let Some(observer) = self {
            observer.on_claim(at, by, claim);
        }
    }
}
