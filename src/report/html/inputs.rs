//! Assumptions and limits, and how to make it all again.

use super::element::{escaped, table};
use crate::report::findings::Findings;
use crate::report::json::MODEL_VERSION;
use crate::report::summary::notes;
use crate::scenario::explain::Explanation;

/// What the model leaves out that most readers would look for.
const LEFT_OUT: [&str; 8] = [
    "no software fails but as a fault says, and no person errs but as a distribution says",
    "no data: a write has a key and a size, and no value; there are no transactions",
    "databases have no processors unless the scenario says what a node can serve",
    "connections have a fixed window and no congestion control; links drop at the tail of their queue",
    "faults are independent of each other unless the scenario ties them together",
    "clocks drift at a constant rate, drawn once per node, unless a fault says otherwise",
    "logs are not compacted, and nothing is restored from a backup",
    "delays within a region are stated once for all regions",
];

/// Every input with where it came from; what is not modelled.
pub fn assumptions(findings: Option<&Findings>, explanation: &Explanation) -> String {
    let mut out = String::from(
        "<p><strong>A model, not your system.</strong> It has the mechanisms that the scenario names, and \
         no others:</p>\n<ul class=\"left-out\">\n",
    );
    LEFT_OUT.iter().for_each(|what| out.push_str(&format!("<li>{what}</li>\n")));
    out.push_str("</ul>\n");
    let said = findings.map(notes).unwrap_or_default();
    if !said.is_empty() {
        out.push_str("<p>Notes of the judges:</p><ul>\n");
        said.iter().for_each(|note| out.push_str(&format!("<li>{}</li>\n", escaped(note))));
        out.push_str("</ul>\n");
    }
    let rows = explanation.rows.iter().map(|row| {
        let cells = [&row.table, &row.key, &row.value, &row.source.show("the scenario")];
        cells.map(|cell| escaped(cell)).to_vec()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let head = [("table", false), ("key", false), ("value", false), ("from", false)];
    let count = rows.len();
    out.push_str(&format!(
        "<details id=\"inputs\"><summary>Every input and where it came from ({count})</summary>{}</details>\n",
        table(&head, &rows)
    ));
    if let Some(matrix) = &explanation.matrix {
        out.push_str(&format!("<p>Round trips: matrix {}.</p>\n", escaped(matrix)));
    }
    out
}

/// What a scenario of a page was.
pub struct Origin {
    /// What it is called.
    pub label: String,
    /// The digest of its text and of all that was applied to it.
    pub digest: u64,
    /// The scenario's text.
    pub text: String,
}

/// The command, and everything it needs.
pub fn reproduce(command: &str, seed: u64, origins: &[Origin]) -> String {
    let mut out = format!(
        "<pre id=\"command\">{}</pre>\n<p>Seed {seed}, regionsim {MODEL_VERSION}: the same bytes on any \
         machine and any number of threads.</p>\n<ul>\n",
        escaped(command)
    );
    for Origin { label, digest, .. } in origins {
        out.push_str(&format!("<li>{}: digest <code>{digest:016x}</code></li>\n", escaped(label)));
    }
    out.push_str("</ul>\n");
    let mut told: Vec<&str> = Vec::new();
    for Origin { label, text, .. } in origins {
        if told.contains(&text.as_str()) {
            continue;
        }
        told.push(text);
        let of = if origins.len() > 1 { format!(" of {label}") } else { String::new() };
        out.push_str(&format!(
            "<details><summary>The scenario{}</summary><pre>{}</pre></details>\n",
            escaped(&of),
            escaped(text)
        ));
    }
    out
}
