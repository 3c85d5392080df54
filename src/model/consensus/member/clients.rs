//! Requests of clients: carried out, passed on, kept or refused; and their answers.

use super::params::{NoLeader, NotLeader, Reads};
use super::{HOLD, Member, MemberMsg, Stance};
use crate::model::ctx::{Ctx, Effect};
use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{LogIndex, OpId, Position, ProcessId};
use crate::model::log::{Appended, Log};
use crate::model::msg::{ClientMsg, Msg};
use crate::model::replica::shell::ANSWER_CLASS;
use crate::sim::Span;
use crate::sim::time::{LocalTime, WallTime};
use std::collections::VecDeque;

/// After so long an operation that was passed on is forgotten: its client has long gone.
const FORGET: Span = Span::from_secs(60);
/// Payload of an answer that carries nothing.
const ANSWER_BYTES: u32 = 100;

/// A client's request as it came.
#[derive(Clone, Copy, Debug)]
struct Wish {
    from: ProcessId,
    since: LocalTime,
    op: OpId,
    kind: OpKind,
    attempt: u8,
    request: ClientMsg,
}

/// A write that stands in this member's log and waits to be committed.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    at: Position,
    op: OpId,
    client: ProcessId,
    attempt: u8,
}

/// A read that waits for the leader to be sure that it leads.
#[derive(Clone, Copy, Debug)]
struct Read {
    /// The sign of life that a majority must answer.
    round: u32,
    wish: Wish,
}

/// What clients are owed.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    /// By place in the log.
    waiting: VecDeque<Waiting>,
    /// Passed on to a leader, and not seen in the log yet.
    forwarded: VecDeque<Wish>,
    /// Kept until there is a leader.
    held: VecDeque<Wish>,
    reads: VecDeque<Read>,
}

impl Desk {
    /// The log was cut back: what stood beyond is nobody's to answer.
    pub(super) fn cut(&mut self, to: LogIndex) {
        self.waiting.retain(|waiting| waiting.at.index <= to);
    }

    fn wait(&mut self, waiting: Waiting) {
        let place = self.waiting.partition_point(|other| other.at.index <= waiting.at.index);
        self.waiting.insert(place, waiting);
    }

    /// The log has more: perhaps what was passed on.
    pub(super) fn place_forwarded(&mut self, log: &Log, ctx: &Ctx<'_>) {
        if self.forwarded.is_empty() {
            return;
        }
        for wish in std::mem::take(&mut self.forwarded) {
            match place_of(wish.op, log, ctx).filter(|_| wish.kind == OpKind::Write) {
                Some(at) => {
                    let Wish { op, from: client, attempt, .. } = wish;
                    self.wait(Waiting { at, op, client, attempt });
                }
                None => self.forwarded.push_back(wish),
            }
        }
    }

    fn take_forwarded(&mut self, op: OpId, attempt: u8) -> Option<Wish> {
        let found = self.forwarded.iter().position(|w| w.op == op && w.attempt == attempt)?;
        self.forwarded.remove(found)
    }
}

/// Where a log has an operation.
fn place_of(op: OpId, log: &Log, ctx: &Ctx<'_>) -> Option<Position> {
    match ctx.appended(op) {
        Appended::At(places) => places.iter().find(|at| log.contains(**at)).copied(),
        Appended::Never | Appended::Forgotten => None,
    }
}

impl Member {
    /// A client, or another member in its stead, asks for something.
    pub(super) fn on_request(&mut self, from: ProcessId, request: ClientMsg, ctx: &mut Ctx<'_>) {
        let ClientMsg::Request { op, kind, attempt, .. } = request else { return };
        let wish = Wish { from, since: ctx.now(), op, kind, attempt, request };
        let errs = self.errors.as_ref().is_some_and(|errors| errors.fail(op, kind, attempt));
        if self.recovering || errs {
            return self.refuse(&wish, ctx);
        }
        self.take_up(wish, ctx);
    }

