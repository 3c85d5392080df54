//! The plan of a run: plain validated values. The world does not know where they came from;
//! tests build plans by hand.
//!
//! Parameters keep the names that the user wrote; beside them stand the ids they resolve to.

use crate::model::client::ClientParams;
use crate::model::control::{FailoverParams, LeaseParams};
use crate::model::detect::HealthCheckParams;
use crate::model::id::RegionId;
use crate::model::keyed::Ring;
use crate::model::replica::{ModeParams, StoreParams};
use crate::model::route::RoutingParams;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Bandwidth, Bytes, Share};
use crate::sim::time::Span;
use crate::world::fault::{FaultCommon, FaultParams};
use crate::world::operator::{ActionParams, OperatorCommon};

/// The most of each thing that a plan may have. Larger files are refused with these names.
pub mod limit {
    /// Regions.
    pub const REGIONS: usize = 256;
    /// Zones of one region.
    pub const ZONES: usize = 16;
    /// Nodes of all kinds, client populations included.
    pub const NODES: usize = 4_000;
    /// Stores.
    pub const STORES: usize = 256;
    /// Client populations.
    pub const CLIENTS: usize = 1_024;
    /// Faults.
    pub const FAULTS: usize = 10_000;
    /// Operations a second of all populations together.
    pub const OPS_PER_SECOND: f64 = 10_000_000.0;
    /// Operations of one trial.
    pub const OPS_PER_TRIAL: f64 = 1e10;
    /// Keys of one population.
    pub const KEYS: u32 = 10_000_000;
    /// Resolvers of one population.
    pub const RESOLVERS: u32 = 100_000;
}

/// A place where something stands: a zone of a region. Indexes into [`Plan::regions`] and its
/// zones; a region without zones has one, numbered 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Spot {
    /// Index of the region.
    pub region: usize,
    /// Index of the zone in it.
    pub zone: usize,
}

/// Everything a run needs to know, but for the seed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Until when measures of service leave out what happens.
    pub warmup: Span,
    /// The end of the storm, from the start of the run.
    pub horizon: Span,
    /// How long it is quiet after that.
    pub settle: Span,
    /// The objective RTO, where one is stated: it decides what a missed failover is.
    pub rto_objective: Option<Span>,
    /// The share of operations that should end well, where it is stated: what may fail is the
    /// error budget.
    pub availability_slo: Option<f64>,
    /// Regions and their zones.
    pub regions: Vec<RegionPlan>,
    /// The wires.
    pub wan: WanPlan,
    /// Stores.
    pub stores: Vec<StorePlan>,
    /// Leases.
    pub leases: Vec<LeasePlan>,
    /// Health checks.
    pub health_checks: Vec<HealthCheckPlan>,
    /// Failovers.
    pub failovers: Vec<FailoverPlan>,
    /// Routings.
    pub routings: Vec<RoutingPlan>,
    /// Client populations.
    pub clients: Vec<ClientPlan>,
    /// Faults, in the order of the file.
    pub faults: Vec<FaultPlan>,
    /// What operators do, in the order of the file.
    pub operators: Vec<OperatorPlan>,
    /// The clocks of all nodes at the start: how far each may be off, in parts per million.
    pub clock_drift_ppm: f64,
}

impl Plan {
    /// `region`, or `region/zone` where the region has zones.
    pub fn spot_name(&self, spot: Spot) -> String {
        self.regions[spot.region].spot_name(spot.zone)
    }

    /// Every node by the name that faults use, and where it stands: replicas `store@place`,
    /// voters `lease@place`, checkers `health_check@place`, controllers `failover@place`, name
    /// servers `routing@place`, token storage `storage:store@place`, fence devices
    /// `fence:store@place`, coordinators without data `coordinator:store@place`, and last the
    /// client populations `clients:name`, which live outside the regions and which no fault can
    /// touch.
    pub fn node_names(&self) -> Vec<(String, Spot)> {
        let mut nodes: Vec<(String, Spot)> = Vec::new();
        let mut add = |name: &str, spots: &[Spot]| {
            nodes.extend(spots.iter().map(|s| (format!("{name}@{}", self.spot_name(*s)), *s)));
        };
        self.stores.iter().for_each(|store| add(&store.name, &store.replicas));
        self.leases.iter().for_each(|lease| add(&lease.name, &lease.voters));
        self.health_checks.iter().for_each(|check| add(&check.name, &check.checkers));
        self.failovers.iter().for_each(|failover| add(&failover.name, &failover.controllers));
        self.routings.iter().for_each(|routing| add(&routing.name, &routing.name_servers));
        for store in &self.stores {
            add(&format!("storage:{}", store.name), store.token_storage.as_slice());
            add(&format!("fence:{}", store.name), &store.fence_devices);
            add(&format!("coordinator:{}", store.name), &store.coordinators);
        }
        nodes.extend(self.clients.iter().map(|c| (format!("clients:{}", c.name), c.spot)));
        nodes
    }
}

/// A region.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RegionPlan {
    /// Its name.
    pub name: String,
    /// Its zones' names; none means one zone without a name.
    pub zones: Vec<String>,
}

