//! What happened in one trial, kept for a picture: a lane per node, region and fault.
//!
//! Lanes of facts and of claims stay apart, so that a picture can show what was under what was
//! believed.

use crate::model::fact::{Claim, Fact, FailoverStep, Observer, Outcome};
use crate::model::id::{GroupId, NodeId};
use crate::model::roster::Roster;
use crate::sim::time::{SimTime, Span};

/// How many bins a lane of counts has.
pub const BINS: usize = 200;

/// A stretch of time.
pub type Stretch = (SimTime, SimTime);

/// Something that is so, or not, over time.
#[derive(Clone, Debug, Default)]
pub struct Spell {
    since: Option<SimTime>,
    /// When it was so.
    pub stretches: Vec<Stretch>,
}

impl Spell {
    /// So for one stretch.
    pub fn of(stretch: Stretch) -> Spell {
        Spell { since: None, stretches: vec![stretch] }
    }
    fn set(&mut self, yes: bool, at: SimTime) {
        match (yes, self.since) {
            (true, None) => self.since = Some(at),
            (false, Some(since)) => {
                self.since = None;
                if at > since {
                    self.stretches.push((since, at));
                }
            }
            _ => {}
        }
    }
}

/// What a node did and said.
#[derive(Clone, Debug, Default)]
pub struct NodeLane {
    /// Some of its processes did not run.
    pub down: Spell,
    /// It admitted writes.
    pub admits: Spell,
    /// It said that it is primary, or leads.
    pub claims: Spell,
    /// It said that it holds the lease.
    pub lease: Spell,
    /// Answers with success, per bin.
    pub answers: Vec<u32>,
    /// Moments worth a mark: when, a letter, and what in words.
    pub marks: Vec<(SimTime, char, String)>,
    dead: u32,
}

/// What the clients of a region saw, per bin: ok, and not.
#[derive(Clone, Debug)]
pub struct ClientLane {
    /// The region.
    pub region: usize,
    /// Operations that ended ok.
    pub ok: Vec<u32>,
    /// Operations that ended otherwise.
    pub other: Vec<u32>,
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
    /// Whom a fault touched.
    pub hit: Vec<bool>,
    /// Steps of failovers, as their controllers told them: when, the store, which.
    pub steps: Vec<(SimTime, GroupId, FailoverStep)>,
    /// The lane of each population.
    lane_of: Vec<usize>,
    end: SimTime,
}

impl Lanes {
    /// Nothing has happened yet.
    pub fn new(roster: &Roster, window: Stretch) -> Lanes {
        let mut regions: Vec<usize> = roster.clients.iter().map(|c| c.region.index()).collect();
        regions.sort_unstable();
        regions.dedup();
        let lane = |client: &crate::model::roster::ClientEntry| {
            regions.iter().position(|region| *region == client.region.index()).unwrap_or(0)
        };
        let node = NodeLane { answers: vec![0; BINS], ..NodeLane::default() };
        let clients = regions.iter().map(|region| ClientLane {
            region: *region,
            ok: vec![0; BINS],
            other: vec![0; BINS],
        });
        Lanes {
            window,
            nodes: vec![node; roster.nodes.len()],
            clients: clients.collect(),
            faults: vec![Spell::default(); roster.faults.len()],
            hit: vec![false; roster.nodes.len()],
            steps: Vec::new(),
            lane_of: roster.clients.iter().map(lane).collect(),
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
            for spell in [&mut node.down, &mut node.admits, &mut node.claims, &mut node.lease] {
                spell.set(false, end);
            }
        }
        self.faults.iter_mut().for_each(|fault| fault.set(false, end));
        self
    }

    fn mark(&mut self, node: NodeId, at: SimTime, letter: char, text: &str) {
        let (from, to) = self.window;
        if at >= from && at <= to {
            self.nodes[node.index()].marks.push((at, letter, text.to_string()));
        }
    }
}

impl Observer for Lanes {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        match *fact {
            Fact::Concluded { op, outcome, .. } => {
                let Some(slot) = self.slot(at) else { return };
                let lane = &mut self.clients[self.lane_of[op.client().index()]];
                let bins = if outcome == Outcome::Ok { &mut lane.ok } else { &mut lane.other };
                bins[slot] += 1;
            }
            Fact::Answered { node, outcome: Outcome::Ok, .. } => {
                if let Some(slot) = self.slot(at) {
                    self.nodes[node.index()].answers[slot] += 1;
                }
            }
            Fact::Admits { node, yes, .. } => self.nodes[node.index()].admits.set(yes, at),
            Fact::Down { node, .. } => {
                let lane = &mut self.nodes[node.index()];
                lane.dead += 1;
                lane.down.set(true, at);
            }
            Fact::Up { node, .. } => {
                let lane = &mut self.nodes[node.index()];
                lane.dead = lane.dead.saturating_sub(1);
                lane.down.set(lane.dead > 0, at);
            }
            Fact::Onset { fault } => self.faults[fault.index()].set(true, at),
            Fact::Cleared { fault } => self.faults[fault.index()].set(false, at),
            Fact::Hit { node, .. } => self.hit[node.index()] = true,
            Fact::Authorised { holder, .. } => {
                self.mark(holder, at, 'A', "was given the right to be primary");
            }
            Fact::Wiped { node, .. } => self.mark(node, at, 'W', "lost its disk"),
            Fact::Truncated { node, .. } => self.mark(node, at, 'T', "cut its history back"),
            _ => {}
        }
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        let lane = &mut self.nodes[by.index()];
        match *claim {
            Claim::Primary(..) => lane.claims.set(true, at),
            Claim::SteppedDown(..) => lane.claims.set(false, at),
            Claim::LeaseHeld(..) => lane.lease.set(true, at),
            Claim::LeaseLost(..) => lane.lease.set(false, at),
            Claim::Step(group, step) if at >= self.window.0 && at <= self.window.1 => {
                self.steps.push((at, group, step));
            }
            Claim::Fenced(..) => self.mark(by, at, 'F', "met a newer token: fenced"),
            Claim::Candidate(..) => self.mark(by, at, 'E', "stands for election"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::recorder::Told;
    use crate::report::story_of_tests::{at, cast, everything};

    #[test]
    fn what_is_so_is_so_from_then_until_it_is_not() {
        let mut spell = Spell::default();
        for (yes, second) in [(true, 1), (true, 2), (false, 5), (false, 6), (true, 9), (false, 9)] {
            spell.set(yes, at(second));
        }
        assert_eq!(spell.stretches, [(at(1), at(5))]);
    }

    #[test]
    fn every_observation_finds_its_lane_and_those_outside_the_window_are_not_counted() {
        let roster = cast();
        let told = everything();
        let (first, last) = (told[0].0, told[told.len() - 1].0);
        let run = |window| {
            let mut lanes = Lanes::new(&roster, window);
            for (at, told) in &told {
                match told {
                    Told::Fact(fact) => lanes.on_fact(*at, fact),
                    Told::Claim(by, claim) => lanes.on_claim(*at, *by, claim),
                }
            }
            lanes.close()
        };
        let count = |lanes: &Lanes| -> u32 {
            lanes.clients.iter().flat_map(|lane| lane.ok.iter().chain(&lane.other)).sum()
        };
        let concluded =
            told.iter().filter(|(_, t)| matches!(t, Told::Fact(Fact::Concluded { .. })));
        assert_eq!(count(&run((first, last + Span::from_secs(1)))) as usize, concluded.count());
        assert_eq!(count(&run((last + Span::from_secs(1), last + Span::from_secs(2)))), 0);
        assert!(run((first, last)).hit.iter().any(|hit| *hit));
    }
}
