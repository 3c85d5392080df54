//! Experiments: which trials are run, and what they come to.
//!
//! Spreads the trials of a scenario over cores and gathers what the judges said of each. May use
//! everything below the porch. Will never know how a result is shown, or look at a clock.
//!
//! # Decided
//! - Workers take the next trial off a counter, so that what an interruption leaves is close to
//!   the first so many trials; what they found is put in trial order before anyone looks.
//! - Of a trial only its numbers, incidents and episodes are kept; the time series are summed as
//!   trials end. A thousand trials cost some megabytes.
//! - A trial that was halted has verdicts that nobody can trust: its numbers count as unknown.
//! - A panic in a trial is a bug of ours. It is caught, named by seed and trial, and ends the
//!   experiment without results: the other trials ran the same code.

pub mod determinism;
pub mod grid;
pub mod ladder;
pub mod run;
pub mod shard;
pub mod until;

pub use determinism::{Divergence, check};
pub use run::{Bug, Experiment, Outcomes, Total, Trial, caught};
pub use shard::{Part, Shard, Source, merge};
pub use until::Until;
