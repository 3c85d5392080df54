//! Client operations under way, and those that ended lately.
//!
//! Populations number their operations from zero, so each has a ring indexed by number. What
//! has concluded is kept for a while, so that a late attempt is recognised as the same write.

use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{GroupId, OpId};
use crate::sim::time::SimTime;
use std::collections::VecDeque;

/// How many operations are remembered in all, shared by the populations.
const REMEMBERED: usize = 1 << 17;

/// Where an entry stands: a branch of the group's history, by our number, and its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Which branch; [`Place::NOWHERE`] has none.
    pub branch: u32,
    /// The number of the entry.
    pub index: u64,
}

impl Place {
    /// No place: an empty history.
    pub const NOWHERE: Place = Place { branch: u32::MAX, index: 0 };
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// When it was invoked.
    pub invoked: SimTime,
    /// Where it was appended first.
    pub entry: Place,
    /// Its key.
    pub key: u32,
    /// The bin of time it was invoked in.
    pub bin: u32,
    /// Its store.
    pub group: GroupId,
    /// Read or write.
    pub kind: OpKind,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
}

#[derive(Default)]
struct Ring {
    base: u64,
    ops: VecDeque<Op>,
}

/// The operations of all populations.
pub struct Ops {
    rings: Vec<Ring>,
    keep: usize,
}

impl Ops {
    /// For so many populations.
    pub fn new(clients: usize) -> Ops {
        let keep = (REMEMBERED / clients.max(1)).max(256);
        Ops { rings: (0..clients).map(|_| Ring::default()).collect(), keep }
    }

    /// A new operation. One that is out of turn (never, from the world) is not remembered.
    pub fn invoke(&mut self, id: OpId, op: Op) {
        let Some(ring) = self.rings.get_mut(id.client().index()) else { return };
        if ring.ops.is_empty() {
            ring.base = id.seq();
        }
        if id.seq() != ring.base + ring.ops.len() as u64 {
            return;
        }
        ring.ops.push_back(op);
        while ring.ops.len() > self.keep && ring.ops[0].outcome.is_some() {
            ring.ops.pop_front();
            ring.base += 1;
        }
    }

    /// The operation, if it is under way or ended lately.
    #[inline]
    pub fn get(&mut self, id: OpId) -> Option<&mut Op> {
        let ring = self.rings.get_mut(id.client().index())?;
        let at = id.seq().checked_sub(ring.base)?;
        ring.ops.get_mut(at as usize)
    }
}
