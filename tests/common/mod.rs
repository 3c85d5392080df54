//! Plans built by hand, for tests that need no file.

use regionsim::model::client::{ArrivalParams, ClientParams};
use regionsim::model::fact::{Claim, Fact, Observer};
use regionsim::model::id::NodeId;
use regionsim::model::replica::{ModeParams, StoreParams};
use regionsim::model::route::RoutingParams;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Node, Problems};
use regionsim::sim::{SimTime, Span};
use regionsim::world::plan::{
    ClientPlan, PairPlan, Plan, RegionPlan, RoutingPlan, Spot, StorePlan, WanPlan,
};

/// Collects everything a run says.
#[derive(Default)]
pub struct Tape {
    /// Facts.
    pub facts: Vec<(SimTime, Fact)>,
    /// Claims.
    pub claims: Vec<(SimTime, NodeId, Claim)>,
}

impl Observer for Tape {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.facts.push((at, *fact));
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.claims.push((at, by, *claim));
    }
}

/// Reads a mode's table.
pub fn mode(entries: Vec<(&str, Node)>) -> ModeParams {
    let mut problems = Problems::default();
    let node = Node::table(entries);
    let mode = <ModeParams as regionsim::sim::param::Param>::read(&node, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    mode.expect("no problem")
}

/// Regions `a`, `b`, … a given round trip apart; a store over the first `replicas` of them, with
/// one population of writers in each region.
pub fn plan(regions: usize, rtt: Span, replicas: usize, mode: ModeParams, rate: f64) -> Plan {
    let names = ["a", "b", "c", "d", "e"];
    let pair = |delay| PairPlan { delay, ..PairPlan::default() };
    let pairs = (0..regions * regions).map(|i| {
        if i / regions == i % regions { pair(Span::from_micros(400)) } else { pair(rtt.div(2)) }
    });
    let spot = |region| Spot { region, zone: 0 };
    let clients = (0..regions).map(|region| ClientPlan {
        name: format!("users-{}", names[region]),
        params: ClientParams {
            writes: Some(ArrivalParams { per_second: rate, ..ArrivalParams::default() }),
            ..ClientParams::default()
        },
        spot: spot(region),
        store: 0,
    });
    Plan {
        name: "by-hand".into(),
        horizon: Span::from_secs(60),
        settle: Span::from_secs(20),
        regions: names[..regions]
            .iter()
            .map(|name| RegionPlan { name: (*name).into(), zones: Vec::new() })
            .collect(),
        wan: WanPlan {
            pairs: pairs.collect(),
            within_zone: pair(Span::from_micros(100)),
            ..WanPlan::default()
        },
        stores: vec![StorePlan {
            name: "orders".into(),
            params: StoreParams {
                replication: mode,
                fsync: DistSpec::Constant(Span::from_millis(1)),
                ..StoreParams::default()
            },
            replicas: (0..replicas).map(spot).collect(),
            lease: None,
            health_check: None,
            failover: None,
            routing: 0,
            token_storage: None,
        }],
        routings: vec![RoutingPlan {
            name: "routing".into(),
            params: RoutingParams::default(),
            name_servers: (0..regions).map(spot).collect(),
        }],
        clients: clients.collect(),
        ..Plan::default()
    }
}
