//! The steps of one store: stop traffic, drain, fence (see `fencing`), promote, route.

use super::attempts::{Attempt, Step};
use super::hunt::{Fence, Hunt, InVain};
use super::store::Store;
use super::{ASKED, CUT, Hand, POWER, SELF_FENCED, SILENT, STEP, SWITCH};
use crate::model::control::StopOrder;
use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::fact::{Claim, FailoverStep};
use crate::model::id::{FencingToken, Term};
use crate::model::msg::{ControlMsg, Msg, Role};
use crate::sim::Span;

/// Where the failover of a store stands.
#[derive(Clone, PartialEq, Debug)]
pub enum Stage {
    /// None is under way.
    Idle,
    /// Traffic to the old primary is being stopped.
    StopTraffic,
    /// Work under way is given time.
    Drain,
    /// The old primary is being made harmless, and a candidate is sought.
    Fence(Fence),
    /// A candidate is being promoted.
    Promote(Promote),
    /// A promotion that will fail, or the pause after it: who, with which token, and the
    /// promotions in vain before it.
    Vain(usize, FencingToken, InVain),
    /// Routers are about to be told.
    Route,
}

/// A promotion.
#[derive(Clone, PartialEq, Debug)]
pub struct Promote {
    who: usize,
    term: Term,
    token: FencingToken,
    takes: Span,
    failed: InVain,
}

impl Store {
    /// True when no failover is under way.
    pub fn idle(&self) -> bool {
        self.stage == Stage::Idle
    }
    /// True when its primary is known to be primary: none is being replaced.
    pub fn settled(&self) -> bool {
        matches!(self.stage, Stage::Idle | Stage::Route)
    }
    /// Who may be primary, as far as the controller has a say: the primary; nobody from the
    /// declaration on; then the candidate.
    pub fn may_lead(&self) -> Option<usize> {
        match &self.stage {
            Stage::Idle | Stage::Route => Some(self.primary),
            Stage::Promote(promote) => Some(promote.who),
            Stage::StopTraffic | Stage::Drain | Stage::Fence(_) | Stage::Vain(..) => None,
        }
    }
    /// True while the failover can be given up: the lease is not taken, nobody is promoted.
    pub fn may_abandon(&self) -> bool {
        match &self.stage {
            Stage::StopTraffic | Stage::Drain => true,
            Stage::Fence(f) => f.may_be_abandoned(),
            Stage::Idle | Stage::Promote(_) | Stage::Vain(..) | Stage::Route => false,
        }
    }
    pub(super) fn timer(&self, kind: u16) -> Timer {
        Timer::nth(kind, self.number)
    }
    fn claim_step(&self, step: FailoverStep, ctx: &mut Ctx<'_>) {
        ctx.claim(Claim::Step(self.plan.group, step));
    }

