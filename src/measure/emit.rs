//! The verdict, put together: every metric in an order that depends on the roster alone.

use crate::measure::bins::slot;
use crate::measure::gap::Gaps;
use crate::measure::latency::{Latencies, PERCENTILES};
use crate::measure::loss;
use crate::measure::metric::MetricKey;
use crate::measure::oracle::{Group, Oracle};
use crate::measure::sample::Sample;
use crate::measure::service::Total;
use crate::measure::survivor::Standing;
use crate::measure::verdict::{Incident, Verdict};
use crate::model::fact::OpKind;
use crate::sim::time::SimTime;

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
    let tails: Vec<Sample> =
        std::mem::take(&mut oracle.tails).into_iter().map(|tail| tail.worst(end)).collect();
    for (number, store) in oracle.scopes.stores.iter().enumerate() {
        let group = &oracle.groups[store.group.index()];
        recovery(&mut sheet, &oracle, number, &tails, end);
        let found = losses(&mut sheet, &oracle, group, number, &mut notes);
        authority(&mut sheet, group, &store.name);
        service(&mut sheet, &oracle, number);
        latencies(&mut sheet, &oracle, number);
        incidents.extend(found);
    }
    for group in oracle.groups.iter().filter(|group| group.store.is_none()) {
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

/// The worst of many; missing when there are none.
fn worst(samples: impl Iterator<Item = Sample>) -> Sample {
    samples.fold(Sample::Missing, Sample::worse)
}

/// RTO, gaps, outages.
fn recovery(sheet: &mut Sheet, oracle: &Oracle, store: usize, tails: &[Sample], end: SimTime) {
    let scope = &oracle.scopes.stores[store];
    let name = &scope.name;
    let gap = |gaps: &Gaps, clients: &[usize]| {
        let offer = oracle.last_offer(clients);
        let none = offer == SimTime::ZERO && gaps.last() == SimTime::ZERO;
        if none { Sample::Missing } else { gaps.longest(end, offer) }
    };
    let first = |gaps: &Gaps, clients: &[usize]| {
        let offer = oracle.last_offer(clients);
        let none = offer == SimTime::ZERO && gaps.last() == SimTime::ZERO;
        let quiet = if none { Sample::Missing } else { Sample::Value(0.0) };
        let firsts = gaps.first_writes(end, offer).into_iter();
        if none { quiet } else { quiet.worse(worst(firsts)) }
    };
    let restored: Vec<Sample> =
        scope.cells.iter().map(|cell| worst(restored(oracle, *cell, end).into_iter())).collect();
    let firsts: Vec<Sample> = scope
        .cells
        .iter()
        .map(|cell| first(&oracle.cell_gaps[*cell], &oracle.scopes.cells[*cell].clients))
        .collect();
    sheet.put("rto.restored", name, &[], worst(restored.iter().copied()));
    sheet.put("rto.first_write", name, &[], worst(firsts.iter().copied()));
    sheet.put("writes.gap", name, &[], gap(&oracle.store_gaps[store], &scope.clients));
    sheet.put("dns.tail", name, &[], worst(scope.cells.iter().map(|cell| tails[*cell])));
    sheet.put("rto.client_mean", name, &[], client_mean(oracle, &scope.clients));
    let few = oracle.service.suffered.iter().map(|s| {
        let length = s.too_few_until[store].since(s.onset).as_secs_f64();
        let open = s.too_few_until[store] >= end && length > 0.0;
        if open { Sample::Censored(length) } else { Sample::Value(length) }
    });
    sheet.put("rto.p95_clients", name, &[], Sample::Value(0.0).worse(worst(few)));
    for (place, cell) in scope.cells.iter().enumerate() {
        let entry = &oracle.scopes.cells[*cell];
        let labels: Labels = &[("region", &entry.region)];
        sheet.put("rto.restored", name, labels, restored[place]);
        sheet.put("rto.first_write", name, labels, firsts[place]);
        sheet.put("writes.gap", name, labels, gap(&oracle.cell_gaps[*cell], &entry.clients));
        sheet.put("dns.tail", name, labels, tails[*cell]);
        sheet.put("rto.client_mean", name, labels, client_mean(oracle, &entry.clients));
    }
    for client in &scope.clients {
        let labels: Labels = &[("client", &oracle.scopes.clients[*client].name)];
        let gaps = &oracle.client_gaps[*client];
        sheet.put("rto.first_write", name, labels, first(gaps, &[*client]));
        sheet.put("writes.gap", name, labels, gap(gaps, &[*client]));
        sheet.put("rto.client_mean", name, labels, client_mean(oracle, &[*client]));
    }
    outages(sheet, oracle, store);
}

/// Per episode: from onset to the later of the first write and the end of the last outage.
fn restored(oracle: &Oracle, cell: usize, end: SimTime) -> Vec<Sample> {
    let offer = oracle.last_offer(&oracle.scopes.cells[cell].clients);
    let mut samples = oracle.cell_gaps[cell].first_writes(end, offer);
    let episodes = oracle.episodes.list();
    for outages in &oracle.service.outages[cell] {
        for (start, over) in &outages.runs {
            // The episode under way: the last that began before the outage was over.
            let Some(number) = episodes.iter().rposition(|e| e.onset < *over) else { continue };
            if episodes[number].end.is_some_and(|e| e < *start) {
                continue;
            }
            let length = over.since(episodes[number].onset).as_secs_f64();
            let open = outages.bad && outages.runs.last() == Some(&(*start, *over));
            let sample = if open { Sample::Censored(length) } else { Sample::Value(length) };
            if let Some(known) = samples.get_mut(number) {
                *known = known.worse(sample);
            }
        }
    }
    if samples.is_empty() { vec![Sample::Value(0.0)] } else { samples }
}

/// Of the worst episode; weighted by traffic.
fn client_mean(oracle: &Oracle, clients: &[usize]) -> Sample {
    let weight = |client: usize| total(oracle, &[client], None).ended() as f64;
    let all: f64 = clients.iter().map(|client| weight(*client)).sum();
    if all == 0.0 {
        return Sample::Missing;
    }
    let mean = |downtime: &[f64]| {
        clients.iter().map(|client| weight(*client) * downtime[*client]).sum::<f64>() / all
    };
    let worst = oracle.service.suffered.iter().map(|s| mean(&s.downtime)).fold(0.0, f64::max);
    Sample::Value(worst)
}

fn outages(sheet: &mut Sheet, oracle: &Oracle, store: usize) {
    let scope = &oracle.scopes.stores[store];
    let name = &scope.name;
    let of = |cell: usize, kind: Option<usize>| {
        let both = oracle.service.outages[cell].iter().enumerate();
        let chosen = both.filter(move |(k, _)| kind.is_none_or(|kind| kind == *k));
        chosen.fold((0, 0.0f64), |(n, t), (_, o)| (n + o.runs.len(), t.max(o.downtime())))
    };
    let kinds = [(None, None), (Some(0), Some("read")), (Some(1), Some("write"))];
    for (kind, word) in kinds {
        let word: Vec<(&'static str, &str)> = word.map(|word| ("kind", word)).into_iter().collect();
        let all = scope.cells.iter().map(|cell| of(*cell, kind));
        let (count, time) = all.fold((0, 0.0f64), |(n, t), (m, u)| (n + m, t.max(u)));
        sheet.put("outage.count", name, &word, Sample::Value(count as f64));
        sheet.put("downtime", name, &word, Sample::Value(time));
        for cell in &scope.cells {
            let mut labels = vec![("region", oracle.scopes.cells[*cell].region.as_str())];
            labels.extend(&word);
            let (count, time) = of(*cell, kind);
            sheet.put("outage.count", name, &labels, Sample::Value(count as f64));
            sheet.put("downtime", name, &labels, Sample::Value(time));
        }
    }
}

/// RPO, lost writes, split brain. Returns the incidents.
fn losses(
    sheet: &mut Sheet,
    oracle: &Oracle,
    group: &Group,
    store: usize,
    notes: &mut Vec<String>,
) -> Vec<Incident> {
    let scope = &oracle.scopes.stores[store];
    let name = &scope.name;
    let survivor = oracle.survivor(group);
    let judged: Vec<(loss::Loss, loss::Loss)> = survivor
        .ends
        .iter()
        .map(|end| loss::judge(&group.history, *end, &oracle.health.hits))
        .collect();
    let range = |value: fn(&loss::Loss) -> f64| {
        let all = || judged.iter().flat_map(|(a, b)| [value(a), value(b)]);
        Sample::between(all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
    };
    let unplaced = group.unplaced as f64;
    let shift = |sample: Sample| match sample {
        Sample::Value(v) => Sample::Value(v + unplaced),
        Sample::Bounds { low, high } => {
            Sample::Bounds { low: low + unplaced, high: high + unplaced }
        }
        other => other,
    };
    sheet.put("rpo.time", name, &[], range(|l| l.time));
    sheet.put("rpo.at_onset", name, &[], range(|l| l.at_onset));
    sheet.put("writes.lost", name, &[], shift(range(|l| l.lost() as f64)));
    sheet.put("writes.lost_lag", name, &[], range(|l| l.lag as f64));
    sheet.put("writes.stranded", name, &[], range(|l| l.stranded as f64));
    sheet.put("writes.unflushed", name, &[], shift(range(|l| l.unflushed as f64)));
    sheet.count("writes.acknowledged", name, group.acknowledged);
    sheet.put("writes.unacked_survived", name, &[], range(|l| l.unacked_survived as f64));
    let provisional = survivor.standing == Standing::Provisional;
    let unresolved = survivor.standing == Standing::Unresolved;
    sheet.count("survivor.provisional", name, u64::from(provisional));
    sheet.count("survivor.unresolved", name, u64::from(unresolved));
    if provisional {
        notes.push(format!(
            "{name}: nobody wrote in settling; the survivor is a disk that could restart"
        ));
    }
    if unresolved {
        notes.push(format!("{name}: two nodes ended as primary; loss has only bounds"));
    } else if judged.iter().any(|(low, high)| low != high) {
        notes.push(format!("{name}: a history ended inside folded entries; loss has only bounds"));
    }
    if group.unplaced > 0 {
        notes.push(format!("{name}: {} acknowledged writes were never appended", group.unplaced));
    }
    let end = survivor.ends[0];
    let incidents = group.split.incidents(scope.group, &group.history, end);
    let sum = |value: fn(&Incident) -> u64| incidents.iter().map(value).sum::<u64>();
    let length = incidents.iter().map(|i| i.end.since(i.start).as_secs_f64()).sum();
    sheet.count("split_brain.incidents", name, incidents.len() as u64);
    sheet.put("split_brain.duration", name, &[], Sample::Value(length));
    sheet.count("split_brain.answers_winner", name, sum(|i| i.answers_winner));
    sheet.count("split_brain.answers_loser", name, sum(|i| i.answers_loser));
    sheet.count("split_brain.keys_both", name, sum(|i| i.keys_both));
    incidents
}

fn authority(sheet: &mut Sheet, group: &Group, name: &str) {
    let authority = &group.authority;
    let dual = Sample::Value(authority.dual_time.as_secs_f64());
    sheet.put("dual_primary.time", name, &[], dual);
    sheet.count("dual_primary.intervals", name, authority.dual_intervals);
    sheet.count("failover.count", name, authority.failovers);
    sheet.count("failback.count", name, authority.failbacks);
    sheet.count("failover.false", name, authority.false_failovers);
    sheet.count("failover.missed", name, authority.missed);
}

fn total(oracle: &Oracle, clients: &[usize], kind: Option<OpKind>) -> Total {
    let mut sum = Total::default();
    for client in clients {
        for each in [OpKind::Read, OpKind::Write] {
            if kind.is_none_or(|kind| kind == each) {
                sum.add(oracle.service.totals[slot(*client, each)]);
            }
        }
    }
    sum
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

fn service(sheet: &mut Sheet, oracle: &Oracle, store: usize) {
    let name = &oracle.scopes.stores[store].name;
    for (labels, clients) in scopes(oracle, store) {
        for (metric, kind) in [
            ("availability", None),
            ("availability.writes", Some(OpKind::Write)),
            ("availability.reads", Some(OpKind::Read)),
        ] {
            let total = total(oracle, &clients, kind);
            let share = total.ok as f64 / total.ended() as f64;
            let sample = if total.ended() == 0 { Sample::Missing } else { Sample::Value(share) };
            sheet.put(metric, name, &labels, sample);
        }
        let total = total(oracle, &clients, None);
        for (metric, n) in
            [("ops.ok", total.ok), ("ops.fail", total.fail), ("ops.unknown", total.unknown)]
        {
            sheet.put(metric, name, &labels, Sample::Value(n as f64));
        }
    }
}

fn latencies(sheet: &mut Sheet, oracle: &Oracle, store: usize) {
    let name = &oracle.scopes.stores[store].name;
    let kinds =
        [(None, None), (Some(OpKind::Read), Some("read")), (Some(OpKind::Write), Some("write"))];
    let windows = [
        (None, None),
        (Some(0), Some("before")),
        (Some(1), Some("episode")),
        (Some(2), Some("after")),
    ];
    for (scope, clients) in scopes(oracle, store) {
        for (kind, kind_word) in kinds {
            for (window, window_word) in windows {
                let mut labels = scope.clone();
                labels.extend(kind_word.map(|word| ("kind", word)));
                labels.extend(window_word.map(|word| ("window", word)));
                let latencies = oracle.service.book.of(&clients, kind, window);
                latency_rows(sheet, name, &labels, &latencies);
            }
        }
    }
}

fn latency_rows(sheet: &mut Sheet, store: &str, labels: Labels, latencies: &Latencies) {
    let sample = |value: Option<f64>| value.map_or(Sample::Missing, Sample::Value);
    sheet.put("latency.mean", store, labels, sample(latencies.mean()));
    for (metric, p) in PERCENTILES {
        sheet.put(metric, store, labels, sample(latencies.percentile(p)));
    }
}
