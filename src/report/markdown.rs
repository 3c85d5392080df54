//! `summary.md`: the summary as a page for a pull request.

use crate::measure::CATALOGUE;
use crate::report::findings::Findings;
use crate::report::json::MODEL_VERSION;
use crate::report::summary::{HEADER, Row, notes, phase_lines, rows, title};

/// The page.
pub fn text(findings: &Findings) -> String {
    let heading = &findings.heading;
    let mut out = format!("# {}\n\n", escaped(&heading.title));
    if !heading.question.is_empty() {
        out.push_str(&format!("{}\n\n", escaped(&heading.question)));
    }
    out.push_str(&format!("`{}`\n\n", title(findings)));
    table(&mut out, findings);
    for line in phase_lines(findings) {
        out.push_str(&format!("\n{}\n", escaped(&line)));
    }
    let notes = notes(findings);
    if !notes.is_empty() {
        out.push_str("\nNotes:\n\n");
    }
    for note in notes {
        out.push_str(&format!("- {}\n", escaped(&note)));
    }
    let shown: Vec<String> = rows(findings).into_iter().map(|(row, _)| row[0].clone()).collect();
    definitions(&mut out, &shown);
    out.push_str(&format!(
        "\nScenario digest `{:016x}`, regionsim {MODEL_VERSION}. A model, not your system.\n",
        heading.digest
    ));
    out
}

fn table(out: &mut String, findings: &Findings) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(HEADER.map(String::from).to_vec()));
    out.push_str("|---|---|--:|--:|---|---|\n");
    for (row, _) in rows(findings) {
        let row: Row = row.map(|cell| escaped(&cell));
        out.push_str(&line(row.to_vec()));
    }
}

/// What the numbers mean stands next to them: the definitions of the metrics of these rows.
pub(super) fn definitions(out: &mut String, rows: &[String]) {
    let shown =
        |name: &str| rows.iter().any(|row| row == name || row.starts_with(&format!("{name}{{")));
    out.push_str("\nWhat the numbers mean:\n\n");
    for doc in CATALOGUE.iter().filter(|doc| shown(doc.name)) {
        out.push_str(&format!("- `{}`: {}\n", doc.name, doc.doc));
    }
}

/// Text in which nothing is markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn the_page_says_what_its_numbers_mean() {
        let page = text(&findings(500));
        assert!(page.starts_with("# A cut\n\nDoes it heal?\n"));
        assert!(page.contains("| split\\_brain.incidents | max == 0 |"), "{page}");
        assert!(page.contains("- `rto.restored`: Realised RTO"));
        assert!(page.contains("digest `0000000000000abc`"));
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(page.lines().filter(|l| l.starts_with('|')).all(|l| columns(l) == 7));
    }

    #[test]
    fn a_title_cannot_break_the_page() {
        let mut findings = findings(1);
        findings.heading.title = "a|b\n# c <script>".into();
        assert!(text(&findings).starts_with("# a\\|b \\# c \\<script\\>\n"));
    }
}
