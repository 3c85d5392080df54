//! Whose experience is measured: populations, regions of a store's clients, stores.

use crate::model::id::{GroupId, NodeId, SiteId};
use crate::model::roster::Roster;

/// The clients of one store in one region.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The region's name.
    pub region: String,
    /// The store, as an index of [`Scopes::stores`].
    pub store: usize,
    /// Its populations.
    pub clients: Vec<usize>,
    /// Where they sit.
    pub sites: Vec<SiteId>,
}

/// One store.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its group.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<NodeId>,
    /// The regions of its clients, as indices of [`Scopes::cells`].
    pub cells: Vec<usize>,
    /// Its populations.
    pub clients: Vec<usize>,
}

/// One population.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its store; nothing when the roster names none that exists.
    pub store: Option<usize>,
    /// Its region's clients of that store.
    pub cell: usize,
}

/// Everybody.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    /// Stores, in the roster's order.
    pub stores: Vec<Store>,
    /// Regions of each store, in the roster's order of clients.
    pub cells: Vec<Cell>,
    /// Populations, in the roster's order.
    pub clients: Vec<Client>,
}

impl Scopes {
    /// From the roster.
    pub fn new(roster: &Roster) -> Scopes {
        let mut scopes = Scopes::default();
        for (number, group) in roster.groups.iter().enumerate().filter(|(_, g)| g.is_store) {
            scopes.stores.push(Store {
                group: GroupId::of(number),
                name: group.name.clone(),
                members: group.members.clone(),
                cells: Vec::new(),
                clients: Vec::new(),
            });
        }
        for (number, entry) in roster.clients.iter().enumerate() {
            let store = scopes.stores.iter().position(|store| store.group == entry.group);
            let region = roster.regions.get(entry.region.index()).cloned().unwrap_or_default();
            let cell = store.map(|store| scopes.cell(store, &region));
            if let (Some(store), Some(cell)) = (store, cell) {
                scopes.cells[cell].clients.push(number);
                scopes.cells[cell].sites.push(entry.site);
                scopes.stores[store].clients.push(number);
            }
            let cell = cell.unwrap_or(usize::MAX);
            scopes.clients.push(Client { name: entry.name.clone(), store, cell });
        }
        scopes
    }

    fn cell(&mut self, store: usize, region: &str) -> usize {
        let known = self.cells.iter().position(|c| c.store == store && c.region == region);
        known.unwrap_or_else(|| {
            let cell = self.cells.len();
            let (region, clients, sites) = (region.to_string(), Vec::new(), Vec::new());
            self.cells.push(Cell { region, store, clients, sites });
            self.stores[store].cells.push(cell);
            cell
        })
    }
}
