//! Operators: planned and forced switches, a leader that steps down, a member that stands; at
//! times of their own, or after something happened.

mod common;

use common::Tape;
use regionsim::measure::{MetricKey, Oracle, Sample};
use regionsim::model::fact::{Claim, Fact, FailoverStep};
use regionsim::model::id::{NodeId, Term};
use regionsim::scenario::load;
use regionsim::sim::SimTime;
use regionsim::world::{Limits, Stage};

const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

fn head(store: &str) -> String {
    format!(
        r#"
schema_version = 1
[scenario]
name = "operators"
[run]
warmup = "1s"
horizon = "2m"
settle = "30s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
[region.c]
[wan]
default = {{ rtt = "20ms", jitter = "0ms" }}
{store}
[clients.web]
region = "c"
writes = {{ per_second = 100 }}
"#
    )
}

const CONTROLLED: &str = r#"
[store.db]
primary = "a"
standbys = ["b"]
replication = { mode = "async" }
[health_check]
checkers = ["c"]
unhealthy_quorum = 1
request_interval = "1s"
[failover]
controller = { region = "c" }
promotion = "2s"
"#;

const ELECTED: &str = r#"
[store.db]
replicas = ["a", "b", "c"]
replication = { mode = "consensus", initial_leader = "a" }
"#;

