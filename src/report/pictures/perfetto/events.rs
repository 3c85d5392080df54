//! The events of the file: names, states, instants, flows, counters.

use super::Passage;
use crate::model::id::NodeId;
use crate::model::roster::Roster;
use crate::report::html::lanes::{Lanes, NodeLane};
use crate::report::html::{Spell, Stretch};
use crate::sim::time::{SimTime, Span};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long an instant looks, where nothing follows at once.
const INSTANT: u64 = 1_000;

/// Microseconds, as the format has them, to the nanosecond.
fn micros(nanos: u64) -> Value {
    let text = format!("{}.{:03}", nanos / 1_000, nanos % 1_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn at_micros(at: SimTime) -> Value {
    micros(at.as_nanos())
}

/// What a node was, in words, over time: stretches that touch and never overlap.
fn states(lane: &NodeLane, window: Stretch) -> Vec<(Stretch, &'static str)> {
    let kinds: [(&Spell, &'static str); 4] = [
        (&lane.down, "down"),
        (&lane.admits, "admits writes"),
        (&lane.fenced, "fenced"),
        (&lane.claims, "says it is primary, admits nothing"),
    ];
    let mut cuts: Vec<SimTime> = vec![window.0, window.1];
    let inside = |at: &SimTime| *at > window.0 && *at < window.1;
    for (spell, _) in &kinds {
        let ends = spell.stretches.iter().flat_map(|(from, to)| [*from, *to]);
        cuts.extend(ends.filter(inside));
    }
    cuts.sort();
    cuts.dedup();
    let is = |spell: &Spell, at: SimTime| {
        spell.stretches.iter().any(|(from, to)| *from <= at && at < *to)
    };
    let word = |at| kinds.iter().find(|(spell, _)| is(spell, at)).map(|(_, word)| *word);
    let pairs = cuts.windows(2).filter_map(|pair| Some(((pair[0], pair[1]), word(pair[0])?)));
    let mut all: Vec<(Stretch, &'static str)> = Vec::new();
    for ((from, to), word) in pairs {
        match all.last_mut() {
            Some(((_, end), same)) if *end == from && *same == word => *end = to,
            _ => all.push(((from, to), word)),
        }
    }
    all
}

/// The file being written.
pub(super) struct Events<'a> {
    roster: &'a Roster,
    window: Stretch,
    pub(super) events: Vec<Value>,
    ids: u64,
}

impl<'a> Events<'a> {
    /// None yet.
    pub(super) fn new(roster: &'a Roster, window: Stretch) -> Events<'a> {
        Events { roster, window, events: Vec::new(), ids: 0 }
    }

    /// The process and the thread of a node. Nothing has the number zero.
    fn place(&self, node: NodeId) -> (usize, usize) {
        let site = self.roster.nodes[node.index()].site;
        let region = self.roster.sites[site.index()].region.index();
        (region + 1, node.index() + 1)
    }

    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn names(&mut self) {
        let faults = self.roster.regions.len() + 1;
        let regions = self.roster.regions.iter().map(String::as_str).chain(["faults"]);
        for (i, name) in regions.enumerate() {
            self.events.push(json!({ "ph": "M", "name": "process_name", "pid": i + 1, "tid": 0, "args": { "name": name } }));
        }
        for (i, node) in self.roster.nodes.iter().enumerate() {
            let (pid, tid) = self.place(NodeId::of(i));
            self.events.push(json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": node.name } }));
        }
        for (i, fault) in self.roster.faults.iter().enumerate() {
            let name = format!("{} ({})", fault.name, fault.kind);
            self.events.push(json!({ "ph": "M", "name": "thread_name", "pid": faults, "tid": i + 1, "args": { "name": name } }));
        }
    }

    fn complete(&mut self, (pid, tid): (usize, usize), (from, to): Stretch, name: &str, cat: &str) {
        let (from, to) =
            (from.clamp(self.window.0, self.window.1), to.clamp(self.window.0, self.window.1));
        self.events.push(json!({
            "ph": "X", "name": name, "cat": cat, "pid": pid, "tid": tid,
            "ts": at_micros(from), "dur": micros(to.since(from).as_nanos()),
        }));
    }

    /// Something that may overlap with something else.
    fn spell(&mut self, node: NodeId, spell: &Spell, name: &str) {
        let (pid, tid) = self.place(node);
        for (from, to) in spell.within(self.window).collect::<Vec<_>>() {
            let id = format!("a{}", self.id());
            let ends = [("b", from.max(self.window.0)), ("e", to.min(self.window.1))];
            for (ph, at) in ends {
                self.events.push(json!({
                    "ph": ph, "name": name, "cat": "said", "id": id, "pid": pid, "tid": tid, "ts": at_micros(at),
                }));
            }
        }
    }

    pub(super) fn nodes(&mut self, lanes: &Lanes) {
        for (i, lane) in lanes.nodes.iter().enumerate() {
            let node = NodeId::of(i);
            for (stretch, word) in states(lane, self.window) {
                self.complete(self.place(node), stretch, word, "state");
            }
            self.spell(node, &lane.lease, "says: I hold the lease");
            for (about, spell) in &lane.doubts {
                let name = format!("says: {} is unhealthy", self.roster.nodes[about.index()].name);
                self.spell(node, spell, &name);
            }
            for (at, _, text) in &lane.marks {
                self.instant(*at, node, text);
            }
        }
        let faults = self.roster.regions.len() + 1;
        for (i, spell) in lanes.faults.iter().enumerate() {
            for stretch in spell.within(self.window).collect::<Vec<_>>() {
                self.complete((faults, i + 1), stretch, "fault", "fault");
            }
        }
    }

    pub(super) fn instant(&mut self, at: SimTime, node: NodeId, name: &str) {
        let (pid, tid) = self.place(node);
        self.events.push(json!({
            "ph": "i", "name": name, "cat": "moment", "s": "t", "pid": pid, "tid": tid, "ts": at_micros(at),
        }));
    }

    /// The instants of messages, each as long as nothing else begins on that node; and the flows.
    pub(super) fn messages(&mut self, passages: &[Passage], lanes: &Lanes) {
        let mut instants: BTreeMap<(NodeId, SimTime), (String, usize)> = BTreeMap::new();
        for Passage { sent, heard, from, to, word } in passages {
            for (node, at) in [(*from, *sent), (*to, *heard)] {
                instants.entry((node, at)).or_insert((word.clone(), 0)).1 += 1;
            }
        }
        let mut begins: BTreeSet<(NodeId, SimTime)> = instants.keys().copied().collect();
        for (i, lane) in lanes.nodes.iter().enumerate() {
            for ((from, to), _) in states(lane, self.window) {
                begins.extend([(NodeId::of(i), from), (NodeId::of(i), to)]);
            }
        }
        for ((node, at), (word, count)) in &instants {
            let after = (*node, SimTime::from_nanos(at.as_nanos() + 1));
            let next = begins.range(after..).next().filter(|(other, _)| other == node);
            let room = next.map_or(INSTANT, |(_, next)| next.since(*at).as_nanos());
            let until = at.saturating_add(Span::from_nanos(room.min(INSTANT)));
            let name =
                if *count == 1 { word.clone() } else { format!("{word} and {} more", count - 1) };
            self.complete(self.place(*node), (*at, until), &name, "message");
        }
        for passage in passages {
            let id = self.id();
            let ends = [("s", passage.from, passage.sent), ("f", passage.to, passage.heard)];
            for (ph, node, at) in ends {
                let (pid, tid) = self.place(node);
                let mut event = json!({
                    "ph": ph, "name": passage.word, "cat": "message", "id": id, "pid": pid, "tid": tid,
                    "ts": at_micros(at),
                });
                if ph == "f" {
                    // It ends in the instant that encloses it, not in the next one.
                    event["bp"] = json!("e");
                }
                self.events.push(event);
            }
        }
    }

    pub(super) fn counter(
        &mut self,
        at: SimTime,
        region: usize,
        name: &str,
        unit: &str,
        value: u64,
    ) {
        self.events.push(json!({
            "ph": "C", "name": name, "pid": region + 1, "ts": at_micros(at), "args": { unit: value },
        }));
    }
}
