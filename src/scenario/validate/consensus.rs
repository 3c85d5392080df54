//! Stores that elect their leader: members that can be a majority, times that make sense together,
//! and keys that mean nothing there.

use super::{Check, limits};
use crate::model::consensus::member::{NoLeader, Params, Reads, WhileLeased};
use crate::model::replica::{ModeParams, StoreParams};
use crate::scenario::draft::{Named, place_in};
use crate::sim::Span;
use crate::sim::param::Place;
use crate::world::plan::StorePlan;

/// The most replicas of one store that elects its leader.
const MOST: usize = 63;

/// Keys of a store that somebody else appoints a primary for.
const APPOINTED: [&str; 11] = [
    "primary",
    "standbys",
    "apply_rate",
    "unapplied",
    "guard",
    "lease",
    "health_check",
    "failover",
    "routing",
    "server",
    "restart",
];

/// Keys that belong to the other family of modes.
pub(super) fn family(check: &mut Check<'_>, table: &Named<StoreParams>) {
    let word = table.params.replication.word();
    if table.params.replication.has_primary() {
        if table.wrote("replicas") {
            let message = format!("`replicas` means nothing with mode = \"{word}\"");
            let help = "it has a `primary` and `standbys`; or state mode = \"consensus\"";
            check.error(table.place_of("replicas"), message, help);
        }
        return;
    }
    for key in APPOINTED {
        if table.wrote(key) {
            let message = format!("`{key}` means nothing with mode = \"{word}\"");
            let help = match key {
                "primary" | "standbys" if table.params.replication.is_keyed() => {
                    "state `replicas`: nobody leads"
                }
                "primary" | "standbys" => "state `replicas`: they elect who leads",
                "routing" if table.params.replication.is_keyed() => {
                    "clients know all coordinators; leave it out"
                }
                "routing" => "clients ask the nearest replica; leave it out",
                _ => "leave it out",
            };
            check.error(table.place_of(key), message, help);
        }
    }
}

pub(super) fn consensus(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    params: &Params,
) {
    let place = |key: &str| -> Place {
        let inner = place_in(&table.node, &format!("replication.{key}"));
        inner.unwrap_or(table.place_of("replication")).clone()
    };
    members(check, table, store);
    seats(check, table, store, &place);
    clocks(check, params, &place);
    let beat = params.heartbeat_interval;
    limits::period(check, &place("heartbeat_interval"), "heartbeat_interval", beat);
    if params.timeout_min > params.timeout_max {
        let message = format!(
            "timeout_min ({}) lies above timeout_max ({})",
            params.timeout_min, params.timeout_max
        );
        check.error(&place("timeout_min"), message, "timeouts are drawn between the two");
    } else if beat >= params.timeout_min {
        let message = format!(
            "members give up ({}) before a leader shows itself (every {beat})",
            params.timeout_min
        );
        let help = "timeout_min should be several heartbeat intervals";
        check.error(&place("heartbeat_interval"), message, help);
    }
    let leased = params.leases();
    if leased && params.lease_guard >= params.lease_length() {
        let message = format!(
            "lease_guard ({}) is not shorter than the lease ({}): none is ever held",
            params.lease_guard,
            params.lease_length()
        );
        check.error(&place("lease_guard"), message, "it covers clock drift over one lease");
    }
    idle(check, table, params, &place);
}

/// Keys that change nothing as things stand.
fn idle(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    params: &Params,
    place: &dyn Fn(&str) -> Place,
) {
    let wrote = |key: &str| place_in(&table.node, &format!("replication.{key}")).is_some();
    let keeps = params.no_leader == NoLeader::Hold;
    if !keeps && wrote("hold_for") {
        let message = "hold_for has no effect with no_leader = \"refuse\"".to_string();
        check.doubt(&place("hold_for"), message, "leave it out, or state no_leader = \"hold\"");
    }
    if keeps && params.hold_for < Span::from_millis(1) {
        let message = format!("requests are kept for {}", params.hold_for);
        check.error(&place("hold_for"), message, "at least 1ms; or no_leader = \"refuse\"");
    }
    let never_waits = params.check_quorum && params.lease_length() <= params.timeout_min;
    if never_waits && params.while_leased == WhileLeased::Withhold && wrote("while_leased") {
        let message = "no leader is elected while the lease of the one before runs".to_string();
        let help = "while_leased matters where the lease is longer than timeout_min, or without check_quorum";
        check.doubt(&place("while_leased"), message, help);
    }
}

