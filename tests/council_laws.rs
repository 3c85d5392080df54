//! A law: whatever the network loses, delays or reorders, whoever is killed and when, at most one
//! member of a council acts in each term. And, where nothing is lost and nobody is killed,
//! somebody acts.
//!
//! The primary is dead from the start, so that all members declare again and again; the standbys'
//! agents obey at once.

use proptest::prelude::*;
use regionsim::model::control::FailoverParams;
use regionsim::model::control::controller::{ControllerPlan, Elected, Seat, StorePlan};
use regionsim::model::control::council::{CouncilParams, CouncilPlan, Member};
use regionsim::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::{Claim, FailoverStep};
use regionsim::model::id::{GroupId, NodeId, Position, ProcessId, Term};
use regionsim::model::log::Book;
use regionsim::model::msg::{ControlMsg, Msg, ProbeMsg, Role};
use regionsim::sim::Span;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::rng::{Label, Stream, Streams};
use regionsim::sim::time::{LocalTime, WallTime};
use std::collections::BTreeMap;

const GROUP: GroupId = GroupId(0);
/// Members are processes from here on.
const MEMBERS: u16 = 50;
/// Agents of the standbys; their databases are 90 further.
const AGENTS: u16 = 10;

enum Event {
    Hear(usize, Input, u32),
    Stranger(ProcessId, usize, Msg),
    Kill(usize),
    Start(usize),
}

struct Net {
    members: Vec<Member>,
    /// Counts the lives of each: timers and disk writes of an earlier one are void.
    lives: Vec<u32>,
    up: Vec<bool>,
    armed: BTreeMap<(usize, Timer), u64>,
    events: BTreeMap<(LocalTime, u64), Event>,
    now: LocalTime,
    next: u64,
    dice: Stream,
    delay: Span,
    loss: f64,
    /// Who acted, by term.
    acted: BTreeMap<Term, usize>,
    wrong: Option<String>,
}

fn plan(me: usize, members: u16, spread: Span) -> CouncilPlan {
    let seat = |n: u16| Seat {
        node: NodeId(n),
        agent: ProcessId(AGENTS + n),
        database: ProcessId(AGENTS + 90 + n),
    };
    let label = Label::new("member").with_index(me as u64);
    let params = CouncilParams {
        down_after: Span::from_secs(3),
        election_timeout: Span::from_secs(2),
        failover_timeout: Span::from_secs(3),
        retry_spread: spread,
        fsync: DistSpec::Constant(Span::from_millis(5)),
        ..CouncilParams::default()
    };
    let controller = ControllerPlan {
        failover: FailoverParams::default(),
        quorum: members / 2 + 1,
        checkers: members,
        hold: Span::ZERO,
        self_fence_wait: Span::ZERO,
        stores: vec![StorePlan {
            group: GROUP,
            label: Label::new("orders"),
            seats: (0..3).map(seat).collect(),
            primary: 0,
            leased: false,
            routers: Vec::new(),
            entry_bytes: 1_000,
            devices: Vec::new(),
        }],
        elected: Some(Elected {
            parallel_syncs: 1,
            patience: params.failover_timeout,
            stops_old_primary: false,
            label,
        }),
        streams: Streams::new(7, 0),
        label: Label::new("controller"),
    };
    let members = (0..members).map(|n| (ProcessId(MEMBERS + n), NodeId(5 + n))).collect();
    CouncilPlan { params, members, me, controller, label }
}

