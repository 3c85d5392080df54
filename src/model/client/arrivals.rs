//! An open loop: when operations begin, whatever becomes of earlier ones.

use crate::model::client::curve::{Curve, LoadParams};
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
        load: Option<&LoadParams>,
        streams: &Streams,
        population: Label,
        word: &str,
    ) -> Lane {
        let dice = |purpose: &str| streams.stream(population.with(purpose).with(word));
        Lane {
            kind,
            arrivals: OpenLoop::new(params, load, dice("arrivals")),
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
    /// True when the next moment is not simply that of the pattern.
    special: bool,
    /// The start of the run, and how the rate varies from then on.
    origin: LocalTime,
    curve: Option<Box<Curve>>,
}

impl OpenLoop {
    /// The loop that the parameters state, from `start` on.
    pub(super) fn new(params: &ArrivalParams, load: Option<&LoadParams>, dice: Stream) -> OpenLoop {
        let rate = if params.per_second > 0.0 { params.per_second } else { 0.0 };
        let mean = nanos(1e9 / rate * (1u64 << FINER) as f64);
        OpenLoop {
            pattern: params.arrival,
            dice,
            interval: 1e9 / rate,
            mean,
            phase: LocalTime::ZERO,
            count: 0,
            last: LocalTime::ZERO,
            special: mean == Span::MAX || load.is_some(),
            origin: LocalTime::ZERO,
            curve: load.map(|load| Box::new(Curve::new(load))),
        }
    }
    /// The run starts now, and the population so much later.
    pub(super) fn start(&mut self, now: LocalTime, from: Span) {
        self.origin = now;
        self.last = now.saturating_add(from);
        if self.pattern == Arrival::Constant && self.interval.is_finite() {
            self.phase = self.last.saturating_add(nanos(self.dice.unit() * self.interval));
        }
        if let Some(curve) = &mut self.curve {
            curve.begin(from.as_nanos());
        }
    }
    /// The next moment; [`LocalTime::MAX`] when there is none.
    #[inline]
    pub(super) fn next(&mut self) -> LocalTime {
        if self.special { self.next_special() } else { self.step() }
    }
    #[cold]
    #[inline(never)]
    fn next_special(&mut self) -> LocalTime {
        if self.mean == Span::MAX {
            return LocalTime::MAX;
        }
        let before = self.last;
        let work = self.step().since(before);
        let due = self.curve.as_mut().and_then(|curve| curve.after(work));
        due.map_or(LocalTime::MAX, |due| self.origin.saturating_add(Span::from_nanos(due)))
    }
    /// The next moment, if the rate did not vary.
    #[inline]
    fn step(&mut self) -> LocalTime {
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
    use crate::model::client::curve::PointParams;

    fn begin(arrival: Arrival, per_second: f64) -> OpenLoop {
        let dice = Streams::new(7, 0).stream(Label::new("arrivals"));
        let mut open = OpenLoop::new(&ArrivalParams { arrival, per_second }, None, dice);
        open.start(LocalTime::ZERO, Span::ZERO);
        open
    }

    /// The same moments on a curve that doubles the rate from 1 s on.
    #[test]
    fn a_curve_moves_the_moments_and_nothing_else() {
        let point = |at, factor| PointParams { at: Span::from_secs(at), factor };
        let curve = vec![point(1, 1.0), point(1, 2.0)];
        let load = LoadParams { curve, ..LoadParams::default() };
        for arrival in [Arrival::Poisson, Arrival::Constant] {
            let params = ArrivalParams { arrival, per_second: 100.0 };
            let dice = Streams::new(7, 0).stream(Label::new("arrivals"));
            let (mut plain, mut curved) =
                (begin(arrival, 100.0), OpenLoop::new(&params, Some(&load), dice));
            curved.start(LocalTime::ZERO, Span::ZERO);
            for _ in 0..1_000 {
                let (plain, curved) = (plain.next().as_nanos(), curved.next().as_nanos());
                let second = 1_000_000_000;
                let expected = plain.min(second) + plain.saturating_sub(second) / 2;
                assert!(curved.abs_diff(expected) <= 1, "{curved}, not {expected}");
            }
        }
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
