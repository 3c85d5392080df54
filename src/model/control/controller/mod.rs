//! The failover controller.

use crate::model::control::FailoverParams;
use crate::model::ctx::{Ctx, Input, Machine};
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::sim::Span;
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
    /// The dice of the trial.
    pub streams: Streams,
    /// Names the controller's own dice.
    pub label: Label,
}

/// The failover controller.
#[derive(Clone, Debug)]
pub struct Controller {
    plan: ControllerPlan,
}

impl Controller {
    /// A controller as planned. At the start the initial primaries hold term 1; without a lease
    /// their token is 1 too.
    pub fn new(plan: ControllerPlan) -> Controller {
        Controller { plan }
    }
}

impl Machine for Controller {
    fn step(&mut self, _input: Input, _ctx: &mut Ctx<'_>) {
        let _ = self.plan.hold;
    }
    fn crash(&mut self, _disk_kept: bool) {}
}
