//! `explain`: the scenario as it was understood.

use super::files;
use super::output::Output;
use super::{Exit, ExplainArgs};
use regionsim::model::id::FaultId;
use regionsim::report;
use regionsim::scenario;

/// Prints values with their origins, round trips, and the calendar of the first trials.
pub fn explain(args: &ExplainArgs) -> Exit {
    let text = match files::read(&args.file) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let ready = match files::ready(&text, &args.change, false) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let variant = args.change.variant.as_deref();
    let (explanation, _) = scenario::explain::explain(&text.text, &args.change.set, variant);
    let Some(explanation) = explanation else { return Exit::BadScenario };
    let seed = args.seed.unwrap_or(ready.scenario.seed);
    let calendars: Vec<_> =
        (0..args.trials).map(|trial| (trial, ready.stage.calendar(seed, trial))).collect();
    let roster = ready.stage.roster();
    let faults = (0..roster.faults.len()).map(FaultId::of);
    let foreseen: Vec<bool> = faults.map(|fault| ready.stage.is_foreseen(fault)).collect();
    // Origins name lines of one file: its folder would only be in the way.
    let file = text.name.rsplit('/').next().unwrap_or_default();
    let told = report::explain::text(&explanation, file, roster, seed, &foreseen, &calendars);
    Output::new().say(&told)
}
