//! The oracle: runs the judges over one stream of facts.
//!
//! It hears facts only; a claim goes by unheard ([`Observer::on_claim`] is not implemented).

use crate::measure::authority::Change;
use crate::measure::episode::Episodes;
use crate::measure::gap::Gaps;
use crate::measure::group::Group;
use crate::measure::health::Health;
use crate::measure::history::Limits;
use crate::measure::ops::{Op, Ops, Place};
use crate::measure::routes::Tail;
use crate::measure::scope::Scopes;
use crate::measure::service::Service;
use crate::measure::settings::Settings;
use crate::measure::verdict::Verdict;
use crate::measure::{emit, survivor};
use crate::model::fact::{Fact, Observer, OpKind, Outcome};
use crate::model::id::{GroupId, NodeId, OpId, Position};
use crate::model::roster::{FaultEntry, GroupEntry, Roster};
use crate::sim::time::SimTime;

/// Judges one trial from its facts alone.
pub struct Oracle {
    pub(super) scopes: Scopes,
    pub(super) groups: Vec<Group>,
    pub(super) health: Health,
    pub(super) episodes: Episodes,
    pub(super) service: Service,
    pub(super) client_gaps: Vec<Gaps>,
    pub(super) cell_gaps: Vec<Gaps>,
    pub(super) store_gaps: Vec<Gaps>,
    /// When each population last offered a write.
    pub(super) offers: Vec<SimTime>,
    pub(super) tails: Vec<Tail>,
    pub(super) ops: Ops,
    /// Some store keeps versions per key.
    any_keyed: bool,
    warmup: SimTime,
    pub(super) settling: bool,
}

impl Oracle {
    /// Judges ready for a trial of this roster.
    pub fn new(roster: &Roster, settings: &Settings) -> Oracle {
        Oracle::with_limits(roster, settings, Limits::default())
    }

    /// The same, keeping so much of each history; tests make it little.
    pub fn with_limits(roster: &Roster, settings: &Settings, limits: Limits) -> Oracle {
        let scopes = Scopes::new(roster);
        let group = |(number, entry): (usize, &GroupEntry)| {
            Group::new(GroupId::of(number), entry, &scopes, settings, roster, limits)
        };
        let named = settings.onset.as_ref();
        let named = named.and_then(|name| FaultEntry::find(&roster.faults, &name.text));
        Oracle {
            groups: roster.groups.iter().enumerate().map(group).collect(),
            health: Health::new(roster),
            episodes: Episodes::new(settings.stable_hold, named),
            service: Service::new(&scopes, settings, roster),
            client_gaps: vec![Gaps::default(); scopes.clients.len()],
            cell_gaps: vec![Gaps::default(); scopes.cells.len()],
            store_gaps: vec![Gaps::default(); scopes.stores.len()],
            offers: vec![SimTime::ZERO; scopes.clients.len()],
            tails: vec![Tail::default(); scopes.cells.len()],
            ops: Ops::new(scopes.clients.len()),
            any_keyed: roster.groups.iter().any(|group| group.ring.is_some()),
            warmup: roster.warmup,
            settling: false,
            scopes,
        }
    }

    /// The verdict, `end` being the end of the run.
    pub fn verdict(mut self, end: SimTime) -> Verdict {
        self.service.roll(end);
        self.look(None);
        self.look(Some(end));
        let vacant = self.vacant();
        let bad = self.service.outages.iter().flatten().any(|outages| outages.bad);
        let gap = (0..self.scopes.cells.len()).any(|cell| self.gap_is_open(cell, end));
        let reaches = self.episodes.reaches();
        self.service.book.in_episode(if bad || gap || vacant { SimTime::MAX } else { reaches });
        self.service.book.episode_over();
        self.episodes.finish(bad || gap || vacant);
        for group in &mut self.groups {
            group.authority.end(end);
            if let Some(elections) = &mut group.elections {
                elections.end(end);
            }
        }
        emit::verdict(self, end)
    }

    /// A bin of time is over.
    #[cold]
    #[inline(never)]
    fn look_around(&mut self, now: SimTime) {
        self.service.roll(now);
        self.look(None);
        for group in self.groups.iter_mut().filter(|group| group.store.is_some()) {
            group.degraded.bin(&group.history, now);
        }
    }

