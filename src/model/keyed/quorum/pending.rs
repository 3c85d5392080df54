//! The operations that a coordinator has under way, of one kind, by round.

use crate::model::id::{OpId, ProcessId, Version};
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

/// An operation under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Which.
    pub op: OpId,
    /// Whose.
    pub client: ProcessId,
    /// Which attempt of it.
    pub attempt: u8,
    /// Its client has an answer.
    pub answered: bool,
    /// The key.
    pub key: u32,
    /// Payload of the answer.
    pub bytes: u32,
    /// The replicas of the key.
    pub homes: u64,
    /// Those that answered.
    pub heard: u64,
    /// Those that will not: their process does not run.
    pub refused: u64,
    /// What is written, or the newest that was read so far.
    pub version: Version,
    /// Until when answers count.
    pub due: LocalTime,
}

impl Pending {
    /// True when nobody is left to hear of.
    pub(super) fn is_done(&self) -> bool {
        self.heard | self.refused == self.homes
    }
}

/// Operations in the order in which they began, which is that in which their time runs out.
/// Rounds number them.
#[derive(Default, Debug)]
pub(super) struct Line {
    ops: VecDeque<Pending>,
    /// The round of the oldest.
    base: u32,
    /// A timer is under way for what was the oldest when it was armed.
    pub armed: bool,
}

impl Line {
    /// The round of the next one.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        self.base.wrapping_add(self.ops.len() as u32)
    }
    /// Adds it.
    #[inline]
    pub(super) fn push(&mut self, pending: Pending) {
        self.ops.push_back(pending);
    }
    /// The operation of a round, if it is still under way.
    #[inline]
    pub(super) fn get(&mut self, round: u32) -> Option<&mut Pending> {
        self.ops.get_mut(round.wrapping_sub(self.base) as usize)
    }
    /// Forgets the oldest for as long as nobody is left to hear of.
    #[inline]
    pub(super) fn forget_done(&mut self) {
        while self.ops.front().is_some_and(Pending::is_done) {
            self.ops.pop_front();
            self.base = self.base.wrapping_add(1);
        }
    }
    /// When the time of the oldest runs out.
    pub(super) fn due(&self) -> Option<LocalTime> {
        self.ops.front().map(|pending| pending.due)
    }
    /// Takes out the oldest if its time has run out.
    pub(super) fn pop_due(&mut self, now: LocalTime) -> Option<Pending> {
        self.ops.front().filter(|pending| pending.due <= now)?;
        let pending = self.ops.pop_front()?;
        self.base = self.base.wrapping_add(1);
        Some(pending)
    }
    /// All is forgotten, but no round comes twice.
    pub(super) fn crash(&mut self) {
        self.base = self.next();
        self.ops.clear();
        self.armed = false;
    }
}
