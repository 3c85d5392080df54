//! How stores replicate: acknowledgements that can come, parameters that mean something.

use super::{Check, consensus, keyed, limits, load};
use crate::model::replica::{
    GuardParams, ModeParams, StoreParams, Unapplied, async_log, chain, semi_sync, sync,
};
use crate::scenario::draft::{Named, place_in};
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Place;
use crate::world::plan::{ClientPlan, StorePlan};

/// The fastest applier, in entries a second.
const LIMIT_APPLY_RATE: f64 = 1e9;

/// The parameters of a store's mode.
pub(super) fn mode(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan) {
    match &table.params.replication {
        ModeParams::Async(params) => asynchronous(check, table, params),
        ModeParams::Sync(params) => synchronous(check, table, store, params),
        ModeParams::SemiSync(params) => semi_synchronous(check, table, store, params),
        ModeParams::Chain(params) => chained(check, table, store, params),
        ModeParams::Consensus(params) => consensus::consensus(check, table, store, params),
        ModeParams::Quorum(params) => keyed::quorum(check, table, store, params),
    }
}

/// What standbys do beside their mode, and the guard on the primary.
pub(super) fn standbys(check: &mut Check<'_>, table: &Named<StoreParams>, store: usize) {
    let params = &table.params;
    if let Some(rate) = params.apply_rate {
        let clients = check.plan.clients.iter().filter(|client| client.store == store);
        let whole = check.plan.horizon.saturating_add(check.plan.settle);
        let writes = |client: &ClientPlan| {
            let rate = client.params.writes.as_ref().map_or(0.0, |lane| lane.per_second);
            rate * load::factors(&client.params, whole).1
        };
        let writes: f64 = clients.map(writes).sum();
        if !(rate > 0.0 && rate <= LIMIT_APPLY_RATE) {
            let message = format!("an apply_rate of {rate}");
            let help = format!("above 0, up to {LIMIT_APPLY_RATE}; or leave it out");
            check.error(table.place_of("apply_rate"), message, &help);
        } else if rate < writes {
            let message = format!(
                "a standby applies {rate} entries a second, and {writes} are written: it falls behind for ever"
            );
            let help = "raise apply_rate, or let fewer clients write";
            check.doubt(table.place_of("apply_rate"), message, help);
        }
    }
    let idle = params.apply_rate.is_none() && no_delay(params);
    if params.unapplied == Unapplied::Discard && idle && table.wrote("unapplied") {
        let message = "nothing is ever received and not applied".to_string();
        let help = "state apply_rate or apply_delay, or leave it out";
        check.doubt(table.place_of("unapplied"), message, help);
    }
    if let Some(guard) = &params.guard {
        guard_of(check, table, guard);
    }
}

fn no_delay(params: &StoreParams) -> bool {
    *params.replication.apply_delay() == DistSpec::Constant(Span::ZERO)
}

fn guard_of(check: &mut Check<'_>, table: &Named<StoreParams>, guard: &GuardParams) {
    let place = |key: &str| -> Place {
        let inner = place_in(&table.node, &format!("guard.{key}"));
        inner.unwrap_or(table.place_of("guard")).clone()
    };
    let standbys = table.params.standbys.len();
    let needed = guard.min_replicas as usize;
    if needed > standbys {
        let message = format!(
            "min_replicas = {needed} can never be met: the number of standbys is {standbys}"
        );
        check.error(&place("min_replicas"), message, "no write would ever be taken");
    } else if needed == 0 {
        let message = "min_replicas = 0: the guard refuses nothing".to_string();
        check.doubt(&place("min_replicas"), message, "at least 1, or leave the guard out");
    }
    limits::period(check, &place("ack_interval"), "ack_interval", guard.ack_interval);
    limits::period(check, &place("check_interval"), "check_interval", guard.check_interval);
    if guard.max_lag < guard.ack_interval {
        let message = format!(
            "max_lag ({}) is shorter than the interval at which standbys are heard ({})",
            guard.max_lag, guard.ack_interval
        );
        let help = "it would refuse writes between two words; several intervals are usual";
        let key = if place_in(&table.node, "guard.max_lag").is_some() {
            "max_lag"
        } else {
            "ack_interval"
        };
        check.error(&place(key), message, help);
    }
    if guard.granularity.is_zero() {
        let message = "a granularity of 0s: a clock is read in steps of some length".to_string();
        check.error(&place("granularity"), message, "\"1s\" as Redis does, or \"1ms\"");
    }
}

