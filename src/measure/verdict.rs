//! What the judges say of one trial.

use crate::measure::metric::MetricKey;
use crate::measure::sample::Sample;
use crate::model::id::{FaultId, GroupId, NodeId};
use crate::sim::time::{SimTime, Span};

/// Everything judged of one trial.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Every metric, in an order that is the same for every trial of one roster.
    pub metrics: Vec<(MetricKey, Sample)>,
    /// Split-brain incidents, by start.
    pub incidents: Vec<Incident>,
    /// Episodes, by onset.
    pub episodes: Vec<Episode>,
    /// Operations over time, per store, region and kind.
    pub series: Vec<Series>,
    /// What the reader of this trial should know: where a bound was needed, and why.
    pub notes: Vec<String>,
}

impl Verdict {
    /// The sample of a metric, if this roster has it.
    pub fn get(&self, key: &MetricKey) -> Option<Sample> {
        self.metrics.iter().find(|(k, _)| k == key).map(|(_, sample)| *sample)
    }
}

/// One split-brain incident.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// The store.
    pub group: GroupId,
    /// The newer side's first answer.
    pub start: SimTime,
    /// The losing side's last answer.
    pub end: SimTime,
    /// Who answered on the side that survived.
    pub winners: Vec<NodeId>,
    /// Who answered on the other.
    pub losers: Vec<NodeId>,
    /// Conflicting answers of the winning side in the incident.
    pub answers_winner: u64,
    /// Conflicting answers of the losing side in the incident.
    pub answers_loser: u64,
    /// Keys written on both sides.
    pub keys_both: u64,
}

/// What opened an episode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The onset of a fault.
    Fault(FaultId),
    /// A failover that no fault explains.
    Failover(GroupId),
}

/// One disaster.
#[derive(Clone, PartialEq, Debug)]
pub struct Episode {
    /// When its first fault, or its failover, began.
    pub onset: SimTime,
    /// When service was restored; nothing if it never was.
    pub end: Option<SimTime>,
    /// What opened it.
    pub cause: Cause,
    /// The faults it took in.
    pub faults: Vec<FaultId>,
    /// Primaries authorised in it.
    pub authorised: Vec<(GroupId, NodeId, SimTime)>,
}

/// How many operations ended how, over time.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// The store.
    pub store: String,
    /// The clients' region.
    pub region: String,
    /// `read` or `write`.
    pub kind: &'static str,
    /// Length of one bin; the first begins at zero.
    pub bin: Span,
    /// Per bin, by when the client knew: ok, fail, unknown.
    pub bins: Vec<[u32; 3]>,
}
