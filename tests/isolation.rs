//! What is idle changes nothing for anybody else; and the workload is the same whatever the
//! store does about it.

mod common;

use common::{Tape, crash, cut, fault, plain, plan, play};
use regionsim::model::fact::Fact;
use regionsim::model::id::{NodeId, OpId};
use regionsim::model::roster::Roster;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::InFlight;
use regionsim::world::fault::crash::Process;
use regionsim::world::fault::partition::Direction;
use regionsim::world::plan::{PairPlan, Plan, RegionPlan, Spot};

/// A busy day: jitter, a crash, a partition.
fn busy(word: &str) -> Plan {
    let mut plan = plan(2, Span::from_millis(60), 2, plain(word), 20.0);
    for pair in &mut plan.wan.pairs {
        pair.jitter = DistSpec::Constant(Span::from_micros(7));
    }
    plan.faults.push(fault(
        "one",
        Span::from_secs(8),
        Some(Span::from_secs(4)),
        crash("orders@a", Process::Database),
    ));
    let kind = cut("a", "b", Direction::Both, InFlight::Lost);
    plan.faults.push(fault("two", Span::from_secs(20), Some(Span::from_secs(9)), kind));
    plan
}

/// A fact with names instead of numbers; nothing for facts about the idle.
fn named(fact: &Fact, who: &Roster) -> Option<String> {
    let node = |id: NodeId| who.nodes[id.index()].name.as_str();
    let client = |op: OpId| format!("{}#{}", who.clients[op.client().index()].name, op.seq());
    let place = |at: regionsim::model::id::Position| {
        if at.index.0 == 0 {
            return "nothing".to_string();
        }
        format!("{}/{}:{}", node(at.segment.node()), at.segment.term().0, at.index.0)
    };
    let said = match *fact {
        Fact::Invoked { op, kind, key, .. } => format!("{} begins {kind:?} {key}", client(op)),
        Fact::Concluded { op, outcome, by } => {
            format!("{} ends {outcome:?} by {:?}", client(op), by.map(node))
        }
        Fact::Answered { node: n, op, outcome, at, .. } => {
            format!("{} answers {} {outcome:?} {}", node(n), client(op), place(at))
        }
        Fact::Appended { node: n, op, at, .. } => {
            format!("{} appends {} {}", node(n), client(op), place(at))
        }
        Fact::Began { node: n, from, .. } => format!("{} begins on {}", node(n), place(from)),
        Fact::Held { node: n, upto, .. } => format!("{} holds {}", node(n), place(upto)),
        Fact::Durable { node: n, upto, .. } => format!("{} has {}", node(n), place(upto)),
        Fact::Truncated { node: n, to, .. } => format!("{} cuts to {}", node(n), place(to)),
        Fact::Admits { node: n, yes, .. } => format!("{} admits {yes}", node(n)),
        Fact::Rule { node: n, acks, .. } => format!("{} asks for {acks}", node(n)),
        Fact::Routed { client, node: n, resolver, .. } => {
            format!("{}/{resolver} goes to {}", who.clients[client.index()].name, node(n))
        }
        Fact::Down { node: n, paused, .. } => format!("{} down {paused}", node(n)),
        Fact::Up { node: n, .. } => format!("{} up", node(n)),
        Fact::Link { from, to, up } => {
            let site = |id: regionsim::model::id::SiteId| who.sites[id.index()].name.as_str();
            format!("{} to {} {up}", site(from), site(to))
        }
        Fact::Onset { fault } => format!("{} begins", who.faults[fault.index()].name),
        Fact::Cleared { fault } => format!("{} ends", who.faults[fault.index()].name),
        Fact::Hit { fault, node: n } => {
            format!("{} hits {}", who.faults[fault.index()].name, node(n))
        }
        Fact::Authorised { holder, .. } => format!("{} authorised", node(holder)),
        Fact::Ordered { .. } => "ordered".to_string(),
        Fact::Withdrawn { holder, .. } => format!("{} withdrawn", node(holder)),
        Fact::Installed { node: n, key, version, .. } => {
            format!("{} takes into {key} {}", node(n), client(version.op))
        }
        Fact::Reverted { node: n, key, version, .. } => {
            format!("{} has of {key} {}", node(n), client(version.op))
        }
        Fact::Returned { node: n, op, version, .. } => {
            format!("{} reads for {} {}", node(n), client(op), client(version.op))
        }
        Fact::Session { op, user } => format!("{} is {user}'s", client(op)),
        Fact::Ails { node: n, yes } => format!("{} ails {yes}", node(n)),
        Fact::Wiped { node: n, .. } => format!("{} wiped", node(n)),
        Fact::Settling => "settling".to_string(),
    };
    (!said.contains("idle")).then_some(said)
}

