//! Slow nodes: whatever is sent to or from them takes longer.

use super::partition::Direction;
use super::{Act, Fault};
use crate::sim::dist::DistSpec;
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

crate::params! {
    /// A slow node, a gray failure: a bad network card, an overloaded host. Its neighbours' wires
    /// are fine; what its own processes say to each other is not delayed.
    pub struct Params {
        /// Regions, zones, nodes (`store@region`, …) or roles (`role:lease`, …).
        target: OneOrMore<Name>, required;
        /// Delay added to each packet, one way.
        delay: DistSpec, required;
        /// Which direction, seen from the node: what is sent `to` it, `from` it, or both.
        direction: Direction = Direction::Both, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let (nodes, _) = layout.targets(&self.target, problems);
        let delay = |hit: bool| hit.then(|| self.delay.clone());
        let wire = |node| Act::BadWire {
            node,
            delay: [
                delay(self.direction != Direction::To),
                delay(self.direction != Direction::From),
            ],
            loss: [0.0; 2],
        };
        nodes.into_iter().map(wire).collect()
    }
}
