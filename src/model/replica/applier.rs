//! A standby's applier: one thread that makes what is on the disk visible to readers, in order.
//!
//! Groups of entries arrive as the disk writes them, are ready after the apply delay, and take
//! the applier a fixed time per entry. A group becomes visible at its end.

use crate::model::ctx::{Ctx, Timer};
use crate::model::id::LogIndex;
use crate::model::log::Log;
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span};
use std::collections::VecDeque;

/// How many groups may wait; what comes then joins the last of them.
const MOST: usize = 4_096;

/// The applier of one standby.
#[derive(Clone, Debug)]
pub struct Applier {
    /// Its timer: the group at the front is done.
    timer: Timer,
    delay: Dist,
    /// How long one entry takes.
    each: Span,
    /// Groups that are not visible yet: when each is ready, and how far it reaches.
    waiting: VecDeque<(LocalTime, LogIndex)>,
    applied: LogIndex,
    /// When it was done with the last group.
    free_at: LocalTime,
    /// Since when a fault keeps it from working.
    stalled: Option<LocalTime>,
}

impl Applier {
    /// An applier that has nothing to do. Without a rate it is as fast as entries come.
    pub fn new(timer: Timer, delay: Dist, per_second: Option<f64>) -> Applier {
        let each = |rate: f64| Span::from_nanos((1e9 / rate) as u64);
        Applier {
            timer,
            delay,
            each: per_second.map_or(Span::ZERO, each),
            waiting: VecDeque::new(),
            applied: LogIndex(0),
            free_at: LocalTime::ZERO,
            stalled: None,
        }
    }
    /// How far readers could see when something last happened to it.
    pub fn seen(&self) -> LogIndex {
        self.applied
    }
    /// How far readers can see.
    pub fn applied(&mut self, log: &Log) -> LogIndex {
        self.settle(log);
        self.applied
    }
    /// Where nothing waits to be applied, all on the disk is: a primary has applied what it
    /// wrote.
    pub fn settle(&mut self, log: &Log) {
        if self.waiting.is_empty() {
            self.applied = log.durable().index;
        }
    }
    /// When the group at the front will be visible.
    fn finish(&self) -> Option<LocalTime> {
        let (ready, upto) = self.waiting.front()?;
        let count = upto.0.saturating_sub(self.applied.0);
        Some((*ready).max(self.free_at).saturating_add(self.each.saturating_mul(count)))
    }
    /// Takes notice of what has become visible by now.
    fn advance(&mut self, now: LocalTime) {
        while let Some(finish) = self.finish().filter(|finish| *finish <= now) {
            let (_, upto) = self.waiting.pop_front().expect("it has a finish");
            self.applied = self.applied.max(upto);
            self.free_at = finish;
        }
    }
    /// Wakes up when the group at the front is done.
    fn arm(&self, ctx: &mut Ctx<'_>) {
        if let (Some(finish), None) = (self.finish(), self.stalled) {
            ctx.set_timer(self.timer, finish.since(ctx.now()));
        }
    }
    /// The disk has more.
    pub fn on_durable(&mut self, flushed: LogIndex, dice: &mut Stream, ctx: &mut Ctx<'_>) {
        let delay = self.delay.sample(dice);
        let idle = self.waiting.is_empty() && self.stalled.is_none();
        if idle && delay.is_zero() && self.each.is_zero() {
            self.applied = flushed;
            return;
        }
        let full = self.waiting.len() >= MOST;
        match self.waiting.back_mut().filter(|_| full) {
            Some((_, upto)) => *upto = flushed,
            None => self.waiting.push_back((ctx.now().saturating_add(delay), flushed)),
        }
        if idle {
            self.arm(ctx);
        }
    }
    /// Its timer fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>) {
        if self.stalled.is_none() {
            self.advance(ctx.now());
            self.arm(ctx);
        }
    }
    /// Somebody waits for the rest to be applied, and looks again at the applier's timer; at the
    /// latest after so long.
    pub fn wake_up(&self, at_the_latest: Span, ctx: &mut Ctx<'_>) {
        if self.stalled.is_some() || self.waiting.is_empty() {
            ctx.set_timer(self.timer, at_the_latest);
        } else {
            self.arm(ctx);
        }
    }
    /// Gives up what has not been applied: the last entry that has, the group at the front in
    /// part.
    pub fn discard(&mut self, log: &Log, now: LocalTime) -> LogIndex {
        self.settle(log);
        if self.stalled.is_none() {
            self.advance(now);
        }
        if let Some((ready, upto)) = self.waiting.front() {
            let since = (*ready).max(self.free_at);
            let until = self.stalled.unwrap_or(now).max(since);
            let done = until.since(since).as_nanos().checked_div(self.each.as_nanos());
            self.applied = LogIndex(self.applied.0 + done.unwrap_or(0)).min(*upto);
        }
        self.waiting.clear();
        self.applied
    }
    /// The history was cut back.
    pub fn truncate(&mut self, index: LogIndex) {
        self.applied = self.applied.min(index);
        for (_, upto) in &mut self.waiting {
            *upto = (*upto).min(index);
        }
    }
    /// A fault keeps it from working, or no longer: it goes on where it was.
    pub fn stall(&mut self, yes: bool, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        if yes && self.stalled.is_none() {
            self.advance(now);
            self.stalled = Some(now);
            ctx.cancel_timer(self.timer);
        } else if !yes && let Some(since) = self.stalled.take() {
            let begun = self.waiting.front().map(|(ready, _)| (*ready).max(self.free_at));
            let done = begun.map_or(Span::ZERO, |begun| since.since(begun.min(since)));
            self.free_at = LocalTime::from_nanos(now.as_nanos() - done.as_nanos());
            self.arm(ctx);
        }
    }
    /// The process died. How far it had applied is on its disk; one that needs no time for an
    /// entry is taken to have replayed its disk when it works again.
    pub fn crash(&mut self, log: &Log) {
        let durable = log.durable().index;
        self.stalled = None;
        if self.waiting.is_empty() || self.each.is_zero() || durable.0 == 0 {
            self.waiting.clear();
            self.applied = durable;
        } else {
            self.waiting.clear();
            self.waiting.push_back((LocalTime::ZERO, durable));
            self.applied = self.applied.min(durable);
        }
    }
    /// It works again after a crash.
    pub fn recover(&mut self, ctx: &mut Ctx<'_>) {
        if !self.waiting.is_empty() {
            self.free_at = ctx.now();
            self.arm(ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ctx::Effect;
    use crate::model::id::{NodeId, ProcessId};
    use crate::model::log::Book;
    use crate::sim::dist::DistSpec;
    use crate::sim::rng::{Label, Streams};
    use crate::sim::time::WallTime;
    use proptest::prelude::*;

    const TIMER: Timer = Timer::of(1);

    /// When each group of entries becomes visible, in milliseconds: `groups` are how many entries
    /// the disk has more and when; the applier takes 10 ms for one, and 7 ms pass before it may.
    fn visible(groups: &[(u64, u64)], stalls: &[(u64, u64)]) -> Vec<u64> {
        let delay = Dist::new(&DistSpec::Constant(Span::from_millis(7)));
        let mut applier = Applier::new(TIMER, delay, Some(100.0));
        let mut dice = Streams::new(1, 0).stream(Label::new("none"));
        let (book, mut due) = (Book::new(0), None);
        let (mut seen, mut upto) = (Vec::new(), 0);
        for now in 0..3_000u64 {
            let mut effects = Vec::new();
            let local = LocalTime::from_nanos(now * 1_000_000);
            let wall = WallTime::from_nanos(0);
            let mut ctx = Ctx::new(ProcessId(0), NodeId(0), local, wall, &book, &mut effects);
            for (from, to) in stalls {
                if [*from, *to].contains(&now) {
                    applier.stall(*from == now, &mut ctx);
                }
            }
            for (at, count) in groups.iter().filter(|(at, _)| *at == now) {
                upto += count;
                applier.on_durable(LogIndex(upto), &mut dice, &mut ctx);
                assert_eq!(*at, now);
            }
            if due == Some(now) {
                due = None;
                applier.on_timer(&mut ctx);
            }
            for effect in effects {
                match effect {
                    Effect::SetTimer { after, .. } => {
                        due = Some(now + after.as_nanos() / 1_000_000);
                        assert!(!after.is_zero(), "it is never late");
                    }
                    Effect::CancelTimer(_) => due = None,
                    _ => {}
                }
            }
            seen.resize(applier.seen().0 as usize, now);
        }
        seen
    }

    /// The same, a millisecond of work at a time.
    fn twin(groups: &[(u64, u64)], stalls: &[(u64, u64)]) -> Vec<u64> {
        let mut seen = Vec::new();
        let mut queue: VecDeque<(u64, u64)> = VecDeque::new();
        let mut work = 0;
        for now in 0..3_000u64 {
            let stalled = stalls.iter().any(|(from, to)| (*from..*to).contains(&now));
            queue.extend(groups.iter().filter(|(at, _)| *at == now).map(|(at, n)| (at + 7, *n)));
            let Some((ready, count)) = queue.front().copied() else { continue };
            if stalled || ready > now {
                continue;
            }
            work += 1;
            if work == count * 10 {
                work = 0;
                queue.pop_front();
                // The work of this millisecond is done at its end.
                seen.extend((0..count).map(|_| now + 1));
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn a_stalled_applier_goes_on_where_it_was(
            gaps in prop::collection::vec((1u64..80, 1u64..6), 1..12),
            stalls in prop::collection::vec((1u64..150, 1u64..100), 0..4),
        ) {
            let (mut now, mut groups) = (0, Vec::new());
            for (gap, count) in gaps {
                now += gap;
                groups.push((now, count));
            }
            let (mut now, mut held) = (0, Vec::new());
            for (gap, length) in stalls {
                held.push((now + gap, now + gap + length));
                now += gap + length;
            }
            prop_assert_eq!(visible(&groups, &held), twin(&groups, &held));
        }
    }
}
