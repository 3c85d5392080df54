//! Slow, lossy and narrow links.

use super::InFlight;
use super::partition::Direction;
use super::{Act, Fault};
use crate::model::id::SiteId;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::Problems;
use crate::sim::param::suggest;
use crate::sim::param::{Bandwidth, Bytes, Name, Share};
use crate::world::layout::Layout;

crate::params! {
    /// A slow, lossy, narrow or dead link: between two places, or a physical link by its name.
    pub struct Params {
        /// Two regions (or zones), or the one name of a physical link.
        between: Vec<Name>, required;
        /// Delay added to each packet, one way.
        delay: DistSpec = DistSpec::Constant(Span::ZERO), "none";
        /// Loss added.
        loss: Share = Share(0.0), "none";
        /// Bandwidth left, in each direction; where the wire has less of its own, that stays.
        bandwidth: Option<Bandwidth> = None, "as much as ever";
        /// How much may wait for that bandwidth before packets are dropped at the tail. What waits
        /// when the fault clears still leaves at that pace.
        queue: Option<Bytes> = None, "what it carries in 100 ms";
        /// The link is dead: a physical link is routed around once that has been noticed.
        down: bool = false, "our choice";
        /// Which direction, seen from the first place: `from` it, `to` it, or both.
        direction: Direction = Direction::Both, "our choice";
        /// What becomes of packets under way when it goes down.
        in_flight: InFlight = InFlight::Lost, "our choice";
    }
}

impl Params {
    /// What is wrong with these parameters for a physical link, and what to write instead: it is
    /// dead, both ways, or not touched at all.
    pub fn unfit_for_a_cable(&self) -> Option<(&'static str, &'static str)> {
        let milder = self.delay != DistSpec::Constant(Span::ZERO)
            || self.loss.0 > 0.0
            || self.bandwidth.is_some()
            || self.direction != Direction::Both;
        (milder || !self.down).then_some((
            "a physical link can only be dead, both ways",
            "write `down = true` alone; for delay, loss, bandwidth or one direction name the two regions",
        ))
    }
    /// How many bytes may wait for such a bandwidth.
    pub fn waits(&self, bandwidth: Bandwidth) -> u64 {
        self.queue.map_or(bandwidth.0 / 80, |queue| queue.0)
    }
    fn pair(&self, a: SiteId, b: SiteId, acts: &mut Vec<Act>) {
        let no_delay = DistSpec::Constant(Span::ZERO);
        let mut one_way = |from, to, place| {
            if self.down {
                acts.push(Act::Block { from, to, in_flight: self.in_flight });
            }
            if self.delay != no_delay {
                acts.push(Act::Slow { from, to, delay: self.delay.clone() });
            }
            if let Some(bandwidth) = self.bandwidth {
                let (bandwidth, queue) = (bandwidth.0, self.waits(bandwidth));
                acts.push(Act::Narrow { from, to, place, bandwidth, queue });
            }
            if self.loss.0 > 0.0 {
                acts.push(Act::Lossy { from, to, share: self.loss.0 });
            }
        };
        if self.direction != Direction::To {
            one_way(a, b, 0);
        }
        if self.direction != Direction::From {
            one_way(b, a, 1);
        }
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        match self.between.as_slice() {
            [link] => {
                if let Some((message, help)) = self.unfit_for_a_cable() {
                    problems.add_help(&link.place, message, help);
                    return Vec::new();
                }
                if let Some(link) = layout.link_named(&link.text) {
                    return vec![Act::LinkDown { link, in_flight: self.in_flight }];
                }
                let known: Vec<&str> = layout.link_names().iter().map(String::as_str).collect();
                let message = format!("there is no physical link `{}`", link.text);
                problems.add_help(&link.place, message, suggest(&link.text, &known));
                Vec::new()
            }
            [a, b] => {
                let (a, b) = (layout.sites_named(a, problems), layout.sites_named(b, problems));
                let mut acts = Vec::new();
                for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b))) {
                    if a != b {
                        self.pair(a, b, &mut acts);
                    }
                }
                acts
            }
            names => {
                let place = names.first().map_or(0..0, |name| name.place.clone());
                problems.add(&place, "expected two places, or the name of one physical link");
                Vec::new()
            }
        }
    }
}
