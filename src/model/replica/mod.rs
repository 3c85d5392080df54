//! Replicas of a store with one writer: a shell for admission, lease, fencing and answers, and a
//! mode that says when a write counts as done.
//!
//! May use the model's vocabulary and `sim`. Will never know who decides that it leads, which
//! clients there are, or what the network does.
//!
//! # Decided
//! - Only the shell answers; a mode implements [`Replicate`] and says how far writes count as
//!   done. A new mode is one file and one line in `modes!` below.
//! - The standby's side ([`follower`]) and the primary's cursors ([`shipper`]) are shared by all
//!   modes that ship a log. A primary ships what is on its own disk, as PostgreSQL does, so that
//!   a standby is never ahead of it.
//! - A mode in which standbys ship to each other learns what happens to a standby through
//!   [`Replicate::as_standby`], and says from whom its follower draws.
//! - A standby numbers its requests to join, and an answer repeats the number. Requests are asked
//!   again while the way is cut; without the number a late answer to an old one would cut off
//!   entries that have been received, and confirmed, since.
//! - After a crash a primary begins a new segment, however it comes to lead again: what was only
//!   in memory had names in the old one, and no two entries may have one name.

pub mod applier;
pub mod async_log;
pub mod chain;
pub mod core;
pub mod follower;
pub mod lag;
pub mod peer;
pub mod semi_sync;
pub mod shell;
pub mod shipper;
pub mod sync;

pub use self::core::{Core, ReplicaSpec};
pub use shell::Replica;
pub use shell::guard::{Guard, GuardParams};
pub use shell::server::{Server, ServerParams};

use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{LogIndex, ProcessId};
use crate::model::replica::follower::Follower;
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Bytes, Name};

/// When a standby confirms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirms {
    /// When it has entries in memory, and again when they are on disk.
    Receipt,
    /// When they are on disk.
    Flush,
    /// When they are on disk, and again when readers can see them.
    Apply,
}

/// What happens to a standby.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum AsStandby {
    /// It follows a primary from now on, or again after a crash.
    Follows,
    /// It may have joined its source, or its disk has more.
    Moved,
    /// Another replica said something that is not the follower's to hear.
    Told(ProcessId, Peer),
    /// A timer of the mode fired.
    Timer(Timer),
    /// The connection to another process broke.
    Reset(ProcessId),
}

/// What a mode adds to the shell: the primary's side of one way to replicate a log.
pub trait Replicate {
    /// What standbys must tell.
    fn confirms(&self) -> Confirms;
    /// How many other nodes must confirm a write before it counts as done, at present.
    fn acks_required(&self) -> u16;
    /// How far writes count as done.
    fn acked(&self, core: &Core) -> LogIndex;
    /// This replica leads from now on: nobody has joined.
    fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>);
    /// A write was appended in memory.
    fn on_append(&mut self, core: &mut Core, ctx: &mut Ctx<'_>);
    /// More is on the primary's own disk.
    fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>);
    /// A standby joins or confirms.
    fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>);
    /// A timer of the mode fired.
    fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>);
    /// The connection to a standby broke.
    fn on_reset(&mut self, by: ProcessId, core: &mut Core, ctx: &mut Ctx<'_>);
    /// The process died: forget what was in memory.
    fn crash(&mut self);
    /// What a standby does beside following.
    fn as_standby(
        &mut self,
        _what: AsStandby,
        _follower: &mut Follower,
        _core: &mut Core,
        _ctx: &mut Ctx<'_>,
    ) {
    }
}

/// Turns one line per mode into the reader's catalogue, the machine and its dispatch. After them
/// come the modes of other machines, which only the catalogue knows.
macro_rules! modes {
    (
        $($word:literal => $variant:ident in $file:ident),* $(,)?;
        $($other_word:literal => $other:ident($params:path)),* $(,)?
    ) => {
        crate::catalogue! {
            /// How a store replicates.
            pub enum ModeParams by "mode" {
                $($word => $variant($file::Params),)*
                $($other_word => $other($params),)*
            }
        }

        /// A mode at work.
        #[derive(Clone, Debug)]
        #[allow(clippy::large_enum_variant, reason = "one per replica, and on the hot path: no box")]
        pub enum Mode {
            $(#[doc = concat!("`", $word, "`")] $variant($file::Mode),)*
        }

        impl Mode {
            /// The mode of these parameters, for so many standbys; nothing where no primary is
            /// appointed.
            pub fn new(params: &ModeParams, standbys: usize) -> Option<Mode> {
                match params {
                    $(ModeParams::$variant(params) => Some(Mode::$variant($file::Mode::new(params, standbys))),)*
                    $(ModeParams::$other(_) => None,)*
                }
            }
        }

        impl ModeParams {
            /// From a standby's disk to visible on it.
            pub fn apply_delay(&self) -> &DistSpec {
                match self {
                    $(ModeParams::$variant(params) => &params.apply_delay,)*
                    $(ModeParams::$other(_) => &AT_ONCE,)*
                }
            }
            /// True where it keeps versions per key and no log.
            pub const fn is_keyed(&self) -> bool {
                matches!(self, ModeParams::Quorum(_))
            }
            /// True where one replica is primary because somebody appointed it.
            pub const fn has_primary(&self) -> bool {
                match self {
                    $(ModeParams::$variant(_) => true,)*
                    $(ModeParams::$other(_) => false,)*
                }
            }
        }

        impl Replicate for Mode {
            fn confirms(&self) -> Confirms {
                match self { $(Mode::$variant(mode) => mode.confirms(),)* }
            }
            fn acks_required(&self) -> u16 {
                match self { $(Mode::$variant(mode) => mode.acks_required(),)* }
            }
            #[inline]
            fn acked(&self, core: &Core) -> LogIndex {
                match self { $(Mode::$variant(mode) => mode.acked(core),)* }
            }
            fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_lead(core, ctx),)* }
            }
            #[inline]
            fn on_append(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_append(core, ctx),)* }
            }
            fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_durable(core, ctx),)* }
            }
            fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_peer(from, peer, core, ctx),)* }
            }
            fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_timer(timer, core, ctx),)* }
            }
            fn on_reset(&mut self, by: ProcessId, core: &mut Core, ctx: &mut Ctx<'_>) {
                match self { $(Mode::$variant(mode) => mode.on_reset(by, core, ctx),)* }
            }
            fn crash(&mut self) {
                match self { $(Mode::$variant(mode) => mode.crash(),)* }
            }
            #[inline]
            fn as_standby(
                &mut self,
                what: AsStandby,
                follower: &mut Follower,
                core: &mut Core,
                ctx: &mut Ctx<'_>,
            ) {
                match self { $(Mode::$variant(mode) => mode.as_standby(what, follower, core, ctx),)* }
            }
        }
    };
}