    fn take_up(&mut self, wish: Wish, ctx: &mut Ctx<'_>) {
        if self.takes_writes(ctx.now()) {
            return self.carry_out(wish, ctx);
        }
        if wish.kind == OpKind::Read && self.is_fresh(ctx) {
            let at = self.stable.log.position(self.commit);
            return self.answer(&wish, Outcome::Ok, at, ctx);
        }
        let params = &self.spec.params;
        match self.leader.filter(|leader| *leader != self.me) {
            // It was passed on already, to one who does not lead.
            _ if self.place_of(wish.from).is_some() => self.refuse(&wish, ctx),
            Some(leader) => match params.not_leader {
                NotLeader::Forward => self.forward(leader, wish, ctx),
                NotLeader::Redirect => {
                    let (op, attempt) = (wish.op, wish.attempt);
                    let msg = Msg::Client(ClientMsg::Redirect { op, attempt, to: leader });
                    let (to, class, bytes) = (wish.from, ANSWER_CLASS, ANSWER_BYTES);
                    ctx.effect(Effect::Send { to, msg, class, bytes });
                }
                NotLeader::Refuse => self.refuse(&wish, ctx),
            },
            None => match params.no_leader {
                NoLeader::Hold => self.hold(wish, ctx),
                NoLeader::Refuse => self.refuse(&wish, ctx),
            },
        }
    }

    /// True for a follower that may answer reads by itself: it knows of all that was committed
    /// until not too long ago.
    fn is_fresh(&self, ctx: &Ctx<'_>) -> bool {
        let params = &self.spec.params;
        params.reads == Reads::Follower
            && !self.is_witness()
            && self.closed > WallTime::ZERO
            && ctx.wall().since(self.closed) <= params.max_staleness
    }

    /// It was not done, and will not be.
    fn refuse(&self, wish: &Wish, ctx: &mut Ctx<'_>) {
        self.answer(wish, Outcome::Fail, Position::default(), ctx);
    }

    /// Answers a client, or the member that stands between.
    fn answer(&self, wish: &Wish, outcome: Outcome, at: Position, ctx: &mut Ctx<'_>) {
        let Wish { from: to, op, attempt, request, .. } = *wish;
        let group = self.spec.group;
        if self.place_of(to).is_some() {
            let served = MemberMsg::Served { op, attempt, outcome, at };
            return ctx.send(to, Msg::Member(group, served), ANSWER_BYTES);
        }
        let bytes = match request {
            ClientMsg::Request { answer_bytes, .. } if outcome == Outcome::Ok => answer_bytes,
            _ => ANSWER_BYTES,
        };
        let bytes = bytes.max(ANSWER_BYTES);
        ctx.effect(Effect::Answer { to, group, op, attempt, outcome, at, bytes });
    }

    fn forward(&mut self, leader: ProcessId, wish: Wish, ctx: &mut Ctx<'_>) {
        let Wish { op, attempt, from: client, kind, request, .. } = wish;
        // A retry of what this member has in its log already.
        let known = place_of(op, &self.stable.log, ctx).filter(|_| kind == OpKind::Write);
        if let Some(at) = known {
            self.desk.wait(Waiting { at, op, client, attempt });
            return self.answer_committed(ctx);
        }
        while let Some(first) = self.desk.forwarded.front()
            && ctx.now().since(first.since) > FORGET
        {
            self.desk.forwarded.pop_front();
        }
        self.desk.forwarded.push_back(wish);
        let bytes = if kind == OpKind::Write { self.spec.entry_bytes } else { ANSWER_BYTES };
        ctx.send(leader, Msg::Client(request), bytes);
    }

    /// How an operation ended that was passed on.
    pub(super) fn on_served(
        &mut self,
        from: ProcessId,
        (op, attempt): (OpId, u8),
        outcome: Outcome,
        at: Position,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(wish) = self.desk.take_forwarded(op, attempt) else { return };
        if outcome == Outcome::Ok {
            return self.answer(&wish, outcome, at, ctx);
        }
        if self.leader == Some(from) {
            self.forget_leader();
        }
        self.take_up(wish, ctx);
    }

    fn hold(&mut self, wish: Wish, ctx: &mut Ctx<'_>) {
        self.desk.held.push_back(wish);
        if self.desk.held.len() == 1 {
            self.await_hold(ctx);
        }
    }

