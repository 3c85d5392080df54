//! Who decides: leases, agents beside the databases, the failover controller, storage that
//! checks tokens.
//!
//! May use the model's vocabulary and `sim`. Will never know which clients there are, how a
//! store replicates, or what truly happened: a controller knows what it was told.
//!
//! # Decided
//! - An agent stands beside each database and is the only one that talks to it about roles, so
//!   that database, agent and controller can fail apart from each other.
//! - Without a lease the fencing token is the term. Both grow with each promotion, and one
//!   counter less can be wrong.
//! - Hello names the primary. That one word lets a primary fence itself, and resume when the
//!   controller says that nobody took its place.
//! - A step's duration is drawn by store, episode, step and attempt, never in order of use.

pub mod coordination;

use crate::model::consensus::ElectionParams;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Bandwidth, Bytes, Name, Share};
use controller::attempts::StepsParams;
use controller::fencing::NetworkFenceParams;
use controller::home::ReturnParams;
use controller::lag_guard::LagGuardParams;

pub mod agent;
pub mod controller;
pub mod council;
pub mod holder;
pub mod race;
pub mod stonith;
pub mod storage;

use council::CouncilParams;
use race::RaceParams;
use stonith::StonithParams;

crate::choices! {
    /// Who stops a primary whose lease has run out.
    pub enum EnforcedBy {
        /// The database itself, on each write and before each answer.
        Database = "database",
        /// The agent beside it, in its loop. A frozen agent enforces nothing.
        Agent = "agent",
        /// The host's hardware watchdog, which the agent winds up: it reboots the host.
        Watchdog = "watchdog",
        /// Nobody: the lease decides who may be promoted, and stops no one.
        Nobody = "nobody",
    }
}

crate::params! {
    /// A lease from a coordination service: a replicated group whose voters grant it by majority.
    pub struct LeaseParams {
        /// The regions (or zones) of the voters; a majority grants.
        voters: Vec<Name>, required;
        /// How long a lease lasts without renewal.
        ttl: Span = Span::from_secs(30), "Patroni: ttl";
        /// How often the holder renews.
        renew_interval: Span = Span::from_secs(10), "Patroni: loop_wait";
        /// How long the holder waits for an answer before it asks another voter.
        request_timeout: Span = Span::from_secs(2), "our choice";
        /// The holder stops this early; the service waits this long after the end.
        guard: Span = Span::from_millis(500), "our choice";
        /// Who stops a holder whose lease has run out.
        enforced_by: EnforcedBy = EnforcedBy::Database, "our choice";
        /// How often the agent looks, where it enforces.
        agent_loop: Span = Span::from_secs(1), "our choice";
        /// How long a host takes to come back after its watchdog rebooted it.
        reboot_time: DistSpec = DistSpec::Constant(Span::from_secs(60)), "our choice";
        /// How the voters elect their leader.
        election: ElectionParams = ElectionParams::default(), "see its own keys";
    }
}

crate::choices! {
    /// Who decides that a store fails over, and to whom.
    pub enum DecidedBy {
        /// One controller.
        Controller = "controller",
        /// Several controllers that must agree, and elect the one that acts (Redis Sentinel).
        Council = "council",
        /// Nobody apart: the agents race for the lease (Patroni).
        Race = "race",
    }
}

crate::choices! {
    /// What begins a failover.
    pub enum Trigger {
        /// The health check, once its quorum and hold time are met.
        Automatic = "automatic",
        /// The health check, and then a person who agrees after `operator_response`.
        Approval = "approval",
        /// A person, whom the health check alerts and who begins after `operator_response`.
        Manual = "manual",
        /// Nothing: the store waits for its primary.
        Never = "never",
    }
}

crate::choices! {
    /// How the old primary is told to stop.
    pub enum StopOrder {
        /// Until it has heard: one that cannot be reached gets the order as soon as it can be.
        UntilHeard = "until_heard",
        /// Once: one that cannot be reached never gets it, and returns as what it was.
        Once = "once",
    }
}

crate::choices! {
    /// A way of making an old primary harmless.
    pub enum Fencing {
        /// The primary stops itself, by its own monotonic clock, when it has not heard from the
        /// controller for `self_fence_after`; the controller waits as long.
        SelfStop = "self",
        /// Storage, or the standbys, refuse writes with an old token.
        Token = "token",
        /// A device switches the old primary's host off.
        Stonith = "stonith",
        /// Load balancers let nobody reach the old primary.
        Network = "network",
    }
}

crate::choices! {
    /// Whom the controller promotes.
    pub enum Candidate {
        /// The reachable standby with the longest durable history.
        MostAdvanced = "most_advanced",
        /// The first reachable one in the order of the file.
        FirstListed = "first_listed",
    }
}

crate::choices! {
    /// What becomes of a deposed primary that is reachable again.
    pub enum RejoinAs {
        /// It is rewound to the last entry it shares with its successor, and follows it.
        Standby = "standby",
        /// Its disk is emptied and filled again from its successor, which it then follows.
        Rebuilt = "rebuilt",
        /// Nothing is done to it.
        Zombie = "zombie",
    }
}

