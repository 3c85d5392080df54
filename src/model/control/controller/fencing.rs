//! Making the old primary harmless: it stops itself, its host is switched off, load balancers let
//! nobody reach it. Each way goes on beside the others, and the step waits for all of them.
//!
//! A host is not switched off, and nobody is cut off, where the old primary said in time that it
//! has stopped. Once a switch was asked for there is no way back: the failover is not given up
//! because the old primary looks well again.

use super::attempts::Step;
use super::failover::Stage;
use super::hunt::{Fence, Hunt, InVain};
use super::store::Store;
use super::{CUT, Hand, POWER, SELF_FENCED};
use crate::model::control::{Candidate, Fencing};
use crate::model::ctx::Ctx;
use crate::model::fact::{Claim, FailoverStep};
use crate::model::id::ProcessId;
use crate::model::msg::{FenceMsg, Msg};
use crate::sim::Span;

crate::choices! {
    /// What follows when an old primary could not be fenced.
    pub enum Unfenced {
        /// Nobody is promoted, for as long as it takes.
        Wait = "wait",
        /// The failover goes on all the same.
        GoOn = "go_on",
        /// The failover is given up.
        Abandon = "abandon",
    }
}

crate::params! {
    /// Fencing at the network: load balancers let nobody reach the old primary, and cut who is
    /// there. Clients behind one that cannot be told go on as before.
    pub struct NetworkFenceParams {
        /// How long the controller waits until every load balancer has confirmed.
        timeout: Span = Span::from_secs(10), "our choice";
        /// What follows when some have not.
        on_failure: Unfenced = Unfenced::GoOn, "our choice";
    }
}

/// How far switching off the old primary's host is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shot {
    /// It was not asked for.
    Spared,
    /// It was asked for, and nobody waits for it any more.
    Over,
    /// This attempt is under way.
    Asked(u32),
    /// This attempt failed; the next follows after a pause.
    Pausing(u32),
}

impl Shot {
    /// True while it is waited for.
    pub fn waits(self) -> bool {
        matches!(self, Shot::Asked(_) | Shot::Pausing(_))
    }
}

impl Store {
    /// Begins to fence; `failed` are the candidates that did not make it in this episode. After
    /// one of those it is that one which has to fence itself.
    pub(super) fn fence(&mut self, failed: InVain, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let again = !failed.is_empty();
        let fencing = &h.plan.failover.fencing;
        let waits = fencing.contains(&Fencing::SelfStop);
        let first = !again && !self.stopped && !self.waits_for_all();
        let shoots = first && fencing.contains(&Fencing::Stonith);
        let cuts = first && fencing.contains(&Fencing::Network);
        let end = self.named.saturating_add(h.plan.self_fence_wait);
        let left = end.since(ctx.now());
        let self_over = !waits || left.is_zero();
        let fence = Fence {
            step_over: again,
            self_over,
            shot: Shot::Spared,
            uncut: Vec::new(),
            hunt: Hunt::NotYet,
            taker: None,
            rechecked: false,
            failed,
            lagging: None,
        };
        self.enter(Stage::Fence(fence), FailoverStep::Fence, ctx);
        if !self_over {
            ctx.set_timer(self.timer(SELF_FENCED), left);
        }
        if shoots {
            self.shoot(0, h, ctx);
        }
        if cuts {
            self.cut_off(h, ctx);
        }
        if self.plan.leased {
            self.seek(h, ctx);
        }
        if again {
            self.go_on(h, ctx);
        } else {
            self.fence_step(h, ctx);
        }
    }
    pub(super) fn fence_step(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if let Some(wait) = self.attempt(Step::Fence, &h.plan.failover.fence, h, ctx) {
            self.wait(wait, h, ctx);
        }
    }
    /// Moves on from fencing, when all it waits for is over.
    pub fn go_on(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let standbys = self.replicas.len() - 1;
        let Stage::Fence(fence) = &mut self.stage else { return };
        if !fence.harmless() {
            return;
        }
        match (fence.hunt, fence.taker) {
            (Hunt::NotYet, _) if !self.plan.leased => self.seek(h, ctx),
            (Hunt::Taken(token), Some(who)) => {
                let choosy = h.plan.failover.candidate == Candidate::MostAdvanced && standbys > 1;
                if choosy && !fence.rechecked {
                    fence.rechecked = true;
                    self.seek(h, ctx);
                } else {
                    self.promote(who, token, h, ctx);
                }
            }
            _ => {}
        }
    }
    /// The old primary has fenced itself.
    pub(super) fn self_fenced(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if let Some(fence) = self.fence_stage() {
            fence.self_over = true;
            self.go_on(h, ctx);
        }
    }
    /// The old primary's agent has stopped it.
    pub fn on_stopped(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if matches!(self.stage, Stage::StopTraffic | Stage::Drain) {
            // It is harmless since now; as if it had not been called primary for so long.
            self.named = self.named.saturating_sub(h.plan.self_fence_wait);
            self.stopped = true;
        } else {
            self.stopped = true;
            self.self_fenced(h, ctx);
            if self.waits_for_all() && self.found_nobody() {
                self.seek(h, ctx);
            }
        }
    }

