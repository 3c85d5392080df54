//! In office: what a racer does with the lease it holds.

use super::run::Run;
use super::*;

/// The lease is ours.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Office {
    /// The promotion that was ordered, until the database leads.
    promotion: Option<Promotion>,
    /// In which term the routers were told.
    routed: Option<Term>,
}

/// A promotion.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Promotion {
    term: Term,
    /// False once the database has died since.
    told: bool,
}

impl Office {
    /// The database died: an order to it is forgotten.
    pub fn forget_order(&mut self) {
        if let Some(promotion) = self.promotion.as_mut() {
            promotion.told = false;
        }
    }
}

/// A database that was started.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Starting {
    /// When it was started first.
    pub since: LocalTime,
    /// When it was started last.
    pub last: LocalTime,
    /// How often.
    pub attempts: u32,
}

impl Racer {
    /// The service granted the lease, or renewed it.
    pub(super) fn on_granted(&mut self, until: LocalTime, ctx: &mut Ctx<'_>) {
        let run = self.run.clone();
        let asked = matches!(run, Run::Taking { .. } | Run::Renewing);
        if !asked && self.office.is_none() {
            // Too late: the next round finds our name on the lease.
            return;
        }
        if self.plan.lease.enforced_by == EnforcedBy::Watchdog {
            self.watchdog_wound = true;
            ctx.effect(Effect::Watchdog { after: until.since(ctx.now()) });
        }
        self.tell_lease(until, ctx);
        match run {
            Run::Taking { shown: FencingToken(0) } => self.take_office(true, ctx),
            Run::Taking { .. } | Run::Renewing => self.take_office(false, ctx),
            _ => return,
        }
        self.end(ctx);
    }
    /// Tells the database how long it may lead, as far as that is for it to watch.
    fn tell_lease(&self, until: LocalTime, ctx: &mut Ctx<'_>) {
        let by_database = self.plan.lease.enforced_by == EnforcedBy::Database;
        let until = if by_database { until } else { LocalTime::MAX };
        self.tell(LocalMsg::Lease { token: self.holder.token(), until }, ctx);
    }

    /// Brings the database to where a holder's belongs.
    fn take_office(&mut self, won: bool, ctx: &mut Ctx<'_>) {
        let token = self.holder.token();
        let office = *self.office.get_or_insert_default();
        let Some(known) = self.known else { return };
        let first = token == FencingToken(1);
        let order_stands = office.promotion.is_some_and(|promotion| promotion.told);
        match known.role {
            Role::Primary if won && !first => {
                // Somebody came between: what it goes on with is a history of its own.
                self.tell(LocalMsg::StepDown, ctx);
                self.promote(token, ctx);
            }
            Role::Primary => self.go_on(known, ctx),
            _ if order_stands => {}
            // It has lost its disk: it has nothing to go on with.
            Role::Deposed if known.token == FencingToken(0) => self.give_up(ctx),
            Role::Deposed if !won => {
                self.tell(LocalMsg::Resume, ctx);
                self.stand_aside(ctx);
            }
            Role::Deposed | Role::Standby => self.promote(token, ctx),
        }
    }
    /// The database is the primary that it was.
    fn go_on(&mut self, known: Known, ctx: &mut Ctx<'_>) {
        self.stand_aside(ctx);
        self.holder.publish(known.durable.index, ctx);
        let Some(office) = self.office.as_mut() else { return };
        if office.promotion.is_none() && office.routed.is_none() && known.term > Term(1) {
            // This racer crashed since: whether the routers were told is not known.
            office.routed = Some(known.term);
        }
        if let Some(term) = office.routed.filter(|_| self.rounds.is_multiple_of(REMIND_EVERY)) {
            for router in &self.plan.routers {
                ctx.cast(*router, self.route(term));
            }
        }
    }

