//! Clocks that run fast or slow.

use crate::sim::param::Name;

crate::params! {
    /// Drift: the clocks of a node run fast or slow while the fault lasts.
    pub struct Params {
        /// A region, a zone, or a node (`store@region`, …).
        target: Name, required;
        /// Parts per million: 1000 gains a millisecond a second, -1000 loses one.
        drift_ppm: f64, required;
    }
}
