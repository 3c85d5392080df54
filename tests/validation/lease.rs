//! The law of the lease: whatever happens, two never answer; and what happens without a guard.

use super::kit::{Case, Effort, Row, SEED, judged, stage, trials, value};
use regionsim::sim::rng::{Label, Stream, Streams};
use std::fmt::Write;

const REGIONS: [&str; 4] = ["a", "b", "c", "d"];
/// The lease lasts 10 s and its guard is 1.9 s: clocks may differ by guard / ttl = 19 %; here
/// by at most 18 %, 9 % to either side.
const DRIFT: u64 = 90_000;

/// Who decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decider {
    Controller,
    Race,
}

const CONTROLLER: &str = r#"
[health_check]
checkers = ["a", "b", "d"]
unhealthy_quorum = 2
request_interval = "1s"
timeout = "500ms"
failure_threshold = 2
[failover]
controller = { region = "d" }
promotion = "1ms"
status_timeout = "100ms"
rejoin = { after = "3s" }
"#;

/// The patience with the service outlasts the lease, so that the lease alone protects.
const RACE: &str = r#"
[failover]
decided_by = "race"
promotion = "1ms"
rejoin = { after = "3s" }
[failover.race]
loop_wait = "2s"
retry_timeout = "15s"
check_timeout = "500ms"
primary_start_timeout = "5s"
"#;

fn base(guard: &str, decider: Decider) -> String {
    let (renews, decides) = match decider {
        Decider::Controller => ("renew_interval = \"3s\"", CONTROLLER),
        Decider::Race => ("", RACE),
    };
    format!(
        r#"
schema_version = 1
[scenario]
name = "lease-law"
[run]
warmup = "2s"
horizon = "90s"
settle = "20s"
[region.a]
[region.b]
[region.c]
[region.d]
[wan]
default = {{ rtt = "20ms", jitter = {{ dist = "exponential", mean = "1ms" }} }}
[store.db]
primary = "a"
standbys = ["b", "c"]
replication = {{ mode = "async" }}
restart_time = "1s"
[lease]
voters = ["a", "b", "c"]
ttl = "10s"
{renews}
request_timeout = "500ms"
guard = "{guard}"
enforced_by = "database"
{decides}
[routing]
via = {{ global_lb = {{ propagation = "1ms" }} }}
[clients.east]
region = "a"
writes = {{ per_second = 10 }}
keys = {{ count = 20 }}
[clients.west]
region = "b"
writes = {{ per_second = 10 }}
keys = {{ count = 20 }}
[clients.south]
region = "c"
writes = {{ per_second = 10 }}
keys = {{ count = 20 }}
"#
    )
}

fn pick<'a>(dice: &mut Stream, words: &[&'a str]) -> &'a str {
    words[dice.below(words.len() as u64) as usize]
}

/// One fault that may overlap any other.
fn fault(dice: &mut Stream, disk_lost: &mut bool, text: &mut String) {
    let (at, lasts) = (10 + dice.below(60), 1 + dice.below(25));
    let here = pick(dice, &REGIONS);
    let others: Vec<&str> = REGIONS.into_iter().filter(|r| *r != here).collect();
    let there = pick(dice, &others);
    let direction = pick(dice, &["both", "to", "from"]);
    let flight = pick(dice, &["lost", "delivered"]);
    let node = pick(dice, &["db@a", "db@b", "db@c", "lease@a", "lease@b", "lease@c"]);
    let _ = write!(text, "[[fault]]\nat = \"{at}s\"\nduration = \"{lasts}s\"\n");
    let _ = match dice.below(8) {
        0 | 1 => writeln!(
            text,
            "kind = \"partition\"\nisolate = [\"{here}\"]\ndirection = \"{direction}\"\nin_flight = \"{flight}\""
        ),
        2 | 3 => writeln!(
            text,
            "kind = \"partition\"\nisolate = [\"{here}\"]\nfrom = [\"{there}\"]\ndirection = \"{direction}\"\nin_flight = \"{flight}\""
        ),
        4 => {
            // One disk per schedule: a majority of voters without memory keeps no promise.
            let lost = !*disk_lost && dice.chance(0.3);
            *disk_lost |= lost;
            let disk = if lost { "lost" } else { "kept" };
            let process =
                if lost { "host" } else { pick(dice, &["host", "host", "database", "agent"]) };
            let node = if process == "host" { node } else { pick(dice, &["db@a", "db@b", "db@c"]) };
            writeln!(
                text,
                "kind = \"crash\"\ntarget = \"{node}\"\nprocess = \"{process}\"\ndisk = \"{disk}\""
            )
        }
        5 | 6 => {
            let process = pick(dice, &["host", "host", "database", "agent"]);
            let node = if process == "host" { node } else { pick(dice, &["db@a", "db@b", "db@c"]) };
            writeln!(text, "kind = \"pause\"\ntarget = \"{node}\"\nprocess = \"{process}\"")
        }
        _ => writeln!(
            text,
            "kind = \"link\"\nbetween = [\"{here}\", \"{there}\"]\nloss = \"{}%\"\ndelay = \"{}ms\"",
            1 + dice.below(60),
            1 + dice.below(400)
        ),
    };
}

