//! `comparison.json`: what several designs came to, for programs. The rules are those of
//! `results.json`: exact numbers, `null` for what is unknown or open.

use crate::measure::stats::Difference;
use crate::report::comparison::{Cell, Comparison, Line};
use crate::report::json::{MODEL_VERSION, finite, hex, interval, metric};
use serde_json::{Value, json};

/// The version of the format. It rises when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// The whole of it as a value.
pub fn value(comparison: &Comparison) -> Value {
    let reference = comparison.designs.first();
    let designs = comparison.designs.iter().map(|design| {
        let (heading, outcomes) = (&design.findings.heading, &design.findings.outcomes);
        json!({
            "label": design.label,
            "about": design.about,
            "scenario": heading.name,
            "variant": heading.variant,
            "digest": hex(heading.digest),
            "asked": outcomes.asked,
            "finished": outcomes.trials.len(),
            "unbeaten": design.unbeaten,
        })
    });
    let lines = |lines: &[Line], shown: bool| -> Vec<Value> {
        lines.iter().map(|one| line(comparison, one, shown)).collect()
    };
    let mut metrics = lines(&comparison.lines, true);
    metrics.extend(lines(&comparison.others, false));
    json!({
        "format": "regionsim comparison",
        "version": VERSION,
        "model_version": MODEL_VERSION,
        "title": comparison.title,
        "seed": reference.map(|design| design.findings.heading.seed),
        "reference": reference.map(|design| &design.label),
        "designs": designs.collect::<Vec<_>>(),
        "metrics": metrics,
    })
}

/// A line per metric and design: the form `--format jsonl` prints.
pub fn lines(comparison: &Comparison) -> String {
    let mut out = String::new();
    for line in comparison.lines.iter().chain(&comparison.others) {
        for (cell, design) in line.cells.iter().zip(&comparison.designs) {
            let mut value = one(cell, &design.label);
            if let Value::Object(fields) = &mut value {
                fields.insert("metric".to_string(), json!(line.key.to_string()));
            }
            out.push_str(&format!("{value}\n"));
        }
    }
    out
}

fn line(comparison: &Comparison, line: &Line, shown: bool) -> Value {
    let cells = line.cells.iter().zip(&comparison.designs);
    json!({
        "metric": line.key.to_string(),
        "shown": shown,
        "winner": line.winner().map(|design| &comparison.designs[design].label),
        "designs": cells.map(|(cell, design)| one(cell, &design.label)).collect::<Vec<_>>(),
    })
}

fn one(cell: &Cell, label: &str) -> Value {
    json!({
        "design": label,
        "best": cell.best,
        "value": cell.metric.as_ref().map(metric),
        "difference": cell.difference.as_ref().map(difference),
    })
}

fn difference(difference: &Difference) -> Value {
    json!({
        "pairs": difference.pairs,
        "blurred": difference.blurred,
        "missing": difference.missing,
        "mean": difference.mean.map(finite),
        "mean_interval": interval(difference.interval),
        "median": interval(Some(difference.median)),
        "median_interval": interval(Some(difference.median_interval)),
        "sign": difference.sign(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::three;

    #[test]
    fn a_program_reads_back_who_won_by_how_much() {
        let value = value(&three());
        let rto = &value["metrics"][0];
        assert_eq!(rto["winner"], "fast");
        assert_eq!(rto["designs"][1]["difference"]["mean"], -40.0);
        assert_eq!(rto["designs"][2]["difference"]["mean"], Value::Null);
        assert_eq!(value["designs"][2]["unbeaten"], false);
        assert_eq!(value["reference"], "slow");
    }
}
