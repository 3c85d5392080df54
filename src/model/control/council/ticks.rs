//! The moments at which a member looks: a grid of its own. Between them it may sleep, so that a
//! calm member costs nothing.

use crate::sim::Span;
use crate::sim::time::LocalTime;

/// A grid of moments.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    every: Span,
    phase: Span,
}

impl Ticks {
    /// A grid that begins at `phase`.
    pub fn new(every: Span, phase: Span) -> Ticks {
        Ticks { every: every.max(Span::from_nanos(1)), phase }
    }
    /// The first moment of the grid that is later than `now` and not before `due`.
    pub fn next(&self, now: LocalTime, due: LocalTime) -> LocalTime {
        let after = due.as_nanos().max(now.as_nanos().saturating_add(1));
        let (every, phase) = (self.every.as_nanos(), self.phase.as_nanos());
        let steps = after.saturating_sub(phase).div_ceil(every);
        LocalTime::from_nanos(phase.saturating_add(steps.saturating_mul(every)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_lies_on_the_grid_and_is_never_now() {
        let ticks = Ticks::new(Span::from_nanos(100), Span::from_nanos(30));
        let next = |now, due| {
            ticks.next(LocalTime::from_nanos(now), LocalTime::from_nanos(due)).as_nanos()
        };
        assert_eq!(next(0, 0), 30);
        assert_eq!(next(30, 30), 130);
        assert_eq!(next(30, 130), 130);
        assert_eq!(next(30, 131), 230);
        assert_eq!(next(500, 0), 530);
    }
}