crate::choices! {
    /// Whether and how the primary returns to its first region.
    pub enum Failback {
        /// By hand, outside the time that is simulated.
        Manual = "manual",
        /// Not at all.
        Nothing = "none",
        /// As soon as the first primary is fit for it.
        Automatic = "automatic",
        /// When it is, in a window of time.
        Scheduled = "scheduled",
    }
}

crate::params! {
    /// Where the controller runs.
    pub struct ControllerParams {
        /// Its region (or zone).
        region: Name, required;
    }
}

crate::params! {
    /// What becomes of a deposed primary. Until it is reconfigured it goes on as it was: it
    /// takes writes, unless something fences it.
    pub struct RejoinParams {
        /// What it becomes.
        becomes: RejoinAs = RejoinAs::Standby, "pg_rewind";
        /// How long after contact with it is regained it is reconfigured.
        after: Span = Span::from_secs(10), "our choice";
        /// How long that takes. Meanwhile it answers nothing and cannot be promoted.
        resync: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// For `rebuilt`: how much is copied before it can follow, which adds its time to
        /// `resync`. Writes of the run come on top, by replication.
        data_size: Bytes = Bytes(100_000_000_000), "our choice";
        /// For `rebuilt`: how fast.
        rebuild_bandwidth: Bandwidth = Bandwidth(1_000_000_000), "our choice";
    }
}

crate::params! {
    /// Failover: a controller that detects, decides, and takes five steps: stop traffic, drain,
    /// fence, promote, route; several that elect the one that does so; or agents that race for the
    /// lease, promote and route.
    pub struct FailoverParams {
        /// Who decides.
        decided_by: DecidedBy = DecidedBy::Controller, "our choice";
        /// What begins a failover.
        trigger: Trigger = Trigger::Automatic, "our choice";
        /// Where the controller runs.
        controller: Option<ControllerParams> = None, "required where a controller decides";
        /// Who elects the one that acts, with `decided_by = "council"`.
        council: Option<CouncilParams> = None, "required where a council decides";
        /// How agents race for the lease, with `decided_by = "race"`.
        race: RaceParams = RaceParams::default(), "see its own keys";
        /// How long a person takes to agree with `trigger = "approval"`, or to notice an alert
        /// and begin with `trigger = "manual"`.
        operator_response: DistSpec = DistSpec::Constant(Span::from_secs(300)), "our choice";
        /// The share of alerts to which nobody ever responds.
        operator_never: Share = Share(0.0), "our choice";
        /// How long after a failover was declared no other is. An operator's order does not wait.
        cooldown: Span = Span::ZERO, "none; Orchestrator's RecoveryPeriodBlockSeconds is 3600 s";
        /// How the old primary is told to stop.
        stop_order: StopOrder = StopOrder::UntilHeard, "our choice";
        /// How long the controller waits while traffic to the old primary is stopped.
        stop_traffic: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// How long it gives work under way to end.
        drain: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// How long fencing takes, beside waiting for the lease or for self-fencing.
        fence: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// How long the new primary takes to be promoted.
        promotion: DistSpec = DistSpec::Constant(Span::from_secs(1)), "our choice";
        /// How long the change of routing takes before name servers and load balancers are told.
        route: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// How the old primary is made harmless.
        fencing: Vec<Fencing> = Vec::new(), "none";
        /// Where tokens are checked: a region, or `standbys`.
        token_storage: Name = Name::of("standbys"), "our choice";
        /// How its host is switched off, with `stonith`.
        stonith: StonithParams = StonithParams::default(), "see its own keys";
        /// How load balancers cut it off, with `network`.
        network_fence: NetworkFenceParams = NetworkFenceParams::default(), "see its own keys";
        /// How long a primary goes on without hearing from the controller, with `self` fencing.
        self_fence_after: Span = Span::from_secs(30), "pg_auto_failover: primary_demote_timeout";
        /// Whom the controller promotes.
        candidate: Candidate = Candidate::MostAdvanced, "pg_auto_failover";
        /// Steps that may fail, and are tried again.
        steps: StepsParams = StepsParams::default(), "see its own keys";
        /// Whether a candidate may be too far behind to be promoted.
        lag_guard: LagGuardParams = LagGuardParams::default(), "see its own keys";
        /// How often the controller contacts each agent.
        contact_interval: Span = Span::from_secs(1), "our choice";
        /// How long the controller waits for agents' answers before it chooses a candidate.
        status_timeout: Span = Span::from_secs(1), "our choice";
        /// Give the failover up when the old primary is healthy again before the new one holds
        /// the lease.
        abandon_if_healthy: bool = true, "our choice";
        /// What becomes of a deposed primary that is reachable again.
        rejoin: RejoinParams = RejoinParams::default(), "see its own keys";
        /// Whether and how the primary returns to its first region.
        failback: Failback = Failback::Manual, "our choice";
        /// How it does, with `automatic` and `scheduled`.
        returning: ReturnParams = ReturnParams::default(), "see its own keys";
    }
}

impl RejoinParams {
    /// How long a rebuild copies.
    pub fn copying(&self) -> Span {
        let bits = u128::from(self.data_size.0) * 8 * 1_000_000_000;
        let nanos = bits / u128::from(self.rebuild_bandwidth.0.max(1));
        Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
