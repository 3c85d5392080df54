//! What happened in one trial, kept for a picture: a lane per node, region and fault.
//!
//! Lanes of facts and of claims stay apart, so that a picture can show what was under what was
//! believed.

use super::spell::{Spell, Stretch};
use crate::model::fact::{Claim, Fact, FailoverStep, Observer, OpKind, Outcome};
use crate::model::id::{GroupId, NodeId, OpId, SiteId};
use crate::model::roster::{ClientEntry, Roster};
use crate::sim::time::{SimTime, Span};
use std::collections::{BTreeMap, BTreeSet};

/// How many bins a lane of counts has.
pub const BINS: usize = 200;

/// What a node did and said.
#[derive(Clone, Debug, Default)]
pub struct NodeLane {
    /// Some of its processes did not run.
    pub down: Spell,
    /// It admitted writes.
    pub admits: Spell,
    /// It had been primary, its right was taken or given to another, and it admitted nothing.
    pub fenced: Spell,
    /// It said that it is primary, or leads.
    pub claims: Spell,
    /// It said that it holds the lease.
    pub lease: Spell,
    /// It said that a node is unhealthy; by node.
    pub doubts: BTreeMap<NodeId, Spell>,
    /// It counted opinions: when, of whom, how many say unhealthy, of how many.
    pub tallies: Vec<(SimTime, NodeId, u16, u16)>,
    /// Answers with success, per bin.
    pub answers: Vec<u32>,
    /// Moments worth a mark: when, a letter, and what in words.
    pub marks: Vec<(SimTime, char, String)>,
    dead: u32,
    admits_now: bool,
}

/// Operations per bin: those that ended ok, and the others.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Operations that ended ok.
    pub ok: Vec<u32>,
    /// Operations that ended otherwise.
    pub other: Vec<u32>,
}

impl Counts {
    fn none() -> Counts {
        Counts { ok: vec![0; BINS], other: vec![0; BINS] }
    }
    /// True where nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.ok.iter().chain(&self.other).all(|count| *count == 0)
    }
}

/// What the clients of a region saw.
#[derive(Clone, Debug)]
pub struct ClientLane {
    /// The region.
    pub region: usize,
    /// Their writes, by the end of the operation.
    pub writes: Counts,
    /// Their reads.
    pub reads: Counts,
}

/// One trial, between two moments.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// From when to when.
    pub window: Stretch,
    /// Per node.
    pub nodes: Vec<NodeLane>,
    /// Per region that has clients.
    pub clients: Vec<ClientLane>,
    /// Per fault.
    pub faults: Vec<Spell>,
    /// When each directed pair of sites was cut.
    pub links: BTreeMap<(SiteId, SiteId), Spell>,
    /// Whom a fault touched.
    pub hit: Vec<bool>,
    /// Steps of failovers, as their controllers told them: when, the store, which.
    pub steps: Vec<(SimTime, GroupId, FailoverStep)>,
    /// The lane of each population.
    lane_of: Vec<usize>,
    /// Operations under way that write.
    writing: BTreeSet<OpId>,
    /// Who has the right to be primary of each group.
    holders: Vec<Option<NodeId>>,
    /// Who had it, and has it no longer.
    former: BTreeSet<(GroupId, NodeId)>,
    end: SimTime,
}

impl Lanes {
    /// Nothing has happened yet.
    pub fn new(roster: &Roster, window: Stretch) -> Lanes {
        let mut regions: Vec<usize> = roster.clients.iter().map(|c| c.region.index()).collect();
        regions.sort_unstable();
        regions.dedup();
        let lane = |client: &ClientEntry| {
            regions.iter().position(|region| *region == client.region.index()).unwrap_or(0)
        };
        let node = NodeLane { answers: vec![0; BINS], ..NodeLane::default() };
        let clients = regions.iter().map(|region| ClientLane {
            region: *region,
            writes: Counts::none(),
            reads: Counts::none(),
        });
        let first = roster.groups.iter().map(|group| {
            let has_primary = group.is_store && !group.elects && group.ring.is_none();
            group.members.first().copied().filter(|_| has_primary)
        });
        Lanes {
            window,
            nodes: vec![node; roster.nodes.len()],
            clients: clients.collect(),
            faults: vec![Spell::default(); roster.faults.len()],
            links: BTreeMap::new(),
            hit: vec![false; roster.nodes.len()],
            steps: Vec::new(),
            lane_of: roster.clients.iter().map(lane).collect(),
            writing: BTreeSet::new(),
            holders: first.collect(),
            former: BTreeSet::new(),
            end: roster.end,
        }
    }

