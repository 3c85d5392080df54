//! The leader's side: shipping, confirming, committing.

use super::handover::Heir;
use super::msg::Author;
use super::params::{Notice, WhileLeased};
use super::{HEARTBEAT, LEASE, Member, MemberMsg, Stance};
use crate::model::consensus::decide::held_by_majority;
use crate::model::ctx::{Ctx, Effect};
use crate::model::fact::Claim;
use crate::model::id::{LogIndex, Position, ProcessId, Segment, Term};
use crate::model::msg::Msg;
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

/// How much may be under way to one member, and the largest range in one message, in bytes: as
/// where a primary ships its log.
const WINDOW_BYTES: u64 = 16 << 20;
const RANGE_BYTES: u64 = 1 << 20;

/// What a leader knows of another member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// Confirmed on its disk, in this term. Only this counts for commitment.
    pub(super) matched: LogIndex,
    /// The last entry sent.
    sent: LogIndex,
    /// One range at a time, until it is known where the logs meet.
    probing: bool,
    /// That one range is under way.
    waiting: bool,
    /// When it last answered, counted from when the lead began.
    pub(super) heard: LocalTime,
    /// The last sign of life that it answered.
    pub(super) round: u32,
    /// It lost its disk: the number of that loss, and the entry that was proposed for it.
    pub(super) blank: Option<(u64, LogIndex)>,
}

/// What a leader has while it leads.
#[derive(Clone, Debug, Default)]
pub(super) struct Reign {
    pub(super) cursors: Vec<Cursor>,
    /// The entry that opens the lead.
    pub(super) opening: LogIndex,
    /// The number of the last sign of life, and when those not yet answered were sent.
    pub(super) round: u32,
    pub(super) sent_at: VecDeque<(u32, LocalTime)>,
    /// The last sign of life that a majority has answered.
    pub(super) confirmed: u32,
    pub(super) lease_until: LocalTime,
    /// It asked another one to stand: no lease any more in this term.
    pub(super) gave_up_lease: bool,
    /// To whom it hands over.
    pub(super) heir: Option<Heir>,
    /// Until then it hands over to nobody.
    pub(super) stays_until: LocalTime,
    /// Until then the lease of a leader before may run.
    pub(super) waits_until: LocalTime,
}

impl Member {
    /// Leads: opens the term with an entry that says nothing, because only an entry of the own
    /// term may be counted as committed.
    pub(super) fn lead(&mut self, ctx: &mut Ctx<'_>) {
        self.stance = Stance::Leader;
        self.leader = Some(self.me);
        let (group, term) = (self.spec.group, self.term());
        let end = self.stable.log.end();
        let fresh = Cursor {
            matched: LogIndex(0),
            sent: end.index,
            probing: true,
            waiting: false,
            heard: ctx.now(),
            round: 0,
            blank: None,
        };
        self.patience.crash();
        ctx.cancel_timer(super::ELECTION);
        let segment = Segment::new(term, ctx.node());
        let from = self.stable.log.begin(segment);
        ctx.effect(Effect::Begin { group, segment, from });
        ctx.claim(Claim::Primary(group, term));
        self.reign = Reign {
            cursors: vec![fresh; self.spec.members.len()],
            waits_until: self.reign.waits_until,
            ..Reign::default()
        };
        self.reign.opening = self.propose_nothing(ctx);
        if self.is_waiting(ctx.now()) {
            ctx.set_timer(LEASE, self.reign.waits_until.since(ctx.now()));
        }
        self.pump(ctx);
        self.beat(ctx);
        self.await_heartbeat(ctx);
        self.advance_commit(ctx);
        self.take_up_held(ctx);
    }

    /// Appends an entry that belongs to no operation.
    fn propose_nothing(&mut self, ctx: &mut Ctx<'_>) -> LogIndex {
        let at = self.stable.log.append();
        ctx.effect(Effect::Hold { group: self.spec.group, upto: at });
        at.index
    }

    /// True while the lease of a leader before may run.
    pub(super) fn is_waiting(&self, now: LocalTime) -> bool {
        now < self.reign.waits_until
    }

    /// True while this member takes writes: it leads, and nothing keeps it from it.
    pub(super) fn takes_writes(&self, now: LocalTime) -> bool {
        let withholds = self.spec.params.while_leased == WhileLeased::Withhold;
        let waits = !withholds && self.is_waiting(now);
        self.stance == Stance::Leader && !waits && self.reign.heir.is_none()
    }

