//! The phases of a failover, as its participants report them.
//!
//! The only file of this room that reads claims. Its metrics are marked self-reported: they
//! explain a realised RTO, they never make one, and need not add up to it.

use crate::measure::metric::MetricKey;
use crate::measure::sample::Sample;
use crate::model::fact::{Claim, Fact, FailoverStep, Observer};
use crate::model::id::{GroupId, NodeId};
use crate::model::roster::Roster;
use crate::sim::time::SimTime;

/// Listens to the steps of failovers.
pub struct Phases {
    stores: Vec<(GroupId, String)>,
    onset: Option<SimTime>,
    runs: Vec<Run>,
}

/// One failover of one group, as one node reported it so far: several may race.
struct Run {
    group: GroupId,
    by: NodeId,
    onset: Option<SimTime>,
    steps: Vec<(FailoverStep, SimTime)>,
}

impl Run {
    fn ended(&self) -> bool {
        matches!(self.steps.last(), Some((FailoverStep::Done | FailoverStep::Abandoned, _)))
    }
    fn done(&self) -> bool {
        matches!(self.steps.last(), Some((FailoverStep::Done, _)))
    }
    /// From the first to the first later report of a step after `until`; nothing where a step
    /// was skipped.
    fn length(&self, from: FailoverStep, after: FailoverStep) -> Option<f64> {
        let start = self.steps.iter().find(|(step, _)| *step >= from && *step <= after)?.1;
        let end = self.steps.iter().find(|(step, at)| *step > after && *at >= start)?.1;
        Some(end.since(start).as_secs_f64())
    }
}

impl Phases {
    /// Ready for a trial of this roster.
    pub fn new(roster: &Roster) -> Phases {
        let stores = roster.groups.iter().enumerate().filter(|(_, group)| group.is_store);
        let stores = stores.map(|(i, group)| (GroupId::of(i), group.name.clone())).collect();
        Phases { stores, onset: None, runs: Vec::new() }
    }

    /// The phases of each store's first failover that was finished, in a fixed order; missing
    /// where there was none.
    pub fn metrics(&self) -> Vec<(MetricKey, Sample)> {
        use FailoverStep::{
            Approve, CoolDown, Declared, Drain, Fence, Promote, Route, StopTraffic, Suspected,
        };
        const PHASES: [(&str, FailoverStep, FailoverStep); 6] = [
            ("phase.decide", Suspected, CoolDown),
            ("phase.approve", Approve, Approve),
            ("phase.drain", StopTraffic, Drain),
            ("phase.fence", Fence, Fence),
            ("phase.promote", Promote, Promote),
            ("phase.route", Route, Route),
        ];
        let mut metrics = Vec::new();
        for (group, name) in &self.stores {
            let run = self.runs.iter().find(|run| run.group == *group && run.done());
            let mut push = |metric: &'static str, value: Option<f64>| {
                let mut key = MetricKey::new(metric);
                if self.stores.len() > 1 {
                    key = key.with("store", name);
                }
                metrics.push((key, value.map_or(Sample::Missing, Sample::Value)));
            };
            let detected = run.and_then(|run| {
                let seen = run.steps.iter().find(|(step, _)| *step <= Declared)?.1;
                Some(seen.since(run.onset?).as_secs_f64())
            });
            push("phase.detect", detected);
            for (metric, from, after) in PHASES {
                push(metric, run.and_then(|run| run.length(from, after)));
            }
        }
        metrics
    }
}

impl Observer for Phases {
    #[inline]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        if let Fact::Onset { .. } = fact {
            // A later fault does not move the start of a failover already under way.
            self.onset = Some(at);
        }
    }

    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        let Claim::Step(group, step) = *claim else { return };
        let same = |run: &&mut Run| (run.group, run.by) == (group, by) && !run.ended();
        let open = self.runs.iter_mut().rev().find(same);
        match open {
            // A second suspicion restarts the count: the first came to nothing.
            Some(run) if matches!(step, FailoverStep::Suspected | FailoverStep::Race) => {
                run.steps.clear();
                run.steps.push((step, at));
                run.onset = self.onset;
            }
            Some(run) => run.steps.push((step, at)),
            None => {
                let run = Run { group, by, onset: self.onset, steps: vec![(step, at)] };
                self.runs.push(run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::FaultId;
    use crate::model::roster::GroupEntry;

    fn told(phases: &Phases) -> Vec<(&'static str, f64)> {
        phases.metrics().iter().filter_map(|(k, v)| Some((k.name, v.value()?))).collect()
    }

    fn at(s: u64) -> SimTime {
        SimTime::from_nanos(s * 1_000_000_000)
    }

    fn listener() -> Phases {
        let group = GroupEntry {
            name: "orders".to_string(),
            is_store: true,
            members: vec![NodeId(0), NodeId(1)],
            in_memory: false,
            acks: 0,
            elects: false,
            cuts_disks: false,
            ring: None,
        };
        Phases::new(&Roster { groups: vec![group], ..Roster::default() })
    }

    #[test]
    fn the_winner_of_a_race_tells_its_phases_and_the_loser_none() {
        use FailoverStep::*;
        let mut phases = listener();
        phases.on_fact(at(100), &Fact::Onset { fault: FaultId(0) });
        let told_by =
            |node: u16, s: u64, step| (at(s), NodeId(node), Claim::Step(GroupId(0), step));
        let all = [
            told_by(1, 125, Race),
            told_by(2, 126, Race),
            told_by(1, 127, Promote),
            told_by(2, 128, Abandoned),
            told_by(1, 130, Route),
            told_by(1, 132, Done),
        ];
        for (at, by, claim) in all {
            phases.on_claim(at, by, &claim);
        }
        assert_eq!(
            told(&phases),
            [
                ("phase.detect", 25.0),
                ("phase.decide", 2.0),
                ("phase.promote", 3.0),
                ("phase.route", 2.0),
            ]
        );
    }

    #[test]
    fn a_failover_is_told_phase_by_phase() {
        let mut phases = listener();
        phases.on_fact(at(100), &Fact::Onset { fault: FaultId(0) });
        use FailoverStep::*;
        let steps = [(129, Suspected), (133, Declared), (133, StopTraffic), (134, Drain)];
        let rest = [(136, Fence), (136, Promote), (140, Route), (143, Done)];
        for (s, step) in steps.into_iter().chain(rest) {
            phases.on_claim(at(s), NodeId(2), &Claim::Step(GroupId(0), step));
        }
        assert_eq!(
            told(&phases),
            [
                ("phase.detect", 29.0),
                ("phase.decide", 4.0),
                ("phase.drain", 3.0),
                ("phase.fence", 0.0),
                ("phase.promote", 4.0),
                ("phase.route", 3.0),
            ]
        );
    }
}