modes! {
    "async" => Async in async_log,
    "sync" => Sync in sync,
    "semi_sync" => SemiSync in semi_sync,
    "chain" => Chain in chain;
    "consensus" => Consensus(crate::model::consensus::member::Params),
    "quorum" => Quorum(crate::model::keyed::quorum::Params),
}

/// What has no standbys has nothing to apply there.
const AT_ONCE: DistSpec = DistSpec::Constant(Span::ZERO);

crate::choices! {
    /// What a database does when its process starts again after a crash.
    pub enum Restart {
        /// What it was: a primary goes on as primary unless something stops it (PostgreSQL does).
        AsItWas = "as_it_was",
        /// A standby, until it is promoted or the lease makes it primary.
        Standby = "standby",
    }
}

crate::choices! {
    /// What a standby that is promoted does with what it has received and not applied.
    pub enum Unapplied {
        /// It applies all of it first.
        Replay = "replay",
        /// It leads at once, from what it has applied: the rest is cut off.
        Discard = "discard",
    }
}

crate::params! {
    /// A store: what is replicated where, and how.
    pub struct StoreParams {
        /// The region (or `region/zone`) of the primary; required where the mode has one.
        primary: Option<Name> = None, "none: a mode without a primary has `replicas`";
        /// The regions (or zones) of the standbys, in order of preference.
        standbys: Vec<Name> = Vec::new(), "none";
        /// The regions (or zones) of the replicas, where the mode appoints no primary (`consensus`, `quorum`).
        replicas: Vec<Name> = Vec::new(), "none: a mode with a primary has `primary` and `standbys`";
        /// How it replicates: a table with `mode` and the parameters of that mode.
        replication: ModeParams, required;
        /// How long the disk takes to make a group of writes durable.
        fsync: DistSpec = DistSpec::Constant(Span::from_millis(1)), "our choice: a cloud SSD";
        /// Log bytes per write on the wire to a standby, beside the payload.
        log_overhead: Bytes = Bytes(100), "our choice";
        /// Size of a write's payload.
        write_size: Bytes = Bytes(1000), "our choice";
        /// Size of the answer to a read.
        read_size: Bytes = Bytes(1000), "our choice";
        /// Whether it keeps the ids of operations and recognises a retry. It takes both sides:
        /// only retries that carry their id (`retry.idempotent`) can be recognised.
        idempotent: bool = true, "our choice";
        /// What each of its nodes can serve.
        server: Option<ServerParams> = None, "none: every request is served at once";
        /// From the start of its process until a database works again after a crash.
        restart_time: DistSpec = DistSpec::Constant(Span::from_secs(5)), "our choice";
        /// What a restarted database believes to be.
        restart: Restart = Restart::AsItWas, "PostgreSQL";
        /// How many entries a second a standby's one applier makes visible.
        apply_rate: Option<f64> = None, "as fast as they come";
        /// What a standby that is promoted does with what it has received and not applied.
        unapplied: Unapplied = Unapplied::Replay, "PostgreSQL; MySQL's RESET REPLICA discards";
        /// The guard on its primary: no writes with too few standbys.
        guard: Option<GuardParams> = None, "none: it writes alone as well";
        /// Which `[lease.NAME]` it uses; where left out, the unnamed `[lease]`, if there is one.
        lease: Option<Name> = None, "the unnamed one";
        /// Which `[health_check.NAME]` watches it.
        health_check: Option<Name> = None, "the unnamed one";
        /// Which `[failover.NAME]` it fails over by.
        failover: Option<Name> = None, "the unnamed one";
        /// Which `[routing.NAME]` sends its clients.
        routing: Option<Name> = None, "the unnamed one";
    }
}

impl Default for ModeParams {
    /// Only stands in where a file states none, which is a problem that is reported.
    fn default() -> ModeParams {
        let mut nothing = crate::sim::param::Problems::default();
        let empty = crate::sim::param::Node::table(Vec::new());
        ModeParams::Async(async_log::Params::read(&empty, &mut nothing))
    }
}
