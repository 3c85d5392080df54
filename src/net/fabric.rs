//! Live state per directed pair of sites; decides a packet's fate.

use super::faults::{Effects, Narrows, Slowed};
use super::lanes::Lanes;
use super::port::Port;
use super::topology::{Physical, Routes};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::{SimTime, Span};
use std::collections::BTreeMap;

/// How packets travel from one site to another, without faults.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PairSpec {
    /// Least one-way delay. On a [`routed`](PairSpec::routed) pair it is added to the route's.
    pub base: Span,
    /// Added to it, one way, drawn for each packet.
    pub jitter: DistSpec,
    /// Probability that a packet is lost.
    pub loss: f64,
    /// Bits per second; unlimited when nothing.
    pub bandwidth: Option<u64>,
    /// Bytes that may wait for the bandwidth; what comes when they are reached is dropped.
    pub queue: u64,
    /// All pairs that name the same trunk share its bandwidth and queue, and must state the
    /// same ones. Nothing when the pair has its own.
    pub trunk: Option<usize>,
    /// True when the pair goes over the physical links, false when it states the whole way.
    pub routed: bool,
}

/// What a fabric is made of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FabricSpec {
    /// How many sites there are.
    pub sites: usize,
    /// Every directed pair, at `from * sites + to`; a site to itself included.
    pub pairs: Vec<PairSpec>,
    /// Physical links for the pairs that are routed.
    pub physical: Option<Physical>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrives then, unless a cut kills it on the way.
    Arrives(SimTime),
    /// It never arrives; nobody is told.
    Lost,
}

/// The pair is blocked, or no route is there.
pub(super) const DOWN: u8 = 1;
/// The pair has a bandwidth.
pub(super) const QUEUED: u8 = 2;
/// The pair goes over physical links.
pub(super) const ROUTED: u8 = 4;
/// A fault slows the pair.
pub(super) const SLOWED: u8 = 8;

/// A fault narrows the pair, or loses its packets in bursts.
pub(super) const HAMPERED: u8 = 16;
/// It is a pair of hosts.
pub(super) const LANE: u8 = 32;

/// Effective values of a pair, ready for the hot path.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Nanoseconds.
    pub(super) base: u64,
    /// A packet is lost when the high half of its draw lies below; 2^32 loses all.
    pub(super) lost_below: u64,
    /// Index into the fabric's jitter tables.
    jitter: u32,
    /// Index into the fabric's ports, when `QUEUED`.
    port: u32,
    /// `DOWN` and so on; zero for a plain pair.
    pub(super) flags: u8,
    /// Packets sent before this nanosecond and not yet arrived are dead.
    pub(super) dead_before: u64,
    /// Loss without faults.
    pub(super) loss: f64,
}

impl Pair {
    /// Of two hosts: all that it does is asked elsewhere.
    pub(super) fn lane(dead_before: u64) -> Pair {
        let (base, lost_below, jitter, port) = (0, 0, 0, 0);
        Pair { base, lost_below, jitter, port, flags: LANE, dead_before, loss: 0.0 }
    }
}

/// The live state of all directed pairs of sites.
#[derive(Clone, Debug)]
pub struct Fabric {
    pub(super) sites: usize,
    pub(super) pairs: Vec<Pair>,
    jitters: Vec<Dist>,
    ports: Vec<Port>,
    pub(super) effects: Effects,
    pub(super) narrows: Narrows,
    pub(super) lanes: Lanes,
    pub(super) slowed: BTreeMap<usize, Slowed>,
    pub(super) routes: Option<Routes>,
}

