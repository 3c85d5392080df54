//! Laws of the group under random loss, delay, cuts and crashes: one leader a term, one log,
//! no promise forgotten.

use super::{Bare, Tiny};
use crate::model::consensus::RaftMsg;
use crate::model::consensus::{ElectionParams, Entry, Raft, Setup};
use crate::model::ctx::Effect;
use crate::model::id::{GroupId, ProcessId, Term};
use crate::model::msg::Msg;
use crate::sim::Span;
use crate::sim::rng::{Label, Stream, Streams};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn group(n: usize, params: &ElectionParams, leader: Option<usize>, trial: u64) -> Tiny<Bare> {
    let dice = Streams::new(11, trial);
    let members: Vec<ProcessId> = (0..n).map(ProcessId::of).collect();
    let bare = |i: usize| {
        let setup = Setup {
            group: GroupId(3),
            me: ProcessId::of(i),
            members: members.clone(),
            params: params.clone(),
            initial_leader: leader.map(ProcessId::of),
            log_length: 0,
        };
        let label = Label::new("election").with_index(i as u64);
        Bare { raft: Raft::new(setup, dice.stream(label)), applied: Vec::new() }
    };
    Tiny::new((0..n).map(bare).collect(), dice.stream(Label::new("net")))
}

/// What must hold after every step, told by what was sent and what was applied.
#[derive(Default)]
struct Judge {
    leaders: BTreeMap<Term, usize>,
    /// Votes that left a voter, by voter and term.
    votes: BTreeMap<(usize, Term), usize>,
    /// What was applied anywhere, in order.
    history: Vec<Entry>,
    /// How many each voter had applied when it was last looked at.
    seen: BTreeMap<usize, usize>,
}

impl Judge {
    fn look(&mut self, tiny: &Tiny<Bare>) {
        let (who, effects) = &tiny.left;
        for effect in effects {
            let Effect::Send { to, msg: Msg::Raft(_, msg), .. } = effect else { continue };
            if let RaftMsg::Vote { term, granted: true, pre: false } = msg {
                let voted = *self.votes.entry((*who, *term)).or_insert(to.index());
                assert_eq!(voted, to.index(), "voter {who} voted twice in {term:?}");
            }
        }
        let machine = &tiny.machines[*who];
        if let Some(term) = machine.raft.leads() {
            let leader = *self.leaders.entry(term).or_insert(*who);
            assert_eq!(leader, *who, "two leaders in {term:?}");
        }
        let seen = self.seen.entry(*who).or_default();
        if *seen == machine.applied.len() {
            return;
        }
        *seen = machine.applied.len();
        for (i, entry) in machine.applied.iter().enumerate() {
            if i < self.history.len() {
                assert_eq!(self.history[i], *entry, "entry {i} of {who} differs");
            } else {
                self.history.push(*entry);
            }
        }
    }

    /// Two logs that share an entry share everything before it.
    fn logs_match(&self, tiny: &Tiny<Bare>) {
        for a in &tiny.machines {
            for b in &tiny.machines {
                let end = a.raft.last().1.min(b.raft.last().1);
                let same = |i: u32| a.raft.entry(i) == b.raft.entry(i);
                if let Some(meet) = (1..=end)
                    .rev()
                    .find(|&i| a.raft.entry(i).map(|e| e.term) == b.raft.entry(i).map(|e| e.term))
                {
                    assert!((1..=meet).all(same), "logs that meet at {meet} differ before");
                }
            }
        }
    }
}

/// Ten seconds of storm in slices of 100 ms, then ten of calm.
fn storm(tiny: &mut Tiny<Bare>, disks_may_go: bool, dice: &mut Stream) -> Judge {
    let n = tiny.machines.len();
    let mut judge = Judge::default();
    for who in 0..n {
        tiny.start(who);
        judge.look(tiny);
    }
    for slice in 1..=200u64 {
        while tiny.advance(slice * 100_000_000) {
            judge.look(tiny);
        }
        judge.logs_match(tiny);
        let calm = slice > 100;
        let who = dice.below(n as u64) as usize;
        match dice.below(12) {
            _ if calm => {
                tiny.cut.clear();
                (0..n).for_each(|who| tiny.start(who));
                tiny.loss = 0.0;
            }
            0 if tiny.runs[who] => {
                // A majority that lost its disks never comes back; see `replication.rs`.
                let blank = tiny.machines.iter().filter(|bare| bare.raft.is_blank()).count();
                let wipe = disks_may_go && blank < (n - 1) / 2 && dice.chance(0.5);
                tiny.crash(who, !wipe);
            }
            1..=3 => tiny.start(who),
            4 => tiny.cut = (0..n).flat_map(|other| [(who, other), (other, who)]).collect(),
            5 => tiny.cut.push((who, dice.below(n as u64) as usize)),
            6 => tiny.cut.clear(),
            _ => propose(tiny, slice),
        }
    }
    for slice in 201..=210u64 {
        propose(tiny, slice);
        while tiny.advance(slice * 100_000_000) {
            judge.look(tiny);
        }
    }
    judge
}

