//! A member of a store that elects its leader: the database of a consensus store.
//!
//! The same protocol as among the voters of a coordination service ([`super::Raft`]), for a log
//! of many writes: entries are named by position and travel in ranges, each group of writes is
//! one disk write and one message to each follower.
//!
//! # Decided
//! - Entries, and the word that they are committed, travel on the one connection between two
//!   members, in order; everything about elections, signs of life and confirmations are
//!   datagrams. Whatever is lost is said again with the next sign of life.
//! - A leader sends a group at the moment its own disk begins to write it, as etcd does. What
//!   comes meanwhile is the next group.
//! - Nothing is promised that is not on disk: a vote, a candidate's own vote and a confirmed
//!   entry wait for [`Input::Durable`].
//! - A follower that answers a sign of life promises a lease to that leader. A vote tells for how
//!   long the voter is still bound, and a new leader waits for the longest: no two leases of two
//!   leaders meet, however long leases and however short election timeouts are.
//! - A member that was restarted keeps promises that it may have given and cannot remember: it is
//!   bound for the length of one lease.
//! - A member that lost its disk is blank, as in [`super::Raft`]: it holds entries and counts for
//!   nothing until one that was proposed for this very loss is committed without it.
//! - A write is answered by the member that the client asked, when that learns that it is
//!   committed: also by a leader that was deposed meanwhile.

mod clients;
mod disk;
mod election;
mod follow;
mod handover;
mod lead;
mod msg;
mod params;
mod rounds;
mod ticks;

pub use msg::{Author, MemberMsg};
pub use params::{NoLeader, NotLeader, Notice, Params, Reads, WhileLeased};

use crate::model::ctx::{Class, Ctx, Effect, Input, Machine, Timer};
use crate::model::errors::Errors;
use crate::model::id::{GroupId, LogIndex, ProcessId, Segment, Term};
use crate::model::log::Log;
use crate::model::msg::Msg;
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span, WallTime};
use clients::Desk;
use disk::{Head, Stable};
use election::Patience;
use follow::Range;
use lead::Reign;
use ticks::Ticks;

/// No leader was heard for too long.
const ELECTION: Timer = Timer::of(1);
/// Time for a sign of life, or to ask again.
const HEARTBEAT: Timer = Timer::of(2);
/// It works again after a crash.
const RECOVER: Timer = Timer::of(3);
/// The lease of the leader before is over.
const LEASE: Timer = Timer::of(4);
/// A request was kept for too long.
const HOLD: Timer = Timer::of(5);

/// What a member needs to know of its store.
#[derive(Clone, Debug)]
pub struct MemberSpec {
    /// The store.
    pub group: GroupId,
    /// The databases of all members, this one included, voters first; at most 64.
    pub members: Vec<ProcessId>,
    /// How many of them vote.
    pub voters: usize,
    /// Those of them that never lead.
    pub witnesses: Vec<ProcessId>,
    /// Those that should lead, best first.
    pub preferred: Vec<ProcessId>,
    /// Who leads term 1 from the start.
    pub initial_leader: Option<ProcessId>,
    /// What stands in this member's log at the start, and who is said to have written it.
    pub log: (Segment, LogIndex),
    /// When its first tick comes; drawn where it is not given.
    pub phase: Option<Span>,
    /// Its parameters.
    pub params: Params,
    /// Log bytes of one write on the wire.
    pub entry_bytes: u32,
    /// True when it can recognise a retry by the operation's id.
    pub idempotent: bool,
    /// From process start to work after a crash.
    pub restart_time: Dist,
}

/// What a member is at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stance {
    Follower,
    /// Asks whether it would win.
    Wondering,
    Candidate,
    Leader,
}

