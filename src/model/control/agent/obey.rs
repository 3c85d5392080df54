//! What the controller orders, and what the database says.

use super::*;

impl Agent {
    /// The controller says something.
    pub(super) fn on_order(&mut self, from: ProcessId, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        match msg {
            ControlMsg::Hello { seq, primary } => self.on_hello(from, seq, primary, ctx),
            ControlMsg::StopTraffic { episode } => self.on_stop_traffic(from, episode, ctx),
            ControlMsg::Resume { .. } => self.on_resume(ctx),
            ControlMsg::Take { episode } => self.on_take(from, episode, ctx),
            ControlMsg::Abandon { episode } => self.on_abandon(episode, ctx),
            ControlMsg::Promote { term, .. } | ControlMsg::Follow { term, .. }
                if term < self.newest_term() => {}
            ControlMsg::Promote { episode, term, token, takes } => {
                let (told, done) = (false, false);
                let controller = from;
                self.promotion =
                    Some(Promotion { controller, episode, term, token, takes, told, done });
                self.on_promote(ctx);
            }
            ControlMsg::Follow { primary, term, token, resync } => {
                self.draining = None;
                self.tell(LocalMsg::Follow { primary, term, token, resync }, ctx);
                self.retire(ctx);
                self.ask(ctx);
            }
            _ => {}
        }
    }

    /// Orders of an older term come from a controller that has missed a failover.
    fn newest_term(&self) -> Term {
        self.promotion.map_or(self.known.term, |promotion| self.known.term.max(promotion.term))
    }

    fn on_hello(&mut self, from: ProcessId, seq: u32, primary: Option<NodeId>, ctx: &mut Ctx<'_>) {
        let of_another = matches!(self.aim, Aim::Take { controller, .. } if controller != from);
        if !of_another {
            self.last_hello = ctx.now();
        }
        if primary == Some(self.node) {
            self.expect_hello(ctx);
            if std::mem::take(&mut self.self_fenced) && !self.stopped_by_lapse {
                self.tell(LocalMsg::Resume, ctx);
            }
        }
        let ask = self.ask(ctx);
        self.asks.push((ask, from, seq));
        ctx.set_timer(Timer::nth(ASK, ask), ANSWER_WITHIN);
    }

    /// With self-fencing, counts the controller's silence from now.
    pub(super) fn expect_hello(&self, ctx: &mut Ctx<'_>) {
        if let Some(after) = self.self_fence_after {
            ctx.set_timer(Timer::of(SELF_FENCE), after);
        }
    }

    /// Stops renewing at once: what is under way may end while the lease lasts, and if it does
    /// not, the lease lapses and the candidate gets it all the same.
    fn on_stop_traffic(&mut self, from: ProcessId, episode: u32, ctx: &mut Ctx<'_>) {
        self.aim = Aim::Nothing;
        self.promotion = None;
        self.draining = Some((from, episode));
        if let Some(holder) = self.holder.as_mut() {
            holder.stop_asking(ctx);
        }
        self.tell(LocalMsg::Quiesce, ctx);
        self.ask(ctx);
        ctx.set_timer(Timer::of(DRAIN), DRAIN_POLL);
    }
    /// Nothing is under way any more (or the database is dead, and forgets its lease).
    fn drained(&mut self, ctx: &mut Ctx<'_>) {
        let Some((controller, episode)) = self.draining.take() else { return };
        ctx.cancel_timer(Timer::of(DRAIN));
        self.retire(ctx);
        self.disarm(ctx);
        self.say(controller, ControlMsg::Stopped { episode }, ctx);
    }

    fn on_resume(&mut self, ctx: &mut Ctx<'_>) {
        if self.known.role == Role::Standby {
            return;
        }
        self.draining = None;
        (self.stopped_by_lapse, self.self_fenced) = (false, false);
        self.expect_hello(ctx);
        let now = ctx.now();
        let must_ask = self.holder.is_some() && self.held(now).is_none();
        if must_ask {
            // The controller says that nobody was promoted: ask as anybody, until it is free.
            self.aim = Aim::Resume;
            if let Some(holder) = self.holder.as_mut() {
                holder.ask_as(FencingToken(0));
            }
        } else {
            self.aim = Aim::Lead;
            self.tell(LocalMsg::Resume, ctx);
        }
        self.begin(ctx);
    }

    fn on_take(&mut self, from: ProcessId, episode: u32, ctx: &mut Ctx<'_>) {
        if self.holder.is_none() {
            self.say(from, ControlMsg::Taken { episode, token: FencingToken(0) }, ctx);
            return;
        }
        self.aim = Aim::Take { controller: from, episode, told: false };
        if self.held(ctx.now()).is_some() {
            self.taken(from, episode, ctx);
        } else if let Some(holder) = self.holder.as_mut() {
            holder.ask_as(FencingToken(0));
        }
        self.begin(ctx);
    }

    fn on_abandon(&mut self, of: u32, ctx: &mut Ctx<'_>) {
        if self.promotion.is_some_and(|p| p.episode == of) {
            self.tell(LocalMsg::StepDown, ctx);
            self.give_up(ctx);
        } else if matches!(self.aim, Aim::Take { episode, .. } if episode == of) {
            self.give_up(ctx);
        }
    }

