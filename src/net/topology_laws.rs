//! Routes against a dumb twin, and the story of a link that dies.

use super::rig::{ms, plain};
use super::{Fabric, FabricSpec, Fate, InFlight, LinkSpec, PairSpec, Physical};
use crate::sim::Span;
use proptest::prelude::*;

fn link(a: usize, b: usize, delay: u64) -> LinkSpec {
    LinkSpec { a, b, delay: Span::from_millis(delay), ..LinkSpec::default() }
}

/// One site per region, every pair routed.
fn fabric(regions: usize, links: Vec<LinkSpec>) -> Fabric {
    let region_of = (0..regions).collect();
    let physical = Physical { regions, region_of, links, convergence: Span::from_secs(30) };
    let pair = PairSpec { routed: true, ..plain(Span::ZERO) };
    let pairs = vec![pair; regions * regions];
    Fabric::new(&FabricSpec { sites: regions, pairs, physical: Some(physical) })
}

/// Floyd and Warshall: the shortest delay between any two regions over the links that are up.
fn all_pairs(regions: usize, links: &[LinkSpec], up: &[bool]) -> Vec<Vec<Option<Span>>> {
    let mut best = vec![vec![None; regions]; regions];
    for (region, row) in best.iter_mut().enumerate() {
        row[region] = Some(Span::ZERO);
    }
    for (link, _) in links.iter().zip(up).filter(|(_, up)| **up) {
        for (from, to) in [(link.a, link.b), (link.b, link.a)] {
            let known: Option<Span> = best[from][to];
            best[from][to] = Some(known.map_or(link.delay, |known| known.min(link.delay)));
        }
    }
    for via in 0..regions {
        for from in 0..regions {
            for to in 0..regions {
                if let (Some(first), Some(second)) = (best[from][via], best[via][to]) {
                    let sum = first + second;
                    best[from][to] = Some(best[from][to].map_or(sum, |known| known.min(sum)));
                }
            }
        }
    }
    best
}

fn graph() -> impl Strategy<Value = (usize, Vec<LinkSpec>, Vec<bool>)> {
    (1usize..8).prop_flat_map(|regions| {
        let links = prop::collection::vec((0..regions, 0..regions, 0u64..20), 0..16);
        (Just(regions), links, prop::collection::vec(any::<bool>(), 16)).prop_map(
            |(n, links, up)| {
                let links: Vec<_> =
                    links.into_iter().map(|(a, b, delay)| link(a, b, delay)).collect();
                let up = up[..links.len()].to_vec();
                (n, links, up)
            },
        )
    })
}

proptest! {
    #[test]
    fn routes_equal_floyd_and_warshall((regions, links, up) in graph()) {
        let mut fabric = fabric(regions, links.clone());
        for (link, _) in up.iter().enumerate().filter(|(_, up)| !**up) {
            fabric.fail_link(ms(0), link, 1, InFlight::Delivered);
        }
        fabric.converge(ms(30_000));
        let expected = all_pairs(regions, &links, &up);
        for (from, row) in expected.iter().enumerate() {
            for (to, way) in row.iter().enumerate() {
                prop_assert_eq!(fabric.is_up(from, to), way.is_some());
                let fate = fabric.offer(ms(40_000), from, to, 100, u64::MAX);
                let arrives = way.map(|way| Fate::Arrives(ms(40_000) + way));
                prop_assert_eq!(fate, arrives.unwrap_or(Fate::Lost));
                if let Some(way) = way {
                    prop_assert_eq!(fabric.base_delay(from, to), *way);
                }
            }
        }
    }

    /// Every route is a way: it starts and ends where it should and uses links that touch.
    #[test]
    fn routes_are_connected((regions, links, _) in graph()) {
        let fabric = fabric(regions, links.clone());
        let routes = fabric.routes.as_ref().unwrap();
        for from in 0..regions {
            for to in 0..regions {
                let Some(route) = routes.route(from, to) else { continue };
                let mut at = from;
                for hop in &route.hops {
                    let link = &links[hop / 2];
                    let (tail, head) = if hop % 2 == 0 { (link.a, link.b) } else { (link.b, link.a) };
                    prop_assert_eq!(tail, at);
                    at = head;
                }
                prop_assert_eq!(at, to);
                prop_assert!(route.hops.len() < regions);
            }
        }
    }
}

