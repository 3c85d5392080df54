//! Rows of recovery: RTO, gaps, outages.

use crate::measure::emit::{Labels, Sheet, Tails, worst};
use crate::measure::gap::Gaps;
use crate::measure::oracle::Oracle;
use crate::measure::sample::Sample;
use crate::sim::time::SimTime;

/// RTO, gaps, outages.
pub(super) fn rows(
    sheet: &mut Sheet,
    oracle: &Oracle,
    store: usize,
    tails: &[Tails],
    end: SimTime,
) {
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
    sheet.put("dns.tail", name, &[], worst(scope.cells.iter().map(|cell| tails[*cell].dns)));
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
        sheet.put("dns.tail", name, labels, tails[*cell].dns);
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
    failbacks(sheet, oracle, store, tails);
}

/// The gaps of the return to the initial primary.
fn failbacks(sheet: &mut Sheet, oracle: &Oracle, store: usize, tails: &[Tails]) {
    let scope = &oracle.scopes.stores[store];
    let gap = |cell: &usize| tails[*cell].failback;
    sheet.put("failback.outage", &scope.name, &[], worst(scope.cells.iter().map(gap)));
    for cell in &scope.cells {
        let labels: Labels = &[("region", &oracle.scopes.cells[*cell].region)];
        sheet.put("failback.outage", &scope.name, labels, gap(cell));
    }
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
    let weight = |client: usize| oracle.service.ended(client) as f64;
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
