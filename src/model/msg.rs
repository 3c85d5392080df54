//! What participants say to each other. All `Copy`: ranges and handles, no owned batches.

mod council;
mod fence;
mod lease;

pub use council::CouncilMsg;
pub use fence::{FenceMsg, StorageMsg};
pub use lease::LeaseMsg;

use crate::model::consensus::RaftMsg;
use crate::model::consensus::member::MemberMsg;
use crate::model::detect::Asks;
use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{FencingToken, GroupId, NodeId, OpId, Position, ProcessId, Term};
use crate::model::keyed::KeyedMsg;
use crate::model::replica::peer::Peer;
use crate::sim::time::{LocalTime, Span};

/// Any message.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Msg {
    /// Client and store.
    Client(ClientMsg),
    /// Between replicas of one store.
    Peer(GroupId, Peer),
    /// Between the nodes of a store with versions per key.
    Keyed(GroupId, KeyedMsg),
    /// Between voters of one consensus group.
    Raft(GroupId, RaftMsg),
    /// Between members of a store that elects its leader.
    Member(GroupId, MemberMsg),
    /// Lease holder and coordination service.
    Lease(GroupId, LeaseMsg),
    /// Controller, checkers, agents, routers.
    Control(GroupId, ControlMsg),
    /// Between controllers that elect the one that acts.
    Council(GroupId, CouncilMsg),
    /// Between the processes of one node.
    Local(GroupId, LocalMsg),
    /// Health checks.
    Probe(ProbeMsg),
    /// Resolvers and authoritative name servers.
    Dns(GroupId, DnsMsg),
    /// A primary and the storage that checks its fencing token.
    Storage(GroupId, StorageMsg),
    /// A controller, fence devices and load balancers that fence.
    Fence(GroupId, FenceMsg),
}

/// Client and store.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ClientMsg {
    /// Please do this.
    Request {
        /// Which operation; retries keep it.
        op: OpId,
        /// The store.
        group: GroupId,
        /// Read or write.
        kind: OpKind,
        /// Which attempt, from 0.
        attempt: u8,
        /// True when retries may be recognised by the operation's id.
        idempotent: bool,
        /// Payload of the answer to a read.
        answer_bytes: u32,
        /// The key.
        key: u32,
    },
    /// It is done, or it was refused.
    Answer {
        /// Which operation.
        op: OpId,
        /// Which attempt.
        attempt: u8,
        /// `Ok`, or a definite `Fail` ("not primary", "fenced").
        outcome: Outcome,
    },
    /// Not here: ask that one.
    Redirect {
        /// Which operation.
        op: OpId,
        /// Which attempt.
        attempt: u8,
        /// Who leads.
        to: ProcessId,
    },
}

/// What a replica is, as it reports itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Takes writes, if its lease allows.
    Primary,
    /// Follows a primary.
    Standby,
    /// Was primary, and has been stopped or fenced.
    Deposed,
}

/// How a replica comes to follow its primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resync {
    /// For so long it answers nothing.
    pub takes: Span,
    /// It begins with an empty disk, instead of going back to what both have.
    pub rebuilt: bool,
}

impl Resync {
    /// At once, from what both have.
    pub const NONE: Resync = Resync { takes: Span::ZERO, rebuilt: false };
}

