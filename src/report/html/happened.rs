//! What happened: the lanes of the trials that a reader picks from, from afar and from near.

use super::element::escaped;
use super::lanes::Lanes;
use super::picture;
use super::spell::Stretch;
use crate::measure::Sample;
use crate::report::findings::{Findings, only_store};
use crate::sim::time::{SimTime, Span};

/// The most trials of one design whose lanes are shown.
pub const PICKED: usize = 6;

/// A trial that is shown, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pick {
    /// Its place among the finished ones.
    pub at: usize,
    /// Why: `the median outage`, `the longest outage`, `two primaries answered`.
    pub why: &'static str,
}

/// A trial with its lanes.
pub struct Shown<'a> {
    /// The design, where there are several.
    pub design: String,
    /// What its trials say.
    pub findings: &'a Findings,
    /// Which trial.
    pub pick: Pick,
    /// Its longest episode.
    pub whole: Lanes,
    /// The incident from near, where that is much less than the episode.
    pub near: Option<Lanes>,
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
    let broken = |at: &usize| {
        findings.expectations.iter().any(|(e, _)| {
            let column = findings.outcomes.keys.iter().position(|key| *key == e.key);
            let value = column.and_then(|column| trials[*at].samples[column].value());
            value.is_some_and(|value| !e.holds(value))
        })
    };
    (0..trials.len()).filter(broken).take(2).for_each(|at| add(at, "violates an expectation"));
    add(0, "the first trial");
    picks
}

/// From when to when a trial is shown: its longest episode, with something before and after.
pub fn window(findings: &Findings, at: usize) -> Option<Stretch> {
    let (onset, last) = longest(findings, at)?;
    let around = Span::from_nanos(last.since(onset).as_nanos() / 8).max(Span::from_millis(200));
    let from = onset.as_nanos().saturating_sub(around.as_nanos());
    let end = findings.roster.end;
    Some((SimTime::from_nanos(from), last.saturating_add(around).min(end)))
}

fn longest(findings: &Findings, at: usize) -> Option<Stretch> {
    let trial = findings.outcomes.trials.get(at)?;
    let end = |episode: &crate::measure::Episode| episode.end.unwrap_or(findings.roster.end);
    let longest = trial.episodes.iter().max_by_key(|e| end(e).since(e.onset))?;
    Some((longest.onset, end(longest)))
}

/// The incident from near: from the onset to a little after the first write, the last right that
/// was given, and the end of split brain. Nothing where that is most of the episode anyway.
pub fn incident(findings: &Findings, at: usize) -> Option<Stretch> {
    let (onset, last) = longest(findings, at)?;
    let (_, whole) = window(findings, at)?;
    let trial = &findings.outcomes.trials[at];
    let mut until = onset;
    let first = |key: &crate::measure::MetricKey| key.name == "rto.first_write" && only_store(key);
    for (key, sample) in findings.outcomes.keys.iter().zip(&trial.samples) {
        if let Some(seconds) = sample.value().filter(|_| first(key)) {
            until = until.max(onset + Span::from_nanos((seconds * 1e9) as u64));
        }
    }
    for episode in trial.episodes.iter().filter(|episode| episode.onset == onset) {
        let rights = episode.authorised.iter().map(|(_, _, when)| *when);
        until = rights.filter(|when| *when <= last).fold(until, SimTime::max);
    }
    let splits = trial.incidents.iter().filter(|i| i.start >= onset && i.end <= last);
    until = splits.map(|incident| incident.end).fold(until, SimTime::max);
    let length = until.since(onset).as_nanos();
    let around = Span::from_nanos(length / 6).max(Span::from_millis(200));
    let from = SimTime::from_nanos(onset.as_nanos().saturating_sub(around.as_nanos()));
    let to = until.saturating_add(around);
    let much_less = to.since(from).as_nanos() < whole.since(from).as_nanos() / 10 * 7;
    (length > 0 && much_less).then_some((from, to))
}

/// The pictures, and what picks among them.
pub fn block(shown: &[Shown<'_>]) -> String {
    let Some(first) = shown.first() else { return String::new() };
    let mut out = String::from("<p class=\"controls\"><label>Trial <select id=\"trial\">\n");
    let mut design: Option<&str> = None;
    for (key, one) in shown.iter().enumerate() {
        if !one.design.is_empty() && design != Some(&one.design) {
            let end = if design.is_some() { "</optgroup>\n" } else { "" };
            out.push_str(&format!("{end}<optgroup label=\"{}\">\n", escaped(&one.design)));
            design = Some(&one.design);
        }
        out.push_str(&format!("<option value=\"{key}\">{}</option>\n", escaped(&title(one))));
    }
    out.push_str(if design.is_some() { "</optgroup>\n" } else { "" });
    out.push_str("</select></label>");
    if shown.iter().any(|one| one.near.is_some()) {
        out.push_str(
            " <label><input type=\"checkbox\" id=\"zoom\" checked> zoom on the incident</label>",
        );
    }
    out.push_str(&format!(
        "</p>\n<svg class=\"defs\" aria-hidden=\"true\">{}</svg>\n",
        picture::HATCH
    ));
    for (key, one) in shown.iter().enumerate() {
        let class = if std::ptr::eq(one, first) { "trial first" } else { "trial" };
        out.push_str(&format!(
            "<figure class=\"{class}\" data-trial=\"{key}\"><figcaption>{}</figcaption>",
            {
                let of =
                    if one.design.is_empty() { String::new() } else { format!("{}, ", one.design) };
                escaped(&format!("{of}{}", title(one)))
            }
        ));
        let views = [("near", one.near.as_ref()), ("whole", Some(&one.whole))];
        let lone = one.near.is_none();
        for (view, lanes) in views {
            let Some(lanes) = lanes else { continue };
            let name = if lone { "only" } else { view };
            let trial = &one.findings.outcomes.trials[one.pick.at];
            let drawn = picture::lanes(lanes, &one.findings.roster, &trial.incidents, &title(one));
            out.push_str(&format!("<div class=\"wide view\" data-view=\"{name}\">{drawn}</div>"));
        }
        out.push_str("</figure>\n");
    }
    out.push_str(LEGEND);
    out
}

fn title(shown: &Shown<'_>) -> String {
    let trial = shown.findings.outcomes.trials[shown.pick.at].trial;
    format!("trial {trial}: {}", shown.pick.why)
}

const LEGEND: &str = "<p class=\"told\" aria-live=\"polite\"></p>\n<p class=\"legend\"><small>Hover, tap, or \
    focus a picture and press the arrow keys: time and event. <b>Facts</b> are filled: writes acknowledged \
    per second (green), answers of a node with success (blue); a red outline counts operations that did not \
    end ok; a pale bar: the node admits writes; <b>striped grey</b>: fenced; full grey: down; a <b>red \
    band</b>: two histories took writes; a dark bar: links cut. <b>Said by nodes</b>, which may be wrong: \
    the outlined strip on top \"I am primary\", the thin strip below it \"I hold the lease\", orange \
    \"that one is unhealthy\", purple: how many checkers say so, upright marks: steps of the failover. \
    Letters: A given the right to be primary, F fenced by a newer token, O switched off, C cut off from \
    clients, E stands for election, T cut its history back, W lost its disk.</small></p>";
