//! Laws and small stories of the fabric.

use super::rig::{ms, plain};
use super::{Ailment, Fabric, FabricSpec, Fate, Gilbert, InFlight, LinkSpec, PairSpec, Physical};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::rng::{Label, Streams};
use crate::sim::{SimTime, Span};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A draw that loses nothing but on a pair that loses all.
const LUCKY: u64 = u64::MAX;

fn fabric(sites: usize, pair: PairSpec) -> Fabric {
    Fabric::new(&FabricSpec { sites, pairs: vec![pair; sites * sites], physical: None })
}

fn arrival(fabric: &mut Fabric, now: u64, bytes: u32) -> Option<SimTime> {
    match fabric.offer(ms(now), 0, 1, bytes, LUCKY) {
        Fate::Arrives(at) => Some(at),
        Fate::Lost => None,
    }
}

#[test]
fn a_plain_packet_takes_the_base_delay() {
    let mut fabric = fabric(2, plain(Span::from_millis(40)));
    assert_eq!(arrival(&mut fabric, 5, 1_500), Some(ms(45)));
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(80));
}

#[test]
fn the_high_half_of_the_draw_decides_loss() {
    let mut lossy = fabric(2, PairSpec { loss: 0.25, ..plain(Span::ZERO) });
    let mut offer = |draw| lossy.offer(ms(0), 0, 1, 1, draw);
    assert_eq!(offer((1 << 62) - 1), Fate::Lost);
    assert_eq!(offer(1 << 62), Fate::Arrives(ms(0)));
    let mut dead = fabric(2, PairSpec { loss: 1.0, ..plain(Span::ZERO) });
    assert_eq!(dead.offer(ms(0), 0, 1, 1, u64::MAX), Fate::Lost);
}

#[test]
fn lossy_faults_lose_independently() {
    let mut fabric = fabric(2, PairSpec { loss: 0.1, ..plain(Span::ZERO) });
    fabric.lossy(0, 1, 1, 0.2);
    fabric.lossy(0, 1, 2, 0.5);
    let mut dice = Streams::new(1, 0).stream(Label::new("loss"));
    let tries = 100_000;
    let lost =
        (0..tries).filter(|_| fabric.offer(ms(0), 0, 1, 1, dice.next_u64()) == Fate::Lost).count();
    // 1 - 0.9 * 0.8 * 0.5 = 0.64; six standard errors of a share are 0.009.
    assert!((lost as f64 / tries as f64 - 0.64).abs() < 0.0092, "{lost}");
}

#[test]
fn slowing_faults_multiply_and_add() {
    let mut fabric = fabric(2, plain(Span::from_millis(40)));
    fabric.slow(0, 1, 1, Dist::new(&DistSpec::Constant(Span::from_millis(7))), 2.0);
    fabric.slow(0, 1, 2, Dist::new(&DistSpec::Constant(Span::from_millis(3))), 1.5);
    assert_eq!(arrival(&mut fabric, 0, 1), Some(ms(40 * 3 + 10)));
    fabric.clear(1);
    assert_eq!(arrival(&mut fabric, 0, 1), Some(ms(60 + 3)));
    fabric.clear(2);
    assert_eq!(arrival(&mut fabric, 0, 1), Some(ms(40)));
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(80));
}

#[test]
fn a_fault_narrows_a_pair_and_its_queue_fills() {
    // 8 Mbit/s: a kilobyte takes a millisecond; three may wait behind the one on the line.
    let mut fabric = fabric(3, plain(Span::from_millis(40)));
    fabric.narrow(0, 1, 5, 0, 8_000_000, 3_000);
    fabric.narrow(2, 1, 5, 0, 8_000_000, 3_000);
    assert_eq!(arrival(&mut fabric, 0, 1_000), Some(ms(41)));
    assert_eq!(fabric.offer(ms(0), 2, 1, 2_000, LUCKY), Fate::Arrives(ms(43)), "one place");
    assert_eq!(arrival(&mut fabric, 0, 1_000), Some(ms(44)));
    assert_eq!(arrival(&mut fabric, 0, 1_000), None, "4 KB wait, and 3 may");
    assert_eq!(fabric.offer(ms(0), 1, 0, 2_000, LUCKY), Fate::Arrives(ms(40)), "one way");
    // A second, narrower place behind it: 4 ms a kilobyte.
    fabric.narrow(0, 1, 6, 0, 2_000_000, 3_000);
    assert_eq!(arrival(&mut fabric, 10, 1_000), Some(ms(10 + 1 + 4 + 40)));
    fabric.clear(5);
    assert_eq!(arrival(&mut fabric, 20, 1_000), Some(ms(20 + 4 + 40)));
    fabric.clear(6);
    assert_eq!(arrival(&mut fabric, 20, 1_000), Some(ms(60)));
}

