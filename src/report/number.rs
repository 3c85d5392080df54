//! Numbers for people: three digits that matter, with their unit.

use crate::measure::Unit;

/// A value in its unit: `29.4s`, `99.53%`, `1,284`, `12m 03s`. Infinite values are `∞`.
pub fn show(unit: Unit, value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_string() } else { "-∞".to_string() };
    }
    if value < 0.0 {
        return format!("-{}", show(unit, -value));
    }
    match unit {
        Unit::Seconds => seconds(value),
        Unit::Count => count(value),
        Unit::Share => share(value),
        Unit::PerSecond => format!("{}/s", count(value)),
        Unit::Ratio => format!("{} ×", count(value)),
    }
}

/// A value that may be larger than what is stated: `> 29.4s`.
pub fn show_open(unit: Unit, value: f64, at_least: bool) -> String {
    let text = show(unit, value);
    if at_least { format!("> {text}") } else { text }
}

/// An interval; a side that is open is `…`.
pub fn interval(unit: Unit, (low, high): (f64, f64)) -> String {
    let side = |value: f64| if value.is_infinite() { "…".to_string() } else { show(unit, value) };
    format!("[{}, {}]", side(low), side(high))
}

/// Digits after the point that leave three that matter.
fn three(value: f64) -> String {
    if value >= 99.95 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn seconds(value: f64) -> String {
    match value {
        0.0 => "0s".to_string(),
        v if v < 0.000_999_5 => format!("{}µs", three(v * 1e6)),
        v if v < 0.999_5 => format!("{}ms", three(v * 1e3)),
        v if v < 599.5 => format!("{}s", three(v)),
        v => {
            let whole = v.round() as u64;
            match whole / 3600 {
                0 => format!("{}m {:02}s", whole / 60, whole % 60),
                hours => format!("{hours}h {:02}m {:02}s", whole / 60 % 60, whole % 60),
            }
        }
    }
}

fn share(value: f64) -> String {
    if value == 0.0 || value == 1.0 {
        return format!("{:.0}%", value * 100.0);
    }
    // Near one it is the distance from one that matters: 99.9996 % is not 100 %.
    let gap = (1.0 - value).abs().min(value);
    let places = if gap < 0.000_01 {
        5
    } else if gap < 0.001 {
        4
    } else {
        2
    };
    format!("{:.places$}%", value * 100.0)
}

fn count(value: f64) -> String {
    if value.fract() != 0.0 && value < 999.5 {
        return three(value);
    }
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_three_digits() {
        use Unit::{Count, PerSecond, Seconds, Share};
        for (unit, value, text) in [
            (Seconds, 0.0, "0s"),
            (Seconds, 0.000_036_4, "36.4µs"),
            (Seconds, 0.062, "62.0ms"),
            (Seconds, 0.999_9, "1.00s"),
            (Seconds, 104.26, "104s"),
            (Seconds, 723.4, "12m 03s"),
            (Seconds, 7_261.0, "2h 01m 01s"),
            (Count, 0.0, "0"),
            (Count, 0.25, "0.25"),
            (Count, 1_284_003.0, "1,284,003"),
            (PerSecond, 1_000.0, "1,000/s"),
            (Share, 0.9953, "99.53%"),
            (Share, 0.999_996, "99.99960%"),
            (Share, 1.0, "100%"),
            (Share, 0.0, "0%"),
            (Seconds, f64::INFINITY, "∞"),
            (Seconds, -0.5, "-500ms"),
        ] {
            assert_eq!(show(unit, value), text);
        }
        assert_eq!(interval(Seconds, (3.0, f64::INFINITY)), "[3.00s, …]");
        assert_eq!(show_open(Seconds, 1800.0, true), "> 30m 00s");
    }
}
