//! Quantities with their units: `"150ms"`, `"99.9%"`, `"1Gbps"`, `"2KB"`. Print and parse.
//!
//! A bare number where a unit belongs is an error; every error says what was expected.

use crate::sim::time::Span;

/// The longest duration a scenario may state: a century and a bit, far below overflow.
pub const LIMIT_SPAN: Span = Span::from_secs(100 * 366 * 86_400);

const SPAN_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Splits `"1.5ms"` into mantissa, decimal exponent and unit, exactly.
fn split(text: &str) -> Option<(u128, u32, &str)> {
    let text = text.trim();
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || whole.len() + fraction.len() > 30 || fraction.contains('.') {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, fraction.len() as u32, unit.trim()))
}

/// `digits / 10^places * scale`, rounded down.
fn scaled(digits: u128, places: u32, scale: u128) -> Option<u128> {
    digits.checked_mul(scale).map(|n| n / 10u128.pow(places))
}

/// Parses a duration: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`; also several parts in falling units,
/// `"4m30s"`.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let expected = "a duration with its unit (ns, us, ms, s, m, h, d), such as \"150ms\"";
    let mut rest = text.trim();
    let mut total: u128 = 0;
    let mut last_scale = u128::MAX;
    loop {
        let (digits, places, tail) = split(rest).ok_or_else(|| format!("expected {expected}"))?;
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = (tail[..end].trim(), &tail[end..]);
        if unit.is_empty() {
            return Err(format!("a bare number has no unit; expected {expected}"));
        }
        let (_, scale) = SPAN_UNITS
            .iter()
            .find(|(name, _)| *name == unit || (*name == "us" && unit == "µs"))
            .ok_or_else(|| format!("unknown unit {unit:?}; expected {expected}"))?;
        let scale = u128::from(*scale);
        if scale >= last_scale {
            return Err(format!("{unit:?} after a smaller unit; expected {expected}"));
        }
        last_scale = scale;
        let limit = u128::from(LIMIT_SPAN.as_nanos());
        total = match scaled(digits, places, scale) {
            Some(nanos) if nanos <= limit && total + nanos <= limit => total + nanos,
            _ => return Err("longer than the limit of 100 years".to_string()),
        };
        if next.is_empty() {
            return Ok(Span::from_nanos(total as u64));
        }
        rest = next;
    }
}

/// The shortest exact form with one unit: `2m`, `1.5s`, `150ms`.
pub fn show_span(span: Span) -> String {
    let n = span.as_nanos();
    if n == u64::MAX {
        return "never".to_string();
    }
    if n == 0 {
        return "0s".to_string();
    }
    for (unit, scale) in SPAN_UNITS.iter().rev() {
        if n.is_multiple_of(*scale) {
            return format!("{}{unit}", n / scale);
        }
        // One to three decimals, where they are exact and the whole part is not zero.
        if *scale > 1 && *scale <= 1_000_000_000 && n >= *scale && n.is_multiple_of(scale / 1000) {
            let text = format!("{}.{:03}", n / scale, n % scale / (scale / 1000));
            return format!("{}{unit}", text.trim_end_matches('0'));
        }
    }
    format!("{n}ns")
}

/// Parses a share, `"0.5%"`, into a fraction. A bare number is refused.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let expected = "a share such as \"0.5%\"";
    let (digits, places, unit) = split(text).ok_or_else(|| format!("expected {expected}"))?;
    if unit != "%" {
        return Err(format!("expected {expected}"));
    }
    // Read as one decimal number, so that 99.9% is the float nearest to 0.999.
    let share: f64 =
        format!("{digits}e-{}", places + 2).parse().map_err(|_| format!("expected {expected}"))?;
    if share > 1.0 { Err("a share cannot exceed 100%".to_string()) } else { Ok(share) }
}

