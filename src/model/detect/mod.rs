//! Health checks: who says that a node is unhealthy, and when.
//!
//! May use the model's vocabulary and `sim`. Will never know why a probe failed: a crash, a cut
//! and a pause look alike from here, but for the refusal that a live host gives.
//!
//! # Decided
//! - A probe is one datagram there and one back, no retransmission: a connection attempt, or a
//!   request to a health endpoint that looks deeper. It carries what is asked.
//! - Checkers judge nodes, not stores; how many must agree is the controller's business.

use crate::sim::Span;
use crate::sim::param::{Name, Share};

pub mod asks;
pub mod checker;
pub mod prober;

pub use asks::{Asks, Check, CheckRole};
pub use prober::{Prober, Rhythm, Sampling};

crate::params! {
    /// A health check: checkers in regions, not phase-aligned, and how many of them must agree.
    pub struct HealthCheckParams {
        /// The regions (or zones) the checkers stand in.
        checkers: Vec<Name>, required;
        /// How many must say unhealthy; a majority where left out.
        unhealthy_quorum: Option<u32> = None, "a majority";
        /// Instead of a number: which share of them must say unhealthy.
        unhealthy_share: Option<Share> = None, "a majority";
        /// From one probe of a checker to the next.
        request_interval: Span = Span::from_secs(30), "Route 53 standard";
        /// How long a checker waits for an answer.
        timeout: Span = Span::from_secs(4), "Route 53: TCP connect";
        /// So many failures in a row make a checker say unhealthy.
        failure_threshold: u32 = 3, "Route 53";
        /// So many successes in a row make it say healthy again.
        recovery_threshold: u32 = 3, "Route 53";
        /// The interval while a checker is changing its mind; the same where left out.
        fast_interval: Option<Span> = None, "the same as request_interval";
        /// Instead of results in a row: of the last `size` probes so many must have succeeded.
        sampling: Option<Sampling> = None, "results in a row";
        /// How long the quorum must last before the controller acts.
        hold: Span = Span::ZERO, "our choice";
        /// What a probe looks at; all must be well. `connect`: its process answers. `app`: it
        /// serves the probe as it serves a read. `write`: a primary can write a test row. `lag`: a standby is not further behind than `max_lag`.
        /// `backlog`: at most `max_backlog` requests queue, or wait for disk and standbys.
        checks: Vec<Check> = vec![Check::Connect], "a shallow check, Route 53 TCP";
        /// The role that a node must have to be healthy.
        role: CheckRole = CheckRole::Any, "our choice";
        /// For `lag`: the most that a standby may be behind.
        max_lag: Span = Span::from_secs(10), "Orchestrator ReasonableReplicationLagSeconds";
        /// For `backlog`: the most requests that may wait.
        max_backlog: u32 = 100, "our choice: PostgreSQL's default max_connections";
    }
}

impl HealthCheckParams {
    /// How often it probes, and when it changes its mind.
    pub fn rhythm(&self) -> Rhythm {
        Rhythm {
            interval: self.request_interval,
            fast: self.fast_interval.unwrap_or(self.request_interval),
            timeout: self.timeout,
            fall: self.failure_threshold,
            rise: self.recovery_threshold,
            sampling: self.sampling,
        }
    }
    /// What its probes ask.
    pub fn asks(&self) -> Asks {
        Asks::new(&self.checks, self.role, self.max_lag, self.max_backlog)
    }
}
