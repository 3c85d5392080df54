//! One store's lease, as a voter keeps it: what is replicated, and what the leader adds.

use super::{Command, Voter};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{FencingToken, GroupId, LogIndex, NodeId, ProcessId};
use crate::sim::time::{LocalTime, Span};

/// A request that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub from: ProcessId,
    pub node: NodeId,
    pub seq: u32,
    /// The token it shows.
    pub shown: FencingToken,
    /// It gives this one up, instead of asking for one.
    pub gives_up: Option<FencingToken>,
}

/// One store's lease.
#[derive(Clone, Debug, Default)]
pub(super) struct Lease {
    // Replicated.
    pub holder: Option<NodeId>,
    /// Who held it last: the owner of `token`.
    pub last: NodeId,
    pub token: FencingToken,
    /// How far the holder's database had come when that last said so.
    pub published: LogIndex,
    // The leader's own.
    pub deadline: LocalTime,
    /// The grant is of an earlier term, and was committed under this leader: whether the
    /// earlier one came to say so is not known.
    pub inherited: bool,
    /// The command under way.
    pub pending: Option<Pending>,
    /// Requests that wait for its end.
    pub waiting: Vec<Request>,
    /// Who wants to be told of the next change.
    pub watchers: Vec<ProcessId>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub index: u32,
    /// Whom to answer once it is committed.
    pub request: Option<Request>,
}

impl Lease {
    /// Carries out a committed command, the same on every voter; true when the lease was granted
    /// or renewed by it.
    pub fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Grant { holder, token, .. } => {
                let free = self.holder.is_none() && token > self.token;
                if free {
                    (self.holder, self.last, self.token) = (Some(holder), holder, token);
                }
                free
            }
            Command::Renew { holder, token, .. } => {
                self.holder == Some(holder) && self.token == token
            }
            Command::Revoke { token, .. } => {
                if self.token == token {
                    self.holder = None;
                }
                false
            }
            Command::Publish { at, .. } => {
                self.published = at;
                false
            }
        }
    }

    /// A lease runs its full length from now, by the leader's clock.
    pub fn start_clock(&mut self, group: GroupId, full: Span, ctx: &mut Ctx<'_>) {
        self.deadline = ctx.now().saturating_add(full);
        ctx.set_timer(Timer::nth(Voter::LAPSE, u32::from(group.0)), full);
    }
}
