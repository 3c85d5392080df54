//! Swim lanes of one trial as SVG: facts as filled shapes, what nodes said as thin lines over them.

use super::lanes::{BINS, Lanes, Spell, Stretch};
use super::{escaped, shortened};
use crate::measure::Incident;
use crate::model::fact::FailoverStep;
use crate::model::roster::Roster;
use crate::sim::time::SimTime;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 1000.0;
const LANE: f64 = 28.0;

/// The lanes of a trial.
pub fn lanes(lanes: &Lanes, roster: &Roster, incidents: &[Incident], title: &str) -> String {
    let mut canvas = Canvas { window: lanes.window, y: 26.0, out: String::new() };
    canvas.steps(lanes);
    for (fault, spell) in roster.faults.iter().zip(&lanes.faults) {
        if canvas.visible(spell) {
            canvas.label(&format!("{} ({})", fault.name, fault.kind), "fault");
            canvas.bars(spell, "lane-fault", 4.0, 16.0, "the fault lasts");
            canvas.next();
        }
    }
    for region in 0..roster.regions.len() {
        canvas.region(lanes, roster, region, incidents);
    }
    canvas.axis();
    let height = canvas.y + 34.0;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">{}</svg>",
        escaped(title),
        canvas.out
    )
}

struct Canvas {
    window: Stretch,
    y: f64,
    out: String,
}

impl Canvas {
    fn x(&self, at: SimTime) -> f64 {
        let (from, to) = self.window;
        let inside = at.clamp(from, to).since(from).as_secs_f64();
        LEFT + (WIDTH - LEFT - 10.0) * inside / to.since(from).as_secs_f64().max(1e-9)
    }

    fn visible(&self, spell: &Spell) -> bool {
        spell.stretches.iter().any(|(from, to)| *to > self.window.0 && *from < self.window.1)
    }

