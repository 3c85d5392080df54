//! Grids: which values of which keys a sweep goes through.

/// The most points of a sweep.
pub const LIMIT_POINTS: usize = 10_000;

/// A key and the values it takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// A dotted key, as `--set` takes it.
    pub key: String,
    /// What TOML has right of `=`.
    pub values: Vec<String>,
}

/// A number with its unit: `2.5s` is 25 tenths of `s`.
struct Amount<'a> {
    digits: i128,
    places: u32,
    unit: &'a str,
}

impl Amount<'_> {
    fn read(text: &str) -> Option<Amount<'_>> {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + part.len() > 18 || part.contains(['.', '-']) {
            return None;
        }
        let digits = format!("{whole}{part}").parse().ok()?;
        Some(Amount { digits, places: part.len() as u32, unit: unit.trim() })
    }
    /// The same in finer places.
    fn scaled(&self, places: u32) -> i128 {
        self.digits * 10i128.pow(places - self.places)
    }
}

fn amount(text: &str) -> Result<Amount<'_>, String> {
    Amount::read(text).ok_or_else(|| format!("`{text}` is no number, with or without a unit"))
}

/// A number in so many places as people write it.
fn shown(digits: i128, places: u32, unit: &str) -> String {
    let scale = 10i128.pow(places);
    let (sign, digits) = (if digits < 0 { "-" } else { "" }, digits.abs());
    let part = format!("{:0width$}", digits % scale, width = places as usize);
    let part = if places == 0 { "" } else { part.trim_end_matches('0') };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}{unit}", digits / scale)
}

impl Axis {
    /// `from`, `from + step`, … as far as `to`. Counted in whole steps of the last place that was
    /// written, so that nothing is rounded.
    ///
    /// # Errors
    /// What was expected: numbers of one unit, a step that leads from one to the other, and not
    /// too many of them.
    pub fn range(key: &str, from: &str, to: &str, step: &str) -> Result<Axis, String> {
        let (first, last, by) = (amount(from)?, amount(to)?, amount(step)?);
        if first.unit != last.unit || first.unit != by.unit {
            return Err(format!("`{from}`, `{to}` and `{step}` are not of one unit"));
        }
        let places = first.places.max(last.places).max(by.places);
        let (begin, end, by) = (first.scaled(places), last.scaled(places), by.scaled(places));
        if by == 0 || (end - begin) * by < 0 {
            return Err(format!("a step of `{step}` does not lead from `{from}` to `{to}`"));
        }
        let count = (end - begin) / by + 1;
        if count > LIMIT_POINTS as i128 {
            return Err(format!("{count} values; the limit is {LIMIT_POINTS}"));
        }
        let values = (0..count).map(|n| shown(begin + n * by, places, first.unit)).collect();
        Ok(Axis { key: key.trim().to_string(), values })
    }

    /// Values separated by commas.
    ///
    /// # Errors
    /// There is none.
    pub fn list(key: &str, values: &str) -> Result<Axis, String> {
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_string()).collect();
        if values.iter().any(String::is_empty) {
            return Err("expected values separated by commas".to_string());
        }
        Ok(Axis { key: key.trim().to_string(), values })
    }

    /// The values as numbers, if all are numbers of one unit: for a chart.
    pub fn numbers(&self) -> Option<(Vec<f64>, &str)> {
        let amounts: Option<Vec<Amount<'_>>> =
            self.values.iter().map(|v| Amount::read(v)).collect();
        let amounts = amounts?;
        let unit = amounts.first()?.unit;
        if amounts.iter().any(|amount| amount.unit != unit) {
            return None;
        }
        let number = |a: &Amount<'_>| a.digits as f64 / 10i128.pow(a.places) as f64;
        Some((amounts.iter().map(number).collect(), unit))
    }
}

/// Every combination of the axes' values, the last axis running fastest.
///
/// # Errors
/// There are too many.
pub fn points(axes: &[Axis]) -> Result<Vec<Vec<(String, String)>>, String> {
    let count = axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.values.len()));
    if count.is_none_or(|count| count > LIMIT_POINTS) {
        return Err(format!("more points than the limit of {LIMIT_POINTS}"));
    }
    let mut points = vec![Vec::new()];
    for axis in axes {
        let with = |point: &Vec<(String, String)>| -> Vec<Vec<(String, String)>> {
            let one = |value: &String| {
                let mut point = point.clone();
                point.push((axis.key.clone(), value.clone()));
                point
            };
            axis.values.iter().map(one).collect()
        };
        points = points.iter().flat_map(with).collect();
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, step: &str) -> Result<Vec<String>, String> {
        Axis::range("k", from, to, step).map(|axis| axis.values)
    }

    #[test]
    fn a_range_is_counted_without_rounding() {
        assert_eq!(range("10s", "30s", "10s").unwrap(), ["10s", "20s", "30s"]);
        let tenths = range("0.1", "0.7", "0.1").unwrap();
        assert_eq!(tenths, ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]);
        assert_eq!(range("5%", "1%", "-2%").unwrap(), ["5%", "3%", "1%"]);
        assert_eq!(range("-1", "1", "1").unwrap(), ["-1", "0", "1"]);
        assert_eq!(range("1", "2", "0.4").unwrap(), ["1", "1.4", "1.8"]);
        assert_eq!(range("3", "3", "1").unwrap(), ["3"]);
    }

    #[test]
    fn a_range_that_leads_nowhere_is_refused() {
        for (from, to, step, says) in [
            ("10s", "30s", "0s", "does not lead"),
            ("10s", "30s", "-5s", "does not lead"),
            ("10s", "30s", "5ms", "one unit"),
            ("ten", "30s", "5s", "no number"),
            ("0", "1000000000", "1", "limit"),
            ("99999999999999999999", "1", "1", "no number"),
        ] {
            let error = range(from, to, step).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn axes_are_crossed_the_last_running_fastest() {
        let axes = [Axis::list("a", "1,2").unwrap(), Axis::list("b", "x,y").unwrap()];
        let shown: Vec<String> = points(&axes)
            .unwrap()
            .iter()
            .map(|point| point.iter().map(|(k, v)| format!("{k}{v}")).collect())
            .collect();
        assert_eq!(shown, ["a1bx", "a1by", "a2bx", "a2by"]);
        let wide = Axis::range("c", "1", "10000", "1").unwrap();
        assert!(points(&[wide.clone(), wide]).is_err());
        assert!(Axis::list("a", "1,,2").is_err());
        assert_eq!(Axis::list("a", "1s,2.5s").unwrap().numbers().unwrap(), (vec![1.0, 2.5], "s"));
        assert_eq!(Axis::list("a", "1s,2ms").unwrap().numbers(), None);
    }
}
