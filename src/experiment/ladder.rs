//! The ladder: a scenario with each safety device taken away, one at a time. A device that the
//! scenario lacks is put in instead, in its strongest form.
//!
//! A rung is a list of overrides, as `--set` takes them; whoever climbs reads the scenario anew
//! with them. A rung that this scenario cannot stand on (its file would have errors) is dropped by
//! the reader, not here.

use crate::model::control::Trigger;
use crate::model::replica::ModeParams;
use crate::sim::param::Param;
use crate::world::plan::{Plan, StorePlan};

/// One change of one safety device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rung {
    /// What it is called: `no fencing`.
    pub label: String,
    /// Keys and values, as `--set` takes them.
    pub set: Vec<(String, String)>,
}

/// All rungs of a plan: fencing, lease, quorum of checkers, hold time, who decides, replication,
/// retries, idempotency. Those that would change nothing are left out.
pub fn rungs(plan: &Plan) -> Vec<Rung> {
    let all = [
        fencing(plan),
        lease(plan),
        quorum(plan),
        hold(plan),
        trigger(plan),
        replication(plan),
        retries(plan),
        idempotency(plan),
    ];
    all.into_iter().flatten().filter(|rung| !rung.set.is_empty()).collect()
}

/// `lease`, or `lease.NAME` for a named table.
fn table(kind: &str, name: &str) -> String {
    if name == kind { kind.to_string() } else { format!("{kind}.{name}") }
}

fn rung(label: &str, set: Vec<(String, String)>) -> Option<Rung> {
    Some(Rung { label: label.to_string(), set })
}

fn fencing(plan: &Plan) -> Option<Rung> {
    let fenced = plan.failovers.iter().any(|failover| !failover.params.fencing.is_empty());
    let each = |value: &str| -> Vec<(String, String)> {
        let key = |name: &str| format!("{}.fencing", table("failover", name));
        plan.failovers.iter().map(|f| (key(&f.name), value.to_string())).collect()
    };
    match fenced {
        true => rung("no fencing", each("[]")),
        false => rung("fencing by self and token", each("[\"self\", \"token\"]")),
    }
}

fn lease(plan: &Plan) -> Option<Rung> {
    if plan.leases.is_empty() {
        // A majority must survive the loss of one region.
        let voters: Vec<String> =
            plan.regions.iter().take(3).map(|region| format!("{:?}", region.name)).collect();
        let value = format!("{{ voters = [{}] }}", voters.join(", "));
        let can = voters.len() == 3 && !plan.failovers.is_empty();
        return can.then(|| Rung {
            label: "a lease".to_string(),
            set: vec![("lease".to_string(), value)],
        });
    }
    let mut away: Vec<String> =
        plan.leases.iter().map(|lease| format!("{:?}", table("lease", &lease.name))).collect();
    for store in plan.stores.iter().filter(|store| store.params.lease.is_some()) {
        away.push(format!("{:?}", format!("store.{}.lease", store.name)));
    }
    rung("no lease", vec![("remove".to_string(), format!("[{}]", away.join(", ")))])
}

fn quorum(plan: &Plan) -> Option<Rung> {
    let some = plan.health_checks.iter().any(|check| check.unhealthy_quorum > 1);
    let changed = plan.health_checks.iter().filter(|check| check.checkers.len() > 1);
    let set = changed.map(|check| {
        let majority = check.checkers.len() / 2 + 1;
        let value = if some { 1 } else { majority };
        let key = format!("{}.unhealthy_quorum", table("health_check", &check.name));
        (key, value.to_string())
    });
    let label = if some { "one checker is enough" } else { "a majority of checkers" };
    rung(label, set.collect())
}

fn hold(plan: &Plan) -> Option<Rung> {
    let holds = plan.health_checks.iter().any(|check| !check.params.hold.is_zero());
    let value = if holds { "0s" } else { "30s" };
    let set = plan
        .health_checks
        .iter()
        .map(|check| (format!("{}.hold", table("health_check", &check.name)), value.to_string()));
    rung(if holds { "no hold time" } else { "a hold time of 30 s" }, set.collect())
}

