//! Is a trial the same when it is run again, on another thread? Where not: at which fact first?

use crate::experiment::run::{Bug, caught};
use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::NodeId;
use crate::report::parts::Bytes;
use crate::report::recorder::{Told, claim_record, fact_record};
use crate::sim::digest::{Checkpoints, Digest};
use crate::sim::time::SimTime;
use crate::world::{Finish, Limits, Stage};
use std::ops::Range;
use std::sync::atomic::AtomicBool;

/// Two runs of one trial that parted.
#[derive(Clone, PartialEq, Debug)]
pub struct Divergence {
    /// The seed.
    pub seed: u64,
    /// The trial.
    pub trial: u64,
    /// The number of the first observation that differs, counted from zero, where it was found.
    pub at: Option<u64>,
    /// Where it must lie when a third and a fourth run agreed and it could not be found.
    pub within: Range<u64>,
    /// That observation in one run; nothing when the run had ended.
    pub first: Option<(SimTime, Told)>,
    /// The same of the other.
    pub second: Option<(SimTime, Told)>,
}

/// How often the observations around the first difference are looked at before giving up: what
/// is not deterministic need not part at the same place twice.
const ATTEMPTS: usize = 3;

/// Runs each of the trials twice, on two threads, and compares everything that was observed.
///
/// # Errors
/// A panic of a trial.
pub fn check(
    stage: &Stage,
    seed: u64,
    trials: Range<u64>,
    events: u64,
    stop: &AtomicBool,
) -> Result<Option<Divergence>, Bug> {
    for trial in trials {
        let run = |observer: &mut Watcher| {
            stage.run(seed, trial, observer, &Limits { events, stop: Some(stop) })
        };
        let found = caught(seed, trial, || compare(seed, trial, &run))?;
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(None);
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn compare(
    seed: u64,
    trial: u64,
    run: &(dyn Fn(&mut Watcher) -> Finish + Sync),
) -> Option<Divergence> {
    let (one, two) = twice(run, 0..0);
    let within = match one.0.marks.first_difference(&two.0.marks) {
        Some(range) => range,
        None if one.1 == two.1 => return None,
        // The world's own account differs where nothing observed does: at the end.
        None => one.0.marks.facts()..one.0.marks.facts(),
    };
    let mut found = Divergence { seed, trial, at: None, within, first: None, second: None };
    for _ in 0..ATTEMPTS {
        let (one, two) = twice(run, found.within.clone());
        let (one, two) = (one.0.kept, two.0.kept);
        let parts = (0..one.len().max(two.len())).find(|i| one.get(*i) != two.get(*i));
        if let Some(i) = parts {
            found.at = Some(found.within.start + i as u64);
            (found.first, found.second) = (one.get(i).copied(), two.get(i).copied());
            break;
        }
    }
    Some(found)
}

/// Two runs on two threads at the same time, so that whatever threads share is shared.
fn twice(
    run: &(dyn Fn(&mut Watcher) -> Finish + Sync),
    keep: Range<u64>,
) -> ((Watcher, Finish), (Watcher, Finish)) {
    let one = || {
        let mut watcher = Watcher::new(keep.clone());
        let finish = run(&mut watcher);
        (watcher, finish)
    };
    std::thread::scope(|threads| {
        let other = threads.spawn(one);
        let here = one();
        let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (here, other)
    })
}

/// Digests what it observes, and keeps a part of it.
struct Watcher {
    marks: Checkpoints,
    digest: Digest,
    last: SimTime,
    keep: Range<u64>,
    kept: Vec<(SimTime, Told)>,
}

impl Watcher {
    fn new(keep: Range<u64>) -> Watcher {
        // Windows of four thousand observations: what is kept to look at stays small.
        let marks = Checkpoints::every(1 << 12);
        Watcher { marks, digest: Digest::new(), last: SimTime::ZERO, keep, kept: Vec::new() }
    }
    fn see(&mut self, at: SimTime, record: &Bytes, told: Told) {
        if self.keep.contains(&self.marks.facts()) {
            self.kept.push((at, told));
        }
        for word in record.as_slice().chunks(8) {
            let word = word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.digest.fold(word);
        }
        self.digest.fold(record.as_slice().len() as u64);
        self.marks.note(self.digest);
        self.last = at;
    }
}

impl Observer for Watcher {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.see(at, &fact_record(at.since(self.last), fact), Told::Fact(*fact));
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.see(at, &claim_record(at.since(self.last), by, claim), Told::Claim(by, *claim));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::FaultId;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn finish(facts: u64) -> Finish {
        let at = SimTime::from_nanos(facts);
        Finish { at, events: facts, facts, fingerprint: 0, halted: false }
    }

    /// A run of 50,000 facts in which one differs each time it is run.
    fn wavering(at: u64) -> impl Fn(&mut Watcher) -> Finish + Sync {
        let runs = AtomicU64::new(0);
        move |watcher: &mut Watcher| {
            let run = runs.fetch_add(1, Ordering::SeqCst) as u16;
            for n in 0..50_000 {
                let fault = FaultId(if n == at { run } else { 7 });
                watcher.on_fact(SimTime::from_nanos(n), &Fact::Cleared { fault });
            }
            finish(50_000)
        }
    }

    #[test]
    fn the_first_differing_fact_is_found() {
        for at in [0, 4_095, 4_096, 33_333, 49_999] {
            let found = compare(42, 3, &wavering(at)).unwrap();
            assert_eq!((found.seed, found.trial, found.at), (42, 3, Some(at)));
            assert_ne!(found.first, found.second);
            assert_eq!(found.first.unwrap().0, SimTime::from_nanos(at));
        }
    }

    #[test]
    fn a_run_that_goes_on_differs_where_the_other_ends() {
        let runs = AtomicU64::new(0);
        let run = |watcher: &mut Watcher| {
            let longer = runs.fetch_add(1, Ordering::SeqCst) % 2;
            for n in 0..5_000 + longer {
                watcher.on_fact(SimTime::from_nanos(n), &Fact::Settling);
            }
            finish(5_000)
        };
        let found = compare(1, 0, &run).unwrap();
        assert_eq!(found.at, Some(5_000));
        assert!(found.first.is_none() != found.second.is_none());
    }

    #[test]
    fn equal_runs_are_equal_and_a_hidden_difference_is_not_hushed_up() {
        let same = |watcher: &mut Watcher| {
            watcher.on_fact(SimTime::ZERO, &Fact::Settling);
            finish(1)
        };
        assert_eq!(compare(1, 0, &same), None);
        let runs = AtomicU64::new(0);
        let hidden = |_: &mut Watcher| finish(runs.fetch_add(1, Ordering::SeqCst));
        let found = compare(1, 0, &hidden).unwrap();
        assert_eq!((found.at, found.first, found.second), (None, None, None));
    }
}