    /// Begins the failover: stops traffic to the old primary, as far as it can be reached.
    pub fn begin(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        (self.gave_up, self.stop_ordered, self.stopped) = (false, false, false);
        let holder = self.plan.seats[self.primary].node;
        self.enter(Stage::StopTraffic, FailoverStep::StopTraffic, ctx);
        ctx.effect(Effect::Withdraw { group: self.plan.group, holder });
        self.stop_traffic(h, ctx);
    }
    /// A new step begins.
    pub(super) fn enter(&mut self, stage: Stage, step: FailoverStep, ctx: &mut Ctx<'_>) {
        self.stage = stage;
        self.attempt = Attempt::default();
        self.claim_step(step, ctx);
    }
    pub(super) fn stop_traffic(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let spec = &h.plan.failover.stop_traffic;
        if let Some(wait) = self.attempt(Step::StopTraffic, spec, h, ctx) {
            if h.plan.stops_old_primary() {
                self.order_to_stop(h, ctx);
            }
            self.wait(wait, h, ctx);
        }
    }
    pub(super) fn drain(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if let Some(wait) = self.attempt(Step::Drain, &h.plan.failover.drain, h, ctx) {
            self.wait(wait, h, ctx);
        }
    }
    pub(super) fn route_step(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if let Some(wait) = self.attempt(Step::Route, &h.plan.failover.route, h, ctx) {
            self.wait(wait, h, ctx);
        }
    }
    fn order_to_stop(&mut self, h: &Hand<'_>, ctx: &mut Ctx<'_>) {
        let order = ControlMsg::StopTraffic { episode: h.episode };
        match h.plan.failover.stop_order {
            StopOrder::UntilHeard => {
                self.stop_ordered = true;
                self.order(self.primary, order, ctx);
            }
            StopOrder::Once => {
                let agent = self.replicas[self.primary].seat.agent;
                ctx.cast(agent, Msg::Control(self.plan.group, order));
            }
        }
    }
    /// Waits for the end of a step; a step that takes no time ends at once.
    pub(super) fn wait(&mut self, wait: Span, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if wait.is_zero() {
            self.step_over(h, ctx);
        } else {
            ctx.set_timer(self.timer(STEP), wait);
        }
    }
    /// The step that was under way has taken its time.
    pub(super) fn step_over(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        match &mut self.stage {
            Stage::StopTraffic => {
                self.enter(Stage::Drain, FailoverStep::Drain, ctx);
                self.drain(h, ctx);
            }
            Stage::Drain => self.fence(InVain::default(), h, ctx),
            Stage::Fence(fence) => {
                fence.step_over = true;
                self.go_on(h, ctx);
            }
            Stage::Route => {
                self.tell_routers(ctx);
                self.done(h, ctx);
            }
            Stage::Idle | Stage::Promote(_) | Stage::Vain(..) => {}
        }
    }
    pub(super) fn done(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.claim_step(FailoverStep::Done, ctx);
        self.stage = Stage::Idle;
        self.switched(ctx);
        for who in 0..self.replicas.len() {
            self.plan_rejoin(who, &h.plan.failover, ctx);
        }
    }

    pub fn promote(
        &mut self,
        who: usize,
        token: FencingToken,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let Stage::Fence(fence) = &self.stage else { return };
        let failed = fence.failed.clone();
        self.attempt = Attempt::default();
        self.claim_step(FailoverStep::Promote, ctx);
        self.try_to_promote(who, token, failed, h, ctx);
    }
    /// One attempt; what a failed one would have ordered is not ordered.
    pub(super) fn try_to_promote(
        &mut self,
        who: usize,
        token: FencingToken,
        failed: InVain,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let (tried, before) = (failed.times, self.attempt.failed);
        self.attempt.failed = tried;
        let takes = self.attempt(Step::Promotion, &h.plan.failover.promotion, h, ctx);
        self.attempt.failed = before;
        let Some(takes) = takes else {
            self.stage = Stage::Vain(who, token, failed);
            return;
        };
        let term = Term(self.last_term.0 + 1);
        self.last_term = term;
        self.stage = Stage::Promote(Promote { who, term, token, takes, failed });
        if !self.plan.leased {
            let holder = self.replicas[who].seat.node;
            ctx.effect(Effect::Authorise { group: self.plan.group, holder, token });
        }
        self.send_promote(h, ctx);
    }
    fn order_to_lead(&mut self, h: &Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Promote(Promote { who, term, token, takes, .. }) = self.stage else { return };
        self.named = ctx.now();
        self.order(who, ControlMsg::Promote { episode: h.episode, term, token, takes }, ctx);
    }
    fn send_promote(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.order_to_lead(h, ctx);
        let Stage::Promote(Promote { takes, .. }) = self.stage else { return };
        let usual = takes.saturating_add(h.plan.failover.status_timeout.saturating_mul(3));
        let patience = h.plan.elected.map_or(usual, |elected| elected.patience);
        ctx.set_timer(self.timer(SILENT), patience);
    }
    /// An agent answers whose connection broke, so that it has started again since, or the
    /// connection was older than its last start: what it was ordered may be lost.
    #[cold]
    pub fn order_again(&mut self, who: usize, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.replicas[who].broken = false;
        let to_stop = !self.settled() && who == self.primary && !self.stopped;
        match &self.stage {
            Stage::Promote(promote) if promote.who == who => self.order_to_lead(h, ctx),
            Stage::Fence(Fence { hunt: Hunt::Taking, taker, .. }) if *taker == Some(who) => {
                self.order(who, ControlMsg::Take { episode: h.episode }, ctx);
            }
            _ if to_stop && self.stop_ordered => self.order_to_stop(h, ctx),
            _ => {}
        }
    }
    /// A candidate's database leads.
    pub fn on_promoted(&mut self, who: usize, term: Term, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Promote(promote) = &self.stage else { return };
        if promote.term != term || promote.who != who {
            return;
        }
        (self.token, self.term, self.primary) = (promote.token, term, who);
        self.named = ctx.now();
        ctx.cancel_timer(self.timer(SILENT));
        self.enter(Stage::Route, FailoverStep::Route, ctx);
        for other in 0..self.replicas.len() {
            self.replicas[other].told_to_follow = None;
            let standby = |r: super::contact::Report| r.role == Role::Standby;
            let replica = &self.replicas[other];
            let follows = other != who && replica.contact && replica.report.is_some_and(standby);
            if follows && self.may_reconfigure(h.plan, ctx.now()) {
                self.tell_to_follow(other, h.plan, ctx);
            }
        }
        self.route_step(h, ctx);
    }
    /// The candidate is silent: another is sought, and this one told to let go.
    fn on_silent(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Stage::Promote(promote) = &self.stage else { return };
        let mut failed = promote.failed.clone();
        failed.add(promote.who);
        if h.plan.elected.is_some() {
            // Another candidate takes another term, and that takes another election.
            return self.abandon(h, ctx);
        }
        self.order(promote.who, ControlMsg::Abandon { episode: h.episode }, ctx);
        // Whom a switch was planned to does not answer: anybody will do.
        self.switch = None;
        self.fence(failed, h, ctx);
    }

