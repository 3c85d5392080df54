//! Swim lanes of one trial as SVG: facts as filled shapes, what nodes said as lines over them.
//!
//! Whatever has a `<title>` tells when and what: to a mouse, and to the arrow keys of a page.

use super::element::{escaped, shortened};
use super::lanes::{BINS, Counts, Lanes, NodeLane};
use super::spell::{Spell, Stretch};
use crate::measure::{Incident, Unit};
use crate::model::fact::FailoverStep;
use crate::model::id::{NodeId, SiteId};
use crate::model::roster::Roster;
use crate::report::number;
use crate::sim::time::SimTime;
use std::collections::BTreeMap;

const LEFT: f64 = 190.0;
const RIGHT: f64 = 990.0;
const WIDTH: f64 = 1000.0;
const LANE: f64 = 28.0;

/// The lanes of a trial.
pub fn lanes(lanes: &Lanes, roster: &Roster, incidents: &[Incident], title: &str) -> String {
    let mut canvas = Canvas { window: lanes.window, y: 8.0, out: String::new() };
    canvas.steps(lanes, roster);
    for (fault, spell) in roster.faults.iter().zip(&lanes.faults) {
        if canvas.visible(spell) {
            canvas.label(&format!("{} ({})", fault.name, fault.kind), "fault");
            canvas.bars(spell, "lane-fault", 4.0, 16.0, &format!("the fault {} lasts", fault.name));
            canvas.next();
        }
    }
    for region in 0..roster.regions.len() {
        canvas.region(lanes, roster, region, incidents);
    }
    canvas.axis();
    let (from, to) = lanes.window;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lanes\" viewBox=\"0 0 {WIDTH} {:.0}\" \
         role=\"img\" aria-label=\"{}\" data-from=\"{}\" data-to=\"{}\">{}</svg>",
        canvas.y + 34.0,
        escaped(title),
        from.since(SimTime::ZERO).as_secs_f64(),
        to.since(SimTime::ZERO).as_secs_f64(),
        canvas.out
    )
}

/// What the pictures of a page refer to: grey is told from blue by its stripes as well.
pub const HATCH: &str = "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" \
    patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"hatch\" width=\"2.5\" \
    height=\"6\"/></pattern></defs>";

struct Canvas {
    window: Stretch,
    y: f64,
    out: String,
}

impl Canvas {
    fn x(&self, at: SimTime) -> f64 {
        let (from, to) = self.window;
        let inside = at.clamp(from, to).since(from).as_secs_f64();
        LEFT + (RIGHT - LEFT) * inside / to.since(from).as_secs_f64().max(1e-9)
    }

