//! The kernel: what happens next, and by which dice?
//!
//! Time, event queue, random streams, distributions, units, and the declaration of
//! parameters. May use `rand`, `rand_chacha` and `libm`. Will never know nodes, links or
//! protocols.
//!
//! # Decided
//! - Time is whole nanoseconds in `u64`: order never depends on rounding.
//! - A random stream is named by what it is for, never by when it was made, so that an added
//!   entity takes nothing from the others' dice.
//! - ChaCha8 may use the processor's wide registers (the `std` feature of `rand_chacha`): its
//!   values are fixed by its definition, so only its speed depends on the machine.

pub mod clock;
pub mod digest;
pub mod dist;
pub mod draws;
pub mod param;
pub mod queue;
pub mod rng;
pub mod time;
pub mod units;
pub mod zipf;

pub use time::{LocalTime, SimTime, Span, WallTime};