    /// Looks at what is finished since the last time.
    fn look(&mut self, end_of_run: Option<SimTime>) {
        while let Some(seen) =
            self.service.next_window(&self.scopes, &mut self.episodes, end_of_run)
        {
            if self.episodes.onset().is_none() {
                continue;
            }
            if (0..self.scopes.cells.len()).any(|cell| self.gap_is_open(cell, seen)) {
                self.episodes.bad(seen);
            }
            let (acts, vacant) = (self.acts(), self.vacant());
            let closed = self.episodes.close(seen, acts, vacant);
            self.service.book.in_episode(self.episodes.reaches());
            if closed.is_some() {
                self.service.book.episode_over();
            }
        }
    }

    /// True while a passing fault of the episode under way acts.
    fn acts(&self) -> bool {
        self.health.passing_fault_acts(self.episodes.faults())
    }

    fn gap_is_open(&self, cell: usize, now: SimTime) -> bool {
        self.cell_gaps[cell].is_open(now, self.last_offer(&self.scopes.cells[cell].clients))
    }

    /// When any of these populations last offered a write.
    pub(super) fn last_offer(&self, clients: &[usize]) -> SimTime {
        clients.iter().map(|client| self.offers[*client]).max().unwrap_or(SimTime::ZERO)
    }

    /// True while some store that had a primary has none.
    fn vacant(&self) -> bool {
        let stores = self.groups.iter().filter(|group| group.store.is_some());
        stores
            .map(|group| &group.authority)
            .any(|authority| authority.first_led.is_some() && authority.vacant(&self.health))
    }

    /// Who survived in a group.
    pub(super) fn survivor(&self, group: &Group) -> survivor::Survivor {
        let admitting = group.authority.admitting(&self.health);
        let restartable = |node: NodeId| self.health.restartable(node);
        let ending = survivor::Ending {
            last_answer: group.last_answer,
            admitting: &admitting,
            restartable: &restartable,
        };
        survivor::find(&group.history, &ending)
    }

    #[inline(never)]
    fn invoked(&mut self, id: OpId, group: GroupId, kind: OpKind, key: u32, now: SimTime) {
        let client = id.client().index();
        let bin = self.service.invoked(client);
        let entry = Place::NOWHERE;
        self.ops.invoke(id, Op { invoked: now, entry, key, bin, group, kind, outcome: None });
        if kind == OpKind::Write {
            self.offered(client, now);
        }
    }

    #[inline(never)]
    fn offered(&mut self, client: usize, now: SimTime) {
        let Some(offer) = self.offers.get_mut(client) else { return };
        *offer = now;
        let scope = &self.scopes.clients[client];
        self.client_gaps[client].offered(now);
        self.cell_gaps[scope.cell].offered(now);
        if let Some(store) = scope.store {
            self.store_gaps[store].offered(now);
        }
    }

    #[inline(never)]
    fn concluded(&mut self, id: OpId, outcome: Outcome, by: Option<NodeId>, now: SimTime) {
        let Some(op) = self.ops.get(id) else { return };
        if op.outcome.is_some() {
            return;
        }
        op.outcome = Some(outcome);
        let client = id.client().index();
        self.service.concluded(&self.scopes, &self.episodes, client, op, outcome, now);
        if op.kind == OpKind::Write {
            let op = *op;
            self.write_concluded(id, &op, outcome, by, now);
        } else if self.any_keyed {
            let op = *op;
            self.read_concluded(id, &op, by);
        }
    }

    #[inline(never)]
    fn write_concluded(
        &mut self,
        id: OpId,
        op: &Op,
        outcome: Outcome,
        by: Option<NodeId>,
        now: SimTime,
    ) {
        let client = id.client().index();
        let scope = &self.scopes.clients[client];
        let mut before = SimTime::ZERO;
        if let Some(store) = scope.store {
            before = self.cell_gaps[scope.cell].last();
            let gaps = [
                &mut self.client_gaps[client],
                &mut self.cell_gaps[scope.cell],
                &mut self.store_gaps[store],
            ];
            let in_episode = self.episodes.onset().is_some();
            for gaps in gaps {
                match outcome {
                    Outcome::Ok => gaps.acknowledged(now, in_episode, now >= self.warmup),
                    _ => gaps.not_ok(),
                }
            }
        }
        let Some(group) = self.groups.get_mut(op.group.index()) else { return };
        if let Some(keyed) = &mut group.keyed {
            group.acknowledged += u64::from(outcome == Outcome::Ok);
            return keyed.write_concluded(id, op, outcome, now);
        }
        group.history.concluded(id, op, outcome, now);
        if outcome == Outcome::Ok {
            group.acknowledged += 1;
            group.unplaced += u64::from(op.entry == Place::NOWHERE);
            group.degraded.acknowledged(op.entry);
            if let Some(tail) = self.tails.get_mut(scope.cell) {
                tail.acknowledged(by, before, now);
            }
            if self.settling && by.is_some() {
                group.last_answer = by;
            }
        }
    }

