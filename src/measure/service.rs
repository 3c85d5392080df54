//! The judges of service: availability, outages, latency, downtime of clients, series.

use crate::measure::bins::{Bin, Bins, Count, slot};
use crate::measure::budget::{self, Budget};
use crate::measure::episode::Episodes;
use crate::measure::latency::{LatencyBook, When};
use crate::measure::ops::Op;
use crate::measure::outage::Outages;
use crate::measure::scope::Scopes;
use crate::measure::settings::Settings;
use crate::measure::verdict::{Episode, Series};
use crate::measure::windows::Windows;
use crate::model::fact::{OpKind, Outcome};
use crate::model::roster::Roster;
use crate::sim::time::{SimTime, Span};

/// Bins per outage window.
const FINE: u32 = 10;
/// The share of offered traffic that must succeed again.
const MOST_CLIENTS: f64 = 0.95;

/// What clients lived through in one episode.
#[derive(Clone, Debug)]
pub struct Suffered {
    /// Its onset.
    pub onset: SimTime,
    /// Per population: over time, the share that ended not ok; seconds.
    pub downtime: Vec<f64>,
    /// Per store: the end of the last stretch in which too little traffic succeeded.
    pub too_few_until: Vec<SimTime>,
}

/// Traffic of one store, joined until it holds enough operations.
#[derive(Clone, Copy, Default)]
struct Joined {
    ended: u64,
    ok: u64,
}

/// The judges of service.
pub struct Service {
    bins: Bins,
    /// How operations ended, and their latencies.
    pub book: LatencyBook,
    /// The same in the windows of the scenario.
    pub windows: Windows,
    /// Per region of a store: reads, writes.
    pub outages: Vec<[Outages; 2]>,
    /// Operations since warm-up, by population.
    ended: Vec<u64>,
    /// Per episode.
    pub suffered: Vec<Suffered>,
    joined: Vec<Joined>,
    /// Per store, where an objective leaves a budget.
    pub budgets: Vec<Option<Budget>>,
    /// The stretches over which burn rates are told, and the long ones of alerts.
    pub stretches: Vec<Span>,
    /// See there.
    pub alerts: Vec<Span>,
    series: Vec<Vec<[u32; 3]>>,
    series_bin: Span,
    series_edge: SimTime,
    series_at: usize,
    /// The bin of the series under way, by population and kind.
    series_now: Vec<[u32; 3]>,
    /// The end of warm-up.
    pub warmup: SimTime,
    window: Span,
    least: u64,
}

impl Service {
    /// For a trial of this roster.
    pub fn new(scopes: &Scopes, settings: &Settings, roster: &Roster) -> Service {
        let (warmup, end) = (roster.warmup, roster.end);
        let clients = scopes.clients.len();
        // A tenth of a window, and a window of ten of those.
        let fine = settings.outage_window.max(Span::from_millis(10)).div(u64::from(FINE));
        let least = settings.outage_operations.max(1);
        let outages = Outages::new(least, settings.outage_share.0, settings.stable_hold);
        let most = u64::from(settings.series_bins.max(1));
        let seconds = end.as_nanos().div_ceil(most * 1_000_000_000).max(1);
        let series_bin = Span::from_secs(seconds);
        let bins = end.as_nanos().div_ceil(series_bin.as_nanos()).max(1) as usize;
        let window = fine.saturating_mul(u64::from(FINE));
        let slo = roster.availability_slo.filter(|slo| *slo < 1.0);
        let budget = slo.map(|slo| Budget::new(slo, settings, window, warmup));
        Service {
            bins: Bins::new(clients, warmup, fine),
            book: LatencyBook::new(clients, settings.latency_digits),
            windows: Windows::new(settings, roster),
            outages: vec![[outages.clone(), outages]; scopes.cells.len()],
            ended: vec![0; clients],
            suffered: Vec::new(),
            joined: vec![Joined::default(); scopes.stores.len()],
            stretches: budget::stretches(settings),
            alerts: settings.burn_alerts.iter().map(|alert| alert.long).collect(),
            budgets: vec![budget; scopes.stores.len()],
            series: vec![vec![[0; 3]; bins]; 2 * scopes.cells.len()],
            series_bin,
            series_edge: SimTime::ZERO + series_bin,
            series_at: 0,
            series_now: vec![[0; 3]; 2 * clients],
            warmup,
            window,
            least,
        }
    }

