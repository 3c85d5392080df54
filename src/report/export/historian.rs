//! Listens to a run and keeps the history of one store: who asked what, and what came of it.

use crate::model::fact::{Fact, Observer, OpKind, Outcome};
use crate::model::id::{GroupId, LogIndex, NodeId, OpId, Position, Segment, Version};
use crate::model::roster::Roster;
use crate::sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When.
    pub at: SimTime,
    /// How.
    pub outcome: Outcome,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Who did it.
    pub process: u64,
    /// Which key.
    pub key: u32,
    /// What it wrote; 0 for a read.
    pub value: u64,
    /// When it began.
    pub begin: SimTime,
    /// How it ended; nothing where the run was over before.
    pub end: Option<Ended>,
    /// What a read that ended ok returned: all values its key had had, the last one is its value.
    pub read: Option<Vec<u64>>,
}

impl Operation {
    /// True for a write.
    pub fn writes(&self) -> bool {
        self.value > 0
    }
}

/// What clients of a store did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// In the order in which they began.
    pub operations: Vec<Operation>,
    /// When what happened: the number of an operation, and true where it is its end.
    pub events: Vec<(SimTime, usize, bool)>,
    /// The values in the history of the one node that admits writes in the end. Nothing where there
    /// is none, or are several.
    pub survivor: Option<Vec<u64>>,
    /// When the run was over.
    pub over: SimTime,
    /// True for a store that keeps a version per key: of its lists only the last value is known.
    pub keyed: bool,
}

/// Keeps the history of a store.
pub struct Historian {
    group: GroupId,
    keyed: bool,
    history: History,
    /// Operations by name.
    known: BTreeMap<OpId, usize>,
    /// Processes that may be used, and the first that never was.
    free: BTreeSet<u64>,
    fresh: u64,
    writes: u64,
    /// The entries of each segment: index, and the write.
    entries: BTreeMap<Segment, Vec<(LogIndex, usize)>>,
    /// What each segment was begun on.
    parents: BTreeMap<Segment, Position>,
    /// What nodes answered to reads that are under way: from where, or which version.
    answers: BTreeMap<(OpId, NodeId), Position>,
    versions: BTreeMap<(OpId, NodeId), Version>,
    /// The end of each node's history, and whether it admits writes.
    ends: BTreeMap<NodeId, Position>,
    admits: BTreeSet<NodeId>,
}

impl Historian {
    /// Nothing has happened yet in this store.
    pub fn new(roster: &Roster, group: GroupId) -> Historian {
        let keyed = roster.groups.get(group.index()).is_some_and(|group| group.ring.is_some());
        Historian {
            group,
            keyed,
            history: History { keyed, ..History::default() },
            known: BTreeMap::new(),
            free: BTreeSet::new(),
            fresh: 0,
            writes: 0,
            entries: BTreeMap::new(),
            parents: BTreeMap::new(),
            answers: BTreeMap::new(),
            versions: BTreeMap::new(),
            ends: BTreeMap::new(),
            admits: BTreeSet::new(),
        }
    }

    /// What came of it.
    pub fn history(mut self, over: SimTime) -> History {
        self.history.over = over;
        if let (1, false) = (self.admits.len(), self.keyed) {
            let end = self.admits.first().and_then(|node| self.ends.get(node));
            self.history.survivor = Some(self.lineage(end.copied().unwrap_or_default(), None));
        }
        self.history
    }

    fn begin(&mut self, at: SimTime, op: OpId, kind: OpKind, key: u32) {
        let process = self.free.pop_first().unwrap_or_else(|| {
            self.fresh += 1;
            self.fresh - 1
        });
        let value = if kind == OpKind::Write { self.writes + 1 } else { 0 };
        self.writes = self.writes.max(value);
        let number = self.history.operations.len();
        let (end, read) = (None, None);
        self.history.operations.push(Operation { process, key, value, begin: at, end, read });
        self.history.events.push((at, number, false));
        self.known.insert(op, number);
    }

