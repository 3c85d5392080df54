//! A test rig: one flow over a fabric of two sites, with its events.

use super::{Fabric, FabricSpec, Fate, Flow, FlowAction, InFlight, PairSpec, TransportSpec};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::queue::{Phase, Queue};
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::{SimTime, Span};
use std::collections::BTreeSet;

pub(super) fn ms(n: u64) -> SimTime {
    SimTime::from_nanos(n * 1_000_000)
}

/// What happens on the rig.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ev {
    Send { item: u64, bytes: u32 },
    Cut { forward: bool, fault: u32, in_flight: InFlight },
    Heal { forward: bool, fault: u32 },
    Slow { add: Span, fault: u32 },
    Clear { fault: u32 },
    SenderDies,
    ReceiverDies,
    Look,
    Arrive { seq: u32 },
    Wake { generation: u32 },
}

/// A flow from site 0 to site 1.
pub(super) struct Rig {
    pub fabric: Fabric,
    pub flow: Flow<u64>,
    pub queue: Queue<Ev>,
    pub now: SimTime,
    pub delivered: Vec<(SimTime, u64)>,
    /// Backlog and items in flight at each look.
    pub looks: Vec<(u64, u32)>,
    /// Packets sent; lost when sent; killed under way; forgotten under way; arrived.
    pub packets: [u64; 5],
    pub dropped: u64,
    /// Calls of `wake` that were not stale.
    pub wakes: u64,
    flying: BTreeSet<u32>,
    pending_wake: Option<u32>,
    last_arrival: SimTime,
    dice: Stream,
    spec: TransportSpec,
}

impl Rig {
    /// Both directions alike.
    pub(super) fn new(pair: PairSpec, spec: TransportSpec) -> Rig {
        let fabric = Fabric::new(&FabricSpec { sites: 2, pairs: vec![pair; 4], physical: None });
        let flow = Flow::new(&spec, fabric.base_rtt(0, 1));
        Rig {
            fabric,
            flow,
            queue: Queue::new(),
            now: SimTime::ZERO,
            delivered: Vec::new(),
            looks: Vec::new(),
            packets: [0; 5],
            dropped: 0,
            wakes: 0,
            flying: BTreeSet::new(),
            pending_wake: None,
            last_arrival: SimTime::ZERO,
            dice: Streams::new(7, 0).stream(Label::new("rig")),
            spec,
        }
    }

    pub(super) fn at(&mut self, at: SimTime, ev: Ev) {
        let phase = match ev {
            Ev::Cut { .. } | Ev::Heal { .. } | Ev::Slow { .. } | Ev::Clear { .. } => Phase::Fault,
            Ev::Arrive { .. } => Phase::Arrive,
            _ => Phase::Timer,
        };
        self.queue.schedule(at, phase, ev);
    }

    /// Until nothing is left to happen; every law that holds at every moment is checked.
    pub(super) fn run(&mut self) {
        let mut steps = 0;
        while let Some((now, ev)) = self.queue.pop() {
            steps += 1;
            assert!(steps < 2_000_000, "the flow never comes to rest");
            self.now = now;
            let mut out = Vec::new();
            self.step(ev, &mut out);
            for action in out {
                self.schedule(action);
            }
            assert!(self.flow.in_flight() <= self.spec.window_items);
            let alone = self.flow.in_flight() == 1;
            assert!(alone || self.flow.bytes_in_flight() <= self.spec.window_bytes.0);
        }
        assert!(self.flying.is_empty());
        assert_eq!(self.packets[0], self.packets[1..].iter().sum::<u64>());
    }

    fn step(&mut self, ev: Ev, out: &mut Vec<FlowAction>) {
        let Rig { fabric, flow, dice, packets, delivered, now, .. } = self;
        let now = *now;
        let (sent, rest) = packets.split_at_mut(1);
        let mut wire = |at: SimTime, bytes: u32| {
            sent[0] += 1;
            let fate = fabric.offer(at, 0, 1, bytes, dice.next_u64());
            rest[0] += u64::from(fate == Fate::Lost);
            fate
        };
        match ev {
            Ev::Send { item, bytes } => flow.send(now, item, bytes, wire, out),
            Ev::Wake { generation } => {
                if self.pending_wake == Some(generation) {
                    self.pending_wake = None;
                    self.wakes += 1;
                }
                flow.wake(now, generation, &mut wire, out);
            }
            Ev::Arrive { seq } => {
                self.flying.remove(&seq);
                match flow.sent_at(seq) {
                    None => rest[2] += 1,
                    Some(at) if !fabric.alive(0, 1, at) => {
                        rest[1] += 1;
                        flow.killed(seq, now, out);
                    }
                    Some(_) => {
                        rest[3] += 1;
                        let ack = |_| fabric.is_up(1, 0).then(|| fabric.base_delay(1, 0));
                        flow.arrived(seq, now, ack, |item| delivered.push((now, item)), out);
                    }
                }
            }
            Ev::Cut { forward, fault, in_flight } => {
                let (from, to) = if forward { (0, 1) } else { (1, 0) };
                fabric.block(now, from, to, fault, in_flight);
            }
            Ev::Heal { forward, fault } => {
                let (from, to) = if forward { (0, 1) } else { (1, 0) };
                fabric.unblock(from, to, fault);
            }
            Ev::Slow { add, fault } => {
                fabric.slow(0, 1, fault, Dist::new(&DistSpec::Constant(add)), 1.0);
            }
            Ev::Clear { fault } => drop(fabric.clear(fault)),
            Ev::SenderDies => self.dropped += flow.orphan(now),
            Ev::ReceiverDies => {
                self.dropped += flow.reset();
                self.pending_wake = None;
                self.flying.clear();
                self.last_arrival = SimTime::ZERO;
            }
            Ev::Look => self.looks.push((flow.backlog(), flow.in_flight())),
        }
    }

    fn schedule(&mut self, action: FlowAction) {
        match action {
            FlowAction::Arrive { at, seq } => {
                assert!(self.flying.insert(seq), "two packets of item {seq} under way");
                assert!(at >= self.now && at >= self.last_arrival, "overtaken");
                self.last_arrival = at;
                self.at(at, Ev::Arrive { seq });
            }
            FlowAction::Wake { at, generation } => {
                self.pending_wake = Some(generation);
                self.at(at, Ev::Wake { generation });
            }
        }
    }

    pub(super) fn items(&self) -> Vec<u64> {
        self.delivered.iter().map(|(_, item)| *item).collect()
    }
}

/// A pair without loss or bandwidth limit.
pub(super) fn plain(one_way: Span) -> PairSpec {
    PairSpec { base: one_way, ..PairSpec::default() }
}
