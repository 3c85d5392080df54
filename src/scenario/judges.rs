//! What the judges are asked: `[measure]` and `[expect]`.

use super::draft::Draft;
use super::names::suggest_few;
use crate::measure::budget;
use crate::measure::expect::Expectation;
use crate::measure::metric::WINDOWS;
use crate::measure::settings::Settings;
use crate::sim::param::{Entry, Node, Place, Problem, Problems, Tree};
use crate::world::plan::Plan;

/// Reads `[measure]`.
pub fn settings(draft: &Draft, problems: &mut Problems) -> Settings {
    let Some(entry) = &draft.measure else { return Settings::default() };
    let before = problems.0.len();
    let settings = Settings::read(&entry.node, problems);
    if problems.0.len() == before {
        for (key, message) in settings.problems() {
            let place = entry.node.get(key).map_or(&entry.place, |node| &node.place);
            problems.add(place, format!("{key} {message}"));
        }
    }
    settings
}

/// Reads `[expect]`: one limit or a list of limits per metric.
pub fn expectations(
    entries: &[Entry],
    trials: u64,
    (plan, settings): (&Plan, &Settings),
    errors: &mut Problems,
    doubts: &mut Problems,
) -> Vec<Expectation> {
    let mut all = Vec::new();
    for entry in entries {
        let limits = match &entry.node.tree {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.node),
        };
        if limits.is_empty() {
            let help = "limits such as [\"p95 < 110s\"]";
            errors.add_help(&entry.node.place, "no limit is stated", help);
        }
        for node in limits {
            if let Some(expectation) = limit(entry, node, errors) {
                for doubt in expectation.lint(trials) {
                    let (place, message) = (node.place.clone(), doubt);
                    doubts.0.push(match message.contains("planned") {
                        true => Problem { place, message, help: Some("raise run.trials".into()) },
                        false => split(&place, &message),
                    });
                }
                labels(entry, plan, settings, &expectation, errors);
                all.push(expectation);
            }
        }
    }
    all
}

fn limit(entry: &Entry, node: &Node, errors: &mut Problems) -> Option<Expectation> {
    let Tree::Text(text) = &node.tree else {
        let help = "a text such as \"p95 < 110s\"";
        errors.add_help(&node.place, format!("expected a limit, found {}", node.what()), help);
        return None;
    };
    // What is wrong with the metric is said once, at the key.
    if let Err(message) = crate::measure::metric::MetricKey::parse(&entry.key) {
        let problem = split(&entry.place, &message);
        if !errors.0.contains(&problem) {
            errors.0.push(problem);
        }
        return None;
    }
    Expectation::parse(&entry.key, text)
        .map_err(|message| errors.0.push(split(&node.place, &message)))
        .ok()
}

/// The judges put what to do behind a semicolon.
fn split(place: &Place, message: &str) -> Problem {
    let (message, help) = match message.split_once("; ") {
        Some((message, help)) => (message.to_string(), Some(help.to_string())),
        None => (message.to_string(), None),
    };
    Problem { place: place.clone(), message, help }
}

/// Labels that name things of the scenario must name what is there.
fn labels(
    entry: &Entry,
    plan: &Plan,
    settings: &Settings,
    expectation: &Expectation,
    errors: &mut Problems,
) {
    let spans = match expectation.key.name {
        "burn.alert_time" => settings.burn_alerts.iter().map(|alert| alert.long).collect(),
        _ => budget::stretches(settings),
    };
    let over: Vec<String> = spans.into_iter().map(budget::show).collect();
    let marks: Vec<String> = settings.visibility_marks.iter().map(|m| budget::show(*m)).collect();
    let windows = settings.window.0.iter().map(|(name, _)| name.text.as_str());
    for (label, value) in &expectation.key.labels {
        let known: Vec<&str> = match *label {
            "store" => plan.stores.iter().map(|store| store.name.as_str()).collect(),
            "group" => plan.leases.iter().map(|lease| lease.name.as_str()).collect(),
            "client" => plan.clients.iter().map(|client| client.name.as_str()).collect(),
            "after" => marks.iter().map(String::as_str).collect(),
            "over" => over.iter().map(String::as_str).collect(),
            "window" => WINDOWS.iter().copied().chain(windows.clone()).collect(),
            "region" => plan.regions.iter().map(|region| region.name.as_str()).collect(),
            _ => continue,
        };
        if !known.contains(&value.as_str()) {
            let message = format!("unknown {label} `{value}`");
            let help = suggest_few(value, &known);
            let problem = Problem { place: entry.place.clone(), message, help: Some(help) };
            if !errors.0.contains(&problem) {
                errors.0.push(problem);
            }
        } else if *label == "region" {
            let lived_in = |client: &crate::world::plan::ClientPlan| {
                plan.regions[client.spot.region].name == *value
            };
            if !plan.clients.iter().any(lived_in) {
                let message = format!("no clients live in `{value}`: nothing is measured there");
                errors.add_help(&entry.place, message, "regions are those of client populations");
            }
        }
    }
}
