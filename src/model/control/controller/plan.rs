//! What a controller is told when it is made.

use super::Elected;
use crate::model::control::FailoverParams;
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::rng::{Label, Streams};

/// One replica of a store, as the controller knows it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seat {
    /// Its node, which the checkers judge.
    pub node: NodeId,
    /// The agent there.
    pub agent: ProcessId,
    /// The database there.
    pub database: ProcessId,
}

/// One store under a controller.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// The store.
    pub group: GroupId,
    /// Names its dice; made of the store's name.
    pub label: Label,
    /// Its replicas, in order of preference.
    pub seats: Vec<Seat>,
    /// Which of them is the first primary.
    pub primary: usize,
    /// True when a lease decides who may be primary.
    pub leased: bool,
    /// Who is told where clients belong: name servers, edges of a load balancer.
    pub routers: Vec<ProcessId>,
    /// Bytes of one entry of its history.
    pub entry_bytes: u32,
    /// The device that switches off each replica's host, in the order of `seats`; none without
    /// STONITH.
    pub devices: Vec<ProcessId>,
}

/// What a controller is told when it is made.
#[derive(Clone, Debug)]
pub struct ControllerPlan {
    /// How it fails over.
    pub failover: FailoverParams,
    /// How many checkers must say unhealthy.
    pub quorum: u16,
    /// How many checkers there are.
    pub checkers: u16,
    /// How long the quorum must last.
    pub hold: Span,
    /// With `self` fencing: how long it waits after it last said that the old primary is
    /// primary; `self_fence_after` and a guard for delay and drift.
    pub self_fence_wait: Span,
    /// Stores that fail over together.
    pub stores: Vec<StorePlan>,
    /// Where others must elect it before it acts.
    pub elected: Option<Elected>,
    /// The dice of the trial.
    pub streams: Streams,
    /// Names the controller's own dice.
    pub label: Label,
}

impl ControllerPlan {
    /// How long a step takes: by who takes it, episode, step and attempt alone.
    pub(super) fn draw(
        &self,
        who: Label,
        episode: u32,
        step: &str,
        attempt: u32,
        spec: &DistSpec,
    ) -> Span {
        let label = who.with_index(u64::from(episode)).with(step).with_index(u64::from(attempt));
        Dist::new(spec).sample(&mut self.streams.stream(label))
    }
}
