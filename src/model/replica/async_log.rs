//! Asynchronous log shipping: the primary answers on its own, the standbys follow.

use super::shell::MODE_TIMERS;
use super::shipper::Shipper;
use super::{Confirms, Core, Replicate};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{LogIndex, ProcessId};
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::dist::DistSpec;

/// The shortest batch interval: a timer of nothing would stop time.
const SHORTEST: Span = Span::from_millis(1);

/// The next batch leaves.
const BATCH: Timer = Timer::of(MODE_TIMERS);

crate::choices! {
    /// When the primary ships what it has.
    pub enum Ship {
        /// After every local disk write, as PostgreSQL streams its log.
        Flush = "flush",
        /// At a fixed interval, as log shipping by files does.
        Batch = "batch",
    }
}

crate::choices! {
    /// When the primary answers a write.
    pub enum Answer {
        /// When its own disk has it.
        Flush = "flush",
        /// As soon as it is in memory (`synchronous_commit = off`).
        Append = "append",
    }
}

crate::params! {
    /// Asynchronous: the primary answers on its own; what has not reached a standby when the
    /// primary is lost, is lost.
    pub struct Params {
        /// When the primary ships its log.
        ship: Ship = Ship::Flush, "PostgreSQL streaming replication";
        /// The interval of `ship = "batch"`.
        batch_interval: Span = Span::from_secs(1), "our choice";
        /// When the primary answers a write.
        answer: Answer = Answer::Flush, "PostgreSQL synchronous_commit = local";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

/// Asynchronous log shipping at work.
#[derive(Clone, Debug)]
pub struct Mode {
    ship: Ship,
    batch_interval: Span,
    answer: Answer,
    shipper: Shipper,
}

impl Mode {
    /// The mode of these parameters.
    pub fn new(params: &Params, _standbys: usize) -> Mode {
        Mode {
            ship: params.ship,
            batch_interval: params.batch_interval.max(SHORTEST),
            answer: params.answer,
            shipper: Shipper::default(),
        }
    }
}

impl Replicate for Mode {
    fn confirms(&self) -> Confirms {
        Confirms::Flush
    }
    fn acks_required(&self) -> u16 {
        0
    }
    fn acked(&self, core: &Core) -> LogIndex {
        match self.answer {
            Answer::Flush => core.log.durable().index,
            Answer::Append => core.log.end().index,
        }
    }
    fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.reset(core, ctx.now());
        if self.ship == Ship::Batch {
            ctx.set_timer(BATCH, self.batch_interval);
        }
    }
    fn on_append(&mut self, _core: &mut Core, _ctx: &mut Ctx<'_>) {}
    fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        if self.ship == Ship::Flush {
            self.shipper.ship(core, ctx);
        }
    }
    fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.shipper.on_peer(from, peer, core, ctx);
    }
    fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if timer == BATCH {
            self.shipper.ship(core, ctx);
            ctx.set_timer(BATCH, self.batch_interval);
        }
    }
    fn on_reset(&mut self, by: ProcessId, _core: &mut Core, _ctx: &mut Ctx<'_>) {
        self.shipper.on_reset(by);
    }
    fn crash(&mut self) {
        self.shipper.crash();
    }
}
