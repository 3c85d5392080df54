//! Objectives that nothing in the file can meet.

use super::targets::reaches;
use super::{Check, shortest};
use crate::model::control::{DecidedBy, Trigger};
use crate::model::detect::HealthCheckParams;
use crate::model::replica::{ModeParams, async_log};
use crate::sim::Span;
use crate::world::fault::target::Role;
use crate::world::fault::{FaultParams, crash};
use crate::world::plan::{FaultPlan, StorePlan};

pub(super) fn policy(check: &mut Check<'_>) {
    let policy = &check.draft.policy;
    let plan = check.plan;
    if let Some(rto) = policy.params.rto {
        for store in &plan.stores {
            let Some(floor) = failover_floor(check, store) else { continue };
            if rto < floor && !heals_within(check, rto) {
                let message = format!(
                    "no failover of `{}` is faster than {floor}: an RTO of {rto} cannot be met",
                    store.name
                );
                let help =
                    "probe more often, need fewer failures, promote faster; or a longer objective";
                check.doubt(policy.place_of("rto"), message, help);
            }
        }
    }
    if let Some(rpo) = policy.params.rpo {
        for store in &plan.stores {
            recovery_point(check, store, rpo);
        }
    }
    availability(check);
}

/// The shortest failover there can be: the probes that must fail, the hold, the five steps; or
/// the lapse of the lease, promotion and routing.
fn failover_floor(check: &Check<'_>, store: &StorePlan) -> Option<Span> {
    let failover = &check.plan.failovers[store.failover?].params;
    // A process killed on a live host refuses at once; everything else is silence.
    let refuses = |fault: &FaultPlan| matches!(&fault.params, FaultParams::Crash(c) if c.process != crash::Process::Host);
    let silent = !check.plan.faults.iter().any(refuses);
    if failover.decided_by == DecidedBy::Race {
        // The lease of a primary that is silent lapses first; it was renewed a round ago at most.
        let lease = &check.plan.leases[store.lease?].params;
        let lapse = lease.ttl.saturating_add(lease.guard).saturating_sub(failover.race.loop_wait);
        let lapse = if silent { lapse } else { Span::ZERO };
        let steps = shortest(&failover.promotion).saturating_add(shortest(&failover.route));
        return Some(lapse.saturating_add(steps));
    }
    let mut floor = match super::council::pings(failover) {
        // The first ping without an answer goes out after the primary is gone.
        Some(council) => council.down_after,
        None => probing(&check.plan.health_checks[store.health_check?].params, silent),
    };
    let steps = [
        &failover.stop_traffic,
        &failover.drain,
        &failover.fence,
        &failover.promotion,
        &failover.route,
    ];
    for step in steps {
        floor = floor.saturating_add(shortest(step));
    }
    match failover.trigger {
        Trigger::Automatic => Some(floor),
        Trigger::Approval | Trigger::Manual => {
            Some(floor.saturating_add(shortest(&failover.operator_response)))
        }
        Trigger::Never => None,
    }
}

/// The shortest time in which a health check can notice, and its hold.
fn probing(probe: &HealthCheckParams, silent: bool) -> Span {
    let interval =
        probe.fast_interval.unwrap_or(probe.request_interval).min(probe.request_interval);
    let failures = u64::from(probe.failure_threshold).saturating_sub(1);
    let floor = interval.saturating_mul(failures).saturating_add(probe.hold);
    if silent { floor.saturating_add(probe.timeout) } else { floor }
}

/// True when there is no fault, or every fault may be over by then: service may come back
/// without a failover.
fn heals_within(check: &Check<'_>, span: Span) -> bool {
    let outlasts = |fault: &FaultPlan| match &fault.common.duration {
        Some(lasts) => shortest(lasts) > span,
        None => fault.common.is_permanent(),
    };
    !check.plan.faults.iter().any(outlasts)
}

fn recovery_point(check: &mut Check<'_>, store: &StorePlan, rpo: Span) {
    let ModeParams::Async(params) = &store.params.replication else { return };
    let policy = &check.draft.policy;
    if store.failover.is_none() {
        return;
    }
    if rpo.is_zero() {
        let message =
            format!("`{}` replicates asynchronously: an RPO of 0s cannot be met", store.name);
        let help = "mode = \"sync\" can; or state how much may be lost";
        check.doubt(policy.place_of("rpo"), message, help);
    } else if params.ship == async_log::Ship::Batch && params.batch_interval > rpo {
        let message = format!(
            "`{}` ships every {}: an RPO of {rpo} cannot be met",
            store.name, params.batch_interval
        );
        let help = "ship more often, or on every flush";
        check.doubt(policy.place_of("rpo"), message, help);
    }
}

/// One failover alone may use up what the SLO allows.
fn availability(check: &mut Check<'_>) {
    let policy = &check.draft.policy;
    let Some(slo) = policy.params.availability_slo else { return };
    if slo.0 >= 1.0 {
        let message = "an SLO of 100% leaves no error budget: nothing is told of it".to_string();
        check.doubt(policy.place_of("availability_slo"), message, "state what may fail: \"99.9%\"");
    }
    let plan = check.plan;
    let measured = plan.horizon.saturating_sub(plan.warmup);
    let allowed = (1.0 - slo.0) * measured.as_secs_f64();
    for store in &plan.stores {
        let Some(floor) = failover_floor(check, store) else { continue };
        let hit = plan.faults.iter().any(|fault| takes_the_primary(check, store, fault));
        if hit && floor.as_secs_f64() > allowed && !heals_within(check, floor) {
            let message = format!(
                "one failover of `{}` takes {floor} at least; the SLO allows {allowed:.1} s in {measured}",
                store.name
            );
            let help = "fail over faster, measure a longer time, or a lower objective";
            check.doubt(policy.place_of("availability_slo"), message, help);
        }
    }
}

/// True when a permanent fault surely stops the primary: a crash of where it stands.
fn takes_the_primary(check: &Check<'_>, store: &StorePlan, fault: &FaultPlan) -> bool {
    let FaultParams::Crash(crash) = &fault.params else { return false };
    if !fault.common.is_permanent() {
        return false;
    }
    let Some(primary) = store.replicas.first() else { return false };
    let node = format!("{}@{}", store.name, check.plan.spot_name(*primary));
    reaches(check, &crash.target, &node, *primary, Role::Database)
}
