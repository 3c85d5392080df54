//! The oracle: runs the judges over one stream of facts.

use crate::measure::settings::Settings;
use crate::measure::verdict::Verdict;
use crate::model::fact::{Fact, Observer};
use crate::model::roster::Roster;
use crate::sim::time::SimTime;

/// Judges one trial from its facts alone.
pub struct Oracle {
    roster: Roster,
}

impl Oracle {
    /// Judges ready for a trial of this roster.
    pub fn new(roster: &Roster, _settings: &Settings) -> Oracle {
        Oracle { roster: roster.clone() }
    }
    /// The verdict, `end` being the end of the run.
    pub fn verdict(self, _end: SimTime) -> Verdict {
        let _ = self.roster;
        Verdict {
            metrics: vec![],
            incidents: vec![],
            episodes: vec![],
            series: vec![],
            notes: vec![],
        }
    }
}

impl Observer for Oracle {
    fn on_fact(&mut self, _at: SimTime, _fact: &Fact) {}
}
