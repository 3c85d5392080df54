//! The agent beside a database: keeps its lease, obeys the controller, fences itself.
//!
//! `lease` is what the agent makes of the service's answers, `obey` what it does for the
//! controller and hears from the database. Will never know what the database holds beyond what
//! it reports, nor what the controller thinks beyond what it says.
//!
//! # Decided
//! - The agent learns what its database is by asking, at each start. All that it keeps on disk
//!   is the token it gave up last.
//! - A lost lease is asked for with the old token, so the service refuses when anybody held it
//!   since; only then may the database go on in its old term.
//! - With `enforced_by = "nobody"` a denial stops no one either: that is what the word says.
//! - A database that is silent (not one that is dead) keeps its lease until it lapses: it may
//!   wake up believing in it. An agent whose database has been silent for a `ttl` asks no more.
//! - With self-fencing, an agent that starts again has lost count of the controller's silence:
//!   it stops its database until it hears a hello that names it.
//! - Without a lease, `Take` is answered at once with token 0: the token of `Promote` rules.

mod lease;
mod obey;

use crate::model::control::holder::{Holder, LAPSE, REQUEST};
use crate::model::control::{EnforcedBy, LeaseParams};
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::id::{FencingToken, GroupId, NodeId, Position, ProcessId, Term};
use crate::model::msg::{ControlMsg, LeaseMsg, LocalMsg, Msg, Role};
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;

/// Renew the lease, or try again to get it.
pub const RENEW: u16 = 1;
/// The loop of an agent that enforces.
pub const LOOP: u16 = 4;
/// The controller has not been heard for too long.
pub const SELF_FENCE: u16 = 5;
/// The database did not answer a question (its number) in time.
pub const ASK: u16 = 6;
/// Ask the database again whether it is idle.
pub const DRAIN: u16 = 7;
/// Ask the database again, which did not run.
pub const KNOCK: u16 = 8;

/// How long the database has to answer a question from the controller.
const ANSWER_WITHIN: Span = Span::from_millis(200);
/// How often a draining database is asked whether it is idle.
const DRAIN_POLL: Span = Span::from_millis(50);
/// How often a database that does not run is asked again; and the longest wait between two
/// attempts to take a lease that another holds.
const AGAIN: Span = Span::from_secs(1);

/// What an agent is told when it is made.
#[derive(Clone, Debug)]
pub struct AgentPlan {
    /// The store.
    pub group: GroupId,
    /// Its node.
    pub node: NodeId,
    /// The database beside it.
    pub database: ProcessId,
    /// The lease and the processes of its voters, where the store has one.
    pub lease: Option<(LeaseParams, Vec<ProcessId>)>,
    /// With `self` fencing: how long its database stays primary without hearing from the
    /// controller that it is.
    pub self_fence_after: Option<Span>,
    /// For its phases: the enforcing loop and the renewals.
    pub dice: Stream,
}

/// What the agent is after.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Aim {
    /// To learn what its database is.
    Unknown,
    /// Its database is no primary.
    Nothing,
    /// Its database is or becomes primary: keep the lease.
    Lead,
    /// Take the lease for the controller, who is told once.
    Take { controller: ProcessId, episode: u32, told: bool },
    /// Get the lease back for a failover that was called off.
    Resume,
}

/// A promotion the controller asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Promotion {
    controller: ProcessId,
    episode: u32,
    term: Term,
    token: FencingToken,
    takes: Span,
    /// True once the database has been told.
    told: bool,
    /// True once the database leads.
    done: bool,
}

/// What the database last said.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Known {
    role: Role,
    term: Term,
    durable: Position,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    group: GroupId,
    node: NodeId,
    database: ProcessId,
    holder: Option<Holder>,
    self_fence_after: Option<Span>,
    dice: Stream,
    aim: Aim,
    known: Known,
    /// When the database last said anything.
    heard: LocalTime,
    /// False from when the database was seen dead until it has been told again what it needs.
    database_told: bool,
    /// Questions of controllers that the database has yet to answer: our number, whose, theirs.
    asks: Vec<(u32, ProcessId, u32)>,
    next_ask: u32,
    promotion: Option<Promotion>,
    draining: Option<(ProcessId, u32)>,
    /// We stopped the database because its lease had lapsed.
    stopped_by_lapse: bool,
    /// We stopped the database because the controller was silent.
    self_fenced: bool,
    last_hello: LocalTime,
    watchdog_wound: bool,
    /// This is not the first start.
    restarted: bool,
}

