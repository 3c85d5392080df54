//! stub
use crate::model::control::LeaseParams;
use crate::model::ctx::{Ctx, Input, Machine};
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::sim::Span;
use crate::sim::rng::Stream;

/// What an agent is told when it is made.
#[derive(Clone, Debug)]
pub struct AgentPlan {
    /// The store.
    pub group: GroupId,
    /// Its node.
    pub node: NodeId,
    /// The database beside it.
    pub database: ProcessId,
    /// The lease and the processes of its voters, where the store has one.
    pub lease: Option<(LeaseParams, Vec<ProcessId>)>,
    /// With `self` fencing: how long its database stays primary without hearing from the
    /// controller that it is.
    pub self_fence_after: Option<Span>,
    /// For its phases: the enforcing loop and the renewals.
    pub dice: Stream,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    plan: AgentPlan,
}

impl Agent {
    /// An agent as planned. It asks its database what it is when it starts.
    pub fn new(plan: AgentPlan) -> Agent {
        Agent { plan }
    }
}

impl Machine for Agent {
    fn step(&mut self, _input: Input, _ctx: &mut Ctx<'_>) {
        let _ = self.plan.node;
    }
    fn crash(&mut self, _disk_kept: bool) {}
}
