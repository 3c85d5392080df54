//! What a member must not forget: its term, its vote and its log. One write is under way at a
//! time and carries everything since the last (group commit).

use super::Member;
use crate::model::ctx::{Ctx, Effect};
use crate::model::id::{LogIndex, Position, ProcessId, Term};
use crate::model::log::Log;

/// What is stored beside the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    /// The latest term seen.
    pub(super) term: Term,
    /// Who got this member's vote in it.
    pub(super) voted: Option<ProcessId>,
    /// Since the disk was lost: the number of that loss.
    pub(super) blank: Option<u64>,
}

/// Memory, disk, and the write between them.
#[derive(Clone, Debug)]
pub(super) struct Stable {
    pub(super) head: Head,
    on_disk: Head,
    pub(super) log: Log,
    /// What the write under way carries.
    writing: Option<(Head, Position)>,
}

impl Stable {
    /// Both copies the same.
    pub(super) fn new(head: Head, log: Log) -> Stable {
        Stable { head, on_disk: head, log, writing: None }
    }
    /// True when term, vote and blankness are on disk as they are in memory.
    pub(super) fn head_is_durable(&self) -> bool {
        self.head == self.on_disk
    }
    /// True when the disk knows the current term.
    pub(super) fn term_is_durable(&self) -> bool {
        self.head.term == self.on_disk.term
    }
    /// Up to here the log is on disk, in the current term.
    pub(super) fn durable(&self) -> LogIndex {
        if self.term_is_durable() { self.log.durable().index } else { LogIndex(0) }
    }
    /// True while a write is under way.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }
    /// The process was killed: memory becomes what the disk has. A disk that was lost leaves a
    /// blank member.
    pub(super) fn crash(&mut self, lost: Option<u64>) {
        self.writing = None;
        if lost.is_some() {
            self.on_disk = Head { blank: lost, ..Head::default() };
            self.log = Log::new();
        }
        self.head = self.on_disk;
        let durable = self.log.durable().index;
        self.log.truncate(durable);
    }
}

impl Member {
    /// Begins a disk write, unless one is under way or there is nothing to write. Tells whether
    /// it did.
    pub(super) fn write(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let stable = &mut self.stable;
        let end = stable.log.end();
        let clean = stable.head_is_durable() && end.index == stable.log.durable().index;
        if stable.writing.is_some() || clean {
            return false;
        }
        stable.writing = Some((stable.head, end));
        ctx.effect(Effect::Sync { group: self.spec.group, upto: end });
        true
    }

    /// The disk finished the write under way: whatever waited for it may go out.
    pub(super) fn on_durable(&mut self, ctx: &mut Ctx<'_>) {
        let Some((head, upto)) = self.stable.writing.take() else { return };
        self.stable.on_disk = head;
        self.stable.log.mark_durable(upto.index);
        // What came meanwhile goes with the next write, and to the others at the same time.
        self.pump(ctx);
        self.pay_vote(ctx);
        self.announce(ctx);
        self.pay_ack(ctx);
        self.advance_commit(ctx);
    }

    /// Cuts the history back. A write under way is void; what else it carried goes with the next.
    pub(super) fn truncate(&mut self, to: LogIndex, ctx: &mut Ctx<'_>) {
        self.stable.log.truncate(to);
        self.stable.writing = None;
        let to = self.stable.log.end();
        ctx.effect(Effect::Truncate { group: self.spec.group, to });
        self.desk.cut(to.index);
    }
}
