//! The follower's side: holding what the leader sends, confirming it, coming back without memory.

use super::disk::Head;
use super::msg::Author;
use super::{Member, MemberMsg, Stance};
use crate::model::ctx::{Ctx, Effect};
use crate::model::id::{LogIndex, Position, ProcessId, Term};
use crate::sim::time::WallTime;

/// A range of entries.
pub(super) struct Range {
    pub(super) prev: Author,
    pub(super) author: Author,
    pub(super) behind: u32,
    pub(super) after: LogIndex,
    pub(super) upto: LogIndex,
}

impl Member {
    /// A leader speaks: true when it is the one of the latest term. An older one learns from the
    /// answer that its term is over.
    pub(super) fn hears(&mut self, from: ProcessId, term: Term, ctx: &mut Ctx<'_>) -> bool {
        if term < self.term() {
            let hint = Position::default();
            let msg = MemberMsg::Rejected { term: self.term(), after: LogIndex(0), hint };
            self.cast(from, msg, ctx);
            return false;
        }
        if term > self.term() {
            self.adopt(term, ctx);
        }
        let group = self.spec.group;
        assert!(self.stance != Stance::Leader, "two leaders in {term:?} of {group:?}");
        self.step_down(ctx);
        self.heard = Some(ctx.now());
        let lease = self.spec.params.lease_length();
        self.vowed_until = self.vowed_until.max(ctx.now().saturating_add(lease));
        self.rearm(ctx);
        if self.leader != Some(from) {
            self.leader = Some(from);
            self.take_up_held(ctx);
        }
        true
    }

    /// The leader sends entries.
    pub(super) fn on_append(
        &mut self,
        from: ProcessId,
        term: Term,
        range: &Range,
        ctx: &mut Ctx<'_>,
    ) {
        if !self.hears(from, term, ctx) {
            return;
        }
        let Range { prev, author, behind, after, upto } = *range;
        let (prev, segment) = (prev.segment(), author.segment());
        if after > self.commit
            && !self.stable.log.contains(Position { segment: prev, index: after })
        {
            let hint = self.stable.log.not_above(after, prev.term());
            let msg = MemberMsg::Rejected { term: self.term(), after, hint };
            self.cast(from, msg, ctx);
            self.write(ctx);
            return;
        }
        let next = Position { segment, index: LogIndex(after.0 + 1) };
        let log = &self.stable.log;
        let mut have = after;
        if log.contains(next) {
            have = log.span_of(segment).map_or(after, |(_, last)| last);
        }
        // What is committed is the same at every leader: nothing to compare.
        have = have.max(self.commit);
        if have < upto {
            if self.stable.log.end().index > have {
                self.truncate(have, ctx);
            }
            self.stable.log.extend(segment, upto);
            ctx.effect(Effect::Hold { group: self.spec.group, upto: self.stable.log.end() });
            self.desk.place_forwarded(&self.stable.log, ctx);
        }
        self.verified = self.verified.max(upto);
        self.learn_commit(LogIndex(upto.0.saturating_sub(u64::from(behind))), ctx);
        self.owes_ack = true;
        self.write(ctx);
        self.pay_ack(ctx);
    }

    /// The leader shows that it lives.
    pub(super) fn on_beat(
        &mut self,
        from: ProcessId,
        term: Term,
        round: u32,
        (commit, closed): (LogIndex, WallTime),
        ctx: &mut Ctx<'_>,
    ) {
        if !self.hears(from, term, ctx) {
            return;
        }
        if self.verified >= commit {
            self.closed = self.closed.max(closed);
        }
        self.learn_commit(commit, ctx);
        self.write(ctx);
        let upto = self.verified.min(self.stable.durable());
        let msg = match self.stable.head.blank {
            // One that has forgotten what it promised confirms nothing.
            Some(nonce) => MemberMsg::Blank { term, has: upto, nonce },
            None => MemberMsg::Alive { term, round, upto },
        };
        self.cast(from, msg, ctx);
    }

    /// The leader says how far the log is committed.
    pub(super) fn on_commit(
        &mut self,
        from: ProcessId,
        term: Term,
        upto: LogIndex,
        ctx: &mut Ctx<'_>,
    ) {
        if self.hears(from, term, ctx) {
            self.learn_commit(upto, ctx);
            self.write(ctx);
        }
    }

    /// So much is committed, of what is known to be the same as the leader's.
    fn learn_commit(&mut self, upto: LogIndex, ctx: &mut Ctx<'_>) {
        let known = upto.min(self.verified);
        if known > self.commit {
            self.commit = known;
            self.answer_committed(ctx);
        }
    }

    /// Confirms to the leader what is durable. Nothing before the term itself is: a member that
    /// forgot it could be led back by an older leader.
    pub(super) fn pay_ack(&mut self, ctx: &mut Ctx<'_>) {
        let Some(leader) = self.leader.filter(|_| self.owes_ack && self.stable.term_is_durable())
        else {
            return;
        };
        let upto = self.verified.min(self.stable.durable());
        // Nothing new: the disk will say when there is.
        if upto < self.verified && upto <= self.acked {
            return;
        }
        self.acked = upto;
        self.owes_ack = upto < self.verified;
        let term = self.term();
        let msg = match self.stable.head.blank {
            None => MemberMsg::Appended { term, upto },
            Some(nonce) => MemberMsg::Blank { term, has: upto, nonce },
        };
        self.cast(leader, msg, ctx);
    }

    /// The leader welcomes it back: it may vote again. Its vote in this term, if it gave one, is
    /// forgotten: the leader keeps it.
    pub(super) fn on_welcome(
        &mut self,
        from: ProcessId,
        term: Term,
        nonce: u64,
        ctx: &mut Ctx<'_>,
    ) {
        if !self.hears(from, term, ctx) || self.stable.head.blank != Some(nonce) {
            return;
        }
        let head = self.stable.head;
        self.stable.head = Head { voted: self.leader, blank: None, ..head };
        self.rearm(ctx);
        self.write(ctx);
    }
}
