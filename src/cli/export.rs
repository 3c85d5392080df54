//! `export`: the history of one trial, for checkers that others wrote.

use super::files;
use super::output::{complain, io_exit};
use super::{Exit, ExportArgs};
use regionsim::experiment::{Bug, caught};
use regionsim::model::id::GroupId;
use regionsim::report::export::{FORMATS, Format, Historian, WORKLOADS, Workload};
use regionsim::world::Limits;
use std::io::{self, Write};

/// Runs a trial and writes its history to standard output.
pub fn export(args: &ExportArgs) -> Exit {
    let text = match files::read(&args.file) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let ready = match files::ready(&text, &args.change, true) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let roster = ready.stage.roster();
    let asked: Result<_, String> = format(&args.to, args.workload.as_deref());
    let asked = asked.and_then(|asked| {
        let names: Vec<&str> =
            roster.groups.iter().filter(|g| g.is_store).map(|g| g.name.as_str()).collect();
        let wanted = args.store.as_deref().or(names.first().copied()).unwrap_or_default();
        if args.store.is_none() && names.len() > 1 {
            return Err(format!("state --store: there are {}", names.join(", ")));
        }
        let group = roster.groups.iter().position(|group| group.is_store && group.name == wanted);
        let group =
            group.ok_or_else(|| format!("no store `{wanted}`; there are {}", names.join(", ")))?;
        let keyed = roster.groups[group].ring.is_some();
        if keyed && asked.1 != Workload::Register {
            return Err(format!(
                "`{wanted}` keeps one version per key: it has registers, no lists or sets"
            ));
        }
        Ok((asked, GroupId::of(group)))
    });
    let ((format, workload), group) = match asked {
        Ok(asked) => asked,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    let (seed, trial) = (args.seed.unwrap_or(ready.scenario.seed), args.trial);
    let mut historian = Historian::new(roster, group);
    let run = || ready.stage.run(seed, trial, &mut historian, &Limits::default());
    let finish = match caught(seed, trial, run) {
        Ok(finish) => finish,
        Err(Bug { seed, trial, message }) => {
            complain(&format!("a bug of ours in trial {trial} of seed {seed}: {message}"));
            return Exit::Bug;
        }
    };
    let history = (format.text)(&historian.history(finish.at), workload);
    let mut out = io::stdout().lock();
    let written = out.write_all(history.as_bytes()).and_then(|()| out.flush());
    written.map_or_else(|error| io_exit(&error), |()| Exit::Good)
}

/// The format, and what operations are told as in it.
fn format(word: &str, workload: Option<&str>) -> Result<(&'static Format, Workload), String> {
    let known = || FORMATS.map(|format| format.word).join(", ");
    let format = Format::find(word).ok_or_else(|| format!("expected one of {}", known()))?;
    let name = |of: &Workload| WORKLOADS.iter().find(|(_, w)| w == of).map_or("", |(name, _)| name);
    let Some(word) = workload else { return Ok((format, format.workloads[0])) };
    let mut workloads = format.workloads.iter();
    let found = workloads.find(|workload| name(workload) == word).ok_or_else(|| {
        let names: Vec<&str> = format.workloads.iter().map(name).collect();
        format!("`{}` has no workload `{word}`; it has {}", format.word, names.join(", "))
    });
    Ok((format, *found?))
}
