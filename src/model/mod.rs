//! The participants: what does each do next?
//!
//! State machines without I/O: an input in, effects out. May use `sim`. Will never know true
//! time, the topology, or the log of facts.
//!
//! # Decided
//! - One `step`, a closed [`ctx::Input`], a list of [`ctx::Effect`]s: a run is a text.
//! - Dice are streams that a machine was given when it was made, named by what they are for.
//! - Entries of a log are named by position, not copied: ranges cross the wire.

pub mod client;
pub mod consensus;
pub mod control;
pub mod ctx;
pub mod cue;
pub mod detect;
mod errors;
pub mod fact;
pub mod id;
pub mod keyed;
pub mod log;
pub mod msg;
pub mod order;
pub mod replica;
pub mod roster;
pub mod route;
