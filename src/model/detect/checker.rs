//! A health checker: probes databases from where it stands, and says when it changes its mind.
//!
//! The phase of a target is uniform in the interval, so a target that dies is detected after
//! `U(0, I) + (K - 1) I + T` (interval `I`, threshold `K`, timeout `T`) when probes into it are
//! silent.

use crate::model::ctx::{Ctx, Input, Machine, Timer};
use crate::model::detect::HealthCheckParams;
use crate::model::fact::Claim;
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::model::msg::{ControlMsg, Msg, ProbeMsg};
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;

/// The next probe of a target (its number).
pub const PROBE: u16 = 1;
/// A probe (its sequence number) was not answered in time.
pub const TIMEOUT: u16 = 2;

/// What a checker knows of one target.
#[derive(Clone, Debug)]
struct Target {
    node: NodeId,
    database: ProcessId,
    phase: Span,
    last_probe: LocalTime,
    healthy: bool,
    /// Results in a row that contradict `healthy`.
    streak: u32,
    /// True once the opinion has changed: before that nobody needs reminding.
    spoken: bool,
}

/// A health checker.
#[derive(Clone, Debug)]
pub struct Checker {
    interval: Span,
    fast: Span,
    timeout: Span,
    failure_threshold: u32,
    recovery_threshold: u32,
    group: GroupId,
    targets: Vec<Target>,
    report_to: Vec<ProcessId>,
    /// Probes under way: sequence number and target.
    under_way: Vec<(u32, usize)>,
    next_probe: u32,
    /// Numbers the reports. Kept over a crash, as if taken from a clock.
    next_report: u32,
}

impl Checker {
    /// A checker of `targets` (node and database), reporting to the controllers `report_to`.
    /// `group` only addresses its reports. One phase per target is drawn from `dice`.
    pub fn new(
        params: &HealthCheckParams,
        group: GroupId,
        targets: Vec<(NodeId, ProcessId)>,
        report_to: Vec<ProcessId>,
        mut dice: Stream,
    ) -> Checker {
        let mut target = |(node, database)| Target {
            node,
            database,
            phase: Span::from_nanos(dice.below(params.request_interval.as_nanos().max(1))),
            last_probe: LocalTime::ZERO,
            healthy: true,
            streak: 0,
            spoken: false,
        };
        Checker {
            interval: params.request_interval,
            fast: params.fast_interval.unwrap_or(params.request_interval),
            timeout: params.timeout,
            failure_threshold: params.failure_threshold,
            recovery_threshold: params.recovery_threshold,
            group,
            targets: targets.into_iter().map(&mut target).collect(),
            report_to,
            under_way: Vec::new(),
            next_probe: 0,
            next_report: 0,
        }
    }
    /// What it says of a node: healthy until it says otherwise.
    pub fn says_healthy(&self, node: NodeId) -> bool {
        self.targets.iter().find(|t| t.node == node).is_none_or(|t| t.healthy)
    }

    fn probe(&mut self, which: usize, ctx: &mut Ctx<'_>) {
        self.next_probe = self.next_probe.wrapping_add(1);
        let seq = self.next_probe;
        let target = &mut self.targets[which];
        target.last_probe = ctx.now();
        let interval = if target.streak > 0 { self.fast } else { self.interval };
        self.under_way.push((seq, which));
        ctx.cast(target.database, Msg::Probe(ProbeMsg::Probe { seq }));
        ctx.set_timer(Timer::nth(TIMEOUT, seq), self.timeout);
        ctx.set_timer(Timer::nth(PROBE, which as u32), interval);
    }

    /// A probe ended. Late answers and stale timers name a probe that is no longer under way.
    fn ended(&mut self, seq: u32, success: bool, ctx: &mut Ctx<'_>) {
        let Some(i) = self.under_way.iter().position(|(s, _)| *s == seq) else { return };
        let (_, which) = self.under_way.remove(i);
        ctx.cancel_timer(Timer::nth(TIMEOUT, seq));
        self.judge(which, success, ctx);
    }

    fn judge(&mut self, which: usize, success: bool, ctx: &mut Ctx<'_>) {
        let target = &mut self.targets[which];
        let was_changing = target.streak > 0;
        target.streak = if success == target.healthy { 0 } else { target.streak + 1 };
        let threshold =
            if target.healthy { self.failure_threshold } else { self.recovery_threshold };
        let changed = target.streak >= threshold.max(1);
        if changed {
            let (node, healthy, streak) = (target.node, success, target.streak);
            ctx.claim(Claim::Opinion { node, healthy, streak });
            target.healthy = success;
            target.streak = 0;
            target.spoken = true;
        }
        if was_changing != (target.streak > 0) && self.fast != self.interval {
            let interval = if target.streak > 0 { self.fast } else { self.interval };
            let due = target.last_probe.saturating_add(interval);
            ctx.set_timer(Timer::nth(PROBE, which as u32), due.since(ctx.now()));
        }
        if self.targets[which].spoken {
            self.report(which, changed, ctx);
        }
    }

    /// A change goes over the connection. With each later probe a datagram repeats the opinion,
    /// for a controller that was down when it was told.
    fn report(&mut self, which: usize, changed: bool, ctx: &mut Ctx<'_>) {
        self.next_report = self.next_report.wrapping_add(1);
        let (node, healthy) = (self.targets[which].node, self.targets[which].healthy);
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
            Input::Start => {
                for (i, target) in self.targets.iter().enumerate() {
                    ctx.set_timer(Timer::nth(PROBE, i as u32), target.phase);
                }
            }
            Input::Timer(Timer { kind: PROBE, arg }) => self.probe(arg as usize, ctx),
            Input::Timer(Timer { kind: TIMEOUT, arg }) => self.ended(arg, false, ctx),
            Input::Message { msg: Msg::Probe(ProbeMsg::Alive { seq }), .. } => {
                self.ended(seq, true, ctx)
            }
            Input::Refused { msg: Msg::Probe(ProbeMsg::Probe { seq }), .. } => {
                self.ended(seq, false, ctx)
            }
            Input::Reset { by } => {
                let of_it = |which: usize| self.targets[which].database == by;
                let broken: Vec<u32> =
                    self.under_way.iter().filter(|(_, t)| of_it(*t)).map(|(s, _)| *s).collect();
                for seq in broken {
                    self.ended(seq, false, ctx);
                }
            }
            _ => {}
        }
    }

    fn crash(&mut self, _disk_kept: bool) {
        self.under_way.clear();
        for target in &mut self.targets {
            (target.healthy, target.streak, target.spoken) = (true, 0, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ctx::Effect;
    use crate::model::log::Book;
    use crate::sim::rng::{Label, Streams};
    use crate::sim::time::WallTime;
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
                    Effect::Send { msg: Msg::Probe(ProbeMsg::Probe { seq }), .. } if now < dies => {
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
}