impl Fabric {
    /// A fabric without faults and with empty queues.
    ///
    /// Panics when the specification contradicts itself (a bug of whoever built it): a wrong
    /// number of pairs, a trunk of two bandwidths, a routed pair without physical links.
    pub fn new(spec: &FabricSpec) -> Fabric {
        assert_eq!(spec.pairs.len(), spec.sites * spec.sites, "one entry per directed pair");
        let mut fabric = Fabric {
            sites: spec.sites,
            pairs: Vec::with_capacity(spec.pairs.len()),
            jitters: Vec::new(),
            ports: Vec::new(),
            effects: Effects::default(),
            narrows: Narrows::default(),
            lanes: Lanes::default(),
            slowed: BTreeMap::new(),
            routes: spec.physical.as_ref().map(Routes::new),
        };
        let mut tables: Vec<&DistSpec> = Vec::new();
        let mut trunks: BTreeMap<usize, (u32, u64, u64)> = BTreeMap::new();
        for pair in &spec.pairs {
            assert!(!pair.routed || spec.physical.is_some(), "routed, but no physical links");
            let known = tables.iter().position(|table| **table == pair.jitter);
            let jitter = known.unwrap_or_else(|| {
                tables.push(&pair.jitter);
                fabric.jitters.push(Dist::new(&pair.jitter));
                tables.len() - 1
            });
            let mut flags = if pair.routed { ROUTED } else { 0 };
            let mut port = 0;
            if let Some(bandwidth) = pair.bandwidth {
                flags |= QUEUED;
                let next = fabric.ports.len() as u32;
                let own = (next, bandwidth, pair.queue);
                let shared = match pair.trunk {
                    Some(trunk) => *trunks.entry(trunk).or_insert(own),
                    None => own,
                };
                assert_eq!((shared.1, shared.2), (bandwidth, pair.queue), "a trunk has one size");
                if shared.0 == next {
                    fabric.ports.push(Port::new(bandwidth, pair.queue));
                }
                port = shared.0;
            }
            fabric.pairs.push(Pair {
                base: pair.base.as_nanos(),
                lost_below: threshold(pair.loss),
                jitter: jitter as u32,
                port,
                flags,
                dead_before: 0,
                loss: pair.loss,
            });
        }
        for pair in 0..fabric.pairs.len() {
            fabric.refresh(pair);
        }
        fabric
    }

    /// The fate of a packet of `bytes` sent at `now`, with one 64-bit draw of its sender.
    /// `now` never goes back from one call to the next.
    #[inline]
    pub fn offer(&mut self, now: SimTime, from: usize, to: usize, bytes: u32, draw: u64) -> Fate {
        self.offer_on(now, self.pair(from, to), bytes, draw)
    }

    /// The number of a directed pair of sites, for those who ask often.
    #[inline]
    pub fn pair(&self, from: usize, to: usize) -> u32 {
        (from * self.sites + to) as u32
    }

    /// [`Fabric::offer`] on the pair of that number.
    #[inline]
    pub fn offer_on(&mut self, now: SimTime, pair: u32, bytes: u32, draw: u64) -> Fate {
        let index = pair as usize;
        let pair = &self.pairs[index];
        if pair.flags != 0 {
            return self.offer_special(now, index, bytes, draw);
        }
        if (draw >> 32) < pair.lost_below {
            return Fate::Lost;
        }
        let jitter = self.jitters[pair.jitter as usize].quantile_of(draw << 32);
        Fate::Arrives(now + (Span::from_nanos(pair.base) + jitter))
    }

