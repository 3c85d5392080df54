//! The loop: pop, step, interpret, record.
//!
//! Facts are written here and in the sibling files of this room, and nowhere else.

use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::{GroupId, NodeId, Position, ProcessId};
use crate::model::log::Book;
use crate::model::msg::{ClientMsg, Msg};
use crate::model::replica::shell::ANSWER_CLASS;
use crate::net::Fabric;
use crate::sim::clock::Clock;
use crate::sim::digest::Digest;
use crate::sim::queue::{Key, Phase, Queue};
use crate::sim::rng::Streams;
use crate::sim::time::{LocalTime, SimTime, Span};
use crate::world::disk::Disk;
use crate::world::process::{Process, State};
use crate::world::stage::Stage;
use crate::world::wires::{Packet, Wires};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

/// When a run must end early.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// After so many events the run is halted, and its verdict is inconclusive.
    pub events: u64,
    /// Set by somebody else when the run is no longer wanted.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Limits { events: 20_000_000_000, stop: None }
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finish {
    /// When.
    pub at: SimTime,
    /// How many events it took.
    pub events: u64,
    /// How many facts were written.
    pub facts: u64,
    /// The fingerprint over all facts and their times.
    pub fingerprint: u64,
    /// True when a limit ended it: what it would have shown is unknown.
    pub halted: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A datagram or a message on a connection of its own arrives.
    Packet(Packet),
    /// The transport of such a message sends it again.
    Resend(Packet),
    /// A packet of a stream arrives.
    Flow { flow: u32, seq: u32 },
    /// A stream has something to do.
    FlowWake { flow: u32, generation: u32 },
    /// A message within a node arrives.
    Local { from: ProcessId, to: ProcessId, msg: Msg },
    /// A refusal arrives at the sender.
    Refused { to: ProcessId, by: ProcessId, msg: Msg },
    /// The news that a process died arrives at one that it talked to.
    Reset { to: ProcessId, by: ProcessId },
    /// A timer fires.
    Timer { process: ProcessId, incarnation: u32, timer: Timer },
    /// A timer of the kind that is never disarmed fires.
    Wake { process: ProcessId, incarnation: u32, timer: Timer },
    /// A disk write ends.
    Durable { process: ProcessId, epoch: u32 },
    /// A fault begins.
    Onset(u16),
    /// A fault ends.
    Clear(u16),
    /// Routing heeds what happened to links.
    Converge,
    /// The storm is over.
    Settle,
    /// A host's watchdog runs out.
    Watchdog { node: NodeId, generation: u32 },
    /// A host comes back after its watchdog rebooted it.
    Rebooted(NodeId),
}

/// One process as the world sees it.
pub(super) struct Slot {
    pub machine: Process,
    pub node: NodeId,
    pub state: State,
    /// Counts its lives: what belongs to an earlier one is void.
    pub incarnation: u32,
    pub timers: Vec<(Timer, Key, LocalTime)>,
    pub disk: Disk,
    /// What arrived while it was paused.
    pub inbox: VecDeque<Input>,
    pub admits: bool,
    pub acks: u16,
    /// Who stops it: faults, and its watchdog.
    pub stopped_by: Vec<u32>,
    /// Who pauses it.
    pub paused_by: Vec<u32>,
}

/// A host.
pub(super) struct Host {
    pub clock: Clock,
    pub site: usize,
    /// Who holds it down.
    pub down_by: Vec<u32>,
    /// Its drift without faults, and what each fault adds, in parts per billion.
    pub drift: i64,
    pub drifted_by: Vec<(u32, i64)>,
    /// Counts how often the watchdog was wound up; a firing of an earlier time is void.
    pub watchdog: u32,
    /// When it runs out, by the local clock; nothing while it is disarmed.
    pub watchdog_due: Option<LocalTime>,
}

/// One trial under way.
pub(super) struct World<'a, O> {
    pub stage: &'a Stage,
    pub now: SimTime,
    pub queue: Queue<Event>,
    pub fabric: Fabric,
    pub wires: Wires,
    pub hosts: Vec<Host>,
    pub slots: Vec<Slot>,
    pub book: Book,
    pub streams: Streams,
    pub digest: Digest,
    pub facts: u64,
    pub observer: &'a mut O,
    effects: Vec<Effect>,
}

