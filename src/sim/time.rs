//! Three kinds of time, so that a protocol cannot hold true time by accident.
//!
//! All are whole nanoseconds. [`SimTime`] is ground truth, [`LocalTime`] what one node's
//! monotonic clock reads, [`WallTime`] what its wall clock reads; [`Span`] is a length.
//! Addition is checked: an overflow is a bug of ours and panics.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest length; used as "for ever".
    pub const MAX: Span = Span(u64::MAX);

    /// A length in nanoseconds.
    pub const fn from_nanos(n: u64) -> Span {
        Span(n)
    }
    /// A length in microseconds.
    pub const fn from_micros(n: u64) -> Span {
        Span(n * 1_000)
    }
    /// A length in milliseconds.
    pub const fn from_millis(n: u64) -> Span {
        Span(n * 1_000_000)
    }
    /// A length in seconds.
    pub const fn from_secs(n: u64) -> Span {
        Span(n * 1_000_000_000)
    }
    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Seconds as a float; for reports and statistics only, never for ordering.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// Milliseconds as a float; for reports and statistics only.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// `self - other`, or zero.
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
    /// `self + other`, or [`Span::MAX`].
    pub const fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
    /// `self * n`, or [`Span::MAX`].
    pub const fn saturating_mul(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }
    /// `self / n`, rounded down. `n` must not be zero.
    pub const fn div(self, n: u64) -> Span {
        Span(self.0 / n)
    }
    /// True for [`Span::ZERO`].
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect("span overflow"))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    #[inline]
    fn sub(self, other: Span) -> Span {
        Span(self.0.checked_sub(other.0).expect("span underflow"))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Span {
    /// The shortest exact form with one unit: `150ms`, `2m`, `1.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::sim::units::show_span(*self))
    }
}

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The start of the run on this clock.
            pub const ZERO: $name = $name(0);
            /// Later than everything; used as "never".
            pub const MAX: $name = $name(u64::MAX);
            /// From nanoseconds since the start.
            pub const fn from_nanos(n: u64) -> $name {
                $name(n)
            }
            /// Nanoseconds since the start.
            pub const fn as_nanos(self) -> u64 {
                self.0
            }
            /// Seconds since the start; for reports and statistics only.
            pub fn as_secs_f64(self) -> f64 {
                self.0 as f64 / 1e9
            }
            /// The length from `earlier` to here, or zero when `earlier` is later.
            pub const fn since(self, earlier: $name) -> Span {
                Span(self.0.saturating_sub(earlier.0))
            }
            /// `self + span`, or [`Self::MAX`].
            pub const fn saturating_add(self, span: Span) -> $name {
                $name(self.0.saturating_add(span.0))
            }
            /// `self - span`, or the start.
            pub const fn saturating_sub(self, span: Span) -> $name {
                $name(self.0.saturating_sub(span.0))
            }
        }

        impl Add<Span> for $name {
            type Output = $name;
            fn add(self, span: Span) -> $name {
                $name(self.0.checked_add(span.0).expect("time overflow"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl fmt::Display for $name {
            /// Minutes, seconds and milliseconds since the start: `12:03.250`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let ms = self.0 / 1_000_000;
                let (m, s, ms) = (ms / 60_000, ms / 1_000 % 60, ms % 1_000);
                if m >= 60 {
                    write!(f, "{}:{:02}:{:02}.{:03}", m / 60, m % 60, s, ms)
                } else {
                    write!(f, "{m:02}:{s:02}.{ms:03}")
                }
            }
        }
    };
}

instant! {
    /// Ground truth: nanoseconds since the start of the run. Seen by `sim`, `net`, `world`
    /// and `measure`, never by a participant.
    SimTime
}
instant! {
    /// What one node's monotonic clock reads. Leases and timeouts run on it; it drifts, and
    /// never steps.
    LocalTime
}
instant! {
    /// What one node's wall clock reads: skewed, drifting, stepping. Timestamps of
    /// last-writer-wins stores come from it.
    WallTime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_in_their_largest_exact_unit() {
        for (span, text) in [
            (Span::from_millis(150), "150ms"),
            (Span::from_secs(120), "2m"),
            (Span::from_millis(1500), "1.5s"),
            (Span::from_nanos(1), "1ns"),
            (Span::ZERO, "0s"),
        ] {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn instants_print_as_a_stopwatch() {
        assert_eq!(SimTime::from_nanos(723_250_000_000).to_string(), "12:03.250");
        assert_eq!(SimTime::from_nanos(3_723_250_000_000).to_string(), "1:02:03.250");
    }
}
