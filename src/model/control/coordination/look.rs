//! What the service tells without changing anything: how a lease stands, and that it changed.

use super::{ANSWER_BYTES, Command, Lease, Voter};
use crate::model::ctx::Ctx;
use crate::model::id::{FencingToken, GroupId, LogIndex, NodeId, ProcessId};
use crate::model::msg::{LeaseMsg, Msg};

impl Voter {
    /// Somebody wants to know how a lease stands.
    pub(super) fn on_look(
        &mut self,
        from: ProcessId,
        group: GroupId,
        seq: u32,
        watch: bool,
        ctx: &mut Ctx<'_>,
    ) {
        let answer = if self.raft.leads().is_some() {
            let lease = self.leases.entry(group).or_default();
            if watch && !lease.watchers.contains(&from) {
                lease.watchers.push(from);
            }
            let Lease { holder, token, published, .. } = *lease;
            LeaseMsg::Seen { seq, holder, token, published }
        } else {
            LeaseMsg::NotLeader { seq, hint: self.hint() }
        };
        ctx.send(from, Msg::Lease(group, answer), ANSWER_BYTES);
    }

    /// A holder says how far its database is; nobody waits for an answer to that.
    pub(super) fn on_publish(
        &mut self,
        node: NodeId,
        group: GroupId,
        token: FencingToken,
        at: LogIndex,
        ctx: &mut Ctx<'_>,
    ) {
        let of_holder = self.holder(group) == Some((node, token));
        if of_holder && self.raft.ready() {
            self.raft.propose(Command::Publish { group, at }.encode(), ctx);
        }
    }
}

impl Lease {
    /// The lease has changed hands, or is free: whoever watches is told, once.
    pub(super) fn changed(&mut self, group: GroupId, ctx: &mut Ctx<'_>) {
        for watcher in self.watchers.drain(..) {
            ctx.send(watcher, Msg::Lease(group, LeaseMsg::Changed), ANSWER_BYTES);
        }
    }
}
