//! The bare kernel against the standard heap in the same program, draws included.
//!
//! `cargo bench --bench kernel` runs both workloads on all three event sets in interleaved
//! rounds and prints events per second, the median of the per-round ratios to the standard
//! heap, and the fingerprint of what was popped: it must be the same on all.
//!
//! W1, hold model: N pending; each event schedules one at a random entity, 0.1 + Exp(1) later.
//! W2, requests: 64 nodes; each sends a heartbeat to 4 peers every 10 units and arms an 8-unit
//! timeout per request, which the reply cancels. A packet takes 0.5 + LogNormal(0, 0.5). Counted
//! are heartbeats, requests, replies and timeouts that fire. ChaCha8, one stream per node;
//! delays from quantile tables.
//!
//! `std` is the honest twin: `BinaryHeap` of whole events with a sequence number, nothing
//! cancelled, the application ignores timeouts that have lost their call. `heap` is our
//! `HeapQueue`, which pays for handles; `bucket` is our `Queue`.
//!
//! Instructions per event, free of noise, are the difference of two counted runs:
//!
//! ```sh
//! cargo bench --bench kernel --no-run     # prints the program's path
//! for n in 1000000 3000000; do
//!   valgrind --tool=callgrind --callgrind-out-file=/dev/null <program> --count w2 bucket $n
//! done                                    # (refs of the 2nd - refs of the 1st) / 2000000
//! ```
//!
//! Workloads: `w1-64`, `w1-1024`, `w1-65536`, `w2`; event sets: `std`, `heap`, `bucket`.

// A benchmark measures with a clock; the library has none.
#![allow(clippy::disallowed_types, missing_docs)]

use regionsim::sim::digest::Digest;
use regionsim::sim::dist::{Dist, DistSpec, Shape, Stat};
use regionsim::sim::queue::heap::HeapQueue;
use regionsim::sim::queue::{Key, Phase, Queue};
use regionsim::sim::rng::{Label, Stream, Streams};
use regionsim::sim::{SimTime, Span};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// One unit of time of the workloads.
const UNIT: Span = Span::from_millis(1);

/// 16 bytes: plain numbers beside the tag, so that an event moves in registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    kind: Kind,
    /// An entity or a node.
    who: u32,
    /// A call and its epoch.
    call: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Hold,
    Heartbeat,
    Request,
    Reply,
    Timeout,
}

impl Event {
    fn of(kind: Kind, who: u32, call: u64) -> Event {
        Event { kind, who, call }
    }
}

/// What the workloads ask of an event set.
trait Set {
    type Handle: Copy;
    fn new() -> Self;
    fn schedule(&mut self, at: SimTime, phase: Phase, event: Event) -> Self::Handle;
    fn cancel(&mut self, handle: Self::Handle);
    fn pop(&mut self) -> Option<(SimTime, Event)>;
}

macro_rules! set {
    ($ty:ident) => {
        impl Set for $ty<Event> {
            type Handle = Key;
            fn new() -> Self {
                $ty::new()
            }
            #[inline(always)]
            fn schedule(&mut self, at: SimTime, phase: Phase, event: Event) -> Key {
                $ty::schedule(self, at, phase, event)
            }
            #[inline(always)]
            fn cancel(&mut self, key: Key) {
                $ty::cancel(self, key);
            }
            #[inline(always)]
            fn pop(&mut self) -> Option<(SimTime, Event)> {
                $ty::pop(self)
            }
        }
    };
}
set!(Queue);
set!(HeapQueue);

/// The honest twin: whole events in the standard heap, no handles, nothing removed.
struct Std {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
}

impl Set for Std {
    type Handle = ();
    fn new() -> Std {
        Std { heap: BinaryHeap::new(), sequence: 0 }
    }
    #[inline(always)]
    fn schedule(&mut self, at: SimTime, phase: Phase, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse(((at.as_nanos() << 2) | phase as u64, self.sequence, event)));
    }
    #[inline(always)]
    fn cancel(&mut self, (): ()) {}
    #[inline(always)]
    fn pop(&mut self) -> Option<(SimTime, Event)> {
        let Reverse((rank, _, event)) = self.heap.pop()?;
        Some((SimTime::from_nanos(rank >> 2), event))
    }
}

