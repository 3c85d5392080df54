//! Semi-synchronous replication as MySQL does it: a write waits for a few standbys, but not for
//! ever.
//!
//! # Decided
//! - Each write's own wait is timed, from when it was on the primary's disk. When the first one
//!   expires the mode is off for all: MySQL wakes every waiting session.
//! - It is on again when as many standbys as are needed confirm everything whose disk write has
//!   begun at that moment. Under a steady load from afar that moment may never come: while a
//!   confirmation crosses the sea the next write has begun (`try_switch_on` compares with the
//!   last transaction in the binary log).

use super::core::Refusal;
use super::shell::MODE_TIMERS;
use super::shipper::{Cursor, Shipper};
use super::sync::Ack;
use super::{Confirms, Core, Replicate};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{LogIndex, ProcessId};
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

/// The oldest wait may have expired.
const EXPIRED: Timer = Timer::of(MODE_TIMERS);
/// The shortest wait: a timer of nothing would stop time.
const SHORTEST: Span = Span::from_millis(1);

crate::choices! {
    /// What happens when a write has waited for too long.
    pub enum OnTimeout {
        /// All that wait are answered, and none waits until enough standbys have caught up.
        Degrade = "degrade",
        /// Nothing: they wait on, as in `sync`.
        Wait = "wait",
        /// Those that wait go on waiting; new ones are refused until enough standbys have caught
        /// up.
        Refuse = "refuse",
    }
}

crate::params! {
    /// Semi-synchronous: a write is answered when `acks` standbys have it, or has waited for
    /// `timeout`: then the store goes on without them until they have caught up.
    pub struct Params {
        /// How many standbys must confirm.
        acks: u32 = 1, "MySQL rpl_semi_sync_source_wait_for_replica_count";
        /// What a standby must have done before it confirms.
        ack_on: Ack = Ack::Receive, "MySQL: the relay log has it";
        /// How long a write waits for them, once it is on the primary's own disk.
        timeout: Span = Span::from_secs(10), "MySQL rpl_semi_sync_source_timeout";
        /// What happens then.
        on_timeout: OnTimeout = OnTimeout::Degrade, "MySQL";
        /// Wait also while fewer than `acks` standbys are connected.
        wait_no_replica: bool = true, "MySQL rpl_semi_sync_source_wait_no_replica";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

/// Semi-synchronous replication at work.
#[derive(Clone, Debug)]
pub struct Mode {
    needed: usize,
    ack_on: Ack,
    timeout: Span,
    on_timeout: OnTimeout,
    wait_no_replica: bool,
    shipper: Shipper,
    /// False from the first wait that expired until enough standbys have caught up.
    on: bool,
    /// What reached our disk together and waits: the last of it, and since when.
    waiting: VecDeque<(LogIndex, LocalTime)>,
    /// A look at the oldest wait is due.
    watching: bool,
    acked: LogIndex,
}

impl Mode {
    /// The mode of these parameters.
    pub fn new(params: &Params, standbys: usize) -> Mode {
        Mode {
            needed: (params.acks as usize).min(standbys),
            ack_on: params.ack_on,
            timeout: params.timeout.max(SHORTEST),
            on_timeout: params.on_timeout,
            wait_no_replica: params.wait_no_replica,
            shipper: Shipper::default(),
            on: true,
            waiting: VecDeque::new(),
            watching: false,
            acked: LogIndex(0),
        }
    }

    /// How far enough standbys are.
    fn reached(&self) -> LogIndex {
        let confirmed = |cursor: &Cursor| self.ack_on.of(cursor);
        self.shipper.reached_by(self.needed, confirmed)
    }

    /// A standby confirmed something: perhaps enough of them have caught up.
    fn try_switch_on(&mut self, core: &mut Core) {
        if !self.on && self.reached() >= core.written_or_begun() {
            self.on = true;
            core.refusals.set(Refusal::Acks, false);
        }
    }

    /// Looks at what may be answered.
    fn count(&mut self, core: &Core) {
        let own = core.log.durable().index;
        let reached = self.reached();
        let waits = self.on || self.on_timeout == OnTimeout::Refuse;
        let best = if waits { own.min(reached) } else { own };
        self.acked = self.acked.max(best);
        while self.waiting.front().is_some_and(|(index, _)| *index <= self.acked) {
            self.waiting.pop_front();
        }
    }

    /// Notes since when the newest on our disk waits.
    fn wait(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        let own = core.log.durable().index;
        if !self.on || own <= self.acked || self.on_timeout == OnTimeout::Wait {
            return;
        }
        self.waiting.push_back((own, ctx.now()));
        if !self.watching {
            self.watching = true;
            ctx.set_timer(EXPIRED, self.timeout);
        }
    }

    /// Looks after the oldest wait.
    fn look(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.watching = false;
        let Some((_, since)) = self.waiting.front() else { return };
        let waited = ctx.now().since(*since);
        if waited >= self.timeout {
            self.switch_off(core);
        } else {
            self.watching = true;
            ctx.set_timer(EXPIRED, self.timeout.saturating_sub(waited));
        }
    }

    fn switch_off(&mut self, core: &mut Core) {
        self.on = false;
        self.waiting.clear();
        core.refusals.set(Refusal::Acks, self.on_timeout == OnTimeout::Refuse);
        self.count(core);
    }

    /// Too few standbys are connected for any write to be confirmed.
    fn is_deserted(&self) -> bool {
        self.shipper.cursors().iter().filter(|cursor| cursor.joined).count() < self.needed
    }
}

impl Replicate for Mode {
    fn confirms(&self) -> Confirms {
        self.ack_on.confirms()
    }
    fn acks_required(&self) -> u16 {
        let waits = self.on || self.on_timeout == OnTimeout::Refuse;
        if waits { self.needed as u16 } else { 0 }
    }
    fn acked(&self, _core: &Core) -> LogIndex {
        self.acked
    }
    fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.reset(core, ctx.now());
        self.acked = LogIndex(0);
        self.waiting.clear();
        (self.on, self.watching) = (true, false);
        if !self.wait_no_replica && self.is_deserted() {
            self.switch_off(core);
        }
    }
    fn on_append(&mut self, _core: &mut Core, _ctx: &mut Ctx<'_>) {}
    fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.ship(core, ctx);
        self.count(core);
        self.wait(core, ctx);
    }
    fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.shipper.on_peer(from, peer, core, ctx) {
            self.try_switch_on(core);
            self.count(core);
        }
    }
    fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if timer == EXPIRED {
            self.look(core, ctx);
        }
    }
    fn on_reset(&mut self, by: ProcessId, core: &mut Core, _ctx: &mut Ctx<'_>) {
        self.shipper.on_reset(by);
        if self.on && !self.wait_no_replica && self.is_deserted() {
            self.switch_off(core);
        }
    }
    fn crash(&mut self) {
        self.shipper.crash();
        self.acked = LogIndex(0);
        self.waiting.clear();
        (self.on, self.watching) = (true, false);
    }
}