    /// The length of a bin.
    pub fn bin(&self) -> Span {
        let (from, to) = self.window;
        Span::from_nanos((to.since(from).as_nanos() / BINS as u64).max(1))
    }

    fn slot(&self, at: SimTime) -> Option<usize> {
        let (from, to) = self.window;
        let inside = at >= from && at < to;
        inside.then(|| ((at.since(from).as_nanos() / self.bin().as_nanos()) as usize).min(BINS - 1))
    }

    /// What is still so at the end is so until then.
    pub fn close(mut self) -> Lanes {
        let end = self.end;
        for node in &mut self.nodes {
            let NodeLane { down, admits, fenced, claims, lease, doubts, .. } = node;
            let spells = [down, admits, fenced, claims, lease].into_iter();
            spells.chain(doubts.values_mut()).for_each(|spell| spell.set(false, end));
        }
        let spells = self.faults.iter_mut().chain(self.links.values_mut());
        spells.for_each(|spell| spell.set(false, end));
        self
    }

    fn inside(&self, at: SimTime) -> bool {
        at >= self.window.0 && at <= self.window.1
    }

    fn mark(&mut self, node: NodeId, at: SimTime, letter: char, text: &str) {
        if self.inside(at) {
            self.nodes[node.index()].marks.push((at, letter, text.to_string()));
        }
    }

    /// A node is fenced while it had the right, has it no longer, and admits nothing.
    fn fences(&mut self, node: NodeId, at: SimTime) {
        let former = self.former.iter().any(|(_, other)| *other == node);
        let lane = &mut self.nodes[node.index()];
        lane.fenced.set(former && !lane.admits_now, at);
    }

    fn authorised(&mut self, group: GroupId, holder: NodeId, at: SimTime) {
        self.mark(holder, at, 'A', "was given the right to be primary");
        self.former.remove(&(group, holder));
        let before = self.holders[group.index()].replace(holder);
        if let Some(before) = before.filter(|before| *before != holder) {
            self.former.insert((group, before));
            self.fences(before, at);
        }
        self.fences(holder, at);
    }

    fn concluded(&mut self, at: SimTime, op: OpId, outcome: Outcome) {
        let writes = self.writing.remove(&op);
        let Some(slot) = self.slot(at) else { return };
        let lane = &mut self.clients[self.lane_of[op.client().index()]];
        let counts = if writes { &mut lane.writes } else { &mut lane.reads };
        let bins = if outcome == Outcome::Ok { &mut counts.ok } else { &mut counts.other };
        bins[slot] += 1;
    }

    fn runs(&mut self, node: NodeId, yes: bool, at: SimTime) {
        let lane = &mut self.nodes[node.index()];
        lane.dead = if yes { lane.dead.saturating_sub(1) } else { lane.dead + 1 };
        lane.down.set(lane.dead > 0, at);
    }
}

