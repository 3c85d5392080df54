//! Failback: the primary returns to where it was at first.
//!
//! Careful, in five steps: bring back (the first primary is there again and follows), sync (it has
//! caught up), verify (somebody looks at it), switch in the window (traffic is stopped, the last
//! writes are shipped, and only then it is promoted), watch (when it fails again soon, it does not
//! return a second time). Hasty: as soon as it follows it is promoted, with what it has.
//!
//! A careful switch loses nothing that the old primary answered; its outage is stopping, two round
//! trips, promotion, and the way to the routers. A hasty one loses what had not been shipped.

use super::failover::Stage;
use super::store::Store;
use super::{Controller, Hand, Phase, SWITCH, hand};
use crate::model::control::Failback;
use crate::model::ctx::{Ctx, Timer};
use crate::model::fact::{Claim, FailoverStep, ReturnStep};
use crate::model::msg::Role;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Bytes;
use crate::sim::time::{LocalTime, WallTime};

crate::choices! {
    /// How the primary returns.
    pub enum Style {
        /// In five steps.
        Careful = "careful",
        /// At once.
        Hasty = "hasty",
    }
}

crate::params! {
    /// When the primary may return: a time of low traffic.
    pub struct WindowParams {
        /// When it opens for the first time, from the start of the run by the controller's clock.
        opens: Span = Span::ZERO, "our choice";
        /// How long it stays open.
        lasts: Span = Span::from_secs(3600), "our choice";
        /// From one opening to the next.
        every: Span = Span::from_secs(86_400), "once a day";
    }
}

crate::params! {
    /// How the primary returns to its first region.
    pub struct ReturnParams {
        /// In five steps, or at once.
        style: Style = Style::Careful, "our choice";
        /// Bring back: for so long it must have been there again.
        stable: Span = Span::from_secs(60), "our choice";
        /// Sync: how far it may be behind to be looked at.
        max_lag: Bytes = Bytes(1_048_576), "Patroni: maximum_lag_on_failover";
        /// Verify: how long somebody looks at it.
        verify: DistSpec = DistSpec::Constant(Span::from_secs(300)), "our choice";
        /// Switch: for `scheduled`, when.
        window: WindowParams = WindowParams::default(), "see its own keys";
        /// After so long a switch that has not come to the promotion is given up.
        switch_timeout: Span = Span::from_secs(30), "our choice";
        /// So many switches are tried. After the last in vain the primary stays where it is.
        switch_attempts: u32 = 3, "our choice";
        /// Watch: a primary that fails within that time of its return does not return again.
        watch: Span = Span::from_secs(3600), "our choice";
    }
}

impl WindowParams {
    /// True while it is open.
    pub fn open(&self, at: WallTime) -> bool {
        let at = Span::from_nanos(at.as_nanos());
        let since = at.as_nanos().checked_sub(self.opens.as_nanos());
        since.is_some_and(|since| since % self.every.as_nanos().max(1) < self.lasts.as_nanos())
    }
}

/// A switch that was planned or ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switch {
    /// Who is to lead; nothing for the best.
    pub to: Option<usize>,
    /// Only with all that the old primary has.
    pub whole: bool,
    /// After so long it is given up, unless somebody is being promoted.
    pub patience: Span,
}

/// How far a careful return is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Homecoming {
    step: Option<ReturnStep>,
    /// Since when it is at that step; for `Verify`, until when.
    at: LocalTime,
    /// When the primary returned last.
    returned: Option<LocalTime>,
    /// How many switches were tried since it left.
    tried: u32,
    /// It failed again soon after.
    forsaken: bool,
}

