//! Stores that elect their leader: members that can be a majority, times that make sense together,
//! and keys that mean nothing there.

use super::{Check, limits};
use crate::model::consensus::member::{NoLeader, Params, Reads, WhileLeased};
use crate::model::replica::StoreParams;
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
    let leased = params.reads == Reads::Lease;
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

fn members(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan) {
    let count = store.replicas.len();
    let name = &table.name;
    if table.params.replicas.is_empty() {
        let message = format!("`{name}` has no replicas");
        let help = "state where they stand: replicas = [\"us-east\", …]";
        check.error(table.place_of("replicas"), message, help);
    } else if count > MOST {
        let message = format!("{count} replicas; the limit is {MOST}");
        check.error(table.place_of("replicas"), message, "fewer replicas");
    } else if count.is_multiple_of(2) && count == table.params.replicas.len() {
        let message = format!("{count} replicas bear no more losses than {} would", count - 1);
        let help = "an odd number is better";
        check.doubt(table.place_of("replicas"), message, help);
    }
}
