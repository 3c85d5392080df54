//! How stores replicate: acknowledgements that can come, parameters that mean something.

use super::{Check, limits};
use crate::model::replica::{ModeParams, StoreParams, async_log, semi_sync, sync};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;
use crate::world::plan::StorePlan;

/// The parameters of a store's mode.
pub(super) fn mode(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan) {
    match &table.params.replication {
        ModeParams::Async(params) => asynchronous(check, table, params),
        ModeParams::Sync(params) => synchronous(check, table, store, params),
        ModeParams::SemiSync(params) => semi_synchronous(check, table, store, params),
    }
}

/// Where a parameter of the mode stands, if it was written.
fn wrote(table: &Named<StoreParams>, key: &str) -> bool {
    place_in(&table.node, &format!("replication.{key}")).is_some()
}

fn in_replication(table: &Named<StoreParams>, key: &str) -> Place {
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
