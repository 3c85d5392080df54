//! What happens thousands of times, folded into a line per interval.
//!
//! Bins of equal length; neighbours in which the same nodes did the same kind of thing are told
//! as one. What a reader must not miss (that much does not end ok) is told at least every ten bins.

use crate::model::fact::{Fact, OpKind, Outcome};
use crate::model::id::{ClientId, GroupId, NodeId, OpId};
use crate::report::number;
use crate::report::trace::words::{Words, kind_word};
use crate::sim::time::{SimTime, Span};
use std::collections::BTreeMap;

/// Who answered how, to an operation of what kind.
type Character = (GroupId, Outcome, Option<NodeId>, OpKind);

/// The most bins of one line that tells of trouble.
const LIMIT_BINS: u64 = 10;

/// From so many percent of all operations on something marks an interval.
const COMMON: u64 = 10;
/// Below so many percent it is a trickle.
const RARE: u64 = 3;

/// What happened within an interval.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// By character, and by population.
    ended: BTreeMap<Character, BTreeMap<ClientId, u64>>,
    /// Resolvers that now send a population to a node.
    routed: BTreeMap<(ClientId, GroupId, NodeId), u64>,
    /// How far each node's history goes: in memory, on disk.
    logs: BTreeMap<(GroupId, NodeId), (u64, u64)>,
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.routed.is_empty() && self.logs.is_empty()
    }
    /// The share of each character in all that ended, in percent.
    fn shares(&self) -> BTreeMap<&Character, u64> {
        let sum = |clients: &BTreeMap<ClientId, u64>| clients.values().sum::<u64>();
        let all: u64 = self.ended.values().map(sum).sum();
        self.ended.iter().map(|(c, clients)| (c, sum(clients) * 100 / all.max(1))).collect()
    }
    /// Nothing that is common here is rare there. A trickle makes no difference.
    fn alike(&self, other: &Counts) -> bool {
        let (here, there) = (self.shares(), other.shares());
        let of =
            |shares: &BTreeMap<&Character, u64>, c: &Character| shares.get(c).copied().unwrap_or(0);
        let differs = |c: &&Character| {
            let (a, b) = (of(&here, c), of(&there, c));
            a.max(b) >= COMMON && a.min(b) < RARE
        };
        !here.keys().chain(there.keys()).any(differs)
            && self.logs.keys().eq(other.logs.keys())
            && here.is_empty() == there.is_empty()
    }
    fn troubled(&self) -> bool {
        self.shares().iter().any(|((_, outcome, ..), n)| *outcome != Outcome::Ok && *n >= RARE)
    }
    fn absorb(&mut self, other: Counts) {
        for (character, clients) in other.ended {
            let sums = self.ended.entry(character).or_default();
            for (client, count) in clients {
                *sums.entry(client).or_default() += count;
            }
        }
        for (route, count) in other.routed {
            *self.routed.entry(route).or_default() += count;
        }
        self.logs.extend(other.logs);
    }
}

/// A line of folded facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folded {
    /// From when.
    pub from: SimTime,
    /// Until when.
    pub to: SimTime,
    /// What they are about: `client`, `route` or `disk`.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
}

/// Folds.
#[derive(Debug)]
pub struct Fold {
    bin: Span,
    /// Operations under way, to know what kind they are when they end.
    open: BTreeMap<OpId, (GroupId, OpKind)>,
    /// Where each resolver sends its clients.
    resolvers: BTreeMap<(ClientId, u32, GroupId), NodeId>,
    /// The lines not told yet begin here.
    from: SimTime,
    /// The bin that is being filled begins here.
    start: SimTime,
    run: Counts,
    now: Counts,
    ends: BTreeMap<(GroupId, NodeId), (u64, u64)>,
}

impl Fold {
    /// Bins of this length, which must not be zero.
    pub fn new(bin: Span) -> Fold {
        let (from, start) = (SimTime::ZERO, SimTime::ZERO);
        let (open, resolvers, ends) = Default::default();
        let (run, now) = Default::default();
        Fold { bin, open, resolvers, from, start, run, now, ends }
    }

