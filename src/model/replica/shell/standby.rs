//! What faults do to a standby's parts, and what becomes of what it has not applied.

use super::*;
use crate::model::ctx::Part;
use crate::model::replica::Unapplied;

impl Replica {
    /// A part of it stops working, or works again.
    #[cold]
    pub(super) fn on_stall(&mut self, part: Part, yes: bool, ctx: &mut Ctx<'_>) {
        match part {
            Part::Applier => self.follower.stall_applier(yes, ctx),
            Part::Receiver => {
                let Some((from, unread)) = self.follower.stall_receiver(yes) else { return };
                for peer in unread {
                    self.on_peer(from, peer, ctx);
                }
            }
        }
    }

    /// Something happened to it as a standby that its mode may have to do with.
    #[inline]
    pub(super) fn stand(&mut self, what: AsStandby, ctx: &mut Ctx<'_>) {
        if self.core.role == Role::Standby && !self.recovering && self.resync.is_none() {
            self.mode.as_standby(what, &mut self.follower, &mut self.core, ctx);
        }
    }

    /// A promotion that does not wait for the applier: what is not applied is cut off.
    pub(super) fn discard_unapplied(&mut self, ctx: &mut Ctx<'_>) {
        if self.spec.unapplied == Unapplied::Discard {
            let applied = self.follower.discard(&self.core, ctx);
            if applied < self.core.log.end().index {
                self.core.truncate(applied, ctx);
            }
        }
    }
}
