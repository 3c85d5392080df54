//! Episodes: what one reads as "the disaster".
//!
//! Opened by a fault's onset, or by the beginning of a failover that no fault explains. Takes in what begins
//! before service is restored. Closed once nothing bad has been seen for the stable hold, and
//! some node admits writes; it then ends at the last bad thing seen. A fault that has had no
//! effect yet keeps its episode open while it acts, and one that never clears does so for the
//! hold.
//!
//! Where the scenario names a fault, an episode begins when that fault does and with nothing
//! else: it is the disaster, and what else happens is its weather.

use crate::measure::verdict::{Cause, Episode};
use crate::model::id::{FaultId, GroupId, NodeId};
use crate::sim::time::{SimTime, Span};

/// The episodes of one trial.
pub struct Episodes {
    hold: Span,
    /// The fault that alone opens one, where the scenario names it.
    named: Option<FaultId>,
    list: Vec<Episode>,
    /// The end of the last bad thing seen in the open episode.
    last_bad: SimTime,
    effect: bool,
    open: bool,
}

impl Episodes {
    /// None yet. Only `named` opens one, where there is such a fault.
    pub fn new(hold: Span, named: Option<FaultId>) -> Episodes {
        let (list, last_bad) = (Vec::new(), SimTime::ZERO);
        Episodes { hold, named, list, last_bad, effect: false, open: false }
    }

    /// All so far.
    pub fn list(&self) -> &[Episode] {
        &self.list
    }

    /// The onset of the episode under way.
    pub fn onset(&self) -> Option<SimTime> {
        if self.open { self.list.last().map(|episode| episode.onset) } else { None }
    }

    /// The episode under way.
    fn open(&mut self) -> Option<&mut Episode> {
        if self.open { self.list.last_mut() } else { None }
    }

    /// The faults that the episode under way took in.
    pub fn faults(&self) -> &[FaultId] {
        if self.open { self.list.last().map_or(&[], |episode| &episode.faults) } else { &[] }
    }

    /// How far the episode under way certainly goes.
    pub fn reaches(&self) -> SimTime {
        self.last_bad
    }

    fn begin(&mut self, cause: Cause, at: SimTime) -> bool {
        if self.open {
            self.last_bad = self.last_bad.max(at);
            return false;
        }
        if self.named.is_some_and(|named| cause != Cause::Fault(named)) {
            return false;
        }
        let (faults, authorised) = (Vec::new(), Vec::new());
        self.list.push(Episode { onset: at, end: None, cause, faults, authorised });
        (self.open, self.effect, self.last_bad) = (true, false, at);
        true
    }

    /// A fault began. Tells whether it opened an episode.
    pub fn fault(&mut self, fault: FaultId, at: SimTime) -> bool {
        let fresh = self.begin(Cause::Fault(fault), at);
        if let Some(episode) = self.open() {
            episode.faults.push(fault);
        }
        fresh
    }

    /// A fault ended. One that had no effect made its episode until now.
    pub fn cleared(&mut self, at: SimTime) {
        if self.open && !self.effect {
            self.last_bad = self.last_bad.max(at);
        }
    }

    /// The right to be a group's primary is being taken from somebody. Tells whether that opened
    /// an episode.
    pub fn withdrawn(&mut self, group: GroupId, at: SimTime) -> bool {
        self.begin(Cause::Failover(group), at)
    }

    /// A group's primary changed. Tells whether that opened an episode.
    pub fn failover(&mut self, group: GroupId, to: NodeId, at: SimTime) -> bool {
        let fresh = self.begin(Cause::Failover(group), at);
        if let Some(episode) = self.open() {
            episode.authorised.push((group, to, at));
            self.effect = true;
        }
        fresh
    }

    /// Service was bad until `end`.
    pub fn bad(&mut self, end: SimTime) {
        if let Some(onset) = self.onset()
            && end > onset
        {
            self.last_bad = self.last_bad.max(end);
            self.effect = true;
        }
    }

    /// Everything up to `seen` has been looked at. Closes the episode if it is over, and then
    /// tells its end.
    pub fn close(&mut self, seen: SimTime, fault_acts: bool, vacant: bool) -> Option<SimTime> {
        if !self.open {
            return None;
        }
        if vacant || (fault_acts && !self.effect) {
            self.last_bad = self.last_bad.max(seen);
        }
        if seen < self.last_bad.saturating_add(self.hold) {
            return None;
        }
        self.open = false;
        let end = self.last_bad;
        if let Some(episode) = self.list.last_mut() {
            episode.end = Some(end);
        }
        Some(end)
    }

    /// The run is over. An episode under way ends with the last bad thing seen, unless service
    /// is still bad.
    pub fn finish(&mut self, still_bad: bool) {
        if self.open
            && !still_bad
            && let Some(episode) = self.list.last_mut()
        {
            episode.end = Some(self.last_bad);
        }
    }
}
