//! One store as its controller knows it, and the care of its replicas: contact, and keeping
//! them on their primary.

use super::attempts::Attempt;
use super::contact::{Replica, Report};
use super::failover::Stage;
use super::home::{Homecoming, Switch};
use super::{ControllerPlan, REJOIN, StorePlan};
use crate::model::control::{FailoverParams, RejoinAs};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{FencingToken, NodeId, ProcessId, Term};
use crate::model::msg::{ControlMsg, Msg, Resync, Role};
use crate::sim::Span;
use crate::sim::time::LocalTime;

/// One store under a controller.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its number among the stores of the controller.
    pub number: u32,
    /// What was planned.
    pub plan: StorePlan,
    /// Its replicas, in order of preference.
    pub replicas: Vec<Replica>,
    /// Which of them is primary.
    pub primary: usize,
    /// In which term.
    pub term: Term,
    /// With which token; 0 while only the coordination service knows it.
    pub token: FencingToken,
    /// The largest term given to any candidate.
    pub last_term: Term,
    /// Where its failover stands.
    pub stage: Stage,
    /// The attempt at its present step.
    pub attempt: Attempt,
    /// Its last failover was given up.
    pub gave_up: bool,
    /// The old primary was ordered to stop until it has heard.
    pub stop_ordered: bool,
    /// The old primary said in time that it has stopped.
    pub stopped: bool,
    /// The planned switch that is under way.
    pub switch: Option<Switch>,
    /// How far the return of its first primary is.
    pub home: Homecoming,
    /// When whoever may lead was last told so.
    pub named: LocalTime,
}

impl Store {
    /// As it is at the start.
    pub fn new(number: u32, plan: StorePlan) -> Store {
        Store {
            number,
            replicas: plan.seats.iter().map(|seat| Replica::new(*seat)).collect(),
            primary: plan.primary,
            term: Term(1),
            token: FencingToken(if plan.leased { 0 } else { 1 }),
            last_term: Term(1),
            stage: Stage::Idle,
            attempt: Attempt::default(),
            gave_up: false,
            stop_ordered: false,
            stopped: false,
            switch: None,
            home: Homecoming::default(),
            named: LocalTime::ZERO,
            plan,
        }
    }
    /// The node of its primary.
    pub fn primary_node(&self) -> NodeId {
        self.replicas[self.primary].seat.node
    }
    /// The database of its primary.
    pub fn primary_database(&self) -> ProcessId {
        self.replicas[self.primary].seat.database
    }
    /// Whose agent that is.
    pub fn replica_of(&self, agent: ProcessId) -> Option<usize> {
        self.replicas.iter().position(|r| r.seat.agent == agent)
    }
    /// Sends an order to a replica's agent.
    pub fn order(&self, who: usize, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        ctx.send(self.replicas[who].seat.agent, Msg::Control(self.plan.group, msg), 100);
    }
    /// The connection to one of its agents broke. In a failover that one is asked at once, by
    /// datagram, whether it answers.
    #[cold]
    pub fn broke(&mut self, by: ProcessId, seq: u32, ctx: &mut Ctx<'_>) {
        let Some(who) = self.replica_of(by) else { return };
        self.replicas[who].broken = true;
        if self.stage != Stage::Idle {
            self.hello(who, seq, ctx);
        }
    }
    /// Asks one agent how it is.
    pub fn hello(&mut self, who: usize, seq: u32, ctx: &mut Ctx<'_>) {
        let may_lead = self.may_lead();
        if may_lead == Some(who) {
            self.named = ctx.now();
        }
        let primary = may_lead.map(|leads| self.replicas[leads].seat.node);
        let agent = self.replicas[who].seat.agent;
        ctx.cast(agent, Msg::Control(self.plan.group, ControlMsg::Hello { seq, primary }));
    }
    /// The regular contact with all agents.
    pub fn greet(&mut self, seq: u32, ctx: &mut Ctx<'_>) {
        for who in 0..self.replicas.len() {
            self.replicas[who].asking(seq, ctx);
            self.hello(who, seq, ctx);
        }
    }
    /// The controller was killed: answers under way are lost.
    pub fn forget_questions(&mut self) {
        for replica in &mut self.replicas {
            replica.forget_question();
        }
    }

