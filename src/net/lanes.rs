//! Pairs of hosts: what faults do to the wire of one host, and to nobody else of its site.
//!
//! A pair of hosts of which one ails has a number of its own, beyond those of the pairs of sites,
//! and senders that ask by that number meet first the pair of sites and then the host's own
//! trouble. Everybody else pays nothing for it.

use super::fabric::{Fabric, Fate, LANE, Pair, further, threshold};
use crate::sim::SimTime;
use crate::sim::dist::Dist;
use std::collections::BTreeMap;

/// What a fault does to packets of one host in one direction.
#[derive(Clone, Debug, Default)]
pub struct Ailment {
    /// Added to each, drawn for each.
    pub delay: Option<Dist>,
    /// Share that gets lost, of those that get through elsewhere.
    pub loss: f64,
}

/// What one fault does to one host.
#[derive(Clone, Debug)]
struct Ailing {
    /// What it sends, and what is sent to it.
    ways: [Ailment; 2],
}

/// One pair of hosts.
#[derive(Clone, Copy, Debug)]
struct Lane {
    /// Its pair of sites.
    pair: u32,
    from: u32,
    to: u32,
}

/// All pairs of hosts that ever had a number of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    ailing: BTreeMap<(u32, u32), Ailing>,
    numbers: BTreeMap<(u32, u32), u32>,
    list: Vec<Lane>,
}

/// Far above the parts of a draw that hops and faults of pairs take.
const OUT: u64 = 1 << 41;
const IN: u64 = 1 << 42;
const LOSS: u64 = 1 << 43;

impl Lanes {
    fn ails(&self, host: u32) -> bool {
        self.ailing.range((host, 0)..=(host, u32::MAX)).next().is_some()
    }
    /// Takes back what a fault does to hosts.
    pub(super) fn clear(&mut self, fault: u32) {
        self.ailing.retain(|(_, other), _| *other != fault);
    }
    /// The lanes over a pair of sites.
    pub(super) fn over(&self, pair: usize) -> impl Iterator<Item = usize> {
        let mine = move |(_, lane): &(usize, &Lane)| lane.pair as usize == pair;
        self.list.iter().enumerate().filter(mine).map(|(i, _)| i)
    }
    #[cfg(test)]
    pub(super) fn is_well(&self) -> bool {
        self.ailing.is_empty()
    }
    /// A packet that would arrive at `at`, with what ails both hosts.
    fn pass(&self, lane: Lane, mut at: SimTime, draw: u64) -> Fate {
        for (host, way, part) in [(lane.from, 0, OUT), (lane.to, 1, IN)] {
            for (&(_, fault), ailing) in self.ailing.range((host, 0)..=(host, u32::MAX)) {
                let ailment = &ailing.ways[way];
                let part = part + u64::from(fault);
                if (further(draw, part + LOSS) >> 32) < threshold(ailment.loss) {
                    return Fate::Lost;
                }
                if let Some(delay) = &ailment.delay {
                    at = at.saturating_add(delay.quantile_of(further(draw, part)));
                }
            }
        }
        Fate::Arrives(at)
    }
}

impl Fabric {
    /// A fault begins to act on a host: on what it sends, and on what is sent to it. Several
    /// faults add up and lose independently. Replaces what the same fault did to it before.
    pub fn ail(&mut self, host: u32, fault: u32, sends: Ailment, receives: Ailment) {
        self.lanes.ailing.insert((host, fault), Ailing { ways: [sends, receives] });
    }

    /// The number to offer packets on between two hosts of such a pair of sites: the pair's own
    /// unless a fault acts on one of them. Asked again whenever that may have changed.
    pub fn lane(&mut self, pair: u32, from: u32, to: u32) -> u32 {
        let lanes = &self.lanes;
        if lanes.ailing.is_empty() || !(lanes.ails(from) || lanes.ails(to)) {
            return pair;
        }
        if let Some(number) = self.lanes.numbers.get(&(from, to)) {
            return *number;
        }
        let number = self.pairs.len() as u32;
        let dead_before = self.pairs[pair as usize].dead_before;
        self.pairs.push(Pair::lane(dead_before));
        self.lanes.list.push(Lane { pair, from, to });
        self.lanes.numbers.insert((from, to), number);
        number
    }

