//! A sequence diagram of one incident (Mermaid), short enough to paste into a document.
//!
//! Arrows are messages that were heard, the rare ones: opinions, orders, votes, fencing. Notes are
//! what happened, and the few things nodes say that explain it. The same arrow is drawn once.

use super::{Drawing, Scene, words};
use crate::model::fact::{Claim, Fact, FailoverStep, Observer};
use crate::model::id::{NodeId, ProcessId};
use crate::model::msg::{ControlMsg, Msg};
use crate::model::roster::Roster;
use crate::report::html::picture::step_word;
use crate::report::trace::Words;
use crate::sim::time::SimTime;
use std::collections::BTreeSet;

/// The most lines of a diagram, its participants not counted.
const LIMIT_LINES: usize = 40;

/// A line: how easily it is left out (the larger, the easier), when, who is in it, and its text.
struct Line {
    spare: u8,
    at: SimTime,
    who: Vec<NodeId>,
    text: String,
}

struct Sequence<'a> {
    words: Words<'a>,
    scene: Scene,
    lines: Vec<Line>,
    /// Arrows that were drawn.
    seen: BTreeSet<(NodeId, NodeId, String)>,
}

/// Begins.
pub fn begin(roster: &Roster, scene: Scene) -> Box<dyn Drawing + '_> {
    Box::new(Sequence { words: Words(roster), scene, lines: Vec::new(), seen: BTreeSet::new() })
}

impl Sequence<'_> {
    fn inside(&self, at: SimTime) -> bool {
        at >= self.scene.window.0 && at <= self.scene.window.1
    }
    fn note(&mut self, spare: u8, at: SimTime, who: Vec<NodeId>, text: String) {
        if self.inside(at) {
            self.lines.push(Line { spare, at, who, text: format!("Note over {{}}: {at} {text}") });
        }
    }
    fn home(&self, process: ProcessId) -> NodeId {
        self.words.0.processes[process.index()].node
    }
}

/// How easily a message is left out; nothing for those that are not drawn at all.
fn spare(msg: &Msg, kind: &str) -> Option<u8> {
    match msg {
        Msg::Control(_, ControlMsg::Hello { .. } | ControlMsg::Status { .. }) => None,
        Msg::Control(_, ControlMsg::Opinion { .. }) => Some(4),
        Msg::Control(..) | Msg::Fence(..) => Some(2),
        Msg::Raft(..) | Msg::Member(..) | Msg::Council(..) if kind.contains("vote") => Some(3),
        _ => None,
    }
}

impl Observer for Sequence<'_> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        let name = |fault| self.words.fault(fault);
        match *fact {
            Fact::Onset { fault } => {
                self.note(0, at, vec![], format!("FAULT {} begins", name(fault)))
            }
            Fact::Cleared { fault } => {
                self.note(0, at, vec![], format!("fault {} is over", name(fault)));
            }
            Fact::Admits { node, yes, .. } => {
                let word = if yes { "admits writes" } else { "admits no writes" };
                self.note(1, at, vec![node], word.to_string());
            }
            Fact::Authorised { group, holder, token } => {
                let text =
                    format!("may be primary of {}, token {}", self.words.group(group), token.0);
                self.note(1, at, vec![holder], text);
            }
            Fact::Withdrawn { holder, .. } => {
                self.note(2, at, vec![holder], "is to be primary no longer".to_string());
            }
            Fact::Down { node, paused, .. } => {
                let word = if paused { "is frozen" } else { "is down" };
                self.note(3, at, vec![node], word.to_string());
            }
            Fact::Wiped { node, .. } => self.note(1, at, vec![node], "lost its disk".to_string()),
            Fact::Truncated { node, .. } => {
                self.note(2, at, vec![node], "cuts its history back".to_string());
            }
            _ => {}
        }
    }

    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        let (spare, text) = match *claim {
            Claim::LeaseHeld(..) => (3, "says: I hold the lease".to_string()),
            Claim::LeaseLost(..) => (2, "says: I hold the lease no longer".to_string()),
            Claim::Fenced(..) => (1, "met a newer token: fenced".to_string()),
            Claim::Candidate(..) => (2, "stands for election".to_string()),
            Claim::Step(_, FailoverStep::StopTraffic | FailoverStep::Drain) => return,
            Claim::Step(_, step) => (2, format!("says: failover, {}", step_word(step))),
            _ => return,
        };
        // What a node merely repeats is not told again.
        let repeats = self.lines.iter().rev().find(|line| line.who == [by] && line.spare == spare);
        if !repeats.is_some_and(|line| line.text.ends_with(&text)) {
            self.note(spare, at, vec![by], text);
        }
    }

    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        // Most messages are of operations: those are not even put into words.
        if matches!(msg, Msg::Client(_) | Msg::Peer(..) | Msg::Keyed(..) | Msg::Probe(_)) {
            return;
        }
        let (a, b) = (self.home(from), self.home(to));
        if a == b || !self.inside(at) {
            return;
        }
        let (_, kind) = words(msg);
        let Some(spare) = spare(msg, &kind) else { return };
        let kind = match msg {
            Msg::Control(_, ControlMsg::Opinion { healthy, .. }) => {
                if *healthy {
                    "healthy".to_string()
                } else {
                    "unhealthy".to_string()
                }
            }
            _ => kind,
        };
        if self.seen.insert((a, b, kind.clone())) {
            self.lines.push(Line {
                spare,
                at,
                who: vec![a, b],
                text: format!("{{}}: {at} {kind}"),
            });
        }
    }
}

