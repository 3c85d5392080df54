//! The participants: what does each do next?
//!
//! State machines without I/O: an input in, effects out. May use `sim`. Will never know true
//! time, the topology, or the log of facts.

pub mod fact;
pub mod id;
pub mod roster;
