//! A3: how long Patroni takes, from the death of a primary to the load balancer's word; and its
//! other ways to fail, by the same reckoning.

use super::kit::{
    Case, Effort, Facts, Row, SEED, bounds_row, error, head, mean, sorted, stage, trials, variance,
};
use regionsim::model::fact::Fact;
use regionsim::model::id::{GroupId, NodeId};
use regionsim::sim::SimTime;
use regionsim::world::Limits;

/// The network's and the local calls' share: some hundred microseconds each.
const SLACK: f64 = 0.002;
/// When the primary is hit; the loops' phases are drawn anew in each trial.
const DEATH: f64 = 300.0;

/// One of the published modes; all times in seconds.
#[derive(Clone, Copy)]
struct Mode {
    name: &'static str,
    ttl: f64,
    round: f64,
    retry: f64,
    start: f64,
    inter: f64,
    fast_inter: f64,
    /// The published table, rounded to whole seconds: least, mean, most.
    published: [u32; 3],
}

/// Successes in a row that the load balancer wants; `fastinter` apart after the first.
const RISE: u32 = 3;
const MODES: [Mode; 4] = [
    mode("fast", [20.0, 5.0, 5.0, 15.0, 1.0, 0.5], [16, 23, 29]),
    mode("norm", [30.0, 5.0, 10.0, 25.0, 2.0, 1.0], [27, 34, 41]),
    mode("safe", [60.0, 10.0, 20.0, 45.0, 3.0, 1.5], [53, 66, 78]),
    mode("wide", [120.0, 20.0, 30.0, 95.0, 4.0, 2.0], [104, 127, 150]),
];

const fn mode(name: &'static str, times: [f64; 6], published: [u32; 3]) -> Mode {
    let [ttl, round, retry, start, inter, fast_inter] = times;
    Mode { name, ttl, round, retry, start, inter, fast_inter, published }
}

impl Mode {
    /// Promotion in 0 to 2 s, and the load balancer's checks: least, mean, most.
    fn promote_and_check(&self) -> [f64; 3] {
        let rest = f64::from(RISE - 1) * self.fast_inter;
        [rest, 1.0 + self.inter / 2.0 + rest, 2.0 + self.inter + rest]
    }
    fn scenario(&self, standbys: &str, learn: &str, fault: &str) -> String {
        let Mode { ttl, round, retry, start, inter, fast_inter, .. } = *self;
        head("patroni", "10s", "500s", "1s", &["a", "b", "c", "dcs"])
            + &format!(
                r#"
[store.db]
primary = "a"
standbys = {standbys}
replication = {{ mode = "async" }}
fsync = "1us"
restart_time = "1000s"
[lease]
voters = ["dcs"]
ttl = "{ttl}s"
guard = "0s"
enforced_by = "agent"
[failover]
decided_by = "race"
promotion = {{ dist = "uniform", min = "0s", max = "2s" }}
[failover.race]
learn = "{learn}"
loop_wait = "{round}s"
retry_timeout = "{retry}s"
primary_start_timeout = "{start}s"
check_timeout = "0s"
[routing]
via = {{ proxy = {{ inter = "{inter}s", fastinter = "{fast_inter}s", rise = {RISE}, role = "primary" }} }}
[clients.web]
region = "c"
writes = {{ per_second = 0.1 }}
[[fault]]
at = "{DEATH}s"
{fault}
"#
            )
    }
}

/// When things happened, in seconds after the primary was hit.
#[derive(Clone, Copy, Default)]
struct Times {
    /// The old primary stopped taking writes.
    stopped: Option<f64>,
    /// Another was given the right to be primary.
    authorised: Option<f64>,
    /// It took writes.
    leads: Option<f64>,
    /// The load balancer sent clients to it.
    routed: Option<f64>,
    /// The old primary takes writes again.
    resumed: Option<f64>,
}

fn runs(text: &str, count: u64) -> Vec<Times> {
    let (_, stage) = stage(text);
    let primary = NodeId(0);
    let one = |trial| {
        let mut times = Times::default();
        let mut facts = Facts(|at: SimTime, fact: &Fact| {
            let after = at.as_secs_f64() - DEATH;
            if after < 0.0 {
                return;
            }
            match fact {
                Fact::Admits { node, yes: false, .. } if *node == primary => {
                    times.stopped.get_or_insert(after);
                }
                Fact::Admits { node, yes: true, .. } if *node == primary => {
                    times.resumed.get_or_insert(after);
                }
                Fact::Admits { yes: true, group: GroupId(0), .. } => {
                    times.leads.get_or_insert(after);
                }
                Fact::Authorised { holder, .. } if *holder != primary => {
                    times.authorised.get_or_insert(after);
                }
                Fact::Routed { .. } => {
                    times.routed.get_or_insert(after);
                }
                _ => {}
            }
        });
        stage.run(SEED, trial, &mut facts, &Limits::default());
        times
    };
    trials(count, one)
}

