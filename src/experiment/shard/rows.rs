//! What a shard keeps of a trial, as it stands in the file.

use crate::experiment::{Total, Trial};
use crate::measure::verdict::Cause;
use crate::measure::{Episode, Incident, Sample, Series};
use crate::model::id::{FaultId, GroupId, NodeId};
use crate::report::csv::cell;
use crate::sim::time::{SimTime, Span};
use crate::world::Finish;
use serde::{Deserialize, Serialize};

/// A trial.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TrialRow {
    trial: u64,
    at: u64,
    events: u64,
    facts: u64,
    fingerprint: u64,
    halted: bool,
    samples: Vec<String>,
    incidents: Vec<IncidentRow>,
    episodes: Vec<EpisodeRow>,
    notes: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct IncidentRow {
    group: u16,
    start: u64,
    end: u64,
    winners: Vec<u16>,
    losers: Vec<u16>,
    answers: (u64, u64),
    keys_both: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct EpisodeRow {
    onset: u64,
    end: Option<u64>,
    by_fault: bool,
    cause: u16,
    faults: Vec<u16>,
    authorised: Vec<(u16, u16, u64)>,
}

/// A time series summed over trials.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TotalRow {
    store: String,
    region: String,
    kind: String,
    bin: u64,
    bins: Vec<[u64; 3]>,
}

fn at(nanos: u64) -> SimTime {
    SimTime::ZERO + Span::from_nanos(nanos)
}

fn nodes(numbers: &[u16]) -> Vec<NodeId> {
    numbers.iter().map(|n| NodeId(*n)).collect()
}

fn numbers(nodes: &[NodeId]) -> Vec<u16> {
    nodes.iter().map(|node| node.0).collect()
}

impl TrialRow {
    pub(super) fn new(trial: &Trial) -> TrialRow {
        let Finish { at, events, facts, fingerprint, halted } = trial.finish;
        TrialRow {
            trial: trial.trial,
            at: at.as_nanos(),
            events,
            facts,
            fingerprint,
            halted,
            samples: trial.samples.iter().map(cell).collect(),
            incidents: trial.incidents.iter().map(IncidentRow::new).collect(),
            episodes: trial.episodes.iter().map(EpisodeRow::new).collect(),
            notes: trial.notes.clone(),
        }
    }

    pub(super) fn trial(&self) -> Result<Trial, String> {
        let TrialRow { trial, events, facts, fingerprint, halted, .. } = *self;
        let samples: Option<Vec<Sample>> = self.samples.iter().map(|text| sample(text)).collect();
        Ok(Trial {
            trial,
            finish: Finish { at: at(self.at), events, facts, fingerprint, halted },
            samples: samples.ok_or_else(|| format!("trial {trial} has a sample that is none"))?,
            incidents: self.incidents.iter().map(IncidentRow::incident).collect(),
            episodes: self.episodes.iter().map(EpisodeRow::episode).collect(),
            notes: self.notes.clone(),
        })
    }
}

/// Reads a sample as `trials.csv` writes it.
pub fn sample(text: &str) -> Option<Sample> {
    let number = |text: &str| text.parse::<f64>().ok();
    if text.is_empty() {
        Some(Sample::Missing)
    } else if let Some(rest) = text.strip_prefix('>') {
        number(rest).map(Sample::Censored)
    } else if let Some((low, high)) = text.split_once("..") {
        Some(Sample::Bounds { low: number(low)?, high: number(high)? })
    } else {
        number(text).map(Sample::Value)
    }
}

impl IncidentRow {
    fn new(incident: &Incident) -> IncidentRow {
        IncidentRow {
            group: incident.group.0,
            start: incident.start.as_nanos(),
            end: incident.end.as_nanos(),
            winners: numbers(&incident.winners),
            losers: numbers(&incident.losers),
            answers: (incident.answers_winner, incident.answers_loser),
            keys_both: incident.keys_both,
        }
    }
    fn incident(&self) -> Incident {
        Incident {
            group: GroupId(self.group),
            start: at(self.start),
            end: at(self.end),
            winners: nodes(&self.winners),
            losers: nodes(&self.losers),
            answers_winner: self.answers.0,
            answers_loser: self.answers.1,
            keys_both: self.keys_both,
        }
    }
}

impl EpisodeRow {
    fn new(episode: &Episode) -> EpisodeRow {
        let (by_fault, cause) = match episode.cause {
            Cause::Fault(fault) => (true, fault.0),
            Cause::Failover(group) => (false, group.0),
        };
        let told =
            |(group, node, when): &(GroupId, NodeId, SimTime)| (group.0, node.0, when.as_nanos());
        EpisodeRow {
            onset: episode.onset.as_nanos(),
            end: episode.end.map(SimTime::as_nanos),
            by_fault,
            cause,
            faults: episode.faults.iter().map(|fault| fault.0).collect(),
            authorised: episode.authorised.iter().map(told).collect(),
        }
    }
    fn episode(&self) -> Episode {
        let cause = match self.by_fault {
            true => Cause::Fault(FaultId(self.cause)),
            false => Cause::Failover(GroupId(self.cause)),
        };
        let told =
            |(group, node, when): &(u16, u16, u64)| (GroupId(*group), NodeId(*node), at(*when));
        Episode {
            onset: at(self.onset),
            end: self.end.map(at),
            cause,
            faults: self.faults.iter().map(|fault| FaultId(*fault)).collect(),
            authorised: self.authorised.iter().map(told).collect(),
        }
    }
}

impl TotalRow {
    pub(super) fn new(total: &Total) -> TotalRow {
        let Series { store, region, kind, bin, .. } = &total.of;
        TotalRow {
            store: store.clone(),
            region: region.clone(),
            kind: kind.to_string(),
            bin: bin.as_nanos(),
            bins: total.bins.clone(),
        }
    }
    pub(super) fn total(&self) -> Result<Total, String> {
        let known = ["read", "write"].into_iter().find(|word| *word == self.kind);
        let kind = known.ok_or_else(|| format!("`{}` is no kind of operation", self.kind))?;
        let bin = Span::from_nanos(self.bin);
        let (store, region) = (self.store.clone(), self.region.clone());
        let of = Series { store, region, kind, bin, bins: Vec::new() };
        Ok(Total { of, bins: self.bins.clone() })
    }
}
