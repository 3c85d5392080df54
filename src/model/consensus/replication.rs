//! The log: sending, confirming, committing; and how a voter that lost its disk comes back.
//!
//! # Why a blank voter may vote again
//!
//! A voter X that lost its disk may have promised a vote, or confirmed an entry, and does not
//! know it. It holds its tongue and tells the leader L of a nonce that it drew for this loss. L
//! appends a *welcome* that repeats the nonce. X counts for nothing, so a majority of others
//! stores the welcome; when X learns that it is committed, X votes again.
//!
//! By then no promise that X forgot can matter. Suppose that X had voted for A in a term later
//! than the welcome's. A's log ended before the loss, so without the welcome. A needs a
//! majority of votes, and the welcome is on a majority of disks without X's: some voter Z did
//! both. Z stored the welcome first, for it would not store it after promising itself to a
//! later term, and then Z's log was longer than A's, and Z would not have voted for A. In the
//! welcome's term and before, X does not vote: it adopts the term with its leader as its vote.
//! The same argument covers entries that X had confirmed to a later leader.
//!
//! When a majority loses its disks nothing can be committed any more, and the group stands
//! still for good: safe, and no use. A real one is then rebuilt by hand.

use super::RaftMsg;
use super::decide::{held_by_majority, majority};
use super::raft::{Progress, Raft, Stance};
use super::stable::{Entry, Head};
use crate::model::ctx::Ctx;
use crate::model::id::{ProcessId, Term};

/// How many entries may be under way to one follower.
const WINDOW: u32 = 32;

impl Raft {
    /// The leader shows that it lives, a candidate asks again.
    pub(super) fn on_heartbeat(&mut self, ctx: &mut Ctx<'_>) {
        match self.stance {
            Stance::Follower => {}
            Stance::Wondering | Stance::Candidate => self.ask_the_others(ctx),
            Stance::Leader => {
                if self.params.check_quorum && !self.hears_a_majority(ctx) {
                    self.step_down(ctx);
                    return;
                }
                for peer in 0..self.members.len() {
                    self.progress[peer].waiting = false;
                    if self.send_entries(peer, ctx) == 0 {
                        self.send_append(peer, ctx);
                    }
                }
                ctx.set_timer(self.timer_of(Raft::HEARTBEAT), self.params.heartbeat_interval);
            }
        }
    }

    /// True when a majority, this leader included, answered within the minimum timeout.
    fn hears_a_majority(&self, ctx: &Ctx<'_>) -> bool {
        let me = self.me_index();
        let heard = self.progress.iter().enumerate().filter(|(peer, progress)| {
            *peer == me || ctx.now().since(progress.heard) < self.params.timeout_min
        });
        heard.count() >= majority(self.members.len())
    }

    /// Sends everybody what is missing.
    pub(super) fn broadcast(&mut self, ctx: &mut Ctx<'_>) {
        for peer in 0..self.members.len() {
            self.send_entries(peer, ctx);
        }
    }

    /// Sends a follower what it lacks, one entry a message, and gives their number. While it is
    /// not known where the logs meet, one at a time.
    fn send_entries(&mut self, peer: usize, ctx: &mut Ctx<'_>) -> u32 {
        let mut sent = 0;
        loop {
            let progress = self.progress[peer];
            let full = progress.next > progress.holds + WINDOW;
            let blocked = if progress.probing { progress.waiting } else { full };
            if self.members[peer] == self.me || blocked || progress.next > self.stable.end() {
                return sent;
            }
            self.send_append(peer, ctx);
            sent += 1;
            let progress = &mut self.progress[peer];
            if progress.probing {
                progress.waiting = true;
            } else {
                progress.next += 1;
            }
        }
    }

