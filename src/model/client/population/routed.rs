//! A population and its router: what the router is told, and what it makes of attempts.

use super::*;

impl Population {
    /// Something for the router, and what it makes of it: attempts that it releases are sent,
    /// those on connections that it cuts end.
    #[cold]
    pub(super) fn tell_router(
        &mut self,
        ctx: &mut Ctx<'_>,
        tell: impl FnOnce(&mut Router, &Window, &mut Moves, &mut Ctx<'_>),
    ) {
        let mut moves = std::mem::take(&mut self.moves);
        tell(&mut self.router, &self.window, &mut moves, ctx);
        for (Waiting { seq, attempt, .. }, target) in moves.release.drain(..) {
            if self.window.attempt(seq, attempt, State::Waiting).is_some() {
                self.send(seq, target, ctx);
            }
        }
        for database in moves.cut.drain(..) {
            self.lose(database, ctx);
        }
        self.moves = moves;
    }
    /// A timer of the router's.
    pub(super) fn router_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        self.tell_router(ctx, |router, window, moves, ctx| {
            let waits = |waiting: Waiting| {
                let op = window.get(waiting.seq);
                op.is_some_and(|op| op.attempt == waiting.attempt && op.state == State::Waiting)
            };
            router.timer(timer, &waits, moves, ctx);
        });
    }
    /// The one that was asked says who leads: the same attempt goes on there.
    #[cold]
    pub(super) fn redirected(&mut self, from: ProcessId, msg: &Msg, ctx: &mut Ctx<'_>) {
        let Msg::Client(ClientMsg::Redirect { op, attempt, to }) = *msg else { return };
        let seq = op.seq();
        let asked =
            self.window.attempt(seq, attempt, State::Sent).is_some_and(|op| op.target == from);
        if asked {
            self.tell_router(ctx, |router, _, moves, ctx| router.hear(from, msg, moves, ctx));
            self.send(seq, to, ctx);
        }
    }
    /// A process died, and the connections to it broke.
    pub(super) fn reset(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        self.lose(by, ctx);
        self.tell_router(ctx, |router, _, moves, ctx| router.reset(by, moves, ctx));
    }
    /// Something was refused: its receiver's process does not run.
    pub(super) fn refused(&mut self, by: ProcessId, msg: &Msg, ctx: &mut Ctx<'_>) {
        if let Msg::Client(ClientMsg::Request { op, attempt, .. }) = msg {
            if self.window.attempt(op.seq(), *attempt, State::Sent).is_some() {
                self.end_attempt(op.seq(), true, None, ctx);
            }
        } else {
            self.tell_router(ctx, |router, _, moves, ctx| router.refused(by, msg, moves, ctx));
        }
    }
    /// A connection broke: what was under way there may or may not have been done.
    fn lose(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        for seq in self.window.range() {
            let op = self.window.get(seq);
            if op.is_some_and(|op| op.state == State::Sent && op.target == by) {
                self.end_attempt(seq, false, None, ctx);
            }
        }
    }
}
