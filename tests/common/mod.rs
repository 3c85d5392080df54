//! Plans built by hand, for tests that need no file.

#![allow(dead_code)]

use regionsim::model::client::{ArrivalParams, ClientParams};
use regionsim::model::fact::{Claim, Fact, Observer};
use regionsim::model::id::NodeId;
use regionsim::model::replica::{ModeParams, StoreParams};
use regionsim::model::route::RoutingParams;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Bandwidth, Name, Node, OneOrMore, Problems, Share};
use regionsim::sim::{SimTime, Span};
use regionsim::world::fault::partition::Direction;
use regionsim::world::fault::{FaultCommon, FaultParams, InFlight};
use regionsim::world::fault::{
    bursty_loss, crash, errors, link, lossy_node, partition, pause, slow_disk, slow_node,
};
use regionsim::world::plan::{
    ClientPlan, ElectorsPlan, FaultPlan, PairPlan, Plan, RegionPlan, RoutingPlan, Spot, StorePlan,
    WanPlan,
};
use regionsim::world::{Finish, Limits, Stage};

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
        node: None,
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
            coordinators: Vec::new(),
            routing: Some(0),
            electors: ElectorsPlan::default(),
            token_storage: None,
            fence_devices: Vec::new(),
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

/// A fault by hand: when it begins, how long it lasts (nothing: for good), and what it is.
pub fn fault(name: &str, at: Span, lasts: Option<Span>, params: FaultParams) -> FaultPlan {
    let common = FaultCommon {
        name: Some(Name::of(name)),
        at: Some(DistSpec::Constant(at)),
        duration: lasts.map(DistSpec::Constant),
        ..FaultCommon::default()
    };
    FaultPlan { name: name.into(), common, params }
}

/// Cuts one region off from another.
pub fn cut(isolate: &str, from: &str, direction: Direction, in_flight: InFlight) -> FaultParams {
    FaultParams::Partition(partition::Params {
        isolate: aim(&[isolate]),
        from: aim(&[from]),
        direction,
        in_flight,
    })
}

/// Targets by name.
pub fn aim(targets: &[&str]) -> OneOrMore<Name> {
    OneOrMore(targets.iter().map(|target| Name::of(target)).collect())
}

/// Kills a process, a node or a whole region.
pub fn crash(target: &str, process: crash::Process) -> FaultParams {
    let disk = crash::Disk::Kept;
    FaultParams::Crash(crash::Params { target: aim(&[target]), process, disk })
}

/// Freezes the database of a node.
pub fn pause(target: &str) -> FaultParams {
    let process = crash::Process::Database;
    FaultParams::Pause(pause::Params { target: aim(&[target]), process })
}

/// Slows a pair of regions, or makes it lossy.
pub fn link(between: &[&str], delay: Span, loss: f64, down: bool) -> FaultParams {
    FaultParams::Link(link::Params {
        between: between.iter().map(|name| Name::of(name)).collect(),
        delay: DistSpec::Constant(delay),
        loss: Share(loss),
        down,
        ..link::Params::default()
    })
}

/// Narrows a pair of regions.
pub fn narrow(a: &str, b: &str, bandwidth: u64) -> FaultParams {
    FaultParams::Link(link::Params {
        between: vec![Name::of(a), Name::of(b)],
        bandwidth: Some(Bandwidth(bandwidth)),
        ..link::Params::default()
    })
}

/// Loses packets between two regions in bursts.
pub fn bursty(a: &str, b: &str, p: f64, r: f64) -> FaultParams {
    FaultParams::BurstyLoss(bursty_loss::Params {
        between: vec![Name::of(a), Name::of(b)],
        p: Share(p),
        r: Share(r),
        ..bursty_loss::Params::default()
    })
}

/// Slows a disk.
pub fn slow_disk(target: &str, factor: f64, delay: DistSpec) -> FaultParams {
    FaultParams::SlowDisk(slow_disk::Params { target: aim(&[target]), factor, delay })
}

/// Slows a node's wire.
pub fn slow_node(target: &str, delay: Span, direction: Direction) -> FaultParams {
    let delay = DistSpec::Constant(delay);
    FaultParams::SlowNode(slow_node::Params { target: aim(&[target]), delay, direction })
}

/// Makes a node's wire lossy.
pub fn lossy_node(target: &str, loss: f64) -> FaultParams {
    let (loss, direction) = (Share(loss), Direction::Both);
    FaultParams::LossyNode(lossy_node::Params { target: aim(&[target]), loss, direction })
}

/// Makes a database fail requests.
pub fn errors(target: &str, share: f64, of: errors::Of) -> FaultParams {
    FaultParams::Errors(errors::Params { target: aim(&[target]), share: Share(share), of })
}

/// Runs a plan and keeps all it says.
pub fn play(plan: &Plan, seed: u64) -> (Stage, Tape, Finish) {
    let stage = Stage::new(plan).expect("a valid plan");
    let mut tape = Tape::default();
    let finish = stage.run(seed, 0, &mut tape, &Limits::default());
    assert!(!finish.halted);
    (stage, tape, finish)
}

/// `async`, `sync`.
pub fn plain(word: &str) -> ModeParams {
    mode(vec![("mode", Node::text(word))])
}