    fn next(&mut self) {
        self.y += LANE;
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn label(&mut self, text: &str, class: &str) {
        let y = self.y + 17.0;
        self.put(&format!(
            "<text class=\"label {class}\" x=\"4\" y=\"{y:.1}\">{}<title>{}</title></text>",
            escaped(&shortened(text, 27)),
            escaped(text)
        ));
    }

    fn bars(&mut self, spell: &Spell, class: &str, top: f64, height: f64, what: &str) {
        let (from, to) = self.window;
        for (start, end) in spell.stretches.iter().filter(|(a, b)| *b > from && *a < to) {
            let (x, y) = (self.x(*start), self.y + top);
            let width = (self.x(*end) - x).max(1.0);
            let length = crate::report::number::show(
                crate::measure::Unit::Seconds,
                end.since(*start).as_secs_f64(),
            );
            self.put(&format!(
                "<rect class=\"{class}\" tabindex=\"0\" x=\"{x:.1}\" y=\"{y:.1}\" \
                 width=\"{width:.1}\" height=\"{height}\"><title>{what}: {start} to {end}, \
                 {length}</title></rect>"
            ));
        }
    }

    /// Counts per bin as a silhouette as high as the lane at `most`.
    fn counts(&mut self, bins: &[u32], most: u32, class: &str) {
        if bins.iter().all(|count| *count == 0) {
            return;
        }
        let base = self.y + 24.0;
        let step = (WIDTH - LEFT - 10.0) / BINS as f64;
        let mut path = format!("M{LEFT:.1} {base:.1}");
        for (i, count) in bins.iter().enumerate() {
            let top = base - 20.0 * f64::from(*count) / f64::from(most.max(1));
            let x = LEFT + step * i as f64;
            path.push_str(&format!("L{x:.1} {top:.1}L{:.1} {top:.1}", x + step));
        }
        path.push_str(&format!("L{:.1} {base:.1}Z", WIDTH - 10.0));
        self.put(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    fn steps(&mut self, lanes: &Lanes) {
        if lanes.steps.is_empty() {
            return;
        }
        self.label("failover (said)", "said");
        let mut last = f64::NEG_INFINITY;
        for (at, _, step) in &lanes.steps {
            let (x, y) = (self.x(*at), self.y + 17.0);
            let word = step_word(*step);
            self.put(&format!(
                "<line class=\"step\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\">\
                 <title>{at}: {word}</title></line>",
                self.y + 4.0,
                self.y + 22.0
            ));
            if x - last > 62.0 {
                self.put(&format!(
                    "<text class=\"said\" x=\"{:.1}\" y=\"{y:.1}\">{word}</text>",
                    x + 3.0
                ));
                last = x;
            }
        }
        self.next();
    }

    fn region(&mut self, lanes: &Lanes, roster: &Roster, region: usize, incidents: &[Incident]) {
        let clients = lanes.clients.iter().filter(|lane| lane.region == region);
        let clients: Vec<_> = clients.collect();
        let nodes: Vec<usize> = (0..roster.nodes.len())
            .filter(|n| roster.sites[roster.nodes[*n].site.index()].region.index() == region)
            .filter(|n| self.speaks(lanes, *n))
            .collect();
        if clients.is_empty() && nodes.is_empty() {
            return;
        }
        let y = self.y + 12.0;
        self.put(&format!(
            "<text class=\"region\" x=\"4\" y=\"{y:.1}\">{}</text><line class=\"rule\" \
             x1=\"0\" x2=\"{WIDTH}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            escaped(&roster.regions[region]),
            y + 4.0,
            y + 4.0
        ));
        self.y += 18.0;
        for lane in clients {
            let most = lane.ok.iter().zip(&lane.other).map(|(a, b)| a + b).max().unwrap_or(1);
            self.label("its clients: ok, not ok", "");
            self.counts(&lane.ok, most, "ok");
            self.counts(&lane.other, most, "not-ok");
            self.next();
        }
        for node in nodes {
            self.node(lanes, roster, node, incidents);
        }
    }

    /// Nodes that nothing is to be told of would only make the picture long.
    fn speaks(&self, lanes: &Lanes, node: usize) -> bool {
        let lane = &lanes.nodes[node];
        let spells = [&lane.down, &lane.admits, &lane.claims, &lane.lease];
        lane.answers.iter().any(|n| *n > 0)
            || !lane.marks.is_empty()
            || spells.iter().any(|spell| self.visible(spell))
    }

    fn node(&mut self, lanes: &Lanes, roster: &Roster, node: usize, incidents: &[Incident]) {
        let lane = &lanes.nodes[node];
        self.label(&roster.nodes[node].name, "");
        for incident in incidents {
            let mut sides = incident.winners.iter().chain(&incident.losers);
            if sides.any(|side| side.index() == node) {
                let both = Spell::of((incident.start, incident.end));
                self.bars(&both, "split", 0.0, 26.0, "split brain: both sides answer writes");
            }
        }
        self.bars(&lane.admits, "admits", 10.0, 14.0, "admits writes");
        let most = lane.answers.iter().copied().max().unwrap_or(1);
        self.counts(&lane.answers, most, "answers");
        self.bars(&lane.down, "down", 6.0, 18.0, "down");
        self.bars(&lane.claims, "claims", 2.0, 3.0, "says that it is primary");
        self.bars(&lane.lease, "lease", 6.0, 3.0, "says that it holds the lease");
        for (at, letter, text) in &lane.marks {
            let (x, y) = (self.x(*at), self.y + 21.0);
            self.put(&format!(
                "<text class=\"mark\" x=\"{x:.1}\" y=\"{y:.1}\">{letter}<title>{at}: \
                 {text}</title></text>"
            ));
        }
        self.next();
    }

    fn axis(&mut self) {
        let (from, to) = self.window;
        let y = self.y + 14.0;
        for i in 0..=5u64 {
            let length = to.since(from).as_nanos();
            let at = SimTime::from_nanos(from.as_nanos() + length / 5 * i);
            let x = self.x(at);
            let anchor = if i == 5 { "end" } else { "middle" };
            let whole = SimTime::from_nanos(at.as_nanos() / 1_000_000_000 * 1_000_000_000);
            self.put(&format!(
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"20\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{:.1}\">{whole}</text>",
                self.y + 2.0,
                y + 4.0
            ));
        }
    }
}

/// `StopTraffic` is `stop traffic`: a lane has no room for the sentence of a trace.
fn step_word(step: FailoverStep) -> String {
    let mut word = String::new();
    for c in format!("{step:?}").chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.extend(c.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::Observer;
    use crate::report::recorder::Told;
    use crate::report::story_of_tests::{cast, everything};

    #[test]
    fn a_picture_of_everything_is_well_formed_and_shows_every_node_that_did_something() {
        let (roster, told) = (cast(), everything());
        let mut seen = Lanes::new(&roster, (told[0].0, told[told.len() - 1].0));
        for (at, told) in &told {
            match told {
                Told::Fact(fact) => seen.on_fact(*at, fact),
                Told::Claim(by, claim) => seen.on_claim(*at, *by, claim),
            }
        }
        let picture = lanes(&seen.close(), &roster, &[], "a <test>");
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
        assert!(picture.contains("a &lt;test&gt;") && !picture.contains("NaN"), "{picture}");
        // Lines and paths close themselves; all others are closed by name.
        for tag in ["svg", "text", "title", "rect"] {
            let opened = picture.matches(&format!("<{tag} ")).count()
                + picture.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, picture.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert_eq!(step_word(FailoverStep::StopTraffic), "stop traffic");
    }
}
