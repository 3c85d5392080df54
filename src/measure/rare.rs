//! What the oracle does with the facts that do not come with every operation.

use crate::measure::ops::Place;
use crate::measure::oracle::Oracle;
use crate::model::fact::Fact;
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
            Fact::Wiped { node, group } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
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
            Fact::Withdrawn { group, holder } => {
                if let Some(group) = self.groups.get_mut(group.index()) {
                    group.authority.withdrawn(holder, &self.health);
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
            }
            Fact::Hit { fault, node } => {
                self.health.hit(fault, node, now);
                for group in &mut self.groups {
                    group.history.mark(now);
                }
            }
            Fact::Cleared { fault } => {
                self.health.cleared(fault);
                self.episodes.cleared(now);
            }
            Fact::Settling => self.settling = true,
            _ => {}
        }
    }
}
