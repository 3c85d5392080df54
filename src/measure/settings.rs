//! What can be set of the measures: the table `[measure]` of a scenario.

use crate::measure::budget::{self, BurnAlert};
use crate::measure::windows::WindowTable;
use crate::sim::param::{ByName, Name, Share};
use crate::sim::time::Span;

crate::params! {
    /// How outages are recognised, and how finely latency and series are kept.
    pub struct Settings {
        /// Length of the windows in which the share of successes is judged.
        outage_window: Span = Span::from_secs(10), "our choice: one probe interval of common checkers";
        /// A window is widened until it holds so many operations.
        outage_operations: u64 = 100, "our choice: the fewest of which 99 % can be told from 98 %";
        /// A window with a smaller share of successes is an outage.
        outage_share: Share = Share(0.99), "our choice: two nines";
        /// Outages closer than this are one; service must hold so long to count as restored.
        stable_hold: Span = Span::from_secs(30), "our choice";
        /// The fault whose onset is that of an episode: then nothing else opens one.
        onset: Option<Name> = None, "whatever comes first";
        /// Significant decimal digits kept of a latency, from 1 to 4.
        latency_digits: u16 = 3, "HdrHistogram's usual choice: errors below 0.1 %";
        /// The most bins of a time series.
        series_bins: u32 = 600, "our choice: a dot per pixel of a small chart";
        /// A standby whose disk lacks what was acknowledged so long ago is no copy: it is no
        /// redundancy.
        copy_lag: Span = Span::from_secs(10), "our choice: one outage window";
        /// Marks of the curve of visibility: reads are counted by how long after the last
        /// acknowledgement of their key they began, from one mark to the next.
        visibility_marks: Vec<Span> = usual_marks(), "our choice: three per decade, from a millisecond to ten seconds";
        /// Alerts on how fast the error budget of `policy.availability_slo` is used; the worst
        /// rate over each of their stretches is told.
        burn_alerts: Vec<BurnAlert> = budget::usual_alerts(), "SRE Workbook, chapter 5: the two that page somebody";
        /// Stretches of time by name, for the label `window`.
        window: ByName<WindowTable> = ByName::default(), "none";
    }
}

fn usual_marks() -> Vec<Span> {
    let millis = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
    millis.map(Span::from_millis).to_vec()
}

/// The most marks of a curve.
const LIMIT_MARKS: usize = 1_000;

impl Settings {
    /// What is wrong with the values, as (key, message); they are clamped where they are used.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.outage_window < Span::from_millis(10) {
            found.push(("outage_window", "must be at least 10ms".to_string()));
        }
        if !(1..=1_000_000).contains(&self.outage_operations) {
            found.push(("outage_operations", "must be from 1 to 1000000".to_string()));
        }
        if !(1..=4).contains(&self.latency_digits) {
            found.push(("latency_digits", "must be from 1 to 4".to_string()));
        }
        if !(1..=100_000).contains(&self.series_bins) {
            found.push(("series_bins", "must be from 1 to 100000".to_string()));
        }
        let marks = &self.visibility_marks;
        if marks.len() > LIMIT_MARKS {
            found.push(("visibility_marks", format!("has more than {LIMIT_MARKS} marks")));
        } else if !marks.is_sorted_by(|a, b| a < b) {
            found.push(("visibility_marks", "must grow from each mark to the next".to_string()));
        }
        found.extend(budget::problems(&self.burn_alerts).map(|what| ("burn_alerts", what)));
        found
    }
}
