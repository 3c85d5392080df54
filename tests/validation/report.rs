//! The report: one table per case, and the figures behind it as CSV.

use super::kit::Case;
use std::fmt::Write;
use std::fs;
use std::io::Result;
use std::path::Path;

const HEAD: &str = "# Validation against published numbers

Nobody on this project wrote the numbers in the column *published*. READ: read in a copy of the
source. DERIVED: computed from what was read there. DIGITISED: read off a printed figure.
The figures behind the tables stand beside this file. Regenerate all of it, to the same bytes:

```text
REPORT=1 cargo test --release --test validation -- report
```

The same cases run on fewer trials with every `cargo test --test validation`.
";

/// Writes `results/validation/`.
pub fn write(cases: &[Case]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/validation");
    fs::create_dir_all(&folder)?;
    let rows = || cases.iter().flat_map(|case| &case.rows);
    let passed = rows().filter(|row| row.pass).count();
    let mut text = HEAD.to_string();
    let _ = writeln!(text, "\n**{passed} of {} comparisons hold.**", rows().count());
    for case in cases {
        let _ =
            writeln!(text, "\n## {}\n\nSource: {}\n\n{}\n", case.title, case.source, case.notes);
        text += "| what | label | published | ours | interval | tolerance | verdict |\n";
        text += "|---|---|---|---|---|---|---|\n";
        for row in &case.rows {
            let verdict = if row.pass { "holds" } else { "**FAILS**" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {verdict} |",
                row.what, row.label, row.published, row.ours, row.interval, row.tolerance
            );
        }
        for table in &case.tables {
            let _ = writeln!(text, "\nFigures: `{}`", table.name);
            fs::write(folder.join(&table.name), &table.text)?;
        }
    }
    fs::write(folder.join("report.md"), text)
}
