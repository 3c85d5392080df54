//! Synchronous replication loses nothing: on all standbys, or on some with the most advanced
//! promoted; and loses when another one is.

use super::kit::{Case, Effort, Row, judged, stage, trials, value};

fn scenario(acks: &str, candidate: &str, disk: &str) -> String {
    format!(
        r#"
schema_version = 1
[scenario]
name = "sync-loss"
[run]
warmup = "1s"
horizon = "40s"
settle = "10s"
[region.a]
[region.far]
[region.close]
[region.clients]
[wan]
default = {{ rtt = "40ms" }}
links = [
  {{ between = ["a", "far"], rtt = "200ms" }},
  {{ between = ["a", "close"], rtt = "10ms" }},
]
[store.db]
primary = "a"
standbys = ["far", "close"]
replication = {{ mode = "sync"{acks} }}
[health_check]
checkers = ["far", "close", "clients"]
request_interval = "1s"
timeout = "500ms"
failure_threshold = 2
[failover]
controller = {{ region = "clients" }}
candidate = "{candidate}"
promotion = "500ms"
[clients.web]
region = "clients"
writes = {{ per_second = 50 }}
[[fault]]
kind = "crash"
at = {{ dist = "uniform", min = "12s", max = "20s" }}
duration = {{ dist = "uniform", min = "1s", max = "30s" }}
target = "a"
disk = "{disk}"
"#
    )
}

struct Count {
    losing: usize,
    lost: f64,
    acknowledged: f64,
    failovers: f64,
}

fn count(acks: &str, candidate: &str, disk: &str, count: u64) -> Count {
    let (scenario, stage) = stage(&scenario(acks, candidate, disk));
    let all = trials(count, |trial| {
        let verdict = judged(&scenario, &stage, trial);
        ["writes.lost", "writes.acknowledged", "failover.count"].map(|name| value(&verdict, name))
    });
    let sum = |i: usize| all.iter().map(|trial| trial[i]).sum();
    let losing = all.iter().filter(|trial| trial[0] > 0.0).count();
    Count { losing, lost: sum(0), acknowledged: sum(1), failovers: sum(2) }
}

/// Zero lost writes in every trial, or some.
pub fn nothing_lost(effort: Effort) -> Case {
    let one = r#", acks = 1"#;
    let plans = [
        ("all standbys, disks survive", "", "most_advanced", "kept", true),
        ("all standbys, first listed promoted", "", "first_listed", "kept", true),
        ("1 of 2, most advanced promoted", one, "most_advanced", "kept", true),
        ("1 of 2, most advanced promoted, disk lost", one, "most_advanced", "lost", true),
        ("1 of 2, first listed promoted (the far one)", one, "first_listed", "kept", false),
    ];
    let number = effort.of(60, 300);
    let mut rows = Vec::new();
    for (what, acks, candidate, disk, nothing) in plans {
        let found = count(acks, candidate, disk, number);
        rows.push(Row {
            what: what.into(),
            label: "DERIVED",
            published: if nothing { "0 writes lost" } else { "some trials lose writes" }.into(),
            ours: format!(
                "{} lost in {} of {number} trials, {:.0} acknowledged, {} failovers",
                found.lost, found.losing, found.acknowledged, found.failovers
            ),
            interval: if found.losing == 0 {
                format!("< {:.2} % of trials (rule of three)", 300.0 / number as f64)
            } else {
                format!("{:.1} % of trials", 100.0 * found.losing as f64 / number as f64)
            },
            tolerance: if nothing { "exact" } else { "at least one" }.into(),
            pass: (found.losing == 0) == nothing
                && found.acknowledged > 0.0
                && found.failovers > 0.0,
        });
    }
    Case {
        title: "Synchronous replication loses nothing",
        source: "follows from the definition: a write is answered when the standbys that count have it on disk.",
        notes: "The primary's region is lost at a random moment with all that is in its wires, for a random time; writes block while too few standbys confirm. With one confirmation of two, the standby that confirmed must be the one promoted: the last row promotes the far one, which lags, and loses.",
        rows,
        tables: Vec::new(),
    }
}