    fn await_hold(&mut self, ctx: &mut Ctx<'_>) {
        let patience = self.spec.params.hold_for;
        if let Some(first) = self.desk.held.front() {
            let due = first.since.saturating_add(patience);
            ctx.set_timer(HOLD, due.since(ctx.now()));
        }
    }

    /// What was kept for too long is refused.
    pub(super) fn on_hold_timer(&mut self, ctx: &mut Ctx<'_>) {
        let patience = self.spec.params.hold_for;
        while let Some(first) = self.desk.held.front().copied()
            && ctx.now().since(first.since) >= patience
        {
            self.desk.held.pop_front();
            self.refuse(&first, ctx);
        }
        self.await_hold(ctx);
    }

    /// There is a leader: what was kept is taken up.
    pub(super) fn take_up_held(&mut self, ctx: &mut Ctx<'_>) {
        if self.desk.held.is_empty() {
            return;
        }
        ctx.cancel_timer(HOLD);
        for wish in std::mem::take(&mut self.desk.held) {
            self.take_up(wish, ctx);
        }
    }

    /// The leader does what is asked: a write is appended and waits for its turn, a read for the
    /// leader to be sure.
    fn carry_out(&mut self, wish: Wish, ctx: &mut Ctx<'_>) {
        let ClientMsg::Request { op, kind, attempt, idempotent, .. } = wish.request else { return };
        if kind == OpKind::Read {
            return self.read(wish, ctx);
        }
        let passed_on = self.place_of(wish.from).is_some();
        let client = wish.from;
        if idempotent && self.spec.idempotent {
            match ctx.appended(op) {
                Appended::Forgotten => return,
                Appended::Never => {}
                Appended::At(_) => {
                    if let Some(at) = place_of(op, &self.stable.log, ctx) {
                        if !passed_on {
                            self.desk.wait(Waiting { at, op, client, attempt });
                            self.answer_committed(ctx);
                        }
                        return;
                    }
                }
            }
        }
        let at = self.stable.log.append();
        ctx.effect(Effect::Append { group: self.spec.group, op, at });
        // The member that passed it on learns of its end from the log.
        if !passed_on {
            self.desk.waiting.push_back(Waiting { at, op, client, attempt });
        }
        if !self.stable.is_writing() {
            self.pump(ctx);
        }
    }

    fn read(&mut self, wish: Wish, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let leased = self.spec.params.leases() && self.has_lease(now);
        let sure = leased && self.is_ready() && !self.is_waiting(now);
        if sure || self.spec.params.reads == Reads::Local {
            let at = self.stable.log.position(self.commit);
            return self.answer(&wish, Outcome::Ok, at, ctx);
        }
        let round = if leased { 0 } else { self.beat(ctx) };
        self.desk.reads.push_back(Read { round, wish });
        self.answer_reads(ctx);
    }

    /// Answers the reads that a majority has confirmed, or the lease.
    pub(super) fn answer_reads(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        if self.desk.reads.is_empty() || !self.is_ready() || self.is_waiting(now) {
            return;
        }
        let leased = self.spec.params.leases() && self.has_lease(now);
        let at = self.stable.log.position(self.commit);
        while let Some(read) = self.desk.reads.front().copied()
            && (leased || read.round <= self.reign.confirmed)
        {
            self.desk.reads.pop_front();
            self.answer(&read.wish, Outcome::Ok, at, ctx);
        }
    }

    /// Answers the writes that are committed.
    pub(super) fn answer_committed(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(Waiting { at, op, client: to, attempt }) = self.desk.waiting.front().copied()
            && at.index <= self.commit
        {
            self.desk.waiting.pop_front();
            let (group, outcome, bytes) = (self.spec.group, Outcome::Ok, ANSWER_BYTES);
            ctx.effect(Effect::Answer { to, group, op, attempt, outcome, at, bytes });
        }
    }

    /// It leads no longer: reads that wait were not answered, and can be asked elsewhere. Writes
    /// go on waiting: the next leader may commit them.
    pub(super) fn leave_office(&mut self, ctx: &mut Ctx<'_>) {
        debug_assert!(self.stance != Stance::Leader);
        for read in std::mem::take(&mut self.desk.reads) {
            self.refuse(&read.wish, ctx);
        }
        ctx.cancel_timer(super::LEASE);
    }
}
