//! Entries of a history, one by one and folded.

use crate::model::fact::Outcome;
use crate::model::id::OpId;
use crate::sim::time::SimTime;

/// What became of an entry's write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Under way.
    #[default]
    Pending,
    /// Acknowledged.
    Acked,
    /// Ended, and not ok.
    NotOk,
    /// Nothing is known of it: no client's, or forgotten long ago.
    Foreign,
    /// Appended more than once; judged by itself.
    Twin,
}

impl State {
    /// The state of a write that ended so, or not yet.
    pub fn of(outcome: Option<Outcome>) -> State {
        match outcome {
            None => State::Pending,
            Some(Outcome::Ok) => State::Acked,
            Some(_) => State::NotOk,
        }
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The write.
    pub op: OpId,
    /// When it was last answered with success before it ended; `MAX` where it never was.
    pub answered: SimTime,
    /// What became of it.
    pub state: State,
}

impl Entry {
    /// An entry of nobody.
    pub fn foreign() -> Entry {
        Entry { op: OpId::default(), answered: SimTime::MAX, state: State::Foreign }
    }
}

/// Acknowledged writes answered between two neighbouring marks, so that all of them fall on the
/// same side of any onset.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    epoch: usize,
    /// How many.
    pub count: u64,
    /// The first answer.
    pub first: SimTime,
    /// The last answer.
    pub last: SimTime,
}

/// What became of a run of entries.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The acknowledged ones.
    pub acked: Vec<Part>,
    /// How many ended not ok.
    pub not_ok: u64,
}

impl Tally {
    /// Adds an entry. `marks` are the times at which the cause of a loss may change.
    #[inline]
    pub fn add(&mut self, entry: &Entry, marks: &[SimTime]) {
        match entry.state {
            State::Acked => {
                let at = entry.answered;
                let epoch = match marks.last() {
                    Some(last) if *last <= at => marks.len(),
                    _ => marks.partition_point(|mark| *mark <= at),
                };
                match self.acked.iter_mut().rfind(|part| part.epoch == epoch) {
                    Some(part) => {
                        part.count += 1;
                        part.first = part.first.min(at);
                        part.last = part.last.max(at);
                    }
                    None => self.acked.push(Part { epoch, count: 1, first: at, last: at }),
                }
            }
            State::NotOk => self.not_ok += 1,
            State::Pending | State::Foreign | State::Twin => {}
        }
    }

    /// Takes one write of that state out again, and tells when it may have been answered.
    pub fn take(&mut self, state: State) -> SimTime {
        match (state, self.acked.iter_mut().rfind(|part| part.count > 0)) {
            (State::Acked, Some(part)) => {
                part.count -= 1;
                part.last
            }
            (State::NotOk, _) => {
                self.not_ok = self.not_ok.saturating_sub(1);
                SimTime::MAX
            }
            _ => SimTime::MAX,
        }
    }
}
