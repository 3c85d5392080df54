//! The shell around every mode: admission, lease, fencing, answers, promotion.
//!
//! Only the shell answers clients. A mode says how far writes count as done; the shell adds what
//! its lease and its fencing token allow.

pub mod guard;
mod probes;
mod requests;
mod roles;
pub mod server;
mod standby;
mod tokens;

use super::core::{Core, Refusals, ReplicaSpec};
use crate::model::ctx::{Class, Ctx, Effect, Input, Machine, Timer};
use crate::model::errors::Errors;
use crate::model::fact::{Claim, OpKind, Outcome};
use crate::model::id::{FencingToken, GroupId, LogIndex, OpId, Position, ProcessId, Segment, Term};
use crate::model::log::{Appended, Log};
use crate::model::msg::{ClientMsg, LocalMsg, Msg, ProbeMsg, Resync, Role, StorageMsg};
use crate::model::order::Order;
use crate::model::replica::follower::Follower;
use crate::model::replica::lag::Lag;
use crate::model::replica::peer::Peer;
use crate::model::replica::{AsStandby, Confirms, Mode, Replicate, Restart};
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span};
use guard::Guard;
use server::{Server, Work};
use std::collections::VecDeque;

/// The lease runs out.
const LEASE: Timer = Timer::of(1);
/// The promotion is done.
const PROMOTE: Timer = Timer::of(2);
/// A crashed database works again.
const RECOVER: Timer = Timer::of(3);
/// The storage that checks tokens has been silent for too long.
const STORAGE: Timer = Timer::of(4);
/// It has been made a copy of its primary.
const RESYNC: Timer = Timer::of(6);
/// A service is over; the argument is its place.
const SERVED: u16 = 5;
/// Timers from this kind on belong to the follower, and from [`MODE_TIMERS`] on to the mode.
pub(super) const FOLLOWER_TIMERS: u16 = 10;
/// Timers from this kind on belong to the mode.
pub(super) const MODE_TIMERS: u16 = 20;
/// Timers from this kind on belong to the guard.
const GUARD_TIMERS: u16 = 30;

/// A write that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Pending {
    index: LogIndex,
    op: OpId,
    client: ProcessId,
    attempt: u8,
}

/// A database process: one replica of one store.
#[derive(Clone, Debug)]
pub struct Replica {
    spec: ReplicaSpec,
    core: Core,
    mode: Mode,
    follower: Follower,
    /// Places for requests, where there are not places enough for all.
    server: Option<Box<Server>>,
    guard: Option<Box<Guard>>,
    /// What a fault makes it fail.
    errors: Option<Box<Errors>>,
    lag: Lag,
    dice: Stream,
    pending: VecDeque<Pending>,
    lease_until: LocalTime,
    quiesced: bool,
    promoting: Option<(Term, FencingToken)>,
    /// The time of the promotion is up.
    promote_due: bool,
    recovering: bool,
    /// It is being made a copy of its primary. Survives a crash: half a copy is on the disk.
    resync: Option<Resync>,
    crashed: bool,
    /// A crash wiped its memory, and it has begun no segment since.
    wiped: bool,
    /// Its disk was lost, and nobody has told it since what to be.
    hollow: bool,
    restarts: u16,
    storage_ok: LogIndex,
    /// Which question to the storage counts, and up to where it asked.
    storage_round: u16,
    storage_asked: LogIndex,
}

impl Replica {
    /// The replica of `spec` that runs as `me`; `dice` are for its restart and apply delays.
    pub fn new(
        spec: ReplicaSpec,
        me: ProcessId,
        mode: Mode,
        apply_delay: Dist,
        dice: Stream,
    ) -> Replica {
        let primary = spec.replicas[0];
        // Without a lease the token is the term; with one it comes with the lease.
        let token = FencingToken(u64::from(!spec.leased));
        let core = Core {
            group: spec.group,
            peers: spec.replicas.iter().copied().filter(|peer| *peer != me).collect(),
            entry_bytes: spec.entry_bytes,
            role: if primary == me { Role::Primary } else { Role::Standby },
            term: Term(1),
            token,
            seen: token,
            log: Log::new(),
            refusals: Refusals::default(),
            confirms_receipt: mode.confirms() == Confirms::Receipt,
            confirms_apply: mode.confirms() == Confirms::Apply,
            syncing: None,
        };
        let primary = (primary != me).then_some(primary);
        let follower = Follower::new(primary, apply_delay, spec.apply_rate);
        Replica {
            spec,
            core,
            mode,
            follower,
            server: None,
            guard: None,
            errors: None,
            lag: Lag::default(),
            dice,
            pending: VecDeque::new(),
            lease_until: LocalTime::ZERO,
            quiesced: false,
            promoting: None,
            promote_due: false,
            recovering: false,
            resync: None,
            crashed: false,
            wiped: false,
            hollow: false,
            restarts: 0,
            storage_ok: LogIndex(0),
            storage_round: 0,
            storage_asked: LogIndex(0),
        }
    }