/// Frankfurt, Virginia, São Paulo: the direct way 45 ms, over the third 60 + 55 ms.
fn triangle() -> Fabric {
    fabric(3, vec![link(0, 1, 45), link(1, 2, 60), link(0, 2, 55)])
}

#[test]
fn a_dead_link_blocks_its_pairs_until_routing_has_converged() {
    let mut fabric = triangle();
    let dead = fabric.fail_link(ms(1_000), 0, 1, InFlight::Lost);
    assert_eq!((dead.converge_at, dead.changed), (ms(31_000), vec![(0, 1), (1, 0)]));
    assert!(!fabric.alive(0, 1, ms(990)) && fabric.alive(0, 2, ms(990)));
    assert_eq!(fabric.offer(ms(2_000), 0, 1, 1, 0), Fate::Lost);
    assert_eq!(fabric.converge(ms(30_999)), []);
    assert_eq!(fabric.converge(ms(31_000)), [(0, 1), (1, 0)]);
    assert_eq!(fabric.offer(ms(31_000), 0, 1, 1, 0), Fate::Arrives(ms(31_115)));
    // After the healing the long way stays in use until routing has converged again.
    let healed = fabric.heal_link(ms(60_000), 0, 1);
    assert_eq!((healed.converge_at, healed.changed), (ms(90_000), vec![]));
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(230));
    assert_eq!(fabric.converge(ms(90_000)), []);
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(90));
}

#[test]
fn a_link_that_flaps_faster_than_routing_works_again_at_once() {
    let mut fabric = triangle();
    fabric.fail_link(ms(1_000), 0, 1, InFlight::Lost);
    let healed = fabric.heal_link(ms(2_000), 0, 1);
    assert_eq!(healed.changed, [(0, 1), (1, 0)]);
    // Routing still hears the old news first, and takes the long way for a second.
    assert_eq!(fabric.converge(ms(31_000)), []);
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(230));
    fabric.converge(ms(32_000));
    assert_eq!(fabric.base_rtt(0, 1), Span::from_millis(90));
}

#[test]
fn a_link_held_down_by_two_faults_needs_both_to_heal() {
    let mut fabric = triangle();
    fabric.fail_link(ms(0), 0, 1, InFlight::Lost);
    fabric.fail_link(ms(0), 0, 2, InFlight::Lost);
    assert_eq!(fabric.heal_link(ms(10), 0, 1).changed, []);
    assert_eq!(fabric.heal_link(ms(20), 0, 2).changed, [(0, 1), (1, 0)]);
}

#[test]
fn without_another_way_the_region_stays_unreachable() {
    let mut fabric = fabric(2, vec![link(0, 1, 45)]);
    fabric.fail_link(ms(0), 0, 1, InFlight::Lost);
    assert_eq!(fabric.converge(ms(30_000)), []);
    assert!(!fabric.is_up(0, 1));
    fabric.heal_link(ms(40_000), 0, 1);
    assert!(!fabric.is_up(0, 1), "routing has not heard of it yet");
    assert_eq!(fabric.converge(ms(70_000)), [(0, 1), (1, 0)]);
}

#[test]
fn the_queues_on_a_route_are_passed_in_order() {
    // 8 Mbit/s, then 4 Mbit/s: a kilobyte takes 1 ms and 2 ms.
    let line =
        |a, b, bandwidth| LinkSpec { bandwidth: Some(bandwidth), queue: 3_000, ..link(a, b, 10) };
    let mut fabric = fabric(3, vec![line(0, 1, 8_000_000), line(1, 2, 4_000_000)]);
    let mut offer = |from, to| fabric.offer(ms(0), from, to, 1_000, u64::MAX);
    assert_eq!(offer(0, 2), Fate::Arrives(ms(1 + 10 + 2 + 10)));
    assert_eq!(offer(0, 2), Fate::Arrives(ms(1 + 10 + 4 + 10)));
    // Traffic that starts at the second link does not wait for what has yet to arrive there.
    assert_eq!(offer(1, 2), Fate::Arrives(ms(2 + 10)));
    // The other direction has a queue of its own.
    assert_eq!(offer(2, 1), Fate::Arrives(ms(2 + 10)));
    // The queue of the first link holds 3 kB behind the one it sends.
    assert_ne!(offer(0, 1), Fate::Lost);
    assert_ne!(offer(0, 1), Fate::Lost);
    assert_eq!(offer(0, 1), Fate::Lost);
}
