//! A builder that lets a stream of facts read like a story. Times are milliseconds.

use regionsim::measure::history::Limits;
use regionsim::measure::{MetricKey, Oracle, Sample, Settings, Verdict};
use regionsim::model::fact::{Claim, Fact, Observer, OpKind, Outcome};
use regionsim::model::id::*;
use regionsim::model::roster::*;
use regionsim::sim::time::{SimTime, Span};

pub const A: NodeId = NodeId(0);
pub const B: NodeId = NodeId(1);
pub const C: NodeId = NodeId(2);
pub const ORDERS: GroupId = GroupId(0);
pub const WEB: ClientId = ClientId(0);
pub const APP: ClientId = ClientId(1);

pub fn ms(ms: u64) -> SimTime {
    SimTime::from_nanos(ms * 1_000_000)
}

/// What a node wrote in a term.
pub fn segment(term: u32, node: NodeId) -> Segment {
    Segment::new(Term(term), node)
}

pub fn at(segment: Segment, index: u64) -> Position {
    Position { segment, index: LogIndex(index) }
}

pub fn op(client: ClientId, seq: u64) -> OpId {
    OpId::new(client, seq)
}

/// Nodes a, b, c in regions of those names; clients `web` of region a and `app` of region b;
/// a coordination service over all three. Storm until 100 s, end at 120 s, no warm-up.
pub fn roster() -> Roster {
    let names = ["a", "b", "c"];
    let nodes = [A, B, C];
    let group = |name: &str, is_store| GroupEntry {
        name: name.to_string(),
        is_store,
        members: nodes.to_vec(),
        in_memory: false,
        acks: 0,
        elects: false,
        cuts_disks: false,
        ring: None,
    };
    let client = |name: &str, region: u16| ClientEntry {
        name: name.to_string(),
        region: RegionId(region),
        site: SiteId(region),
        group: ORDERS,
    };
    let fault =
        |name: &str, permanent| FaultEntry { name: name.to_string(), kind: "partition", permanent };
    Roster {
        regions: names.map(String::from).to_vec(),
        sites: names
            .iter()
            .zip(0..)
            .map(|(name, region)| SiteEntry { name: name.to_string(), region: RegionId(region) })
            .collect(),
        nodes: names
            .iter()
            .zip(0..)
            .map(|(name, site)| NodeEntry { name: format!("db-{name}"), site: SiteId(site) })
            .collect(),
        processes: nodes.map(|node| ProcessEntry { role: "database", node }).to_vec(),
        groups: vec![group("orders", true), group("locks", false)],
        clients: vec![client("web", 0), client("app", 1)],
        faults: vec![fault("first", false), fault("second", false), fault("for-good", true)],
        warmup: SimTime::ZERO,
        horizon: ms(100_000),
        end: ms(120_000),
        rto_objective: None,
        availability_slo: None,
    }
}

/// A stream under way.
pub struct Story {
    pub roster: Roster,
    pub settings: Settings,
    pub limits: Limits,
    facts: Vec<(SimTime, Fact)>,
    claims: Vec<(SimTime, NodeId, Claim)>,
}