fn all(times: &[Times], pick: fn(&Times) -> Option<f64>) -> Vec<f64> {
    sorted(times.iter().map(|t| pick(t).expect("it happened in every trial")).collect())
}

/// Least, mean and most against what they should be: the mean within 1 %, the others never
/// beyond.
fn row(what: String, label: &'static str, law: [f64; 3], found: &[f64]) -> Row {
    let (low, high) = (found[0], found[found.len() - 1]);
    let ours = mean(found);
    let [least, average, most] = law;
    let near = (ours - average).abs() <= 0.01 * average + 4.0 * error(found) + SLACK;
    Row {
        what,
        label,
        published: format!("{least:.1} / {average:.2} / {most:.1} s"),
        ours: format!("{low:.2} / {ours:.2} / {high:.2} s"),
        interval: format!("± {:.2} s ({} trials)", 1.96 * error(found), found.len()),
        tolerance: "mean ± 1 % (and 4 standard errors), least and most never beyond".into(),
        pass: near && low >= least - SLACK && high <= most + SLACK,
    }
}

/// The spread: within 5 %, the chance error of a few thousand trials and more.
fn spread(what: String, law: f64, found: &[f64]) -> Row {
    let ours = variance(found).sqrt();
    let tolerance = law * (0.01 + 3.0 / (found.len() as f64).sqrt());
    Row {
        what,
        label: "DERIVED",
        published: format!("{law:.3} s"),
        ours: format!("{ours:.3} s"),
        interval: format!("{} trials", found.len()),
        tolerance: format!("± {tolerance:.3} s"),
        pass: (ours - law).abs() <= tolerance,
    }
}

const CRASH: &str = "kind = \"crash\"\ntarget = \"db@a\"";

/// The published table, and the trap beside it.
pub fn node_crash(effort: Effort) -> Case {
    let count = effort.of(300, 4_000);
    let mut rows = Vec::new();
    for mode in MODES {
        let Mode { name, ttl, round, inter, published: [least, average, most], .. } = mode;
        let [low, rest, high] = mode.promote_and_check();
        let times = runs(&mode.scenario("[\"b\"]", "poll", CRASH), count);
        let routed = all(&times, |t| t.routed);
        let law = [ttl - round + low, ttl + rest, ttl + round + high];
        let whole = law.map(f64::round).map(|x| x as u32);
        // The page rounds half a second up in its means.
        assert_eq!((whole[0], whole[2]), (least, most), "{name}: the formula is the page's");
        let what = format!("{name} (published {least}/{average}/{most}): least, mean, most");
        rows.push(row(what, "READ", law, &routed));
        let sd = ((2.0 * round * round + 4.0 + inter * inter) / 12.0).sqrt();
        rows.push(spread(format!("{name}: standard deviation"), sd, &routed));
    }
    let norm = MODES[1];
    let [_, rest, high] = norm.promote_and_check();
    let least = norm.ttl - norm.round + norm.promote_and_check()[0];
    let two = runs(&norm.scenario("[\"b\", \"c\"]", "poll", CRASH), count);
    let law = [
        least,
        norm.ttl - norm.round / 2.0 + norm.round / 3.0 + rest,
        norm.ttl + norm.round + high,
    ];
    let routed = all(&two, |t| t.routed);
    rows.push(row(
        "norm, two standbys: the earlier of two looks, loop / 3".into(),
        "DERIVED",
        law,
        &routed,
    ));
    let watch = runs(&norm.scenario("[\"b\"]", "watch", CRASH), count);
    let law = [least, norm.ttl - norm.round / 2.0 + rest, norm.ttl + high];
    let routed = all(&watch, |t| t.routed);
    rows.push(row("norm, watching: no look to wait for".into(), "DERIVED", law, &routed));
    Case {
        title: "A3 Patroni: a node crash",
        source: "Pigsty documentation, \"Model of Patroni Passive Failure\" (pgsty/pigsty.io, commit 01dab248, content/docs/concept/ha/failure/passive.md); least ttl - loop + (rise - 1) fastinter, mean ttl + 1 + inter/2 + (rise - 1) fastinter, most ttl + loop + 2 + inter + (rise - 1) fastinter.",
        notes: "The whole simulator: the primary's host dies, its lease lapses at the coordination service, one standby's racer finds it free in its loop, takes it and promotes within 0 to 2 s. Where the published model has no delay the scenario has none: no guard, no check of rivals, 1 µs of network, no jitter. The load balancer checks each database for its role. Read from the fact that the load balancer sends clients to the new primary. The published table assumes one standby that polls; the last two rows do not.",
        rows,
        tables: Vec::new(),
    }
}

