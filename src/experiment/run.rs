//! Trials over cores: the same result, in the same order, whatever the number of cores.

use crate::measure::{Episode, Incident, MetricKey, Oracle, Phases, Sample, Series, Settings};
use crate::world::{Finish, Limits, Stage};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The most events of one trial, unless told otherwise: an hour of the largest plan that is
/// accepted stays below it, a protocol caught in a loop does not.
pub const LIMIT_EVENTS: u64 = 1_000_000_000_000;

/// A scenario over a range of trials.
pub struct Experiment<'a> {
    /// What all trials share.
    pub stage: &'a Stage,
    /// How it is judged.
    pub settings: &'a Settings,
    /// The seed; trial `i` uses `(seed, i)`.
    pub seed: u64,
    /// Which trials.
    pub trials: Range<u64>,
    /// How many threads; it changes how long this takes and nothing else.
    pub jobs: usize,
    /// The most events of one trial.
    pub events: u64,
    /// Set from outside to end early; trials under way are abandoned.
    pub stop: &'a AtomicBool,
}

/// What is kept of one trial.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// Its number.
    pub trial: u64,
    /// How it ended.
    pub finish: Finish,
    /// A sample per key of [`Outcomes::keys`].
    pub samples: Vec<Sample>,
    /// Split-brain incidents.
    pub incidents: Vec<Incident>,
    /// Episodes.
    pub episodes: Vec<Episode>,
    /// What the judges want its reader to know.
    pub notes: Vec<String>,
}

/// A time series summed over trials.
#[derive(Clone, PartialEq, Debug)]
pub struct Total {
    /// Its names and the length of its bins; it has no counts of its own.
    pub of: Series,
    /// Per bin: ok, fail, unknown.
    pub bins: Vec<[u64; 3]>,
}

/// What the trials came to, in trial order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcomes {
    /// The metrics, in the order of the catalogue.
    pub keys: Vec<MetricKey>,
    /// The trials that were finished, by number.
    pub trials: Vec<Trial>,
    /// How many were asked for.
    pub asked: u64,
    /// Operations over time, summed over the finished trials.
    pub totals: Vec<Total>,
}

impl Outcomes {
    /// True when some trials that were asked for are missing.
    pub fn interrupted(&self) -> bool {
        (self.trials.len() as u64) < self.asked
    }
    /// True when any trial was halted at its limit of events.
    pub fn halted(&self) -> bool {
        self.trials.iter().any(|trial| trial.finish.halted)
    }
    /// What several parts of the trials came to together. Parts of one experiment have the same
    /// metrics; a part without trials has none.
    pub fn join(parts: Vec<Outcomes>) -> Outcomes {
        let mut whole = Outcomes::default();
        for part in parts {
            whole.asked += part.asked;
            if whole.keys.is_empty() {
                whole.keys = part.keys;
            }
            whole.trials.extend(part.trials);
            for total in part.totals {
                match whole.totals.iter_mut().find(|known| known.name() == total.name()) {
                    Some(known) => known.add(&total.bins),
                    None => whole.totals.push(total),
                }
            }
        }
        whole.in_order();
        whole
    }
    /// Which trial ended first must not show.
    fn in_order(&mut self) {
        self.trials.sort_by_key(|trial| trial.trial);
        self.totals.sort_by(|a, b| a.name().cmp(&b.name()));
    }
    /// The samples of a metric, one per trial, if this experiment has it.
    pub fn samples(&self, key: &MetricKey) -> Option<Vec<Sample>> {
        let column = self.keys.iter().position(|k| k == key)?;
        Some(self.column(column))
    }
    /// The samples of the metric at this place of [`Outcomes::keys`].
    pub fn column(&self, column: usize) -> Vec<Sample> {
        self.trials.iter().map(|trial| trial.samples[column]).collect()
    }
}

/// A trial that panicked: a bug of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bug {
    /// The seed.
    pub seed: u64,
    /// The trial.
    pub trial: u64,
    /// What it said.
    pub message: String,
}

/// What workers have found so far.
#[derive(Default)]
struct Found {
    keys: Option<Vec<MetricKey>>,
    trials: Vec<Trial>,
    totals: Vec<Total>,
    bug: Option<Bug>,
}

