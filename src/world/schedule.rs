//! Faults, and what operators do, in the calendar of a trial: the turns known from the start, those that follow another,
//! and those that wait for something to happen.

use crate::model::ctx::Input;
use crate::model::cue::{Cue, Cues};
use crate::model::fact::{Fact, Observer};
use crate::model::id::FaultId;
use crate::sim::queue::Phase;
use crate::sim::rng::Streams;
use crate::sim::time::SimTime;
use crate::world::run::{Event, World};
use crate::world::stage::Stage;
use crate::world::timeline::{Start, Turn};

/// When a fault of one trial begins and ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultTimes {
    /// Which.
    pub fault: FaultId,
    /// When it begins.
    pub onset: SimTime,
    /// When it ends, unless it is permanent.
    pub clear: Option<SimTime>,
}

/// What the world remembers of the times of its faults.
pub(super) struct Schedule {
    cues: Cues,
    /// True when some fault waits for something to happen.
    pub listens: bool,
    faults: Vec<Progress>,
    /// How often the event that each operator waits for has happened.
    operators: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Progress {
    /// How many turns have begun, or are about to.
    turns: u32,
    /// How often the event it waits for has happened.
    seen: u32,
    /// It acts until the end of the storm, and no event of its own says so.
    until_horizon: bool,
}

impl Schedule {
    pub(super) fn new(stage: &Stage) -> Schedule {
        let waits = |start: &Start| matches!(start, Start::After(..));
        Schedule {
            cues: Cues::new(&stage.roster),
            listens: stage.faults.iter().any(|fault| waits(&fault.times.start))
                || stage.operators.iter().any(|operator| waits(&operator.times.start)),
            operators: vec![0; stage.operators.len()],
            faults: vec![Progress::default(); stage.faults.len()],
        }
    }
}

impl<O: Observer> World<'_, O> {
    /// Puts what is known from the start into the calendar. What ends at the horizon does so
    /// before the storm is over, because it stands before it.
    pub(super) fn schedule_faults(&mut self) {
        for (i, fault) in self.stage.faults.iter().enumerate() {
            if fault.times.start != Start::Run {
                continue;
            }
            let start = SimTime::ZERO;
            let turn = fault.times.turn(0, start, &self.streams, self.stage.horizon);
            let Some(Turn { onset, clear }) = turn else { continue };
            self.schedule.faults[i].turns = 1;
            self.queue.schedule(onset, Phase::Fault, Event::Onset(i as u16));
            if let Some(clear) = clear {
                self.queue.schedule(clear, Phase::Fault, Event::Clear(i as u16));
            }
        }
        self.queue.schedule(self.stage.horizon, Phase::Fault, Event::Settle);
    }

    /// Puts into the calendar which operators act at a time that is known from the start.
    pub(super) fn schedule_operators(&mut self) {
        for i in 0..self.stage.operators.len() {
            if self.stage.operators[i].times.start == Start::Run {
                self.schedule_operator(i);
            }
        }
    }

    /// When an operator acts, counted from now.
    fn schedule_operator(&mut self, operator: usize) {
        let times = &self.stage.operators[operator].times;
        let turn = times.turn(0, self.now, &self.streams, self.stage.horizon);
        if let Some(Turn { onset, .. }) = turn {
            self.queue.schedule(onset, Phase::Fault, Event::Operate(operator as u16));
        }
    }

    /// An operator acts.
    pub(super) fn operate(&mut self, operator: u16) {
        let operator = &self.stage.operators[usize::from(operator)];
        self.fact(Fact::Ordered { group: operator.group });
        for (process, order) in &operator.orders {
            self.hear(*process, Input::Order(*order));
        }
    }

    /// The next turn of a fault, counted from now.
    fn schedule_turn(&mut self, fault: usize) {
        let (times, progress) = (&self.stage.faults[fault].times, &mut self.schedule.faults[fault]);
        let turn = times.turn(progress.turns, self.now, &self.streams, self.stage.horizon);
        let Some(Turn { onset, clear }) = turn else { return };
        progress.turns += 1;
        progress.until_horizon = clear == Some(self.stage.horizon);
        self.queue.schedule(onset, Phase::Fault, Event::Onset(fault as u16));
        if let Some(clear) = clear.filter(|clear| *clear < self.stage.horizon) {
            self.queue.schedule(clear, Phase::Fault, Event::Clear(fault as u16));
        }
    }