#[test]
fn a_pairs_own_bandwidth_comes_before_the_narrow_place() {
    let own =
        PairSpec { bandwidth: Some(8_000_000), queue: 100_000, ..plain(Span::from_millis(40)) };
    let mut fabric = fabric(2, own);
    fabric.narrow(0, 1, 5, 0, 4_000_000, 100_000);
    // 1 ms on its own line and 2 ms on the narrow one; the second leaves the first at 2 ms and
    // waits for the narrow one until 3 ms.
    assert_eq!(arrival(&mut fabric, 0, 1_000), Some(ms(43)));
    assert_eq!(arrival(&mut fabric, 0, 1_000), Some(ms(45)));
}

#[test]
fn bursts_are_lost_on_the_pair_they_befall_and_on_no_other() {
    let mut fabric = fabric(2, plain(Span::ZERO));
    let law = Gilbert { p: 0.05, r: 0.2, loss_bad: 1.0, loss_good: 0.0 };
    fabric.bursty(0, 1, 5, law, Streams::new(1, 0).stream(Label::new("bursts")));
    let lost = (0..10_000).filter(|n| arrival(&mut fabric, *n, 1).is_none()).count();
    // A share of 0.2; see `bursts` for what such a share scatters.
    assert!((1_700..2_300).contains(&lost), "{lost}");
    let back = (0..1_000).filter(|n| fabric.offer(ms(*n), 1, 0, 1, LUCKY) == Fate::Lost).count();
    assert_eq!(back, 0);
    fabric.clear(5);
    assert!((0..1_000).all(|n| arrival(&mut fabric, n, 1).is_some()));
}

#[test]
fn pairs_of_one_trunk_share_its_bandwidth() {
    let pair = PairSpec {
        bandwidth: Some(8_000_000),
        queue: 100_000,
        trunk: Some(3),
        ..plain(Span::from_millis(40))
    };
    let mut fabric = fabric(3, pair);
    assert_eq!(fabric.offer(ms(0), 0, 1, 10_000, LUCKY), Fate::Arrives(ms(50)));
    assert_eq!(fabric.backlog(ms(4), 2, 1), 6_000);
    assert_eq!(fabric.offer(ms(4), 2, 1, 1_000, LUCKY), Fate::Arrives(ms(51)));
}

#[test]
fn a_cut_kills_what_is_under_way_even_if_it_heals_before_the_arrival() {
    let mut fabric = fabric(2, plain(Span::from_millis(40)));
    assert!(fabric.block(ms(20), 0, 1, 1, InFlight::Lost));
    assert!(fabric.unblock(0, 1, 1));
    assert!(!fabric.alive(0, 1, ms(10)));
    assert!(fabric.alive(0, 1, ms(21)));
    assert!(fabric.alive(1, 0, ms(10)));
}

#[test]
fn a_cut_at_the_senders_end_lets_what_is_under_way_arrive() {
    let mut fabric = fabric(2, plain(Span::from_millis(40)));
    fabric.block(ms(20), 0, 1, 1, InFlight::Delivered);
    assert!(fabric.alive(0, 1, ms(10)));
    assert_eq!(arrival(&mut fabric, 21, 1), None);
}

#[test]
fn a_lost_regions_packets_die_and_no_others() {
    let mut fabric = fabric(3, plain(Span::from_millis(40)));
    fabric.sever(ms(20), 1);
    for (from, to) in [(0, 1), (1, 0), (1, 2), (1, 1)] {
        assert!(!fabric.alive(from, to, ms(10)));
    }
    assert!(fabric.alive(0, 2, ms(10)) && fabric.is_up(0, 1));
}

/// What a fault may do in the law below.
#[derive(Clone, Copy, Debug)]
enum Act {
    Block(usize, usize, u32),
    Unblock(usize, usize, u32),
    Slow(usize, usize, u32),
    Lossy(usize, usize, u32, f64),
    FailLink(usize, u32),
    HealLink(usize, u32),
    Narrow(usize, usize, u32),
    Bursty(usize, usize, u32),
    Ail(u32, u32),
    Clear(u32),
}

fn act() -> impl Strategy<Value = Act> {
    let (site, fault, link) = (0usize..4, 0u32..5, 0usize..3);
    let site2 = site.clone();
    prop_oneof![
        (site.clone(), site.clone(), fault.clone()).prop_map(|(a, b, f)| Act::Block(a, b, f)),
        (site.clone(), site.clone(), fault.clone()).prop_map(|(a, b, f)| Act::Unblock(a, b, f)),
        (site.clone(), site.clone(), fault.clone()).prop_map(|(a, b, f)| Act::Slow(a, b, f)),
        (site.clone(), site, fault.clone(), 0.0f64..1.0)
            .prop_map(|(a, b, f, p)| Act::Lossy(a, b, f, p)),
        (link.clone(), fault.clone()).prop_map(|(l, f)| Act::FailLink(l, f)),
        (link, fault.clone()).prop_map(|(l, f)| Act::HealLink(l, f)),
        (site2.clone(), site2.clone(), fault.clone()).prop_map(|(a, b, f)| Act::Narrow(a, b, f)),
        (site2.clone(), site2, fault.clone()).prop_map(|(a, b, f)| Act::Bursty(a, b, f)),
        (0u32..9, fault.clone()).prop_map(|(h, f)| Act::Ail(h, f)),
        fault.prop_map(Act::Clear),
    ]
}

