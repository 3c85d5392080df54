//! A4.5: what asynchronous replication loses with its region.

use super::kit::{
    Case, Effort, Row, Table, bounds_row, cdf_table, judged, mean_row, shape_row, sorted, stage,
    trials, value, variance,
};

const RATE: f64 = 50.0;

fn scenario(mode: &str, fsync: &str, transit_ms: u64) -> String {
    let rtt = transit_ms * 2;
    format!(
        r#"
schema_version = 1
[scenario]
name = "async-loss"
[run]
warmup = "1s"
horizon = "30s"
settle = "1s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
[region.near]
[wan]
default = {{ rtt = "{rtt}ms", jitter = "0ms" }}
links = [{{ between = ["a", "near"], rtt = "2us" }}]
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ {mode} }}
fsync = "{fsync}"
[health_check]
checkers = ["b"]
unhealthy_quorum = 1
request_interval = "1s"
timeout = "900ms"
failure_threshold = 3
[failover]
controller = {{ region = "b" }}
promotion = "1ms"
contact_interval = "5s"
[clients.web]
region = "near"
writes = {{ per_second = {RATE} }}
[[fault]]
kind = "crash"
at = {{ dist = "uniform", min = "15s", max = "20s" }}
target = "a"
disk = "lost"
"#
    )
}

/// Lost writes and the textbook RPO of each trial.
fn lost(text: &str, count: u64) -> Vec<(f64, f64)> {
    let (scenario, stage) = stage(text);
    trials(count, |trial| {
        let verdict = judged(&scenario, &stage, trial);
        assert_eq!(value(&verdict, "failover.count"), 1.0, "trial {trial}");
        (value(&verdict, "writes.lost"), value(&verdict, "rpo.at_onset"))
    })
}

/// Pearson's statistic of counts against Poisson(mean), with classes of at least five expected.
/// Returns it with its degrees of freedom.
fn chi_square(counts: &[f64], mean: f64) -> (f64, usize) {
    let n = counts.len() as f64;
    let (mut statistic, mut classes) = (0.0, 0_usize);
    let (mut expected, mut seen, mut left) = (0.0, 0.0, n);
    let mut p = libm::exp(-mean);
    for k in 0_u32..1000 {
        expected += n * p;
        left -= n * p;
        seen += counts.iter().filter(|c| **c == f64::from(k)).count() as f64;
        p *= mean / f64::from(k + 1);
        if expected >= 5.0 && left >= 5.0 {
            statistic += (seen - expected) * (seen - expected) / expected;
            classes += 1;
            (expected, seen) = (0.0, 0.0);
        }
        if left < 5.0 {
            let above = counts.iter().filter(|c| **c > f64::from(k)).count() as f64;
            let (expected, seen) = (expected + left, seen + above);
            statistic += (seen - expected) * (seen - expected) / expected;
            return (statistic, classes);
        }
    }
    (statistic, classes)
}

/// Upper 0.1 % point of chi-square (Wilson and Hilferty; 3.0902 is the normal's).
fn chi_limit(freedom: usize) -> f64 {
    let d = freedom as f64;
    let t = 1.0 - 2.0 / (9.0 * d) + 3.0902 * (2.0 / (9.0 * d)).sqrt();
    d * t * t * t
}

