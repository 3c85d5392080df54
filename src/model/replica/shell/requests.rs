//! Requests of clients: admitted, refused, recognised, appended.

use super::*;

impl Replica {
    pub(super) fn on_request(&mut self, from: ProcessId, request: ClientMsg, ctx: &mut Ctx<'_>) {
        let ClientMsg::Request { op, kind, attempt, .. } = request else { return };
        if self.takes_no(kind) || !self.serves(ctx.now()) || self.errs(op, kind, attempt) {
            self.fail(from, op, attempt, ctx);
        } else if self.server.is_some() {
            self.enqueue(Work::Request { from, request }, ctx);
        } else {
            self.carry_out(from, &request, ctx);
        }
    }

    /// True when a fault makes it fail that attempt.
    #[inline]
    fn errs(&self, op: OpId, kind: OpKind, attempt: u8) -> bool {
        self.errors.as_ref().is_some_and(|errors| errors.fail(op, kind, attempt))
    }

    /// True while it refuses such an operation, were it the primary: reads never.
    #[inline]
    pub(super) fn takes_no(&self, kind: OpKind) -> bool {
        kind == OpKind::Write && !self.core.refusals.none()
    }

    /// Does what it asks: a write is appended and waits for its turn, a read is answered.
    #[inline]
    pub(super) fn carry_out(&mut self, from: ProcessId, request: &ClientMsg, ctx: &mut Ctx<'_>) {
        let ClientMsg::Request { op, kind, attempt, idempotent, answer_bytes, .. } = *request
        else {
            return;
        };
        if kind == OpKind::Read {
            let at = self.core.log.end();
            return self.answer(from, op, attempt, Outcome::Ok, at, answer_bytes, ctx);
        }
        // Also a first attempt may come second: its transport goes on trying.
        if idempotent && self.spec.idempotent {
            match ctx.appended(op) {
                Appended::Forgotten => return,
                Appended::Never => {}
                Appended::At(places) => {
                    let known = places.iter().find(|at| self.core.log.contains(**at)).copied();
                    if let Some(at) = known {
                        return self
                            .wait(Pending { index: at.index, op, client: from, attempt }, ctx);
                    }
                }
            }
        }
        let at = self.core.log.append();
        ctx.effect(Effect::Append { group: self.core.group, op, at });
        self.pending.push_back(Pending { index: at.index, op, client: from, attempt });
        self.begin_sync(ctx);
        self.mode.on_append(&mut self.core, ctx);
        self.progress(ctx);
    }

    /// A write that is in the log already waits for (or has) its turn.
    fn wait(&mut self, pending: Pending, ctx: &mut Ctx<'_>) {
        let place = self.pending.partition_point(|other| other.index <= pending.index);
        self.pending.insert(place, pending);
        self.progress(ctx);
    }

    /// It definitely did not happen.
    pub(super) fn fail(&self, to: ProcessId, op: OpId, attempt: u8, ctx: &mut Ctx<'_>) {
        self.answer(to, op, attempt, Outcome::Fail, Position::default(), 100, ctx);
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn answer(
        &self,
        to: ProcessId,
        op: OpId,
        attempt: u8,
        outcome: Outcome,
        at: Position,
        bytes: u32,
        ctx: &mut Ctx<'_>,
    ) {
        let group = self.core.group;
        ctx.effect(Effect::Answer { to, group, op, attempt, outcome, at, bytes });
    }
}
