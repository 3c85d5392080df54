//! What faults do to pairs: each effect is owned by its fault.

use super::bursts::{Bursts, Gilbert};
use super::fabric::{DOWN, Fabric, HAMPERED, ROUTED, SLOWED, further, threshold};
use super::port::Port;
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::{SimTime, Span};
use std::collections::BTreeMap;

/// What happens to packets under way when their path is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InFlight {
    /// They die.
    Lost,
    /// They still arrive: the cut is at the sender's end.
    Delivered,
}

/// What one fault does to one pair.
#[derive(Clone, Debug, Default)]
pub(super) struct Effect {
    blocked: bool,
    loss: f64,
    slow: Option<(Dist, f64)>,
    /// Which of the fault's narrow places is on the way.
    narrow: Option<u32>,
    bursts: Option<Bursts>,
}

/// The narrow places that faults make, by fault and its own number for each.
pub(super) type Narrows = BTreeMap<(u32, u32), Port>;

/// All effects, by pair and fault: in this order they compose, whatever order they began in.
pub(super) type Effects = BTreeMap<(usize, u32), Effect>;

/// All slowing effects on one pair together.
#[derive(Clone, Debug)]
pub(super) struct Slowed {
    /// The product of the factors, times 2^32.
    factor: u64,
    /// Delays added, with the fault that adds each.
    adds: Vec<(u64, Dist)>,
}

impl Slowed {
    /// The delay of a packet whose way would take `way`.
    pub(super) fn apply(&self, way: Span, draw: u64) -> Span {
        let scaled = (u128::from(way.as_nanos()) * u128::from(self.factor)) >> 32;
        let mut delay = Span::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX));
        for (fault, add) in &self.adds {
            // Far above any hop's number, so that a fault's draws are its own.
            let part = (1 << 40) + fault;
            delay = delay.saturating_add(add.quantile_of(further(draw, part)));
        }
        delay
    }
}

impl Fabric {
    /// Blocks the pair: what is offered from now on is lost; what is under way dies or not.
    /// True when the pair was up until now.
    pub fn block(
        &mut self,
        now: SimTime,
        from: usize,
        to: usize,
        fault: u32,
        in_flight: InFlight,
    ) -> bool {
        let pair = from * self.sites + to;
        if in_flight == InFlight::Lost {
            self.kill(now, pair);
        }
        self.effects.entry((pair, fault)).or_default().blocked = true;
        self.refresh(pair)
    }

    /// Takes back this fault's [`block`](Fabric::block). True when the pair is up again.
    pub fn unblock(&mut self, from: usize, to: usize, fault: u32) -> bool {
        let pair = from * self.sites + to;
        if let Some(effect) = self.effects.get_mut(&(pair, fault)) {
            effect.blocked = false;
        }
        self.refresh(pair)
    }

    /// Slows the pair: the way takes `factor` times as long (queueing for the pair's own
    /// bandwidth apart), and a draw of `add` more. Several faults multiply and add up. Replaces
    /// what the same fault did before. A factor below zero or not a number is taken as zero.
    pub fn slow(&mut self, from: usize, to: usize, fault: u32, add: Dist, factor: f64) {
        let pair = from * self.sites + to;
        self.effects.entry((pair, fault)).or_default().slow = Some((add, factor));
        self.refresh(pair);
    }

    /// Loses a further share `p` of what gets through. Several faults lose independently.
    /// Replaces what the same fault did before.
    pub fn lossy(&mut self, from: usize, to: usize, fault: u32, p: f64) {
        let pair = from * self.sites + to;
        self.effects.entry((pair, fault)).or_default().loss = p.clamp(0.0, 1.0);
        self.refresh(pair);
    }

    /// Puts a narrow place on the way, behind the pair's own bandwidth: so many bits a second, and
    /// so many bytes that may wait for it. Pairs that name the same `place` of a fault share it.
    /// What waits when the fault clears still leaves at its pace.
    #[allow(clippy::too_many_arguments)]
    pub fn narrow(
        &mut self,
        from: usize,
        to: usize,
        fault: u32,
        place: u32,
        bandwidth: u64,
        queue: u64,
    ) {
        let pair = from * self.sites + to;
        self.narrows.entry((fault, place)).or_insert_with(|| Port::new(bandwidth, queue));
        self.effects.entry((pair, fault)).or_default().narrow = Some(place);
        self.refresh(pair);
    }

