//! A small cast, and one observation of every kind, for the tests of this room.

use crate::model::fact::{Claim, Fact, FailoverStep, OpKind, Outcome, ReturnStep};
use crate::model::id::{
    ClientId, FaultId, FencingToken, GroupId, LogIndex, NodeId, OpId, Position, ProcessId,
    RegionId, Segment, SiteId, Term, Version,
};
use crate::model::roster::{
    ClientEntry, FaultEntry, GroupEntry, NodeEntry, ProcessEntry, Roster, SiteEntry,
};
use crate::report::recorder::Told;
use crate::sim::time::SimTime;

/// Two regions with a database each, a checker, a population and a fault.
pub(crate) fn cast() -> Roster {
    let site = |name: &str, region| SiteEntry { name: name.into(), region: RegionId(region) };
    let node = |name: &str, site| NodeEntry { name: name.into(), site: SiteId(site) };
    let client = |name: &str, region| ClientEntry {
        name: name.into(),
        region: RegionId(region),
        site: SiteId(region),
        group: GroupId(0),
    };
    Roster {
        regions: vec!["us-east".into(), "us-west".into()],
        sites: vec![site("us-east", 0), site("us-west", 1)],
        nodes: vec![
            node("db-us-east", 0),
            node("db-us-west", 1),
            node("checker-us-west", 1),
            node("east-web", 0),
        ],
        processes: vec![
            ProcessEntry { role: "database", node: NodeId(0) },
            ProcessEntry { role: "database", node: NodeId(1) },
            ProcessEntry { role: "checker", node: NodeId(2) },
            ProcessEntry { role: "clients", node: NodeId(3) },
        ],
        groups: vec![GroupEntry {
            name: "orders".into(),
            is_store: true,
            members: vec![NodeId(0), NodeId(1)],
            in_memory: false,
            acks: 0,
            elects: false,
            cuts_disks: false,
            ring: None,
        }],
        clients: vec![client("east-web", 0), client("west-web", 1)],
        faults: vec![FaultEntry { name: "cut".into(), kind: "partition", permanent: false }],
        warmup: at(60_000),
        horizon: at(1_800_000),
        end: at(2_100_000),
        rto_objective: None,
        availability_slo: None,
    }
}

/// So many milliseconds after the start.
pub(crate) fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

/// One observation of every kind, at uneven times.
pub(crate) fn everything() -> Vec<(SimTime, Told)> {
    let (node, group, other) = (NodeId(0), GroupId(0), NodeId(1));
    let op = OpId::new(ClientId(1), 123_456_789);
    let segment = Segment::again(Term(3), NodeId(1), 2);
    let place = Position { segment, index: LogIndex(1 << 40) };
    let outcome = Outcome::Unknown;
    let version = Version { stamp: u64::MAX, op };
    let (process, fault, token) = (ProcessId(1), FaultId(0), FencingToken(9));
    let facts = [
        Fact::Invoked { op, group, kind: OpKind::Write, key: u32::MAX },
        Fact::Concluded { op, outcome, by: None },
        Fact::Concluded { op, outcome: Outcome::Ok, by: Some(other) },
        Fact::Answered { node, group, op, outcome: Outcome::Fail, at: place },
        Fact::Appended { node, group, op, at: place },
        Fact::Began { node, group, segment, from: place },
        Fact::Held { node, group, upto: place },
        Fact::Durable { node, group, upto: place },
        Fact::Truncated { node, group, to: place },
        Fact::Wiped { node, group },
        Fact::Admits { node, group, yes: false },
        Fact::Rule { node, group, acks: 2 },
        Fact::Authorised { group, holder: other, token },
        Fact::Routed { client: ClientId(0), resolver: 17, group, node },
        Fact::Down { node, process, paused: true },
        Fact::Up { node, process },
        Fact::Link { from: SiteId(0), to: SiteId(1), up: false },
        Fact::Onset { fault },
        Fact::Hit { fault, node },
        Fact::Ails { node, yes: true },
        Fact::Cleared { fault },
        Fact::Settling,
        Fact::Installed { node, group, key: 7, version },
        Fact::Reverted { node, group, key: 7, version: Version::NOTHING },
        Fact::Returned { node, group, op, version },
        Fact::Session { op, user: 3 },
    ];
    let claims = [
        Claim::Primary(group, Term(3)),
        Claim::SteppedDown(group, Term(2)),
        Claim::Opinion { node, healthy: false, streak: 3 },
        Claim::Tally { node, unhealthy: 3, of: 5 },
        Claim::Step(group, FailoverStep::Abandoned),
        Claim::LeaseHeld(group, token),
        Claim::LeaseLost(group),
        Claim::Candidate(group, Term(4)),
        Claim::Fenced(group, token),
        Claim::Rejoining(group, other),
        Claim::Contact(other, true),
        Claim::Voted(group, Term(5), other),
        Claim::Learned(group, Term(5), node),
        Claim::Failed(group, FailoverStep::Promote),
        Claim::TooFar(other, 1_200),
        Claim::Shooting(other, 1),
        Claim::StillOn(other, 1),
        Claim::SwitchedOff(other),
        Claim::CutOff(other, 2),
        Claim::Returning(group, ReturnStep::Verify),
    ];
    let facts = facts.into_iter().map(Told::Fact);
    let claims = claims.into_iter().map(|claim| Told::Claim(NodeId(2), claim));
    let told = facts.chain(claims).enumerate();
    told.map(|(i, told)| (at((i * i * 37) as u64), told)).collect()
}
