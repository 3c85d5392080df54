//! When a fault begins and ends: the turns it takes, from dice of its own. No clock, no queue:
//! the world and the calendar that `explain` prints ask the same questions.

use crate::model::cue::{Bound, Cue};
use crate::model::roster::Roster;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Problems;
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::{SimTime, Span};
use crate::world::fault::{Backbone, FaultCommon};

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
    /// Nothing begins before that, counted from the start.
    grace: Span,
    lengths: Lengths,
    /// How many turns there are at most.
    times: u32,
    dice: Label,
}

/// How long each part of a turn takes.
enum Lengths {
    /// Until the first begins, while it lasts, until the next.
    Stated { at: Dist, duration: Option<Dist>, pause: Option<Dist> },
    /// Exponential, with means that are drawn once a trial.
    Backbone(Backbone),
}

impl Lengths {
    fn stated(common: &FaultCommon) -> Lengths {
        let duration = common.duration.as_ref().map(Dist::new);
        let exponential = |mean: Span| Dist::new(&DistSpec::exponential(mean));
        let Some(rate) = &common.rate else {
            let at = common.at.as_ref().map_or(Dist::new(&DistSpec::default()), Dist::new);
            let pause = common.repeat.as_ref().map(|repeat| Dist::new(&repeat.pause));
            return Lengths::Stated { at, duration, pause };
        };
        if let Some(backbone) = rate.backbone {
            return Lengths::Backbone(backbone);
        }
        let mtbf = exponential(rate.mtbf.unwrap_or(Span::MAX));
        let duration = duration.or(rate.mttr.map(exponential));
        Lengths::Stated { at: mtbf.clone(), duration, pause: Some(mtbf) }
    }
}

impl Timeline {
    /// The times of a fault, or of an operator. An event that there is not is a problem.
    pub(super) fn new(
        dice: Label,
        common: &FaultCommon,
        roster: &Roster,
        problems: &mut Problems,
    ) -> Timeline {
        let warmup = roster.warmup.since(SimTime::ZERO);
        let start = common.after.as_ref().map_or(Start::Run, |after| {
            match Cue::parse(&after.text).and_then(|cue| cue.bind(roster)) {
                Some(cue) => Start::After(cue, common.nth),
                None => {
                    problems.add(&after.place, format!("there is no event `{}`", after.text));
                    Start::Run
                }
            }
        });
        let (repeat, rate) = (common.repeat.as_ref(), common.rate.as_ref());
        let often = || repeat.map_or(1, |repeat| repeat.times.unwrap_or(u32::MAX));
        Timeline {
            start,
            grace: if rate.is_some() { warmup } else { Span::ZERO },
            lengths: Lengths::stated(common),
            times: if rate.is_some() { u32::MAX } else { often() },
            dice,
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
        let grace = if turn == 0 { self.grace } else { Span::ZERO };
        let onset = from.saturating_add(grace).saturating_add(self.wait(turn, streams)?);
        if onset >= horizon {
            return None;
        }
        let clear = self.lasts(turn, streams).map(|lasts| onset.saturating_add(lasts).min(horizon));
        Some(Turn { onset, clear })
    }

    /// How long it is until a turn begins; nothing when there is no such turn.
    fn wait(&self, turn: u32, streams: &Streams) -> Option<Span> {
        let mut dice = self.dice("at", turn, streams);
        match &self.lengths {
            Lengths::Stated { at, .. } if turn == 0 => Some(at.sample(&mut dice)),
            Lengths::Stated { pause, .. } => pause.as_ref().map(|pause| pause.sample(&mut dice)),
            Lengths::Backbone(backbone) => {
                Some(dice.exponential(backbone.means(self.rank(streams)).0))
            }
        }
    }

    /// How long a turn lasts; nothing when it is permanent.
    fn lasts(&self, turn: u32, streams: &Streams) -> Option<Span> {
        let mut dice = self.dice("duration", turn, streams);
        match &self.lengths {
            Lengths::Stated { duration, .. } => {
                duration.as_ref().map(|dist| dist.sample(&mut dice))
            }
            Lengths::Backbone(backbone) => {
                Some(dice.exponential(backbone.means(self.rank(streams)).1))
            }
        }
    }

    /// Which of all links or edges it is in this trial.
    fn rank(&self, streams: &Streams) -> f64 {
        streams.stream(self.dice.with("rank")).unit()
    }

    /// The dice of the first turn have no number: a fault that learns to repeat begins as before.
    fn dice(&self, what: &str, turn: u32, streams: &Streams) -> Stream {
        let label = self.dice.with(what);
        streams.stream(if turn == 0 { label } else { label.with_index(u64::from(turn)) })
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
