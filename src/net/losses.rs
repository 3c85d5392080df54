//! Which packets of a flow are lost, and what the sender knows of it.

use crate::sim::SimTime;

/// An item whose last packet is lost.
#[derive(Clone, Copy, Debug)]
struct Loss {
    seq: u32,
    /// The number of the lost transmission.
    turn: u64,
    /// When the sender learns it from the acknowledgement of a later packet; never, if none.
    due: SimTime,
}

/// The lost packets of one flow, in the order of their items.
#[derive(Clone, Debug)]
pub(super) struct Losses {
    list: Vec<Loss>,
    /// How many the sender has no word of.
    unknown: usize,
    /// No later than the earliest `due`.
    due: SimTime,
}

impl Losses {
    /// None.
    pub(super) fn new() -> Losses {
        Losses { list: Vec::new(), unknown: 0, due: SimTime::MAX }
    }

    /// True when nothing is lost.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Transmission `turn`, of item `seq`, is lost.
    pub(super) fn add(&mut self, seq: u32, turn: u64) {
        let place = self.list.partition_point(|loss| loss.seq < seq);
        self.list.insert(place, Loss { seq, turn, due: SimTime::MAX });
        self.unknown += 1;
    }

    /// At `at` the sender learns of all losses among the transmissions before `turn`.
    pub(super) fn learn(&mut self, turn: u64, at: SimTime) {
        if self.unknown == 0 {
            return;
        }
        for loss in &mut self.list {
            if loss.turn < turn && loss.due == SimTime::MAX {
                loss.due = at;
                self.unknown -= 1;
                self.due = self.due.min(at);
            }
        }
    }

    /// When the sender next learns of a loss, or a little earlier; never, if it will not.
    pub(super) fn next_due(&self) -> SimTime {
        self.due
    }

    /// Moves the items whose loss the sender has learnt by now into `taken`, in order.
    pub(super) fn take_due(&mut self, now: SimTime, taken: &mut Vec<u32>) {
        if self.due > now {
            return;
        }
        self.due = SimTime::MAX;
        let mut earliest = SimTime::MAX;
        self.list.retain(|loss| {
            let stays = loss.due > now;
            match stays {
                true => earliest = earliest.min(loss.due),
                false => taken.push(loss.seq),
            }
            stays
        });
        self.due = earliest;
    }

    /// Removes the oldest item.
    pub(super) fn take_oldest(&mut self) -> Option<u32> {
        let loss = *self.list.first()?;
        self.list.remove(0);
        self.unknown -= usize::from(loss.due == SimTime::MAX);
        Some(loss.seq)
    }

    /// Forgets the items below `seq`.
    pub(super) fn forget_below(&mut self, seq: u32) {
        self.list.retain(|loss| loss.seq >= seq);
        self.unknown = self.list.iter().filter(|loss| loss.due == SimTime::MAX).count();
    }
}