fn trigger(plan: &Plan) -> Option<Rung> {
    let acts = plan.failovers.iter().any(|f| f.params.trigger == Trigger::Automatic);
    let value = if acts { Trigger::Never } else { Trigger::Automatic };
    let set = plan.failovers.iter().map(|failover| {
        let key = format!("{}.trigger", table("failover", &failover.name));
        (key, value.word().to_string())
    });
    rung(if acts { "no failover" } else { "automatic failover" }, set.collect())
}

fn replication(plan: &Plan) -> Option<Rung> {
    let weak = |params: &ModeParams| matches!(params, ModeParams::Async(_));
    let any_weak = plan.stores.iter().any(|store| weak(&store.params.replication));
    let mode = if any_weak { "sync" } else { "async" };
    let has_standbys =
        |store: &&StorePlan| store.replicas.len() > 1 && store.params.replication.has_primary();
    let replicated = plan.stores.iter().filter(has_standbys);
    let set = replicated.map(|store| {
        let apply = store.params.replication.apply_delay().show();
        let value = format!("{{ mode = {mode:?}, apply_delay = {apply} }}");
        (format!("store.{}.replication", store.name), value)
    });
    let label = if any_weak { "synchronous replication" } else { "asynchronous replication" };
    rung(label, set.collect())
}

fn retries(plan: &Plan) -> Option<Rung> {
    let some = plan.clients.iter().any(|client| client.params.retry.attempts > 1);
    let value = if some { "1" } else { "3" };
    let set = plan
        .clients
        .iter()
        .map(|client| (format!("clients.{}.retry.attempts", client.name), value.to_string()));
    rung(if some { "no retries" } else { "three attempts" }, set.collect())
}

fn idempotency(plan: &Plan) -> Option<Rung> {
    let some = plan.clients.iter().any(|client| client.params.retry.idempotent);
    let value = !some;
    let retrying = plan.clients.iter().filter(|client| client.params.retry.attempts > 1);
    let set = retrying
        .map(|client| (format!("clients.{}.retry.idempotent", client.name), value.to_string()));
    let label = if some { "retries are not recognised" } else { "retries are recognised" };
    rung(label, set.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{load, load_with};

    const TEXT: &str = r#"
        schema_version = 1
        scenario.name = "rungs"
        run = { warmup = "1m", horizon = "20m", settle = "5m" }
        region = { paris = {}, dublin = {}, oslo = {} }
        wan.default.rtt = "30ms"
        store.orders = { primary = "paris", standbys = ["dublin"], replication = { mode = "async" } }
        lease.voters = ["paris", "dublin", "oslo"]
        health_check = { checkers = ["paris", "dublin", "oslo"], hold = "5s" }
        failover = { controller.region = "oslo", fencing = ["token"] }
        clients.web = { region = "oslo", writes.per_second = 5 }
        fault = [{ kind = "crash", target = "paris", at = "10m", duration = "5m" }]
    "#;

    #[test]
    fn every_device_has_a_rung_and_every_rung_can_be_read() {
        let scenario = load(TEXT).0.expect("a sound scenario");
        let rungs = rungs(&scenario.plan);
        let labels: Vec<&str> = rungs.iter().map(|rung| rung.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "no fencing",
                "no lease",
                "one checker is enough",
                "no hold time",
                "no failover",
                "synchronous replication",
                "no retries",
                "retries are not recognised",
            ]
        );
        for rung in rungs {
            let (changed, diagnostics) = load_with(TEXT, &rung.set, None);
            let changed = changed.unwrap_or_else(|| panic!("{}: {diagnostics:?}", rung.label));
            assert_ne!(changed.plan, scenario.plan, "{} changes nothing", rung.label);
        }
    }

    #[test]
    fn what_is_missing_is_put_in() {
        let bare = TEXT.replace("fencing = [\"token\"]", "trigger = \"never\"");
        let bare = bare.replace("lease.voters", "#").replace(", hold = \"5s\"", "");
        let scenario = load(&bare).0.expect("a sound scenario");
        let labels: Vec<String> = rungs(&scenario.plan).into_iter().map(|r| r.label).collect();
        for label in ["fencing by self and token", "a lease", "automatic failover"] {
            assert!(labels.iter().any(|known| known == label), "{labels:?}");
        }
    }
}
