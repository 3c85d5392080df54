//! `comparison.md`: a comparison as a page for a pull request.

use crate::report::comparison::Comparison;
use crate::report::comparison::text::{HEADER, descriptions, front, rows, the_same, title};
use crate::report::json::MODEL_VERSION;
use crate::report::markdown::{definitions, escaped};

/// The page.
pub fn text(comparison: &Comparison) -> String {
    let mut out = format!("# {}\n\n", escaped(&comparison.title));
    out.push_str(&format!("`{}`\n\n", title(comparison)));
    if let Some(reference) = comparison.designs.first() {
        let label = escaped(&reference.label);
        out.push_str(&format!("Differences are to {label}, trial by trial.\n\n"));
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(HEADER.map(String::from).to_vec()));
    out.push_str("|---|--:|--:|--:|---|---|\n");
    for row in rows(comparison) {
        let name = escaped(row[0].trim_start());
        let name = if row[0].starts_with(' ') { name } else { format!("**{name}**") };
        let rest = row[1..].iter().map(|cell| escaped(cell));
        out.push_str(&line(std::iter::once(name).chain(rest).collect()));
    }
    out.push('\n');
    for line in the_same(comparison).into_iter().chain(descriptions(comparison)) {
        out.push_str(&format!("- {}\n", escaped(&line)));
    }
    out.push_str(&format!("\n{}.\n", escaped(&front(comparison))));
    let shown: Vec<String> =
        comparison.lines.iter().map(|line| line.key.name.to_string()).collect();
    definitions(&mut out, &shown);
    out.push_str(&format!("\nregionsim {MODEL_VERSION}. A model, not your system.\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::three;

    #[test]
    fn the_page_has_a_row_per_metric_and_design_and_says_what_they_mean() {
        let page = text(&three());
        assert!(page.contains("| **rto.restored** |"), "{page}");
        assert!(page.contains("| fast | 63.0s |"), "{page}");
        assert!(page.contains("- `writes.lost`: Acknowledged writes absent"), "{page}");
        assert!(page.contains("unbeaten: slow, fast."), "{page}");
    }
}
