//! How long a death takes to be noticed: K failed probes in a row (A4.1), and the opinions of
//! sixteen checkers (Route 53).

use super::kit::{
    Case, Effort, Facts, SEED, bounds_row, cdf_table, mean_row, power, shape_row, sorted, stage,
    trials,
};
use regionsim::model::fact::Fact;
use regionsim::sim::SimTime;
use regionsim::world::Limits;

const TIMEOUT: f64 = 4.0;
const DEATH: f64 = 100.0;
/// One microsecond of network per leg, at most ten legs from a timeout to an authorisation.
const NETWORK: f64 = 1e-5;

/// So many checkers in zones of `b`, of which so many must say unhealthy.
struct Panel {
    checkers: usize,
    quorum: u32,
    timeout: f64,
}

const ALONE: Panel = Panel { checkers: 1, quorum: 1, timeout: TIMEOUT };

fn scenario(interval: u64, threshold: u64, panel: &Panel) -> String {
    let Panel { checkers, quorum, timeout } = panel;
    let horizon = DEATH as u64 + threshold * interval + TIMEOUT as u64 + 1;
    let zones: Vec<String> = (0..*checkers).map(|zone| format!("\"z{zone}\"")).collect();
    let names: Vec<String> = (0..*checkers).map(|zone| format!("\"b/z{zone}\"")).collect();
    let (zones, checkers) = (zones.join(", "), names.join(", "));
    format!(
        r#"
schema_version = 1
[scenario]
name = "failed-probes"
[run]
warmup = "10s"
horizon = "{horizon}s"
settle = "1s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
zones = [{zones}]
[wan]
default = {{ rtt = "2us", jitter = "0ms" }}
within_zone = {{ rtt = "2us" }}
intra_region = {{ rtt = "2us" }}
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ mode = "async" }}
[health_check]
checkers = [{checkers}]
unhealthy_quorum = {quorum}
request_interval = "{interval}s"
timeout = "{timeout}s"
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

fn times(interval: u64, threshold: u64, panel: &Panel, count: u64) -> Vec<f64> {
    let (_, stage) = stage(&scenario(interval, threshold, panel));
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
        let took = times(interval, threshold, &ALONE, effort.of(1_000, 10_000));
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

/// At least `k` of `n` independent checkers have noticed when each has with probability `p`.
fn at_least(k: u32, n: u32, p: f64) -> f64 {
    let mut ways = 1.0;
    let mut sum = 0.0;
    for j in 0..=n {
        if j >= k {
            sum += ways * power(p, j) * power(1.0 - p, n - j);
        }
        ways *= f64::from(n - j) / f64::from(j + 1);
    }
    sum
}

/// Route 53's rule: healthy while more than 18 % of the checkers say so. Of 16, three are more
/// and two are not: 14 must say unhealthy.
pub fn route_53(effort: Effort) -> Case {
    const CHECKERS: u32 = 16;
    let quorum = CHECKERS - (0.18 * f64::from(CHECKERS)) as u32;
    let panel = Panel { checkers: CHECKERS as usize, quorum, timeout: 0.001 };
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for interval in [30_u64, 10] {
        let took = times(interval, 3, &panel, effort.of(200, 4_000));
        let i = interval as f64;
        let (low, high) = (2.0 * i + panel.timeout, 3.0 * i + panel.timeout);
        // The k-th of n uniform moments lies k / (n + 1) of the way along.
        let expected = low + i * f64::from(quorum) / f64::from(CHECKERS + 1);
        let name = format!("every {interval} s, {quorum} of {CHECKERS}");
        rows.push(mean_row(format!("{name}: mean"), expected, "s", &took, NETWORK));
        rows.push(bounds_row(format!("{name}: least and most"), low, high, "s", &took, NETWORK));
        let law = format!("{quorum}. of {CHECKERS} of U({low}, {high}) s");
        let cdf = |x: f64| at_least(quorum, CHECKERS, ((x - low) / i).clamp(0.0, 1.0));
        rows.push(shape_row(format!("{name}: distribution"), &law, &took, 0.0, cdf));
        tables.push(cdf_table(&format!("route-53-i{interval}.csv"), "seconds", &took));
    }
    Case {
        title: "Route 53: sixteen checkers of which 18 % must say healthy",
        source: "closed form from documented rules (Route 53 developer guide: request interval 30 s or 10 s, failure threshold 3, uncoordinated checkers, healthy if more than 18 % of them say so): the 14th of 16 of U(2I, 3I), mean 2I + I 14/17 = 84.7 s and 28.2 s. The number of checkers is not documented; 16 is a guess of the right size.",
        notes: "The whole simulator, as in A4.1. The timeout of a probe (Route 53: up to 4 s for TCP) is 1 ms here; what is documented neither is the time until name servers follow.",
        rows,
        tables,
    }
}