    /// Asks the device of the old primary's host to switch it off.
    fn shoot(&mut self, attempt: u32, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let Some(device) = self.plan.devices.get(self.primary).copied() else { return };
        let order = FenceMsg::PowerOff { episode: h.episode, attempt };
        ctx.cast(device, Msg::Fence(self.plan.group, order));
        ctx.claim(Claim::Shooting(self.primary_node(), attempt));
        ctx.set_timer(self.timer(POWER), h.plan.failover.stonith.timeout);
        if let Some(fence) = self.fence_stage() {
            fence.shot = Shot::Asked(attempt);
        }
    }
    /// The device answers. That an earlier attempt succeeded is as good.
    pub(super) fn on_switched(
        &mut self,
        attempt: u32,
        off: bool,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let power = self.timer(POWER);
        let Some(fence) = self.fence_stage().filter(|f| f.shot.waits()) else { return };
        if off {
            (fence.shot, fence.self_over) = (Shot::Over, true);
            ctx.cancel_timer(power);
            ctx.claim(Claim::SwitchedOff(self.primary_node()));
            self.go_on(h, ctx);
        } else if fence.shot == Shot::Asked(attempt) {
            self.missed(attempt, h, ctx);
        }
    }
    /// No answer in time, or the pause before the next attempt is over.
    pub(super) fn on_power_timer(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        match self.fence_stage().map(|fence| fence.shot) {
            Some(Shot::Asked(attempt)) => self.missed(attempt, h, ctx),
            Some(Shot::Pausing(attempt)) => self.shoot(attempt + 1, h, ctx),
            Some(Shot::Spared | Shot::Over) | None => {}
        }
    }
    fn missed(&mut self, attempt: u32, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let stonith = &h.plan.failover.stonith;
        let used_up = attempt + 1 >= stonith.attempts;
        ctx.claim(Claim::StillOn(self.primary_node(), attempt));
        let power = self.timer(POWER);
        let Some(fence) = self.fence_stage() else { return };
        if used_up && stonith.on_failure != Unfenced::Wait {
            fence.shot = Shot::Over;
            ctx.cancel_timer(power);
            self.unfenced(stonith.on_failure, h, ctx);
        } else {
            fence.shot = Shot::Pausing(attempt);
            ctx.set_timer(power, stonith.retry);
        }
    }
    fn unfenced(&mut self, then: Unfenced, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        match then {
            Unfenced::Wait => {}
            Unfenced::GoOn => self.go_on(h, ctx),
            Unfenced::Abandon => self.give_up(h, ctx),
        }
    }

    /// Tells load balancers to let nobody reach the old primary.
    fn cut_off(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let routers = self.plan.routers.clone();
        if routers.is_empty() {
            return;
        }
        self.tell_fences(ctx, |target, version| FenceMsg::Block { target, version });
        ctx.set_timer(self.timer(CUT), h.plan.failover.network_fence.timeout);
        if let Some(fence) = self.fence_stage() {
            fence.uncut = routers;
        }
    }
    fn tell_fences(&self, ctx: &mut Ctx<'_>, what: impl Fn(ProcessId, u32) -> FenceMsg) {
        let order = what(self.replicas[self.primary].seat.database, self.term.0);
        for router in &self.plan.routers {
            ctx.send(*router, Msg::Fence(self.plan.group, order), 100);
        }
    }
    /// A load balancer confirms.
    pub(super) fn on_blocked(&mut self, from: ProcessId, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let cut = self.timer(CUT);
        let Some(fence) = self.fence_stage().filter(|f| !f.uncut.is_empty()) else { return };
        fence.uncut.retain(|router| *router != from);
        if fence.uncut.is_empty() {
            ctx.cancel_timer(cut);
            ctx.claim(Claim::CutOff(self.primary_node(), 0));
            self.go_on(h, ctx);
        }
    }
    /// Some have not confirmed in time.
    pub(super) fn on_cut_timer(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let then = h.plan.failover.network_fence.on_failure;
        let Some(fence) = self.fence_stage() else { return };
        let missing = fence.uncut.len() as u32;
        if then != Unfenced::Wait {
            fence.uncut.clear();
        }
        ctx.claim(Claim::CutOff(self.primary_node(), missing));
        self.unfenced(then, h, ctx);
    }
    /// The failover is off: clients may reach the primary again.
    pub(super) fn let_in(&self, h: &Hand<'_>, ctx: &mut Ctx<'_>) {
        if h.plan.failover.fencing.contains(&Fencing::Network) {
            self.tell_fences(ctx, |target, _| FenceMsg::Admit { target });
        }
    }
}
