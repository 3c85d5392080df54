//! Chrome's trace format, as Perfetto and `chrome://tracing` read it ("Trace Event Format", Google).
//!
//! A process is a region, a thread is a node. Complete events (`X`) of a thread nest: below, what the
//! node was; above, the instants at which it sent or heard something. What may overlap (a lease that
//! is said to be held, a doubt) is a pair of asynchronous events (`b`, `e`). A message is a flow
//! (`s`, `f`) from the instant it was sent to the one it was heard; one that was not heard has none.
//! Counters (`C`) are the lag of each standby and the writes acknowledged each second by region.

mod events;

use super::{Drawing, Scene, words};
use crate::model::fact::{Claim, Fact, Observer, OpKind, Outcome};
use crate::model::id::{GroupId, LogIndex, NodeId, OpId, ProcessId};
use crate::model::msg::Msg;
use crate::model::roster::Roster;
use crate::report::html::lanes::Lanes;
use crate::report::html::picture::step_word;
use crate::sim::time::{SimTime, Span};
use events::Events;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The most messages that are drawn; of those of clients and of replication, which are many, the
/// first so many, of all others as many again.
const LIMIT_MESSAGES: usize = 40_000;
/// The most messages between two processes that may still arrive.
const LIMIT_UNDER_WAY: usize = 4_096;
/// How often a lag is told at most.
const LAG_EVERY: Span = Span::from_millis(100);

/// A message that was heard.
struct Passage {
    sent: SimTime,
    heard: SimTime,
    from: NodeId,
    to: NodeId,
    word: String,
}

struct Perfetto<'a> {
    roster: &'a Roster,
    scene: Scene,
    lanes: Lanes,
    under_way: BTreeMap<(ProcessId, ProcessId), VecDeque<(SimTime, Msg)>>,
    passages: Vec<Passage>,
    /// How many are drawn of the frequent ones and of the others, and how many are not.
    drawn: [usize; 2],
    left_out: u64,
    /// What a node said that is worth an instant.
    said: Vec<(SimTime, NodeId, String)>,
    writing: BTreeSet<OpId>,
    /// Writes acknowledged, by second and region.
    acknowledged: BTreeMap<(u64, usize), u64>,
    /// The ends of histories: the longest of a store, and on each disk.
    longest: BTreeMap<GroupId, LogIndex>,
    durable: BTreeMap<(GroupId, NodeId), LogIndex>,
    lags: Vec<(SimTime, GroupId, NodeId, u64)>,
    next_lag: SimTime,
}

/// Begins.
pub fn begin(roster: &Roster, scene: Scene) -> Box<dyn Drawing + '_> {
    let lanes = Lanes::new(roster, scene.window);
    let next_lag = scene.window.0;
    Box::new(Perfetto {
        roster,
        scene,
        lanes,
        under_way: BTreeMap::new(),
        passages: Vec::new(),
        drawn: [0, 0],
        left_out: 0,
        said: Vec::new(),
        writing: BTreeSet::new(),
        acknowledged: BTreeMap::new(),
        longest: BTreeMap::new(),
        durable: BTreeMap::new(),
        lags: Vec::new(),
        next_lag,
    })
}

impl Perfetto<'_> {
    fn inside(&self, at: SimTime) -> bool {
        at >= self.scene.window.0 && at <= self.scene.window.1
    }

    fn home(&self, process: ProcessId) -> NodeId {
        self.roster.processes[process.index()].node
    }

    fn region(&self, node: NodeId) -> usize {
        let site = self.roster.nodes[node.index()].site;
        self.roster.sites[site.index()].region.index()
    }

    fn grows(&mut self, group: GroupId, upto: LogIndex) {
        let longest = self.longest.entry(group).or_default();
        *longest = upto.max(*longest);
    }

    /// Tells the lags, now and then.
    fn tell_lags(&mut self, at: SimTime) {
        if !self.inside(at) || at < self.next_lag {
            return;
        }
        self.next_lag = at + LAG_EVERY;
        for (i, group) in self.roster.groups.iter().enumerate().filter(|(_, g)| g.is_store) {
            let group_id = GroupId::of(i);
            let Some(longest) = self.longest.get(&group_id) else { continue };
            for node in &group.members {
                let disk = self.durable.get(&(group_id, *node)).copied().unwrap_or_default();
                self.lags.push((at, group_id, *node, longest.0.saturating_sub(disk.0)));
            }
        }
    }
}

