//! `run`: trials, judged, shown and written.

use super::crew::Crew;
use super::files::{self, Ready, Text};
use super::output::{Output, complain};
use super::{Change, Exit, Format, RunArgs, folder};
use regionsim::experiment::{Divergence, check};
use regionsim::report::findings::Heading;
use regionsim::report::recorder::Told;
use regionsim::report::trace::Words;
use regionsim::report::{Findings, csv, json, markdown, summary};
use regionsim::scenario::Scenario;
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How many trials `--check-determinism` runs twice.
const CHECKED: u64 = 3;

/// The word that stands for the scenario as written and every variant in its file.
const ALL: &str = "all";

/// Runs all that was asked for.
pub fn run(args: &RunArgs) -> Exit {
    let (files, exit) = files::meant(&args.paths);
    let mut session = Session::new(args, exit);
    for file in &files {
        if session.crew.interrupted() {
            break;
        }
        match files::read(file) {
            Ok(text) => session.file(&text),
            Err(exit) => session.note(exit),
        }
    }
    session.end()
}

struct Session<'a> {
    args: &'a RunArgs,
    out: Output,
    exit: Exit,
    crew: Crew,
    /// Results folders already written to in this session.
    taken: BTreeSet<String>,
    /// A line per scenario.
    lines: Vec<String>,
    /// What `--format json` prints at the end.
    values: Vec<Value>,
}

impl<'a> Session<'a> {
    fn new(args: &'a RunArgs, exit: Exit) -> Session<'a> {
        let (taken, lines, values) = Default::default();
        let (out, crew) = (Output::new(), Crew::new(&args.trials));
        Session { args, out, exit, crew, taken, lines, values }
    }

    fn note(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    /// The scenario of a file, or with `--variant all` each of its variants as well.
    fn file(&mut self, text: &Text) {
        let args = self.args;
        let change = |variant: Option<String>| Change { variant, set: args.change.set.clone() };
        if args.change.variant.as_deref() != Some(ALL) {
            return self.scenario(text, &change(args.change.variant.clone()));
        }
        let (scenario, _) = regionsim::scenario::load_with(&text.text, &args.change.set, None);
        self.scenario(text, &change(None));
        for variant in scenario.map(|scenario| scenario.variants).unwrap_or_default() {
            if !self.crew.interrupted() {
                self.scenario(text, &change(Some(variant)));
            }
        }
    }

    fn scenario(&mut self, text: &Text, change: &Change) {
        match files::ready(text, change, self.args.trials.quiet) {
            Ok(ready) => self.trials(text, &ready),
            Err(exit) => self.note(exit),
        }
    }

    fn trials(&mut self, text: &Text, ready: &Ready) {
        let scenario = &ready.scenario;
        let heading = heading(scenario, self.args.trials.seed.unwrap_or(scenario.seed));
        let label = heading.label();
        if !self.taken.insert(label.clone()) {
            complain(&format!("{}: there was a scenario `{label}` before this one", text.name));
            return self.note(Exit::BadScenario);
        }
        let asked = self.args.trials.number.unwrap_or(scenario.trials);
        if asked == 0 {
            complain(&format!("{label}: no trials to run"));
            return self.note(Exit::Nothing);
        }
        if self.args.check_determinism {
            let (seed, events) = (heading.seed, Limits::default().events);
            let stop = self.crew.stop();
            match check(&ready.stage, seed, 0..asked.min(CHECKED), events, stop) {
                Err(bug) => return self.note(self.crew.bug(&label, &bug)),
                Ok(Some(found)) => {
                    complain(&parting(&label, &found, ready));
                    self.note(Exit::Wavering);
                }
                Ok(None) => {}
            }
        }
        match self.crew.run(&label, ready, heading.seed, 0..asked) {
            Err(exit) => self.note(exit),
            Ok(outcomes) => {
                let roster = ready.stage.roster();
                let findings = Findings::new(heading, roster, &scenario.expectations, outcomes);
                self.found(&findings);
            }
        }
    }

    /// Judges, writes and shows.
    fn found(&mut self, findings: &Findings) {
        let label = findings.heading.label();
        if findings.outcomes.interrupted() {
            self.note(Exit::Interrupted);
        }
        if findings.outcomes.trials.is_empty() {
            // Nothing was finished: results that stand there already stay.
            return;
        }
        self.note(findings.ruling().into());
        if findings.outcomes.halted() {
            self.note(Exit::Inconclusive);
        }
        let folder: PathBuf = self.args.out.join(&label);
        if let Err(error) = folder::write(&folder, findings) {
            complain(&format!("cannot write {}: {error}", folder.display()));
            self.note(Exit::Io);
        }
        let first = self.lines.is_empty();
        self.lines.push(summary::line(findings));
        let exit = match self.args.format {
            Format::Human if self.args.trials.quiet => Exit::Good,
            Format::Human => {
                let gap = if first { "" } else { "\n" };
                let colour = self.out.colour();
                self.out.say(&format!("{gap}{}", summary::text(findings, colour)))
            }
            Format::Json => {
                self.values.push(json::value(findings));
                Exit::Good
            }
            Format::Jsonl => self.out.say(&json::lines(findings)),
            Format::Csv => {
                let mut rows = if first { csv::metrics_header() } else { Vec::new() };
                rows.extend(csv::metrics(findings));
                self.out.say(&String::from_utf8_lossy(&rows))
            }
            Format::Markdown => self.out.say(&markdown::text(findings)),
        };
        self.note(exit);
    }

    fn end(mut self) -> Exit {
        if self.args.format == Format::Json && !self.values.is_empty() {
            let value = match self.values.len() {
                1 => self.values.remove(0),
                _ => Value::Array(std::mem::take(&mut self.values)),
            };
            let exit = self.out.say(&json::pretty(&value));
            self.note(exit);
        }
        if self.args.format == Format::Human && !self.args.trials.quiet && self.lines.len() > 1 {
            let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
            let exit = self.out.say(&format!("\n{lines}"));
            self.note(exit);
        }
        if self.crew.interrupted() {
            self.note(Exit::Interrupted);
        }
        self.exit
    }
}

/// What a scenario is called in reports.
pub fn heading(scenario: &Scenario, seed: u64) -> Heading {
    Heading {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        variant: scenario.variant.clone(),
        digest: scenario.digest,
        seed,
    }
}

/// Where two runs of a trial part, for people.
fn parting(label: &str, found: &Divergence, ready: &Ready) -> String {
    let words = Words(ready.stage.roster());
    let show = |seen: &Option<(SimTime, Told)>| match seen {
        Some((at, told)) => format!("{at}  {}  {told:?}", words.sentence(told)),
        None => "(the run was over)".to_string(),
    };
    let mut text =
        format!("{label}: trial {} of seed {} did not repeat itself", found.trial, found.seed);
    match found.at {
        Some(at) => text.push_str(&format!(
            "\n  the first difference is observation {at}:\n  once:  {}\n  again: {}",
            show(&found.first),
            show(&found.second)
        )),
        None => text.push_str(&format!(
            "\n  somewhere in observations {} to {}; further runs agreed there",
            found.within.start, found.within.end
        )),
    }
    text
}