    fn end(&mut self, at: SimTime, op: OpId, outcome: Outcome, by: Option<NodeId>) {
        let Some(number) = self.known.get(&op).copied() else { return };
        let Operation { process, key, value, .. } = self.history.operations[number];
        if outcome != Outcome::Unknown {
            self.free.insert(process);
        }
        let read = by.filter(|_| value == 0 && outcome == Outcome::Ok).map(|by| {
            let (position, version) = (self.answers.get(&(op, by)), self.versions.get(&(op, by)));
            match (version, position) {
                (Some(version), _) => {
                    let write = self.known.get(&version.op).filter(|_| version.is_some());
                    write.map(|write| self.history.operations[*write].value).into_iter().collect()
                }
                (None, Some(position)) => self.lineage(*position, Some(key)),
                (None, None) => Vec::new(),
            }
        });
        if value == 0 {
            // What other nodes answered to it is of no use any longer.
            let of = (op, NodeId(0))..=(op, NodeId(u16::MAX));
            let told = self.answers.range(of.clone()).map(|(key, _)| *key);
            let told: Vec<_> = told.chain(self.versions.range(of).map(|(key, _)| *key)).collect();
            for key in told {
                self.answers.remove(&key);
                self.versions.remove(&key);
            }
        }
        let operation = &mut self.history.operations[number];
        operation.end = Some(Ended { at, outcome });
        operation.read = read;
        self.history.events.push((at, number, true));
    }

    /// The values in the history that ends at a position, of one key or of all, the oldest first.
    fn lineage(&self, position: Position, key: Option<u32>) -> Vec<u64> {
        let mut found = Vec::new();
        let mut at = Some(position);
        while let Some(Position { segment, index }) = at {
            let entries = self.entries.get(&segment).map_or(&[][..], Vec::as_slice);
            let upto = entries.partition_point(|(entry, _)| *entry <= index);
            for (_, write) in entries[..upto].iter().rev() {
                let write = &self.history.operations[*write];
                if key.is_none_or(|key| key == write.key) {
                    found.push(write.value);
                }
            }
            let parent = self.parents.get(&segment).copied();
            // A history that ends within its parent has nothing of the segment.
            at = parent.map(|parent| Position { index: parent.index.min(index), ..parent });
            at = at.filter(|at| at.index > LogIndex(0) && at.segment != segment);
        }
        found.reverse();
        found
    }

    fn append(&mut self, node: NodeId, op: OpId, at: Position) {
        self.ends.insert(node, at);
        let Some(write) = self.known.get(&op).copied() else { return };
        let entries = self.entries.entry(at.segment).or_default();
        // What is written again was cut back before.
        let upto = entries.partition_point(|(entry, _)| *entry < at.index);
        entries.truncate(upto);
        entries.push((at.index, write));
    }
}

impl Observer for Historian {
    fn on_fact(&mut self, when: SimTime, fact: &Fact) {
        match *fact {
            Fact::Invoked { op, group, kind, key } if group == self.group => {
                self.begin(when, op, kind, key);
            }
            Fact::Concluded { op, outcome, by } => self.end(when, op, outcome, by),
            Fact::Answered { node, group, op, outcome: Outcome::Ok, at } if group == self.group => {
                let number = self.known.get(&op);
                let read = number.is_some_and(|n| {
                    let op = &self.history.operations[*n];
                    !op.writes() && op.end.is_none()
                });
                if read {
                    self.answers.insert((op, node), at);
                }
            }
            Fact::Returned { node, group, op, version } if group == self.group => {
                self.versions.insert((op, node), version);
            }
            Fact::Appended { node, group, op, at } if group == self.group => {
                self.append(node, op, at);
            }
            Fact::Began { node, group, segment, from } if group == self.group => {
                self.parents.insert(segment, from);
                self.ends.entry(node).or_insert(from);
            }
            Fact::Held { node, group, upto } if group == self.group => {
                self.ends.insert(node, upto);
            }
            Fact::Truncated { node, group, to } if group == self.group => {
                self.ends.insert(node, to);
            }
            Fact::Wiped { node, group } if group == self.group => {
                self.ends.insert(node, Position::default());
            }
            Fact::Admits { node, group, yes } if group == self.group => {
                if yes {
                    self.admits.insert(node)
                } else {
                    self.admits.remove(&node)
                };
            }
            _ => {}
        }
    }
}
