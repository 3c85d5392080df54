//! The other racers of the store: who is further ahead, and whom to follow.

use super::run::Run;
use super::*;
use crate::model::control::RejoinAs;
use crate::model::ctx::Class;
use crate::model::msg::Resync;

/// What another racer says of its database.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Report {
    pub role: Role,
    pub term: Term,
    pub durable: Position,
    pub running: bool,
}

impl Racer {
    fn hello(&mut self, agent: ProcessId, ctx: &mut Ctx<'_>) -> u32 {
        self.next_ask = self.next_ask.wrapping_add(1);
        let seq = self.next_ask;
        let msg = Msg::Control(self.plan.group, ControlMsg::Hello { seq, primary: None });
        let class = Class::Independent { patience: self.plan.race.check_timeout.max(AGAIN) };
        ctx.effect(Effect::Send { to: agent, msg, class, bytes: 100 });
        seq
    }

    /// Asks every other member how far it is; then the lease is asked for.
    pub(super) fn ask_rivals(&mut self, shown: FencingToken, ctx: &mut Ctx<'_>) {
        let patience = self.plan.race.check_timeout;
        let agents: Vec<ProcessId> = self.plan.rivals.iter().map(|rival| rival.agent).collect();
        if patience.is_zero() || agents.is_empty() {
            return self.take(shown, ctx);
        }
        let left = agents.into_iter().map(|agent| (agent, self.hello(agent, ctx))).collect();
        self.run = Run::Checking { shown, left };
        ctx.cancel_timer(Timer::of(BUDGET));
        ctx.set_timer(Timer::of(CHECK), patience);
    }
    /// Whoever has not answered by now is not heeded.
    pub(super) fn on_checked(&mut self, ctx: &mut Ctx<'_>) {
        if let Run::Checking { shown, .. } = self.run {
            self.take(shown, ctx);
        }
    }
    /// A rival answered that it is not ahead, or does not run.
    pub(super) fn heard_rival(&mut self, from: ProcessId, seq: u32, ctx: &mut Ctx<'_>) {
        let Run::Checking { shown, left } = &mut self.run else { return };
        let shown = *shown;
        left.retain(|asked| *asked != (from, seq));
        if left.is_empty() {
            ctx.cancel_timer(Timer::of(CHECK));
            self.take(shown, ctx);
        }
    }

    /// Another racer answered.
    pub(super) fn on_report(
        &mut self,
        from: ProcessId,
        seq: u32,
        report: Report,
        ctx: &mut Ctx<'_>,
    ) {
        if let Some((holder, token, asked)) = self.asked_holder
            && (holder.agent, asked) == (from, seq)
        {
            self.asked_holder = None;
            return self.on_holder(holder, token, report, ctx);
        }
        let asked = matches!(&self.run, Run::Checking { left, .. } if left.contains(&(from, seq)));
        if asked && report.running && self.is_ahead(report) {
            self.stand_aside(ctx);
            self.end(ctx);
        } else {
            self.heard_rival(from, seq, ctx);
        }
    }
    /// A primary that still runs, or a longer history.
    fn is_ahead(&self, report: Report) -> bool {
        let rank = |at: Position| (at.segment.term(), at.index);
        let own = self.known.map_or(Position::default(), |known| known.durable);
        report.role == Role::Primary || rank(report.durable) > rank(own)
    }

    /// Another holds the lease: stops a database that takes itself for primary, and follows.
    pub(super) fn see_holder(&mut self, node: NodeId, token: FencingToken, ctx: &mut Ctx<'_>) {
        let Some(known) = self.known.filter(|_| !self.demoting) else { return };
        if known.role == Role::Primary && self.enforced() {
            self.tell(LocalMsg::StepDown, ctx);
        }
        if known.role == Role::Standby {
            self.rejoins = Rejoins::NotYet;
            if self.following == Some((node, token)) {
                return;
            }
        } else if self.plan.rejoin.becomes == RejoinAs::Zombie {
            return;
        } else if self.rejoins != Rejoins::May {
            if self.rejoins == Rejoins::NotYet {
                self.rejoins = Rejoins::Waits;
                ctx.set_timer(Timer::of(REJOIN), self.plan.rejoin.after);
            }
            return;
        }
        if let Some(seat) = self.plan.rivals.iter().find(|rival| rival.node == node).copied() {
            let seq = self.hello(seat.agent, ctx);
            self.asked_holder = Some((seat, token, seq));
        }
    }
    /// The holder says what it is: once it leads, it is followed.
    fn on_holder(&mut self, holder: Seat, token: FencingToken, report: Report, ctx: &mut Ctx<'_>) {
        let leads = report.running && report.role == Role::Primary;
        let Some(known) = self.known.filter(|_| leads && self.office.is_none()) else { return };
        self.following = Some((holder.node, token));
        if known.role != Role::Standby || known.term != report.term {
            let (primary, term) = (holder.database, report.term);
            let resync = self.resync(known.role, token);
            self.tell(LocalMsg::Follow { primary, term, token, resync }, ctx);
        }
    }

    /// What that costs: nothing for a standby.
    fn resync(&self, role: Role, token: FencingToken) -> Resync {
        let rejoin = &self.plan.rejoin;
        if role == Role::Standby {
            return Resync::NONE;
        }
        let rebuilt = rejoin.becomes == RejoinAs::Rebuilt;
        let copying = if rebuilt { rejoin.copying() } else { Span::ZERO };
        let takes = self.plan.draw(token, "resync", &rejoin.resync);
        Resync { takes: takes.saturating_add(copying), rebuilt }
    }
}
