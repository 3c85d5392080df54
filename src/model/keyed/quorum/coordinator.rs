//! What a coordinator does for clients: passes operations on, counts answers.

use super::pending::{Line, Pending};
use super::*;
use crate::model::ctx::Effect;
use crate::model::fact::Outcome;
use crate::model::id::Position;
use crate::model::keyed::latency::Leg;

/// Payload of the answer to a write.
const ANSWER: u32 = 100;

/// The operations under way. Reads come first, writes second, here and in timers.
#[derive(Debug)]
pub(super) struct Coordinator {
    lines: [Line; 2],
    needs: [Need; 2],
    /// The newest stamp it gave.
    stamp: u64,
}

impl Coordinator {
    /// Nothing is under way; `needs` of reads and writes.
    pub(super) fn new(needs: [Need; 2]) -> Coordinator {
        Coordinator { lines: Default::default(), needs, stamp: 0 }
    }
    /// All is forgotten.
    pub(super) fn crash(&mut self) {
        self.lines.iter_mut().for_each(Line::crash);
        self.stamp = 0;
    }
    #[inline]
    fn line(&mut self, kind: OpKind) -> &mut Line {
        &mut self.lines[kind as usize]
    }
}

impl<M: Merge> Node<M> {
    /// A client asks.
    #[inline]
    pub(super) fn coordinate(&mut self, client: ProcessId, asked: &ClientMsg, ctx: &mut Ctx<'_>) {
        let ClientMsg::Request { op, kind, attempt, key, answer_bytes, .. } = *asked else {
            return;
        };
        let mut version = Version::NOTHING;
        if kind == OpKind::Write {
            let stamp = ctx.wall().as_nanos().max(self.coordinator.stamp + 1);
            self.coordinator.stamp = stamp;
            version = Version { stamp, op };
        }
        let homes = self.seat.ring.homes(key);
        let due = ctx.now().saturating_add(self.seat.params.timeout);
        let bytes = if kind == OpKind::Write { ANSWER } else { answer_bytes };
        let line = self.coordinator.line(kind);
        let round = line.next();
        let (heard, refused, answered) = (0, 0, false);
        line.push(Pending {
            op,
            client,
            attempt,
            answered,
            key,
            bytes,
            homes,
            heard,
            refused,
            version,
            due,
        });
        if !line.armed {
            line.armed = true;
            ctx.effect(Effect::Wake {
                timer: Timer::nth(TIMEOUT, kind as u32),
                after: self.seat.params.timeout,
            });
        }
        self.ask(kind, round, homes, ctx);
    }

    /// Passes an operation on to these replicas.
    #[inline]
    fn ask(&mut self, kind: OpKind, round: u32, mut whom: u64, ctx: &mut Ctx<'_>) {
        let Some(pending) = self.coordinator.line(kind).get(round) else { return };
        let Pending { op, attempt, key, version, .. } = *pending;
        let own = self.seat.own.map_or(0, |own| 1u64 << own) & whom;
        whom &= !own;
        while whom != 0 {
            let replica = whom.trailing_zeros() as u8;
            whom &= whom - 1;
            let to = self.seat.replicas[usize::from(replica)];
            let (msg, leg, bytes) = match kind {
                OpKind::Write => {
                    let msg = KeyedMsg::Write { round, key, attempt, version };
                    (msg, Leg::Write, self.seat.write_bytes)
                }
                OpKind::Read => (KeyedMsg::Read { round, key, attempt, op }, Leg::Read, SMALL),
            };
            let class = self.seat.latency.class(leg, op, attempt, replica);
            let msg = Msg::Keyed(self.seat.group, msg);
            ctx.effect(Effect::Send { to, bytes, msg, class });
        }
        if own != 0 {
            let me = own.trailing_zeros() as u8;
            match kind {
                OpKind::Write => self.write(ctx.me(), round, key, attempt, version, ctx),
                OpKind::Read => self.responded(round, me, self.values.value(key), ctx),
            }
        }
    }

    /// A replica has taken a version in.
    #[inline]
    pub(super) fn acked(&mut self, round: u32, replica: u8, ctx: &mut Ctx<'_>) {
        let Some(pending) = self.coordinator.line(OpKind::Write).get(round) else { return };
        pending.heard |= 1 << replica;
        self.heard(OpKind::Write, round, ctx);
    }

    /// A replica has said what it has.
    #[inline]
    pub(super) fn responded(
        &mut self,
        round: u32,
        replica: u8,
        version: Version,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(pending) = self.coordinator.line(OpKind::Read).get(round) else { return };
        pending.heard |= 1 << replica;
        // What comes after the answer to the client was not in it.
        pending.version = pending.version.max(version);
        self.heard(OpKind::Read, round, ctx);
    }

    /// Answers the client if those heard of are enough.
    #[inline]
    fn heard(&mut self, kind: OpKind, round: u32, ctx: &mut Ctx<'_>) {
        let group = self.seat.group;
        let need = &self.coordinator.needs[kind as usize];
        let line = &mut self.coordinator.lines[kind as usize];
        let Some(pending) = line.get(round) else { return };
        if !pending.answered && need.is_met(pending.heard) {
            pending.answered = true;
            if kind == OpKind::Read {
                let (op, version) = (pending.op, pending.version);
                ctx.effect(Effect::Return { group, op, version });
            }
            answer(group, pending, Outcome::Ok, ctx);
        }
        if pending.is_done() {
            line.forget_done();
        }
    }

    /// A replica's process does not run: its host says so at once.
    #[cold]
    pub(super) fn refused(&mut self, by: ProcessId, msg: &Msg, ctx: &mut Ctx<'_>) {
        let (kind, round) = match msg {
            Msg::Keyed(_, KeyedMsg::Write { round, .. }) => (OpKind::Write, *round),
            Msg::Keyed(_, KeyedMsg::Read { round, .. }) => (OpKind::Read, *round),
            _ => return,
        };
        let group = self.seat.group;
        let Some(replica) = self.replica(by) else { return };
        let need = &self.coordinator.needs[kind as usize];
        let line = &mut self.coordinator.lines[kind as usize];
        let Some(pending) = line.get(round) else { return };
        pending.refused |= 1 << replica;
        if !pending.answered && !need.is_met(pending.homes & !pending.refused) {
            pending.answered = true;
            answer(group, pending, failed(kind), ctx);
        }
        line.forget_done();
    }

    /// The time of the oldest operations has run out.
    #[cold]
    pub(super) fn time_out(&mut self, kind: OpKind, ctx: &mut Ctx<'_>) {
        let group = self.seat.group;
        let line = self.coordinator.line(kind);
        while let Some(mut pending) = line.pop_due(ctx.now()) {
            if !pending.answered {
                answer(group, &mut pending, failed(kind), ctx);
            }
        }
        line.armed = line.due().is_some();
        if let Some(due) = line.due() {
            let after = due.since(ctx.now());
            ctx.effect(Effect::Wake { timer: Timer::nth(TIMEOUT, kind as u32), after });
        }
    }
}

/// How an operation ended that too few answered: a replica may have taken a write in.
fn failed(kind: OpKind) -> Outcome {
    match kind {
        OpKind::Read => Outcome::Fail,
        OpKind::Write => Outcome::Unknown,
    }
}

fn answer(group: GroupId, pending: &mut Pending, outcome: Outcome, ctx: &mut Ctx<'_>) {
    let Pending { op, client: to, attempt, bytes, .. } = *pending;
    let at = Position::default();
    ctx.effect(Effect::Answer { outcome, attempt, to, group, bytes, op, at });
}
