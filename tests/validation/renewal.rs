//! A4.8, and the alternating renewal process under it: faults that come at a rate.

use super::kit::{Case, Effort, Row, judged, mean_row, shape_row, sorted, stage, trials, value};
use regionsim::sim::SimTime;
use regionsim::world::Stage;

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;

/// One node that crashes and is repaired; clients that ask it once, and wait a second.
fn one_node(fault: &str) -> String {
    format!(
        r#"
schema_version = 1
[scenario]
name = "renewal"
[run]
warmup = "1h"
horizon = "2401h"
settle = "1h"
clock_drift_ppm = 0.0
[region.a]
[wan]
within_zone = {{ rtt = "2us" }}
[store.db]
primary = "a"
replication = {{ mode = "async" }}
restart_time = "0s"
[measure]
outage_window = "10m"
[clients.web]
region = "a"
node = "db@a"
writes = {{ per_second = 0.02 }}
deadline = "1s"
retry = {{ attempts = 1, attempt_timeout = "1s" }}
[[fault]]
kind = "crash"
target = "db@a"
{fault}
"#
    )
}

/// The share of a storm of length `t` that an alternating renewal process is up which begins up,
/// both laws exponential.
fn share_up(mtbf: f64, mttr: f64, t: f64) -> f64 {
    let (rate, up) = (1.0 / mtbf + 1.0 / mttr, mtbf / (mtbf + mttr));
    up + (1.0 - up) * (1.0 - libm::exp(-rate * t)) / (rate * t)
}

/// Per trial: the share of the storm without the fault.
fn up(stage: &Stage, trial: u64) -> f64 {
    let (from, to) = (HOUR, 2_401.0 * HOUR);
    let down = stage.calendar(super::kit::SEED, trial).into_iter().map(|times| {
        times.clear.unwrap_or(SimTime::MAX).as_secs_f64().min(to) - times.onset.as_secs_f64()
    });
    1.0 - down.sum::<f64>() / (to - from)
}

/// The renewal process: times as drawn, and as clients live through them.
pub fn process(effort: Effort) -> Case {
    let mut rows = Vec::new();
    let (mtbf, mttr) = (20.0 * HOUR, 2.0 * HOUR);
    let (_, one) = stage(&one_node("rate = { mtbf = \"20h\", mttr = \"2h\" }"));
    let shares = trials(effort.of(400, 10_000), |trial| 100.0 * up(&one, trial));
    let expected = 100.0 * share_up(mtbf, mttr, 2_400.0 * HOUR);
    rows.push(mean_row("up, MTBF 20 h, MTTR 2 h".into(), expected, "%", &shares, 0.0));
    let mut waits = Vec::new();
    for trial in 0..effort.of(100, 1_000) {
        // Only turns that certainly began before the horizon: the first fifty of some 109.
        let times: Vec<_> = one.calendar(super::kit::SEED, trial).into_iter().take(50).collect();
        for pair in times.windows(2) {
            let repaired = pair[0].clear.expect("it is repaired");
            waits.push(pair[1].onset.since(repaired).as_secs_f64());
        }
    }
    let cdf = |x: f64| 1.0 - libm::exp(-x / mtbf);
    let name = "from a repair to the next failure".to_string();
    rows.push(shape_row(name, "exponential, mean 20 h", &sorted(waits), 0.0, cdf));
    let (median, sigma) = (2.7 * 60.0, 1.21);
    let mean = median * libm::exp(sigma * sigma / 2.0);
    let repairs = "rate = { mtbf = \"2h\" }\nduration = { dist = \"lognormal\", p50 = \"162s\", sigma = 1.21 }";
    let (_, lognormal) = stage(&one_node(repairs));
    let shares = trials(effort.of(200, 5_000), |trial| 100.0 * up(&lognormal, trial));
    let expected = 100.0 * 2.0 * HOUR / (2.0 * HOUR + mean);
    // It begins up: at most one mean repair of 2,400 h is too little.
    let name = "up, MTBF 2 h, repairs lognormal, median 2.7 min, sigma 1.21".to_string();
    rows.push(mean_row(name, expected, "%", &shares, 100.0 * mean / (2_400.0 * HOUR)));
    rows.push(clients(effort, mtbf, mttr));
    Case {
        title: "Alternating renewal: availability MTBF / (MTBF + MTTR)",
        source: "textbook renewal theory; begun up, the mean share over a time T is A + (1 - A)(1 - exp(-(l + m) T)) / ((l + m) T) with l = 1/MTBF, m = 1/MTTR. Lognormal repairs: median 2.7 min, sigma 1.21 (CENIC backbone, SIGCOMM 2010, as fitted).",
        notes: "The first rows are read from the calendar of faults over 100 days. The last is the whole simulator: a database that crashes and restarts in no time, clients that ask it once and wait for one second; Poisson arrivals see time averages.",
        rows,
        tables: Vec::new(),
    }
}