    fn visible(&self, spell: &Spell) -> bool {
        spell.within(self.window).next().is_some()
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
            "<text class=\"label {class}\" x=\"4\" y=\"{y:.1}\">{}</text>",
            escaped(&shortened(text, 27))
        ));
    }

    fn bar(&mut self, stretch: Stretch, class: &str, top: f64, height: f64, what: &str) {
        let (start, end) = stretch;
        let (x, y) = (self.x(start), self.y + top);
        let width = (self.x(end) - x).max(1.0);
        let length = number::show(Unit::Seconds, end.since(start).as_secs_f64());
        self.put(&format!(
            "<rect class=\"t {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"><title>{start} to {end} ({length}): {}</title></rect>",
            escaped(what)
        ));
    }

    fn bars(&mut self, spell: &Spell, class: &str, top: f64, height: f64, what: &str) {
        for stretch in spell.within(self.window) {
            self.bar(stretch, class, top, height, what);
        }
    }

    /// Counts per bin as a silhouette as high as the lane at `most`.
    fn counts(&mut self, bins: &[u32], most: u32, class: &str, what: &str) {
        if bins.iter().all(|count| *count == 0) {
            return;
        }
        let base = self.y + 24.0;
        let step = (RIGHT - LEFT) / BINS as f64;
        let mut path = format!("M{LEFT:.1} {base:.1}");
        let mut last = 0;
        for (i, count) in bins.iter().enumerate().filter(|(i, n)| *i == 0 || **n != bins[i - 1]) {
            let top = |n: u32| base - 20.0 * f64::from(n) / f64::from(most.max(1));
            let x = LEFT + step * i as f64;
            path.push_str(&format!("L{x:.1} {:.1}L{x:.1} {:.1}", top(last), top(*count)));
            last = *count;
        }
        let top = base - 20.0 * f64::from(last) / f64::from(most.max(1));
        path.push_str(&format!("L{RIGHT:.1} {top:.1}L{RIGHT:.1} {base:.1}Z"));
        self.put(&format!(
            "<path class=\"t {class}\" d=\"{path}\"><title>{}</title></path>",
            escaped(what)
        ));
    }

    fn steps(&mut self, lanes: &Lanes, roster: &Roster) {
        if lanes.steps.is_empty() {
            return;
        }
        self.label("failover, as it was said", "said");
        let mut last = f64::NEG_INFINITY;
        for (at, group, step) in &lanes.steps {
            let (x, y) = (self.x(*at), self.y + 17.0);
            let word = step_word(*step);
            let of = roster.groups.get(group.index()).map_or("", |group| group.name.as_str());
            self.put(&format!(
                "<rect class=\"t step\" x=\"{:.1}\" y=\"{:.1}\" width=\"2\" height=\"18\">\
                 <title>{at}: {word} ({})</title></rect>",
                x - 1.0,
                self.y + 4.0,
                escaped(of)
            ));
            // A word is drawn where it runs into no other one, nor out of the picture.
            let width = 6.0 * word.len() as f64;
            if x > last && x + width < WIDTH {
                self.put(&format!(
                    "<text class=\"said\" x=\"{:.1}\" y=\"{y:.1}\">{word}</text>",
                    x + 4.0
                ));
                last = x + width + 8.0;
            }
        }
        self.next();
    }

    fn region(&mut self, lanes: &Lanes, roster: &Roster, region: usize, incidents: &[Incident]) {
        let clients = lanes.clients.iter().filter(|lane| lane.region == region);
        let clients: Vec<_> =
            clients.flat_map(|lane| [("writes", &lane.writes), ("reads", &lane.reads)]).collect();
        let nodes: Vec<usize> = (0..roster.nodes.len())
            .filter(|n| roster.sites[roster.nodes[*n].site.index()].region.index() == region)
            .filter(|n| self.speaks(&lanes.nodes[*n]))
            .collect();
        let cuts = cuts(lanes, roster, region);
        if clients.is_empty() && nodes.is_empty() && cuts.is_empty() {
            return;
        }
        let y = self.y + 13.0;
        self.put(&format!(
            "<text class=\"region\" x=\"4\" y=\"{y:.1}\">{}</text><line class=\"rule\" \
             x1=\"0\" x2=\"{WIDTH}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            escaped(&roster.regions[region]),
            y + 4.0,
            y + 4.0
        ));
        self.y += 20.0;
        if cuts.keys().any(|(from, to)| *to > self.window.0 && *from < self.window.1) {
            self.label("links cut", "");
            for (stretch, peers) in &cuts {
                if stretch.1 > self.window.0 && stretch.0 < self.window.1 {
                    self.bar(*stretch, "cut", 9.0, 8.0, &format!("no way {}", peers.join(", ")));
                }
            }
            self.next();
        }
        for (kind, counts) in clients.into_iter().filter(|(_, counts)| !counts.is_empty()) {
            self.client_lane(lanes, kind, counts);
        }
        for node in nodes {
            self.node(lanes, roster, node, incidents);
        }
    }

    fn client_lane(&mut self, lanes: &Lanes, kind: &str, counts: &Counts) {
        let both = counts.ok.iter().zip(&counts.other).map(|(a, b)| a + b);
        let most = both.max().unwrap_or(1);
        let per_second = |n: u32| f64::from(n) / lanes.bin().as_secs_f64();
        let peak = |bins: &[u32]| {
            let most = bins.iter().copied().max().unwrap_or(0);
            number::show(Unit::PerSecond, per_second(most).round())
        };
        let word = if kind == "writes" { "acknowledged" } else { "answered" };
        self.label(&format!("{kind} ok, peak {}", peak(&counts.ok)), "");
        let sum = |bins: &[u32]| bins.iter().map(|n| u64::from(*n)).sum::<u64>();
        let what = format!(
            "{} {kind} {word} here, at most {}{}",
            number::show(Unit::Count, sum(&counts.ok) as f64),
            peak(&counts.ok),
            pause(lanes, &counts.ok)
        );
        self.counts(&counts.ok, most, "ok", &what);
        let what = format!(
            "{} {kind} here did not end ok, at most {}",
            number::show(Unit::Count, sum(&counts.other) as f64),
            peak(&counts.other)
        );
        self.counts(&counts.other, most, "not-ok", &what);
        self.next();
    }

    /// Nodes that nothing is to be told of would only make the picture long.
    fn speaks(&self, lane: &NodeLane) -> bool {
        let spells = [&lane.down, &lane.admits, &lane.claims, &lane.lease, &lane.fenced];
        lane.answers.iter().any(|n| *n > 0)
            || !lane.marks.is_empty()
            || lane.tallies.iter().any(|(at, ..)| *at >= self.window.0 && *at < self.window.1)
            || spells.into_iter().chain(lane.doubts.values()).any(|spell| self.visible(spell))
    }

    fn node(&mut self, lanes: &Lanes, roster: &Roster, node: usize, incidents: &[Incident]) {
        let lane = &lanes.nodes[node];
        let name = |node: NodeId| roster.nodes[node.index()].name.as_str();
        self.label(&roster.nodes[node].name, "");
        for incident in incidents {
            let mut sides = incident.winners.iter().chain(&incident.losers);
            if sides.any(|side| side.index() == node) {
                let both = Spell::of((incident.start, incident.end));
                self.bars(&both, "split", 0.0, 26.0, "split brain: two histories take writes");
            }
        }
        self.bars(&lane.admits, "admits", 10.0, 14.0, "admits writes");
        let most = lane.answers.iter().copied().max().unwrap_or(1);
        let sum: u64 = lane.answers.iter().map(|n| u64::from(*n)).sum();
        let what = format!("{} answers with success", number::show(Unit::Count, sum as f64));
        self.counts(&lane.answers, most, "answers", &what);
        self.bars(&lane.fenced, "fenced", 8.0, 16.0, "fenced: another has its right");
        self.bars(&lane.down, "down", 6.0, 18.0, "down");
        self.bars(&lane.claims, "claims", 2.0, 4.0, "says: I am primary, or lead");
        self.bars(&lane.lease, "lease", 7.0, 3.0, "says: I hold the lease");
        for (about, spell) in &lane.doubts {
            let what = format!("says: {} is unhealthy", name(*about));
            self.bars(spell, "doubt", 11.0, 6.0, &what);
        }
        self.tallies(lane, &name);
        for (at, letter, text) in &lane.marks {
            let (x, y) = (self.x(*at), self.y + 21.0);
            self.put(&format!(
                "<text class=\"t mark\" x=\"{x:.1}\" y=\"{y:.1}\">{letter}<title>{at}: \
                 {text}</title></text>"
            ));
        }
        self.next();
    }

    /// What whoever decides counts: how many checkers say unhealthy, as high as their share.
    fn tallies<'n>(&mut self, lane: &NodeLane, name: &impl Fn(NodeId) -> &'n str) {
        for (i, (at, about, unhealthy, of)) in lane.tallies.iter().enumerate() {
            let mut later = lane.tallies[i + 1..].iter().filter(|(_, other, ..)| other == about);
            let until = later.next().map_or(self.window.1, |(at, ..)| *at);
            if *unhealthy == 0 || until <= self.window.0 || *at >= self.window.1 {
                continue;
            }
            let height = (20.0 * f64::from(*unhealthy) / f64::from((*of).max(1))).max(2.0);
            let what =
                format!("counts: {unhealthy} of {of} say that {} is unhealthy", name(*about));
            self.bar((*at, until), "tally", 24.0 - height, height, &what);
        }
    }

    fn axis(&mut self) {
        let (from, to) = self.window;
        let length = to.since(from).as_nanos();
        for i in 0..=5u64 {
            let at = SimTime::from_nanos(from.as_nanos() + length / 5 * i);
            let x = self.x(at);
            let anchor = if i == 5 { "end" } else { "middle" };
            // Full seconds are enough, unless the whole picture shows few of them.
            let shown = if length >= 10_000_000_000 {
                at.to_string().split('.').next().unwrap_or_default().to_string()
            } else {
                at.to_string()
            };
            self.put(&format!(
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"4\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{:.1}\">{shown}</text>",
                self.y + 4.0,
                self.y + 18.0
            ));
        }
    }
}

