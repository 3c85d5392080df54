//! `run`: trials, judged, shown and written.

use super::files::{self, Ready, Text};
use super::output::{Output, complain, tell, watched};
use super::{Change, Exit, Format, RunArgs, folder};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use regionsim::experiment::{Bug, Divergence, Experiment, check};
use regionsim::report::findings::Heading;
use regionsim::report::recorder::Told;
use regionsim::report::trace::Words;
use regionsim::report::{Findings, csv, json, markdown, summary};
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many trials `--check-determinism` runs twice.
const CHECKED: u64 = 3;

/// The word that stands for the scenario as written and every variant in its file.
const ALL: &str = "all";

/// Runs all that was asked for.
pub fn run(args: &RunArgs) -> Exit {
    let (files, exit) = files::meant(&args.paths);
    let mut session = Session::new(args, exit);
    for file in &files {
        if session.interrupted() {
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
    stop: Arc<AtomicBool>,
    /// Results folders already written to in this session.
    taken: BTreeSet<String>,
    /// A line per scenario.
    lines: Vec<String>,
    /// What `--format json` prints at the end.
    values: Vec<Value>,
}

impl<'a> Session<'a> {
    fn new(args: &'a RunArgs, exit: Exit) -> Session<'a> {
        let stop = Arc::new(AtomicBool::new(false));
        catch_interrupt(&stop);
        let out = Output::new();
        let (taken, lines, values) = Default::default();
        Session { args, out, exit, stop, taken, lines, values }
    }

    fn note(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
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
            if !self.interrupted() {
                self.scenario(text, &change(Some(variant)));
            }
        }
    }

    fn scenario(&mut self, text: &Text, change: &Change) {
        match files::ready(text, change, self.args.quiet) {
            Ok(ready) => self.trials(text, &ready),
            Err(exit) => self.note(exit),
        }
    }

    fn trials(&mut self, text: &Text, ready: &Ready) {
        let scenario = &ready.scenario;
        let heading = Heading {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            question: scenario.question.clone(),
            variant: scenario.variant.clone(),
            digest: scenario.digest,
            seed: self.args.seed.unwrap_or(scenario.seed),
        };
        let label = heading.label();
        if !self.taken.insert(label.clone()) {
            complain(&format!("{}: there was a scenario `{label}` before this one", text.name));
            return self.note(Exit::BadScenario);
        }
        let asked = self.args.trials.unwrap_or(scenario.trials);
        if asked == 0 {
            complain(&format!("{label}: no trials to run"));
            return self.note(Exit::Nothing);
        }
        let stop = Arc::clone(&self.stop);
        let events = Limits::default().events;
        if self.args.check_determinism {
            let checked = check(&ready.stage, heading.seed, 0..asked.min(CHECKED), events, &stop);
            match checked {
                Err(bug) => return self.bug(&label, &bug),
                Ok(Some(found)) => {
                    complain(&parting(&label, &found, ready));
                    self.note(Exit::Wavering);
                }
                Ok(None) => {}
            }
        }
        let experiment = Experiment {
            stage: &ready.stage,
            settings: &scenario.settings,
            seed: heading.seed,
            trials: 0..asked,
            jobs: self.jobs(),
            events,
            stop: &stop,
        };
        let bar = self.bar(&label, asked);
        let outcomes = experiment.run(&|_| bar.inc(1));
        bar.finish_and_clear();
        match outcomes {
            Err(bug) => self.bug(&label, &bug),
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
            Format::Human if self.args.quiet => Exit::Good,
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

    fn bug(&mut self, label: &str, Bug { seed, trial, message }: &Bug) {
        complain(&format!(
            "{label}: a bug of ours in trial {trial} of seed {seed}: {message}\n  \
             to see it again: regionsim trace FILE --seed {seed} --trial {trial}"
        ));
        self.note(Exit::Bug);
    }

    fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.args.jobs.map_or_else(cores, |jobs| jobs as usize)
    }

    fn bar(&self, label: &str, trials: u64) -> ProgressBar {
        if self.args.quiet || self.args.no_progress || !watched() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr());
        let template = "{msg} {bar:30} {pos}/{len} trials, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label.to_string());
        bar
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
        if self.args.format == Format::Human && !self.args.quiet && self.lines.len() > 1 {
            let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
            let exit = self.out.say(&format!("\n{lines}"));
            self.note(exit);
        }
        if self.interrupted() {
            self.note(Exit::Interrupted);
        }
        self.exit
    }
}

/// The first interruption asks to end, the second ends.
fn catch_interrupt(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    let caught = ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tell("interrupted: keeping what is finished; once more to end at once\n");
    });
    // Without a handler an interruption ends the program; files are whole all the same.
    if let Err(error) = caught {
        tell(&format!("warning: interruptions will not be caught: {error}\n"));
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
