//! The closed set of machines that processes run.

use crate::model::client::Population;
use crate::model::consensus::member::Member as Elector;
use crate::model::control::agent::Agent;
use crate::model::control::controller::Controller;
use crate::model::control::coordination::Voter;
use crate::model::control::council::Member;
use crate::model::control::race::Racer;
use crate::model::control::stonith::FenceDevice;
use crate::model::control::storage::Storage;
use crate::model::ctx::{Ctx, Input, Machine};
use crate::model::detect::checker::Checker;
use crate::model::id::{GroupId, Position};
use crate::model::keyed::Keyed;
use crate::model::replica::Replica;
use crate::model::route::NameServer;
use crate::sim::time::LocalTime;

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It does.
    Running,
    /// It is frozen: what arrives waits.
    Paused,
    /// It does not.
    Dead,
}

macro_rules! processes {
    ($($(#[doc = $doc:literal])* $variant:ident($machine:ty)),* $(,)?) => {
        /// What a process runs.
        pub(super) enum Process {
            $($(#[doc = $doc])* $variant(Box<$machine>),)*
        }

        impl Machine for Process {
            #[inline]
            fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
                match self { $(Process::$variant(machine) => machine.step(input, ctx),)* }
            }
            fn crash(&mut self, disk_kept: bool) {
                match self { $(Process::$variant(machine) => machine.crash(disk_kept),)* }
            }
        }
    };
}

processes! {
    /// Clients.
    Population(Population),
    /// A replica of a store.
    Database(Replica),
    /// A replica of a store that elects its leader.
    Elector(Elector),
    /// A node of a store with versions per key.
    Keyed(Keyed),
    /// The agent beside it.
    Agent(Agent),
    /// An agent that races for the lease.
    Racer(Racer),
    /// A checker.
    Checker(Checker),
    /// A failover controller.
    Controller(Controller),
    /// One of several that elect the one that acts.
    Member(Member),
    /// A voter of a coordination service.
    Voter(Voter),
    /// An authoritative name server.
    NameServer(NameServer),
    /// Storage that checks tokens.
    Storage(Storage),
    /// A device that switches a host off.
    FenceDevice(FenceDevice),
}

impl Process {
    /// The group in which it may admit writes (or lead), whether it does, and how many others
    /// must confirm a write. Nothing for those that never do.
    #[inline]
    pub(super) fn standing(&self, now: LocalTime) -> Option<(GroupId, bool, u16)> {
        match self {
            Process::Database(replica) => {
                Some((replica.group(), replica.admits(now), replica.acks_required()))
            }
            Process::Elector(member) => {
                Some((member.group(), member.admits(now), member.acks_required()))
            }
            Process::Voter(voter) => Some((voter.group(), voter.leads().is_some(), 0)),
            _ => None,
        }
    }
    /// True when what it writes to disk is a store's history.
    pub(super) fn keeps_history(&self) -> bool {
        matches!(self, Process::Database(_) | Process::Elector(_))
    }
    /// The store whose history it keeps, and the end of that in memory.
    pub(super) fn history(&self) -> Option<(GroupId, Position)> {
        match self {
            Process::Database(replica) => Some((replica.group(), replica.log().end())),
            Process::Elector(member) => Some((member.group(), member.log().end())),
            _ => None,
        }
    }
}
