//! The verdict in a sentence, and the objectives with what became of them.

use super::element::{escaped, exact, interval, percentile, percentile_interval, table};
use crate::measure::expect::Ruling;
use crate::measure::{Expectation, Judgement};
use crate::report::findings::{Findings, Metric, judge, only_store};
use crate::report::json::ruling_word;
use crate::report::number;
use crate::scenario::explain::Explanation;

/// What the scenario's policy wants, as expectations: the 95th percentile for times, the mean for
/// availability, for a policy does not say of how many incidents it speaks.
pub fn objectives(findings: &Findings, explanation: &Explanation) -> Vec<Expectation> {
    const POLICY: [(&str, &str, &str); 3] = [
        ("rto", "rto.restored", "p95 <="),
        ("rpo", "rpo.time", "p95 <="),
        ("availability_slo", "availability", "mean >="),
    ];
    let mut found = Vec::new();
    for (key, metric, limit) in POLICY {
        let row = explanation.rows.iter().find(|row| row.table == "policy" && row.key == key);
        let Some(value) = row.map(|row| row.value.trim_matches('"')).filter(|v| !v.is_empty())
        else {
            continue;
        };
        for known in findings.metrics.iter().filter(|m| m.key.name == metric && only_store(&m.key))
        {
            let text = format!("{limit} {value}");
            found.extend(Expectation::parse(&known.key.to_string(), &text).ok());
        }
    }
    found
}

/// A row per objective, per expectation, and per headline metric of which nothing is expected.
pub fn block(findings: &Findings, objectives: &[Expectation]) -> String {
    let mut rows = Vec::new();
    for objective in objectives {
        let judgement = judge(objective, &findings.outcomes);
        rows.push(row(findings, objective, &judgement, "objective "));
    }
    for (expectation, judgement) in &findings.expectations {
        rows.push(row(findings, expectation, judgement, ""));
    }
    let extra = findings.headlines().filter(|m| objectives.iter().all(|o| o.key != m.key));
    rows.extend(extra.map(headline));
    let head = [
        ("metric", false),
        ("target", false),
        ("p50", true),
        ("p95", true),
        ("judged", true),
        ("verdict", false),
    ];
    format!(
        "{}<small>Over all trials, each with its 95 % interval; … is a side that so few trials leave open. \
         Objectives are those of the scenario's policy.</small>",
        table(&head, &rows)
    )
}

fn row(findings: &Findings, e: &Expectation, judgement: &Judgement, what: &str) -> Vec<String> {
    let metric = findings.metric(&e.key);
    let (unit, name) = (e.unit(), e.key.to_string());
    let of = format!("judged {}", e.text);
    let judged = judgement.value.map_or("-".to_string(), |value| {
        let text = number::show_open(unit, value, judgement.at_least);
        let sides = judgement.interval.map(|sides| interval(&name, &of, unit, sides));
        let sides = sides.unwrap_or_default();
        format!("{} {}{sides}", e.aggregate, exact(&name, &of, value, &text))
    });
    let judged = none_seen(metric).unwrap_or(judged);
    let word = ruling_word(judgement.verdict);
    let note = match judgement.note.is_empty() || judgement.verdict == Ruling::Pass {
        true => String::new(),
        false => format!("<br><small>{}</small>", escaped(&judgement.note)),
    };
    let sign = match judgement.verdict {
        Ruling::Pass => "✓",
        Ruling::Inconclusive => "?",
        Ruling::Fail => "✗",
    };
    vec![
        format!("{what}<code>{}</code>", escaped(&name)),
        escaped(&e.text),
        with_interval(metric, "p50"),
        with_interval(metric, "p95"),
        judged,
        format!("<span class=\"{word}\">{sign} {word}</span>{note}"),
    ]
}

fn headline(metric: &Metric) -> Vec<String> {
    let mut notes = Vec::new();
    for (count, what) in [(metric.censored, "censored"), (metric.unresolved, "unresolved")] {
        if count > 0 {
            notes.push(format!("{count} {what}"));
        }
    }
    vec![
        format!("<code>{}</code>", escaped(&metric.key.to_string())),
        String::new(),
        with_interval(Some(metric), "p50"),
        with_interval(Some(metric), "p95"),
        none_seen(Some(metric)).unwrap_or_default(),
        notes.join(", "),
    ]
}

/// Zero is a claim too: it is shown with its bound.
fn none_seen(metric: Option<&Metric>) -> Option<String> {
    let (metric, bound) = metric.and_then(|metric| Some((metric, metric.zero_bound?)))?;
    let text = format!("{:.2} %", bound * 100.0);
    let bound = exact(&metric.key.to_string(), "zero_bound", bound, &text);
    Some(format!("none (&lt; {bound} of trials)"))
}

fn with_interval(metric: Option<&Metric>, name: &str) -> String {
    format!("{} {}", percentile(metric, name), percentile_interval(metric, name))
}

