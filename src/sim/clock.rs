//! A node's two clocks: one that never steps, and one that people set.
//!
//! Both run on the same crystal, so drift moves both; a step moves the wall clock only. All
//! arithmetic is whole: readings do not depend on a platform's floats.

use crate::sim::time::{LocalTime, SimTime, Span, WallTime};

const BILLION: i128 = 1_000_000_000;

/// The drift a clock may have, either way: half its speed. Real crystals stay below 200 ppm,
/// 200,000 ppb; more than that is a fault.
pub const LIMIT_DRIFT_PPB: i64 = 500_000_000;

/// A node's two clocks. Between two changes of drift the monotonic reading is a straight line,
/// rounded down to whole nanoseconds.
#[derive(Clone, Debug)]
pub struct Clock {
    /// True time of the last change of drift, and the monotonic reading there.
    since: SimTime,
    reading: u64,
    /// How much faster than true time, in billionths.
    drift: i64,
    /// Wall reading minus monotonic reading.
    wall: i64,
}

impl Clock {
    /// What a correct wall clock reads at the start of a run: late enough that a step back by
    /// up to a thousand days is still a reading.
    pub const WALL_START: WallTime = WallTime::from_nanos(1_000 * 86_400 * 1_000_000_000);

    /// A clock without drift. `uptime` is what its monotonic clock reads at the start of the
    /// run, `skew` by how many nanoseconds its wall clock is ahead there.
    pub fn new(uptime: Span, skew: i64) -> Clock {
        let reading = uptime.as_nanos();
        let wall = i128::from(Clock::WALL_START.as_nanos()) - i128::from(reading);
        let wall = clamped(wall + i128::from(skew));
        Clock { since: SimTime::ZERO, reading, drift: 0, wall }
    }

    /// What the monotonic clock reads. `now` must not lie before the last change of drift.
    #[inline]
    pub fn local(&self, now: SimTime) -> LocalTime {
        let elapsed = now.since(self.since);
        if self.drift == 0 {
            return LocalTime::from_nanos(self.reading).saturating_add(elapsed);
        }
        self.drifted(elapsed)
    }

    /// The gain alone fits a word for days at the drift of real crystals: a division of words
    /// instead of one of double words, to the same nanosecond.
    #[inline]
    fn drifted(&self, elapsed: Span) -> LocalTime {
        let whole = elapsed.as_nanos() as i64;
        if let (true, Some(gain)) = (whole >= 0, whole.checked_mul(self.drift)) {
            let run = whole.saturating_add(gain.div_euclid(BILLION as i64)) as u64;
            return LocalTime::from_nanos(self.reading).saturating_add(Span::from_nanos(run));
        }
        self.drifted_far(elapsed)
    }

    #[cold]
    fn drifted_far(&self, elapsed: Span) -> LocalTime {
        let run = i128::from(elapsed.as_nanos()) * (BILLION + i128::from(self.drift)) / BILLION;
        let run = Span::from_nanos(u64::try_from(run).unwrap_or(u64::MAX));
        LocalTime::from_nanos(self.reading).saturating_add(run)
    }

    /// What the wall clock reads; not below zero.
    #[inline]
    pub fn wall(&self, now: SimTime) -> WallTime {
        WallTime::from_nanos(self.local(now).as_nanos().saturating_add_signed(self.wall))
    }

    /// By how many nanoseconds the wall clock's reading is larger than the monotonic one's.
    #[inline]
    pub fn wall_ahead(&self) -> i64 {
        self.wall
    }

    /// How long it truly takes until `local` has passed on this clock, if its drift stays:
    /// rounded up, so that a timer never fires early by its own clock, and late by less than
    /// two nanoseconds.
    #[inline]
    pub fn true_span(&self, local: Span) -> Span {
        if self.drift == 0 || local == Span::MAX {
            return local;
        }
        let whole = local.as_nanos() as i64;
        if let (true, Some(gain)) = (whole >= 0, whole.checked_mul(self.drift)) {
            let speed = BILLION as i64 + self.drift;
            return Span::from_nanos(whole.saturating_sub(gain.div_euclid(speed)) as u64);
        }
        self.true_span_far(local)
    }

    #[cold]
    fn true_span_far(&self, local: Span) -> Span {
        let speed = BILLION + i128::from(self.drift);
        let span = (i128::from(local.as_nanos()) * BILLION + speed - 1) / speed;
        Span::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
    }

    /// The first true time at which the monotonic clock reads `reading` or more, if its drift
    /// stays: where a timer belongs, also after a change of drift. Nothing before the last
    /// change of drift.
    pub fn when(&self, reading: LocalTime) -> SimTime {
        let left = reading.since(LocalTime::from_nanos(self.reading));
        self.since.saturating_add(self.true_span(left))
    }

    /// The drift in billionths; positive runs fast.
    pub fn drift(&self) -> i64 {
        self.drift
    }