impl Experiment<'_> {
    /// Runs the trials. `progress` is told, from any thread, how many are finished.
    ///
    /// # Errors
    /// The panicking trial with the lowest number. Trials are begun in order, so that is the
    /// same one however many cores there are.
    pub fn run(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<Outcomes, Bug> {
        let next = AtomicU64::new(self.trials.start);
        let (done, broken) = (AtomicU64::new(0), AtomicBool::new(false));
        let found = Mutex::new(Found::default());
        let work = || {
            while !self.stop.load(Ordering::Relaxed) && !broken.load(Ordering::Relaxed) {
                let trial = next.fetch_add(1, Ordering::Relaxed);
                if trial >= self.trials.end {
                    return;
                }
                match caught(self.seed, trial, || self.one(trial)) {
                    Ok(None) => {}
                    Ok(Some((keys, trial, series))) => {
                        lock(&found).add(self.seed, keys, trial, series);
                        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                    Err(bug) => {
                        broken.store(true, Ordering::Relaxed);
                        lock(&found).blame(bug);
                    }
                }
            }
        };
        let jobs = self.jobs.clamp(1, 1024).min(self.asked().max(1) as usize);
        match rayon::ThreadPoolBuilder::new().num_threads(jobs).build() {
            Ok(pool) => {
                pool.broadcast(|_| work());
            }
            // Where no thread can be had, this one will do.
            Err(_) => work(),
        }
        let found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        found.outcomes(self.asked())
    }

    fn asked(&self) -> u64 {
        self.trials.end.saturating_sub(self.trials.start)
    }

    /// One trial; nothing when it was abandoned.
    fn one(&self, trial: u64) -> Option<(Vec<MetricKey>, Trial, Vec<Series>)> {
        let roster = self.stage.roster();
        let mut judges = (Oracle::new(roster, self.settings), Phases::new(roster));
        let limits = Limits { events: self.events, stop: Some(self.stop) };
        let finish = self.stage.run(self.seed, trial, &mut judges, &limits);
        if finish.halted && self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let (oracle, phases) = judges;
        let mut verdict = oracle.verdict(finish.at);
        verdict.metrics.extend(phases.metrics());
        let (keys, mut samples): (Vec<_>, Vec<_>) = verdict.metrics.into_iter().unzip();
        if finish.halted {
            samples.fill(Sample::Bounds { low: 0.0, high: f64::INFINITY });
            verdict.notes.push("halted at the limit of events".to_string());
        }
        let (incidents, episodes, notes) = (verdict.incidents, verdict.episodes, verdict.notes);
        let kept = Trial { trial, finish, samples, incidents, episodes, notes };
        Some((keys, kept, verdict.series))
    }
}

impl Found {
    fn add(&mut self, seed: u64, keys: Vec<MetricKey>, trial: Trial, series: Vec<Series>) {
        match &self.keys {
            None => self.keys = Some(keys),
            Some(known) if *known == keys => {}
            Some(_) => {
                let message = "the judges named other metrics than in other trials".to_string();
                return self.blame(Bug { seed, trial: trial.trial, message });
            }
        }
        for mut one in series {
            let bins = std::mem::take(&mut one.bins);
            let total = Total { of: one, bins: Vec::new() };
            let at = self.totals.iter().position(|known| known.name() == total.name());
            let at = at.unwrap_or_else(|| {
                self.totals.push(total);
                self.totals.len() - 1
            });
            self.totals[at].add(&bins);
        }
        self.trials.push(trial);
    }

    fn blame(&mut self, bug: Bug) {
        if self.bug.as_ref().is_none_or(|known| bug.trial < known.trial) {
            self.bug = Some(bug);
        }
    }

    fn outcomes(self, asked: u64) -> Result<Outcomes, Bug> {
        if let Some(bug) = self.bug {
            return Err(bug);
        }
        let keys = self.keys.unwrap_or_default();
        let mut outcomes = Outcomes { keys, trials: self.trials, asked, totals: self.totals };
        outcomes.in_order();
        Ok(outcomes)
    }
}

impl Total {
    fn name(&self) -> (&str, &str, &str) {
        (&self.of.store, &self.of.region, self.of.kind)
    }
    fn add<T: Copy + Into<u64>>(&mut self, bins: &[[T; 3]]) {
        if self.bins.len() < bins.len() {
            self.bins.resize(bins.len(), [0; 3]);
        }
        for (sum, bin) in self.bins.iter_mut().zip(bins) {
            for (sum, count) in sum.iter_mut().zip(bin) {
                *sum += (*count).into();
            }
        }
    }
}

/// Runs one trial and turns a panic into what is known of it.
///
/// # Errors
/// The bug.
pub fn caught<T>(seed: u64, trial: u64, run: impl FnOnce() -> T) -> Result<T, Bug> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Bug { seed, trial, message: text.unwrap_or_else(|| "it did not say why".to_string()) }
    })
}

/// A lock is never held while a trial runs, so a poisoned one still guards whole values.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
