//! The error budget: what of the stated objective has been used, how fast, and when somebody
//! would have been woken.
//!
//! The *budget* is the share of operations that may end not ok: one minus the objective. The
//! *burn rate* over a stretch of time is the share of the operations invoked in it that ended not
//! ok, divided by the budget: at a rate of 1 the budget lasts exactly as long as the objective is
//! stated for. An *alert* fires while the rates over a long and a short stretch are both at its
//! threshold or above: the long one keeps it from crying wolf, the short one ends it soon after
//! (Site Reliability Workbook, chapter 5).
//!
//! Rates are looked at where outage windows end, so stretches are rounded up to whole windows.
//! Until a stretch is full after warm-up, what there is of it counts.

use crate::measure::settings::Settings;
use crate::sim::time::{SimTime, Span};
use std::collections::VecDeque;

crate::params! {
    /// An alert on how fast the error budget is used.
    pub struct BurnAlert {
        /// The long stretch.
        long: Span = Span::from_secs(3600), "SRE Workbook: 1 h";
        /// The short stretch.
        short: Span = Span::from_secs(300), "SRE Workbook: a twelfth of the long one";
        /// It fires while both rates are this or more.
        rate: f64 = 14.4, "SRE Workbook: 2 % of a month's budget in an hour";
    }
}

/// The two alerts that page somebody in the SRE Workbook.
pub fn usual_alerts() -> Vec<BurnAlert> {
    let six_hours = BurnAlert { long: hours(6), short: Span::from_secs(1800), rate: 6.0 };
    vec![BurnAlert { long: hours(1), short: Span::from_secs(300), rate: 14.4 }, six_hours]
}

fn hours(n: u64) -> Span {
    Span::from_secs(3600 * n)
}

/// The stretches whose worst rate is told, in rising order.
pub fn stretches(settings: &Settings) -> Vec<Span> {
    let alerts = settings.burn_alerts.iter();
    let mut spans: Vec<Span> = alerts.flat_map(|alert| [alert.short, alert.long]).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// A stretch as the label `over` has it: `5m`.
pub fn show(span: Span) -> String {
    crate::sim::units::show_span(span)
}

/// Operations since warm-up: ended, and of those not ok.
type Count = (u64, u64);

/// One stretch.
#[derive(Clone, Debug)]
struct Stretch {
    span: Span,
    /// In outage windows.
    windows: usize,
    worst: f64,
    now: f64,
}

/// One alert: its stretches by number, and how long it fired.
#[derive(Clone, Debug)]
struct Alert {
    long: usize,
    short: usize,
    rate: f64,
    fired: Span,
}

/// Watches the budget of one store.
#[derive(Clone, Debug)]
pub struct Budget {
    budget: f64,
    sum: Count,
    /// The sums at the ends of past windows, the newest last; as many as the longest stretch has
    /// windows, and one.
    past: VecDeque<Count>,
    keep: usize,
    stretches: Vec<Stretch>,
    alerts: Vec<Alert>,
    fired: Span,
    last: SimTime,
}

impl Budget {
    /// For an objective below one; an objective of one has no budget to watch.
    pub fn new(objective: f64, settings: &Settings, window: Span, warmup: SimTime) -> Budget {
        let windows = |span: Span| {
            span.as_nanos().div_ceil(window.as_nanos().max(1)).clamp(1, LIMIT_WINDOWS) as usize
        };
        let spans = stretches(settings);
        let number = |span: Span| spans.iter().position(|s| *s == span).unwrap_or(0);
        let stretch = |span: &Span| {
            let windows = windows(*span);
            Stretch { span: *span, windows, worst: 0.0, now: 0.0 }
        };
        let alert = |alert: &BurnAlert| {
            let (long, short) = (number(alert.long), number(alert.short));
            Alert { long, short, rate: alert.rate, fired: Span::ZERO }
        };
        let stretches: Vec<Stretch> = spans.iter().map(stretch).collect();
        Budget {
            budget: 1.0 - objective,
            sum: (0, 0),
            past: VecDeque::from([(0, 0)]),
            keep: stretches.iter().map(|stretch| stretch.windows).max().unwrap_or(1) + 1,
            stretches,
            alerts: settings.burn_alerts.iter().map(alert).collect(),
            fired: Span::ZERO,
            last: warmup,
        }
    }

    /// Operations of a part of the window under way.
    pub fn add(&mut self, ended: u64, ok: u64) {
        self.sum.0 += ended;
        self.sum.1 += ended.saturating_sub(ok);
    }

    /// A window ends.
    pub fn window(&mut self, end: SimTime) {
        if end <= self.last {
            return;
        }
        self.past.push_back(self.sum);
        if self.past.len() > self.keep {
            self.past.pop_front();
        }
        let newest = self.past.len() - 1;
        for stretch in &mut self.stretches {
            let from = self.past[newest.saturating_sub(stretch.windows)];
            let (ended, bad) = (self.sum.0 - from.0, self.sum.1 - from.1);
            stretch.now = bad as f64 / ended.max(1) as f64 / self.budget;
            stretch.worst = stretch.worst.max(stretch.now);
        }
        let length = end.since(self.last);
        let mut any = false;
        for alert in &mut self.alerts {
            let rates = [self.stretches[alert.long].now, self.stretches[alert.short].now];
            // A rate is a quotient of decimals that binary has not: 14.4 is meant to reach 14.4.
            if rates.iter().all(|rate| *rate >= alert.rate * (1.0 - 1e-9)) {
                alert.fired = alert.fired.saturating_add(length);
                any = true;
            }
        }
        if any {
            self.fired = self.fired.saturating_add(length);
        }
        self.last = end;
    }

    /// How much of the budget was used: more than one is more than there was.
    pub fn used(&self, share_ok: f64) -> f64 {
        (1.0 - share_ok) / self.budget
    }

    /// The worst rate over each stretch.
    pub fn worst(&self) -> impl Iterator<Item = (Span, f64)> + '_ {
        self.stretches.iter().map(|stretch| (stretch.span, stretch.worst))
    }

    /// How long each alert fired, by its long stretch; in seconds.
    pub fn fired(&self) -> impl Iterator<Item = (Span, f64)> + '_ {
        let long = |alert: &Alert| self.stretches[alert.long].span;
        self.alerts.iter().map(move |alert| (long(alert), alert.fired.as_secs_f64()))
    }

    /// How long any of them fired, in seconds.
    pub fn any_fired(&self) -> f64 {
        self.fired.as_secs_f64()
    }
}

/// The most windows of a stretch: a month in windows of ten seconds.
const LIMIT_WINDOWS: u64 = 300_000;

/// What is wrong with the alerts.
pub fn problems(alerts: &[BurnAlert]) -> Option<String> {
    if alerts.len() > 8 {
        return Some(format!("has {} alerts; the limit is 8", alerts.len()));
    }
    for (number, alert) in alerts.iter().enumerate() {
        let long = show(alert.long);
        if alert.short.is_zero() || alert.short >= alert.long {
            return Some(format!(
                "has a short stretch that is not shorter than its long one of {long}"
            ));
        }
        if alert.long > Span::from_secs(31 * 86_400) {
            return Some(format!("has a stretch of {long}; the limit is 31d"));
        }
        if !(alert.rate > 0.0 && alert.rate <= 1e6) {
            return Some(format!(
                "has a rate of {}; it must be above 0, and 1000000 at most",
                alert.rate
            ));
        }
        if alerts[..number].iter().any(|other| other.long == alert.long) {
            return Some(format!("has two alerts over {long}: nothing tells them apart"));
        }
    }
    None
}
