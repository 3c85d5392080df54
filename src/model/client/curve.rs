//! How the rate of an open loop varies: a curve of straight lines, perhaps repeated, and spikes.
//!
//! The loop itself is unchanged: it gives moments of a time in which the rate is constant, and
//! [`Curve`] says when that much work is due in the time in which it varies. So the n-th
//! operation has the same dice, whatever the curve.

use crate::sim::Span;

crate::params! {
    /// A point of the curve; between two points the factor changes along a straight line.
    pub struct PointParams {
        /// When, from the start of the run, or of the period.
        at: Span, required;
        /// What the rates are multiplied by.
        factor: f64, required;
    }
}

crate::params! {
    /// A spike: for a while all rates are multiplied. Spikes that overlap multiply each other.
    pub struct SpikeParams {
        /// When it begins, from the start of the run.
        from: Span, required;
        /// When it is over.
        to: Span, required;
        /// What the rates are multiplied by.
        factor: f64, required;
    }
}

crate::params! {
    /// How the rates of a population's open loops vary over time.
    pub struct LoadParams {
        /// The curve: points in the order of their times; two at the same time make a step. Before
        /// the first point and after the last one their factors hold.
        curve: Vec<PointParams> = Vec::new(), "a factor of 1";
        /// The curve is repeated at this interval (a day: "24h"); the last point leads to the
        /// first one of the next.
        period: Option<Span> = None, "it is not repeated";
        /// Spikes on top of it.
        spikes: Vec<SpikeParams> = Vec::new(), "none";
    }
}

/// A stretch of time in which the factor changes along a straight line.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Nanoseconds from the start of the run to its beginning and to its end.
    from: u64,
    to: u64,
    /// Its factors there.
    first: f64,
    last: f64,
}

impl Stretch {
    fn length(&self) -> f64 {
        (self.to - self.from) as f64
    }
    fn factor(&self, offset: f64) -> f64 {
        self.first + (self.last - self.first) * (offset / self.length())
    }
    /// How much work is due in it from that offset on.
    fn work(&self, offset: f64) -> f64 {
        (self.factor(offset) + self.last) / 2.0 * (self.length() - offset)
    }
    /// How long so much work takes from that offset on. There is so much left in it.
    fn after(&self, offset: f64, work: f64) -> f64 {
        if work <= 0.0 {
            return 0.0;
        }
        let (now, slope) = (self.factor(offset), (self.last - self.first) / self.length());
        // The root of now x + slope x^2 / 2 = work, in the form that a slope of nothing does no harm.
        let root = (now * now + 2.0 * slope * work).max(0.0).sqrt();
        2.0 * work / (now + root)
    }
}

/// A spike as nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug)]
struct Spike {
    from: u64,
    to: u64,
    factor: f64,
}

/// When work is due that a constant rate would do evenly.
#[derive(Clone, Debug)]
pub struct Curve {
    /// From the beginning of a period to its end, or to the end of time, without a gap.
    pieces: Vec<Stretch>,
    /// `u64::MAX` when it is not repeated.
    period: u64,
    spikes: Vec<Spike>,
    /// Where we are.
    stretch: Stretch,
    offset: f64,
}

