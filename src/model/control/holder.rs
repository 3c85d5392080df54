//! The client of the coordination service: asks its voters for a lease and keeps it, or only asks
//! who holds it.

use crate::model::control::LeaseParams;
use crate::model::ctx::{Ctx, Timer};
use crate::model::fact::Claim;
use crate::model::id::{FencingToken, GroupId, LogIndex, NodeId, ProcessId};
use crate::model::msg::{LeaseMsg, Msg};
use crate::sim::Span;
use crate::sim::time::LocalTime;

/// A request (its sequence number) was not answered in time.
pub const REQUEST: u16 = 2;
/// The lease runs out, unless it has been renewed.
pub const LAPSE: u16 = 3;

/// How many requests are remembered, so that a late grant still counts.
const REMEMBERED: usize = 16;

/// What an answer of the service means.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Heard {
    /// Nothing new.
    Nothing,
    /// The lease is ours until then.
    Granted {
        /// The end, by the local clock, guard taken off.
        until: LocalTime,
        /// False for a renewal.
        fresh: bool,
    },
    /// Another has it, or had it after us.
    Denied {
        /// Who.
        holder: NodeId,
        /// With which token.
        token: FencingToken,
    },
    /// It stands so.
    Seen(Seen),
}

/// How a lease stands, as the service said.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// Who holds it.
    pub holder: Option<NodeId>,
    /// The newest token there is; 0 when nobody ever held it.
    pub token: FencingToken,
    /// How far the holder's database had come when it last said so.
    pub published: LogIndex,
}

/// What is asked, and asked again of the next voter.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Question {
    /// For the lease.
    Lease,
    /// How it stands; and to be told of the next change.
    State { watch: bool },
}

/// The holder's side of a lease.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The lease.
    pub params: LeaseParams,
    voters: Vec<ProcessId>,
    group: GroupId,
    /// Which voter is believed to lead.
    leader: usize,
    /// Requests that were sent, with the local time they were sent at.
    asked: Vec<(u32, LocalTime)>,
    seq: u32,
    question: Question,
    answered: bool,
    /// Voters tried in a row without an answer that decides.
    hops: usize,
    /// The newest token that we know to be ours; 0 for none.
    token: FencingToken,
    until: Option<LocalTime>,
    /// The newest token given up. It is never taken back: its release may still be on its way.
    released: FencingToken,
}

