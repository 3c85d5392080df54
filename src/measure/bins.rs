//! Operations counted by the bin of time they were invoked in. A bin is finished when it is
//! over and every operation of it has ended, so that a window is judged on whole outcomes.

use crate::model::fact::{OpKind, Outcome};
use crate::sim::time::{SimTime, Span};
use std::collections::VecDeque;

/// Operations of one population and kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Ended ok.
    pub ok: u32,
    /// Definitely did not happen.
    pub fail: u32,
    /// The client knows neither.
    pub unknown: u32,
}

impl Count {
    /// Ended, and not ok.
    pub fn not_ok(&self) -> u32 {
        self.fail + self.unknown
    }
    /// Ended.
    pub fn ended(&self) -> u32 {
        self.ok + self.not_ok()
    }
}

/// A finished bin.
#[derive(Debug)]
pub struct Bin {
    /// Its number; 0 is warm-up.
    pub number: u32,
    /// Where it begins.
    pub start: SimTime,
    /// Where it ends.
    pub end: SimTime,
    /// By population and kind.
    pub counts: Vec<Count>,
}

/// The bins that are not finished.
pub struct Bins {
    warmup: SimTime,
    length: Span,
    /// The end of the newest bin.
    edge: SimTime,
    /// The number of the oldest.
    base: u32,
    bins: VecDeque<(u32, Vec<Count>)>,
    spare: Vec<Vec<Count>>,
    clients: usize,
}

/// Where the counts of a population and kind stand in [`Bin::counts`].
#[inline]
pub fn slot(client: usize, kind: OpKind) -> usize {
    2 * client + usize::from(kind == OpKind::Write)
}

impl Bins {
    /// Bins of that length, the first of them after warm-up.
    pub fn new(clients: usize, warmup: SimTime, length: Span) -> Bins {
        let first = (0, vec![Count::default(); 2 * clients]);
        let bins = VecDeque::from([first]);
        Bins { warmup, length, edge: warmup, base: 0, bins, spare: Vec::new(), clients }
    }

    /// True when a bin is to be opened.
    #[inline]
    pub fn is_due(&self, now: SimTime) -> bool {
        now >= self.edge
    }

    /// Opens bins up to now.
    pub fn roll(&mut self, now: SimTime) {
        while now >= self.edge {
            let counts = self.spare.pop();
            let counts = counts.unwrap_or_else(|| vec![Count::default(); 2 * self.clients]);
            self.bins.push_back((0, counts));
            self.edge = self.edge + self.length;
        }
    }

    /// An operation was invoked in the newest bin; returns its number.
    #[inline]
    pub fn invoked(&mut self, client: usize) -> u32 {
        if client < self.clients
            && let Some((open, _)) = self.bins.back_mut()
        {
            *open += 1;
        }
        self.base + self.bins.len() as u32 - 1
    }

    /// An operation that was invoked in `bin` ended.
    #[inline]
    pub fn concluded(&mut self, bin: u32, client: usize, kind: OpKind, outcome: Outcome) {
        let Some((open, counts)) =
            bin.checked_sub(self.base).and_then(|i| self.bins.get_mut(i as usize))
        else {
            return;
        };
        *open -= 1;
        let count = &mut counts[slot(client, kind)];
        match outcome {
            Outcome::Ok => count.ok += 1,
            Outcome::Fail => count.fail += 1,
            Outcome::Unknown => count.unknown += 1,
        }
    }

    /// The oldest bin, if it is finished; at the end of the run, whatever is left of it.
    pub fn finished(&mut self, end_of_run: Option<SimTime>) -> Option<Bin> {
        let newest = self.bins.len() == 1;
        let (open, _) = self.bins.front()?;
        if end_of_run.is_none() && (newest || *open > 0) {
            return None;
        }
        let (_, counts) = self.bins.pop_front()?;
        let number = self.base;
        self.base += 1;
        let edge = |n: u32| match n {
            0 => SimTime::ZERO,
            n => self.warmup + self.length.saturating_mul(u64::from(n - 1)),
        };
        let end = edge(self.base).min(end_of_run.unwrap_or(SimTime::MAX));
        Some(Bin { number, start: edge(number), end, counts })
    }

    /// Takes the memory of a finished bin back.
    pub fn recycle(&mut self, bin: Bin) {
        let mut counts = bin.counts;
        counts.fill(Count::default());
        self.spare.push(counts);
    }
}
