//! `trace`: one trial as a story.

use super::files::{self, Ready};
use super::output::{complain, io_exit};
use super::run::heading;
use super::{Exit, TraceArgs};
use regionsim::experiment::{Bug, Experiment};
use regionsim::measure::{Oracle, Verdict};
use regionsim::report::findings::HEADLINES;
use regionsim::report::pictures::{Scene, Way};
use regionsim::report::trace::{Filter, KINDS, Manner, Teller, parse_time};
use regionsim::report::{Findings, html, number};
use regionsim::sim::Span;
use regionsim::world::Limits;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells a trial while it runs.
pub fn trace(args: &TraceArgs) -> Exit {
    let text = match files::read(&args.file) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let ready = match files::ready(&text, &args.change, true) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let filter = match filter(args, &ready) {
        Ok(filter) => filter,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let seed = args.seed.unwrap_or(ready.scenario.seed);
    let told = regionsim::experiment::caught(seed, args.trial, || match Way::find(&args.to) {
        Some(way) => draw(args, &ready, &filter, seed, way),
        None => tell(args, &ready, filter, seed),
    });
    match told {
        Ok(Ok(())) => Exit::Good,
        Ok(Err(error)) => io_exit(&error),
        Err(Bug { seed, trial, message }) => {
            complain(&format!("a bug of ours in trial {trial} of seed {seed}: {message}"));
            Exit::Bug
        }
    }
}

fn filter(args: &TraceArgs, ready: &Ready) -> Result<Filter, String> {
    let time = |text: &Option<String>| text.as_deref().map(parse_time).transpose();
    let mut filter = Filter::default();
    filter.from = time(&args.from)?;
    filter.to = time(&args.until)?;
    filter.kinds.extend(
        KINDS.iter().filter(|(word, _)| args.kind.iter().any(|k| k == word)).map(|(_, kind)| *kind),
    );
    for name in &args.node {
        filter.add_name(name, ready.stage.roster())?;
    }
    Ok(filter)
}

fn tell(args: &TraceArgs, ready: &Ready, filter: Filter, seed: u64) -> io::Result<()> {
    let (stage, scenario) = (&ready.stage, &ready.scenario);
    let json = args.to == "jsonl";
    let stop = AtomicBool::new(false);
    let mut out =
        Listener { out: BufWriter::with_capacity(1 << 16, io::stdout().lock()), stop: &stop };
    if !json {
        let variant = scenario.variant.as_ref().map_or(String::new(), |v| format!("@{v}"));
        writeln!(out, "{}{variant}, trial {} of seed {seed}", scenario.name, args.trial)?;
        writeln!(out, "What happened; and, after \"said:\", what a node believed.\n")?;
    }
    let manner = Manner { filter, all: args.all, json, bin: Span::from_secs(1) };
    let teller = Teller::new(stage.roster(), manner, &mut out);
    let mut observers = (teller, Oracle::new(stage.roster(), &scenario.settings));
    let limits = Limits { stop: Some(&stop), ..Limits::default() };
    let finish = stage.run(seed, args.trial, &mut observers, &limits);
    let (teller, oracle) = observers;
    teller.finish(finish.at)?;
    if !json {
        out.write_all(ending(&oracle.verdict(finish.at), finish.halted).as_bytes())?;
    }
    out.flush()
}

/// Runs a trial twice: to know when the incident was, and to draw it.
fn draw(args: &TraceArgs, ready: &Ready, filter: &Filter, seed: u64, way: &Way) -> io::Result<()> {
    let (stage, scenario, trial) = (&ready.stage, &ready.scenario, args.trial);
    let (settings, jobs, events) = (&scenario.settings, 1, Limits::default().events);
    let stop = AtomicBool::new(false);
    let trials = trial..trial.saturating_add(1);
    let once = Experiment { stage, settings, seed, trials, jobs, events, stop: &stop };
    let outcomes = once.run(&|_| ()).unwrap_or_else(|bug| panic!("{}", bug.message));
    let heading = heading(scenario, seed);
    let title = format!("{}, trial {trial} of seed {seed}", heading.label());
    let findings = Findings::new(heading, stage.roster(), &scenario.expectations, outcomes);
    let roster = stage.roster();
    // Where nothing happens the first minute is as good as any.
    let calm = (roster.warmup, (roster.warmup + Span::from_secs(60)).min(roster.end));
    let found = html::incident(&findings, 0).or(html::window(&findings, 0)).unwrap_or(calm);
    let from = filter.from.unwrap_or(found.0);
    let window = (from, filter.to.unwrap_or(found.1).max(from));
    let incidents = findings.outcomes.trials.iter().flat_map(|trial| trial.incidents.clone());
    let scene = Scene { title, window, incidents: incidents.collect() };
    let mut drawing = (way.begin)(roster, scene);
    stage.run(seed, trial, &mut drawing, &Limits::default());
    let mut out = io::stdout().lock();
    out.write_all(drawing.text().as_bytes())?;
    out.flush()
}

/// What it came to, in a line.
fn ending(verdict: &Verdict, halted: bool) -> String {
    if halted {
        return "\nhalted at the limit of events\n".to_string();
    }
    let plain = |(key, sample): &&(regionsim::measure::MetricKey, regionsim::measure::Sample)| {
        key.labels.iter().all(|(label, _)| *label == "store") && sample.range().is_some()
    };
    let mut parts = Vec::new();
    for name in HEADLINES {
        for (key, sample) in verdict.metrics.iter().filter(|(k, _)| k.name == name).filter(plain) {
            let (low, high) = sample.range().unwrap_or_default();
            let value = number::show_open(key.doc().unit, low, high > low);
            parts.push(format!("{key} {value}"));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("\nIn the end: {}\n", parts.join(" · "))
}

/// Ends the run when nobody listens any more.
struct Listener<'a, W: Write> {
    out: W,
    stop: &'a AtomicBool,
}

impl<W: Write> Write for Listener<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|_| self.stop.store(true, Ordering::Relaxed))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