impl Story {
    /// Node a is primary and admits writes from the start.
    pub fn new() -> Story {
        let mut story = Story::leaderless();
        story.began(0, A, segment(1, A), at(segment(0, A), 0));
        story.admits(0, A, true);
        story
    }
    /// Nobody has written or admits writes yet.
    pub fn leaderless() -> Story {
        Story {
            roster: roster(),
            settings: Settings::default(),
            limits: Limits::default(),
            facts: Vec::new(),
            claims: Vec::new(),
        }
    }
    pub fn fact(&mut self, time: u64, fact: Fact) -> &mut Story {
        self.facts.push((ms(time), fact));
        self
    }
    pub fn claim(&mut self, time: u64, by: NodeId, claim: Claim) -> &mut Story {
        self.claims.push((ms(time), by, claim));
        self
    }
    pub fn began(&mut self, time: u64, node: NodeId, s: Segment, from: Position) -> &mut Story {
        self.fact(time, Fact::Began { node, group: ORDERS, segment: s, from })
    }
    pub fn admits(&mut self, time: u64, node: NodeId, yes: bool) -> &mut Story {
        self.fact(time, Fact::Admits { node, group: ORDERS, yes })
    }
    /// A node is authorised, begins a segment and admits writes.
    pub fn promoted(&mut self, time: u64, node: NodeId, term: u32, from: Position) -> &mut Story {
        let token = FencingToken(u64::from(term));
        self.fact(time, Fact::Authorised { group: ORDERS, holder: node, token });
        self.began(time, node, segment(term, node), from);
        self.admits(time, node, true)
    }
    pub fn invoked(&mut self, time: u64, op: OpId, kind: OpKind, key: u32) -> &mut Story {
        self.fact(time, Fact::Invoked { op, group: ORDERS, kind, key })
    }
    pub fn appended(&mut self, time: u64, node: NodeId, op: OpId, at: Position) -> &mut Story {
        self.fact(time, Fact::Appended { node, group: ORDERS, op, at })
    }
    pub fn answered(&mut self, time: u64, node: NodeId, op: OpId, at: Position) -> &mut Story {
        self.fact(time, Fact::Answered { node, group: ORDERS, op, outcome: Outcome::Ok, at })
    }
    pub fn concluded(&mut self, time: u64, op: OpId, outcome: Outcome, by: NodeId) -> &mut Story {
        let by = (outcome == Outcome::Ok).then_some(by);
        self.fact(time, Fact::Concluded { op, outcome, by })
    }
    /// A write, invoked and appended at `time`, answered 1 ms later, acknowledged 2 ms later.
    pub fn write(&mut self, time: u64, op: OpId, node: NodeId, place: Position) -> &mut Story {
        self.invoked(time, op, OpKind::Write, op.seq() as u32);
        self.appended(time, node, op, place);
        self.answered(time + 1, node, op, place);
        self.concluded(time + 2, op, Outcome::Ok, node)
    }
    /// The same, and on its writer's disk.
    pub fn flushed(&mut self, time: u64, op: OpId, node: NodeId, place: Position) -> &mut Story {
        self.write(time, op, node, place).durable(time, node, place)
    }
    pub fn held(&mut self, time: u64, node: NodeId, upto: Position) -> &mut Story {
        self.fact(time, Fact::Held { node, group: ORDERS, upto })
    }
    pub fn durable(&mut self, time: u64, node: NodeId, upto: Position) -> &mut Story {
        self.fact(time, Fact::Durable { node, group: ORDERS, upto })
    }
    /// A standby received and flushed.
    pub fn replicated(&mut self, time: u64, node: NodeId, upto: Position) -> &mut Story {
        self.held(time, node, upto).durable(time, node, upto)
    }
    pub fn truncated(&mut self, time: u64, node: NodeId, to: Position) -> &mut Story {
        self.fact(time, Fact::Truncated { node, group: ORDERS, to })
    }
    /// A fault begins and touches these nodes.
    pub fn onset(&mut self, time: u64, fault: u16, nodes: &[NodeId]) -> &mut Story {
        let fault = FaultId(fault);
        self.fact(time, Fact::Onset { fault });
        for node in nodes {
            self.fact(time, Fact::Hit { fault, node: *node });
        }
        self
    }
    pub fn cleared(&mut self, time: u64, fault: u16) -> &mut Story {
        self.fact(time, Fact::Cleared { fault: FaultId(fault) })
    }
    pub fn down(&mut self, time: u64, node: NodeId, paused: bool) -> &mut Story {
        self.fact(time, Fact::Down { node, process: ProcessId(node.0), paused })
    }
    pub fn up(&mut self, time: u64, node: NodeId) -> &mut Story {
        self.fact(time, Fact::Up { node, process: ProcessId(node.0) })
    }
    /// A node waits for so many confirmations.
    pub fn rule(&mut self, time: u64, node: NodeId, acks: u16) -> &mut Story {
        self.fact(time, Fact::Rule { node, group: ORDERS, acks })
    }
    pub fn settling(&mut self) -> &mut Story {
        self.fact(100_000, Fact::Settling)
    }
    /// Tells the story to the oracle.
    pub fn verdict(&mut self) -> Verdict {
        self.facts.sort_by_key(|(at, _)| *at);
        self.claims.sort_by_key(|(at, ..)| *at);
        let mut oracle = Oracle::with_limits(&self.roster, &self.settings, self.limits);
        let mut claims = self.claims.iter().peekable();
        for (at, fact) in &self.facts {
            while let Some((when, by, claim)) = claims.next_if(|(when, ..)| when <= at) {
                oracle.on_claim(*when, *by, claim);
            }
            oracle.on_fact(*at, fact);
        }
        oracle.verdict(self.roster.end)
    }
}

/// The sample of a metric given as text.
pub fn sample(verdict: &Verdict, key: &str) -> Sample {
    let key = MetricKey::parse(key).unwrap();
    verdict.get(&key).unwrap_or_else(|| panic!("no metric {key}"))
}

/// The known value of a metric.
pub fn value(verdict: &Verdict, key: &str) -> f64 {
    match sample(verdict, key) {
        Sample::Value(v) => v,
        other => panic!("{key} is {other:?}"),
    }
}

/// Checks many known values, to the microsecond.
pub fn expect(verdict: &Verdict, values: &[(&str, f64)]) {
    for (key, expected) in values {
        let found = value(verdict, key);
        assert!((found - expected).abs() < 1e-6, "{key}: {found}, expected {expected}");
    }
}

/// A steady stream of acknowledged or failing writes of one client, appended at node a or not at
/// all; every `every` ms from `from` to `to`.
pub struct Traffic {
    pub client: ClientId,
    pub next: u64,
    pub every: u64,
}

impl Traffic {
    pub fn new(client: ClientId, every: u64) -> Traffic {
        Traffic { client, next: 0, every }
    }
    /// Writes that end so; answered by `by`.
    pub fn writes(&mut self, story: &mut Story, from: u64, to: u64, outcome: Outcome, by: NodeId) {
        self.run(story, from, to, OpKind::Write, outcome, by);
    }
    fn run(&mut self, s: &mut Story, from: u64, to: u64, kind: OpKind, o: Outcome, by: NodeId) {
        for time in (from..to).step_by(self.every as usize) {
            let id = op(self.client, self.next);
            self.next += 1;
            s.invoked(time, id, kind, 0);
            s.concluded(time + if o == Outcome::Unknown { 1_000 } else { 2 }, id, o, by);
        }
    }
}

pub fn secs(s: u64) -> Span {
    Span::from_secs(s)
}
