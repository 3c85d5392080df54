//! A leader hands over to a better one (section 3.10 of Ongaro's thesis): it takes nothing new,
//! waits until the other has all of its log, gives up its lease and asks it to stand at once.

use super::{Member, MemberMsg, Stance};
use crate::model::ctx::Ctx;
use crate::model::id::{ProcessId, Term};
use crate::model::msg::Msg;
use crate::sim::time::LocalTime;

/// A better one must have answered within so many heartbeats.
const FRESH: u64 = 3;
/// After one that came to nothing it waits for so many of the shortest election timeouts: nothing
/// is written while it hands over.
const AGAIN: u64 = 10;

/// To whom a leader hands over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heir {
    place: usize,
    /// Until then it waits.
    until: LocalTime,
    /// It was asked to stand.
    asked: bool,
}

impl Member {
    /// How good a leader a member is; 0 is best.
    fn rank(&self, member: ProcessId) -> usize {
        let preferred = &self.spec.preferred;
        preferred.iter().position(|other| *other == member).unwrap_or(preferred.len())
    }

    /// With each sign of life: is there a better leader that could take over?
    pub(super) fn hand_over(&mut self, ctx: &mut Ctx<'_>) {
        if self.spec.preferred.is_empty() || !self.is_ready() {
            return;
        }
        let patience = self.spec.params.timeout_min;
        if let Some(heir) = self.reign.heir {
            if ctx.now() >= heir.until {
                self.reign.heir = None;
                let again = patience.saturating_mul(AGAIN);
                self.reign.stays_until = ctx.now().saturating_add(again);
                self.take_up_held(ctx);
            }
            return;
        }
        if ctx.now() < self.reign.stays_until {
            return;
        }
        let fresh = self.spec.params.heartbeat_interval.saturating_mul(FRESH);
        let commit = self.commit;
        let fit = |place: &usize| {
            let (cursor, member) = (&self.reign.cursors[*place], self.spec.members[*place]);
            cursor.round > 0
                && ctx.now().since(cursor.heard) <= fresh
                && cursor.matched >= commit
                && cursor.blank.is_none()
                && !self.spec.witnesses.contains(&member)
                && self.rank(member) < self.rank(self.me)
        };
        let best =
            (0..self.spec.voters).filter(fit).min_by_key(|p| self.rank(self.spec.members[*p]));
        if let Some(place) = best {
            let until = ctx.now().saturating_add(patience);
            self.reign.heir = Some(Heir { place, until, asked: false });
            self.invite(ctx);
        }
    }

    /// Asks the heir to stand, once it has everything.
    pub(super) fn invite(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Heir { place, asked: false, .. }) = self.reign.heir else { return };
        let end = self.stable.log.end().index;
        if self.reign.cursors[place].matched >= end && self.commit >= end {
            self.reign.gave_up_lease = true;
            self.reign.heir = self.reign.heir.map(|heir| Heir { asked: true, ..heir });
            let msg = MemberMsg::Stand { term: self.term() };
            ctx.send(self.spec.members[place], Msg::Member(self.spec.group, msg), 100);
        }
    }

    /// The leader asks this member to stand. What it promised to that leader is over.
    pub(super) fn on_invitation(&mut self, from: ProcessId, term: Term, ctx: &mut Ctx<'_>) {
        let leads = term == self.term() && self.leader == Some(from);
        if !leads || self.stance != Stance::Follower || !self.may_stand() {
            return;
        }
        self.vowed_until = LocalTime::ZERO;
        self.stand(ctx);
        self.invited = true;
    }
}
