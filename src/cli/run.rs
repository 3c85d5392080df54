//! `run`: trials, judged, shown and written.

use super::ci::Ci;
use super::crew::Crew;
use super::files::{self, Ready, Text};
use super::output::{complain, tell};
use super::shown::Shown;
use super::{Change, Exit, RunArgs, page, shard};
use regionsim::experiment::{Divergence, Outcomes, Part, Shard, Source, Until, check};
use regionsim::report::Findings;
use regionsim::report::findings::Heading;
use regionsim::report::recorder::Told;
use regionsim::report::trace::Words;
use regionsim::scenario::Scenario;
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use std::collections::BTreeSet;
use std::ops::Range;

/// How many trials `--check-determinism` runs twice.
const CHECKED: u64 = 3;

/// The word that stands for the scenario as written and every variant in its file.
const ALL: &str = "all";

/// Runs all that was asked for.
pub fn run(args: &RunArgs) -> Exit {
    let (files, exit) = files::meant(&args.paths);
    // Read once, whatever the number of scenarios: it may be standard input.
    let judge = match args.expect.as_deref().map(files::read).transpose() {
        Ok(judge) => judge,
        Err(exit) => return exit,
    };
    let mut session = Session::new(args, judge, exit);
    for file in &files {
        if session.crew.interrupted() {
            break;
        }
        match files::read(file) {
            Ok(text) => session.file(&text),
            Err(exit) => session.note(exit),
        }
    }
    if session.crew.interrupted() {
        session.note(Exit::Interrupted);
    }
    session.shown.note(session.ci.end());
    session.shown.end()
}

struct Session<'a> {
    args: &'a RunArgs,
    shown: Shown<'a>,
    crew: Crew,
    ci: Ci<'a>,
    /// Who judges in the author's place.
    judge: Option<Text>,
    /// Results folders already written to in this session.
    taken: BTreeSet<String>,
}

impl<'a> Session<'a> {
    fn new(args: &'a RunArgs, judge: Option<Text>, exit: Exit) -> Session<'a> {
        let mut shown = Shown::new(&args.out, args.format, args.trials.quiet, args.ascii);
        shown.note(exit);
        let (crew, ci) = (Crew::new(&args.trials), Ci::new(&args.ci));
        Session { args, shown, crew, ci, judge, taken: BTreeSet::new() }
    }

    fn note(&mut self, exit: Exit) {
        self.shown.note(exit);
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
        let ready = files::ready(text, change, self.args.trials.quiet);
        let judged = ready.and_then(|mut ready| {
            if let Some(judge) = &self.judge {
                files::judged_by(&mut ready.scenario, judge, self.args.trials.quiet)?;
            }
            Ok(ready)
        });
        match judged {
            Ok(ready) => self.trials(text, change, &ready),
            Err(exit) => self.note(exit),
        }
    }

    fn trials(&mut self, text: &Text, change: &Change, ready: &Ready) {
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
        let part = self.args.shard.unwrap_or(Part::WHOLE);
        match self.outcomes(&label, ready, heading.seed, part.trials(asked)) {
            Err(exit) => self.note(exit),
            Ok(outcomes) if self.args.shard.is_some() => {
                let source = source(text, change, self.judge.as_ref(), heading.seed, asked);
                let folder = self.args.out.join(&label);
                self.note(shard::keep(&folder, &label, &Shard::new(source, part, &outcomes)));
            }
            Ok(outcomes) => {
                let roster = ready.stage.roster();
                let source =
                    source(text, change, self.judge.as_ref(), heading.seed, outcomes.asked);
                let findings = Findings::new(heading, roster, &scenario.expectations, outcomes);
                let judge = self.judge.as_ref().unwrap_or(text);
                self.ci.judge(&findings, &source, judge, &mut self.shown);
                if self.args.html {
                    let (folder, quiet) = (self.args.out.join(&label), self.args.trials.quiet);
                    self.note(page::of_run(&folder, &source, ready, &findings, quiet));
                }
            }
        }
    }
}

impl Session<'_> {
    /// Runs these trials; with `--until-ci` in batches, until enough is known.
    fn outcomes(
        &mut self,
        label: &str,
        ready: &Ready,
        seed: u64,
        trials: Range<u64>,
    ) -> Result<Outcomes, Exit> {
        let Some(until) = &self.args.until_ci else {
            return self.crew.run(label, ready, seed, trials);
        };
        self.crew.share_a_bar(label, trials.end);
        let mut outcomes = Outcomes::default();
        while outcomes.asked < trials.end && !outcomes.interrupted() {
            let done = outcomes.asked;
            let batch = done..Until::next(done, trials.end);
            let found = self.crew.run(label, ready, seed, batch)?;
            outcomes = Outcomes::join(vec![outcomes, found]);
            if until.reached(&outcomes) {
                break;
            }
        }
        self.crew.end_the_bar();
        if !self.args.trials.quiet {
            tell(&format!("{label}: {}\n", until.told(&outcomes)));
        }
        Ok(outcomes)
    }
}

/// What is run, and what was applied to it.
pub fn source(text: &Text, change: &Change, judge: Option<&Text>, seed: u64, asked: u64) -> Source {
    let Change { variant, set } = change.clone();
    let expect = judge.map(|judge| judge.text.clone());
    Source { text: text.text.clone(), expect, variant, set, seed, asked }
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
