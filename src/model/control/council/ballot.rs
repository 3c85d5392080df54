//! What a member keeps on its disk: the newest term it knows, and its vote. Nothing is said
//! that is not durable.

use crate::model::ctx::{Ctx, Effect};
use crate::model::id::{GroupId, Position, ProcessId, Term};
use crate::model::msg::Msg;

/// What is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Kept {
    newest: Term,
    vote: Option<(ProcessId, Term)>,
}

/// The newest term and the vote of one member.
#[derive(Clone, Debug)]
pub struct Ballot {
    group: GroupId,
    now: Kept,
    on_disk: Kept,
    writing: Option<Kept>,
    /// Said as soon as all of it is durable.
    waiting: Vec<(ProcessId, Msg)>,
}

/// The term of the plan's primaries: the first election begins the next one.
const FIRST: Kept = Kept { newest: Term(1), vote: None };

impl Ballot {
    /// Nobody has voted. The group only addresses disk writes.
    pub fn new(group: GroupId) -> Ballot {
        Ballot { group, now: FIRST, on_disk: FIRST, writing: None, waiting: Vec::new() }
    }
    /// The newest term known.
    pub fn newest(&self) -> Term {
        self.now.newest
    }
    /// The latest vote: for whom, and in which term.
    pub fn vote(&self) -> Option<(ProcessId, Term)> {
        self.now.vote
    }
    /// The latest vote, once it is durable.
    pub fn durable_vote(&self) -> Option<(ProcessId, Term)> {
        self.on_disk.vote
    }
    /// Somebody knows this term.
    pub fn see(&mut self, term: Term, ctx: &mut Ctx<'_>) {
        if term > self.now.newest {
            self.now.newest = term;
            self.write(ctx);
        }
    }
    /// Votes for the first that asks in a term which is the newest: true for a new vote.
    pub fn cast(&mut self, candidate: ProcessId, term: Term, ctx: &mut Ctx<'_>) -> bool {
        let voted = self.now.vote.is_some_and(|(_, in_term)| in_term >= term);
        if voted || term < self.now.newest {
            return false;
        }
        self.now = Kept { newest: term, vote: Some((candidate, term)) };
        self.write(ctx);
        true
    }
    /// Says something, as soon as what it rests on is durable.
    pub fn say(&mut self, to: ProcessId, msg: Msg, ctx: &mut Ctx<'_>) {
        if self.writing.is_none() {
            ctx.cast(to, msg);
        } else {
            self.waiting.push((to, msg));
        }
    }
    fn write(&mut self, ctx: &mut Ctx<'_>) {
        if self.writing.is_none() {
            self.writing = Some(self.now);
            ctx.effect(Effect::Sync { group: self.group, upto: Position::default() });
        }
    }
    /// The disk has it. What changed meanwhile is written next, and what is said waits for it.
    pub fn on_durable(&mut self, ctx: &mut Ctx<'_>) {
        let Some(written) = self.writing.take() else { return };
        self.on_disk = written;
        if self.now != written {
            return self.write(ctx);
        }
        for (to, msg) in std::mem::take(&mut self.waiting) {
            ctx.cast(to, msg);
        }
    }
    /// The process was killed: what the disk has stays, if the disk does.
    pub fn crash(&mut self, disk_kept: bool) {
        let kept = if disk_kept { self.on_disk } else { FIRST };
        (self.now, self.on_disk, self.writing) = (kept, kept, None);
        self.waiting.clear();
    }
}