impl<O: Observer> World<'_, O> {
    /// Writes a fact.
    #[inline]
    pub fn fact(&mut self, fact: Fact) {
        self.digest.fold(self.now.as_nanos());
        let digest = &mut self.digest;
        fact.words(|word| digest.fold(word));
        self.facts += 1;
        self.observer.on_fact(self.now, &fact);
    }

    /// What a process's node reads on its monotonic clock.
    #[inline]
    pub fn local(&self, process: ProcessId) -> LocalTime {
        self.hosts[self.slots[process.index()].node.index()].clock.local(self.now)
    }

    /// Lets a process hear something now, or when its pause ends; the dead hear nothing.
    #[inline]
    pub fn hear(&mut self, process: ProcessId, input: Input) {
        let slot = &mut self.slots[process.index()];
        match slot.state {
            State::Running => self.step(process, input),
            State::Paused if slot.inbox.len() < INBOX || !may_drop(&input) => {
                slot.inbox.push_back(input);
            }
            State::Paused | State::Dead => {}
        }
    }

    /// One step of a machine, and what it leaves.
    pub fn step(&mut self, process: ProcessId, input: Input) {
        let mut effects = std::mem::take(&mut self.effects);
        let slot = &mut self.slots[process.index()];
        let clock = &self.hosts[slot.node.index()].clock;
        let (now, wall) = (clock.local(self.now), clock.wall(self.now));
        let mut ctx = Ctx::new(process, slot.node, now, wall, &self.book, &mut effects);
        slot.machine.step(input, &mut ctx);
        for effect in effects.drain(..) {
            self.carry_out(process, effect);
        }
        self.effects = effects;
        self.ask(process);
    }

    /// Asks whether a process admits writes, and by which rule. A rule of its state: while it is
    /// paused or dead it admits nothing.
    #[inline]
    pub fn ask(&mut self, process: ProcessId) {
        let slot = &self.slots[process.index()];
        let Some((group, admits, acks)) = slot.machine.standing(self.local(process)) else {
            return;
        };
        let admits = admits && slot.state == State::Running;
        if admits != slot.admits {
            self.slots[process.index()].admits = admits;
            let node = self.slots[process.index()].node;
            self.fact(Fact::Admits { node, group, yes: admits });
        }
        if admits && acks != self.slots[process.index()].acks {
            self.slots[process.index()].acks = acks;
            let node = self.slots[process.index()].node;
            self.fact(Fact::Rule { node, group, acks });
        }
    }

    #[inline]
    fn carry_out(&mut self, process: ProcessId, effect: Effect) {
        let node = self.slots[process.index()].node;
        match effect {
            Effect::Send { to, msg, class, bytes } => self.send(process, to, msg, class, bytes),
            Effect::Answer { to, group, op, attempt, outcome, at, bytes } => {
                self.fact(Fact::Answered { node, group, op, outcome, at });
                let msg = Msg::Client(ClientMsg::Answer { op, attempt, outcome });
                self.send(process, to, msg, ANSWER_CLASS, bytes);
            }
            Effect::Invoke { op, group, kind, key } => {
                self.fact(Fact::Invoked { op, group, kind, key });
            }
            Effect::Conclude { op, outcome, by } => self.fact(Fact::Concluded { op, outcome, by }),
            Effect::SetTimer { timer, after } => self.set_timer(process, timer, after),
            Effect::CancelTimer(timer) => self.cancel_timer(process, timer),
            Effect::Wake { timer, after } => self.wake(process, timer, after),
            Effect::Append { group, op, at } => {
                self.book.note(group, op, at);
                self.fact(Fact::Appended { node, group, op, at });
            }
            Effect::Begin { group, segment, from } => {
                self.fact(Fact::Began { node, group, segment, from });
            }
            Effect::Hold { group, upto } => self.fact(Fact::Held { node, group, upto }),
            Effect::Sync { group, upto } => self.sync(process, group, upto),
            Effect::Truncate { group, to } => {
                let slot = &mut self.slots[process.index()];
                slot.disk.void();
                slot.inbox.retain(|input| *input != Input::Durable);
                self.fact(Fact::Truncated { node, group, to });
            }
            Effect::Authorise { group, holder, token } => {
                self.fact(Fact::Authorised { group, holder, token });
            }
            Effect::Route { client, resolver, group, node } => {
                self.fact(Fact::Routed { client, resolver, group, node });
            }
            Effect::Watchdog { after } => self.wind_watchdog(node, after),
            Effect::Claim(claim) => self.claim(node, claim),
        }
    }

    fn claim(&mut self, node: NodeId, claim: Claim) {
        self.observer.on_claim(self.now, node, &claim);
    }

    fn set_timer(&mut self, process: ProcessId, timer: Timer, after: Span) {
        self.cancel_timer(process, timer);
        if after == Span::MAX {
            return;
        }
        let slot = &mut self.slots[process.index()];
        let clock = &self.hosts[slot.node.index()].clock;
        let at = self.now.saturating_add(clock.true_span(after)).min(self.stage.end_of_time);
        let due = clock.local(self.now).saturating_add(after);
        let event = Event::Timer { process, incarnation: slot.incarnation, timer };
        let key = self.queue.schedule(at, Phase::Timer, event);
        slot.timers.push((timer, key, due));
    }

    fn cancel_timer(&mut self, process: ProcessId, timer: Timer) {
        let slot = &mut self.slots[process.index()];
        if !slot.inbox.is_empty() {
            // It fired during a pause, and has not been heard yet.
            slot.inbox.retain(|input| *input != Input::Timer(timer));
        }
        let timers = &mut slot.timers;
        if let Some(i) = timers.iter().position(|(other, ..)| *other == timer) {
            let (_, key, _) = timers.swap_remove(i);
            self.queue.cancel(key);
        }
    }

    #[inline]
    fn wake(&mut self, process: ProcessId, timer: Timer, after: Span) {
        let slot = &self.slots[process.index()];
        let clock = &self.hosts[slot.node.index()].clock;
        let at = self.now.saturating_add(clock.true_span(after)).min(self.stage.end_of_time);
        let event = Event::Wake { process, incarnation: slot.incarnation, timer };
        self.queue.schedule(at, Phase::Timer, event);
    }

    fn sync(&mut self, process: ProcessId, group: GroupId, upto: Position) {
        let slot = &mut self.slots[process.index()];
        let (delay, epoch) = slot.disk.begin(group, upto);
        let at = self.now.saturating_add(delay);
        self.queue.schedule(at, Phase::Durable, Event::Durable { process, epoch });
    }

    fn on_durable(&mut self, process: ProcessId, epoch: u32) {
        let slot = &mut self.slots[process.index()];
        let Some((group, upto)) = slot.disk.end(epoch) else { return };
        if slot.machine.keeps_history() {
            let node = slot.node;
            self.fact(Fact::Durable { node, group, upto });
        }
        self.hear(process, Input::Durable);
    }

    fn on_timer(&mut self, process: ProcessId, incarnation: u32, timer: Timer) {
        let slot = &mut self.slots[process.index()];
        if slot.incarnation != incarnation {
            return;
        }
        if let Some(i) = slot.timers.iter().position(|(other, ..)| *other == timer) {
            slot.timers.swap_remove(i);
        }
        self.hear(process, Input::Timer(timer));
    }

    #[inline]
    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Packet(packet) => self.arrive(packet),
            Event::Wake { process, incarnation, timer } => {
                if self.slots[process.index()].incarnation == incarnation {
                    self.hear(process, Input::Timer(timer));
                }
            }
            Event::Timer { process, incarnation, timer } => {
                self.on_timer(process, incarnation, timer);
            }
            Event::Flow { flow, seq } => self.flow_arrives(flow, seq),
            Event::Durable { process, epoch } => self.on_durable(process, epoch),
            Event::FlowWake { flow, generation } => self.flow_wakes(flow, generation),
            Event::Local { from, to, msg } => self.local_arrives(from, to, msg),
            Event::Resend(packet) => self.resend(packet),
            Event::Refused { to, by, msg } => self.hear(to, Input::Refused { by, msg }),
            Event::Reset { to, by } => self.reset_arrives(to, by),
            Event::Onset(fault) => self.onset(fault),
            Event::Clear(fault) => self.clear(fault),
            Event::Converge => self.converge(),
            Event::Settle => self.fact(Fact::Settling),
            Event::Watchdog { node, generation } => self.watchdog_runs_out(node, generation),
            Event::Rebooted(node) => self.rebooted(node),
        }
    }
}

