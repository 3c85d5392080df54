//! Writes that were appended more than once: a retry that reached another primary, or the same
//! one of a store that does not recognise it. They are judged by themselves, not by their
//! entries.
//!
//! Their number is that of retries which were applied again, a rare thing in a store that
//! recognises them.

use crate::measure::history::History;
use crate::measure::ops::{Op, Place};
use crate::measure::tally::State;
use crate::model::id::{ClientId, OpId};
use crate::sim::time::SimTime;
use std::collections::BTreeMap;

/// A write that was appended more than once.
#[derive(Debug, Default)]
pub struct Twin {
    /// Where, and when it was last answered there.
    pub places: Vec<(Place, SimTime)>,
    /// How it ended.
    pub state: State,
}

/// How many writes of one population stand more than once in a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Doubled {
    /// All of them.
    pub all: u64,
    /// Those that the client knows to have happened.
    pub acknowledged: u64,
}

impl History {
    /// The write stands in more than one place: it is judged by itself, not by its entries.
    #[cold]
    pub(super) fn append_again(&mut self, id: OpId, op: &Op, place: Place) {
        let state = State::of(op.outcome);
        if !self.twins.contains_key(&id) {
            let branch = &mut self.branches[op.entry.branch as usize];
            let answered = match branch.entry(op.entry.index) {
                Some(entry) => {
                    entry.state = State::Twin;
                    entry.answered
                }
                None => {
                    let at = branch.blocks.partition_point(|b| b.last < op.entry.index);
                    branch.blocks.get_mut(at).map_or(SimTime::MAX, |b| b.tally.take(state))
                }
            };
            self.twins.insert(id, Twin { places: vec![(op.entry, answered)], state });
        }
        if let Some(twin) = self.twins.get_mut(&id) {
            twin.places.push((place, SimTime::MAX));
        }
        if let Some(entry) = self.branches[place.branch as usize].entry(place.index) {
            entry.state = State::Twin;
        }
    }

    /// A node answered such a write, or one whose entry was folded.
    #[cold]
    pub(super) fn twin_answered(&mut self, id: OpId, place: Place, now: SimTime) {
        let Some(twin) = self.twins.get_mut(&id) else { return };
        if twin.state == State::Pending {
            for (at, answered) in &mut twin.places {
                if *at == place {
                    *answered = now;
                }
            }
        }
    }

    /// Such a write ended, or one whose entry was folded.
    #[cold]
    pub(super) fn twin_concluded(&mut self, id: OpId, state: State) {
        if let Some(twin) = self.twins.get_mut(&id) {
            twin.state = state;
        }
    }

    /// The writes that stand more than once in the history that ends at `end`, by population.
    pub fn doubled(&self, end: Place) -> BTreeMap<ClientId, Doubled> {
        let mut found: BTreeMap<ClientId, Doubled> = BTreeMap::new();
        for (id, twin) in &self.twins {
            let there = |place: &Place| self.reach(end, place.branch as usize) >= place.index;
            if twin.places.iter().filter(|(place, _)| there(place)).count() > 1 {
                let doubled = found.entry(id.client()).or_default();
                doubled.all += 1;
                doubled.acknowledged += u64::from(twin.state == State::Acked);
            }
        }
        found
    }
}
