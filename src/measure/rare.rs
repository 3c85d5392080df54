//! What the oracle does with the facts that do not come with every operation.

use crate::measure::health::Health;
use crate::measure::keyed::Keyed;
use crate::measure::ops::{Op, Place};
use crate::measure::oracle::Oracle;
use crate::model::fact::Fact;
use crate::model::id::{GroupId, NodeId, OpId, Version};
use crate::sim::time::SimTime;

impl Oracle {
    /// The facts that do not come with operations.
    #[cold]
    #[inline(never)]
    pub(super) fn on_rare(&mut self, fact: Fact, now: SimTime) {
        self.service.windows.on_fact(&fact, now);
        self.on_history(&fact, now);
        self.on_environment(&fact, now);
    }

    #[inline(never)]
    pub(super) fn installed(
        &mut self,
        node: NodeId,
        group: GroupId,
        key: u32,
        version: Version,
        now: SimTime,
    ) {
        let group = self.groups.get_mut(group.index());
        if let Some(keyed) = group.and_then(|group| group.keyed.as_mut()) {
            keyed.installed(node, key, version, &mut self.ops, (&self.health, now));
        }
    }

    #[inline(never)]
    pub(super) fn returned(&mut self, node: NodeId, group: GroupId, op: OpId, version: Version) {
        let group = self.groups.get_mut(group.index());
        if let Some(keyed) = group.and_then(|group| group.keyed.as_mut()) {
            keyed.returned(node, op, version, &mut self.ops);
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn read_concluded(&mut self, id: OpId, op: &Op, by: Option<NodeId>) {
        let group = self.groups.get_mut(op.group.index());
        if let Some(keyed) = group.and_then(|group| group.keyed.as_mut()) {
            keyed.read_concluded(id, op, by);
        }
    }

    /// The judges of stores with versions per key.
    fn keyed(&mut self) -> impl Iterator<Item = (&mut Keyed, &Health)> {
        let health = &self.health;
        self.groups
            .iter_mut()
            .filter_map(move |group| group.keyed.as_deref_mut().map(|keyed| (keyed, health)))
    }

    /// The facts of what nodes hold and who may write.
    fn on_history(&mut self, fact: &Fact, now: SimTime) {
        match *fact {
            Fact::Began { node, group, segment, from } => {
                let Some(here) = self.groups.get_mut(group.index()) else { return };
                let branch = here.history.began(node, segment, from, now);
                if here.authority.is_news(segment.term()) {
                    if let Some(elections) = &mut here.elections {
                        elections.elected(segment.term(), now);
                    }
                    here.degraded.line(branch);
                    self.authorised(group, node, now);
                }
            }
            Fact::Truncated { node, group, to } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    let to = group.history.place(to, now);
                    group.history.truncated(node, to);
                    group.look(&self.health, now);
                }
            }
            Fact::Reverted { node, group, key, version } => {
                let group = self.groups.get_mut(group.index());
                if let Some(keyed) = group.and_then(|group| group.keyed.as_mut()) {
                    keyed.lost(node, Some((key, version)), &self.health, now);
                }
            }
            Fact::Wiped { node, group } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    if let Some(keyed) = &mut group.keyed {
                        keyed.lost(node, None, &self.health, now);
                    }
                    group.history.truncated(node, Place::NOWHERE);
                    group.look(&self.health, now);
                }
            }
            Fact::Admits { node, group, yes } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    group.authority.admits(node, yes, &self.health, now);
                    group.look(&self.health, now);
                }
            }
            Fact::Rule { node, group, acks } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    group.degraded.rule(node, acks);
                    group.look(&self.health, now);
                }
            }
            Fact::Authorised { group, holder, .. } => self.authorised(group, holder, now),
            Fact::Ordered { group } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    group.authority.ordered(now);
                }
            }
            Fact::Withdrawn { group, holder } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    group.authority.withdrawn(holder, &self.health, now);
                }
                let fresh = self.episodes.withdrawn(group, now);
                self.begin_episode(fresh, now);
            }
            Fact::Routed { client, resolver, node, .. } => {
                let cell = self.scopes.clients.get(client.index()).map(|client| client.cell);
                if let Some(tail) = cell.and_then(|cell| self.tails.get_mut(cell)) {
                    tail.routed(client, resolver, node, now);
                }
            }
            _ => {}
        }
    }

    /// The facts of the environment.
    fn on_environment(&mut self, fact: &Fact, now: SimTime) {
        match *fact {
            Fact::Down { node, process, .. } | Fact::Up { node, process } => {
                let up = matches!(fact, Fact::Up { .. });
                if self.health.process(node, process, up) {
                    let runs = self.health.runs(node);
                    for group in &mut self.groups {
                        if let Some(member) = group.history.member(node) {
                            member.up = runs;
                            group.look(&self.health, now);
                        }
                    }
                    self.keyed().for_each(|(keyed, health)| keyed.look(health, now));
                }
            }
            Fact::Session { op, user } => {
                let client = self.scopes.clients.get(op.client().index());
                let store = client.and_then(|client| client.store);
                let group = store.map(|store| self.scopes.stores[store].group.index());
                let group = group.and_then(|group| self.groups.get_mut(group));
                if let Some(keyed) = group.and_then(|group| group.keyed.as_mut()) {
                    keyed.sessions.begins(op, user);
                }
            }
            Fact::Link { from, to, up } => {
                self.health.link(from, to, up);
                for group in &mut self.groups {
                    group.authority.look(&self.health, now);
                }
            }
            Fact::Onset { fault } => {
                self.health.onset(fault);
                for elections in self.groups.iter_mut().filter_map(|g| g.elections.as_mut()) {
                    elections.fault(now);
                }
                let fresh = self.episodes.fault(fault, now);
                self.begin_episode(fresh, now);
                self.keyed().for_each(|(keyed, _)| keyed.onset());
            }
            Fact::Hit { fault, node } => {
                self.health.hit(fault, node, now);
                for group in &mut self.groups {
                    group.history.mark(now);
                }
            }
            Fact::Ails { node, yes } => {
                self.health.ails(node, yes);
                for group in &mut self.groups {
                    group.authority.look(&self.health, now);
                }
            }
            Fact::Cleared { fault } => {
                self.health.cleared(fault);
                self.episodes.cleared(now);
                let quiet = self.health.is_quiet();
                self.keyed().for_each(|(keyed, health)| keyed.cleared(quiet, health, now));
            }
            Fact::Settling => self.settling = true,
            _ => {}
        }
    }
}
