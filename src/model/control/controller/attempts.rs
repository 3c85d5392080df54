//! Steps that fail, hang, and are tried again.
//!
//! What becomes of an attempt is drawn when it begins, by store, episode, step and number. A
//! failed attempt takes its time and changes nothing: what it would have ordered is not ordered.

use super::failover::Stage;
use super::store::Store;
use super::{ControllerPlan, Hand, STEP};
use crate::model::ctx::{Ctx, Timer};
use crate::model::fact::{Claim, FailoverStep};
use crate::model::msg::ControlMsg;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Share;
use crate::sim::rng::Label;

crate::choices! {
    /// A step of a failover.
    pub enum Step {
        /// Traffic to the old primary is stopped.
        StopTraffic = "stop_traffic",
        /// Work under way is given time.
        Drain = "drain",
        /// The old primary is made harmless.
        Fence = "fence",
        /// The new primary is promoted.
        Promotion = "promotion",
        /// Clients are sent to it.
        Route = "route",
    }
}

crate::choices! {
    /// What follows when a step has failed as often as it is tried.
    pub enum GiveUp {
        /// The next step, or the next candidate. Routers that were not told are told when they
        /// are reminded.
        GoOn = "go_on",
        /// Nothing: the failover is given up, and not begun again before the primary has been well.
        Abandon = "abandon",
    }
}

const EVERY_STEP: [Step; 5] =
    [Step::StopTraffic, Step::Drain, Step::Fence, Step::Promotion, Step::Route];

crate::params! {
    /// Steps that may fail. An attempt that fails takes its time and changes nothing.
    pub struct StepsParams {
        /// The share of attempts that fail.
        failure: Share = Share(0.0), "our choice";
        /// The share of attempts that hang, and count as failed after `timeout`.
        hang: Share = Share(0.0), "our choice";
        /// How long an attempt hangs until it counts as failed.
        timeout: Span = Span::from_secs(60), "repmgr: promote_check_timeout";
        /// From a failed attempt to the next.
        retry: Span = Span::from_secs(5), "our choice";
        /// So many attempts at a step; of a promotion, for each candidate.
        attempts: u32 = 3, "our choice";
        /// What follows when they are used up.
        on_failure: GiveUp = GiveUp::GoOn, "our choice";
        /// Which steps may fail.
        unreliable: Vec<Step> = EVERY_STEP.to_vec(), "our choice: all of them";
    }
}

/// What becomes of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Done,
    Fails,
    Hangs,
}

/// The attempt at a step that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attempt {
    /// How many failed before it.
    pub failed: u32,
    /// It fails when its time is up.
    pub fails: bool,
    /// It has not begun: the last one failed, and this is the pause after it.
    pub pausing: bool,
}

impl ControllerPlan {
    /// Whether an attempt succeeds: by who makes it, episode, step and attempt alone.
    pub(super) fn outcome(&self, who: Label, episode: u32, step: Step, attempt: u32) -> Outcome {
        let params = &self.failover.steps;
        if (params.failure.0 <= 0.0 && params.hang.0 <= 0.0) || !params.unreliable.contains(&step) {
            return Outcome::Done;
        }
        let label = who.with_index(u64::from(episode)).with(step.word());
        let label = label.with_index(u64::from(attempt)).with("outcome");
        let mut dice = self.streams.stream(label);
        // Hanging first: a larger share of failures does not change which attempts hang.
        if dice.chance(params.hang.0) {
            Outcome::Hangs
        } else if dice.chance(params.failure.0) {
            Outcome::Fails
        } else {
            Outcome::Done
        }
    }
}

impl Store {
    /// Begins an attempt at a step that takes so long: how long it does if it will succeed.
    pub(super) fn attempt(
        &mut self,
        step: Step,
        spec: &DistSpec,
        h: &mut Hand<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Option<Span> {
        let n = self.attempt.failed;
        let outcome = h.plan.outcome(self.plan.label, h.episode, step, n);
        let takes = h.plan.draw(self.plan.label, h.episode, step.word(), n, spec);
        self.attempt.pausing = false;
        self.attempt.fails = outcome != Outcome::Done;
        match outcome {
            Outcome::Done => return Some(takes),
            Outcome::Fails => ctx.set_timer(Timer::nth(STEP, self.number), takes),
            Outcome::Hangs => {
                ctx.set_timer(Timer::nth(STEP, self.number), h.plan.failover.steps.timeout);
            }
        }
        None
    }
    /// An attempt failed: true when the step is tried again, after a pause.
    fn try_again(&mut self, step: FailoverStep, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) -> bool {
        ctx.claim(Claim::Failed(self.plan.group, step));
        let failed = self.attempt.failed + 1;
        let steps = &h.plan.failover.steps;
        let again = failed < steps.attempts;
        self.attempt = Attempt { failed, fails: false, pausing: again };
        if again {
            ctx.set_timer(Timer::nth(STEP, self.number), steps.retry);
        }
        again
    }
    /// The step's timer fired: the attempt is over, or the pause before it.
    pub(super) fn on_step_timer(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if self.attempt.pausing {
            match &self.stage {
                Stage::StopTraffic => self.stop_traffic(h, ctx),
                Stage::Drain => self.drain(h, ctx),
                Stage::Fence(_) => self.fence_step(h, ctx),
                Stage::Vain(who, token, failed) => {
                    let (who, token, failed) = (*who, *token, failed.clone());
                    self.try_to_promote(who, token, failed, h, ctx);
                }
                Stage::Route => self.route_step(h, ctx),
                Stage::Idle | Stage::Promote(_) => {}
            }
        } else if self.attempt.fails {
            self.attempt_failed(h, ctx);
        } else {
            self.step_over(h, ctx);
        }
    }
    fn attempt_failed(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        let step = match &mut self.stage {
            Stage::StopTraffic => FailoverStep::StopTraffic,
            Stage::Drain => FailoverStep::Drain,
            Stage::Fence(_) => FailoverStep::Fence,
            Stage::Vain(who, _, failed) => {
                failed.add(*who);
                FailoverStep::Promote
            }
            Stage::Route => FailoverStep::Route,
            Stage::Idle | Stage::Promote(_) => return,
        };
        if self.try_again(step, h, ctx) {
            return;
        }
        let gives_up = h.plan.failover.steps.on_failure == GiveUp::Abandon;
        match &self.stage {
            // The new primary leads: there is nothing to give up.
            Stage::Route => self.done(h, ctx),
            Stage::Vain(who, _, failed) => {
                let (who, failed) = (*who, failed.clone());
                if h.plan.elected.is_some() {
                    // Another candidate takes another term, and that takes another election.
                    return self.abandon(h, ctx);
                }
                let mut others = (0..self.replicas.len()).filter(|other| *other != self.primary);
                if gives_up && others.all(|other| failed.contains(other)) {
                    return self.give_up(h, ctx);
                }
                self.order(who, ControlMsg::Abandon { episode: h.episode }, ctx);
                self.fence(failed, h, ctx);
            }
            _ if gives_up => self.give_up(h, ctx),
            _ => self.step_over(h, ctx),
        }
    }
    /// A step, or the guard, has come to its end in vain.
    pub(super) fn give_up(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        self.abandon(h, ctx);
        self.gave_up = true;
        debug_assert_eq!(self.stage, Stage::Idle);
    }
}