impl Holder {
    /// Holds nothing yet.
    pub fn new(params: LeaseParams, voters: Vec<ProcessId>, group: GroupId) -> Holder {
        Holder {
            params,
            voters,
            group,
            leader: 0,
            asked: Vec::new(),
            seq: 0,
            question: Question::Lease,
            answered: true,
            hops: 0,
            token: FencingToken::default(),
            until: None,
            released: FencingToken::default(),
        }
    }
    /// The token last held.
    pub fn token(&self) -> FencingToken {
        self.token
    }
    /// The token to ask with from now on: one's own, or 0 to ask as anybody.
    pub fn ask_as(&mut self, token: FencingToken) {
        self.token = token;
    }
    /// Until when it is held, if it is.
    pub fn held(&self, now: LocalTime) -> Option<LocalTime> {
        self.until.filter(|until| *until > now)
    }
    /// True while a request is under way.
    pub fn waiting(&self) -> bool {
        !self.answered
    }
    /// Asks the voter that is believed to lead for the lease. Validity counts from now: from
    /// before the service can have granted it.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>) {
        self.question = Question::Lease;
        self.put(ctx);
    }
    /// Asks it how the lease stands, and, to `watch`, for a word when that changes.
    pub fn look(&mut self, watch: bool, ctx: &mut Ctx<'_>) {
        self.question = Question::State { watch };
        self.put(ctx);
    }
    /// Tells it how far the database has come, while the lease is ours.
    pub fn publish(&self, at: LogIndex, ctx: &mut Ctx<'_>) {
        if let Some(leader) = self.voters.get(self.leader) {
            ctx.cast(*leader, Msg::Lease(self.group, LeaseMsg::Publish { token: self.token, at }));
        }
    }
    fn put(&mut self, ctx: &mut Ctx<'_>) {
        if self.voters.is_empty() {
            return;
        }
        self.seq = self.seq.wrapping_add(1);
        self.answered = false;
        if self.asked.len() == REMEMBERED {
            self.asked.remove(0);
        }
        self.asked.push((self.seq, ctx.now()));
        let seq = self.seq;
        let msg = match self.question {
            Question::Lease => LeaseMsg::Acquire { seq, token: self.token },
            Question::State { watch } => LeaseMsg::Look { seq, watch },
        };
        ctx.cast(self.voters[self.leader], Msg::Lease(self.group, msg));
        ctx.set_timer(Timer::nth(REQUEST, self.seq), self.params.request_timeout);
    }
    /// The request was not answered: asks the next voter.
    pub fn on_timeout(&mut self, seq: u32, ctx: &mut Ctx<'_>) {
        if seq == self.seq && !self.answered {
            self.hops = 0;
            self.leader = (self.leader + 1) % self.voters.len();
            self.put(ctx);
        }
    }
    /// A voter's process does not run: asks the next.
    pub fn on_refused(&mut self, seq: u32, ctx: &mut Ctx<'_>) {
        if seq == self.seq && !self.answered {
            self.elsewhere(None, ctx);
        }
    }
    /// A voter answered.
    pub fn on_answer(&mut self, msg: LeaseMsg, ctx: &mut Ctx<'_>) -> Heard {
        match msg {
            LeaseMsg::Granted { seq, token } => {
                let Some(sent) = self.settle(seq, ctx) else { return Heard::Nothing };
                if token == self.released {
                    self.send_release(token, ctx);
                    return Heard::Nothing;
                }
                let fresh = self.held(ctx.now()).is_none() || token != self.token;
                self.token = token;
                let valid = self.params.ttl.saturating_sub(self.params.guard);
                let until = sent.saturating_add(valid).max(self.until.unwrap_or(LocalTime::ZERO));
                if until <= ctx.now() {
                    return Heard::Nothing;
                }
                self.until = Some(until);
                ctx.set_timer(Timer::of(LAPSE), until.since(ctx.now()));
                if fresh {
                    ctx.claim(Claim::LeaseHeld(self.group, token));
                }
                Heard::Granted { until, fresh }
            }
            // A denial that a later request has overtaken may be out of date.
            LeaseMsg::Denied { seq, holder, token } if seq == self.seq => {
                match self.settle(seq, ctx) {
                    Some(_) => Heard::Denied { holder, token },
                    None => Heard::Nothing,
                }
            }
            LeaseMsg::NotLeader { seq, hint } => {
                if seq == self.seq && !self.answered {
                    self.elsewhere(hint, ctx);
                }
                Heard::Nothing
            }
            LeaseMsg::Seen { seq, holder, token, published } if seq == self.seq => {
                match self.settle(seq, ctx) {
                    Some(_) => Heard::Seen(Seen { holder, token, published }),
                    None => Heard::Nothing,
                }
            }
            LeaseMsg::Denied { .. }
            | LeaseMsg::Seen { .. }
            | LeaseMsg::Acquire { .. }
            | LeaseMsg::Release { .. }
            | LeaseMsg::Look { .. }
            | LeaseMsg::Publish { .. }
            | LeaseMsg::Changed => Heard::Nothing,
        }
    }
    /// Closes the request `seq`: when it was sent, if it is remembered.
    fn settle(&mut self, seq: u32, ctx: &mut Ctx<'_>) -> Option<LocalTime> {
        let i = self.asked.iter().position(|(s, _)| *s == seq)?;
        let (_, sent) = self.asked.remove(i);
        self.hops = 0;
        if seq == self.seq {
            self.answered = true;
            ctx.cancel_timer(Timer::nth(REQUEST, seq));
        }
        Some(sent)
    }
    /// This voter does not lead. Tries the hint, or the next; after each has been tried once,
    /// waits for the request's timeout, because an election takes its time.
    fn elsewhere(&mut self, hint: Option<ProcessId>, ctx: &mut Ctx<'_>) {
        let hinted = hint.and_then(|h| self.voters.iter().position(|v| *v == h));
        self.hops += 1;
        if self.hops <= self.voters.len() {
            self.leader = hinted.unwrap_or((self.leader + 1) % self.voters.len());
            ctx.cancel_timer(Timer::nth(REQUEST, self.seq));
            self.put(ctx);
        } else {
            let pause = self.params.request_timeout.min(Span::from_millis(200));
            ctx.set_timer(Timer::nth(REQUEST, self.seq), pause);
        }
    }
    /// The end was reached, unless the lease has been renewed.
    pub fn on_lapse(&mut self, ctx: &mut Ctx<'_>) {
        if self.until.is_some_and(|until| until <= ctx.now()) {
            self.until = None;
            ctx.claim(Claim::LeaseLost(self.group));
        }
    }
    /// True when a token is one that was given up.
    pub fn gave_up(&self, token: FencingToken) -> bool {
        token == self.released
    }
    /// Stops asking. What is held is kept until it lapses.
    pub fn stop_asking(&mut self, ctx: &mut Ctx<'_>) {
        if !self.answered {
            self.answered = true;
            ctx.cancel_timer(Timer::nth(REQUEST, self.seq));
        }
    }
    /// Gives up what is held, at once.
    pub fn release(&mut self, ctx: &mut Ctx<'_>) {
        self.stop_asking(ctx);
        // A grant of before must not pass for one of after.
        self.asked.clear();
        if self.until.take().is_some() {
            ctx.cancel_timer(Timer::of(LAPSE));
            self.send_release(self.token, ctx);
            ctx.claim(Claim::LeaseLost(self.group));
        }
    }
    /// Gives back a grant that is not wanted. Every voter is told, since which of them leads may
    /// have changed; one that does not lead drops it.
    pub fn send_release(&mut self, token: FencingToken, ctx: &mut Ctx<'_>) {
        self.released = self.released.max(token);
        for voter in &self.voters {
            ctx.send(*voter, Msg::Lease(self.group, LeaseMsg::Release { token }), 100);
        }
    }
    /// The process was killed. Requests keep their numbers: an answer to an older life must not
    /// pass for one to this. The token last given up is on its disk: a release of an older life
    /// may still be on its way, and must not end a lease that was renewed after it.
    pub fn forget(&mut self, disk_kept: bool) {
        self.asked.clear();
        (self.answered, self.hops) = (true, 0);
        (self.token, self.until) = (FencingToken::default(), None);
        if !disk_kept {
            self.released = FencingToken::default();
        }
    }
}
