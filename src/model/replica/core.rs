//! What a replica knows: its store, its role, its history.

use crate::model::ctx::{Ctx, Effect};
use crate::model::id::{FencingToken, GroupId, LogIndex, Position, ProcessId, Term};
use crate::model::log::Log;
use crate::model::msg::{Msg, Role};
use crate::model::replica::peer::Peer;
use crate::model::replica::{Restart, Unapplied};
use crate::sim::dist::Dist;

/// What a replica needs to know of its store.
#[derive(Clone, Debug)]
pub struct ReplicaSpec {
    /// The store.
    pub group: GroupId,
    /// The databases of all replicas, this one included; the first is primary at the start.
    pub replicas: Vec<ProcessId>,
    /// The agent beside this database, if there is one.
    pub agent: Option<ProcessId>,
    /// True when a primary needs a lease to admit writes.
    pub leased: bool,
    /// True when replicas refuse what comes with an older token than they have seen.
    pub checks_tokens: bool,
    /// Storage that checks the token before a write is answered.
    pub storage: Option<ProcessId>,
    /// True when it can recognise a retry by the operation's id.
    pub idempotent: bool,
    /// What this database believes to be after a crash.
    pub restart: Restart,
    /// From process start to work after a crash.
    pub restart_time: Dist,
    /// How many entries a second it applies as a standby.
    pub apply_rate: Option<f64>,
    /// What becomes of the others when it is promoted.
    pub unapplied: Unapplied,
    /// Log bytes of one write on the wire.
    pub entry_bytes: u32,
    /// Bytes of the answer to a write.
    pub answer_bytes: u32,
}

/// Why a primary takes no writes, beside its role and its lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// Too few standbys confirmed for too long.
    Acks = 1,
    /// Its guard finds too few standbys.
    Guard = 2,
}

/// All reasons at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Refusals(u8);

impl Refusals {
    /// True when there is none.
    #[inline]
    pub fn none(self) -> bool {
        self.0 == 0
    }
    /// A reason holds, or no longer.
    pub fn set(&mut self, why: Refusal, yes: bool) {
        if yes {
            self.0 |= why as u8;
        } else {
            self.0 &= !(why as u8);
        }
    }
}

/// What modes and follower share with the shell.
#[derive(Clone, Debug)]
pub struct Core {
    /// The store.
    pub group: GroupId,
    /// The databases of the other replicas.
    pub peers: Vec<ProcessId>,
    /// Log bytes of one write on the wire.
    pub entry_bytes: u32,
    /// What this replica is.
    pub role: Role,
    /// The term it leads, or follows.
    pub term: Term,
    /// The token it writes with.
    pub token: FencingToken,
    /// The newest token it has seen.
    pub seen: FencingToken,
    /// Its history.
    pub log: Log,
    /// Why it takes no writes, should it lead.
    pub refusals: Refusals,
    /// True when standbys confirm what they have in memory, before it is on disk.
    pub confirms_receipt: bool,
    /// True when standbys confirm once more when entries have become visible.
    pub confirms_apply: bool,
    /// The disk write under way, and how far it reaches.
    pub(super) syncing: Option<Position>,
}

impl Core {
    /// Starts a disk write of everything in memory, unless one is under way or there is nothing
    /// to write: what arrives meanwhile goes with the next group.
    pub fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let (end, durable) = (self.log.end(), self.log.durable());
        if self.syncing.is_none() && end.index > durable.index {
            self.syncing = Some(end);
            ctx.effect(Effect::Sync { group: self.group, upto: end });
        }
    }
    /// The token that what it ships bears: its own, or that of the primary it passes on.
    pub fn signature(&self) -> FencingToken {
        if self.role == Role::Primary { self.token } else { self.seen }
    }
    /// All replicas of the store, this one included, in an order that all agree on.
    pub fn everybody(&self, me: ProcessId) -> Vec<ProcessId> {
        let mut all: Vec<ProcessId> = self.peers.iter().copied().chain([me]).collect();
        all.sort_unstable();
        all
    }
    /// The end of what is on the disk, or of the disk write under way.
    pub fn written_or_begun(&self) -> LogIndex {
        self.syncing.unwrap_or_else(|| self.log.durable()).index
    }
    /// Cuts the history back.
    pub fn truncate(&mut self, index: LogIndex, ctx: &mut Ctx<'_>) {
        self.syncing = None;
        self.log.truncate(index);
        ctx.effect(Effect::Truncate { group: self.group, to: self.log.end() });
    }
    /// Sends to another replica.
    pub fn tell(&self, to: ProcessId, peer: Peer, bytes: u32, ctx: &mut Ctx<'_>) {
        ctx.send(to, Msg::Peer(self.group, peer), bytes);
    }
}
