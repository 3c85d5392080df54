//! A tiny network for tests: true time, drifting clocks, delays, loss, cuts and crashes, and
//! nothing else of the world.
//!
//! # Decided
//! - Processes and nodes share their numbers; every process has a node of its own.
//! - All messages are treated as datagrams, whatever class they ask for: the hardest case.

mod published;
mod safety;

use super::{Entry, Raft};
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::id::{NodeId, ProcessId};
use crate::model::log::Book;
use crate::model::msg::Msg;
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, WallTime};
use std::collections::BTreeMap;

/// Something that will happen.
#[derive(Clone, Copy, Debug)]
enum Event {
    Deliver { from: usize, to: usize, msg: Msg },
    Fire { who: usize, timer: Timer },
    Durable { who: usize },
}

/// Where and when an event is due: true nanoseconds, then order of making.
type Key = (u64, u64);

/// Some machines and their network.
pub(crate) struct Tiny<M> {
    pub(crate) machines: Vec<M>,
    /// Which processes run.
    pub(crate) runs: Vec<bool>,
    /// True nanoseconds.
    pub(crate) now: u64,
    /// One-way delay, uniform between the two.
    pub(crate) delay: (Span, Span),
    /// Of each message.
    pub(crate) loss: f64,
    /// How long a write takes.
    pub(crate) fsync: Span,
    /// Parts per million by which each clock runs fast.
    pub(crate) drift: Vec<i64>,
    /// Directed pairs that are cut.
    pub(crate) cut: Vec<(usize, usize)>,
    /// What the last step left, and whose it was.
    pub(crate) left: (usize, Vec<Effect>),
    queue: BTreeMap<Key, Event>,
    timers: Vec<Vec<(Timer, Key)>>,
    writes: Vec<Option<Key>>,
    made: u64,
    dice: Stream,
    book: Book,
}

impl<M: Machine> Tiny<M> {
    /// Perfect clocks and links without delay; nothing has started.
    pub(crate) fn new(machines: Vec<M>, dice: Stream) -> Tiny<M> {
        let n = machines.len();
        Tiny {
            machines,
            runs: vec![false; n],
            now: 0,
            delay: (Span::ZERO, Span::ZERO),
            loss: 0.0,
            fsync: Span::ZERO,
            drift: vec![0; n],
            cut: Vec::new(),
            left: (0, Vec::new()),
            queue: BTreeMap::new(),
            timers: vec![Vec::new(); n],
            writes: vec![None; n],
            made: 0,
            dice,
            book: Book::default(),
        }
    }

    /// What that process's monotonic clock reads.
    pub(crate) fn local(&self, who: usize) -> LocalTime {
        let rate = (1_000_000 + self.drift[who]) as u128;
        LocalTime::from_nanos((u128::from(self.now) * rate / 1_000_000) as u64)
    }

    /// Starts a process.
    pub(crate) fn start(&mut self, who: usize) {
        if !self.runs[who] {
            self.runs[who] = true;
            self.step(who, Input::Start);
        }
    }

    /// Kills a process: its timers and its write under way are gone, what it sent is not.
    pub(crate) fn crash(&mut self, who: usize, disk_kept: bool) {
        for (_, key) in self.timers[who].drain(..) {
            self.queue.remove(&key);
        }
        if let Some(key) = self.writes[who].take() {
            self.queue.remove(&key);
        }
        self.runs[who] = false;
        self.machines[who].crash(disk_kept);
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.queue.first_key_value().map(|(key, _)| key.0)
    }

    /// Lets the next event happen, if it is due by then; false when there is none.
    pub(crate) fn advance(&mut self, until: u64) -> bool {
        if self.next_at().is_none_or(|at| at > until) {
            self.now = self.now.max(until);
            return false;
        }
        let (key, event) = self.queue.pop_first().expect("there is one");
        self.now = key.0;
        self.left.1.clear();
        match event {
            Event::Deliver { from, to, msg } => {
                if self.runs[to] && !self.cut.contains(&(from, to)) {
                    self.step(to, Input::Message { from: ProcessId::of(from), msg });
                }
            }
            Event::Fire { who, timer } => {
                self.timers[who].retain(|(armed, _)| *armed != timer);
                self.step(who, Input::Timer(timer));
            }
            Event::Durable { who } => {
                self.writes[who] = None;
                self.step(who, Input::Durable);
            }
        }
        true
    }

    /// Gives a machine an input and carries out what it leaves.
    fn step(&mut self, who: usize, input: Input) {
        self.with(who, |machine, ctx| machine.step(input, ctx));
    }

    /// Lets a test act on a machine, and carries out what it leaves.
    pub(crate) fn with(&mut self, who: usize, act: impl FnOnce(&mut M, &mut Ctx<'_>)) {
        let mut effects = std::mem::take(&mut self.left.1);
        effects.clear();
        let wall = WallTime::from_nanos(self.now);
        let (me, node) = (ProcessId::of(who), NodeId::of(who));
        let mut ctx = Ctx::new(me, node, self.local(who), wall, &self.book, &mut effects);
        act(&mut self.machines[who], &mut ctx);
        for effect in &effects {
            self.carry_out(who, *effect);
        }
        self.left = (who, effects);
    }

    fn carry_out(&mut self, who: usize, effect: Effect) {
        match effect {
            Effect::Send { to, msg, .. } => {
                let lost = self.loss > 0.0 && self.dice.chance(self.loss);
                let width = self.delay.1.saturating_sub(self.delay.0).as_nanos();
                let extra = if width > 0 { self.dice.below(width + 1) } else { 0 };
                if !lost {
                    let to = to.index();
                    let after = self.delay.0 + Span::from_nanos(extra);
                    self.push(after, Event::Deliver { from: who, to, msg });
                }
            }
            Effect::SetTimer { timer, after } => {
                self.disarm(who, timer);
                let rate = (1_000_000 + self.drift[who]) as u128;
                let after = (u128::from(after.as_nanos()) * 1_000_000).div_ceil(rate);
                let event = Event::Fire { who, timer };
                let key = self.push(Span::from_nanos(after as u64), event);
                self.timers[who].push((timer, key));
            }
            Effect::CancelTimer(timer) => self.disarm(who, timer),
            Effect::Sync { .. } => {
                assert!(self.writes[who].is_none(), "one write at a time");
                let key = self.push(self.fsync, Event::Durable { who });
                self.writes[who] = Some(key);
            }
            _ => {}
        }
    }

    fn disarm(&mut self, who: usize, timer: Timer) {
        if let Some(at) = self.timers[who].iter().position(|(armed, _)| *armed == timer) {
            let (_, key) = self.timers[who].swap_remove(at);
            self.queue.remove(&key);
        }
    }

    fn push(&mut self, after: Span, event: Event) -> Key {
        self.made += 1;
        let key = (self.now + after.as_nanos(), self.made);
        self.queue.insert(key, event);
        key
    }
}

/// The barest shell: it notes what is committed.
#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) raft: Raft,
    pub(crate) applied: Vec<Entry>,
}

impl Machine for Bare {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.raft.start(ctx),
            Input::Durable => self.raft.durable(ctx),
            Input::Timer(timer) => self.raft.timer(timer, ctx),
            Input::Message { from, msg: Msg::Raft(_, msg) } => self.raft.receive(from, msg, ctx),
            _ => {}
        }
        while let Some((_, entry)) = self.raft.next_committed() {
            self.applied.push(entry);
        }
    }
    fn crash(&mut self, disk_kept: bool) {
        self.raft.crash(disk_kept);
        self.applied.clear();
    }
}