/// A fraction as a share: `0.005` is `0.5%`.
pub fn show_share(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Parses a size in bytes: `B`, `KB`, `MB`, `GB`, `TB` (powers of 1000), `KiB`, `MiB`, `GiB`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("B", 1),
        ("KB", 1_000),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    parse_scaled(
        text,
        &UNITS,
        "a size with its unit (B, KB, MB, GB, TB, KiB, MiB, GiB), such as \"2KB\"",
    )
}

/// Parses a bandwidth in bits per second: `bps`, `Kbps`, `Mbps`, `Gbps`, `Tbps`.
pub fn parse_bandwidth(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 6] = [
        ("bps", 1),
        ("Kbps", 1_000),
        ("kbps", 1_000),
        ("Mbps", 1_000_000),
        ("Gbps", 1_000_000_000),
        ("Tbps", 1_000_000_000_000),
    ];
    parse_scaled(
        text,
        &UNITS,
        "a bandwidth with its unit (bps, Kbps, Mbps, Gbps, Tbps), such as \"1Gbps\"",
    )
}

fn parse_scaled(text: &str, units: &[(&str, u64)], expected: &str) -> Result<u64, String> {
    let (digits, places, unit) = split(text).ok_or_else(|| format!("expected {expected}"))?;
    if unit.is_empty() {
        return Err(format!("a bare number has no unit; expected {expected}"));
    }
    let (_, scale) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| format!("unknown unit {unit:?}; expected {expected}"))?;
    match scaled(digits, places, u128::from(*scale)) {
        Some(n) if n <= 1 << 60 => Ok(n as u64),
        _ => Err("larger than the limit of 2^60".to_string()),
    }
}

/// A size in its largest exact unit.
pub fn show_bytes(n: u64) -> String {
    show_scaled(n, &["B", "KB", "MB", "GB", "TB"])
}

/// A bandwidth in its largest exact unit.
pub fn show_bandwidth(n: u64) -> String {
    show_scaled(n, &["bps", "Kbps", "Mbps", "Gbps", "Tbps"])
}

fn show_scaled(mut n: u64, units: &[&str]) -> String {
    let mut unit = 0;
    while n != 0 && n.is_multiple_of(1000) && unit + 1 < units.len() {
        n /= 1000;
        unit += 1;
    }
    format!("{n}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_survive_a_round_trip() {
        for text in ["150ms", "2m", "1.5s", "62ms", "4d", "999ns", "1.25us", "0s", "90m"] {
            assert_eq!(show_span(parse_span(text).unwrap()), text);
        }
    }

    #[test]
    fn durations_of_several_parts_fall() {
        assert_eq!(parse_span("4m30s").unwrap(), Span::from_secs(270));
        assert_eq!(parse_span("1h 1.5s").unwrap(), Span::from_millis(3_601_500));
        assert!(parse_span("30s4m").unwrap_err().contains("after a smaller unit"));
        assert!(parse_span("4m30").unwrap_err().contains("bare number"));
    }

    #[test]
    fn a_bare_number_is_refused_with_an_example() {
        assert!(parse_span("15").unwrap_err().contains("\"150ms\""));
        assert!(parse_share("0.5").unwrap_err().contains("\"0.5%\""));
        assert!(parse_bytes("2").unwrap_err().contains("\"2KB\""));
        assert!(parse_span("15 parsecs").unwrap_err().contains("unknown unit"));
    }

    #[test]
    fn absurd_sizes_name_the_limit() {
        assert!(parse_span("101000d").unwrap_err().contains("100 years"));
        assert!(parse_span("999999999999999999999999999999d").unwrap_err().contains("100 years"));
    }

    #[test]
    fn shares_and_sizes() {
        assert_eq!(parse_share("99.9%").unwrap(), 0.999);
        assert_eq!(show_share(0.005), "0.5%");
        assert_eq!(show_bytes(parse_bytes("2KB").unwrap()), "2KB");
        assert_eq!(show_bandwidth(parse_bandwidth("1Gbps").unwrap()), "1Gbps");
    }
}