/// What it comes to, in a sentence made from the numbers; markup, for its numbers are exact.
pub fn verdict(findings: &Findings, explanation: &Explanation) -> String {
    let n = findings.outcomes.trials.len();
    let metric = |name: &str| {
        findings.metrics.iter().find(|m| m.key.name == name && only_store(&m.key) && m.count > 0)
    };
    let mut parts = Vec::new();
    if let Some(p95) = metric("rto.restored").and_then(|m| Some((m, m.quantile("p95")?))) {
        let shown =
            |(metric, _): (&Metric, _)| percentile(Some(metric), "p95").replace("&gt; ", "");
        parts.push(match (p95.1.at_least, p95.1.value == 0.0) {
            (true, _) => {
                format!("in more than 5 of 100, service was not back within {}", shown(p95))
            }
            (_, true) => "clients hardly noticed".to_string(),
            _ => {
                format!("every client region could write again within {} in 95 of 100", shown(p95))
            }
        });
    }
    if let Some(lost) = metric("writes.lost") {
        parts.push(match (lost.max, lost.quantile("p50")) {
            (Some(0.0), _) => "no acknowledged write was lost".to_string(),
            (_, Some(p50)) if p50.value == 0.0 => {
                "some trials lost acknowledged writes".to_string()
            }
            (_, Some(_)) => format!(
                "about {} acknowledged writes were lost in the median",
                percentile(Some(lost), "p50")
            ),
            _ => "what was lost is not known".to_string(),
        });
    }
    if let Some(split) = metric("split_brain.incidents") {
        let share = findings.outcomes.trials.iter().filter(|t| !t.incidents.is_empty()).count();
        parts.push(match split.max {
            Some(0.0) => "never two primaries".to_string(),
            _ => format!("two primaries answered in {share} of {n} trials"),
        });
    }
    if metric("availability").is_some_and(|m| m.quantile("p50").is_some()) {
        let shown = percentile(metric("availability"), "p50");
        parts.push(format!("availability {shown} in the median"));
    }
    let mut sentence =
        format!("In {n} simulated {}: {}.", disaster(findings, explanation), parts.join("; "));
    if !findings.expectations.is_empty() {
        let missed = findings.expectations.iter().filter(|(_, j)| j.verdict != Ruling::Pass);
        let missed: Vec<String> = missed
            .map(|(e, j)| format!("{} {} ({})", e.key, e.text, ruling_word(j.verdict)))
            .collect();
        sentence.push_str(&match missed.is_empty() {
            true => " Every expectation holds.".to_string(),
            false => format!(" Not met: {}.", escaped(&missed.join(", "))),
        });
    }
    sentence
}

/// What happens in each trial: `trials of cut (partition, 43s)`, or `trials`.
fn disaster(findings: &Findings, explanation: &Explanation) -> String {
    let ([entry], [fault]) = (findings.roster.faults.as_slice(), explanation.calendar.as_slice())
    else {
        return "trials".to_string();
    };
    let lasts = fault.duration.trim_matches('"');
    let lasts = if lasts.contains('{') { String::new() } else { format!(", {lasts}") };
    escaped(&format!("trials of {} ({}{lasts})", fault.name, entry.kind.replace('_', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::findings::tests::findings;
    use crate::scenario::explain::{CalendarRow, Row, Source};

    fn explanation() -> Explanation {
        let row = Row {
            table: "policy".into(),
            key: "rto".into(),
            value: "\"2m\"".into(),
            source: Source::File(3),
        };
        let cut = CalendarRow {
            name: "cut".into(),
            at: "10m".into(),
            duration: "43s".into(),
            what: "partition isolate = [\"a\"]".into(),
        };
        Explanation { rows: vec![row], matrix: None, pairs: vec![], calendar: vec![cut] }
    }

    #[test]
    fn a_policy_is_judged_like_an_expectation() {
        let findings = findings(100);
        let wanted = objectives(&findings, &explanation());
        assert_eq!(wanted.len(), 1);
        assert_eq!((wanted[0].text.as_str(), wanted[0].limit), ("p95 <= 2m", 120.0));
        let shown = block(&findings, &wanted);
        assert!(shown.contains("objective <code>rto.restored</code>"), "{shown}");
        assert!(shown.contains("<span class=\"inconclusive\">? inconclusive</span>"), "{shown}");
        assert!(shown.contains("data-of=\"p50\" value=\"54\">54.0s"), "{shown}");
    }

    #[test]
    fn the_sentence_is_made_from_the_numbers() {
        let said = verdict(&findings(100), &explanation());
        assert!(
            said.starts_with("In 100 simulated trials of cut (partition, 43s): in more than 5")
        );
        assert!(said.contains("Not met: rto.restored p50 &lt; 1m (inconclusive)."), "{said}");
    }
}
