//! What holds a controller back: the time after a failover, and a person who must respond.

use super::*;

impl Controller {
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
}
