//! A leaderless quorum (Dynamo, Cassandra): whoever is asked coordinates.
//!
//! A node is up to two things. As a replica it holds its keys and answers coordinators. As a
//! coordinator it passes an operation on to every replica of the key, and answers its client when
//! those that have answered are enough; what they answer later is heard as well. May use what
//! `model::keyed` may.
//!
//! # Decided
//! - A coordinator that holds the key itself asks itself without a message and without delay.
//! - A write's version is stamped by the coordinator's wall clock, made to grow from one of its
//!   writes to its next.
//! - A write that too few confirmed in time may have been done: its answer says so (`unknown`).
//!   A read that failed did definitely nothing.

mod coordinator;
mod pending;
mod replica;

use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::errors::Errors;
use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{GroupId, Position, ProcessId, RegionId, Version};
use crate::model::keyed::{KeyedMsg, Latency, LatencyParams, Level, Merge, Need, Ring};
use crate::model::msg::{ClientMsg, Msg};
use crate::sim::Span;
use crate::sim::dist::Dist;
use crate::sim::param::Name;
use crate::sim::rng::Stream;
use coordinator::Coordinator;
use std::sync::Arc;

crate::choices! {
    /// Which coordinator a client asks.
    pub enum Pick {
        /// The nearest; the next nearest when an attempt failed.
        Nearest = "nearest",
        /// Any, drawn for each operation; the next one when an attempt failed.
        Random = "random",
    }
}

crate::choices! {
    /// When a replica confirms a write.
    pub enum Commit {
        /// When it is in memory; the disk follows at intervals.
        Periodic = "periodic",
        /// When it is on disk.
        Batch = "batch",
    }
}

crate::params! {
    /// Without a leader: a write goes to all replicas of its key and is answered when `w` have
    /// confirmed; a read asks them all and returns the newest version of the first `r` answers.
    /// The version with the larger timestamp wins.
    pub struct Params {
        /// How many replicas of each region hold a key.
        n: Option<u32> = None, "all of them";
        /// How many must have confirmed a write: a number, or `one`, `local_one`, `quorum`,
        /// `local_quorum`, `each_quorum`, `all`.
        w: Level = Level::Quorum, "Dynamo, SOSP 2007: (N, R, W) = (3, 2, 2) is common";
        /// How many must have answered a read.
        r: Level = Level::Quorum, "Dynamo, SOSP 2007: (N, R, W) = (3, 2, 2) is common";
        /// Where coordinators stand that hold no data.
        coordinators: Vec<Name> = Vec::new(), "none: the replicas coordinate";
        /// Which coordinator a write is sent to.
        write_to: Pick = Pick::Nearest, "drivers: the local data centre first";
        /// Which coordinator a read is sent to.
        read_to: Pick = Pick::Nearest, "drivers: the local data centre first";
        /// How long a coordinator waits for answers.
        timeout: Span = Span::from_secs(5), "Cassandra 3: read_request_timeout";
        /// When a replica confirms.
        commit: Commit = Commit::Periodic, "Cassandra: commitlog_sync";
        /// From one write to disk to the next, with `periodic`.
        commit_interval: Span = Span::from_secs(10), "Cassandra: commitlog_sync_period";
        /// What messages take beside the wire, by kind.
        latency: LatencyParams = LatencyParams::default(), "see its own keys";
    }
}

/// What a node is told of its store.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The store.
    pub group: GroupId,
    /// All its replicas.
    pub replicas: Arc<[ProcessId]>,
    /// Which of them this node is; nothing where it only coordinates.
    pub own: Option<u8>,
    /// Where it stands.
    pub region: RegionId,
    /// Who holds which key.
    pub ring: Arc<Ring>,
    /// What messages take beside the wire.
    pub latency: Latency,
    /// The mode's parameters.
    pub params: Params,
    /// How long it takes to start again after a crash.
    pub restart_time: Dist,
    /// A write on the wire between nodes.
    pub write_bytes: u32,
    /// What a replica answers to a read, on the wire.
    pub read_bytes: u32,
    /// For its restarts.
    pub dice: Stream,
}

/// Payload of a message that carries no value. Our choice.
const SMALL: u32 = 100;

/// The restart is over.
const RESTARTED: u16 = 0;
/// The coordinator's oldest write or read may have run out of time; the argument says which.
const TIMEOUT: u16 = 1;
/// The next write to disk is due.
const COMMIT: u16 = 2;