    /// The lease of the one before is over.
    pub(super) fn on_lease_timer(&mut self, ctx: &mut Ctx<'_>) {
        if self.stance == Stance::Leader {
            self.take_up_held(ctx);
            self.advance_commit(ctx);
        }
    }

    /// What has come together goes to the disk and, at the same time, to the others: what comes
    /// while the disk is busy goes with the next group.
    pub(super) fn pump(&mut self, ctx: &mut Ctx<'_>) {
        let begun = self.write(ctx);
        if self.stance == Stance::Leader && (begun || !self.stable.is_writing()) {
            for place in 0..self.spec.members.len() {
                self.ship(place, ctx);
            }
        }
    }

    /// Sends a member what it lacks, in ranges.
    fn ship(&mut self, place: usize, ctx: &mut Ctx<'_>) {
        if place == self.my_place {
            return;
        }
        let bytes = u64::from(self.spec.entry_bytes.max(1));
        loop {
            let cursor = self.reign.cursors[place];
            let under_way = cursor.sent.0.saturating_sub(cursor.matched.0) * bytes;
            let blocked = if cursor.probing { cursor.waiting } else { under_way >= WINDOW_BYTES };
            if blocked {
                return;
            }
            let Some((segment, last)) = self.stable.log.next_range(cursor.sent) else { return };
            let most = cursor.sent.0 + (RANGE_BYTES / bytes).max(1);
            let upto = LogIndex(last.0.min(most));
            self.send_range(place, segment, cursor.sent, upto, ctx);
            let cursor = &mut self.reign.cursors[place];
            if cursor.probing {
                cursor.waiting = true;
            } else {
                cursor.sent = upto;
            }
        }
    }

    fn send_range(
        &self,
        place: usize,
        segment: Segment,
        after: LogIndex,
        upto: LogIndex,
        ctx: &mut Ctx<'_>,
    ) {
        let prev = Author::of(self.stable.log.position(after).segment);
        let behind = u32::try_from(upto.0.saturating_sub(self.commit.0)).unwrap_or(u32::MAX);
        let (term, author) = (self.term(), Author::of(segment));
        let msg = MemberMsg::Append { term, prev, author, behind, after, upto };
        let size = (upto.0 - after.0) * u64::from(self.spec.entry_bytes) + 100;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        ctx.send(self.spec.members[place], Msg::Member(self.spec.group, msg), size);
    }

    /// The leader shows that it lives, a candidate asks again.
    pub(super) fn on_heartbeat(&mut self, ctx: &mut Ctx<'_>) {
        match self.stance {
            Stance::Follower => {}
            Stance::Wondering | Stance::Candidate => self.ask_the_others(ctx),
            Stance::Leader => {
                if self.spec.params.check_quorum && !self.hears_a_majority(ctx) {
                    return self.step_down(ctx);
                }
                self.beat(ctx);
                for place in 0..self.spec.members.len() {
                    self.reign.cursors[place].waiting = false;
                    self.ship(place, ctx);
                }
                self.await_heartbeat(ctx);
                self.hand_over(ctx);
            }
        }
    }

    /// Time for the next sign of life: on a tick, where there are any.
    fn await_heartbeat(&self, ctx: &mut Ctx<'_>) {
        let interval = self.spec.params.heartbeat_interval;
        let after = match &self.ticks {
            None => interval,
            Some(ticks) => ticks.nth(ticks.count(interval), ctx.now()),
        };
        ctx.set_timer(HEARTBEAT, after);
    }

    /// A follower confirms.
    pub(super) fn on_appended(&mut self, place: usize, upto: LogIndex, ctx: &mut Ctx<'_>) {
        let end = self.stable.log.end().index;
        debug_assert!(upto <= end);
        let cursor = &mut self.reign.cursors[place];
        cursor.heard = ctx.now();
        cursor.blank = None;
        cursor.matched = cursor.matched.max(upto);
        cursor.went_in(upto, end);
        self.advance_commit(ctx);
        self.ship(place, ctx);
        // The heir may be the last to have everything.
        self.invite(ctx);
    }

