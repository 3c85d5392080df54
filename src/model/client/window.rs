//! The operations in flight: a window over the population's numbering.

use crate::model::client::users::NOBODY;
use crate::model::fact::OpKind;
use crate::model::id::ProcessId;
use crate::sim::time::LocalTime;

/// What an operation in flight is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Its router keeps it waiting; the attempt was never sent.
    Waiting,
    /// Its attempt was sent and nothing is known of it.
    Sent,
    /// Its last attempt ended; the next one begins after a pause.
    Pausing,
    /// It has concluded, and waits here only for older ones.
    Done,
}

/// An operation in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    /// When it began.
    pub invoked: LocalTime,
    /// Through which resolver all its attempts go.
    pub resolver: u32,
    /// Whose it is; [`NOBODY`]'s where it came in an open loop.
    pub user: u32,
    /// The key.
    pub key: u32,
    /// Where its attempt was sent.
    pub target: ProcessId,
    /// Which attempt is under way, or comes after the pause.
    pub attempt: u8,
    /// What it is doing.
    pub state: State,
    /// Read or write.
    pub kind: OpKind,
    /// True once an attempt may have taken effect without our knowing.
    pub unknown: bool,
}

/// Operations from the oldest in flight on. The front is always in flight.
pub(super) struct Window {
    /// A ring by number; its length is a power of two.
    ops: Vec<Op>,
    /// The number of the front.
    base: u64,
    /// The number of the next operation.
    end: u64,
}

impl Window {
    /// What fills unused slots.
    const NOTHING: Op = Op {
        invoked: LocalTime::ZERO,
        resolver: 0,
        user: NOBODY,
        key: 0,
        target: ProcessId(0),
        attempt: 0,
        state: State::Done,
        kind: OpKind::Read,
        unknown: false,
    };

    /// An empty window; the first operation is number 0.
    pub(super) fn new() -> Window {
        Window { ops: vec![Window::NOTHING; 1024], base: 0, end: 0 }
    }
    #[inline]
    fn slot(&self, seq: u64) -> usize {
        seq as usize & (self.ops.len() - 1)
    }
    /// The number that the next operation will have.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.end
    }
    /// Adds the next operation.
    #[inline]
    pub(super) fn push(&mut self, op: Op) {
        if self.end - self.base == self.ops.len() as u64 {
            self.grow();
        }
        let slot = self.slot(self.end);
        self.ops[slot] = op;
        self.end += 1;
    }
    #[cold]
    fn grow(&mut self) {
        let larger = vec![Window::NOTHING; self.ops.len() * 2];
        let smaller = std::mem::replace(&mut self.ops, larger);
        for seq in self.range() {
            let slot = self.slot(seq);
            self.ops[slot] = smaller[seq as usize & (smaller.len() - 1)];
        }
    }
    /// The operation, if it is in flight.
    #[inline]
    pub(super) fn get(&self, seq: u64) -> Option<&Op> {
        if seq.wrapping_sub(self.base) >= self.end - self.base {
            return None;
        }
        Some(&self.ops[self.slot(seq)]).filter(|op| op.state != State::Done)
    }
    /// The operation, if it is in flight.
    #[inline]
    pub(super) fn get_mut(&mut self, seq: u64) -> Option<&mut Op> {
        if seq.wrapping_sub(self.base) >= self.end - self.base {
            return None;
        }
        let slot = self.slot(seq);
        Some(&mut self.ops[slot]).filter(|op| op.state != State::Done)
    }
    /// The operation, if that attempt of it is in that state.
    pub(super) fn attempt(&mut self, seq: u64, attempt: u8, state: State) -> Option<&mut Op> {
        self.get_mut(seq).filter(|op| op.attempt == attempt && op.state == state)
    }
    /// The oldest in flight.
    #[inline]
    pub(super) fn front(&self) -> Option<(u64, &Op)> {
        self.get(self.base).map(|op| (self.base, op))
    }
    /// The numbers that may be in flight.
    #[inline]
    pub(super) fn range(&self) -> std::ops::Range<u64> {
        self.base..self.end
    }
    /// Ends an operation of the range.
    #[inline]
    pub(super) fn remove(&mut self, seq: u64) {
        if seq != self.base {
            let slot = self.slot(seq);
            self.ops[slot].state = State::Done;
            return;
        }
        // The front leaves, and with it those that waited only for it.
        self.base += 1;
        while self.base < self.end && self.ops[self.slot(self.base)].state == State::Done {
            self.base += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_keeps_what_is_in_flight_however_many_wait_for_the_oldest() {
        let mut window = Window::new();
        for seq in 0..5000u64 {
            assert_eq!(window.next(), seq);
            window.push(Op { resolver: seq as u32, state: State::Sent, ..Window::NOTHING });
            if seq > 0 && seq % 7 != 0 {
                window.remove(seq);
            }
        }
        assert_eq!(window.range(), 0..5000);
        assert!((0..5000).all(|seq| match window.get(seq) {
            Some(op) => seq % 7 == 0 && u64::from(op.resolver) == seq,
            None => seq % 7 != 0,
        }));
        window.remove(0);
        assert_eq!(window.front().map(|(seq, _)| seq), Some(7), "the front is in flight");
        assert!(window.get(0).is_none() && window.get(5000).is_none());
    }
}
