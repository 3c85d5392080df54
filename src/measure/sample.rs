//! One metric of one trial.

/// The value of a metric in one trial. Seconds, counts and fractions are plain numbers.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Sample {
    /// Known.
    Value(f64),
    /// Not over before the end of the run: longer than this in every percentile.
    Censored(f64),
    /// Unresolved: somewhere between the two.
    Bounds {
        /// At least this.
        low: f64,
        /// At most this.
        high: f64,
    },
    /// The metric does not apply to this trial (no such traffic, no failover); left out of
    /// statistics.
    #[default]
    Missing,
}

impl Sample {
    /// The least and the most the value can be; nothing when it does not apply.
    pub fn range(&self) -> Option<(f64, f64)> {
        match *self {
            Sample::Value(v) => Some((v, v)),
            Sample::Censored(v) => Some((v, f64::INFINITY)),
            Sample::Bounds { low, high } => Some((low, high)),
            Sample::Missing => None,
        }
    }
    /// The value itself, where it is known exactly.
    pub fn value(&self) -> Option<f64> {
        if let Sample::Value(v) = *self { Some(v) } else { None }
    }
    /// A value between bounds, or the value where both are the same.
    pub fn between(low: f64, high: f64) -> Sample {
        if low == high { Sample::Value(low) } else { Sample::Bounds { low, high } }
    }
    /// The worse of two lengths of time: a censored one counts as longer than its value.
    pub fn worse(self, other: Sample) -> Sample {
        match (self.range(), other.range()) {
            (None, _) => other,
            (_, None) => self,
            (Some((a, x)), Some((b, y))) => {
                let (low, high) = (a.max(b), x.max(y));
                if high.is_infinite() { Sample::Censored(low) } else { Sample::between(low, high) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_two_remembers_that_one_was_cut_short() {
        use Sample::{Bounds, Censored, Missing, Value};
        assert_eq!(Value(3.0).worse(Value(2.0)), Value(3.0));
        assert_eq!(Value(3.0).worse(Censored(2.0)), Censored(3.0));
        assert_eq!(Missing.worse(Value(2.0)), Value(2.0));
        assert_eq!(Bounds { low: 0.0, high: 4.0 }.worse(Value(5.0)), Value(5.0));
    }
}
