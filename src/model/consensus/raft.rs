//! The protocol's state, its inputs and what a shell may ask of it.

use super::stable::{Entry, Head, Stable};
use super::{ElectionParams, RaftMsg};
use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::fact::Claim;
use crate::model::id::{GroupId, Position, ProcessId, Term};
use crate::model::msg::Msg;
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;
use std::collections::BTreeMap;

/// What a voter is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The group it votes in.
    pub group: GroupId,
    /// Itself.
    pub me: ProcessId,
    /// All voters, itself included, in any order. At most 64.
    pub members: Vec<ProcessId>,
    /// Intervals and rules. Its `fsync` and `initial_leader` are the world's business.
    pub params: ElectionParams,
    /// Who leads term 1 from the start; without one, all voters start as followers with fresh
    /// timers.
    pub initial_leader: Option<ProcessId>,
    /// How many empty entries of term 1 this voter's log has at the start. For experiments with
    /// votes that need an up-to-date log; 0 otherwise.
    pub log_length: u32,
}

/// What a voter is at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stance {
    Follower,
    /// Asks whether it would win.
    Wondering,
    Candidate,
    Leader,
}

/// What a leader knows of another voter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Confirmed on its disk, in this term. Only this counts for commitment.
    pub(super) matched: u32,
    /// Received, as far as it said: how far ahead of that to send. May be wrong for a moment
    /// after it lost its disk.
    pub(super) holds: u32,
    /// The next entry to send.
    pub(super) next: u32,
    /// One message at a time, until it is known where the logs meet.
    pub(super) probing: bool,
    /// That one message is under way.
    pub(super) waiting: bool,
    /// When it last answered, counted from when the lead began.
    pub(super) heard: LocalTime,
    /// The loss that it has been welcomed back from.
    pub(super) welcomed: Option<u64>,
}

/// One voter of one group: elections, log, commitment. Driven by a shell, which hands it the
/// inputs that concern it and then takes what [`Raft::next_committed`] yields.
#[derive(Clone, Debug)]
pub struct Raft {
    pub(super) group: GroupId,
    pub(super) me: ProcessId,
    pub(super) members: Vec<ProcessId>,
    pub(super) params: ElectionParams,
    pub(super) dice: Stream,
    boot: Option<ProcessId>,
    // On disk.
    pub(super) stable: Stable,
    // In memory only.
    pub(super) stance: Stance,
    pub(super) leader: Option<ProcessId>,
    /// When a leader was last heard, for stickiness.
    pub(super) heard: Option<LocalTime>,
    pub(super) commit: u32,
    applied: u32,
    /// Up to here the log is known to be the same as that of the current term's leader.
    pub(super) verified: u32,
    /// Entries of the current leader that overtook those before them: by number, each with the
    /// term of the one before it.
    pub(super) early: BTreeMap<u32, (Term, Entry)>,
    /// A leader waits for the disk's confirmation.
    pub(super) owes_ack: bool,
    /// A candidate waits for the disk's confirmation.
    pub(super) owes_vote: Option<ProcessId>,
    /// The term in which the own candidacy has been announced.
    pub(super) announced: Option<Term>,
    /// Whose votes were granted: a bit for each member.
    pub(super) ballots: u64,
    pub(super) progress: Vec<Progress>,
    /// The entry that opens the own lead.
    pub(super) opening: u32,
}

impl Raft {
    /// Timer: no leader was heard for too long. Its argument is the group.
    pub const ELECTION: u16 = 0x0e00;
    /// Timer: time for a sign of life, or to ask again. Its argument is the group.
    pub const HEARTBEAT: u16 = 0x0e01;
    /// An entry that says nothing.
    pub const EMPTY: u64 = 0;

