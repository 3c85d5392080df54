//! Deciding without a controller: the agents race for the lease, each in its own loop (Patroni).
//!
//! `run` is one round of the loop up to a decision, `rivals` the look at the other candidates
//! and at whom to follow, `office` what a racer does while it holds the lease: it keeps it,
//! promotes, demotes, restarts its database in place. Will never know more of other nodes than
//! their agents answer, nor of the lease than the coordination service says.
//!
//! # Decided
//! - A racer acts in its loop alone: that is what the figures of such a system are made of. A
//!   database that dies is seen in the next round, not when it dies.
//! - The term of a new primary is its token: both grow with each grant, and nobody else is there
//!   to number terms.
//! - Until somebody has held the lease nobody but the planned primary asks for it.
//! - A racer that finds its own name on the lease (it crashed, or an answer was late) takes it up
//!   again. A former primary whose token is still the newest goes on in its old term.
//! - Whoever holds the lease tells the routers after its promotion, and reminds them later.
//! - The database is started by its racer and by nobody else, also after its host came back.
//! - A demotion for want of the coordination service gives nothing back: there is nobody to give
//!   it to. The lease lapses.

mod office;
mod rivals;
mod run;

use crate::model::control::controller::Seat;
use crate::model::control::holder::{Holder, LAPSE, REQUEST};
use crate::model::control::{EnforcedBy, LeaseParams, RejoinParams};
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::fact::{Claim, FailoverStep};
use crate::model::id::{FencingToken, GroupId, NodeId, Position, ProcessId, Term};
use crate::model::msg::{ControlMsg, LeaseMsg, LocalMsg, Msg, Role};
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Bytes;
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::LocalTime;
use office::{Office, Starting};
use run::Run;

crate::choices! {
    /// How a standby learns that the lease is free.
    pub enum Learn {
        /// The coordination service tells it at once.
        Watch = "watch",
        /// It asks, in its loop.
        Poll = "poll",
    }
}

crate::params! {
    /// Racing for the lease without a controller.
    pub struct RaceParams {
        /// How often each agent goes through its loop: the primary's renews the lease, the
        /// others' look at it. Each has a phase of its own.
        loop_wait: Span = Span::from_secs(10), "Patroni: loop_wait";
        /// How a standby learns that the lease is free.
        learn: Learn = Learn::Watch, "Patroni: replicas watch the leader key";
        /// How long the coordination service, and the own database, have to answer, all voters
        /// tried in turn. A primary that cannot renew its lease within it is demoted.
        retry_timeout: Span = Span::from_secs(10), "Patroni: retry_timeout";
        /// A standby that is further behind what the primary last published does not race.
        maximum_lag_on_failover: Bytes = Bytes(1_048_576), "Patroni: maximum_lag_on_failover";
        /// How long a racer waits for the other candidates to say how far they are; `0s` asks
        /// nobody.
        check_timeout: Span = Span::from_secs(2), "Patroni: 2 s for a member's status";
        /// How long a demoted database takes to stop. It refuses work at once.
        demotion: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
        /// How long a crashed primary may take to start again in place before its lease is
        /// released; `0s` releases at once.
        primary_start_timeout: Span = Span::from_secs(300), "Patroni: primary_start_timeout";
        /// After so many starts that failed at once the lease is released.
        start_attempts: u32 = 1, "Patroni: releases the lease after a failed start";
    }
}

/// The loop comes round.
pub const LOOP: u16 = 1;
/// What was asked last has used up its time.
pub const BUDGET: u16 = 4;
/// The other candidates had their time to answer.
pub const CHECK: u16 = 5;
/// Ask the database that was started whether it works.
pub const KNOCK: u16 = 6;
/// The demoted database has stopped.
pub const STOPPED: u16 = 7;
/// The change of routing has taken its time.
pub const ROUTE: u16 = 8;
/// A deposed primary may be reconfigured.
pub const REJOIN: u16 = 9;
/// The database did not answer a question (its number) in time.
pub const ASK: u16 = 10;

/// How long a database that was started has to answer before it counts as not working yet.
const STARTED_ANSWERS_WITHIN: Span = Span::from_millis(10);
/// How long the database has to answer a question from another node.
const ANSWER_WITHIN: Span = Span::from_millis(200);
/// How often a database that was started is asked whether it works (as `pg_ctl` does).
const AGAIN: Span = Span::from_secs(1);
/// Routers are reminded in every so many rounds.
const REMIND_EVERY: u32 = 3;

