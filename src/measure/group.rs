//! The judges of one replication group, together.

use crate::measure::authority::Authority;
use crate::measure::degraded::Degraded;
use crate::measure::election::Elections;
use crate::measure::health::Health;
use crate::measure::history::{History, Limits};
use crate::measure::keyed::Keyed;
use crate::measure::scope::Scopes;
use crate::measure::settings::Settings;
use crate::measure::split_brain::SplitBrain;
use crate::model::id::{GroupId, NodeId};
use crate::model::roster::{GroupEntry, Roster};
use crate::sim::time::SimTime;
use std::sync::Arc;

/// The judges of one replication group.
pub struct Group {
    /// Its histories.
    pub history: History,
    /// Its incidents.
    pub split: SplitBrain,
    /// Who may write.
    pub authority: Authority,
    /// Whether it runs with less behind it than was asked for.
    pub degraded: Degraded,
    /// Its elections, where members elect who leads.
    pub elections: Option<Elections>,
    /// What is judged where it keeps versions per key, instead of the above.
    pub keyed: Option<Box<Keyed>>,
    /// Its name.
    pub name: String,
    /// The store it is, as an index of [`Scopes::stores`]; nothing for a coordination service.
    pub store: Option<usize>,
    /// Acknowledged writes.
    pub acknowledged: u64,
    /// Acknowledged writes that no node ever appended: they are nowhere.
    pub unplaced: u64,
    /// Whether all that was acknowledged was on the disks of those returned to, at each failback.
    pub caught_up: Option<bool>,
    /// Who answered the last write acknowledged in settling.
    pub(super) last_answer: Option<NodeId>,
}

impl Group {
    /// Ready for a trial of this roster.
    pub fn new(
        id: GroupId,
        entry: &GroupEntry,
        scopes: &Scopes,
        settings: &Settings,
        roster: &Roster,
        limits: Limits,
    ) -> Group {
        let store = scopes.stores.iter().position(|s| s.group == id);
        let cells = store.map_or(&[][..], |store| &scopes.stores[store].cells);
        let regions = cells.iter().map(|cell| scopes.cells[*cell].sites.clone()).collect();
        let initial = if entry.is_store { entry.members.first().copied() } else { None };
        let recent = if entry.cuts_disks { limits.recent } else { 0 };
        let limits = Limits { recent, ..limits };
        let members = entry.members.len();
        let clients = scopes.clients.len();
        let keyed = entry.ring.as_ref().map(|ring| {
            let ring = Arc::clone(ring);
            Box::new(Keyed::new(ring, &entry.members, clients, settings, roster.warmup))
        });
        Group {
            keyed,
            history: History::new(&entry.members, entry.in_memory, limits),
            split: SplitBrain::default(),
            authority: Authority::new(initial, regions, roster.rto_objective),
            degraded: Degraded::new(entry.acks, members, settings.copy_lag, roster.warmup),
            elections: entry.elects.then(Elections::default),
            name: entry.name.clone(),
            store,
            acknowledged: 0,
            unplaced: 0,
            caught_up: None,
            last_answer: None,
        }
    }

    /// Looks again, after anything changed that may matter to who may write and who has what.
    pub(super) fn look(&mut self, health: &Health, now: SimTime) {
        self.authority.look(health, now);
        if let Some(elections) = &mut self.elections {
            elections.look(self.authority.vacant(health), now);
        }
        if self.store.is_some() {
            self.degraded.look(&self.authority, health, &self.history, now);
        }
    }

    /// The initial primary may be primary again: does its disk have it all?
    pub(super) fn returned_to(&mut self, node: NodeId) {
        let acknowledged = self.degraded.last_acknowledged();
        let member = self.history.members.iter().find(|member| member.node == node);
        let whole = member.is_some_and(|m| self.history.contains(m.durable, acknowledged));
        self.caught_up = Some(self.caught_up.unwrap_or(true) && whole);
    }
}