    /// Sends one message: the next entry, or a sign of life at the end of what was sent.
    fn send_append(&mut self, peer: usize, ctx: &mut Ctx<'_>) {
        let to = self.members[peer];
        if to == self.me {
            return;
        }
        let prev_index = self.progress[peer].next - 1;
        let prev_term = self.stable.term_at(prev_index).expect("a leader holds what it sent");
        let entry = self.stable.entry(prev_index + 1).unwrap_or_default();
        let (term, commit) = (self.term(), self.commit);
        let (entry_term, word) = (entry.term, entry.word);
        let msg = RaftMsg::Append { term, prev_term, prev_index, commit, entry_term, word };
        self.cast(to, msg, ctx);
    }

    /// A leader speaks.
    pub(super) fn on_append(
        &mut self,
        from: ProcessId,
        term: Term,
        prev: (Term, u32),
        entry: Option<Entry>,
        commit: u32,
        ctx: &mut Ctx<'_>,
    ) {
        if term < self.term() {
            // It learns from the answer that its term is over.
            self.reject(from, prev.1, (Term(0), 0), ctx);
            return;
        }
        if term > self.term() {
            self.adopt(term, ctx);
        }
        assert!(self.stance != Stance::Leader, "two leaders in {:?} of {:?}", term, self.group);
        self.step_down(ctx);
        self.leader = Some(from);
        self.heard = Some(ctx.now());
        self.rearm_election(ctx);
        if prev.1 > self.commit && self.stable.term_at(prev.1) != Some(prev.0) {
            if let Some(entry) = entry
                && self.early.len() < WINDOW as usize
            {
                self.early.insert(prev.1 + 1, (prev.0, entry));
            }
            let hint = self.stable.not_above(prev.1, prev.0);
            self.reject(from, prev.1, hint, ctx);
            self.write(ctx);
            return;
        }
        let end = self.hold(prev.1, entry);
        self.verified = self.verified.max(end);
        self.commit = self.commit.max(commit.min(self.verified));
        self.owes_ack = true;
        self.read_welcomes(ctx);
        self.pay_ack(ctx);
        self.write(ctx);
    }

    /// Takes the leader's entry into the log, and those that had come too early and now fit.
    /// Gives the last one.
    fn hold(&mut self, prev: u32, entry: Option<Entry>) -> u32 {
        let mut end = prev;
        let mut next = entry;
        while let Some(entry) = next {
            if self.stable.term_at(end + 1) != Some(entry.term) {
                assert!(end >= self.commit, "a committed entry is never overwritten");
                self.stable.truncate(end);
                self.stable.push(entry);
            }
            end += 1;
            let early = self.early.remove(&(end + 1));
            next = early.filter(|(term, _)| *term == entry.term).map(|(_, entry)| entry);
        }
        end
    }

    fn reject(&self, to: ProcessId, prev_index: u32, hint: (Term, u32), ctx: &mut Ctx<'_>) {
        let (hint_term, hint_index) = hint;
        let msg = RaftMsg::Rejected { term: self.term(), prev_index, hint_index, hint_term };
        self.cast(to, msg, ctx);
    }

    /// The disk has finished a write: whatever waited for it may go out.
    pub(super) fn pay_debts(&mut self, ctx: &mut Ctx<'_>) {
        self.pay_vote(ctx);
        self.announce(ctx);
        self.pay_ack(ctx);
        self.advance_commit(ctx);
    }

    /// Confirms to the leader what is durable. Nothing before the term itself is: a voter that
    /// forgot it could be led back by an older leader.
    fn pay_ack(&mut self, ctx: &mut Ctx<'_>) {
        let Some(leader) = self.leader.filter(|_| self.owes_ack && self.stable.term_is_durable())
        else {
            return;
        };
        let matched = self.verified.min(self.stable.durable());
        self.owes_ack = matched < self.verified;
        let (term, head) = (self.term(), self.stable.head());
        let msg = match head.blank {
            None => RaftMsg::Appended { term, matched },
            Some(nonce) => RaftMsg::Blank { term, has: matched, nonce },
        };
        self.cast(leader, msg, ctx);
    }

