//! Databases that a load balancer lets nobody reach, because the controller said so: fencing at
//! the network.

use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{GroupId, ProcessId};
use crate::model::msg::{FenceMsg, Msg};
use crate::model::route::{FIRST_TIMER, Moves};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::rng::{Label, Streams};

/// An order has propagated; the argument is its number.
pub(super) const BLOCK: u16 = FIRST_TIMER + 9;

/// Who may not be reached, and orders about that on their way.
pub(super) struct Blocked {
    group: GroupId,
    /// Each since an order that knew of this version of the route.
    targets: Vec<(ProcessId, u32)>,
    pending: Vec<(u32, ProcessId, FenceMsg)>,
    orders: u32,
    propagation: Dist,
    streams: Streams,
    label: Label,
}

impl Blocked {
    /// Nobody, at first.
    pub(super) fn new(
        group: GroupId,
        propagation: &DistSpec,
        streams: &Streams,
        label: Label,
    ) -> Blocked {
        let (targets, pending) = (Vec::new(), Vec::new());
        let (propagation, streams) = (Dist::new(propagation), streams.clone());
        Blocked { group, targets, pending, orders: 0, propagation, streams, label }
    }
    /// True when nobody may reach that database.
    #[inline]
    pub(super) fn bars(&self, database: ProcessId) -> bool {
        !self.targets.is_empty() && self.targets.iter().any(|(target, _)| *target == database)
    }
    /// An order, which is followed when it has propagated.
    #[cold]
    pub(super) fn hear(&mut self, from: ProcessId, msg: FenceMsg, ctx: &mut Ctx<'_>) {
        self.orders = self.orders.wrapping_add(1);
        let label = self.label.with_index(u64::from(self.orders));
        let delay = self.propagation.sample(&mut self.streams.stream(label));
        self.pending.push((self.orders, from, msg));
        ctx.set_timer(Timer::nth(BLOCK, self.orders), delay);
    }
    /// It has. `version` is that of the route, and `current` where it leads.
    pub(super) fn apply(
        &mut self,
        order: u32,
        (current, newest): (ProcessId, u32),
        moves: &mut Moves,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(i) = self.pending.iter().position(|(number, ..)| *number == order) else { return };
        let (_, from, msg) = self.pending.swap_remove(i);
        match msg {
            FenceMsg::Block { target, version } => {
                // One that was named again since is no old primary any more.
                if current != target || newest <= version {
                    self.targets.push((target, version));
                    moves.cut.push(target);
                }
                ctx.send(from, Msg::Fence(self.group, FenceMsg::Blocked { target }), 100);
            }
            FenceMsg::Admit { target } => self.targets.retain(|(other, _)| *other != target),
            _ => {}
        }
    }
    /// The route leads there by an order of that version.
    pub(super) fn routed(&mut self, target: ProcessId, version: u32) {
        self.targets.retain(|(other, known)| *other != target || *known >= version);
    }
}
