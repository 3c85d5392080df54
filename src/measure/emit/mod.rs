//! The verdict, put together: every metric in an order that depends on the roster alone.

mod keyed;
mod loss;
mod recovery;
mod service;

use crate::measure::election::Elections;
use crate::measure::metric::MetricKey;
use crate::measure::oracle::Oracle;
use crate::measure::sample::Sample;
use crate::measure::verdict::{Incident, Verdict};
use crate::sim::time::{SimTime, Span};

/// The rows of a verdict as they are written.
struct Sheet {
    many_stores: bool,
    rows: Vec<(MetricKey, Sample)>,
}

/// Labels beside the store.
type Labels<'a> = &'a [(&'static str, &'a str)];

impl Sheet {
    fn put(&mut self, name: &'static str, store: &str, labels: Labels, sample: Sample) {
        let mut key = MetricKey::new(name);
        if self.many_stores {
            key = key.with("store", store);
        }
        for (label, value) in labels {
            key = key.with(label, value);
        }
        self.rows.push((key, sample));
    }
    fn count(&mut self, name: &'static str, store: &str, n: u64) {
        self.put(name, store, &[], Sample::Value(n as f64));
    }
}

/// Makes the verdict.
pub(super) fn verdict(mut oracle: Oracle, end: SimTime) -> Verdict {
    let rows = Vec::new();
    let mut sheet = Sheet { many_stores: oracle.scopes.stores.len() > 1, rows };
    let (mut incidents, mut notes) = (Vec::new(), Vec::new());
    let tails = tails(&mut oracle, end);
    let degraded: Vec<[f64; 3]> =
        oracle.groups.iter_mut().map(|group| group.degraded.end(end)).collect();
    for (number, store) in oracle.scopes.stores.iter().enumerate() {
        let group = &oracle.groups[store.group.index()];
        recovery::rows(&mut sheet, &oracle, number, &tails, end);
        if let Some(keyed) = group.keyed.as_deref() {
            keyed::rows(&mut sheet, &oracle, (keyed, group.acknowledged), number, end);
            service::rows(&mut sheet, &oracle, number, end);
            continue;
        }
        let found = loss::rows(&mut sheet, &oracle, group, number, &mut notes);
        loss::authority(&mut sheet, group, &store.name);
        loss::degraded(&mut sheet, group, &store.name, degraded[store.group.index()]);
        service::rows(&mut sheet, &oracle, number, end);
        if let Some(elections) = &group.elections {
            election(&mut sheet, elections, &store.name);
        }
        incidents.extend(found);
    }
    for group in oracle.groups.iter().filter(|g| g.store.is_none() || g.elections.is_some()) {
        let key = MetricKey::new("election.first_majority").with("group", &group.name);
        let censored = Sample::Censored(end.as_secs_f64());
        let led = group.authority.first_led;
        sheet.rows.push((key, led.map_or(censored, |at| Sample::Value(at.as_secs_f64()))));
    }
    incidents.sort_by_key(|incident: &Incident| (incident.start, incident.group));
    let series = oracle.service.series(&oracle.scopes);
    let episodes = oracle.episodes.list().to_vec();
    Verdict { metrics: sheet.rows, incidents, episodes, series, notes }
}

/// Of a store whose members elect who leads.
fn election(sheet: &mut Sheet, elections: &Elections, name: &str) {
    let seconds = |span: Span| Sample::Value(span.as_secs_f64());
    let term = elections.term.map_or(Sample::Missing, |term| Sample::Value(f64::from(term.0)));
    sheet.count("election.count", name, elections.count);
    sheet.put("election.term", name, &[], term);
    sheet.put("election.time", name, &[], elections.slowest.map_or(Sample::Missing, seconds));
    sheet.put("election.no_leader", name, &[], seconds(elections.vacant));
}

/// How long a region's clients took to a new primary.
struct Tails {
    dns: Sample,
    failback: Sample,
}

fn tails(oracle: &mut Oracle, end: SimTime) -> Vec<Tails> {
    let all = std::mem::take(&mut oracle.tails).into_iter().enumerate();
    let tails = all.map(|(cell, tail)| {
        let last = oracle.cell_gaps[cell].last();
        let waits = oracle.last_offer(&oracle.scopes.cells[cell].clients) > last;
        Tails { failback: tail.return_gap(end, last, waits), dns: tail.worst(end) }
    });
    tails.collect()
}

/// The worst of many; missing when there are none.
fn worst(samples: impl Iterator<Item = Sample>) -> Sample {
    samples.fold(Sample::Missing, Sample::worse)
}

/// Labels, and the populations they stand for.
type Part<'a> = (Vec<(&'static str, &'a str)>, Vec<usize>);

/// A store's traffic as a whole, by region, by population.
fn scopes(oracle: &Oracle, store: usize) -> Vec<Part<'_>> {
    let scope = &oracle.scopes.stores[store];
    let mut all = vec![(Vec::new(), scope.clients.clone())];
    for cell in &scope.cells {
        let cell = &oracle.scopes.cells[*cell];
        all.push((vec![("region", cell.region.as_str())], cell.clients.clone()));
    }
    for client in &scope.clients {
        let name = oracle.scopes.clients[*client].name.as_str();
        all.push((vec![("client", name)], vec![*client]));
    }
    all
}
