//! Elections of a store's leader: how many, how long they took, how long there was no leader.

use crate::model::id::Term;
use crate::sim::time::{SimTime, Span};

/// Watches who is elected in one group.
#[derive(Clone, Debug, Default)]
pub struct Elections {
    /// Leaders elected after the first.
    pub count: u64,
    /// The latest term that had a leader.
    pub term: Option<Term>,
    /// The latest onset of a fault that no election has followed yet.
    onset: Option<SimTime>,
    /// The longest time from there to the next leader.
    pub slowest: Option<Span>,
    vacant_since: Option<SimTime>,
    /// Time, after the first leader, in which nobody who ran took writes.
    pub vacant: Span,
}

impl Elections {
    /// A fault began.
    pub fn fault(&mut self, now: SimTime) {
        self.onset = self.term.map(|_| now);
    }

    /// A leader began to write in a new term.
    pub fn elected(&mut self, term: Term, now: SimTime) {
        if self.term.replace(term).is_some() {
            self.count += 1;
        }
        if let Some(onset) = self.onset.take() {
            let took = now.since(onset);
            self.slowest = Some(self.slowest.unwrap_or(took).max(took));
        }
    }

    /// Somebody who runs takes writes, or nobody does.
    pub fn look(&mut self, vacant: bool, now: SimTime) {
        match (vacant, self.vacant_since) {
            (true, None) if self.term.is_some() => self.vacant_since = Some(now),
            (false, Some(_)) => self.end(now),
            _ => {}
        }
    }

    /// The run is over, or there is a leader.
    pub fn end(&mut self, now: SimTime) {
        if let Some(since) = self.vacant_since.take() {
            self.vacant += now.since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn an_election_lasts_from_the_latest_fault_to_the_next_leader() {
        let mut elections = Elections::default();
        elections.fault(at(1));
        elections.elected(Term(1), at(2));
        assert_eq!((elections.count, elections.slowest), (0, None), "the first has no fault");
        elections.fault(at(10));
        elections.fault(at(12));
        elections.look(true, at(12));
        elections.elected(Term(4), at(15));
        elections.look(false, at(15));
        elections.elected(Term(5), at(30));
        assert_eq!((elections.count, elections.term), (2, Some(Term(5))));
        assert_eq!(elections.slowest, Some(Span::from_secs(3)), "the last had no fault");
        elections.look(true, at(40));
        elections.end(at(41));
        assert_eq!(elections.vacant, Span::from_secs(4));
    }
}