impl RegionPlan {
    /// The name of the region, or of one of its zones where it has any: `region/zone`.
    pub fn spot_name(&self, zone: usize) -> String {
        match self.zones.get(zone) {
            Some(zone) => format!("{}/{zone}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The wires between regions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WanPlan {
    /// Per directed pair of regions, row-major, the diagonal included (between zones of one
    /// region).
    pub pairs: Vec<PairPlan>,
    /// Within one zone.
    pub within_zone: PairPlan,
    /// Physical links, where these are given instead of pairs; then `pairs` holds only the
    /// diagonal.
    pub physical: Option<PhysicalPlan>,
    /// How streams behave.
    pub transport: crate::net::TransportSpec,
}

/// One directed pair.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PairPlan {
    /// Base delay, one way: half of the round-trip time.
    pub delay: Span,
    /// Added to each packet, one way.
    pub jitter: DistSpec,
    /// Loss of each packet.
    pub loss: Share,
    /// Bandwidth; without one, packets never queue.
    pub bandwidth: Option<Bandwidth>,
    /// How much may wait for the wire before packets are dropped at the tail.
    pub queue: Bytes,
}

/// Physical links with routing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PhysicalPlan {
    /// The links.
    pub links: Vec<LinkPlan>,
    /// How long routing takes to notice a dead or healed link.
    pub convergence: Span,
}

/// One physical link, both directions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LinkPlan {
    /// Its name.
    pub name: String,
    /// Index of the region at one end.
    pub a: usize,
    /// Index of the region at the other.
    pub b: usize,
    /// Either direction.
    pub wire: PairPlan,
}

/// A store.
#[derive(Clone, PartialEq, Debug)]
pub struct StorePlan {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: StoreParams,
    /// Where its replicas stand; of a store with a primary, the first is that.
    pub replicas: Vec<Spot>,
    /// Where coordinators stand that hold none of its data.
    pub coordinators: Vec<Spot>,
    /// Index of its lease.
    pub lease: Option<usize>,
    /// Index of its health check.
    pub health_check: Option<usize>,
    /// Index of its failover.
    pub failover: Option<usize>,
    /// Index of its routing; nothing where clients ask the nearest replica.
    pub routing: Option<usize>,
    /// Who may what among replicas that elect their leader.
    pub electors: ElectorsPlan,
    /// Where its fencing tokens are checked, when that is a storage service in a region and not
    /// the standbys.
    pub token_storage: Option<Spot>,
    /// Where the device stands that switches off each replica's host; none without STONITH.
    pub fence_devices: Vec<Spot>,
}

impl StorePlan {
    /// Which of its replicas hold a key; nothing for a store that keeps a log.
    pub fn ring(&self) -> Option<Ring> {
        let regions: Vec<RegionId> =
            self.replicas.iter().map(|spot| RegionId::of(spot.region)).collect();
        match &self.params.replication {
            ModeParams::Quorum(params) => Some(Ring::new(&regions, params.n)),
            _ => None,
        }
    }
}

/// Who may what among replicas that elect their leader; indexes of the store's replicas.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ElectorsPlan {
    /// Who leads at the start.
    pub initial_leader: Option<usize>,
    /// Who has no vote.
    pub non_voting: Vec<usize>,
    /// Who votes and never leads.
    pub witnesses: Vec<usize>,
    /// Who should lead, best first.
    pub preferred: Vec<usize>,
}

/// A lease and its coordination service.
#[derive(Clone, PartialEq, Debug)]
pub struct LeasePlan {
    /// Its name; `lease` for the unnamed one.
    pub name: String,
    /// Its parameters.
    pub params: LeaseParams,
    /// Where the voters stand.
    pub voters: Vec<Spot>,
    /// Index of the voter that leads at the start.
    pub initial_leader: Option<usize>,
}

/// A health check.
#[derive(Clone, PartialEq, Debug)]
pub struct HealthCheckPlan {
    /// Its name; `health_check` for the unnamed one.
    pub name: String,
    /// Its parameters.
    pub params: HealthCheckParams,
    /// Where the checkers stand.
    pub checkers: Vec<Spot>,
    /// How many must say unhealthy.
    pub unhealthy_quorum: u32,
}

/// A failover.
#[derive(Clone, PartialEq, Debug)]
pub struct FailoverPlan {
    /// Its name; `failover` for the unnamed one.
    pub name: String,
    /// Its parameters.
    pub params: FailoverParams,
    /// Where controllers stand: one, or the members of a council; nowhere when agents race.
    pub controllers: Vec<Spot>,
}

/// A routing.
#[derive(Clone, PartialEq, Debug)]
pub struct RoutingPlan {
    /// Its name; `routing` for the unnamed one.
    pub name: String,
    /// Its parameters.
    pub params: RoutingParams,
    /// Where the authoritative name servers stand (for DNS).
    pub name_servers: Vec<Spot>,
}

/// A client population.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientPlan {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: ClientParams,
    /// Where its network stands.
    pub spot: Spot,
    /// Index of its store.
    pub store: usize,
    /// Index of the replica that it asks without any routing, where it asks one.
    pub node: Option<usize>,
}

/// A fault.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultPlan {
    /// Its name, unique in the plan.
    pub name: String,
    /// When, and for how long.
    pub common: FaultCommon,
    /// What.
    pub params: FaultParams,
}

/// What an operator does.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorPlan {
    /// Its name; also of its dice.
    pub name: String,
    /// When.
    pub common: OperatorCommon,
    /// What.
    pub params: ActionParams,
    /// Index of the store.
    pub store: usize,
    /// The replica that the action names.
    pub who: Option<usize>,
}
