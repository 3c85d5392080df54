//! Who is who in a run: the names and places that facts refer to by number.

use crate::model::id::{FaultId, GroupId, NodeId, RegionId, SiteId};
use crate::model::keyed::Ring;
use crate::sim::time::{SimTime, Span};
use std::sync::Arc;

/// Who is who. Indexed by the ids of [`crate::model::id`].
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Region names.
    pub regions: Vec<String>,
    /// Sites, each a zone of a region.
    pub sites: Vec<SiteEntry>,
    /// Nodes.
    pub nodes: Vec<NodeEntry>,
    /// Processes; client populations are among them.
    pub processes: Vec<ProcessEntry>,
    /// Replication groups.
    pub groups: Vec<GroupEntry>,
    /// Client populations.
    pub clients: Vec<ClientEntry>,
    /// Faults.
    pub faults: Vec<FaultEntry>,
    /// End of warm-up; facts before it are left out of the measures of service.
    pub warmup: SimTime,
    /// End of the storm; settling begins.
    pub horizon: SimTime,
    /// End of the run.
    pub end: SimTime,
    /// The objective RTO, if the scenario states one.
    pub rto_objective: Option<Span>,
    /// The share of operations that should end well, if the scenario states one.
    pub availability_slo: Option<f64>,
}

/// A zone of a region.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// `us-east`, or `us-east/a`.
    pub name: String,
    /// Its region.
    pub region: RegionId,
}

/// A host.
#[derive(Clone, Debug)]
pub struct NodeEntry {
    /// `db-us-east`.
    pub name: String,
    /// Where it stands.
    pub site: SiteId,
}

/// A process or client population.
#[derive(Clone, Debug)]
pub struct ProcessEntry {
    /// `database`, `agent`, `checker`, …
    pub role: &'static str,
    /// Its node; client populations have one of their own, which no fault can touch.
    pub node: NodeId,
}

/// A replication group.
#[derive(Clone, Debug)]
pub struct GroupEntry {
    /// The store's name, or the coordination service's.
    pub name: String,
    /// A store that clients use, as against a coordination service.
    pub is_store: bool,
    /// Its members; of a store with one writer, the first is primary at the start.
    pub members: Vec<NodeId>,
    /// True when a history counts as far as it is in memory (the store has no disk).
    pub in_memory: bool,
    /// How many other members must confirm a write before it is answered, as configured.
    pub acks: u16,
    /// True when its members elect who leads.
    pub elects: bool,
    /// Which members hold a key, for a store that keeps versions per key and has no history.
    pub ring: Option<Arc<Ring>>,
    /// True when a member that runs may cut off what its disk has had for long (a promotion that
    /// discards what is not applied).
    pub cuts_disks: bool,
}

/// A client population.
#[derive(Clone, Debug)]
pub struct ClientEntry {
    /// Its name.
    pub name: String,
    /// Where its users live.
    pub region: RegionId,
    /// Their network's site.
    pub site: SiteId,
    /// The store they use.
    pub group: GroupId,
}

/// A fault.
#[derive(Clone, Debug)]
pub struct FaultEntry {
    /// Its name.
    pub name: String,
    /// `partition`, `crash`, …
    pub kind: &'static str,
    /// True when it never clears.
    pub permanent: bool,
}

impl FaultEntry {
    /// The fault of that name.
    pub fn find(faults: &[FaultEntry], name: &str) -> Option<FaultId> {
        faults.iter().position(|fault| fault.name == name).map(FaultId::of)
    }
}
