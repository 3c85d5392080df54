//! Which sites, nodes and processes a plan makes, and what they are called.

use crate::model::id::{GroupId, NodeId, ProcessId, RegionId, SiteId};
use crate::sim::param::{Name, Problems, suggest};
use crate::world::plan::{Plan, Spot};

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// A replica of a store: its index among the store's replicas.
    Database {
        /// The store.
        store: usize,
        /// Which replica.
        replica: usize,
    },
    /// A node that coordinates for a store and holds nothing of it.
    Coordinator {
        /// The store.
        store: usize,
        /// Which coordinator.
        coordinator: usize,
    },
    /// The agent beside a replica.
    Agent {
        /// The store.
        store: usize,
        /// Which replica.
        replica: usize,
    },
    /// A voter of a lease's coordination service.
    Voter {
        /// The lease.
        lease: usize,
        /// Which voter.
        voter: usize,
    },
    /// A checker of a health check, watching one store.
    Checker {
        /// The health check.
        check: usize,
        /// Which checker.
        checker: usize,
        /// The store it watches.
        store: usize,
    },
    /// The controller of a failover.
    Controller {
        /// The failover.
        failover: usize,
    },
    /// A name server of a routing.
    NameServer {
        /// The routing.
        routing: usize,
    },
    /// The storage that checks a store's tokens.
    Storage {
        /// The store.
        store: usize,
    },
    /// The device that switches a replica's host off.
    FenceDevice {
        /// The store.
        store: usize,
        /// Which replica.
        replica: usize,
    },
    /// A client population.
    Population {
        /// Which.
        client: usize,
    },
}

impl Task {
    /// The trade's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Task::Database { .. } => "database",
            Task::Coordinator { .. } => "coordinator",
            Task::Agent { .. } => "agent",
            Task::Voter { .. } => "voter",
            Task::Checker { .. } => "checker",
            Task::Controller { .. } => "controller",
            Task::NameServer { .. } => "name server",
            Task::Storage { .. } => "storage",
            Task::FenceDevice { .. } => "fence device",
            Task::Population { .. } => "client",
        }
    }
}

/// One node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeSite {
    /// `orders@us-east`.
    pub name: String,
    /// Where it stands.
    pub site: SiteId,
    /// True for client populations: users live outside the region, no fault touches them.
    pub outside: bool,
    /// Its processes.
    pub processes: Vec<ProcessId>,
}

/// Sites, nodes and processes of a plan, in a fixed order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// Per site its region.
    pub sites: Vec<RegionId>,
    /// Per site its name: `us-east`, or `us-east/a`.
    pub site_names: Vec<String>,
    first_site: Vec<usize>,
    /// Nodes.
    pub nodes: Vec<NodeSite>,
    /// Processes: what they do, and on which node.
    pub tasks: Vec<(Task, NodeId)>,
    region_names: Vec<String>,
    link_names: Vec<String>,
}

impl Layout {
    /// The layout of a plan.
    pub fn new(plan: &Plan) -> Layout {
        let mut layout = Layout::default();
        for (r, region) in plan.regions.iter().enumerate() {
            layout.first_site.push(layout.sites.len());
            layout.region_names.push(region.name.clone());
            let zones = if region.zones.is_empty() { 1 } else { region.zones.len() };
            for zone in 0..zones {
                layout.sites.push(RegionId::of(r));
                let name = match region.zones.get(zone) {
                    Some(zone) => format!("{}/{zone}", region.name),
                    None => region.name.clone(),
                };
                layout.site_names.push(name);
            }
        }
        if let Some(physical) = &plan.wan.physical {
            layout.link_names = physical.links.iter().map(|link| link.name.clone()).collect();
        }
        layout.add_infrastructure(plan);
        for (client, population) in plan.clients.iter().enumerate() {
            let name = format!("clients:{}", population.name);
            let node = layout.add_node(name, population.spot, true);
            layout.add_process(node, Task::Population { client });
        }
        layout
    }

    fn add_infrastructure(&mut self, plan: &Plan) {
        for (store, plan) in plan.stores.iter().enumerate() {
            for (replica, spot) in plan.replicas.iter().enumerate() {
                let node = self.add_at(&plan.name, *spot);
                self.add_process(node, Task::Database { store, replica });
                if plan.lease.is_some() || plan.failover.is_some() {
                    self.add_process(node, Task::Agent { store, replica });
                }
            }
            for (coordinator, spot) in plan.coordinators.iter().enumerate() {
                let node = self.add_at(&format!("coordinator:{}", plan.name), *spot);
                self.add_process(node, Task::Coordinator { store, coordinator });
            }
            if let Some(spot) = plan.token_storage {
                let node = self.add_at(&format!("storage:{}", plan.name), spot);
                self.add_process(node, Task::Storage { store });
            }
        }
        for (store, plan) in plan.stores.iter().enumerate() {
            for (replica, spot) in plan.fence_devices.iter().enumerate() {
                let node = self.add_at(&format!("fence:{}", plan.name), *spot);
                self.add_process(node, Task::FenceDevice { store, replica });
            }
        }
        for (lease, plan) in plan.leases.iter().enumerate() {
            for (voter, spot) in plan.voters.iter().enumerate() {
                let node = self.add_at(&plan.name, *spot);
                self.add_process(node, Task::Voter { lease, voter });
            }
        }
        for (check, health) in plan.health_checks.iter().enumerate() {
            for (checker, spot) in health.checkers.iter().enumerate() {
                let node = self.add_at(&health.name, *spot);
                for store in 0..plan.stores.len() {
                    if plan.stores[store].health_check == Some(check) {
                        self.add_process(node, Task::Checker { check, checker, store });
                    }
                }
            }
        }
        for (failover, plan) in plan.failovers.iter().enumerate() {
            for spot in &plan.controllers {
                let node = self.add_at(&plan.name, *spot);
                self.add_process(node, Task::Controller { failover });
            }
        }
        for (routing, plan) in plan.routings.iter().enumerate() {
            for spot in &plan.name_servers {
                let node = self.add_at(&plan.name, *spot);
                self.add_process(node, Task::NameServer { routing });
            }
        }
    }