fn told(plan: &Plan) -> Vec<(SimTime, String)> {
    let (stage, tape, _) = play(plan, 11);
    let facts = tape.facts.iter();
    facts.filter_map(|(at, fact)| Some((*at, named(fact, stage.roster())?))).collect()
}

fn same(plan: &Plan, other: &Plan) {
    let (one, two) = (told(plan), told(other));
    for (a, b) in one.iter().zip(&two) {
        assert_eq!(a, b, "the first fact that differs");
    }
    assert_eq!(one.len(), two.len());
}

#[test]
fn an_idle_region_changes_nothing() {
    let mut wider = busy("async");
    let pair = |ms| PairPlan { delay: Span::from_millis(ms), ..PairPlan::default() };
    let old = wider.wan.pairs.clone();
    // The new region comes first, so that every number moves.
    wider.regions.insert(0, RegionPlan { name: "idle".into(), zones: Vec::new() });
    wider.wan.pairs = (0..9)
        .map(|i| match (i / 3, i % 3) {
            (0, _) | (_, 0) => pair(17),
            (a, b) => old[(a - 1) * 2 + (b - 1)].clone(),
        })
        .collect();
    let spots = wider.stores.iter_mut().flat_map(|store| &mut store.replicas);
    let spots = spots.chain(wider.routings.iter_mut().flat_map(|r| &mut r.name_servers));
    let spots = spots.chain(wider.clients.iter_mut().map(|client| &mut client.spot));
    for spot in spots {
        spot.region += 1;
    }
    same(&busy("async"), &wider);
}

#[test]
fn an_idle_store_and_an_idle_node_change_nothing() {
    let mut wider = busy("sync");
    let mut idle = wider.stores[0].clone();
    idle.name = "idle".into();
    wider.stores.insert(0, idle);
    for client in &mut wider.clients {
        client.store = 1;
    }
    let mut routing = wider.routings[0].clone();
    routing.name = "idle".into();
    routing.name_servers = vec![Spot { region: 1, zone: 0 }];
    wider.routings.push(routing);
    wider.stores[0].routing = Some(1);
    same(&busy("sync"), &wider);
}

#[test]
fn a_population_that_never_asks_changes_nothing() {
    let mut wider = busy("async");
    let mut idle = wider.clients[0].clone();
    idle.name = "idle".into();
    idle.params.writes.as_mut().unwrap().per_second = 1e-9;
    wider.clients.insert(0, idle);
    same(&busy("async"), &wider);
}

/// When what is asked for.
fn arrivals(tape: &Tape) -> Vec<(SimTime, Fact)> {
    let invoked = tape.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Invoked { .. }));
    invoked.copied().collect()
}

#[test]
fn the_workload_is_the_same_whatever_the_store_does() {
    let mut calm = busy("async");
    calm.faults.clear();
    let expected = arrivals(&play(&calm, 11).1);
    assert!(expected.len() > 2_000);
    for plan in [busy("async"), busy("sync")] {
        assert_eq!(arrivals(&play(&plan, 11).1), expected);
    }
    let mut alone = calm.clone();
    alone.stores[0].replicas.truncate(1);
    assert_eq!(arrivals(&play(&alone, 11).1), expected);
}