/// What a racer is told when it is made.
#[derive(Clone, Debug)]
pub struct RacerPlan {
    /// The store.
    pub group: GroupId,
    /// Itself.
    pub seat: Seat,
    /// The other replicas of the store.
    pub rivals: Vec<Seat>,
    /// The lease.
    pub lease: LeaseParams,
    /// The processes of its voters.
    pub voters: Vec<ProcessId>,
    /// How it races.
    pub race: RaceParams,
    /// What becomes of its database when that was deposed.
    pub rejoin: RejoinParams,
    /// How long a promotion takes.
    pub promotion: DistSpec,
    /// How long the change of routing takes.
    pub route: DistSpec,
    /// Who is told where clients belong.
    pub routers: Vec<ProcessId>,
    /// Log bytes of one write.
    pub entry_bytes: u64,
    /// The dice of the trial, and what names those of this store's failovers.
    pub streams: Streams,
    /// Names them; made of the store's name.
    pub label: Label,
    /// For the phase of its loop.
    pub dice: Stream,
}

impl RacerPlan {
    /// How long a step of the failover that won this token takes.
    fn draw(&self, token: FencingToken, step: &str, spec: &DistSpec) -> Span {
        let label = self.label.with_index(token.0).with(step);
        Dist::new(spec).sample(&mut self.streams.stream(label))
    }
}

/// What the database last said.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Known {
    role: Role,
    term: Term,
    token: FencingToken,
    durable: Position,
}

/// An agent that races.
#[derive(Clone, Debug)]
pub struct Racer {
    plan: RacerPlan,
    holder: Holder,
    run: Run,
    /// The loop came round while the last round was still under way.
    overdue: bool,
    rounds: u32,
    /// It said that it races, and not yet how that ended.
    racing: bool,
    /// The database's last answer; nothing while it does not run.
    known: Option<Known>,
    /// It was started, and has not answered yet.
    starting: Option<Starting>,
    /// What it does while it holds the lease.
    office: Option<Office>,
    /// The database is being stopped.
    demoting: bool,
    /// Whom the database follows: the holder, by its token.
    following: Option<(NodeId, FencingToken)>,
    /// The holder that was asked for its term: its agent, and the number of the question.
    asked_holder: Option<(Seat, FencingToken, u32)>,
    /// A deposed database waits for its time; then it may be reconfigured.
    rejoins: Rejoins,
    /// Questions of other racers that the database has yet to answer: our number, whose, theirs.
    asks: Vec<(u32, ProcessId, u32)>,
    next_ask: u32,
    watchdog_wound: bool,
    started_before: bool,
}

/// Whether a deposed database may be reconfigured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rejoins {
    /// Not asked for.
    NotYet,
    /// It waits for its time.
    Waits,
    /// It may.
    May,
}

impl Racer {
    /// A racer as planned. Its first round is at its start.
    pub fn new(plan: RacerPlan) -> Racer {
        Racer {
            holder: Holder::new(plan.lease.clone(), plan.voters.clone(), plan.group),
            plan,
            run: Run::Idle,
            overdue: false,
            rounds: 0,
            racing: false,
            known: None,
            starting: None,
            office: None,
            demoting: false,
            following: None,
            asked_holder: None,
            rejoins: Rejoins::NotYet,
            asks: Vec::new(),
            next_ask: 0,
            watchdog_wound: false,
            started_before: false,
        }
    }

    fn tell(&self, msg: LocalMsg, ctx: &mut Ctx<'_>) {
        ctx.send(self.plan.seat.database, Msg::Local(self.plan.group, msg), 0);
    }
    fn claim_step(&self, step: FailoverStep, ctx: &mut Ctx<'_>) {
        ctx.claim(Claim::Step(self.plan.group, step));
    }
    fn enforced(&self) -> bool {
        self.plan.lease.enforced_by != EnforcedBy::Nobody
    }
    /// Asks the database how it is.
    fn ask(&mut self, ctx: &mut Ctx<'_>) -> u32 {
        self.next_ask = self.next_ask.wrapping_add(1);
        self.tell(LocalMsg::Ask { seq: self.next_ask }, ctx);
        self.next_ask
    }

    fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        let mut wait = self.plan.race.loop_wait;
        if !std::mem::replace(&mut self.started_before, true) {
            wait = Span::from_nanos(self.plan.dice.below(wait.as_nanos().max(1)));
        }
        ctx.set_timer(Timer::of(LOOP), wait);
        self.begin(ctx);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer.kind {
            LOOP => {
                ctx.set_timer(timer, self.plan.race.loop_wait);
                self.begin(ctx);
            }
            REQUEST => self.holder.on_timeout(timer.arg, ctx),
            LAPSE => self.holder.on_lapse(ctx),
            BUDGET => self.on_budget(ctx),
            CHECK => self.on_checked(ctx),
            KNOCK if self.starting.is_some() => self.knock(ctx),
            STOPPED => self.on_stopped(ctx),
            ROUTE => self.on_route(Term(timer.arg), ctx),
            REJOIN if self.rejoins == Rejoins::Waits => {
                self.rejoins = Rejoins::May;
                self.begin(ctx);
            }
            ASK => self.on_silent(timer.arg, ctx),
            _ => {}
        }
    }

    fn on_database(&mut self, msg: LocalMsg, ctx: &mut Ctx<'_>) {
        match msg {
            LocalMsg::Status { seq, role, term, token, durable, .. } => {
                let known = Known { role, term, token, durable };
                self.known = Some(known);
                self.answer(seq, true, ctx);
                if role != Role::Primary && self.office.is_none() && !self.demoting {
                    self.disarm(ctx);
                }
                self.on_works(seq, ctx);
            }
            LocalMsg::Leading { term } => self.on_leading(term, ctx),
            LocalMsg::Fenced { .. } => self.leave_office(ctx),
            _ => {}
        }
    }

    fn on_control(&mut self, from: ProcessId, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        match msg {
            ControlMsg::Hello { seq, .. } => {
                let ask = self.ask(ctx);
                self.asks.push((ask, from, seq));
                ctx.set_timer(Timer::nth(ASK, ask), ANSWER_WITHIN);
            }
            ControlMsg::Status { seq, role, term, durable, running } => {
                let report = rivals::Report { role, term, durable, running };
                self.on_report(from, seq, report, ctx);
            }
            _ => {}
        }
    }

    /// Answers the racer that asked, if one did.
    fn answer(&mut self, ask: u32, running: bool, ctx: &mut Ctx<'_>) {
        let Some(i) = self.asks.iter().position(|(own, ..)| *own == ask) else { return };
        let (_, asker, seq) = self.asks.remove(i);
        ctx.cancel_timer(Timer::nth(ASK, ask));
        let (role, term, durable) = match self.known {
            Some(Known { role, term, durable, .. }) => (role, term, durable),
            None => (Role::Standby, Term(0), Position::default()),
        };
        let status = ControlMsg::Status { seq, role, term, durable, running };
        ctx.send(asker, Msg::Control(self.plan.group, status), 100);
    }
    /// The database did not answer in time.
    fn on_silent(&mut self, ask: u32, ctx: &mut Ctx<'_>) {
        self.answer(ask, false, ctx);
        if self.run == (Run::Asking { ask }) && self.starting.is_some() {
            self.go_on_starting(ctx);
        }
    }

    fn disarm(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.watchdog_wound) {
            ctx.effect(Effect::Watchdog { after: Span::MAX });
        }
    }
}

impl Machine for Racer {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.on_start(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Message { msg: Msg::Lease(_, LeaseMsg::Changed), .. } => self.on_changed(ctx),
            Input::Message { msg: Msg::Lease(_, msg), .. } => self.on_lease(msg, ctx),
            Input::Message { from, msg: Msg::Control(_, msg) } => self.on_control(from, msg, ctx),
            Input::Message { msg: Msg::Local(_, msg), .. } => self.on_database(msg, ctx),
            Input::Refused { by, msg: Msg::Local(_, LocalMsg::Ask { seq }) }
                if by == self.plan.seat.database =>
            {
                self.on_database_dead(seq, ctx);
            }
            Input::Refused {
                msg: Msg::Lease(_, LeaseMsg::Acquire { seq, .. } | LeaseMsg::Look { seq, .. }),
                ..
            } => self.holder.on_refused(seq, ctx),
            Input::Refused { by, msg: Msg::Control(_, ControlMsg::Hello { seq, .. }) } => {
                self.heard_rival(by, seq, ctx);
            }
            _ => {}
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        self.holder.forget(disk_kept);
        self.run = Run::Idle;
        (self.overdue, self.racing) = (false, false);
        (self.demoting, self.watchdog_wound) = (false, false);
        (self.known, self.starting, self.office) = (None, None, None);
        (self.following, self.asked_holder) = (None, None);
        self.rejoins = Rejoins::NotYet;
        self.asks.clear();
    }
}
