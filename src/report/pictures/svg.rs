//! The swim lanes alone, with their colours in them: for slides.

use super::{Drawing, Scene};
use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::NodeId;
use crate::model::roster::Roster;
use crate::report::html::escaped;
use crate::report::html::lanes::Lanes;
use crate::report::html::picture::{self, HATCH};
use crate::sim::time::SimTime;

struct Slide<'a> {
    roster: &'a Roster,
    scene: Scene,
    lanes: Lanes,
}

/// Begins.
pub fn begin(roster: &Roster, scene: Scene) -> Box<dyn Drawing + '_> {
    let lanes = Lanes::new(roster, scene.window);
    Box::new(Slide { roster, scene, lanes })
}

impl Observer for Slide<'_> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.lanes.on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.lanes.on_claim(at, by, claim);
    }
}

impl Drawing for Slide<'_> {
    fn text(self: Box<Self>) -> String {
        let Slide { roster, scene, lanes } = *self;
        let drawn = picture::lanes(&lanes.close(), roster, &scene.incidents, &scene.title);
        // A title above, a white ground below, and the colours.
        let (head, body) = drawn.split_once('>').unwrap_or((&drawn, ""));
        let (before, rest) = head.split_once("viewBox=\"0 0 1000 ").unwrap_or((head, ""));
        let (height, after) = rest.split_once('"').unwrap_or(("100", ""));
        let height: f64 = height.parse().unwrap_or(100.0);
        format!(
            "{before}viewBox=\"0 -30 1000 {0:.0}\" width=\"1000\" height=\"{0:.0}\"{after}>\n<style>\n\
             {1}</style>{HATCH}<rect fill=\"#fff\" x=\"0\" y=\"-30\" width=\"1000\" height=\"{0:.0}\"/>\
             <text class=\"title\" x=\"4\" y=\"-10\">{2}</text>\n{body}\n",
            height + 30.0,
            include_str!("slide.css"),
            escaped(&scene.title),
        )
    }
}