/// Every voter that believes to lead appends a command of its own.
fn propose(tiny: &mut Tiny<Bare>, slice: u64) {
    for who in 0..tiny.machines.len() {
        if tiny.runs[who] {
            let word = 1 << 60 | slice << 8 | who as u64;
            tiny.with(who, |bare, ctx| {
                bare.raft.propose(word, ctx);
            });
        }
    }
}

fn hasty(pre_vote: bool, check_quorum: bool) -> ElectionParams {
    ElectionParams {
        heartbeat_interval: Span::from_millis(30),
        timeout_min: Span::from_millis(150),
        timeout_max: Span::from_millis(300),
        pre_vote,
        check_quorum,
        ..ElectionParams::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn one_leader_a_term_and_one_log_whatever_happens(
        trial in any::<u64>(),
        n in 2usize..6,
        pre_vote in any::<bool>(),
        check_quorum in any::<bool>(),
        disks_may_go in any::<bool>(),
        loss in 0.0f64..0.3,
        fsync in 0u64..40,
        slow in 1u64..60,
    ) {
        let mut tiny = group(n, &hasty(pre_vote, check_quorum), None, trial);
        tiny.loss = loss;
        tiny.fsync = Span::from_millis(fsync);
        tiny.delay = (Span::from_millis(1), Span::from_millis(slow));
        let mut dice = Streams::new(trial, 0).stream(Label::new("storm"));
        let judge = storm(&mut tiny, disks_may_go, &mut dice);
        // In the calm the group works again, and all have applied the same.
        let blank = tiny.machines.iter().filter(|bare| bare.raft.is_blank()).count();
        prop_assert_eq!(blank, 0, "blank voters are welcomed back");
        prop_assert!(tiny.machines.iter().any(|bare| bare.raft.ready()), "somebody leads");
        let shortest = tiny.machines.iter().map(|bare| bare.applied.len()).min();
        prop_assert!(shortest.is_some_and(|n| n + 5 >= judge.history.len()), "all keep up");
    }
}

#[test]
fn a_voter_that_crashes_before_its_vote_is_durable_has_not_voted() {
    let mut tiny = group(3, &hasty(false, false), None, 1);
    tiny.fsync = Span::from_millis(5);
    let ask = |candidate: usize| {
        let last_term = Term(0);
        let ask = RaftMsg::Ask { term: Term(9), last_term, last_index: 0, pre: false };
        (ProcessId::of(candidate), ask)
    };
    let votes = |tiny: &Tiny<Bare>| -> Vec<ProcessId> {
        let granted = |effect: &Effect| match effect {
            Effect::Send { to, msg: Msg::Raft(_, RaftMsg::Vote { granted: true, .. }), .. } => {
                Some(*to)
            }
            _ => None,
        };
        tiny.left.1.iter().filter_map(granted).collect()
    };
    tiny.start(0);
    let (from, msg) = ask(1);
    tiny.with(0, |bare, ctx| bare.raft.receive(from, msg, ctx));
    assert_eq!(votes(&tiny), [], "not before it is durable");
    tiny.crash(0, true);
    tiny.start(0);
    // The first vote was never given, so the second candidate may have it.
    let (from, msg) = ask(2);
    tiny.with(0, |bare, ctx| bare.raft.receive(from, msg, ctx));
    assert!(tiny.advance(5_000_000));
    assert_eq!(votes(&tiny), [ProcessId(2)]);
    // Now it is on disk, and a crash does not free it.
    tiny.crash(0, true);
    tiny.start(0);
    let (from, msg) = ask(1);
    tiny.with(0, |bare, ctx| bare.raft.receive(from, msg, ctx));
    assert_eq!(votes(&tiny), []);
}

#[test]
fn the_first_leader_can_be_given() {
    let mut tiny = group(5, &hasty(true, true), Some(3), 1);
    (0..5).for_each(|who| tiny.start(who));
    assert_eq!(tiny.machines[3].raft.leads(), Some(Term(1)));
    while tiny.advance(2_000_000_000) {}
    assert_eq!(tiny.machines[3].raft.leads(), Some(Term(1)), "nobody had a reason to stand");
    assert!(tiny.machines.iter().all(|bare| bare.raft.leader() == Some(ProcessId(3))));
}

#[test]
fn messages_are_small() {
    assert_eq!(std::mem::size_of::<RaftMsg>(), 32);
}
