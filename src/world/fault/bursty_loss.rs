//! Loss in bursts between two places.

use super::partition::Direction;
use super::{Act, Fault};
use crate::net::Gilbert;
use crate::sim::param::{Name, Problems, Share};
use crate::world::layout::Layout;

crate::params! {
    /// Bursty loss (Gilbert and Elliott): each directed pair is good or bad, and each packet may
    /// move it from one to the other. In the long run a share of p/(p+r) of the packets meets a bad
    /// pair, in bursts of 1/r packets on average. As `tc netem … loss gemodel p r 1-h 1-k`.
    pub struct Params {
        /// Two regions (or zones).
        between: Vec<Name>, required;
        /// Probability that a packet finds the good pair turned bad.
        p: Share, required;
        /// Probability that a packet finds the bad pair turned good.
        r: Share, required;
        /// Loss on a bad pair (netem's 1-h).
        loss_bad: Share = Share(1.0), "Gilbert 1960, tc netem";
        /// Loss on a good pair (netem's 1-k).
        loss_good: Share = Share(0.0), "Gilbert 1960, tc netem";
        /// Which direction, seen from the first place: `from` it, `to` it, or both.
        direction: Direction = Direction::Both, "our choice";
    }
}

impl Params {
    /// The probabilities of its chain.
    pub fn law(&self) -> Gilbert {
        let (p, r) = (self.p.0, self.r.0);
        Gilbert { p, r, loss_bad: self.loss_bad.0, loss_good: self.loss_good.0 }
    }
}

impl Fault for Params {
    fn acts(&self, layout: &Layout, problems: &mut Problems) -> Vec<Act> {
        let [a, b] = self.between.as_slice() else {
            let place = self.between.first().map_or(0..0, |name| name.place.clone());
            problems.add(&place, "expected two places");
            return Vec::new();
        };
        let (a, b) = (layout.sites_named(a, problems), layout.sites_named(b, problems));
        let law = self.law();
        let mut acts = Vec::new();
        for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b))) {
            if a != b && self.direction != Direction::To {
                acts.push(Act::Bursty { from: a, to: b, law });
            }
            if a != b && self.direction != Direction::From {
                acts.push(Act::Bursty { from: b, to: a, law });
            }
        }
        acts
    }
}