    /// A follower confirms.
    pub(super) fn on_appended(&mut self, peer: usize, matched: u32, ctx: &mut Ctx<'_>) {
        debug_assert!(matched <= self.stable.end());
        let end = self.stable.end();
        let progress = &mut self.progress[peer];
        progress.heard = ctx.now();
        progress.matched = progress.matched.max(matched);
        progress.went_in(matched, end);
        self.advance_commit(ctx);
        self.send_entries(peer, ctx);
    }

    /// A follower's log does not meet ours there: look further back, by whole terms.
    pub(super) fn on_rejected(
        &mut self,
        peer: usize,
        prev_index: u32,
        hint: (Term, u32),
        ctx: &mut Ctx<'_>,
    ) {
        let (_, meets) = self.stable.not_above(hint.1, hint.0);
        let progress = &mut self.progress[peer];
        progress.heard = ctx.now();
        // Of an earlier question. Outside of probing a late answer is believed: at worst some
        // entries are sent twice, and a follower that lost its disk is not left behind.
        if progress.probing && prev_index + 1 != progress.next {
            return;
        }
        progress.next = (meets + 1).min(prev_index.max(1));
        progress.holds = meets;
        progress.probing = true;
        progress.waiting = false;
        self.send_entries(peer, ctx);
    }

    /// A follower lost its disk: send it everything, and welcome it back.
    pub(super) fn on_blank(&mut self, peer: usize, has: u32, nonce: u64, ctx: &mut Ctx<'_>) {
        let progress = &mut self.progress[peer];
        if progress.welcomed != Some(nonce) {
            progress.welcomed = Some(nonce);
            progress.probing = true;
            progress.next = has + 1;
            progress.holds = has;
            let word = welcome(self.members[peer], nonce);
            self.propose(word, ctx);
        }
        let end = self.stable.end();
        self.progress[peer].went_in(has, end);
        self.send_entries(peer, ctx);
    }

    /// Commits what a majority has on disk, if its last entry is of the own term.
    pub(super) fn advance_commit(&mut self, ctx: &mut Ctx<'_>) {
        if self.stance != Stance::Leader {
            return;
        }
        let me = self.me_index();
        let mine = if self.stable.term_is_durable() { self.stable.durable() } else { 0 };
        let mut held = [0; 64];
        for (peer, progress) in self.progress.iter().enumerate() {
            held[peer] = if peer == me { mine } else { progress.matched };
        }
        let index = held_by_majority(&held[..self.members.len()]);
        if index > self.commit && self.stable.term_at(index) == Some(self.term()) {
            self.commit = index;
            self.read_welcomes(ctx);
        }
    }

    /// A blank voter looks for its welcome among the committed entries.
    fn read_welcomes(&mut self, ctx: &mut Ctx<'_>) {
        let head = self.stable.head();
        let Some(nonce) = head.blank else { return };
        let word = welcome(self.me, nonce);
        let found = (1..=self.commit)
            .rev()
            .any(|i| self.stable.entry(i).is_some_and(|entry| entry.word == word));
        if found {
            // Its vote in this term, if it gave one, is forgotten: the leader keeps it.
            self.stable.set_head(Head { voted: self.leader, blank: None, ..head });
            self.rearm_election(ctx);
        }
    }
}

impl Progress {
    /// The follower holds everything up to here, of a log that ends at `end`. Ends the probing
    /// if this answers the probe; late answers to what was sent before do not.
    fn went_in(&mut self, upto: u32, end: u32) {
        if self.probing && upto < self.next.min(end) {
            return;
        }
        self.holds = self.holds.max(upto);
        self.next = self.next.max(upto + 1);
        self.probing = false;
        self.waiting = false;
    }
}

/// The entry that welcomes a voter back after one loss of its disk. Its top four bits are zero.
fn welcome(voter: ProcessId, nonce: u64) -> u64 {
    (u64::from(voter.0) << 44) | nonce
}
