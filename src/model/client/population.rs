//! One client population: begins operations, retries them, and says how each ended.

mod retries;
mod routed;

use crate::model::client::ClientParams;
use crate::model::client::agenda::{Pauses, Timeouts};
use crate::model::client::arrivals::{ARRIVAL, Lane};
use crate::model::client::keys::Keys;
use crate::model::client::users::{Act, NOBODY, USER, Users};
use crate::model::client::window::{Op, State, Window};
use crate::model::ctx::{Class, Ctx, Effect, Input, Machine, Timer};
use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{ClientId, GroupId, NodeId, OpId, ProcessId};
use crate::model::msg::{ClientMsg, Msg};
use crate::model::route::{FIRST_TIMER, Moves, Routed, Router, Routes, Waiting};
use crate::sim::Span;
use crate::sim::rng::{Label, Streams};
use crate::sim::time::LocalTime;
use std::sync::Arc;

/// The oldest operation's deadline.
const DEADLINE: u16 = 1;
/// The oldest attempt's timeout.
const ATTEMPT: u16 = 2;
/// A pause ends.
const RETRY: u16 = 3;

/// Payload of a request that carries nothing but a key.
const READ_REQUEST_BYTES: u32 = 100;

/// What a population is made of.
pub struct Setup<'a> {
    /// Which population.
    pub id: ClientId,
    /// Its name: part of the names of its dice.
    pub name: &'a str,
    /// Its parameters.
    pub params: &'a ClientParams,
    /// The store it uses.
    pub group: GroupId,
    /// Payload of a write's request.
    pub write_bytes: u32,
    /// Payload of the answer to a read.
    pub read_bytes: u32,
    /// Which keys it touches; made once and shared.
    pub keys: Keys,
    /// How it finds the store.
    pub router: Router,
    /// Whether it says which user begins an operation: judges of stores with versions per key
    /// want to know.
    pub tells_sessions: bool,
    /// On which node each process runs.
    pub homes: &'a Arc<[NodeId]>,
    /// The dice of the trial.
    pub streams: &'a Streams,
}

/// A client population.
pub struct Population {
    id: ClientId,
    group: GroupId,
    write_bytes: u32,
    read_bytes: u32,
    idempotent: bool,
    attempts: u8,
    deadline: Span,
    attempt_timeout: Span,
    keys: Keys,
    router: Router,
    tells_sessions: bool,
    lanes: [Option<Lane>; 2],
    /// Those who wait for their operations to end.
    users: Option<Box<Users>>,
    /// When they begin, from the start of the run, and from when on they begin nothing more.
    from: Span,
    until: Option<Span>,
    window: Window,
    timeouts: Timeouts,
    pauses: Pauses,
    /// True while a timer is under way for what was the oldest operation when it was armed.
    deadline_armed: bool,
    moves: Moves,
    homes: Arc<[NodeId]>,
}

impl Population {
    /// The most attempts: they are numbered in one byte on the wire.
    pub const LIMIT_ATTEMPTS: u32 = 255;

