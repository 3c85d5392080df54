//! One observation in words, and as JSON.

use crate::model::fact::{Claim, Fact, FailoverStep, OpKind, Outcome, ReturnStep};
use crate::model::id::{
    ClientId, FaultId, GroupId, NodeId, OpId, Position, ProcessId, SiteId, Version,
};
use crate::model::roster::Roster;
use crate::report::parts::{Shown, claims, facts};
use crate::report::recorder::Told;
use crate::report::trace::filter::Kind;
use crate::sim::time::SimTime;
use serde_json::{Map, Value, json};

/// Says names for numbers.
#[derive(Clone, Copy)]
pub struct Words<'a>(pub &'a Roster);

impl Words<'_> {
    /// A node's name.
    pub fn node(&self, node: NodeId) -> &str {
        self.0.nodes.get(node.index()).map_or("?", |node| &node.name)
    }
    /// A store's or service's name.
    pub fn group(&self, group: GroupId) -> &str {
        self.0.groups.get(group.index()).map_or("?", |group| &group.name)
    }
    /// A population's name.
    pub fn client(&self, client: ClientId) -> &str {
        self.0.clients.get(client.index()).map_or("?", |client| &client.name)
    }
    /// A site's name.
    pub fn site(&self, site: SiteId) -> &str {
        self.0.sites.get(site.index()).map_or("?", |site| &site.name)
    }
    /// The region of a population.
    pub fn region_of(&self, client: ClientId) -> &str {
        let region = self.0.clients.get(client.index()).map(|client| client.region);
        region.and_then(|r| self.0.regions.get(r.index())).map_or("?", String::as_str)
    }
    /// A fault's name and kind.
    pub fn fault(&self, fault: FaultId) -> String {
        let fault = self.0.faults.get(fault.index());
        fault.map_or("?".to_string(), |fault| format!("{} ({})", fault.name, fault.kind))
    }
    fn process(&self, node: NodeId, process: ProcessId) -> String {
        let role = self.0.processes.get(process.index()).map_or("process", |p| p.role);
        format!("{role} on {}", self.node(node))
    }
    fn op(&self, op: OpId) -> String {
        format!("{} operation {}", self.client(op.client()), op.seq())
    }
    fn version(&self, version: Version) -> String {
        match version.is_some() {
            true => format!("what {} wrote, stamped {}", self.op(version.op), version.stamp),
            false => "nothing".to_string(),
        }
    }
    fn place(&self, at: Position) -> String {
        let (term, by) = (at.segment.term().0, self.node(at.segment.node()));
        format!("entry {} (term {term} of {by})", at.index.0)
    }

    /// What happened, or what a node said, in a sentence.
    pub fn sentence(&self, told: &Told) -> String {
        match told {
            Told::Fact(fact) => self.fact(fact),
            Told::Claim(by, Claim::Rejoining(group, node)) if by == node => {
                let (by, group) = (self.node(*by), self.group(*group));
                format!("{by} said: I rewind {group} and follow its new primary")
            }
            Told::Claim(by, claim) => format!("{} said: {}", self.node(*by), self.claim(claim)),
        }
    }

    fn fact(&self, fact: &Fact) -> String {
        match *fact {
            Fact::Invoked { op, group, kind, key } => {
                let kind = kind_word(kind);
                format!("{} begins: {kind} key {key} of {}", self.op(op), self.group(group))
            }
            Fact::Concluded { op, outcome, by } => {
                let by = by.map_or(String::new(), |by| format!(", answered by {}", self.node(by)));
                format!("{} ends {}{by}", self.op(op), outcome_word(outcome))
            }
            Fact::Answered { node, group, op, outcome, at } => {
                let (op, place) = (self.op(op), self.place(at));
                let outcome = outcome_word(outcome);
                format!(
                    "{} answers {op} of {}: {outcome}, at {place}",
                    self.node(node),
                    self.group(group)
                )
            }
            Fact::Appended { node, group, op, at } => {
                let (op, place) = (self.op(op), self.place(at));
                format!("{} appends {op} to {} as {place}", self.node(node), self.group(group))
            }
            Fact::Began { node, group, segment, from } => {
                let (term, index) = (segment.term().0, from.index.0);
                let (node, group) = (self.node(node), self.group(group));
                format!("{node} begins to write {group} in term {term}, after entry {index}")
            }
            Fact::Held { node, group, upto } => {
                let place = self.place(upto);
                format!("{} holds {} up to {place}", self.node(node), self.group(group))
            }
            Fact::Durable { node, group, upto } => {
                let place = self.place(upto);
                format!("{} has {} on disk up to {place}", self.node(node), self.group(group))
            }
            Fact::Truncated { node, group, to } => {
                let (node, group) = (self.node(node), self.group(group));
                format!("{node} cuts its history of {group} back to entry {}", to.index.0)
            }
            Fact::Wiped { node, group } => {
                format!("{} lost its disk: all of {}", self.node(node), self.group(group))
            }
            Fact::Admits { node, group, yes } => {
                let (node, group) = (self.node(node), self.group(group));
                let is_store = self.0.groups.iter().any(|g| g.name == group && g.is_store);
                match (is_store, yes) {
                    (true, true) => format!("{node} admits writes to {group} from now on"),
                    (true, false) => format!("{node} no longer admits writes to {group}"),
                    (false, true) => format!("{node} leads {group} from now on"),
                    (false, false) => format!("{node} no longer leads {group}"),
                }
            }
            _ => self.circumstance(fact),
        }
    }

    /// Versions, authority, routing and environment.
    fn circumstance(&self, fact: &Fact) -> String {
        match *fact {
            Fact::Installed { node, group, key, version } => {
                let (node, group) = (self.node(node), self.group(group));
                format!("{node} takes into key {key} of {group} {}", self.version(version))
            }
            Fact::Reverted { node, group, key, version } => {
                let (node, group) = (self.node(node), self.group(group));
                format!("{node} has of key {key} of {group} only {}", self.version(version))
            }
            Fact::Returned { node, op, version, .. } => {
                format!("{} reads for {}: {}", self.node(node), self.op(op), self.version(version))
            }
            Fact::Session { op, user } => format!("{} is that of user {user}", self.op(op)),
            Fact::Rule { node, group, acks } => {
                let (node, group) = (self.node(node), self.group(group));
                format!(
                    "{node} now waits for {acks} other nodes before it answers a write to {group}"
                )
            }
            Fact::Authorised { group, holder, token } => {
                let (holder, group) = (self.node(holder), self.group(group));
                format!("{holder} may be primary of {group}, with token {}", token.0)
            }
            Fact::Ordered { group } => format!("an operator acts on {}", self.group(group)),
            Fact::Withdrawn { group, holder } => {
                format!("{} is to be primary of {} no longer", self.node(holder), self.group(group))
            }
            Fact::Routed { client, resolver, group, node } => {
                let (client, group) = (self.client(client), self.group(group));
                format!("resolver {resolver} of {client} now sends {group} to {}", self.node(node))
            }
            Fact::Down { node, process, paused } => {
                let how = if paused { "is frozen" } else { "is down" };
                format!("{} {how}", self.process(node, process))
            }
            Fact::Up { node, process } => format!("{} runs again", self.process(node, process)),
            Fact::Link { from, to, up } => {
                let what = if up { "restored" } else { "cut" };
                format!("link {what}: {} → {}", self.site(from), self.site(to))
            }
            Fact::Onset { fault } => format!("FAULT {} begins", self.fault(fault)),
            Fact::Hit { fault, node } => {
                format!("fault {} touches {}", self.fault(fault), self.node(node))
            }
            Fact::Ails { node, yes } => {
                let what = if yes { "runs, and serves badly" } else { "serves well again" };
                format!("{} {what}", self.node(node))
            }
            Fact::Cleared { fault } => format!("fault {} is over", self.fault(fault)),
            _ => "the storm is over: nothing begins from now on".to_string(),
        }
    }

    fn claim(&self, claim: &Claim) -> String {
        match *claim {
            Claim::Primary(group, term) => {
                format!("I am primary of {}, term {}", self.group(group), term.0)
            }
            Claim::SteppedDown(group, term) => {
                format!("I am primary of {} no longer, term {}", self.group(group), term.0)
            }
            Claim::Opinion { node, healthy, streak } => {
                let what = if healthy { "success" } else { "failure" };
                let opinion = if healthy { "healthy" } else { "unhealthy" };
                format!("{} {what} of {}: {opinion}", ordinal(streak), self.node(node))
            }
            Claim::Tally { node, unhealthy, of } => {
                format!("{unhealthy} of {of} say {} is unhealthy", self.node(node))
            }
            Claim::Step(group, step) => {
                format!("failover of {}: {}", self.group(group), self.step(step))
            }
            Claim::Failed(group, step) => {
                format!("failover of {}: failed, {}", self.group(group), self.step(step))
            }
            Claim::TooFar(node, entries) => {
                format!("{} lacks {entries} entries, too many to be promoted", self.node(node))
            }
            Claim::Returning(group, step) => {
                format!("the first primary of {}: {}", self.group(group), on_its_way(step))
            }
            Claim::Shooting(node, attempt) => {
                format!("switching off the host {}, attempt {}", self.node(node), attempt + 1)
            }
            Claim::StillOn(node, attempt) => {
                format!("attempt {} to switch off {} failed", attempt + 1, self.node(node))
            }
            Claim::SwitchedOff(node) => format!("{} is switched off", self.node(node)),
            Claim::CutOff(node, 0) => format!("nobody reaches {} any more", self.node(node)),
            Claim::CutOff(node, missing) => {
                format!("{} is cut off, but {missing} did not confirm", self.node(node))
            }
            Claim::LeaseHeld(group, token) => {
                format!("I hold the lease of {}, token {}", self.group(group), token.0)
            }
            Claim::LeaseLost(group) => {
                format!("I hold the lease of {} no longer", self.group(group))
            }
            Claim::Candidate(group, term) => {
                format!("I stand for election in {}, term {}", self.group(group), term.0)
            }
            Claim::Voted(group, term, node) => {
                let (node, group) = (self.node(node), self.group(group));
                format!("my vote in {group}, term {}, is for {node}", term.0)
            }
            Claim::Learned(group, term, node) => {
                let (node, group) = (self.node(node), self.group(group));
                format!("I learn that {node} is primary of {group}, term {}", term.0)
            }
            Claim::Fenced(group, token) => {
                format!("my write to {} was refused, token {} is old", self.group(group), token.0)
            }
            Claim::Rejoining(group, node) => {
                let (node, group) = (self.node(node), self.group(group));
                format!("{node} rewinds {group} and follows its new primary")
            }
            Claim::Contact(node, true) => format!("I hear {} again", self.node(node)),
            Claim::Contact(node, false) => format!("I hear nothing of {}", self.node(node)),
        }
    }

    fn step(&self, step: FailoverStep) -> &'static str {
        match step {
            FailoverStep::Suspected => "enough checkers say unhealthy, hold time begins",
            FailoverStep::Race => "the lease is free, I race for it",
            FailoverStep::CoolDown => "waiting for the cool-down after the last failover",
            FailoverStep::Approve => "waiting for a person",
            FailoverStep::Declared => "declared",
            FailoverStep::StopTraffic => "stopping traffic to the old primary",
            FailoverStep::Drain => "draining",
            FailoverStep::Fence => "fencing the old primary",
            FailoverStep::Promote => "promoting the new primary",
            FailoverStep::Route => "sending clients to the new primary",
            FailoverStep::Done => "done",
            FailoverStep::Abandoned => "given up",
        }
    }

    /// The observation as a JSON value: time, kind, parts by name, and the sentence.
    pub fn json(&self, at: SimTime, told: &Told) -> Value {
        let mut line = Map::new();
        line.insert("at_ns".into(), json!(at.as_nanos()));
        line.insert("kind".into(), json!(Kind::of(told).word()));
        match told {
            Told::Fact(fact) => {
                line.insert("fact".into(), json!(facts::WORDS[facts::tag(fact) as usize]));
                facts::each(fact, |name, shown| self.insert(&mut line, name, shown));
            }
            Told::Claim(by, claim) => {
                line.insert("claim".into(), json!(claims::WORDS[claims::tag(claim) as usize]));
                line.insert("by".into(), json!(self.node(*by)));
                claims::each(claim, |name, shown| self.insert(&mut line, name, shown));
            }
        }
        line.insert("text".into(), json!(self.sentence(told)));
        Value::Object(line)
    }

    fn insert(&self, line: &mut Map<String, Value>, name: &str, shown: Shown) {
        // `kind` is what the line is about; that of an operation is called so.
        let name = if name == "kind" { "operation" } else { name };
        line.insert(name.to_string(), self.value(shown));
    }

    fn value(&self, shown: Shown) -> Value {
        match shown {
            Shown::Node(node) => json!(self.node(node)),
            Shown::Group(group) => json!(self.group(group)),
            Shown::Client(client) => json!(self.client(client)),
            Shown::Process(process) => {
                json!(self.0.processes.get(process.index()).map_or("process", |p| p.role))
            }
            Shown::Site(site) => json!(self.site(site)),
            Shown::Fault(fault) => {
                json!(self.0.faults.get(fault.index()).map_or("?", |f| f.name.as_str()))
            }
            Shown::Op(op) => json!(format!("{}/{}", self.client(op.client()), op.seq())),
            Shown::Position(at) => json!({
                "index": at.index.0,
                "term": at.segment.term().0,
                "writer": self.node(at.segment.node()),
            }),
            Shown::Segment(segment) => json!({
                "term": segment.term().0,
                "writer": self.node(segment.node()),
            }),
            Shown::Version(version) => json!({
                "op": format!("{}/{}", self.client(version.op.client()), version.op.seq()),
                "stamp": version.stamp,
            }),
            Shown::Number(n) => json!(n),
            Shown::Bool(yes) => json!(yes),
            Shown::Word(word) => json!(word),
            Shown::Nothing => Value::Null,
        }
    }
}

