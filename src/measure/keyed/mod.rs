//! The judge of a store with versions per key: what reads missed, which writes were lost, and
//! when all replicas had it all.
//!
//! The order of versions is that of the clients: a write that was invoked when another had ended
//! is the newer of the two, whatever stamps they have. Of two that overlapped, the one with the
//! larger stamp is.
//!
//! Memory: per key what each member has, and at most [`KEPT`] versions; per user the last
//! versions of at most [`KEYS`] keys; reads under way.

mod converge;
mod key;
mod reads;
mod sessions;

pub use converge::Convergence;
pub use key::{KEPT, Key, Seen};
pub use reads::{Curve, Reads};
pub use sessions::{KEYS, Sessions};

use crate::measure::health::Health;
use crate::measure::ops::{Op, Ops};
use crate::measure::settings::Settings;
use crate::model::fact::Outcome;
use crate::model::id::{NodeId, OpId, Version};
use crate::model::keyed::Ring;
use crate::sim::time::{SimTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The judge of one such store.
pub struct Keyed {
    ring: Arc<Ring>,
    members: Vec<NodeId>,
    /// By key: its place in `keys`, plus one; zero where it was never touched.
    places: Vec<u32>,
    keys: Vec<Key>,
    /// What answers to reads under way carried, by read and by who answered.
    answers: BTreeMap<(OpId, NodeId), Version>,
    /// Reads of each population.
    pub reads: Vec<Reads>,
    /// What users saw.
    pub sessions: Sessions,
    /// When all replicas had it all.
    pub convergence: Convergence,
    /// Acknowledged writes that overlapped with another one of their key.
    pub concurrent: u64,
    /// Acknowledged writes that an older one, or one that overlapped, took the place of.
    pub overwritten: u64,
    marks: Arc<[Span]>,
    warmup: SimTime,
}

impl Keyed {
    /// Nothing was written.
    pub fn new(
        ring: Arc<Ring>,
        members: &[NodeId],
        clients: usize,
        settings: &Settings,
        warmup: SimTime,
    ) -> Keyed {
        let marks: Arc<[Span]> = settings.visibility_marks.clone().into();
        Keyed {
            ring,
            members: members.to_vec(),
            places: Vec::new(),
            keys: Vec::new(),
            answers: BTreeMap::new(),
            reads: (0..clients).map(|_| Reads::new(marks.len(), settings.latency_digits)).collect(),
            sessions: Sessions::new(clients),
            convergence: Convergence::default(),
            concurrent: 0,
            overwritten: 0,
            marks,
            warmup,
        }
    }

    /// Where the marks of the curve of visibility stand.
    pub fn marks(&self) -> &[Span] {
        &self.marks
    }

    fn place(&mut self, key: u32) -> usize {
        let at = key as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, 0);
        }
        if self.places[at] == 0 {
            self.keys.push(Key::new(self.members.len(), self.ring.homes(key)));
            self.places[at] = self.keys.len() as u32;
        }
        self.places[at] as usize - 1
    }

    fn member(&self, node: NodeId) -> Option<usize> {
        self.members.iter().position(|member| *member == node)
    }

    /// A node takes a version into account.
    pub fn installed(
        &mut self,
        node: NodeId,
        key: u32,
        version: Version,
        ops: &mut Ops,
        (health, now): (&Health, SimTime),
    ) {
        let Some(member) = self.member(node) else { return };
        let place = self.place(key);
        let here = &mut self.keys[place];
        if !here.knows(version) {
            // An operation forgotten by now began long ago.
            let op = ops.get(version.op);
            let invoked = op.as_ref().map_or(SimTime::ZERO, |op| op.invoked);
            let ended = op.is_none_or(|op| op.outcome.is_some()).then_some(now);
            self.overwritten += here.appears(Seen { version, invoked, ended });
        }
        here.installed(member, version);
        let live = live(&self.members, health);
        self.convergence.changed(place, &mut self.keys, live, now);
    }

    /// A crash took versions from a node: this is what is left of one key, or nothing of any.
    pub fn lost(
        &mut self,
        node: NodeId,
        key: Option<(u32, Version)>,
        health: &Health,
        now: SimTime,
    ) {
        let Some(member) = self.member(node) else { return };
        let places = match key {
            Some((key, _)) => {
                let place = self.place(key);
                place..place + 1
            }
            None => 0..self.keys.len(),
        };
        let version = key.map_or(Version::NOTHING, |(_, version)| version);
        let live = live(&self.members, health);
        for place in places {
            self.keys[place].reverted(member, version);
            self.convergence.changed(place, &mut self.keys, live, now);
        }
    }

    /// An answer to a read is on its way.
    pub fn returned(&mut self, node: NodeId, id: OpId, version: Version, ops: &mut Ops) {
        if ops.get(id).is_some_and(|op| op.outcome.is_none()) {
            self.answers.insert((id, node), version);
        }
    }

    /// A write ended.
    pub fn write_concluded(&mut self, id: OpId, op: &Op, outcome: Outcome, now: SimTime) {
        let user = self.sessions.take(id);
        let place = self.place(op.key);
        let here = &mut self.keys[place];
        if outcome != Outcome::Ok {
            return here.ended(id, now);
        }
        let found = here.acknowledged(id, op.invoked, now);
        self.concurrent += found.concurrent;
        self.overwritten += found.overwritten;
        if let (Some(user), Some(seen)) = (user, here.seen(found.version)) {
            self.sessions.wrote(id.client(), user, op.key, seen);
        }
    }

    /// A read ended.
    pub fn read_concluded(&mut self, id: OpId, op: &Op, by: Option<NodeId>) {
        let user = self.sessions.take(id);
        let mut version = None;
        let mut next = self.answers.range((id, NodeId(0))..).next().map(|(key, _)| *key);
        while let Some(key) = next.filter(|(op, _)| *op == id) {
            let answer = self.answers.remove(&key);
            version = if Some(key.1) == by { answer } else { version };
            next = self.answers.range(key..).next().map(|(key, _)| *key);
        }
        let (Some(version), Some(Outcome::Ok)) = (version, op.outcome) else { return };
        let place = self.place(op.key);
        let here = &self.keys[place];
        let seen = here.seen(version);
        if let Some(user) = user {
            self.sessions.read(id.client(), user, op.key, seen, op.invoked);
        }
        if op.invoked >= self.warmup
            && let Some(reads) = self.reads.get_mut(id.client().index())
        {
            reads.count(here, version, op.invoked, &self.marks);
        }
    }

    /// Keys on which members that run differ, and acknowledged writes newer than all that any
    /// member, running or to be started again, has of their key.
    pub fn ending(&self, health: &Health) -> (u64, u64) {
        let runs = live(&self.members, health);
        let kept = mask(&self.members, |node| health.restartable(node));
        let differ = self.keys.iter().filter(|key| key.differs(runs)).count();
        let gone = self.keys.iter().map(|key| key.gone(kept)).sum();
        (differ as u64, gone)
    }

    /// A fault began.
    pub fn onset(&mut self) {
        self.convergence.onset(&mut self.keys);
    }
    /// A fault ended; `quiet` when no other one acts that will end.
    pub fn cleared(&mut self, quiet: bool, health: &Health, now: SimTime) {
        if quiet {
            self.convergence.cleared(now);
            self.look(health, now);
        }
    }
    /// A node stopped or runs again.
    pub fn look(&mut self, health: &Health, now: SimTime) {
        self.convergence.look(&mut self.keys, live(&self.members, health), now);
    }
}

fn mask(members: &[NodeId], passes: impl Fn(NodeId) -> bool) -> u64 {
    let hits = members.iter().enumerate().filter(|(_, node)| passes(**node));
    hits.fold(0, |set, (i, _)| set | 1 << i)
}

fn live(members: &[NodeId], health: &Health) -> u64 {
    mask(members, |node| health.runs(node))
}
