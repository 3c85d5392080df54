//! An output port: a line of limited bandwidth and the queue before it.

use crate::sim::SimTime;

/// Fraction bits of the time a byte takes. At 1 Tbit/s a byte takes 0.008 ns, stated to within
/// 1 in 100,000; at 1 bit/s it takes 8 s, and the number still fits 64 bits.
const FRACTION_BITS: u32 = 24;

/// A line that sends one message after the other, first come, first served.
///
/// A message that comes over other lines is announced before it arrives here, because the whole
/// route is reckoned when it is sent. The idle time before it stays open, as a *gap*, to
/// messages that are announced later and arrive earlier.
#[derive(Clone, Debug)]
pub(super) struct Port {
    /// Nanoseconds per byte, times 2^24.
    per_byte: u64,
    /// What of a nanosecond the messages so far have used, times 2^24.
    carry: u64,
    /// How long the queue may be, in time it takes to send.
    longest: u64,
    /// When the line has sent all it was given.
    free_at: u64,
    /// Idle times before `free_at` that begin after now, in order.
    gaps: Vec<(u64, u64)>,
}

impl Port {
    /// A line of `bandwidth` bit/s before which up to `queue` bytes wait.
    pub(super) fn new(bandwidth: u64, queue: u64) -> Port {
        // 8 bits a byte, 10^9 ns a second; a bandwidth of zero is read as 1 bit/s.
        let per_byte = ((8_000_000_000u128 << FRACTION_BITS) / u128::from(bandwidth.max(1))) as u64;
        let longest = (u128::from(queue) * u128::from(per_byte)) >> FRACTION_BITS;
        let longest = u64::try_from(longest).unwrap_or(u64::MAX);
        Port { per_byte, carry: 0, longest, free_at: 0, gaps: Vec::new() }
    }

    /// A message of `bytes` is announced at `now` and arrives at `at >= now`. When its last bit
    /// has left, or nothing if it found the queue full. `now` never goes back.
    #[inline]
    pub(super) fn pass(&mut self, now: SimTime, at: SimTime, bytes: u32) -> Option<SimTime> {
        let at_ns = at.as_nanos();
        if !self.gaps.is_empty() {
            return self.pass_gaps(now.as_nanos(), at_ns, bytes);
        }
        if at_ns >= self.free_at {
            let idle_from = self.free_at.max(now.as_nanos());
            if at_ns > idle_from {
                self.gaps.push((idle_from, at_ns));
            }
            self.free_at = at_ns;
        } else if self.free_at - at_ns > self.longest {
            return None;
        }
        self.free_at = self.free_at.saturating_add(self.transmit(bytes));
        Some(SimTime::from_nanos(self.free_at))
    }

    /// [`Port::pass`] when there are gaps: the first one that is long enough is taken.
    fn pass_gaps(&mut self, now: u64, at: u64, bytes: u32) -> Option<SimTime> {
        let past = self.gaps.iter().take_while(|gap| gap.1 <= now).count();
        self.gaps.drain(..past);
        if at >= self.free_at {
            let idle_from = self.free_at.max(now);
            if at > idle_from {
                self.gaps.push((idle_from, at));
            }
            self.free_at = at.saturating_add(self.transmit(bytes));
            return Some(SimTime::from_nanos(self.free_at));
        }
        let need = self.needs(bytes);
        let open = self.gaps.partition_point(|gap| gap.1 <= at);
        let fits = |gap: &(u64, u64)| gap.1 - gap.0.max(at) >= need;
        let found = self.gaps[open..].iter().position(fits).map(|k| open + k);
        let start = found.map_or(self.free_at, |k| self.gaps[k].0.max(at));
        if start - at > self.longest {
            return None;
        }
        let end = start.saturating_add(self.transmit(bytes));
        let Some(k) = found else {
            self.free_at = end;
            return Some(SimTime::from_nanos(end));
        };
        let (before, after) = ((self.gaps[k].0, start), (end, self.gaps[k].1));
        match (before.0 < before.1, after.0 < after.1) {
            (true, true) => {
                self.gaps[k] = before;
                self.gaps.insert(k + 1, after);
            }
            (true, false) => self.gaps[k] = before,
            (false, true) => self.gaps[k] = after,
            (false, false) => drop(self.gaps.remove(k)),
        }
        Some(SimTime::from_nanos(end))
    }