    /// A population that has not begun; [`Input::Start`] begins it.
    pub fn new(setup: Setup<'_>) -> Population {
        let label = Label::new("client").with(setup.name);
        let params = setup.params;
        let load = params.load.as_ref();
        let lane = |kind, params: &Option<_>, word| {
            params.as_ref().map(|params| Lane::new(kind, params, load, setup.streams, label, word))
        };
        Population {
            id: setup.id,
            group: setup.group,
            write_bytes: setup.write_bytes,
            read_bytes: setup.read_bytes,
            idempotent: params.retry.idempotent,
            attempts: params.retry.attempts.clamp(1, Population::LIMIT_ATTEMPTS) as u8,
            deadline: params.deadline,
            attempt_timeout: params.retry.attempt_timeout,
            keys: setup.keys.clone(),
            lanes: [
                lane(OpKind::Write, &params.writes, "writes"),
                lane(OpKind::Read, &params.reads, "reads"),
            ],
            users: params.users.as_ref().map(|users| Box::new(Users::new(users, &setup, label))),
            from: params.from,
            until: params.until,
            window: Window::new(),
            timeouts: Timeouts::default(),
            pauses: Pauses::new(&params.retry, setup.streams, label.with("backoff")),
            deadline_armed: false,
            moves: Moves::default(),
            homes: Arc::clone(setup.homes),
            router: setup.router,
            tells_sessions: setup.tells_sessions,
        }
    }
    /// Operations begun and not concluded, and those that wait in the window for older ones.
    pub fn in_flight(&self) -> usize {
        let range = self.window.range();
        (range.end - range.start) as usize
    }
    /// An operation of a lane begins, and the lane's next one is awaited.
    #[inline]
    fn arrive(&mut self, number: u32, ctx: &mut Ctx<'_>) {
        let Some(Some(lane)) = self.lanes.get_mut(number as usize) else { return };
        lane.await_next(number, ctx);
        let kind = lane.kind;
        let key = self.keys.sample(&mut lane.keys);
        let resolver = self.router.pick(&mut lane.resolvers);
        self.begin(Act { kind, key, resolver }, NOBODY, ctx);
    }
    /// A user begins its next operation.
    #[cold]
    #[inline(never)]
    fn on_user(&mut self, user: u32, ctx: &mut Ctx<'_>) {
        let Some(users) = &mut self.users else { return };
        if let Some(act) = users.begin(user, &self.keys, ctx) {
            if self.tells_sessions {
                let op = OpId::new(self.id, self.window.next());
                ctx.effect(Effect::Session { op, user });
            }
            self.begin(act, user, ctx);
        }
    }
    /// An operation begins.
    #[inline(always)]
    fn begin(&mut self, act: Act, user: u32, ctx: &mut Ctx<'_>) {
        let Act { kind, key, resolver } = act;
        let (invoked, seq) = (ctx.now(), self.window.next());
        ctx.effect(Effect::Invoke { op: OpId::new(self.id, seq), group: self.group, kind, key });
        let routed = self.router.route(resolver, Waiting { seq, attempt: 0, kind }, ctx);
        let (target, state) = match routed {
            Routed::To(target) => (target, State::Sent),
            Routed::Wait | Routed::Nowhere => (ProcessId(0), State::Waiting),
        };
        let unknown = false;
        let op = Op { invoked, resolver, user, key, target, attempt: 0, state, kind, unknown };
        if state == State::Sent {
            self.request(seq, &op, ctx);
        }
        self.window.push(op);
        if routed == Routed::Nowhere {
            self.end_attempt(seq, true, None, ctx);
        }
        if !self.deadline_armed {
            self.await_deadline(ctx);
        }
        if !self.timeouts.armed {
            self.await_timeout(ctx);
        }
    }
    /// A further attempt: asks the router where to, and sends, or waits for the router.
    fn begin_attempt(&mut self, seq: u64, ctx: &mut Ctx<'_>) {
        let Some(op) = self.window.get_mut(seq) else { return };
        op.state = State::Waiting;
        let (attempt, ends) = (op.attempt, op.invoked.saturating_add(self.deadline));
        match self.router.route(op.resolver, Waiting { seq, attempt, kind: op.kind }, ctx) {
            Routed::To(target) => self.send(seq, target, ctx),
            Routed::Wait => {}
            Routed::Nowhere => return self.end_attempt(seq, true, None, ctx),
        }
        // An attempt that could outlast the deadline needs no timeout of its own.
        let due = ctx.now().saturating_add(self.attempt_timeout);
        if due < ends {
            self.timeouts.retries.push_back((due, seq, attempt));
            if !self.timeouts.armed {
                self.await_timeout(ctx);
            }
        }
    }
    /// Sends the attempt under way.
    fn send(&mut self, seq: u64, target: ProcessId, ctx: &mut Ctx<'_>) {
        let Some(op) = self.window.get_mut(seq) else { return };
        op.state = State::Sent;
        op.target = target;
        let op = *op;
        self.request(seq, &op, ctx);
    }
    /// The request of an attempt to its target.
    #[inline]
    fn request(&self, seq: u64, op: &Op, ctx: &mut Ctx<'_>) {
        let (bytes, answer_bytes) = match op.kind {
            OpKind::Write => (self.write_bytes, 0),
            OpKind::Read => (READ_REQUEST_BYTES, self.read_bytes),
        };
        let msg = Msg::Client(ClientMsg::Request {
            op: OpId::new(self.id, seq),
            group: self.group,
            kind: op.kind,
            attempt: op.attempt,
            idempotent: self.idempotent,
            answer_bytes,
            key: op.key,
        });
        let patience = self.deadline.saturating_sub(ctx.now().since(op.invoked));
        let class = Class::Independent { patience };
        ctx.effect(Effect::Send { to: op.target, msg, class, bytes });
    }
    /// True while that attempt was neither answered nor given up.
    fn under_way(&self, seq: u64, attempt: u8) -> bool {
        let op = self.window.get(seq);
        op.is_some_and(|op| op.attempt == attempt && op.state != State::Pausing)
    }
    /// An answer arrived, perhaps a late one.
    #[inline]
    fn answer(
        &mut self,
        from: ProcessId,
        op: OpId,
        attempt: u8,
        outcome: Outcome,
        ctx: &mut Ctx<'_>,
    ) {
        let seq = op.seq();
        let Some(op) = self.window.get(seq) else { return };
        if ctx.now().since(op.invoked) > self.deadline {
            return;
        }
        let by = Some(self.homes[from.index()]);
        if outcome == Outcome::Ok {
            self.conclude(seq, Outcome::Ok, by, ctx);
        } else if op.attempt == attempt && op.state == State::Sent {
            self.end_attempt(seq, outcome == Outcome::Fail, by, ctx);
        }
    }
    /// The attempt under way ended without success: retries after a pause, or concludes.
    #[cold]
    fn end_attempt(&mut self, seq: u64, definite: bool, by: Option<NodeId>, ctx: &mut Ctx<'_>) {
        let Some(op) = self.window.get_mut(seq) else { return };
        op.unknown |= !definite;
        let ends = op.invoked.saturating_add(self.deadline);
        let next = op.attempt.saturating_add(1);
        if next < self.attempts {
            let due = ctx.now().saturating_add(self.pauses.length(seq, next));
            if due < ends {
                op.attempt = next;
                op.state = State::Pausing;
                if self.pauses.push(due, seq, next) {
                    self.await_pause(ctx);
                }
                return;
            }
        }
        let outcome =
            if op.unknown || ctx.now() >= ends { Outcome::Unknown } else { Outcome::Fail };
        let by = by.filter(|_| outcome == Outcome::Fail);
        self.conclude(seq, outcome, by, ctx);
    }
    /// Says how an operation ended, once.
    #[inline]
    fn conclude(&mut self, seq: u64, outcome: Outcome, by: Option<NodeId>, ctx: &mut Ctx<'_>) {
        ctx.effect(Effect::Conclude { op: OpId::new(self.id, seq), outcome, by });
        if self.users.is_some() {
            self.user_is_free(seq, ctx);
        }
        self.window.remove(seq);
    }
    /// The operation has ended: its user, if it has one, goes on.
    #[cold]
    #[inline(never)]
    fn user_is_free(&mut self, seq: u64, ctx: &mut Ctx<'_>) {
        let user = self.window.get(seq).map_or(NOBODY, |op| op.user);
        if let Some(users) = self.users.as_mut().filter(|_| user != NOBODY) {
            users.ended(user, ctx);
        }
    }
    /// Arms the timer for the oldest operation's deadline.
    fn await_deadline(&mut self, ctx: &mut Ctx<'_>) {
        let oldest = self.window.front().map(|(_, op)| op.invoked.saturating_add(self.deadline));
        self.deadline_armed = oldest.is_some_and(|due| due != LocalTime::MAX);
        if let Some(due) = oldest.filter(|_| self.deadline_armed) {
            ctx.set_timer(Timer::of(DEADLINE), due.since(ctx.now()));
        }
    }
    /// Concludes every operation whose deadline has come.
    fn deadlines(&mut self, ctx: &mut Ctx<'_>) {
        while let Some((seq, op)) = self.window.front() {
            if op.invoked.saturating_add(self.deadline) > ctx.now() {
                break;
            }
            self.conclude(seq, Outcome::Unknown, None, ctx);
        }
        self.await_deadline(ctx);
    }
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.router.start(ctx);
        let until = self.until.map_or(LocalTime::MAX, |until| ctx.now().saturating_add(until));
        for (number, lane) in (0..).zip(&mut self.lanes) {
            if let Some(lane) = lane {
                lane.until = until;
                lane.arrivals.start(ctx.now(), self.from);
                lane.await_next(number, ctx);
            }
        }
        if let Some(users) = &mut self.users {
            users.start(self.from, until, ctx);
        }
    }
}

impl Machine for Population {
    #[inline]
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Timer(timer) => match timer.kind {
                ARRIVAL => self.arrive(timer.arg, ctx),
                DEADLINE => self.deadlines(ctx),
                ATTEMPT => self.time_out(ctx),
                RETRY => self.retry(ctx),
                USER => self.on_user(timer.arg, ctx),
                FIRST_TIMER.. => self.router_timer(timer, ctx),
                _ => {}
            },
            Input::Message { from, ref msg } => match *msg {
                Msg::Client(ClientMsg::Answer { op, attempt, outcome }) => {
                    self.answer(from, op, attempt, outcome, ctx);
                }
                Msg::Client(ClientMsg::Redirect { .. }) => self.redirected(from, msg, ctx),
                _ => self.tell_router(ctx, |r, _, moves, ctx| r.hear(from, msg, moves, ctx)),
            },
            Input::Refused { by, msg } => self.refused(by, &msg, ctx),
            Input::Reset { by } => self.reset(by, ctx),
            Input::Start => self.start(ctx),
            Input::Durable | Input::Stall { .. } | Input::Order(_) | Input::Errors { .. } => {}
        }
    }
    /// Users are no process: no fault can touch them.
    fn crash(&mut self, _disk_kept: bool) {}
}
