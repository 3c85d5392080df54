//! Which acknowledged writes are missing from the survivor, why, and how far back: RPO.

use crate::measure::history::{Branch, History};
use crate::measure::ops::Place;
use crate::measure::tally::{Part, State, Tally};
use crate::model::id::NodeId;
use crate::sim::time::SimTime;
use std::collections::BTreeMap;

/// What one survivor would mean.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Loss {
    /// Answered before the onset that led to the deposition.
    pub lag: u64,
    /// Answered after it.
    pub stranded: u64,
    /// Never on any disk.
    pub unflushed: u64,
    /// All of these whose writer the returning initial primary deposed.
    pub by_failback: u64,
    /// Ended not ok, and survived.
    pub unacked_survived: u64,
    /// Realised RPO of the worst deposition, seconds.
    pub time: f64,
    /// Textbook RPO of the worst deposition, seconds.
    pub at_onset: f64,
}

impl Loss {
    /// All lost writes.
    pub fn lost(&self) -> u64 {
        self.lag + self.stranded + self.unflushed
    }
}

/// When faults hit each node.
pub type Hits = BTreeMap<NodeId, Vec<SimTime>>;

/// How blocks that a survivor ends inside of are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doubt {
    Survived,
    Lost,
}

/// The least and the most a survivor that ends at `end` has lost; `initial` led first. They differ only where it
/// ends inside a folded block.
pub fn judge(history: &History, end: Place, hits: &Hits, initial: Option<NodeId>) -> (Loss, Loss) {
    let depositions = BTreeMap::new;
    let judge =
        |doubt| Judge { history, end, hits, initial, doubt, depositions: depositions() }.run();
    (judge(Doubt::Survived), judge(Doubt::Lost))
}

/// Lost writes of one deposition: of one writer, by the branch that deposed it.
struct Deposition {
    onset: SimTime,
    first: SimTime,
    last: SimTime,
    first_lag: SimTime,
}

struct Judge<'a> {
    history: &'a History,
    end: Place,
    hits: &'a Hits,
    initial: Option<NodeId>,
    doubt: Doubt,
    depositions: BTreeMap<(NodeId, u32), Deposition>,
}