    /// The old primary is healthy again, or the elected one gives up: calls everything off.
    pub fn abandon(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.switch = None;
        self.drop_stage(h.episode, ctx);
        if h.plan.stops_old_primary() {
            self.order(self.primary, ControlMsg::Resume { episode: h.episode }, ctx);
        }
        self.let_in(h, ctx);
        self.claim_step(FailoverStep::Abandoned, ctx);
    }
    /// Lets go of whoever was to be promoted, and is idle.
    pub fn drop_stage(&mut self, episode: u32, ctx: &mut Ctx<'_>) {
        let chosen = match &self.stage {
            Stage::Fence(fence) => fence.taker,
            Stage::Promote(promote) => Some(promote.who),
            Stage::Vain(who, ..) => Some(*who),
            Stage::Idle | Stage::StopTraffic | Stage::Drain | Stage::Route => None,
        };
        if let Some(who) = chosen {
            self.order(who, ControlMsg::Abandon { episode }, ctx);
        }
        for kind in [STEP, SELF_FENCED, ASKED, SILENT, POWER, CUT, SWITCH] {
            ctx.cancel_timer(self.timer(kind));
        }
        self.stage = Stage::Idle;
    }
    /// True when nobody could be chosen.
    pub fn found_nobody(&self) -> bool {
        matches!(&self.stage, Stage::Fence(fence) if fence.hunt == Hunt::Nobody)
    }

    /// A timer of this store fired.
    pub fn on_timer(&mut self, kind: u16, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        match kind {
            STEP => self.on_step_timer(h, ctx),
            ASKED => self.choose(h, ctx),
            SILENT => self.on_silent(h, ctx),
            SELF_FENCED => self.self_fenced(h, ctx),
            POWER => self.on_power_timer(h, ctx),
            CUT => self.on_cut_timer(h, ctx),
            SWITCH => self.on_switch_timer(h, ctx),
            _ => {}
        }
    }

    /// The controller started again: the step that was under way begins again.
    pub fn restart(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.resume_switch(ctx);
        match &self.stage {
            Stage::Idle => {
                for who in 0..self.replicas.len() {
                    self.plan_rejoin(who, &h.plan.failover, ctx);
                }
            }
            Stage::StopTraffic | Stage::Drain => self.begin(h, ctx),
            Stage::Fence(fence) => {
                if let Some(taker) = fence.taker {
                    self.order(taker, ControlMsg::Abandon { episode: h.episode }, ctx);
                }
                self.fence(InVain::default(), h, ctx);
            }
            Stage::Promote(_) => self.send_promote(h, ctx),
            Stage::Vain(who, _, failed) => {
                let failed = failed.clone();
                self.order(*who, ControlMsg::Abandon { episode: h.episode }, ctx);
                self.fence(failed, h, ctx);
            }
            Stage::Route => self.route_step(h, ctx),
        }
    }
}