    fn on_promote(&mut self, ctx: &mut Ctx<'_>) {
        self.aim = Aim::Lead;
        self.draining = None;
        (self.stopped_by_lapse, self.self_fenced) = (false, false);
        self.expect_hello(ctx);
        self.tell_lease(ctx);
        self.lead(ctx);
        self.begin(ctx);
    }
    /// Tells the database to lead, once it may.
    pub(super) fn lead(&mut self, ctx: &mut Ctx<'_>) {
        let may = self.holder.is_none() || self.held(ctx.now()).is_some();
        let Some(promotion) = self.promotion.as_mut() else { return };
        if !may || promotion.told {
            return;
        }
        promotion.told = true;
        let Promotion { term, token, takes, .. } = *promotion;
        let token = self.holder.as_ref().map_or(token, |h| h.token());
        self.tell(LocalMsg::Lead { term, token, takes }, ctx);
    }

    /// The database says something.
    pub(super) fn on_database(&mut self, msg: LocalMsg, ctx: &mut Ctx<'_>) {
        self.heard = ctx.now();
        match msg {
            LocalMsg::Status { seq, role, term, token, durable, idle } => {
                self.known = Known { role, term, durable };
                self.answer(seq, true, ctx);
                if self.aim == Aim::Unknown {
                    self.take_up(token, ctx);
                }
                if !self.database_told {
                    self.brief(ctx);
                }
                if idle {
                    self.drained(ctx);
                }
                if self.aim == Aim::Nothing && role != Role::Primary {
                    self.disarm(ctx);
                }
            }
            LocalMsg::Leading { term } => {
                if let Some(promotion) = self.promotion.as_mut()
                    && promotion.term == term
                    && !promotion.done
                {
                    promotion.done = true;
                    let Promotion { controller, episode, .. } = *promotion;
                    self.say(controller, ControlMsg::Promoted { episode, term }, ctx);
                }
            }
            LocalMsg::Fenced { .. } => {
                self.retire(ctx);
                self.disarm(ctx);
            }
            _ => {}
        }
    }
    /// The first answer after a start: goes on where the database stands.
    fn take_up(&mut self, token: FencingToken, ctx: &mut Ctx<'_>) {
        let Known { role, .. } = self.known;
        let leased = self.holder.is_some();
        // A deposed one may have been stopped by us, before we forgot: the service, or the
        // controller's hello, says whether anybody came after it.
        let deposed = role == Role::Deposed;
        let may_return = deposed && (leased && token != FencingToken(0));
        let fences_itself = self.self_fence_after.is_some();
        let forgot = fences_itself && self.restarted && role == Role::Primary;
        let awaits_hello = forgot || (fences_itself && deposed && !leased);
        if forgot {
            self.tell(LocalMsg::StepDown, ctx);
        }
        if role == Role::Primary || may_return || awaits_hello {
            self.aim = Aim::Lead;
            self.stopped_by_lapse = may_return;
            self.self_fenced = awaits_hello;
            if let Some(holder) = self.holder.as_mut() {
                holder.ask_as(token);
            }
            self.begin(ctx);
        } else {
            self.aim = Aim::Nothing;
        }
    }
    /// The database runs again: it has forgotten what it was told.
    fn brief(&mut self, ctx: &mut Ctx<'_>) {
        self.database_told = true;
        ctx.cancel_timer(Timer::of(KNOCK));
        if self.aim != Aim::Lead {
            return;
        }
        let promoting = self.promotion.is_some_and(|p| !p.done);
        if self.known.role == Role::Standby && !promoting {
            self.retire(ctx);
            return;
        }
        if self.known.role == Role::Primary && (self.stopped_by_lapse || self.self_fenced) {
            self.tell(LocalMsg::StepDown, ctx);
        } else {
            self.tell_lease(ctx);
        }
        if let Some(promotion) = self.promotion.as_mut() {
            promotion.told = promotion.done;
        }
        self.lead(ctx);
    }

    /// Answers the controller that asked, if one did.
    fn answer(&mut self, ask: u32, running: bool, ctx: &mut Ctx<'_>) {
        let Some(i) = self.asks.iter().position(|(own, ..)| *own == ask) else { return };
        let (_, controller, seq) = self.asks.remove(i);
        if running {
            ctx.cancel_timer(Timer::nth(ASK, ask));
        }
        let Known { role, term, durable } = self.known;
        let status = ControlMsg::Status { seq, role, term, durable, running };
        ctx.cast(controller, Msg::Control(self.group, status));
    }
    /// The database did not answer in time.
    pub(super) fn not_running(&mut self, ask: u32, ctx: &mut Ctx<'_>) {
        self.answer(ask, false, ctx);
    }
    /// The database was killed, or refuses because it does not run: nobody has to wait for it.
    pub(super) fn on_database_dead(&mut self, ctx: &mut Ctx<'_>) {
        for (ask, ..) in self.asks.clone() {
            ctx.cancel_timer(Timer::nth(ASK, ask));
            self.answer(ask, false, ctx);
        }
        self.drained(ctx);
        if self.database_told {
            self.database_told = false;
            ctx.set_timer(Timer::of(KNOCK), AGAIN);
        }
    }
}
