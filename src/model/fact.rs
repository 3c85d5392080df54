//! The narrow waist: what the world did, and what nodes say of themselves.
//!
//! [`Fact`]s are written by `world` alone, while it carries out an effect. [`Claim`]s are what a
//! participant says. No measure reads a claim.

mod claim;
mod observer;
use crate::model::id::{
    ClientId, FaultId, FencingToken, GroupId, NodeId, OpId, Position, ProcessId, Segment, SiteId,
    Version,
};
pub use claim::{Claim, FailoverStep, ReturnStep};
pub use observer::Observer;

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
    /// A node sent an answer. `at`: where the write stands in its history, or the read was taken.
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
    /// A node received entries: its history in memory now ends here, further along its lineage.
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
    /// A node cut its history, in memory and on disk, back to here (a rewind, or a crash).
    Truncated {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The new end.
        to: Position,
    },
    /// A node's value of a key takes a version into account; a newer one stays.
    Installed {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The key.
        key: u32,
        /// What.
        version: Version,
    },
    /// A crash took from a node what was not on its disk: its value of a key is again this one.
    Reverted {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// The key.
        key: u32,
        /// What is left.
        version: Version,
    },
    /// The answer that a node is about to send to a read carries this version.
    Returned {
        /// Who.
        node: NodeId,
        /// The store.
        group: GroupId,
        /// Which read.
        op: OpId,
        /// What.
        version: Version,
    },
    /// The operation that is about to be invoked is that of this user of its population.
    Session {
        /// The operation.
        op: OpId,
        /// The user.
        user: u32,
    },
    /// A node's disk lost this group's history (or all its keys) altogether.
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
    /// Whoever decides began to take the right to be primary from a node.
    Withdrawn {
        /// The store.
        group: GroupId,
        /// Whose right.
        holder: NodeId,
    },
    /// An operator acted on a store.
    Ordered {
        /// Which.
        group: GroupId,
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
    /// A gray failure began to act on a node, which runs and serves badly; or none does any longer.
    Ails {
        /// Whom.
        node: NodeId,
        /// From now on.
        yes: bool,
    },
    /// A fault ended.
    Cleared {
        /// Which.
        fault: FaultId,
    },
    /// The storm is over: nothing begins from now on.
    Settling,
}

impl Fact {
    /// Hands over the fact as words, for the fingerprint: first what kind it is and its small
    /// numbers, then what does not fit.
    #[inline(always)]
    pub fn words(&self, mut fold: impl FnMut(u64)) {
        let head = |tag: u64, a: u16, b: u16, c: u16| {
            tag << 48 | u64::from(a) << 32 | u64::from(b) << 16 | u64::from(c)
        };
        let mut at = |head: u64, at: &Position| {
            fold(head);
            fold(at.segment.word());
            fold(at.index.0);
        };
        match self {
            Fact::Invoked { op, group, kind, key } => {
                fold(head(1, group.0, *kind as u16, 0));
                fold(op.word());
                fold(u64::from(*key));
            }
            Fact::Concluded { op, outcome, by } => {
                fold(head(2, *outcome as u16, by.map_or(u16::MAX, |node| node.0), 0));
                fold(op.word());
            }
            Fact::Answered { node, group, op, outcome, at: place } => {
                at(head(3, node.0, group.0, *outcome as u16), place);
                fold(op.word());
            }
            Fact::Appended { node, group, op, at: place } => {
                at(head(4, node.0, group.0, 0), place);
                fold(op.word());
            }
            Fact::Began { node, group, segment, from } => {
                at(head(5, node.0, group.0, 0), from);
                fold(segment.word());
            }
            Fact::Held { node, group, upto } => at(head(6, node.0, group.0, 0), upto),
            Fact::Durable { node, group, upto } => at(head(7, node.0, group.0, 0), upto),
            Fact::Truncated { node, group, to } => at(head(8, node.0, group.0, 0), to),
            Fact::Wiped { node, group } => fold(head(9, node.0, group.0, 0)),
            Fact::Admits { node, group, yes } => fold(head(10, node.0, group.0, *yes as u16)),
            Fact::Rule { node, group, acks } => fold(head(11, node.0, group.0, *acks)),
            Fact::Authorised { group, holder, token } => {
                fold(head(12, group.0, holder.0, 0));
                fold(token.0);
            }
            Fact::Installed { .. }
            | Fact::Reverted { .. }
            | Fact::Returned { .. }
            | Fact::Session { .. } => self.words_of_versions(fold),
            Fact::Withdrawn { group, holder } => fold(head(21, group.0, holder.0, 0)),
            Fact::Routed { client, resolver, group, node } => {
                fold(head(13, client.0, group.0, node.0));
                fold(u64::from(*resolver));
            }
            Fact::Down { node, process, paused } => {
                fold(head(14, node.0, process.0, *paused as u16));
            }
            Fact::Up { node, process } => fold(head(15, node.0, process.0, 0)),
            Fact::Link { from, to, up } => fold(head(16, from.0, to.0, *up as u16)),
            Fact::Onset { fault } => fold(head(17, fault.0, 0, 0)),
            Fact::Hit { fault, node } => fold(head(18, fault.0, node.0, 0)),
            Fact::Ails { node, yes } => fold(head(26, node.0, *yes as u16, 0)),
            Fact::Cleared { fault } => fold(head(19, fault.0, 0, 0)),
            Fact::Settling => fold(head(20, 0, 0, 0)),
            Fact::Ordered { group } => fold(head(27, group.0, 0, 0)),
        }
    }

    /// The same, of versions of keys and of users.
    fn words_of_versions(&self, mut fold: impl FnMut(u64)) {
        let head = |tag: u64, a: u16, b: u16| tag << 48 | u64::from(a) << 32 | u64::from(b) << 16;
        let mut all = |head: u64, what: u64, version: &Version| {
            [head, what, version.stamp, version.op.word()].into_iter().for_each(&mut fold);
        };
        match self {
            Fact::Installed { node, group, key, version } => {
                all(head(22, node.0, group.0), u64::from(*key), version);
            }
            Fact::Reverted { node, group, key, version } => {
                all(head(23, node.0, group.0), u64::from(*key), version);
            }
            Fact::Returned { node, group, op, version } => {
                all(head(24, node.0, group.0), op.word(), version);
            }
            Fact::Session { op, user } => {
                [head(25, 0, 0), op.word(), u64::from(*user)].into_iter().for_each(fold);
            }
            _ => {}
        }
    }
}
