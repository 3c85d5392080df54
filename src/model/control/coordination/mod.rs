//! The coordination service: a replicated group whose voters grant leases by majority.
//!
//! Its state machine holds, for each store, at most one holder with its token. Every grant,
//! renewal and revocation is an entry of the log; the leader answers once it is committed.
//!
//! # Decided
//! - A lease is never shorter than its holder believes. The holder counts `ttl - guard` from
//!   when it asked, the leader `ttl + guard` from when the renewal was committed; a new leader
//!   starts every lease afresh. So, with clocks that drift by less than `guard / ttl` against
//!   each other, a lease that lapsed here has ended there.
//! - A lapsed lease is revoked through the log before anybody else is granted one.
//! - Tokens of a store grow by one with each grant that is no renewal.
//! - A request shows the token its sender held last, and is granted only while that is the
//!   newest there is (or, with token 0, while nobody holds the lease). So a former holder learns
//!   that somebody came after it. One whose own grant went astray is denied with its own name
//!   and token, and asks again with that.
//! - `Effect::Authorise` is left by the leader that commits a grant. When that leader dies before
//!   its successor hears of the commitment, the successor leaves it again, with the same token:
//!   nobody can know whether the first one came to it.
//! - One command per store is under way at a time; requests that meet one wait for its end.
//! - How a lease stands is told by the leader from what it has applied: who acts on an old answer
//!   asks for the lease, and is denied.
//! - A watch is kept by the leader alone and fires once. One that was kept by a leader of before
//!   is lost: who watches looks again in its next loop (etcd's clients reconnect).

mod command;
#[cfg(test)]
mod laws;
mod lease;
mod look;

pub use command::Command;

use crate::model::consensus::{Entry, Raft, Setup};
use crate::model::control::LeaseParams;
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::id::{FencingToken, GroupId, NodeId, ProcessId, Term};
use crate::model::msg::{LeaseMsg, Msg};
use crate::sim::rng::Stream;
use crate::sim::time::Span;
use lease::{Lease, Pending, Request};
use std::collections::BTreeMap;

/// Payload of an answer on the wire: a small message.
const ANSWER_BYTES: u32 = 100;

/// A voter of the coordination service.
#[derive(Clone, Debug)]
pub struct Voter {
    raft: Raft,
    /// Which node each agent stands on.
    agents: BTreeMap<ProcessId, NodeId>,
    /// Time to live and guard together.
    full: Span,
    leases: BTreeMap<GroupId, Lease>,
    /// The term in which this voter began to lead, as far as the leases know.
    led: Option<Term>,
}

impl Voter {
    /// Timer: a lease may have lapsed. Its argument is the store.
    pub const LAPSE: u16 = 0x0e02;

    /// A voter. `group` is the service's own; `peers` are all voters (it does not matter
    /// whether `me` is among them); `agents` are the processes that may ask, with their nodes;
    /// `initial_leader` leads term 1 from the start. `dice` is this voter's own stream.
    pub fn new(
        group: GroupId,
        me: ProcessId,
        peers: &[ProcessId],
        params: &LeaseParams,
        agents: &[(ProcessId, NodeId)],
        initial_leader: Option<ProcessId>,
        dice: Stream,
    ) -> Voter {
        let mut members: Vec<ProcessId> = peers.iter().copied().chain([me]).collect();
        members.sort_unstable();
        members.dedup();
        let params_of_raft = params.election.clone();
        let setup =
            Setup { group, me, members, params: params_of_raft, initial_leader, log_length: 0 };
        Voter {
            raft: Raft::new(setup, dice),
            agents: agents.iter().copied().collect(),
            full: params.ttl.saturating_add(params.guard),
            leases: BTreeMap::new(),
            led: None,
        }
    }

    /// The term that this voter leads with the votes of a majority, until it steps down.
    pub fn leads(&self) -> Option<Term> {
        self.raft.leads()
    }

    /// The service's own group.
    pub fn group(&self) -> GroupId {
        self.raft.group()
    }

    /// The protocol beneath, to look at.
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Who holds a store's lease and with which token, as far as this voter has applied the log.
    pub fn holder(&self, group: GroupId) -> Option<(NodeId, FencingToken)> {
        let lease = self.leases.get(&group)?;
        lease.holder.map(|holder| (holder, lease.token))
    }

