//! Clients pinned to open connections, and load balancers that drain them, in the whole world.
//! Times and shares computed by hand.

mod common;

use common::{Tape, crash, fault, plain, plan, play};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::{NodeId, OpId};
use regionsim::model::route::{DnsParams, ProxyParams, ViaParams};
use regionsim::sim::param::Share;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::crash::Process;
use regionsim::world::plan::Plan;
use std::collections::BTreeMap;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

/// A store in `a` and `b`, behind a load balancer that checks every second and believes the first
/// check that fails; its clients, in `a`, write 2,000 a second and ask once. A quarter of them are
/// pinned, to connections that live for so long in silence.
fn pools(patience: u64, drain: Option<u64>) -> Plan {
    let mut plan = plan(2, Span::from_millis(60), 2, plain("async"), 2_000.0);
    plan.clients.truncate(1);
    let client = &mut plan.clients[0].params;
    client.deadline = secs(1);
    client.retry.attempts = 1;
    client.retry.attempt_timeout = secs(1);
    let routing = &mut plan.routings[0];
    routing.params.pinned = Share(0.25);
    routing.params.pinned_timeout = secs(patience);
    routing.params.via = ViaParams::Proxy(ProxyParams {
        inter: secs(1),
        timeout: Some(Span::from_millis(500)),
        fall: 1,
        rise: 1,
        drain: drain.map(secs),
        ..ProxyParams::default()
    });
    routing.name_servers.clear();
    plan
}

/// Every operation that began in an interval (in seconds): how it ended, and by whom.
fn between(tape: &Tape, from: f64, to: f64) -> Vec<(Outcome, Option<NodeId>)> {
    let mut began: BTreeMap<OpId, f64> = BTreeMap::new();
    let mut ended = Vec::new();
    for (now, fact) in &tape.facts {
        match fact {
            Fact::Invoked { op, .. } => {
                began.insert(*op, now.since(SimTime::ZERO).as_secs_f64());
            }
            Fact::Concluded { op, outcome, by } if (from..to).contains(&began[op]) => {
                ended.push((*outcome, *by));
            }
            _ => {}
        }
    }
    ended
}

/// The share that ended so.
fn share(tape: &Tape, from: f64, to: f64, how: (Outcome, Option<NodeId>)) -> f64 {
    let all = between(tape, from, to);
    all.iter().filter(|ended| **ended == how).count() as f64 / all.len() as f64
}

/// Four standard errors of a share of that many, and the groups that asked for nothing in time.
fn close(share: f64, expected: f64, count: f64) -> bool {
    let scatter = expected * (1.0 - expected);
    (share - expected).abs() < 4.0 * (scatter / count).sqrt() + 1e-3
}

const SILENCE: (Outcome, Option<NodeId>) = (Outcome::Unknown, None);
/// The standby says that it is no primary: nobody made it one.
const STANDBY: (Outcome, Option<NodeId>) = (Outcome::Fail, Some(B));

/// A host falls silent for good at 20 s. The load balancer sends everybody else to the standby
/// within 1.5 s. The pinned quarter goes on into the silence: what was last heard of the host, at
/// most a second before its death, is 20 s ago between 39 s and 40 s, and is noticed within a
/// second.
#[test]
fn pinned_clients_of_a_silent_host_are_out_until_their_connections_give_up() {
    let mut plan = pools(20, None);
    plan.faults.push(fault("f", secs(20), None, crash("orders@a", Process::Host)));
    let (_, tape, _) = play(&plan, 1);
    assert!(share(&tape, 0.0, 19.9, (Outcome::Ok, Some(A))) == 1.0);
    let during = share(&tape, 22.0, 39.0, SILENCE);
    assert!(close(during, 0.25, 17.0 * 2_000.0), "{during}");
    assert!(close(share(&tape, 22.0, 39.0, STANDBY), 0.75, 17.0 * 2_000.0));
    assert!(share(&tape, 41.0, 60.0, STANDBY) == 1.0);
}

/// A process is killed and its host says so: connections break at once, and the pinned ask again
/// as everybody does: of a thousand groups, 500 a second, so that all have in 15 s. After the database is back, those who found the standby meanwhile stay
/// there, because those connections live; the others return.
#[test]
fn a_kill_breaks_connections_at_once_and_new_ones_stay_where_they_are() {
    let mut plan = pools(20, None);
    plan.faults.push(fault("f", secs(20), Some(secs(10)), crash("orders@a", Process::Database)));
    let (_, tape, _) = play(&plan, 1);
    assert!(share(&tape, 21.5, 30.0, STANDBY) == 1.0);
    // It restarts for 5 s, and a check finds it within one more.
    let after = share(&tape, 37.0, 60.0, STANDBY);
    assert!(close(after, 0.25, 23.0 * 2_000.0), "{after}");
    assert!(close(share(&tape, 37.0, 60.0, (Outcome::Ok, Some(A))), 0.75, 23.0 * 2_000.0));
}

/// A host is silent for 10 s and comes back. Whoever is pinned to it finds out with the next thing
/// said on the connection, which the new life of the host knows nothing of: nobody stays pinned to
/// a connection that is none. Its database recovers for 5 s, and all are back.
#[test]
fn a_host_that_comes_back_resets_connections_of_its_former_life() {
    let mut plan = pools(900, None);
    plan.faults.push(fault("f", secs(20), Some(secs(10)), crash("orders@a", Process::Host)));
    let (_, tape, _) = play(&plan, 1);
    let during = share(&tape, 22.0, 28.9, SILENCE);
    assert!(close(during, 0.25, 6.9 * 2_000.0), "{during}");
    let moved = |(_, fact): &&(SimTime, Fact)| matches!(fact, Fact::Routed { resolver, node: B, .. } if *resolver != 0);
    let first = tape.facts.iter().find(moved).map(|(at, _)| at.since(SimTime::ZERO).as_secs_f64());
    // The sender tries again after twice as long each time, so that it may take as long again.
    assert!(first.is_some_and(|at| (30.0..45.0).contains(&at)), "{first:?}");
}

/// The first database on the list is back at 35 s, and clients return to it within a second. A
/// load balancer that drains cuts the connections to the other one 10 s later: the pinned are back
/// too.
#[test]
fn a_drain_ends_connections_to_where_nobody_is_sent_any_more() {
    let mut plan = pools(900, Some(10));
    plan.faults.push(fault("f", secs(20), Some(secs(10)), crash("orders@a", Process::Database)));
    let (_, tape, _) = play(&plan, 1);
    let during = share(&tape, 36.5, 45.0, STANDBY);
    assert!(close(during, 0.25, 8.5 * 2_000.0), "{during}");
    assert!(share(&tape, 46.5, 60.0, (Outcome::Ok, Some(A))) == 1.0);
}

/// Who is pinned cares for no TTL: while its connections live, nobody looks anything up.
#[test]
fn pinned_clients_look_nothing_up_while_their_connections_live() {
    let mut plan = pools(900, None);
    let dns = DnsParams { ttl: secs(1), resolvers: 10, ..DnsParams::default() };
    plan.routings[0].params.via = ViaParams::Dns(dns);
    plan.routings[0].params.pinned = Share(1.0);
    // No name server answers anybody.
    let (_, tape, _) = play(&plan, 1);
    assert!(share(&tape, 0.0, 60.0, (Outcome::Ok, Some(A))) == 1.0);
    plan.routings[0].params.pinned = Share(0.0);
    let (_, tape, _) = play(&plan, 1);
    assert!(share(&tape, 2.0, 60.0, SILENCE) == 1.0);
}
