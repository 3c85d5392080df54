//! `--html`, and `report` afterwards: the page about results. The trials it shows are run once more,
//! to see their lanes.

use super::files::Ready;
use super::output::{cannot_write, tell};
use super::{Exit, folder};
use rayon::prelude::*;
use regionsim::experiment::{Source, caught};
use regionsim::model::fact::{Claim, Fact, Observer};
use regionsim::model::id::NodeId;
use regionsim::report::Findings;
use regionsim::report::comparison::Comparison;
use regionsim::report::html::lanes::Lanes;
use regionsim::report::html::{self, Origin, Page, Pick, Shown, Subject};
use regionsim::report::sweep::Sweep;
use regionsim::scenario::explain::explain;
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most designs of which a trial is shown.
const DESIGNS: usize = 8;

/// The page about one scenario.
pub fn of_run(
    folder: &Path,
    source: &Source,
    ready: &Ready,
    findings: &Findings,
    quiet: bool,
) -> Exit {
    let picks = html::picks(findings);
    let shown = picks.into_par_iter().filter_map(|pick| shown(ready, findings, "", pick));
    let shown: Vec<Shown<'_>> = shown.collect();
    let command = format!("regionsim run {}{} --html", file(ready), applied(source, true));
    let parts = Parts { folder, source, shown: &shown, command: &command, quiet };
    parts.write(Subject::Run(findings), &[origin(findings, source)])
}

/// The page about several designs, or about the rungs of a ladder.
pub fn of_designs(
    folder: &Path,
    ladder: bool,
    designs: &[(Source, Ready)],
    comparison: &Comparison,
    quiet: bool,
) -> Exit {
    let (Some((source, ready)), Some(first)) = (designs.first(), comparison.designs.first()) else {
        return Exit::Nothing;
    };
    let mut picks = html::picks(&first.findings);
    picks.truncate(2);
    // Of every other design the same trial as the first one shown.
    let same = picks.first().map(|pick| Pick { at: pick.at, why: "the same trial" });
    let mut wanted: Vec<(usize, Pick)> = picks.into_iter().map(|pick| (0, pick)).collect();
    let others = (1..designs.len().min(DESIGNS)).flat_map(|i| same.clone().map(|pick| (i, pick)));
    wanted.extend(others);
    let shown = wanted.into_par_iter().filter_map(|(i, pick)| {
        let design = comparison.designs.get(i)?;
        shown(&designs.get(i)?.1, &design.findings, &design.label, pick)
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    let command = match ladder {
        true => format!("regionsim ladder {}{} --html", file(ready), applied(source, true)),
        false => compare_command(designs),
    };
    let origins = comparison.designs.iter().zip(designs);
    let origins = origins.map(|(design, (source, _))| Origin {
        label: design.label.clone(),
        ..origin(&design.findings, source)
    });
    let origins: Vec<Origin> = origins.collect();
    let parts = Parts { folder, source, shown: &shown, command: &command, quiet };
    let subject = if ladder { Subject::Ladder(comparison) } else { Subject::Compare(comparison) };
    parts.write(subject, &origins)
}

/// The page about a sweep.
pub fn of_sweep(folder: &Path, source: &Source, ready: &Ready, sweep: &Sweep, quiet: bool) -> Exit {
    let mut command = format!("regionsim sweep {}", file(ready));
    for axis in &sweep.axes {
        command.push_str(&format!(" -L {} {}", axis.key, quoted(&axis.values.join(","))));
    }
    sweep.shown.iter().for_each(|key| command.push_str(&format!(" --metric '{key}'")));
    command.push_str(&format!("{} --html", applied(source, true)));
    let origin = Origin {
        label: sweep.label.clone(),
        digest: ready.scenario.digest,
        text: source.text.clone(),
    };
    let parts = Parts { folder, source, shown: &[], command: &command, quiet };
    parts.write(Subject::Sweep(sweep), &[origin])
}

/// What every page is written with.
struct Parts<'a> {
    folder: &'a Path,
    source: &'a Source,
    shown: &'a [Shown<'a>],
    command: &'a str,
    quiet: bool,
}