impl Observer for Lanes {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        match *fact {
            Fact::Invoked { op, kind: OpKind::Write, .. } => {
                self.writing.insert(op);
            }
            Fact::Concluded { op, outcome, .. } => self.concluded(at, op, outcome),
            Fact::Answered { node, outcome: Outcome::Ok, .. } => {
                if let Some(slot) = self.slot(at) {
                    self.nodes[node.index()].answers[slot] += 1;
                }
            }
            Fact::Admits { node, yes, .. } => {
                let lane = &mut self.nodes[node.index()];
                lane.admits_now = yes;
                lane.admits.set(yes, at);
                self.fences(node, at);
            }
            Fact::Down { node, .. } => self.runs(node, false, at),
            Fact::Up { node, .. } => self.runs(node, true, at),
            Fact::Link { from, to, up } => self.links.entry((from, to)).or_default().set(!up, at),
            Fact::Onset { fault } => self.faults[fault.index()].set(true, at),
            Fact::Cleared { fault } => self.faults[fault.index()].set(false, at),
            Fact::Hit { node, .. } => self.hit[node.index()] = true,
            Fact::Authorised { group, holder, .. } => self.authorised(group, holder, at),
            Fact::Withdrawn { group, holder } => {
                self.former.insert((group, holder));
                self.fences(holder, at);
            }
            Fact::Wiped { node, .. } => self.mark(node, at, 'W', "lost its disk"),
            Fact::Truncated { node, .. } => self.mark(node, at, 'T', "cut its history back"),
            _ => {}
        }
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        let inside = self.inside(at);
        let lane = &mut self.nodes[by.index()];
        match *claim {
            Claim::Primary(..) => lane.claims.set(true, at),
            Claim::SteppedDown(..) => lane.claims.set(false, at),
            Claim::LeaseHeld(..) => lane.lease.set(true, at),
            Claim::LeaseLost(..) => lane.lease.set(false, at),
            Claim::Opinion { node, healthy, .. } => {
                lane.doubts.entry(node).or_default().set(!healthy, at);
            }
            Claim::Tally { node, unhealthy, of } => lane.tallies.push((at, node, unhealthy, of)),
            Claim::Step(group, step) if inside => self.steps.push((at, group, step)),
            Claim::Fenced(..) => self.mark(by, at, 'F', "met a newer token: fenced"),
            Claim::Candidate(..) => self.mark(by, at, 'E', "stands for election"),
            Claim::SwitchedOff(node) => self.mark(node, at, 'O', "was switched off by its device"),
            Claim::CutOff(node, _) => self.mark(node, at, 'C', "was cut off from its clients"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::FencingToken;
    use crate::report::recorder::Told;
    use crate::report::story_of_tests::{at, cast, everything};

    /// Shows everything to lanes.
    fn run(window: Stretch) -> Lanes {
        let mut lanes = Lanes::new(&cast(), window);
        for (at, told) in everything() {
            match told {
                Told::Fact(fact) => lanes.on_fact(at, &fact),
                Told::Claim(by, claim) => lanes.on_claim(at, by, &claim),
            }
        }
        lanes.close()
    }

    #[test]
    fn every_observation_finds_its_lane_and_those_outside_the_window_are_not_counted() {
        let told = everything();
        let (first, last) = (told[0].0, told[told.len() - 1].0);
        let count = |lanes: &Lanes| -> u32 {
            let counts = lanes.clients.iter().flat_map(|lane| [&lane.writes, &lane.reads]);
            counts.flat_map(|counts| counts.ok.iter().chain(&counts.other)).sum()
        };
        let concluded =
            told.iter().filter(|(_, t)| matches!(t, Told::Fact(Fact::Concluded { .. })));
        let all = run((first, last + Span::from_secs(1)));
        assert_eq!(count(&all) as usize, concluded.count());
        assert!(!all.clients[1].writes.is_empty(), "the first of the two was begun as a write");
        assert_eq!(count(&run((last + Span::from_secs(1), last + Span::from_secs(2)))), 0);
        assert!(all.hit.iter().any(|hit| *hit));
        assert_eq!(all.links.len(), 1);
        assert_eq!(all.nodes[2].doubts.len(), 1);
        assert_eq!(all.nodes[2].tallies.len(), 1);
    }

    #[test]
    fn the_old_primary_is_fenced_once_another_has_its_right_and_it_admits_nothing() {
        let (old, new, group) = (NodeId(0), NodeId(1), GroupId(0));
        let mut lanes = Lanes::new(&cast(), (at(0), at(10_000)));
        let mut tell = |second: u64, fact: Fact| lanes.on_fact(at(second * 1_000), &fact);
        let authorise = |holder| Fact::Authorised { group, holder, token: FencingToken(2) };
        tell(0, Fact::Admits { node: old, group, yes: true });
        tell(2, authorise(new));
        tell(3, Fact::Admits { node: new, group, yes: true });
        tell(5, Fact::Admits { node: old, group, yes: false });
        tell(8, authorise(old));
        tell(9, Fact::Admits { node: old, group, yes: true });
        let lanes = lanes.close();
        assert_eq!(lanes.nodes[0].fenced.stretches, [(at(5_000), at(8_000))]);
        assert_eq!(lanes.nodes[0].admits.stretches[0], (at(0), at(5_000)));
        // The new one lost its right while it went on admitting: that is not fenced, but worse.
        assert!(lanes.nodes[1].fenced.stretches.is_empty());
    }
}