/// How many messages wait for a paused process before further requests are dropped: a full
/// queue of connections. Our choice; a paused database at 10,000 requests a second fills it in
/// six seconds.
const INBOX: usize = 1 << 16;

/// True for what a full host drops: requests on connections of their own. Streams have a window
/// of their own; the process's timers and its disk do not go through the network at all.
fn may_drop(input: &Input) -> bool {
    matches!(input, Input::Message { msg: Msg::Client(_) | Msg::Probe(_), .. })
}

impl Stage {
    /// Runs one trial and hands every fact and claim to `observer`. Cannot fail: a broken
    /// invariant is our bug and panics.
    pub fn run(
        &self,
        seed: u64,
        trial: u64,
        observer: &mut impl Observer,
        limits: &Limits<'_>,
    ) -> Finish {
        let streams = Streams::new(seed, trial);
        let mut world = World {
            stage: self,
            now: SimTime::ZERO,
            queue: Queue::new(),
            fabric: Fabric::new(&self.fabric),
            wires: Wires::new(self.layout.tasks.len()),
            hosts: self.make_hosts(&streams),
            slots: self.make_slots(&streams),
            book: Book::new(self.clients()),
            streams,
            digest: Digest::new(),
            facts: 0,
            observer,
            effects: Vec::with_capacity(64),
        };
        world.begin(seed, trial);
        let mut events = 0;
        let mut halted = false;
        while let Some((at, event)) = world.queue.pop() {
            if at > self.end {
                break;
            }
            world.now = at;
            world.dispatch(event);
            events += 1;
            let stopped = || limits.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
            if events >= limits.events || (events % 4096 == 0 && stopped()) {
                halted = true;
                break;
            }
        }
        let at = if halted { world.now } else { self.end };
        let fingerprint = world.digest.value();
        Finish { at, events, facts: world.facts, fingerprint, halted }
    }
}

impl<O: Observer> World<'_, O> {
    /// Everything starts; the faults of this trial are put into the calendar.
    fn begin(&mut self, seed: u64, trial: u64) {
        for i in 0..self.slots.len() {
            self.step(ProcessId::of(i), Input::Start);
        }
        for times in self.stage.calendar(seed, trial) {
            self.queue.schedule(times.onset, Phase::Fault, Event::Onset(times.fault.0));
            if let Some(clear) = times.clear {
                self.queue.schedule(clear, Phase::Fault, Event::Clear(times.fault.0));
            }
        }
        self.queue.schedule(self.stage.horizon, Phase::Fault, Event::Settle);
    }
}
