//! The standby's side of log shipping: join, receive, flush, apply, confirm. The same in every
//! mode that ships a log.

use super::core::Core;
use super::shell::FOLLOWER_TIMERS;
use crate::model::ctx::{Class, Ctx, Effect, Timer};
use crate::model::id::{LogIndex, Position, ProcessId, Term};
use crate::model::log::Log;
use crate::model::msg::Msg;
use crate::model::replica::peer::Peer;
use crate::sim::dist::Dist;
use crate::sim::rng::Stream;
use crate::sim::time::{LocalTime, Span};
use std::collections::VecDeque;

/// Joins, or joins again when nothing has been heard for long.
const JOIN: Timer = Timer::of(FOLLOWER_TIMERS);
/// Something becomes visible to readers.
const APPLY: Timer = Timer::of(FOLLOWER_TIMERS + 1);

/// How long a standby waits for an answer to its request to join, and how long the transport
/// tries to deliver one: while it is cut off, requests must not pile up.
const JOIN_RETRY: Span = Span::from_secs(1);
/// After so long without a word a standby says again how far it is: a primary that has
/// forgotten it then says so, and a connection with its former life breaks. PostgreSQL does so
/// every 10 s by default (`wal_receiver_status_interval`); 5 s is our choice.
const RECEIVER_TIMEOUT: Span = Span::from_secs(5);

/// How a standby stands with its primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tie {
    /// It will ask to join.
    Apart,
    /// It has asked, and waits for the answer.
    Asking,
    /// It has joined.
    Joined,
}

/// What a standby remembers of its primary, and how far it has applied.
#[derive(Clone, Debug)]
pub struct Follower {
    primary: Option<ProcessId>,
    tie: Tie,
    /// The number of its last question, and where it asked about. Never used twice, also not
    /// after a crash (it stands for the name of a connection).
    seq: u32,
    asked: Position,
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
            tie: Tie::Apart,
            seq: 0,
            asked: Position::default(),
            heard: LocalTime::ZERO,
            apply_delay,
            applying: VecDeque::new(),
            applied: LogIndex(0),
            promotion_waits: false,
        }
    }
    /// Whom it follows.
    pub fn primary(&self) -> Option<ProcessId> {
        self.primary
    }
    /// How far readers can see.
    pub fn applied(&mut self, core: &Core) -> LogIndex {
        self.settle(core);
        self.applied
    }
    /// True when readers can see all that is on the disk.
    pub fn has_applied(&mut self, core: &Core) -> bool {
        self.settle(core);
        self.applied >= core.log.durable().index
    }
    /// Where nothing waits to be applied, all on the disk is: a primary has applied what it
    /// wrote, and a restarted database replays its disk.
    fn settle(&mut self, core: &Core) {
        if self.applying.is_empty() {
            self.applied = core.log.durable().index;
        }
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
        self.tie = Tie::Apart;
        self.promotion_waits = false;
        self.settle(core);
        self.ask(core.log.end(), core, ctx);
    }
    /// Follows another primary from now on.
    pub fn follow(&mut self, primary: ProcessId) {
        self.primary = Some(primary);
        self.tie = Tie::Apart;
    }
    /// Follows nobody from now on; what has been received is still applied.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        self.primary = None;
        self.tie = Tie::Apart;
        self.promotion_waits = false;
        ctx.cancel_timer(JOIN);
    }
    /// Forgets what was in memory only.
    pub fn crash(&mut self, log: &Log) {
        self.tie = Tie::Apart;
        self.promotion_waits = false;
        self.applying.clear();
        self.applied = log.durable().index;
    }

    /// Asks where the histories part, looking back from `at`.
    fn ask(&mut self, at: Position, core: &Core, ctx: &mut Ctx<'_>) {
        self.tie = Tie::Asking;
        self.seq += 1;
        self.asked = at;
        self.repeat(core, ctx);
    }
    /// Sends the question, or sends it again: the primary answers it once.
    fn repeat(&self, core: &Core, ctx: &mut Ctx<'_>) {
        let Some(primary) = self.primary else { return };
        let join = Peer::Join { term: core.term, seq: self.seq, at: self.asked };
        let class = Class::Independent { patience: JOIN_RETRY };
        let msg = Msg::Peer(core.group, join);
        ctx.effect(Effect::Send { to: primary, msg, class, bytes: 100 });
        ctx.set_timer(JOIN, JOIN_RETRY);
    }

    /// The primary said something.
    pub fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.primary != Some(from) {
            return;
        }
        self.heard = ctx.now();
        match peer {
            Peer::Fork { term, token, seq, at } if self.answers(term, seq, core) => {
                core.seen = core.seen.max(token);
                if at.index < core.log.end().index {
                    core.truncate(at.index, ctx);
                    self.applied = self.applied.min(at.index);
                    for (_, index) in &mut self.applying {
                        *index = (*index).min(at.index);
                    }
                }
                self.tie = Tie::Joined;
                ctx.set_timer(JOIN, RECEIVER_TIMEOUT);
                self.confirm(core, ctx);
            }
            Peer::Unknown { term, seq, segment } if self.answers(term, seq, core) => {
                // Look one segment further back; before the first there is only the beginning.
                let back = core.log.parent_of(segment).unwrap_or_default();
                self.ask(back, core, ctx);
            }
            Peer::Rejoin { term, session }
                if term == core.term && session == self.seq && self.tie == Tie::Joined =>
            {
                self.start(core, ctx);
            }
            Peer::Ship { token, segment, after, upto, .. } if self.tie == Tie::Joined => {
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

    /// True for an answer to the last question. Those to earlier ones are void: the history may
    /// have grown since, and what has been confirmed must not be cut off again.
    fn answers(&self, term: Term, seq: u32, core: &Core) -> bool {
        term == core.term && self.tie == Tie::Asking && seq == self.seq
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
        let (Some(primary), Tie::Joined) = (self.primary, self.tie) else { return };
        let have = Peer::Have {
            term: core.term,
            session: self.seq,
            received: core.log.end().index,
            flushed: core.log.durable().index,
            applied: self.applied,
        };
        core.tell(primary, have, 100, ctx);
    }

    /// One of the follower's timers fired.
    pub fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        match timer {
            JOIN => self.on_join_timer(core, ctx),
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

    fn on_join_timer(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        match self.tie {
            Tie::Apart => self.start(core, ctx),
            Tie::Asking => self.repeat(core, ctx),
            Tie::Joined => {
                let silent = ctx.now().since(self.heard);
                if silent >= RECEIVER_TIMEOUT {
                    self.confirm(core, ctx);
                    ctx.set_timer(JOIN, RECEIVER_TIMEOUT);
                } else {
                    ctx.set_timer(JOIN, RECEIVER_TIMEOUT.saturating_sub(silent));
                }
            }
        }
    }

    /// The connection to `by` broke.
    pub fn on_reset(&mut self, by: ProcessId, ctx: &mut Ctx<'_>) {
        if self.primary == Some(by) {
            self.tie = Tie::Apart;
            ctx.set_timer(JOIN, JOIN_RETRY);
        }
    }
}