/// A workload that runs a given number of counted events more.
trait Workload {
    fn new(size: u32) -> Self;
    fn run(&mut self, events: u64) -> u64;
}

/// W1.
struct Hold<Q> {
    queue: Q,
    stream: Stream,
    wait: Dist,
    size: u32,
    digest: Digest,
}

impl<Q: Set> Workload for Hold<Q> {
    fn new(size: u32) -> Hold<Q> {
        let mut stream = Streams::new(1, 0).stream(Label::new("hold"));
        let wait = Dist::new(&DistSpec::exponential(UNIT));
        let mut queue = Q::new();
        for entity in 0..size {
            let at = SimTime::ZERO + wait.sample(&mut stream);
            queue.schedule(at, Phase::Timer, Event::of(Kind::Hold, entity, 0));
        }
        Hold { queue, stream, wait, size, digest: Digest::new() }
    }
    fn run(&mut self, events: u64) -> u64 {
        for _ in 0..events {
            let Some((now, event)) = self.queue.pop() else { break };
            self.digest.fold(now.as_nanos() ^ u64::from(event.who) << 48);
            let entity = self.stream.below(u64::from(self.size)) as u32;
            let at = now + UNIT.div(10) + self.wait.sample(&mut self.stream);
            self.queue.schedule(at, Phase::Timer, Event::of(Kind::Hold, entity, 0));
        }
        self.digest.value()
    }
}

/// W2.
struct Requests<Q: Set> {
    queue: Q,
    streams: Vec<Stream>,
    delay: Dist,
    calls: Vec<Call<Q::Handle>>,
    free: Vec<u32>,
    digest: Digest,
}

/// One outstanding call. The epoch tells it from the next one in the same place.
struct Call<H> {
    epoch: u32,
    timeout: Option<H>,
}

const NODES: u32 = 64;

impl<Q: Set> Workload for Requests<Q> {
    fn new(_: u32) -> Requests<Q> {
        let dice = Streams::new(1, 0);
        let label = Label::new("node");
        let streams: Vec<_> =
            (0..NODES).map(|n| dice.stream(label.with_index(u64::from(n)))).collect();
        // LogNormal(0, 0.5): the median is one unit, the 99th percentile exp(0.5 * 2.326).
        let p99 = Span::from_nanos((UNIT.as_nanos() as f64 * libm::exp(0.5 * 2.326_348)) as u64);
        let delay = Shape::LogNormal([Stat::P50.is(UNIT), Stat::P99.is(p99)]);
        let mut queue = Q::new();
        for node in 0..NODES {
            let at = SimTime::from_nanos(u64::from(node) * UNIT.as_nanos() * 10 / u64::from(NODES));
            queue.schedule(at, Phase::Timer, Event::of(Kind::Heartbeat, node, 0));
        }
        let (calls, free, digest) = (Vec::new(), Vec::new(), Digest::new());
        Requests { queue, streams, delay: Dist::new(&delay.into()), calls, free, digest }
    }
    fn run(&mut self, events: u64) -> u64 {
        let mut counted = 0;
        while counted < events {
            let Some((now, event)) = self.queue.pop() else { break };
            let word = match event.kind {
                Kind::Heartbeat => self.heartbeat(now, event.who),
                Kind::Request => {
                    let at = self.arrival(now, event.who);
                    let reply = Event::of(Kind::Reply, event.who, event.call);
                    self.queue.schedule(at, Phase::Arrive, reply);
                    u64::from(event.who)
                }
                Kind::Reply => {
                    if let Some(timeout) = self.end(event.call) {
                        self.queue.cancel(timeout);
                    }
                    1 << 62
                }
                Kind::Timeout => match self.end(event.call) {
                    Some(_) => 2 << 62,
                    None => continue,
                },
                Kind::Hold => 0,
            };
            let word = word ^ event.call << 16;
            self.digest.fold(now.as_nanos() ^ word);
            counted += 1;
        }
        self.digest.value()
    }
}

