//! Leases and health checks: quorums that can be reached, times that make sense together.

use super::{Check, limits, probes, race};
use crate::model::control::{EnforcedBy, LeaseParams};
use crate::model::detect::HealthCheckParams;
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;

pub(super) fn leases(check: &mut Check<'_>) {
    let (draft, plan) = (check.draft, check.plan);
    for (index, (table, lease)) in draft.leases.iter().zip(&plan.leases).enumerate() {
        let voters = lease.voters.len();
        if table.wrote("voters") && table.params.voters.is_empty() {
            let message = "a lease without voters is never granted".to_string();
            check.error(table.place_of("voters"), message, "state an odd number of regions");
        } else if voters > 0 && voters % 2 == 0 {
            let message = format!("{voters} voters bear no more losses than {} would", voters - 1);
            let help = "an odd number is better: add a witness, or take one away";
            check.doubt(table.place_of("voters"), message, help);
        }
        if !race::only_racers_use(check, index) {
            renewal(check, table);
        }
        lease_times(check, table);
        election(check, table);
    }
}

/// How often its holder renews, against how long it lasts.
fn renewal(check: &mut Check<'_>, table: &Named<LeaseParams>) {
    let lease = &table.params;
    limits::period(check, table.place_of("renew_interval"), "renew_interval", lease.renew_interval);
    if lease.ttl <= lease.renew_interval {
        let message = format!(
            "the lease ({}) runs out before it is renewed (every {})",
            lease.ttl, lease.renew_interval
        );
        let key = if table.wrote("ttl") { "ttl" } else { "renew_interval" };
        check.error(table.place_of(key), message, "renew at least twice in a ttl");
    } else if lease.guard < lease.ttl
        && lease.renew_interval.saturating_add(lease.guard) >= lease.ttl
    {
        let message = format!(
            "guard ({}) and renew_interval ({}) use up the ttl ({}): the holder stops before it renews",
            lease.guard, lease.renew_interval, lease.ttl
        );
        let key = if table.wrote("guard") { "guard" } else { "ttl" };
        check.error(table.place_of(key), message, "renew_interval + guard must stay below ttl");
    }
}

fn lease_times(check: &mut Check<'_>, table: &Named<LeaseParams>) {
    let lease = &table.params;
    if lease.guard >= lease.ttl {
        let message = format!(
            "guard ({}) is not shorter than ttl ({}): no lease is ever held",
            lease.guard, lease.ttl
        );
        let key = if table.wrote("guard") { "guard" } else { "ttl" };
        check.error(table.place_of(key), message, "the guard covers clock drift over one ttl");
    }
    drift_against_guard(check, table);
    if lease.enforced_by == EnforcedBy::Agent {
        limits::period(check, table.place_of("agent_loop"), "agent_loop", lease.agent_loop);
    }
    if lease.request_timeout.is_zero() {
        let message = "a request_timeout of 0s: no renewal is ever heard".to_string();
        check.error(table.place_of("request_timeout"), message, "longer than a round trip");
    }
}

/// Two clocks may part by twice the drift over a ttl; the guard is there to cover that.
fn drift_against_guard(check: &mut Check<'_>, table: &Named<LeaseParams>) {
    let lease = &table.params;
    let drift = check.plan.clock_drift_ppm;
    let apart = lease.ttl.as_secs_f64() * 2.0 * drift / 1e6;
    if apart > lease.guard.as_secs_f64() && !lease.guard.is_zero() {
        let message = format!(
            "guard ({}) is shorter than two clocks may part in a ttl ({:.3} s at {drift} ppm)",
            lease.guard, apart
        );
        let help = "lengthen the guard, shorten the ttl, or state a smaller run.clock_drift_ppm";
        let key = if table.wrote("guard") { "guard" } else { "ttl" };
        check.doubt(table.place_of(key), message, help);
    }
}

fn election(check: &mut Check<'_>, table: &Named<LeaseParams>) {
    let election = &table.params.election;
    let place = |key: &str| -> Place {
        place_in(&table.node, &format!("election.{key}")).unwrap_or(&table.place).clone()
    };
    let beat = election.heartbeat_interval;
    limits::period(check, &place("heartbeat_interval"), "heartbeat_interval", beat);
    if election.timeout_min > election.timeout_max {
        let message = format!(
            "timeout_min ({}) lies above timeout_max ({})",
            election.timeout_min, election.timeout_max
        );
        check.error(&place("timeout_min"), message, "timeouts are drawn between the two");
    } else if beat >= election.timeout_min {
        let message = format!(
            "voters give up ({}) before a leader shows itself (every {beat})",
            election.timeout_min
        );
        let help = "timeout_min should be several heartbeat intervals";
        check.error(&place("heartbeat_interval"), message, help);
    }
}

pub(super) fn health_checks(check: &mut Check<'_>) {
    let (draft, plan) = (check.draft, check.plan);
    for (table, planned) in draft.health_checks.iter().zip(&plan.health_checks) {
        let params = &table.params;
        let checkers = planned.checkers.len() as u32;
        let quorum = planned.unhealthy_quorum;
        if table.wrote("checkers") && params.checkers.is_empty() {
            let message = "a health check without checkers notices nothing".to_string();
            check.error(table.place_of("checkers"), message, "state the regions they stand in");
        } else if quorum > checkers && checkers as usize == params.checkers.len() && checkers > 0 {
            let message =
                format!("a quorum of {quorum} can never be reached: there are {checkers} checkers");
            let help = format!("from 1 to {checkers}; or leave it out for a majority");
            check.error(table.place_of("unhealthy_quorum"), message, &help);
        } else if quorum == 0 && params.unhealthy_quorum == Some(0) {
            let message = "a quorum of 0 is always reached: everything is unhealthy".to_string();
            check.error(table.place_of("unhealthy_quorum"), message, "at least 1");
        }
        share_of_checkers(check, table);
        probes::of_health_check(check, table);
    }
}

fn share_of_checkers(check: &mut Check<'_>, table: &Named<HealthCheckParams>) {
    let Some(share) = table.params.unhealthy_share else { return };
    let place = table.place_of("unhealthy_share");
    if table.params.unhealthy_quorum.is_some() {
        let message = "unhealthy_share has no effect beside unhealthy_quorum".to_string();
        check.doubt(place, message, "state one of the two");
    } else if share.0 <= 0.0 {
        let message = "a share of 0 % is always reached: everything is unhealthy".to_string();
        check.error(place, message, "more than 0%");
    }
}