    fn add_at(&mut self, what: &str, spot: Spot) -> NodeId {
        let place = &self.site_names[self.site(spot).index()];
        let name = format!("{what}@{place}");
        let same = self.nodes.iter().filter(|node| node.name == name).count();
        let name = if same == 0 { name } else { self.numbered(&name) };
        self.add_node(name, spot, false)
    }

    /// `orders@us-east#2` for the second of that name in one place.
    fn numbered(&self, name: &str) -> String {
        let taken = |candidate: &String| self.nodes.iter().any(|node| node.name == *candidate);
        (2..).map(|n| format!("{name}#{n}")).find(|c| !taken(c)).expect("numbers do not end")
    }

    fn add_node(&mut self, name: String, spot: Spot, outside: bool) -> NodeId {
        let site = self.site(spot);
        self.nodes.push(NodeSite { name, site, outside, processes: Vec::new() });
        NodeId::of(self.nodes.len() - 1)
    }

    fn add_process(&mut self, node: NodeId, task: Task) {
        let process = ProcessId::of(self.tasks.len());
        self.tasks.push((task, node));
        self.nodes[node.index()].processes.push(process);
    }

    /// The site of a spot.
    pub fn site(&self, spot: Spot) -> SiteId {
        SiteId::of(self.first_site[spot.region] + spot.zone)
    }
    /// The process that does this.
    pub fn process(&self, task: Task) -> Option<ProcessId> {
        self.tasks.iter().position(|(other, _)| *other == task).map(ProcessId::of)
    }
    /// Every process whose task passes, in order.
    pub fn processes(&self, passes: impl Fn(Task) -> bool) -> Vec<ProcessId> {
        let hits = self.tasks.iter().enumerate().filter(|(_, (task, _))| passes(*task));
        hits.map(|(i, _)| ProcessId::of(i)).collect()
    }
    /// What a process does.
    pub fn task(&self, process: ProcessId) -> Task {
        self.tasks[process.index()].0
    }
    /// The node a process runs on.
    pub fn node_of(&self, process: ProcessId) -> NodeId {
        self.tasks[process.index()].1
    }
    /// The group of a store: groups are numbered stores first, then leases.
    pub fn store_group(store: usize) -> GroupId {
        GroupId::of(store)
    }
    /// The group of a lease's coordination service.
    pub fn lease_group(plan: &Plan, lease: usize) -> GroupId {
        GroupId::of(plan.stores.len() + lease)
    }

    /// The sites that a region or zone name stands for; a problem where it stands for none.
    pub fn sites_named(&self, name: &Name, problems: &mut Problems) -> Vec<SiteId> {
        let sites = self.try_sites(&name.text);
        if sites.is_empty() {
            let mut known: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
            known.extend(self.site_names.iter().map(String::as_str).filter(|n| n.contains('/')));
            let message = format!("there is no region or zone `{}`", name.text);
            problems.add_help(&name.place, message, suggest(&name.text, &known));
        }
        sites
    }

    fn try_sites(&self, text: &str) -> Vec<SiteId> {
        if let Some(region) = self.region_names.iter().position(|name| name == text) {
            let region = RegionId::of(region);
            let hits = self.sites.iter().enumerate().filter(|(_, r)| **r == region);
            return hits.map(|(i, _)| SiteId::of(i)).collect();
        }
        self.site_names.iter().position(|name| name == text).map(SiteId::of).into_iter().collect()
    }

    /// What a fault's target stands for: the nodes, and the sites where it is a whole place.
    /// Populations are outside of every place.
    pub fn target(&self, name: &Name, problems: &mut Problems) -> (Vec<NodeId>, Vec<SiteId>) {
        if let Some(node) =
            self.nodes.iter().position(|node| node.name == name.text && !node.outside)
        {
            return (vec![NodeId::of(node)], Vec::new());
        }
        let sites = self.try_sites(&name.text);
        if sites.is_empty() {
            let mut known: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
            let nodes = self.nodes.iter().filter(|node| !node.outside);
            known.extend(nodes.map(|node| node.name.as_str()));
            let message = format!("there is no region, zone or node `{}`", name.text);
            problems.add_help(&name.place, message, suggest(&name.text, &known));
        }
        let inside = |(i, node): (usize, &NodeSite)| {
            (!node.outside && sites.contains(&node.site)).then_some(NodeId::of(i))
        };
        let nodes = self.nodes.iter().enumerate().filter_map(inside).collect();
        (nodes, sites)
    }

    /// The physical link of that name.
    pub fn link_named(&self, text: &str) -> Option<usize> {
        self.link_names.iter().position(|name| name == text)
    }
    /// The names of the physical links.
    pub fn link_names(&self) -> &[String] {
        &self.link_names
    }
    /// The processes on a node that do the work of that word.
    pub fn on_node(&self, node: NodeId, word: &str) -> Vec<ProcessId> {
        let all = self.nodes[node.index()].processes.iter().copied();
        all.filter(|process| self.tasks[process.index()].0.word() == word).collect()
    }
}
