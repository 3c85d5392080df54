//! How operations ended, and the client-perceived latency of those that ended ok, by
//! population, kind and window.
//!
//! Which operations belong to an episode is known only when it is over. Until then those
//! invoked in it wait in histograms of one outage window each.

use crate::measure::bins::slot;
use crate::model::fact::{OpKind, Outcome};
use crate::sim::time::{SimTime, Span};
use hdrhistogram::Histogram;
use std::collections::VecDeque;

/// Operations counted as they end, of one population, kind and window.
///
/// The buckets are those of HdrHistogram, and nothing else of it: what it keeps beside its counts
/// can be had from them afterwards.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Those that ended ok, by bucket of microseconds.
    counts: Vec<u32>,
    /// Nanoseconds, exactly.
    sum: u64,
    /// Those that did not happen, and those of which the client knows neither.
    not_ok: [u64; 2],
}

/// The buckets of so many significant digits: of each power of two above the first, `half`.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    half_bits: u32,
}

impl Buckets {
    /// The first bucket tells single units apart up to twice ten to the number of digits.
    pub fn new(digits: u16) -> Buckets {
        let units = 2 * 10u32.pow(u32::from(digits.clamp(1, 4)));
        Buckets { half_bits: units.next_power_of_two().trailing_zeros() - 1 }
    }
    #[inline]
    fn of(self, micros: u64) -> usize {
        let bits = u64::BITS - (micros | 1).leading_zeros();
        let shift = bits.saturating_sub(self.half_bits + 1);
        ((shift as usize) << self.half_bits) + (micros >> shift) as usize
    }
    /// The least value of a bucket.
    fn least(self, bucket: usize) -> u64 {
        let shift = (bucket >> self.half_bits).saturating_sub(1);
        (bucket as u64 - ((shift as u64) << self.half_bits)) << shift
    }
}

impl Counts {
    /// One that ended ok.
    #[inline]
    pub fn record(&mut self, buckets: Buckets, latency: Span) {
        // Neither can overflow: all latencies of a run are far less than five centuries.
        self.sum = self.sum.wrapping_add(latency.as_nanos());
        let micros = latency.as_nanos() / 1_000;
        match self.counts.get_mut(buckets.of(micros)) {
            Some(count) => *count = count.wrapping_add(1),
            None => self.record_beyond(buckets, micros),
        }
    }
    /// Makes room for a latency longer than any before.
    #[cold]
    #[inline(never)]
    fn record_beyond(&mut self, buckets: Buckets, micros: u64) {
        // An hour is far beyond any deadline, and bounds the growth.
        let bucket = buckets.of(micros.min(3_600_000_000));
        if self.counts.len() <= bucket {
            self.counts.resize((bucket + 1).next_multiple_of(256), 0);
        }
        self.counts[bucket] += 1;
    }
    /// One that did not.
    pub fn record_not_ok(&mut self, outcome: Outcome) {
        self.not_ok[usize::from(outcome == Outcome::Unknown)] += 1;
    }
    /// Adds those of another.
    pub fn add(&mut self, other: &Counts) {
        self.sum = self.sum.saturating_add(other.sum);
        self.not_ok = [0, 1].map(|i| self.not_ok[i] + other.not_ok[i]);
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (sum, part) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.wrapping_add(*part);
        }
    }
}

/// How operations ended, to be read.
#[derive(Clone)]
pub struct Ended {
    /// Of those that ended ok, in microseconds.
    histogram: Histogram<u32>,
    /// Nanoseconds, exactly.
    sum: u64,
    /// How many did not happen.
    pub fail: u64,
    /// How many of which the client knows neither.
    pub unknown: u64,
}

/// The percentiles reported, with their metrics.
pub const PERCENTILES: [(&str, f64); 7] = [
    ("latency.p50", 0.50),
    ("latency.p75", 0.75),
    ("latency.p90", 0.90),
    ("latency.p95", 0.95),
    ("latency.p99", 0.99),
    ("latency.p999", 0.999),
    ("latency.max", 1.0),
];

impl Ended {
    /// Empty, with so many significant digits; it grows with what it holds.
    pub fn new(digits: u16) -> Ended {
        let histogram = Histogram::new(digits.clamp(1, 4) as u8);
        let histogram = histogram.expect("one to four digits are within the histogram's limits");
        Ended { histogram, sum: 0, fail: 0, unknown: 0 }
    }
    /// Adds what was counted.
    pub fn add(&mut self, buckets: Buckets, counts: &Counts) {
        self.sum = self.sum.saturating_add(counts.sum);
        self.fail += counts.not_ok[0];
        self.unknown += counts.not_ok[1];
        for (bucket, count) in counts.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // It grows by itself, so recording cannot fail.
            let _ = self.histogram.record_n(buckets.least(bucket).max(1), *count);
        }
    }
    /// How many ended ok.
    pub fn ok(&self) -> u64 {
        self.histogram.len()
    }
    /// The share of all that ended which did so well; nothing where none ended.
    pub fn share_ok(&self) -> Option<f64> {
        let all = self.ok() + self.fail + self.unknown;
        (all > 0).then(|| self.ok() as f64 / all as f64)
    }
    /// The mean latency in seconds; nothing when empty.
    pub fn mean(&self) -> Option<f64> {
        let n = self.histogram.len();
        (n > 0).then(|| self.sum as f64 / n as f64 / 1e9)
    }
    /// A percentile in seconds; nothing when empty.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| self.histogram.value_at_quantile(p) as f64 / 1e6)
    }
}

/// Counts of every population and kind; see [`slot`].
pub type Set = Vec<Counts>;

