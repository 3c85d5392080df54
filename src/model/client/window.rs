//! The operations in flight: a window over the population's numbering.

use crate::model::fact::OpKind;
use crate::model::id::ProcessId;
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

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
    ops: VecDeque<Op>,
    /// The number of the front.
    base: u64,
}

impl Window {
    /// An empty window; the first operation is number 0.
    pub(super) fn new() -> Window {
        Window { ops: VecDeque::with_capacity(1024), base: 0 }
    }
    /// Adds the next operation and returns its number.
    #[inline]
    pub(super) fn push(&mut self, op: Op) -> u64 {
        self.ops.push_back(op);
        self.base + self.ops.len() as u64 - 1
    }
    /// The operation, if it is in flight.
    #[inline]
    pub(super) fn get(&self, seq: u64) -> Option<&Op> {
        self.ops.get(seq.wrapping_sub(self.base) as usize).filter(|op| op.state != State::Done)
    }
    /// The operation, if it is in flight.
    #[inline]
    pub(super) fn get_mut(&mut self, seq: u64) -> Option<&mut Op> {
        let op = self.ops.get_mut(seq.wrapping_sub(self.base) as usize);
        op.filter(|op| op.state != State::Done)
    }
    /// The operation, if that attempt of it is in that state.
    #[inline]
    pub(super) fn attempt(&mut self, seq: u64, attempt: u8, state: State) -> Option<&mut Op> {
        self.get_mut(seq).filter(|op| op.attempt == attempt && op.state == state)
    }
    /// The oldest in flight.
    #[inline]
    pub(super) fn front(&self) -> Option<(u64, &Op)> {
        self.ops.front().map(|op| (self.base, op))
    }
    /// The numbers that may be in flight.
    pub(super) fn range(&self) -> std::ops::Range<u64> {
        self.base..self.base + self.ops.len() as u64
    }
    /// Ends an operation.
    #[inline]
    pub(super) fn remove(&mut self, seq: u64) {
        if let Some(op) = self.get_mut(seq) {
            op.state = State::Done;
        }
        while self.ops.front().is_some_and(|op| op.state == State::Done) {
            self.ops.pop_front();
            self.base += 1;
        }
    }
}
