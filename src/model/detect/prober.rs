//! Probes at work: asks databases in turn, counts what comes back, and changes its mind after so
//! many results in a row. The same for checkers, and for load balancers that check for
//! themselves.

use crate::model::ctx::{Ctx, Timer};
use crate::model::detect::asks::Asks;
use crate::model::id::ProcessId;
use crate::model::msg::{Msg, ProbeMsg};
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;

/// How often one probes, and when one changes one's mind.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// From one probe to the next.
    pub interval: Span,
    /// The same while a change of mind is under way.
    pub fast: Span,
    /// How long to wait for an answer.
    pub timeout: Span,
    /// So many failures in a row make a target unhealthy.
    pub fall: u32,
    /// So many successes in a row make it healthy again.
    pub rise: u32,
    /// Instead of results in a row: the last so many.
    pub sampling: Option<Sampling>,
}

crate::params! {
    /// The last results decide, whatever their order.
    pub struct Sampling {
        /// How many results are looked at.
        size: u32 = 4, "Azure Front Door: SampleSize";
        /// How many of them must be successes for a target to be healthy.
        successful: u32 = 2, "Azure Front Door: SuccessfulSamplesRequired, as the portal has it";
    }
}

impl Copy for Sampling {}

/// The most results that can be looked at.
pub const MOST_SAMPLES: u32 = 64;

/// What is known of one target.
#[derive(Clone, Debug)]
struct Target {
    database: ProcessId,
    phase: Span,
    last_probe: LocalTime,
    healthy: bool,
    /// Results in a row that contradict `healthy`.
    streak: u32,
    /// The last results, the newest in the lowest bit: 1 is a success.
    results: u64,
}

impl Target {
    /// How many of the last results contradict what is thought of it, when they are enough to
    /// change that.
    fn by_samples(&self, sampling: Sampling) -> Option<u32> {
        let looked_at = u64::MAX >> (MOST_SAMPLES - sampling.size.clamp(1, MOST_SAMPLES));
        let successes = (self.results & looked_at).count_ones();
        let healthy = successes >= sampling.successful;
        let contradict = if healthy { successes } else { sampling.size - successes };
        (healthy != self.healthy).then_some(contradict)
    }
}

/// A probe ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which target.
    pub which: usize,
    /// What is thought of it now.
    pub healthy: bool,
    /// After so many results in a row that said otherwise, when this probe changed it.
    pub changed: Option<u32>,
}

/// Probes some databases.
#[derive(Clone, Debug)]
pub struct Prober {
    rhythm: Rhythm,
    asks: Asks,
    /// The kind of the timer for the next probe of a target (its number); the next kind is a
    /// probe (its sequence number) without an answer.
    kind: u16,
    targets: Vec<Target>,
    /// Probes under way: sequence number and target.
    under_way: Vec<(u32, usize)>,
    next_probe: u32,
}

