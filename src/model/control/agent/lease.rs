//! What the agent makes of its lease: renews it, tells the database, enforces it.

use super::*;
use crate::model::control::holder::Heard;

impl Agent {
    /// Begins to ask for the lease; renewals have a phase of their own.
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>) {
        let Some(holder) = self.holder.as_mut() else { return };
        if !holder.waiting() {
            holder.ask(ctx);
        }
        let every = holder.params.renew_interval;
        let wait = if self.aim == Aim::Lead { self.phase(every) } else { every.min(AGAIN) };
        ctx.set_timer(Timer::of(RENEW), wait);
    }

    pub(super) fn on_renew(&mut self, ctx: &mut Ctx<'_>) {
        let Some(holder) = self.holder.as_ref() else { return };
        let LeaseParams { ttl, renew_interval, .. } = holder.params;
        if matches!(self.aim, Aim::Nothing | Aim::Unknown) {
            return;
        }
        let now = ctx.now();
        if matches!(self.aim, Aim::Take { .. }) && now.since(self.last_hello) > ttl {
            self.give_up(ctx);
            return;
        }
        let database_silent = now.since(self.heard) > ttl;
        if let Some(holder) = self.holder.as_mut() {
            if database_silent {
                holder.stop_asking(ctx);
            } else if !holder.waiting() {
                holder.ask(ctx);
            }
        }
        self.ask(ctx);
        let trying = self.aim != Aim::Lead && self.held(now).is_none();
        let wait = if trying { renew_interval.min(AGAIN) } else { renew_interval };
        ctx.set_timer(Timer::of(RENEW), wait);
    }

    pub(super) fn on_lease(&mut self, msg: LeaseMsg, ctx: &mut Ctx<'_>) {
        let wanted = !matches!(self.aim, Aim::Nothing | Aim::Unknown);
        let Some(holder) = self.holder.as_mut() else { return };
        if !wanted {
            // A grant that crossed with our giving up: while draining it is kept and given back
            // at the end.
            if self.draining.is_some() {
                holder.on_answer(msg, ctx);
            } else if let LeaseMsg::Granted { token, .. } = msg {
                holder.send_release(token, ctx);
            }
            return;
        }
        match holder.on_answer(msg, ctx) {
            Heard::Nothing | Heard::Seen(_) => {}
            Heard::Granted { until, fresh } => self.on_granted(until, fresh, ctx),
            Heard::Denied { holder, token } => self.on_denied(holder, token, ctx),
        }
    }

    pub(super) fn on_granted(&mut self, until: LocalTime, fresh: bool, ctx: &mut Ctx<'_>) {
        if self.enforced_by() == Some(EnforcedBy::Watchdog) {
            self.watchdog_wound = true;
            ctx.effect(Effect::Watchdog { after: until.since(ctx.now()) });
        }
        if let Aim::Take { controller, episode, told } = self.aim {
            if !told {
                self.taken(controller, episode, ctx);
            }
            if fresh {
                let every = self.holder.as_ref().map_or(AGAIN, |h| h.params.renew_interval);
                ctx.set_timer(Timer::of(RENEW), every);
            }
            return;
        }
        self.tell_lease(ctx);
        let resume = self.aim == Aim::Resume || self.stopped_by_lapse;
        self.aim = Aim::Lead;
        self.stopped_by_lapse = false;
        if resume && !self.self_fenced {
            self.tell(LocalMsg::Resume, ctx);
        }
        self.lead(ctx);
    }
    pub(super) fn taken(&mut self, controller: ProcessId, episode: u32, ctx: &mut Ctx<'_>) {
        let token = self.holder.as_ref().map_or(FencingToken(0), |h| h.token());
        self.say(controller, ControlMsg::Taken { episode, token }, ctx);
        self.aim = Aim::Take { controller, episode, told: true };
    }
    /// Tells the database how long it may lead, as far as that is for it to watch.
    pub(super) fn tell_lease(&mut self, ctx: &mut Ctx<'_>) {
        let Some(holder) = self.holder.as_ref() else { return };
        let Some(until) = holder.held(ctx.now()) else { return };
        let by_database = holder.params.enforced_by == EnforcedBy::Database;
        let until = if by_database { until } else { LocalTime::MAX };
        let token = holder.token();
        self.tell(LocalMsg::Lease { token, until }, ctx);
    }

    pub(super) fn on_denied(&mut self, by: NodeId, token: FencingToken, ctx: &mut Ctx<'_>) {
        let Some(holder) = self.holder.as_mut() else { return };
        if by == self.node && holder.gave_up(token) {
            // The service has not heard our release yet.
            holder.send_release(token, ctx);
        } else if by == self.node && holder.token() != token {
            // Ours from before a crash.
            holder.ask_as(token);
            holder.ask(ctx);
        } else if self.aim == Aim::Lead {
            if holder.params.enforced_by == EnforcedBy::Nobody {
                return;
            }
            self.tell(LocalMsg::StepDown, ctx);
            self.retire(ctx);
            self.ask(ctx);
        } else {
            holder.ask_as(FencingToken(0));
        }
    }
    /// An enforcing agent's loop: stops a database whose lease has lapsed.
    pub(super) fn on_loop(&mut self, ctx: &mut Ctx<'_>) {
        let Some(holder) = self.holder.as_ref() else { return };
        let lapsed = holder.token() != FencingToken(0) && holder.held(ctx.now()).is_none();
        let every = holder.params.agent_loop;
        if lapsed && self.aim == Aim::Lead && !self.stopped_by_lapse {
            self.stopped_by_lapse = true;
            self.tell(LocalMsg::StepDown, ctx);
        }
        ctx.set_timer(Timer::of(LOOP), every);
    }
}
