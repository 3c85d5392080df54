//! Rows of stores with versions per key.

use crate::measure::budget;
use crate::measure::emit::{Labels, Sheet, scopes};
use crate::measure::keyed::{Keyed, Reads};
use crate::measure::oracle::Oracle;
use crate::measure::sample::Sample;
use crate::sim::time::SimTime;

/// Everything that is judged of such a store, beside its service.
pub(super) fn rows(
    sheet: &mut Sheet,
    oracle: &Oracle,
    (keyed, acknowledged): (&Keyed, u64),
    store: usize,
    end: SimTime,
) {
    let name = &oracle.scopes.stores[store].name;
    let (differ, gone) = keyed.ending(&oracle.health);
    sheet.count("writes.lost", name, gone);
    sheet.count("writes.acknowledged", name, acknowledged);
    for (labels, clients) in scopes(oracle, store) {
        let mut reads = Reads::new(keyed.marks().len(), oracle.service.book.digits());
        let mut sessions = [0u64; 3];
        for client in &clients {
            reads.add(&keyed.reads[*client]);
            let counts = keyed.sessions.counts[*client];
            sessions = [0, 1, 2].map(|i| sessions[i] + counts[i]);
        }
        staleness(sheet, name, &labels, &reads);
        visibility(sheet, name, &labels, &reads, keyed);
        let [all, unread, back] = sessions.map(|count| count as f64);
        let seen = |count| if all > 0.0 { Sample::Value(count) } else { Sample::Missing };
        sheet.put("session.read_your_writes", name, &labels, seen(unread));
        sheet.put("session.monotonic_reads", name, &labels, seen(back));
        sheet.put("session.reads", name, &labels, Sample::Value(all));
    }
    sheet.count("writes.concurrent", name, keyed.concurrent);
    sheet.count("updates.lost", name, keyed.overwritten);
    sheet.put("convergence.time", name, &[], keyed.convergence.time(end));
    sheet.count("divergence.keys", name, differ);
}

fn known(value: Option<f64>) -> Sample {
    value.map_or(Sample::Missing, Sample::Value)
}

fn staleness(sheet: &mut Sheet, name: &str, labels: Labels, reads: &Reads) {
    let of_all = |part: u64| (reads.all > 0).then(|| part as f64 / reads.all as f64);
    sheet.put("reads.stale", name, labels, known(of_all(reads.stale)));
    sheet.put("staleness.mean", name, labels, known(reads.mean_late()));
    sheet.put("staleness.p99", name, labels, known(reads.late(0.99)));
    sheet.put("staleness.p999", name, labels, known(reads.late(0.999)));
    sheet.put("staleness.max", name, labels, known(reads.late(1.0)));
    sheet.put("staleness.versions_mean", name, labels, known(of_all(reads.versions)));
    let most = (reads.all > 0).then_some(reads.versions_most as f64);
    sheet.put("staleness.versions_max", name, labels, known(most));
}

fn visibility(sheet: &mut Sheet, name: &str, labels: Labels, reads: &Reads, keyed: &Keyed) {
    let curve = &reads.curve;
    let [all, saw] = curve.bins.iter().fold([0, 0], |sum, bin| [sum[0] + bin[0], sum[1] + bin[1]]);
    let share = (all > 0).then(|| saw as f64 / all as f64);
    sheet.put("visibility.share", name, labels, known(share));
    for (number, mark) in keyed.marks().iter().enumerate() {
        let shown = budget::show(*mark);
        let mut labels = labels.to_vec();
        labels.push(("after", &shown));
        sheet.put("visibility.share", name, &labels, known(curve.share(number)));
    }
    for (metric, share) in [("visibility.t99", 0.99), ("visibility.t999", 0.999)] {
        let first = curve.first(share).map(|mark| keyed.marks()[mark].as_secs_f64());
        sheet.put(metric, name, labels, known(first));
    }
}