/// One member of one store.
#[derive(Clone, Debug)]
pub struct Member {
    spec: MemberSpec,
    me: ProcessId,
    my_place: usize,
    dice: Stream,
    boot: Option<ProcessId>,
    /// On disk, and what is to be.
    stable: Stable,
    stance: Stance,
    leader: Option<ProcessId>,
    /// When a leader was last heard, for stickiness.
    heard: Option<LocalTime>,
    /// Until then the lease may run that it helped to make.
    vowed_until: LocalTime,
    commit: LogIndex,
    /// Up to here the log is known to be the same as that of the current term's leader.
    verified: LogIndex,
    /// What was last confirmed in this term, and whether something waits for the disk.
    acked: LogIndex,
    owes_ack: bool,
    /// A candidate waits for the disk's confirmation.
    owes_vote: Option<ProcessId>,
    /// The term in which the own candidacy has been announced.
    announced: Option<Term>,
    /// Whose votes were granted: a bit for each voter.
    ballots: u64,
    patience: Patience,
    ticks: Option<Ticks>,
    /// A leader asked it to stand.
    invited: bool,
    /// All that was committed before is known here, by the leader's wall clock.
    closed: WallTime,
    reign: Reign,
    desk: Desk,
    /// What a fault makes it fail.
    errors: Option<Box<Errors>>,
    recovering: bool,
    crashed: bool,
}

impl Member {
    /// The member of `spec` that runs as `me`; `dice` are for its timeouts and restarts.
    pub fn new(spec: MemberSpec, me: ProcessId, mut dice: Stream) -> Member {
        let my_place = spec.members.iter().position(|member| *member == me);
        let my_place = my_place.expect("a member of its own store");
        assert!(spec.members.len() <= 64 && spec.voters <= spec.members.len(), "at most 64");
        let boot = spec.initial_leader;
        let head = Head { term: Term(u32::from(boot.is_some())), voted: boot, blank: None };
        let mut log = Log::new();
        log.extend(spec.log.0, spec.log.1);
        log.mark_durable(spec.log.1);
        let ticks = spec.params.tick.map(|tick| Ticks::new(tick, spec.phase, &mut dice));
        Member {
            spec,
            me,
            my_place,
            dice,
            boot,
            stable: Stable::new(head, log),
            stance: Stance::Follower,
            leader: None,
            heard: None,
            vowed_until: LocalTime::ZERO,
            commit: LogIndex(0),
            verified: LogIndex(0),
            acked: LogIndex(0),
            owes_ack: false,
            owes_vote: None,
            announced: None,
            ballots: 0,
            patience: Patience::default(),
            ticks,
            invited: false,
            closed: WallTime::ZERO,
            reign: Reign::default(),
            desk: Desk::default(),
            errors: None,
            recovering: false,
            crashed: false,
        }
    }

    /// The store it belongs to.
    pub fn group(&self) -> GroupId {
        self.spec.group
    }
    /// Its history.
    pub fn log(&self) -> &Log {
        &self.stable.log
    }
    /// The latest term it has seen.
    pub fn term(&self) -> Term {
        self.stable.head.term
    }
    /// The term that it leads: it holds the votes of a majority and has not stepped down.
    pub fn leads(&self) -> Option<Term> {
        (self.stance == Stance::Leader).then(|| self.term())
    }
    /// How far its log is known to be committed.
    pub fn committed(&self) -> LogIndex {
        self.commit
    }
    /// How many others must confirm a write before it is answered.
    pub fn acks_required(&self) -> u16 {
        (self.spec.voters / 2) as u16
    }
    /// True while it would take a write. A rule of its state and its clock.
    pub fn admits(&self, now: LocalTime) -> bool {
        self.takes_writes(now)
    }

    fn place_of(&self, member: ProcessId) -> Option<usize> {
        self.spec.members.iter().position(|other| *other == member)
    }
    fn is_blank(&self) -> bool {
        self.stable.head.blank.is_some()
    }
    fn may_stand(&self) -> bool {
        !self.is_blank()
            && self.my_place < self.spec.voters
            && !self.recovering
            && !self.is_witness()
    }
    fn is_witness(&self) -> bool {
        self.spec.witnesses.contains(&self.me)
    }
    fn forget_leader(&mut self) {
        self.leader = None;
    }
    /// Sends once.
    fn cast(&self, to: ProcessId, msg: MemberMsg, ctx: &mut Ctx<'_>) {
        let msg = Msg::Member(self.spec.group, msg);
        ctx.effect(Effect::Send { to, msg, class: Class::Datagram, bytes: 100 });
    }

    fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        if self.crashed {
            self.recovering = true;
            let takes = self.spec.restart_time.sample(&mut self.dice);
            return ctx.set_timer(RECOVER, takes);
        }
        if let Some(ticks) = &mut self.ticks {
            ticks.begin(ctx.now());
        }
        let (group, upto) = (self.spec.group, self.stable.log.end());
        if upto.index > LogIndex(0) {
            ctx.effect(Effect::Hold { group, upto });
        }
        match self.boot.take() {
            Some(leader) if leader == self.me => self.lead(ctx),
            first => {
                self.leader = first;
                self.heard = first.map(|_| ctx.now());
                self.rearm(ctx);
            }
        }
    }

    fn on_recovered(&mut self, ctx: &mut Ctx<'_>) {
        self.recovering = false;
        self.vowed_until = ctx.now().saturating_add(self.spec.params.lease_length());
        self.rearm(ctx);
    }

    fn on_member(&mut self, from: ProcessId, msg: MemberMsg, ctx: &mut Ctx<'_>) {
        let Some(place) = self.place_of(from).filter(|_| !self.recovering) else { return };
        match msg {
            MemberMsg::Ask { term, last, pre, invited } => {
                self.on_ask(from, (term, last), (pre, invited), ctx);
            }
            MemberMsg::Vote { term, granted, pre, leased } => {
                self.on_vote(place, (term, granted, pre), leased, ctx);
            }
            MemberMsg::Append { term, prev, author, behind, after, upto } => {
                let range = Range { prev, author, behind, after, upto };
                self.on_append(from, term, &range, ctx);
            }
            MemberMsg::Beat { term, round, commit, closed } => {
                self.on_beat(from, term, round, (commit, closed), ctx);
            }
            MemberMsg::Stand { term } => self.on_invitation(from, term, ctx),
            MemberMsg::Commit { term, upto } => self.on_commit(from, term, upto, ctx),
            MemberMsg::Welcome { term, nonce } => self.on_welcome(from, term, nonce, ctx),
            MemberMsg::Served { op, attempt, outcome, at } => {
                self.on_served(from, (op, attempt), outcome, at, ctx);
            }
            MemberMsg::Appended { term, .. }
            | MemberMsg::Rejected { term, .. }
            | MemberMsg::Alive { term, .. }
            | MemberMsg::Blank { term, .. } => {
                if self.still_leads(term, ctx) {
                    self.on_answer(place, msg, ctx);
                }
            }
        }
    }

    /// A follower answers the leader.
    fn on_answer(&mut self, place: usize, msg: MemberMsg, ctx: &mut Ctx<'_>) {
        match msg {
            MemberMsg::Appended { upto, .. } => self.on_appended(place, upto, ctx),
            MemberMsg::Rejected { after, hint, .. } => self.on_rejected(place, after, hint, ctx),
            MemberMsg::Alive { round, upto, .. } => self.on_alive(place, round, upto, ctx),
            MemberMsg::Blank { has, nonce, .. } => self.on_blank(place, has, nonce, ctx),
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer {
            ELECTION => self.on_election_timer(ctx),
            HEARTBEAT => self.on_heartbeat(ctx),
            RECOVER => self.on_recovered(ctx),
            LEASE => self.on_lease_timer(ctx),
            HOLD => self.on_hold_timer(ctx),
            _ => {}
        }
    }
}

impl Machine for Member {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Message { from, msg } => match msg {
                Msg::Client(request) => self.on_request(from, request, ctx),
                Msg::Member(_, msg) => self.on_member(from, msg, ctx),
                _ => {}
            },
            Input::Durable => self.on_durable(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Start => self.on_start(ctx),
            Input::Reset { by } | Input::Refused { by, .. } => self.on_broken(by),
            Input::Errors { reads, writes, draws } => {
                self.errors = Errors::new(reads, writes, draws);
            }
            Input::Order(order) => self.on_order(order, ctx),
            Input::Stall { .. } => {}
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        let lost = (!disk_kept).then(|| 1 + self.dice.below(u64::MAX - 1));
        self.stable.crash(lost);
        self.crashed = true;
        self.boot = None;
        self.stance = Stance::Follower;
        self.leader = None;
        self.heard = None;
        self.commit = LogIndex(0);
        self.verified = LogIndex(0);
        self.acked = LogIndex(0);
        self.owes_ack = false;
        self.owes_vote = None;
        self.announced = None;
        self.ballots = 0;
        self.patience.crash();
        self.invited = false;
        self.closed = WallTime::ZERO;
        self.reign = Reign::default();
        self.desk = Desk::default();
        self.errors = None;
        self.recovering = false;
    }
}
