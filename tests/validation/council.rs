//! Redis Sentinel: how long a council takes from the death of a primary to a new one.

use super::kit::{
    Case, Effort, Facts, SEED, bounds_row, cdf_table, head, mean_row, shape_row, sorted, stage,
    trials,
};
use regionsim::model::fact::Fact;
use regionsim::model::id::NodeId;
use regionsim::sim::SimTime;
use regionsim::world::Limits;

/// The network's and the disks' share: some microseconds each.
const SLACK: f64 = 1e-4;
const DEATH: f64 = 100.0;
const DOWN_AFTER: f64 = 30.0;
const PING: f64 = 1.0;
const TICK: f64 = 0.1;

fn scenario(quorum: u32) -> String {
    head("sentinels", "10s", "150s", "1s", &["a", "b", "c"])
        + &format!(
            r#"
[store.db]
primary = "a"
standbys = ["b"]
replication = {{ mode = "async" }}
fsync = "1us"
[failover]
decided_by = "council"
promotion = "1us"
[failover.council]
members = ["a", "b", "c"]
quorum = {quorum}
down_after = "{DOWN_AFTER}s"
fsync = "1us"
[routing]
via = {{ global_lb = {{ propagation = "0s" }} }}
[clients.web]
region = "c"
writes = {{ per_second = 0.1 }}
[[fault]]
kind = "crash"
at = "{DEATH}s"
target = "db@a"
"#
        )
}

/// When another was given the right to be primary, and when clients were sent to it.
fn times(quorum: u32, count: u64) -> (Vec<f64>, Vec<f64>) {
    let (_, stage) = stage(&scenario(quorum));
    let one = |trial| {
        let (mut authorised, mut routed) = (None, None);
        let mut facts = Facts(|at: SimTime, fact: &Fact| {
            let after = at.as_secs_f64() - DEATH;
            match fact {
                Fact::Authorised { holder, .. } if *holder != NodeId(0) => {
                    authorised.get_or_insert(after);
                }
                Fact::Routed { node, .. } if *node != NodeId(0) => {
                    routed.get_or_insert(after);
                }
                _ => {}
            }
        });
        stage.run(SEED, trial, &mut facts, &Limits::default());
        (authorised.expect("a failover"), routed.expect("a new route"))
    };
    let (authorised, routed) = trials(count, one).into_iter().unzip();
    (sorted(authorised), sorted(routed))
}

/// `U(0, PING) + U(0, TICK)`: the first ping without an answer, and the wait for a look.
fn noticed(x: f64) -> f64 {
    let half = |x: f64| x.max(0.0) * x.max(0.0) / 2.0;
    let area = half(x) - half(x - PING) - half(x - TICK) + half(x - PING - TICK);
    (area / (PING * TICK)).clamp(0.0, 1.0)
}

/// At most so many of three have noticed by then: the distribution of the `k`-th.
fn kth_of_three(k: u32, x: f64) -> f64 {
    let p = noticed(x);
    match k {
        1 => 1.0 - (1.0 - p) * (1.0 - p) * (1.0 - p),
        2 => p * p * (3.0 - 2.0 * p),
        _ => p * p * p,
    }
}

/// The mean of a positive number below 1.2 with this distribution.
fn mean_of(cdf: impl Fn(f64) -> f64) -> f64 {
    let steps = 120_000;
    (0..steps).map(|i| (1.0 - cdf((f64::from(i) + 0.5) * 1e-5)) * 1e-5).sum()
}

/// From the death of a primary to the election of who replaces it, and to the new route.
pub fn sentinels(effort: Effort) -> Case {
    let (mut rows, mut tables) = (Vec::new(), Vec::new());
    for quorum in 1..=3 {
        let (authorised, routed) = times(quorum, effort.of(600, 10_000));
        // With a quorum of one, a member stands at the look that finds the primary down, and
        // counts votes at the next; otherwise it hears of the quorum between two looks.
        let looks = if quorum == 1 { 1.0 } else { 2.0 };
        let rest = DOWN_AFTER + looks * TICK;
        let law = |x: f64| kth_of_three(quorum, x - rest);
        let expected = rest + mean_of(|x| kth_of_three(quorum, x));
        let name = format!("quorum {quorum} of 3");
        rows.push(mean_row(format!("{name}: elected, mean"), expected, "s", &authorised, SLACK));
        let (low, high) = (rest, rest + PING + TICK);
        let what = format!("{name}: elected, least and most");
        rows.push(bounds_row(what, low, high, "s", &authorised, SLACK));
        let told = format!("{quorum}. of three of U(0, 1) + U(0, 0.1), + {rest:.1} s");
        let what = format!("{name}: elected, distribution");
        rows.push(shape_row(what, &told, &authorised, 0.0, law));
        // The elected one asks its candidate every second whether it is primary.
        let what = format!("{name}: new route, mean");
        rows.push(mean_row(what, expected + 0.5, "s", &routed, 2.0 * SLACK));
        let what = format!("{name}: new route, least and most");
        rows.push(bounds_row(what, low, high + 1.0, "s", &routed, 2.0 * SLACK));
        tables.push(cdf_table(&format!("sentinels-q{quorum}.csv"), "seconds", &routed));
    }
    Case {
        title: "Sentinels: from the death of a primary to a new one",
        source: "closed form from the documented rules of Redis Sentinel (sentinel.c: SENTINEL_PING_PERIOD 1 s, down-after-milliseconds 30 s, hz 10, INFO every second during a failover; one ping without an answer begins the count). Practice: down-after and one to two seconds.",
        notes: "Three members whose pings and looks have phases of their own; the k-th of them to notice makes the quorum. One look sees the quorum and stands, the next one counts the votes: 0.2 s; with a quorum of one, 0.1 s. Network, disks and promotion take microseconds. Sentinel draws its hz anew between 10 and 19 at each look; here looks are 0.1 s apart.",
        rows,
        tables,
    }
}