/// Controller, checkers, agents and routers. The group is the store in question.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ControlMsg {
    /// Checker to controller: my opinion of this node changed.
    Opinion {
        /// Of whom.
        node: NodeId,
        /// What it is now.
        healthy: bool,
        /// Grows with each report of that checker, so that an old one cannot undo a new one.
        seq: u32,
    },
    /// Controller to agent: are you there, and how far is your log?
    Hello {
        /// Repeated in the answer.
        seq: u32,
        /// Whom the controller holds to be the primary; nobody while it fails over. A primary
        /// that fences itself goes on only while it hears its own name.
        primary: Option<NodeId>,
    },
    /// Agent to controller.
    Status {
        /// Of the question.
        seq: u32,
        /// What the database is.
        role: Role,
        /// In which term.
        term: Term,
        /// The end of its durable history.
        durable: Position,
        /// False when its database does not answer it.
        running: bool,
    },
    /// Controller to the old primary's agent: stop taking traffic, and give up the lease once
    /// what is under way is done.
    StopTraffic {
        /// Which failover.
        episode: u32,
    },
    /// The agent did so.
    Stopped {
        /// Which failover.
        episode: u32,
    },
    /// Controller to the old primary's agent: the failover is off, go on.
    Resume {
        /// Which failover.
        episode: u32,
    },
    /// Controller to the candidate's agent: take the lease as soon as it is free.
    Take {
        /// Which failover.
        episode: u32,
    },
    /// Controller to the candidate's agent: never mind.
    Abandon {
        /// Which failover.
        episode: u32,
    },
    /// The agent holds it.
    Taken {
        /// Which failover.
        episode: u32,
        /// With this token.
        token: FencingToken,
    },
    /// Controller to the candidate's agent: become primary.
    Promote {
        /// Which failover.
        episode: u32,
        /// The new term.
        term: Term,
        /// The fencing token that goes with it.
        token: FencingToken,
        /// How long the promotion takes.
        takes: Span,
    },
    /// The database of that agent is primary.
    Promoted {
        /// Which failover.
        episode: u32,
        /// The new term.
        term: Term,
    },
    /// Controller to another replica's agent: follow this primary, rewind what it does not have.
    Follow {
        /// The new primary's database.
        primary: ProcessId,
        /// Its term.
        term: Term,
        /// Its token.
        token: FencingToken,
        /// What has to be done first.
        resync: Resync,
    },
    /// Controller to name servers and load balancers: send clients there.
    Route {
        /// The database to use.
        target: ProcessId,
        /// Larger for each change.
        version: u32,
    },
}

/// Between an agent and the database beside it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LocalMsg {
    /// Agent: become primary; the promotion takes this long.
    Lead {
        /// In this term.
        term: Term,
        /// With this token.
        token: FencingToken,
        /// For so long.
        takes: Span,
    },
    /// Agent: your lease runs until then, on our clock, its guard already taken off. Where
    /// somebody else enforces it, until for ever.
    Lease {
        /// Its token.
        token: FencingToken,
        /// Until when.
        until: LocalTime,
    },
    /// Agent: you are primary no longer.
    StepDown,
    /// Agent: refuse new work, finish what is under way.
    Quiesce,
    /// Agent: take work again.
    Resume,
    /// Agent: follow this primary.
    Follow {
        /// Its database.
        primary: ProcessId,
        /// Its term.
        term: Term,
        /// Its token.
        token: FencingToken,
        /// What has to be done first.
        resync: Resync,
    },
    /// Agent: how are you?
    Ask {
        /// Repeated in the answer.
        seq: u32,
    },
    /// Database: so.
    Status {
        /// Of the question.
        seq: u32,
        /// What it is.
        role: Role,
        /// In which term.
        term: Term,
        /// The newest token it was given, kept on its disk with its role; 0 for none.
        token: FencingToken,
        /// The end of its durable history.
        durable: Position,
        /// True when every answer it owes has been given.
        idle: bool,
    },
    /// Database: the promotion is done.
    Leading {
        /// In this term.
        term: Term,
    },
    /// Database: I met a newer token and stopped.
    Fenced {
        /// The newer one.
        token: FencingToken,
    },
}

/// Health checks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ProbeMsg {
    /// Do you answer, and are you what I ask for?
    Probe {
        /// Repeated in the answer.
        seq: u32,
        /// What is asked.
        asks: Asks,
    },
    /// Yes.
    Alive {
        /// Of the probe.
        seq: u32,
    },
    /// I answer, but something of what was asked is not so.
    Unwell {
        /// Of the probe.
        seq: u32,
    },
}

/// Resolvers and authoritative name servers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum DnsMsg {
    /// Where is the primary?
    Lookup {
        /// Which resolver asks.
        resolver: u32,
        /// Numbers its questions.
        seq: u32,
    },
    /// There.
    Found {
        /// Of the question.
        resolver: u32,
        /// Of the question.
        seq: u32,
        /// The database to use.
        target: ProcessId,
    },
}
