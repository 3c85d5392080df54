//! The event set against its twins: order, cancelling, retuning, and what no caller can tell.

use super::heap::HeapQueue;
use super::*;
use crate::sim::time::Span;
use proptest::prelude::*;

const PHASES: [Phase; 4] = [Phase::Fault, Phase::Arrive, Phase::Durable, Phase::Timer];

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

/// What a story does to the event sets.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Add so many events, so long after now, each so far after the one before.
    Add { wait: u64, step: u64, count: u8, phase: usize },
    /// Cancel the event that was added so many events ago, if it is still there.
    Cancel(usize),
    /// Take the next so many.
    Pop(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Waits of every magnitude: ties, bursts, and timers of years.
    let wait = (0u32..56).prop_flat_map(|bits| 0u64..=1 << bits);
    let step = prop_oneof![Just(0u64), Just(1), 0u64..1 << 20, 0u64..1 << 40];
    let add = (wait, step, 1u8..40, 0usize..4).prop_map(|(wait, step, count, phase)| Step::Add {
        wait,
        step,
        count,
        phase,
    });
    let step = prop_oneof![
        3 => add,
        2 => (0usize..200).prop_map(Step::Cancel),
        3 => (1u8..60).prop_map(Step::Pop),
    ];
    prop::collection::vec(step, 1..200)
}

/// The oracle: a vector sorted by (time, phase, insertion).
#[derive(Default)]
struct Sorted {
    pending: Vec<(SimTime, Phase, usize)>,
}

impl Sorted {
    fn pop(&mut self) -> Option<(SimTime, usize)> {
        let first = self.pending.iter().min().copied()?;
        self.pending.retain(|entry| *entry != first);
        Some((first.0, first.2))
    }
    fn cancel(&mut self, id: usize) -> bool {
        let before = self.pending.len();
        self.pending.retain(|entry| entry.2 != id);
        self.pending.len() < before
    }
}

/// Plays a story on all three and holds them against one another.
fn play(story: &[Step]) -> Result<(), TestCaseError> {
    let (mut oracle, mut heap, mut queue) = (Sorted::default(), HeapQueue::new(), Queue::new());
    let mut keys = Vec::new();
    let mut now = SimTime::ZERO;
    for step in story {
        match *step {
            Step::Add { wait, step, count, phase } => {
                for i in 0..u64::from(count) {
                    let due = now + Span::from_nanos(wait + i * step);
                    let phase = PHASES[(phase + i as usize % 3) % 4];
                    let id = keys.len();
                    oracle.pending.push((due, phase, id));
                    keys.push((heap.schedule(due, phase, id), queue.schedule(due, phase, id)));
                }
            }
            Step::Cancel(ago) if ago < keys.len() => {
                let id = keys.len() - 1 - ago;
                let was = oracle.cancel(id);
                prop_assert_eq!(heap.cancel(keys[id].0), was);
                prop_assert_eq!(queue.cancel(keys[id].1), was);
            }
            Step::Cancel(_) => {}
            Step::Pop(count) => {
                for _ in 0..count {
                    let peeked = (heap.peek_time(), queue.peek_time());
                    let next = oracle.pop();
                    prop_assert_eq!(peeked, (next.map(|n| n.0), next.map(|n| n.0)));
                    prop_assert_eq!(heap.pop(), next);
                    prop_assert_eq!(queue.pop(), next);
                    now = next.map_or(now, |n| n.0);
                }
            }
        }
        prop_assert_eq!(queue.len(), oracle.pending.len());
        prop_assert_eq!(heap.len(), oracle.pending.len());
        prop_assert_eq!(queue.is_empty(), oracle.pending.is_empty());
    }
    while let Some(next) = oracle.pop() {
        prop_assert_eq!(queue.pop(), Some(next));
        prop_assert_eq!(heap.pop(), Some(next));
    }
    prop_assert_eq!(queue.pop(), None);
    Ok(())
}

proptest! {
    #[test]
    fn pops_equal_a_sorted_vector_whatever_the_story(story in steps()) {
        play(&story)?;
    }
}

/// A cheap generator for long runs; its quality does not matter.
fn scramble(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 20
}

/// A long run at changing load, against the heap: every retuning on the way must not show.
fn long_run(seed: u64, load: impl Fn(u64) -> (u64, u64, u64)) {
    let (mut heap, mut queue, mut state) = (HeapQueue::new(), Queue::new(), seed);
    let mut timers = Vec::new();
    let mut now = SimTime::ZERO;
    for round in 0..60_000u64 {
        let (add, mean, grain) = load(round);
        for _ in 0..add {
            let wait = scramble(&mut state) % (2 * mean) / grain * grain;
            let phase = PHASES[scramble(&mut state) as usize % 4];
            let due = now + Span::from_nanos(wait);
            timers.push((heap.schedule(due, phase, round), queue.schedule(due, phase, round)));
        }
        if scramble(&mut state).is_multiple_of(3) && !timers.is_empty() {
            let chosen = scramble(&mut state) as usize % timers.len();
            let (a, b) = timers.swap_remove(chosen);
            assert_eq!(heap.cancel(a), queue.cancel(b));
        }
        let next = queue.pop();
        assert_eq!(next, heap.pop(), "round {round}");
        now = next.map_or(now, |n| n.0);
    }
}