impl Drawing for Sequence<'_> {
    fn text(mut self: Box<Self>) -> String {
        for incident in std::mem::take(&mut self.scene.incidents) {
            let sides = incident.winners.iter().chain(&incident.losers).copied().collect();
            let text = "SPLIT BRAIN: two histories take writes".to_string();
            self.note(0, incident.start, sides, text);
        }
        let (mut lines, words) = (self.lines, self.words);
        lines.sort_by_key(|line| line.at);
        let all = lines.len();
        while lines.len() > LIMIT_LINES {
            let most = lines.iter().map(|line| line.spare).max().unwrap_or(0);
            let Some(at) = lines.iter().rposition(|line| line.spare == most) else { break };
            lines.remove(at);
        }
        let mut who: Vec<NodeId> = lines.iter().flat_map(|line| line.who.clone()).collect();
        who.sort();
        who.dedup();
        let mut out = String::from("sequenceDiagram\n");
        for node in &who {
            out.push_str(&format!("    participant n{} as {}\n", node.0, plain(words.node(*node))));
        }
        let title = plain(&self.scene.title);
        let (Some(first), Some(last)) = (who.first(), who.last()) else {
            return format!(
                "{out}    participant n as {title}\n    Note over n: nothing happened\n"
            );
        };
        out.push_str(&format!("    Note over n{},n{}: {title}\n", first.0, last.0));
        for line in &lines {
            let place = match line.who.as_slice() {
                [a, b] if line.text.starts_with("{}") => format!("n{}->>n{}", a.0, b.0),
                [node] => format!("n{}", node.0),
                sides => {
                    let low = sides.iter().min().unwrap_or(first);
                    let high = sides.iter().max().unwrap_or(last);
                    format!("n{},n{}", low.0, high.0)
                }
            };
            out.push_str(&format!("    {}\n", plain(&line.text.replacen("{}", &place, 1))));
        }
        if all > lines.len() {
            let more = all - lines.len();
            let ends = format!("n{},n{}", first.0, last.0);
            out.push_str(&format!("    Note over {ends}: {more} more lines are left out\n"));
        }
        out
    }
}

/// Without the signs that mean something to Mermaid.
fn plain(text: &str) -> String {
    text.replace(';', ",").replace('#', "no. ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{FaultId, GroupId};
    use crate::report::story_of_tests::{at, cast};

    fn told(lines: u64) -> String {
        let roster = cast();
        let window = (at(0), at(1_000_000));
        let scene = Scene { title: "cut; #7".into(), window, incidents: vec![] };
        let mut drawing = begin(&roster, scene);
        drawing.on_fact(at(1_000), &Fact::Onset { fault: FaultId(0) });
        let opinion = ControlMsg::Opinion { node: NodeId(0), healthy: false, seq: 1 };
        for _ in 0..2 {
            drawing.on_heard(
                at(2_000),
                ProcessId(2),
                ProcessId(0),
                &Msg::Control(GroupId(0), opinion),
            );
        }
        for n in 0..lines {
            let yes = n % 2 == 1;
            drawing
                .on_fact(at(3_000 + n), &Fact::Admits { node: NodeId(0), group: GroupId(0), yes });
        }
        drawing.text()
    }

    #[test]
    fn a_short_incident_reads_like_this() {
        let expected = "\
sequenceDiagram
    participant n0 as db-us-east
    participant n2 as checker-us-west
    Note over n0,n2: cut, no. 7
    Note over n0,n2: 00:01.000 FAULT cut (partition) begins
    n2->>n0: 00:02.000 unhealthy
    Note over n0: 00:03.000 admits no writes
";
        assert_eq!(told(1), expected);
    }

    #[test]
    fn a_long_one_loses_what_explains_least_and_says_so() {
        let long = told(100);
        assert!(!long.contains("unhealthy"), "{long}");
        assert!(
            long.contains("FAULT cut") && long.ends_with("62 more lines are left out\n"),
            "{long}"
        );
    }
}
