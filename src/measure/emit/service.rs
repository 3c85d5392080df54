//! Rows of service: availability, operations, latency.

use crate::measure::budget::{self, Budget};
use crate::measure::emit::{Labels, Part, Sheet, scopes};
use crate::measure::latency::{Ended, PERCENTILES};
use crate::measure::oracle::Oracle;
use crate::measure::sample::Sample;
use crate::model::fact::OpKind;
use crate::sim::time::SimTime;

/// A stretch of time by when operations are invoked.
struct Window<'a> {
    /// Its name; nothing for all of the run.
    name: Option<&'a str>,
    /// Which set of the scenario's windows, or which of those against the episodes.
    named: Option<usize>,
    against: Option<usize>,
    /// In seconds; nothing where it did not come about.
    length: Option<f64>,
}

/// All of the run, before, in and after episodes, and what the scenario names.
fn windows(oracle: &Oracle, end: SimTime) -> Vec<Window<'_>> {
    let service = &oracle.service;
    let all = end.since(service.warmup).as_secs_f64();
    let lengths = service.lengths(oracle.episodes.list(), end);
    let mut windows = vec![Window { name: None, named: None, against: None, length: Some(all) }];
    for (number, name) in ["before", "episode", "after"].into_iter().enumerate() {
        let length = Some(lengths[number]);
        windows.push(Window { name: Some(name), named: None, against: Some(number), length });
    }
    for (number, window) in service.windows.all.iter().enumerate() {
        let length = window.length(service.warmup, end);
        let name = Some(window.name.as_str());
        windows.push(Window { name, named: Some(number), against: None, length });
    }
    windows
}

/// Every row of a store's traffic.
pub(super) fn rows(sheet: &mut Sheet, oracle: &Oracle, store: usize, end: SimTime) {
    let name = &oracle.scopes.stores[store].name;
    let windows = windows(oracle, end);
    let kinds =
        [(None, None), (Some(OpKind::Read), Some("read")), (Some(OpKind::Write), Some("write"))];
    budget(sheet, oracle, store);
    for part in scopes(oracle, store) {
        for (kind, kind_word) in kinds {
            for window in &windows {
                let ended = ended(oracle, &part, kind, window);
                let mut labels = part.0.clone();
                labels.extend(window.name.map(|word| ("window", word)));
                if let Some(word) = kind_word {
                    let metric = match word {
                        "read" => "availability.reads",
                        _ => "availability.writes",
                    };
                    sheet.put(metric, name, &labels, known(ended.share_ok()));
                    labels.push(("kind", word));
                }
                operations(sheet, name, &labels, &ended, window.length);
                latencies(sheet, name, &labels, &ended);
            }
        }
    }
}

fn ended(oracle: &Oracle, part: &Part, kind: Option<OpKind>, window: &Window) -> Ended {
    let (book, clients) = (&oracle.service.book, &part.1);
    match window.named {
        Some(number) => {
            let set = &oracle.service.windows.all[number].set;
            book.read(std::iter::once(set), clients, kind)
        }
        None => book.of(clients, kind, window.against),
    }
}

fn known(value: Option<f64>) -> Sample {
    value.map_or(Sample::Missing, Sample::Value)
}

fn operations(sheet: &mut Sheet, store: &str, labels: Labels, ended: &Ended, length: Option<f64>) {
    sheet.put("availability", store, labels, known(ended.share_ok()));
    // A window that did not come about has no operations, not none.
    let count = |n: u64| known(length.map(|_| n as f64));
    sheet.put("ops.ok", store, labels, count(ended.ok()));
    sheet.put("ops.fail", store, labels, count(ended.fail));
    sheet.put("ops.unknown", store, labels, count(ended.unknown));
    let rate = length.filter(|length| *length > 0.0).map(|length| ended.ok() as f64 / length);
    sheet.put("ops.rate", store, labels, known(rate));
}

fn latencies(sheet: &mut Sheet, store: &str, labels: Labels, ended: &Ended) {
    sheet.put("latency.mean", store, labels, known(ended.mean()));
    for (metric, p) in PERCENTILES {
        sheet.put(metric, store, labels, known(ended.percentile(p)));
    }
}

/// The error budget, and how fast it was used; missing where there is none.
fn budget(sheet: &mut Sheet, oracle: &Oracle, store: usize) {
    let name = &oracle.scopes.stores[store].name;
    let service = &oracle.service;
    let budget = service.budgets[store].as_ref();
    for (labels, clients) in scopes(oracle, store) {
        let share = service.book.of(&clients, None, None).share_ok();
        let used = budget.and_then(|budget| Some(budget.used(share?)));
        sheet.put("budget.used", name, &labels, known(used));
    }
    let shortest = budget.and_then(|budget| budget.worst().next());
    sheet.put("burn.worst", name, &[], known(shortest.map(|(_, rate)| rate)));
    sheet.put("burn.alert_time", name, &[], known(budget.map(Budget::any_fired)));
    for span in &service.stretches {
        let over = [("over", &*budget::show(*span))];
        let worst = budget.and_then(|budget| budget.worst().find(|(other, _)| other == span));
        sheet.put("burn.worst", name, &over, known(worst.map(|(_, rate)| rate)));
    }
    for span in &service.alerts {
        let fired = budget.and_then(|budget| budget.fired().find(|(other, _)| other == span));
        let over = [("over", &*budget::show(*span))];
        sheet.put("burn.alert_time", name, &over, known(fired.map(|(_, time)| time)));
    }
}