impl Net {
    fn new(members: u16, seed: u64, delay: Span, loss: f64) -> Net {
        let spread = delay.max(Span::from_millis(100)).saturating_mul(10);
        let mut net = Net {
            members: (0..usize::from(members))
                .map(|me| Member::new(plan(me, members, spread)))
                .collect(),
            lives: vec![0; usize::from(members)],
            up: vec![true; usize::from(members)],
            armed: BTreeMap::new(),
            events: BTreeMap::new(),
            now: LocalTime::ZERO,
            next: 0,
            dice: Streams::new(seed, 0).stream(Label::new("net")),
            delay,
            loss,
            acted: BTreeMap::new(),
            wrong: None,
        };
        for who in 0..usize::from(members) {
            net.schedule(Span::ZERO, Event::Start(who));
        }
        net
    }
    fn schedule(&mut self, after: Span, event: Event) -> u64 {
        self.next += 1;
        self.events.insert((self.now.saturating_add(after), self.next), event);
        self.next
    }
    fn step(&mut self, who: usize, input: Input) {
        if !self.up[who] {
            return;
        }
        let (book, mut effects) = (Book::new(0), Vec::new());
        let (me, node) = (ProcessId(MEMBERS + who as u16), NodeId(5 + who as u16));
        let wall = WallTime::from_nanos(self.now.as_nanos());
        let mut ctx = Ctx::new(me, node, self.now, wall, &book, &mut effects);
        self.members[who].step(input, &mut ctx);
        for effect in effects {
            self.carry_out(who, effect);
        }
    }
    fn carry_out(&mut self, who: usize, effect: Effect) {
        let life = self.lives[who];
        match effect {
            Effect::SetTimer { timer, after } => {
                let id = self.schedule(after, Event::Hear(who, Input::Timer(timer), life));
                self.armed.insert((who, timer), id);
            }
            Effect::CancelTimer(timer) => {
                self.armed.remove(&(who, timer));
            }
            Effect::Sync { .. } => {
                self.schedule(Span::from_millis(5), Event::Hear(who, Input::Durable, life));
            }
            Effect::Send { to, msg, .. } if !self.dice.chance(self.loss) => {
                let after = Span::from_nanos(self.dice.below(self.delay.as_nanos().max(1)));
                match to.0.checked_sub(MEMBERS).map(usize::from) {
                    Some(other) if other < self.members.len() => {
                        let from = ProcessId(MEMBERS + who as u16);
                        let heard = Input::Message { from, msg };
                        let life = u32::MAX;
                        self.schedule(after, Event::Hear(other, heard, life));
                    }
                    _ => {
                        self.schedule(after, Event::Stranger(to, who, msg));
                    }
                }
            }
            Effect::Claim(Claim::Step(_, FailoverStep::Declared)) => self.acts(who),
            _ => {}
        }
    }
    fn acts(&mut self, who: usize) {
        let term = self.members[who].leads().expect("it acts in a term");
        if let Some(other) = self.acted.insert(term, who).filter(|other| *other != who) {
            self.wrong = Some(format!("{other} and {who} both act in {term:?}"));
        }
    }
    /// A standby's agent or database: alive, and obedient.
    fn answer(&mut self, stranger: ProcessId, to: usize, msg: Msg) {
        let dead = [ProcessId(AGENTS), ProcessId(AGENTS + 90)];
        if dead.contains(&stranger) {
            return;
        }
        let answer = match msg {
            Msg::Probe(ProbeMsg::Probe { seq, .. }) => Msg::Probe(ProbeMsg::Alive { seq }),
            Msg::Control(group, ControlMsg::Hello { seq, .. }) => {
                let (role, term, durable) = (Role::Standby, Term(1), Position::default());
                let status = ControlMsg::Status { seq, role, term, durable, running: true };
                Msg::Control(group, status)
            }
            // Every second promotion comes to nothing, so that there are more elections.
            Msg::Control(group, ControlMsg::Promote { episode, term, .. })
                if self.dice.chance(0.5) =>
            {
                Msg::Control(group, ControlMsg::Promoted { episode, term })
            }
            _ => return,
        };
        let heard = Input::Message { from: stranger, msg: answer };
        self.schedule(Span::from_millis(1), Event::Hear(to, heard, u32::MAX));
    }
    fn run(&mut self, until: LocalTime) {
        while let Some(((at, id), event)) = self.events.pop_first() {
            if at > until || self.wrong.is_some() {
                return;
            }
            self.now = at;
            match event {
                Event::Hear(who, input, life) => {
                    let mine = life == u32::MAX || life == self.lives[who];
                    let armed = match input {
                        Input::Timer(timer) if self.armed.get(&(who, timer)) == Some(&id) => {
                            self.armed.remove(&(who, timer));
                            true
                        }
                        Input::Timer(_) => false,
                        _ => true,
                    };
                    if mine && armed {
                        self.step(who, input);
                    }
                }
                Event::Stranger(stranger, to, msg) => self.answer(stranger, to, msg),
                Event::Kill(who) if self.up[who] => {
                    self.members[who].crash(true);
                    (self.up[who], self.lives[who]) = (false, self.lives[who] + 1);
                    let after = Span::from_nanos(self.dice.below(4_000_000_000));
                    self.schedule(after, Event::Start(who));
                }
                Event::Kill(_) => {}
                Event::Start(who) => {
                    self.up[who] = true;
                    self.step(who, Input::Start);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn at_most_one_member_acts_in_each_term(
        seed in any::<u64>(),
        members in prop::sample::select(vec![2u16, 3, 4, 5, 7]),
        delay in 1u64..2_000,
        loss in 0.0f64..0.4,
        kills in prop::collection::vec((0u64..60_000, 0usize..7), 0..25),
    ) {
        let mut net = Net::new(members, seed, Span::from_millis(delay), loss);
        for (at, who) in kills {
            let who = who % usize::from(members);
            net.schedule(Span::from_millis(at), Event::Kill(who));
        }
        net.run(LocalTime::from_nanos(60_000_000_000));
        prop_assert!(net.wrong.is_none(), "{}", net.wrong.unwrap_or_default());
    }

    #[test]
    fn somebody_acts_where_nothing_is_lost(
        seed in any::<u64>(),
        members in prop::sample::select(vec![3u16, 4, 5, 7]),
        delay in 1u64..50,
    ) {
        let mut net = Net::new(members, seed, Span::from_millis(delay), 0.0);
        net.run(LocalTime::from_nanos(120_000_000_000));
        prop_assert!(!net.acted.is_empty(), "nobody ever acted");
    }
}

#[test]
fn the_storms_elect_often_enough_to_prove_anything() {
    let elections = |seed| {
        let mut net = Net::new(5, seed, Span::from_millis(300), 0.1);
        net.run(LocalTime::from_nanos(60_000_000_000));
        net.acted.len()
    };
    let total: usize = (0..10).map(elections).sum();
    assert!(total >= 10, "only {total} elections in ten storms");
}
