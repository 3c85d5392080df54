//! Health checks: who says that a node is unhealthy, and when.
//!
//! May use the model's vocabulary and `sim`. Will never know why a probe failed: a crash, a cut
//! and a pause look alike from here, but for the refusal that a live host gives.
//!
//! # Decided
//! - A probe is a connection attempt: one datagram there, one back, no retransmission.
//! - Checkers judge nodes, not stores; how many must agree is the controller's business.

use crate::sim::Span;
use crate::sim::param::Name;

pub mod checker;

crate::params! {
    /// A health check: checkers in regions, not phase-aligned, and how many of them must agree.
    pub struct HealthCheckParams {
        /// The regions (or zones) the checkers stand in.
        checkers: Vec<Name>, required;
        /// How many must say unhealthy; a majority where left out.
        unhealthy_quorum: Option<u32> = None, "a majority";
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
        /// How long the quorum must last before the controller acts.
        hold: Span = Span::ZERO, "our choice";
    }
}