    fn on_lease(&mut self, from: ProcessId, group: GroupId, msg: LeaseMsg, ctx: &mut Ctx<'_>) {
        let Some(&node) = self.agents.get(&from) else { return };
        let (seq, shown, gives_up) = match msg {
            LeaseMsg::Acquire { seq, token } => (seq, token, None),
            LeaseMsg::Release { token } => (0, token, Some(token)),
            LeaseMsg::Look { seq, watch } => return self.on_look(from, group, seq, watch, ctx),
            LeaseMsg::Publish { token, at } => return self.on_publish(node, group, token, at, ctx),
            LeaseMsg::Granted { .. }
            | LeaseMsg::Denied { .. }
            | LeaseMsg::NotLeader { .. }
            | LeaseMsg::Seen { .. }
            | LeaseMsg::Changed => return,
        };
        let request = Request { from, node, seq, shown, gives_up };
        if self.raft.leads().is_none() {
            self.refuse(group, request, ctx);
            return;
        }
        // A repeated question replaces the earlier one; giving up takes every question back.
        let lease = self.leases.entry(group).or_default();
        let stays = |waiting: &Request| {
            waiting.from != from || (gives_up.is_none() && waiting.gives_up.is_some())
        };
        lease.waiting.retain(stays);
        lease.waiting.push(request);
        self.serve(group, ctx);
    }

    /// Takes up the requests that wait for a store, as long as no command is under way.
    fn serve(&mut self, group: GroupId, ctx: &mut Ctx<'_>) {
        if !self.raft.ready() {
            return;
        }
        let Some(lease) = self.leases.get_mut(&group) else { return };
        while lease.pending.is_none() && !lease.waiting.is_empty() {
            let request = lease.waiting.remove(0);
            let (token, node) = (lease.token, request.node);
            if let Some(given_up) = request.gives_up {
                if lease.holder == Some(node) && given_up == token {
                    return self.propose(Command::Revoke { group, token }, None, ctx);
                }
                continue;
            }
            let newest = lease.last == node && request.shown == token;
            let renews = newest && token != FencingToken(0);
            match lease.holder {
                Some(holder) if renews => {
                    let command = Command::Renew { group, holder, token };
                    return self.propose(command, Some(request), ctx);
                }
                None if renews || request.shown == FencingToken(0) => {
                    let token = FencingToken(token.0 + 1);
                    let command = Command::Grant { group, holder: node, token };
                    return self.propose(command, Some(request), ctx);
                }
                _ => {
                    let denied = LeaseMsg::Denied { seq: request.seq, holder: lease.last, token };
                    ctx.send(request.from, Msg::Lease(group, denied), ANSWER_BYTES);
                }
            }
        }
    }

    fn propose(&mut self, command: Command, request: Option<Request>, ctx: &mut Ctx<'_>) {
        if let Some(index) = self.raft.propose(command.encode(), ctx) {
            let lease = self.leases.entry(command.group()).or_default();
            lease.pending = Some(Pending { index, request });
        }
    }

    /// After each input: takes notice of a lead won or lost, and applies what was committed.
    fn follow_up(&mut self, ctx: &mut Ctx<'_>) {
        let leads = self.raft.leads();
        if leads != self.led {
            self.led = leads;
            self.turn_away(ctx);
            if leads.is_some() {
                // The clocks of an earlier leader are not ours: every lease starts afresh.
                for (&group, lease) in &mut self.leases {
                    lease.start_clock(group, self.full, ctx);
                }
            }
        }
        let was_ready = self.raft.ready();
        while let Some((index, entry)) = self.raft.next_committed() {
            self.apply(index, entry, ctx);
        }
        if self.raft.ready() && !was_ready {
            let groups: Vec<GroupId> = self.leases.keys().copied().collect();
            for group in groups {
                self.announce_inherited(group, ctx);
                self.lapse(group, ctx);
                self.serve(group, ctx);
            }
        }
    }