impl Agent {
    /// An agent as planned. It asks its database what it is when it starts.
    pub fn new(plan: AgentPlan) -> Agent {
        let AgentPlan { group, node, database, lease, self_fence_after, dice } = plan;
        Agent {
            group,
            node,
            database,
            holder: lease.map(|(params, voters)| Holder::new(params, voters, group)),
            self_fence_after,
            dice,
            aim: Aim::Unknown,
            known: Known { role: Role::Standby, term: Term(0), durable: Position::default() },
            heard: LocalTime::ZERO,
            database_told: false,
            asks: Vec::new(),
            next_ask: 0,
            promotion: None,
            draining: None,
            stopped_by_lapse: false,
            self_fenced: false,
            last_hello: LocalTime::ZERO,
            watchdog_wound: false,
            restarted: false,
        }
    }

    fn tell(&self, msg: LocalMsg, ctx: &mut Ctx<'_>) {
        ctx.send(self.database, Msg::Local(self.group, msg), 0);
    }
    fn say(&self, to: ProcessId, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        ctx.send(to, Msg::Control(self.group, msg), 100);
    }
    fn enforced_by(&self) -> Option<EnforcedBy> {
        self.holder.as_ref().map(|h| h.params.enforced_by)
    }
    fn held(&self, now: LocalTime) -> Option<LocalTime> {
        self.holder.as_ref().and_then(|h| h.held(now))
    }
    fn phase(&mut self, of: Span) -> Span {
        Span::from_nanos(self.dice.below(of.as_nanos().max(1)))
    }
    /// Asks the database how it is.
    fn ask(&mut self, ctx: &mut Ctx<'_>) -> u32 {
        self.next_ask = self.next_ask.wrapping_add(1);
        self.tell(LocalMsg::Ask { seq: self.next_ask }, ctx);
        self.next_ask
    }

    fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        self.last_hello = ctx.now();
        self.heard = ctx.now();
        if self.enforced_by() == Some(EnforcedBy::Agent) {
            let every = self.holder.as_ref().map_or(Span::ZERO, |h| h.params.agent_loop);
            let phase = self.phase(every);
            ctx.set_timer(Timer::of(LOOP), phase);
        }
        self.expect_hello(ctx);
        self.knock(ctx);
    }
    /// Asks, and asks again until there is an answer.
    fn knock(&mut self, ctx: &mut Ctx<'_>) {
        self.ask(ctx);
        ctx.set_timer(Timer::of(KNOCK), AGAIN);
    }

    /// The database is no primary any more; what is held is given up.
    fn retire(&mut self, ctx: &mut Ctx<'_>) {
        self.aim = Aim::Nothing;
        self.promotion = None;
        (self.stopped_by_lapse, self.self_fenced) = (false, false);
        if let Some(holder) = self.holder.as_mut() {
            holder.release(ctx);
        }
        ctx.cancel_timer(Timer::of(RENEW));
    }
    /// Gives up a lease that was taken for a failover.
    fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        self.retire(ctx);
        self.disarm(ctx);
    }
    fn disarm(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.watchdog_wound) {
            ctx.effect(Effect::Watchdog { after: Span::MAX });
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer.kind {
            RENEW => self.on_renew(ctx),
            LOOP => self.on_loop(ctx),
            DRAIN if self.draining.is_some() => {
                self.ask(ctx);
                ctx.set_timer(timer, DRAIN_POLL);
            }
            KNOCK if !self.database_told => self.knock(ctx),
            ASK => self.not_running(timer.arg, ctx),
            SELF_FENCE if self.aim == Aim::Lead && !self.self_fenced => {
                self.self_fenced = true;
                self.tell(LocalMsg::StepDown, ctx);
            }
            REQUEST => {
                if let Some(holder) = self.holder.as_mut() {
                    holder.on_timeout(timer.arg, ctx);
                }
            }
            LAPSE => {
                if let Some(holder) = self.holder.as_mut() {
                    holder.on_lapse(ctx);
                }
            }
            _ => {}
        }
    }
}

impl Machine for Agent {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.on_start(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Message { msg: Msg::Lease(_, msg), .. } => self.on_lease(msg, ctx),
            Input::Message { from, msg: Msg::Control(_, msg) } => self.on_order(from, msg, ctx),
            Input::Message { msg: Msg::Local(_, msg), .. } => self.on_database(msg, ctx),
            Input::Reset { by } if by == self.database => self.on_database_dead(ctx),
            Input::Refused { by, .. } if by == self.database => self.on_database_dead(ctx),
            Input::Refused { msg: Msg::Lease(_, LeaseMsg::Acquire { seq, .. }), .. } => {
                if let Some(holder) = self.holder.as_mut() {
                    holder.on_refused(seq, ctx);
                }
            }
            _ => {}
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        if let Some(holder) = self.holder.as_mut() {
            holder.forget(disk_kept);
        }
        self.aim = Aim::Unknown;
        self.asks.clear();
        (self.promotion, self.draining) = (None, None);
        (self.stopped_by_lapse, self.self_fenced) = (false, false);
        (self.database_told, self.watchdog_wound) = (false, false);
        self.restarted = true;
    }
}
