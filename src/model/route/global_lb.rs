//! A global load balancer: an edge near each population that follows the controller's orders.

use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::id::{ClientId, GroupId, NodeId, ProcessId};
use crate::model::msg::{ControlMsg, Msg};
use crate::model::route::blocked::{BLOCK, Blocked};
use crate::model::route::drain::{DRAINED, Drain};
use crate::model::route::rollout::Rollout;
use crate::model::route::{FIRST_TIMER, Moves, Place, Routed, Routes, Waiting};
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use std::sync::Arc;

crate::params! {
    /// A global load balancer: an edge near each population, told by the controller.
    pub struct GlobalLbParams {
        /// From the controller's order until an edge that has it follows it.
        propagation: DistSpec = DistSpec::Constant(Span::from_secs(3)), "our choice";
        /// How long connections to the node that clients were sent to before may live; then they are cut.
        drain: Option<Span> = None, "they live until they break";
    }
}

/// An order has propagated; the argument is its version.
const APPLY: u16 = FIRST_TIMER;

/// The edge of one population.
pub struct GlobalLb {
    client: ClientId,
    group: GroupId,
    homes: Arc<[NodeId]>,
    record: Rollout,
    drain: Drain,
    blocked: Blocked,
}

impl GlobalLb {
    /// An edge that sends everybody to the initial primary.
    pub fn new(params: &GlobalLbParams, place: &Place<'_>) -> GlobalLb {
        let label = place.label().with("propagation");
        GlobalLb {
            client: place.client,
            group: place.group,
            homes: Arc::clone(place.homes),
            record: Rollout::new(place.initial, &params.propagation, place.streams, label),
            drain: Drain::new(params.drain),
            blocked: Blocked::new(
                place.group,
                &params.propagation,
                place.streams,
                place.label().with("block"),
            ),
        }
    }
}

impl Routes for GlobalLb {
    #[inline]
    fn route(&mut self, _resolver: u32, _attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        let target = self.record.target();
        if self.blocked.bars(target) { Routed::Nowhere } else { Routed::To(target) }
    }
    fn hear(&mut self, from: ProcessId, msg: &Msg, _moves: &mut Moves, ctx: &mut Ctx<'_>) {
        if let &Msg::Fence(_, order) = msg {
            return self.blocked.hear(from, order, ctx);
        }
        let &Msg::Control(group, ControlMsg::Route { target, version }) = msg else { return };
        if group == self.group
            && let Some(delay) = self.record.order(version, target)
        {
            ctx.set_timer(Timer::nth(APPLY, version), delay);
        }
    }
    fn timer(
        &mut self,
        timer: Timer,
        _waits: &dyn Fn(Waiting) -> bool,
        moves: &mut Moves,
        ctx: &mut Ctx<'_>,
    ) {
        if timer.kind == DRAINED {
            return self.drain.timer(timer, moves);
        }
        let before = self.record.target();
        if timer.kind == BLOCK {
            return self.blocked.apply(timer.arg, (before, self.record.version()), moves, ctx);
        }
        self.record.apply(timer.arg);
        let target = self.record.target();
        self.blocked.routed(target, self.record.version());
        if target != before {
            let node = self.homes[target.index()];
            ctx.effect(Effect::Route { client: self.client, resolver: 0, group: self.group, node });
            self.drain.moved(Some(before), Some(target), ctx);
        }
    }
}