struct Played {
    tape: Tape,
    metrics: Vec<(&'static str, f64)>,
}

fn play(store: &str, rest: &str) -> Played {
    let text = format!("{}{rest}", head(store));
    let (scenario, diagnostics) = load(&text);
    let scenario = scenario.unwrap_or_else(|| panic!("{text}\n{diagnostics:#?}"));
    let stage = Stage::new(&scenario.plan).expect("a sound scenario");
    let mut tape = Tape::default();
    let mut oracle = Oracle::new(stage.roster(), &scenario.settings);
    let finish = stage.run(7, 0, &mut (&mut tape, &mut oracle), &Limits::default());
    let verdict = oracle.verdict(finish.at);
    let names = ["failover.count", "failover.false", "writes.lost", "writes.gap"];
    let metrics = names.map(|name| match verdict.get(&MetricKey::new(name)) {
        Some(Sample::Value(value)) => (name, value),
        other => panic!("{name} is {other:?}"),
    });
    Played { tape, metrics: metrics.to_vec() }
}

impl Played {
    fn metric(&self, name: &str) -> f64 {
        self.metrics.iter().find(|(other, _)| *other == name).expect("it is read above").1
    }
    /// Who began to lead in a later term than the first, and when, in milliseconds.
    fn led(&self) -> Vec<(NodeId, u64)> {
        let led = |(at, fact): &(SimTime, Fact)| match fact {
            Fact::Began { node, segment, .. } if segment.term() > Term(1) => {
                Some((*node, at.as_nanos() / 1_000_000))
            }
            _ => None,
        };
        self.tape.facts.iter().filter_map(led).collect()
    }
    /// When somebody acted on the store, in milliseconds.
    fn ordered(&self) -> Vec<u64> {
        let ordered = |(at, fact): &(SimTime, Fact)| match fact {
            Fact::Ordered { .. } => Some(at.as_nanos() / 1_000_000),
            _ => None,
        };
        self.tape.facts.iter().filter_map(ordered).collect()
    }
}

#[test]
fn a_planned_switch_loses_nothing_and_is_no_false_failover() {
    let order = "[[operator]]\naction = \"switchover\"\nat = \"30s\"\n";
    let played = play(CONTROLLED, order);
    // By hand: 10 ms to the agent, its answer that all has stopped, 20 ms to ask both how far they
    // are, perhaps a second until they are asked again, 10 ms to the other, 2 s of promotion.
    let [(B, at)] = played.led()[..] else { panic!("{:?}", played.led()) };
    assert!((32_030..33_200).contains(&at), "{at}");
    assert_eq!(played.ordered(), [30_000]);
    assert_eq!(
        ["failover.count", "failover.false", "writes.lost"].map(|m| played.metric(m)),
        [1.0, 0.0, 0.0]
    );
}

#[test]
fn a_forced_switch_leaves_behind_what_was_under_way() {
    let order = "[[operator]]\naction = \"promote\"\nto = \"db@b\"\nat = \"30s\"\n";
    let played = play(CONTROLLED, order);
    let [(B, at)] = played.led()[..] else { panic!("{:?}", played.led()) };
    // 20 ms for its position, 10 ms to it, 2 s of promotion.
    assert!((32_030..32_050).contains(&at), "{at}");
    assert_eq!(["failover.count", "failover.false"].map(|m| played.metric(m)), [1.0, 0.0]);
    // The order to stop takes 10 ms to get there, and what is shipped 10 ms the other way: that the
    // candidate was told to lead 20 ms later than that saves it all.
    assert_eq!(played.metric("writes.lost"), 0.0);
}

#[test]
fn an_operator_may_wait_for_an_event_and_nobody_waits_for_checkers() {
    let rest = "[[fault]]\nname = \"dead\"\nkind = \"crash\"\ntarget = \"db@a\"\nat = \"40s\"\n\
        [[operator]]\naction = \"promote\"\nto = \"db@b\"\nafter = \"onset:dead\"\nat = \"1s\"\n";
    let played = play(CONTROLLED, rest);
    assert_eq!(played.ordered(), [41_000]);
    let [(B, at)] = played.led()[..] else { panic!("{:?}", played.led()) };
    assert!((43_030..43_050).contains(&at), "{at}");
    let declared = |claim: &Claim| matches!(claim, Claim::Step(_, FailoverStep::Declared));
    assert_eq!(played.tape.claims.iter().filter(|(_, _, claim)| declared(claim)).count(), 1);
}

#[test]
fn an_order_to_a_dead_controller_is_lost() {
    let rest = "[[fault]]\nkind = \"crash\"\ntarget = \"failover@c\"\nat = \"20s\"\nduration = \"30s\"\n\
        [[operator]]\naction = \"switchover\"\nat = \"30s\"\n";
    let played = play(CONTROLLED, rest);
    assert_eq!((played.ordered(), played.led()), (vec![30_000], Vec::new()));
}

#[test]
fn an_order_that_is_refused_changes_nothing_else() {
    // Node a leads already.
    let order = "[[operator]]\naction = \"promote\"\nto = \"db@a\"\nat = \"30s\"\n";
    let (with, without) = (play(CONTROLLED, order), play(CONTROLLED, ""));
    let mut facts = with.tape.facts;
    facts.retain(|(_, fact)| !matches!(fact, Fact::Ordered { .. }));
    assert_eq!(facts, without.tape.facts);
}

#[test]
fn a_leader_told_to_step_down_is_followed_by_another() {
    let played = play(ELECTED, "[[operator]]\naction = \"step_down\"\nat = \"30s\"\n");
    let [(node, at)] = played.led()[..] else { panic!("{:?}", played.led()) };
    assert!(at > 30_000 && at < 35_000, "{node:?} {at}");
    assert_eq!(["failover.false", "writes.lost"].map(|m| played.metric(m)), [0.0, 0.0]);
    // One that does not lead has nothing to give up.
    let played =
        play(ELECTED, "[[operator]]\naction = \"step_down\"\nnode = \"db@b\"\nat = \"30s\"\n");
    assert_eq!(played.led(), []);
}

#[test]
fn a_member_told_to_stand_is_elected_unless_it_has_to_ask_first() {
    let order = "[[operator]]\naction = \"stand\"\nnode = \"db@c\"\nat = \"30s\"\n";
    let eager =
        ELECTED.replace("initial_leader", "pre_vote = false, check_quorum = false, initial_leader");
    let played = play(&eager, order);
    let [(C, at)] = played.led()[..] else { panic!("{:?}", played.led()) };
    // Its vote reaches its disk, 10 ms to ask, theirs, and 10 ms back.
    assert!((30_020..30_100).contains(&at), "{at}");
    assert_eq!(["failover.false", "writes.lost"].map(|m| played.metric(m)), [0.0, 0.0]);
    // The others hear their leader, and say no.
    let asks = ELECTED.replace("initial_leader", "pre_vote = true, initial_leader");
    assert_eq!(play(&asks, order).led(), []);
}
