//! When a fault begins and ends: the turns it takes, from dice of its own. No clock, no queue:
//! the world and the calendar that `explain` prints ask the same questions.

use crate::model::cue::{Bound, Cue};
use crate::model::roster::Roster;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Problems;
use crate::sim::rng::{Label, Streams};
use crate::sim::time::{SimTime, Span};
use crate::world::plan::FaultPlan;

/// What the first turn of a fault is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start {
    /// The start of the run.
    Run,
    /// An event, when it happens for the so-manieth time.
    After(Bound, u32),
}

/// One turn of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// When it begins.
    pub onset: SimTime,
    /// When it ends, unless it is permanent.
    pub clear: Option<SimTime>,
}

/// The times of one fault in all trials.
pub(super) struct Timeline {
    pub start: Start,
    at: Dist,
    duration: Option<Dist>,
    pause: Option<Dist>,
    /// How many turns there are at most.
    times: u32,
    dice: Label,
}

impl Timeline {
    /// The times of a fault. An event that there is not is a problem.
    pub(super) fn new(fault: &FaultPlan, roster: &Roster, problems: &mut Problems) -> Timeline {
        let common = &fault.common;
        let start = common.after.as_ref().map_or(Start::Run, |after| {
            match Cue::parse(&after.text).and_then(|cue| cue.bind(roster)) {
                Some(cue) => Start::After(cue, common.nth),
                None => {
                    problems.add(&after.place, format!("there is no event `{}`", after.text));
                    Start::Run
                }
            }
        });
        let at_once = DistSpec::default();
        let repeat = common.repeat.as_ref();
        Timeline {
            start,
            at: Dist::new(common.at.as_ref().unwrap_or(&at_once)),
            duration: common.duration.as_ref().map(Dist::new),
            pause: repeat.map(|repeat| Dist::new(&repeat.pause)),
            times: repeat.map_or(1, |repeat| repeat.times.unwrap_or(u32::MAX)),
            dice: Label::new("fault").with(&fault.name),
        }
    }

    /// Turn `turn`, counted from 0: after the start, or after the end of the turn before. Nothing
    /// begins at the horizon or later, and what is not permanent has ended by then.
    pub(super) fn turn(
        &self,
        turn: u32,
        from: SimTime,
        streams: &Streams,
        horizon: SimTime,
    ) -> Option<Turn> {
        if turn >= self.times {
            return None;
        }
        let wait = if turn == 0 { Some(&self.at) } else { self.pause.as_ref() };
        let onset = from.saturating_add(self.draw(wait?, "at", turn, streams));
        if onset >= horizon {
            return None;
        }
        let lasts = self.duration.as_ref().map(|lasts| self.draw(lasts, "duration", turn, streams));
        let clear = lasts.map(|lasts| onset.saturating_add(lasts).min(horizon));
        Some(Turn { onset, clear })
    }

    /// The dice of the first turn have no number: a fault that learns to repeat begins as before.
    fn draw(&self, dist: &Dist, what: &str, turn: u32, streams: &Streams) -> Span {
        let label = self.dice.with(what);
        let label = if turn == 0 { label } else { label.with_index(u64::from(turn)) };
        dist.sample(&mut streams.stream(label))
    }

    /// All turns from there on: one begins when the one before has ended.
    pub(super) fn turns(
        &self,
        from: SimTime,
        streams: &Streams,
        horizon: SimTime,
    ) -> impl Iterator<Item = Turn> {
        let mut next = Some((0, from));
        std::iter::from_fn(move || {
            let (turn, from) = next?;
            let this = self.turn(turn, from, streams, horizon)?;
            next = this.clear.map(|clear| (turn + 1, clear));
            Some(this)
        })
    }
}