/// Where a parameter of the mode stands, if it was written.
pub(super) fn wrote(table: &Named<StoreParams>, key: &str) -> bool {
    place_in(&table.node, &format!("replication.{key}")).is_some()
}

pub(super) fn in_replication(table: &Named<StoreParams>, key: &str) -> Place {
    let inner = place_in(&table.node, &format!("replication.{key}"));
    inner.unwrap_or(table.place_of("replication")).clone()
}

fn asynchronous(check: &mut Check<'_>, table: &Named<StoreParams>, params: &async_log::Params) {
    if params.ship == async_log::Ship::Batch {
        let place = in_replication(table, "batch_interval");
        limits::period(check, &place, "batch_interval", params.batch_interval);
    } else if wrote(table, "batch_interval") {
        let message = "batch_interval has no effect with ship = \"flush\"".to_string();
        let place = in_replication(table, "batch_interval");
        check.doubt(&place, message, "state ship = \"batch\", or leave it out");
    }
}

fn synchronous(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    params: &sync::Params,
) {
    if !has_standbys(check, table, store, "replicates synchronously to nobody") {
        return;
    }
    acks(check, table, params.acks, "; or leave it out for all");
    let drops = params.dead_standby == sync::OnDeadStandby::Drop;
    if drops && params.drop_after.is_zero() {
        let message = "drop_after of 0s drops every standby at once".to_string();
        check.error(&in_replication(table, "drop_after"), message, "state a patience: \"10s\"");
    }
    if !drops && wrote(table, "drop_after") {
        let message = "drop_after has no effect with dead_standby = \"block\"".to_string();
        let place = in_replication(table, "drop_after");
        check.doubt(&place, message, "state dead_standby = \"drop\", or leave it out");
    }
}

fn semi_synchronous(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    params: &semi_sync::Params,
) {
    if !has_standbys(check, table, store, "replicates semi-synchronously to nobody") {
        return;
    }
    acks(check, table, Some(params.acks), "");
    let waits = params.on_timeout == semi_sync::OnTimeout::Wait;
    if waits && wrote(table, "timeout") {
        let message = "timeout has no effect with on_timeout = \"wait\"".to_string();
        let help = "leave it out, or say what happens then: \"degrade\", \"refuse\"";
        check.doubt(&in_replication(table, "timeout"), message, help);
    }
    if !waits && params.timeout.is_zero() {
        let message = "a timeout of 0s: no write waits for any standby".to_string();
        let help = "state a patience: \"10s\"; or mode = \"async\"";
        check.error(&in_replication(table, "timeout"), message, help);
    }
}

fn chained(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    params: &chain::Params,
) {
    if !has_standbys(check, table, store, "is a chain of one") {
        return;
    }
    let nodes = table.params.standbys.len() + 1;
    if nodes > chain::MOST {
        let message = format!("a chain of {nodes}; the limit is {}", chain::MOST);
        check.error(table.place_of("standbys"), message, "fewer standbys");
    }
    let place = in_replication(table, "beat_interval");
    limits::period(check, &place, "beat_interval", params.beat_interval);
    let two_beats = params.beat_interval.saturating_mul(2);
    if params.repair_after < two_beats {
        let message = format!(
            "repair_after ({}) is shorter than two beats ({two_beats}): nodes would be taken out between two words",
            params.repair_after
        );
        let key = if wrote(table, "repair_after") { "repair_after" } else { "beat_interval" };
        check.error(&in_replication(table, key), message, "several beats are usual");
    }
}

/// A store that waits for standbys must have some.
fn has_standbys(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    what: &str,
) -> bool {
    let lonely = table.params.standbys.is_empty() && !store.replicas.is_empty();
    if lonely {
        let message = format!("`{}` {what}", table.name);
        check.error(&in_replication(table, "mode"), message, "state its standbys");
    }
    !lonely
}

/// As many acknowledgements as can come, and at least one.
fn acks(check: &mut Check<'_>, table: &Named<StoreParams>, acks: Option<u32>, otherwise: &str) {
    let standbys = table.params.standbys.len();
    match acks {
        Some(acks) if acks as usize > standbys => {
            let message =
                format!("acks = {acks} can never be reached: the number of standbys is {standbys}");
            let help = format!("at most {standbys}{otherwise}");
            check.error(&in_replication(table, "acks"), message, &help);
        }
        Some(0) => {
            let message = "no acks: this is asynchronous replication".to_string();
            check.error(&in_replication(table, "acks"), message, "say so: mode = \"async\"");
        }
        _ => {}
    }
}
