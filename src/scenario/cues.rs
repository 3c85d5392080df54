//! The events that faults and windows are counted from: whether there are such events at all.

use super::names::suggest_few;
use crate::model::control::DecidedBy;
use crate::model::cue::Cue;
use crate::sim::param::{Name, Problems};
use crate::world::plan::{Plan, StorePlan};

/// Reads the name of an event. What is no event, or can never happen, is an error.
pub fn cue<'a>(
    plan: &Plan,
    name: &'a Name,
    errors: &mut Problems,
) -> Option<Cue<&'a str, &'a str>> {
    let Some(cue) = Cue::parse(&name.text) else {
        let message = format!("unknown event `{}`", name.text);
        errors.add_help(&name.place, message, format!("one of: {}", Cue::FORMS.join(", ")));
        return None;
    };
    let before = errors.0.len();
    match cue {
        Cue::Onset(fault) | Cue::Cleared(fault) => of_fault(plan, name, fault, cue, errors),
        Cue::Promoted(store) | Cue::Authorised(store) | Cue::Withdrawn(store) => {
            of_store(plan, name, store, errors);
            let nobody =
                || plan.stores.iter().all(|s| store.is_some_and(|x| s.name != x) || races(plan, s));
            if matches!(cue, Cue::Withdrawn(_)) && errors.0.len() == before && nobody() {
                let message = "it never happens: where agents race, nobody withdraws the right";
                errors.add_help(&name.place, message, "count from `authorised`");
            }
        }
    }
    (errors.0.len() == before).then_some(cue)
}

fn of_fault(plan: &Plan, name: &Name, fault: &str, cue: Cue<&str, &str>, errors: &mut Problems) {
    match plan.faults.iter().find(|other| other.name == fault) {
        None => {
            let faults: Vec<&str> = plan.faults.iter().map(|fault| fault.name.as_str()).collect();
            let message = format!("unknown fault `{fault}`");
            errors.add_help(&name.place, message, suggest_few(fault, &faults));
        }
        Some(found) if matches!(cue, Cue::Cleared(_)) && found.common.is_permanent() => {
            let message = format!("`{fault}` is permanent: it never clears");
            errors.add_help(&name.place, message, "count from `onset:` of it");
        }
        Some(_) => {}
    }
}

fn races(plan: &Plan, store: &StorePlan) -> bool {
    let by = store.failover.map(|failover| plan.failovers[failover].params.decided_by);
    by.is_none_or(|by| by == DecidedBy::Race)
}

fn of_store(plan: &Plan, name: &Name, store: Option<&str>, errors: &mut Problems) {
    let stores = plan.stores.iter();
    let meant: Vec<_> = stores.filter(|s| store.is_none_or(|store| s.name == store)).collect();
    if let (Some(store), []) = (store, meant.as_slice()) {
        let known: Vec<&str> = plan.stores.iter().map(|store| store.name.as_str()).collect();
        let message = format!("unknown store `{store}`");
        errors.add_help(&name.place, message, suggest_few(store, &known));
    } else if meant.iter().all(|store| store.failover.is_none()) {
        let whose = store.map_or("no store".to_string(), |store| format!("`{store}`"));
        let not = if store.is_some() { "has no failover" } else { "has a failover" };
        let message = format!("it never happens: {whose} {not}");
        errors.add_help(&name.place, message, "declare one: [failover]");
    }
}