impl Curve {
    /// The curve that the parameters state, at the start of the run.
    pub fn new(params: &LoadParams) -> Curve {
        let period = params.period.map_or(u64::MAX, |period| period.as_nanos().max(1));
        let spike = |spike: &SpikeParams| Spike {
            from: spike.from.as_nanos(),
            to: spike.to.as_nanos(),
            factor: spike.factor,
        };
        let pieces = pieces(&params.curve, period);
        let stretch = pieces[0];
        let spikes = params.spikes.iter().map(spike).collect();
        let mut curve = Curve { pieces, period, spikes, stretch, offset: 0.0 };
        curve.begin(0);
        curve
    }
    /// Goes to that moment, in nanoseconds from the start of the run.
    pub fn begin(&mut self, from: u64) {
        let lap = from - from % self.period;
        let within = from - lap;
        let which = self.pieces.partition_point(|piece| piece.from <= within);
        let piece = self.pieces[which.saturating_sub(1)];
        let end = lap.saturating_add(piece.to);
        let edges = self.spikes.iter().flat_map(|spike| [spike.from, spike.to]);
        let to = edges.filter(|edge| *edge > from).fold(end, u64::min);
        let on = |spike: &&Spike| spike.from <= from && from < spike.to;
        let times: f64 = self.spikes.iter().filter(on).map(|spike| spike.factor).product();
        let factor = |at: u64| times * piece.factor((at - lap - piece.from) as f64);
        self.stretch = Stretch { from, to, first: factor(from), last: factor(to) };
        self.offset = 0.0;
    }
    /// The moment at which so many more nanoseconds' work is due, in nanoseconds from the start of
    /// the run; nothing when it never is.
    pub fn after(&mut self, work: Span) -> Option<u64> {
        let mut work = work.as_nanos() as f64;
        loop {
            let left = self.stretch.work(self.offset);
            if work < left {
                self.offset += self.stretch.after(self.offset, work);
                return Some(self.stretch.from + (self.offset + 0.5) as u64);
            }
            work -= left;
            let next = self.stretch.to.checked_add(self.laps(&mut work)?)?;
            if next == u64::MAX {
                return None;
            }
            self.begin(next);
        }
    }
    /// The largest factor within so long from the start of the run, and the mean one.
    pub fn over(params: &LoadParams, whole: Span) -> (f64, f64) {
        let (mut curve, whole) = (Curve::new(params), whole.as_nanos());
        let (mut most, mut work) = (0.0_f64, 0.0);
        while curve.stretch.from < whole {
            let to = whole.min(curve.stretch.to);
            let last = curve.stretch.factor((to - curve.stretch.from) as f64);
            let part = Stretch { to, last, ..curve.stretch };
            most = most.max(part.first).max(part.last);
            work += part.work(0.0);
            curve.begin(part.to);
        }
        (most, work / whole.max(1) as f64)
    }
    /// Whole periods that are too short for so much work, if one begins now and no spike is to come:
    /// how long they are. Their work is taken off.
    fn laps(&self, work: &mut f64) -> Option<u64> {
        let now = self.stretch.to;
        let spikes = self.spikes.iter().any(|spike| spike.to > now);
        if self.period == u64::MAX || !now.is_multiple_of(self.period) || spikes {
            return Some(0);
        }
        let lap: f64 = self.pieces.iter().map(|piece| piece.work(0.0)).sum();
        let laps = (*work / lap).floor();
        if !(0.0..1e18).contains(&laps) {
            return None;
        }
        *work = (*work - laps * lap).max(0.0);
        self.period.checked_mul(laps as u64)
    }
}

