//! Several designs over the same trials: run one after the other, compared, written, shown.

use super::crew::Crew;
use super::files::Ready;
use super::folder;
use super::output::{Output, cannot_write, complain};
use super::run::heading;
use super::{Exit, Format, TrialArgs, page};
use regionsim::experiment::{Outcomes, Source};
use regionsim::report::comparison::{Comparison, csv, json, markdown, text};
use regionsim::report::json::pretty;
use regionsim::report::{Findings, findings::Heading};
use std::path::Path;

/// What `comparison.json` of a ladder says it is.
pub const LADDER: &str = "ladder";

/// One of the designs that are compared.
pub struct Design {
    /// What it is called in the comparison.
    pub label: String,
    /// What it is, in a sentence; empty where the label says it.
    pub about: String,
    /// Its text, and what was applied to that; which trials is filled in when they are run.
    pub source: Source,
    /// The scenario of it.
    pub ready: Ready,
}

/// How designs are compared and shown.
pub struct Contest<'a> {
    /// The name of the results folder below `out`, and of the comparison.
    pub name: String,
    /// The word for what this is.
    pub title: String,
    /// True where the designs are rungs of a ladder.
    pub ladder: bool,
    /// True where a page is written as well.
    pub html: bool,
    /// Which trials.
    pub trials: &'a TrialArgs,
    /// Where the folder is made.
    pub out: &'a Path,
    /// What is printed.
    pub format: Format,
}

impl Contest<'_> {
    /// Runs all designs with the seed and the trials of the first, unless the command line says
    /// otherwise, and tells what they came to. The expectations of single designs are shown in
    /// their own results; a comparison judges nothing, so its exit code says only whether it is
    /// whole.
    pub fn hold(&self, designs: Vec<Design>) -> Exit {
        let Some(first) = designs.first().map(|design| &design.ready.scenario) else {
            return Exit::Nothing;
        };
        let seed = self.trials.seed.unwrap_or(first.seed);
        let asked = self.trials.number.unwrap_or(first.trials);
        if asked == 0 {
            complain(&format!("{}: no trials to run", self.name));
            return Exit::Nothing;
        }
        let crew = Crew::new(self.trials);
        let mut ran: Vec<(Design, Outcomes)> = Vec::new();
        for design in designs {
            match crew.run(&design.label, &design.ready, seed, 0..asked) {
                Ok(outcomes) => ran.push((design, outcomes)),
                Err(exit) => return exit,
            }
            if crew.interrupted() {
                break;
            }
        }
        let whole = !crew.interrupted();
        let exit = if whole { Exit::Good } else { Exit::Interrupted };
        // What was interrupted is compared over the trials that every design finished.
        let common = common(&ran);
        if common.is_empty() {
            return exit;
        }
        let (mut compared, mut sources) = (Vec::new(), Vec::new());
        for (design, outcomes) in ran {
            let Design { label, about, source, ready } = design;
            let kept = kept(outcomes, &common);
            sources.push((Source { seed, asked: kept.asked, ..source }, ready));
            let ready = sources.last().map(|(_, ready)| ready);
            compared.extend(ready.map(|ready| (label, about, found(ready, seed, kept))));
        }
        let comparison = Comparison::new(self.title.clone(), compared);
        let exit = exit.max(self.write(&comparison, &sources)).max(self.show(&comparison));
        if !self.html {
            return exit;
        }
        let place = self.out.join(&self.name);
        let quiet = self.trials.quiet;
        exit.max(page::of_designs(&place, self.ladder, &sources, &comparison, quiet))
    }

    fn write(&self, comparison: &Comparison, sources: &[(Source, Ready)]) -> Exit {
        let place = self.out.join(&self.name);
        let files = [
            ("comparison.json", pretty(&self.value(comparison)).into_bytes()),
            ("comparison.csv", csv::bytes(comparison)),
            ("comparison.md", markdown::text(comparison).into_bytes()),
        ];
        let mut written = folder::put_all(&place, &files);
        for (design, (source, _)) in comparison.designs.iter().zip(sources) {
            let folder = place.join(folder::safe(&design.label));
            let write = || folder::write(&folder, &design.findings, Some(source));
            written = written.and_then(|()| write());
        }
        match written {
            Ok(()) => Exit::Good,
            Err(error) => cannot_write(&place, &error),
        }
    }

    /// What `comparison.json` holds.
    fn value(&self, comparison: &Comparison) -> serde_json::Value {
        let mut value = json::value(comparison);
        value["kind"] = (if self.ladder { LADDER } else { "compare" }).into();
        value
    }

    fn show(&self, comparison: &Comparison) -> Exit {
        let mut out = Output::new();
        match self.format {
            Format::Human if self.trials.quiet => Exit::Good,
            Format::Human => out.say(&text::text(comparison)),
            Format::Json => out.say(&pretty(&self.value(comparison))),
            Format::Jsonl => out.say(&json::lines(comparison)),
            Format::Csv => out.say(&String::from_utf8_lossy(&csv::bytes(comparison))),
            Format::Markdown => out.say(&markdown::text(comparison)),
        }
    }
}

/// What the trials of a design say.
pub fn found(ready: &Ready, seed: u64, outcomes: Outcomes) -> Findings {
    let (scenario, roster) = (&ready.scenario, ready.stage.roster());
    let heading: Heading = heading(scenario, seed);
    Findings::new(heading, roster, &scenario.expectations, outcomes)
}

/// The trials that every design finished, in order.
fn common(ran: &[(Design, Outcomes)]) -> Vec<u64> {
    let Some((_, first)) = ran.first() else { return Vec::new() };
    let finished = |outcomes: &Outcomes, trial: u64| {
        outcomes.trials.binary_search_by_key(&trial, |t| t.trial).is_ok()
    };
    let trials = first.trials.iter().map(|trial| trial.trial);
    trials.filter(|trial| ran.iter().all(|(_, outcomes)| finished(outcomes, *trial))).collect()
}

fn kept(mut outcomes: Outcomes, trials: &[u64]) -> Outcomes {
    outcomes.trials.retain(|trial| trials.binary_search(&trial.trial).is_ok());
    outcomes
}