    /// A voter that has not started yet. `dice` is its own stream: election timeouts.
    pub fn new(setup: Setup, dice: Stream) -> Raft {
        let Setup { group, me, members, params, initial_leader, log_length } = setup;
        assert!(members.contains(&me) && members.len() <= 64, "a voter among at most 64");
        let term = Term(u32::from(initial_leader.is_some() || log_length > 0));
        let head = Head { term, voted: initial_leader, blank: None };
        let empty = Entry { term: Term(1), word: Raft::EMPTY };
        Raft {
            group,
            me,
            members,
            params,
            dice,
            boot: initial_leader,
            stable: Stable::new(head, vec![empty; log_length as usize]),
            stance: Stance::Follower,
            leader: None,
            heard: None,
            commit: 0,
            applied: 0,
            verified: 0,
            early: BTreeMap::new(),
            owes_ack: false,
            owes_vote: None,
            announced: None,
            ballots: 0,
            progress: Vec::new(),
            opening: 0,
        }
    }

    /// The process starts, for the first time or after a crash.
    pub fn start(&mut self, ctx: &mut Ctx<'_>) {
        match self.boot.take() {
            Some(leader) if leader == self.me => self.lead(ctx),
            first => {
                self.leader = first;
                self.heard = first.map(|_| ctx.now());
                self.rearm_election(ctx);
            }
        }
    }

    /// The process was killed. What is not on disk is forgotten; with the disk everything is,
    /// but that it was.
    pub fn crash(&mut self, disk_kept: bool) {
        let lost = (!disk_kept).then(|| 1 + self.dice.below((1 << 44) - 1));
        self.stable.crash(lost);
        self.boot = None;
        self.stance = Stance::Follower;
        self.leader = None;
        self.heard = None;
        self.commit = 0;
        self.applied = 0;
        self.verified = 0;
        self.early.clear();
        self.owes_ack = false;
        self.owes_vote = None;
        self.announced = None;
        self.ballots = 0;
        self.progress.clear();
        self.opening = 0;
    }

    /// A message of this group arrived.
    pub fn receive(&mut self, from: ProcessId, msg: RaftMsg, ctx: &mut Ctx<'_>) {
        let Some(peer) = self.members.iter().position(|&m| m == from) else { return };
        match msg {
            RaftMsg::Ask { term, last_term, last_index, pre } => {
                self.on_ask(from, term, (last_term, last_index), pre, ctx);
            }
            RaftMsg::Vote { term, granted, pre } => self.on_vote(peer, term, granted, pre, ctx),
            RaftMsg::Append { term, prev_term, prev_index, commit, entry_term, word } => {
                let entry = (entry_term > Term(0)).then_some(Entry { term: entry_term, word });
                self.on_append(from, term, (prev_term, prev_index), entry, commit, ctx);
            }
            RaftMsg::Appended { term, matched } => {
                if self.still_leads(term, ctx) {
                    self.on_appended(peer, matched, ctx);
                }
            }
            RaftMsg::Rejected { term, prev_index, hint_index, hint_term } => {
                if self.still_leads(term, ctx) {
                    self.on_rejected(peer, prev_index, (hint_term, hint_index), ctx);
                }
            }
            RaftMsg::Blank { term, has, nonce } => {
                if self.still_leads(term, ctx) {
                    self.on_blank(peer, has, nonce, ctx);
                }
            }
        }
    }