#[test]
fn order_survives_every_retuning() {
    // Load and pace that change by orders of magnitude, with and without a coarse grain.
    long_run(1, |round| (1 + u64::from(round < 3_000), 1 << (10 + round / 4_000), 1));
    long_run(2, |round| (1 + round / 1_000 % 2, 1 << (40 - round / 3_000), 1));
    long_run(3, |round| (u64::from(round.is_multiple_of(50)) * 60, 50_000_000, 10_000_000));
    long_run(4, |_| (1, 1_000_000_000, 1_000_000_000));
}

#[test]
fn the_environment_comes_first_at_an_instant_and_the_oldest_first_in_a_phase() {
    let mut queue = Queue::new();
    for (phase, name) in [
        (Phase::Timer, "timer"),
        (Phase::Arrive, "packet 1"),
        (Phase::Fault, "cut"),
        (Phase::Arrive, "packet 2"),
    ] {
        queue.schedule(at(5), phase, name);
    }
    queue.schedule(at(4), Phase::Timer, "earlier");
    let mut order = Vec::new();
    while let Some((_, name)) = queue.pop() {
        order.push(name);
        // An arrival that a timer causes at its own instant still happens in it.
        if name == "timer" {
            queue.schedule(at(5), Phase::Arrive, "packet 3");
        }
    }
    assert_eq!(order, ["earlier", "cut", "packet 1", "packet 2", "timer", "packet 3"]);
}

#[test]
fn an_old_handle_never_cancels_the_next_tenant_of_its_slot() {
    let mut queue = Queue::new();
    let old = queue.schedule(at(1), Phase::Timer, 'a');
    assert!(queue.cancel(old));
    let new = queue.schedule(at(2), Phase::Timer, 'b');
    assert!(!queue.cancel(old));
    assert_eq!(queue.pop(), Some((at(2), 'b')));
    assert!(!queue.cancel(new));
}

#[test]
fn a_cancelled_event_lets_go_at_once_of_what_it_held() {
    let mut queue = Queue::new();
    let held = std::rc::Rc::new(());
    let key = queue.schedule(at(9), Phase::Timer, held.clone());
    queue.schedule(at(10), Phase::Timer, held.clone());
    assert!(queue.cancel(key));
    assert_eq!(std::rc::Rc::strong_count(&held), 2);
    queue.pop();
    assert_eq!(std::rc::Rc::strong_count(&held), 1);
}

#[test]
fn a_burst_of_a_hundred_thousand_in_one_instant_is_taken_in_order() {
    let mut queue = Queue::new();
    for id in 0..100_000u32 {
        queue.schedule(at(7_000_000_123), Phase::Arrive, id);
    }
    for id in 0..100_000 {
        assert_eq!(queue.pop(), Some((at(7_000_000_123), id)));
        // Each causes one more in the same instant, up to a point.
        if id < 50_000 {
            queue.schedule(at(7_000_000_123), Phase::Arrive, 100_000 + id);
        }
    }
    assert_eq!(queue.len(), 50_000);
    assert_eq!(queue.pop(), Some((at(7_000_000_123), 100_000)));
}

#[test]
fn memory_does_not_grow_over_a_million_timers_that_are_set_and_cancelled() {
    let mut queue = Queue::new();
    let mut now = 0;
    let mut footprint = None;
    for round in 0..1_000_000u64 {
        let timer = queue.schedule(at(now + 30_000_000_000), Phase::Timer, round);
        queue.schedule(at(now + 1_000_000 + round % 7), Phase::Arrive, round);
        assert!(queue.cancel(timer));
        now = queue.pop().unwrap().0.as_nanos();
        if round == 10_000 {
            footprint = Some(queue.footprint());
        }
    }
    assert_eq!(queue.len(), 0);
    assert_eq!(footprint, Some(queue.footprint()));
}

#[test]
fn timers_beyond_every_window_keep_their_order() {
    let mut queue = Queue::new();
    let years = 100 * 366 * 86_400 * 1_000_000_000u64;
    let dues = [years, 1, 1 << 40, years - 1, 0, 1 << 59, (1 << 59) + 1, 3];
    for due in dues {
        queue.schedule(at(due), Phase::Timer, due);
    }
    let mut sorted = dues;
    sorted.sort_unstable();
    for due in sorted {
        assert_eq!(queue.peek_time(), Some(at(due)));
        assert_eq!(queue.pop(), Some((at(due), due)));
    }
}

#[test]
#[should_panic(expected = "an event before the present")]
fn an_event_far_in_the_past_is_a_bug_of_ours() {
    let mut queue = Queue::new();
    queue.schedule(at(1 << 50), Phase::Timer, ());
    queue.pop();
    queue.schedule(at(0), Phase::Timer, ());
}
