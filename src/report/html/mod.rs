//! `report.html`: what happened, where the time went, what would change it, on one page that needs
//! nothing but itself.
//!
//! # Decided
//! - A page is made of what `results.json` holds, and of a few trials that are run again for their
//!   lanes: recording all of them would cost every run what only this page needs.
//! - Every shape that a colour tells apart is told apart by place, line or letter as well.

pub mod charts;
pub mod lanes;
pub mod picture;

use crate::measure::expect::Ruling;
use crate::measure::{MetricKey, Sample, Unit};
use crate::report::findings::{Findings, only_store};
use crate::report::json::{MODEL_VERSION, ruling_word};
use crate::report::number;
use crate::report::summary::{HEADER, notes, rows};
use crate::scenario::explain::Explanation;
use crate::sim::time::{SimTime, Span};
use lanes::{Lanes, Stretch};

/// The most trials whose lanes are shown.
pub const PICKED: usize = 6;

/// A trial that is shown, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pick {
    /// Its place among the finished ones.
    pub at: usize,
    /// Why: `the median outage`, `the longest outage`, `two primaries answered`.
    pub why: &'static str,
}

/// Everything a page needs.
pub struct Page<'a> {
    /// What the trials say.
    pub findings: &'a Findings,
    /// The trials that are shown.
    pub trials: &'a [(Pick, Lanes)],
    /// The scenario as it was understood.
    pub explanation: &'a Explanation,
    /// The scenario's text.
    pub text: &'a str,
    /// The command that makes it again.
    pub command: &'a str,
}

/// Text in which nothing is markup.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// Text of so many characters at most.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Which trials are worth a look: the median outage, the longest, and those with two primaries.
pub fn picks(findings: &Findings) -> Vec<Pick> {
    let trials = &findings.outcomes.trials;
    let outage =
        findings.outcomes.keys.iter().position(|k| k.name == "rto.restored" && only_store(k));
    let mut picks: Vec<Pick> = Vec::new();
    let mut add = |at: usize, why: &'static str| {
        let shows = trials.get(at).is_some_and(|trial| !trial.episodes.is_empty());
        if shows && picks.len() < PICKED && picks.iter().all(|pick| pick.at != at) {
            picks.push(Pick { at, why });
        }
    };
    if let Some(column) = outage {
        let length = |at: &usize| match trials[*at].samples[column] {
            Sample::Censored(_) => f64::INFINITY,
            sample => sample.range().map_or(-1.0, |(_, high)| high),
        };
        let mut order: Vec<usize> = (0..trials.len()).filter(|at| length(at) >= 0.0).collect();
        order.sort_by(|a, b| length(a).total_cmp(&length(b)).then(a.cmp(b)));
        if let (Some(median), Some(last)) = (order.get(order.len() / 2), order.last()) {
            add(*median, "the median outage");
            add(*last, "the longest outage");
        }
    }
    for (at, trial) in trials.iter().enumerate() {
        if !trial.incidents.is_empty() {
            add(at, "two primaries answered");
        }
    }
    add(0, "the first trial");
    picks
}

/// From when to when a trial is shown: its longest episode, with something before and after.
pub fn window(findings: &Findings, at: usize) -> Option<Stretch> {
    let trial = findings.outcomes.trials.get(at)?;
    let end = findings.roster.end;
    let last = |episode: &crate::measure::Episode| episode.end.unwrap_or(end);
    let longest = trial.episodes.iter().max_by_key(|e| last(e).since(e.onset))?;
    let length = last(longest).since(longest.onset);
    let around = Span::from_nanos(length.as_nanos() / 8).max(Span::from_millis(200));
    let from = longest.onset.as_nanos().saturating_sub(around.as_nanos());
    Some((SimTime::from_nanos(from), last(longest).saturating_add(around).min(end)))
}

