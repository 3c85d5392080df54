//! A replicated group that elects: terms, votes, a log, a majority.
//!
//! [`Raft`] is the protocol alone: it decides who leads and what is committed, over [`Ctx`] and
//! nothing else. A shell drives it and gives the entries their meaning: the coordination service
//! does (see `control::coordination`). May use `sim` and the vocabulary of `model`. Will never
//! know what a command means, who the clients are, or true time.
//!
//! # Decided
//! - The messages are datagrams: they may be lost and may overtake each other. Each carries at
//!   most one entry, inline, so that all stay `Copy` and small.
//! - Nothing is promised that is not on disk: a vote, a candidate's own vote and a confirmed
//!   entry wait for [`Input::Durable`]. One write is under way at a time and carries everything
//!   since the last (group commit).
//! - A voter that lost its disk is *blank*: it follows, but neither votes nor stands nor counts,
//!   until an entry that was proposed for this very loss has been committed without its help.
//!   `replication.rs` says why that is enough.
//! - The log is not compacted: a lease's renewals are few.
//!
//! [`Ctx`]: crate::model::ctx::Ctx
//! [`Input::Durable`]: crate::model::ctx::Input::Durable

mod decide;
mod election;
pub mod member;
mod raft;
mod replication;
mod stable;

#[cfg(test)]
pub(crate) mod tests;

pub use raft::{Raft, Setup};
pub use stable::Entry;

use crate::model::id::Term;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Name;

/// Between voters. Indices count entries from 1; 0 is "before the first". 32 bits are enough
/// for a log whose entries travel one by one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RaftMsg {
    /// Candidate: vote for me.
    Ask {
        /// The term it stands in, or would stand in.
        term: Term,
        /// The term of its last entry.
        last_term: Term,
        /// The number of its last entry.
        last_index: u32,
        /// True for "would you?": nobody's term or vote changes.
        pre: bool,
    },
    /// The answer.
    Vote {
        /// The term of the question where granted, else the voter's own.
        term: Term,
        /// Yes.
        granted: bool,
        /// Of the question.
        pre: bool,
    },
    /// Leader: hold this entry, if the one before it is the same as mine. Without an entry a
    /// sign of life.
    Append {
        /// The leader's term.
        term: Term,
        /// The term of the entry before.
        prev_term: Term,
        /// The number of the entry before.
        prev_index: u32,
        /// How far the leader knows the log to be committed.
        commit: u32,
        /// The term of the entry; 0 where the message carries none.
        entry_term: Term,
        /// The entry.
        word: u64,
    },
    /// Follower: mine is durable, and the same as yours, up to here.
    Appended {
        /// The follower's term.
        term: Term,
        /// Up to this entry.
        matched: u32,
    },
    /// Follower: the entry before yours is not the same here, or your term is over.
    Rejected {
        /// The follower's term.
        term: Term,
        /// The number of the entry before, as asked.
        prev_index: u32,
        /// Nothing above this entry can be the same.
        hint_index: u32,
        /// The term of that entry.
        hint_term: Term,
    },
    /// Follower without memory: I lost my disk. I hold this much of yours, and count for
    /// nothing until I read a welcome that repeats this number.
    Blank {
        /// The follower's term.
        term: Term,
        /// Up to this entry.
        has: u32,
        /// Drawn anew at each loss.
        nonce: u64,
    },
}

impl RaftMsg {
    /// The term in the message.
    pub fn term(&self) -> Term {
        match *self {
            RaftMsg::Ask { term, .. }
            | RaftMsg::Vote { term, .. }
            | RaftMsg::Append { term, .. }
            | RaftMsg::Appended { term, .. }
            | RaftMsg::Rejected { term, .. }
            | RaftMsg::Blank { term, .. } => term,
        }
    }
}

crate::params! {
    /// How the voters of a group elect their leader.
    pub struct ElectionParams {
        /// How often a leader shows that it lives.
        heartbeat_interval: Span = Span::from_millis(100), "etcd 3.6 tuning guide";
        /// The shortest time without a leader's message before a voter stands.
        timeout_min: Span = Span::from_secs(1), "etcd 3.6 tuning guide";
        /// The longest; the timeout is uniform between the two, drawn anew for each term.
        timeout_max: Span = Span::from_secs(2), "etcd: 1 to 2 times the election timeout";
        /// How long a vote or an entry takes to be durable.
        fsync: DistSpec = DistSpec::Constant(Span::from_millis(1)), "our choice: a cloud SSD";
        /// Ask whether one would win before raising the term.
        pre_vote: bool = true, "etcd 3.4 and later";
        /// A leader that does not hear a majority for an election timeout steps down, and voters
        /// that heard a leader within the minimum timeout grant no vote.
        check_quorum: bool = true, "etcd";
        /// The region whose voter leads at the start; nobody where left out.
        initial_leader: Option<Name> = None, "an election at the start";
    }
}
