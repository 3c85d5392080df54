//! Small parts of a page: text without markup, and numbers that also stand there exactly.

use crate::measure::Unit;
use crate::report::findings::Metric;
use crate::report::number;

/// Text in which nothing is markup.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// Text of so many characters at most.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A number as people read it, and as `results.json` has it: which metric, what of it, and the
/// exact value. A value that JSON has no number for stands there as text only.
pub fn exact(metric: &str, of: &str, value: f64, text: &str) -> String {
    let value = if value.is_finite() { format!(" value=\"{value}\"") } else { String::new() };
    format!(
        "<data data-metric=\"{}\" data-of=\"{of}\"{value}>{}</data>",
        escaped(metric),
        escaped(text)
    )
}

/// A percentile of a metric: `29.4s`, or `-` where no trial has a value.
pub fn percentile(metric: Option<&Metric>, name: &str) -> String {
    let found = metric.and_then(|metric| Some((metric, metric.quantile(name)?)));
    found.map_or("-".to_string(), |(metric, quantile)| {
        let text = number::show_open(metric.key.doc().unit, quantile.value, quantile.at_least);
        exact(&metric.key.to_string(), name, quantile.value, &text)
    })
}

/// The interval of a percentile.
pub fn percentile_interval(metric: Option<&Metric>, name: &str) -> String {
    let found = metric.and_then(|metric| Some((metric, metric.quantile(name)?)));
    found.map_or(String::new(), |(metric, quantile)| {
        interval(&metric.key.to_string(), name, metric.key.doc().unit, quantile.interval)
    })
}

/// An interval, its two sides exact.
pub fn interval(metric: &str, of: &str, unit: Unit, (low, high): (f64, f64)) -> String {
    let side = |value: f64, which: &str| {
        let text = if value.is_infinite() { "…".to_string() } else { number::show(unit, value) };
        exact(metric, &format!("{of}.{which}"), value, &text)
    };
    format!("<small class=\"ci\">[{}, {}]</small>", side(low, "low"), side(high, "high"))
}

/// A table: its head, with true where numbers stand, and its rows.
pub fn table(head: &[(&str, bool)], rows: &[Vec<String>]) -> String {
    let class = |number: bool| if number { " class=\"n\"" } else { "" };
    let mut out = String::from("<div class=\"wide\"><table><thead><tr>");
    for (title, number) in head {
        out.push_str(&format!("<th{}>{}</th>", class(*number), escaped(title)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (cell, (_, number)) in row.iter().zip(head) {
            out.push_str(&format!("<td{}>{cell}</td>", class(*number)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_there_twice_and_nothing_is_markup() {
        let shown = exact("m{region=\"a\"}", "p95", 104.793918543, "105s");
        assert_eq!(
            shown,
            "<data data-metric=\"m{region=&quot;a&quot;}\" data-of=\"p95\" \
             value=\"104.793918543\">105s</data>"
        );
        assert!(!exact("m", "max", f64::INFINITY, "∞").contains("value="));
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