impl Judge<'_> {
    fn run(mut self) -> Loss {
        let mut loss = Loss::default();
        let flushed = self.flushed();
        let history = self.history;
        for (number, branch) in history.branches.iter().enumerate() {
            let reach = history.reach(self.end, number);
            let deposer = self.deposer(number);
            let mut start = branch.parent.index;
            for block in &branch.blocks {
                let survived =
                    block.last <= reach || (start < reach && self.doubt == Doubt::Survived);
                let on_disk = start < flushed[number];
                if survived {
                    loss.unacked_survived += block.tally.not_ok;
                } else {
                    self.lose_all(&mut loss, branch, deposer, &block.tally, on_disk);
                }
                start = block.last;
            }
            for (index, entry) in (branch.folded + 1..).zip(&branch.entries) {
                if index <= reach {
                    loss.unacked_survived += u64::from(entry.state == State::NotOk);
                } else if entry.state == State::Acked {
                    let at = entry.answered;
                    self.lose(&mut loss, branch, deposer, at, at, 1, index <= flushed[number]);
                }
            }
            self.lose_all(&mut loss, branch, deposer, &branch.overwritten, false);
        }
        self.twins(&mut loss, &flushed);
        for deposition in self.depositions.values() {
            let end = deposition.onset.max(deposition.last);
            loss.time = loss.time.max(end.since(deposition.first).as_secs_f64());
            let lag = deposition.onset.since(deposition.first_lag).as_secs_f64();
            loss.at_onset = loss.at_onset.max(lag);
        }
        loss
    }

    /// How far any disk ever held each branch: a disk that held a child held what it stands on.
    fn flushed(&self) -> Vec<u64> {
        let branches = &self.history.branches;
        let mut flushed: Vec<u64> = branches.iter().map(|branch| branch.flushed).collect();
        for (number, branch) in branches.iter().enumerate().rev() {
            let parent = branch.parent.branch as usize;
            if flushed[number] > 0 && parent < number {
                flushed[parent] = flushed[parent].max(branch.parent.index.min(flushed[number]));
            }
        }
        flushed
    }

    /// The branch that deposed the writer of `branch`: the first of the survivor's that stands
    /// past the point where the two part and began later. Nothing when there is none: the
    /// survivor simply ends, or goes on with something older.
    fn deposer(&self, branch: usize) -> Option<u32> {
        let branches = &self.history.branches;
        let mut line = Vec::new();
        let mut at = self.end.branch;
        while let Some(here) = branches.get(at as usize) {
            line.push(at);
            at = here.parent.branch;
        }
        let mut at = branch as u32;
        // Without a common beginning, all of the survivor's line stands past it.
        let mut past = line.len();
        while let Some(here) = branches.get(at as usize) {
            if let Some(shared) = line.iter().position(|b| *b == at) {
                past = shared;
                break;
            }
            at = here.parent.branch;
        }
        line[..past].iter().rev().find(|rival| **rival as usize > branch).copied()
    }

    /// The onset of the latest fault that hit a writer before it was deposed; where no fault
    /// did, the deposition itself; without that either, the start of the run.
    fn onset(&self, writer: NodeId, deposer: Option<u32>) -> SimTime {
        let deposed = deposer.map(|d| self.history.branches[d as usize].began);
        let hits = self.hits.get(&writer).map_or(&[][..], Vec::as_slice);
        let hit = hits.iter().rev().find(|hit| deposed.is_none_or(|deposed| **hit <= deposed));
        hit.copied().or(deposed).unwrap_or(SimTime::ZERO)
    }

    fn lose_all(
        &mut self,
        loss: &mut Loss,
        branch: &Branch,
        deposer: Option<u32>,
        tally: &Tally,
        on_disk: bool,
    ) {
        for Part { first, last, count, .. } in tally.acked.iter().filter(|part| part.count > 0) {
            self.lose(loss, branch, deposer, *first, *last, *count, on_disk);
        }
    }

    /// Counts lost writes that were answered from `first` to `last`, on one side of the onset.
    #[allow(clippy::too_many_arguments)]
    fn lose(
        &mut self,
        loss: &mut Loss,
        branch: &Branch,
        deposer: Option<u32>,
        first: SimTime,
        last: SimTime,
        count: u64,
        on_disk: bool,
    ) {
        let writer = branch.segment.node();
        let onset = self.onset(writer, deposer);
        let key = (writer, deposer.unwrap_or(u32::MAX));
        let fresh = Deposition { onset, first, last, first_lag: onset };
        let deposition = self.depositions.entry(key).or_insert(fresh);
        deposition.first = deposition.first.min(first);
        deposition.last = deposition.last.max(last);
        let rival = deposer.map(|d| self.history.branches[d as usize].segment.node());
        if rival.is_some() && rival == self.initial && rival != Some(writer) {
            loss.by_failback += count;
        }
        if !on_disk {
            loss.unflushed += count;
        } else if first >= onset {
            loss.stranded += count;
        } else {
            loss.lag += count;
            deposition.first_lag = deposition.first_lag.min(first);
        }
    }

    /// A write that stands in several places is lost only if none of them survived.
    fn twins(&mut self, loss: &mut Loss, flushed: &[u64]) {
        let history = self.history;
        for twin in history.twins.values() {
            let survives =
                |place: &Place| history.reach(self.end, place.branch as usize) >= place.index;
            let survived = twin.places.iter().any(|(place, _)| survives(place));
            let answered = |(_, at): &&(Place, SimTime)| *at != SimTime::MAX;
            match twin.state {
                State::NotOk => loss.unacked_survived += u64::from(survived),
                State::Acked if !survived => {
                    let latest = twin.places.iter().filter(answered).max_by_key(|(_, at)| *at);
                    let Some((place, at)) = latest.or(twin.places.first()) else { continue };
                    let number = place.branch as usize;
                    let on_disk = place.index <= flushed[number];
                    let deposer = self.deposer(number);
                    self.lose(loss, &history.branches[number], deposer, *at, *at, 1, on_disk);
                }
                _ => {}
            }
        }
    }
}
