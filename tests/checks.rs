//! Health checks in the whole world: load balancers that check for themselves, and how deep a
//! check looks. Times computed by hand.

mod common;

use common::{Tape, aim, crash, cut, fault, pause, plain, plan, play};
use regionsim::model::client::{Arrival, ArrivalParams};
use regionsim::model::detect::{Check, CheckRole, HealthCheckParams};
use regionsim::model::fact::{Claim, Fact, Outcome};
use regionsim::model::id::{NodeId, OpId};
use regionsim::model::replica::ServerParams;
use regionsim::model::route::proxy::{NoneHealthy, OnMarkedDown};
use regionsim::model::route::{ProxyParams, ViaParams};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Name;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::crash::Process;
use regionsim::world::fault::partition::Direction;
use regionsim::world::fault::stall::Part;
use regionsim::world::fault::{FaultParams, InFlight, stall};
use regionsim::world::plan::{HealthCheckPlan, Plan, Spot};
use std::collections::BTreeMap;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
/// Round trips of probes, and the drift of clocks.
const SLACK: f64 = 0.2;

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

fn seconds(at: SimTime) -> f64 {
    at.since(SimTime::ZERO).as_secs_f64()
}

/// Clients ask once, and wait so long.
fn patience(plan: &mut Plan, deadline: u64) {
    let client = &mut plan.clients[0].params;
    client.deadline = secs(deadline);
    client.retry.attempts = 1;
    client.retry.attempt_timeout = secs(deadline);
}

/// A store in `a` and `b`, and clients in `a` who ask once, behind a load balancer.
fn balanced(replicas: usize, proxy: ProxyParams) -> Plan {
    let mut plan = plan(2, Span::from_millis(60), replicas, plain("async"), 20.0);
    plan.clients.truncate(1);
    patience(&mut plan, 5);
    plan.routings[0].params.via = ViaParams::Proxy(proxy);
    plan.routings[0].name_servers.clear();
    plan
}

/// A check every four seconds, every two while it is changing its mind.
fn patient() -> ProxyParams {
    ProxyParams {
        inter: secs(4),
        fastinter: Some(secs(2)),
        timeout: Some(secs(1)),
        rise: 2,
        fall: 3,
        ..ProxyParams::default()
    }
}

/// When clients began to be sent to that node.
fn sent_to(tape: &Tape, who: NodeId) -> Option<f64> {
    let hit = |(at, fact): &(SimTime, Fact)| match fact {
        Fact::Routed { node, .. } if *node == who => Some(seconds(*at)),
        _ => None,
    };
    tape.facts.iter().find_map(hit)
}

/// Every operation: when it began, how long it took, how it ended and by whom.
fn operations(tape: &Tape) -> Vec<(f64, f64, Outcome, Option<NodeId>)> {
    let mut began: BTreeMap<OpId, SimTime> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } => {
                began.insert(*op, *now);
            }
            Fact::Concluded { op, outcome, by } => {
                let at = began[op];
                ended.push((seconds(at), now.since(at).as_secs_f64(), *outcome, *by));
            }
            _ => {}
        }
    }
    ended
}

/// All within the interval, and not all in the same half of it.
fn spread(seen: &[f64], low: f64, high: f64) {
    assert!(seen.iter().all(|t| (low - SLACK..high + SLACK).contains(t)), "{low} {high}: {seen:?}");
    let early = seen.iter().filter(|t| **t < (low + high) / 2.0).count();
    assert!(early > 0 && early < seen.len(), "{low} to {high}: {seen:?}");
}

