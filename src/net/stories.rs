//! What a log stream lives through.

use super::rig::{Ev, Rig, ms, plain};
use super::{InFlight, PairSpec, TransportSpec};
use crate::sim::Span;
use crate::sim::param::Bytes;

/// A batch of the log every 100 ms, from the start for that many seconds.
fn log_batches(rig: &mut Rig, seconds: u64, bytes: u32) {
    for item in 0..seconds * 10 {
        rig.at(ms(item * 100), Ev::Send { item, bytes });
    }
}

fn cut(rig: &mut Rig, forward: bool, from: u64, to: u64) {
    rig.at(ms(from), Ev::Cut { forward, fault: 1, in_flight: InFlight::Lost });
    rig.at(ms(to), Ev::Heal { forward, fault: 1 });
}

#[test]
fn after_a_cut_of_43_seconds_the_log_resumes_at_the_next_retransmission() {
    let mut rig = Rig::new(plain(Span::from_millis(40)), TransportSpec::default());
    log_batches(&mut rig, 90, 60_000);
    cut(&mut rig, true, 10_000, 53_000);
    cut(&mut rig, false, 10_000, 53_000);
    rig.at(ms(52_999), Ev::Look);
    rig.run();
    // Nothing is lost for good, nothing out of order.
    assert_eq!(rig.items(), (0..900).collect::<Vec<_>>());
    // 430 batches of 60 kB were written; the window let 69 of them (4 MiB) out.
    assert_eq!(rig.looks, [(430, 69)]);
    // Batch 100 was first sent at 10 s; it went again at 10.2, 10.6, 11.4, 13.0, 16.2 s and
    // every 5 s from there. The first try after the heal is that of 56.2 s.
    assert_eq!(rig.delivered[99].0, ms(9_940));
    assert_eq!(rig.delivered[100].0, ms(56_240));
    // A round trip later the rest follows, a window full each round trip, and then it is over.
    assert_eq!(rig.delivered[101].0, ms(56_320));
    let late = rig.delivered.iter().filter(|(at, item)| *at > ms(item * 100 + 40)).count();
    assert!((465..475).contains(&late), "{late}");
    // The silence cost few wake-ups: only the oldest loss is tried again.
    assert!(rig.wakes < 60, "{} wakes", rig.wakes);
}

#[test]
fn a_batch_under_way_when_the_cut_begins_dies_or_arrives_as_the_cut_says() {
    // Dead at 140 ms; sent again at 300 in vain, and at 700.
    for (in_flight, arrives) in [(InFlight::Lost, 740), (InFlight::Delivered, 140)] {
        let mut rig = Rig::new(plain(Span::from_millis(40)), TransportSpec::default());
        rig.at(ms(100), Ev::Send { item: 0, bytes: 1_000 });
        rig.at(ms(130), Ev::Cut { forward: true, fault: 1, in_flight });
        rig.at(ms(600), Ev::Heal { forward: true, fault: 1 });
        rig.run();
        assert_eq!(rig.delivered, [(ms(arrives), 0)]);
    }
}

#[test]
fn a_one_way_partition_fills_the_window_and_the_sender_stalls() {
    let spec = TransportSpec { window_items: 16, ..TransportSpec::default() };
    let mut rig = Rig::new(plain(Span::from_millis(40)), spec);
    log_batches(&mut rig, 60, 1_000);
    cut(&mut rig, false, 10_000, 30_000);
    rig.at(ms(11_000), Ev::Look);
    rig.at(ms(29_999), Ev::Look);
    rig.run();
    // Data gets through, acknowledgements do not: after a second nothing is behind, but only
    // few places are left. At the end 16 batches were delivered and the rest waits.
    assert_eq!(rig.looks, [(1, 11), (184, 16)]);
    let before_heal = rig.delivered.iter().filter(|(at, _)| *at < ms(30_000)).count();
    assert_eq!(before_heal, 116);
    // An acknowledgement of a repeated packet frees the window at the next try.
    assert!(rig.delivered[116].0 > ms(30_000) && rig.delivered[116].0 < ms(35_200));
    assert_eq!(rig.items(), (0..600).collect::<Vec<_>>());
}

#[test]
fn a_full_queue_drops_at_the_tail_and_the_log_is_late_but_whole() {
    let line =
        PairSpec { bandwidth: Some(8_000_000), queue: 20_000, ..plain(Span::from_millis(40)) };
    let mut rig = Rig::new(line, TransportSpec::default());
    for item in 0..100 {
        rig.at(ms(0), Ev::Send { item, bytes: 1_000 });
    }
    rig.run();
    // 21 fit: one on the line and 20 kB behind it. 79 are dropped, and come later.
    assert_eq!(rig.delivered[20], (ms(21 + 40), 20));
    assert!(rig.packets[1] >= 79, "{:?}", rig.packets);
    assert!(rig.delivered[99].0 > ms(100 + 40));
    assert_eq!(rig.items(), (0..100).collect::<Vec<_>>());
}

#[test]
fn with_too_little_bandwidth_the_lag_grows_with_time() {
    // 1 MB/s for 1.5 MB/s of log: every second the standby falls half a second further behind.
    let line =
        PairSpec { bandwidth: Some(8_000_000), queue: u64::MAX, ..plain(Span::from_millis(40)) };
    let spec = TransportSpec { window_bytes: Bytes(1_000_000_000), ..TransportSpec::default() };
    let mut rig = Rig::new(line, spec);
    log_batches(&mut rig, 20, 150_000);
    rig.run();
    for item in [0u64, 50, 100, 199] {
        let lag = rig.delivered[item as usize].0.since(ms(item * 100));
        assert_eq!(lag, Span::from_millis(150 + 40 + item * 50));
    }
}
