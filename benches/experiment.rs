//! What an experiment costs beside its trials, and how long the usual ones take.
//!
//! `cargo bench --bench experiment` prints wall-clock times of the program on all cores, and the
//! share that pairing, judging and writing have of a comparison, measured within one process on
//! one core: the trials of two designs, and then all that is made of them.

// A benchmark looks at the clock; what it measures does not.
#![allow(clippy::disallowed_types, missing_docs)]

use regionsim::experiment::{Experiment, Outcomes};
use regionsim::report::comparison::text as pairs_text;
use regionsim::report::comparison::{Comparison, csv as pairs_csv, json as pairs_json, markdown};
use regionsim::report::findings::Heading;
use regionsim::report::{Findings, csv, json, markdown as summary_md, summary};
use regionsim::scenario::{self, Scenario};
use regionsim::world::{Limits, Stage};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const SCENARIO: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/active-passive/partition-43s.toml");
/// The variant that it is compared with: another time to live.
const SET: (&str, &str) = ("routing.via.dns.ttl", "30s");
/// Trials of each design: as many as a comparison by hand has.
const TRIALS: u64 = 100;
/// Rounds of what is timed within this process; the median counts.
const ROUNDS: usize = 3;

fn read(set: &[(String, String)]) -> (Scenario, Stage) {
    let text = std::fs::read_to_string(SCENARIO).expect("the scenario is in the package");
    let (scenario, diagnostics) = scenario::load_with(&text, set, None);
    let scenario = scenario.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let stage = Stage::new(&scenario.plan).expect("a scenario without errors has a valid plan");
    (scenario, stage)
}

/// The trials of a design, their judges included, on one core; and how long they took.
fn trials(scenario: &Scenario, stage: &Stage) -> (Outcomes, f64) {
    let stop = AtomicBool::new(false);
    let experiment = Experiment {
        stage,
        settings: &scenario.settings,
        seed: scenario.seed,
        trials: 0..TRIALS,
        jobs: 1,
        events: Limits::default().events,
        stop: &stop,
    };
    let begin = Instant::now();
    let outcomes = experiment.run(&|_| {}).unwrap_or_else(|bug| panic!("{bug:?}"));
    (outcomes, begin.elapsed().as_secs_f64())
}

fn findings(scenario: &Scenario, stage: &Stage, outcomes: Outcomes) -> Findings {
    let heading = Heading {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        variant: None,
        digest: scenario.digest,
        seed: scenario.seed,
    };
    Findings::new(heading, stage.roster(), &scenario.expectations, outcomes)
}

/// All that `compare` makes of the trials: verdicts, pairs with their intervals, every file.
fn made(designs: Vec<(String, String, Findings)>, folder: &Path) {
    let comparison = Comparison::new("bench".to_string(), designs);
    let write = |name: String, bytes: Vec<u8>| {
        std::fs::write(folder.join(name), bytes).expect("room for the results");
    };
    for (i, design) in comparison.designs.iter().enumerate() {
        let findings = &design.findings;
        write(format!("{i}-results.json"), json::text(findings).into_bytes());
        write(format!("{i}-trials.csv"), csv::trials(findings));
        write(format!("{i}-incidents.csv"), csv::incidents(findings));
        write(format!("{i}-summary.md"), summary_md::text(findings).into_bytes());
        std::hint::black_box(summary::text(findings, false));
    }
    write("pairs.json".into(), json::pretty(&pairs_json::value(&comparison)).into_bytes());
    write("pairs.csv".into(), pairs_csv::bytes(&comparison));
    write("pairs.md".into(), markdown::text(&comparison).into_bytes());
    std::hint::black_box(pairs_text::text(&comparison));
}

fn overhead() {
    let set = vec![(SET.0.to_string(), SET.1.to_string())];
    let (one, other) = (read(&[]), read(&set));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut shares = Vec::new();
    for _ in 0..ROUNDS {
        let ((first, took), (second, again)) = (trials(&one.0, &one.1), trials(&other.0, &other.1));
        let begin = Instant::now();
        let first = findings(&one.0, &one.1, first);
        let second = findings(&other.0, &other.1, second);
        let named = |label: &str, findings| (label.to_string(), String::new(), findings);
        made(vec![named("60s", first), named("30s", second)], folder.path());
        shares.push(begin.elapsed().as_secs_f64() / (took + again));
    }
    shares.sort_by(f64::total_cmp);
    let share = 100.0 * shares[shares.len() / 2];
    println!(
        "pairing, judging, writing   {share:.2} % of the trials' time (2 designs, {TRIALS} trials; at most 5)"
    );
}

/// How long the program takes on all cores.
fn program(what: &str, args: &[&str], goal: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    let out = ["--out", folder.path().to_str().expect("a plain path"), "--quiet"];
    let command = command.args(args).args(out).stdin(Stdio::null()).stdout(Stdio::null());
    let begin = Instant::now();
    let status = command.status().expect("the program runs");
    let took = begin.elapsed().as_secs_f64();
    // Expectations may fail at a point of a sweep; what is timed is that it ran.
    assert!(matches!(status.code(), Some(0 | 1 | 3)), "{what}: {status}");
    println!("{what:<27} {took:.1} s (goal: {goal})");
}

fn main() {
    program("500 trials of 43 s", &["run", SCENARIO, "--trials", "500"], "about 30 s on two cores");
    let points = ["-P", "lease.ttl", "10s", "21s", "1s", "--trials", "50", "--fresh"];
    let sweep = [&["sweep", SCENARIO], &points[..]].concat();
    program("sweep, 12 points of 50", &sweep, "about a minute");
    overhead();
}