    /// The store it belongs to.
    #[inline]
    pub fn group(&self) -> GroupId {
        self.core.group
    }
    /// Its history.
    pub fn log(&self) -> &Log {
        &self.core.log
    }
    /// How many other nodes must confirm a write before it is answered, at present.
    #[inline]
    pub fn acks_required(&self) -> u16 {
        self.mode.acks_required()
    }
    /// True while it would take a write. A rule of its state and its clock.
    #[inline]
    pub fn admits(&self, now: LocalTime) -> bool {
        self.serves(now) && self.core.refusals.none()
    }
    /// True while it would take a read: what refuses writes does not stop those.
    #[inline]
    fn serves(&self, now: LocalTime) -> bool {
        !self.quiesced && !self.recovering && self.may_answer(now)
    }
    #[inline]
    fn may_answer(&self, now: LocalTime) -> bool {
        self.core.role == Role::Primary && (!self.spec.leased || now < self.lease_until)
    }

    /// Answers what counts as done, if the lease still allows it.
    fn progress(&mut self, ctx: &mut Ctx<'_>) {
        let Some(first) = self.pending.front() else { return };
        let mut upto = self.mode.acked(&self.core);
        if self.spec.storage.is_some() {
            upto = upto.min(self.storage_ok);
        }
        if first.index > upto || !self.may_answer(ctx.now()) {
            return;
        }
        while let Some(done) = self.pending.front().copied().filter(|p| p.index <= upto) {
            self.pending.pop_front();
            if probes::is_test_row(&done) {
                probes::answer_test_row(&done, ctx);
                continue;
            }
            let at = self.core.log.position(done.index);
            let bytes = self.spec.answer_bytes;
            self.answer(done.client, done.op, done.attempt, Outcome::Ok, at, bytes, ctx);
        }
    }

    /// Begins a disk write, and asks the storage that checks tokens about the same entries.
    fn begin_sync(&mut self, ctx: &mut Ctx<'_>) {
        let idle = self.core.syncing.is_none();
        self.core.sync(ctx);
        if idle && self.core.syncing.is_some() {
            self.check_storage(ctx);
        }
    }

    fn on_durable(&mut self, ctx: &mut Ctx<'_>) {
        let Some(upto) = self.core.syncing.take() else { return };
        self.core.log.mark_durable(upto.index);
        self.begin_sync(ctx);
        match self.core.role {
            Role::Primary => self.mode.on_durable(&mut self.core, ctx),
            Role::Standby => {
                self.follower.on_durable(&mut self.core, &mut self.dice, ctx);
                self.stand(AsStandby::Moved, ctx);
            }
            Role::Deposed => {}
        }
        self.progress(ctx);
    }

    fn report(&mut self, seq: u32, ctx: &mut Ctx<'_>) {
        let status = LocalMsg::Status {
            seq,
            role: self.core.role,
            term: self.core.term,
            token: self.core.token,
            durable: self.core.log.durable(),
            idle: self.pending.is_empty() && self.server.as_ref().is_none_or(|s| s.is_idle()),
        };
        self.tell_agent(status, ctx);
    }

    fn tell_agent(&self, local: LocalMsg, ctx: &mut Ctx<'_>) {
        if let Some(agent) = self.spec.agent {
            ctx.send(agent, Msg::Local(self.core.group, local), 0);
        }
    }

