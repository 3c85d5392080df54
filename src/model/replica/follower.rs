//! The standby's side of log shipping: join, receive, flush, apply, confirm. The same in every
//! mode that ships a log.

use super::shell::{Core, FOLLOWER_TIMERS};
use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::id::{LogIndex, Position, ProcessId};
use crate::model::log::Log;
use crate::model::replica::peer::Peer;
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span};
use std::collections::VecDeque;

/// Joins, or joins again when nothing has been heard for long.
const JOIN: Timer = Timer::of(FOLLOWER_TIMERS);
/// Something becomes visible to readers.
const APPLY: Timer = Timer::of(FOLLOWER_TIMERS + 1);

/// How long a standby waits for an answer to its request to join.
const JOIN_RETRY: Span = Span::from_secs(1);
/// After so long without a word a standby connects anew. PostgreSQL waits 60 s by default
/// (`wal_receiver_timeout`) and operators lower it; 5 s is our choice.
const RECEIVER_TIMEOUT: Span = Span::from_secs(5);

/// What a standby remembers of its primary, and how far it has applied.
#[derive(Clone, Debug)]
pub struct Follower {
    primary: Option<ProcessId>,
    joined: bool,
    heard: LocalTime,
    apply_delay: Dist,
    applying: VecDeque<(LocalTime, LogIndex)>,
    applied: LogIndex,
    promotion_waits: bool,
}

impl Follower {
    /// A standby of `primary`, or nobody's.
    pub fn new(primary: Option<ProcessId>, apply_delay: Dist) -> Follower {
        Follower {
            primary,
            joined: false,
            heard: LocalTime::ZERO,
            apply_delay,
            applying: VecDeque::new(),
            applied: LogIndex(0),
            promotion_waits: false,
        }
    }
    /// The last entry that readers can see.
    pub fn applied(&self) -> LogIndex {
        self.applied
    }
    /// True while a promotion waits for the rest to be applied.
    pub fn is_catching_up_for_promotion(&self) -> bool {
        self.promotion_waits
    }
    /// Asks to be told (by a timer) when everything received has been applied.
    pub fn when_applied(&mut self, ctx: &mut Ctx<'_>) {
        self.promotion_waits = true;
        let rest = self.applying.front().map_or(JOIN_RETRY, |(due, _)| due.since(ctx.now()));
        ctx.set_timer(APPLY, rest);
    }
    /// Begins, or begins again, to follow the primary it knows.
    pub fn start(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.joined = false;
        self.promotion_waits = false;
        if self.applying.is_empty() {
            // A primary has applied what it wrote; a restarted database replays its disk.
            self.applied = core.log.durable().index;
        }
        if self.primary.is_some() {
            self.join(core.log.end(), core, ctx);
        }
    }
    /// Follows another primary from now on.
    pub fn follow(&mut self, primary: ProcessId, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.primary = Some(primary);
        self.start(core, ctx);
    }
    /// Follows nobody from now on; what has been received is still applied.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        self.primary = None;
        self.joined = false;
        ctx.cancel_timer(JOIN);
    }
    /// Forgets what was in memory only.
    pub fn crash(&mut self, log: &Log) {
        self.joined = false;
        self.promotion_waits = false;
        self.applying.clear();
        self.applied = log.durable().index;
    }

    fn join(&mut self, at: Position, core: &Core, ctx: &mut Ctx<'_>) {
        let Some(primary) = self.primary else { return };
        core.tell(primary, Peer::Join { term: core.term, at }, 100, ctx);
        ctx.set_timer(JOIN, JOIN_RETRY);
    }

    /// The primary said something.
    pub fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.primary != Some(from) {
            return;
        }
        self.heard = ctx.now();
        match peer {
            Peer::Fork { term, token, at } if term == core.term => {
                core.seen = core.seen.max(token);
                if at.index < core.log.end().index {
                    core.truncate(at.index, ctx);
                    self.applied = self.applied.min(at.index);
                    self.applying.retain(|(_, index)| *index <= at.index);
                }
                self.joined = true;
                ctx.set_timer(JOIN, RECEIVER_TIMEOUT);
                self.confirm(core, ctx);
            }
            Peer::Unknown { term, segment } if term == core.term => {
                // Look one segment further back; before the first there is only the beginning.
                let back = core.log.parent_of(segment).unwrap_or_default();
                self.join(back, core, ctx);
            }
            Peer::Ship { token, segment, after, upto, .. } if self.joined => {
                core.seen = core.seen.max(token);
                let end = core.log.end().index;
                if after > end {
                    // A gap cannot come on an ordered connection; after a reconnect it can.
                    self.start(core, ctx);
                } else if upto > end {
                    core.log.extend(segment, upto);
                    ctx.effect(Effect::Hold { group: core.group, upto: core.log.end() });
                    self.confirm_receipt(core, ctx);
                }
            }
            _ => {}
        }
    }

    /// The disk has more.
    pub fn on_durable(&mut self, core: &mut Core, dice: &mut Stream, ctx: &mut Ctx<'_>) {
        let flushed = core.log.durable().index;
        let delay = self.apply_delay.sample(dice);
        if delay.is_zero() && self.applying.is_empty() {
            self.applied = flushed;
        } else {
            // Entries are applied in order: none becomes visible before an earlier one.
            let last = self.applying.back().map_or(LocalTime::ZERO, |(due, _)| *due);
            let due = ctx.now().saturating_add(delay).max(last);
            if self.applying.is_empty() {
                ctx.set_timer(APPLY, delay);
            }
            self.applying.push_back((due, flushed));
        }
        self.confirm(core, ctx);
    }

    fn confirm_receipt(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        // Modes that count receipt hear of it at once; the others hear with the flush.
        if core.confirms_receipt {
            self.confirm(core, ctx);
        }
    }

    fn confirm(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        let (Some(primary), true) = (self.primary, self.joined) else { return };
        let have = Peer::Have {
            term: core.term,
            received: core.log.end().index,
            flushed: core.log.durable().index,
            applied: self.applied,
        };
        core.tell(primary, have, 100, ctx);
    }

    /// One of the follower's timers fired.
    pub fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        match timer {
            JOIN => {
                let silent = ctx.now().since(self.heard);
                if self.joined && silent < RECEIVER_TIMEOUT {
                    ctx.set_timer(JOIN, RECEIVER_TIMEOUT.saturating_sub(silent));
                } else {
                    self.start(core, ctx);
                }
            }
            APPLY => {
                while self.applying.front().is_some_and(|(due, _)| *due <= ctx.now()) {
                    let (_, index) = self.applying.pop_front().expect("looked at it");
                    self.applied = self.applied.max(index);
                }
                if let Some((due, _)) = self.applying.front() {
                    ctx.set_timer(APPLY, due.since(ctx.now()));
                }
                if core.confirms_apply {
                    self.confirm(core, ctx);
                }
            }
            _ => {}
        }
    }

    /// The connection to `by` broke.
    pub fn on_reset(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        if self.primary == Some(by) {
            self.joined = false;
            ctx.set_timer(JOIN, JOIN_RETRY);
        }
    }
}