fn resolved(table: &Named<StoreParams>, store: &StorePlan) -> bool {
    store.replicas.len() == table.params.replicas.len()
}

/// Who has no vote, who never leads, who leads at the start.
fn seats(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    place: &dyn Fn(&str) -> Place,
) {
    let electors = &store.electors;
    let leads_not = |replica: &usize| {
        electors.non_voting.contains(replica) || electors.witnesses.contains(replica)
    };
    let all = 0..store.replicas.len();
    if !store.replicas.is_empty() && resolved(table, store) && all.clone().all(|r| leads_not(&r)) {
        let message = format!("nobody of `{}` can lead", table.name);
        let key = if electors.witnesses.is_empty() { "non_voting" } else { "witnesses" };
        check.error(&place(key), message, "one replica at least votes and is no witness");
        return;
    }
    if electors.witnesses.iter().any(|witness| electors.non_voting.contains(witness)) {
        let message = "a witness without a vote does nothing".to_string();
        check.error(&place("witnesses"), message, "name it in one of the two lists");
    }
    if electors.initial_leader.as_ref().is_some_and(leads_not) {
        let message = "the initial leader may not lead".to_string();
        check.error(&place("initial_leader"), message, "a voter that is no witness");
    }
    if electors.preferred.iter().any(leads_not) {
        let message = "one of those that should lead may not".to_string();
        check.error(&place("preferred"), message, "voters that are no witnesses");
    }
    let ModeParams::Consensus(params) = &table.params.replication else { return };
    for (key, listed) in
        [("phases", params.phases.len()), ("log_lengths", params.log_lengths.len())]
    {
        if listed > store.replicas.len() && resolved(table, store) {
            let message = format!("{listed} {key} for {} replicas", store.replicas.len());
            check.error(&place(key), message, "at most one for each, in the order of `replicas`");
        }
    }
}

/// Ticks, and leases against them.
fn clocks(check: &mut Check<'_>, params: &Params, place: &dyn Fn(&str) -> Place) {
    match params.tick {
        Some(tick) => {
            limits::period(check, &place("tick"), "tick", tick);
            if tick > params.timeout_min {
                let message =
                    format!("timeout_min ({}) is less than a tick ({tick})", params.timeout_min);
                check.error(&place("tick"), message, "etcd: a tick is a heartbeat interval");
            }
        }
        None if !params.phases.is_empty() => {
            let message = "phases have no effect on continuous timers".to_string();
            check.doubt(&place("phases"), message, "state a tick, or leave them out");
        }
        None => {}
    }
    let follower = params.reads == Reads::Follower;
    if follower && params.max_staleness < params.heartbeat_interval {
        let message = format!(
            "max_staleness ({}) is shorter than a heartbeat interval: no follower ever answers",
            params.max_staleness
        );
        check.error(&place("max_staleness"), message, "several heartbeat intervals");
    }
}

fn members(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan) {
    let count = store.replicas.len() - store.electors.non_voting.len().min(store.replicas.len());
    let name = &table.name;
    if table.params.replicas.is_empty() {
        let message = format!("`{name}` has no replicas");
        let help = "state where they stand: replicas = [\"us-east\", …]";
        check.error(table.place_of("replicas"), message, help);
    } else if store.replicas.len() > MOST {
        let message = format!("{} replicas; the limit is {MOST}", store.replicas.len());
        check.error(table.place_of("replicas"), message, "fewer replicas");
    } else if count > 0 && count.is_multiple_of(2) && resolved(table, store) {
        let message = format!("{count} voters bear no more losses than {} would", count - 1);
        let help = "an odd number is better";
        check.doubt(table.place_of("replicas"), message, help);
    }
}
