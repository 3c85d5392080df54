//! The guard on a primary, as in Redis: no writes with fewer than so many standbys that were
//! heard within so long.
//!
//! - A standby says at a fixed interval that it follows. What it confirms beside that does not
//!   count: the guard knows no more than the last such word.
//! - The primary counts good standbys at an interval of its own, and at once when one connects or
//!   a connection breaks. Between two counts the result stands.
//! - Times are read in whole steps of the wall clock, as `unixtime` is in whole seconds, so a
//!   standby may be up to a step later than `max_lag`, or earlier.
//! - It binds a freshly promoted primary too: nobody has connected to it yet.

use super::*;
use crate::model::replica::core::Refusal;
use crate::sim::time::WallTime;

/// A standby says that it follows.
const BEAT: Timer = Timer::of(GUARD_TIMERS);
/// The primary counts.
const COUNT: Timer = Timer::of(GUARD_TIMERS + 1);

crate::params! {
    /// A primary refuses writes, definitely, while fewer than `min_replicas` standbys are
    /// connected and were heard within `max_lag`.
    pub struct GuardParams {
        /// How many standbys there must be (Redis min-replicas-to-write).
        min_replicas: u32, required;
        /// How long ago each must have been heard (Redis min-replicas-max-lag).
        max_lag: Span = Span::from_secs(10), "Redis min-replicas-max-lag";
        /// How often a standby says that it follows.
        ack_interval: Span = Span::from_secs(1), "Redis: REPLCONF ACK, once a second";
        /// How often the primary counts.
        check_interval: Span = Span::from_secs(1), "Redis: replicationCron, once a second";
        /// In which steps the clock is read.
        granularity: Span = Span::from_secs(1), "Redis: unixtime, in whole seconds";
    }
}

/// The shortest interval: a timer of nothing would stop time.
const SHORTEST: Span = Span::from_millis(1);

/// A standby as the guard sees it: when it was last heard, while it is connected.
#[derive(Clone, Copy, Debug)]
struct Seen {
    peer: ProcessId,
    heard: Option<u64>,
}

/// The guard, at the primary and at its standbys.
#[derive(Clone, Debug)]
pub struct Guard {
    needed: usize,
    max_lag: Span,
    ack_interval: Span,
    check_interval: Span,
    granularity: Span,
    /// When in their intervals the two timers of this process fire.
    phases: (Span, Span),
    seen: Vec<Seen>,
}

impl Guard {
    /// The guard of one process, with the two phases that its timers have.
    pub fn new(params: &GuardParams, dice: &mut Stream) -> Guard {
        let mut phase = |of: Span| Span::from_nanos(dice.below(of.as_nanos().max(1)));
        let ack_interval = params.ack_interval.max(SHORTEST);
        let check_interval = params.check_interval.max(SHORTEST);
        Guard {
            needed: params.min_replicas as usize,
            max_lag: params.max_lag,
            ack_interval,
            check_interval,
            granularity: params.granularity.max(Span::from_nanos(1)),
            phases: (phase(ack_interval), phase(check_interval)),
            seen: Vec::new(),
        }
    }
    /// The process starts.
    fn start(&self, ctx: &mut Ctx<'_>) {
        ctx.set_timer(BEAT, self.phases.0);
        ctx.set_timer(COUNT, self.phases.1);
    }
    /// Nobody is connected any more.
    fn forget(&mut self, peers: &[ProcessId]) {
        self.seen.clear();
        self.seen.extend(peers.iter().map(|peer| Seen { peer: *peer, heard: None }));
    }
    /// In how many-th step of the wall clock that is.
    fn step(&self, at: WallTime) -> u64 {
        at.as_nanos() / self.granularity.as_nanos()
    }
    /// True when too few are connected and were heard within the lag.
    fn refuses(&self, now: WallTime) -> bool {
        let now = self.step(now);
        let good = |seen: &&Seen| {
            let steps = seen.heard.map(|heard| now.saturating_sub(heard));
            steps.is_some_and(|steps| self.granularity.saturating_mul(steps) <= self.max_lag)
        };
        self.seen.iter().filter(good).count() < self.needed
    }
}

impl Replica {
    /// The same replica with a guard.
    pub fn with_guard(mut self, guard: Guard) -> Replica {
        self.guard = Some(Box::new(guard));
        self
    }
    pub(super) fn start_guard(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(guard) = &self.guard {
            guard.start(ctx);
        }
    }
    /// It leads from now on.
    pub(super) fn set_guard(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(guard) = &mut self.guard {
            guard.forget(&self.core.peers);
            self.count_replicas(ctx);
        }
    }
    fn count_replicas(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(guard) = &self.guard {
            self.core.refusals.set(Refusal::Guard, guard.refuses(ctx.wall()));
        }
    }
    /// A standby confirmed something: one that has joined just now is connected.
    #[inline]
    pub(super) fn notice(&mut self, from: ProcessId, peer: Peer, ctx: &mut Ctx<'_>) {
        if self.guard.is_some() && matches!(peer, Peer::Have { .. } | Peer::Place { .. }) {
            self.connect(from, ctx);
        }
    }
    #[cold]
    fn connect(&mut self, from: ProcessId, ctx: &mut Ctx<'_>) {
        let Some(guard) = &mut self.guard else { return };
        let now = guard.step(ctx.wall());
        let new = guard.seen.iter_mut().find(|seen| seen.peer == from && seen.heard.is_none());
        if let Some(seen) = new {
            seen.heard = Some(now);
            self.count_replicas(ctx);
        }
    }
    /// A standby says that it follows.
    pub(super) fn on_beat(&mut self, from: ProcessId, term: Term, ctx: &mut Ctx<'_>) {
        let Some(guard) = &mut self.guard else { return };
        let now = guard.step(ctx.wall());
        if self.core.role == Role::Primary && term == self.core.term {
            let known = guard.seen.iter_mut().find(|seen| seen.peer == from);
            if let Some(heard) = known.and_then(|seen| seen.heard.as_mut()) {
                *heard = now;
            }
        }
    }
    /// The connection to a standby broke.
    pub(super) fn lose_sight(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        let Some(guard) = &mut self.guard else { return };
        if let Some(seen) = guard.seen.iter_mut().find(|seen| seen.peer == by) {
            seen.heard = None;
            self.count_replicas(ctx);
        }
    }
    #[cold]
    pub(super) fn on_guard_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        let Some(guard) = &self.guard else { return };
        if timer == BEAT {
            ctx.set_timer(BEAT, guard.ack_interval);
            if let (Role::Standby, Some(primary)) = (self.core.role, self.follower.joined()) {
                let beat = Peer::Beat { term: self.core.term };
                ctx.cast(primary, Msg::Peer(self.core.group, beat));
            }
        } else {
            ctx.set_timer(COUNT, guard.check_interval);
            if self.core.role == Role::Primary {
                self.count_replicas(ctx);
            }
        }
    }
}
