//! The standby's side of log shipping: join, receive, flush, apply, confirm. The same in every
//! mode that ships a log.

use super::applier::Applier;
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
    /// From whom it gets the log: the primary, unless the mode says otherwise.
    source: Option<ProcessId>,
    tie: Tie,
    /// The number of its last question, and where it asked about. Never used twice, also not
    /// after a crash (it stands for the name of a connection).
    seq: u32,
    asked: Position,
    heard: LocalTime,
    applier: Applier,
    promotion_waits: bool,
    /// A fault keeps it from reading what arrives, and what has arrived since.
    stalled: bool,
    unread: Vec<Peer>,
}

impl Follower {
    /// A standby of `primary`, or nobody's.
    pub fn new(primary: Option<ProcessId>, apply_delay: Dist, apply_rate: Option<f64>) -> Follower {
        Follower {
            primary,
            source: primary,
            tie: Tie::Apart,
            seq: 0,
            asked: Position::default(),
            heard: LocalTime::ZERO,
            applier: Applier::new(APPLY, apply_delay, apply_rate),
            promotion_waits: false,
            stalled: false,
            unread: Vec::new(),
        }
    }
    /// Whom it has joined, while it hears what arrives.
    pub fn joined(&self) -> Option<ProcessId> {
        self.primary.filter(|_| self.tie == Tie::Joined && !self.stalled)
    }
    /// True after it joined its source, until the connection breaks.
    pub fn has_joined(&self) -> bool {
        self.tie == Tie::Joined
    }
    /// From whom it gets the log.
    pub fn source(&self) -> Option<ProcessId> {
        self.source
    }
    /// Whom it follows.
    pub fn primary(&self) -> Option<ProcessId> {
        self.primary
    }
    /// How far readers can see.
    pub fn applied(&mut self, core: &Core) -> LogIndex {
        self.applier.applied(&core.log)
    }
    /// True when readers can see all that is on the disk.
    pub fn has_applied(&mut self, core: &Core) -> bool {
        self.applier.applied(&core.log) >= core.log.durable().index
    }
    /// Gives up what has been received and not applied: the last entry that has.
    pub fn discard(&mut self, core: &Core, ctx: &Ctx<'_>) -> LogIndex {
        self.applier.discard(&core.log, ctx.now())
    }
    /// True while a promotion waits for the rest to be applied.
    pub fn is_catching_up_for_promotion(&self) -> bool {
        self.promotion_waits
    }
    /// Asks to be told (by a timer) when everything received has been applied.
    pub fn when_applied(&mut self, ctx: &mut Ctx<'_>) {
        self.promotion_waits = true;
        self.applier.wake_up(JOIN_RETRY, ctx);
    }
    /// Begins, or begins again, to follow the primary it knows.
    pub fn start(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.tie = Tie::Apart;
        self.promotion_waits = false;
        self.applier.settle(&core.log);
        self.ask(core.log.end(), core, ctx);
    }
    /// Follows another primary from now on.
    pub fn follow(&mut self, primary: ProcessId) {
        self.primary = Some(primary);
        self.source = Some(primary);
        self.tie = Tie::Apart;
        self.unread.clear();
    }
    /// Gets the log of its primary from another node from now on.
    pub fn draw_from(&mut self, source: ProcessId, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.source != Some(source) {
            self.source = Some(source);
            self.unread.clear();
            self.start(core, ctx);
        }
    }
    /// Follows nobody from now on; what has been received is still applied.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        self.primary = None;
        self.source = None;
        self.tie = Tie::Apart;
        self.unread.clear();
        self.promotion_waits = false;
        ctx.cancel_timer(JOIN);
    }
    /// Forgets what was in memory only.
    pub fn crash(&mut self, log: &Log) {
        self.source = self.primary;
        self.tie = Tie::Apart;
        self.promotion_waits = false;
        self.applier.crash(log);
        self.stalled = false;
        self.unread.clear();
    }
    /// It works again after a crash.
    pub fn recover(&mut self, ctx: &mut Ctx<'_>) {
        self.applier.recover(ctx);
    }
    /// A fault keeps its applier from working, or no longer.
    pub fn stall_applier(&mut self, yes: bool, ctx: &mut Ctx<'_>) {
        self.applier.stall(yes, ctx);
    }
    /// A fault keeps it from reading what arrives, or no longer: from whom there is how much to
    /// read.
    pub fn stall_receiver(&mut self, yes: bool) -> Option<(ProcessId, Vec<Peer>)> {
        self.stalled = yes;
        if yes { None } else { Some((self.source?, std::mem::take(&mut self.unread))) }
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
        let Some(source) = self.source else { return };
        ctx.set_timer(JOIN, JOIN_RETRY);
        if self.stalled {
            return;
        }
        let join = Peer::Join { term: core.term, seq: self.seq, at: self.asked };
        let class = Class::Independent { patience: JOIN_RETRY };
        let msg = Msg::Peer(core.group, join);
        ctx.effect(Effect::Send { to: source, msg, class, bytes: 100 });
    }

    /// Another replica said something; its source alone is heeded.
    pub fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.source != Some(from) {
            return;
        }
        if self.stalled {
            return self.unread.push(peer);
        }
        self.heard = ctx.now();
        match peer {
            Peer::Fork { term, token, seq, at } if self.answers(term, seq, core) => {
                core.seen = core.seen.max(token);
                if at.index < core.log.end().index {
                    core.truncate(at.index, ctx);
                    self.applier.truncate(at.index);
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
        self.applier.on_durable(core.log.durable().index, dice, ctx);
        self.confirm(core, ctx);
    }

    fn confirm_receipt(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        // Modes that count receipt hear of it at once; the others hear with the flush.
        if core.confirms_receipt {
            self.confirm(core, ctx);
        }
    }

    fn confirm(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        let (Some(source), Tie::Joined) = (self.source, self.tie) else { return };
        let have = Peer::Have {
            term: core.term,
            session: self.seq,
            received: core.log.end().index,
            flushed: core.log.durable().index,
            applied: self.applier.seen(),
        };
        core.tell(source, have, 100, ctx);
    }

    /// One of the follower's timers fired.
    pub fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        match timer {
            JOIN => self.on_join_timer(core, ctx),
            APPLY => {
                self.applier.on_timer(ctx);
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
            Tie::Joined if self.stalled => ctx.set_timer(JOIN, JOIN_RETRY),
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
        if self.source == Some(by) {
            self.tie = Tie::Apart;
            self.unread.clear();
            ctx.set_timer(JOIN, JOIN_RETRY);
        }
    }
}