impl Store {
    /// Regular contact has just been made: true when the primary is to return now.
    pub(super) fn may_return(&mut self, h: &Hand<'_>, ctx: &mut Ctx<'_>) -> bool {
        let failover = &h.plan.failover;
        let wanted = matches!(failover.failback, Failback::Automatic | Failback::Scheduled);
        let home = self.plan.primary;
        let in_vain = self.home.tried >= failover.returning.switch_attempts;
        if !wanted || self.primary == home || self.home.forsaken || in_vain {
            return false;
        }
        let replica = &self.replicas[home];
        let follows =
            replica.report.is_some_and(|r| r.role == Role::Standby && r.term == self.term);
        let well = replica.reachable() && follows && !h.opinions.unhealthy(replica.seat.node);
        if !well || self.stage != Stage::Idle {
            self.home.step = None;
            return false;
        }
        let params = &failover.returning;
        let open = failover.failback == Failback::Automatic || params.window.open(ctx.wall());
        if params.style == Style::Hasty {
            return open;
        }
        let lag = self.lag(home).saturating_mul(u64::from(self.plan.entry_bytes));
        let now = ctx.now();
        match self.home.step {
            None => self.come(ReturnStep::BringBack, now, ctx),
            Some(ReturnStep::BringBack) if now.since(self.home.at) >= params.stable => {
                self.come(ReturnStep::Sync, now, ctx);
            }
            Some(ReturnStep::Sync) if lag <= params.max_lag.0 => {
                let takes = h.plan.draw(self.plan.label, h.episode, "verify", 0, &params.verify);
                self.come(ReturnStep::Verify, now.saturating_add(takes), ctx);
            }
            Some(ReturnStep::Verify) if now >= self.home.at => {
                self.come(ReturnStep::Window, now, ctx);
            }
            _ => {}
        }
        self.home.step == Some(ReturnStep::Window) && open && lag <= params.max_lag.0
    }
    fn come(&mut self, step: ReturnStep, at: LocalTime, ctx: &mut Ctx<'_>) {
        (self.home.step, self.home.at) = (Some(step), at);
        ctx.claim(Claim::Returning(self.plan.group, step));
    }
    /// A failover was declared: one soon after a return is the last return.
    pub(super) fn failed_again(&mut self, h: &Hand<'_>, now: LocalTime) {
        let watch = h.plan.failover.returning.watch;
        let careful = h.plan.failover.returning.style == Style::Careful;
        let soon = self.home.returned.is_some_and(|at| now.since(at) < watch);
        self.home.forsaken |= careful && soon && self.primary == self.plan.primary;
    }
    /// A planned switch came to its end.
    pub(super) fn switched(&mut self, ctx: &mut Ctx<'_>) {
        if self.switch.take().is_some() {
            ctx.cancel_timer(self.timer(SWITCH));
            if self.primary == self.plan.primary {
                (self.home.returned, self.home.tried) = (Some(ctx.now()), 0);
                self.come(ReturnStep::Watch, ctx.now(), ctx);
            }
        }
    }
    /// True while a switch waits until its candidate has all that the old primary has.
    pub(super) fn waits_for_all(&self) -> bool {
        self.switch.is_some_and(|switch| switch.whole)
    }
    /// Whether the candidate of a planned switch has it. The old primary has stopped, so that it
    /// moves no more, and answered since.
    pub(super) fn has_all(&self, who: usize, since: u32) -> bool {
        let Some(Switch { to, whole, .. }) = self.switch else { return true };
        let fresh = self.replicas[self.primary].report.is_some_and(|r| r.seq >= since);
        to.is_none_or(|to| to == who) && (!whole || (self.stopped && fresh && self.lag(who) == 0))
    }
    /// The controller started again while one is under way.
    pub(super) fn resume_switch(&self, ctx: &mut Ctx<'_>) {
        if let Some(switch) = self.switch {
            ctx.set_timer(self.timer(SWITCH), switch.patience);
        }
    }
    /// True before anybody is promoted.
    pub(super) fn is_early(&self) -> bool {
        matches!(self.stage, Stage::StopTraffic | Stage::Drain | Stage::Fence(_))
    }
    /// A planned switch takes too long: it is given up before anybody is promoted.
    pub(super) fn on_switch_timer(&mut self, h: &mut Hand<'_>, ctx: &mut Ctx<'_>) {
        if self.switch.is_some() && self.is_early() {
            self.abandon(h, ctx);
        }
    }
}

impl Controller {
    /// Looks whether a primary is to return, and begins that.
    pub(super) fn look_homewards(&mut self, ctx: &mut Ctx<'_>) {
        for i in 0..self.stores.len() {
            let hand = hand!(self);
            let returns = self.stores[i].may_return(&hand, ctx);
            if returns && self.phase == Phase::Calm {
                let whole = self.plan.failover.returning.style == Style::Careful;
                let to = Some(self.stores[i].plan.primary);
                let patience = self.plan.failover.returning.switch_timeout;
                self.stores[i].home.tried += 1;
                self.switch_over(i, Switch { to, whole, patience }, ctx);
            }
        }
    }
    /// Begins a planned switch of one store.
    pub(super) fn switch_over(&mut self, which: usize, switch: Switch, ctx: &mut Ctx<'_>) {
        self.phase = Phase::Acting;
        self.episode += 1;
        let store = &mut self.stores[which];
        ctx.claim(Claim::Step(store.plan.group, FailoverStep::Declared));
        store.switch = Some(switch);
        ctx.set_timer(Timer::nth(SWITCH, store.number), switch.patience);
        store.begin(&mut hand!(self), ctx);
        self.consider(ctx);
    }
}
