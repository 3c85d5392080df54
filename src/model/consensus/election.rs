//! Elections: standing, asking, voting.
//!
//! With `pre_vote` and `check_quorum` off this is the election of Ongaro's thesis, chapters 3
//! and 9; with them on, that of its sections 6.4 and 9.6 and of etcd.

use super::RaftMsg;
use super::decide::{majority, up_to_date};
use super::raft::{Progress, Raft, Stance};
use super::stable::{Entry, Head};
use crate::model::ctx::Ctx;
use crate::model::fact::Claim;
use crate::model::id::{ProcessId, Term};

impl Raft {
    /// No leader was heard for too long.
    pub(super) fn on_election_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.stance == Stance::Leader || self.is_blank() {
            return;
        }
        self.rearm_election(ctx);
        self.leader = None;
        if self.params.pre_vote {
            self.stance = Stance::Wondering;
            self.ballots = 1 << self.me_index();
            self.ask_the_others(ctx);
            self.count_ballots(ctx);
        } else {
            self.stand(ctx);
        }
    }

    /// Raises the term and votes for itself. The others are asked once that vote is durable: a
    /// candidate that forgot it could ask again in the same term with a shorter log.
    fn stand(&mut self, ctx: &mut Ctx<'_>) {
        let head = self.stable.head();
        let term = Term(head.term.0 + 1);
        self.stable.set_head(Head { term, voted: Some(self.me), ..head });
        self.stance = Stance::Candidate;
        self.leader = None;
        self.verified = 0;
        self.early.clear();
        self.owes_ack = false;
        self.owes_vote = None;
        self.ballots = 0;
        ctx.cancel_timer(self.timer_of(Raft::HEARTBEAT));
        ctx.claim(Claim::Candidate(self.group, term));
        self.write(ctx);
    }

    /// Asks everybody whose vote is missing, and again after a heartbeat: questions get lost.
    pub(super) fn ask_the_others(&mut self, ctx: &mut Ctx<'_>) {
        let pre = self.stance == Stance::Wondering;
        let term = Term(self.term().0 + u32::from(pre));
        let (last_term, last_index) = self.stable.last();
        for (i, &to) in self.members.iter().enumerate() {
            if to != self.me && self.ballots & (1 << i) == 0 {
                self.cast(to, RaftMsg::Ask { term, last_term, last_index, pre }, ctx);
            }
        }
        ctx.set_timer(self.timer_of(Raft::HEARTBEAT), self.params.heartbeat_interval);
    }

    /// Somebody asks for a vote.
    pub(super) fn on_ask(
        &mut self,
        from: ProcessId,
        term: Term,
        last: (Term, u32),
        pre: bool,
        ctx: &mut Ctx<'_>,
    ) {
        // A blank voter does not know what it promised before.
        if self.is_blank() {
            return;
        }
        let sticky = (pre || self.params.check_quorum) && self.hears_a_leader(ctx);
        if pre {
            let granted = term > self.term() && !sticky && up_to_date(last, self.stable.last());
            let term = if granted { term } else { self.term() };
            self.cast(from, RaftMsg::Vote { term, granted, pre }, ctx);
            return;
        }
        if term > self.term() {
            // While a leader is there, not even the term is taken over: that would depose it.
            if sticky {
                return;
            }
            self.adopt(term, ctx);
        }
        let head = self.stable.head();
        let free = head.voted.is_none_or(|voted| voted == from);
        if term == head.term && free && up_to_date(last, self.stable.last()) {
            if head.voted.is_none() {
                self.stable.set_head(Head { voted: Some(from), ..head });
                self.rearm_election(ctx);
            }
            self.owes_vote = Some(from);
            self.pay_vote(ctx);
        } else {
            let refusal = RaftMsg::Vote { term: head.term, granted: false, pre };
            self.cast(from, refusal, ctx);
        }
        self.write(ctx);
    }

    /// True while a leader leads: this voter itself, or one that was heard within the minimum
    /// timeout.
    fn hears_a_leader(&self, ctx: &Ctx<'_>) -> bool {
        self.stance == Stance::Leader
            || self.heard.is_some_and(|at| ctx.now().since(at) < self.params.timeout_min)
    }

    /// Gives the vote it owes, once that is durable.
    pub(super) fn pay_vote(&mut self, ctx: &mut Ctx<'_>) {
        let head = self.stable.head();
        if self.owes_vote.is_none() || self.owes_vote != head.voted {
            return;
        }
        if self.stable.head_is_durable()
            && let Some(candidate) = self.owes_vote.take()
        {
            let vote = RaftMsg::Vote { term: head.term, granted: true, pre: false };
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
            self.ballots = 1 << self.me_index();
            self.ask_the_others(ctx);
            self.count_ballots(ctx);
        }
    }

    /// A voter answers.
    pub(super) fn on_vote(
        &mut self,
        peer: usize,
        term: Term,
        granted: bool,
        pre: bool,
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
            self.ballots |= 1 << peer;
            self.count_ballots(ctx);
        }
    }

    fn count_ballots(&mut self, ctx: &mut Ctx<'_>) {
        if (self.ballots.count_ones() as usize) < majority(self.members.len()) {
            return;
        }
        match self.stance {
            Stance::Wondering => {
                self.rearm_election(ctx);
                self.stand(ctx);
            }
            Stance::Candidate => self.lead(ctx),
            Stance::Follower | Stance::Leader => {}
        }
    }

    /// Leads: opens the term with an empty entry, because only an entry of the own term may be
    /// counted as committed.
    pub(super) fn lead(&mut self, ctx: &mut Ctx<'_>) {
        self.stance = Stance::Leader;
        self.leader = Some(self.me);
        let fresh = Progress {
            matched: 0,
            holds: self.stable.end(),
            next: self.stable.end() + 1,
            probing: true,
            waiting: false,
            heard: ctx.now(),
            welcomed: None,
        };
        self.progress = vec![fresh; self.members.len()];
        ctx.cancel_timer(self.timer_of(Raft::ELECTION));
        ctx.claim(Claim::Primary(self.group, self.term()));
        self.opening = self.stable.push(Entry { term: self.term(), word: Raft::EMPTY });
        self.write(ctx);
        self.broadcast(ctx);
        ctx.set_timer(self.timer_of(Raft::HEARTBEAT), self.params.heartbeat_interval);
        self.advance_commit(ctx);
    }
}