    /// An agent answered.
    pub fn on_report(
        &mut self,
        who: usize,
        report: Report,
        plan: &ControllerPlan,
        ctx: &mut Ctx<'_>,
    ) {
        let regained = self.replicas[who].answered(report, ctx);
        let idle = self.stage == Stage::Idle;
        let alone = plan.elected.is_none();
        if idle && alone && report.role == Role::Primary && report.term > self.last_term {
            // Only after the loss of the controller's disk: somebody was promoted before it.
            (self.primary, self.term, self.last_term) = (who, report.term, report.term);
            if !self.plan.leased {
                self.token = FencingToken(u64::from(report.term.0));
            }
        }
        if regained {
            self.plan_rejoin(who, &plan.failover, ctx);
        }
        let every = plan.failover.contact_interval.saturating_mul(5);
        let told = self.replicas[who].told_to_follow;
        let told_lately = told.is_some_and(|at| ctx.now().since(at) < every);
        let again = told.is_some() || report.role == Role::Standby;
        let may = again && !told_lately && self.strays(who);
        if may && self.may_reconfigure(plan, ctx.now()) {
            self.tell_to_follow(who, plan, ctx);
        }
    }
    /// True when a replica that answers does not follow the present primary.
    fn strays(&self, who: usize) -> bool {
        let replica = &self.replicas[who];
        let astray = |r: Report| r.term < self.term || r.role != Role::Standby;
        self.settled()
            && who != self.primary
            && replica.reachable()
            && replica.report.is_some_and(astray)
    }
    /// Tells a replica whom to follow.
    pub fn tell_to_follow(&mut self, who: usize, plan: &ControllerPlan, ctx: &mut Ctx<'_>) {
        self.replicas[who].told_to_follow = Some(ctx.now());
        let primary = self.replicas[self.primary].seat.database;
        let (term, token, resync) = (self.term, self.token, self.resync(who, plan));
        self.order(who, ControlMsg::Follow { primary, term, token, resync }, ctx);
    }
    /// What that costs it: nothing for a standby.
    fn resync(&self, who: usize, plan: &ControllerPlan) -> Resync {
        if self.replicas[who].report.is_none_or(|r| r.role == Role::Standby) {
            return Resync::NONE;
        }
        let rejoin = &plan.failover.rejoin;
        let takes = plan.draw(self.plan.label, self.term.0, "resync", who as u32, &rejoin.resync);
        let rebuilt = rejoin.becomes == RejoinAs::Rebuilt;
        let copying = if rebuilt { rejoin.copying() } else { Span::ZERO };
        Resync { takes: takes.saturating_add(copying), rebuilt }
    }
    /// After a promotion, or when contact is regained: a former primary is reconfigured some
    /// time later, or never.
    pub fn plan_rejoin(&mut self, who: usize, failover: &FailoverParams, ctx: &mut Ctx<'_>) {
        let rejoin = &failover.rejoin;
        if who != self.primary && rejoin.becomes != RejoinAs::Zombie {
            let arg = (self.number << 16) | who as u32;
            ctx.set_timer(Timer::nth(REJOIN, arg), rejoin.after);
        }
    }
    /// The time has come for that, if it is still reachable.
    pub fn rejoin(&mut self, who: usize, plan: &ControllerPlan, ctx: &mut Ctx<'_>) {
        let Some(replica) = self.replicas.get(who) else { return };
        if !self.settled() || (replica.contact && !replica.reachable()) {
            // A later failover is under way, and may be given up; or its agent answers, and its
            // database does not run yet. Either way the time comes again.
            let arg = (self.number << 16) | who as u32;
            ctx.set_timer(Timer::nth(REJOIN, arg), Span::from_secs(1));
        } else if self.strays(who) {
            self.tell_to_follow(who, plan, ctx);
        }
    }

    /// Tells all routers where clients belong.
    pub fn tell_routers(&self, ctx: &mut Ctx<'_>) {
        for router in &self.plan.routers {
            ctx.send(*router, self.route(), 100);
        }
    }
    /// Tells them again, for those that were down.
    pub fn remind_routers(&self, ctx: &mut Ctx<'_>) {
        if self.term > Term(1) && self.stage == Stage::Idle {
            for router in &self.plan.routers {
                ctx.cast(*router, self.route());
            }
        }
    }
    fn route(&self) -> Msg {
        let target = self.replicas[self.primary].seat.database;
        Msg::Control(self.plan.group, ControlMsg::Route { target, version: self.term.0 })
    }
}
