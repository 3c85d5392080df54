//! Mixtures of late clients: how many are still sent to a dead address, some time after the change.

use super::kit::{Case, Effort, Facts, Row, SEED, Table, error, head, mean, stage, trials};
use regionsim::model::fact::Fact;
use regionsim::sim::SimTime;
use regionsim::world::Limits;

const TTL: f64 = 20.0;
const DEATH: f64 = 40.0;
const RESOLVERS: f64 = 200.0;
const RATE: f64 = 800.0;
const HORIZON: f64 = 1_200.0;

/// Clients ask until every resolver has learned of the change: those who are late follow without
/// asking again.
fn scenario(mixture: &str) -> String {
    head("mixtures", "10s", &format!("{HORIZON}s"), "1s", &["a", "b"])
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
request_interval = "1s"
timeout = "1ms"
failure_threshold = 3
[failover]
controller = {{ region = "b" }}
promotion = "1us"
contact_interval = "20s"
[routing]
via = {{ dns = {{ ttl = "{TTL}s", resolvers = {RESOLVERS}, mixture = {mixture} }} }}
[clients.web]
region = "b"
reads = {{ per_second = {RATE} }}
until = "70s"
deadline = "500ms"
retry = {{ attempts = 1, attempt_timeout = "500ms" }}
[[fault]]
kind = "crash"
at = "{DEATH}s"
target = "db@a"
"#
        )
}

/// Of each trial: when its resolvers' clients moved, in seconds after the change.
fn moved(mixture: &str, count: u64) -> Vec<Vec<f64>> {
    let (_, stage) = stage(&scenario(mixture));
    trials(count, |trial| {
        let (mut change, mut moved) = (None, Vec::new());
        let mut facts = Facts(|at: SimTime, fact: &Fact| {
            let now = at.as_secs_f64();
            match fact {
                Fact::Began { .. } if now > DEATH => change = Some(now),
                Fact::Routed { .. } => moved.extend(change.map(|change| now - change)),
                _ => {}
            }
        });
        stage.run(SEED, trial, &mut facts, &Limits::default());
        moved
    })
}

/// The delay of one part, as the probability that it is longer than that.
enum Delay {
    Uniform(f64),
    /// Median, sigma and cap.
    LogNormal(f64, f64, f64),
}

impl Delay {
    fn beyond(&self, x: f64) -> f64 {
        match *self {
            _ if x < 0.0 => 1.0,
            Delay::Uniform(most) => (1.0 - x / most).max(0.0),
            Delay::LogNormal(_, _, cap) if x >= cap => 0.0,
            Delay::LogNormal(_, _, _) if x == 0.0 => 1.0,
            Delay::LogNormal(median, sigma, _) => {
                0.5 * libm::erfc(libm::log(x / median) / (sigma * std::f64::consts::SQRT_2))
            }
        }
    }
}

/// The share of clients still on the old address t after the change. A cache that has run out
/// waits for a question, for 1/r in the mean: that much later all of it happens.
fn stale(parts: &[(f64, Delay)], t: f64) -> f64 {
    let steps = 20_000;
    let since = t - RESOLVERS / RATE;
    let one = |delay: &Delay| {
        let at = |i: i32| delay.beyond(since - (f64::from(i) + 0.5) / f64::from(steps) * TTL);
        (0..steps).map(at).sum::<f64>() / f64::from(steps)
    };
    parts.iter().map(|(share, delay)| share * one(delay)).sum()
}

/// The closed form at some times, and the two points that were published.
pub fn mixtures(effort: Effort) -> Case {
    let never = f64::INFINITY;
    let flavel = [
        (0.9, Delay::Uniform(40.0)),
        (0.08, Delay::LogNormal(240.0, 0.8, 900.0)),
        (0.02, Delay::LogNormal(3_600.0, 1.0, never)),
    ];
    // Those who are not listed follow at once.
    let listed = [(0.25, Delay::Uniform(100.0)), (0.75, Delay::Uniform(1e-9))];
    let own = r#"[{ share = "25%", delay = { dist = "uniform", min = "0s", max = "100s" } }]"#;
    let mut rows = Vec::new();
    let mut text = "mixture,seconds_after_change,share_on_old_address,closed_form\n".to_string();
    for (name, written, parts, times) in [
        (
            "flavel-2014",
            "\"flavel-2014\"",
            &flavel[..],
            &[10.0, 30.0, 60.0, 120.0, 300.0, 900.0][..],
        ),
        ("25 % late by U(0, 100) s", own, &listed[..], &[10.0, 30.0, 60.0, 110.0][..]),
    ] {
        let runs = moved(written, effort.of(24, 600));
        for &t in times {
            let share = |run: &Vec<f64>| {
                1.0 - run.iter().filter(|moved| **moved <= t).count() as f64 / RESOLVERS
            };
            let shares: Vec<f64> = runs.iter().map(share).collect();
            let expected = stale(parts, t);
            let what = format!("{name}: share on the old address {t} s after the change");
            rows.push(row(what, "DERIVED", expected, &shares, 0.0));
            text += &format!("{name},{t},{:.5},{expected:.5}\n", mean(&shares));
            // Of 90 % and 2 % the second digit is not known.
            let published =
                [(60.0, 0.1), (900.0, 0.02)].iter().find(|p| p.0 == t && name == "flavel-2014");
            if let Some((_, published)) = published {
                let what = format!("{name}: published share {t} s after the change");
                rows.push(row(what, "READ", *published, &shares, 0.005));
            }
        }
    }
    Case {
        title: "Mixtures of late clients",
        source: "A. Flavel, P. Mani, D. Maltz, Re-evaluating the responsiveness of DNS-based network control, LANMAN 2014 (abstract): with a TTL of 20 s, 90 % of users had switched within 60 s, 2 % had not after 15 minutes. Between the two points: closed form of the mixture, Σ share · P(U(0, TTL) + delay > t).",
        notes: "200 resolvers, each asked 4 times a second, TTL 20 s; read from when resolvers' clients are sent elsewhere. The shape of the named mixture is a choice: 90 % late by U(0, 40 s), 8 % by LN(4 min, 0.8) up to 15 min, 2 % by LN(1 h, 1.0). The wait of an empty cache for a question, 0.25 s in the mean, moves the closed form.",
        rows,
        tables: vec![Table { name: "mixtures.csv".into(), text }],
    }
}

fn row(what: String, label: &'static str, expected: f64, shares: &[f64], slack: f64) -> Row {
    let (ours, error) = (mean(shares), error(shares));
    let tolerance = 4.0 * error + slack + 1e-4;
    Row {
        what,
        label,
        published: format!("{expected:.4}"),
        ours: format!("{ours:.4}"),
        interval: format!("± {:.4} ({} trials)", 1.96 * error, shares.len()),
        tolerance: format!("± {tolerance:.4} (4 standard errors)"),
        pass: (ours - expected).abs() <= tolerance,
    }
}