impl<Q: Set> Requests<Q> {
    #[inline(always)]
    fn arrival(&mut self, now: SimTime, from: u32) -> SimTime {
        now + UNIT.div(2) + self.delay.sample(&mut self.streams[from as usize])
    }
    fn heartbeat(&mut self, now: SimTime, node: u32) -> u64 {
        let next = now + Span::from_nanos(UNIT.as_nanos() * 10);
        self.queue.schedule(next, Phase::Timer, Event::of(Kind::Heartbeat, node, 0));
        for hop in [1, 7, 19, 31] {
            let call = self.free.pop().unwrap_or_else(|| {
                self.calls.push(Call { epoch: 0, timeout: None });
                self.calls.len() as u32 - 1
            });
            let epoch = self.calls[call as usize].epoch;
            let ticket = u64::from(epoch) << 32 | u64::from(call);
            let (at, to) = (self.arrival(now, node), (node + hop) % NODES);
            self.queue.schedule(at, Phase::Arrive, Event::of(Kind::Request, to, ticket));
            let due = now + Span::from_nanos(UNIT.as_nanos() * 8);
            let timeout =
                self.queue.schedule(due, Phase::Timer, Event::of(Kind::Timeout, node, ticket));
            self.calls[call as usize] = Call { epoch, timeout: Some(timeout) };
        }
        u64::from(node)
    }
    /// Ends a call that is still outstanding.
    #[inline]
    fn end(&mut self, ticket: u64) -> Option<Q::Handle> {
        let (call, epoch) = (ticket as u32, (ticket >> 32) as u32);
        let entry = &mut self.calls[call as usize];
        if entry.epoch != epoch {
            return None;
        }
        entry.epoch = entry.epoch.wrapping_add(1);
        self.free.push(call);
        entry.timeout.take()
    }
}

const WORKLOADS: [(&str, u32); 4] =
    [("w1-64", 64), ("w1-1024", 1024), ("w1-65536", 65_536), ("w2", 0)];
const SETS: [&str; 3] = ["std", "heap", "bucket"];

/// A running workload behind one pointer; the call is paid once per batch.
fn start(workload: &str, size: u32, set: &str) -> Box<dyn FnMut(u64) -> u64> {
    fn on<W: Workload + 'static>(size: u32) -> Box<dyn FnMut(u64) -> u64> {
        let mut workload = W::new(size);
        Box::new(move |events| workload.run(events))
    }
    match (workload, set) {
        ("w2", "std") => on::<Requests<Std>>(size),
        ("w2", "heap") => on::<Requests<HeapQueue<Event>>>(size),
        ("w2", _) => on::<Requests<Queue<Event>>>(size),
        (_, "std") => on::<Hold<Std>>(size),
        (_, "heap") => on::<Hold<HeapQueue<Event>>>(size),
        _ => on::<Hold<Queue<Event>>>(size),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(rounds: usize, batch: u64) {
    println!(
        "{:9} {:7} {:>13} {:>9} {:>17}",
        "workload", "set", "events/s", "x std", "fingerprint"
    );
    for (workload, size) in WORKLOADS {
        let mut running = SETS.map(|set| start(workload, size, set));
        let mut seconds = [const { Vec::new() }; 3];
        let mut digests = [0; 3];
        for run in &mut running {
            run(batch);
        }
        for _ in 0..rounds {
            for (i, run) in running.iter_mut().enumerate() {
                let begin = Instant::now();
                digests[i] = run(batch);
                seconds[i].push(begin.elapsed().as_secs_f64());
            }
        }
        for (i, set) in SETS.iter().enumerate() {
            let ratios = seconds[0].iter().zip(&seconds[i]).map(|(std, own)| std / own).collect();
            let rate = batch as f64 / median(seconds[i].clone());
            let (ratio, digest) = (median(ratios), digests[i]);
            println!("{workload:9} {set:7} {rate:13.0} {ratio:9.2} {digest:17x}");
        }
        assert!(digests.iter().all(|d| *d == digests[0]), "the event sets disagree on the order");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--count", workload, set, events] => {
            let size = WORKLOADS.iter().find(|(name, _)| name == workload).map(|(_, size)| *size);
            let (Some(size), Ok(events)) = (size, events.parse()) else {
                eprintln!("--count WORKLOAD SET EVENTS; workloads {WORKLOADS:?}, sets {SETS:?}");
                std::process::exit(2);
            };
            println!("{:x}", start(workload, size, set)(events));
        }
        // Rounds are short, so that a round disturbed by a neighbour spoils only itself.
        ["--quick"] => compare(21, 100_000),
        _ => compare(101, 100_000),
    }
}
