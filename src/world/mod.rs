//! The interpreter of effects: what actually happened?
//!
//! Builds the nodes of a [`plan::Plan`], runs them, and writes the facts. May use `model`, `net`
//! and `sim`. Will never know TOML or metrics.
//!
//! # Decided
//! - Facts are written here alone, while an effect is carried out. A machine can only claim.
//! - A fault is a list of acts, each owned by it; clearing takes back what it owns, so that
//!   overlapping faults compose.
//! - A fault takes turns. The next is drawn when the one before has ended, from dice numbered by
//!   the turn, so that a fault that happens again begins as the one that happened once.
//! - What all trials of a plan share (names, wires, key tables) is a [`Stage`], made once.

mod build;
mod carry;
mod disk;
pub mod fault;
mod gray;
pub mod layout;
mod letters;
pub mod operator;
mod orders;
pub mod plan;
mod process;
mod run;
mod schedule;
mod stage;
mod timeline;
mod upset;
mod wires;

pub use run::{Finish, Limits};
pub use schedule::FaultTimes;
pub use stage::Stage;
