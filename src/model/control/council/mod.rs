//! Several controllers that must agree, and elect the one that acts (Redis Sentinel,
//! Orchestrator on Raft).
//!
//! Each member holds a [`Controller`] that declares on its own and then waits: `election` asks
//! the others, stands and counts votes, `ballot` keeps what is promised on disk, `watch` is the
//! member's own eyes where it pings, `ticks` are the moments at which it looks. The elected one's
//! controller takes the steps, in the term of its election; hellos tell the others.
//!
//! Will never know who really is up, nor how many members live: a majority is one of all that
//! the plan names.
//!
//! # Decided
//! - A quorum declares, a majority authorises. Declaring is what each controller does with
//!   opinions: here those of members who ping, or those of health checkers.
//! - A member looks on a grid of its own, but only while there is something to look at: sleeping
//!   in calm times changes no number.
//! - Questions, votes and hellos go from member to member as datagrams and are repeated; Redis
//!   sends its hellos through the databases.
//! - The term of an election is the term of the promotion, so that no two leaders promote in the
//!   same one. A candidate that fails costs the leader its election.
//! - What an elected one was doing does not survive its crash; its vote and the newest term do.

mod ballot;
mod election;
mod ticks;
mod watch;

use super::controller::elected::Known;
use super::controller::{Controller, ControllerPlan};
use crate::model::ctx::{Ctx, Input, Machine, Timer};
use crate::model::id::{GroupId, NodeId, ProcessId, Term};
use crate::model::msg::{ControlMsg, CouncilMsg, Msg, ProbeMsg};
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Name;
use crate::sim::rng::Label;
use crate::sim::time::LocalTime;
use ballot::Ballot;
use election::{Candidacy, Other};
use std::collections::BTreeMap;
use ticks::Ticks;
use watch::{PING, Watch};

/// The next moment to look. Smaller kinds are the controller's.
pub const TICK: u16 = 100;
/// The next hello to the other members.
pub const HELLO: u16 = 102;
/// The elected one asks its candidate whether it is primary.
pub const ROLE: u16 = 103;

crate::choices! {
    /// How members find out that a primary is down.
    pub enum Watching {
        /// Each pings every database itself.
        Ping = "ping",
        /// They hear the checkers of the health check, whose quorum declares.
        HealthCheck = "health_check",
    }
}

crate::params! {
    /// Controllers that must agree and elect the one that acts, with `decided_by = "council"`.
    pub struct CouncilParams {
        /// The regions (or zones) its members stand in. A majority of all of them elects.
        members: Vec<Name>, required;
        /// How many members must find the primary down; a majority where left out. At least as
        /// many must vote for the one that acts.
        quorum: Option<u32> = None, "a majority";
        /// How they find out.
        watch: Watching = Watching::Ping, "Redis Sentinel";
        /// How often a member pings each database.
        ping_interval: Span = Span::from_secs(1), "Redis Sentinel: SENTINEL_PING_PERIOD";
        /// A member finds a database down whose first ping without an answer is so old.
        down_after: Span = Span::from_secs(30), "Redis Sentinel: down-after-milliseconds";
        /// How often a member looks whether there is something to do; its phase is its own.
        tick: Span = Span::from_millis(100), "Redis Sentinel: hz 10";
        /// How often it asks each other member while it finds the primary down.
        ask_interval: Span = Span::from_secs(1), "Redis Sentinel: SENTINEL_ASK_PERIOD";
        /// How long a member waits before it stands for election.
        stand_after: DistSpec = DistSpec::Constant(Span::ZERO), "Redis Sentinel";
        /// How long a candidate waits for votes.
        election_timeout: Span = Span::from_secs(10), "Redis Sentinel: SENTINEL_ELECTION_TIMEOUT";
        /// How long the elected one waits for its candidate to become primary.
        failover_timeout: Span = Span::from_secs(180), "Redis Sentinel: failover-timeout";
        /// How long after standing, or voting for another, a member does not stand; twice
        /// `failover_timeout` where left out.
        retry_after: Option<Span> = None, "Redis Sentinel: twice failover-timeout";
        /// That much longer at random, uniform from zero, so that the same two do not meet again.
        retry_spread: Span = Span::from_secs(1), "Redis Sentinel: SENTINEL_MAX_DESYNC";
        /// How often the elected one asks its candidate whether it is primary; zero: it is told.
        role_interval: Span = Span::from_secs(1), "Redis Sentinel: INFO during a failover";
        /// How many other replicas are told at a time to follow the new primary.
        parallel_syncs: u32 = 1, "Redis Sentinel: parallel-syncs";
        /// Whether the elected one first tells the old primary to stop, where it can be reached.
        stops_old_primary: bool = false, "Redis Sentinel";
        /// How often members tell each other whom they know as primary.
        hello_interval: Span = Span::from_secs(2), "Redis Sentinel: SENTINEL_PUBLISH_PERIOD";
        /// How long a vote takes to be durable.
        fsync: DistSpec = DistSpec::Constant(Span::from_millis(1)), "our choice: a cloud SSD";
    }
}

