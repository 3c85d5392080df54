//! A health checker: probes databases from where it stands, and says when it changes its mind.
//!
//! The phase of a target is uniform in the interval, so a target that dies is detected after
//! `U(0, I) + (K - 1) I + T` (interval `I`, threshold `K`, timeout `T`) when probes into it are
//! silent.

use crate::model::ctx::{Ctx, Input, Machine};
use crate::model::detect::HealthCheckParams;
use crate::model::detect::prober::{Finding, Prober};
use crate::model::fact::Claim;
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::model::msg::{ControlMsg, Msg};
use crate::sim::rng::Stream;

/// The next probe of a target (its number); the kind after it is a probe without an answer.
const PROBE: u16 = 1;

/// Whom a checker has spoken of.
#[derive(Clone, Debug)]
struct Subject {
    node: NodeId,
    /// True once the opinion has changed: before that nobody needs reminding.
    spoken: bool,
}

/// A health checker.
#[derive(Clone, Debug)]
pub struct Checker {
    group: GroupId,
    prober: Prober,
    /// By the number of the target.
    subjects: Vec<Subject>,
    report_to: Vec<ProcessId>,
    /// Numbers the reports. Kept over a crash, as if taken from a clock.
    next_report: u32,
}

impl Checker {
    /// A checker of `targets` (node and database), reporting to `report_to`. `group` only
    /// addresses its reports. One phase per target is drawn from `dice`.
    pub fn new(
        params: &HealthCheckParams,
        group: GroupId,
        targets: Vec<(NodeId, ProcessId)>,
        report_to: Vec<ProcessId>,
        dice: Stream,
    ) -> Checker {
        let subject = |target: &(NodeId, ProcessId)| Subject { node: target.0, spoken: false };
        let subjects = targets.iter().map(subject).collect();
        let databases = targets.into_iter().map(|(_, database)| (database, true));
        let prober = Prober::new(params.rhythm(), params.asks(), PROBE, databases, dice);
        Checker { group, prober, subjects, report_to, next_report: 0 }
    }
    /// What it says of a node: healthy until it says otherwise.
    pub fn says_healthy(&self, node: NodeId) -> bool {
        let which = self.subjects.iter().position(|subject| subject.node == node);
        which.is_none_or(|which| self.prober.healthy(which))
    }
    /// A probe ended, perhaps with a change of mind.
    fn found(&mut self, finding: Option<Finding>, ctx: &mut Ctx<'_>) {
        let Some(Finding { which, healthy, changed }) = finding else { return };
        let subject = &mut self.subjects[which];
        if let Some(streak) = changed {
            ctx.claim(Claim::Opinion { node: subject.node, healthy, streak });
            subject.spoken = true;
        }
        if subject.spoken {
            self.report(which, changed.is_some(), ctx);
        }
    }

    /// A change goes over the connection. With each later probe a datagram repeats the opinion,
    /// for a controller that was down when it was told.
    fn report(&mut self, which: usize, changed: bool, ctx: &mut Ctx<'_>) {
        self.next_report = self.next_report.wrapping_add(1);
        let (node, healthy) = (self.subjects[which].node, self.prober.healthy(which));
        let opinion = ControlMsg::Opinion { node, healthy, seq: self.next_report };
        for to in &self.report_to {
            if changed {
                ctx.send(*to, Msg::Control(self.group, opinion), 100);
            } else {
                ctx.cast(*to, Msg::Control(self.group, opinion));
            }
        }
    }
}

