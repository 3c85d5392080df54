//! The event set: what happens next.
//!
//! Order is (time, phase, insertion), written in [`Phase`]. [`Queue`] is the fast one,
//! [`heap::HeapQueue`] its plain twin that tests and benchmarks hold it against. May use
//! `sim::time`. Will never know what an event is.
//!
//! # Decided
//! - Order is a property of the events alone. How wide a bucket is, when it was retuned and
//!   which slot an event got can never be told from what is popped.
//! - A cancelled event is gone at once: no stale timer rides along to its time. A lease that is
//!   renewed a hundred times a second would otherwise leave hundreds behind.
//! - No sequence number: within a bucket older events come first, and events with the same key
//!   are always in the same bucket.

mod bucket;
pub mod heap;

pub use bucket::Queue;

use crate::sim::time::SimTime;

/// The rule for events at the same instant, in this order: the environment first, timers last.
/// A lease renewed at its last nanosecond is renewed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Something goes wrong or heals.
    Fault = 0,
    /// A packet arrives.
    Arrive = 1,
    /// A disk finishes.
    Durable = 2,
    /// A timer fires.
    Timer = 3,
}

/// A handle to a scheduled event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    slot: u32,
    generation: u32,
}

/// Time and phase in one number that orders as the pair does.
#[inline]
const fn rank(at: SimTime, phase: Phase) -> u64 {
    (at.as_nanos() << 2) | phase as u64
}

/// The time of a rank.
#[inline]
const fn time_of(rank: u64) -> SimTime {
    SimTime::from_nanos(rank >> 2)
}

#[cfg(test)]
mod tests;