/// A4.5, shipped after every flush.
pub fn constant_lag(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for (transit, fsync) in [(40, "0ms"), (120, "0ms"), (120, "5ms")] {
        let text = scenario(r#"mode = "async""#, fsync, transit);
        let counts: Vec<f64> =
            lost(&text, effort.of(600, 5_000)).into_iter().map(|(lost, _)| lost).collect();
        let lag = transit as f64 / 1e3 - 1e-6;
        let expected = RATE * lag;
        let name = format!("λ = {RATE}/s, transit {transit} ms, fsync {fsync}");
        rows.push(mean_row(format!("{name}: mean of lost writes"), expected, "", &counts, 0.0));
        if fsync != "0ms" {
            continue;
        }
        let n = counts.len() as f64;
        // Var(s²) of a Poisson sample: μ/n + 2μ²/(n-1).
        let sigma = (expected / n + 2.0 * expected * expected / (n - 1.0)).sqrt();
        let found = variance(&counts);
        rows.push(Row {
            what: format!("{name}: variance"),
            label: "DERIVED",
            published: format!("{expected:.4}"),
            ours: format!("{found:.4}"),
            interval: format!("± {:.4} ({} trials)", 1.96 * sigma, counts.len()),
            tolerance: format!("± {:.4} (4 standard errors)", 4.0 * sigma),
            pass: (found - expected).abs() <= 4.0 * sigma,
        });
        let (statistic, freedom) = chi_square(&counts, expected);
        let limit = chi_limit(freedom);
        rows.push(Row {
            what: format!("{name}: distribution"),
            label: "DERIVED",
            published: format!("Poisson({expected:.3})"),
            ours: format!("χ² {statistic:.2}, {freedom} degrees of freedom"),
            interval: format!("{} trials", counts.len()),
            tolerance: format!("χ² ≤ {limit:.2} (0.1 %)"),
            pass: statistic <= limit,
        });
        tables.push(histogram(&format!("async-loss-{transit}ms.csv"), &counts, expected));
    }
    Case {
        title: "A4.5 Asynchronous replication: lost writes",
        source: "closed form: a constant lag L and Poisson writes of rate λ lose Poisson(λ L) writes.",
        notes: "A region is lost with its disk and with every packet in its wires; the standby is promoted; the judges count acknowledged writes that the survivor lacks. This store ships what its own disk has, at the moment at which it answers. A write is lost when its answer got out and its log entry did not get in: L is the transit to the standby less the transit of the answer (1 µs). A disk write delays both alike and drops out of the mean; group commit then loses writes in groups, so the Poisson shape is tested without it.",
        rows,
        tables,
    }
}

fn histogram(name: &str, counts: &[f64], mean: f64) -> Table {
    let mut text = "lost_writes,share,poisson\n".to_string();
    let mut p = libm::exp(-mean);
    let most = counts.iter().fold(0.0, |a: f64, b| a.max(*b)) as u32;
    for k in 0..=most {
        let share = counts.iter().filter(|c| **c == f64::from(k)).count() as f64;
        text += &format!("{k},{:.5},{p:.5}\n", share / counts.len() as f64);
        p *= mean / f64::from(k + 1);
    }
    Table { name: name.to_string(), text }
}

/// A4.5, shipped in batches.
pub fn batches(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for (batch, transit) in [(1, 100), (5, 100)] {
        let mode = format!(r#"mode = "async", ship = "batch", batch_interval = "{batch}s""#);
        let ages = lost(&scenario(&mode, "0ms", transit), effort.of(400, 4_000));
        let ages = sorted(ages.into_iter().map(|(_, age)| age).collect());
        let (b, d) = (batch as f64, transit as f64 / 1e3);
        let name = format!("B = {batch} s, d = {transit} ms");
        // The oldest lost write is younger than the oldest moment of loss by 1/λ in the mean.
        let expected = d + b / 2.0 - 1.0 / RATE;
        let mut row =
            mean_row(format!("{name}: mean age of lost data"), expected, "s", &ages, 1e-4);
        row.published = format!("{:.4} s, less 1/λ = {expected:.4} s", d + b / 2.0);
        rows.push(row);
        rows.push(bounds_row(format!("{name}: most"), 0.0, d + b, "s", &ages, 1e-5));
        let cdf = |x: f64| with_gap(x, d, b);
        let law = format!("U({d}, {}) s, less Exp(1/λ)", d + b);
        rows.push(shape_row(format!("{name}: distribution"), &law, &ages, 0.0, cdf));
        tables.push(cdf_table(&format!("batch-age-b{batch}.csv"), "seconds", &ages));
    }
    Case {
        title: "A4.5 Log shipping in batches: age of the lost data",
        source: "closed form: shipping every B with transit d, the age of lost data is U(d, d + B), mean d + B/2, at most d + B.",
        notes: "As above, with the log shipped at a fixed interval and the loss at a random moment. The judges know only writes: the age they see is that of the oldest lost write (the textbook RPO, at the onset), which is younger than the oldest unshipped moment by the time to the first write, an exponential of mean 1/λ = 20 ms. The closed form is shifted by that, exactly.",
        rows,
        tables,
    }
}

/// The distribution of max(0, U(d, d + b) - Exp(1/λ)).
fn with_gap(x: f64, d: f64, b: f64) -> f64 {
    if x < 0.0 {
        return 0.0;
    }
    // P(U - E > x) is the integral over u > x of 1 - exp(-λ (u - x)).
    let from = d.max(x);
    let to = d + b;
    if from >= to {
        return 1.0;
    }
    let tail = (libm::exp(-RATE * (from - x)) - libm::exp(-RATE * (to - x))) / RATE;
    1.0 - ((to - from) - tail) / b
}