    /// The lead was lost or is new: what was under way is not ours to answer.
    fn turn_away(&mut self, ctx: &mut Ctx<'_>) {
        let hint = self.hint();
        for (&group, lease) in &mut self.leases {
            lease.watchers.clear();
            if self.led.is_none() {
                ctx.cancel_timer(Timer::nth(Voter::LAPSE, u32::from(group.0)));
            }
            let pending = lease.pending.take().and_then(|pending| pending.request);
            for request in pending.into_iter().chain(lease.waiting.drain(..)) {
                let answer = LeaseMsg::NotLeader { seq: request.seq, hint };
                ctx.send(request.from, Msg::Lease(group, answer), ANSWER_BYTES);
            }
        }
    }

    fn refuse(&self, group: GroupId, request: Request, ctx: &mut Ctx<'_>) {
        let answer = LeaseMsg::NotLeader { seq: request.seq, hint: self.hint() };
        ctx.send(request.from, Msg::Lease(group, answer), ANSWER_BYTES);
    }

    fn hint(&self) -> Option<ProcessId> {
        self.raft.leader()
    }

    /// Applies one committed entry. All voters do the same to the replicated part; the leader
    /// also runs the clock, answers, and says who has been authorised.
    fn apply(&mut self, index: u32, entry: Entry, ctx: &mut Ctx<'_>) {
        let Some(command) = Command::decode(entry.word) else { return };
        let group = command.group();
        let lease = self.leases.entry(group).or_default();
        let before = (lease.holder, lease.token);
        let granted = lease.obey(command);
        if self.led.is_none() {
            lease.inherited = false;
            return;
        }
        if before != (lease.holder, lease.token) {
            lease.changed(group, ctx);
        }
        if granted {
            lease.start_clock(group, self.full, ctx);
        }
        if granted && let Command::Grant { holder, token, .. } = command {
            lease.inherited = self.led != Some(entry.term);
            if !lease.inherited {
                ctx.effect(Effect::Authorise { group, holder, token });
            }
        }
        if let Some(pending) = lease.pending.take_if(|pending| pending.index == index) {
            match pending.request {
                Some(request) if granted => {
                    let answer = LeaseMsg::Granted { seq: request.seq, token: lease.token };
                    ctx.send(request.from, Msg::Lease(group, answer), ANSWER_BYTES);
                }
                // It was overtaken: look again.
                Some(request) => lease.waiting.insert(0, request),
                None => {}
            }
            self.serve(group, ctx);
        }
    }

    /// A leader that has caught up says who holds what it inherited.
    fn announce_inherited(&mut self, group: GroupId, ctx: &mut Ctx<'_>) {
        let Some(lease) = self.leases.get_mut(&group) else { return };
        let inherited = std::mem::take(&mut lease.inherited);
        if let Some(holder) = lease.holder.filter(|_| inherited) {
            ctx.effect(Effect::Authorise { group, holder, token: lease.token });
        }
    }

    /// Revokes a store's lease if its time is over.
    fn lapse(&mut self, group: GroupId, ctx: &mut Ctx<'_>) {
        let Some(lease) = self.leases.get(&group).filter(|lease| lease.holder.is_some()) else {
            return;
        };
        if ctx.now() < lease.deadline {
            let left = lease.deadline.since(ctx.now());
            ctx.set_timer(Timer::nth(Voter::LAPSE, u32::from(group.0)), left);
        } else if lease.pending.is_none() && self.raft.ready() {
            let token = lease.token;
            self.propose(Command::Revoke { group, token }, None, ctx);
        }
    }
}

impl Machine for Voter {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.raft.start(ctx),
            Input::Durable => self.raft.durable(ctx),
            Input::Message { from, msg: Msg::Raft(_, msg) } => self.raft.receive(from, msg, ctx),
            Input::Message { from, msg: Msg::Lease(group, msg) } => {
                self.on_lease(from, group, msg, ctx);
            }
            Input::Timer(Timer { kind: Voter::LAPSE, arg }) => self.lapse(GroupId(arg as u16), ctx),
            Input::Timer(timer) => self.raft.timer(timer, ctx),
            Input::Message { .. }
            | Input::Refused { .. }
            | Input::Reset { .. }
            | Input::Stall { .. }
            | Input::Order(_)
            | Input::Errors { .. } => {}
        }
        self.follow_up(ctx);
    }

    fn crash(&mut self, disk_kept: bool) {
        self.raft.crash(disk_kept);
        self.leases.clear();
        self.led = None;
    }
}
