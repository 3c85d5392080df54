//! The bucket queue: constant time for adding, cancelling and taking the next.
//!
//! Time and phase are one 64-bit rank, cut into digits. From the top: *far* digits of 6 bits,
//! one *near* digit of up to 18 bits, *fine* digits of 6 bits. An event lies at the highest
//! digit in which its rank differs from `base`, a rank not after anything pending: in the near
//! window nearly always, further up when it is far off. When the window is empty, the next far
//! bucket becomes the window and its events are dealt out again. A near bucket is narrower than
//! the mean gap between events, so it mostly holds one, and the earliest of few is found by
//! looking at them; only a crowd (a burst in the same instant) is dealt out to the fine digits.
//!
//! Every bucket is a ring of links, oldest first, through a link of its own. So adding and
//! removing write the same four links whatever lies beside, and an event that is removed knows
//! its bucket only when it was the last in it: then both of its neighbours are the bucket.
//!
//! Why order never depends on the tuning: events with the same rank are always in the same
//! ring, every ring is dealt out oldest first and as a whole, and new events come after it.

mod deal;

use super::{Key, Phase, rank, time_of};
use crate::sim::time::SimTime;

/// Levels of 64 buckets: fine ones first, far ones after; 11 digits of 6 bits are 66 bits.
const LEVELS: usize = 11;
/// All fine and far buckets.
const COARSE: usize = 2 * LEVELS * 64;
/// The levels in `levels` that are fine.
const FINE: u32 = (1 << LEVELS) - 1;
/// More events than this in one bucket are dealt out to finer ones.
const CROWD: usize = 8;
/// The near window has from 2^6 to 2^18 buckets: three levels of bitmap.
const WINDOW_BITS: std::ops::RangeInclusive<u32> = 6..=18;
/// No free slot.
const NONE: u64 = u64::MAX;

/// The neighbours in a ring: buckets first, then one link for every slot.
#[derive(Clone, Copy)]
struct Link {
    next: u32,
    prev: u32,
}

impl Link {
    /// The link of a bucket that is empty.
    fn alone(bucket: u32) -> Link {
        Link { next: bucket, prev: bucket }
    }
}

/// Adds a link as the newest of a bucket.
#[inline]
fn append(links: &mut [Link], bucket: u32, link: u32) {
    let newest = std::mem::replace(&mut links[bucket as usize].prev, link);
    links[link as usize] = Link { next: bucket, prev: newest };
    links[newest as usize].next = link;
}

struct Node<E> {
    /// The rank of a pending event, or the next free slot.
    rank: u64,
    generation: u32,
    event: Option<E>,
}

/// The event set. Pending events cost 24 bytes beside the event (more where `Option<E>` is
/// larger than `E`), buckets 8 bytes each, 4 to 16 of them per event.
pub struct Queue<E> {
    nodes: Vec<Node<E>>,
    links: Vec<Link>,
    /// Where the links of slots begin.
    slots: u32,
    free: u64,
    /// How many were ever added, and taken out again.
    added: u64,
    taken: u64,
    /// Low bits of a rank within one near bucket; bits of the near digit, and all of them set.
    shift: u32,
    bits: u32,
    mask: u64,
    /// Near buckets that take events: from `first` on, `span` of them, in absolute numbers.
    first: u64,
    span: u64,
    /// Not after anything pending, nor after anything that may still be added.
    base: u64,
    /// Which near buckets hold events, and one word more that is always zero.
    words: Vec<u64>,
    /// The word that holds the present: no near event lies in an earlier one. While a crowd is
    /// dealt out, the one that is always zero, and `parked` has the other.
    word: usize,
    parked: usize,
    /// Which words may have bits; which words of that. Cleared when found wrong.
    middle: [u64; 64],
    top: u64,
    /// Which coarse buckets hold events, and which levels.
    coarse: [u64; 2 * LEVELS],
    levels: u32,
    /// Counts at the last look at the tuning.
    tuned_at: u64,
    tuned_added: u64,
    scratch: Vec<u32>,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<E> Queue<E> {
    /// An empty event set.
    pub fn new() -> Queue<E> {
        let mut queue = Queue {
            nodes: Vec::new(),
            links: Vec::new(),
            slots: 0,
            free: NONE,
            added: 0,
            taken: 0,
            shift: 0,
            bits: 0,
            mask: 0,
            first: 0,
            span: 0,
            base: 0,
            words: Vec::new(),
            word: 0,
            parked: 0,
            middle: [0; 64],
            top: 0,
            coarse: [0; 2 * LEVELS],
            levels: 0,
            tuned_at: 0,
            tuned_added: 0,
            scratch: Vec::new(),
        };
        // About a tenth of a millisecond: a guess that the first thousand events correct.
        queue.rebuild(18, 10);
        queue
    }
    /// How many events are pending.
    pub fn len(&self) -> usize {
        (self.added - self.taken) as usize
    }
    /// True when nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.added == self.taken
    }

