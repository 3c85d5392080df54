//! What runs, what is reachable, which faults act: the environment as facts tell it.

use crate::measure::loss::Hits;
use crate::model::id::{FaultId, NodeId, ProcessId, SiteId};
use crate::model::roster::Roster;
use crate::sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// The environment.
pub struct Health {
    node_sites: Vec<SiteId>,
    /// Per process: whether it is the one that makes its node a replica.
    counts: Vec<bool>,
    permanent: Vec<bool>,
    down: BTreeMap<NodeId, BTreeSet<ProcessId>>,
    ailing: BTreeSet<NodeId>,
    cut: BTreeSet<(SiteId, SiteId)>,
    active: BTreeSet<FaultId>,
    hit_by: BTreeMap<NodeId, BTreeSet<FaultId>>,
    /// When faults hit each node.
    pub hits: Hits,
}

impl Health {
    /// All is well.
    pub fn new(roster: &Roster) -> Health {
        let has_database: BTreeSet<NodeId> =
            roster.processes.iter().filter(|p| p.role == "database").map(|p| p.node).collect();
        let counts = roster.processes.iter();
        let counts = counts.map(|p| p.role == "database" || !has_database.contains(&p.node));
        Health {
            node_sites: roster.nodes.iter().map(|node| node.site).collect(),
            counts: counts.collect(),
            permanent: roster.faults.iter().map(|fault| fault.permanent).collect(),
            down: BTreeMap::new(),
            ailing: BTreeSet::new(),
            cut: BTreeSet::new(),
            active: BTreeSet::new(),
            hit_by: BTreeMap::new(),
            hits: Hits::new(),
        }
    }

    /// A process stopped or runs again. Tells whether the node's replica may have changed.
    pub fn process(&mut self, node: NodeId, process: ProcessId, up: bool) -> bool {
        if !self.counts.get(process.index()).copied().unwrap_or(true) {
            return false;
        }
        let down = self.down.entry(node).or_default();
        if up { down.remove(&process) } else { down.insert(process) }
    }

    /// True while the replica on a node runs: its database, or where it has none, everything.
    pub fn runs(&self, node: NodeId) -> bool {
        self.down.get(&node).is_none_or(BTreeSet::is_empty)
    }

    /// A gray failure began to act on a node, or none does any longer.
    pub fn ails(&mut self, node: NodeId, yes: bool) {
        if yes {
            self.ailing.insert(node);
        } else {
            self.ailing.remove(&node);
        }
    }

    /// True while the replica on a node runs, and no gray failure acts on it.
    pub fn is_well(&self, node: NodeId) -> bool {
        self.runs(node) && !self.ailing.contains(&node)
    }

    /// A directed pair of sites was cut or restored.
    pub fn link(&mut self, from: SiteId, to: SiteId, up: bool) {
        if up {
            self.cut.remove(&(from, to));
        } else {
            self.cut.insert((from, to));
        }
    }

    /// True when packets pass both ways between a site and a node's site.
    pub fn reaches(&self, site: SiteId, node: NodeId) -> bool {
        let Some(there) = self.node_sites.get(node.index()) else { return false };
        !self.cut.contains(&(site, *there)) && !self.cut.contains(&(*there, site))
    }

    /// A fault began.
    pub fn onset(&mut self, fault: FaultId) {
        self.active.insert(fault);
    }

    /// A fault ended.
    pub fn cleared(&mut self, fault: FaultId) {
        self.active.remove(&fault);
    }

    /// A fault touched a node.
    pub fn hit(&mut self, fault: FaultId, node: NodeId, at: SimTime) {
        self.hit_by.entry(node).or_default().insert(fault);
        let hits = self.hits.entry(node).or_default();
        if hits.last() != Some(&at) {
            hits.push(at);
        }
    }

    /// True while a fault of these that will clear acts.
    pub fn passing_fault_acts(&self, faults: &[FaultId]) -> bool {
        faults.iter().any(|fault| self.active.contains(fault) && !self.is_permanent(*fault))
    }

    /// True while no fault acts that will clear.
    pub fn is_quiet(&self) -> bool {
        self.active.iter().all(|fault| self.is_permanent(*fault))
    }

    /// True unless the node is down for good.
    pub fn restartable(&self, node: NodeId) -> bool {
        let faults = self.hit_by.get(&node);
        let for_good = faults.is_some_and(|faults| {
            faults.intersection(&self.active).any(|fault| self.is_permanent(*fault))
        });
        self.runs(node) || !for_good
    }

    fn is_permanent(&self, fault: FaultId) -> bool {
        self.permanent.get(fault.index()).copied().unwrap_or(false)
    }
}
