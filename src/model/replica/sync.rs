//! Synchronous replication: all standbys, or any k of them, confirm before the answer.

use super::shell::MODE_TIMERS;
use super::shipper::{Cursor, Shipper};
use super::{Confirms, Core, Replicate};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{LogIndex, ProcessId};
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::time::LocalTime;

/// Looks for standbys that have been silent for too long.
const SILENT: Timer = Timer::of(MODE_TIMERS);
/// The shortest patience with a silent standby: a timer of nothing would stop time.
const SHORTEST: Span = Span::from_millis(4);

crate::choices! {
    /// What a standby must have done before it confirms.
    pub enum Ack {
        /// It is on the standby's disk (PostgreSQL `synchronous_commit = on`).
        Flush = "flush",
        /// It has arrived (`remote_write`).
        Receive = "receive",
        /// It is visible on the standby (`remote_apply`).
        Apply = "apply",
    }
}

impl Ack {
    /// What counts of a standby's confirmations.
    pub fn of(self, cursor: &Cursor) -> LogIndex {
        match self {
            Ack::Receive => cursor.received,
            Ack::Flush => cursor.flushed,
            Ack::Apply => cursor.applied,
        }
    }
    /// What standbys must tell.
    pub fn confirms(self) -> Confirms {
        match self {
            Ack::Receive => Confirms::Receipt,
            Ack::Flush => Confirms::Flush,
            Ack::Apply => Confirms::Apply,
        }
    }
}

crate::choices! {
    /// What happens to writes when too few standbys confirm.
    pub enum OnDeadStandby {
        /// They wait.
        Block = "block",
        /// A standby that has not confirmed for `drop_after` no longer counts, until it has
        /// caught up.
        Drop = "drop",
    }
}

crate::params! {
    /// Synchronous: a write is answered when all standbys, or `acks` of them, have confirmed it.
    pub struct Params {
        /// How many standbys must confirm; all of them where this is left out.
        acks: Option<u32> = None, "all standbys";
        /// What a standby must have done before it confirms.
        ack_on: Ack = Ack::Flush, "PostgreSQL synchronous_commit = on";
        /// What happens when too few confirm.
        dead_standby: OnDeadStandby = OnDeadStandby::Block, "PostgreSQL: a commit waits";
        /// How long a silent standby counts, with `dead_standby = "drop"`.
        drop_after: Span = Span::from_secs(10), "our choice";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

/// A standby under watch, with `dead_standby = "drop"`.
#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    /// Since when it owes a confirmation.
    owes_since: Option<LocalTime>,
    /// When it was dropped, if it no longer counts.
    dropped_at: Option<LocalTime>,
    /// What was on our disk when it spoke again.
    must_reach: Option<LogIndex>,
}

impl Watched {
    fn counts(&self) -> bool {
        self.dropped_at.is_none()
    }
}

/// Synchronous replication at work.
#[derive(Clone, Debug)]
pub struct Mode {
    needed: usize,
    ack_on: Ack,
    drop_after: Option<Span>,
    shipper: Shipper,
    /// By the standbys' places among the cursors.
    watched: Vec<Watched>,
    acked: LogIndex,
}

impl Mode {
    /// The mode of these parameters.
    pub fn new(params: &Params, standbys: usize) -> Mode {
        Mode {
            needed: params.acks.map_or(standbys, |acks| acks as usize).min(standbys),
            ack_on: params.ack_on,
            drop_after: (params.dead_standby == OnDeadStandby::Drop)
                .then_some(params.drop_after.max(SHORTEST)),
            shipper: Shipper::default(),
            watched: vec![Watched::default(); standbys],
            acked: LogIndex(0),
        }
    }

    fn confirmed(&self, cursor: &Cursor) -> LogIndex {
        self.ack_on.of(cursor)
    }

    /// How many must confirm now: those asked for, but no more than still count.
    fn needed_now(&self) -> usize {
        let counting = self.watched.iter().filter(|watched| watched.counts()).count();
        self.needed.min(counting)
    }

    /// The longest prefix that is on our disk and confirmed by as many as are needed.
    fn count(&mut self, core: &Core) {
        let needed = self.needed_now();
        let own = core.log.durable().index;
        let mut best = own;
        if needed > 0 {
            let mut confirmed: Vec<LogIndex> = self
                .shipper
                .cursors()
                .iter()
                .zip(&self.watched)
                .filter(|(_, watched)| watched.counts())
                .map(|(cursor, _)| self.confirmed(cursor))
                .collect();
            confirmed.sort_unstable();
            let kth = confirmed.len().checked_sub(needed).map(|i| confirmed[i]);
            best = own.min(kth.unwrap_or_default());
        }
        // What has been confirmed once stays confirmed, whoever is dropped or joins later.
        self.acked = self.acked.max(best);
    }

    /// Drops standbys that owe a confirmation for too long, and takes back those that caught up.
    fn judge_silence(&mut self, core: &Core, now: LocalTime) {
        let Some(patience) = self.drop_after else { return };
        let own = core.log.durable().index;
        for i in 0..self.shipper.cursors().len() {
            let cursor = self.shipper.cursors()[i];
            let confirmed = self.confirmed(&cursor);
            let watched = &mut self.watched[i];
            if confirmed >= own {
                *watched = Watched::default();
            } else if let Some(dropped_at) = watched.dropped_at {
                // Under load nobody ever confirms all that is on our disk at that moment. It has
                // caught up when it reached what was there when it spoke again, and all that came
                // since is on its way to it (PostgreSQL's `streaming` after `catchup`).
                if cursor.joined && cursor.heard > dropped_at {
                    let goal = *watched.must_reach.get_or_insert(own);
                    if confirmed >= goal && cursor.sent >= own {
                        *watched = Watched::default();
                    }
                }
            } else {
                let since = *watched.owes_since.get_or_insert(now);
                // Progress counts: a standby that confirms something is slow, not silent.
                if now.since(since.max(cursor.heard)) >= patience {
                    watched.dropped_at = Some(now);
                    watched.must_reach = None;
                }
            }
        }
    }
}

impl Replicate for Mode {
    fn confirms(&self) -> Confirms {
        self.ack_on.confirms()
    }
    fn acks_required(&self) -> u16 {
        self.needed_now() as u16
    }
    fn acked(&self, _core: &Core) -> LogIndex {
        self.acked
    }
    fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.reset(core, ctx.now());
        self.acked = LogIndex(0);
        self.watched.fill(Watched::default());
        if let Some(patience) = self.drop_after {
            ctx.set_timer(SILENT, patience.div(4));
        }
    }
    fn on_append(&mut self, _core: &mut Core, _ctx: &mut Ctx<'_>) {}
    fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.ship(core, ctx);
        self.count(core);
    }
    fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.shipper.on_peer(from, peer, core, ctx) {
            self.judge_silence(core, ctx.now());
            self.count(core);
        }
    }
    fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if let (SILENT, Some(patience)) = (timer, self.drop_after) {
            self.judge_silence(core, ctx.now());
            self.count(core);
            ctx.set_timer(SILENT, patience.div(4));
        }
    }
    fn on_reset(&mut self, by: ProcessId, _core: &mut Core, _ctx: &mut Ctx<'_>) {
        self.shipper.on_reset(by);
    }
    fn crash(&mut self) {
        self.shipper.crash();
        self.acked = LogIndex(0);
    }
}
