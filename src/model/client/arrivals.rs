//! An open loop: when operations begin, whatever becomes of earlier ones.

use crate::model::client::{Arrival, ArrivalParams};
use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::fact::OpKind;
use crate::sim::Span;
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::LocalTime;

/// The next operation begins; the argument is the lane.
pub(super) const ARRIVAL: u16 = 0;

/// Writes or reads: when they begin and what they touch, each from dice of its own, so that a
/// scenario without reads has the same writes.
pub(super) struct Lane {
    /// Which of the two.
    pub kind: OpKind,
    /// When they begin.
    pub arrivals: OpenLoop,
    /// For keys.
    pub keys: Stream,
    /// For the resolver of each.
    pub resolvers: Stream,
    /// From when on nothing more begins.
    pub until: LocalTime,
}

impl Lane {
    /// The lane whose dice are named `population`, what for, `word`.
    pub(super) fn new(
        kind: OpKind,
        params: &ArrivalParams,
        streams: &Streams,
        population: Label,
        word: &str,
    ) -> Lane {
        let dice = |purpose: &str| streams.stream(population.with(purpose).with(word));
        Lane {
            kind,
            arrivals: OpenLoop::new(params, dice("arrivals")),
            keys: dice("keys"),
            resolvers: dice("resolver"),
            until: LocalTime::MAX,
        }
    }
    /// Arms the timer for the next operation of this lane, which has that number.
    #[inline]
    pub(super) fn await_next(&mut self, number: u32, ctx: &mut Ctx<'_>) {
        let next = self.arrivals.next();
        if next < self.until {
            let timer = Timer::nth(ARRIVAL, number);
            ctx.effect(Effect::Wake { timer, after: next.since(ctx.now()) });
        }
    }
}

/// Bits of a nanosecond's parts. Where operations begin less than once in twelve days on
/// average, nothing ever begins.
const FINER: u32 = 14;

/// A sequence of moments. They are counted from each other, not from when a timer was heard, so
/// that nothing that happens in between moves them.
pub(super) struct OpenLoop {
    pattern: Arrival,
    dice: Stream,
    /// Nanoseconds between two, on average; infinite when nothing ever begins.
    interval: f64,
    /// The same in parts of 2^-`FINER` nanoseconds: a mean in whole ones would be off by a
    /// percent at the highest rates.
    mean: Span,
    /// Of a constant rhythm: its first moment, and how many have been.
    phase: LocalTime,
    count: u64,
    last: LocalTime,
}

impl OpenLoop {
    /// The loop that the parameters state, from `start` on.
    pub(super) fn new(params: &ArrivalParams, dice: Stream) -> OpenLoop {
        let rate = if params.per_second > 0.0 { params.per_second } else { 0.0 };
        OpenLoop {
            pattern: params.arrival,
            dice,
            interval: 1e9 / rate,
            mean: nanos(1e9 / rate * (1u64 << FINER) as f64),
            phase: LocalTime::ZERO,
            count: 0,
            last: LocalTime::ZERO,
        }
    }
    /// The population starts now.
    pub(super) fn start(&mut self, now: LocalTime) {
        self.last = now;
        if self.pattern == Arrival::Constant && self.interval.is_finite() {
            self.phase = now.saturating_add(nanos(self.dice.unit() * self.interval));
        }
    }
    /// The next moment; [`LocalTime::MAX`] when there is none.
    #[inline]
    pub(super) fn next(&mut self) -> LocalTime {
        if self.mean == Span::MAX {
            return LocalTime::MAX;
        }
        self.last = match self.pattern {
            Arrival::Poisson => {
                let draw = self.dice.exponential(self.mean).as_nanos();
                self.last.saturating_add(Span::from_nanos(draw >> FINER))
            }
            Arrival::Constant => {
                let since = nanos(self.count as f64 * self.interval);
                self.count += 1;
                self.phase.saturating_add(since)
            }
        };
        self.last
    }
}

/// The nearest whole number of nanoseconds.
#[inline]
fn nanos(length: f64) -> Span {
    Span::from_nanos((length + 0.5) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(arrival: Arrival, per_second: f64) -> OpenLoop {
        let dice = Streams::new(7, 0).stream(Label::new("arrivals"));
        let mut open = OpenLoop::new(&ArrivalParams { arrival, per_second }, dice);
        open.start(LocalTime::ZERO);
        open
    }

    #[test]
    fn a_constant_rhythm_keeps_its_beat_for_ever_from_a_random_phase() {
        let mut open = begin(Arrival::Constant, 3.0);
        let first = open.next();
        assert!(first < LocalTime::from_nanos(333_333_334));
        for _ in 0..2_999_999 {
            open.next();
        }
        let million_seconds = open.next().since(first);
        assert_eq!(million_seconds, Span::from_secs(1_000_000), "3 million intervals of a third");
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_variance_of_the_exponential() {
        let mut open = begin(Arrival::Poisson, 1000.0);
        let (mut last, mut sum, mut squares) = (LocalTime::ZERO, 0.0, 0.0);
        for _ in 0..100_000 {
            let next = open.next();
            let gap = next.since(last).as_millis_f64();
            (last, sum, squares) = (next, sum + gap, squares + gap * gap);
        }
        let mean = sum / 1e5;
        assert!((mean - 1.0).abs() < 0.013, "four standard errors of 1/sqrt(100000): {mean}");
        assert!((squares / 1e5 - 2.0).abs() < 0.06, "E[X^2] = 2 for a mean of 1");
    }

    #[test]
    fn a_rate_of_nothing_never_begins() {
        assert_eq!(begin(Arrival::Poisson, 0.0).next(), LocalTime::MAX);
        assert_eq!(begin(Arrival::Constant, -1.0).next(), LocalTime::MAX);
    }
}
