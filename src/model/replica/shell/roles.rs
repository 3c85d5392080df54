//! What a replica is: promoted, stopped, resumed, told to follow, started again.

use super::*;

impl Replica {
    pub(super) fn on_local(&mut self, local: LocalMsg, ctx: &mut Ctx<'_>) {
        match local {
            // The order came twice: the first one has been carried out.
            LocalMsg::Lead { term, .. }
                if term == self.core.term && self.core.role == Role::Primary =>
            {
                self.tell_agent(LocalMsg::Leading { term }, ctx);
            }
            // Half a copy leads nobody.
            LocalMsg::Lead { .. } if self.resync.is_some() => {}
            LocalMsg::Lead { term, token, takes } if term > self.core.term => {
                self.promoting = Some((term, token));
                self.promote_due = false;
                self.core.seen = self.core.seen.max(token);
                self.follower.stop(ctx);
                ctx.set_timer(PROMOTE, takes);
            }
            LocalMsg::Lease { token, until } => self.on_lease(token, until, ctx),
            LocalMsg::StepDown => {
                self.promoting = None;
                self.depose(ctx);
            }
            LocalMsg::Quiesce => self.quiesced = true,
            LocalMsg::Resume => self.resume(ctx),
            LocalMsg::Follow { primary, term, token, resync } => {
                self.follow(primary, term, token, resync, ctx)
            }
            // A database that recovers, or is made a copy, answers nobody.
            LocalMsg::Ask { .. } if self.recovering || self.resync.is_some() => {}
            LocalMsg::Ask { seq } => self.report(seq, ctx),
            LocalMsg::Lead { .. }
            | LocalMsg::Status { .. }
            | LocalMsg::Leading { .. }
            | LocalMsg::Fenced { .. } => {}
        }
    }

    fn on_lease(&mut self, token: FencingToken, until: LocalTime, ctx: &mut Ctx<'_>) {
        self.lease_until = until;
        self.core.token = self.core.token.max(token);
        self.core.seen = self.core.seen.max(token);
        if until != LocalTime::MAX {
            ctx.set_timer(LEASE, until.since(ctx.now()));
        }
        self.progress(ctx);
    }

    /// Takes work again after a quiet time, or after a lease that lapsed and came back, provided
    /// that nobody else led in between (the agent knows). What a crash wiped from memory had
    /// names in the old segment, so after one a new segment begins; and one that lost its disk
    /// has nothing to go on with.
    fn resume(&mut self, ctx: &mut Ctx<'_>) {
        self.quiesced = false;
        let newest = self.core.seen <= self.core.token;
        if self.core.role != Role::Deposed || !newest || self.hollow {
            return;
        }
        self.core.role = Role::Primary;
        if self.recovering {
            // It leads when it has recovered.
        } else if self.wiped {
            self.lead_again(ctx);
        } else {
            self.core.refusals = Refusals::default();
            self.mode.on_lead(&mut self.core, ctx);
            self.set_guard(ctx);
            ctx.claim(Claim::Primary(self.core.group, self.core.term));
        }
    }

    pub(super) fn depose(&mut self, ctx: &mut Ctx<'_>) {
        self.pending.clear();
        self.turn_all_away(ctx);
        if self.core.role == Role::Primary {
            self.core.role = Role::Deposed;
            ctx.claim(Claim::SteppedDown(self.core.group, self.core.term));
        }
    }

    fn follow(
        &mut self,
        primary: ProcessId,
        term: Term,
        token: FencingToken,
        resync: Resync,
        ctx: &mut Ctx<'_>,
    ) {
        let already = self.resync.is_some() && term == self.core.term;
        if term < self.core.term || primary == ctx.me() || already {
            return;
        }
        self.promoting = None;
        self.depose(ctx);
        self.core.role = Role::Standby;
        self.core.term = term;
        self.core.seen = self.core.seen.max(token);
        self.quiesced = false;
        self.hollow = false;
        self.follower.follow(primary);
        self.lag.forget();
        if resync.rebuilt {
            self.core.truncate(LogIndex(0), ctx);
        }
        self.resync = (resync != Resync::NONE).then_some(resync);
        if !self.recovering {
            self.begin_following(ctx);
        }
        ctx.claim(Claim::Rejoining(self.core.group, ctx.node()));
    }