    /// Counts a fact that is folded. Returns false for one that is a line of its own.
    pub fn add(&mut self, fact: &Fact) -> bool {
        match *fact {
            Fact::Invoked { op, group, kind, .. } => {
                self.open.insert(op, (group, kind));
            }
            Fact::Concluded { op, outcome, by } => {
                if let Some((group, kind)) = self.open.remove(&op) {
                    let counts = self.now.ended.entry((group, outcome, by, kind)).or_default();
                    *counts.entry(op.client()).or_default() += 1;
                }
            }
            Fact::Routed { client, resolver, group, node } => {
                if self.resolvers.insert((client, resolver, group), node) != Some(node) {
                    *self.now.routed.entry((client, group, node)).or_default() += 1;
                }
            }
            Fact::Held { node, group, upto } => self.log(group, node, Some(upto.index.0), None),
            Fact::Appended { node, group, at, .. } => {
                self.log(group, node, Some(at.index.0), None);
            }
            Fact::Durable { node, group, upto } => self.log(group, node, None, Some(upto.index.0)),
            Fact::Answered { .. }
            | Fact::Installed { .. }
            | Fact::Returned { .. }
            | Fact::Session { .. } => {}
            _ => return false,
        }
        true
    }

    /// Counts nothing, but knows what the operation will have been when it ends.
    pub fn remember(&mut self, fact: &Fact) {
        match *fact {
            Fact::Invoked { op, group, kind, .. } => {
                self.open.insert(op, (group, kind));
            }
            Fact::Concluded { op, .. } => {
                self.open.remove(&op);
            }
            Fact::Routed { client, resolver, group, node } => {
                self.resolvers.insert((client, resolver, group), node);
            }
            _ => {}
        }
    }

    fn log(&mut self, group: GroupId, node: NodeId, held: Option<u64>, durable: Option<u64>) {
        let ends = self.ends.entry((group, node)).or_default();
        ends.0 = held.unwrap_or(ends.0);
        ends.1 = durable.unwrap_or(ends.1);
        self.now.logs.insert((group, node), *ends);
    }

    /// Time has come this far: what is complete and can wait no longer is told.
    pub fn advance(&mut self, at: SimTime, words: Words<'_>, tell: &mut impl FnMut(Folded)) {
        while at.since(self.start) >= self.bin {
            let bin = std::mem::take(&mut self.now);
            if !self.run.is_empty() && !self.run.alike(&bin) {
                self.flush(words, tell);
            }
            if self.run.is_empty() {
                self.from = self.start;
            }
            self.run.absorb(bin);
            self.start = self.start + self.bin;
            let bins = self.start.since(self.from).as_nanos() / self.bin.as_nanos();
            if self.run.troubled() && bins >= LIMIT_BINS {
                self.flush(words, tell);
            }
            if self.run.is_empty() && self.now.is_empty() {
                // Nothing happened: go on to the bin of `at` at once.
                let ahead = at.since(self.start).as_nanos() / self.bin.as_nanos();
                self.start = self.start + self.bin.saturating_mul(ahead);
            }
        }
    }

    /// Tells what is complete, because something else is about to be told.
    pub fn flush(&mut self, words: Words<'_>, tell: &mut impl FnMut(Folded)) {
        let run = std::mem::take(&mut self.run);
        let (from, to) = (self.from, self.start);
        let mut line = |kind, text| tell(Folded { from, to, kind, text });
        for text in ended(&run, words) {
            line("client", text);
        }
        for ((client, group, node), count) in &run.routed {
            let there = |((c, _, g), n): (&(ClientId, u32, GroupId), &NodeId)| {
                c == client && g == group && n == node
            };
            let there = self.resolvers.iter().filter(|entry| there(*entry)).count();
            let (client, node) = (words.client(*client), words.node(*node));
            let what = if *count == 1 { "resolver goes" } else { "resolvers go" };
            line("route", format!("{client}: {count} {what} to {node} now ({there} so far)"));
        }
        let groups: std::collections::BTreeSet<GroupId> =
            run.logs.keys().map(|(group, _)| *group).collect();
        for group in groups {
            let ends = run.logs.iter().filter(|((g, _), _)| *g == group);
            let part = |((_, node), (held, durable)): (&(GroupId, NodeId), &(u64, u64))| {
                format!("{} holds {held}, {durable} on disk", words.node(*node))
            };
            let parts: Vec<String> = ends.map(part).collect();
            line("disk", format!("{}: {}", words.group(group), parts.join("; ")));
        }
    }

    /// Tells everything: the run is over.
    pub fn finish(&mut self, at: SimTime, words: Words<'_>, tell: &mut impl FnMut(Folded)) {
        self.advance(at, words, tell);
        let rest = std::mem::take(&mut self.now);
        if !self.run.is_empty() && !self.run.alike(&rest) {
            self.flush(words, tell);
        }
        if self.run.is_empty() {
            self.from = self.start;
        }
        self.run.absorb(rest);
        self.start = at;
        self.flush(words, tell);
    }
}