/// One period without a gap: before the first point comes the last one of the period before.
fn pieces(points: &[PointParams], period: u64) -> Vec<Stretch> {
    let mut points: Vec<(u64, f64)> = points.iter().map(|p| (p.at.as_nanos(), p.factor)).collect();
    let (first, last) = match (points.first(), points.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => ((0, 1.0), (0, 1.0)),
    };
    let edge = if period == u64::MAX {
        points.insert(0, (0, first.1));
        last.1
    } else {
        // Where the line from the last point to the first one of the next period crosses the edge.
        let (before, after) = ((period - last.0.min(period)) as f64, first.0 as f64);
        let share = if before + after > 0.0 { before / (before + after) } else { 0.0 };
        let edge = last.1 + (first.1 - last.1) * share;
        points.insert(0, (0, edge));
        edge
    };
    points.push((period, edge));
    let piece = |pair: &[(u64, f64)]| Stretch {
        from: pair[0].0,
        to: pair[1].0,
        first: pair[0].1,
        last: pair[1].1,
    };
    points.windows(2).map(piece).filter(|piece| piece.from < piece.to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn point(at: u64, factor: f64) -> PointParams {
        PointParams { at: Span::from_secs(at), factor }
    }
    fn spike(from: u64, to: u64, factor: f64) -> SpikeParams {
        SpikeParams { from: Span::from_secs(from), to: Span::from_secs(to), factor }
    }
    /// When so many seconds of work are due, one after another, in seconds.
    fn due(params: &LoadParams, works: &[u64]) -> Vec<Option<f64>> {
        let mut curve = Curve::new(params);
        let at = |work: &u64| curve.after(Span::from_secs(*work)).map(|at| at as f64 / 1e9);
        works.iter().map(at).collect()
    }

    #[test]
    fn a_day_with_a_night_computed_by_hand() {
        // From nothing at 0 s to 2 at 10 s and back to nothing at 20 s: a day of 20 s with 20 s of
        // work. Half a rise does a quarter of its 10 s: 2.5 s of work after 5 s.
        let day = LoadParams {
            curve: vec![point(0, 0.0), point(10, 2.0)],
            period: Some(Span::from_secs(20)),
            spikes: Vec::new(),
        };
        let root = 10.0_f64.sqrt();
        let found = due(&day, &[10, 10, 1, 1_000_000_000]);
        let expected = [10.0, 20.0, 20.0 + root, 1_000_000_020.0 + root];
        for (found, expected) in found.into_iter().zip(expected) {
            let found = found.expect("it is due");
            assert!((found - expected).abs() < 1e-6 * expected, "{found}, not {expected}");
        }
    }

    #[test]
    fn spikes_and_steps_computed_by_hand() {
        // 1 until 10 s, then 3. Five times that from 8 to 12 s, doubled again from 9 to 10 s.
        let load = LoadParams {
            curve: vec![point(10, 1.0), point(10, 3.0)],
            period: None,
            spikes: vec![spike(8, 12, 5.0), spike(9, 10, 2.0)],
        };
        // 8 s alone; 5 in the second after it; 10 in the next; 15 in each of two; then 3 a second.
        let found = due(&load, &[8, 5, 10, 15, 15, 6]);
        assert_eq!(found, [8.0, 9.0, 10.0, 11.0, 12.0, 14.0].map(Some));
        let stops = LoadParams { curve: vec![point(0, 1.0), point(4, 0.0)], ..load.clone() };
        let stops = LoadParams { spikes: Vec::new(), ..stops };
        assert_eq!(due(&stops, &[1, 2]).last(), Some(&None), "only 2 s of work in all");
        let idle = LoadParams {
            curve: vec![point(0, 0.0)],
            period: Some(Span::from_secs(1)),
            spikes: vec![spike(1, 2, 9.0)],
        };
        assert_eq!(due(&idle, &[1]), [None], "a rate of nothing stays nothing");
    }

    #[test]
    fn without_a_curve_time_is_as_it_was() {
        let mut curve = Curve::new(&LoadParams::default());
        for gap in [0, 1, 17, SECOND, 86_400 * SECOND] {
            let before = curve.stretch.from as f64 + curve.offset;
            assert_eq!(curve.after(Span::from_nanos(gap)), Some(before as u64 + gap));
        }
    }

    /// The factor at a moment, said in the simplest way.
    fn factor(params: &LoadParams, at: f64) -> f64 {
        let on = |s: &&SpikeParams| (s.from.as_secs_f64()..s.to.as_secs_f64()).contains(&at);
        let times: f64 = params.spikes.iter().filter(on).map(|s| s.factor).product();
        let points = params.curve.iter().map(|p| (p.at.as_secs_f64(), p.factor));
        let mut points: Vec<(f64, f64)> = points.collect();
        let mut at = at;
        if let Some(period) = params.period.map(Span::as_secs_f64) {
            at %= period;
            let (first, last) = (points[0], points[points.len() - 1]);
            points.insert(0, (last.0 - period, last.1));
            points.push((first.0 + period, first.1));
        }
        let next = points.iter().position(|p| p.0 > at);
        times
            * match next {
                Some(0) => points[0].1,
                None => points[points.len() - 1].1,
                Some(next) => {
                    let (a, b) = (points[next - 1], points[next]);
                    a.1 + (b.1 - a.1) * (at - a.0) / (b.0 - a.0)
                }
            }
    }

    fn any_load() -> impl Strategy<Value = LoadParams> {
        let point = (0u64..20, 0.0f64..4.0);
        let spike = (0u64..60, 1u64..20, 0.0f64..6.0);
        let points = proptest::collection::vec(point, 1..6);
        let spikes = proptest::collection::vec(spike, 0..4);
        (points, spikes, any::<bool>()).prop_map(|(mut points, spikes, repeated)| {
            points.sort_by_key(|(at, _)| *at);
            let point = |(at, factor): (u64, f64)| PointParams { at: Span::from_secs(at), factor };
            let spike = |(from, length, factor)| super::tests::spike(from, from + length, factor);
            LoadParams {
                curve: points.into_iter().map(point).collect(),
                period: repeated.then_some(Span::from_secs(20)),
                spikes: spikes.into_iter().map(spike).collect(),
            }
        })
    }

    proptest! {
        #[test]
        fn the_area_under_the_factor_is_the_work(
            load in any_load(), gaps in proptest::collection::vec(0u64..9_000, 1..20), from in 0u64..50,
        ) {
            let mut curve = Curve::new(&load);
            curve.begin(from * SECOND);
            let mut at = from as f64;
            for gap in gaps {
                let Some(found) = curve.after(Span::from_millis(gap)) else {
                    prop_assert!(load.period.is_none() || load.curve.iter().all(|p| p.factor == 0.0));
                    break;
                };
                let to = found as f64 / 1e9;
                // Whole seconds are where anything changes; between them the factor is a line, of
                // which the middle is the mean.
                let mut area = 0.0;
                let mut here = at;
                while here < to {
                    let next = (here.floor() + 1.0).min(to);
                    area += factor(&load, (here + next) / 2.0) * (next - here);
                    here = next;
                }
                let work = gap as f64 / 1e3;
                prop_assert!((area - work).abs() < 1e-6 * (1.0 + work), "{area}, not {work}");
                at = to;
            }
        }
    }
}
