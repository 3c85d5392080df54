//! A4.1: how long K failed probes in a row take to be noticed.

use super::kit::{
    Case, Effort, Facts, SEED, bounds_row, cdf_table, mean_row, shape_row, sorted, stage, trials,
};
use regionsim::model::fact::Fact;
use regionsim::sim::SimTime;
use regionsim::world::Limits;

const TIMEOUT: f64 = 4.0;
const DEATH: f64 = 150.0;
/// One microsecond of network per leg, at most ten legs from a timeout to an authorisation.
const NETWORK: f64 = 1e-5;

fn scenario(interval: u64, threshold: u64) -> String {
    format!(
        r#"
schema_version = 1
[scenario]
name = "failed-probes"
[run]
warmup = "10s"
horizon = "260s"
settle = "1s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
[wan]
default = {{ rtt = "2us", jitter = "0ms" }}
within_zone = {{ rtt = "2us" }}
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ mode = "async" }}
[health_check]
checkers = ["b"]
unhealthy_quorum = 1
request_interval = "{interval}s"
timeout = "{TIMEOUT}s"
failure_threshold = {threshold}
[failover]
controller = {{ region = "b" }}
promotion = "1us"
contact_interval = "20s"
[clients.web]
region = "b"
writes = {{ per_second = 0.1 }}
[[fault]]
kind = "crash"
at = "{DEATH}s"
target = "db@a"
"#
    )
}

fn times(interval: u64, threshold: u64, count: u64) -> Vec<f64> {
    let (_, stage) = stage(&scenario(interval, threshold));
    let death = DEATH;
    let one = |trial| {
        let mut found = None;
        let mut facts = Facts(|at: SimTime, fact: &Fact| {
            if let Fact::Authorised { .. } = fact {
                found.get_or_insert(at.as_secs_f64() - death);
            }
        });
        stage.run(SEED, trial, &mut facts, &Limits::default());
        found.expect("a failover")
    };
    sorted(trials(count, one))
}

/// A4.1.
pub fn failed_probes(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for (interval, threshold) in [(30, 3), (10, 3), (10, 2)] {
        let took = times(interval, threshold, effort.of(1_000, 10_000));
        let (i, k) = (interval as f64, threshold as f64);
        let (low, high) = ((k - 1.0) * i + TIMEOUT, k * i + TIMEOUT);
        let name = format!("I = {interval} s, K = {threshold}, T = {TIMEOUT} s");
        rows.push(mean_row(format!("{name}: mean"), (low + high) / 2.0, "s", &took, NETWORK));
        rows.push(bounds_row(format!("{name}: least and most"), low, high, "s", &took, NETWORK));
        let law = format!("U({low}, {high}) s");
        let cdf = |x: f64| ((x - low) / (high - low)).clamp(0.0, 1.0);
        rows.push(shape_row(format!("{name}: distribution"), &law, &took, 0.0, cdf));
        tables.push(cdf_table(
            &format!("detection-i{interval}-k{threshold}.csv"),
            "seconds",
            &took,
        ));
    }
    Case {
        title: "A4.1 K consecutive failed probes",
        source: "closed form: U(0, I) + (K - 1) I + T, mean (K - 1/2) I + T. Route 53 uses I of 10 and 30 s and K = 3 (developer guide).",
        notes: "The whole simulator: a host dies at a fixed time, one checker whose phase is drawn per trial, a controller beside it whose steps take no time. Read from the fact that a new primary is authorised, not from the checker's own word; the network takes 1 µs a leg. With T = 0 the published means are 75 s and 25 s; T is stated in each row.",
        rows,
        tables,
    }
}
