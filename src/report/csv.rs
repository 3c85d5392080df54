//! `trials.csv`, `incidents.csv`, and the table over trials that `--format csv` prints.
//!
//! A cell of a trial is a number, `>100` when the run ended before it did, `3..7` when only
//! bounds are known, and empty when the metric does not apply. Nothing is rounded.

use crate::experiment::Trial;
use crate::measure::{Incident, Sample};
use crate::model::id::NodeId;
use crate::report::findings::{Findings, Metric, PERCENTILES};
use crate::report::json::{ruling_word, unit_word};
use csv::Writer;

/// A row per trial.
pub fn trials(findings: &Findings) -> Vec<u8> {
    let mut header = vec!["trial".to_string()];
    header.extend(["ended_s", "events", "facts", "fingerprint", "halted"].map(String::from));
    header.extend(findings.outcomes.keys.iter().map(|key| key.to_string()));
    let rows = findings.outcomes.trials.iter().map(trial);
    written(std::iter::once(header).chain(rows))
}

fn trial(trial: &Trial) -> Vec<String> {
    let finish = &trial.finish;
    let mut row = vec![
        trial.trial.to_string(),
        finish.at.as_secs_f64().to_string(),
        finish.events.to_string(),
        finish.facts.to_string(),
        format!("{:016x}", finish.fingerprint),
        finish.halted.to_string(),
    ];
    row.extend(trial.samples.iter().map(cell));
    row
}

/// One sample, exactly.
pub fn cell(sample: &Sample) -> String {
    match *sample {
        Sample::Value(value) => value.to_string(),
        Sample::Censored(value) => format!(">{value}"),
        Sample::Bounds { low, high } => format!("{low}..{high}"),
        Sample::Missing => String::new(),
    }
}

/// A row per split-brain incident.
pub fn incidents(findings: &Findings) -> Vec<u8> {
    let header = [
        "trial",
        "store",
        "start_s",
        "end_s",
        "winners",
        "losers",
        "answers_winner",
        "answers_loser",
        "keys_both",
    ];
    let rows = findings.outcomes.trials.iter().flat_map(|trial| {
        trial.incidents.iter().map(|incident| incident_row(findings, trial.trial, incident))
    });
    written(std::iter::once(header.map(String::from).to_vec()).chain(rows))
}

fn incident_row(findings: &Findings, trial: u64, incident: &Incident) -> Vec<String> {
    let names = |nodes: &[NodeId]| {
        let names = nodes.iter().filter_map(|n| findings.roster.nodes.get(n.index()));
        names.map(|node| node.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    let group = findings.roster.groups.get(incident.group.index());
    vec![
        trial.to_string(),
        group.map_or(String::new(), |group| group.name.clone()),
        incident.start.as_secs_f64().to_string(),
        incident.end.as_secs_f64().to_string(),
        names(&incident.winners),
        names(&incident.losers),
        incident.answers_winner.to_string(),
        incident.answers_loser.to_string(),
        incident.keys_both.to_string(),
    ]
}

/// The header of [`metrics`].
pub fn metrics_header() -> Vec<u8> {
    written(std::iter::once(metric_columns()))
}

/// The columns of [`metrics`].
pub(super) fn metric_columns() -> Vec<String> {
    let mut header: Vec<String> =
        ["scenario", "variant", "metric", "unit", "count", "missing"].map(String::from).to_vec();
    header.extend(
        ["censored", "unresolved", "min", "mean", "mean_low", "mean_high"].map(String::from),
    );
    for (name, _) in PERCENTILES {
        header.extend([name.to_string(), format!("{name}_low"), format!("{name}_high")]);
    }
    header.extend(["max", "limits", "verdict"].map(String::from));
    header
}

/// A row per metric, over trials; what is open or unknown is empty.
pub fn metrics(findings: &Findings) -> Vec<u8> {
    written(findings.metrics.iter().map(|metric| metric_row(findings, metric)))
}

pub(super) fn metric_row(findings: &Findings, metric: &Metric) -> Vec<String> {
    let known = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let shown = |value: Option<f64>| value.map_or(String::new(), known);
    let expected: Vec<_> =
        findings.expectations.iter().filter(|(e, _)| e.key == metric.key).collect();
    let limits: Vec<&str> = expected.iter().map(|(e, _)| e.text.as_str()).collect();
    let verdict = expected.iter().map(|(_, j)| j.verdict).max();
    let mut row = vec![
        findings.heading.name.clone(),
        findings.heading.variant.clone().unwrap_or_default(),
        metric.key.to_string(),
        unit_word(metric.key.doc().unit).to_string(),
        metric.count.to_string(),
        metric.missing.to_string(),
        metric.censored.to_string(),
        metric.unresolved.to_string(),
        shown(metric.min),
        shown(metric.mean),
        shown(metric.mean_interval.map(|(low, _)| low)),
        shown(metric.mean_interval.map(|(_, high)| high)),
    ];
    for at in 0..PERCENTILES.len() {
        match metric.quantiles.get(at) {
            None => row.extend([String::new(), String::new(), String::new()]),
            Some(quantile) => {
                let open = if quantile.at_least { ">" } else { "" };
                row.push(format!("{open}{}", known(quantile.value)));
                row.extend([known(quantile.interval.0), known(quantile.interval.1)]);
            }
        }
    }
    row.extend([
        shown(metric.max),
        limits.join("; "),
        verdict.map_or(String::new(), |verdict| ruling_word(verdict).to_string()),
    ]);
    row
}

/// Rows as CSV. Writing to memory cannot fail, and every row is as long as the first.
pub(super) fn written(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("rows of one length, written to memory");
    }
    writer.into_inner().expect("memory takes everything")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::GroupId;
    use crate::report::findings::tests::findings;
    use crate::report::story_of_tests::at;

    fn read(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        let row = |row: Result<csv::StringRecord, _>| {
            row.unwrap().iter().map(String::from).collect::<Vec<_>>()
        };
        reader.records().map(row).collect()
    }

    #[test]
    fn a_row_per_trial_and_a_column_per_metric() {
        let rows = read(&trials(&findings(10)));
        assert_eq!(rows.len(), 11);
        let column = |name: &str| rows[0].iter().position(|cell| cell == name).unwrap();
        let rto = column("rto.restored");
        assert_eq!((rows[4][rto].as_str(), rows[10][rto].as_str()), ("3", ">100"));
        assert_eq!(rows[1][column("phase.detect")], "");
        assert_eq!(rows[1][column("fingerprint")], "0000000000000007");
    }

    #[test]
    fn incidents_are_told_with_names() {
        let mut findings = findings(2);
        findings.outcomes.trials[1].incidents.push(Incident {
            group: GroupId(0),
            start: at(1500),
            end: at(2500),
            winners: vec![NodeId(1)],
            losers: vec![NodeId(0)],
            answers_winner: 3,
            answers_loser: 2,
            keys_both: 1,
        });
        let rows = read(&incidents(&findings));
        let told = ["1", "orders", "1.5", "2.5", "db-us-west", "db-us-east", "3", "2", "1"];
        assert_eq!(rows[1], told);
    }

    #[test]
    fn rows_over_trials_fit_their_header() {
        let findings = findings(100);
        let header = read(&metrics_header());
        let rows = read(&metrics(&findings));
        assert!(rows.iter().all(|row| row.len() == header[0].len()));
        let at = |name: &str| header[0].iter().position(|cell| cell == name).unwrap();
        assert_eq!(rows[0][at("p95")], ">100");
        assert_eq!(rows[1][at("verdict")], "pass");
    }
}
