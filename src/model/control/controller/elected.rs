//! A controller that others must elect before it acts: what they need of it.
//!
//! It declares as ever, and then waits. Elected, it takes the same steps in the term of its
//! election; the others learn of the new primary from it.

use super::failover::Stage;
use super::opinions::Opinions;
use super::store::Store;
use super::{Controller, ControllerPlan, Hand, Phase};
use crate::model::ctx::Ctx;
use crate::model::fact::{Claim, FailoverStep};
use crate::model::id::{FencingToken, GroupId, NodeId, ProcessId, Term};
use crate::sim::Span;
use crate::sim::rng::Label;
use crate::sim::time::LocalTime;

/// After so long a replica that was told to follow counts no longer as being reconfigured.
/// Redis Sentinel: `SENTINEL_SLAVE_RECONF_TIMEOUT`.
const RECONFIGURED_WITHIN: Span = Span::from_secs(10);

/// How a controller acts that was elected.
#[derive(Clone, Copy, Debug)]
pub struct Elected {
    /// How many replicas are told at a time to follow the new primary.
    pub parallel_syncs: u32,
    /// How long it waits for a candidate to say that it is primary.
    pub patience: Span,
    /// Whether it first tells the old primary to stop.
    pub stops_old_primary: bool,
    /// Names its own dice, which the others do not share.
    pub label: Label,
}

/// What a controller knows of a store: the newest term wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// The store.
    pub group: GroupId,
    /// Its primary.
    pub primary: NodeId,
    /// Since which term.
    pub term: Term,
    /// With which token.
    pub token: FencingToken,
}

impl ControllerPlan {
    /// A controller alone stops the old primary as far as it reaches it.
    pub(super) fn stops_old_primary(&self) -> bool {
        self.elected.is_none_or(|elected| elected.stops_old_primary)
    }
}

impl Controller {
    /// True while it has declared, and waits to be elected.
    pub fn stands(&self) -> bool {
        self.phase == Phase::Standing
    }
    /// True while it fails over.
    pub fn acts(&self) -> bool {
        self.phase == Phase::Acting
    }
    /// It asks for votes, or no longer does.
    pub fn set_candidate(&mut self, candidate: bool, ctx: &mut Ctx<'_>) {
        if std::mem::replace(&mut self.candidate, candidate) && !candidate {
            self.consider(ctx);
        }
    }
    /// A failover whose primary is healthy again is given up before the election is over, or it
    /// has not begun.
    pub(super) fn may_sit_down(&self) -> bool {
        self.plan.failover.abandon_if_healthy || !self.candidate
    }
    pub(super) fn sit_down(&mut self, ctx: &mut Ctx<'_>) {
        self.claim_all(FailoverStep::Abandoned, ctx);
        self.phase = Phase::Calm;
    }
    /// The election of this term is won: acts.
    pub fn elect(&mut self, term: Term, ctx: &mut Ctx<'_>) {
        // Promotions and orders are numbered by the election, which is nobody else's: the first
        // one begins term 2, and is the first failover.
        let before = term.0.saturating_sub(1);
        self.episode = before.saturating_sub(1);
        for store in &mut self.stores {
            store.last_term = Term(before);
        }
        self.candidate = false;
        self.declare(ctx);
    }
    /// True when it acts and has found nobody to promote.
    pub fn found_nobody(&self) -> bool {
        self.acts() && self.stores.iter().any(Store::found_nobody)
    }
    /// Elected in vain: what was not promoted is let go.
    pub fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        for store in &mut self.stores {
            if !store.settled() {
                let mut hand = Hand {
                    plan: &self.plan,
                    episode: self.episode,
                    seq: &mut self.seq,
                    opinions: &self.opinions,
                };
                store.abandon(&mut hand, ctx);
            }
        }
        self.consider(ctx);
    }
    /// Somebody says of a node whether it is down. Later opinions count.
    pub fn hear_opinion(&mut self, by: ProcessId, node: NodeId, down: bool, ctx: &mut Ctx<'_>) {
        if let Some(unhealthy) = self.opinions.now_says(by, node, !down) {
            ctx.claim(Claim::Tally { node, unhealthy, of: self.plan.checkers });
            self.consider(ctx);
        }
    }
    /// What it knows of each store.
    pub fn knows(&self) -> impl Iterator<Item = Known> {
        self.stores.iter().map(|store| Known {
            group: store.plan.group,
            primary: store.primary_node(),
            term: store.term,
            token: store.token,
        })
    }
    /// Another controller says whom it knows as primary: true when that was news. What was under
    /// way in an older term is over.
    pub fn learn(&mut self, news: Known, ctx: &mut Ctx<'_>) -> bool {
        let episode = self.episode;
        let Some(store) = self.stores.iter_mut().find(|s| s.plan.group == news.group) else {
            return false;
        };
        let who = store.replicas.iter().position(|r| r.seat.node == news.primary);
        let Some(who) = who.filter(|_| news.term > store.term) else { return false };
        self.episode = self.episode.max(news.term.0.saturating_sub(1));
        store.drop_stage(episode, ctx);
        store.adopt(who, news, &self.plan, ctx);
        ctx.claim(Claim::Learned(news.group, news.term, news.primary));
        if self.phase != Phase::Calm && self.stores.iter().all(Store::idle) {
            self.sit_down(ctx);
        }
        self.consider(ctx);
        true
    }
    /// Its process was killed: what it was elected for is over. Opinions that it must hear anew
    /// are forgotten.
    pub fn lapse(&mut self, forget_opinions: bool) {
        if forget_opinions {
            self.opinions = Opinions::new(self.plan.quorum);
        }
        for store in &mut self.stores {
            store.stage = Stage::Idle;
        }
        (self.phase, self.candidate) = (Phase::Calm, false);
    }
}

impl Store {
    /// Knows a new primary, which somebody else promoted; tells routers, and later the former
    /// one.
    fn adopt(&mut self, who: usize, news: Known, plan: &ControllerPlan, ctx: &mut Ctx<'_>) {
        (self.primary, self.term, self.token) = (who, news.term, news.token);
        self.last_term = self.last_term.max(news.term);
        for other in 0..self.replicas.len() {
            self.replicas[other].told_to_follow = None;
            self.plan_rejoin(other, &plan.failover, ctx);
        }
        self.tell_routers(ctx);
    }
    /// True when another replica may be told to follow: not too many are being reconfigured.
    pub(super) fn may_reconfigure(&self, plan: &ControllerPlan, now: LocalTime) -> bool {
        let Some(elected) = plan.elected else { return true };
        let busy = |r: &&super::contact::Replica| {
            let lately = r.told_to_follow.is_some_and(|at| now.since(at) < RECONFIGURED_WITHIN);
            lately && !r.report.is_some_and(|report| report.running && report.term >= self.term)
        };
        let busy = self.replicas.iter().filter(busy).count();
        busy < elected.parallel_syncs.max(1) as usize
    }
}
