//! The rare half of the bucket queue: the window moves on, a crowd is dealt out, the bucket
//! width is tuned.

use super::{COARSE, CROWD, LEVELS, Link, QUIET, Queue, WINDOW_BITS};
use crate::sim::queue::time_of;
use crate::sim::time::SimTime;

/// The window is to cover so many times the mean wait of an event: what lies beyond is dealt
/// out twice.
const WINDOW_WAITS: u64 = 16;
/// The tuning is not looked at before so many events have been added.
const TUNE_AFTER: u64 = 512;

impl<E> Queue<E> {
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
    pub(in crate::sim::queue) fn footprint(&self) -> usize {
        self.nodes.capacity() * size_of::<super::Node<E>>()
            + self.links.capacity() * size_of::<Link>()
            + self.scratch.capacity() * size_of::<u32>()
    }

    /// The first bucket of a level that holds events; there must be one.
    fn first_coarse(&self, level: usize) -> u32 {
        (1 << self.bits) + (level as u32) * 64 + self.coarse[level].trailing_zeros()
    }

    /// Moves the empty window on to the next far bucket; false when nothing is pending.
    #[cold]
    #[inline(never)]
    pub(super) fn advance(&mut self) -> bool {
        let level = self.levels.trailing_zeros() as usize;
        if level >= 2 * LEVELS {
            return false;
        }
        let bucket = self.first_coarse(level);
        let low = self.shift + self.bits + 6 * (level - LEVELS) as u32;
        let any = self.links[bucket as usize].next - self.slots;
        let start = self.nodes[any as usize].rank >> low << low;
        if !self.tune(start) {
            self.base = start;
            self.open_window();
            self.deal_out(bucket, false);
        }
        true
    }

    /// Makes the window that `base` lies in the near one.
    fn open_window(&mut self) {
        self.first = self.base >> (self.shift + self.bits) << self.bits;
        self.span = 1 << self.bits;
        self.word = 0;
    }

    /// Deals a crowded near bucket out to the fine ones; `rank` is its earliest. New events in
    /// its range go there too until all are gone. False when tuning has done it another way.
    #[cold]
    #[inline(never)]
    pub(super) fn spread_near(&mut self, bucket: u32, rank: u64) -> bool {
        if self.tune(rank) {
            return false;
        }
        // The event at `rank` is popped next, so nothing may come before it any more but
        // another phase of its instant, which differs in the lowest two bits only.
        self.base = (rank & !63).max(rank >> self.shift << self.shift);
        self.deal_out(bucket, true);
        true
    }

    /// The link of the earliest event while a crowd is dealt out.
    #[cold]
    #[inline(never)]
    pub(super) fn earliest_fine(&mut self) -> u32 {
        loop {
            let level = self.levels.trailing_zeros() as usize;
            let bucket = self.first_coarse(level);
            let oldest = self.links[bucket as usize].next;
            if level == 0 {
                // All the same: the oldest is the earliest.
                return oldest;
            }
            let (link, rank, count) = self.earliest(bucket);
            if count <= CROWD {
                return link;
            }
            self.base = rank & !63;
            self.deal_out(bucket, true);
        }
    }

    /// Takes a bucket apart and places its events anew, oldest first; a `crowd` on fine levels.
    fn deal_out(&mut self, bucket: u32, crowd: bool) {
        let mut link = self.links[bucket as usize].next;
        self.links[bucket as usize] = Link::alone(bucket);
        self.emptied(bucket as usize);
        if crowd && self.span != 0 {
            self.parked = std::mem::replace(&mut self.word, QUIET);
            self.span = 0;
        }
        while link != bucket {
            let next = self.links[link as usize].next;
            self.place(self.nodes[(link - self.slots) as usize].rank, link);
            link = next;
        }
    }

    /// Looks at what came since the last time, and changes width and number of the buckets
    /// where they are off by a factor of four; true when it did. `now` is not after anything
    /// pending, and an event at or after it is popped next.
    fn tune(&mut self, now: u64) -> bool {
        let (added, pending) = (self.added - self.tuned_added, self.added - self.taken);
        if added < TUNE_AFTER.max(pending) || now <= self.tuned_at {
            return false;
        }
        let gap = ((now - self.tuned_at) / added).max(1);
        (self.tuned_at, self.tuned_added) = (now, self.added);
        // At least one nanosecond, so that the phases of an instant share their bucket.
        let shift = gap.ilog2().saturating_sub(1).max(2);
        let wanted = pending.saturating_mul(WINDOW_WAITS).saturating_mul(gap) >> shift;
        let bits = wanted.max(1).ilog2() + 1;
        let bits = bits.clamp(*WINDOW_BITS.start(), *WINDOW_BITS.end());
        if shift.abs_diff(self.shift) < 2 && bits.abs_diff(self.bits) < 2 {
            return false;
        }
        self.base = now & !3;
        self.rebuild(shift, bits);
        true
    }

    /// Makes buckets of that width and number, and places all events anew: every ring oldest
    /// first, so that ties keep their order.
    pub(super) fn rebuild(&mut self, shift: u32, bits: u32) {
        let mut pending = std::mem::take(&mut self.scratch);
        pending.clear();
        for bucket in 0..self.slots {
            let mut link = self.links[bucket as usize].next;
            while link != bucket {
                pending.push(link - self.slots);
                link = self.links[link as usize].next;
            }
        }
        self.words[..1 << (self.bits.saturating_sub(6))].fill(0);
        (self.shift, self.bits) = (shift, bits);
        self.slots = (1 << bits) + COARSE as u32;
        self.links.clear();
        self.links.extend((0..self.slots).map(Link::alone));
        let all = self.slots as usize + self.nodes.len();
        self.links.resize(all, Link::alone(0));
        (self.middle, self.top) = ([0; 64], 0);
        (self.coarse, self.levels) = ([0; 2 * LEVELS], 0);
        self.open_window();
        for slot in &pending {
            self.place(self.nodes[*slot as usize].rank, self.slots + slot);
        }
        self.scratch = pending;
    }
}
