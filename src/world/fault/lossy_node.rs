//! Lossy nodes: packets to or from them get lost.

use super::partition::Direction;
use super::{Act, Fault};
use crate::sim::param::{Name, OneOrMore, Problems, Share};
use crate::world::layout::Layout;

crate::params! {
    /// A lossy node, a gray failure: a bad cable, a full receive buffer. Its neighbours' wires are
    /// fine. Connections send again what is lost, and are slower for it; datagrams, such as health
    /// checks, are gone.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:lease`, …).
        target: OneOrMore<Name>, required;
        /// Which share of its packets gets lost.
        loss: Share, required;
        /// Which direction, seen from the node: what is sent `to` it, `from` it, or both.
        direction: Direction = Direction::Both, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let loss = |hit: bool| if hit { self.loss.0 } else { 0.0 };
        let wire = |node| Act::BadWire {
            node,
            delay: [None, None],
            loss: [loss(self.direction != Direction::To), loss(self.direction != Direction::From)],
        };
        nodes.into_iter().map(wire).collect()
    }
}
