//! How many trials are enough: until what one wants to know is known well enough.
//!
//! Trials come in batches whose sizes depend on nothing but how many there were before, so the
//! number of threads changes no byte. After each batch somebody looks, and one who looks often
//! enough will once see a narrow interval by chance; so batches grow, and looks stay few.

use crate::experiment::Outcomes;
use crate::measure::expect::{Aggregate, Compare};
use crate::measure::{Expectation, MetricKey};
use crate::sim::units;
use std::fmt;

/// The first batch: fewer trials say nothing of a spread.
const FIRST: u64 = 32;

/// When to stop: the 95 % interval of an aggregate reaches no further than a share of it to
/// either side.
#[derive(Clone, PartialEq, Debug)]
pub struct Until {
    wanted: Expectation,
    share: f64,
}

impl Until {
    /// Reads `METRIC=5%` (of the mean) or `METRIC:p95=5%`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Until, String> {
        let expected = "expected METRIC=5% (of its mean) or METRIC:p95=5%";
        let (what, share) = text.rsplit_once('=').ok_or(expected)?;
        let share = units::parse_share(share.trim())?;
        if share <= 0.0 {
            return Err("an interval of no width is never reached; state a share above 0".into());
        }
        // A label may hold a colon; an aggregate follows the last one and nothing else does.
        let (metric, aggregate) = match what.rsplit_once(':') {
            Some((metric, word)) if !word.contains(['"', '}']) => {
                (metric, Aggregate::parse(word.trim())?)
            }
            _ => (what, Aggregate::Mean),
        };
        if matches!(aggregate, Aggregate::Max | Aggregate::Min) {
            return Err(format!("`{aggregate}` is of the trials that were run: no interval"));
        }
        let key = MetricKey::parse(metric.trim())?;
        let (compare, limit, text) = (Compare::AtMost, 0.0, String::new());
        Ok(Until { wanted: Expectation { key, aggregate, compare, limit, text }, share })
    }

    /// How many trials there should be before the next look, after so many; never more than `most`.
    pub fn next(done: u64, most: u64) -> u64 {
        (done + done / 2).max(FIRST).min(most)
    }

    /// How far the interval reaches to either side, as a share of the value; nothing where too
    /// little is known for that.
    pub fn reach(&self, outcomes: &Outcomes) -> Option<f64> {
        let judged = self.wanted.judge(&outcomes.samples(&self.wanted.key)?);
        let (value, (low, high)) = (judged.value?, judged.interval?);
        let half = (high - low) / 2.0;
        match half {
            _ if !half.is_finite() || judged.at_least => None,
            _ if half == 0.0 => Some(0.0),
            _ => Some(half / value.abs()).filter(|reach| reach.is_finite()),
        }
    }

    /// True when it is known well enough.
    pub fn reached(&self, outcomes: &Outcomes) -> bool {
        self.reach(outcomes).is_some_and(|reach| reach <= self.share)
    }

    /// What came of it, for people.
    pub fn told(&self, outcomes: &Outcomes) -> String {
        let n = outcomes.trials.len();
        let known = match self.reach(outcomes) {
            Some(reach) => {
                format!("known to ±{}", units::show_share((reach * 1e4).ceil() / 1e4))
            }
            None => "not known well enough for an interval".to_string(),
        };
        let end = if self.reached(outcomes) { "stopped" } else { "gave up" };
        format!("{end} after {n} trials: {self} is {known}")
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.wanted.aggregate, self.wanted.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Sample;
    use crate::report::comparison::tests::design;

    fn outcomes(of: impl Fn(u64) -> f64) -> Outcomes {
        let (.., findings) = design("d", |n| (Sample::Value(of(n)), Sample::Value(0.0)));
        findings.outcomes
    }

    #[test]
    fn an_interval_is_narrow_as_a_share_of_its_value() {
        let until = Until::parse("rto.restored=5%").unwrap();
        // Half below and half above by d: the standard error of 100 is d/10, the interval twice that.
        let spread = |d: f64| outcomes(move |n| 100.0 + if n % 2 == 0 { d } else { -d });
        let reach = until.reach(&spread(10.0)).unwrap();
        assert!((0.015..0.024).contains(&reach), "about 1.96 %: {reach}");
        assert!(until.reached(&spread(10.0)) && !until.reached(&spread(40.0)));
        assert_eq!(until.reach(&outcomes(|_| 7.0)), Some(0.0));
        assert_eq!(Until::parse("writes.lost=5%").unwrap().reach(&spread(1.0)), Some(0.0));
        assert!(until.told(&spread(40.0)).starts_with("gave up after 100 trials: mean of rto"));
    }

    #[test]
    fn batches_grow_and_end_where_they_must() {
        let mut sizes = vec![0];
        while *sizes.last().unwrap() < 200 {
            sizes.push(Until::next(*sizes.last().unwrap(), 200));
        }
        assert_eq!(sizes, [0, 32, 48, 72, 108, 162, 200]);
        assert_eq!(Until::next(0, 10), 10);
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let error = |text: &str| Until::parse(text).unwrap_err();
        assert!(error("rto.restored").contains("expected METRIC=5%"));
        assert!(error("rto.restored:max=5%").contains("no interval"));
        assert!(error("rto.restored=0%").contains("never reached"));
        assert!(error("rto.restord=5%").contains("rto.restored"), "did you mean");
        let labelled = Until::parse("latency.p99{region=\"a:b\", kind=\"write\"}:p95=5%").unwrap();
        assert_eq!(labelled.wanted.aggregate, Aggregate::Percentile(0.95));
    }
}
