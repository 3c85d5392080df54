//! Which history survived.

use crate::measure::history::History;
use crate::measure::ops::Place;
use crate::model::id::NodeId;

/// How the survivor was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It answered the last acknowledged write of settling, or admits writes in the end.
    Settled,
    /// Nobody did: it is the most advanced disk that could restart.
    Provisional,
    /// Two nodes did, and neither history contains the other.
    Unresolved,
}

/// The survivor, or those that may be.
#[derive(Clone, PartialEq, Debug)]
pub struct Survivor {
    /// How it was found.
    pub standing: Standing,
    /// The ends of the histories that may be the survivor; one unless unresolved.
    pub ends: Vec<Place>,
}

/// What is known at the end of the run.
pub struct Ending<'a> {
    /// Who answered the last write that was acknowledged in settling.
    pub last_answer: Option<NodeId>,
    /// Who admits writes.
    pub admitting: &'a [NodeId],
    /// Whose disk could still be started.
    pub restartable: &'a dyn Fn(NodeId) -> bool,
}

/// Finds the survivor.
pub fn find(history: &History, ending: &Ending) -> Survivor {
    let mut ends: Vec<Place> = Vec::new();
    let mut standing = Standing::Settled;
    for node in ending.last_answer.iter().chain(ending.admitting) {
        let Some(member) = history.members.iter().find(|member| member.node == *node) else {
            continue;
        };
        // A running process has not lost its memory; of a dead one only the disk remains.
        let end = if member.up { member.held } else { member.durable };
        if ends.iter().any(|other| history.contains(*other, end)) {
            continue;
        }
        ends.retain(|other| !history.contains(end, *other));
        ends.push(end);
    }
    if ends.len() > 1 {
        standing = Standing::Unresolved;
    }
    if ends.is_empty() {
        standing = Standing::Provisional;
        let disks = history.members.iter().filter(|member| (ending.restartable)(member.node));
        let rank = |place: &Place| {
            let term = history.branches.get(place.branch as usize).map(|b| b.segment.term());
            (term, place.index)
        };
        ends.push(disks.map(|member| member.durable).max_by_key(rank).unwrap_or(Place::NOWHERE));
    }
    Survivor { standing, ends }
}