impl Machine for Checker {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.prober.start(ctx),
            Input::Timer(timer) => {
                let finding = self.prober.timer(timer, ctx);
                self.found(finding, ctx);
            }
            Input::Message { msg: Msg::Probe(probe), .. }
            | Input::Refused { msg: Msg::Probe(probe), .. } => {
                let finding = self.prober.hear(probe, ctx);
                self.found(finding, ctx);
            }
            Input::Reset { by } => {
                while let Some(finding) = self.prober.lost(by, ctx) {
                    self.found(Some(finding), ctx);
                }
            }
            _ => {}
        }
    }

    fn crash(&mut self, _disk_kept: bool) {
        self.prober.crash();
        self.subjects.iter_mut().for_each(|subject| subject.spoken = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ctx::Effect;
    use crate::model::detect::Sampling;
    use crate::model::log::Book;
    use crate::model::msg::ProbeMsg;
    use crate::sim::Span;
    use crate::sim::rng::{Label, Streams};
    use crate::sim::time::{LocalTime, WallTime};
    use std::collections::BTreeMap;

    const DATABASE: ProcessId = ProcessId(1);

    /// When a checker calls a target unhealthy that answers until `dies` and never again.
    fn detected(params: &HealthCheckParams, dies: LocalTime, trial: u64) -> LocalTime {
        let dice = Streams::new(7, trial).stream(Label::new("checker"));
        let targets = vec![(NodeId(0), DATABASE)];
        let mut checker = Checker::new(params, GroupId(0), targets, vec![], dice);
        let (book, mut timers) = (Book::new(0), BTreeMap::new());
        let (mut now, mut input) = (LocalTime::ZERO, Input::Start);
        loop {
            let mut effects = Vec::new();
            let wall = WallTime::ZERO;
            let mut ctx = Ctx::new(ProcessId(9), NodeId(9), now, wall, &book, &mut effects);
            checker.step(input, &mut ctx);
            let mut answer = None;
            for effect in effects {
                match effect {
                    Effect::SetTimer { timer, after } => {
                        timers.insert(timer, now.saturating_add(after));
                    }
                    Effect::CancelTimer(timer) => {
                        timers.remove(&timer);
                    }
                    Effect::Send { msg: Msg::Probe(ProbeMsg::Probe { seq, .. }), .. }
                        if now < dies =>
                    {
                        answer = Some(Msg::Probe(ProbeMsg::Alive { seq }));
                    }
                    Effect::Claim(Claim::Opinion { healthy: false, .. }) => return now,
                    _ => {}
                }
            }
            input = match answer {
                Some(msg) => Input::Message { from: DATABASE, msg },
                None => {
                    let next = timers.iter().min_by_key(|(_, due)| **due);
                    let (timer, due) = next.map(|(t, due)| (*t, *due)).expect("a timer");
                    timers.remove(&timer);
                    now = due;
                    Input::Timer(timer)
                }
            };
        }
    }

    /// The share of `sorted` below x differs from x by at most this (Kolmogorov-Smirnov).
    fn distance_from_uniform(sorted: &[f64]) -> f64 {
        let n = sorted.len() as f64;
        let gap =
            |(i, x): (usize, &f64)| (x - i as f64 / n).abs().max((x - (i + 1) as f64 / n).abs());
        sorted.iter().enumerate().map(gap).fold(0.0, f64::max)
    }

    #[test]
    fn detection_takes_a_uniform_share_of_the_interval_beyond_its_minimum() {
        // The second timeout is longer than the interval: several probes are under way at once.
        for (interval, timeout, threshold) in [(30, 4, 3), (10, 25, 3), (1, 1, 1)] {
            let (i, t) = (Span::from_secs(interval), Span::from_secs(timeout));
            let params = HealthCheckParams {
                request_interval: i,
                timeout: t,
                failure_threshold: threshold,
                ..HealthCheckParams::default()
            };
            let dies = LocalTime::ZERO.saturating_add(Span::from_secs(100));
            let least = i.saturating_mul(u64::from(threshold) - 1).saturating_add(t);
            let trials = 4000;
            let mut shares: Vec<f64> = (0..trials)
                .map(|trial| {
                    let took = detected(&params, dies, trial).since(dies);
                    assert!(took >= least && took <= least.saturating_add(i), "{took}");
                    (took - least).as_secs_f64() / i.as_secs_f64()
                })
                .collect();
            shares.sort_by(f64::total_cmp);
            // 1.95 / sqrt(n): exceeded by chance once in a thousand.
            assert!(distance_from_uniform(&shares) < 1.95 / (trials as f64).sqrt());
        }
    }

    /// A target that dies under a window of samples is unhealthy with the failure that leaves too
    /// few successes: of four samples that need two, the third.
    #[test]
    fn samples_are_counted_whatever_their_order() {
        for (size, successful, failures) in [(4, 2, 3), (4, 3, 2), (1, 1, 1), (64, 1, 64)] {
            let params = HealthCheckParams {
                request_interval: Span::from_secs(30),
                timeout: Span::from_secs(4),
                sampling: Some(Sampling { size, successful }),
                ..HealthCheckParams::default()
            };
            let dies = LocalTime::ZERO.saturating_add(Span::from_secs(100));
            let took = detected(&params, dies, 1).since(dies);
            let least = Span::from_secs(30 * (failures - 1) + 4);
            assert!(took >= least && took <= least.saturating_add(Span::from_secs(30)), "{took}");
        }
    }
}