    /// One of this core's timers fired.
    pub fn timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        match timer.kind {
            Raft::ELECTION => self.on_election_timeout(ctx),
            Raft::HEARTBEAT => self.on_heartbeat(ctx),
            _ => {}
        }
    }

    /// The disk finished the write under way.
    pub fn durable(&mut self, ctx: &mut Ctx<'_>) {
        self.stable.finish_write();
        self.pay_debts(ctx);
        self.write(ctx);
    }

    /// Appends a command, if this voter leads, and gives its number. It is committed when
    /// [`Raft::next_committed`] yields it, and lost when another leader overwrites it.
    pub fn propose(&mut self, word: u64, ctx: &mut Ctx<'_>) -> Option<u32> {
        self.leads()?;
        let index = self.stable.push(Entry { term: self.term(), word });
        self.write(ctx);
        self.broadcast(ctx);
        Some(index)
    }

    /// The next committed entry that was not yielded yet, in order; after a crash from the
    /// beginning.
    pub fn next_committed(&mut self) -> Option<(u32, Entry)> {
        if self.applied >= self.commit {
            return None;
        }
        self.applied += 1;
        let entry = self.stable.entry(self.applied).expect("committed entries are held");
        Some((self.applied, entry))
    }

    /// The group it votes in.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The term that this voter leads: it holds the votes of a majority and has not stepped
    /// down. A pure function of its state.
    pub fn leads(&self) -> Option<Term> {
        (self.stance == Stance::Leader).then(|| self.term())
    }

    /// True for a leader whose own first entry was yielded: everything that was committed
    /// before its lead has been yielded too.
    pub fn ready(&self) -> bool {
        self.stance == Stance::Leader && self.applied >= self.opening
    }

    /// Who leads, as far as this voter knows.
    pub fn leader(&self) -> Option<ProcessId> {
        self.leader
    }

    /// The latest term seen.
    pub fn term(&self) -> Term {
        self.stable.head().term
    }

    /// Term and number of the last entry in memory.
    pub fn last(&self) -> (Term, u32) {
        self.stable.last()
    }

    /// An entry of the log, by its number from 1.
    pub fn entry(&self, index: u32) -> Option<Entry> {
        self.stable.entry(index)
    }

    /// How far the log is known to be committed.
    pub fn committed(&self) -> u32 {
        self.commit
    }

    /// True while this voter, having lost its disk, neither votes nor counts.
    pub fn is_blank(&self) -> bool {
        self.stable.head().blank.is_some()
    }

    /// Adopts a later term. A leader or candidate of an earlier one follows.
    pub(super) fn adopt(&mut self, term: Term, ctx: &mut Ctx<'_>) {
        debug_assert!(term > self.term());
        self.step_down(ctx);
        self.stable.set_head(Head { term, voted: None, ..self.stable.head() });
        self.leader = None;
        self.verified = 0;
        self.early.clear();
        self.owes_ack = false;
        self.owes_vote = None;
    }

    /// Leads or stands no longer. The timer of a candidate runs on, a leader gets a fresh one.
    pub(super) fn step_down(&mut self, ctx: &mut Ctx<'_>) {
        let stance = std::mem::replace(&mut self.stance, Stance::Follower);
        if stance == Stance::Follower {
            return;
        }
        self.ballots = 0;
        ctx.cancel_timer(self.timer_of(Raft::HEARTBEAT));
        if stance == Stance::Leader {
            self.leader = None;
            ctx.claim(Claim::SteppedDown(self.group, self.term()));
            self.rearm_election(ctx);
        }
    }

    /// Draws a fresh election timeout, uniform between the two limits.
    pub(super) fn rearm_election(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_blank() {
            return;
        }
        let (min, max) = (self.params.timeout_min, self.params.timeout_max);
        let width = max.saturating_sub(min).as_nanos();
        let after = min + Span::from_nanos(self.dice.below(width.saturating_add(1).max(1)));
        ctx.set_timer(self.timer_of(Raft::ELECTION), after);
    }

    /// Begins a disk write, unless one is under way or there is nothing to write.
    pub(super) fn write(&mut self, ctx: &mut Ctx<'_>) {
        if self.stable.begin_write() {
            ctx.effect(Effect::Sync { group: self.group, upto: Position::default() });
        }
    }

    pub(super) fn cast(&self, to: ProcessId, msg: RaftMsg, ctx: &mut Ctx<'_>) {
        ctx.cast(to, Msg::Raft(self.group, msg));
    }

    pub(super) fn timer_of(&self, kind: u16) -> Timer {
        Timer::nth(kind, u32::from(self.group.0))
    }

    pub(super) fn me_index(&self) -> usize {
        self.members.iter().position(|&m| m == self.me).expect("a voter is a member")
    }

    /// Adopts the term of an answer; true when it is the term this voter leads.
    fn still_leads(&mut self, term: Term, ctx: &mut Ctx<'_>) -> bool {
        if term > self.term() {
            self.adopt(term, ctx);
            self.write(ctx);
        }
        self.leads() == Some(term)
    }
}
