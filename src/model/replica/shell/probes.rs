//! Health checks from the database's side: what it says of itself, and the test row.

use super::*;
use crate::model::detect::{Asks, CheckRole};
use crate::model::id::ClientId;

/// Whose "operation" a test row is: no client's.
const TEST_ROW: ClientId = ClientId(u16::MAX);

impl Replica {
    /// A probe: answered at once, or once its test row counts as written. Who recovers, or loses
    /// its right while the row is under way, says nothing.
    #[cold]
    pub(super) fn on_probe(&mut self, from: ProcessId, seq: u32, asks: Asks, ctx: &mut Ctx<'_>) {
        if self.recovering || self.resync.is_some() {
            return;
        }
        let waiting = self.pending.len() + self.server.as_ref().map_or(0, |s| s.waiting());
        let writes = !self.has_nothing_to_write();
        let well = !self.errors.as_ref().is_some_and(|e| e.fail_probe(from, seq, asks, writes))
            && self.has_role(asks.role, ctx.now())
            && waiting as u64 <= u64::from(asks.max_backlog)
            && self.keeps_up(asks.max_lag, ctx)
            && (!asks.write || !writes || self.admits(ctx.now()));
        if well && asks.app && self.server.is_some() {
            self.enqueue(Work::Probe { from, seq, write: asks.write }, ctx);
        } else {
            self.end_probe(from, seq, well, asks.write, ctx);
        }
    }

    fn has_nothing_to_write(&self) -> bool {
        self.core.role == Role::Standby
    }

    /// What could be said at once was well, or not, and the application has answered.
    pub(super) fn end_probe(
        &mut self,
        from: ProcessId,
        seq: u32,
        well: bool,
        write: bool,
        ctx: &mut Ctx<'_>,
    ) {
        let write = write && !self.has_nothing_to_write();
        if well && write && self.admits(ctx.now()) {
            self.write_test_row(from, seq, ctx);
        } else {
            tell(from, seq, well && !write, ctx);
        }
    }

    fn has_role(&self, role: CheckRole, now: LocalTime) -> bool {
        match role {
            CheckRole::Any => true,
            CheckRole::Primary => self.may_answer(now),
            CheckRole::Standby => self.core.role == Role::Standby && self.promoting.is_none(),
        }
    }

    /// True when it is not further behind its primary than that.
    fn keeps_up(&mut self, max_lag: Span, ctx: &mut Ctx<'_>) -> bool {
        if max_lag == Span::MAX || self.core.role == Role::Primary {
            return true;
        }
        let Some(primary) = self.follower.primary() else { return false };
        let applied = self.follower.applied(&self.core);
        let behind = self.lag.behind(applied, ctx.now());
        self.lag.ask(primary, &self.core, ctx);
        behind <= max_lag
    }

    /// One row that no client wrote goes the way of every write. Judges see it as an entry of
    /// nobody: it can neither be lost nor saved.
    fn write_test_row(&mut self, from: ProcessId, seq: u32, ctx: &mut Ctx<'_>) {
        let index = self.core.log.append().index;
        let op = OpId::new(TEST_ROW, seq.into());
        self.pending.push_back(Pending { index, op, client: from, attempt: 0 });
        self.begin_sync(ctx);
        self.mode.on_append(&mut self.core, ctx);
        self.progress(ctx);
    }

    /// A standby asks how far this primary's disk is.
    pub(super) fn on_how_far(&self, from: ProcessId, term: Term, seq: u32, ctx: &mut Ctx<'_>) {
        if self.core.role == Role::Primary && term == self.core.term {
            let end = self.core.log.durable().index;
            ctx.cast(from, Msg::Peer(self.core.group, Peer::ThusFar { term, seq, end }));
        }
    }
    /// The primary says so.
    pub(super) fn on_thus_far(&mut self, term: Term, seq: u32, end: LogIndex) {
        if self.core.role == Role::Standby && term == self.core.term {
            self.lag.told(seq, end);
        }
    }
}

/// True when what is done was a test row.
#[inline]
pub(super) fn is_test_row(done: &Pending) -> bool {
    done.op.client() == TEST_ROW
}

/// The test row is written: the probe is answered.
#[cold]
pub(super) fn answer_test_row(done: &Pending, ctx: &mut Ctx<'_>) {
    tell(done.client, done.op.seq() as u32, true, ctx);
}

pub(super) fn tell(whom: ProcessId, seq: u32, well: bool, ctx: &mut Ctx<'_>) {
    let probe = if well { ProbeMsg::Alive { seq } } else { ProbeMsg::Unwell { seq } };
    ctx.cast(whom, Msg::Probe(probe));
}
