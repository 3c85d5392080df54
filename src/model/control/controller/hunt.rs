//! The search for a candidate while the old primary is being fenced.

use super::failover::Stage;
use super::fencing::Shot;
use super::store::Store;
use super::{ASKED, Hand};
use crate::model::control::Candidate;
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{FencingToken, ProcessId};
use crate::model::msg::{ControlMsg, Role};
use crate::sim::time::LocalTime;

/// Fencing, and the search for a candidate.
#[derive(Clone, PartialEq, Debug)]
pub struct Fence {
    /// The step has taken its time.
    pub step_over: bool,
    /// The old primary has fenced itself, or need not.
    pub self_over: bool,
    /// How far switching off its host is.
    pub shot: Shot,
    /// Load balancers that have yet to confirm that nobody reaches it.
    pub uncut: Vec<ProcessId>,
    pub hunt: Hunt,
    /// Who was told to take the lease.
    pub taker: Option<usize>,
    /// Everybody's position was asked again since the lease is ours.
    pub rechecked: bool,
    /// Candidates that failed in this episode.
    pub failed: InVain,
    /// Since when every candidate is too far behind.
    pub lagging: Option<LocalTime>,
}

/// Candidates that did not make it in one episode.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct InVain {
    who: Vec<usize>,
    /// How often one did not.
    pub times: u32,
}

impl InVain {
    /// This one did not, perhaps again.
    pub fn add(&mut self, who: usize) {
        self.times += 1;
        if !self.contains(who) {
            self.who.push(who);
        }
    }
    pub fn contains(&self, who: usize) -> bool {
        self.who.contains(&who)
    }
    pub fn is_empty(&self) -> bool {
        self.who.is_empty()
    }
}

/// The search for a candidate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Hunt {
    /// Not begun.
    NotYet,
    /// Waiting for answers to questions from this number on; with the taker's token if it has
    /// the lease already.
    Asking { since: u32, token: Option<FencingToken> },
    /// Nobody could be chosen; asked again at the next contact.
    Nobody,
    /// The taker has not got the lease yet.
    Taking,
    /// The taker has the lease.
    Taken(FencingToken),
}

impl Fence {
    /// True once the old primary can do no harm, as far as is waited for.
    pub fn harmless(&self) -> bool {
        self.step_over && self.self_over && !self.shot.waits() && self.uncut.is_empty()
    }
    /// True while the failover can be given up.
    pub fn may_be_abandoned(&self) -> bool {
        !self.rechecked && self.failed.is_empty() && !self.taken() && self.shot == Shot::Spared
    }
    /// True once the lease is the candidate's.
    pub fn taken(&self) -> bool {
        matches!(self.hunt, Hunt::Taken(_))
    }
}

impl Store {
    /// The search, while there is one.
    pub fn fence_stage(&mut self) -> Option<&mut Fence> {
        match &mut self.stage {
            Stage::Fence(fence) => Some(fence),
            _ => None,
        }
    }
    /// Asks everybody but the old primary for its position; in a planned switch that one too.
    pub fn seek(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        *h.seq = h.seq.wrapping_add(1);
        for who in 0..self.replicas.len() {
            if who != self.primary || self.waits_for_all() {
                self.hello(who, *h.seq, ctx);
            }
        }
        if let Stage::Fence(fence) = &mut self.stage {
            let token = match fence.hunt {
                Hunt::Taken(token) => Some(token),
                _ => None,
            };
            fence.hunt = Hunt::Asking { since: *h.seq, token };
            ctx.set_timer(Timer::nth(ASKED, self.number), h.plan.failover.status_timeout);
        }
    }
    /// An agent answered: chooses as soon as everybody who was asked has.
    pub fn hear_answer(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Fence(Fence { hunt: Hunt::Asking { since, .. }, .. }) = &self.stage else {
            return;
        };
        let fresh = |who: &usize| self.replicas[*who].report.is_some_and(|r| r.seq >= *since);
        let asked = |who: &usize| *who != self.primary || self.waits_for_all();
        if (0..self.replicas.len()).filter(asked).all(|who| fresh(&who)) {
            ctx.cancel_timer(Timer::nth(ASKED, self.number));
            self.choose(h, ctx);
        }
    }
    /// Chooses among those who answered.
    pub fn choose(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Fence(fence) = &self.stage else { return };
        let Hunt::Asking { since, token } = fence.hunt else { return };
        let taker = fence.taker;
        let near = |who: &usize| self.near_enough(*who, h);
        let mut chosen = self.best(since, &fence.failed, h, near);
        if chosen.is_none()
            && let Some(best) = self.best(since, &fence.failed, h, |_| true)
        {
            chosen = self.overlook_lag(best, h, ctx).then_some(best);
        }
        let Stage::Fence(fence) = &mut self.stage else { return };
        let Some(who) = chosen else {
            fence.hunt = Hunt::Nobody;
            return;
        };
        if !self.plan.leased {
            let token = FencingToken(u64::from(self.last_term.0 + 1));
            self.promote(who, token, h, ctx);
        } else if let (Some(token), true) = (token, taker == Some(who)) {
            self.promote(who, token, h, ctx);
        } else {
            fence.taker = Some(who);
            fence.hunt = Hunt::Taking;
            if let Some(other) = taker.filter(|other| *other != who) {
                self.order(other, ControlMsg::Abandon { episode: h.episode }, ctx);
            }
            self.order(who, ControlMsg::Take { episode: h.episode }, ctx);
        }
    }
    /// The best candidate: one who failed, or whom the checkers call unhealthy, only when there
    /// is no other.
    fn best(
        &self,
        since: u32,
        failed: &InVain,
        h: &Hand<'_>,
        passes: impl Fn(&usize) -> bool,
    ) -> Option<usize> {
        let eligible = |who: &usize| {
            let report = self.replicas[*who].report.filter(|r| r.seq >= since && r.running);
            // One that was promoted in vain in this episode is no standby any more.
            let may = report.is_some_and(|r| r.role == Role::Standby || r.term > self.term);
            may && *who != self.primary && self.has_all(*who, since) && passes(who)
        };
        let rank = |who: usize| {
            let seat = self.replicas[who].seat;
            let durable = self.replicas[who].report.map(|r| r.durable).unwrap_or_default();
            let position = match h.plan.failover.candidate {
                Candidate::MostAdvanced => (durable.segment.term(), durable.index),
                Candidate::FirstListed => Default::default(),
            };
            let last_choice = failed.contains(who);
            (!last_choice, !h.opinions.unhealthy(seat.node), position, std::cmp::Reverse(who))
        };
        (0..self.replicas.len()).filter(eligible).max_by_key(|who| rank(*who))
    }

    /// Regular contact has just been made: looks after a search that is stuck.
    pub fn look_again(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Fence(fence) = &mut self.stage else { return };
        match (fence.hunt, fence.taker) {
            (Hunt::Nobody, _) => self.seek(h, ctx),
            (Hunt::Taking | Hunt::Taken(_), Some(who)) if !self.replicas[who].reachable() => {
                fence.taker = None;
                fence.failed.add(who);
                self.order(who, ControlMsg::Abandon { episode: h.episode }, ctx);
                self.seek(h, ctx);
            }
            _ => {}
        }
    }
    /// The candidate's agent holds the lease.
    pub fn on_taken(
        &mut self,
        who: usize,
        token: FencingToken,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let Stage::Fence(fence) = &mut self.stage else { return };
        if fence.taker == Some(who) && fence.hunt == Hunt::Taking {
            fence.hunt = Hunt::Taken(token);
            self.go_on(h, ctx);
        }
    }
}
