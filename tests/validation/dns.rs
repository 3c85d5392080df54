//! A4.3 and A4.4: how long clients are sent to a dead address, and what that adds to detection.

use super::kit::{
    Case, Effort, Facts, Row, SEED, Table, bounds_row, error, head, mean, mean_row, shape_row,
    sorted, stage, trials,
};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::OpId;
use regionsim::sim::SimTime;
use regionsim::world::Limits;
use std::collections::BTreeMap;

const TTL: f64 = 60.0;
const DEATH: f64 = 70.0;
const RATE: f64 = 100.0;
const RESOLVERS: f64 = 20.0;

fn scenario(interval: u64) -> String {
    let horizon = DEATH as u64 + 3 * interval + TTL as u64 + 10;
    head("dns", "10s", &format!("{horizon}s"), "1s", &["a", "b"])
        + &format!(
            r#"
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ mode = "async" }}
fsync = "1us"
[health_check]
checkers = ["b"]
unhealthy_quorum = 1
request_interval = "{interval}s"
timeout = "1ms"
failure_threshold = 3
[failover]
controller = {{ region = "b" }}
promotion = "1us"
contact_interval = "20s"
[routing]
via = {{ dns = {{ ttl = "{TTL}s", resolvers = {RESOLVERS} }} }}
[clients.web]
region = "b"
writes = {{ per_second = {RATE} }}
deadline = "500ms"
retry = {{ attempts = 1, attempt_timeout = "500ms" }}
[[fault]]
kind = "crash"
at = "{DEATH}s"
target = "db@a"
"#
        )
}

/// One trial: when the new primary began, when each resolver let go, and when operations that
/// did not end well, and all operations, began.
#[derive(Default)]
struct Trial {
    change: f64,
    freed: Vec<f64>,
    failed: Vec<f64>,
    begun: Vec<f64>,
}

fn run(interval: u64, count: u64) -> Vec<Trial> {
    let (_, stage) = stage(&scenario(interval));
    let one = |trial| {
        let mut seen = Trial::default();
        let mut open: BTreeMap<OpId, f64> = BTreeMap::new();
        let mut facts = Facts(|at: SimTime, fact: &Fact| {
            let now = at.as_secs_f64();
            match *fact {
                Fact::Invoked { op, .. } if now >= DEATH => {
                    open.insert(op, now);
                    seen.begun.push(now);
                }
                Fact::Concluded { op, outcome, .. } if outcome != Outcome::Ok => {
                    seen.failed.extend(open.get(&op));
                }
                Fact::Began { .. } if now > DEATH => seen.change = now,
                Fact::Routed { .. } if now > DEATH => seen.freed.push(now),
                _ => {}
            }
        });
        stage.run(SEED, trial, &mut facts, &Limits::default());
        assert!(seen.change > DEATH && seen.freed.len() == RESOLVERS as usize);
        seen
    };
    trials(count, one)
}

/// Caches are refilled by the next question, which comes 1/r after the expiry in the mean: of a
/// resolver's cycle TTL + 1/r, the cache is full for TTL.
fn full() -> f64 {
    TTL / (TTL + RESOLVERS / RATE)
}