/// The longest time without any, if it is worth a word.
fn pause(lanes: &Lanes, bins: &[u32]) -> String {
    let (mut best, mut run) = ((0, 0), 0);
    for (i, count) in bins.iter().enumerate() {
        run = if *count == 0 { run + 1 } else { 0 };
        if run > best.1 - best.0 {
            best = (i + 1 - run, i + 1);
        }
    }
    let at = |bin: usize| lanes.window.0 + lanes.bin().saturating_mul(bin as u64);
    match best.1 - best.0 {
        0..=2 => String::new(),
        _ => format!("; none from {} to {}", at(best.0), at(best.1)),
    }
}

/// When a region was cut off, and from whom: stretches with the names of the others.
fn cuts(lanes: &Lanes, roster: &Roster, region: usize) -> BTreeMap<Stretch, Vec<String>> {
    let home = |site: SiteId| roster.sites[site.index()].region.index();
    let mut found: BTreeMap<Stretch, BTreeMap<&str, (bool, bool)>> = BTreeMap::new();
    for ((from, to), spell) in &lanes.links {
        let (a, b) = (home(*from), home(*to));
        let peer = if a == region { b } else { a };
        if a != region && b != region {
            continue;
        }
        for stretch in &spell.stretches {
            let peers = found.entry(*stretch).or_default();
            let ways = peers.entry(&roster.regions[peer]).or_default();
            ways.0 |= a == region;
            ways.1 |= b == region;
        }
    }
    let told = |(peer, ways): (&str, (bool, bool))| match ways {
        (true, true) => format!("to and from {peer}"),
        (true, false) => format!("to {peer}"),
        _ => format!("from {peer}"),
    };
    found
        .into_iter()
        .map(|(stretch, peers)| (stretch, peers.into_iter().map(told).collect()))
        .collect()
}

/// `StopTraffic` is `stop traffic`: a lane has no room for the sentence of a trace.
pub fn step_word(step: FailoverStep) -> String {
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
        for said in ["no way to us-west", "says: db-us-east is unhealthy", "counts: 3 of 5 say"] {
            assert!(picture.contains(said), "{said}: {picture}");
        }
        // Lines close themselves; all others are closed by name.
        for tag in ["svg", "text", "title", "rect", "path"] {
            let opened = picture.matches(&format!("<{tag} ")).count()
                + picture.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, picture.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert_eq!(step_word(FailoverStep::StopTraffic), "stop traffic");
    }
}
