//! Orders and the control plane: while it is gone, they wait.

use crate::model::fact::Observer;
use crate::model::id::{FencingToken, ProcessId};
use crate::model::msg::{ControlMsg, LeaseMsg, Msg};
use crate::world::fault::control_plane::Stops;
use crate::world::run::World;

/// The control plane.
#[derive(Default)]
pub(super) struct ControlPlane {
    /// Who stops what.
    stopped_by: Vec<(u32, Stops)>,
    /// Orders that wait, in the order they were given.
    waiting: Vec<Order>,
}

/// An order that waits.
struct Order {
    from: ProcessId,
    to: ProcessId,
    /// Whoever gave it must still live.
    incarnation: u32,
    msg: Msg,
    bytes: u32,
}

impl ControlPlane {
    /// True while a fault acts on it.
    #[inline]
    pub(super) fn is_down(&self) -> bool {
        !self.stopped_by.is_empty()
    }
    /// True for what does not get through.
    pub(super) fn stops(&self, msg: &Msg) -> bool {
        let kind = match msg {
            Msg::Control(_, ControlMsg::Route { .. }) => Stops::Routing,
            Msg::Control(
                _,
                ControlMsg::StopTraffic { .. }
                | ControlMsg::Resume { .. }
                | ControlMsg::Take { .. }
                | ControlMsg::Abandon { .. }
                | ControlMsg::Promote { .. }
                | ControlMsg::Follow { .. },
            ) => Stops::Promotion,
            // Whoever held it last shows its token; who asks for the first time shows none.
            Msg::Lease(_, LeaseMsg::Acquire { token: FencingToken(0), .. }) => Stops::Promotion,
            _ => return false,
        };
        self.stopped_by.iter().any(|(_, stops)| *stops == kind)
    }
}

impl<O: Observer> World<'_, O> {
    pub(super) fn stop_orders(&mut self, owner: u32, stops: Stops) {
        self.plane.stopped_by.push((owner, stops));
    }

    /// Takes back what one fault stops: what waited for it is sent, unless another stops it too.
    pub(super) fn let_orders_pass(&mut self, owner: u32, stops: Stops) {
        self.plane.stopped_by.retain(|other| *other != (owner, stops));
        for order in std::mem::take(&mut self.plane.waiting) {
            if self.plane.stops(&order.msg) {
                self.plane.waiting.push(order);
            } else if self.slots[order.from.index()].incarnation == order.incarnation {
                self.send_stream(order.from, order.to, order.msg, order.bytes);
            }
        }
    }

    /// Keeps an order that does not get through.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_order(&mut self, from: ProcessId, to: ProcessId, msg: &Msg, bytes: u32) {
        let incarnation = self.slots[from.index()].incarnation;
        self.plane.waiting.push(Order { from, to, incarnation, msg: *msg, bytes });
    }
}
