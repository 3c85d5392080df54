//! A4.9 and two laws beside it: what a server of limited capacity does to those who wait.

use super::kit::{
    Case, Effort, Facts, Row, SEED, Table, at, error, head, mean, mean_row, sorted, stage, trials,
};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::OpId;
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use std::collections::BTreeMap;

/// Two legs of a microsecond, and rounding.
const NETWORK: f64 = 3e-6;

/// One database with a server, one population beside it, nothing wrong unless `fault` says so.
fn scenario(horizon: u64, service: &str, clients: &str, fault: &str) -> String {
    head("queue", "1s", &format!("{horizon}s"), "10s", &["a", "b"])
        + &format!(
            r#"
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ mode = "async" }}
server = {{ service_time = {service}, concurrency = 1, queue = 1_000_000 }}
[clients.web]
region = "a"
deadline = "1h"
retry = {{ attempts = 1, attempt_timeout = "1h" }}
{clients}
{fault}
"#
        )
}

/// Exponential with this mean, in milliseconds.
fn exponential(ms: f64) -> String {
    format!(r#"{{ dist = "exponential", mean = "{ms}ms" }}"#)
}

/// Every operation that ended well: when it began, and how long it took, in seconds.
fn operations(stage: &regionsim::world::Stage, trial: u64) -> Vec<(f64, f64)> {
    let (mut began, mut ended) = (BTreeMap::<OpId, SimTime>::new(), Vec::new());
    let mut facts = Facts(|now: SimTime, fact: &Fact| match fact {
        Fact::Invoked { op, .. } => {
            began.insert(*op, now);
        }
        Fact::Concluded { op, outcome, .. } => {
            assert_eq!(*outcome, Outcome::Ok);
            let at = began.remove(op).expect("it began");
            ended.push((at.as_secs_f64(), now.since(at).as_secs_f64()));
        }
        _ => {}
    });
    stage.run(SEED, trial, &mut facts, &Limits::default());
    ended
}

/// A4.9: Poisson arrivals, exponential service, one server.
pub fn one_server(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    const FROM: f64 = 5.0;
    let until = effort.of(35, 105);
    for (load, mu) in [(0.8, 1000.0), (0.5, 1000.0)] {
        let clients = format!("reads = {{ per_second = {} }}", load * mu);
        let (_, stage) = stage(&scenario(until, &exponential(1000.0 / mu), &clients, ""));
        let took: Vec<Vec<f64>> = trials(effort.of(40, 400), |trial| {
            let all = operations(&stage, trial);
            let counted = all.iter().filter(|(began, _)| (FROM..until as f64).contains(began));
            counted.map(|(_, took)| *took).collect()
        });
        let name = format!("utilisation {load}, {mu:.0}/s");
        // A time in the system is exponential with this rate.
        let rate = mu * (1.0 - load);
        let means: Vec<f64> = took.iter().map(|t| 1e3 * mean(t)).collect();
        let what = format!("{name}: mean time in the system");
        rows.push(mean_row(what, 1e3 / rate, "ms", &means, 1e3 * NETWORK));
        let all = sorted(took.iter().flatten().copied().collect());
        rows.push(percentile(&name, rate, &took, &all));
        tables.push(super::kit::cdf_table(
            &format!("one-server-{:.0}.csv", 100.0 * load),
            "seconds",
            &all,
        ));
    }
    Case {
        title: "A4.9 One server: M/M/1",
        source: "closed form: the time in the system is exponential with rate μ - λ. At utilisation 0.8 and 1000/s: mean 5 ms, p99 = ln(100) / (μ - λ) = 23.03 ms.",
        notes: "A database with one place, exponential service, and reads as an open loop. Times are those of clients, from facts, network (2 µs) included. Operations of one trial depend on each other: intervals rest on the spread between trials. That of the percentile is the spread of the share above it, over the density there.",
        rows,
        tables,
    }
}

/// The 99th percentile of all trials together.
fn percentile(name: &str, rate: f64, took: &[Vec<f64>], all: &[f64]) -> Row {
    let (expected, ours) = (libm::log(100.0) / rate, at(all, 0.99));
    let above = |t: &Vec<f64>| t.iter().filter(|t| **t > ours).count() as f64 / t.len() as f64;
    let shares: Vec<f64> = took.iter().map(above).collect();
    let error = error(&shares) / (0.01 * rate);
    Row {
        what: format!("{name}: p99"),
        label: "DERIVED",
        published: format!("{:.2} ms", 1e3 * expected),
        ours: format!("{:.3} ms", 1e3 * ours),
        interval: format!(
            "± {:.3} ({} trials, {} operations)",
            1.96e3 * error,
            took.len(),
            all.len()
        ),
        tolerance: format!("± {:.3} (4 standard errors)", 1e3 * (4.0 * error + NETWORK)),
        pass: (ours - expected).abs() <= 4.0 * error + NETWORK,
    }
}

/// Operations a second of `n` users who think for `z` and share a server that takes `s`, all
/// exponential: the machine repair model.
fn repair(n: u32, z: f64, s: f64) -> f64 {
    let (mut weight, mut sum) = (1.0, 1.0);
    for k in 0..n {
        weight *= f64::from(n - k) * s / z;
        sum += weight;
    }
    (1.0 - 1.0 / sum) / s
}

/// Closed loops: N users, thinking Z.
pub fn closed_loops(effort: Effort) -> Case {
    const FROM: f64 = 60.0;
    let (z, s) = (1.0, 0.05);
    let until = effort.of(360, 1060);
    let (mut rows, mut text) = (Vec::new(), "users,per_second,seconds\n".to_string());
    for n in [1, 10, 20, 40] {
        let think = exponential(1000.0 * z);
        let clients = format!(
            "users = {{ closed = {{ count = {n}, think_time = {think}, reads = \"100%\" }} }}"
        );
        let (_, stage) = stage(&scenario(until, &exponential(1000.0 * s), &clients, ""));
        let measured: Vec<(f64, f64)> = trials(effort.of(40, 200), |trial| {
            let all = operations(&stage, trial);
            let counted = all.iter().filter(|(began, _)| (FROM..until as f64).contains(began));
            let took: Vec<f64> = counted.map(|(_, took)| *took).collect();
            (took.len() as f64 / (until as f64 - FROM), mean(&took))
        });
        let (x, r): (Vec<f64>, Vec<f64>) = measured.iter().copied().unzip();
        let users: Vec<f64> = measured.iter().map(|(x, r)| x * (r + z)).collect();
        let expected = repair(n, z, s);
        let name = format!("{n} users");
        rows.push(mean_row(format!("{name}: X (R + Z)"), f64::from(n), "users", &users, 0.0));
        rows.push(mean_row(format!("{name}: X"), expected, "operations/s", &x, 0.0));
        let wait = f64::from(n) / expected - z;
        rows.push(mean_row(format!("{name}: R = N/X - Z"), wait, "s", &r, NETWORK));
        text += &format!("{n},{:.6},{:.6}\n", mean(&x), mean(&r));
    }
    Case {
        title: "Closed loops: X = N / (R + Z)",
        source: "the interactive response time law (Denning and Buzen 1978); with exponential times the machine repair model, X = (1 - 1/Σ N!/(N-k)! (S/Z)^k) / S.",
        notes: "N users who think for Z = 1 s, one server that takes S = 50 ms, both exponential. Up to about (Z + S) / S = 21 users the server has time left; beyond, X is 1/S = 20 a second whatever N is, and more users only wait.",
        rows,
        tables: vec![Table { name: "closed-loops.csv".to_string(), text }],
    }
}

/// A backlog and how long it lasts.
pub fn drain(effort: Effort) -> Case {
    let mut rows = Vec::new();
    let (mu, stopped, begins) = (1000.0, 5.0, 5.0);
    for lambda in [500.0, 800.0] {
        let clients = format!("reads = {{ per_second = {lambda} }}");
        let fault = format!(
            "[[fault]]\nname = \"stop\"\nkind = \"pause\"\nat = \"{begins}s\"\nduration = \"{stopped}s\"\ntarget = \"db@a\"\nprocess = \"database\"\n"
        );
        let drained = lambda * stopped / (mu - lambda);
        let horizon = (begins + stopped + 2.0 * drained) as u64 + 5;
        let (_, stage) = stage(&scenario(horizon, &exponential(1000.0 / mu), &clients, &fault));
        let measured: Vec<(f64, f64)> = trials(effort.of(40, 1_000), |trial| {
            let all = operations(&stage, trial);
            let ends = begins + stopped;
            // Nobody is there from the end of one who left nobody behind.
            let mut events: Vec<(f64, i32)> =
                all.iter().flat_map(|(b, took)| [(*b, 1), (b + took, -1)]).collect();
            events.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut there = 0;
            let empty = events.iter().find(|(at, change)| {
                there += change;
                there == 0 && *at > ends
            });
            let halfway = ends + drained / 2.0;
            let near: Vec<f64> = all
                .iter()
                .filter(|(b, _)| (b - halfway).abs() < 0.05)
                .map(|(b, took)| took - (1.0 - lambda / mu) * (halfway - b))
                .collect();
            (empty.expect("it drains").0 - ends, mean(&near))
        });
        let (empty, wait): (Vec<f64>, Vec<f64>) = measured.into_iter().unzip();
        let name = format!("{lambda:.0} of {mu:.0}/s, stopped for {stopped:.0} s");
        // Those who were there before, and the one whose service ended during the stop.
        let before = lambda / (mu - lambda) - lambda / mu;
        let rest = before / (mu - lambda);
        let what = format!("{name}: until nobody waits");
        rows.push(mean_row(what, drained + rest, "s", &empty, NETWORK));
        let what = format!("{name}: wait of who asks halfway");
        let halfway = stopped - (1.0 - lambda / mu) * (stopped + drained / 2.0);
        rows.push(mean_row(what, halfway + before / mu + 1.0 / mu, "s", &wait, NETWORK));
    }
    Case {
        title: "A backlog drains at what capacity is left",
        source: "closed form: λD have come in D; the first time that nobody waits is λD / (μ - λ) later in the mean (a first passage). Who asks t after the beginning waits D - t (1 - λ/μ).",
        notes: "A database stops for D, and requests queue. To the λD are added those who were there before, ρ / (1 - ρ) in the mean, less the one whose service ended meanwhile: a pause stops the process, not its timers.",
        rows,
        tables: Vec::new(),
    }
}
