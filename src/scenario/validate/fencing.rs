//! Fencing: how an old primary is made harmless, and what that needs.

use super::failovers::no_effect;
use super::{Check, limits, shortest};
use crate::model::control::controller::fencing::Unfenced;
use crate::model::control::stonith::PowerAction;
use crate::model::control::{DecidedBy, FailoverParams, Fencing};
use crate::model::route::ViaParams;
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;

/// What the controller fences with.
pub(super) fn fencing(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    for (i, fencing) in params.fencing.iter().enumerate() {
        if params.fencing[..i].contains(fencing) {
            let message = format!("`{}` is listed twice", fencing.word());
            check.doubt(table.place_of("fencing"), message, "once is enough");
        }
    }
    self_fencing(check, table);
    stonith(check, table);
    network(check, table);
}

/// Ways of fencing that only the one controller knows.
pub(super) fn controllers_own(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    for fencing in [Fencing::Stonith, Fencing::Network] {
        if params.decided_by != DecidedBy::Controller && params.fencing.contains(&fencing) {
            let (word, by) = (fencing.word(), params.decided_by.word());
            let message = format!("`{word}` fencing with decided_by = \"{by}\"");
            let help = "only a controller fences so: fence by token, or lease";
            check.error(table.place_of("fencing"), message, help);
        }
    }
}

fn self_fencing(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    let fences = params.fencing.contains(&Fencing::SelfStop);
    let after = params.self_fence_after;
    if fences && after <= params.contact_interval {
        let message = format!(
            "a primary stops itself after {after} without the controller, which calls every {}",
            params.contact_interval
        );
        let key =
            if table.wrote("self_fence_after") { "self_fence_after" } else { "contact_interval" };
        check.error(
            table.place_of(key),
            message,
            "self_fence_after should be several contact_intervals",
        );
    }
    if !fences && table.wrote("self_fence_after") {
        let message = "self_fence_after has no effect without `self` fencing".to_string();
        let help = "state fencing = [\"self\"], or leave it out";
        check.doubt(table.place_of("self_fence_after"), message, help);
    }
}

/// A key of a table of `[failover]`, or the table itself.
fn place(table: &Named<FailoverParams>, key: &str) -> Place {
    let whole = key.split('.').next().unwrap_or(key);
    place_in(&table.node, key).unwrap_or(table.place_of(whole)).clone()
}

fn stonith(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let stonith = &table.params.stonith;
    if !table.params.fencing.contains(&Fencing::Stonith) {
        return no_effect(check, table, "stonith", "without `stonith` fencing");
    }
    for (key, span) in [("timeout", stonith.timeout), ("retry", stonith.retry)] {
        limits::period(check, &place(table, &format!("stonith.{key}")), key, span);
    }
    if stonith.attempts == 0 {
        let message = "no attempt at STONITH: it fences nobody".to_string();
        check.error(&place(table, "stonith.attempts"), message, "at least 1");
    }
    if stonith.on_failure == Unfenced::Wait {
        let why = "with on_failure = \"wait\": it is tried for as long as it takes";
        no_effect(check, table, "stonith.attempts", why);
    }
    if stonith.action == PowerAction::Off {
        no_effect(check, table, "stonith.reboot_time", "with action = \"off\"");
    }
    if stonith.timeout <= shortest(&stonith.takes) && !stonith.timeout.is_zero() {
        let message = format!("a timeout of {}: no device answers in time", stonith.timeout);
        check.doubt(&place(table, "stonith.timeout"), message, "longer than `takes`");
    }
    for (key, share) in [("failure", stonith.failure), ("hang", stonith.hang)] {
        if share.0 >= 1.0 {
            let message = format!("a {key} of 100%: no host is ever switched off");
            check.doubt(&place(table, &format!("stonith.{key}")), message, "a smaller share");
        }
    }
}

fn network(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let fence = &table.params.network_fence;
    if !table.params.fencing.contains(&Fencing::Network) {
        return no_effect(check, table, "network_fence", "without `network` fencing");
    }
    if fence.on_failure == Unfenced::Wait {
        let why = "with on_failure = \"wait\": it is waited for as long as it takes";
        no_effect(check, table, "network_fence.timeout", why);
    }
    let index = check.draft.failovers.iter().position(|other| other.place == table.place);
    for store in check.plan.stores.iter().filter(|store| store.failover == index) {
        let routing = store.routing.map(|i| &check.plan.routings[i]);
        if !routing.is_some_and(|r| matches!(r.params.via, ViaParams::GlobalLb(_))) {
            let message = format!("nothing fences `{}` at the network", store.name);
            let help =
                "state a load balancer that obeys the controller: routing.via = { global_lb = {} }";
            check.error(table.place_of("fencing"), message, help);
        }
    }
}
