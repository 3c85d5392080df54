//! The plain twin: a `BinaryHeap` that holds whole events and forgets cancelled ones when they
//! come up. Same interface, same order, no cleverness.

use super::{Key, Phase, rank, time_of};
use crate::sim::time::SimTime;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

struct Entry<E> {
    rank: u64,
    sequence: u64,
    key: Key,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    /// Reversed: the heap has its greatest on top, we want the earliest.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (other.rank, other.sequence).cmp(&(self.rank, self.sequence))
    }
}

/// An event set on `std::collections::BinaryHeap`. Cancelling takes effect at once but frees
/// its memory only when the event's time comes.
pub struct HeapQueue<E> {
    heap: BinaryHeap<Entry<E>>,
    /// The current generation of every slot.
    generations: Vec<u32>,
    free: Vec<u32>,
    sequence: u64,
    len: usize,
}

impl<E> Default for HeapQueue<E> {
    fn default() -> Self {
        HeapQueue::new()
    }
}

impl<E> HeapQueue<E> {
    /// An empty event set.
    pub fn new() -> HeapQueue<E> {
        let (heap, generations, free) = (BinaryHeap::new(), Vec::new(), Vec::new());
        HeapQueue { heap, generations, free, sequence: 0, len: 0 }
    }
    /// How many events are pending; cancelled ones do not count.
    pub fn len(&self) -> usize {
        self.len
    }
    /// True when nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Adds an event.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: E) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(0);
            (self.generations.len() - 1) as u32
        });
        let key = Key { slot, generation: self.generations[slot as usize] };
        self.sequence += 1;
        self.len += 1;
        self.heap.push(Entry { rank: rank(at, phase), sequence: self.sequence, key, event });
        key
    }
    /// Removes an event before it happens; false when it has happened or was removed before.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> bool {
        let generation = &mut self.generations[key.slot as usize];
        let pending = *generation == key.generation;
        if pending {
            *generation = generation.wrapping_add(1);
            self.free.push(key.slot);
            self.len -= 1;
        }
        pending
    }
    /// The time of the next event.
    pub fn peek_time(&mut self) -> Option<SimTime> {
        while let Some(entry) = self.heap.peek() {
            if self.generations[entry.key.slot as usize] == entry.key.generation {
                return Some(time_of(entry.rank));
            }
            self.heap.pop();
        }
        None
    }
    /// The next event and its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        while let Some(entry) = self.heap.pop() {
            if self.cancel(entry.key) {
                return Some((time_of(entry.rank), entry.event));
            }
        }
        None
    }
}
