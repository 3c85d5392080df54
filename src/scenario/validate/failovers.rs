//! Failovers: what starts them, what they wait for, what becomes of the old primary.

use super::{Check, council, failback, fencing, limits, race};
use crate::model::control::controller::lag_guard::TooFar;
use crate::model::control::{DecidedBy, FailoverParams, RejoinAs, Trigger};
use crate::scenario::draft::{Named, place_in};

pub(super) fn failovers(check: &mut Check<'_>) {
    for table in &check.draft.failovers {
        let params = &table.params;
        rejoining(check, table);
        race::decider(check, table);
        council::council(check, table);
        if params.decided_by == DecidedBy::Race {
            continue;
        }
        let contact = params.contact_interval;
        limits::period(check, table.place_of("contact_interval"), "contact_interval", contact);
        fencing::fencing(check, table);
        failback::failback(check, table);
        person(check, table);
        steps(check, table);
        lag_guard(check, table);
        if params.trigger == Trigger::Never && table.wrote("cooldown") {
            no_effect(check, table, "cooldown", "with trigger = \"never\"");
        }
        let council = params.council.as_ref().filter(|_| params.decided_by == DecidedBy::Council);
        if council.is_some_and(|council| !council.stops_old_primary) {
            let why = "without council.stops_old_primary: nobody tells the old primary to stop";
            no_effect(check, table, "stop_order", why);
        }
    }
}

/// A key that changes nothing as things stand.
pub(super) fn no_effect(
    check: &mut Check<'_>,
    table: &Named<FailoverParams>,
    key: &str,
    why: &str,
) {
    let Some(place) = place_in(&table.node, key) else { return };
    let last = key.rsplit('.').next().unwrap_or(key);
    let message = format!("{last} has no effect {why}");
    check.doubts.add_help(place, message, "change that, or leave it out");
}

/// Who is asked, and who is alerted.
fn person(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    if !matches!(params.trigger, Trigger::Approval | Trigger::Manual) {
        for key in ["operator_response", "operator_never"] {
            let why = "without trigger = \"approval\" or \"manual\"";
            no_effect(check, table, key, why);
        }
    } else if params.operator_never.0 >= 1.0 {
        let message = "nobody ever responds: no failover begins".to_string();
        let help = "a smaller share; or trigger = \"never\", which says so";
        check.doubt(table.place_of("operator_never"), message, help);
    }
}

/// Steps that may fail: attempts that come to an end, and one that may succeed.
fn steps(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let steps = &table.params.steps;
    let place = |key: &str| {
        let written = place_in(&table.node, &format!("steps.{key}"));
        written.unwrap_or(table.place_of("steps")).clone()
    };
    if steps.attempts == 0 {
        let message = "no attempt at a step: none is ever done".to_string();
        check.error(&place("attempts"), message, "at least 1");
    }
    if steps.failure.0 <= 0.0 && steps.hang.0 <= 0.0 {
        for key in ["retry", "attempts", "on_failure", "unreliable"] {
            no_effect(check, table, &format!("steps.{key}"), "while no step fails or hangs");
        }
    } else {
        limits::period(check, &place("retry"), "retry", steps.retry);
        if steps.unreliable.is_empty() {
            let message = "no step is unreliable: none fails or hangs".to_string();
            check.doubt(&place("unreliable"), message, "list some, or leave steps out");
        }
    }
    if steps.hang.0 <= 0.0 {
        no_effect(check, table, "steps.timeout", "while no step hangs");
    }
    for (key, share) in [("failure", steps.failure), ("hang", steps.hang)] {
        if share.0 >= 1.0 {
            let message = format!("a {key} of 100%: no attempt at an unreliable step succeeds");
            check.doubt(&place(key), message, "a smaller share");
        }
    }
}

/// A guard that may hold somebody back.
fn lag_guard(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let guard = &table.params.lag_guard;
    if guard.max.is_none() {
        for key in ["lag_guard.too_far", "lag_guard.patience"] {
            no_effect(check, table, key, "without a max: nobody is too far behind");
        }
    } else if guard.too_far == TooFar::Wait {
        let why = "with too_far = \"wait\": it waits for as long as it takes";
        no_effect(check, table, "lag_guard.patience", why);
    } else if guard.too_far == TooFar::Promote && guard.patience.is_zero() {
        let place = place_in(&table.node, "lag_guard.too_far").unwrap_or(&table.place);
        let message =
            "the guard holds nobody back: the best candidate is promoted at once".to_string();
        check.doubt(&place.clone(), message, "state a patience");
    }
}

fn rejoining(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let rejoin = &table.params.rejoin;
    if rejoin.becomes == RejoinAs::Zombie {
        for key in ["rejoin.after", "rejoin.resync"] {
            no_effect(check, table, key, "on a zombie: nothing is done to it");
        }
    }
    if rejoin.becomes != RejoinAs::Rebuilt {
        for key in ["rejoin.data_size", "rejoin.rebuild_bandwidth"] {
            no_effect(check, table, key, "without becomes = \"rebuilt\"");
        }
    } else if rejoin.rebuild_bandwidth.0 == 0 {
        let place = place_in(&table.node, "rejoin.rebuild_bandwidth").unwrap_or(&table.place);
        let message = "a rebuild at 0bps never ends".to_string();
        check.error(&place.clone(), message, "state a bandwidth such as \"1Gbps\"");
    } else if rejoin.copying() >= check.plan.horizon.saturating_add(check.plan.settle) {
        let place = place_in(&table.node, "rejoin.data_size").unwrap_or(&table.place);
        let message = format!("a rebuild copies for {}: longer than the run", rejoin.copying());
        check.doubt(&place.clone(), message, "it will not end; less data, or more bandwidth");
    }
}
