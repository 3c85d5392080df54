//! Outages: windows in which too few operations ended ok.

use crate::sim::time::{SimTime, Span};

/// Below this share of successes in warm-up, the limit is relative to warm-up.
const CLEAN: f64 = 0.999;
/// How far below warm-up is an outage then.
const POINT: f64 = 0.01;

/// Finds the outages of one store, region and kind.
#[derive(Clone, Debug)]
pub struct Outages {
    least: u64,
    share: f64,
    hold: Span,
    warm: (u64, u64),
    start: Option<SimTime>,
    offered: u64,
    ok: u64,
    /// Outages so far; a later one may still join the last.
    pub runs: Vec<(SimTime, SimTime)>,
    /// True while the last window was bad.
    pub bad: bool,
}

impl Outages {
    /// Windows hold at least `least` operations; fewer than `share` of them ok is an outage.
    pub fn new(least: u64, share: f64, hold: Span) -> Outages {
        let (warm, start, runs) = ((0, 0), None, Vec::new());
        Outages { least, share, hold, warm, start, offered: 0, ok: 0, runs, bad: false }
    }

    /// Operations of warm-up.
    pub fn warm_up(&mut self, offered: u64, ok: u64) {
        self.warm.0 += offered;
        self.warm.1 += ok;
    }

    /// Operations of a part of a window.
    pub fn add(&mut self, start: SimTime, offered: u64, ok: u64) {
        self.start.get_or_insert(start);
        self.offered += offered;
        self.ok += ok;
    }

    /// A window ends. Where it holds enough operations it is judged; where not, it goes on.
    /// Returns true when it was bad.
    pub fn window(&mut self, end: SimTime) -> bool {
        if self.offered < self.least { false } else { self.judge(end) }
    }

    /// The run ends: what is left over is too little to open an outage, but may lengthen one.
    pub fn finish(&mut self, end: SimTime) {
        if self.offered >= self.least || (self.bad && self.offered > 0) {
            self.judge(end);
        }
    }

    fn judge(&mut self, end: SimTime) -> bool {
        let start = self.start.take().unwrap_or(end);
        let share = self.ok as f64 / self.offered.max(1) as f64;
        (self.offered, self.ok) = (0, 0);
        self.bad = share < self.limit();
        if self.bad {
            match self.runs.last_mut() {
                Some(last) if start.since(last.1) < self.hold => last.1 = end,
                _ => self.runs.push((start, end)),
            }
        }
        self.bad
    }

    /// The share of successes below which a window is an outage.
    fn limit(&self) -> f64 {
        let (offered, ok) = self.warm;
        let warm = ok as f64 / offered as f64;
        if offered >= self.least && warm < CLEAN { warm - POINT } else { self.share }
    }

    /// Total length.
    pub fn downtime(&self) -> f64 {
        self.runs.iter().map(|(start, end)| end.since(*start).as_secs_f64()).sum()
    }
}
