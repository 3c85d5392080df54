//! What a run says against its baseline, in every format.

use crate::report::baseline::Check;
use crate::report::comparison::text::difference;
use crate::report::json::{finite, interval};
use crate::report::markdown::escaped;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Map, Value, json};

const HEADER: [&str; 3] = ["metric", "now minus baseline", "verdict"];

fn verdict(check: &Check) -> &'static str {
    match (check.regressed, check.improved, check.difference.is_nothing()) {
        (true, ..) => "worse",
        (_, true, _) => "better",
        (.., true) => "same",
        _ => "cannot tell",
    }
}

/// Those that differ at all; what is exactly the same is only counted.
fn rows(checks: &[Check]) -> Vec<[String; 3]> {
    let differ = checks.iter().filter(|check| !check.difference.is_nothing());
    let row = |check: &Check| {
        let by = difference(check.key.doc().unit, &check.difference);
        [check.key.to_string(), by, verdict(check).to_string()]
    };
    differ.map(row).collect()
}

fn title(checks: &[Check]) -> String {
    let same = checks.iter().filter(|check| check.difference.is_nothing()).count();
    let how = match checks.first() {
        Some(first) if first.paired => format!("paired over {} trials", first.difference.pairs),
        _ => "not paired: another seed or model version".to_string(),
    };
    format!("Against the baseline ({how}): {same} of {} metrics are exactly the same", checks.len())
}

/// For a terminal; nothing where there is no baseline.
pub fn text(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let mut out = format!("  {}\n", title(checks));
    let rows = rows(checks);
    if !rows.is_empty() {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(HEADER);
        table.add_rows(rows);
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for line in table.to_string().lines() {
            out.push_str(&format!("  {}\n", line.trim_end()));
        }
    }
    out
}

/// For a page; nothing where there is no baseline.
pub fn markdown(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}.\n", title(checks));
    let rows = rows(checks);
    if !rows.is_empty() {
        out.push_str(&format!("\n| {} |\n|---|--:|---|\n", HEADER.join(" | ")));
        for row in rows {
            out.push_str(&format!("| {} |\n", row.map(|cell| escaped(&cell)).join(" | ")));
        }
    }
    out
}

/// For programs: a value per metric.
pub fn values(checks: &[Check]) -> Vec<Value> {
    let value = |check: &Check| {
        let difference = &check.difference;
        json!({
            "metric": check.key.to_string(),
            "paired": check.paired,
            "mean": difference.mean.map(finite),
            "mean_interval": interval(difference.interval),
            "median_interval": interval(Some(difference.median_interval)),
            "verdict": verdict(check),
        })
    };
    checks.iter().map(value).collect()
}

/// For programs: a value a line.
pub fn lines(checks: &[Check], scenario: &str) -> String {
    let line = |value: Value| {
        let mut line = Map::new();
        line.insert("scenario".into(), json!(scenario));
        line.insert("against_baseline".into(), value);
        format!("{}\n", Value::Object(line))
    };
    values(checks).into_iter().map(line).collect()
}
