//! A primary that was deposed, came back, and is needed again.

mod common;

use common::Tape;
use regionsim::model::fact::{Claim, Fact, FailoverStep};
use regionsim::model::id::{NodeId, Term};
use regionsim::scenario::load;
use regionsim::sim::SimTime;
use regionsim::world::{Limits, Stage};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// Two replicas, and a controller beside neither.
const BASE: &str = r#"
schema_version = 1
[scenario]
name = "returns"
[run]
warmup = "1s"
horizon = "5m"
settle = "30s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
[region.c]
[wan]
default = { rtt = "20ms", jitter = "0ms" }
[store.db]
primary = "a"
standbys = ["b"]
replication = { mode = "async" }
restart_time = "1s"
[health_check]
checkers = ["c"]
unhealthy_quorum = 1
request_interval = "1s"
timeout = "1s"
failure_threshold = 3
[failover]
controller = { region = "c" }
promotion = "2s"
[clients.web]
region = "c"
writes = { per_second = 10 }
"#;

fn play(faults: &str) -> Tape {
    let (scenario, diagnostics) = load(&format!("{BASE}{faults}"));
    let scenario = scenario.unwrap_or_else(|| panic!("{faults}\n{diagnostics:#?}"));
    let stage = Stage::new(&scenario.plan).expect("a sound scenario");
    let mut tape = Tape::default();
    stage.run(7, 0, &mut tape, &Limits::default());
    tape
}

/// Who was promoted, and how long after its failover was declared it led, in milliseconds.
fn promotions(tape: &Tape) -> Vec<(NodeId, u64)> {
    let declared = tape.claims.iter().filter_map(|(at, _, claim)| match claim {
        Claim::Step(_, FailoverStep::Declared) => Some(*at),
        _ => None,
    });
    let led = tape.facts.iter().filter_map(|(at, fact)| match fact {
        Fact::Began { node, segment, .. } if segment.term() > Term(1) => Some((*at, *node)),
        _ => None,
    });
    let took = |(declared, (at, node)): (SimTime, (SimTime, NodeId))| {
        (node, at.since(declared).as_nanos() / 1_000_000)
    };
    declared.zip(led).map(took).collect()
}

fn crash(node: &str, at: u64, duration: u64) -> String {
    format!(
        "[[fault]]\nkind = \"crash\"\ntarget = \"db@{node}\"\nat = \"{at}s\"\nduration = \"{duration}s\"\n"
    )
}

#[test]
fn a_standby_whose_host_came_back_hears_the_first_order_to_lead() {
    // Node a is deposed, comes back, follows; its host crashes again and comes back; then b dies.
    // The controller's connection to a's agent is from before the second crash: the order breaks
    // it, its agent is asked at once, and ordered again. By hand: 20 ms for its position, 20 ms
    // until the connection breaks, 20 ms to ask, 10 ms to it, 2 s of promotion, and some disks.
    // (Were it not ordered again, the controller would lose patience after 5 s.)
    let faults = [crash("a", 10, 20), crash("a", 80, 10), crash("b", 150, 20)].concat();
    let promotions = promotions(&play(&faults));
    let [(B, first), (A, second)] = promotions[..] else { panic!("{promotions:?}") };
    assert!((2_000..2_100).contains(&first), "{first} ms");
    assert!((first + 40..first + 45).contains(&second), "{second} ms");
    // Without the second crash the connection is alive.
    let faults = [crash("a", 10, 20), crash("b", 150, 20)].concat();
    assert_eq!(promotions_of(&faults), [(B, first), (A, first)]);
}

fn promotions_of(faults: &str) -> Vec<(NodeId, u64)> {
    promotions(&play(faults))
}
