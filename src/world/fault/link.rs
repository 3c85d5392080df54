//! Slow and lossy links.

use super::InFlight;
use super::partition::Direction;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Name, Share};

crate::params! {
    /// A slow, lossy or dead link: between two places, or a physical link by its name.
    pub struct Params {
        /// Two regions (or zones), or the one name of a physical link.
        between: Vec<Name>, required;
        /// Delay added to each packet, one way.
        delay: DistSpec = DistSpec::Constant(Span::ZERO), "none";
        /// Loss added.
        loss: Share = Share(0.0), "none";
        /// The link is dead: a physical link is routed around once that has been noticed.
        down: bool = false, "our choice";
        /// Which direction, seen from the second place.
        direction: Direction = Direction::Both, "our choice";
        /// What becomes of packets under way when it goes down.
        in_flight: InFlight = InFlight::Lost, "our choice";
    }
}