    /// A follower's log does not meet ours there: look further back, by whole terms.
    pub(super) fn on_rejected(
        &mut self,
        place: usize,
        after: LogIndex,
        hint: Position,
        ctx: &mut Ctx<'_>,
    ) {
        let meets = self.stable.log.not_above(hint.index, hint.segment.term());
        let cursor = &mut self.reign.cursors[place];
        cursor.heard = ctx.now();
        // Of an earlier question, or of ranges that were sent after one that did not fit.
        if cursor.probing && after != cursor.sent {
            return;
        }
        cursor.sent = meets.index.min(LogIndex(after.0.saturating_sub(1)));
        (cursor.probing, cursor.waiting) = (true, false);
        self.ship(place, ctx);
    }

    /// A follower lost its disk: what it had confirmed is gone. It gets everything, and is
    /// welcomed back once an entry that was proposed for this loss is committed and it has that.
    pub(super) fn on_blank(&mut self, place: usize, has: LogIndex, nonce: u64, ctx: &mut Ctx<'_>) {
        let end = self.stable.log.end().index;
        let known = self.reign.cursors[place].blank.filter(|(known, _)| *known == nonce);
        if known.is_none() {
            let proposed = self.propose_nothing(ctx);
            let cursor = &mut self.reign.cursors[place];
            cursor.blank = Some((nonce, proposed));
            (cursor.probing, cursor.waiting) = (true, false);
            (cursor.matched, cursor.sent) = (LogIndex(0), has);
            self.pump(ctx);
        }
        let cursor = &mut self.reign.cursors[place];
        cursor.heard = ctx.now();
        cursor.went_in(has, end);
        if let Some((_, proposed)) = known
            && self.commit >= proposed
            && has >= proposed
        {
            let welcome = MemberMsg::Welcome { term: self.term(), nonce };
            self.cast(self.spec.members[place], welcome, ctx);
        }
        self.ship(place, ctx);
    }

    /// The connection to a member broke: what was under way may be lost.
    pub(super) fn on_broken(&mut self, by: ProcessId) {
        if self.stance == Stance::Leader
            && let Some(place) = self.place_of(by)
        {
            let cursor = &mut self.reign.cursors[place];
            cursor.sent = cursor.matched;
            (cursor.probing, cursor.waiting) = (true, false);
        }
    }

    /// Commits what a majority has on disk, if its last entry is of the own term.
    pub(super) fn advance_commit(&mut self, ctx: &mut Ctx<'_>) {
        // While the lease of the one before may run nothing counts as committed: what is not known
        // to be so is answered by nobody.
        if self.stance != Stance::Leader || self.is_waiting(ctx.now()) {
            return;
        }
        let mut held = [0u64; 64];
        for (place, cursor) in self.reign.cursors[..self.spec.voters].iter().enumerate() {
            let own = place == self.my_place;
            held[place] = if own { self.stable.durable().0 } else { cursor.matched.0 };
        }
        let index = LogIndex(held_by_majority(&held[..self.spec.voters]));
        if index <= self.commit || index < self.reign.opening {
            return;
        }
        self.commit = index;
        if self.spec.params.commit_notice == Notice::AtOnce {
            self.tell_commit(ctx);
        }
        self.answer_committed(ctx);
        self.answer_reads(ctx);
    }

    /// Tells everybody how far the log is committed, on the way that entries go.
    fn tell_commit(&self, ctx: &mut Ctx<'_>) {
        let msg = MemberMsg::Commit { term: self.term(), upto: self.commit };
        for place in (0..self.spec.members.len()).filter(|place| *place != self.my_place) {
            ctx.send(self.spec.members[place], Msg::Member(self.spec.group, msg), 100);
        }
    }

    /// True for a leader whose own first entry is committed: everything that was committed
    /// before its lead is known to be.
    pub(super) fn is_ready(&self) -> bool {
        self.stance == Stance::Leader && self.commit >= self.reign.opening
    }

    /// The term of an answer: true when it is the term this member leads. A later one is adopted.
    pub(super) fn still_leads(&mut self, term: Term, ctx: &mut Ctx<'_>) -> bool {
        if term > self.term() {
            self.adopt(term, ctx);
            self.write(ctx);
        }
        self.stance == Stance::Leader && term == self.term()
    }
}

impl Cursor {
    /// The follower holds everything up to here, of a log that ends at `end`. Ends the probing
    /// if this answers the probe; late answers to what was sent before do not.
    fn went_in(&mut self, upto: LogIndex, end: LogIndex) {
        if self.probing && upto.0 < (self.sent.0 + 1).min(end.0) {
            return;
        }
        self.sent = self.sent.max(upto);
        self.probing = false;
        self.waiting = false;
    }
}