/// What clients of that node live through.
fn clients(effort: Effort, mtbf: f64, mttr: f64) -> Row {
    let (scenario, stage) = stage(&one_node("rate = { mtbf = \"20h\", mttr = \"2h\" }"));
    let shares = trials(effort.of(24, 400), |trial| {
        100.0 * value(&judged(&scenario, &stage, trial), "availability")
    });
    // After the storm clients are served for one more hour.
    let storm = share_up(mtbf, mttr, 2_400.0 * HOUR);
    let expected = 100.0 * (storm * 2_400.0 + 1.0) / 2_401.0;
    mean_row("clients served, MTBF 20 h, MTTR 2 h".into(), expected, "%", &shares, 0.002)
}

/// Three nodes that crash at the same rate, and a failover that takes one of two times.
fn trio(horizon: &str, mtbf: &str, down: &str, check: &str, promotion: &str) -> String {
    let fault = |node: &str| {
        format!(
            "[[fault]]\nname = \"{node}\"\nkind = \"crash\"\ntarget = \"db@{node}\"\nrate = {{ mtbf = \"{mtbf}\" }}\nduration = \"{down}\"\n"
        )
    };
    let faults = [fault("a"), fault("b"), fault("c")].concat();
    let head = super::kit::head("active-passive", "1h", horizon, "1h", &["a", "b", "c", "d"]);
    format!(
        r#"{head}
[store.db]
primary = "a"
standbys = ["b", "c"]
replication = {{ mode = "async" }}
restart_time = "0s"
[health_check]
checkers = ["d"]
unhealthy_quorum = 1
timeout = "1s"
{check}
[failover]
controller = {{ region = "d" }}
contact_interval = "10m"
promotion = {promotion}
[routing]
via = {{ global_lb = {{ propagation = "0s" }} }}
[measure]
outage_window = "10m"
[clients.web]
region = "d"
writes = {{ per_second = 0.02 }}
deadline = "1s"
retry = {{ attempts = 1, attempt_timeout = "1s" }}
{faults}"#
    )
}

/// Parts per million of operations that are not served.
fn unserved(text: &str, runs: u64) -> Vec<f64> {
    let (scenario, stage) = stage(text);
    let one = |trial| 1e6 * (1.0 - value(&judged(&scenario, &stage, trial), "availability"));
    trials(runs, one)
}

/// A promotion that takes `quick` seconds, but with a small chance `slow`.
fn one_of(chance: f64, quick: u64, slow: u64) -> String {
    let part = |weight: f64, value: u64| {
        format!("{{ weight = {weight}, dist = \"constant\", value = \"{value}s\" }}")
    };
    format!(
        "{{ dist = \"mixture\", parts = [{}, {}] }}",
        part(chance, quick),
        part(1.0 - chance, slow)
    )
}

/// A4.8.
pub fn imperfect_failover(effort: Effort) -> Case {
    let row = |name: &str, up: f64, coverage: f64, tau: f64, manual: f64, unserved: &[f64]| {
        let down = coverage * tau + (1.0 - coverage) * manual;
        // For a client that asked in the last second of an outage it is one second longer.
        mean_row(name.into(), 1e6 * down / (up + down), "ppm not served", unserved, 1e6 / up)
    };
    // Noticed in U(1, 31) s, promoted in 44 s or 3,584 s.
    let check = "request_interval = \"30s\"\nfailure_threshold = 1";
    let published = trio("2881h", "720h", "2h", check, &one_of(0.95, 44, 3_584));
    let published = unserved(&published, effort.of(8, 1_500));
    // Noticed in U(121, 181) s, promoted in 149 s or 749 s.
    let check = "request_interval = \"60s\"\nfailure_threshold = 3";
    let often = trio("2881h", "240h", "30m", check, &one_of(0.5, 149, 749));
    let often = unserved(&often, effort.of(6, 1_000));
    let name = "MTBF 30 d, tau 60 s, c = 0.95, R 1 h (A = 0.99990857)";
    let rows = vec![
        row(name, 30.0 * DAY, 0.95, 60.0, 3_600.0, &published),
        row("MTBF 10 d, tau 300 s, c = 0.5, R 15 min", 10.0 * DAY, 0.5, 300.0, 900.0, &often),
    ];
    Case {
        title: "A4.8 Active-passive with imperfect failover",
        source: "closed form: A = (1/l) / (1/l + c tau + (1 - c) R), with 1/l the mean time between failures of a node, c the share of failovers that take tau, and R what the others take.",
        notes: "Each of three nodes crashes at the same rate; what fails is down for 2 h (30 minutes in the second row), then rewound, and a standby. A checker sees it in U((K - 1) I + T, K I + T), with I = 30 s, K = 1 (60 s and 3), T = 1 s; promotion takes one of two times. Unavailability is what clients see who ask once. There are two standbys, since with one a second failure within the first adds some percent, which the closed form leaves out.",
        rows,
        tables: Vec::new(),
    }
}