    /// [`Fabric::offer`] on a pair that is down, queued, routed or hampered, or of hosts.
    #[cold]
    #[inline(never)]
    fn offer_special(&mut self, now: SimTime, index: usize, bytes: u32, draw: u64) -> Fate {
        if self.pairs[index].flags & LANE != 0 {
            return self.offer_lane(now, index, bytes, draw);
        }
        let pair = &self.pairs[index];
        if pair.flags & DOWN != 0 {
            return Fate::Lost;
        }
        let mut leaves = now;
        if pair.flags & QUEUED != 0 {
            match self.ports[pair.port as usize].pass(now, now, bytes) {
                Some(at) => leaves = at,
                None => return Fate::Lost,
            }
        }
        if pair.flags & HAMPERED != 0 {
            match self.hamper(now, leaves, index, bytes) {
                Some(at) => leaves = at,
                None => return Fate::Lost,
            }
        }
        let pair = &self.pairs[index];
        if (draw >> 32) < pair.lost_below {
            return Fate::Lost;
        }
        let jitter = self.jitters[pair.jitter as usize].quantile_of(draw << 32);
        let mut at = leaves + (Span::from_nanos(pair.base) + jitter);
        if pair.flags & ROUTED != 0 {
            let (from, to) = (index / self.sites, index % self.sites);
            let Some(routes) = &mut self.routes else { return Fate::Lost };
            match routes.travel(now, at, from, to, bytes, draw) {
                Some(arrival) => at = arrival,
                None => return Fate::Lost,
            }
        }
        if pair.flags & SLOWED != 0
            && let Some(slowed) = self.slowed.get(&index)
        {
            at = leaves.saturating_add(slowed.apply(at.since(leaves), draw));
        }
        Fate::Arrives(at)
    }

    /// Whether a packet sent at `sent` still lives when it arrives: false when since then a cut
    /// that kills what is under way began on the pair (even if healed since), or one of its
    /// sites was lost. A packet sent in the same nanosecond as the cut dies.
    #[inline]
    pub fn alive(&self, from: usize, to: usize, sent: SimTime) -> bool {
        self.alive_on(self.pair(from, to), sent)
    }

    /// [`Fabric::alive`] on the pair of that number.
    #[inline]
    pub fn alive_on(&self, pair: u32, sent: SimTime) -> bool {
        sent.as_nanos() >= self.pairs[pair as usize].dead_before
    }

    /// True when no fault blocks the pair and, if it is routed, a route is there and working.
    pub fn is_up(&self, from: usize, to: usize) -> bool {
        self.pairs[from * self.sites + to].flags & DOWN == 0
    }

    /// Least one-way delay without faults and queues, over the route now in use.
    pub fn base_delay(&self, from: usize, to: usize) -> Span {
        let index = from * self.sites + to;
        let own = Span::from_nanos(self.pairs[index].base);
        match &self.routes {
            Some(routes) if self.pairs[index].flags & ROUTED != 0 => own + routes.delay(from, to),
            _ => own,
        }
    }

    /// Least round trip without faults and queues.
    pub fn base_rtt(&self, from: usize, to: usize) -> Span {
        self.base_delay(from, to) + self.base_delay(to, from)
    }

    /// Bytes waiting for the pair's own bandwidth (or its trunk's); zero when it has none.
    pub fn backlog(&self, now: SimTime, from: usize, to: usize) -> u64 {
        let pair = &self.pairs[from * self.sites + to];
        if pair.flags & QUEUED == 0 {
            return 0;
        }
        self.ports[pair.port as usize].backlog(now)
    }

    /// How many sites there are.
    pub fn sites(&self) -> usize {
        self.sites
    }

    /// What a test may compare: everything that decides fates, without queues and history.
    #[cfg(test)]
    #[allow(clippy::type_complexity)]
    pub(super) fn state(&self) -> (Vec<(u64, u64, u8, bool)>, usize, bool) {
        let slowed = |i| self.slowed.contains_key(&i);
        let pairs = self.pairs.iter().enumerate().take(self.sites * self.sites);
        let pairs = pairs.map(|(i, p)| (p.base, p.lost_below, p.flags, slowed(i)));
        (pairs.collect(), self.narrows.len(), self.lanes.is_well())
    }
}

/// The bound below which the high half of a draw means loss with probability `p`.
pub(super) fn threshold(p: f64) -> u64 {
    (p.clamp(0.0, 1.0) * 4_294_967_296.0) as u64
}

/// A further draw out of one draw, for parts of a way that need their own: the finaliser of
/// SplitMix64 (Steele, Lea and Flood 2014) over the draw moved on by `part`.
#[inline]
pub(super) fn further(draw: u64, part: u64) -> u64 {
    let mut z = draw.wrapping_add((part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