    /// Follows its primary, once it has been made a copy of it. A crash meanwhile costs all the
    /// time again.
    fn begin_following(&mut self, ctx: &mut Ctx<'_>) {
        match self.resync {
            Some(Resync { takes, .. }) => ctx.set_timer(RESYNC, takes),
            None => self.start_following(ctx),
        }
    }
    fn start_following(&mut self, ctx: &mut Ctx<'_>) {
        self.follower.start(&mut self.core, ctx);
        self.stand(AsStandby::Follows, ctx);
    }
    pub(super) fn on_resynced(&mut self, ctx: &mut Ctx<'_>) {
        self.resync = None;
        self.begin_following(ctx);
    }

    /// The promotion is over once the time is up and everything received has been applied.
    pub(super) fn try_promote(&mut self, ctx: &mut Ctx<'_>) {
        let Some((term, token)) = self.promoting else { return };
        self.promote_due = true;
        if self.recovering {
            return;
        }
        self.discard_unapplied(ctx);
        if !self.follower.has_applied(&self.core) {
            self.follower.when_applied(ctx);
            return;
        }
        self.promoting = None;
        self.hollow = false;
        self.core.role = Role::Primary;
        self.core.term = term;
        self.core.token = self.core.token.max(token);
        self.quiesced = false;
        self.restarts = 0;
        self.lead(ctx);
        self.tell_agent(LocalMsg::Leading { term }, ctx);
    }

    /// Begins a segment of one's own.
    pub(super) fn lead(&mut self, ctx: &mut Ctx<'_>) {
        let segment = Segment::again(self.core.term, ctx.node(), self.restarts);
        let from = self.core.log.begin(segment);
        self.wiped = false;
        self.storage_ok = LogIndex(0);
        self.storage_asked = LogIndex(0);
        self.storage_round = self.storage_round.wrapping_add(1);
        ctx.effect(Effect::Begin { group: self.core.group, segment, from });
        ctx.claim(Claim::Primary(self.core.group, self.core.term));
        self.begin_sync(ctx);
        self.check_storage(ctx);
        self.core.refusals = Refusals::default();
        self.mode.on_lead(&mut self.core, ctx);
        self.set_guard(ctx);
    }

    pub(super) fn on_newer_token(&mut self, token: FencingToken, ctx: &mut Ctx<'_>) {
        self.core.seen = self.core.seen.max(token);
        if token > self.core.token && self.core.role == Role::Primary {
            ctx.claim(Claim::Fenced(self.core.group, token));
            self.depose(ctx);
            self.tell_agent(LocalMsg::Fenced { token }, ctx);
        }
    }

    pub(super) fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        self.start_guard(ctx);
        if std::mem::take(&mut self.crashed) {
            self.recovering = true;
            let takes = self.spec.restart_time.sample(&mut self.dice);
            ctx.set_timer(RECOVER, takes);
            return;
        }
        match self.core.role {
            Role::Primary => self.lead(ctx),
            Role::Standby => self.start_following(ctx),
            Role::Deposed => {}
        }
    }

    /// The database works again, as what it is now: orders may have come meanwhile.
    pub(super) fn on_recovered(&mut self, ctx: &mut Ctx<'_>) {
        self.recovering = false;
        self.follower.recover(ctx);
        if self.promoting.is_some() {
            if self.promote_due {
                self.try_promote(ctx);
            }
            return;
        }
        match self.core.role {
            Role::Primary => self.lead_again(ctx),
            Role::Standby => self.begin_following(ctx),
            Role::Deposed => {}
        }
    }

    /// Leads in its old term, after a crash.
    fn lead_again(&mut self, ctx: &mut Ctx<'_>) {
        self.restarts = self.restarts.saturating_add(1);
        self.lead(ctx);
    }
}
