//! Elections: timers, standing, asking, voting.
//!
//! With `pre_vote` and `check_quorum` off this is the election of Ongaro's thesis, chapters 3
//! and 9; with them on, that of its sections 6.4 and 9.6 and of etcd. The same as among the
//! voters of a coordination service, over a log of ranges.

use super::disk::Head;
use super::{ELECTION, HEARTBEAT, Member, MemberMsg, Stance};
use crate::model::consensus::decide::{majority, up_to_date};
use crate::model::ctx::Ctx;
use crate::model::fact::Claim;
use crate::model::id::{LogIndex, Position, ProcessId, Term};
use crate::model::order::Order;
use crate::sim::Span;
use crate::sim::time::LocalTime;

/// The election timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    /// Since when it runs.
    since: LocalTime,
    /// A timer is under way; it looks again when it fires, because `since` moves often.
    armed: bool,
    /// How long it is, drawn once in a term.
    drawn: Option<(Term, Span)>,
}

impl Patience {
    /// The process died.
    pub(super) fn crash(&mut self) {
        *self = Patience::default();
    }
}

impl Member {
    /// The election timer begins to run anew.
    pub(super) fn rearm(&mut self, ctx: &mut Ctx<'_>) {
        if !self.may_stand() {
            return;
        }
        self.patience.since = ctx.now();
        let term = self.term();
        let fresh = self.patience.drawn.is_none_or(|(drawn, _)| drawn != term);
        if fresh {
            let length = self.draw_timeout();
            self.patience.drawn = Some((term, length));
        }
        if fresh || !self.patience.armed {
            self.patience.armed = true;
            ctx.set_timer(ELECTION, self.due().since(ctx.now()));
        }
    }

    /// A length between the two limits, in whole ticks where there are any.
    fn draw_timeout(&mut self) -> Span {
        let (min, max) = (self.spec.params.timeout_min, self.spec.params.timeout_max);
        let width = max.saturating_sub(min);
        let drawn = match &self.ticks {
            None => self.dice.below(width.as_nanos().saturating_add(1).max(1)),
            Some(ticks) => self.dice.below(ticks.count(width)),
        };
        match self.spec.params.tick {
            None => min.saturating_add(Span::from_nanos(drawn)),
            Some(tick) => min.saturating_add(tick.saturating_mul(drawn)),
        }
    }

    /// When it runs out.
    fn due(&self) -> LocalTime {
        let length = self.patience.drawn.map_or(Span::ZERO, |(_, length)| length);
        let since = self.patience.since;
        let length = match &self.ticks {
            None => length,
            Some(ticks) => ticks.nth(ticks.count(length), since),
        };
        since.saturating_add(length)
    }

    /// The timer fired: perhaps a leader was heard since it was armed.
    pub(super) fn on_election_timer(&mut self, ctx: &mut Ctx<'_>) {
        self.patience.armed = false;
        if self.stance == Stance::Leader || !self.may_stand() {
            return;
        }
        let due = self.due();
        if ctx.now() < due {
            self.patience.armed = true;
            return ctx.set_timer(ELECTION, due.since(ctx.now()));
        }
        self.run_for_office(ctx);
    }

    /// Stands, or first asks whether it would be elected.
    fn run_for_office(&mut self, ctx: &mut Ctx<'_>) {
        self.forget_leader();
        self.invited = false;
        if self.spec.params.pre_vote {
            self.rearm(ctx);
            self.stance = Stance::Wondering;
            self.ballots = 1 << self.my_place;
            self.ask_the_others(ctx);
            self.count_ballots(ctx);
        } else {
            self.stand(ctx);
        }
    }

    /// An operator orders it to stand, or to lead no longer.
    #[cold]
    pub(super) fn on_order(&mut self, order: Order, ctx: &mut Ctx<'_>) {
        let leads = self.stance == Stance::Leader;
        match order {
            Order::Stand if !leads && self.may_stand() => self.run_for_office(ctx),
            Order::StepDown if leads => self.step_down(ctx),
            _ => {}
        }
    }

    /// Raises the term and votes for itself. The others are asked once that vote is durable: a
    /// candidate that forgot it could ask again in the same term with a shorter log.
    pub(super) fn stand(&mut self, ctx: &mut Ctx<'_>) {
        let head = self.stable.head;
        let term = Term(head.term.0 + 1);
        self.stable.head = Head { term, voted: Some(self.me), ..head };
        self.stance = Stance::Candidate;
        self.forget_leader();
        self.verified = LogIndex(0);
        (self.owes_ack, self.owes_vote, self.ballots) = (false, None, 0);
        self.rearm(ctx);
        ctx.cancel_timer(HEARTBEAT);
        ctx.claim(Claim::Candidate(self.spec.group, term));
        self.write(ctx);
    }

    /// Asks every voter whose vote is missing, and again after a heartbeat: questions get lost.
    pub(super) fn ask_the_others(&mut self, ctx: &mut Ctx<'_>) {
        let pre = self.stance == Stance::Wondering;
        let term = Term(self.term().0 + u32::from(pre));
        let last = self.stable.log.end();
        for place in 0..self.spec.voters {
            if place != self.my_place && self.ballots & (1 << place) == 0 {
                let to = self.spec.members[place];
                let invited = self.invited;
                self.cast(to, MemberMsg::Ask { term, last, pre, invited }, ctx);
            }
        }
        ctx.set_timer(HEARTBEAT, self.spec.params.heartbeat_interval);
    }