    /// Whole nanoseconds that `bytes` will take with the fraction carried over.
    fn needs(&self, bytes: u32) -> u64 {
        let total = u128::from(bytes) * u128::from(self.per_byte) + u128::from(self.carry);
        u64::try_from(total >> FRACTION_BITS).unwrap_or(u64::MAX)
    }

    /// The same, and carries the new fraction over.
    #[inline]
    fn transmit(&mut self, bytes: u32) -> u64 {
        let total = u128::from(bytes) * u128::from(self.per_byte) + u128::from(self.carry);
        self.carry = total as u64 & ((1 << FRACTION_BITS) - 1);
        u64::try_from(total >> FRACTION_BITS).unwrap_or(u64::MAX)
    }

    /// Bytes announced and not yet sent at `now`. On a line inside a route this counts the idle
    /// time before announced messages as well.
    pub(super) fn backlog(&self, now: SimTime) -> u64 {
        let idle: u64 = self.gaps.iter().map(|g| g.1.saturating_sub(g.0.max(now.as_nanos()))).sum();
        let busy = self.free_at.saturating_sub(now.as_nanos()).saturating_sub(idle);
        ((u128::from(busy) << FRACTION_BITS) / u128::from(self.per_byte.max(1))) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(n: u64) -> SimTime {
        SimTime::from_nanos(n * 1_000_000)
    }

    #[test]
    fn messages_leave_one_after_the_other() {
        // 8 Mbit/s: a kilobyte takes a millisecond.
        let mut port = Port::new(8_000_000, 10_000);
        assert_eq!(port.pass(ms(0), ms(0), 1_000), Some(ms(1)));
        assert_eq!(port.pass(ms(0), ms(0), 2_000), Some(ms(3)));
        assert_eq!(port.backlog(ms(1)), 2_000);
        assert_eq!(port.pass(ms(9), ms(9), 1_000), Some(ms(10)));
    }

    #[test]
    fn who_arrives_earlier_uses_the_idle_time_before_an_announced_message() {
        let mut port = Port::new(8_000_000, 10_000);
        assert_eq!(port.pass(ms(0), ms(50), 1_000), Some(ms(51)));
        assert_eq!(port.pass(ms(0), ms(0), 1_000), Some(ms(1)));
        assert_eq!(port.backlog(ms(0)), 2_000);
        // Two milliseconds do not fit before 50 ms when one arrives at 49 ms.
        assert_eq!(port.pass(ms(1), ms(49), 2_000), Some(ms(53)));
        assert_eq!(port.pass(ms(1), ms(49), 1_000), Some(ms(50)));
        assert_eq!(port.pass(ms(60), ms(60), 1_000), Some(ms(61)));
        assert!(port.gaps.is_empty());
    }

    proptest! {
        /// Announced in any order, no two messages are on the line at once, and none leaves
        /// before it came; when all come as they are announced, each waits for those before.
        #[test]
        fn the_line_carries_one_message_at_a_time(
            steps in prop::collection::vec((0u64..20, 0u64..60, 1u32..9), 1..60),
            ahead in any::<bool>(),
        ) {
            let mut port = Port::new(8_000_000, u64::MAX);
            let (mut now, mut free, mut sent) = (0, 0, Vec::new());
            for (pause, later, kilobytes) in steps {
                now += pause;
                let at = if ahead { now + later } else { now };
                let end = port.pass(ms(now), ms(at), kilobytes * 1_000).unwrap();
                let end = end.as_nanos() / 1_000_000;
                let start = end - u64::from(kilobytes);
                prop_assert!(start >= at);
                prop_assert!(sent.iter().all(|(from, to)| end <= *from || start >= *to));
                sent.push((start, end));
                // The dumb twin: Lindley's recursion.
                free = at.max(free) + u64::from(kilobytes);
                prop_assert!(ahead || end == free);
            }
        }
    }

    #[test]
    fn fractions_of_a_nanosecond_are_not_lost() {
        // 400 Gbit/s: 0.02 ns a byte; a million single bytes take 20 microseconds.
        let mut port = Port::new(400_000_000_000, u64::MAX);
        for _ in 0..1_000_000 {
            port.pass(SimTime::ZERO, SimTime::ZERO, 1);
        }
        let end = port.free_at;
        assert!((19_999..=20_001).contains(&end), "{end} ns");
    }
}
