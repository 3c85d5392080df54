//! Agents that race for the lease: what they need, what they do not heed, times that make sense
//! together.

use super::{Check, failback, fencing, limits};
use crate::model::control::{DecidedBy, EnforcedBy, FailoverParams, Fencing, LeaseParams, Trigger};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;

/// Keys of `[failover]` that only a controller heeds.
const CONTROLLERS_OWN: [&str; 18] = [
    "controller",
    "operator_response",
    "operator_never",
    "cooldown",
    "stop_order",
    "stop_traffic",
    "drain",
    "fence",
    "self_fence_after",
    "steps",
    "lag_guard",
    "stonith",
    "network_fence",
    "returning",
    "candidate",
    "contact_interval",
    "status_timeout",
    "abandon_if_healthy",
];

/// True when nobody but racers asks for this lease.
pub(super) fn only_racers_use(check: &Check<'_>, lease: usize) -> bool {
    let mut users = check.plan.stores.iter().filter(|store| store.lease == Some(lease)).peekable();
    let races = |failover: usize| check.plan.failovers[failover].params.decided_by;
    users.peek().is_some() && users.all(|store| store.failover.map(races) == Some(DecidedBy::Race))
}

/// Who decides, and whether what that needs is stated.
pub(super) fn decider(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    if params.decided_by == DecidedBy::Race {
        racers(check, table);
        return;
    }
    let alone = params.decided_by == DecidedBy::Controller;
    if alone && params.controller.is_none() && !table.wrote("controller") {
        let help = "state where it runs: { region = \"…\" }; or another decided_by";
        check.error(&table.node.place, "missing key `controller`".to_string(), help);
    }
    if table.wrote("race") {
        let message = format!("race has no effect: a {} decides", params.decided_by.word());
        let help = "state decided_by = \"race\", or leave it out";
        check.doubt(table.place_of("race"), message, help);
    }
}

fn racers(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    for key in CONTROLLERS_OWN {
        if table.wrote(key) {
            let message = format!("{key} has no effect with decided_by = \"race\"");
            check.doubt(table.place_of(key), message, "leave it out, or let a controller decide");
        }
    }
    if params.trigger != Trigger::Automatic {
        let message = format!("trigger = \"{}\" with decided_by = \"race\"", params.trigger.word());
        let help = "racers ask nobody and wait for nobody: leave it out";
        check.error(table.place_of("trigger"), message, help);
    }
    if params.fencing.contains(&Fencing::SelfStop) {
        let message = "`self` fencing listens for a controller, and there is none".to_string();
        let help = "a racer demotes its primary by race.retry_timeout: leave `self` out";
        check.error(table.place_of("fencing"), message, help);
    }
    fencing::controllers_own(check, table);
    failback::only_a_controller(check, table);
    let race = &params.race;
    let place = |key: &str| in_race(table, key);
    limits::period(check, &place("loop_wait"), "loop_wait", race.loop_wait);
    if race.retry_timeout.is_zero() {
        let message = "a retry_timeout of 0s: every round is given up at once".to_string();
        check.error(&place("retry_timeout"), message, "longer than a round trip");
    }
    if race.start_attempts == 0 {
        let help = "at least 1; primary_start_timeout = \"0s\" releases the lease at once";
        check.error(&place("start_attempts"), "a start_attempts of 0".to_string(), help);
    }
    leases_of(check, table);
}

fn in_race(table: &Named<FailoverParams>, key: &str) -> Place {
    let written = place_in(&table.node, &format!("race.{key}"));
    written.or_else(|| place_in(&table.node, "race")).unwrap_or(&table.place).clone()
}

/// What the racers of a failover race for.
fn leases_of(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let (draft, plan) = (check.draft, check.plan);
    let index = draft.failovers.iter().position(|other| other.place == table.place);
    let mut seen = Vec::new();
    for (store, planned) in draft.stores.iter().zip(&plan.stores) {
        if planned.failover != index {
            continue;
        }
        match planned.lease {
            Some(lease) if !seen.contains(&lease) => {
                seen.push(lease);
                times(check, table, &draft.leases[lease]);
            }
            None if !store.wrote("lease") => {
                let message = format!("`{}` has no lease to race for", store.name);
                check.error(table.place_of("decided_by"), message, "declare one: [lease]");
            }
            _ => {}
        }
        if let Some(health) = planned.health_check {
            let message = format!("nobody asks the checkers of `{}`: racers decide", store.name);
            let help = "leave the health check out, or let a controller decide";
            check.doubt(&draft.health_checks[health].place, message, help);
        }
    }
}

fn times(check: &mut Check<'_>, table: &Named<FailoverParams>, lease: &Named<LeaseParams>) {
    let (race, params) = (&table.params.race, &lease.params);
    let (ttl, round) = (params.ttl, race.loop_wait);
    if round.saturating_add(params.guard) >= ttl {
        let message = format!(
            "the lease ({ttl}, guard {}) runs out before the next round (every {round})",
            params.guard
        );
        check.error(&in_race(table, "loop_wait"), message, "loop_wait + guard must stay below ttl");
    } else {
        let retry = race.retry_timeout;
        let sum = round.saturating_add(retry.saturating_mul(2));
        if sum > ttl {
            let message = format!(
                "loop_wait + 2 × retry_timeout is {sum}, more than ttl ({ttl}): the lease of a \
                 primary that is cut off may lapse before it is demoted"
            );
            let help = "Patroni's rule: loop_wait + 2 × retry_timeout <= ttl";
            check.doubt(&in_race(table, "retry_timeout"), message, help);
        }
    }
    if params.request_timeout >= race.retry_timeout && !race.retry_timeout.is_zero() {
        let message = format!(
            "request_timeout ({}) is not shorter than retry_timeout ({}): only one voter is asked",
            params.request_timeout, race.retry_timeout
        );
        check.doubt(lease.place_of("request_timeout"), message, "make it shorter");
    }
    if lease.wrote("renew_interval") {
        let message = "renew_interval has no effect: racers renew in their loop".to_string();
        check.doubt(lease.place_of("renew_interval"), message, "state race.loop_wait instead");
    }
    if params.enforced_by == EnforcedBy::Agent && lease.wrote("agent_loop") {
        let message = "agent_loop has no effect: racers enforce in their loop".to_string();
        check.doubt(lease.place_of("agent_loop"), message, "state race.loop_wait instead");
    }
}
