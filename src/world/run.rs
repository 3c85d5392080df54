//! The loop: pop, step, interpret, record.
//!
//! Facts are written here and in the sibling files of this room, and nowhere else.

use crate::model::ctx::{Effect, Input, Part, Timer};
use crate::model::fact::{Fact, Observer};
use crate::model::id::{FencingToken, NodeId, ProcessId};
use crate::model::log::Book;
use crate::model::msg::Msg;
use crate::net::Fabric;
use crate::sim::clock::Clock;
use crate::sim::digest::Digest;
use crate::sim::queue::{Key, Queue};
use crate::sim::rng::Streams;
use crate::sim::time::{LocalTime, SimTime};
use crate::world::disk::Disk;
use crate::world::orders::ControlPlane;
use crate::world::process::{Process, State};
use crate::world::schedule::Schedule;
use crate::world::stage::Stage;
use crate::world::wires::Wires;
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
    /// A datagram or a message on a connection of its own arrives; its number among letters,
    /// as below.
    Packet(u32),
    /// The transport of such a message sends it again.
    Resend(u32),
    /// A packet of a stream arrives.
    Flow { flow: u32, seq: u32 },
    /// A stream has something to do.
    FlowWake { flow: u32, generation: u32 },
    /// A message within a node arrives.
    Local(u32),
    /// A refusal arrives at the sender of that letter.
    Refused(u32),
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
    /// An operator acts.
    Operate(u16),
    /// Routing heeds what happened to links.
    Converge,
    /// The storm is over.
    Settle,
    /// A host's watchdog runs out.
    Watchdog { node: NodeId, generation: u32 },
    /// A fence device switches a host.
    Power { node: NodeId, on: bool },
    /// A host comes back after its watchdog rebooted it.
    Rebooted(NodeId),
}

/// One process as the world sees it.
pub(super) struct Slot {
    pub machine: Process,
    pub node: NodeId,
    /// Where its node stands.
    pub site: usize,
    /// True when it can admit writes or lead: only then is it asked after each step.
    pub stands: bool,
    /// True when only its agent starts it again after a death.
    pub supervised: bool,
    pub state: State,
    /// Counts its lives: what belongs to an earlier one is void.
    pub incarnation: u32,
    pub timers: Vec<(Timer, Key, LocalTime)>,
    pub disk: Disk,
    /// What arrived while it was paused.
    pub inbox: VecDeque<Input>,
    pub admits: bool,
    pub acks: u16,
    /// Who stops it: faults, its watchdog, its fence device.
    pub stopped_by: Vec<u32>,
    /// Who pauses it.
    pub paused_by: Vec<u32>,
    /// Who keeps which part of it from working.
    pub stalled_by: Vec<(u32, Part)>,
    /// Who makes it fail which share of reads, and of writes.
    pub errs_by: Vec<(u32, [f64; 2])>,
}

/// A host.
pub(super) struct Host {
    pub clock: Clock,
    /// Who holds it down.
    pub down_by: Vec<u32>,
    /// Its drift without faults, and what each fault adds, in parts per billion.
    pub drift: i64,
    pub drifted_by: Vec<(u32, i64)>,
    /// Whose gray failures act on it.
    pub ails_by: Vec<u32>,
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
    pub schedule: Schedule,
    pub digest: Digest,
    pub facts: u64,
    /// Whether orders get through.
    pub plane: ControlPlane,
    /// How often each fault has begun.
    pub onsets: Vec<u32>,
    /// The newest token per group that somebody was authorised with.
    pub authorised: Vec<FencingToken>,
    pub observer: &'a mut O,
    pub effects: Vec<Effect>,
}

impl<O: Observer> World<'_, O> {
    /// Writes a fact. A fault may wait for it.
    #[inline(never)]
    pub fn fact(&mut self, fact: Fact) {
        self.frequent_fact(fact);
        if self.schedule.listens {
            self.heed(&fact);
        }
    }

    /// Writes a fact of a kind that is known where this is written: folding it costs its words
    /// and no choice.
    #[inline(always)]
    pub fn frequent_fact(&mut self, fact: Fact) {
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

    fn on_durable(&mut self, process: ProcessId, epoch: u32) {
        let slot = &mut self.slots[process.index()];
        let Some((group, upto)) = slot.disk.end(epoch) else { return };
        if slot.machine.keeps_history() {
            let node = slot.node;
            self.frequent_fact(Fact::Durable { node, group, upto });
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

    #[inline(always)]
    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Packet(letter) => self.arrive(letter),
            Event::Wake { process, incarnation, timer } => {
                if self.slots[process.index()].incarnation == incarnation {
                    self.hear(process, Input::Timer(timer));
                }
            }
            _ => self.dispatch_rare(event),
        }
    }

    /// What happens less often than once an operation.
    #[inline(never)]
    fn dispatch_rare(&mut self, event: Event) {
        match event {
            Event::Timer { process, incarnation, timer } => {
                self.on_timer(process, incarnation, timer);
            }
            Event::Flow { flow, seq } => self.flow_arrives(flow, seq),
            Event::Durable { process, epoch } => self.on_durable(process, epoch),
            Event::FlowWake { flow, generation } => self.flow_wakes(flow, generation),
            Event::Local(letter) => self.local_arrives(letter),
            Event::Resend(letter) => self.resend(letter),
            Event::Refused(letter) => self.refusal_arrives(letter),
            Event::Reset { to, by } => self.reset_arrives(to, by),
            Event::Onset(fault) => self.onset(fault),
            Event::Clear(fault) => self.end_turn(fault),
            Event::Operate(operator) => self.operate(operator),
            Event::Converge => self.converge(),
            Event::Settle => self.settle(),
            Event::Watchdog { node, generation } => self.watchdog_runs_out(node, generation),
            Event::Power { node, on } => self.switch_host(node, on),
            Event::Rebooted(node) => self.rebooted(node),
            // The frequent ones are dealt with above.
            Event::Packet(_) | Event::Wake { .. } => {}
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
        let fabric = Fabric::new(&self.fabric);
        let mut world = World {
            stage: self,
            now: SimTime::ZERO,
            queue: Queue::new(),
            wires: self.make_wires(&fabric),
            fabric,
            hosts: self.make_hosts(&streams),
            slots: self.make_slots(&streams),
            book: Book::new(self.clients()),
            streams,
            schedule: Schedule::new(self),
            digest: Digest::new(),
            facts: 0,
            plane: ControlPlane::default(),
            onsets: vec![0; self.faults.len()],
            authorised: vec![FencingToken(0); self.roster.groups.len()],
            observer,
            effects: Vec::with_capacity(64),
        };
        world.begin();
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
    fn begin(&mut self) {
        for i in 0..self.slots.len() {
            self.step(ProcessId::of(i), Input::Start);
        }
        self.schedule_operators();
        self.schedule_faults();
    }
}
