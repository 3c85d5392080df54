//! One round of the loop: ask the database, then the coordination service, and decide.

use super::office::Starting;
use super::*;
use crate::model::control::holder::{Heard, Seen};

/// Where the round under way stands.
#[derive(Clone, PartialEq, Debug)]
pub enum Run {
    /// None is under way.
    Idle,
    /// The database was asked how it is.
    Asking {
        /// The number of the question.
        ask: u32,
    },
    /// The service was asked how the lease stands.
    Looking,
    /// The lease is free: the other candidates are asked how far they are.
    Checking {
        /// The token to ask for the lease with; 0 for none.
        shown: FencingToken,
        /// The agents that have not answered, and the numbers of the questions.
        left: Vec<(ProcessId, u32)>,
    },
    /// The lease was asked for.
    Taking {
        /// The token shown; 0 for none.
        shown: FencingToken,
    },
    /// The lease we hold was asked for again.
    Renewing,
}

impl Racer {
    /// Begins a round, unless one is under way: then the next follows it at once.
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>) {
        if self.run != Run::Idle {
            self.overdue = true;
            return;
        }
        self.rounds = self.rounds.wrapping_add(1);
        self.allow_time(ctx);
        let ask = self.ask(ctx);
        self.run = Run::Asking { ask };
        if self.starting.is_some() {
            ctx.set_timer(Timer::nth(ASK, ask), STARTED_ANSWERS_WITHIN);
        }
    }
    /// What is asked next must be answered within this time.
    fn allow_time(&self, ctx: &mut Ctx<'_>) {
        ctx.set_timer(Timer::of(BUDGET), self.plan.race.retry_timeout);
    }
    /// The round is over.
    pub(super) fn end(&mut self, ctx: &mut Ctx<'_>) {
        self.run = Run::Idle;
        self.holder.stop_asking(ctx);
        ctx.cancel_timer(Timer::of(BUDGET));
        ctx.cancel_timer(Timer::of(CHECK));
        if std::mem::take(&mut self.overdue) {
            self.begin(ctx);
        }
    }
    /// What was asked last has used up its time.
    pub(super) fn on_budget(&mut self, ctx: &mut Ctx<'_>) {
        match self.run {
            Run::Renewing if self.office.is_some() => self.demote(true, ctx),
            Run::Taking { .. } => self.stand_aside(ctx),
            _ => {}
        }
        self.end(ctx);
    }
    /// What was watched has changed: the next round is now, and the loop goes on from there. One
    /// that races is told of its own success.
    pub(super) fn on_changed(&mut self, ctx: &mut Ctx<'_>) {
        let races = matches!(self.run, Run::Checking { .. } | Run::Taking { .. });
        if self.office.is_none() && !races {
            ctx.set_timer(Timer::of(LOOP), self.plan.race.loop_wait);
            self.begin(ctx);
        }
    }

    /// The database answered a question.
    pub(super) fn on_works(&mut self, ask: u32, ctx: &mut Ctx<'_>) {
        let started = self.starting.take().is_some();
        if self.run == (Run::Asking { ask }) {
            self.ask_service(ctx);
        } else if started && self.run == Run::Idle {
            self.begin(ctx);
        }
    }
    /// The database does not run.
    pub(super) fn on_database_dead(&mut self, ask: u32, ctx: &mut Ctx<'_>) {
        self.known = None;
        self.answer(ask, false, ctx);
        if let Some(office) = self.office.as_mut() {
            office.forget_order();
        }
        if self.run == (Run::Asking { ask }) {
            if self.office.is_none() {
                self.start_database(1, ctx);
                self.ask_service(ctx);
            } else {
                self.restart_in_place(ctx);
            }
        } else if let Some(starting) = self.starting {
            self.start_failed(starting, ctx);
        }
    }
    /// The primary's is tried again after a while, or given up in a round of its own at once;
    /// another's waits for the next round.
    fn start_failed(&mut self, starting: Starting, ctx: &mut Ctx<'_>) {
        let no_more = starting.attempts >= self.plan.race.start_attempts;
        if self.office.is_none() {
            self.starting = None;
        } else if no_more || ctx.now().since(starting.last) >= AGAIN {
            self.begin(ctx);
        }
    }
    /// The database is still starting: the lease is kept meanwhile, up to a limit.
    pub(super) fn go_on_starting(&mut self, ctx: &mut Ctx<'_>) {
        if self.office.is_some() && self.starts_too_long(ctx.now()) {
            self.give_up(ctx);
        } else {
            self.ask_service(ctx);
        }
    }
    pub(super) fn start_database(&mut self, attempts: u32, ctx: &mut Ctx<'_>) {
        let last = ctx.now();
        let since = match self.starting {
            Some(starting) if attempts > 1 => starting.since,
            _ => last,
        };
        self.starting = Some(Starting { since, last, attempts });
        ctx.effect(Effect::Start(self.plan.seat.database));
        self.knock(ctx);
    }
    /// Asks the database that was started whether it works. That of a primary has its limit.
    pub(super) fn knock(&mut self, ctx: &mut Ctx<'_>) {
        self.ask(ctx);
        ctx.set_timer(Timer::of(KNOCK), AGAIN);
        if self.office.is_some() && self.starts_too_long(ctx.now()) {
            self.begin(ctx);
        }
    }
    fn starts_too_long(&self, now: LocalTime) -> bool {
        let limit = self.plan.race.primary_start_timeout;
        self.starting.is_some_and(|starting| now.since(starting.since) >= limit)
    }

    /// Whoever holds the lease renews it, the others look at it.
    pub(super) fn ask_service(&mut self, ctx: &mut Ctx<'_>) {
        if self.office.is_some() {
            self.renew(ctx);
        } else {
            self.run = Run::Looking;
            self.allow_time(ctx);
            self.holder.look(self.plan.race.learn == Learn::Watch, ctx);
        }
    }
    fn renew(&mut self, ctx: &mut Ctx<'_>) {
        self.run = Run::Renewing;
        self.allow_time(ctx);
        self.holder.ask(ctx);
    }

    /// The service said something.
    pub(super) fn on_lease(&mut self, msg: LeaseMsg, ctx: &mut Ctx<'_>) {
        match self.holder.on_answer(msg, ctx) {
            Heard::Nothing => {}
            Heard::Seen(seen) if self.run == Run::Looking => self.on_seen(seen, ctx),
            Heard::Granted { until, .. } => self.on_granted(until, ctx),
            Heard::Denied { holder, token } => self.on_denied(holder, token, ctx),
            Heard::Seen(_) => {}
        }
    }
    fn on_seen(&mut self, seen: Seen, ctx: &mut Ctx<'_>) {
        match seen.holder {
            Some(holder) if holder == self.plan.seat.node => {
                if self.holder.gave_up(seen.token) {
                    // The service has not heard our release yet.
                    self.holder.send_release(seen.token, ctx);
                    self.end(ctx);
                } else {
                    self.holder.ask_as(seen.token);
                    self.renew(ctx);
                }
            }
            Some(holder) => {
                self.see_holder(holder, seen.token, ctx);
                self.end(ctx);
            }
            None => self.consider_racing(seen, ctx),
        }
    }

    /// The lease is free. Whoever never stopped being primary asks for it as a matter of course;
    /// a standby that is not too far behind asks the others first.
    fn consider_racing(&mut self, seen: Seen, ctx: &mut Ctx<'_>) {
        let Some(known) = self.known.filter(|_| !self.demoting) else { return self.end(ctx) };
        let nobody_yet = seen.token == FencingToken(0);
        let newest = seen.token == known.token && known.role != Role::Standby;
        let shown = if newest { known.token } else { FencingToken(0) };
        if known.role == Role::Primary && (nobody_yet || newest) {
            return self.take(shown, ctx);
        }
        let own = known.durable.index.0;
        let behind = seen.published.0.saturating_sub(own).saturating_mul(self.plan.entry_bytes);
        let too_far = behind > self.plan.race.maximum_lag_on_failover.0;
        // An empty history is no candidate: that database has lost its disk.
        if nobody_yet || own == 0 || too_far {
            return self.end(ctx);
        }
        self.racing = true;
        self.claim_step(FailoverStep::Race, ctx);
        self.ask_rivals(shown, ctx);
    }
    pub(super) fn take(&mut self, shown: FencingToken, ctx: &mut Ctx<'_>) {
        self.run = Run::Taking { shown };
        self.allow_time(ctx);
        self.holder.ask_as(shown);
        self.holder.ask(ctx);
    }
    /// This one does not race, or has lost.
    pub(super) fn stand_aside(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.racing) {
            self.claim_step(FailoverStep::Abandoned, ctx);
        }
    }
}
