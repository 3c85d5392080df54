//! Rows of loss and of authority: RPO, lost and doubled writes, split brain, failovers.

use crate::measure::emit::{Sheet, scopes};
use crate::measure::group::Group;
use crate::measure::loss;
use crate::measure::oracle::Oracle;
use crate::measure::sample::Sample;
use crate::measure::survivor::{Standing, Survivor};
use crate::measure::twins::Doubled;
use crate::measure::verdict::Incident;
use crate::model::id::ClientId;

/// RPO, lost writes, split brain. Returns the incidents.
pub(super) fn rows(
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
        .map(|end| loss::judge(&group.history, *end, &oracle.health.hits, group.authority.initial))
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
    let returned = group.authority.failbacks > 0;
    let by_failback = range(|l| l.by_failback as f64);
    sheet.put("failback.lost", name, &[], if returned { by_failback } else { Sample::Missing });
    let caught_up = group.caught_up.map(|whole| Sample::Value(f64::from(u8::from(whole))));
    sheet.put("failback.caught_up", name, &[], caught_up.unwrap_or(Sample::Missing));
    doubled(sheet, oracle, group, store, &survivor);
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

pub(super) fn authority(sheet: &mut Sheet, group: &Group, name: &str) {
    let authority = &group.authority;
    let dual = Sample::Value(authority.dual_time.as_secs_f64());
    sheet.put("dual_primary.time", name, &[], dual);
    sheet.count("dual_primary.intervals", name, authority.dual_intervals);
    sheet.count("failover.count", name, authority.failovers);
    sheet.count("failback.count", name, authority.failbacks);
    sheet.count("failover.false", name, authority.false_failovers);
    sheet.count("failover.missed", name, authority.missed);
}

/// Writes whose effect came twice, in whichever history survived.
fn doubled(sheet: &mut Sheet, oracle: &Oracle, group: &Group, store: usize, survivor: &Survivor) {
    let name = &oracle.scopes.stores[store].name;
    let found: Vec<_> = survivor.ends.iter().map(|end| group.history.doubled(*end)).collect();
    for (labels, clients) in scopes(oracle, store) {
        for (metric, count) in [
            ("writes.doubled", (|d: &Doubled| d.all) as fn(&Doubled) -> u64),
            ("writes.doubled_acknowledged", |d| d.acknowledged),
        ] {
            let of = |client: &usize, found: &std::collections::BTreeMap<ClientId, Doubled>| {
                found.get(&ClientId::of(*client)).map_or(0, count)
            };
            let sums = || found.iter().map(|f| clients.iter().map(|c| of(c, f)).sum::<u64>());
            let (low, high) = (sums().min().unwrap_or(0), sums().max().unwrap_or(0));
            sheet.put(metric, name, &labels, Sample::between(low as f64, high as f64));
        }
    }
}

/// Time with less behind the store than was asked for.
pub(super) fn degraded(sheet: &mut Sheet, group: &Group, name: &str, times: [f64; 3]) {
    let [rule, redundancy, none] = times.map(Sample::Value);
    let alone = group.history.members.len() < 2;
    sheet.put("degraded.rule_time", name, &[], rule);
    let redundancy = if alone { Sample::Missing } else { redundancy };
    sheet.put("degraded.redundancy_time", name, &[], redundancy);
    sheet.put("degraded.no_copy_time", name, &[], none);
}
