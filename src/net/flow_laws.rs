//! Laws of flows, over random loss, cuts and deaths.

use super::rig::{Ev, Rig, ms, plain};
use super::{InFlight, PairSpec, TransportSpec};
use crate::sim::param::Bytes;
use crate::sim::{SimTime, Span};
use proptest::prelude::*;

/// What is drawn for one run.
#[derive(Clone, Debug)]
struct Story {
    pair: PairSpec,
    spec: TransportSpec,
    /// When each item is sent, and its bytes.
    sends: Vec<(u64, u32)>,
    /// Forward or back, from, for how long, and what becomes of what is under way.
    cuts: Vec<(bool, u64, u64, bool)>,
    /// From, for how long, and by how much the way is slower.
    slows: Vec<(u64, u64, u64)>,
}

fn pair() -> impl Strategy<Value = PairSpec> {
    let bandwidth = prop_oneof![Just(None), (100_000u64..10_000_000).prop_map(Some)];
    (1u64..300, 0.0f64..0.8, bandwidth, 0u64..20_000).prop_map(|(base, loss, bandwidth, queue)| {
        PairSpec { loss, bandwidth, queue, ..plain(Span::from_millis(base)) }
    })
}

fn story() -> impl Strategy<Value = Story> {
    let spec = (1u32..8, 500u64..20_000).prop_map(|(window_items, bytes)| TransportSpec {
        window_items,
        window_bytes: Bytes(bytes),
        ..TransportSpec::default()
    });
    let sends = prop::collection::vec((0u64..20_000, 1u32..5_000), 1..60);
    let cut = (any::<bool>(), 0u64..20_000, 1u64..15_000, any::<bool>());
    let cuts = prop::collection::vec(cut, 0..6);
    let slows = prop::collection::vec((0u64..20_000, 1u64..15_000, 0u64..1_000), 0..4);
    (pair(), spec, sends, cuts, slows).prop_map(|(pair, spec, mut sends, cuts, slows)| {
        sends.sort_by_key(|send| send.0);
        Story { pair, spec, sends, cuts, slows }
    })
}

fn rig(story: &Story) -> Rig {
    let mut rig = Rig::new(story.pair.clone(), story.spec.clone());
    for (item, (at, bytes)) in story.sends.iter().enumerate() {
        rig.at(ms(*at), Ev::Send { item: item as u64, bytes: *bytes });
    }
    for (fault, (forward, at, lasts, lost)) in story.cuts.iter().enumerate() {
        let (forward, fault) = (*forward, fault as u32);
        let in_flight = if *lost { InFlight::Lost } else { InFlight::Delivered };
        rig.at(ms(*at), Ev::Cut { forward, fault, in_flight });
        rig.at(ms(at + lasts), Ev::Heal { forward, fault });
    }
    for (fault, (at, lasts, add)) in story.slows.iter().enumerate() {
        let (fault, add) = (100 + fault as u32, Span::from_millis(*add));
        rig.at(ms(*at), Ev::Slow { add, fault });
        rig.at(ms(at + lasts), Ev::Clear { fault });
    }
    rig
}

proptest! {
    /// The rig also checks at every step that the window holds, that an item has at most one
    /// packet under way, that no packet overtakes another, and at the end that every packet was delivered, lost or killed once.
    #[test]
    fn every_item_is_handed_over_once_and_in_order(story in story()) {
        let mut rig = rig(&story);
        rig.run();
        prop_assert_eq!(rig.items(), (0..story.sends.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!((rig.flow.backlog(), rig.packets[3]), (0, 0));
    }

    #[test]
    fn nothing_is_handed_over_before_it_could_have_come(story in story()) {
        let mut rig = rig(&story);
        rig.run();
        for ((at, item), (sent, _)) in rig.delivered.iter().zip(&story.sends) {
            prop_assert!(*at >= ms(*sent) + story.pair.base, "item {item}");
        }
    }

    /// When the sender dies some items are dropped, and the rest still comes in order; so do
    /// the items of its successor, and none is stuck behind the dead one's.
    #[test]
    fn a_dead_senders_items_arrive_or_are_dropped(story in story(), dies in 0u64..20_000) {
        let mut rig = rig(&story);
        rig.at(ms(dies), Ev::SenderDies);
        rig.run();
        let items = rig.items();
        prop_assert!(items.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(rig.flow.backlog(), 0);
        prop_assert!(items.len() as u64 + rig.dropped <= story.sends.len() as u64);
        let after = story.sends.iter().filter(|send| send.0 > dies).count();
        let first_after = (story.sends.len() - after) as u64;
        prop_assert_eq!(items.iter().filter(|item| **item >= first_after).count(), after);
    }

    #[test]
    fn a_dead_receiver_drops_what_it_had_not_been_handed(story in story(), dies in 0u64..20_000) {
        let mut rig = rig(&story);
        rig.at(ms(dies), Ev::ReceiverDies);
        rig.run();
        let items = rig.items();
        prop_assert!(items.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(items.len() as u64 + rig.dropped, story.sends.len() as u64);
        prop_assert_eq!(rig.flow.backlog(), 0);
    }
}

#[test]
fn a_healthy_flow_needs_one_event_per_item() {
    let mut rig = Rig::new(plain(Span::from_millis(35)), TransportSpec::default());
    for item in 0..10_000 {
        rig.at(SimTime::from_nanos(item * 1_000_000), Ev::Send { item, bytes: 2_000 });
    }
    rig.run();
    assert_eq!(rig.items(), (0..10_000).collect::<Vec<_>>());
    assert_eq!((rig.packets, rig.wakes), ([10_000, 0, 0, 0, 10_000], 0));
}

#[test]
fn a_single_loss_is_repaired_a_round_trip_after_the_next_packet() {
    let mut rig = Rig::new(plain(Span::from_millis(35)), TransportSpec::default());
    let in_flight = InFlight::Delivered;
    for item in 0..5 {
        rig.at(ms(100 + item * 10), Ev::Send { item, bytes: 100 });
    }
    rig.at(ms(105), Ev::Cut { forward: true, fault: 1, in_flight });
    rig.at(ms(115), Ev::Heal { forward: true, fault: 1 });
    rig.run();
    // Item 1 was lost at 110 ms. Item 2 left at 120 and told of the loss at 190; the items
    // behind it waited for its second packet.
    let times = [(135, 0), (225, 1), (225, 2), (225, 3), (225, 4)];
    assert_eq!(rig.delivered, times.map(|(at, item)| (ms(at), item)).to_vec());
}

#[test]
fn a_dead_sender_repeats_nothing() {
    let mut rig = Rig::new(plain(Span::from_millis(40)), TransportSpec::default());
    for item in 0..3 {
        rig.at(ms(0), Ev::Send { item, bytes: 100 });
    }
    // The way back is cut: a living sender would repeat the first item to be answered.
    rig.at(ms(10), Ev::Cut { forward: false, fault: 1, in_flight: InFlight::Lost });
    rig.at(ms(20), Ev::SenderDies);
    rig.at(ms(9_000), Ev::Heal { forward: false, fault: 1 });
    rig.run();
    assert_eq!((rig.items(), rig.packets, rig.wakes), (vec![0, 1, 2], [3, 0, 0, 0, 3], 0));
}