/// Other ways for a primary to fail, by formulas that follow from the same loops.
pub fn other_failures(effort: Effort) -> Case {
    let count = effort.of(300, 3_000);
    let mut rows = Vec::new();
    for mode in [MODES[0], MODES[1]] {
        processes(&mode, count, &mut rows);
        cut_off(&mode, count, &mut rows);
    }
    Case {
        title: "A3 Patroni: other failures",
        source: "closed forms that follow from the loops: each round has a phase of its own, U(0, loop) after the failure; the lease was renewed U(0, loop) before it.",
        notes: "As the node crash. A database that starts and never comes up is one whose crash recovery outlasts everything; its lease is given back primary_start_timeout after the start. One that can be started works after its recovery time. An agent that is killed leaves its database running: the new primary comes as after a node crash, and nothing stops the old one (no watchdog, enforced by the agent). A primary that is cut off from the coordination service is demoted retry_timeout after its round began, so always ttl - loop - retry_timeout before its lease lapses. Without a coordination service nobody is promoted (no failsafe mode).",
        rows,
        tables: Vec::new(),
    }
}

fn processes(mode: &Mode, count: u64, rows: &mut Vec<Row>) {
    let Mode { name, ttl, round, start, .. } = *mode;
    let [low, rest, high] = mode.promote_and_check();
    let text = |fault: &str| mode.scenario("[\"b\"]", "poll", fault);
    let mut add = |what: &str, law: [f64; 3], found: &[f64]| {
        rows.push(row(format!("{name}: {what}"), "DERIVED", law, found));
    };

    let fault = "kind = \"crash\"\ntarget = \"db@a\"\nprocess = \"database\"\nduration = \"1ms\"";
    let hangs = runs(&text(fault), count);
    let law = [start + low, round + start + rest, 2.0 * round + start + high];
    add("the database crashes and does not come up", law, &all(&hangs, |t| t.routed));

    let text_up = text(fault).replace("restart_time = \"1000s\"", "restart_time = \"3500ms\"");
    let up = runs(&text_up, count);
    assert!(up.iter().all(|t| t.authorised.is_none()), "nobody else is promoted");
    let law = [3.5, round / 2.0 + 3.5, round + 3.5];
    add("the database crashes and is restarted in place in 3.5 s", law, &all(&up, |t| t.resumed));

    let fault = "kind = \"crash\"\ntarget = \"db@a\"\nprocess = \"database\"";
    let fails = runs(&text(fault), count);
    let law = [low, round + rest, 2.0 * round + high];
    add("the database crashes and its start fails at once", law, &all(&fails, |t| t.routed));

    let fault = "kind = \"crash\"\ntarget = \"db@a\"\nprocess = \"agent\"";
    let alone = runs(&text(fault), count);
    assert!(alone.iter().all(|t| t.stopped.is_none()), "nobody stops the old primary");
    assert!(alone.iter().all(|t| t.routed.is_none()), "the load balancer stays with it");
    let law = [ttl - round, ttl + 1.0, ttl + round + 2.0];
    add("the agent is killed, another leads beside its database", law, &all(&alone, |t| t.leads));
}

fn cut_off(mode: &Mode, count: u64, rows: &mut Vec<Row>) {
    let Mode { name, ttl, round, retry, .. } = *mode;
    let [low, rest, high] = mode.promote_and_check();
    let text = |fault: &str| mode.scenario("[\"b\"]", "poll", fault);
    let mut add = |what: &str, law: [f64; 3], found: &[f64]| {
        rows.push(row(format!("{name}: {what}"), "DERIVED", law, found));
    };
    let demoted = [retry, round / 2.0 + retry, round + retry];

    let cut = runs(&text("kind = \"partition\"\nisolate = [\"a\"]"), count);
    add("cut off: the old primary stops", demoted, &all(&cut, |t| t.stopped));
    let law = [ttl - round + low, ttl + rest, ttl + round + high];
    add("cut off: clients are sent to the new one", law, &all(&cut, |t| t.routed));
    let gap = |t: &Times| Some(t.authorised? - t.stopped?);
    let law = [ttl - round - retry, ttl - round / 2.0 - retry, ttl - retry];
    add("cut off: from the one's stop to the other's right", law, &all(&cut, gap));

    let fault = "kind = \"crash\"\ntarget = \"dcs\"\nduration = \"90s\"";
    let lost = runs(&text(fault), count);
    assert!(lost.iter().all(|t| t.authorised.is_none()), "nobody is promoted without it");
    add("no coordination service: the primary stops", demoted, &all(&lost, |t| t.stopped));
    // The only voter elects itself after 1 to 2 s; it is asked every two (`request_timeout`), and
    // again 0.2 s after it said that it does not lead yet.
    let what = format!("{name}: … and goes on when that is back after 90 s");
    rows.push(bounds_row(what, 91.0, 94.2, "s", &all(&lost, |t| t.resumed), SLACK));
}