    /// Loses packets in bursts, by dice of this pair's own. Several faults lose independently.
    pub fn bursty(&mut self, from: usize, to: usize, fault: u32, law: Gilbert, dice: Stream) {
        let pair = from * self.sites + to;
        self.effects.entry((pair, fault)).or_default().bursts = Some(Bursts::new(law, dice));
        self.refresh(pair);
    }

    /// When a packet has passed the narrow places of its pair; nothing where it gets lost there
    /// or in a burst. One that is lost in a burst has used the bandwidth before.
    pub(super) fn hamper(
        &mut self,
        now: SimTime,
        leaves: SimTime,
        pair: usize,
        bytes: u32,
    ) -> Option<SimTime> {
        let (mut at, mut lost) = (leaves, false);
        for (&(_, fault), effect) in self.effects.range_mut((pair, 0)..=(pair, u32::MAX)) {
            let port = effect.narrow.and_then(|place| self.narrows.get_mut(&(fault, place)));
            if let Some(port) = port {
                match port.pass(now, at, bytes) {
                    Some(passed) => at = passed,
                    None => lost = true,
                }
            }
            lost |= effect.bursts.as_mut().is_some_and(Bursts::lose);
        }
        (!lost).then_some(at)
    }

    /// Takes back all that the fault did to pairs and hosts; physical links are healed one by one with
    /// [`heal_link`](Fabric::heal_link). The pairs whose up or down state changed, in order.
    pub fn clear(&mut self, fault: u32) -> Vec<(usize, usize)> {
        let owned = self.effects.keys().filter(|key| key.1 == fault).map(|key| key.0);
        let touched: Vec<usize> = owned.collect();
        self.narrows.retain(|(other, _), _| *other != fault);
        self.lanes.clear(fault);
        let mut changed = Vec::new();
        for pair in touched {
            self.effects.remove(&(pair, fault));
            if self.refresh(pair) {
                changed.push((pair / self.sites, pair % self.sites));
            }
        }
        changed
    }

    /// The site is lost: every packet under way from it, to it or inside it dies. Blocks nothing.
    pub fn sever(&mut self, now: SimTime, site: usize) {
        for other in 0..self.sites {
            self.kill(now, site * self.sites + other);
            self.kill(now, other * self.sites + site);
        }
    }

    /// Everything now under way on the pair will be found dead at its arrival.
    pub(super) fn kill(&mut self, now: SimTime, pair: usize) {
        let lanes = self.lanes.over(pair).map(|lane| self.sites * self.sites + lane);
        for pair in lanes.chain([pair]).collect::<Vec<_>>() {
            let pair = &mut self.pairs[pair];
            pair.dead_before = pair.dead_before.max(now.as_nanos() + 1);
        }
    }

    /// Reckons the pair's effective values anew from its own, its faults' and its route's.
    /// True when it went up or down.
    pub(super) fn refresh(&mut self, pair: usize) -> bool {
        let was_down = self.pairs[pair].flags & DOWN != 0;
        let (mut blocked, mut hampered) = (false, false);
        let mut pass = 1.0 - self.pairs[pair].loss.clamp(0.0, 1.0);
        let mut factor = 1.0;
        let mut adds = Vec::new();
        for (&(_, fault), effect) in self.effects.range((pair, 0)..=(pair, u32::MAX)) {
            blocked |= effect.blocked;
            hampered |= effect.narrow.is_some() || effect.bursts.is_some();
            pass *= 1.0 - effect.loss;
            if let Some((add, times)) = &effect.slow {
                factor *= times.max(0.0);
                adds.push((u64::from(fault), add.clone()));
            }
        }
        if self.pairs[pair].flags & ROUTED != 0
            && let Some(routes) = &self.routes
        {
            let (from, to) = (pair / self.sites, pair % self.sites);
            blocked |= !routes.is_open(from, to);
            pass *= routes.pass(from, to);
        }
        let slow = !adds.is_empty();
        if slow {
            // Saturates: a float that does not fit becomes the largest number.
            let factor = (factor * 4_294_967_296.0) as u64;
            self.slowed.insert(pair, Slowed { factor, adds });
        } else {
            self.slowed.remove(&pair);
        }
        let pair = &mut self.pairs[pair];
        pair.lost_below = threshold(1.0 - pass);
        pair.flags &= !(DOWN | SLOWED | HAMPERED);
        pair.flags |= if blocked { DOWN } else { 0 } | if slow { SLOWED } else { 0 };
        pair.flags |= if hampered { HAMPERED } else { 0 };
        was_down != blocked
    }
}