impl CouncilParams {
    /// How many members must find the primary down.
    pub fn quorum_of(&self, members: usize) -> u32 {
        self.quorum.unwrap_or(members as u32 / 2 + 1)
    }
    /// How long a member that stood, or voted for another, does not stand.
    pub fn retry_after(&self) -> Span {
        self.retry_after.unwrap_or(self.failover_timeout.saturating_mul(2))
    }
}

/// What a member is told when it is made.
#[derive(Clone, Debug)]
pub struct CouncilPlan {
    /// How the council works.
    pub params: CouncilParams,
    /// All members with their nodes, in order.
    pub members: Vec<(ProcessId, NodeId)>,
    /// Which of them it is.
    pub me: usize,
    /// Its controller, the same for all members but for its own label.
    pub controller: ControllerPlan,
    /// Names the member's own dice.
    pub label: Label,
}

/// One of several controllers.
#[derive(Clone, Debug)]
pub struct Member {
    plan: CouncilPlan,
    group: GroupId,
    controller: Controller,
    ticks: Ticks,
    tick_at: Option<LocalTime>,
    watch: Option<Watch>,
    ballot: Ballot,
    others: Vec<Other>,
    candidacy: Option<Candidacy>,
    /// The last election it won.
    elected_in: Term,
    /// Before that it does not stand.
    barred_until: LocalTime,
    /// Since it has declared: when it may stand.
    stands_at: Option<LocalTime>,
    /// Something came that it looks at next time.
    look_soon: bool,
    /// The other members have been told of these primaries.
    told: BTreeMap<GroupId, Term>,
    /// Candidates of its that became primary, which it has not seen yet.
    unseen: Vec<(ProcessId, GroupId, ControlMsg)>,
}

impl Member {
    /// A member as planned.
    pub fn new(plan: CouncilPlan) -> Member {
        let group = plan.controller.stores.first().map_or(GroupId(0), |store| store.group);
        let stream = |what: &str| plan.controller.streams.stream(plan.label.with(what));
        let every = plan.params.tick.as_nanos().max(1);
        let ticks = Ticks::new(plan.params.tick, Span::from_nanos(stream("tick").below(every)));
        let databases = plan.controller.stores.iter().flat_map(|store| &store.seats);
        let databases = databases.map(|seat| (seat.node, seat.database));
        let pings = plan.params.watch == Watching::Ping;
        let watch = pings.then(|| {
            let CouncilParams { ping_interval, down_after, .. } = plan.params;
            Watch::new(ping_interval, down_after, databases, stream("ping"))
        });
        let (me, _) = plan.members[plan.me];
        let others = plan.members.iter().filter(|(member, _)| *member != me);
        Member {
            group,
            ticks,
            tick_at: None,
            watch,
            ballot: Ballot::new(group),
            others: others.map(|(member, _)| Other::new(*member)).collect(),
            candidacy: None,
            elected_in: Term(0),
            barred_until: LocalTime::ZERO,
            stands_at: None,
            look_soon: false,
            told: BTreeMap::new(),
            unseen: Vec::new(),
            controller: Controller::new(plan.controller.clone()),
            plan,
        }
    }
    /// The term in which it acts, while it does.
    pub fn leads(&self) -> Option<Term> {
        self.controller.acts().then_some(self.elected_in)
    }
    fn draw(&self, what: &str, term: Term, spec: &DistSpec) -> Span {
        let label = self.plan.label.with(what).with_index(u64::from(term.0));
        Dist::new(spec).sample(&mut self.plan.controller.streams.stream(label))
    }
    fn below(&self, what: &str, term: Term, most: Span) -> Span {
        let label = self.plan.label.with(what).with_index(u64::from(term.0));
        let mut stream = self.plan.controller.streams.stream(label);
        Span::from_nanos(stream.below(most.as_nanos().max(1)))
    }

    fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        self.controller.step(Input::Start, ctx);
        self.told = self.controller.knows().map(|known| (known.group, known.term)).collect();
        if let Some(watch) = &self.watch {
            watch.start(ctx);
        }
        let phase = self.below("hello phase", Term(0), self.plan.params.hello_interval);
        ctx.set_timer(Timer::of(HELLO), phase);
    }

    /// Tells the others what is known of each store, or only what they have not been told.
    fn greet(&mut self, only_news: bool, ctx: &mut Ctx<'_>) {
        let newest = self.ballot.newest();
        for Known { group, primary, term, token } in self.controller.knows() {
            let told = self.told.insert(group, term);
            if only_news && told == Some(term) {
                continue;
            }
            for other in &self.others {
                let hello = CouncilMsg::Hello { newest, primary, term, token };
                ctx.cast(other.who, Msg::Council(group, hello));
            }
        }
    }
    fn on_hello(&mut self, newest: Term, news: Known, ctx: &mut Ctx<'_>) {
        self.ballot.see(newest.max(news.term), ctx);
        if self.controller.learn(news, ctx) {
            self.told.insert(news.group, news.term);
            self.barred_until = LocalTime::ZERO;
            self.unseen.clear();
        }
    }

    fn on_council(&mut self, from: ProcessId, group: GroupId, msg: CouncilMsg, ctx: &mut Ctx<'_>) {
        match msg {
            CouncilMsg::Ask { node, term, stands } => self.on_ask(from, node, term, stands, ctx),
            CouncilMsg::Say { node, down, vote } => self.on_say(from, node, down, vote, ctx),
            CouncilMsg::Hello { newest, primary, term, token } => {
                self.on_hello(newest, Known { group, primary, term, token }, ctx);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer.kind {
            TICK => {
                self.tick_at = None;
                self.look(ctx);
            }
            PING => {
                if let Some(watch) = self.watch.as_mut() {
                    watch.ping(timer.arg as usize, ctx);
                }
            }
            HELLO => {
                self.greet(false, ctx);
                ctx.set_timer(timer, self.plan.params.hello_interval);
            }
            ROLE => {
                for (from, group, msg) in std::mem::take(&mut self.unseen) {
                    let msg = Msg::Control(group, msg);
                    self.controller.step(Input::Message { from, msg }, ctx);
                }
            }
            _ => self.controller.step(Input::Timer(timer), ctx),
        }
    }
    /// A candidate is primary: seen when it is asked next.
    fn on_promoted(&mut self, from: ProcessId, group: GroupId, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        let (every, term) = (self.plan.params.role_interval, self.ballot.newest());
        if self.unseen.is_empty() {
            ctx.set_timer(Timer::of(ROLE), self.below("role phase", term, every));
        }
        self.unseen.push((from, group, msg));
    }
}

impl Machine for Member {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.on_start(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Durable => self.on_durable(ctx),
            Input::Message { from, msg: Msg::Council(group, msg) } => {
                self.on_council(from, group, msg, ctx)
            }
            Input::Message { from, msg: Msg::Probe(ProbeMsg::Alive { .. }) } => {
                if let Some(watch) = self.watch.as_mut() {
                    watch.alive(from);
                }
            }
            Input::Message {
                from,
                msg: Msg::Control(group, msg @ ControlMsg::Promoted { .. }),
            } if !self.plan.params.role_interval.is_zero() => {
                self.on_promoted(from, group, msg, ctx);
            }
            other => self.controller.step(other, ctx),
        }
        self.settle(ctx);
    }

    fn crash(&mut self, disk_kept: bool) {
        self.controller.crash(disk_kept);
        self.controller.lapse(self.watch.is_some());
        self.ballot.crash(disk_kept);
        if let Some(watch) = self.watch.as_mut() {
            watch.crash();
        }
        self.others.iter_mut().for_each(Other::forget);
        (self.candidacy, self.stands_at, self.tick_at) = (None, None, None);
        self.barred_until = LocalTime::ZERO;
        self.unseen.clear();
    }
}
