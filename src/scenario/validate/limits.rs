//! Sizes: what would take too long, too much memory, or is surely a slip. Each limit is named.

use super::Check;
use crate::model::route::ViaParams;
use crate::scenario::draft::Draft;
use crate::sim::Span;
use crate::sim::param::{Place, Problems};
use crate::world::plan::limit;

/// The longest run, settling included.
pub const LIMIT_RUN: Span = Span::from_secs(366 * 86_400);
/// The most trials.
pub const LIMIT_TRIALS: u64 = 10_000_000;
/// The shortest period of anything periodic.
pub const LIMIT_PERIOD: Span = Span::from_millis(1);
/// The most times that anything periodic happens in a trial.
pub const LIMIT_PERIODS: u64 = 100_000_000;
/// The largest drift of a clock, in parts per million.
pub const LIMIT_DRIFT_PPM: f64 = 100_000.0;
/// The largest payload of an operation, in bytes.
pub const LIMIT_PAYLOAD: u64 = 100_000_000;
/// Leases, health checks, failovers and routings, of each kind.
pub const LIMIT_TABLES: usize = 256;
/// Entries of `wan.links` and `wan.physical`, of each.
pub const LIMIT_LINKS: usize = limit::REGIONS * limit::REGIONS;
/// Expectations.
pub const LIMIT_EXPECTATIONS: usize = 1_000;
/// Variants.
pub const LIMIT_VARIANTS: usize = 256;

/// True when the file is small enough for a plan to be made of it.
pub fn sizes(draft: &Draft, errors: &mut Problems) -> bool {
    let before = errors.0.len();
    let mut at_most = |count: usize, limit: usize, what: &str, place: &Place| {
        if count > limit {
            errors.add(place, format!("{count} {what}; the limit is {limit}"));
        }
    };
    let place = |places: Option<&Place>| places.cloned().unwrap_or(0..0);
    let first = place(draft.regions.get(limit::REGIONS).map(|t| &t.place));
    at_most(draft.regions.len(), limit::REGIONS, "regions", &first);
    for region in &draft.regions {
        let zones = region.params.zones.len();
        at_most(zones, limit::ZONES, "zones", region.place_of("zones"));
    }
    let first = place(draft.stores.get(limit::STORES).map(|t| &t.place));
    at_most(draft.stores.len(), limit::STORES, "stores", &first);
    let first = place(draft.clients.get(limit::CLIENTS).map(|t| &t.place));
    at_most(draft.clients.len(), limit::CLIENTS, "client populations", &first);
    let first = place(draft.faults.get(limit::FAULTS).map(|t| &t.node.place));
    at_most(draft.faults.len(), limit::FAULTS, "faults", &first);
    at_most(draft.leases.len(), LIMIT_TABLES, "leases", &(0..0));
    at_most(draft.health_checks.len(), LIMIT_TABLES, "health checks", &(0..0));
    at_most(draft.failovers.len(), LIMIT_TABLES, "failovers", &(0..0));
    at_most(draft.routings.len(), LIMIT_TABLES, "routings", &(0..0));
    let wan = &draft.wan;
    at_most(wan.params.links.len(), LIMIT_LINKS, "links", wan.place_of("links"));
    at_most(wan.params.physical.len(), LIMIT_LINKS, "links", wan.place_of("physical"));
    at_most(draft.expect.len(), LIMIT_EXPECTATIONS, "expectations", &(0..0));
    at_most(draft.variants.len(), LIMIT_VARIANTS, "variants", &(0..0));
    errors.0.len() == before
}

/// `[run]`, and how many nodes and events there are in all.
pub(super) fn run(check: &mut Check<'_>) {
    let run = &check.draft.run;
    let params = &run.params;
    let (warmup, horizon) = (params.warmup, params.horizon);
    let whole = horizon.saturating_add(params.settle);
    if horizon.is_zero() {
        let message = "a horizon of 0s: nothing happens".to_string();
        check.error(run.place_of("horizon"), message, "state how long the storm lasts: \"30m\"");
    } else if warmup >= horizon {
        let message = format!("warmup ({warmup}) does not end before the horizon ({horizon})");
        let help = "faults happen, and service is measured, between warmup and horizon";
        check.error(run.place_of("warmup"), message, help);
    }
    if whole > LIMIT_RUN {
        let key = if horizon > LIMIT_RUN { "horizon" } else { "settle" };
        let message = format!("a run of {whole}, settling included; the limit is {LIMIT_RUN}");
        check.error(run.place_of(key), message, "run a shorter time, more often: raise `trials`");
    }
    if params.trials == 0 {
        let message = "no trials: nothing is run".to_string();
        check.error(run.place_of("trials"), message, "at least 1");
    }
    if params.trials > LIMIT_TRIALS {
        let message = format!("{} trials; the limit is {LIMIT_TRIALS}", params.trials);
        check.error(run.place_of("trials"), message, "split the run: --shard i/n, other seeds");
    }
    if !(0.0..=LIMIT_DRIFT_PPM).contains(&params.clock_drift_ppm) {
        let message = format!("a drift of {} ppm", params.clock_drift_ppm);
        let help = format!("from 0 to the limit of {LIMIT_DRIFT_PPM}");
        check.error(run.place_of("clock_drift_ppm"), message, &help);
    }
    let nodes = check.nodes.len() + check.plan.clients.len();
    if nodes > limit::NODES {
        let message = format!("{nodes} nodes in all; the limit is {}", limit::NODES);
        check.error(
            &(0..0),
            message,
            "replicas, voters, checkers, controllers, name servers and client populations count",
        );
    }
    resolvers(check);
}

fn resolvers(check: &mut Check<'_>) {
    for table in &check.draft.routings {
        let ViaParams::Dns(dns) = &table.params.via else { continue };
        if dns.resolvers == 0 || dns.resolvers > limit::RESOLVERS {
            let place = crate::scenario::draft::place_in(&table.node, "via.dns.resolvers");
            let place = place.unwrap_or(&table.place).clone();
            let message = format!("{} resolvers", dns.resolvers);
            let help = format!("from 1 to the limit of {}", limit::RESOLVERS);
            check.error(&place, message, &help);
        }
    }
}

/// Something periodic: not shorter than [`LIMIT_PERIOD`], not more often than [`LIMIT_PERIODS`].
pub(super) fn period(check: &mut Check<'_>, place: &Place, key: &str, span: Span) {
    let whole = check.plan.horizon.saturating_add(check.plan.settle);
    if span < LIMIT_PERIOD {
        let message = format!("{key} is {span}; the shortest is {LIMIT_PERIOD}");
        check.error(place, message, "a shorter one costs time and changes nothing");
    } else if whole.as_nanos() / span.as_nanos() > LIMIT_PERIODS {
        let message =
            format!("every {span} for {whole}: more than the limit of {LIMIT_PERIODS} times");
        check.error(place, message, "make it longer, or the run shorter");
    }
}
