//! What the page about a thousand trials costs, against the run it is about.
//!
//! `cargo bench --bench report` prints how long the page takes, trials run again for their lanes
//! included, how large it is, and two ratios to the run beside it: of the page, and of keeping all
//! trials for `report`.

// A benchmark looks at the clock; what it measures does not.
#![allow(clippy::disallowed_types, missing_docs)]

use regionsim::experiment::{Experiment, Outcomes, Part, Shard, Source};
use regionsim::report::Findings;
use regionsim::report::findings::Heading;
use regionsim::report::html::lanes::Lanes;
use regionsim::report::html::{self, Origin, Page, Shown, Subject};
use regionsim::scenario::{Scenario, explain::explain, load};
use regionsim::world::{Limits, Stage};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const SCENARIO: &str = "scenarios/active-passive/partition-43s.toml";
const TRIALS: u64 = 1_000;
/// Rounds of what is quick; the median counts.
const ROUNDS: usize = 5;

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run(stage: &Stage, scenario: &Scenario) -> Outcomes {
    let stop = AtomicBool::new(false);
    let (settings, seed, events) = (&scenario.settings, scenario.seed, Limits::default().events);
    let experiment =
        Experiment { stage, settings, seed, trials: 0..TRIALS, jobs: 1, events, stop: &stop };
    experiment.run(&|_| ()).expect("no trial panics")
}

/// The page as the command makes it, but on one core.
fn page(stage: &Stage, findings: &Findings, text: &str) -> String {
    let (explanation, _) = explain(text, &[], None);
    let lanes = |window| {
        let lanes = Lanes::new(stage.roster(), window);
        move |trial| {
            let mut lanes = lanes;
            stage.run(findings.heading.seed, trial, &mut lanes, &Limits::default());
            lanes.close()
        }
    };
    let shown = html::picks(findings).into_iter().filter_map(|pick| {
        let trial = findings.outcomes.trials[pick.at].trial;
        let whole = lanes(html::window(findings, pick.at)?)(trial);
        let near = html::incident(findings, pick.at).map(|near| lanes(near)(trial));
        Some(Shown { design: String::new(), findings, pick, whole, near })
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    let heading = &findings.heading;
    let origin = Origin { label: heading.label(), digest: heading.digest, text: text.to_string() };
    let page = Page {
        subject: Subject::Run(findings),
        shown: &shown,
        explanation: &explanation.expect("a scenario without errors"),
        origins: &[origin],
        command: "regionsim run",
    };
    html::text(&page).expect("trials were finished")
}

fn main() {
    let path = format!("{}/{SCENARIO}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the scenario is in the package");
    let (scenario, diagnostics) = load(&text);
    let scenario = scenario.unwrap_or_else(|| panic!("{path}: {diagnostics:?}"));
    let stage = Stage::new(&scenario.plan).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (outcomes, whole) = timed(|| run(&stage, &scenario));
    let heading = Heading {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        variant: None,
        digest: scenario.digest,
        seed: scenario.seed,
    };
    let findings = Findings::new(heading, stage.roster(), &scenario.expectations, outcomes);
    let pages: Vec<(String, f64)> =
        (0..ROUNDS).map(|_| timed(|| page(&stage, &findings, &text))).collect();
    let bytes = pages[0].0.len();
    let writing = median(pages.into_iter().map(|(_, seconds)| seconds).collect());
    let source = Source {
        text: text.clone(),
        expect: None,
        variant: None,
        set: Vec::new(),
        seed: scenario.seed,
        asked: TRIALS,
    };
    let keep = || Shard::new(source.clone(), Part::WHOLE, &findings.outcomes).text();
    let keeping = median((0..ROUNDS).map(|_| timed(keep).1).collect());
    println!("{SCENARIO}: {TRIALS} trials on one core, {whole:.1} s");
    println!(
        "page           {writing:>10.2} s (goal: 2 s), {} KB (goal: below 2,000)",
        bytes / 1000
    );
    println!(
        "page           {:>10.3} of the run, and {:.3} for keeping all trials (at most 0.05)",
        writing / whole,
        keeping / whole
    );
}