    /// Changes the drift from `now` on, limited to [`LIMIT_DRIFT_PPB`] either way. Readings are
    /// continuous: nothing steps. Where several faults drift one clock the caller gives their
    /// sum. Timers already set belong at [`Clock::when`] again.
    pub fn set_drift(&mut self, now: SimTime, ppb: i64) {
        self.reading = self.local(now).as_nanos();
        self.since = self.since.max(now);
        self.drift = ppb.clamp(-LIMIT_DRIFT_PPB, LIMIT_DRIFT_PPB);
    }

    /// Sets the wall clock forward by so many nanoseconds, or back. The monotonic clock does
    /// not notice.
    pub fn step_wall(&mut self, by: i64) {
        self.wall = self.wall.saturating_add(by);
    }
}

/// The nearest `i64`.
fn clamped(n: i128) -> i64 {
    n.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn a_clock_that_is_100_ppm_fast_gains_360_ms_an_hour() {
        let mut clock = Clock::new(Span::ZERO, 0);
        clock.set_drift(SimTime::ZERO, 100_000);
        assert_eq!(clock.local(at(3600)).as_nanos(), 3_600_360_000_000);
        // A ten-second lease ends a millisecond early by true time.
        assert_eq!(clock.true_span(Span::from_secs(10)), Span::from_nanos(9_999_000_100));
    }

    #[test]
    fn a_step_moves_the_wall_clock_and_not_the_monotonic_one() {
        let mut clock = Clock::new(Span::from_secs(77), -2_000_000_000);
        let (local, wall) = (clock.local(at(600)), clock.wall(at(600)));
        assert_eq!(local, LocalTime::from_nanos(677_000_000_000));
        assert_eq!(Clock::WALL_START.saturating_add(Span::from_secs(598)), wall);
        clock.step_wall(-3_600_000_000_000);
        assert_eq!(clock.local(at(600)), local);
        assert_eq!(wall.since(clock.wall(at(600))), Span::from_secs(3600));
    }

    #[test]
    fn for_ever_stays_for_ever() {
        let mut clock = Clock::new(Span::ZERO, 0);
        clock.set_drift(at(1), LIMIT_DRIFT_PPB);
        assert_eq!(clock.true_span(Span::MAX), Span::MAX);
        assert_eq!(clock.local(SimTime::MAX), LocalTime::MAX);
        clock.set_drift(at(2), i64::MIN);
        assert_eq!(clock.drift(), -LIMIT_DRIFT_PPB);
        assert_eq!(clock.when(LocalTime::MAX), SimTime::MAX);
    }

    proptest! {
        #[test]
        fn readings_never_go_back_and_changes_of_drift_do_not_step(
            changes in prop::collection::vec((0u64..1 << 45, -600_000_000i64..600_000_000), 1..20),
            probes in prop::collection::vec(0u64..1 << 45, 1..20),
        ) {
            let mut clock = Clock::new(Span::from_secs(5), 0);
            let mut now = SimTime::ZERO;
            for (wait, ppb) in changes {
                now = now + Span::from_nanos(wait);
                let before = clock.local(now);
                clock.set_drift(now, ppb);
                prop_assert_eq!(clock.local(now), before);
                let mut steps = probes.clone();
                steps.sort();
                let readings: Vec<_> = steps
                    .iter()
                    .map(|step| clock.local(now + Span::from_nanos(*step)))
                    .collect();
                prop_assert!(readings.is_sorted());
                prop_assert!(before <= readings[0]);
            }
        }

        #[test]
        fn short_and_long_spans_are_reckoned_alike(
            ppb in -500_000_000i64..500_000_000,
            length in prop_oneof![0u64..1 << 30, 0u64..1 << 45, 0u64..u64::MAX],
        ) {
            let mut clock = Clock::new(Span::ZERO, 0);
            clock.set_drift(SimTime::ZERO, ppb);
            let length = Span::from_nanos(length);
            prop_assert_eq!(clock.drifted(length), clock.drifted_far(length));
            if ppb != 0 && length != Span::MAX {
                prop_assert_eq!(clock.true_span(length), clock.true_span_far(length));
            }
        }

        #[test]
        fn a_timer_is_never_early_by_its_own_clock_and_hardly_late(
            ppb in -500_000_000i64..500_000_000,
            start in 0u64..1 << 45,
            wait in 0u64..1 << 45,
        ) {
            let mut clock = Clock::new(Span::from_secs(1), 0);
            clock.set_drift(SimTime::from_nanos(start / 2), ppb);
            let start = SimTime::from_nanos(start);
            let due = clock.local(start) + Span::from_nanos(wait);
            let fired = start + clock.true_span(Span::from_nanos(wait));
            prop_assert!(clock.local(fired) >= due);
            prop_assert!(clock.local(fired).since(due) <= Span::from_nanos(2));
            // `when` is exact: one nanosecond earlier the clock does not read it yet.
            let first = clock.when(due);
            prop_assert!(clock.local(first) >= due && first <= fired);
            if first > start {
                prop_assert!(clock.local(first.saturating_sub(Span::from_nanos(1))) < due);
            }
        }
    }
}