    /// Somebody asks for a vote.
    pub(super) fn on_ask(
        &mut self,
        from: ProcessId,
        (term, last): (Term, Position),
        (pre, invited): (bool, bool),
        ctx: &mut Ctx<'_>,
    ) {
        // A blank voter does not know what it promised before.
        if self.is_blank() || self.my_place >= self.spec.voters {
            return;
        }
        let rank = |at: Position| (at.segment.term(), at.index);
        let good = up_to_date(rank(last), rank(self.stable.log.end()));
        let loyal = (pre || self.spec.params.check_quorum) && self.hears_a_leader(ctx);
        let sticky = loyal && !invited;
        if invited && term > self.term() {
            // The leader that this member promised a lease to has given it up.
            self.vowed_until = LocalTime::ZERO;
        }
        if pre {
            let granted = term > self.term() && !sticky && good;
            let term = if granted { term } else { self.term() };
            let vote = MemberMsg::Vote { term, granted, pre, leased: Span::ZERO };
            return self.cast(from, vote, ctx);
        }
        if term > self.term() {
            // While a leader is there, not even the term is taken over: that would depose it.
            if sticky {
                return;
            }
            self.adopt(term, ctx);
        }
        let head = self.stable.head;
        let free = head.voted.is_none_or(|voted| voted == from);
        if term == head.term && free && good {
            if head.voted.is_none() {
                self.stable.head = Head { voted: Some(from), ..head };
                self.rearm(ctx);
            }
            self.owes_vote = Some(from);
            self.pay_vote(ctx);
        } else {
            let leased = Span::ZERO;
            let refusal = MemberMsg::Vote { term: head.term, granted: false, pre, leased };
            self.cast(from, refusal, ctx);
        }
        self.write(ctx);
    }

    /// True while a leader leads: this member itself, or one that was heard within the minimum
    /// timeout.
    fn hears_a_leader(&self, ctx: &Ctx<'_>) -> bool {
        let patience = self.spec.params.timeout_min;
        self.stance == Stance::Leader || self.heard.is_some_and(|at| ctx.now().since(at) < patience)
    }

    /// Gives the vote it owes, once that is durable.
    pub(super) fn pay_vote(&mut self, ctx: &mut Ctx<'_>) {
        let head = self.stable.head;
        if self.owes_vote.is_none() || self.owes_vote != head.voted {
            return;
        }
        if self.stable.head_is_durable()
            && let Some(candidate) = self.owes_vote.take()
        {
            let leased = self.vowed_until.since(ctx.now());
            let vote = MemberMsg::Vote { term: head.term, granted: true, pre: false, leased };
            self.cast(candidate, vote, ctx);
        }
    }

    /// The own vote counts, and the others are asked, once it is durable.
    pub(super) fn announce(&mut self, ctx: &mut Ctx<'_>) {
        let term = self.term();
        if self.stance == Stance::Candidate
            && self.announced != Some(term)
            && self.stable.head_is_durable()
        {
            self.announced = Some(term);
            self.ballots = 1 << self.my_place;
            self.reign.waits_until = self.vowed_until;
            self.ask_the_others(ctx);
            self.count_ballots(ctx);
        }
    }

    /// A voter answers.
    pub(super) fn on_vote(
        &mut self,
        place: usize,
        (term, granted, pre): (Term, bool, bool),
        leased: Span,
        ctx: &mut Ctx<'_>,
    ) {
        let expected = Term(self.term().0 + u32::from(pre && granted));
        if term > expected {
            self.adopt(term, ctx);
            self.write(ctx);
            return;
        }
        let asked = if pre { Stance::Wondering } else { Stance::Candidate };
        if granted && term == expected && self.stance == asked {
            self.ballots |= 1 << place;
            if !pre {
                let until = ctx.now().saturating_add(leased);
                self.reign.waits_until = self.reign.waits_until.max(until);
            }
            self.count_ballots(ctx);
        }
    }

    fn count_ballots(&mut self, ctx: &mut Ctx<'_>) {
        if (self.ballots.count_ones() as usize) < majority(self.spec.voters) {
            return;
        }
        match self.stance {
            Stance::Wondering => self.stand(ctx),
            Stance::Candidate => self.lead(ctx),
            Stance::Follower | Stance::Leader => {}
        }
    }

    /// Adopts a later term. A leader or candidate of an earlier one follows; the timer of a
    /// candidate runs on.
    pub(super) fn adopt(&mut self, term: Term, ctx: &mut Ctx<'_>) {
        debug_assert!(term > self.term());
        self.step_down(ctx);
        self.stable.head = Head { term, voted: None, ..self.stable.head };
        self.forget_leader();
        self.verified = LogIndex(0);
        self.owes_ack = false;
        self.owes_vote = None;
    }

    /// Leads or stands no longer. A leader gets a fresh timer.
    pub(super) fn step_down(&mut self, ctx: &mut Ctx<'_>) {
        let stance = std::mem::replace(&mut self.stance, Stance::Follower);
        if stance == Stance::Follower {
            return;
        }
        self.ballots = 0;
        ctx.cancel_timer(HEARTBEAT);
        self.invited = false;
        if stance == Stance::Leader {
            self.forget_leader();
            ctx.claim(Claim::SteppedDown(self.spec.group, self.term()));
            self.leave_office(ctx);
            self.rearm(ctx);
        }
    }
}
