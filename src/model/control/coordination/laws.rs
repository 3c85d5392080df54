//! Laws of the leases, as the holders' own clocks see them.

use super::Voter;
use crate::model::consensus::ElectionParams;
use crate::model::consensus::tests::Tiny;
use crate::model::control::LeaseParams;
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::id::{FencingToken, GroupId, NodeId, ProcessId};
use crate::model::msg::{LeaseMsg, Msg};
use crate::sim::Span;
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::LocalTime;
use proptest::prelude::*;
use std::collections::BTreeMap;

const STORE: GroupId = GroupId(1);

/// An agent that wants the lease and asks for it in rounds. Its belief outlives a crash: the
/// database beside it goes on.
struct Wanting {
    voters: Vec<ProcessId>,
    lasts: Span,
    every: Span,
    target: usize,
    seq: u32,
    asked: LocalTime,
    token: FencingToken,
    until: LocalTime,
}

impl Wanting {
    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        self.seq += 1;
        self.asked = ctx.now();
        let msg = LeaseMsg::Acquire { seq: self.seq, token: self.token };
        ctx.cast(self.voters[self.target], Msg::Lease(STORE, msg));
        ctx.set_timer(Timer::of(1), self.every);
    }
}

impl Machine for Wanting {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.ask(ctx),
            // No answer to the last one: try the next voter.
            Input::Timer(_) => {
                if self.asked > LocalTime::ZERO && self.seq.is_multiple_of(2) {
                    self.target = (self.target + 1) % self.voters.len();
                }
                self.ask(ctx);
            }
            Input::Message { msg: Msg::Lease(_, LeaseMsg::Granted { seq, token }), .. }
                if seq == self.seq =>
            {
                self.token = token;
                self.until = self.until.max(self.asked + self.lasts);
                self.seq += self.seq % 2;
            }
            Input::Message {
                msg: Msg::Lease(_, LeaseMsg::Denied { seq, holder, token }), ..
            } if seq == self.seq => {
                let ours = holder == ctx.node();
                self.token = if ours { token } else { FencingToken(0) };
            }
            Input::Message { msg: Msg::Lease(_, LeaseMsg::NotLeader { hint, .. }), .. } => {
                let voter = hint.and_then(|hint| self.voters.iter().position(|&v| v == hint));
                self.target = voter.unwrap_or(self.target);
            }
            _ => {}
        }
    }
    fn crash(&mut self, _disk_kept: bool) {
        self.token = FencingToken(0);
    }
}

enum Part {
    Voter(Box<Voter>),
    Agent(Wanting),
}

impl Machine for Part {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match self {
            Part::Voter(voter) => voter.step(input, ctx),
            Part::Agent(agent) => agent.step(input, ctx),
        }
    }
    fn crash(&mut self, disk_kept: bool) {
        match self {
            Part::Voter(voter) => voter.crash(disk_kept),
            Part::Agent(agent) => agent.crash(disk_kept),
        }
    }
}

/// Three voters, numbered 0 to 2, and three agents, 3 to 5.
fn service(ttl: Span, guard: Span, every: Span, trial: u64) -> Tiny<Part> {
    let dice = Streams::new(13, trial);
    let voters: Vec<ProcessId> = (0..3).map(ProcessId).collect();
    let agents: Vec<(ProcessId, NodeId)> = (3..6).map(|i| (ProcessId(i), NodeId(i))).collect();
    let params = LeaseParams {
        ttl,
        guard,
        election: ElectionParams {
            heartbeat_interval: Span::from_millis(50),
            timeout_min: Span::from_millis(200),
            timeout_max: Span::from_millis(400),
            ..ElectionParams::default()
        },
        ..LeaseParams::default()
    };
    let voter = |i: u16| {
        let stream = dice.stream(Label::new("election").with_index(u64::from(i)));
        let me = ProcessId(i);
        let voter = Voter::new(GroupId(0), me, &voters, &params, &agents, None, stream);
        Part::Voter(Box::new(voter))
    };
    let agent = |i: usize| {
        Part::Agent(Wanting {
            voters: voters.clone(),
            lasts: ttl.saturating_sub(guard),
            every,
            target: i % 3,
            seq: 0,
            asked: LocalTime::ZERO,
            token: FencingToken(0),
            until: LocalTime::ZERO,
        })
    };
    let parts = (0..3).map(voter).chain((3..6).map(agent)).collect();
    Tiny::new(parts, dice.stream(Label::new("net")))
}

