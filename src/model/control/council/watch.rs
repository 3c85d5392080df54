//! A member's own eyes: it pings every database, and finds one down whose first ping without an
//! answer is `down_after` old.
//!
//! A database that dies at a random moment is found down after `U(0, P) + D` and the wait for
//! the member's next look (ping interval `P`, `down_after` `D`).

use crate::model::ctx::{Ctx, Timer};
use crate::model::detect::Asks;
use crate::model::fact::Claim;
use crate::model::id::{NodeId, ProcessId};
use crate::model::msg::{Msg, ProbeMsg};
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;

/// The next ping of a target (its number).
pub const PING: u16 = 101;

/// What a member knows of one database.
#[derive(Clone, Debug)]
struct Target {
    node: NodeId,
    database: ProcessId,
    phase: Span,
    /// The pings since the last answer: when the first one was sent, and how many.
    unanswered: Option<(LocalTime, u32)>,
    down: bool,
    /// It answered while it was down; said at the next look.
    answered: bool,
}

/// The pings of one member.
#[derive(Clone, Debug)]
pub struct Watch {
    interval: Span,
    down_after: Span,
    targets: Vec<Target>,
    next: u32,
}

impl Watch {
    /// Pings these databases, each at a phase of its own.
    pub fn new(
        interval: Span,
        down_after: Span,
        databases: impl IntoIterator<Item = (NodeId, ProcessId)>,
        mut dice: Stream,
    ) -> Watch {
        let target = |(node, database)| Target {
            node,
            database,
            phase: Span::from_nanos(dice.below(interval.as_nanos().max(1))),
            unanswered: None,
            down: false,
            answered: false,
        };
        let targets = databases.into_iter().map(target).collect();
        Watch { interval, down_after, targets, next: 0 }
    }
    /// True when it finds this node down.
    pub fn down(&self, node: NodeId) -> bool {
        self.targets.iter().any(|target| target.node == node && target.down)
    }
    /// Begins.
    pub fn start(&self, ctx: &mut Ctx<'_>) {
        for (i, target) in self.targets.iter().enumerate() {
            ctx.set_timer(Timer::nth(PING, i as u32), target.phase);
        }
    }
    /// Pings one database.
    pub fn ping(&mut self, which: usize, ctx: &mut Ctx<'_>) {
        let Some(target) = self.targets.get_mut(which) else { return };
        self.next = self.next.wrapping_add(1);
        let (first, count) = target.unanswered.unwrap_or((ctx.now(), 0));
        target.unanswered = Some((first, count.saturating_add(1)));
        let probe = ProbeMsg::Probe { seq: self.next, asks: Asks::CONNECT };
        ctx.cast(target.database, Msg::Probe(probe));
        ctx.set_timer(Timer::nth(PING, which as u32), self.interval);
    }
    /// A database answers, whichever ping it was.
    pub fn alive(&mut self, from: ProcessId) {
        let Some(target) = self.targets.iter_mut().find(|t| t.database == from) else { return };
        target.unanswered = None;
        target.answered = target.down;
    }
    /// When it must look at the latest.
    pub fn due(&self) -> Option<LocalTime> {
        let due = |target: &Target| match target.unanswered {
            _ if target.answered => Some(LocalTime::ZERO),
            Some((first, _)) if !target.down => Some(first.saturating_add(self.down_after)),
            _ => None,
        };
        self.targets.iter().filter_map(due).min()
    }
    /// Looks: whose state changed.
    pub fn look(&mut self, ctx: &mut Ctx<'_>) -> Vec<(NodeId, bool)> {
        let now = ctx.now();
        let mut changed = Vec::new();
        for target in &mut self.targets {
            let silent = target.unanswered.map(|(first, count)| (now.since(first), count));
            let down = match silent {
                _ if std::mem::take(&mut target.answered) => false,
                Some((since, _)) => target.down || since >= self.down_after,
                None => false,
            };
            if std::mem::replace(&mut target.down, down) != down {
                let streak = silent.map_or(1, |(_, count)| if down { count } else { 1 });
                ctx.claim(Claim::Opinion { node: target.node, healthy: !down, streak });
                changed.push((target.node, down));
            }
        }
        changed
    }
    /// The process was killed.
    pub fn crash(&mut self) {
        for target in &mut self.targets {
            (target.unanswered, target.down, target.answered) = (None, false, false);
        }
    }
}
