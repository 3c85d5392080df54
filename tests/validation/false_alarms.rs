//! A4.2: how seldom probes that get lost make a healthy node look dead.

use super::kit::{
    Case, Claims, Effort, Facts, Row, SEED, Table, error, mean, power, stage, trials,
};
use regionsim::model::fact::{Claim, Fact};
use regionsim::sim::SimTime;
use regionsim::world::Limits;

/// Probes of one trial: every 10 ms for 1,000 s.
const PROBES: f64 = 1e5;
const INTERVAL: f64 = 0.01;

/// Who counts failures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// A load balancer: judged from the fact that it sends clients there again.
    Balancer,
    /// A health checker: it says so itself, nobody acts on it.
    Checker,
}

/// One database, and one who probes it over a link that loses so much each way that a probe fails
/// with probability `loss`. One success in a row is enough to be healthy again.
fn scenario(by: By, loss: f64, threshold: u32) -> String {
    let each_way = (1.0 - (1.0 - loss).sqrt()) * 100.0;
    let who = match by {
        By::Balancer => format!(
            r#"
[routing]
via = {{ proxy = {{ inter = "10ms", timeout = "1ms", fall = {threshold}, rise = 1 }} }}
"#
        ),
        By::Checker => format!(
            r#"
[health_check]
checkers = ["c"]
request_interval = "10ms"
timeout = "1ms"
failure_threshold = {threshold}
recovery_threshold = 1
"#
        ),
    };
    format!(
        r#"
schema_version = 1
[scenario]
name = "false-alarms"
[run]
horizon = "1000s"
settle = "1s"
clock_drift_ppm = 0.0
[region.a]
[region.c]
[wan]
default = {{ rtt = "2us", jitter = "0ms", loss = "{each_way:.9}%" }}
[store.db]
primary = "a"
standbys = []
replication = {{ mode = "async" }}
{who}
[clients.web]
region = "c"
writes = {{ per_second = 0.001 }}
"#
    )
}

/// Of each trial: probes from the first to the last recovery, and how many cycles these were. A
/// cycle is the probes up to an alarm, and those up to the next success.
fn cycles(by: By, loss: f64, threshold: u32, count: u64) -> Vec<(f64, f64)> {
    let (_, stage) = stage(&scenario(by, loss, threshold));
    trials(count, |trial| {
        let mut recovered = Vec::new();
        let limits = Limits::default();
        match by {
            By::Balancer => {
                let mut facts = Facts(|at: SimTime, fact: &Fact| {
                    if let Fact::Routed { .. } = fact {
                        recovered.push(at.as_secs_f64());
                    }
                });
                stage.run(SEED, trial, &mut facts, &limits);
            }
            By::Checker => {
                let mut claims = Claims(|at: SimTime, _, claim: &Claim| {
                    if let Claim::Opinion { healthy: true, .. } = claim {
                        recovered.push(at.as_secs_f64());
                    }
                });
                stage.run(SEED, trial, &mut claims, &limits);
            }
        }
        // Without a recovery nothing is known of a trial but that no cycle ended in it.
        let probes = recovered.first().map_or(0.0, |first| PROBES - first / INTERVAL);
        (probes, recovered.len().saturating_sub(1) as f64)
    })
}

/// Probes per cycle over all trials, and the standard error of that ratio.
fn ratio(seen: &[(f64, f64)]) -> (f64, f64) {
    let (probes, alarms): (Vec<f64>, Vec<f64>) = seen.iter().copied().unzip();
    let ratio = mean(&probes) / mean(&alarms);
    let off: Vec<f64> = seen.iter().map(|(probes, alarms)| probes - ratio * alarms).collect();
    (ratio, error(&off) / mean(&alarms))
}

/// A4.2.
pub fn lost_probes(effort: Effort) -> Case {
    let mut rows = Vec::new();
    let mut text = "loss,threshold,by,closed_form,ours,error\n".to_string();
    let cases = [
        (By::Balancer, 0.05, 3, effort.of(20, 1_000)),
        (By::Balancer, 0.1, 3, effort.of(10, 400)),
        (By::Balancer, 0.1, 2, effort.of(4, 100)),
        (By::Checker, 0.1, 3, effort.of(10, 400)),
    ];
    for (by, p, threshold, count) in cases {
        let seen = cycles(by, p, threshold, count);
        let (cycle, error) = ratio(&seen);
        let all = power(p, threshold);
        let expected = (1.0 - all) / (all * (1.0 - p));
        // After an alarm, 1 / (1 - p) probes until one succeeds.
        let ours = cycle - 1.0 / (1.0 - p);
        let who = if by == By::Balancer { "load balancer" } else { "checker" };
        let alarms: f64 = seen.iter().map(|(_, alarms)| alarms).sum();
        rows.push(Row {
            what: format!("{who}, p = {p}, K = {threshold}: mean probes up to an alarm"),
            label: "DERIVED",
            published: format!("{expected:.1}"),
            ours: format!("{ours:.1}"),
            interval: format!("± {:.1} ({alarms} alarms)", 1.96 * error),
            tolerance: format!("± {:.1} (4 standard errors)", 4.0 * error),
            pass: (ours - expected).abs() <= 4.0 * error && alarms > 150.0,
        });
        text += &format!("{p},{threshold},{who},{expected:.3},{ours:.3},{error:.3}\n");
    }
    Case {
        title: "A4.2 False alarms of K lost probes",
        source: "closed form: with independent loss p of a probe, (1 - p^K) / (p^K (1 - p)) probes up to K failures in a row; p = 0.05, K = 3: 8420; p = 0.1: 1110.",
        notes: "The whole simulator: a database that never fails, probed every 10 ms over a link that loses 1 - sqrt(1 - p) each way. A load balancer is judged from the fact that it sends clients to the database again after an alarm; a checker by its own word, there being no fact of an opinion. Each cycle between two recoveries also holds the 1 / (1 - p) probes until one succeeds, which are taken off.",
        rows,
        tables: vec![Table { name: "false-alarms.csv".into(), text }],
    }
}
