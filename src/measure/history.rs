//! The histories of one group, rebuilt from facts.
//!
//! A history is a line through a tree of branches; a branch is what one primary wrote in one
//! segment, and begins at a fork point of its parent. Of a branch, the newest entries are kept
//! one by one; what every member holds on disk is folded into blocks of at most
//! [`Limits::block`] entries. Beyond [`Limits::detail`] single entries, the oldest are folded all
//! the same. A block never straddles a place where a member's history ended or a branch began at
//! that time, so that a node may stay dead; should one come back after so long and its history
//! come to end inside a block after all, loss has bounds instead of a value.

use crate::measure::ops::{Op, Place};
use crate::measure::tally::{Entry, State, Tally};
use crate::measure::twins::Twin;
use crate::model::fact::Outcome;
use crate::model::id::{NodeId, OpId, Position, Segment};
use crate::sim::time::SimTime;
use std::collections::{BTreeMap, VecDeque};

/// How much of a history is kept entry by entry.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most entries of one block.
    pub block: u64,
    /// The most single entries of a branch.
    pub detail: u64,
    /// How many of the newest entries of a branch are kept one by one where members may cut off
    /// what their disks have had for long.
    pub recent: u64,
    /// Folding is tried when the number of single entries is a multiple of this.
    pub every: usize,
}

impl Default for Limits {
    /// A quarter of a million entries of 24 bytes; loss in blocks of about a second at most.
    fn default() -> Limits {
        Limits { block: 4096, detail: 1 << 18, recent: 1 << 17, every: 1024 }
    }
}

/// Entries folded together: those after the previous block (or the branch's start) up to `last`.
#[derive(Debug)]
pub struct Block {
    /// The last of them.
    pub last: u64,
    /// What became of them.
    pub tally: Tally,
}

/// What one primary wrote in one segment.
#[derive(Debug)]
pub struct Branch {
    /// The segment.
    pub segment: Segment,
    /// When it began.
    pub began: SimTime,
    /// The last entry it shares with its parent.
    pub parent: Place,
    /// Folded entries, in order.
    pub blocks: Vec<Block>,
    /// The number of the last folded entry, or of the fork point.
    pub folded: u64,
    /// The entries after it, one by one.
    pub entries: VecDeque<Entry>,
    /// How far any disk ever held it.
    pub flushed: u64,
    /// What was written here and then overwritten by its own writer: lost, whoever survives.
    pub overwritten: Tally,
}

impl Branch {
    fn new(segment: Segment, parent: Place, began: SimTime) -> Branch {
        Branch {
            segment,
            began,
            parent,
            blocks: Vec::new(),
            folded: parent.index,
            entries: VecDeque::new(),
            flushed: 0,
            overwritten: Tally::default(),
        }
    }
    /// The number of the last entry.
    pub fn end(&self) -> u64 {
        self.folded + self.entries.len() as u64
    }
    #[inline]
    pub(super) fn entry(&mut self, index: u64) -> Option<&mut Entry> {
        self.entries.get_mut(index.checked_sub(self.folded + 1)? as usize)
    }
}

/// What one member has.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Who.
    pub node: NodeId,
    /// The end of its history in memory.
    pub held: Place,
    /// The end of its durable history.
    pub durable: Place,
    /// True while its database runs.
    pub up: bool,
}

/// The histories of one group.
pub struct History {
    /// All branches, in the order they began.
    pub branches: Vec<Branch>,
    /// All members.
    pub members: Vec<Member>,
    /// Writes appended more than once.
    pub twins: BTreeMap<OpId, Twin>,
    /// Times that loss may be split at: hits and beginnings. Ascending.
    pub(super) marks: Vec<SimTime>,
    in_memory: bool,
    pub(super) limits: Limits,
}

impl History {
    /// Nobody has written yet.
    pub fn new(nodes: &[NodeId], in_memory: bool, limits: Limits) -> History {
        let place = Place::NOWHERE;
        let member = |node: &NodeId| Member { node: *node, held: place, durable: place, up: true };
        History {
            branches: Vec::new(),
            members: nodes.iter().map(member).collect(),
            twins: BTreeMap::new(),
            marks: Vec::new(),
            in_memory,
            limits,
        }
    }

    /// A time at which the cause of a loss may change.
    pub fn mark(&mut self, at: SimTime) {
        if self.marks.last() != Some(&at) {
            self.marks.push(at);
        }
    }

