//! Timers that count ticks: each member has its own phase.

use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span};

/// The ticks of one member. They go on through crashes: the phase is that of its host's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    length: u64,
    /// Ticks come when the local clock reads this, modulo the length.
    phase: u64,
    /// The phase counts from the start of the run: the clock's reading then is not known before.
    begun: bool,
}

impl Ticks {
    /// The first one comes after `phase`, or whenever the dice say.
    pub(super) fn new(length: Span, phase: Option<Span>, dice: &mut Stream) -> Ticks {
        let length = length.as_nanos().max(1);
        let phase = phase.map_or_else(|| dice.below(length), |phase| phase.as_nanos() % length);
        Ticks { length, phase, begun: false }
    }
    /// The process starts for the first time.
    pub(super) fn begin(&mut self, now: LocalTime) {
        if !self.begun {
            self.begun = true;
            self.phase = (self.phase + now.as_nanos() % self.length) % self.length;
        }
    }
    /// From `from` until the n-th tick after it.
    pub(super) fn nth(&self, n: u64, from: LocalTime) -> Span {
        let into = (from.as_nanos() % self.length + self.length - self.phase) % self.length;
        let next = self.length - into;
        Span::from_nanos(next.saturating_add(self.length.saturating_mul(n.saturating_sub(1))))
    }
    /// How many ticks a length is, at least one.
    pub(super) fn count(&self, length: Span) -> u64 {
        length.as_nanos().div_ceil(self.length).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Label, Streams};

    #[test]
    fn a_timeout_of_ten_ticks_is_over_with_the_tenth() {
        let mut dice = Streams::new(1, 0).stream(Label::new("ticks"));
        let ms = Span::from_millis;
        let mut ticks = Ticks::new(ms(100), Some(ms(30)), &mut dice);
        let start = LocalTime::from_nanos(7_000_000_000);
        ticks.begin(start);
        assert_eq!(ticks.nth(1, start), ms(30));
        assert_eq!(ticks.nth(10, start), ms(930));
        assert_eq!(ticks.nth(1, start + ms(30)), ms(100), "the one of that moment is over");
        assert_eq!(ticks.nth(2, start + ms(31)), ms(199));
        assert_eq!((ticks.count(ms(1_000)), ticks.count(ms(1_050))), (10, 11));
    }
}
