//! When all replicas that run had everything that had ended before the last fault did.

use crate::measure::keyed::Key;
use crate::measure::sample::Sample;
use crate::model::id::Version;
use crate::sim::time::{SimTime, Span};

/// Follows the keys on which members differ.
#[derive(Default)]
pub struct Convergence {
    /// The keys whose holders do not all have the same, running or not.
    differ: Vec<u32>,
    /// When the last fault ended, and none has begun since.
    since: Option<SimTime>,
    /// Keys that some running member lacks something of that had ended by then.
    lacking: u64,
    /// When there were none of these any more.
    done: Option<SimTime>,
    /// The longest so far.
    worst: Option<Span>,
}

impl Convergence {
    /// A member's part of a key changed.
    pub(super) fn changed(&mut self, place: usize, keys: &mut [Key], live: u64, now: SimTime) {
        let key = &mut keys[place];
        let (differs, listed) = (key.differs(u64::MAX), key.listed > 0);
        if differs && !listed {
            self.differ.push(place as u32);
            key.listed = self.differ.len() as u32;
        } else if !differs && listed {
            let at = key.listed as usize - 1;
            key.listed = 0;
            self.differ.swap_remove(at);
            if let Some(moved) = self.differ.get(at) {
                keys[*moved as usize].listed = at as u32 + 1;
            }
        }
        let key = &mut keys[place];
        if key.target.is_some() && key.has(live, key.target) {
            key.target = Version::NOTHING;
            self.lacking -= 1;
            self.is_done(now);
        }
    }

    fn is_done(&mut self, now: SimTime) {
        if self.lacking == 0 && self.since.is_some() {
            self.done = Some(now);
        }
    }

    /// A fault begins: what was awaited is awaited from its end on.
    pub fn onset(&mut self, keys: &mut [Key]) {
        if let (Some(since), Some(done)) = (self.since, self.done) {
            let took = done.since(since);
            self.worst = Some(self.worst.map_or(took, |worst| worst.max(took)));
        }
        (self.since, self.done) = (None, None);
        self.forget(keys);
    }

    /// The last fault that acted has ended.
    pub fn cleared(&mut self, now: SimTime) {
        (self.since, self.done) = (Some(now), None);
    }

    /// Looks anew at what is lacking: a fault ended, or a member runs again or stopped.
    pub(super) fn look(&mut self, keys: &mut [Key], live: u64, now: SimTime) {
        let Some(since) = self.since else { return };
        self.forget(keys);
        for place in &self.differ {
            let key = &mut keys[*place as usize];
            let target = key.ended_newest(since);
            if !key.has(live, target) {
                key.target = target;
                self.lacking += 1;
            }
        }
        if self.lacking > 0 {
            self.done = None;
        } else if self.done.is_none() {
            self.done = Some(now);
        }
    }

    fn forget(&mut self, keys: &mut [Key]) {
        if self.lacking > 0 {
            keys.iter_mut().for_each(|key| key.target = Version::NOTHING);
            self.lacking = 0;
        }
    }

    /// The longest time it took, in seconds; missing where no fault ended.
    pub fn time(&self, end: SimTime) -> Sample {
        let worst = self.worst.map_or(Sample::Missing, |worst| Sample::Value(worst.as_secs_f64()));
        let last = match (self.since, self.done) {
            (Some(since), Some(done)) => Sample::Value(done.since(since).as_secs_f64()),
            (Some(since), None) => Sample::Censored(end.since(since).as_secs_f64()),
            (None, _) => Sample::Missing,
        };
        worst.worse(last)
    }
}
