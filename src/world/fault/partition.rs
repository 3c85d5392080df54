//! Partitions: complete, partial, one-way.

use super::InFlight;
use crate::sim::param::Name;

crate::choices! {
    /// Which direction is cut.
    pub enum Direction {
        /// Both.
        Both = "both",
        /// What is sent to the isolated side.
        To = "to",
        /// What the isolated side sends.
        From = "from",
    }
}

crate::params! {
    /// A partition: packets between two sides do not pass.
    pub struct Params {
        /// One side: regions or zones.
        isolate: Vec<Name>, required;
        /// The other side; everything else where left out (a complete partition).
        from: Vec<Name> = Vec::new(), "everything else";
        /// Which direction is cut.
        direction: Direction = Direction::Both, "our choice";
        /// What becomes of packets under way.
        in_flight: InFlight = InFlight::Lost, "our choice";
    }
}
