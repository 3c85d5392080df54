//! The windows of `[measure.window.NAME]`: names that mean something else, times that hold
//! nothing, events of faults that there are not; and the fault of `measure.onset`.

use super::cues::cue;
use super::draft::{Draft, check_name};
use super::names::suggest_few;
use crate::measure::metric::WINDOWS;
use crate::measure::windows::WindowTable;
use crate::sim::param::{Name, Node, Place, Problems};
use crate::world::plan::Plan;

/// Where errors and doubts go.
pub struct Found<'a> {
    /// What cannot be.
    pub errors: &'a mut Problems,
    /// What was hardly meant.
    pub doubts: &'a mut Problems,
}

/// The most windows: each keeps the latencies of every population.
pub const LIMIT_WINDOWS: usize = 32;

/// Checks every window of the file.
pub fn check(draft: &Draft, plan: &Plan, windows: &[(Name, WindowTable)], found: &mut Found<'_>) {
    if let Some((name, _)) = windows.get(LIMIT_WINDOWS) {
        let message = format!("{} windows; the limit is {LIMIT_WINDOWS}", windows.len());
        found.errors.add(&name.place, message);
    }
    let tables = draft.measure.as_ref().and_then(|entry| entry.node.get("window"));
    for (name, table) in windows {
        check_name(&name.text, &name.place, found.errors);
        if WINDOWS.contains(&name.text.as_str()) {
            let message = format!("`{}` is a window that every scenario has", name.text);
            found.errors.add_help(&name.place, message, "give it another name");
        }
        let written = tables.and_then(|tables| tables.get(&name.text));
        times(plan, name, table, written, found);
        if let Some(after) = &table.after {
            cue(plan, after, found.errors);
        }
    }
}

/// The fault that opens episodes must be one.
pub fn onset(plan: &Plan, onset: Option<&Name>, found: &mut Found<'_>) {
    let faults: Vec<&str> = plan.faults.iter().map(|fault| fault.name.as_str()).collect();
    if let Some(name) = onset.filter(|name| !faults.contains(&name.text.as_str())) {
        let message = format!("unknown fault `{}`", name.text);
        found.errors.add_help(&name.place, message, suggest_few(&name.text, &faults));
    }
}

fn times(
    plan: &Plan,
    name: &Name,
    table: &WindowTable,
    written: Option<&Node>,
    found: &mut Found<'_>,
) {
    let place = |key: &str| -> Place {
        let value = written.and_then(|node| node.get(key));
        value.map_or(&name.place, |node| &node.place).clone()
    };
    let whole = plan.horizon.saturating_add(plan.settle);
    if table.to.is_some_and(|to| to <= table.from) {
        let message = format!("`{}` ends before it begins", name.text);
        found.errors.add_help(&place("to"), message, "`to` must be later than `from`");
    } else if table.from >= whole {
        let message = format!("`{}` begins after the run of {whole}", name.text);
        found.errors.add_help(&place("from"), message, "nothing is measured there");
    } else if table.after.is_none() && table.to.is_some_and(|to| to <= plan.warmup) {
        let message = format!("`{}` lies in warm-up: nothing is measured there", name.text);
        let help = format!("warm-up lasts until {}", plan.warmup);
        found.errors.add_help(&place("to"), message, help);
    } else if table.after.is_none() && table.from < plan.warmup && written_in(written, "from") {
        let message = format!("`{}` begins in warm-up, which is left out", name.text);
        let help = format!("warm-up lasts until {}", plan.warmup);
        found.doubts.add_help(&place("from"), message, help);
    }
}

fn written_in(written: Option<&Node>, key: &str) -> bool {
    written.is_some_and(|node| node.get(key).is_some())
}
