//! The wires: does this packet arrive, and when?
//!
//! A *site* is one zone of one region. The [`Fabric`] is the live state of every directed pair
//! of sites: delay, jitter, loss, bandwidth with queues, and what faults do to them. A [`Flow`]
//! is an ordered, retransmitting stream over it. Where physical links are given instead of
//! end-to-end delays, [`topology`] finds the routes.
//!
//! May use `sim`, and `petgraph` for routes. Will never know what is in a packet, nor who sends
//! it: sites, regions and links are indexes, faults are opaque numbers.
//!
//! # Decided
//! - A packet takes exactly one 64-bit draw, by its sender, even on a cut pair: a fault then
//!   never shifts the dice of later packets. The high half decides loss, the low half jitter.
//! - Every effect of a fault is owned by that fault. A pair is up when no fault blocks it, so
//!   overlapping faults compose and clearing one does not heal another.
//! - The fate of a packet is known when it is sent, except for cuts while it flies. Those are
//!   asked at its arrival ([`Fabric::alive`]), so that a cut never searches the event queue.
//! - A message joins a queue whole if the queue has not yet reached its size. Real transports
//!   cut a message into segments and feed them as room appears; judging a large batch by its
//!   size would make a batch larger than the queue undeliverable.
//! - A packet that the dice lose has used the bandwidth before: it is lost on the way.
//! - What faults do to the wire of one host is kept apart from its pair of sites: a pair of hosts
//!   gets a number of its own while one of them ails, and everybody else pays nothing.
//! - The transport's acknowledgements are no events. The sender learns of a loss only by its
//!   retransmission timer or by a later packet's acknowledgement, but never retransmits in vain,
//!   except to probe for a lost acknowledgement.

pub mod bursts;
pub mod fabric;
pub mod faults;
pub mod flow;
pub mod lanes;
mod losses;
mod port;
pub mod topology;
pub mod transport;
mod window;

#[cfg(test)]
mod fabric_laws;
#[cfg(test)]
mod flow_laws;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod topology_laws;

pub use bursts::Gilbert;
pub use fabric::{Fabric, FabricSpec, Fate, PairSpec};
pub use faults::InFlight;
pub use flow::{Flow, FlowAction};
pub use lanes::Ailment;
pub use topology::{LinkChange, LinkSpec, Physical};
pub use transport::{Backoff, TransportSpec};
