//! A process's disk: one write at a time, with a delay; void when the process dies or cuts its
//! history back.

use crate::model::id::{GroupId, Position};
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::Span;

/// A process's disk.
pub(super) struct Disk {
    delay: Dist,
    dice: Stream,
    epoch: u32,
    under_way: Option<(GroupId, Position)>,
}

impl Disk {
    /// A disk whose writes take that long.
    pub(super) fn new(delay: Dist, dice: Stream) -> Disk {
        Disk { delay, dice, epoch: 0, under_way: None }
    }
    /// Begins a write of all up to here: how long it takes, and its number.
    pub(super) fn begin(&mut self, group: GroupId, upto: Position) -> (Span, u32) {
        self.epoch = self.epoch.wrapping_add(1);
        self.under_way = Some((group, upto));
        (self.delay.sample(&mut self.dice), self.epoch)
    }
    /// Ends that write, unless it is void: what is now on the disk.
    pub(super) fn end(&mut self, epoch: u32) -> Option<(GroupId, Position)> {
        if epoch == self.epoch { self.under_way.take() } else { None }
    }
    /// The write under way will not end.
    pub(super) fn void(&mut self) {
        self.under_way = None;
        self.epoch = self.epoch.wrapping_add(1);
    }
}
