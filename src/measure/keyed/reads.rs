//! What the reads of one population missed.

use crate::measure::keyed::Key;
use crate::measure::latency::{Buckets, Counts, Ended};
use crate::model::id::Version;
use crate::sim::time::{SimTime, Span};

/// Reads that ended ok.
#[derive(Clone)]
pub struct Reads {
    /// How many.
    pub all: u64,
    /// Those that returned a version older than one acknowledged before they began.
    pub stale: u64,
    /// How many versions they missed, in all and at most.
    pub versions: u64,
    /// At most.
    pub versions_most: u64,
    /// By how much time the stale ones were late.
    late: Counts,
    longest: Span,
    buckets: Buckets,
    digits: u16,
    /// By how long they began after the last acknowledgement.
    pub curve: Curve,
}

impl Reads {
    /// None yet; for a curve with so many marks.
    pub fn new(marks: usize, digits: u16) -> Reads {
        Reads {
            all: 0,
            stale: 0,
            versions: 0,
            versions_most: 0,
            late: Counts::default(),
            longest: Span::ZERO,
            buckets: Buckets::new(digits),
            digits,
            curve: Curve { bins: vec![[0, 0]; marks] },
        }
    }

    /// A read that began then returned this version of the key.
    pub fn count(&mut self, key: &Key, version: Version, start: SimTime, marks: &[Span]) {
        self.all += 1;
        if let Some(at) = key.superseded(version, start) {
            self.stale += 1;
            let late = start.since(at);
            self.late.record(self.buckets, late);
            self.longest = self.longest.max(late);
            let versions = key.behind(version, start);
            self.versions += versions;
            self.versions_most = self.versions_most.max(versions);
        }
        if let Some((at, sees)) = key.sees(version, start) {
            self.curve.count(start.since(at), sees, marks);
        }
    }

    /// Adds those of another population.
    pub fn add(&mut self, other: &Reads) {
        self.all += other.all;
        self.stale += other.stale;
        self.versions += other.versions;
        self.versions_most = self.versions_most.max(other.versions_most);
        self.late.add(&other.late);
        self.longest = self.longest.max(other.longest);
        for (sum, part) in self.curve.bins.iter_mut().zip(&other.curve.bins) {
            *sum = [sum[0] + part[0], sum[1] + part[1]];
        }
    }

    /// By how many seconds a share `p` of all reads was late at most: most are not late at all.
    pub fn late(&self, p: f64) -> Option<f64> {
        let fresh = self.all.checked_sub(self.stale).filter(|_| self.all > 0)?;
        if p >= 1.0 {
            return Some(self.longest.as_secs_f64());
        }
        let rank = p * self.all as f64;
        if rank <= fresh as f64 {
            return Some(0.0);
        }
        let mut ended = Ended::new(self.digits);
        ended.add(self.buckets, &self.late);
        ended.percentile((rank - fresh as f64) / self.stale as f64)
    }

    /// By how many seconds reads were late on average, fresh ones counted as zero.
    pub fn mean_late(&self) -> Option<f64> {
        let mut ended = Ended::new(self.digits);
        ended.add(self.buckets, &self.late);
        let share = self.stale as f64 / self.all as f64;
        (self.all > 0).then(|| ended.mean().unwrap_or(0.0) * share)
    }
}

/// How many reads that began so long after the last acknowledgement of their key saw it.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// From each mark to the next: all, and those that saw it.
    pub bins: Vec<[u64; 2]>,
}

impl Curve {
    fn count(&mut self, age: Span, sees: bool, marks: &[Span]) {
        let after = marks.partition_point(|mark| *mark <= age);
        if let Some(bin) = after.checked_sub(1).and_then(|at| self.bins.get_mut(at)) {
            bin[0] += 1;
            bin[1] += u64::from(sees);
        }
    }
    /// The share of the reads from a mark to the next that saw it.
    pub fn share(&self, mark: usize) -> Option<f64> {
        let [all, saw] = *self.bins.get(mark)?;
        (all > 0).then(|| saw as f64 / all as f64)
    }
    /// The first mark from which to the next that share saw it; nothing where none did.
    pub fn first(&self, share: f64) -> Option<usize> {
        (0..self.bins.len()).find(|mark| self.share(*mark).is_some_and(|saw| saw >= share))
    }
}
