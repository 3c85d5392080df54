//! The judges: how bad was it?
pub mod authority;
pub mod catalogue;
pub mod episode;
pub mod expect;
pub mod health;
pub mod history;
pub mod loss;
pub mod metric;
pub mod ops;
pub mod oracle;
pub mod phases;
pub mod sample;
pub mod settings;
pub mod split_brain;
pub mod stats;
pub mod survivor;
pub mod tally;
pub mod verdict;

pub use catalogue::CATALOGUE;
pub use expect::{Expectation, Judgement, Ruling};
pub use metric::{Better, MetricDoc, MetricKey, Unit};
pub use oracle::Oracle;
pub use phases::Phases;
pub use sample::Sample;
pub use settings::Settings;
pub use verdict::{Cause, Episode, Incident, Series, Verdict};