/// A4.3.
pub fn tail(effort: Effort) -> Case {
    let runs = run(10, effort.of(60, 600));
    let mut rows = Vec::new();
    let mut text = "seconds_after_change,share_on_dead_address,closed_form\n".to_string();
    for bin in 0..12 {
        let (from, to) = (f64::from(bin) * 5.0, f64::from(bin + 1) * 5.0);
        let share = |run: &Trial| {
            let count = |times: &[f64]| {
                times.iter().filter(|t| (from..to).contains(&(**t - run.change))).count() as f64
            };
            count(&run.failed) / count(&run.begun)
        };
        let shares: Vec<f64> = runs.iter().map(share).collect();
        let expected = (1.0 - (from + to) / 2.0 / TTL) * full();
        text += &format!("{},{:.5},{:.5}\n", (from + to) / 2.0, mean(&shares), expected);
        if bin % 3 == 1 {
            let what = format!("share on the dead address, {from} to {to} s after the change");
            rows.push(mean_row(what, expected, "", &shares, 0.0));
        }
    }
    let left: Vec<f64> =
        runs.iter().map(|run| mean(&run.freed) - run.change - residual_wait()).collect();
    rows.push(mean_row("mean residual TTL".into(), TTL / 2.0 * full(), "s", &left, 0.001));
    let down: Vec<f64> = runs.iter().map(|run| late(run) / RATE).collect();
    let what = "client-weighted added downtime".to_string();
    rows.push(mean_row(what, TTL / 2.0 * full(), "s", &down, 0.001));
    let last = runs.iter().flat_map(|run| run.failed.iter().map(|t| t - run.change));
    let last = sorted(last.collect());
    let most = last[last.len() - 1];
    rows.push(Row {
        what: "last operation sent to the dead address".into(),
        label: "DERIVED",
        published: format!("≤ {TTL} s"),
        ours: format!("{most:.3} s"),
        interval: format!("{} trials", runs.len()),
        tolerance: "never later".into(),
        pass: most <= TTL + 1e-4,
    });
    Case {
        title: "A4.3 DNS tail",
        source: "closed form: caches full with uniform ages; share still on the dead address t after the change 1 - t/TTL, mean residual TTL/2.",
        notes: "TTL 60 s, 20 resolvers and 100 writes a second, so that each resolver is asked 5 times a second. A cache is refilled by the next question, not at once: it is full for TTL of every TTL + 0.2 s, and all closed forms carry that factor (0.9967). The share is read from operations by when they began and how they ended, the residual from when resolvers changed their target, less the 0.2 s of waiting for a question.",
        rows,
        tables: vec![Table { name: "dns-tail.csv".into(), text }],
    }
}

/// A full cache runs out and then waits for a question; an empty one only waits.
fn residual_wait() -> f64 {
    RESOLVERS / RATE
}

fn late(run: &Trial) -> f64 {
    run.failed.iter().filter(|t| **t >= run.change).count() as f64
}

/// A4.4.
pub fn outage(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for (interval, published, most) in [(30_u64, 105.0, 150.0), (10, 55.0, 90.0)] {
        let runs = run(interval, effort.of(100, 1_000));
        let name = format!("I = {interval} s, K = 3, TTL = 60 s");
        let downtimes: Vec<f64> = runs.iter().map(|run| run.failed.len() as f64 / RATE).collect();
        let bias = TTL / 2.0 * (1.0 - full());
        let what = format!("{name}: mean outage of a client");
        rows.push(mean_row(what, published, "s", &downtimes, bias + 0.001));
        let lasts =
            runs.iter().map(|run| run.failed.iter().fold(0.0, |a: f64, t| a.max(t - DEATH)));
        let lasts = sorted(lasts.collect());
        let least = 2.0 * interval as f64;
        let what = format!("{name}: last client");
        rows.push(bounds_row(what, least, most, "s", &lasts, 0.002));
        let totals: Vec<f64> = runs.iter().map(|run| mean(&run.freed) - DEATH).collect();
        let text = format!(
            "mean_outage_s,standard_error_s,mean_of_resolvers_s,last_s\n{:.5},{:.5},{:.5},{:.5}\n",
            mean(&downtimes),
            error(&downtimes),
            mean(&totals),
            lasts[lasts.len() - 1]
        );
        tables.push(Table { name: format!("outage-i{interval}.csv"), text });
        let detection: Vec<f64> = sorted(runs.iter().map(|run| run.change - DEATH).collect());
        let (low, wide) = (least + 0.001, interval as f64);
        let law = format!("U({least}, {}) s", least + wide);
        let cdf = |x: f64| ((x - low) / wide).clamp(0.0, 1.0);
        rows.push(shape_row(format!("{name}: detection"), &law, &detection, 0.001, cdf));
    }
    Case {
        title: "A4.4 Detection and DNS together",
        source: "closed form: U(2I, 3I) + U(0, TTL) for K = 3; mean client outage 105 s and 55 s, last client at most 150 s and 90 s.",
        notes: "A host dies at a fixed time. The outage of the mean client is the number of operations from then on that did not end well, over their rate. The probe's timeout is 1 ms and every step of the failover takes at most 1 µs; the published numbers take both as nothing. The tolerance holds the 0.1 s by which caches that wait for a question shorten the mean (see A4.3).",
        rows,
        tables,
    }
}
