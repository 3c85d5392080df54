//! Signs of life: what a majority's answers to them confirm, and the lease they make.

use super::{Member, MemberMsg, Stance};
use crate::model::consensus::decide::{held_by_majority, majority};
use crate::model::ctx::Ctx;
use crate::model::id::LogIndex;
use crate::sim::time::LocalTime;

/// How many signs of life a leader remembers the time of.
const ROUNDS: usize = 1 << 16;

impl Member {
    /// True when a majority, this leader included, answered within the minimum timeout.
    pub(super) fn hears_a_majority(&self, ctx: &Ctx<'_>) -> bool {
        let patience = self.spec.params.timeout_min;
        let heard = self.reign.cursors[..self.spec.voters].iter().enumerate();
        let heard = heard.filter(|(place, cursor)| {
            *place == self.my_place || ctx.now().since(cursor.heard) < patience
        });
        heard.count() >= majority(self.spec.voters)
    }

    /// Sends everybody a sign of life; its number.
    pub(super) fn beat(&mut self, ctx: &mut Ctx<'_>) -> u32 {
        let reign = &mut self.reign;
        reign.round = reign.round.wrapping_add(1);
        let round = reign.round;
        reign.sent_at.push_back((round, ctx.now()));
        if reign.sent_at.len() > ROUNDS {
            reign.sent_at.pop_front();
        }
        let (term, commit, closed) = (self.term(), self.commit, ctx.wall());
        for place in 0..self.spec.members.len() {
            if place != self.my_place {
                let msg = MemberMsg::Beat { term, round, commit, closed };
                self.cast(self.spec.members[place], msg, ctx);
            }
        }
        self.count_rounds(ctx);
        round
    }

    /// A member answers a sign of life.
    pub(super) fn on_alive(&mut self, place: usize, round: u32, upto: LogIndex, ctx: &mut Ctx<'_>) {
        let cursor = &mut self.reign.cursors[place];
        cursor.round = cursor.round.max(round);
        self.on_appended(place, upto, ctx);
        self.count_rounds(ctx);
    }

    /// What a majority has answered makes the lease, and confirms reads.
    fn count_rounds(&mut self, ctx: &mut Ctx<'_>) {
        let mut answered = [0u64; 64];
        for (place, cursor) in self.reign.cursors[..self.spec.voters].iter().enumerate() {
            let own = place == self.my_place;
            answered[place] = u64::from(if own { self.reign.round } else { cursor.round });
        }
        let confirmed = held_by_majority(&answered[..self.spec.voters]) as u32;
        if confirmed <= self.reign.confirmed {
            return;
        }
        self.reign.confirmed = confirmed;
        let params = &self.spec.params;
        let lease = params.lease_length().saturating_sub(params.lease_guard);
        while let Some((round, at)) = self.reign.sent_at.front().copied()
            && round <= confirmed
        {
            self.reign.sent_at.pop_front();
            self.reign.lease_until = self.reign.lease_until.max(at.saturating_add(lease));
        }
        self.answer_reads(ctx);
    }

    /// True while no other leader can have taken over, by this node's clock.
    pub(super) fn has_lease(&self, now: LocalTime) -> bool {
        self.stance == Stance::Leader && now < self.reign.lease_until && !self.reign.gave_up_lease
    }
}