/// `orders: 40 writes acknowledged by db-us-east (us-east), 12 unknown (eu-west)`, a line per
/// store.
fn ended(counts: &Counts, words: Words<'_>) -> Vec<String> {
    let mut lines: Vec<(GroupId, Vec<String>)> = Vec::new();
    for ((group, outcome, by, kind), clients) in &counts.ended {
        let total: u64 = clients.values().sum();
        let mut regions: BTreeMap<&str, u64> = BTreeMap::new();
        for (client, count) in clients {
            *regions.entry(words.region_of(*client)).or_default() += count;
        }
        let regions: Vec<String> = match regions.len() {
            1 => regions.keys().map(|region| region.to_string()).collect(),
            _ => regions.iter().map(|(region, n)| format!("{region} {}", whole(*n))).collect(),
        };
        let what = match (outcome, kind, by) {
            (Outcome::Ok, OpKind::Write, _) => "acknowledged",
            (Outcome::Ok, OpKind::Read, _) => "answered",
            (Outcome::Fail, _, Some(_)) => "refused",
            (Outcome::Fail, _, None) => "failed",
            (Outcome::Unknown, _, _) => "unknown",
        };
        let plural = if total == 1 { "" } else { "s" };
        let by = by.map_or(String::new(), |by| format!(" by {}", words.node(by)));
        let (kind, total) = (kind_word(*kind), whole(total));
        let part = format!("{total} {kind}{plural} {what}{by} ({})", regions.join(", "));
        match lines.last_mut() {
            Some((last, parts)) if last == group => parts.push(part),
            _ => lines.push((*group, vec![part])),
        }
    }
    let join = |(group, parts): (GroupId, Vec<String>)| {
        format!("{}: {}", words.group(group), parts.join(", "))
    };
    lines.into_iter().map(join).collect()
}

fn whole(n: u64) -> String {
    number::show(crate::measure::Unit::Count, n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story_of_tests::{at, cast};

    /// Ten operations a second for `seconds`, that end as `outcome` says of their second.
    fn tell(seconds: u64, outcome: impl Fn(u64) -> (Outcome, Option<NodeId>)) -> Vec<Folded> {
        let roster = cast();
        let words = Words(&roster);
        let mut fold = Fold::new(Span::from_secs(1));
        let mut lines = Vec::new();
        for n in 0..seconds * 10 {
            let (op, group) = (OpId::new(ClientId((n % 2) as u16), n), GroupId(0));
            let (outcome, by) = outcome(n / 10);
            fold.advance(at(n * 100), words, &mut |line| lines.push(line));
            fold.add(&Fact::Invoked { op, group, kind: OpKind::Write, key: 0 });
            fold.add(&Fact::Concluded { op, outcome, by });
        }
        fold.finish(at(seconds * 1000), words, &mut |line| lines.push(line));
        lines
    }

    #[test]
    fn a_quiet_time_is_one_line() {
        let lines = tell(600, |_| (Outcome::Ok, Some(NodeId(0))));
        let text = "orders: 6,000 writes acknowledged by db-us-east (us-east 3,000, us-west 3,000)";
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].from, lines[0].to), (at(0), at(600_000)));
        assert_eq!(lines[0].text, text);
    }

    #[test]
    fn trouble_is_told_apart_and_nothing_is_lost() {
        let lines = tell(100, |second| match second {
            40..65 => (Outcome::Unknown, None),
            _ => (Outcome::Ok, Some(NodeId(u16::from(second >= 65)))),
        });
        let spans: Vec<(u64, u64)> = lines
            .iter()
            .map(|l| (l.from.as_nanos() / 1_000_000_000, l.to.as_nanos() / 1_000_000_000))
            .collect();
        assert_eq!(spans, [(0, 40), (40, 50), (50, 60), (60, 65), (65, 100)]);
        assert!(lines[1].text.contains("100 writes unknown"), "{}", lines[1].text);
        assert!(lines[4].text.contains("350 writes acknowledged by db-us-west"));
    }

    #[test]
    fn moving_resolvers_are_counted_once_each() {
        let roster = cast();
        let words = Words(&roster);
        let mut fold = Fold::new(Span::from_secs(1));
        let mut lines = Vec::new();
        let (client, group) = (ClientId(0), GroupId(0));
        for (resolver, node) in [(0, 0), (1, 0), (2, 0), (0, 0), (2, 1)] {
            fold.add(&Fact::Routed { client, resolver, group, node: NodeId(node) });
        }
        fold.finish(at(500), words, &mut |line| lines.push(line));
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let expected = [
            "east-web: 3 resolvers go to db-us-east now (2 so far)",
            "east-web: 1 resolver goes to db-us-west now (1 so far)",
        ];
        assert_eq!(texts, expected);
    }
}
