//! Every shipped scenario, as written and in all its variants: its report and the fingerprint of
//! each trial. `UPDATE=1 cargo test --test golden` rewrites (`ONLY=NAME` looks at one scenario); a
//! changed golden needs a reason in the commit.
//!
//! A golden holds few trials, so that the suite stays quick: expectations that need more trials
//! are inconclusive there, and none may fail.

use regionsim::experiment::Experiment;
use regionsim::measure::expect::Ruling;
use regionsim::report::findings::Heading;
use regionsim::report::{Findings, summary};
use regionsim::scenario::{Scenario, load_with};
use regionsim::world::{Limits, Stage};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Trials per variant. The reference load is heavy: a tenth of the rate. A year is long: twenty days.
const TRIALS: u64 = 4;

/// What a golden run changes of a scenario, by the scenario's file name.
const CHANGES: [(&str, &str, &str); 13] = [
    ("ecommerce-async", "clients.america.reads.per_second", "233.4"),
    ("ecommerce-async", "clients.america.writes.per_second", "100"),
    ("ecommerce-async", "clients.europe.reads.per_second", "233.3"),
    ("ecommerce-async", "clients.europe.writes.per_second", "100"),
    ("ecommerce-async", "clients.asia.reads.per_second", "233.3"),
    ("ecommerce-async", "clients.asia.writes.per_second", "100"),
    ("ecommerce-sync", "clients.america.reads.per_second", "233.4"),
    ("ecommerce-sync", "clients.america.writes.per_second", "100"),
    ("ecommerce-sync", "clients.europe.reads.per_second", "233.3"),
    ("ecommerce-sync", "clients.europe.writes.per_second", "100"),
    ("ecommerce-sync", "clients.asia.reads.per_second", "233.3"),
    ("ecommerce-sync", "clients.asia.writes.per_second", "100"),
    ("year-of-outages", "run.horizon", "20d"),
];

fn stem(path: &Path) -> String {
    path.file_stem().expect("a file name").to_string_lossy().into_owned()
}

fn changes(path: &Path) -> Vec<(String, String)> {
    let name = stem(path);
    let mine = CHANGES.iter().filter(|(file, ..)| *file == name);
    mine.map(|(_, key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

fn load(path: &Path, text: &str, variant: Option<&str>) -> Scenario {
    let (scenario, diagnostics) = load_with(text, &changes(path), variant);
    scenario.unwrap_or_else(|| panic!("{}: {diagnostics:#?}", path.display()))
}

/// The report of one variant, and its trials' fingerprints.
fn report(scenario: &Scenario, variant: Option<&str>) -> (String, Ruling) {
    let stage = Stage::new(&scenario.plan).expect("a scenario without errors has a valid plan");
    let stop = AtomicBool::new(false);
    let experiment = Experiment {
        stage: &stage,
        settings: &scenario.settings,
        seed: scenario.seed,
        trials: 0..TRIALS,
        jobs: 2,
        events: Limits::default().events,
        stop: &stop,
    };
    let outcomes = experiment.run(&|_| {}).unwrap_or_else(|bug| panic!("{bug:?}"));
    let prints: Vec<u64> = outcomes.trials.iter().map(|trial| trial.finish.fingerprint).collect();
    let heading = Heading {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: String::new(),
        variant: variant.map(str::to_string),
        digest: 0,
        seed: scenario.seed,
    };
    let findings = Findings::new(heading, stage.roster(), &scenario.expectations, outcomes);
    let mut text = summary::text(&findings, false);
    for (trial, print) in prints.iter().enumerate() {
        writeln!(text, "  trial {trial}: fingerprint {print:016x}").expect("a string");
    }
    (text, findings.ruling())
}

fn golden(path: &Path) -> (String, Vec<String>) {
    let text = fs::read_to_string(path).expect("readable");
    let base = load(path, &text, None);
    let mut variants: Vec<Option<&str>> = vec![None];
    variants.extend(base.variants.iter().map(|name| Some(name.as_str())));
    let mut all = String::new();
    let mut failed = Vec::new();
    for variant in variants {
        let scenario = load(path, &text, variant);
        let (report, ruling) = report(&scenario, variant);
        if ruling == Ruling::Fail {
            failed.push(format!("{} {variant:?}", path.display()));
        }
        writeln!(all, "{report}").expect("a string");
    }
    (all, failed)
}

fn scenarios() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("scenarios") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_scenario_reports_what_its_golden_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("ONLY").ok();
    let mut wrong = Vec::new();
    let chosen = |path: &PathBuf| only.as_ref().is_none_or(|only| *only == stem(path));
    for path in scenarios().into_iter().filter(chosen) {
        let (now, failed) = golden(&path);
        wrong.extend(failed.into_iter().map(|name| format!("{name}: an expectation fails")));
        let file = PathBuf::from(format!("tests/golden/{}.txt", stem(&path)));
        if update {
            fs::write(&file, &now).expect("tests/golden can be written");
        } else if fs::read_to_string(&file).unwrap_or_default() != now {
            wrong.push(format!(
                "{} differs; see what `regionsim run {} --trials {TRIALS} --variant all` says, and \
                 `UPDATE=1 cargo test --test golden` if that is right. Now:\n{now}",
                file.display(),
                path.display(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
