//! Client operations under way, and those that ended lately.
//!
//! Populations number their operations from zero, so each has a ring indexed by number. What
//! has concluded is kept for a while, so that a late attempt is recognised as the same write.

use crate::model::fact::{OpKind, Outcome};
use crate::model::id::{GroupId, OpId};
use crate::sim::time::SimTime;

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

/// A ring of slots, a power of two of them; an operation's slot is its number modulo that.
/// What has ended is overwritten when its slot is needed again.
#[derive(Default)]
struct Ring {
    slots: Vec<(u64, Op)>,
}

impl Ring {
    #[inline]
    fn slot(&self, seq: u64) -> usize {
        (seq as usize) & self.slots.len().wrapping_sub(1)
    }

    /// Makes room, moving everything to where it belongs then.
    #[cold]
    fn grow(&mut self, empty: Op) {
        let wider = (2 * self.slots.len()).max(64);
        let old = std::mem::replace(&mut self.slots, vec![(u64::MAX, empty); wider]);
        for (seq, op) in old {
            if seq != u64::MAX {
                let slot = self.slot(seq);
                self.slots[slot] = (seq, op);
            }
        }
    }
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

    /// A new operation. One of a population nobody knows is not remembered.
    #[inline]
    pub fn invoke(&mut self, id: OpId, op: Op) {
        let Some(ring) = self.rings.get_mut(id.client().index()) else { return };
        loop {
            let wide = 2 * ring.slots.len() > self.keep;
            let slot = ring.slot(id.seq());
            match ring.slots.get_mut(slot) {
                // Free, or ended and to be forgotten.
                Some(place) if place.0 == u64::MAX || (wide && place.1.outcome.is_some()) => {
                    *place = (id.seq(), op);
                    return;
                }
                _ => ring.grow(Op { outcome: None, ..op }),
            }
        }
    }

    /// The operation, if it is under way or ended lately.
    #[inline]
    pub fn get(&mut self, id: OpId) -> Option<&mut Op> {
        let ring = self.rings.get_mut(id.client().index())?;
        let slot = ring.slot(id.seq());
        let (seq, op) = ring.slots.get_mut(slot)?;
        (*seq == id.seq()).then_some(op)
    }
}