    #[inline(never)]
    fn answered(&mut self, node: NodeId, group: GroupId, id: OpId, at: Position, now: SimTime) {
        let key = self.ops.get(id).map(|op| op.key);
        let Some(group) = self.groups.get_mut(group.index()) else { return };
        let place = group.history.place(at, now);
        // An operation forgotten long ago is a write where its entry is known.
        if place == Place::NOWHERE || (key.is_none() && !group.history.is_entry_of(place, id)) {
            return;
        }
        group.history.answered(id, place, now);
        group.split.answered(&group.history, node, place, key, now);
    }

    /// A fault, or a failover: an episode may begin.
    pub(super) fn begin_episode(&mut self, fresh: bool, now: SimTime) {
        if !fresh {
            return;
        }
        self.service.episode(&self.scopes, now);
        let gaps = self.client_gaps.iter_mut().chain(&mut self.cell_gaps);
        for gaps in gaps.chain(&mut self.store_gaps) {
            gaps.episode(now);
        }
    }

    pub(super) fn authorised(&mut self, id: GroupId, node: NodeId, now: SimTime) {
        let Some(group) = self.groups.get_mut(id.index()) else { return };
        let Some(store) = group.store else { return };
        let change = group.authority.authorised(node, &self.health, now);
        if change == Change::No {
            return;
        }
        if change == Change::Failback {
            group.returned_to(node);
        }
        for cell in &self.scopes.stores[store].cells {
            self.tails[*cell].failover(node, change == Change::Failback, now);
        }
        let fresh = self.episodes.failover(id, node, now);
        self.begin_episode(fresh, now);
    }

    #[inline(never)]
    fn appended(&mut self, node: NodeId, group: GroupId, id: OpId, at: Position, now: SimTime) {
        if let Some(group) = self.groups.get_mut(group.index()) {
            group.history.appended(node, id, self.ops.get(id), at, now);
        }
    }

    #[inline(never)]
    fn held(&mut self, node: NodeId, group: GroupId, upto: Position, now: SimTime) {
        if let Some(group) = self.groups.get_mut(group.index()) {
            let upto = group.history.place(upto, now);
            group.history.held(node, upto);
        }
    }

    #[inline(never)]
    fn durable(&mut self, node: NodeId, group: GroupId, upto: Position, now: SimTime) {
        if let Some(group) = self.groups.get_mut(group.index()) {
            let upto = group.history.place(upto, now);
            group.history.durable(node, upto);
        }
    }
}

impl Observer for Oracle {
    // Where a fact is written its kind is known: there, only the judge of that kind is left of
    // this, and the fact travels in registers.
    #[inline(always)]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        if self.service.is_due(at) {
            self.look_around(at);
        }
        match *fact {
            Fact::Invoked { op, group, kind, key } => self.invoked(op, group, kind, key, at),
            Fact::Concluded { op, outcome, by } => self.concluded(op, outcome, by, at),
            Fact::Answered { node, group, op, outcome: Outcome::Ok, at: place } => {
                if self.ops.get(op).is_none_or(|op| op.kind == OpKind::Write) {
                    self.answered(node, group, op, place, at);
                }
            }
            Fact::Answered { .. } => {}
            Fact::Appended { node, group, op, at: place } => {
                self.appended(node, group, op, place, at);
            }
            Fact::Held { node, group, upto } => self.held(node, group, upto, at),
            Fact::Durable { node, group, upto } => self.durable(node, group, upto, at),
            Fact::Installed { node, group, key, version } => {
                self.installed(node, group, key, version, at);
            }
            Fact::Returned { node, group, op, version } => self.returned(node, group, op, version),
            _ => self.on_rare(*fact, at),
        }
    }
}