    fn promote(&mut self, token: FencingToken, ctx: &mut Ctx<'_>) {
        let term = Term(token.0 as u32);
        let takes = self.plan.draw(token, "promotion", &self.plan.promotion);
        let promotion = Some(Promotion { term, told: true });
        self.office = Some(Office { promotion, routed: None });
        (self.following, self.rejoins) = (None, Rejoins::NotYet);
        self.racing = false;
        self.claim_step(FailoverStep::Promote, ctx);
        self.tell(LocalMsg::Lead { term, token, takes }, ctx);
    }
    /// The database leads.
    pub(super) fn on_leading(&mut self, led: Term, ctx: &mut Ctx<'_>) {
        let Some(office) = self.office.as_mut() else { return };
        if office.promotion.take_if(|promotion| promotion.term == led).is_some() {
            self.claim_step(FailoverStep::Route, ctx);
            let token = FencingToken(u64::from(led.0));
            let takes = self.plan.draw(token, "route", &self.plan.route);
            ctx.set_timer(Timer::nth(ROUTE, led.0), takes);
        }
    }
    /// The change of routing has taken its time.
    pub(super) fn on_route(&mut self, term: Term, ctx: &mut Ctx<'_>) {
        if let Some(office) = self.office.as_mut() {
            office.routed = Some(term);
            for router in &self.plan.routers {
                ctx.send(*router, self.route(term), 100);
            }
            self.claim_step(FailoverStep::Done, ctx);
        }
    }
    fn route(&self, term: Term) -> Msg {
        let target = self.plan.seat.database;
        Msg::Control(self.plan.group, ControlMsg::Route { target, version: term.0 })
    }

    /// The service would not renew, or another was faster.
    pub(super) fn on_denied(&mut self, by: NodeId, token: FencingToken, ctx: &mut Ctx<'_>) {
        if !matches!(self.run, Run::Taking { .. } | Run::Renewing) {
            // Too late: the next round says so again.
            return;
        }
        let mine = by == self.plan.seat.node;
        if mine && self.holder.gave_up(token) {
            self.holder.send_release(token, ctx);
        } else if mine && self.holder.token() != token {
            // Ours, by a grant whose answer got lost.
            self.holder.ask_as(token);
            return self.holder.ask(ctx);
        } else if self.run == Run::Renewing {
            self.demote(false, ctx);
        } else if let Run::Taking { .. } = self.run {
            self.stand_aside(ctx);
        }
        self.end(ctx);
    }

    /// The database is to be primary no longer. Cleanly it refuses work, and has its time to
    /// stop; otherwise it is stopped at once.
    pub(super) fn demote(&mut self, clean: bool, ctx: &mut Ctx<'_>) {
        if !self.enforced() {
            // Nobody stops it. It is primary by its own word, until another holds the lease.
            if !clean {
                self.office = None;
            }
            return;
        }
        self.office = None;
        if clean {
            self.demoting = true;
            self.tell(LocalMsg::Quiesce, ctx);
            let takes = self.plan.draw(self.holder.token(), "demotion", &self.plan.race.demotion);
            ctx.set_timer(Timer::of(STOPPED), takes);
        } else {
            self.tell(LocalMsg::StepDown, ctx);
        }
    }
    /// The demoted database has stopped.
    pub(super) fn on_stopped(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.demoting) {
            self.tell(LocalMsg::StepDown, ctx);
        }
    }

    /// The primary's database is dead: starts it again, up to a limit.
    pub(super) fn restart_in_place(&mut self, ctx: &mut Ctx<'_>) {
        let limit = self.plan.race.primary_start_timeout;
        let (since, attempts) = match self.starting {
            Some(Starting { since, attempts, .. }) => (since, attempts + 1),
            None => (ctx.now(), 1),
        };
        if attempts > self.plan.race.start_attempts || ctx.now().since(since) >= limit {
            return self.give_up(ctx);
        }
        self.start_database(attempts, ctx);
        self.ask_service(ctx);
    }
    /// Gives the lease back at once.
    pub(super) fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        self.leave_office(ctx);
        self.end(ctx);
    }
    pub(super) fn leave_office(&mut self, ctx: &mut Ctx<'_>) {
        self.office = None;
        self.tell(LocalMsg::StepDown, ctx);
        self.holder.release(ctx);
    }
}
