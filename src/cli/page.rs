//! `--html`: the page about a run. The trials it shows are run once more, to see their lanes.

use super::files::{Ready, Text};
use super::output::{cannot_write, tell};
use super::{Change, Exit, folder};
use regionsim::experiment::caught;
use regionsim::report::Findings;
use regionsim::report::html::lanes::Lanes;
use regionsim::report::html::{self, Page, Pick};
use regionsim::scenario::explain::explain;
use regionsim::world::Limits;
use std::path::Path;

/// Writes it into the folder of the results.
pub fn write(
    folder: &Path,
    text: &Text,
    change: &Change,
    ready: &Ready,
    findings: &Findings,
    quiet: bool,
) -> Exit {
    if findings.outcomes.trials.is_empty() {
        return Exit::Good;
    }
    let (explanation, _) = explain(&text.text, &change.set, change.variant.as_deref());
    let Some(explanation) = explanation else { return Exit::BadScenario };
    let picks = html::picks(findings).into_iter();
    let trials: Vec<(Pick, Lanes)> =
        picks.filter_map(|pick| Some((pick.clone(), lanes(ready, findings, &pick)?))).collect();
    let command = command(text, change, findings);
    let page = Page {
        findings,
        trials: &trials,
        explanation: &explanation,
        text: &text.text,
        command: &command,
    };
    let written = folder::put_all(folder, &[("report.html", html::text(&page).into_bytes())]);
    match written {
        Ok(()) if quiet => Exit::Good,
        Ok(()) => {
            tell(&format!("page: {}\n", folder.join("report.html").display()));
            Exit::Good
        }
        Err(error) => cannot_write(folder, &error),
    }
}

fn lanes(ready: &Ready, findings: &Findings, pick: &Pick) -> Option<Lanes> {
    let window = html::window(findings, pick.at)?;
    let (seed, trial) = (findings.heading.seed, findings.outcomes.trials[pick.at].trial);
    let mut lanes = Lanes::new(ready.stage.roster(), window);
    let run = || ready.stage.run(seed, trial, &mut lanes, &Limits::default());
    // What panics now panicked before, and was told.
    caught(seed, trial, run).ok()?;
    Some(lanes.close())
}

/// The command that makes it again; of a path only the name, so that no machine's folders show.
fn command(text: &Text, change: &Change, findings: &Findings) -> String {
    let file = Path::new(&text.name)
        .file_name()
        .map_or(text.name.as_str().into(), |n| n.to_string_lossy());
    let (seed, trials) = (findings.heading.seed, findings.outcomes.asked);
    let mut command = format!("regionsim run {file} --seed {seed} --trials {trials} --html");
    if let Some(variant) = &change.variant {
        command.push_str(&format!(" --variant {variant}"));
    }
    for (key, value) in &change.set {
        command.push_str(&format!(" --set '{key}={value}'"));
    }
    command
}