    /// Adds an event; `at` must not lie before the last popped one, nor beyond 146 years
    /// ([`SimTime::MAX`] counts as the last instant).
    #[inline(always)]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: E) -> Key {
        let rank = rank(at, phase);
        self.added += 1;
        let slot = self.free as usize;
        let Some(node) = self.nodes.get_mut(slot) else {
            return self.grow(rank, event);
        };
        self.free = node.rank;
        node.rank = rank;
        node.event = Some(event);
        let key = Key { slot: slot as u32, generation: node.generation };
        self.place(rank, self.slots + slot as u32);
        key
    }

    /// Removes an event before it happens; false when it has happened or was removed before.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> bool {
        match self.nodes.get(key.slot as usize) {
            Some(node) if node.generation == key.generation => {
                self.unlink(key.slot);
                self.free(key.slot).event = None;
                true
            }
            _ => false,
        }
    }

    /// The next event and its time.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let mut bits = self.words[self.word];
        if bits == 0 {
            bits = self.next_word();
            if bits == 0 {
                return self.pop_fine();
            }
        }
        let bucket = self.word << 6 | bits.trailing_zeros() as usize;
        let ring = &mut self.links[bucket];
        // Nearly always the event is alone in its bucket, and both are quickly in order.
        if ring.next == ring.prev {
            let slot = ring.next - self.slots;
            *ring = Link::alone(bucket as u32);
            self.words[self.word] = bits & (bits - 1);
            return self.release(slot);
        }
        self.pop_shared(bucket as u32)
    }

    /// The next event, from a bucket with several.
    #[inline(never)]
    fn pop_shared(&mut self, bucket: u32) -> Option<(SimTime, E)> {
        let (link, rank, count) = self.earliest(bucket);
        if count <= CROWD {
            return self.take(link - self.slots);
        }
        if self.spread_near(bucket, rank) { self.pop_fine() } else { self.pop_again() }
    }

    /// The next event, after the tuning has changed.
    #[inline(never)]
    fn pop_again(&mut self) -> Option<(SimTime, E)> {
        self.pop()
    }

    /// The next event while a crowd is dealt out; nothing otherwise.
    #[inline(never)]
    fn pop_fine(&mut self) -> Option<(SimTime, E)> {
        if self.levels & FINE == 0 {
            return None;
        }
        let link = self.earliest_fine();
        self.take(link - self.slots)
    }

    /// Moves on to the next word of the near bitmap that has bits, and to the next window when
    /// there is none. Zero while a crowd is dealt out, and when nothing is pending.
    #[inline(never)]
    fn next_word(&mut self) -> u64 {
        while self.levels & FINE == 0 {
            while self.top != 0 {
                let top = self.top.trailing_zeros() as usize;
                while self.middle[top] != 0 {
                    let word = top << 6 | self.middle[top].trailing_zeros() as usize;
                    if self.words[word] != 0 {
                        self.word = word;
                        return self.words[word];
                    }
                    self.middle[top] &= self.middle[top] - 1;
                }
                self.top &= self.top - 1;
            }
            if !self.advance() {
                break;
            }
        }
        0
    }

    /// The time of the next event.
    pub fn peek_time(&self) -> Option<SimTime> {
        let near = || self.words.iter().enumerate().find(|(_, bits)| **bits != 0);
        let bucket = match self.levels.trailing_zeros() as usize {
            level if level < LEVELS => self.first_coarse(level),
            level => match near() {
                Some((word, bits)) => (word << 6) as u32 | bits.trailing_zeros(),
                None if level < 2 * LEVELS => self.first_coarse(level),
                None => return None,
            },
        };
        Some(time_of(self.earliest(bucket).1))
    }

    /// Bytes held, for the tests that watch them.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<E>>()
            + self.links.capacity() * size_of::<Link>()
            + (self.words.capacity() + self.scratch.capacity()) * 8
    }

    #[cold]
    fn grow(&mut self, rank: u64, event: E) -> Key {
        let slot = self.nodes.len() as u32;
        self.nodes.push(Node { rank, generation: 0, event: Some(event) });
        self.links.push(Link { next: 0, prev: 0 });
        self.place(rank, self.slots + slot);
        Key { slot, generation: 0 }
    }

    /// Puts a link into the ring where its rank belongs.
    #[inline(always)]
    fn place(&mut self, rank: u64, link: u32) {
        let number = rank >> self.shift;
        if number.wrapping_sub(self.first) >= self.span {
            return self.place_coarse(rank, link);
        }
        let bucket = (number & self.mask) as usize;
        append(&mut self.links, bucket as u32, link);
        let bits = &mut self.words[bucket >> 6];
        let before = *bits;
        *bits = before | 1 << (bucket & 63);
        if before == 0 {
            self.middle[bucket >> 12 & 63] |= 1 << (bucket >> 6 & 63);
            self.top |= 1 << (bucket >> 12);
        }
    }

    /// Far off, or into a near bucket that has been dealt out.
    #[inline(never)]
    fn place_coarse(&mut self, rank: u64, link: u32) {
        assert!(rank >= self.base, "an event before the present: {} < base", time_of(rank));
        let differs = rank ^ self.base;
        let low = if differs >> self.shift == 0 { 0 } else { self.shift + self.bits };
        let digit = ((differs | 1).ilog2() - low) / 6;
        let level = digit as usize + if low == 0 { 0 } else { LEVELS };
        let place = rank >> (low + 6 * digit) & 63;
        append(&mut self.links, (1 << self.bits) + (level as u32) * 64 + place as u32, link);
        self.coarse[level] |= 1 << place;
        if level < LEVELS && self.levels & FINE == 0 {
            self.parked = std::mem::replace(&mut self.word, self.words.len() - 1);
        }
        self.levels |= 1 << level;
    }

    /// Takes a pending event out of its ring and frees its slot.
    fn take(&mut self, slot: u32) -> Option<(SimTime, E)> {
        self.unlink(slot);
        self.release(slot)
    }

    /// Takes a pending event out of its ring.
    #[inline]
    fn unlink(&mut self, slot: u32) {
        let links = self.links.as_mut_slice();
        let Link { next, prev } = links[(self.slots + slot) as usize];
        links[prev as usize].next = next;
        links[next as usize].prev = prev;
        if next == prev {
            self.emptied(next as usize);
        }
    }

    /// Frees the slot of an event that is in no ring any more, and hands the event out.
    #[inline(always)]
    fn release(&mut self, slot: u32) -> Option<(SimTime, E)> {
        let at = time_of(self.nodes[slot as usize].rank);
        self.free(slot).event.take().map(|event| (at, event))
    }

    /// Frees a slot but for the event in it.
    #[inline(always)]
    fn free(&mut self, slot: u32) -> &mut Node<E> {
        self.taken += 1;
        let node = &mut self.nodes[slot as usize];
        node.generation = node.generation.wrapping_add(1);
        node.rank = self.free;
        self.free = u64::from(slot);
        node
    }

    /// A bucket has lost its last event.
    #[inline]
    fn emptied(&mut self, bucket: usize) {
        if bucket >> self.bits == 0 {
            self.words[bucket >> 6] &= !(1 << (bucket & 63));
            return;
        }
        let level = (bucket - (1 << self.bits)) >> 6;
        self.coarse[level] &= !(1 << (bucket & 63));
        if self.coarse[level] == 0 {
            self.levels &= !(1 << level);
            if self.levels & FINE == 0 && level < LEVELS {
                self.word = self.parked;
            }
        }
    }

    /// The first bucket of a level that holds events; there must be one.
    fn first_coarse(&self, level: usize) -> u32 {
        (1 << self.bits) + (level as u32) * 64 + self.coarse[level].trailing_zeros()
    }

    /// The link of the earliest event of a bucket, its rank, and how many there are.
    #[inline]
    fn earliest(&self, bucket: u32) -> (u32, u64, usize) {
        let rank_of = |link: u32| self.nodes[(link - self.slots) as usize].rank;
        let mut best = self.links[bucket as usize].next;
        let mut link = self.links[best as usize].next;
        let (mut least, mut count) = (rank_of(best), 1);
        while link != bucket {
            let rank = rank_of(link);
            if rank < least {
                (best, least) = (link, rank);
            }
            count += 1;
            link = self.links[link as usize].next;
        }
        (best, least, count)
    }
}
