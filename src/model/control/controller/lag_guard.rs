//! The guard that keeps a candidate from being promoted that is too far behind.
//!
//! The old primary may be dead: how far it was is what its agent last answered, so that what it
//! wrote since is not counted. (Patroni bounds the loss by `maximum_lag_on_failover` and what was
//! written since the leader last published its position; the same holds here, with
//! `contact_interval` in place of `loop_wait`.)

use super::Hand;
use super::hunt::Fence;
use super::store::Store;
use crate::model::ctx::Ctx;
use crate::model::fact::Claim;
use crate::sim::Span;
use crate::sim::param::Bytes;

crate::choices! {
    /// What is done while every candidate is too far behind.
    pub enum TooFar {
        /// Nothing, for as long as it takes.
        Wait = "wait",
        /// After `patience` the failover is given up.
        Refuse = "refuse",
        /// After `patience` the best of them is promoted all the same.
        Promote = "promote",
    }
}

crate::params! {
    /// A candidate that is too far behind is not promoted.
    pub struct LagGuardParams {
        /// How far it may be behind the primary's last known position; everything where left out.
        /// Patroni and Stolon: 1 MiB; pg_auto_failover: 16 MiB.
        max: Option<Bytes> = None, "no guard";
        /// What is done while every candidate is further behind.
        too_far: TooFar = TooFar::Wait, "Patroni: nobody stands";
        /// For how long at most, unless it is for as long as it takes.
        patience: Span = Span::ZERO, "our choice";
    }
}

impl Store {
    /// How many entries a replica lacks of what the old primary was last known to have.
    pub(super) fn lag(&self, who: usize) -> u64 {
        let durable = |who: usize| self.replicas[who].report.map_or(0, |r| r.durable.index.0);
        durable(self.primary).saturating_sub(durable(who))
    }
    /// True when the guard lets a replica be promoted.
    pub(super) fn near_enough(&self, who: usize, h: &Hand<'_>) -> bool {
        let Some(max) = h.plan.failover.lag_guard.max else { return true };
        self.lag(who).saturating_mul(u64::from(self.plan.entry_bytes)) <= max.0
    }
    /// The best candidate is too far behind. True when it is to be promoted all the same; the
    /// failover may have been given up.
    pub(super) fn overlook_lag(
        &mut self,
        best: usize,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let lag = self.lag(best);
        let node = self.replicas[best].seat.node;
        let Some(Fence { lagging, .. }) = self.fence_stage() else { return false };
        let since = *lagging.get_or_insert_with(|| {
            ctx.claim(Claim::TooFar(node, u32::try_from(lag).unwrap_or(u32::MAX)));
            ctx.now()
        });
        let guard = &h.plan.failover.lag_guard;
        let over = ctx.now().since(since) >= guard.patience;
        match guard.too_far {
            TooFar::Wait => false,
            TooFar::Promote => over,
            TooFar::Refuse => {
                if over {
                    self.give_up(h, ctx);
                }
                false
            }
        }
    }
}
