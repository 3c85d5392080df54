//! What replicas of one store say to each other: ranges of the log, never single writes.

use crate::model::id::{FencingToken, LogIndex, Position, ProcessId, Segment, Term};

/// Between replicas of one store.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Peer {
    /// Standby to primary: I am here; where do our histories part?
    Join {
        /// The term of the primary I was told to follow.
        term: Term,
        /// Numbers my questions; the answer repeats it, and an answer to an older one is void.
        seq: u32,
        /// The end of my history, or a place further back when you did not know that.
        at: Position,
    },
    /// Primary to standby: this is the last place we share; cut back to it, I ship from there.
    Fork {
        /// My term.
        term: Term,
        /// My token.
        token: FencingToken,
        /// Of the question.
        seq: u32,
        /// The last shared place.
        at: Position,
    },
    /// Primary to standby: I do not know that segment; look further back.
    Unknown {
        /// My term.
        term: Term,
        /// Of the question.
        seq: u32,
        /// What I did not know.
        segment: Segment,
    },
    /// Primary to standby: these entries.
    Ship {
        /// My term.
        term: Term,
        /// My token.
        token: FencingToken,
        /// Who wrote them.
        segment: Segment,
        /// The index before the first.
        after: LogIndex,
        /// The last.
        upto: LogIndex,
    },
    /// Standby to primary: this is how far I am.
    Have {
        /// Of the primary I follow.
        term: Term,
        /// The question by which I joined. What was said before it was asked counts no more.
        session: u32,
        /// In memory.
        received: LogIndex,
        /// On disk.
        flushed: LogIndex,
        /// Visible to readers.
        applied: LogIndex,
    },
    /// Primary to standby: I have forgotten that you joined; join again.
    Rejoin {
        /// My term.
        term: Term,
        /// The question by which you believe to have joined.
        session: u32,
    },
    /// Standby to primary: how far is your disk? Asked when a health check asks for the lag.
    HowFar {
        /// Of the primary I follow.
        term: Term,
        /// Numbers my questions.
        seq: u32,
    },
    /// Primary to standby: thus far.
    ThusFar {
        /// My term.
        term: Term,
        /// Of the question.
        seq: u32,
        /// The last entry on my disk.
        end: LogIndex,
    },
    /// Standby to primary, regularly, where the primary has a guard: I follow you.
    Beat {
        /// Of the primary I follow.
        term: Term,
    },
    /// Head of a chain to one of its nodes: your place. Without a `prev` you have none: ask anew.
    Link {
        /// My term.
        term: Term,
        /// Larger for each change of the chain.
        version: u32,
        /// Before you.
        prev: Option<ProcessId>,
        /// Behind you.
        next: Option<ProcessId>,
        /// Whether you tell me each time how far you are.
        reports: bool,
        /// The nodes in force: a bit for each replica of the store, in the order of their processes.
        members: u64,
    },
    /// Node of a chain to its head, regularly or each time: I am here.
    Place {
        /// Of the head I follow.
        term: Term,
        /// Of my place.
        version: u32,
        /// On disk, if I have joined the one before me there.
        flushed: LogIndex,
    },
    /// Anyone to a primary: I have seen a newer token than yours.
    Stale {
        /// The newest.
        token: FencingToken,
    },
}
