//! The event set: what happens next.
//!
//! Order is (time, phase, insertion), written in [`Phase`].

use crate::sim::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The rule for events at the same instant, in this order: the environment first, timers last.
/// A lease renewed at its last nanosecond is renewed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Something goes wrong or heals.
    Fault = 0,
    /// A packet arrives.
    Arrive = 1,
    /// A disk finishes.
    Durable = 2,
    /// A timer fires.
    Timer = 3,
}

/// A handle to a scheduled event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    slot: u32,
    generation: u32,
}

/// The event set.
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slab: Vec<(u32, Option<E>)>,
    free: Vec<u32>,
    seq: u64,
    len: usize,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<E> Queue<E> {
    /// An empty event set.
    pub fn new() -> Queue<E> {
        Queue { heap: BinaryHeap::new(), slab: Vec::new(), free: Vec::new(), seq: 0, len: 0 }
    }
    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.len
    }
    /// True when nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Adds an event; `at` must not lie before the last popped one, nor beyond 146 years.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: E) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slab.push((0, None));
            (self.slab.len() - 1) as u32
        });
        let entry = &mut self.slab[slot as usize];
        entry.1 = Some(event);
        let generation = entry.0;
        self.seq += 1;
        self.len += 1;
        self.heap.push(Reverse(((at.as_nanos() << 2) | phase as u64, self.seq, slot)));
        Key { slot, generation }
    }
    /// Removes an event before it happens; false when it has happened or was removed before.
    pub fn cancel(&mut self, key: Key) -> bool {
        let entry = &mut self.slab[key.slot as usize];
        if entry.0 != key.generation || entry.1.is_none() {
            return false;
        }
        entry.1 = None;
        entry.0 = entry.0.wrapping_add(1);
        self.len -= 1;
        true
    }
    /// The next event and its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        while let Some(Reverse((at, _, slot))) = self.heap.pop() {
            let entry = &mut self.slab[slot as usize];
            let event = entry.1.take();
            self.free.push(slot);
            if let Some(event) = event {
                entry.0 = entry.0.wrapping_add(1);
                self.len -= 1;
                return Some((SimTime::from_nanos(at >> 2), event));
            }
        }
        None
    }
}