    /// A fault ends, and perhaps happens again.
    pub(super) fn end_turn(&mut self, fault: u16) {
        self.clear(fault);
        self.schedule_turn(usize::from(fault));
    }

    /// Something happened that a fault may wait for.
    #[cold]
    #[inline(never)]
    pub(super) fn heed(&mut self, fact: &Fact) {
        let Some(happened) = self.schedule.cues.of(fact) else { return };
        for i in 0..self.stage.faults.len() {
            let Start::After(cue, nth) = self.stage.faults[i].times.start else { continue };
            if cue.is(&happened) {
                let seen = &mut self.schedule.faults[i].seen;
                *seen = seen.saturating_add(1);
                if *seen == nth {
                    self.schedule_turn(i);
                }
            }
        }
        for i in 0..self.stage.operators.len() {
            let Start::After(cue, nth) = self.stage.operators[i].times.start else { continue };
            if cue.is(&happened) {
                self.schedule.operators[i] = self.schedule.operators[i].saturating_add(1);
                if self.schedule.operators[i] == nth {
                    self.schedule_operator(i);
                }
            }
        }
    }

    /// The storm is over: what is not permanent ends first.
    pub(super) fn settle(&mut self) {
        for i in 0..self.schedule.faults.len() {
            if std::mem::take(&mut self.schedule.faults[i].until_horizon) {
                self.clear(i as u16);
            }
        }
        self.fact(Fact::Settling);
    }
}

impl Stage {
    /// When the faults of one trial begin and end, fault by fault: all that dice alone decide.
    /// What follows a promotion or its like is known only to those who run the trial.
    pub fn calendar(&self, seed: u64, trial: u64) -> Vec<FaultTimes> {
        let streams = Streams::new(seed, trial);
        let mut known: Vec<Option<Vec<Turn>>> = vec![None; self.faults.len()];
        loop {
            let mut news = false;
            for (i, fault) in self.faults.iter().enumerate() {
                if known[i].is_some() {
                    continue;
                }
                if let Some(start) = foreseen(fault.times.start, &known) {
                    let turns = start.map(|at| fault.times.turns(at, &streams, self.horizon));
                    known[i] = Some(turns.into_iter().flatten().collect());
                    news = true;
                }
            }
            if !news {
                break;
            }
        }
        let mut calendar = Vec::new();
        for (i, turns) in known.into_iter().enumerate() {
            let fault = FaultId::of(i);
            let times = |Turn { onset, clear }| FaultTimes { fault, onset, clear };
            calendar.extend(turns.into_iter().flatten().map(times));
        }
        calendar
    }

    /// True when dice alone decide when a fault happens, so that [`Stage::calendar`] has it.
    pub fn is_foreseen(&self, fault: FaultId) -> bool {
        let mut fault = fault;
        // Each step goes to another fault, unless some wait for each other and never happen.
        for _ in 0..=self.faults.len() {
            match self.faults[fault.index()].times.start {
                Start::Run => return true,
                Start::After(Cue::Onset(other) | Cue::Cleared(other), _) => fault = other,
                Start::After(..) => return false,
            }
        }
        true
    }
}

/// When a fault's first turn is counted from, if that is known yet: perhaps never.
fn foreseen(start: Start, known: &[Option<Vec<Turn>>]) -> Option<Option<SimTime>> {
    let (cue, nth) = match start {
        Start::Run => return Some(Some(SimTime::ZERO)),
        Start::After(cue, nth) => (cue, nth),
    };
    let (Cue::Onset(other) | Cue::Cleared(other)) = cue else { return None };
    let turns = known[other.index()].as_ref()?;
    let turn = (nth as usize).checked_sub(1).and_then(|index| turns.get(index));
    Some(turn.and_then(|turn| match cue {
        Cue::Cleared(_) => turn.clear,
        _ => Some(turn.onset),
    }))
}
