//! Hand-written streams of facts and their exact verdicts. Every definition at the head of
//! `regionsim::measure` has its story, and the liars have theirs.

#[path = "oracle/budget.rs"]
mod budget;
#[path = "oracle/degraded.rs"]
mod degraded;
#[path = "oracle/doubled.rs"]
mod doubled;
#[path = "oracle/keyed.rs"]
mod keyed;
#[path = "oracle/loss.rs"]
mod loss;
#[path = "oracle/naive.rs"]
mod naive;
#[path = "oracle/onset.rs"]
mod onset;
#[path = "oracle/service.rs"]
mod service;
#[path = "oracle/story.rs"]
mod story;
#[path = "oracle/twin.rs"]
mod twin;
#[path = "oracle/two_primaries.rs"]
mod two_primaries;
#[path = "oracle/windows.rs"]
mod windows;