impl Prober {
    /// Probes these databases, each believed to be well or not from the start. Its timers are of
    /// `kind` and the one after. One phase per target is drawn from `dice`.
    pub fn new(
        rhythm: Rhythm,
        asks: Asks,
        kind: u16,
        databases: impl IntoIterator<Item = (ProcessId, bool)>,
        mut dice: Stream,
    ) -> Prober {
        let target = |(database, healthy)| Target {
            database,
            phase: Span::from_nanos(dice.below(rhythm.interval.as_nanos().max(1))),
            last_probe: LocalTime::ZERO,
            healthy,
            streak: 0,
            results: if healthy { u64::MAX } else { 0 },
        };
        let targets = databases.into_iter().map(target).collect();
        Prober { rhythm, asks, kind, targets, under_way: Vec::new(), next_probe: 0 }
    }
    /// What is thought of a target.
    pub fn healthy(&self, which: usize) -> bool {
        self.targets[which].healthy
    }
    /// How many targets there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }
    /// True when there is nobody to probe.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
    /// Begins: each target at a phase of its own.
    pub fn start(&self, ctx: &mut Ctx<'_>) {
        for (i, target) in self.targets.iter().enumerate() {
            ctx.set_timer(Timer::nth(self.kind, i as u32), target.phase);
        }
    }
    fn interval(&self, which: usize) -> Span {
        if self.targets[which].streak > 0 { self.rhythm.fast } else { self.rhythm.interval }
    }
    fn probe(&mut self, which: usize, ctx: &mut Ctx<'_>) {
        let interval = self.interval(which);
        let Some(target) = self.targets.get_mut(which) else { return };
        self.next_probe = self.next_probe.wrapping_add(1);
        let seq = self.next_probe;
        target.last_probe = ctx.now();
        self.under_way.push((seq, which));
        ctx.cast(target.database, Msg::Probe(ProbeMsg::Probe { seq, asks: self.asks }));
        ctx.set_timer(Timer::nth(self.kind + 1, seq), self.rhythm.timeout);
        ctx.set_timer(Timer::nth(self.kind, which as u32), interval);
    }
    /// One of its timers fired.
    pub fn timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) -> Option<Finding> {
        if timer.kind == self.kind {
            self.probe(timer.arg as usize, ctx);
            None
        } else if timer.kind == self.kind + 1 {
            self.ended(timer.arg, false, ctx)
        } else {
            None
        }
    }
    /// Something about probes was said, or one was refused.
    pub fn hear(&mut self, probe: ProbeMsg, ctx: &mut Ctx<'_>) -> Option<Finding> {
        match probe {
            ProbeMsg::Alive { seq } => self.ended(seq, true, ctx),
            ProbeMsg::Unwell { seq } | ProbeMsg::Probe { seq, .. } => self.ended(seq, false, ctx),
        }
    }
    /// A database's connections broke: the first probe under way to it has failed. Asked again
    /// until there is none.
    pub fn lost(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) -> Option<Finding> {
        let of_it = |probe: &&(u32, usize)| self.targets[probe.1].database == by;
        let seq = self.under_way.iter().find(of_it)?.0;
        self.ended(seq, false, ctx)
    }
    /// A probe ended. Late answers and stale timers name a probe that is no longer under way.
    fn ended(&mut self, seq: u32, success: bool, ctx: &mut Ctx<'_>) -> Option<Finding> {
        let i = self.under_way.iter().position(|(s, _)| *s == seq)?;
        let (_, which) = self.under_way.remove(i);
        ctx.cancel_timer(Timer::nth(self.kind + 1, seq));
        Some(self.judge(which, success, ctx))
    }
    fn judge(&mut self, which: usize, success: bool, ctx: &mut Ctx<'_>) -> Finding {
        let Rhythm { rise, fall, fast, interval, sampling, .. } = self.rhythm;
        let target = &mut self.targets[which];
        let was_changing = target.streak > 0;
        target.streak = if success == target.healthy { 0 } else { target.streak + 1 };
        target.results = target.results << 1 | u64::from(success);
        let threshold = if target.healthy { fall } else { rise };
        let changed = match sampling {
            None => (target.streak >= threshold.max(1)).then_some(target.streak),
            Some(sampling) => target.by_samples(sampling),
        };
        if changed.is_some() {
            target.healthy = !target.healthy;
            target.streak = 0;
        }
        let (healthy, last_probe) = (target.healthy, target.last_probe);
        if was_changing != (target.streak > 0) && fast != interval {
            let due = last_probe.saturating_add(self.interval(which));
            ctx.set_timer(Timer::nth(self.kind, which as u32), due.since(ctx.now()));
        }
        Finding { which, healthy, changed }
    }
    /// The process died: forgets everything, and believes everybody well.
    pub fn crash(&mut self) {
        self.under_way.clear();
        for target in &mut self.targets {
            (target.healthy, target.streak, target.results) = (true, 0, u64::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every other result is a failure: never two in a row, and yet two of the last four.
    #[test]
    fn a_flapping_target_fails_by_samples_and_not_in_a_row() {
        let mut target = Target {
            database: ProcessId(1),
            phase: Span::ZERO,
            last_probe: LocalTime::ZERO,
            healthy: true,
            streak: 0,
            results: u64::MAX,
        };
        let three_of_four = Sampling { size: 4, successful: 3 };
        let mut verdicts = Vec::new();
        for success in [false, true, false, true, true, true] {
            target.results = target.results << 1 | u64::from(success);
            let changed = target.by_samples(three_of_four);
            target.healthy ^= changed.is_some();
            verdicts.push((target.healthy, changed));
        }
        // 1110, 1101: well. 1010, 0101: two failures. 1011: three successes again.
        let flaps = [
            (true, None),
            (true, None),
            (false, Some(2)),
            (false, None),
            (true, Some(3)),
            (true, None),
        ];
        assert_eq!(verdicts, flaps);
    }
}
