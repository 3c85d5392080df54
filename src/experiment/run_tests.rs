//! Trials over cores: order, interruption, limits, bugs.

use super::*;
use crate::scenario;
use crate::sim::time::SimTime;

const SMALL: &str = r#"
schema_version = 1
[scenario]
name = "small"
[run]
warmup = "2s"
horizon = "20s"
settle = "5s"
[region.a]
[region.b]
[wan]
default = { rtt = "20ms" }
[store.s]
primary = "a"
standbys = ["b"]
replication = { mode = "async" }
[clients.web]
region = "b"
writes = { arrival = "poisson", per_second = 20 }
"#;

/// Runs the small scenario after a change to the experiment.
fn run(
    change: impl FnOnce(&mut Experiment<'_>),
    progress: &(dyn Fn(u64, &AtomicBool) + Sync),
) -> Outcomes {
    let (scenario, diagnostics) = scenario::load(SMALL);
    let scenario = scenario.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let stage = Stage::new(&scenario.plan).unwrap();
    let stop = AtomicBool::new(false);
    let mut experiment = Experiment {
        stage: &stage,
        settings: &scenario.settings,
        seed: 1,
        trials: 0..12,
        jobs: 2,
        events: Limits::default().events,
        stop: &stop,
    };
    change(&mut experiment);
    experiment.run(&|done| progress(done, &stop)).unwrap()
}

#[test]
fn trials_come_in_order_and_the_same_on_any_number_of_threads() {
    let one = run(|e| e.jobs = 1, &|_, _| {});
    assert_eq!(one.trials.iter().map(|t| t.trial).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
    assert!(!one.interrupted() && !one.halted());
    assert!(one.trials.windows(2).all(|t| t[0].finish.fingerprint != t[1].finish.fingerprint));
    assert_eq!(one, run(|e| e.jobs = 4, &|_, _| {}));
}

#[test]
fn a_part_of_the_trials_is_what_the_whole_has_there() {
    let whole = run(|_| {}, &|_, _| {});
    let part = run(|e| e.trials = 5..9, &|_, _| {});
    assert_eq!(part.trials, whole.trials[5..9]);
    assert_eq!(part.asked, 4);
}

#[test]
fn series_are_the_sums_of_all_trials() {
    let two = run(|e| e.trials = 0..2, &|_, _| {});
    let single = |n: u64| run(|e| e.trials = n..n + 1, &|_, _| {});
    let sum = |outcomes: &Outcomes| -> u64 {
        outcomes.totals.iter().flat_map(|total| total.bins.iter().flatten()).sum()
    };
    assert!(sum(&two) > 500, "twenty a second for twenty-five seconds, twice");
    assert_eq!(sum(&two), sum(&single(0)) + sum(&single(1)));
}

#[test]
fn an_interruption_keeps_finished_trials_whole() {
    let whole = run(|e| e.trials = 0..1000, &|done, stop| {
        if done == 5 {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(whole.interrupted() && !whole.halted());
    // The other thread may finish one more, or the one it was at.
    assert!((5..=7).contains(&whole.trials.len()), "{}", whole.trials.len());
    let undisturbed = run(|_| {}, &|_, _| {});
    for trial in &whole.trials {
        assert_eq!(*trial, undisturbed.trials[trial.trial as usize]);
    }
}

#[test]
fn what_a_halted_trial_would_have_shown_is_unknown() {
    let halted = run(|e| e.events = 100, &|_, _| {});
    assert!(halted.halted() && !halted.interrupted());
    let trial = &halted.trials[0];
    assert!(trial.finish.at < SimTime::ZERO + crate::sim::Span::from_secs(25));
    assert!(trial.samples.iter().all(|sample| sample.value().is_none()));
    assert_eq!(trial.notes.last().unwrap(), "halted at the limit of events");
}

#[test]
fn a_panic_names_its_trial_and_the_lowest_is_blamed() {
    let bug = caught(42, 17, || -> () { panic!("a lease of {}", "minus one second") }).unwrap_err();
    assert_eq!((bug.seed, bug.trial), (42, 17));
    assert_eq!(bug.message, "a lease of minus one second");
    let mut found = Found::default();
    for trial in [9, 3, 5] {
        found.blame(Bug { trial, ..bug.clone() });
    }
    assert_eq!(found.outcomes(10).unwrap_err().trial, 3);
}
