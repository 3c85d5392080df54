//! Compact charts for the terminal, in plain ASCII where that is asked for.

use crate::measure::Unit;
use crate::report::number;

/// A point of a chart: where it stands, its value, and the interval it lies in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Left to right.
    pub x: f64,
    /// Bottom to top.
    pub y: f64,
    /// From and to, with 95 % confidence.
    pub interval: Option<(f64, f64)>,
}

const WIDTH: usize = 56;
const HEIGHT: usize = 10;

/// A chart of values over numbers. Nothing where there are fewer than two points to see.
pub fn chart(title: &str, unit: Unit, x_unit: &str, points: &[Point], ascii: bool) -> String {
    let finite: Vec<Point> = points.iter().copied().filter(|p| p.y.is_finite()).collect();
    let xs = || finite.iter().map(|p| p.x);
    let ends = |p: &Point| {
        let (low, high) = p.interval.unwrap_or((p.y, p.y));
        let known = |value: f64| if value.is_finite() { value } else { p.y };
        (known(low), known(high))
    };
    let (left, right) = (least(xs()), -least(xs().map(|x| -x)));
    let bottom = least(finite.iter().map(|p| ends(p).0));
    let top = -least(finite.iter().map(|p| -ends(p).1));
    if finite.len() < 2 || left >= right {
        return String::new();
    }
    let span = if top > bottom { top - bottom } else { 1.0 };
    let column = |x: f64| ((x - left) / (right - left) * (WIDTH - 1) as f64).round() as usize;
    let row = |y: f64| ((top - y) / span * (HEIGHT - 1) as f64).round() as usize;
    let (dot, bar) = if ascii { ('o', '|') } else { ('•', '│') };
    let mut field = vec![vec![' '; WIDTH]; HEIGHT];
    for point in &finite {
        let (low, high) = ends(point);
        for line in field.iter_mut().take(row(low).min(HEIGHT - 1) + 1).skip(row(high)) {
            line[column(point.x)] = bar;
        }
        field[row(point.y).min(HEIGHT - 1)][column(point.x)] = dot;
    }
    framed(
        title,
        &field,
        (number::show(unit, bottom), number::show(unit, top)),
        (left, right, x_unit),
        ascii,
    )
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn framed(
    title: &str,
    field: &[Vec<char>],
    (bottom, top): (String, String),
    (left, right, unit): (f64, f64, &str),
    ascii: bool,
) -> String {
    let (wall, corner, floor) = if ascii { ('|', '+', '-') } else { ('┤', '└', '─') };
    let margin = bottom.chars().count().max(top.chars().count());
    let mut out = format!("  {title}\n");
    for (n, line) in field.iter().enumerate() {
        let label = match n {
            0 => top.as_str(),
            n if n + 1 == field.len() => bottom.as_str(),
            _ => "",
        };
        let line: String = line.iter().collect();
        out.push_str(format!("  {label:>margin$} {wall}{}", line.trim_end()).trim_end());
        out.push('\n');
    }
    let edge: String = std::iter::repeat_n(floor, WIDTH).collect();
    out.push_str(&format!("  {:>margin$} {corner}{edge}\n", ""));
    let (from, to) = (format!("{left}{unit}"), format!("{right}{unit}"));
    let gap = WIDTH.saturating_sub(from.chars().count());
    out.push_str(&format!("  {:>margin$}  {from}{to:>gap$}\n", ""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rising_line_goes_from_the_lower_left_to_the_upper_right() {
        let point = |n: i32| {
            let y = f64::from(n * 10);
            Point { x: f64::from(n), y, interval: Some((y - 2.0, y + 2.0)) }
        };
        let points: Vec<Point> = (1..=3).map(point).collect();
        let drawn = chart("rto.restored", Unit::Seconds, "s", &points, true);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), 1 + HEIGHT + 2, "{drawn}");
        assert!(lines[1].starts_with("  32.0s |") && lines[10].starts_with("  8.00s |"), "{drawn}");
        let column = |line: &str| line.find('o').unwrap();
        let dots: Vec<usize> = lines
            .iter()
            .filter(|l| l.contains('o') && l.contains('|'))
            .map(|l| column(l))
            .collect();
        assert!(dots.windows(2).all(|pair| pair[0] > pair[1]), "{drawn}");
        assert!(lines[12].trim().starts_with("1s") && lines[12].ends_with("3s"), "{drawn}");
        assert!(drawn.is_ascii());
    }

    #[test]
    fn what_cannot_be_drawn_is_not() {
        let same = Point { x: 1.0, y: 1.0, interval: None };
        assert_eq!(chart("m", Unit::Count, "", &[same], false), "");
        assert_eq!(chart("m", Unit::Count, "", &[same, same], false), "");
        let open = Point { x: 2.0, y: f64::INFINITY, interval: None };
        assert_eq!(chart("m", Unit::Count, "", &[same, open], false), "");
        let flat = Point { x: 3.0, ..same };
        assert!(chart("m", Unit::Count, "", &[same, flat], false).contains('•'));
    }
}
