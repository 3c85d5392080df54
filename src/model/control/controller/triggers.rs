//! What begins a failover, and what holds it back: the alarm and its hold time, the cool-down, a
//! person.

use super::{APPROVE, COOLED, Controller, HOLD, Phase, hand};
use crate::model::control::Trigger;
use crate::model::ctx::{Ctx, Timer};
use crate::model::fact::{Claim, FailoverStep};
use crate::sim::Span;
use crate::sim::time::LocalTime;

impl Controller {
    pub(super) fn claim_all(&self, step: FailoverStep, ctx: &mut Ctx<'_>) {
        for store in &self.stores {
            ctx.claim(Claim::Step(store.plan.group, step));
        }
    }

    /// Looks at the opinions and at what is under way, and moves on.
    pub(super) fn consider(&mut self, ctx: &mut Ctx<'_>) {
        let sick = self.stores.iter().any(|s| self.opinions.unhealthy(s.primary_node()));
        match self.phase {
            Phase::Calm if sick && self.plan.failover.trigger != Trigger::Never => {
                self.claim_all(FailoverStep::Suspected, ctx);
                self.phase = Phase::Holding;
                if self.plan.hold.is_zero() {
                    self.held(ctx);
                } else {
                    ctx.set_timer(Timer::of(HOLD), self.plan.hold);
                }
            }
            Phase::Holding if !sick => self.calm_down(HOLD, ctx),
            Phase::Cooling if !sick => self.calm_down(COOLED, ctx),
            Phase::Approving if !sick && self.plan.failover.abandon_if_healthy => {
                self.calm_down(APPROVE, ctx)
            }
            Phase::Standing if !sick && self.may_sit_down() => self.sit_down(ctx),
            Phase::GivenUp if !sick => self.phase = Phase::Calm,
            Phase::Acting => {
                if sick {
                    self.drop_vain_switches(ctx);
                }
                let may = self.plan.failover.abandon_if_healthy
                    && self.stores.iter().all(|s| s.may_abandon() && s.switch.is_none());
                if self.stores.iter().all(|s| s.idle()) {
                    // Those who elect one that acts elect another.
                    let alone = self.plan.elected.is_none();
                    let gave_up = alone && self.stores.iter().any(|s| s.gave_up);
                    self.phase = if gave_up { Phase::GivenUp } else { Phase::Calm };
                    self.consider(ctx);
                } else if !sick && may {
                    for store in &mut self.stores {
                        store.abandon(&mut hand!(self), ctx);
                    }
                    self.phase = Phase::Calm;
                }
            }
            _ => {}
        }
    }
    fn calm_down(&mut self, timer: u16, ctx: &mut Ctx<'_>) {
        ctx.cancel_timer(Timer::of(timer));
        self.claim_all(FailoverStep::Abandoned, ctx);
        self.phase = Phase::Calm;
    }
    /// The quorum has lasted for the hold time.
    pub(super) fn held(&mut self, ctx: &mut Ctx<'_>) {
        let left = self.cooldown_left(ctx.now());
        if left.is_zero() {
            return self.cooled(ctx);
        }
        self.phase = Phase::Cooling;
        self.claim_all(FailoverStep::CoolDown, ctx);
        ctx.set_timer(Timer::of(COOLED), left);
    }
    /// How long the guard against flapping still forbids another failover.
    pub(super) fn cooldown_left(&self, now: LocalTime) -> Span {
        let end = |declared: LocalTime| declared.saturating_add(self.plan.failover.cooldown);
        self.declared.map_or(Span::ZERO, |declared| end(declared).since(now))
    }
    /// Nothing forbids a failover any more.
    pub(super) fn cooled(&mut self, ctx: &mut Ctx<'_>) {
        match self.plan.failover.trigger {
            Trigger::Approval | Trigger::Manual => {
                self.phase = Phase::Approving;
                self.alerts += 1;
                self.claim_all(FailoverStep::Approve, ctx);
                self.wait_for_person(ctx);
            }
            Trigger::Automatic | Trigger::Never => self.declare(ctx),
        }
    }
    /// The person who was asked, or alerted, responds after a while, or never.
    pub(super) fn wait_for_person(&mut self, ctx: &mut Ctx<'_>) {
        let plan = &self.plan;
        let label = plan.label.with_index(u64::from(self.alerts)).with("never responds");
        if plan.streams.stream(label).chance(plan.failover.operator_never.0) {
            return;
        }
        let response = &plan.failover.operator_response;
        let wait = plan.draw(plan.label, self.alerts, "approval", 0, response);
        ctx.set_timer(Timer::of(APPROVE), wait);
    }
    pub(super) fn declare(&mut self, ctx: &mut Ctx<'_>) {
        if self.plan.elected.is_some() && self.phase != Phase::Standing {
            self.phase = Phase::Standing;
            return;
        }
        self.phase = Phase::Acting;
        self.episode += 1;
        self.declared = Some(ctx.now());
        self.claim_all(FailoverStep::Declared, ctx);
        for store in &mut self.stores {
            store.failed_again(&hand!(self), ctx.now());
            store.begin(&mut hand!(self), ctx);
        }
        self.consider(ctx);
    }
}
