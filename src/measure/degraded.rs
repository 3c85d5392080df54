//! Degraded time: a store that still serves, with less behind it than was asked for.
//!
//! *Rule.* A running node admits writes under a weaker acknowledgement rule than the store was
//! configured with ([`Fact::Rule`] against the roster).
//!
//! *Redundancy.* A *copy* is a running member whose disk holds everything that the acting
//! primary's line had acknowledged up to `copy_lag` ago. What a deposition has cut off is lost,
//! not owed: it makes nobody less of a copy. With one copy left the store runs without its last
//! redundancy; with none, nobody who runs has it all. That a member fell behind is seen once a
//! bin (a tenth of an outage window) and counts from `copy_lag` before; that it has caught up
//! counts from the bin's end; that it died or came back, at once.
//!
//! [`Fact::Rule`]: crate::model::fact::Fact::Rule

use crate::measure::authority::Authority;
use crate::measure::health::Health;
use crate::measure::history::History;
use crate::measure::ops::Place;
use crate::model::id::NodeId;
use crate::sim::time::{SimTime, Span};
use std::collections::VecDeque;

/// Adds up the time in which something holds.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    since: Option<SimTime>,
    total: Span,
}

impl Stretch {
    /// It holds from `now` on, or does not. What lies before `floor` does not count.
    fn set(&mut self, holds: bool, now: SimTime, floor: SimTime) {
        match (holds, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.total = self.total.saturating_add(now.since(since.max(floor)));
                self.since = None;
            }
            _ => {}
        }
    }
}

/// Watches how far below its design one store runs.
#[derive(Debug)]
pub struct Degraded {
    warmup: SimTime,
    lag: Span,
    /// How many confirmations the store was configured to wait for.
    configured: u16,
    rules: Vec<(NodeId, u16)>,
    weak: Stretch,
    /// The branch that the acting primary writes.
    line: u32,
    /// The last acknowledged write of that line, or of an older one.
    acked: Place,
    /// What had been acknowledged at ends of bins, no older than the lag.
    marks: VecDeque<(SimTime, Place)>,
    /// What a copy must hold.
    owed: Place,
    /// When the copies were last counted otherwise than before.
    changed: SimTime,
    copies: usize,
    bare: Stretch,
    none: Stretch,
}

impl Degraded {
    /// A store configured to wait for so many confirmations.
    pub fn new(configured: u16, members: usize, lag: Span, warmup: SimTime) -> Degraded {
        Degraded {
            warmup,
            lag,
            configured,
            rules: Vec::new(),
            weak: Stretch::default(),
            line: 0,
            acked: Place { branch: 0, index: 0 },
            marks: VecDeque::new(),
            owed: Place { branch: 0, index: 0 },
            changed: SimTime::ZERO,
            copies: members,
            bare: Stretch::default(),
            none: Stretch::default(),
        }
    }

    /// A node waits for so many confirmations.
    pub fn rule(&mut self, node: NodeId, acks: u16) {
        self.rules.retain(|(other, _)| *other != node);
        self.rules.push((node, acks));
    }

    /// A new primary's branch began.
    pub fn line(&mut self, branch: usize) {
        self.line = branch as u32;
    }

    /// A write was acknowledged that stands there.
    #[inline]
    pub fn acknowledged(&mut self, place: Place) {
        if place > self.acked && place != Place::NOWHERE {
            self.acked = place;
        }
    }

    /// The last acknowledged write of the acting primary's line.
    pub fn last_acknowledged(&self) -> Place {
        self.acked
    }

    /// Looks again after anything that may have changed who admits, runs or holds what.
    pub fn look(
        &mut self,
        authority: &Authority,
        health: &Health,
        history: &History,
        now: SimTime,
    ) {
        let weaker = |node: NodeId| {
            let rule = self.rules.iter().find(|(other, _)| *other == node);
            rule.is_some_and(|(_, acks)| *acks < self.configured)
        };
        let weak = authority.admits_where(health, weaker);
        self.weak.set(weak, now, self.warmup);
        self.count(history, now, now);
    }

    /// A bin is over.
    pub fn bin(&mut self, history: &History, now: SimTime) {
        self.line = self.line.max(self.acked.branch);
        while self.marks.front().is_some_and(|(at, _)| now.since(*at) >= self.lag) {
            self.owed = self.marks.pop_front().map_or(self.owed, |(_, place)| place);
        }
        if self.marks.back().is_none_or(|(_, place)| *place != self.acked) {
            self.marks.push_back((now, self.acked));
        }
        self.count(history, now, now.saturating_sub(self.lag));
    }

    /// Counts the copies. Where they have become fewer, they did so at `lost`.
    fn count(&mut self, history: &History, now: SimTime, lost: SimTime) {
        let line = Place { branch: self.line, index: u64::MAX };
        let reached = history.reach(line, self.owed.branch as usize);
        let owed = Place { branch: self.owed.branch, index: self.owed.index.min(reached) };
        let holds = |place: Place| history.contains(place, owed);
        let copies = history.members.iter().filter(|m| m.up && holds(m.durable)).count();
        if copies == self.copies {
            return;
        }
        let at = if copies < self.copies { lost.max(self.changed) } else { now };
        (self.copies, self.changed) = (copies, at);
        let redundant = history.members.len() > 1;
        self.bare.set(redundant && copies <= 1, at, self.warmup);
        self.none.set(copies == 0, at, self.warmup);
    }

    /// The run is over: how long the rule was weak, the last redundancy gone, and no copy left;
    /// seconds.
    pub fn end(&mut self, now: SimTime) -> [f64; 3] {
        [&mut self.weak, &mut self.bare, &mut self.none].map(|stretch| {
            stretch.set(false, now, self.warmup);
            stretch.total.as_secs_f64()
        })
    }
}
