//! Client-perceived latency of operations that ended ok, by population, kind and window.
//!
//! Which operations belong to an episode is known only when it is over. Until then those
//! invoked in it wait in histograms of one outage window each.

use crate::measure::bins::slot;
use crate::model::fact::OpKind;
use crate::sim::time::{SimTime, Span};
use hdrhistogram::Histogram;
use std::collections::VecDeque;

/// Latencies of one population, kind and window.
#[derive(Clone)]
pub struct Latencies {
    /// Microseconds.
    histogram: Histogram<u32>,
    /// Nanoseconds, exactly.
    sum: u64,
}

/// The percentiles reported, with their metrics.
pub const PERCENTILES: [(&str, f64); 5] = [
    ("latency.p50", 0.50),
    ("latency.p90", 0.90),
    ("latency.p95", 0.95),
    ("latency.p99", 0.99),
    ("latency.p999", 0.999),
];

impl Latencies {
    /// Empty, with so many significant digits; it grows with what it holds.
    pub fn new(digits: u16) -> Latencies {
        let histogram = Histogram::new(digits.clamp(1, 4) as u8);
        let histogram = histogram.expect("one to four digits are within the histogram's limits");
        Latencies { histogram, sum: 0 }
    }
    fn record(&mut self, latency: Span) {
        self.sum = self.sum.saturating_add(latency.as_nanos());
        // An hour is far beyond any deadline, and bounds the growth; below that, recording cannot
        // fail, for the histogram grows by itself.
        let micros = (latency.as_nanos() / 1_000).clamp(1, 3_600_000_000);
        let _ = self.histogram.record(micros);
    }
    /// Adds others'.
    pub fn add(&mut self, other: &Latencies) {
        self.sum = self.sum.saturating_add(other.sum);
        // Both grow by themselves, so adding cannot fail.
        let _ = self.histogram.add(&other.histogram);
    }
    /// The mean in seconds; nothing when empty.
    pub fn mean(&self) -> Option<f64> {
        let n = self.histogram.len();
        (n > 0).then(|| self.sum as f64 / n as f64 / 1e9)
    }
    /// A percentile in seconds; nothing when empty.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| self.histogram.value_at_quantile(p) as f64 / 1e6)
    }
}

type Set = Vec<Option<Box<Latencies>>>;

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

/// The latencies of all populations.
pub struct LatencyBook {
    digits: u16,
    slots: usize,
    /// Before, episode, after.
    sets: [Set; 3],
    /// By outage window, oldest first: (number, start, latencies).
    waiting: VecDeque<(u32, SimTime, Set)>,
}

impl LatencyBook {
    /// For so many populations.
    pub fn new(clients: usize, digits: u16) -> LatencyBook {
        let slots = 2 * clients;
        let sets = [(); 3].map(|()| vec![None; slots]);
        LatencyBook { digits, slots, sets, waiting: VecDeque::new() }
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
        let set = match when {
            When::Before => &mut self.sets[0],
            When::After => &mut self.sets[2],
            When::Within => {
                let (number, start) = window();
                let at = self.waiting.partition_point(|(n, ..)| *n < number);
                if self.waiting.get(at).is_none_or(|(n, ..)| *n != number) {
                    self.waiting.insert(at, (number, start, vec![None; self.slots]));
                }
                &mut self.waiting[at].2
            }
        };
        let digits = self.digits;
        set[slot(client, kind)]
            .get_or_insert_with(|| Box::new(Latencies::new(digits)))
            .record(latency);
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
            match (sum, part) {
                (_, None) => {}
                (Some(sum), Some(part)) => sum.add(&part),
                (sum, part) => *sum = part,
            }
        }
    }

    /// The latencies of these populations, of one kind or both, before (0), in (1) or after (2)
    /// the episodes, or in all.
    pub fn of(&self, clients: &[usize], kind: Option<OpKind>, window: Option<usize>) -> Latencies {
        let mut sum = Latencies::new(self.digits);
        for (number, set) in self.sets.iter().enumerate() {
            if window.is_some_and(|window| window != number) {
                continue;
            }
            for client in clients {
                for each in [OpKind::Read, OpKind::Write] {
                    if kind.is_none_or(|kind| kind == each)
                        && let Some(part) = &set[slot(*client, each)]
                    {
                        sum.add(part);
                    }
                }
            }
        }
        sum
    }
}