/// A node of the store.
#[derive(Debug)]
pub struct Node<M> {
    seat: Seat,
    values: M,
    coordinator: Coordinator,
    /// Coordinators that wait for the disk: who, which round, of which version.
    waiting: Vec<(ProcessId, u32, u8, Version)>,
    /// How many of these the disk write under way will satisfy.
    satisfied: usize,
    /// The disk writes.
    syncing: bool,
    /// A periodic write to disk is due.
    commit_due: bool,
    /// It has started before.
    started: bool,
    /// It works: it is not starting again.
    works: bool,
    reverted: Vec<(u32, Version)>,
    /// What a fault makes it fail.
    errors: Option<Box<Errors>>,
}

impl<M: Merge> Node<M> {
    /// A node that has not started.
    pub fn new(seat: Seat, values: M) -> Node<M> {
        let need = |level| Need::new(level, &seat.ring, seat.region);
        let coordinator = Coordinator::new([need(seat.params.r), need(seat.params.w)]);
        Node {
            seat,
            values,
            coordinator,
            waiting: Vec::new(),
            satisfied: 0,
            syncing: false,
            commit_due: false,
            started: false,
            works: false,
            reverted: Vec::new(),
            errors: None,
        }
    }
    /// The store.
    pub fn group(&self) -> GroupId {
        self.seat.group
    }
    /// What the last crash took.
    pub fn reverted(&mut self) -> Vec<(u32, Version)> {
        std::mem::take(&mut self.reverted)
    }

    fn start(&mut self, ctx: &mut Ctx<'_>) {
        if self.started {
            let takes = self.seat.restart_time.sample(&mut self.seat.dice);
            ctx.set_timer(Timer::of(RESTARTED), takes);
        }
        self.works = !self.started;
        self.started = true;
    }

    #[inline]
    fn hear(&mut self, from: ProcessId, msg: &Msg, ctx: &mut Ctx<'_>) {
        if !self.works {
            return;
        }
        match *msg {
            Msg::Keyed(_, KeyedMsg::Write { round, key, attempt, version }) => {
                self.write(from, round, key, attempt, version, ctx);
            }
            Msg::Keyed(_, KeyedMsg::Ack { round }) => {
                if let Some(replica) = self.replica(from) {
                    self.acked(round, replica, ctx);
                }
            }
            Msg::Keyed(_, KeyedMsg::Read { round, key, attempt, op }) => {
                self.read(from, round, key, attempt, op, ctx);
            }
            Msg::Keyed(_, KeyedMsg::Response { round, version }) => {
                if let Some(replica) = self.replica(from) {
                    self.responded(round, replica, version, ctx);
                }
            }
            Msg::Client(ref request @ ClientMsg::Request { op, kind, attempt, .. }) => {
                if self.errors.as_ref().is_some_and(|e| e.fail(op, kind, attempt)) {
                    let (group, outcome, at) =
                        (self.seat.group, Outcome::Fail, Position::default());
                    let (to, bytes) = (from, 100);
                    let answer = Effect::Answer { to, group, op, attempt, outcome, at, bytes };
                    return ctx.effect(answer);
                }
                self.coordinate(from, request, ctx);
            }
            _ => {}
        }
    }

    /// Which replica a process is.
    #[inline]
    fn replica(&self, process: ProcessId) -> Option<u8> {
        self.seat.replicas.iter().position(|other| *other == process).map(|i| i as u8)
    }
}

impl<M: Merge> Machine for Node<M> {
    #[inline]
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Message { from, ref msg } => self.hear(from, msg, ctx),
            Input::Timer(Timer { kind: TIMEOUT, arg }) => {
                let kind = if arg == 0 { OpKind::Read } else { OpKind::Write };
                self.time_out(kind, ctx);
            }
            Input::Timer(Timer { kind: COMMIT, .. }) => self.commit(ctx),
            Input::Timer(Timer { kind: RESTARTED, .. }) => self.works = true,
            Input::Durable => self.durable(ctx),
            Input::Refused { by, msg } => self.refused(by, &msg, ctx),
            Input::Start => self.start(ctx),
            Input::Errors { reads, writes, draws } => {
                self.errors = Errors::new(reads, writes, draws);
            }
            Input::Timer(_) | Input::Reset { .. } | Input::Stall { .. } | Input::Order(_) => {}
        }
    }
    fn crash(&mut self, disk_kept: bool) {
        self.reverted = self.values.crash(disk_kept);
        self.coordinator.crash();
        self.waiting.clear();
        self.errors = None;
        (self.satisfied, self.syncing, self.commit_due, self.works) = (0, false, false, false);
    }
}