    fn on_peer(&mut self, from: ProcessId, peer: Peer, ctx: &mut Ctx<'_>) {
        if self.recovering || self.resync.is_some() {
            return;
        }
        match peer {
            Peer::Ship { term, token, .. } if self.refuses(term, token) => {
                if self.spec.checks_tokens && token < self.core.seen {
                    let stale = Peer::Stale { token: self.core.seen };
                    self.core.tell(from, stale, 100, ctx);
                }
            }
            Peer::Stale { token } => self.on_newer_token(token, ctx),
            Peer::Ship { .. } | Peer::Fork { .. } | Peer::Unknown { .. } | Peer::Rejoin { .. } => {
                if self.core.role == Role::Standby {
                    self.follower.on_peer(from, peer, &mut self.core, ctx);
                    self.begin_sync(ctx);
                    self.stand(AsStandby::Moved, ctx);
                }
            }
            Peer::HowFar { term, seq } => self.on_how_far(from, term, seq, ctx),
            Peer::ThusFar { term, seq, end } => self.on_thus_far(term, seq, end),
            Peer::Beat { term } => self.on_beat(from, term, ctx),
            Peer::Join { .. } | Peer::Have { .. } | Peer::Place { .. } | Peer::Link { .. } => {
                if self.core.role == Role::Primary {
                    self.mode.on_peer(from, peer, &mut self.core, ctx);
                    self.notice(from, peer, ctx);
                    self.progress(ctx);
                } else {
                    self.stand(AsStandby::Told(from, peer), ctx);
                }
            }
        }
    }

    fn refuses(&self, term: Term, token: FencingToken) -> bool {
        self.core.role != Role::Standby
            || self.promoting.is_some()
            || term != self.core.term
            || (self.spec.checks_tokens && token < self.core.seen)
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer {
            LEASE => {}
            PROMOTE => self.try_promote(ctx),
            RECOVER => self.on_recovered(ctx),
            STORAGE => self.on_storage_silent(ctx),
            RESYNC => self.on_resynced(ctx),
            Timer { kind: SERVED, arg } => self.on_served(arg, ctx),
            Timer { kind, .. } if kind >= GUARD_TIMERS => self.on_guard_timer(timer, ctx),
            Timer { kind, .. } if kind >= MODE_TIMERS => {
                if self.core.role == Role::Primary {
                    self.mode.on_timer(timer, &mut self.core, ctx);
                    self.progress(ctx);
                } else {
                    self.stand(AsStandby::Timer(timer), ctx);
                }
            }
            _ => {
                self.follower.on_timer(timer, &mut self.core, ctx);
                if self.promoting.is_some() && self.follower.is_catching_up_for_promotion() {
                    self.try_promote(ctx);
                }
            }
        }
    }

    fn on_reset(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        match self.core.role {
            Role::Primary => {
                self.mode.on_reset(by, &mut self.core, ctx);
                self.lose_sight(by, ctx);
                self.progress(ctx);
                if self.spec.storage == Some(by) {
                    self.check_storage(ctx);
                }
            }
            Role::Standby => {
                self.follower.on_reset(by, ctx);
                self.stand(AsStandby::Reset(by), ctx);
            }
            Role::Deposed => {}
        }
    }
}

impl Machine for Replica {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Message { from, msg } => match msg {
                Msg::Client(request) => self.on_request(from, request, ctx),
                Msg::Peer(_, peer) => self.on_peer(from, peer, ctx),
                Msg::Local(_, local) => self.on_local(local, ctx),
                Msg::Storage(_, storage) => self.on_storage(storage, ctx),
                Msg::Probe(ProbeMsg::Probe { seq, asks }) => self.on_probe(from, seq, asks, ctx),
                _ => {}
            },
            Input::Durable => self.on_durable(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Start => self.on_start(ctx),
            Input::Stall { part, yes } => self.on_stall(part, yes, ctx),
            Input::Order(Order::StepDown) => self.on_local(LocalMsg::StepDown, ctx),
            Input::Order(_) => {}
            Input::Errors { reads, writes, draws } => {
                self.errors = Errors::new(reads, writes, draws);
            }
            Input::Reset { by } | Input::Refused { by, .. } => self.on_reset(by, ctx),
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        (self.crashed, self.wiped) = (true, true);
        self.pending.clear();
        if let Some(server) = &mut self.server {
            server.clear();
        }
        self.lease_until = LocalTime::ZERO;
        self.quiesced = false;
        self.promoting = None;
        self.recovering = false;
        self.storage_ok = LogIndex(0);
        self.core.syncing = None;
        self.mode.crash();
        if disk_kept {
            let durable = self.core.log.durable().index;
            self.core.log.truncate(durable);
        } else {
            self.core.log = Log::new();
            self.hollow = true;
            // Both were on that disk.
            self.core.token = FencingToken(0);
            self.core.seen = FencingToken(0);
        }
        if self.core.role == Role::Primary && (!disk_kept || self.spec.restart == Restart::Standby)
        {
            self.core.role = Role::Deposed;
        }
        self.follower.crash(&self.core.log);
        self.lag.forget();
        self.errors = None;
    }
}

/// How answers travel: each on its client's own connection, tried for so long.
pub const ANSWER_CLASS: Class = Class::Independent { patience: Span::from_secs(5) };
