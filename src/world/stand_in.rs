//! A STAND-IN, to be deleted when the world arrives: the same signatures, no world behind them.
//! It invokes an operation a second per population and lets the faults come and go.

use crate::model::fact::{Fact, Observer, OpKind, Outcome};
use crate::model::id::{ClientId, FaultId, GroupId, NodeId, OpId, RegionId, SiteId};
use crate::model::roster::{ClientEntry, FaultEntry, GroupEntry, NodeEntry, Roster, SiteEntry};
use crate::sim::digest::Digest;
use crate::sim::param::Problems;
use crate::sim::time::{SimTime, Span};
use crate::world::plan::Plan;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stand-in.
pub struct Stage {
    roster: Roster,
}

/// Stand-in.
pub struct Limits<'a> {
    /// The most events of a trial.
    pub events: u64,
    /// Set when the trial is to be abandoned.
    pub stop: Option<&'a AtomicBool>,
}

/// Stand-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finish {
    /// When it ended.
    pub at: SimTime,
    /// Events.
    pub events: u64,
    /// Facts.
    pub facts: u64,
    /// Fingerprint.
    pub fingerprint: u64,
    /// Stopped early.
    pub halted: bool,
}

/// Stand-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultTimes {
    /// Which.
    pub fault: FaultId,
    /// When it begins.
    pub onset: SimTime,
    /// When it clears.
    pub clear: Option<SimTime>,
}

impl Stage {
    /// Stand-in.
    pub fn new(plan: &Plan) -> Result<Stage, Problems> {
        let end = plan.horizon + plan.settle;
        let mut roster = Roster {
            regions: plan.regions.iter().map(|r| r.name.clone()).collect(),
            warmup: SimTime::ZERO + plan.warmup,
            horizon: SimTime::ZERO + plan.horizon,
            end: SimTime::ZERO + end,
            rto_objective: plan.rto_objective,
            ..Roster::default()
        };
        for (i, region) in plan.regions.iter().enumerate() {
            roster.sites.push(SiteEntry { name: region.name.clone(), region: RegionId::of(i) });
            let name = format!("db-{}", region.name);
            roster.nodes.push(NodeEntry { name, site: SiteId::of(i) });
        }
        for store in &plan.stores {
            roster.groups.push(GroupEntry {
                name: store.name.clone(),
                is_store: true,
                members: store.replicas.iter().map(|s| NodeId::of(s.region)).collect(),
                in_memory: false,
            });
        }
        for client in &plan.clients {
            roster.clients.push(ClientEntry {
                name: client.name.clone(),
                region: RegionId::of(client.spot.region),
                site: SiteId::of(client.spot.region),
                group: GroupId::of(client.store),
            });
        }
        for fault in &plan.faults {
            let name = fault.name.clone();
            roster.faults.push(FaultEntry { name, kind: "stand-in", permanent: false });
        }
        Ok(Stage { roster })
    }
    /// Stand-in.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }
    /// Stand-in.
    pub fn calendar(&self, seed: u64, trial: u64) -> Vec<FaultTimes> {
        let onset = |i: usize| SimTime::from_nanos((400 + (seed + trial + i as u64) % 60) * 1_000_000_000);
        (0..self.roster.faults.len())
            .map(|i| {
                let clear = Some(onset(i) + Span::from_secs(43));
                FaultTimes { fault: FaultId::of(i), onset: onset(i), clear }
            })
            .collect()
    }
    /// Stand-in.
    pub fn run(&self, seed: u64, trial: u64, observer: &mut impl Observer, limits: &Limits) -> Finish {
        let (mut facts, mut digest) = (0, Digest::new());
        let calendar = self.calendar(seed, trial);
        let mut tell = |at: SimTime, fact: Fact| {
            facts += 1;
            digest.fold(at.as_nanos());
            observer.on_fact(at, &fact);
        };
        let mut halted = false;
        let mut second = 0;
        loop {
            let at = SimTime::from_nanos(second * 1_000_000_000);
            halted |= second > limits.events;
            halted |= limits.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
            if halted || at >= self.roster.end {
                break;
            }
            for times in &calendar {
                if times.onset == at {
                    tell(at, Fact::Onset { fault: times.fault });
                }
                if times.clear == Some(at) {
                    tell(at, Fact::Cleared { fault: times.fault });
                }
            }
            for (i, client) in self.roster.clients.iter().enumerate() {
                let op = OpId::new(ClientId::of(i), second);
                let by = self.roster.groups[client.group.index()].members.first().copied();
                let cut = calendar.iter().any(|t| t.onset <= at && t.clear.is_none_or(|c| at < c));
                let outcome = if cut { Outcome::Unknown } else { Outcome::Ok };
                let by = if cut { None } else { by };
                let later = at + Span::from_millis(100 + (seed ^ trial) % 800);
                tell(at, Fact::Invoked { op, group: client.group, kind: OpKind::Write, key: 0 });
                tell(later, Fact::Concluded { op, outcome, by });
            }
            second += 1;
        }
        let at = SimTime::from_nanos(second * 1_000_000_000);
        Finish { at, events: second, facts, fingerprint: digest.value(), halted }
    }
}