    /// The member on a node.
    #[inline]
    pub fn member(&mut self, node: NodeId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.node == node)
    }

    /// Our place of a position; a segment nobody began yet is taken to stand on its own.
    #[inline]
    pub fn place(&mut self, at: Position, now: SimTime) -> Place {
        match self.branches.last() {
            Some(newest) if newest.segment == at.segment && at.index.0 > 0 => {
                Place { branch: self.branches.len() as u32 - 1, index: at.index.0 }
            }
            _ => self.place_of_older(at, now),
        }
    }

    #[inline(never)]
    fn place_of_older(&mut self, at: Position, now: SimTime) -> Place {
        if at.index.0 == 0 {
            return Place::NOWHERE;
        }
        let known = self.branches.iter().rposition(|branch| branch.segment == at.segment);
        let branch = known.unwrap_or_else(|| {
            self.branches.push(Branch::new(at.segment, Place::NOWHERE, now));
            self.branches.len() - 1
        });
        Place { branch: branch as u32, index: at.index.0 }
    }

    /// A node began a segment on top of `from`. Tells the number of its branch.
    pub fn began(&mut self, node: NodeId, segment: Segment, from: Position, now: SimTime) -> usize {
        self.mark(now);
        let parent = self.place(from, now);
        let known = self.branches.iter().rposition(|branch| branch.segment == segment);
        let branch = known.unwrap_or_else(|| {
            self.branches.push(Branch::new(segment, parent, now));
            self.branches.len() - 1
        });
        if let Some(member) = self.member(node) {
            member.held = Place { branch: branch as u32, index: parent.index };
        }
        branch
    }

    /// A node appended an entry for an operation. `op` is what is known of it.
    pub fn appended(
        &mut self,
        node: NodeId,
        id: OpId,
        op: Option<&mut Op>,
        at: Position,
        now: SimTime,
    ) {
        let place = self.place(at, now);
        let Some(branch) = self.branches.get_mut(place.branch as usize) else { return };
        // A writer that lost the end of its own segment may write it anew.
        while branch.end() >= place.index && !branch.entries.is_empty() {
            if let Some(entry) = branch.entries.pop_back() {
                branch.overwritten.add(&entry, &self.marks);
            }
        }
        if branch.entries.is_empty() && branch.folded + 1 < place.index {
            branch.folded = place.index - 1;
        }
        while branch.end() + 1 < place.index {
            branch.entries.push_back(Entry::foreign());
        }
        let state = match &op {
            None => State::Foreign,
            Some(op) => State::of(op.outcome),
        };
        branch.entries.push_back(Entry { op: id, answered: SimTime::MAX, state });
        let full = branch.entries.len() % self.limits.every == 0;
        if self.in_memory {
            branch.flushed = branch.flushed.max(place.index);
        }
        match op {
            Some(op) if op.entry != Place::NOWHERE => self.append_again(id, op, place),
            Some(op) => op.entry = place,
            None => {}
        }
        let in_memory = self.in_memory;
        if let Some(member) = self.member(node) {
            member.held = place;
            if in_memory {
                member.durable = place;
            }
        }
        if full {
            self.fold(place.branch as usize);
        }
    }

    /// A node answered a write with success.
    pub fn answered(&mut self, id: OpId, place: Place, now: SimTime) {
        let Some(branch) = self.branches.get_mut(place.branch as usize) else { return };
        match branch.entry(place.index) {
            Some(entry) if entry.op != id => {}
            Some(entry) if entry.state == State::Pending => entry.answered = now,
            // Entries of twins do not wait for their outcome to be folded.
            Some(Entry { state: State::Twin, .. }) | None => self.twin_answered(id, place, now),
            Some(_) => {}
        }
    }

    /// True where the entry at a place is known to be of this write.
    pub fn is_entry_of(&mut self, place: Place, id: OpId) -> bool {
        let branch = self.branches.get_mut(place.branch as usize);
        branch.and_then(|branch| branch.entry(place.index)).is_some_and(|entry| entry.op == id)
    }

    /// A write ended. `op` is what was known of it before.
    pub fn concluded(&mut self, id: OpId, op: &Op, outcome: Outcome, now: SimTime) {
        let Some(branch) = self.branches.get_mut(op.entry.branch as usize) else { return };
        let state = State::of(Some(outcome));
        match branch.entry(op.entry.index) {
            Some(entry) if entry.state == State::Pending => {
                entry.state = state;
                if entry.answered == SimTime::MAX {
                    entry.answered = now;
                }
            }
            Some(Entry { state: State::Twin, .. }) | None => self.twin_concluded(id, state),
            Some(_) => {}
        }
    }

    /// A node's durable history now ends here.
    pub fn durable(&mut self, node: NodeId, upto: Place) {
        if let Some(branch) = self.branches.get_mut(upto.branch as usize) {
            branch.flushed = branch.flushed.max(upto.index);
        }
        if let Some(member) = self.member(node) {
            member.durable = upto;
        }
    }

    /// A node's history in memory now ends here.
    pub fn held(&mut self, node: NodeId, upto: Place) {
        if let Some(member) = self.member(node) {
            member.held = upto;
        }
        if self.in_memory {
            self.durable(node, upto);
        }
    }

    /// A node cut its history back.
    pub fn truncated(&mut self, node: NodeId, to: Place) {
        let Some(member) = self.members.iter().position(|member| member.node == node) else {
            return;
        };
        let durable = self.members[member].durable;
        if !self.contains(to, durable) {
            self.members[member].durable = to;
        }
        self.members[member].held = to;
    }

    /// How far the history that ends at `end` goes along a branch; 0 where it does not.
    pub fn reach(&self, end: Place, branch: usize) -> u64 {
        let mut at = end;
        loop {
            if at.branch as usize == branch {
                return at.index;
            }
            let Some(here) = self.branches.get(at.branch as usize) else { return 0 };
            at = Place { branch: here.parent.branch, index: here.parent.index.min(at.index) };
        }
    }

    /// True when the history that ends at `end` contains the one that ends at `other`.
    pub fn contains(&self, end: Place, other: Place) -> bool {
        other.index == 0 || self.reach(end, other.branch as usize) >= other.index
    }
}
