//! The parameters of a store that elects its leader.

use crate::sim::Span;
use crate::sim::param::Name;

crate::choices! {
    /// What a member does with a request when another one leads.
    pub enum NotLeader {
        /// It passes the request on, and answers its client when it learns how that ended.
        Forward = "forward",
        /// It tells the client who leads; the client asks there at once, and from then on.
        Redirect = "redirect",
        /// It refuses.
        Refuse = "refuse",
    }
}

crate::choices! {
    /// What a member does with a request when it knows of no leader.
    pub enum NoLeader {
        /// It keeps the request for `hold_for`, until there is one.
        Hold = "hold",
        /// It refuses.
        Refuse = "refuse",
    }
}

crate::choices! {
    /// How reads are answered.
    pub enum Reads {
        /// By the leader: at once while its lease runs, else like `quorum`.
        Lease = "lease",
        /// By the leader, after a majority has answered a sign of life that it sent since (read-index).
        Quorum = "quorum",
        /// By whoever believes to lead, at once: stale answers are possible.
        Local = "local",
        /// By whoever is asked, as long as it has all that was committed `max_staleness` ago (closed
        /// timestamps); else by the leader, as with `lease`.
        Follower = "follower",
    }
}

crate::choices! {
    /// When followers learn that something is committed.
    pub enum Notice {
        /// As soon as the leader knows it.
        AtOnce = "at_once",
        /// With the next entries, or the next sign of life.
        NextMessage = "next_message",
    }
}

crate::choices! {
    /// What a new leader does while the lease of the one before it may still run.
    pub enum WhileLeased {
        /// It takes nothing: requests are treated as without a leader.
        Wait = "wait",
        /// It takes writes and replicates them, and answers when that lease is over.
        Withhold = "withhold",
    }
}

crate::params! {
    /// Consensus (Raft): the members elect a leader; a write is answered when a majority of them
    /// has it on disk.
    pub struct Params {
        /// How often a leader shows that it lives.
        heartbeat_interval: Span = Span::from_millis(100), "etcd 3.6 tuning guide";
        /// The shortest time without a leader's message before a member stands.
        timeout_min: Span = Span::from_secs(1), "etcd 3.6 tuning guide";
        /// The longest; the timeout is uniform between the two, drawn anew for each term.
        timeout_max: Span = Span::from_secs(2), "etcd: 1 to 2 times the election timeout";
        /// Timers count ticks of this length, each member in its own phase: a timeout is a whole
        /// number of ticks from `timeout_min` up to, not including, `timeout_max`; signs of life come on a tick.
        tick: Option<Span> = None, "timers are continuous";
        /// When the first tick of each member comes, in the order of `replicas`.
        phases: Vec<Span> = Vec::new(), "drawn";
        /// Ask whether one would win before raising the term.
        pre_vote: bool = true, "etcd 3.4 and later";
        /// A leader that does not hear a majority for `timeout_min` steps down, and members that
        /// heard a leader within `timeout_min` grant no vote.
        check_quorum: bool = true, "etcd";
        /// The replica that leads at the start; nobody where left out.
        initial_leader: Option<Name> = None, "an election at the start";
        /// How many entries the log of each member has at the start, in the order of `replicas`: a
        /// vote needs one that is as long.
        log_lengths: Vec<u32> = Vec::new(), "0: all empty";
        /// Replicas that get the log and have no vote.
        non_voting: Vec<Name> = Vec::new(), "all vote";
        /// Replicas that vote, never lead and answer no read: they have the log and not the data.
        witnesses: Vec<Name> = Vec::new(), "none";
        /// Replicas that should lead, best first: a leader hands over to a better one that is up to date.
        preferred: Vec<Name> = Vec::new(), "none: whoever is elected";
        /// What a member does with a request when another one leads.
        not_leader: NotLeader = NotLeader::Forward, "etcd";
        /// What a member does with a request when it knows of no leader.
        no_leader: NoLeader = NoLeader::Hold, "our choice";
        /// How long a request is kept without a leader; then it is refused.
        hold_for: Span = Span::from_secs(7), "etcd: 5 s and two election timeouts";
        /// How reads are answered.
        reads: Reads = Reads::Lease, "CockroachDB";
        /// How old a follower's answer may be, by the clocks of leader and follower.
        max_staleness: Span = Span::from_secs(3), "CockroachDB: kv.closed_timestamp.target_duration";
        /// How long a majority's answers to a sign of life make a lease, from when that was sent. While
        /// one may run, a new leader answers nothing.
        lease: Option<Span> = None, "nine tenths of timeout_min";
        /// The leader ends its lease so much earlier: what clocks may drift apart in one.
        lease_guard: Span = Span::from_millis(10), "our choice: 200 ppm each way over 25 s";
        /// What a new leader does while the lease of the one before it may still run.
        while_leased: WhileLeased = WhileLeased::Wait, "Spanner, OSDI 2012: disjoint leases";
        /// When followers learn that something is committed.
        commit_notice: Notice = Notice::AtOnce, "etcd";
    }
}

impl Params {
    /// True when leaders read under a lease.
    pub fn leases(&self) -> bool {
        matches!(self.reads, Reads::Lease | Reads::Follower)
    }
    /// How long a lease is.
    pub fn lease_length(&self) -> Span {
        self.lease.unwrap_or_else(|| self.timeout_min.div(10).saturating_mul(9))
    }
}
