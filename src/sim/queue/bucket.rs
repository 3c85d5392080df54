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
/// Words of the near bitmap, and the first that is never used.
const WORDS: usize = 1 << 13;
const QUIET: usize = 1 << 12;
/// No slot: there are fewer.
const NOTHING: u32 = u32::MAX;

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

/// The event set. A pending event costs 24 bytes beside itself (more where `Option<E>` is larger
/// than `E`). The window costs 8 bytes a bucket: 32 to 128 buckets for each event that is usually
/// pending, but never more than 2 MB in all, and its bitmap at most 64 KB. Nothing is allocated
/// while the load stays as it is.
///
/// Events of plain numbers beside a tag (`struct { kind, who, what }`) are the fastest: they go
/// in and out in registers.
pub struct Queue<E> {
    nodes: Vec<Node<E>>,
    links: Vec<Link>,
    /// Where the links of slots begin.
    slots: u32,
    free: u64,
    /// How many were ever added, and taken out again.
    added: u64,
    taken: u64,
    /// Low bits of a rank within one near bucket, and bits of the near digit.
    shift: u32,
    bits: u32,
    /// The window: near buckets from `first` on, `span` of them, in absolute numbers. While a
    /// crowd is dealt out the span is zero, and all events take the long way.
    first: u64,
    span: u64,
    /// Not after anything pending, nor after anything that may still be added.
    base: u64,
    /// Which near buckets hold events. Words from [`QUIET`] on are always zero.
    words: Box<[u64; WORDS]>,
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
            free: u64::from(NOTHING),
            added: 0,
            taken: 0,
            shift: 0,
            bits: 0,
            first: 0,
            span: 0,
            base: 0,
            words: vec![0; WORDS].try_into().expect("as many words as were asked for"),
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
        if self.free as usize >= self.nodes.len() {
            self.grow();
        }
        self.added += 1;
        let slot = self.free as usize;
        let node = &mut self.nodes[slot];
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
        let Some(node) = self.nodes.get_mut(key.slot as usize) else {
            return false;
        };
        if node.generation != key.generation {
            return false;
        }
        self.taken += 1;
        node.generation = node.generation.wrapping_add(1);
        node.rank = self.free;
        node.event = None;
        self.free = u64::from(key.slot);
        self.unlink(key.slot);
        true
    }

    /// The next event and its time.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let slot = self.take_next();
        let node = self.nodes.get_mut(slot as usize)?;
        self.taken += 1;
        let at = time_of(node.rank);
        node.generation = node.generation.wrapping_add(1);
        node.rank = self.free;
        self.free = u64::from(slot);
        node.event.take().map(|event| (at, event))
    }

    // The slow ways return slots, not events: an event that went through a call would have to
    // be in memory on the fast way too.

    /// Takes the next event out of its ring; its slot, or [`NOTHING`].
    #[inline(always)]
    fn take_next(&mut self) -> u32 {
        let mut bits = self.words[self.word % WORDS];
        if bits == 0 {
            bits = self.next_word();
            if bits == 0 {
                return self.take_fine();
            }
        }
        let bucket = self.word << 6 | bits.trailing_zeros() as usize;
        let ring = &mut self.links[bucket];
        // Nearly always the event is alone in its bucket, and both are quickly in order.
        if ring.next == ring.prev {
            let slot = ring.next - self.slots;
            *ring = Link::alone(bucket as u32);
            self.words[self.word % WORDS] = bits & (bits - 1);
            return slot;
        }
        self.take_shared(bucket as u32)
    }

    /// Takes the next event out of a bucket with several.
    #[inline(never)]
    fn take_shared(&mut self, bucket: u32) -> u32 {
        let (link, rank, count) = self.earliest(bucket);
        if count <= CROWD {
            return self.unlink(link - self.slots);
        }
        if self.spread_near(bucket, rank) { self.take_fine() } else { self.take_again() }
    }

    /// Takes the next event, after the tuning has changed.
    #[inline(never)]
    fn take_again(&mut self) -> u32 {
        self.take_next()
    }

    /// Takes the next event while a crowd is dealt out; [`NOTHING`] otherwise.
    #[inline(never)]
    fn take_fine(&mut self) -> u32 {
        if self.levels & FINE == 0 {
            return NOTHING;
        }
        let link = self.earliest_fine();
        self.unlink(link - self.slots)
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

    /// One more free slot.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.nodes.push(Node { rank: self.free, generation: 0, event: None });
        self.links.push(Link::alone(0));
        self.free = self.nodes.len() as u64 - 1;
    }

    /// Puts a link into the ring where its rank belongs.
    #[inline(always)]
    fn place(&mut self, rank: u64, link: u32) {
        let bucket = (rank >> self.shift).wrapping_sub(self.first);
        if bucket < self.span {
            self.place_near(bucket as usize, link);
        } else {
            self.place_coarse(rank, link);
        }
    }

    #[inline(always)]
    fn place_near(&mut self, bucket: usize, link: u32) {
        append(&mut self.links, bucket as u32, link);
        let bits = &mut self.words[(bucket >> 6) % WORDS];
        let before = *bits;
        *bits = before | 1 << (bucket & 63);
        if before == 0 {
            self.middle[bucket >> 12 & 63] |= 1 << (bucket >> 6 & 63);
            self.top |= 1 << (bucket >> 12);
        }
    }

    /// Far off, or while a crowd is dealt out.
    #[inline(never)]
    fn place_coarse(&mut self, rank: u64, link: u32) {
        assert!(rank >= self.base, "an event before the present: {} < base", time_of(rank));
        let differs = rank ^ self.base;
        let (low, first_level) = if differs >> (self.shift + self.bits) != 0 {
            (self.shift + self.bits, LEVELS as u32)
        } else if differs >> self.shift != 0 {
            return self.place_near(((rank >> self.shift) - self.first) as usize, link);
        } else {
            (0, 0)
        };
        let digit = ((differs | 1).ilog2() - low) / 6;
        let (level, place) = (first_level + digit, rank >> (low + 6 * digit) & 63);
        append(&mut self.links, (1 << self.bits) + level * 64 + place as u32, link);
        self.coarse[level as usize] |= 1 << place;
        self.levels |= 1 << level;
    }

    /// Takes a pending event out of its ring; its slot again.
    #[inline]
    fn unlink(&mut self, slot: u32) -> u32 {
        let links = self.links.as_mut_slice();
        let Link { next, prev } = links[(self.slots + slot) as usize];
        links[prev as usize].next = next;
        links[next as usize].prev = prev;
        if next == prev {
            self.emptied(next as usize);
        }
        slot
    }

    /// A bucket has lost its last event.
    #[inline]
    fn emptied(&mut self, bucket: usize) {
        if bucket >> self.bits == 0 {
            self.words[(bucket >> 6) % WORDS] &= !(1 << (bucket & 63));
            return;
        }
        let level = (bucket - (1 << self.bits)) >> 6;
        self.coarse[level] &= !(1 << (bucket & 63));
        if self.coarse[level] == 0 {
            self.levels &= !(1 << level);
            if self.levels & FINE == 0 && level < LEVELS {
                self.word = self.parked;
                self.span = 1 << self.bits;
            }
        }
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