    /// [`Fabric::offer_on`] a pair of hosts.
    pub(super) fn offer_lane(&mut self, now: SimTime, index: usize, bytes: u32, draw: u64) -> Fate {
        debug_assert!(self.pairs[index].flags & LANE != 0);
        let lane = self.lanes.list[index - self.sites * self.sites];
        match self.offer_on(now, lane.pair, bytes, draw) {
            Fate::Arrives(at) => self.lanes.pass(lane, at, draw),
            Fate::Lost => Fate::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{ms, plain};
    use super::super::{FabricSpec, InFlight, PairSpec};
    use super::*;
    use crate::sim::Span;
    use crate::sim::dist::DistSpec;
    use crate::sim::rng::{Label, Streams};

    fn fabric() -> Fabric {
        let pair = PairSpec { loss: 0.0, ..plain(Span::from_millis(40)) };
        Fabric::new(&FabricSpec { sites: 2, pairs: vec![pair; 4], physical: None })
    }
    fn slow(n: u64) -> Ailment {
        let delay = Some(Dist::new(&DistSpec::Constant(Span::from_millis(n))));
        Ailment { delay, loss: 0.0 }
    }
    fn lossy(loss: f64) -> Ailment {
        Ailment { delay: None, loss }
    }
    /// Host 7 stands at site 0, host 8 at site 1, and so does 9.
    fn arrival(fabric: &mut Fabric, from: u32, to: u32) -> Fate {
        let sites = |host| usize::from(host != 7);
        let pair = fabric.pair(sites(from), sites(to));
        let number = fabric.lane(pair, from, to);
        fabric.offer_on(ms(0), number, 100, u64::MAX)
    }

    #[test]
    fn a_slow_host_is_slow_for_everybody_and_its_neighbour_for_nobody() {
        let mut fabric = fabric();
        fabric.ail(8, 1, slow(5), slow(70));
        fabric.ail(8, 2, slow(1), Ailment::default());
        fabric.ail(7, 2, slow(300), Ailment::default());
        assert_eq!(arrival(&mut fabric, 8, 7), Fate::Arrives(ms(40 + 5 + 1)));
        assert_eq!(arrival(&mut fabric, 7, 8), Fate::Arrives(ms(40 + 70 + 300)));
        assert_eq!(arrival(&mut fabric, 9, 7), Fate::Arrives(ms(40)));
        assert_eq!(arrival(&mut fabric, 9, 8), Fate::Arrives(ms(40 + 70)));
        fabric.clear(2);
        assert_eq!(arrival(&mut fabric, 7, 8), Fate::Arrives(ms(40 + 70)));
        fabric.clear(1);
        assert_eq!(arrival(&mut fabric, 7, 8), Fate::Arrives(ms(40)));
        let pair = fabric.pair(0, 1);
        assert_eq!(fabric.lane(pair, 7, 8), pair, "the pair of sites again");
    }

    #[test]
    fn hosts_lose_independently() {
        let mut fabric = fabric();
        fabric.ail(7, 1, lossy(0.2), lossy(0.0));
        fabric.ail(8, 1, lossy(1.0), lossy(0.5));
        let number = fabric.pair(0, 1);
        let number = fabric.lane(number, 7, 8);
        let mut dice = Streams::new(1, 0).stream(Label::new("loss"));
        let tries = 100_000;
        let lost = (0..tries)
            .filter(|_| fabric.offer_on(ms(0), number, 1, dice.next_u64()) == Fate::Lost)
            .count();
        // 1 - 0.8 * 0.5 = 0.6; six standard errors of a share are 0.0093.
        assert!((lost as f64 / tries as f64 - 0.6).abs() < 0.0093, "{lost}");
        assert_eq!(arrival(&mut fabric, 8, 7), Fate::Lost);
    }

    #[test]
    fn what_befalls_the_pair_of_sites_befalls_its_hosts() {
        let mut fabric = fabric();
        fabric.ail(8, 1, slow(5), slow(5));
        let pair = fabric.pair(0, 1);
        let lane = fabric.lane(pair, 7, 8);
        fabric.block(ms(10), 0, 1, 3, InFlight::Lost);
        assert_eq!(fabric.offer_on(ms(10), lane, 1, u64::MAX), Fate::Lost);
        assert!(!fabric.alive_on(lane, ms(10)) && fabric.alive_on(lane, ms(11)));
        // A pair of hosts that is new knows what died before.
        let late = fabric.lane(pair, 9, 8);
        assert!(!fabric.alive_on(late, ms(10)));
        fabric.clear(3);
        assert_eq!(fabric.offer_on(ms(11), lane, 1, u64::MAX), Fate::Arrives(ms(11 + 45)));
    }
}