/// Clocks that run wrong for the whole trial, within the bound, a partition that outlives the lease, and one to five more faults.
fn schedule(guard: &str, decider: Decider, number: u64) -> String {
    let mut dice = Streams::new(SEED, number).stream(Label::new("lease-law"));
    let mut text = base(guard, decider);
    for node in ["db@a", "db@b", "db@c", "lease@a", "lease@b", "lease@c"] {
        let sign = pick(&mut dice, &["-", ""]);
        // Half of them as far as they may: that is where a lease breaks.
        let ppm = if dice.chance(0.5) { DRIFT } else { dice.below(DRIFT + 1) };
        let _ = write!(
            text,
            "[[fault]]\nkind = \"clock\"\nat = \"3s\"\ntarget = \"{node}\"\ndrift_ppm = {sign}{ppm}\n"
        );
    }
    // One that outlives the lease; the initial primary is in it as often as not.
    let (at, isolated) = (12 + dice.below(50), pick(&mut dice, &["a", "a", "b", "c"]));
    let _ = write!(
        text,
        "[[fault]]\nkind = \"partition\"\nat = \"{at}s\"\nduration = \"{}s\"\nisolate = [\"{isolated}\"]\n",
        15 + dice.below(15)
    );
    let mut disk_lost = false;
    for _ in 0..1 + dice.below(5) {
        fault(&mut dice, &mut disk_lost, &mut text);
    }
    text
}

struct Outcome {
    number: u64,
    incidents: f64,
    failovers: f64,
    acknowledged: f64,
}

fn outcomes(guard: &str, decider: Decider, count: u64) -> Vec<Outcome> {
    trials(count, |number| {
        let (scenario, stage) = stage(&schedule(guard, decider, number));
        let verdict = judged(&scenario, &stage, number);
        let [incidents, failovers, acknowledged] =
            ["split_brain.incidents", "failover.count", "writes.acknowledged"]
                .map(|name| value(&verdict, name));
        Outcome { number, incidents, failovers, acknowledged }
    })
}

fn row(what: &str, published: &str, found: &[Outcome], pass: bool) -> Row {
    let bad: Vec<u64> = found.iter().filter(|o| o.incidents > 0.0).map(|o| o.number).collect();
    let failovers: f64 = found.iter().map(|o| o.failovers).sum();
    let acknowledged: f64 = found.iter().map(|o| o.acknowledged).sum();
    let first = bad.iter().take(5).map(u64::to_string).collect::<Vec<_>>().join(", ");
    Row {
        what: what.into(),
        label: "DERIVED",
        published: published.into(),
        ours: format!(
            "{} of {} schedules with an incident{}; {failovers} failovers, {acknowledged} writes acknowledged",
            bad.len(),
            found.len(),
            if bad.is_empty() { String::new() } else { format!(" (first: {first})") }
        ),
        interval: if bad.is_empty() {
            format!("< {:.2} % of schedules (rule of three)", 300.0 / found.len() as f64)
        } else {
            format!("{:.1} % of schedules", 100.0 * bad.len() as f64 / found.len() as f64)
        },
        tolerance: "exact".into(),
        pass: pass && failovers > 0.0 && acknowledged > 0.0,
    }
}

/// With a guard none, without one some.
pub fn law(effort: Effort) -> Case {
    let (count, fewer) = (effort.of(120, 1_000), effort.of(60, 1_000));
    let sound = outcomes("1900ms", Decider::Controller, count);
    let bare = outcomes("0ms", Decider::Controller, count);
    let racers = outcomes("1900ms", Decider::Race, fewer);
    let bare_racers = outcomes("0ms", Decider::Race, fewer);
    let none = |found: &[Outcome]| found.iter().all(|o| o.incidents == 0.0);
    let some = |found: &[Outcome]| found.iter().any(|o| o.incidents > 0.0);
    let rows = vec![
        row("guard 1.9 s, clocks within 18 % of each other", "no incident", &sound, none(&sound)),
        row("no guard, the same schedules", "an incident is found", &bare, some(&bare)),
        row("decided by race, the same guard and schedules", "no incident", &racers, none(&racers)),
        row("decided by race, no guard", "an incident is found", &bare_racers, some(&bare_racers)),
    ];
    Case {
        title: "The law of the lease",
        source: "follows from the protocol: the holder counts ttl - guard from its request, the service ttl + guard from the grant, each by its own clock.",
        notes: "Random schedules of overlapping faults, a partition that outlives the lease among them: complete, partial and one-way partitions, crashes of hosts, databases and agents (at most one disk lost per schedule), pauses, loss and delay, over clocks that each run up to 9 % fast or slow. The lease (10 s, enforced by the database) allows guard / ttl = 19 % between two clocks. Racers have a retry_timeout longer than the lease here, so that it alone protects. Judged by the facts alone.",
        rows,
        tables: Vec::new(),
    }
}

/// Found by the law: a primary that came back with an empty disk was told to resume, and wrote
/// into a history that it no longer had.
pub fn resumes_after_losing_its_disk() {
    let mut text = base("1900ms", Decider::Controller);
    for (at, process) in [(12, "host"), (30, "database")] {
        let _ = write!(
            text,
            "[[fault]]\nkind = \"crash\"\ntarget = \"db@a\"\nprocess = \"{process}\"\nat = \"{at}s\"\n\
             duration = \"1s\"\ndisk = \"lost\"\n"
        );
    }
    let (scenario, stage) = stage(&text);
    for trial in 0..5 {
        let verdict = judged(&scenario, &stage, trial);
        assert_eq!(value(&verdict, "split_brain.incidents"), 0.0, "trial {trial}");
    }
}
