//! What an operator orders: a planned switch, or a forced one.

use super::home::Switch;
use super::{APPROVE, COOLED, Controller, HOLD, Phase, hand};
use crate::model::ctx::{Ctx, Timer};
use crate::model::order::Order;

impl Controller {
    /// Takes an order, unless it fails over already, another has to elect it first, or the one
    /// named is nobody or leads.
    #[cold]
    pub(super) fn on_order(&mut self, order: Order, ctx: &mut Ctx<'_>) {
        let Order::Switch { group, to, whole, patience } = order else { return };
        let busy = matches!(self.phase, Phase::Acting | Phase::Standing);
        let which = self.stores.iter().position(|store| store.plan.group == group);
        let Some(which) = which.filter(|_| !busy && self.plan.elected.is_none()) else { return };
        let store = &self.stores[which];
        let seat = |node| store.replicas.iter().position(|replica| replica.seat.node == node);
        let to = match to {
            None => None,
            Some(node) => match seat(node).filter(|who| *who != store.primary) {
                None => return,
                found => found,
            },
        };
        for timer in [HOLD, COOLED, APPROVE] {
            ctx.cancel_timer(Timer::of(timer));
        }
        self.switch_over(which, Switch { to, whole, patience }, ctx);
    }
    /// A primary that a planned switch waits for fails: the switch is given up, and a failover
    /// may begin.
    pub(super) fn drop_vain_switches(&mut self, ctx: &mut Ctx<'_>) {
        for store in &mut self.stores {
            let sick = self.opinions.unhealthy(store.primary_node());
            if sick && store.waits_for_all() && store.is_early() {
                store.abandon(&mut hand!(self), ctx);
            }
        }
    }
}
