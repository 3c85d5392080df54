//! Stores, what they refer to, and what nobody refers to.

use super::{Check, consensus, replication};
use crate::model::replica::StoreParams;
use crate::scenario::draft::Named;
use crate::sim::param::Place;
use crate::world::plan::StorePlan;
use std::collections::BTreeMap;

/// Node names begin with the name of their table, so no two tables may share one.
pub(super) fn names_are_unique(check: &mut Check<'_>) {
    let draft = check.draft;
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let stores = draft.stores.iter().map(|t| ("store", t.name.as_str(), &t.place));
    let leases = draft.leases.iter().map(|t| ("lease", t.name.as_str(), &t.place));
    let checks = draft.health_checks.iter().map(|t| ("health_check", t.name.as_str(), &t.place));
    let failovers = draft.failovers.iter().map(|t| ("failover", t.name.as_str(), &t.place));
    let routings = draft.routings.iter().map(|t| ("routing", t.name.as_str(), &t.place));
    for (kind, name, place) in stores.chain(leases).chain(checks).chain(failovers).chain(routings) {
        if let Some(other) = seen.insert(name, kind) {
            let message = format!("a {other} and a {kind} are both called `{name}`");
            let help = "nodes are called after them (`name@region`): give one another name";
            check.error(place, message, help);
        }
    }
    for region in &draft.regions {
        let zones = &region.params.zones;
        for (i, zone) in zones.iter().enumerate() {
            crate::scenario::draft::check_name(&zone.text, &zone.place, check.errors);
            if zones[..i].contains(zone) {
                let message = format!("two zones are called `{}`", zone.text);
                check.errors.add(&zone.place, message);
            }
        }
    }
}

pub(super) fn stores(check: &mut Check<'_>) {
    if check.draft.stores.is_empty() {
        check.error(&(0..0), "the file has no store".to_string(), "declare one: [store.NAME]");
    }
    if check.draft.regions.is_empty() {
        check.error(&(0..0), "the file has no region".to_string(), "declare one: [region.NAME]");
    }
    let plan = check.plan;
    for (i, (table, store)) in check.draft.stores.iter().zip(&plan.stores).enumerate() {
        consensus::family(check, table);
        replication::mode(check, table, store);
        replication::standbys(check, table, i);
        failover_of(check, table, store);
    }
}

/// A store that fails over needs somebody who notices and somebody to fail over to.
fn failover_of(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan) {
    let draft = check.draft;
    let named = |key: &str| table.place_of(key).clone();
    if store.failover.is_none() && table.wrote("failover") {
        return;
    }
    let Some(failover) = store.failover.map(|index| &draft.failovers[index]) else {
        if let Some(lease) = store.lease.map(|index| &draft.leases[index]) {
            let place = if table.wrote("lease") { named("lease") } else { lease.place.clone() };
            let message =
                format!("`{}` has a lease and no failover: nobody takes over", table.name);
            check.doubt(&place, message, "declare one: [failover]");
        }
        return;
    };
    let never = failover.params.trigger == crate::model::control::Trigger::Never;
    if table.params.standbys.is_empty() && !store.replicas.is_empty() && !never {
        let message = format!("`{}` has a failover and no standby to promote", table.name);
        check.error(&named("failover"), message, "state its standbys");
    }
    let unresolved = table.wrote("health_check");
    let hears_checkers = super::council::hears_checkers(&failover.params);
    if store.health_check.is_none() && !never && !unresolved && hears_checkers {
        let message =
            format!("`{}` has a failover and no health check: it never begins", table.name);
        let help = "declare one: [health_check]; or state trigger = \"never\"";
        check.error(&failover.place, message, help);
    }
    super::council::idle_checkers(check, &failover.params, store);
    let storage = &failover.params.token_storage;
    let tokens = failover.params.fencing.contains(&crate::model::control::Fencing::Token);
    if failover.wrote("token_storage") && !tokens {
        let message = format!("token_storage `{}` checks no token", storage.text);
        let help = "state fencing = [\"token\"], or leave it out";
        check.doubt(failover.place_of("token_storage"), message, help);
    }
}

/// Tables that no store uses, regions where nothing is.
pub(super) fn unused(check: &mut Check<'_>) {
    let (draft, plan) = (check.draft, check.plan);
    let used = |pick: fn(&StorePlan) -> Option<usize>, index: usize| {
        plan.stores.iter().any(|store| pick(store) == Some(index))
    };
    let mut idle: Vec<(&str, &str, &Place)> = Vec::new();
    for (_, t) in draft.leases.iter().enumerate().filter(|(i, _)| !used(|s| s.lease, *i)) {
        idle.push(("lease", &t.name, &t.place));
    }
    for (_, t) in
        draft.health_checks.iter().enumerate().filter(|(i, _)| !used(|s| s.health_check, *i))
    {
        idle.push(("health_check", &t.name, &t.place));
    }
    for (_, t) in draft.failovers.iter().enumerate().filter(|(i, _)| !used(|s| s.failover, *i)) {
        idle.push(("failover", &t.name, &t.place));
    }
    for (_, t) in draft.routings.iter().enumerate().filter(|(i, _)| !used(|s| s.routing, *i)) {
        idle.push(("routing", &t.name, &t.place));
    }
    for (key, name, place) in idle {
        if draft.stores.is_empty() {
            continue;
        }
        let message = format!("no store uses the {key} `{name}`");
        check.doubt(place, message, &format!("refer to it in a store: {key} = \"{name}\""));
    }
}
