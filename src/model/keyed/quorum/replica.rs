//! What a replica does for coordinators: takes versions in, says what it has, writes to disk.

use super::*;
use crate::model::ctx::Effect;
use crate::model::id::{OpId, Position};
use crate::model::keyed::latency::Leg;

impl<M: Merge> Node<M> {
    /// A version arrives.
    #[inline]
    pub(super) fn write(
        &mut self,
        from: ProcessId,
        round: u32,
        key: u32,
        attempt: u8,
        version: Version,
        ctx: &mut Ctx<'_>,
    ) {
        self.take_in(key, version, ctx);
        match self.seat.params.commit {
            Commit::Periodic => self.confirm(from, round, attempt, version, ctx),
            Commit::Batch => {
                self.waiting.push((from, round, attempt, version));
                self.sync(ctx);
            }
        }
    }

    /// A version becomes part of what this replica has.
    #[inline]
    pub(super) fn take_in(&mut self, key: u32, version: Version, ctx: &mut Ctx<'_>) {
        if self.values.merge(key, version) {
            ctx.effect(Effect::Install { group: self.seat.group, key, version });
        }
        if self.seat.params.commit == Commit::Periodic && !self.commit_due {
            self.commit_due = true;
            ctx.set_timer(Timer::of(COMMIT), self.seat.params.commit_interval);
        }
    }

    /// Tells a coordinator, perhaps itself, that a version is in.
    #[inline]
    fn confirm(
        &mut self,
        to: ProcessId,
        round: u32,
        attempt: u8,
        version: Version,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(own) = self.seat.own else { return };
        if to == ctx.me() {
            return self.acked(round, own, ctx);
        }
        let class = self.seat.latency.class(Leg::Ack, version.op, attempt, own);
        let msg = Msg::Keyed(self.seat.group, KeyedMsg::Ack { round });
        ctx.effect(Effect::Send { to, bytes: SMALL, msg, class });
    }

    /// A coordinator asks what is there.
    #[inline]
    pub(super) fn read(
        &mut self,
        from: ProcessId,
        round: u32,
        key: u32,
        attempt: u8,
        op: OpId,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(own) = self.seat.own else { return };
        let version = self.values.value(key);
        let class = self.seat.latency.class(Leg::Response, op, attempt, own);
        let msg = Msg::Keyed(self.seat.group, KeyedMsg::Response { round, version });
        ctx.effect(Effect::Send { to: from, bytes: self.seat.read_bytes, msg, class });
    }

    /// The interval is over.
    pub(super) fn commit(&mut self, ctx: &mut Ctx<'_>) {
        self.commit_due = false;
        self.sync(ctx);
    }

    /// Begins a write to disk of all that waits for one, unless one is under way.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.syncing || (!self.values.is_dirty() && self.waiting.is_empty()) {
            return;
        }
        self.syncing = true;
        self.values.flush_begins();
        self.satisfied = self.waiting.len();
        ctx.effect(Effect::Sync { group: self.seat.group, upto: Position::default() });
    }

    /// It is on disk.
    pub(super) fn durable(&mut self, ctx: &mut Ctx<'_>) {
        self.syncing = false;
        self.values.flush_ends();
        let satisfied = std::mem::take(&mut self.satisfied);
        let confirmed: Vec<_> = self.waiting.drain(..satisfied).collect();
        for (to, round, attempt, version) in confirmed {
            self.confirm(to, round, attempt, version, ctx);
        }
        if self.seat.params.commit == Commit::Batch {
            self.sync(ctx);
        }
    }
}
