//! What a fault aims at: places, nodes, and roles.

use crate::model::id::{NodeId, SiteId};
use crate::sim::param::{Name, OneOrMore, Problems, suggest};
use crate::world::layout::{Layout, NodeSite, Task};
use crate::world::plan::{Plan, Spot};

crate::choices! {
    /// What the nodes of a role do.
    pub enum Role {
        /// A replica of a store, with its agent.
        Database = "database",
        /// A coordinator that holds no data.
        Coordinator = "coordinator",
        /// A voter of a lease's coordination service.
        Lease = "lease",
        /// A checker of a health check.
        Checker = "checker",
        /// A controller of a failover, or a member of a council.
        Controller = "controller",
        /// A name server of a routing.
        NameServer = "name_server",
        /// A storage that checks tokens.
        Storage = "storage",
        /// A device that switches a replica's host off.
        FenceDevice = "fence_device",
    }
}

impl Role {
    /// True for what a node of this role runs.
    pub(in crate::world) fn plays(self, task: Task) -> bool {
        match task {
            Task::Database { .. } => self == Role::Database,
            Task::Coordinator { .. } => self == Role::Coordinator,
            Task::Voter { .. } => self == Role::Lease,
            Task::Checker { .. } => self == Role::Checker,
            Task::Controller { .. } => self == Role::Controller,
            Task::NameServer { .. } => self == Role::NameServer,
            Task::Storage { .. } => self == Role::Storage,
            Task::FenceDevice { .. } => self == Role::FenceDevice,
            Task::Agent { .. } | Task::Population { .. } => false,
        }
    }

    /// Where the nodes of this role stand.
    pub fn spots(self, plan: &Plan) -> Vec<Spot> {
        let each = |spots: &Vec<Spot>| spots.clone();
        match self {
            Role::Database => plan.stores.iter().flat_map(|s| each(&s.replicas)).collect(),
            Role::Coordinator => plan.stores.iter().flat_map(|s| each(&s.coordinators)).collect(),
            Role::Lease => plan.leases.iter().flat_map(|l| each(&l.voters)).collect(),
            Role::Checker => plan.health_checks.iter().flat_map(|h| each(&h.checkers)).collect(),
            Role::Controller => plan.failovers.iter().flat_map(|f| each(&f.controllers)).collect(),
            Role::NameServer => plan.routings.iter().flat_map(|r| each(&r.name_servers)).collect(),
            Role::Storage => plan.stores.iter().filter_map(|s| s.token_storage).collect(),
            Role::FenceDevice => plan.stores.iter().flat_map(|s| each(&s.fence_devices)).collect(),
        }
    }
}

/// What a name says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    /// `role:checker`, or `role:checker@us-east`: every node that does this, wherever it is or in
    /// one region or zone. Nothing where the word is no role.
    Role(Option<Role>, Option<&'a str>),
    /// A region, a zone or a node.
    Other(&'a str),
}

impl<'a> Target<'a> {
    /// Reads a name.
    pub fn of(name: &'a Name) -> Target<'a> {
        let Some(role) = name.text.strip_prefix("role:") else { return Target::Other(&name.text) };
        let (word, place) = match role.split_once('@') {
            Some((word, place)) => (word, Some(place)),
            None => (role, None),
        };
        Target::Role(ROLES.into_iter().find(|role| role.word() == word), place)
    }
}

const ROLES: [Role; 8] = [
    Role::Database,
    Role::Coordinator,
    Role::Lease,
    Role::Checker,
    Role::Controller,
    Role::NameServer,
    Role::Storage,
    Role::FenceDevice,
];

impl Layout {
    /// What a fault's targets stand for: the nodes, each once, and the sites where a target is a
    /// whole place.
    pub fn targets(
        &self,
        names: &OneOrMore<Name>,
        problems: &mut Problems,
    ) -> (Vec<NodeId>, Vec<SiteId>) {
        let (mut nodes, mut sites) = (Vec::new(), Vec::new());
        for name in &names.0 {
            match Target::of(name) {
                Target::Role(Some(role), place) => {
                    nodes.extend(self.nodes_of(role, place, name, problems));
                }
                Target::Role(None, _) => {
                    let message = format!("there is no role `{}`", name.text);
                    problems.add_help(&name.place, message, suggest(&name.text, Role::WORDS));
                }
                Target::Other(_) => {
                    let (more_nodes, more_sites) = self.target(name, problems);
                    nodes.extend(more_nodes);
                    sites.extend(more_sites);
                }
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        sites.sort_unstable();
        sites.dedup();
        (nodes, sites)
    }

    fn nodes_of(
        &self,
        role: Role,
        place: Option<&str>,
        name: &Name,
        problems: &mut Problems,
    ) -> Vec<NodeId> {
        let sites = place.map(|place| {
            let place = Name { text: place.to_string(), place: name.place.clone() };
            self.sites_named(&place, problems)
        });
        let plays = |node: &NodeSite| node.processes.iter().any(|p| role.plays(self.task(*p)));
        let there = |node: &NodeSite| sites.as_ref().is_none_or(|s| s.contains(&node.site));
        let all = self.nodes.iter().enumerate();
        let hit = all.filter(|(_, node)| there(node) && plays(node));
        hit.map(|(i, _)| NodeId::of(i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_role_or_something_else() {
        let of = |text| match Target::of(&Name::of(text)) {
            Target::Role(role, place) => (role, place.map(str::to_string)),
            Target::Other(other) => (None, Some(format!("other {other}"))),
        };
        assert_eq!(of("role:checker"), (Some(Role::Checker), None));
        assert_eq!(of("role:lease@eu/a"), (Some(Role::Lease), Some("eu/a".into())));
        assert_eq!(of("role:chekcer"), (None, None));
        assert_eq!(of("orders@eu"), (None, Some("other orders@eu".into())));
        assert_eq!(ROLES.map(Role::word).as_slice(), Role::WORDS);
    }
}