impl Parts<'_> {
    fn write(&self, subject: Subject<'_>, origins: &[Origin]) -> Exit {
        let Source { text, set, variant, .. } = self.source;
        let (explanation, _) = explain(text, set, variant.as_deref());
        let Some(explanation) = explanation else { return Exit::BadScenario };
        let (shown, command) = (self.shown, self.command);
        let page = Page { subject, shown, explanation: &explanation, origins, command };
        let Some(text) = html::text(&page) else { return Exit::Good };
        let written = folder::put_all(self.folder, &[("report.html", text.into_bytes())]);
        match written {
            Ok(()) if self.quiet => Exit::Good,
            Ok(()) => {
                tell(&format!("page: {}\n", self.folder.join("report.html").display()));
                Exit::Good
            }
            Err(error) => cannot_write(self.folder, &error),
        }
    }
}

/// Runs a trial again to see its lanes, as far as they are shown. What panics now panicked before,
/// and was told.
fn shown<'f>(ready: &Ready, findings: &'f Findings, design: &str, pick: Pick) -> Option<Shown<'f>> {
    let window = html::window(findings, pick.at)?;
    let near = html::incident(findings, pick.at);
    let (seed, trial) = (findings.heading.seed, findings.outcomes.trials[pick.at].trial);
    let roster = ready.stage.roster();
    let stop = AtomicBool::new(false);
    let whole = Lanes::new(roster, window);
    let near = near.map(|near| Lanes::new(roster, near));
    let mut seen = ((whole, near), Until { end: window.1, stop: &stop });
    let limits = Limits { stop: Some(&stop), ..Limits::default() };
    caught(seed, trial, || ready.stage.run(seed, trial, &mut seen, &limits)).ok()?;
    let ((whole, near), _) = seen;
    let (whole, near) = (whole.close(), near.map(Lanes::close));
    Some(Shown { design: design.to_string(), findings, pick, whole, near })
}

/// Ends a run when all that is shown has been seen.
struct Until<'a> {
    end: SimTime,
    stop: &'a AtomicBool,
}

impl Observer for Until<'_> {
    fn on_fact(&mut self, at: SimTime, _: &Fact) {
        if at > self.end {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
    fn on_claim(&mut self, _: SimTime, _: NodeId, _: &Claim) {}
}

fn origin(findings: &Findings, source: &Source) -> Origin {
    let heading = &findings.heading;
    Origin { label: heading.label(), digest: heading.digest, text: source.text.clone() }
}

/// What the scenario's file is called in a command: the name of the scenario, for where the file
/// was on this machine is nobody's concern.
fn file(ready: &Ready) -> String {
    format!("{}.toml", ready.scenario.name)
}

/// The options that say which trials, and what was applied to the file.
fn applied(source: &Source, variant: bool) -> String {
    let mut options = format!(" --seed {} --trials {}", source.seed, source.asked);
    if let Some(variant) = source.variant.as_ref().filter(|_| variant) {
        options.push_str(&format!(" --variant {variant}"));
    }
    for (key, value) in &source.set {
        options.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
    }
    options
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,=%/:".contains(c);
    if text.chars().all(plain) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Designs of one file are its variants; of several, the files.
fn compare_command(designs: &[(Source, Ready)]) -> String {
    let Some((first, ready)) = designs.first() else { return String::new() };
    if designs.iter().all(|(source, _)| source.text == first.text) {
        let names = designs.iter().map(|(s, _)| s.variant.clone().unwrap_or("base".to_string()));
        let names = names.collect::<Vec<_>>().join(",");
        let options = applied(first, false);
        return format!("regionsim compare {} --variant {names}{options} --html", file(ready));
    }
    let mut files: Vec<String> = Vec::new();
    for (_, ready) in designs {
        let name = file(ready);
        if !files.contains(&name) {
            files.push(name);
        }
    }
    let variants = designs.iter().any(|(source, _)| source.variant.is_some());
    let variants = if variants { " --variants" } else { "" };
    format!("regionsim compare {}{variants}{} --html", files.join(" "), applied(first, false))
}
