//! `results.json`: everything over trials, for programs. See [`VERSION`].
//!
//! Seconds, counts and fractions are plain numbers; what is unknown, and an open side of an
//! interval, is `null`; digests and fingerprints are hexadecimal text, for they do not fit a
//! JavaScript number.

use crate::measure::expect::Ruling;
use crate::measure::{Better, MetricKey, Unit};
use crate::report::findings::{Findings, Metric, PERCENTILES};
use crate::sim::digest::Digest;
use serde_json::{Map, Value, json};

/// The version of the format. It rises when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

pub use crate::experiment::shard::MODEL_VERSION;

/// The whole of it as a value.
pub fn value(findings: &Findings) -> Value {
    let (heading, outcomes) = (&findings.heading, &findings.outcomes);
    let mut all = Digest::new();
    for trial in &outcomes.trials {
        all.fold(trial.trial);
        all.fold(trial.finish.fingerprint);
    }
    json!({
        "format": "regionsim results",
        "version": VERSION,
        "model_version": MODEL_VERSION,
        "scenario": {
            "name": heading.name,
            "title": heading.title,
            "variant": heading.variant,
            "digest": hex(heading.digest),
        },
        "seed": heading.seed,
        "trials": {
            "asked": outcomes.asked,
            "finished": outcomes.trials.len(),
            "halted": outcomes.trials.iter().filter(|t| t.finish.halted).count(),
            "interrupted": outcomes.interrupted(),
            "events": outcomes.trials.iter().map(|t| t.finish.events).sum::<u64>(),
            "fingerprint": hex(all.value()),
        },
        "verdict": ruling_word(findings.ruling()),
        "expectations": expectations(findings),
        "metrics": findings.metrics.iter().map(metric).collect::<Vec<_>>(),
        "series": series(findings),
    })
}

/// `results.json`.
pub fn text(findings: &Findings) -> String {
    pretty(&value(findings))
}

/// A value over several lines, with an end of line.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A line per metric: the form `--format jsonl` prints.
pub fn lines(findings: &Findings) -> String {
    let mut out = String::new();
    for one in &findings.metrics {
        let mut line = Map::new();
        line.insert("scenario".into(), json!(findings.heading.name));
        line.insert("variant".into(), json!(findings.heading.variant));
        if let Value::Object(fields) = metric(one) {
            line.extend(fields);
        }
        out.push_str(&Value::Object(line).to_string());
        out.push('\n');
    }
    out
}

fn expectations(findings: &Findings) -> Vec<Value> {
    let show = |(expectation, judgement): &(_, _)| {
        let expectation: &crate::measure::Expectation = expectation;
        let judgement: &crate::measure::Judgement = judgement;
        json!({
            "metric": expectation.key.to_string(),
            "limit": expectation.text,
            "value": judgement.value.map(finite),
            "at_least": judgement.at_least,
            "interval": interval(judgement.interval),
            "verdict": ruling_word(judgement.verdict),
            "note": judgement.note,
        })
    };
    findings.expectations.iter().map(show).collect()
}

pub(super) fn metric(metric: &Metric) -> Value {
    let mut quantiles = Map::new();
    for ((name, _), quantile) in PERCENTILES.iter().zip(&metric.quantiles) {
        let shown = json!({
            "value": finite(quantile.value),
            "at_least": quantile.at_least,
            "interval": interval(Some(quantile.interval)),
        });
        quantiles.insert(name.to_string(), shown);
    }
    let doc = metric.key.doc();
    json!({
        "metric": metric.key.to_string(),
        "name": metric.key.name,
        "labels": labels(&metric.key),
        "unit": unit_word(doc.unit),
        "better": better_word(doc.better),
        "self_reported": doc.self_reported,
        "count": metric.count,
        "missing": metric.missing,
        "censored": metric.censored,
        "unresolved": metric.unresolved,
        "min": metric.min.map(finite),
        "max": metric.max.map(finite),
        "mean": metric.mean.map(finite),
        "mean_interval": interval(metric.mean_interval),
        "zero_bound": metric.zero_bound,
        "quantiles": quantiles,
    })
}

fn series(findings: &Findings) -> Vec<Value> {
    let show = |total: &crate::experiment::Total| {
        json!({
            "store": total.of.store,
            "region": total.of.region,
            "kind": total.of.kind,
            "bin_seconds": total.of.bin.as_secs_f64(),
            "ok": total.bins.iter().map(|bin| bin[0]).collect::<Vec<_>>(),
            "fail": total.bins.iter().map(|bin| bin[1]).collect::<Vec<_>>(),
            "unknown": total.bins.iter().map(|bin| bin[2]).collect::<Vec<_>>(),
        })
    };
    findings.outcomes.totals.iter().map(show).collect()
}

fn labels(key: &MetricKey) -> Map<String, Value> {
    key.labels.iter().map(|(label, value)| (label.to_string(), json!(value))).collect()
}

pub(super) fn hex(word: u64) -> String {
    format!("{word:016x}")
}

/// JSON has no infinity.
pub(super) fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

pub(super) fn interval(interval: Option<(f64, f64)>) -> Value {
    interval.map_or(Value::Null, |(low, high)| json!([finite(low), finite(high)]))
}

/// The word of a ruling.
pub fn ruling_word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Pass => "pass",
        Ruling::Inconclusive => "inconclusive",
        Ruling::Fail => "fail",
    }
}

/// The word of a unit.
pub fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Count => "count",
        Unit::Share => "share",
        Unit::PerSecond => "per_second",
        Unit::Ratio => "ratio",
    }
}

fn better_word(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Neither => "neither",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;

    #[test]
    fn a_program_reads_back_what_was_found() {
        let text = text(&findings(100));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["scenario"]["digest"], "0000000000000abc");
        assert_eq!(read["trials"]["finished"], 100);
        let rto = &read["metrics"][0];
        assert_eq!(rto["quantiles"]["p50"]["value"], 54.0);
        assert_eq!(rto["quantiles"]["p95"]["at_least"], true);
        assert_eq!(rto["max"], Value::Null);
        assert_eq!(read["expectations"][1]["verdict"], "pass");
    }

    #[test]
    fn jsonl_is_a_value_a_line() {
        let lines = lines(&findings(20));
        assert_eq!(lines.lines().count(), 4);
        for line in lines.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["scenario"], "cut");
        }
    }
}
