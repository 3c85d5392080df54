//! The dumb twin: keeps every fact and works loss, RPO and incidents out by brute force, from
//! whole lists of entries and all pairs of answers.

use crate::story::{A, ORDERS};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::model::id::{NodeId, OpId, Position, Segment};
use regionsim::sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

type Line = Vec<(Position, OpId)>;

#[derive(Debug, Default, PartialEq)]
pub struct Judged {
    pub lost: u64,
    pub lag: u64,
    pub stranded: u64,
    pub unflushed: u64,
    pub unacked_survived: u64,
    pub doubled: u64,
    pub doubled_acknowledged: u64,
    pub time: f64,
    pub at_onset: f64,
    pub incidents: u64,
    pub incident_time: f64,
}

struct Answer {
    turn: usize,
    at: SimTime,
    node: NodeId,
    op: OpId,
    place: Position,
}

#[derive(Default)]
pub struct Naive {
    turn: usize,
    /// The whole history up to each entry ever written.
    lines: BTreeMap<Position, Line>,
    began: Vec<(Segment, NodeId, SimTime, Position)>,
    appended: BTreeMap<OpId, Vec<Position>>,
    answers: Vec<Answer>,
    outcomes: BTreeMap<OpId, (Outcome, SimTime)>,
    on_disk: BTreeSet<Position>,
    hits: Vec<(NodeId, SimTime)>,
    memory: BTreeMap<NodeId, Position>,
    settling: bool,
    last_answer: Option<NodeId>,
}

impl Naive {
    pub fn on_fact(&mut self, now: SimTime, fact: &Fact) {
        self.turn += 1;
        match *fact {
            Fact::Began { node, group: ORDERS, segment, from } => {
                self.began.push((segment, node, now, from));
                self.memory.insert(node, from);
            }
            Fact::Appended { node, op, at, .. } => {
                let mut line = self.line(self.memory[&node]);
                line.push((at, op));
                self.lines.insert(at, line);
                self.memory.insert(node, at);
                self.appended.entry(op).or_default().push(at);
            }
            Fact::Held { node, upto, .. } | Fact::Truncated { node, to: upto, .. } => {
                self.memory.insert(node, upto);
            }
            Fact::Durable { upto, .. } => {
                let line = self.line(upto);
                self.on_disk.extend(line.iter().map(|(place, _)| *place));
            }
            Fact::Answered { node, op, at: place, .. } => {
                self.answers.push(Answer { turn: self.turn, at: now, node, op, place });
            }
            Fact::Concluded { op, outcome, by } => {
                self.outcomes.insert(op, (outcome, now));
                if self.settling && outcome == Outcome::Ok {
                    self.last_answer = by;
                }
            }
            Fact::Hit { node, .. } => self.hits.push((node, now)),
            Fact::Settling => self.settling = true,
            _ => {}
        }
    }

    fn line(&self, upto: Position) -> Line {
        self.lines.get(&upto).cloned().unwrap_or_default()
    }

    pub fn judge(&self) -> Judged {
        let survivor = self.line(self.memory[&self.last_answer.unwrap_or(A)]);
        let mut judged = Judged::default();
        let mut depositions: BTreeMap<_, Vec<(SimTime, SimTime, bool)>> = BTreeMap::new();
        for (op, (outcome, ended)) in &self.outcomes {
            let effects = survivor.iter().filter(|(_, other)| other == op).count();
            let survived = effects > 0;
            judged.doubled += u64::from(effects > 1);
            judged.doubled_acknowledged += u64::from(effects > 1 && *outcome == Outcome::Ok);
            if *outcome != Outcome::Ok {
                judged.unacked_survived += u64::from(survived);
                continue;
            }
            if survived {
                continue;
            }
            judged.lost += 1;
            // The last answer before the client knew.
            let before = self.answers.iter().filter(|a| a.op == *op && a.at <= *ended);
            let answer = before.max_by_key(|a| a.turn).unwrap();
            let writer = answer.place.segment.node();
            let deposed = self.deposed(&survivor, answer.place);
            let before = |at: SimTime| deposed.is_none_or(|(_, deposed)| at <= deposed);
            let hits = self.hits.iter().filter(|(node, at)| *node == writer && before(*at));
            let hit = hits.map(|(_, at)| *at).max();
            let onset = hit.or(deposed.map(|d| d.1)).unwrap_or(SimTime::ZERO);
            let lag = if !self.on_disk.contains(&answer.place) {
                judged.unflushed += 1;
                false
            } else if answer.at >= onset {
                judged.stranded += 1;
                false
            } else {
                judged.lag += 1;
                true
            };
            depositions.entry((writer, deposed)).or_default().push((answer.at, onset, lag));
        }
        for lost in depositions.values() {
            let first = lost.iter().map(|l| l.0).min().unwrap();
            let last = lost.iter().map(|l| l.0).max().unwrap();
            let onset = lost[0].1;
            judged.time = judged.time.max(onset.max(last).since(first).as_secs_f64());
            let lag = lost.iter().filter(|l| l.2).map(|l| l.0).min().unwrap_or(onset);
            judged.at_onset = judged.at_onset.max(onset.since(lag).as_secs_f64());
        }
        self.incidents(&survivor, &mut judged);
        judged
    }

    /// The survivor's first segment past what it shares with the history up to a lost entry that
    /// began later than the entry's own, and when.
    fn deposed(&self, survivor: &Line, place: Position) -> Option<(Segment, SimTime)> {
        let line = self.line(place);
        let shared = survivor.iter().zip(&line).take_while(|(a, b)| a == b).count();
        let turn = |segment| self.began.iter().position(|b| b.0 == segment).unwrap();
        let rest = survivor[shared..].iter().map(|(place, _)| turn(place.segment));
        let deposer = rest.filter(|t| *t > turn(place.segment)).min()?;
        Some((self.began[deposer].0, self.began[deposer].2))
    }

    fn conflict(&self, a: Position, b: Position) -> bool {
        let (a, b) = (self.line(a), self.line(b));
        a.iter().zip(&b).any(|(x, y)| x != y)
    }

    fn incidents(&self, survivor: &Line, judged: &mut Judged) {
        let mut spans = Vec::new();
        for (n, new) in self.began.iter().enumerate() {
            for old in &self.began[..n] {
                let of = |s: Segment| self.answers.iter().filter(move |a| a.place.segment == s);
                let Some(first) = of(new.0).next() else { continue };
                let late: Vec<&Answer> = of(old.0)
                    .filter(|a| a.turn > first.turn && a.node != new.1)
                    .filter(|a| of(new.0).any(|b| self.conflict(a.place, b.place)))
                    .collect();
                let Some(last) = late.last() else { continue };
                // The old side won where something only it had survived.
                let new_line = self.line(first.place);
                let new_won = !survivor
                    .iter()
                    .any(|entry| entry.0.segment == old.0 && !new_line.contains(entry));
                let end = if new_won { last.at } else { of(new.0).next_back().unwrap().at };
                spans.push((first.at, end));
            }
        }
        spans.sort_unstable();
        let mut joined: Vec<(SimTime, SimTime)> = Vec::new();
        for (start, end) in spans {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        judged.incidents = joined.len() as u64;
        judged.incident_time = joined.iter().map(|(a, b)| b.since(*a).as_secs_f64()).sum();
    }
}