    /// An episode begins.
    pub fn episode(&mut self, scopes: &Scopes, onset: SimTime) {
        let downtime = vec![0.0; scopes.clients.len()];
        let too_few_until = vec![onset; scopes.stores.len()];
        self.suffered.push(Suffered { onset, downtime, too_few_until });
        self.joined.fill(Joined::default());
    }

    /// How many operations of a population ended since warm-up.
    pub fn ended(&self, client: usize) -> u64 {
        self.ended[client]
    }

    /// True when a bin is to be opened.
    #[inline]
    pub fn is_due(&self, now: SimTime) -> bool {
        self.bins.is_due(now)
    }

    /// Opens bins up to now.
    pub fn roll(&mut self, now: SimTime) {
        self.bins.roll(now);
    }

    /// An operation was invoked; returns its bin.
    #[inline]
    pub fn invoked(&mut self, client: usize) -> u32 {
        self.bins.invoked(client)
    }

    /// An operation ended.
    #[inline]
    pub fn concluded(
        &mut self,
        scopes: &Scopes,
        episodes: &Episodes,
        client: usize,
        op: &Op,
        outcome: Outcome,
        now: SimTime,
    ) {
        self.bins.concluded(op.bin, client, op.kind, outcome);
        if now >= self.series_edge {
            self.next_series_bin(scopes, now);
        }
        self.series_now[slot(client, op.kind)][outcome as usize] += 1;
        if op.bin == 0 {
            return;
        }
        if self.windows.any() {
            self.windows.concluded(client, op, outcome, now, self.book.buckets);
        }
        let when = match episodes.list().first() {
            None => When::Before,
            Some(first) if op.invoked < first.onset => When::Before,
            _ if episodes.onset().is_some_and(|onset| op.invoked >= onset) => When::Within,
            _ => When::After,
        };
        let (warmup, window) = (self.warmup, self.window);
        let window = || {
            let number = (op.bin - 1) / FINE;
            (number, warmup + window.saturating_mul(u64::from(number)))
        };
        match outcome {
            Outcome::Ok => {
                self.book.record(client, op.kind, now.since(op.invoked), when, window);
            }
            _ => self.book.record_not_ok(client, op.kind, outcome, when, window()),
        }
    }

    /// Adds the bin of the series under way to those of its regions, and goes on to the next.
    #[cold]
    #[inline(never)]
    fn next_series_bin(&mut self, scopes: &Scopes, now: SimTime) {
        for (client, entry) in scopes.clients.iter().enumerate() {
            for kind in [OpKind::Read, OpKind::Write] {
                let counts = std::mem::take(&mut self.series_now[slot(client, kind)]);
                let Some(series) =
                    entry.store.and_then(|_| self.series.get_mut(slot(entry.cell, kind)))
                else {
                    continue;
                };
                let last = series.len() - 1;
                let bin = &mut series[self.series_at.min(last)];
                bin.iter_mut().zip(counts).for_each(|(sum, part)| *sum += part);
            }
        }
        while now >= self.series_edge {
            self.series_edge = self.series_edge + self.series_bin;
            self.series_at += 1;
        }
    }