/// The first check after a death comes within 4 s; it and the two after it, 2 s apart, fail: at
/// once where the host refuses, after the timeout of 1 s where it is silent. The host is back after
/// 20 s, its database serves after 5 s more of recovery; of two checks, 2 s apart, the first comes
/// within 4 s.
#[test]
fn a_load_balancer_leaves_a_dead_database_and_returns_to_it_by_its_own_checks() {
    for (process, timeout) in [(Process::Database, 0.0), (Process::Host, 1.0)] {
        let (mut left, mut back) = (Vec::new(), Vec::new());
        for seed in 0..12 {
            let mut plan = balanced(2, patient());
            plan.faults.push(fault("f", secs(20), Some(secs(20)), crash("orders@a", process)));
            plan.horizon = secs(80);
            let (_, tape, _) = play(&plan, seed);
            let (away, home) = (sent_to(&tape, B).unwrap(), sent_to(&tape, A).unwrap());
            for (began, _, outcome, by) in operations(&tape) {
                // The standby says that it is no primary; nobody made it one.
                let expected = match began {
                    began if began > 19.9 && began < away => None,
                    began if began > away && began < home => Some((Outcome::Fail, Some(B))),
                    _ => Some((Outcome::Ok, Some(A))),
                };
                assert!(expected.is_none_or(|e| e == (outcome, by)), "{began}: {outcome:?} {by:?}");
            }
            left.push(away - 20.0);
            back.push(home - 45.0);
        }
        spread(&left, 4.0 + timeout, 8.0 + timeout);
        spread(&back, 2.0, 6.0);
    }
}

/// The only database is dead and silent. A load balancer that knows refuses at once; one that fails
/// open sends clients into the silence, where they wait for their deadline.
#[test]
fn a_load_balancer_without_a_healthy_database_refuses_or_fails_open() {
    for (none_healthy, outcome, takes) in
        [(NoneHealthy::Refuse, Outcome::Fail, 0.0), (NoneHealthy::All, Outcome::Unknown, 5.0)]
    {
        let mut plan = balanced(1, ProxyParams { none_healthy, ..patient() });
        plan.faults.push(fault("f", secs(20), None, crash("orders@a", Process::Host)));
        let (_, tape, _) = play(&plan, 5);
        let late: Vec<_> = operations(&tape).into_iter().filter(|op| op.0 > 29.3).collect();
        assert!(late.len() > 500);
        let same = |op: &(f64, f64, Outcome, Option<NodeId>)| {
            op.2 == outcome && (op.1 - takes).abs() < 1e-3
        };
        assert!(late.iter().all(same), "{none_healthy:?}: {:?}", late[0]);
    }
}

/// A database stands still for 30 s. Its connections live: who is under way there waits until it
/// goes on, unless the load balancer cuts the connections when it marks the database down.
#[test]
fn connections_to_a_database_that_is_marked_down_live_or_are_cut() {
    for on_marked_down in [OnMarkedDown::Keep, OnMarkedDown::Reset] {
        let mut plan = balanced(2, ProxyParams { on_marked_down, ..patient() });
        patience(&mut plan, 60);
        plan.faults.push(fault("f", secs(20), Some(secs(30)), pause("orders@a")));
        let (_, tape, _) = play(&plan, 5);
        let marked = sent_to(&tape, B).unwrap();
        let stuck: Vec<_> =
            operations(&tape).into_iter().filter(|op| op.0 > 20.0 && op.0 < marked).collect();
        assert!(stuck.len() > 80);
        for (began, took, outcome, _) in stuck {
            let (until, expected) = match on_marked_down {
                OnMarkedDown::Keep => (50.0, Outcome::Ok),
                OnMarkedDown::Reset => (marked, Outcome::Unknown),
            };
            assert_eq!(outcome, expected, "{began}");
            assert!((began + took - until).abs() < 0.01, "{began}: {took}");
        }
    }
}

/// One checker in `a`, which looks every `interval`, waits 2 s for an answer, and believes the
/// first one.
fn watched(mut plan: Plan, interval: u64, checks: &[Check]) -> Plan {
    let params = HealthCheckParams {
        checkers: vec![Name::of("a")],
        request_interval: secs(interval),
        timeout: secs(2),
        failure_threshold: 1,
        recovery_threshold: 1,
        checks: checks.to_vec(),
        max_backlog: 1_000,
        ..HealthCheckParams::default()
    };
    plan.health_checks.push(HealthCheckPlan {
        name: "health_check".into(),
        params,
        checkers: vec![Spot { region: 0, zone: 0 }],
        unhealthy_quorum: 1,
    });
    plan.stores[0].health_check = Some(0);
    plan
}

/// When the checker first called that node unhealthy, by twelve seeds; nothing where it never did.
fn called_unhealthy(plan: &Plan, who: NodeId) -> Vec<f64> {
    let first = |seed| {
        let (_, tape, _) = play(plan, seed);
        tape.claims.iter().find_map(|(at, _, claim)| match claim {
            Claim::Opinion { node, healthy: false, .. } if *node == who => Some(seconds(*at)),
            _ => None,
        })
    };
    (0..12).filter_map(first).collect()
}