impl Observer for Perfetto<'_> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.lanes.on_fact(at, fact);
        match *fact {
            Fact::Invoked { op, kind: OpKind::Write, .. } => {
                self.writing.insert(op);
            }
            Fact::Concluded { op, outcome, .. } => {
                let wrote = self.writing.remove(&op);
                if wrote && outcome == Outcome::Ok && self.inside(at) {
                    let second = at.since(SimTime::ZERO).as_nanos() / 1_000_000_000;
                    let region = self.roster.clients[op.client().index()].region.index();
                    *self.acknowledged.entry((second, region)).or_default() += 1;
                }
            }
            Fact::Appended { group, at: place, .. } => self.grows(group, place.index),
            Fact::Durable { node, group, upto } => {
                self.durable.insert((group, node), upto.index);
            }
            Fact::Truncated { node, group, to } => {
                self.durable.insert((group, node), to.index);
            }
            Fact::Wiped { node, group } => {
                self.durable.insert((group, node), LogIndex::default());
            }
            _ => {}
        }
        self.tell_lags(at);
    }

    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.lanes.on_claim(at, by, claim);
        if let Claim::Step(_, step) = *claim
            && self.inside(at)
        {
            self.said.push((at, by, format!("failover: {}", step_word(step))));
        }
    }

    fn on_sent(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        if !self.inside(at) || self.home(from) == self.home(to) {
            return;
        }
        let line = self.under_way.entry((from, to)).or_default();
        line.push_back((at, *msg));
        if line.len() > LIMIT_UNDER_WAY {
            line.pop_front();
        }
    }

    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        let Some(line) = self.under_way.get_mut(&(from, to)) else { return };
        let Some(place) = line.iter().position(|(_, other)| other == msg) else { return };
        let Some((sent, _)) = line.remove(place) else { return };
        if !self.inside(at) {
            return;
        }
        let frequent = matches!(msg, Msg::Client(_) | Msg::Peer(..) | Msg::Keyed(..));
        let drawn = &mut self.drawn[usize::from(frequent)];
        if *drawn >= LIMIT_MESSAGES {
            self.left_out += 1;
            return;
        }
        *drawn += 1;
        let (family, kind) = words(msg);
        let (from, to) = (self.home(from), self.home(to));
        self.passages.push(Passage {
            sent,
            heard: at,
            from,
            to,
            word: format!("{family}: {kind}"),
        });
    }
}

impl Drawing for Perfetto<'_> {
    fn text(self: Box<Self>) -> String {
        let (roster, window) = (self.roster, self.scene.window);
        let mut out = Events::new(roster, window);
        out.names();
        let seconds = |at: SimTime| at.since(SimTime::ZERO).as_nanos() / 1_000_000_000;
        for region in self.lanes.clients.iter().map(|lane| lane.region) {
            for second in seconds(window.0)..=seconds(window.1) {
                let at = SimTime::from_nanos(second * 1_000_000_000).max(window.0);
                let count = self.acknowledged.get(&(second, region)).copied().unwrap_or(0);
                out.counter(at, region, "writes acknowledged", "per second", count);
            }
        }
        for (at, group, node, lag) in &self.lags {
            let name = format!(
                "lag of {} ({})",
                roster.nodes[node.index()].name,
                roster.groups[group.index()].name
            );
            out.counter(*at, self.region(*node), &name, "entries", *lag);
        }
        let lanes = self.lanes.close();
        out.nodes(&lanes);
        self.said.iter().for_each(|(at, by, word)| out.instant(*at, *by, word));
        out.messages(&self.passages, &lanes);
        let mut text = format!(
            "{{\"displayTimeUnit\":\"ms\",\"otherData\":{},\"traceEvents\":[\n",
            json!({ "title": self.scene.title, "messages_left_out": self.left_out })
        );
        for (i, event) in out.events.iter().enumerate() {
            let comma = if i + 1 < out.events.len() { "," } else { "" };
            text.push_str(&format!("{event}{comma}\n"));
        }
        text.push_str("]}\n");
        text
    }
}