/// What must hold after every step.
#[derive(Default)]
struct Judge {
    /// Whose each token is, and the largest.
    holders: BTreeMap<FencingToken, NodeId>,
    /// For how long, in nanoseconds, two believed to hold it; the longest such time.
    overlap: u64,
    grants: u32,
}

impl Judge {
    fn look(&mut self, tiny: &Tiny<Part>) {
        let (who, effects) = &tiny.left;
        for effect in effects {
            if let Effect::Authorise { holder, token, .. } = *effect {
                let newest = self.holders.last_key_value().map(|(token, _)| *token);
                let known = *self.holders.entry(token).or_insert(holder);
                assert_eq!(known, holder, "{token:?} was given twice");
                assert!(newest <= Some(token), "{token:?} after {newest:?}");
            }
        }
        if let Part::Agent(agent) = &tiny.machines[*who]
            && tiny.local(*who) < agent.until
        {
            self.grants += 1;
            let mine = agent.until.since(tiny.local(*who));
            for (other, part) in tiny.machines.iter().enumerate() {
                let Part::Agent(rival) = part else { continue };
                if other != *who {
                    let left = rival.until.since(tiny.local(other));
                    self.overlap = self.overlap.max(mine.min(left).as_nanos());
                }
            }
        }
    }
}

/// Trouble of all kinds, once every 200 ms.
fn trouble(tiny: &mut Tiny<Part>, dice: &mut Stream) {
    let who = dice.below(6) as usize;
    match dice.below(10) {
        0 if tiny.runs[who] => tiny.crash(who, true),
        1 if who < 3 && tiny.runs[who] => {
            let blank = |part: &&Part| matches!(part, Part::Voter(v) if v.raft().is_blank());
            let one_is_blank = tiny.machines.iter().any(|part| blank(&part));
            tiny.crash(who, one_is_blank);
        }
        2 => tiny.cut = (0..6).flat_map(|other| [(who, other), (other, who)]).collect(),
        3 => tiny.cut.push((who, dice.below(6) as usize)),
        4 => tiny.cut.clear(),
        _ => (0..6).for_each(|who| tiny.start(who)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The guard is as small as the drift allows, and no smaller.
    #[test]
    fn no_two_nodes_ever_believe_to_hold_it(
        trial in any::<u64>(),
        drift in prop::collection::vec(-1000i64..=1000, 6),
        loss in 0.0f64..0.2,
        slow in 1u64..80,
        fsync in 0u64..10,
    ) {
        let ttl = Span::from_secs(2);
        let mut tiny = service(ttl, Span::from_micros(2_000), Span::from_millis(170), trial);
        tiny.drift = drift;
        tiny.loss = loss;
        tiny.delay = (Span::from_millis(1), Span::from_millis(slow));
        tiny.fsync = Span::from_millis(fsync);
        let mut dice = Streams::new(trial, 0).stream(Label::new("trouble"));
        let mut judge = Judge::default();
        (0..6).for_each(|who| tiny.start(who));
        for slice in 1..=300u64 {
            while tiny.advance(slice * 200_000_000) {
                judge.look(&tiny);
            }
            if slice < 250 {
                trouble(&mut tiny, &mut dice);
            } else {
                tiny.cut.clear();
                (0..6).for_each(|who| tiny.start(who));
            }
        }
        prop_assert_eq!(judge.overlap, 0);
        prop_assert!(judge.grants > 0, "the calm at the end sees a holder");
    }
}

/// A holder with a slow clock is cut off; the voters' clocks are fast. Gives the time for which
/// two nodes believed to hold the lease, in nanoseconds.
fn two_believers(guard: Span) -> u64 {
    let mut tiny = service(Span::from_secs(30), guard, Span::from_millis(3), 1);
    tiny.drift = vec![1000, 1000, 1000, -1000, 1000, 1000];
    tiny.delay = (Span::from_micros(100), Span::from_micros(100));
    let mut judge = Judge::default();
    (0..4).for_each(|who| tiny.start(who));
    while tiny.advance(2_000_000_000) {
        judge.look(&tiny);
    }
    assert_eq!(judge.overlap, 0);
    tiny.cut = (0..3).flat_map(|voter| [(voter, 3), (3, voter)]).collect();
    tiny.start(4);
    while tiny.advance(40_000_000_000) {
        judge.look(&tiny);
    }
    judge.overlap
}

#[test]
fn the_guard_is_what_makes_up_for_drift() {
    let overlap = two_believers(Span::ZERO);
    // 30 s at a difference of 2,000 ppm are 60 ms.
    assert!((50_000_000..61_000_000).contains(&overlap), "{overlap}");
    assert_eq!(two_believers(Span::from_millis(31)), 0);
}
