//! The windows that follow from a product's figures: a scenario with its preset is run, and what
//! is measured lies where the arithmetic on the documented figures puts it.
//!
//! `U(a, b)` is uniform; an endpoint that dies at a random phase of an interval I is probed for
//! the last time in vain after U(0, I) + (K - 1) I, and convicted a timeout T later.

use regionsim::experiment::Experiment;
use regionsim::measure::{MetricKey, Sample};
use regionsim::model::route::ViaParams;
use regionsim::scenario::{Scenario, load};
use regionsim::world::{Limits, Stage};
use std::sync::atomic::AtomicBool;

const TRIALS: u64 = 60;

fn read(text: &str) -> Scenario {
    let (scenario, diagnostics) = load(text);
    scenario.unwrap_or_else(|| panic!("{text}\n{diagnostics:#?}"))
}

/// The sorted values of a metric over some trials; every trial must have one.
fn measured(text: &str, metric: &'static str) -> Vec<f64> {
    let scenario = read(text);
    let stage = Stage::new(&scenario.plan).expect("a valid plan");
    let stop = AtomicBool::new(false);
    let experiment = Experiment {
        stage: &stage,
        settings: &scenario.settings,
        seed: scenario.seed,
        trials: 0..TRIALS,
        jobs: 2,
        events: Limits::default().events,
        stop: &stop,
    };
    let outcomes = experiment.run(&|_| {}).unwrap_or_else(|bug| panic!("{bug:?}"));
    let samples = outcomes.samples(&MetricKey::new(metric)).expect("the metric");
    let value = |sample: &Sample| match sample {
        Sample::Value(value) => *value,
        other => panic!("{metric}: {other:?}"),
    };
    let mut values: Vec<f64> = samples.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Three regions, a short run; what is lost is the primary's region, at a random moment.
fn story(horizon: &str, rest: &str) -> String {
    format!(
        r#"
schema_version = 1
scenario.name = "window"
run = {{ warmup = "10s", horizon = "{horizon}", settle = "10s", seed = 3 }}
region = {{ east = {{}}, west = {{}}, south = {{}}, far = {{ zones = [{ZONES}] }} }}
wan.default = {{ rtt = "20ms", jitter = "0s" }}
clients.app = {{ region = "west", writes.per_second = 10 }}
fault = [{{ name = "loss", kind = "crash", target = "east", at = {{ dist = "uniform", min = "60s", max = "120s" }} }}]
{rest}
"#
    )
}

/// Fifteen zones for fifteen checkers.
const ZONES: &str = r#""a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o""#;

/// When enough checkers said unhealthy, by a preset of the health check and keys beside it.
fn detected(preset: &str, checkers: &str, more: &str) -> Vec<f64> {
    let rest = format!(
        r#"
store.s = {{ primary = "east", standbys = ["west"], replication = {{ mode = "async" }} }}
health_check = {{ preset = "{preset}", checkers = [{checkers}]{more} }}
failover.controller.region = "south"
"#
    );
    measured(&story("10m", &rest), "phase.detect")
}

/// Those of a store whose members elect, from the loss of the leader to the next write.
fn elected(preset: &str) -> Vec<f64> {
    let rest = format!(
        r#"store.s = {{ replicas = ["east", "west", "south"], replication = {{ preset = "{preset}", initial_leader = "east" }} }}"#
    );
    measured(&story("4m", &rest), "rto.first_write")
}

/// All values lie between the two, give or take round trips, and come near to both.
fn fills(values: &[f64], low: f64, high: f64) {
    let (least, most) = (values[0], values[values.len() - 1]);
    let near = (high - low) * 0.15 + 0.02;
    assert!(least >= low - 0.05 && most <= high + 0.5, "{least} to {most}, not {low} to {high}");
    assert!(least <= low + near && most >= high - near, "{least} to {most}, not {low} to {high}");
}

fn median(values: &[f64]) -> f64 {
    values[values.len() / 2]
}

#[test]
fn route_53_flips_when_more_than_82_percent_have_convicted() {
    let all: Vec<String> = ('a'..='o').map(|zone| format!("\"far/{zone}\"")).collect();
    let all = all.join(", ");
    for (preset, interval, documented) in
        [("route53-standard", 30.0, 85.0), ("route53-fast", 10.0, 28.0)]
    {
        let values = detected(preset, &all, "");
        // The 13th of 15 checkers: each at U(2 I, 3 I) + 4 s, so 2 I + I 13/16 + 4 s on average.
        let expected = 2.0 * interval + interval * 13.0 / 16.0 + 4.0;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        // The standard deviation of that order statistic is 0.095 I.
        let error = 4.0 * 0.095 * interval / (values.len() as f64).sqrt();
        assert!((mean - expected).abs() < error, "{preset}: {mean}, expected {expected}");
        // The documented figures leave the timeout out.
        assert!((mean - 4.0 - documented).abs() < 2.0, "{preset}: {mean}");
    }
}

#[test]
fn traffic_manager_takes_100_to_130_seconds_and_9_to_19_when_fast_and_intolerant() {
    fills(&detected("azure-traffic-manager", "\"far/a\"", ""), 100.0, 130.0);
    let fast = detected("azure-traffic-manager-fast", "\"far/a\"", ", failure_threshold = 1");
    fills(&fast, 9.0, 19.0);
}

#[test]
fn cloudflare_takes_up_to_its_interval_and_front_door_three_bad_samples() {
    fills(&detected("cloudflare-lb", "\"far/a\"", ""), 5.0, 65.0);
    // Three of four samples are bad after 60 to 90 s; the timeout of the last one, 1 s, on top.
    fills(&detected("azure-front-door", "\"far/a\"", ", timeout = \"1s\""), 61.0, 91.0);
    let terraform = ", timeout = \"1s\", sampling = { size = 4, successful = 3 }";
    fills(&detected("azure-front-door", "\"far/a\"", terraform), 31.0, 61.0);
}

/// The same arithmetic for load balancers that check for themselves: `tests/checks.rs` and the
/// unit tests of checkers hold it against runs.
#[test]
fn balancers_of_their_own_mark_down_in_4_to_6_and_10_to_15_seconds() {
    for (preset, silent, low, high) in
        [("haproxy", false, 4.0, 6.0), ("gcp-global-lb", true, 10.0, 15.0)]
    {
        let rest = format!(
            r#"
store.s = {{ primary = "east", standbys = ["west"], replication = {{ mode = "async" }} }}
routing.preset = "{preset}"
"#
        );
        let scenario = read(&story("4m", &rest));
        let ViaParams::Proxy(proxy) = &scenario.plan.routings[0].params.via else {
            panic!("{preset} checks for itself")
        };
        let rhythm = proxy.rhythm();
        let least = rhythm.fast.as_secs_f64() * f64::from(rhythm.fall - 1)
            + if silent { rhythm.timeout.as_secs_f64() } else { 0.0 };
        assert_eq!((least, least + rhythm.interval.as_secs_f64()), (low, high), "{preset}");
    }
}

#[test]
fn keepalived_takes_over_three_and_a_half_seconds_after_the_last_advertisement() {
    fills(&detected("keepalived", "\"west\"", ""), 2.5, 3.5);
}

#[test]
fn repmgr_asks_for_a_minute_and_stolon_for_20_to_25_seconds() {
    // The timeout of the last question, 2 s and 1 s, comes on top.
    fills(&detected("repmgr", "\"west\"", ""), 62.0, 64.0);
    fills(&detected("stolon", "\"south\"", ""), 21.0, 26.0);
}

#[test]
fn pg_auto_failover_needs_20_seconds_and_waits_30_for_the_demotion() {
    let rest = r#"
store.s = { primary = "east", standbys = ["west"], replication = { mode = "async" } }
health_check = { preset = "pg-auto-failover", checkers = ["south"] }
failover = { preset = "pg-auto-failover", controller.region = "south" }
"#;
    let rest = story("6m", rest);
    let scenario = read(&rest);
    let hold = scenario.plan.health_checks[0].params.hold.as_secs_f64();
    let detected = measured(&rest, "phase.detect");
    let unhealthy = hold + median(&detected);
    assert!((unhealthy - 20.0).abs() < 1.5, "{unhealthy}");
    // The monitor counts from when it last heard of the primary.
    let fenced = median(&measured(&rest, "phase.fence"));
    assert!((29.5..=31.0).contains(&fenced), "{fenced}");
    let whole = median(&measured(&rest, "rto.first_write"));
    assert!((30.0..=55.0).contains(&whole), "{whole}");
}

#[test]
fn corosync_loses_the_token_agrees_and_fences() {
    let detected = detected("corosync-pacemaker", "\"south\"", "");
    fills(&detected, 3.65, 3.75);
    let rest = r#"
store.s = { primary = "east", standbys = ["west"], replication = { mode = "async" } }
health_check = { preset = "corosync-pacemaker", checkers = ["south"] }
failover = { preset = "corosync-pacemaker", controller.region = "south", stonith.device = "south" }
"#;
    let scenario = read(&story("6m", rest));
    assert_eq!(scenario.plan.health_checks[0].params.hold.as_secs_f64(), 4.38);
    let stonith = &scenario.plan.failovers[0].params.stonith;
    assert_eq!(stonith.timeout.as_secs_f64(), 60.0);
    let decided = measured(&story("6m", rest), "phase.decide");
    assert!((median(&decided) - 4.38).abs() < 0.1, "{}", median(&decided));
}

#[test]
fn a_kubernetes_node_is_missed_after_50_seconds_and_its_pods_300_later() {
    fills(&detected("kubernetes-node", "\"south\"", ""), 41.0, 51.0);
    let rest = r#"
store.s = { primary = "east", standbys = ["west"], replication = { mode = "async" } }
health_check = { preset = "kubernetes-node", checkers = ["south"] }
failover.controller.region = "south"
"#;
    let hold = read(&story("6m", rest)).plan.health_checks[0].params.hold;
    assert_eq!(hold.as_secs_f64(), 300.0);
}

#[test]
fn patroni_is_back_20_to_40_seconds_after_the_host_dies() {
    let rest = r#"
store.s = { primary = "east", standbys = ["west"], replication = { mode = "async" } }
lease = { preset = "patroni", voters = ["east", "west", "south"] }
failover = { preset = "patroni" }
"#;
    let values = measured(&story("6m", rest), "rto.first_write");
    let (least, most) = (values[0], values[values.len() - 1]);
    assert!(least >= 20.0 && most <= 40.0, "{least} to {most}");
    // The key lapses 20 to 30 s after the crash, for the loop renews it every 10 s.
    assert!(least < 24.0 && most > 28.0, "{least} to {most}");
}

#[test]
fn sentinels_agree_after_30_to_32_seconds_and_a_redis_cluster_after_15_to_17() {
    for (preset, low, high) in [("redis-sentinel", 30.0, 32.0), ("redis-cluster", 15.0, 17.0)] {
        let rest = format!(
            r#"
store.s = {{ primary = "east", standbys = ["west"], replication = {{ mode = "async" }} }}
failover = {{ preset = "{preset}", council.members = ["west", "south", "far/a"] }}
"#
        );
        let values = measured(&story("6m", &rest), "phase.detect");
        let (least, most) = (values[0], values[values.len() - 1]);
        assert!(least >= low && most <= high, "{preset}: {least} to {most}");
    }
}

#[test]
fn members_elect_within_their_timeouts() {
    for (preset, shortest, longest, heartbeat) in [
        ("etcd", 1.0, 2.0, 0.1),
        ("consul", 5.0, 10.0, 0.5),
        ("yugabytedb", 3.0, 4.0, 0.5),
        ("kafka-kraft", 2.0, 3.0, 0.5),
        ("tikv", 10.0, 20.0, 2.0),
        ("zookeeper-ensemble", 10.0, 10.5, 1.0),
    ] {
        let values = elected(preset);
        // The last sign of life was up to a heartbeat old. A vote, the first commit and the next
        // write of a client come on top.
        let (low, high) = (shortest - heartbeat, longest + 0.4);
        // One trial in ten may split its votes.
        let (least, most) = (values[0], values[values.len() * 9 / 10]);
        assert!(least >= low && most <= high, "{preset}: {least} to {most}");
    }
}

#[test]
fn mongodb_keeps_its_documented_median_of_12_seconds() {
    let median = median(&elected("mongodb"));
    assert!((8.0..=12.0).contains(&median), "{median}");
}

#[test]
fn group_replication_takes_25_seconds_at_worst() {
    let values = elected("mysql-group-replication");
    let most = values[values.len() - 1];
    assert!(values[0] >= 9.0 && most <= 25.5, "{} to {most}", values[0]);
    // Of three members the two that are left wait independently: the shorter wait decides.
    assert!((14.0..=18.0).contains(&median(&values)), "{}", median(&values));
}

#[test]
fn leases_are_as_long_as_documented() {
    let lease = |preset: &str| {
        let rest = format!(
            r#"
store.s = {{ primary = "east", standbys = ["west"], replication = {{ mode = "async" }} }}
lease = {{ preset = "{preset}", voters = ["east", "west", "south"] }}
"#
        );
        let lease = read(&story("4m", &rest)).plan.leases[0].params.clone();
        [lease.ttl, lease.guard, lease.renew_interval].map(|span| span.as_secs_f64())
    };
    // A lease of 15 s, given up after 10 s, tried every 2 s.
    let [ttl, guard, renew] = lease("kubernetes-leader-election");
    assert_eq!((ttl + guard, ttl - guard, renew), (15.0, 10.0, 2.0));
    let [ttl, _, renew] = lease("kafka-broker");
    assert_eq!((ttl, renew), (9.0, 2.0));
    let [ttl, _, _] = lease("zookeeper");
    assert!((4.0..=40.0).contains(&ttl));
}

#[test]
fn managed_multi_az_is_back_within_what_is_published() {
    let rest = r#"
store.s = { primary = "east", standbys = ["west"], replication.preset = "rds-multi-az" }
health_check = { preset = "rds-multi-az", checkers = ["far/a", "far/b", "far/c"] }
failover = { preset = "rds-multi-az", controller.region = "south" }
routing.preset = "rds-multi-az"
"#;
    let values = measured(&story("8m", rest), "rto.first_write");
    let inside = values.iter().filter(|value| (60.0..=120.0).contains(*value)).count();
    assert!(inside as f64 >= 0.9 * values.len() as f64, "{values:?}");
}