/// When an operation was invoked, against the episodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Before the first onset.
    Before,
    /// In the episode under way.
    Within,
    /// After one.
    After,
}

/// The operations of all populations.
pub struct LatencyBook {
    digits: u16,
    /// Where latencies are counted.
    pub buckets: Buckets,
    slots: usize,
    /// Before, episode, after.
    sets: [Set; 3],
    /// By outage window, oldest first: (number, start, counts).
    waiting: VecDeque<(u32, SimTime, Set)>,
}

impl LatencyBook {
    /// For so many populations.
    pub fn new(clients: usize, digits: u16) -> LatencyBook {
        let slots = 2 * clients;
        let sets = [(); 3].map(|()| vec![Counts::default(); slots]);
        LatencyBook { digits, buckets: Buckets::new(digits), slots, sets, waiting: VecDeque::new() }
    }

    /// How many significant digits are kept.
    pub fn digits(&self) -> u16 {
        self.digits
    }

    /// An operation ended ok. `window` is the number and start of its outage window.
    #[inline]
    pub fn record(
        &mut self,
        client: usize,
        kind: OpKind,
        latency: Span,
        when: When,
        window: impl FnOnce() -> (u32, SimTime),
    ) {
        let buckets = self.buckets;
        self.set(when, window)[slot(client, kind)].record(buckets, latency);
    }

    /// An operation ended, and not ok.
    #[cold]
    #[inline(never)]
    pub fn record_not_ok(
        &mut self,
        client: usize,
        kind: OpKind,
        outcome: Outcome,
        when: When,
        window: (u32, SimTime),
    ) {
        self.set(when, || window)[slot(client, kind)].record_not_ok(outcome);
    }

    /// Where operations of that time are counted.
    #[inline(always)]
    fn set(&mut self, when: When, window: impl FnOnce() -> (u32, SimTime)) -> &mut Set {
        match when {
            When::Before => &mut self.sets[0],
            When::After => &mut self.sets[2],
            When::Within => {
                let (number, start) = window();
                let at = self.waiting.partition_point(|(n, ..)| *n < number);
                if self.waiting.get(at).is_none_or(|(n, ..)| *n != number) {
                    let set = vec![Counts::default(); self.slots];
                    self.waiting.insert(at, (number, start, set));
                }
                &mut self.waiting[at].2
            }
        }
    }

    /// The episode reaches at least to here: what was invoked before belongs to it.
    pub fn in_episode(&mut self, until: SimTime) {
        while self.waiting.front().is_some_and(|(_, start, _)| *start < until) {
            self.settle(1);
        }
    }

    /// The episode is over: what is left was invoked after it.
    pub fn episode_over(&mut self) {
        while !self.waiting.is_empty() {
            self.settle(2);
        }
    }

    fn settle(&mut self, into: usize) {
        let Some((_, _, set)) = self.waiting.pop_front() else { return };
        for (sum, part) in self.sets[into].iter_mut().zip(set) {
            sum.add(&part);
        }
    }

    /// The operations of these populations, of one kind or both, before (0), in (1) or after (2)
    /// the episodes, or all.
    pub fn of(&self, clients: &[usize], kind: Option<OpKind>, window: Option<usize>) -> Ended {
        let sets = self.sets.iter().enumerate();
        let chosen = sets.filter(|(number, _)| window.is_none_or(|window| window == *number));
        self.read(chosen.map(|(_, set)| set), clients, kind)
    }

    /// The operations of these populations, of one kind or both, in all these sets.
    pub fn read<'a>(
        &self,
        sets: impl Iterator<Item = &'a Set>,
        clients: &[usize],
        kind: Option<OpKind>,
    ) -> Ended {
        let mut sum = Counts::default();
        for set in sets {
            for client in clients {
                for each in [OpKind::Read, OpKind::Write] {
                    if kind.is_none_or(|kind| kind == each) {
                        sum.add(&set[slot(*client, each)]);
                    }
                }
            }
        }
        let mut ended = Ended::new(self.digits);
        ended.add(self.buckets, &sum);
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counting_is_what_a_histogram_does(
            digits in 1u16..=4,
            // Below an hour: beyond it both only say "an hour", each in its own last bucket.
            nanos in prop::collection::vec((0u32..41, any::<u64>()), 1..200),
            share in 0.0..=1.0f64,
        ) {
            let mut twin = Ended::new(digits);
            let (mut counted, mut halves) = (Ended::new(digits), [(); 2].map(|()| Counts::default()));
            let buckets = Buckets::new(digits);
            for (at, (bits, nanos)) in nanos.iter().enumerate() {
                let latency = Span::from_nanos(nanos >> (63 - bits));
                halves[at % 2].record(buckets, latency);
                let micros = (latency.as_nanos() / 1_000).clamp(1, 3_600_000_000);
                twin.histogram.record(micros).expect("it grows");
            }
            let [mut sum, other] = halves;
            sum.add(&other);
            counted.add(buckets, &sum);
            prop_assert_eq!(counted.percentile(share), twin.percentile(share));
            prop_assert_eq!(counted.histogram.len(), twin.histogram.len());
        }

        #[test]
        fn the_least_of_a_bucket_is_in_it(digits in 1u16..=4, micros in 1u64..3_600_000_000) {
            let buckets = Buckets::new(digits);
            let least = buckets.least(buckets.of(micros));
            prop_assert!(least <= micros);
            prop_assert_eq!(buckets.of(least), buckets.of(micros));
            prop_assert!(least == 0 || buckets.of(least - 1) < buckets.of(least));
        }
    }
}
