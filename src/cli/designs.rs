//! Several designs over the same trials: run one after the other, compared, written, shown.

use super::crew::Crew;
use super::files::Ready;
use super::folder;
use super::output::{Output, cannot_write, complain};
use super::run::heading;
use super::{Exit, Format, TrialArgs};
use regionsim::experiment::Outcomes;
use regionsim::report::comparison::{Comparison, csv, json, markdown, text};
use regionsim::report::json::pretty;
use regionsim::report::{Findings, findings::Heading};
use std::path::Path;

/// One of the designs that are compared.
pub struct Design {
    /// What it is called in the comparison.
    pub label: String,
    /// What it is, in a sentence; empty where the label says it.
    pub about: String,
    /// The scenario of it.
    pub ready: Ready,
}

/// How designs are compared and shown.
pub struct Contest<'a> {
    /// The name of the results folder below `out`, and of the comparison.
    pub name: String,
    /// The word for what this is.
    pub title: String,
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
        let compared = ran.into_iter().map(|(design, outcomes)| {
            let Design { label, about, ready: Ready { scenario, stage } } = design;
            let heading: Heading = heading(&scenario, seed);
            let kept = kept(outcomes, &common);
            let findings = Findings::new(heading, stage.roster(), &scenario.expectations, kept);
            (label, about, findings)
        });
        let comparison = Comparison::new(self.title.clone(), compared.collect());
        exit.max(self.write(&comparison)).max(self.show(&comparison))
    }

    fn write(&self, comparison: &Comparison) -> Exit {
        let place = self.out.join(&self.name);
        let files = [
            ("comparison.json", pretty(&json::value(comparison)).into_bytes()),
            ("comparison.csv", csv::bytes(comparison)),
            ("comparison.md", markdown::text(comparison).into_bytes()),
        ];
        let mut written = folder::put_all(&place, &files);
        for design in &comparison.designs {
            let folder = place.join(folder::safe(&design.label));
            written = written.and_then(|()| folder::write(&folder, &design.findings));
        }
        match written {
            Ok(()) => Exit::Good,
            Err(error) => cannot_write(&place, &error),
        }
    }

    fn show(&self, comparison: &Comparison) -> Exit {
        let mut out = Output::new();
        match self.format {
            Format::Human if self.trials.quiet => Exit::Good,
            Format::Human => out.say(&text::text(comparison)),
            Format::Json => out.say(&pretty(&json::value(comparison))),
            Format::Jsonl => out.say(&json::lines(comparison)),
            Format::Csv => out.say(&String::from_utf8_lossy(&csv::bytes(comparison))),
            Format::Markdown => out.say(&markdown::text(comparison)),
        }
    }
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
