//! Partitions: complete, partial, one-way.

use super::InFlight;
use super::{Act, Fault};
use crate::model::id::SiteId;
use crate::sim::param::{Name, OneOrMore, Problems};
use crate::world::layout::Layout;

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
        isolate: OneOrMore<Name>, required;
        /// The other side; everything else where left out (a complete partition).
        from: OneOrMore<Name> = OneOrMore::default(), "everything else";
        /// Which direction is cut.
        direction: Direction = Direction::Both, "our choice";
        /// What becomes of packets under way.
        in_flight: InFlight = InFlight::Lost, "our choice";
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let mut sites = |names: &[Name]| -> Vec<SiteId> {
            names.iter().flat_map(|name| layout.sites_named(name, problems)).collect()
        };
        let inside = sites(&self.isolate.0);
        let mut outside = sites(&self.from.0);
        if self.from.0.is_empty() {
            outside = (0..layout.sites.len()).map(SiteId::of).collect();
            outside.retain(|site| !inside.contains(site));
        }
        let mut acts = Vec::new();
        for (a, b) in inside.iter().flat_map(|a| outside.iter().map(move |b| (*a, *b))) {
            if a == b {
                continue;
            }
            let block = |from, to| Act::Block { from, to, in_flight: self.in_flight };
            if self.direction != Direction::To {
                acts.push(block(a, b));
            }
            if self.direction != Direction::From {
                acts.push(block(b, a));
            }
        }
        acts
    }
}