/// The page.
pub fn text(page: &Page<'_>) -> String {
    let findings = page.findings;
    let heading = &findings.heading;
    let ruling = ruling_word(findings.ruling());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style></head><body>\n<main>\n",
        escaped(&heading.label()),
        include_str!("style.css")
    );
    out.push_str(&format!(
        "<h1>{}</h1>\n<p>{}</p>\n<p class=\"verdict {}\" id=\"verdict\">{}</p>\n",
        escaped(&heading.title),
        escaped(&heading.question),
        if findings.expectations.is_empty() { "" } else { ruling },
        escaped(&verdict(findings))
    ));
    block(&mut out, "objectives", "Objectives", objectives(findings));
    block(&mut out, "happened", "What happened", happened(page));
    block(&mut out, "time", "Where the time goes", charts::stack(findings).unwrap_or_default());
    block(&mut out, "distributions", "Distributions", distributions(findings));
    block(&mut out, "regions", "Latency and availability by region", regions(findings));
    let first = page.trials.first().map(|(_, lanes)| lanes);
    let ring = charts::ring(&findings.roster, &page.explanation.pairs, first);
    let said =
        "<small>Round trips on the edges. ⚡ and a dashed border: where a fault hit.</small>";
    block(&mut out, "topology", "The topology", format!("<div class=\"wide\">{ring}</div>{said}"));
    block(&mut out, "assumptions", "Assumptions and limits", assumptions(page));
    block(&mut out, "reproduce", "Reproduce", reproduce(page));
    out.push_str(&format!(
        "</main>\n<script>\n{}</script>\n</body></html>\n",
        include_str!("script.js")
    ));
    out
}

/// A block, where it has something to say.
fn block(out: &mut String, id: &str, title: &str, body: String) {
    if !body.is_empty() {
        out.push_str(&format!("<section id=\"{id}\"><h2>{title}</h2>\n{body}\n</section>\n"));
    }
}

