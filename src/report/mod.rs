//! Reports: what was found, as terminal, JSON, CSV, Markdown, and one trial as a story.
//!
//! One file per format, each a pure function from findings to text. May use everything below the
//! porch. Will never read a file, look at a clock, or know the machine: the same findings give
//! the same bytes anywhere.
//!
//! # Decided
//! - What the formats share is worked out once, in `findings`; a format only renders.
//! - `results.json` has a version of its own. Numbers in it are exact, in seconds, counts and
//!   fractions; only the terminal and Markdown round.
//! - A trace tells facts as what happened and claims as what a node said. What happens thousands
//!   of times is folded into a line per interval.

pub mod against;
pub mod baseline;
pub mod comparison;
pub mod csv;
pub mod explain;
pub mod export;
pub mod findings;
pub mod github;
pub mod histogram;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod number;
pub mod parts;
pub mod pictures;
pub mod plot;
pub mod recorder;
pub mod summary;
pub mod sweep;
pub mod trace;

pub use findings::Findings;
pub use recorder::Recorder;

#[cfg(test)]
pub(crate) mod story_of_tests;
