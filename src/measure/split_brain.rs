//! Split-brain incidents: conflicting answers of two nodes.
//!
//! Judged pair by pair of branches: a branch, and an older one that goes on past the point at
//! which their histories part. Only the older side is watched closely, and only once the newer
//! has answered, so a run without split brain costs a comparison per answer. Pairs whose
//! incidents overlap in time are one incident.

use crate::measure::history::History;
use crate::measure::ops::Place;
use crate::measure::verdict::Incident;
use crate::model::id::{GroupId, NodeId};
use crate::sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// A set of keys, in pages of 64, dense where keys are.
#[derive(Clone, Debug, Default)]
struct Keys {
    dense: Vec<u64>,
    sparse: BTreeMap<u32, u64>,
}

impl Keys {
    /// Keys below this are kept in a plain bit field of at most half a megabyte.
    const DENSE: u32 = 1 << 22;

    fn insert(&mut self, key: u32) {
        let (page, bit) = (key >> 6, 1u64 << (key & 63));
        if key >= Keys::DENSE {
            *self.sparse.entry(page).or_default() |= bit;
            return;
        }
        if self.dense.len() <= page as usize {
            self.dense.resize((page as usize + 1).next_power_of_two(), 0);
        }
        self.dense[page as usize] |= bit;
    }
    fn contains(&self, key: u32) -> bool {
        let (page, bit) = (key >> 6, 1u64 << (key & 63));
        let word = if key >= Keys::DENSE {
            self.sparse.get(&page).copied()
        } else {
            self.dense.get(page as usize).copied()
        };
        word.unwrap_or(0) & bit != 0
    }
}

/// Answers on one branch.
#[derive(Debug, Default)]
struct Side {
    first: Option<SimTime>,
    last: SimTime,
    answers: u64,
    keys: Keys,
    nodes: BTreeSet<NodeId>,
    /// The one entered last.
    last_node: Option<NodeId>,
    /// Older branches that have answered in conflict with this one.
    against: Vec<u32>,
}

/// An older branch that went on answering beside a newer one.
#[derive(Debug)]
struct Pair {
    /// The newer side's first answer.
    start: SimTime,
    /// The older side's last answer.
    last_old: SimTime,
    answers_old: u64,
    /// The older side's answers up to the newer side's last.
    answers_old_then: u64,
    /// The newer side's answers up to the older side's last.
    answers_new_then: u64,
    keys_old: Keys,
    /// Keys written on both sides, if the incident ends with the older side's last answer.
    if_new_wins: Both,
    /// The same, if it ends with the newer side's.
    if_old_wins: Both,
}

/// Keys written on both sides up to the last answer of one of them.
#[derive(Clone, Debug, Default)]
struct Both {
    keys: BTreeSet<u32>,
    /// Those the other side wrote since then.
    waiting: BTreeSet<u32>,
}

impl Both {
    /// The side that ends the incident answered.
    fn extend(&mut self) {
        self.keys.append(&mut self.waiting);
    }
}

/// Watches the answers of one group.
#[derive(Debug, Default)]
pub struct SplitBrain {
    sides: Vec<Side>,
    /// By (older branch, newer branch).
    pairs: BTreeMap<(u32, u32), Pair>,
}

impl SplitBrain {
    /// A node answered a write with success.
    #[inline]
    pub fn answered(
        &mut self,
        history: &History,
        node: NodeId,
        place: Place,
        key: Option<u32>,
        now: SimTime,
    ) {
        match &mut self.sides[..] {
            // One branch, and the same node as before: there is nothing to conflict with.
            [only] if history.branches.len() == 1 && only.last_node == Some(node) => {
                only.last = now;
                only.answers += 1;
            }
            _ => self.answered_among(history, node, place, key, now),
        }
    }

    #[inline(never)]
    fn answered_among(
        &mut self,
        history: &History,
        node: NodeId,
        place: Place,
        key: Option<u32>,
        now: SimTime,
    ) {
        let number = place.branch as usize;
        if number >= history.branches.len() {
            return;
        }
        if self.sides.len() < history.branches.len() {
            self.sides.resize_with(history.branches.len(), Side::default);
        }
        for newer in number + 1..self.sides.len() {
            self.against_newer(history, node, place, newer, key, now);
        }
        let side = &mut self.sides[number];
        side.first.get_or_insert(now);
        side.last = now;
        side.answers += 1;
        if side.last_node != Some(node) && side.nodes.len() < 8 {
            side.nodes.insert(node);
            side.last_node = Some(node);
        }
        // The first branch has no older one beside it.
        if let (true, Some(key)) = (number > 0, key) {
            side.keys.insert(key);
        }
        for older in &self.sides[number].against {
            let Some(pair) = self.pairs.get_mut(&(*older, place.branch)) else { continue };
            pair.answers_old_then = pair.answers_old;
            pair.if_old_wins.extend();
            if let Some(key) = key.filter(|key| pair.keys_old.contains(*key)) {
                pair.if_old_wins.keys.insert(key);
                pair.if_new_wins.waiting.insert(key);
            }
        }
    }