/// A server of 1,000 a second that is asked for 1,500: the backlog grows by 500 a second, and who
/// comes after t seconds waits t/2. A connect sees nothing of it. A request of the application
/// waits longer than 2 s from t = 4 s on: the next one, within 5 s, fails after 2 s. The backlog
/// passes 1,000 at t = 2 s: the next look sees it at once.
#[test]
fn an_overloaded_node_answers_a_connect_and_fails_a_request_and_a_look_at_its_backlog() {
    let overloaded = |checks: &[Check]| {
        let mut plan = plan(1, Span::from_millis(1), 1, plain("async"), 0.0);
        plan.stores[0].params.server = Some(ServerParams {
            service_time: DistSpec::Constant(Span::from_millis(1)),
            concurrency: 1,
            queue: 100_000,
            ..ServerParams::default()
        });
        let client = &mut plan.clients[0].params;
        client.writes = None;
        client.reads = Some(ArrivalParams { arrival: Arrival::Constant, per_second: 1_500.0 });
        patience(&mut plan, 5);
        plan.horizon = secs(20);
        called_unhealthy(&watched(plan, 5, checks), A)
    };
    assert!(overloaded(&[Check::Connect]).is_empty());
    spread(&overloaded(&[Check::App]), 6.0, 11.0);
    spread(&overloaded(&[Check::Backlog]), 2.0, 7.0);
    spread(&overloaded(&[Check::Connect, Check::App, Check::Backlog]), 2.0, 7.0);
}

/// A synchronous primary whose standby is cut off answers everybody but can write nothing: its
/// test row waits for the standby. The look after the cut comes within 5 s and fails 2 s later.
#[test]
fn a_primary_that_waits_for_its_standby_fails_a_test_row_only() {
    let alone = |checks: &[Check]| {
        let mut plan = plan(2, Span::from_millis(60), 2, plain("sync"), 5.0);
        let off = cut("b", "a", Direction::Both, InFlight::Lost);
        plan.faults.push(fault("cut", secs(20), None, off));
        called_unhealthy(&watched(plan, 5, checks), A)
    };
    for checks in [&[Check::Connect][..], &[Check::App], &[Check::Lag, Check::Backlog]] {
        assert!(alone(checks).is_empty(), "{checks:?}");
    }
    spread(&alone(&[Check::Write]), 22.0, 27.0);
}

/// A standby stops receiving at 20 s. It is asked every second, and each time asks its primary
/// where that is: of the first such question after 20 s it knows after more than ten seconds that
/// it has not caught up with it. That is at the eleventh look after it.
#[test]
fn a_standby_that_falls_behind_fails_a_look_at_its_lag_only() {
    let stalled = |part, checks: &[Check]| {
        let mut plan = plan(2, Span::from_millis(60), 2, plain("async"), 50.0);
        let params = stall::Params { target: aim(&["orders@b"]), part };
        plan.faults.push(fault("stall", secs(20), None, FaultParams::Stall(params)));
        let watched = watched(plan, 1, checks);
        assert!(called_unhealthy(&watched, A).is_empty(), "a primary is never behind");
        called_unhealthy(&watched, B)
    };
    for part in [Part::Applier, Part::Receiver] {
        let deep = [Check::Connect, Check::App, Check::Write, Check::Backlog];
        assert!(stalled(part, &deep).is_empty());
        spread(&stalled(part, &[Check::Lag]), 31.0, 32.0);
    }
}

/// Who asks for a role calls the other one unhealthy from its first look on.
#[test]
fn a_check_of_the_role_tells_primary_and_standby_apart() {
    for (role, right, wrong) in [(CheckRole::Primary, A, B), (CheckRole::Standby, B, A)] {
        let plan = plan(2, Span::from_millis(60), 2, plain("async"), 5.0);
        let mut plan = watched(plan, 5, &[Check::Connect]);
        plan.health_checks[0].params.role = role;
        assert!(called_unhealthy(&plan, right).is_empty());
        spread(&called_unhealthy(&plan, wrong), 0.0, 5.0);
    }
}