/// `write` or `read`.
pub fn kind_word(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Read => "read",
        OpKind::Write => "write",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`.
pub fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

fn on_its_way(step: ReturnStep) -> &'static str {
    match step {
        ReturnStep::BringBack => "it is there again, and follows",
        ReturnStep::Sync => "it catches up",
        ReturnStep::Verify => "somebody looks at it",
        ReturnStep::Window => "fit; it returns as soon as the window is open",
        ReturnStep::Watch => "it leads, and is watched",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story_of_tests::{cast, everything};

    #[test]
    fn everything_that_can_happen_has_a_sentence_without_numbers_for_names() {
        let roster = cast();
        let words = Words(&roster);
        for (at, told) in everything() {
            let sentence = words.sentence(&told);
            assert!(!sentence.is_empty() && !sentence.contains('?'), "{sentence}");
            assert_eq!(sentence.contains(" said: "), matches!(told, Told::Claim(..)));
            let value = words.json(at, &told);
            assert!(value["at_ns"].is_u64() && value["text"] == json!(sentence));
            assert!(value["fact"].is_string() != value["claim"].is_string());
        }
        let opinion = Claim::Opinion { node: NodeId(0), healthy: false, streak: 3 };
        let told = Told::Claim(NodeId(2), opinion);
        let expected = "checker-us-west said: 3rd failure of db-us-east: unhealthy";
        assert_eq!(words.sentence(&told), expected);
    }

    #[test]
    fn ordinals_end_well() {
        let shown: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal).to_vec();
        assert_eq!(shown, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
    }
}