    /// An answer on a branch that is not the newest: does it conflict with a newer one?
    fn against_newer(
        &mut self,
        history: &History,
        node: NodeId,
        place: Place,
        newer: usize,
        key: Option<u32>,
        now: SimTime,
    ) {
        let Some(start) = self.sides[newer].first else { return };
        let end = Place { branch: newer as u32, index: u64::MAX };
        let same_node = history.branches[newer].segment.node() == node;
        if same_node || history.reach(end, place.branch as usize) >= place.index {
            return;
        }
        let pair = self.pairs.entry((place.branch, newer as u32)).or_insert_with(|| {
            self.sides[newer].against.push(place.branch);
            Pair {
                start,
                last_old: now,
                answers_old: 0,
                answers_old_then: 0,
                answers_new_then: 0,
                keys_old: Keys::default(),
                if_new_wins: Both::default(),
                if_old_wins: Both::default(),
            }
        });
        let side = &self.sides[newer];
        pair.last_old = now;
        pair.answers_old += 1;
        pair.answers_new_then = side.answers;
        pair.if_new_wins.extend();
        let Some(key) = key else { return };
        pair.keys_old.insert(key);
        if side.keys.contains(key) {
            pair.if_new_wins.keys.insert(key);
            pair.if_old_wins.waiting.insert(key);
        }
    }

    /// The incidents, given the end of the surviving history.
    pub fn incidents(&self, group: GroupId, history: &History, survivor: Place) -> Vec<Incident> {
        let mut found: Vec<Found> = Vec::new();
        for ((old, new), pair) in &self.pairs {
            // The older side won where the survivor goes along it past their fork.
            let fork = history.reach(Place { branch: *new, index: u64::MAX }, *old as usize);
            let old_won = history.reach(survivor, *old as usize) > fork;
            let (older, newer) = (&self.sides[*old as usize], &self.sides[*new as usize]);
            let both = if old_won { &pair.if_old_wins } else { &pair.if_new_wins };
            let keys = both.keys.clone();
            let old_nodes: Vec<NodeId> = older.nodes.iter().copied().collect();
            let new_nodes: Vec<NodeId> = newer.nodes.iter().copied().collect();
            let (winners, losers) =
                if old_won { (old_nodes, new_nodes) } else { (new_nodes, old_nodes) };
            let end = if old_won { newer.last } else { pair.last_old };
            // Each side's answers up to the end of the incident.
            let (answers_old, answers_new) = if old_won {
                (pair.answers_old_then, newer.answers)
            } else {
                (pair.answers_old, pair.answers_new_then)
            };
            let incident = Incident {
                group,
                start: pair.start,
                end,
                winners,
                losers,
                answers_winner: 0,
                answers_loser: 0,
                keys_both: 0,
            };
            let answers =
                BTreeMap::from([((old_won, *old), answers_old), ((!old_won, *new), answers_new)]);
            found.push(Found { incident, keys, answers });
        }
        cluster(found)
    }
}

/// The incident of one pair, or of several that overlap.
struct Found {
    incident: Incident,
    keys: BTreeSet<u32>,
    /// Answers by (on the winning side, branch); a branch may be in several pairs.
    answers: BTreeMap<(bool, u32), u64>,
}

/// Joins incidents that overlap in time.
fn cluster(mut found: Vec<Found>) -> Vec<Incident> {
    found.sort_by_key(|f| (f.incident.start, f.incident.end));
    let mut clusters: Vec<Found> = Vec::new();
    for new in found {
        match clusters.last_mut() {
            Some(last) if new.incident.start <= last.incident.end => {
                last.incident.end = last.incident.end.max(new.incident.end);
                last.incident.winners.extend(new.incident.winners);
                last.incident.losers.extend(new.incident.losers);
                last.keys.extend(new.keys);
                for (side, answers) in new.answers {
                    let known = last.answers.entry(side).or_default();
                    *known = answers.max(*known);
                }
            }
            _ => clusters.push(new),
        }
    }
    let count = |found: &Found, winner: bool| {
        found.answers.iter().filter(|((side, _), _)| *side == winner).map(|(_, n)| *n).sum()
    };
    let finish = |mut found: Found| {
        found.incident.answers_winner = count(&found, true);
        found.incident.answers_loser = count(&found, false);
        found.incident.keys_both = found.keys.len() as u64;
        for nodes in [&mut found.incident.winners, &mut found.incident.losers] {
            nodes.sort_unstable();
            nodes.dedup();
        }
        found.incident
    };
    clusters.into_iter().map(finish).collect()
}
