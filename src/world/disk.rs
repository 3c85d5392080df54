//! A process's disk: one write at a time, with a delay; void when the process dies or cuts its
//! history back. Faults may slow it.

use crate::model::id::{GroupId, Position};
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{SimTime, Span};

/// A process's disk.
pub(super) struct Disk {
    delay: Dist,
    dice: Stream,
    epoch: u32,
    under_way: Option<(GroupId, Position)>,
    /// What slows it; nothing on most disks.
    slowings: Vec<Slowing>,
    /// The slowed write under way.
    slowed: Option<Slowed>,
}

/// What one fault does to it.
struct Slowing {
    fault: u32,
    factor: f64,
    add: Dist,
    dice: Stream,
}

/// A write that takes longer than it would.
#[derive(Clone, Copy)]
struct Slowed {
    /// How long it would take on a disk that is well.
    well: Span,
    /// When it ends as things are.
    due: SimTime,
}

impl Disk {
    /// A disk whose writes take that long.
    pub(super) fn new(delay: Dist, dice: Stream) -> Disk {
        let (slowings, slowed) = (Vec::new(), None);
        Disk { delay, dice, epoch: 0, under_way: None, slowings, slowed }
    }
    /// Begins a write of all up to here: how long it takes, and its number.
    pub(super) fn begin(&mut self, now: SimTime, group: GroupId, upto: Position) -> (Span, u32) {
        self.epoch = self.epoch.wrapping_add(1);
        self.under_way = Some((group, upto));
        let mut takes = self.delay.sample(&mut self.dice);
        if !self.slowings.is_empty() {
            takes = self.slow_write(now, takes);
        }
        (takes, self.epoch)
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

    /// A fault begins to slow it: writes that begin from now on take `factor` times as long, and
    /// a draw of `add` more. Several faults multiply and add up.
    pub(super) fn slow(&mut self, fault: u32, factor: f64, add: Dist, dice: Stream) {
        self.slowings.push(Slowing { fault, factor, add, dice });
        // In this order they compose, whatever order they began in.
        self.slowings.sort_by_key(|slowing| slowing.fault);
    }
    /// The fault clears. A write that it held up is finished as if it began now: how long that
    /// takes, and its new number; nothing where it ends earlier anyway.
    pub(super) fn unslow(&mut self, fault: u32, now: SimTime) -> Option<(Span, u32)> {
        self.slowings.retain(|slowing| slowing.fault != fault);
        let Slowed { well, due } = self.slowed.take().filter(|_| self.under_way.is_some())?;
        let takes = self.slow_write(now, well);
        if now.saturating_add(takes) >= due {
            self.slowed = Some(Slowed { well, due });
            return None;
        }
        self.epoch = self.epoch.wrapping_add(1);
        Some((takes, self.epoch))
    }

    /// How long a write takes that would take `well`.
    #[cold]
    fn slow_write(&mut self, now: SimTime, well: Span) -> Span {
        let mut takes = well.as_nanos() as f64;
        let mut more = Span::ZERO;
        for slowing in &mut self.slowings {
            takes *= slowing.factor;
            more = more.saturating_add(slowing.add.sample(&mut slowing.dice));
        }
        // Saturates: a float that does not fit becomes the largest number.
        let takes = Span::from_nanos(takes as u64).saturating_add(more);
        self.slowed = Some(Slowed { well, due: now.saturating_add(takes) });
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::dist::DistSpec;
    use crate::sim::rng::{Label, Streams};

    fn ms(n: u64) -> Span {
        Span::from_millis(n)
    }
    fn at(n: u64) -> SimTime {
        SimTime::ZERO + ms(n)
    }
    fn dice() -> Stream {
        Streams::new(1, 0).stream(Label::new("disk"))
    }
    fn constant(n: u64) -> Dist {
        Dist::new(&DistSpec::Constant(ms(n)))
    }
    fn write(disk: &mut Disk, now: u64) -> (Span, u32) {
        disk.begin(at(now), GroupId(0), Position::default())
    }

    #[test]
    fn factors_multiply_and_delays_add_and_clearing_takes_them_back() {
        let mut disk = Disk::new(constant(2), dice());
        assert_eq!(write(&mut disk, 0).0, ms(2));
        disk.slow(2, 10.0, constant(0), dice());
        assert_eq!(write(&mut disk, 0).0, ms(20));
        disk.slow(1, 1.5, constant(7), dice());
        assert_eq!(write(&mut disk, 0).0, ms(2 * 15 + 7));
        disk.unslow(2, at(0));
        assert_eq!(write(&mut disk, 0).0, ms(2 * 15 / 10 + 7));
        disk.unslow(1, at(0));
        assert_eq!(write(&mut disk, 0).0, ms(2));
        disk.slow(2, 10.0, constant(0), dice());
        assert_eq!(write(&mut disk, 0).0, ms(20), "it may come back");
    }

    #[test]
    fn a_write_that_hangs_ends_soon_after_the_fault_clears() {
        let mut disk = Disk::new(constant(2), dice());
        disk.slow(1, 1.0, constant(3_600_000), dice());
        let (takes, epoch) = write(&mut disk, 0);
        assert_eq!(takes, ms(3_600_002));
        let (takes, again) = disk.unslow(1, at(500)).expect("it is held up");
        assert_eq!(takes, ms(2));
        assert!(disk.end(epoch).is_none() && disk.end(again).is_some());
        // One that is nearly done ends when it was to end.
        disk.slow(1, 10.0, constant(0), dice());
        let (_, epoch) = write(&mut disk, 1_000);
        assert_eq!(disk.unslow(1, at(1_019)), None);
        assert!(disk.end(epoch).is_some());
        // And one that died with its process does not come back.
        disk.slow(1, 10.0, constant(0), dice());
        write(&mut disk, 2_000);
        disk.void();
        assert_eq!(disk.unslow(1, at(2_001)), None);
    }

    #[test]
    fn a_slow_disk_takes_no_draw_of_the_disk_that_is_well() {
        let uniform = || Dist::new(&DistSpec::uniform(ms(1), ms(9)));
        let (mut well, mut ill) = (Disk::new(uniform(), dice()), Disk::new(uniform(), dice()));
        ill.slow(1, 1.0, uniform(), Streams::new(1, 0).stream(Label::new("fault")));
        for _ in 0..10 {
            write(&mut well, 0);
            write(&mut ill, 0);
        }
        ill.unslow(1, at(0));
        assert_eq!(write(&mut well, 0).0, write(&mut ill, 0).0);
    }
}
