//! Stores with versions per key: levels that can be met, and nothing that belongs to a primary.

use super::replication::{in_replication, wrote};
use super::{Check, limits};
use crate::model::id::RegionId;
use crate::model::keyed::quorum::{Commit, Params, Pick};
use crate::model::keyed::{Level, Ring};
use crate::model::replica::StoreParams;
use crate::scenario::draft::Named;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::world::plan::StorePlan;

/// A leaderless quorum.
pub(super) fn quorum(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: &StorePlan,
    params: &Params,
) {
    if table.wrote("idempotent") {
        let message = "`idempotent` means nothing with mode = \"quorum\"".to_string();
        let help = "a retry writes the same again, under a new timestamp; leave it out";
        check.error(table.place_of("idempotent"), message, help);
    }
    if store.replicas.len() > Ring::MOST {
        let message = format!("{} replicas; the limit is {}", store.replicas.len(), Ring::MOST);
        check.error(table.place_of("replicas"), message, "fewer replicas");
        return;
    }
    if store.replicas.is_empty() {
        if table.params.replicas.is_empty() {
            let message = format!("`{}` has no replicas", table.name);
            let help = "state where they stand: replicas = [\"us-east\", …]";
            check.error(table.place_of("replicas"), message, help);
        }
        return;
    }
    copies(check, table, store, params);
    levels(check, table, store, params);
    times(check, table, params);
    let random = [params.write_to, params.read_to].contains(&Pick::Random);
    let nodes = if store.coordinators.is_empty() { &store.replicas } else { &store.coordinators };
    if random && nodes.len() == 1 {
        let key = if params.write_to == Pick::Random { "write_to" } else { "read_to" };
        let message = "there is one coordinator to choose from".to_string();
        check.doubt(&in_replication(table, key), message, "state more, or leave it out");
    }
}

/// As many copies in a region as it has replicas, at most.
fn copies(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan, params: &Params) {
    let Some(n) = params.n else { return };
    let place = in_replication(table, "n");
    if n == 0 {
        check.error(&place, "n = 0: no replica would hold a key".to_string(), "at least 1");
        return;
    }
    let regions: Vec<RegionId> = store.replicas.iter().map(|s| RegionId::of(s.region)).collect();
    let most = regions.iter().map(|r| regions.iter().filter(|other| *other == r).count()).max();
    if n as usize > most.unwrap_or(0) {
        let most = most.unwrap_or(0);
        let message =
            format!("n = {n} copies in each region; no region has more than {most} replicas");
        check.error(&place, message, "n counts the copies of a key within one region");
    }
}

/// Levels that can be met, and quorums that do not overlap.
fn levels(check: &mut Check<'_>, table: &Named<StoreParams>, store: &StorePlan, params: &Params) {
    let ring = store.ring().unwrap_or_default();
    let copies = ring.copies();
    let nodes = if store.coordinators.is_empty() { &store.replicas } else { &store.coordinators };
    for (key, level) in [("w", params.w), ("r", params.r)] {
        let place = in_replication(table, key);
        match level {
            Level::Count(count) if count > copies => {
                let message =
                    format!("{key} = {count} can never be met: a key has {copies} replicas");
                check.error(&place, message, &format!("at most {copies}, or `all`"));
            }
            level if level.is_local() => {
                let alone = nodes.iter().find(|spot| ring.region(RegionId::of(spot.region)) == 0);
                if let Some(spot) = alone {
                    let region = check.plan.regions[spot.region].name.clone();
                    let message = format!(
                        "{key} counts replicas of the coordinator's region, and `{region}` has none"
                    );
                    check.error(&place, message, "place replicas there, or another level");
                }
            }
            _ => {}
        }
    }
}

fn times(check: &mut Check<'_>, table: &Named<StoreParams>, params: &Params) {
    limits::period(check, &in_replication(table, "timeout"), "timeout", params.timeout);
    let place = in_replication(table, "commit_interval");
    if params.commit == Commit::Periodic {
        limits::period(check, &place, "commit_interval", params.commit_interval);
    } else if wrote(table, "commit_interval") {
        let message = "commit_interval has no effect with commit = \"batch\"".to_string();
        check.doubt(&place, message, "state commit = \"periodic\", or leave it out");
    }
    let legs = [
        ("write", &params.latency.write),
        ("ack", &params.latency.ack),
        ("read", &params.latency.read),
        ("response", &params.latency.response),
    ];
    for (key, spec) in legs {
        let most = if let DistSpec::Constant(span) = spec { *span } else { Dist::new(spec).min() };
        if most >= params.timeout && params.timeout > Span::ZERO {
            let key = format!("latency.{key}");
            let message =
                format!("{key} takes {most} at least, and a coordinator waits {}", params.timeout);
            let help = "every operation would end without an answer: raise timeout";
            check.doubt(&in_replication(table, &key), message, help);
        }
    }
}
