//! Designs side by side: each metric of each, the difference to the first, and which others beat.

use super::element::{escaped, exact, interval, percentile};
use crate::measure::stats::Difference;
use crate::report::comparison::{Cell, Comparison, Line, text};
use crate::report::number;

/// The designs, then a table per metric on which any differs.
pub fn block(comparison: &Comparison) -> String {
    let mut out = String::from("<ul class=\"designs\">\n");
    for (i, design) in comparison.designs.iter().enumerate() {
        let mark = if design.unbeaten { "◆ unbeaten" } else { "beaten" };
        let first = if i == 0 { ", differences are to this one" } else { "" };
        let about =
            if design.about.is_empty() { String::new() } else { format!(": {}", design.about) };
        out.push_str(&format!(
            "<li><strong>{}</strong>{} ({mark}{first})</li>\n",
            escaped(&design.label),
            escaped(&about)
        ));
    }
    out.push_str(&format!(
        "</ul>\n<p>{}.</p>\n<small>◆ (Pareto): no other design is surely better on one of the metrics shown \
         and surely worse on none. Differences are trial by trial, with their 95 % interval; one whose \
         interval holds zero is not distinguishable.</small>\n",
        escaped(&sentence(comparison))
    ));
    out.push_str(
        "<div class=\"wide\"><table class=\"tight\"><thead><tr><th>metric, design</th><th \
         class=\"n\">p50</th><th class=\"n\">p95</th><th class=\"n\">mean</th><th \
         class=\"n\">difference</th><th></th></tr></thead>\n",
    );
    for line in comparison.lines.iter().filter(|line| !line.says_nothing()) {
        out.push_str(&body(comparison, line));
    }
    out.push_str("</table></div>\n");
    if let Some(same) = text::the_same(comparison) {
        out.push_str(&format!("<p>{}.</p>\n", escaped(&same)));
    }
    out
}

/// What nothing else beats, as a sentence of its own.
pub fn sentence(comparison: &Comparison) -> String {
    let front = text::front(comparison);
    let mut letters = front.chars();
    letters
        .next()
        .map_or(String::new(), |c| c.to_uppercase().collect::<String>() + letters.as_str())
}

fn body(comparison: &Comparison, line: &Line) -> String {
    let best = line.winner().map(|at| format!("best: {}", comparison.designs[at].label));
    let mut out = format!(
        "<tbody><tr class=\"head\"><th colspan=\"5\"><code>{}</code></th><th>{}</th></tr>\n",
        escaped(&line.key.to_string()),
        escaped(&best.unwrap_or_default())
    );
    let same = |cell: &&Cell| cell.difference.as_ref().is_some_and(Difference::is_nothing);
    let alike = line.cells.iter().zip(&comparison.designs).filter(|(cell, _)| same(cell));
    let alike: Vec<&str> = alike.map(|(_, design)| design.label.as_str()).collect();
    for (cell, design) in line.cells.iter().zip(&comparison.designs) {
        if same(&cell) {
            continue;
        }
        let meaning = cell.difference.as_ref().map_or("", |d| text::meaning(line, d));
        out.push_str(&format!(
            "<tr data-design=\"{0}\"><td>{0}</td><td class=\"n\">{1}</td><td class=\"n\">{2}</td>\
             <td class=\"n\">{3}</td><td class=\"n\">{4}</td><td class=\"{5}\">{5}</td></tr>\n",
            escaped(&design.label),
            percentile(cell.metric.as_ref(), "p50"),
            percentile(cell.metric.as_ref(), "p95"),
            mean(line, cell),
            cell.difference.as_ref().map_or(String::new(), |d| difference(line, d)),
            meaning
        ));
    }
    if !alike.is_empty() {
        let alike = escaped(&alike.join(", "));
        out.push_str(&format!("<tr><td colspan=\"6\">the same in: {alike}</td></tr>\n"));
    }
    out.push_str("</tbody>\n");
    out
}

fn mean(line: &Line, cell: &Cell) -> String {
    let mean = cell.metric.as_ref().and_then(|metric| metric.mean);
    mean.map_or("-".to_string(), |mean| {
        exact(&line.key.to_string(), "mean", mean, &number::show(line.key.doc().unit, mean))
    })
}

/// The mean difference with its interval; what the terminal says where no mean is known.
fn difference(line: &Line, difference: &Difference) -> String {
    let (name, unit) = (line.key.to_string(), line.key.doc().unit);
    match (difference.mean, difference.interval) {
        (Some(mean), Some(sides)) if !difference.is_nothing() => {
            let shown = text::signed(unit, mean);
            let sides = interval(&name, "difference", unit, sides);
            format!("{} {sides}", exact(&name, "difference", mean, &shown))
        }
        _ => escaped(&text::difference(unit, difference)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::three;

    #[test]
    fn who_is_better_by_how_much_and_whom_nothing_beats() {
        let shown = block(&three());
        for said in [
            "<strong>slow</strong> (◆ unbeaten, differences are to this one)",
            "<strong>poor</strong> (beaten)",
            "best: fast",
            "value=\"-40\">-40.0s",
            "<td class=\"better\">better</td>",
            "median +27.0s",
        ] {
            assert!(shown.contains(said), "{said}\n{shown}");
        }
    }
}