/// Four sites in three regions in a row, every pair of regions routed.
fn routed() -> Fabric {
    let link = |a, b| LinkSpec { a, b, delay: Span::from_millis(10), ..LinkSpec::default() };
    let physical = Physical {
        regions: 3,
        region_of: vec![0, 0, 1, 2],
        links: vec![link(0, 1), link(1, 2), link(0, 2)],
        convergence: Span::from_secs(1),
    };
    let pair = PairSpec { loss: 0.01, routed: true, ..plain(Span::from_millis(1)) };
    Fabric::new(&FabricSpec { sites: 4, pairs: vec![pair; 16], physical: Some(physical) })
}

proptest! {
    #[test]
    fn clearing_all_faults_restores_the_initial_fabric(
        acts in prop::collection::vec((act(), 0u64..2_000), 0..60),
    ) {
        let mut fabric = routed();
        let initial = fabric.state();
        let mut now = 0;
        for (act, pause) in acts {
            now += pause;
            let slow = Dist::new(&DistSpec::Constant(Span::from_millis(9)));
            match act {
                Act::Block(a, b, f) => drop(fabric.block(ms(now), a, b, f, InFlight::Lost)),
                Act::Unblock(a, b, f) => drop(fabric.unblock(a, b, f)),
                Act::Slow(a, b, f) => fabric.slow(a, b, f, slow.clone(), 1.7),
                Act::Lossy(a, b, f, p) => fabric.lossy(a, b, f, p),
                Act::FailLink(l, f) => drop(fabric.fail_link(ms(now), l, f, InFlight::Lost)),
                Act::HealLink(l, f) => drop(fabric.heal_link(ms(now), l, f)),
                Act::Narrow(a, b, f) => fabric.narrow(a, b, f, 0, 8_000_000, 1_000),
                Act::Bursty(a, b, f) => {
                    let law = Gilbert { p: 0.1, r: 0.3, loss_bad: 1.0, loss_good: 0.0 };
                    let dice = Streams::new(1, 0).stream(Label::new("bursts"));
                    fabric.bursty(a, b, f, law, dice);
                }
                Act::Ail(host, f) => {
                    let ailment = || Ailment { delay: Some(slow.clone()), loss: 0.3 };
                    fabric.ail(host, f, ailment(), ailment());
                    let pair = fabric.pair(1, 2);
                    fabric.lane(pair, host, 4);
                }
                Act::Clear(f) => drop(fabric.clear(f)),
            }
            fabric.converge(ms(now));
        }
        for fault in 0..5 {
            fabric.clear(fault);
            for link in 0..3 {
                fabric.heal_link(ms(now), link, fault);
            }
        }
        fabric.converge(ms(now + 1_000));
        prop_assert_eq!(fabric.state(), initial);
    }

    /// The dumb twin keeps a set of who blocks what; and every change of state is reported.
    #[test]
    fn a_pair_is_up_when_no_fault_blocks_it(acts in prop::collection::vec(act(), 0..60)) {
        let mut fabric = fabric(4, plain(Span::from_millis(1)));
        let mut blocks: BTreeSet<(usize, usize, u32)> = BTreeSet::new();
        let up = |blocks: &BTreeSet<(usize, usize, u32)>, a, b| {
            blocks.range((a, b, 0)..=(a, b, u32::MAX)).next().is_none()
        };
        for act in acts {
            match act {
                Act::Block(a, b, f) => {
                    let was_up = up(&blocks, a, b);
                    blocks.insert((a, b, f));
                    prop_assert_eq!(fabric.block(ms(0), a, b, f, InFlight::Lost), was_up);
                }
                Act::Unblock(a, b, f) => {
                    let was_up = up(&blocks, a, b);
                    blocks.remove(&(a, b, f));
                    prop_assert_eq!(fabric.unblock(a, b, f), was_up != up(&blocks, a, b));
                }
                Act::Clear(f) => {
                    let before = blocks.clone();
                    blocks.retain(|block| block.2 != f);
                    let pairs = (0..16).map(|pair| (pair / 4, pair % 4));
                    let changed = pairs.filter(|(a, b)| up(&before, *a, *b) != up(&blocks, *a, *b));
                    prop_assert_eq!(fabric.clear(f), changed.collect::<Vec<_>>());
                }
                _ => {}
            }
            for pair in 0..16 {
                let (a, b) = (pair / 4, pair % 4);
                prop_assert_eq!(fabric.is_up(a, b), up(&blocks, a, b));
            }
        }
    }
}
