//! A replicated group that elects: terms, votes, a log, a majority.

use crate::model::id::{LogIndex, Term};
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Name;

/// Between voters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RaftMsg {
    /// Placeholder until the group is written.
    Vote {
        /// The candidate's term.
        term: Term,
        /// The candidate's last entry.
        last: (Term, LogIndex),
    },
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