    /// Looks at finished bins until an outage window ends, and returns that moment. At the end
    /// of the run, looks at everything.
    pub fn next_window(
        &mut self,
        scopes: &Scopes,
        episodes: &mut Episodes,
        end_of_run: Option<SimTime>,
    ) -> Option<SimTime> {
        while let Some(bin) = self.bins.finished(end_of_run) {
            let (number, end) = (bin.number, bin.end);
            self.look(scopes, episodes, &bin);
            self.bins.recycle(bin);
            if number > 0 && number % FINE == 0 {
                self.budgets.iter_mut().flatten().for_each(|budget| budget.window(end));
                for outages in self.outages.iter_mut().flatten() {
                    if outages.window(end) {
                        episodes.bad(end);
                    }
                }
                return Some(end);
            }
        }
        if let Some(end) = end_of_run {
            self.next_series_bin(scopes, end);
            self.budgets.iter_mut().flatten().for_each(|budget| budget.window(end));
            for outages in self.outages.iter_mut().flatten() {
                outages.finish(end);
                if outages.bad {
                    episodes.bad(end);
                }
            }
        }
        None
    }

    fn look(&mut self, scopes: &Scopes, episodes: &Episodes, bin: &Bin) {
        let onset = episodes.onset().filter(|onset| bin.end > *onset);
        for (number, client) in scopes.clients.iter().enumerate() {
            let Some(store) = client.store else { continue };
            let mut both = Count::default();
            for kind in [OpKind::Read, OpKind::Write] {
                let count = bin.counts[slot(number, kind)];
                let (ended, ok) = (u64::from(count.ended()), u64::from(count.ok));
                let outages = &mut self.outages[client.cell][usize::from(kind == OpKind::Write)];
                if bin.number == 0 {
                    outages.warm_up(ended, ok);
                    continue;
                }
                outages.add(bin.start, ended, ok);
                self.ended[number] += ended;
                both.ok += count.ok;
                both.fail += count.not_ok();
            }
            self.joined[store].ended += u64::from(both.ended());
            self.joined[store].ok += u64::from(both.ok);
            if let Some(budget) = &mut self.budgets[store] {
                budget.add(u64::from(both.ended()), u64::from(both.ok));
            }
            if let (Some(onset), Some(suffered)) = (onset, self.suffered.last_mut()) {
                let length = bin.end.since(bin.start.max(onset)).as_secs_f64();
                let share = f64::from(both.not_ok()) / f64::from(both.ended().max(1));
                suffered.downtime[number] += length * share;
            }
        }
        for (store, joined) in self.joined.iter_mut().enumerate() {
            if joined.ended < self.least {
                continue;
            }
            let too_few = (joined.ok as f64) < MOST_CLIENTS * joined.ended as f64;
            if let (true, Some(_), Some(suffered)) = (too_few, onset, self.suffered.last_mut()) {
                suffered.too_few_until[store] = bin.end;
            }
            *joined = Joined::default();
        }
    }

    /// How long it is from the end of warm-up to the end of the run before, in and after the
    /// episodes, in seconds. An episode ends with an outage window, as where its operations are
    /// counted.
    pub fn lengths(&self, episodes: &[Episode], end: SimTime) -> [f64; 3] {
        let warm = self.warmup.min(end);
        let first = episodes.first().map_or(end, |episode| episode.onset.max(warm));
        let mut within = 0.0;
        for (number, episode) in episodes.iter().enumerate() {
            let next = episodes.get(number + 1).map_or(end, |next| next.onset);
            let windows =
                |until: SimTime| until.since(warm).as_nanos().div_ceil(self.window.as_nanos());
            let over = episode.end.map_or(end, |until| {
                warm.saturating_add(self.window.saturating_mul(windows(until)))
            });
            within += over.min(next).since(episode.onset.max(warm)).as_secs_f64();
        }
        let all = end.since(warm).as_secs_f64();
        let before = first.since(warm).as_secs_f64();
        [before, within, (all - before - within).max(0.0)]
    }

    /// The series of every region of every store.
    pub fn series(&self, scopes: &Scopes) -> Vec<Series> {
        let mut all = Vec::new();
        for (number, cell) in scopes.cells.iter().enumerate() {
            for (kind, word) in [(OpKind::Read, "read"), (OpKind::Write, "write")] {
                all.push(Series {
                    store: scopes.stores[cell.store].name.clone(),
                    region: cell.region.clone(),
                    kind: word,
                    bin: self.series_bin,
                    bins: self.series[slot(number, kind)].clone(),
                });
            }
        }
        all
    }
}
