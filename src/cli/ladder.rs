//! `ladder`: what each safety device of a scenario is worth.

use super::designs::{Contest, Design};
use super::files::{self, Text};
use super::output::tell;
use super::{Change, Exit, LadderArgs};
use regionsim::experiment::ladder::{Rung, rungs};
use regionsim::scenario::load_with;

/// Climbs the ladder; its first row is what `run` says.
pub fn ladder(args: &LadderArgs) -> Exit {
    let text = match files::read(&args.file) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let base = match files::ready(&text, &args.change, args.trials.quiet) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let label = super::run::heading(&base.scenario, 0).label();
    let rungs = rungs(&base.scenario.plan);
    let source = super::run::source(&text, &args.change, None, 0, 0);
    let (label_of, about) = ("as written".to_string(), String::new());
    let first = Design { label: label_of, about, source, ready: base };
    let mut designs = vec![first];
    designs.extend(rungs.iter().filter_map(|rung| step(args, &text, rung)));
    let title = format!("ladder of {label}");
    let (trials, out, format) = (&args.trials, args.out.as_path(), args.format);
    let (name, ladder, html) = (format!("ladder-{label}"), true, args.html);
    Contest { name, title, ladder, html, trials, out, format }.hold(designs)
}

/// The scenario with one device changed. Where the file would then have errors, the device cannot
/// be changed alone: said, and left out.
fn step(args: &LadderArgs, text: &Text, rung: &Rung) -> Option<Design> {
    let mut set = args.change.set.clone();
    set.extend(rung.set.iter().cloned());
    let variant = args.change.variant.clone();
    let (scenario, diagnostics) = load_with(&text.text, &set, variant.as_deref());
    if scenario.is_none() {
        let why = diagnostics.iter().find(|d| d.is_error()).map(|d| d.message.as_str());
        let why = why.unwrap_or("it cannot be read");
        if !args.trials.quiet {
            tell(&format!("left out: {} ({why})\n", rung.label));
        }
        return None;
    }
    let change = Change { variant, set };
    let ready = files::ready(text, &change, true).ok()?;
    let about = rung.set.iter().map(|(key, value)| format!("{key} = {value}"));
    let about = about.collect::<Vec<_>>().join(", ");
    let source = super::run::source(text, &change, None, 0, 0);
    Some(Design { label: rung.label.clone(), about, source, ready })
}