/// What it comes to, in a sentence made from the numbers.
pub fn verdict(findings: &Findings) -> String {
    let n = findings.outcomes.trials.len();
    let metric = |name: &str| {
        findings.metrics.iter().find(|m| m.key.name == name && only_store(&m.key) && m.count > 0)
    };
    let mut parts = Vec::new();
    if let Some(rto) = metric("rto.restored") {
        let open = rto.quantile("p95");
        if let Some(p95) = open {
            let value = number::show(Unit::Seconds, p95.value);
            parts.push(match (p95.at_least, p95.value == 0.0) {
                (true, _) => format!("in more than 5 of 100, service was not back within {value}"),
                (_, true) => "clients hardly noticed".to_string(),
                _ => format!("every client region could write again within {value} in 95 of 100"),
            });
        }
    }
    if let Some(lost) = metric("writes.lost") {
        parts.push(match (lost.max, lost.quantile("p50")) {
            (Some(0.0), _) => "no acknowledged write was lost".to_string(),
            (_, Some(p50)) if p50.value == 0.0 => {
                "some trials lost acknowledged writes".to_string()
            }
            (_, Some(p50)) => format!(
                "about {} acknowledged writes were lost in the median",
                number::show(Unit::Count, p50.value)
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
    if let Some(available) = metric("availability").and_then(|m| m.quantile("p50")) {
        parts.push(format!(
            "availability {} in the median",
            number::show(Unit::Share, available.value)
        ));
    }
    let mut sentence = format!("In {n} simulated trials: {}.", parts.join("; "));
    if !findings.expectations.is_empty() {
        let failed: Vec<String> = findings
            .expectations
            .iter()
            .filter(|(_, judgement)| judgement.verdict != Ruling::Pass)
            .map(|(e, j)| format!("{} {} ({})", e.key, e.text, ruling_word(j.verdict)))
            .collect();
        sentence.push_str(&match failed.is_empty() {
            true => " Every expectation holds.".to_string(),
            false => format!(" Not met: {}.", failed.join(", ")),
        });
    }
    sentence
}

fn objectives(findings: &Findings) -> String {
    let mut out = String::from("<div class=\"wide\"><table><thead><tr>");
    for (i, title) in HEADER.iter().enumerate() {
        let class = if i == 2 || i == 3 { " class=\"n\"" } else { "" };
        out.push_str(&format!("<th{class}>{}</th>", escaped(title)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for (row, ruling) in rows(findings) {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let class = match (i, ruling) {
                (2 | 3, _) => " class=\"n\"".to_string(),
                (5, Some(ruling)) => format!(" class=\"{}\"", ruling_word(ruling)),
                _ => String::new(),
            };
            out.push_str(&format!("<td{class}>{}</td>", escaped(cell)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>");
    out
}

fn happened(page: &Page<'_>) -> String {
    let Some((first, _)) = page.trials.first() else { return String::new() };
    let trials = &page.findings.outcomes.trials;
    let number = |pick: &Pick| trials[pick.at].trial;
    let mut out = String::from("<label>Trial <select id=\"trial\">");
    for (pick, _) in page.trials {
        out.push_str(&format!("<option value=\"{0}\">{0}: {1}</option>", number(pick), pick.why));
    }
    out.push_str("</select></label>\n");
    for (pick, lanes) in page.trials {
        let title = format!("trial {}: {}", number(pick), pick.why);
        let picture =
            picture::lanes(lanes, &page.findings.roster, &trials[pick.at].incidents, &title);
        let class = if pick == first { "trial first" } else { "trial" };
        out.push_str(&format!(
            "<figure class=\"{class}\" data-trial=\"{}\"><figcaption>{}</figcaption>\
             <div class=\"wide\">{picture}</div></figure>\n",
            number(pick),
            escaped(&title)
        ));
    }
    out.push_str(
        "<small>Facts: filled silhouettes are answers with success (nodes) and operations that ended \
         ok (clients); a red outline counts operations that did not end ok; a pale bar: admits writes; \
         grey: down; a red band: two primaries answer. Said by nodes: the outlined strip on top is \
         \"I am primary\", the thin solid one below it \"I hold the lease\", dashed marks are steps of \
         the failover. Letters: A given the right to be primary, F fenced, E stands for election, T cut \
         its history back, W lost its disk. Hover or focus for times.</small>",
    );
    out
}

fn distributions(findings: &Findings) -> String {
    let wanted = |key: &MetricKey| {
        let named = ["rto.restored", "rpo.time", "writes.lost"].contains(&key.name);
        let expected = findings.expectations.iter().any(|(e, _)| e.key == *key);
        (named || expected) && only_store(key)
    };
    let keys = findings.outcomes.keys.iter().filter(|key| wanted(key));
    let charts: Vec<String> =
        keys.filter_map(|key| charts::distribution(findings, key)).take(8).collect();
    if charts.is_empty() {
        return String::new();
    }
    format!("<div class=\"pair\">{}</div>", charts.join("\n"))
}

/// A row per metric of service and region.
fn regions(findings: &Findings) -> String {
    let mut out = String::new();
    for metric in &findings.metrics {
        let key = &metric.key;
        let service = ["latency.p50", "latency.p99", "availability"].contains(&key.name);
        if !service || key.label("region").is_none() || metric.count == 0 {
            continue;
        }
        let unit = key.doc().unit;
        let show = |name: &str| {
            let quantile = metric.quantile(name);
            quantile.map_or("-".to_string(), |q| number::show_open(unit, q.value, q.at_least))
        };
        out.push_str(&format!(
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
            escaped(&key.to_string()),
            show("p50"),
            show("p95")
        ));
    }
    if out.is_empty() {
        return String::new();
    }
    format!(
        "<details><summary>Each client region for itself</summary><div class=\"wide\"><table><thead>\
         <tr><th>metric</th><th class=\"n\">p50 of trials</th><th class=\"n\">p95</th></tr></thead>\
         <tbody>\n{out}</tbody></table></div></details>"
    )
}

fn assumptions(page: &Page<'_>) -> String {
    let mut out = String::from(
        "<p>A model, not your system: it has the mechanisms that the scenario names, and no others. No \
         software fails in it but as a fault says, no person but as a distribution says, and nothing \
         is slower than it was told to be.</p>\n",
    );
    let said = notes(page.findings);
    if !said.is_empty() {
        out.push_str("<p>Notes of the judges:</p><ul>\n");
        said.iter().for_each(|note| out.push_str(&format!("<li>{}</li>\n", escaped(note))));
        out.push_str("</ul>\n");
    }
    out.push_str(
        "<details><summary>Every input and where it came from</summary><div class=\"wide\"><table>\
         <thead><tr><th>table</th><th>key</th><th>value</th><th>from</th></tr></thead><tbody>\n",
    );
    for row in &page.explanation.rows {
        out.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            escaped(&row.table),
            escaped(&row.key),
            escaped(&row.value),
            escaped(&row.source.show("the scenario"))
        ));
    }
    out.push_str("</tbody></table></div></details>");
    out
}

fn reproduce(page: &Page<'_>) -> String {
    let heading = &page.findings.heading;
    format!(
        "<pre>{}</pre>\n<p>Seed {}, scenario digest <code>{:016x}</code>, regionsim {MODEL_VERSION}: the \
         same bytes on any machine.</p>\n<details><summary>The scenario</summary><pre>{}</pre></details>",
        escaped(page.command),
        heading.seed,
        heading.digest,
        escaped(page.text)
    )
}
