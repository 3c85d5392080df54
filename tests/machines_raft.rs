//! Stories of the coordination service as scripts: `tests/machines/raft/*.txt` about elections
//! and the log, `tests/machines/lease/*.txt` about leases.
//!
//! A block is what happens, `----`, and what the voters do about it. `UPDATE=1` rewrites the
//! second half; a person reads the difference. The verbs, one function each:
//!
//! - `voters N [leader=v1] [plain] [check_quorum=no]`: N voters; timeouts 1 to 2 s, heartbeat
//!   100 ms, leases of 10 s with a guard of 500 ms. `plain` is without pre-vote and check-quorum.
//! - `start [v1 …]`, `crash v1 [disk=lost]`, `after SPAN`.
//! - `timeout v1`, `heartbeat v1`: that timer fires. `lapse v1`: so does a lease's, if it is due.
//! - `disk v1 …`: the write under way ends. `deliver [v1>v2]`, `drop [v1>v2]`: what is in flight.
//! - `settle`: writes end and messages arrive until all is quiet; tells no traffic between voters.
//! - `lead v1 SPAN`: so long v1 leads undisturbed, a heartbeat each 100 ms, and all is settled.
//! - `cut v1`, `heal`: what is sent to or from v1 is dropped.
//! - `acquire a v1 [token=N]`, `release a v1 token=N`: agents `a` and `b` ask.
//! - `show v1 …`: what a voter knows.

mod stories;

use regionsim::model::consensus::{ElectionParams, Raft, RaftMsg};
use regionsim::model::control::LeaseParams;
use regionsim::model::control::coordination::Voter;
use regionsim::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use regionsim::model::fact::Claim;
use regionsim::model::id::{FencingToken, GroupId, NodeId, ProcessId};
use regionsim::model::log::Book;
use regionsim::model::msg::{LeaseMsg, Msg};
use regionsim::sim::rng::{Label, Streams};
use regionsim::sim::time::{LocalTime, Span, WallTime};
use regionsim::sim::units::parse_span;
use std::collections::{BTreeMap, VecDeque};
use stories::every_story_in;

const SERVICE: GroupId = GroupId(0);
const STORE: GroupId = GroupId(1);

/// Voters are v1 to v9, agents are a and b.
fn process(name: &str) -> ProcessId {
    match name {
        "a" => ProcessId(11),
        "b" => ProcessId(12),
        _ => ProcessId(name.trim_start_matches('v').parse().expect(name)),
    }
}

fn name(id: u16) -> String {
    match id {
        11 => "a".to_string(),
        12 => "b".to_string(),
        n => format!("v{n}"),
    }
}

#[derive(Default)]
struct Stage {
    voters: BTreeMap<ProcessId, Voter>,
    runs: Vec<ProcessId>,
    now: u64,
    timers: BTreeMap<(ProcessId, Timer), u64>,
    writing: Vec<ProcessId>,
    flying: VecDeque<(ProcessId, ProcessId, Msg)>,
    cut: Vec<ProcessId>,
    seq: u32,
    quiet: bool,
    said: Vec<String>,
}

impl Stage {
    fn voters(&mut self, words: &[&str]) {
        let count: u16 = words[0].parse().expect("how many voters");
        let all: Vec<ProcessId> = (1..=count).map(ProcessId).collect();
        let agents: Vec<(ProcessId, NodeId)> =
            ["a", "b"].map(|agent| (process(agent), NodeId(process(agent).0))).to_vec();
        let plain = words.contains(&"plain");
        let election = ElectionParams {
            pre_vote: !plain,
            check_quorum: !plain && value(words, "check_quorum") != Some("no"),
            ..ElectionParams::default()
        };
        let ttl = Span::from_secs(10);
        let params = LeaseParams { ttl, election, ..LeaseParams::default() };
        let leader = value(words, "leader").map(process);
        for &me in &all {
            let label = Label::new("election").with_index(u64::from(me.0));
            let dice = Streams::new(1, 0).stream(label);
            let voter = Voter::new(SERVICE, me, &all, &params, &agents, leader, dice);
            self.voters.insert(me, voter);
        }
    }

    fn start(&mut self, words: &[&str]) {
        for who in self.named(words) {
            self.runs.push(who);
            self.input(who, Input::Start);
        }
    }

    fn crash(&mut self, words: &[&str]) {
        let who = process(words[0]);
        self.runs.retain(|running| *running != who);
        self.writing.retain(|writing| *writing != who);
        self.timers.retain(|(owner, _), _| *owner != who);
        let kept = value(words, "disk") != Some("lost");
        self.voters.get_mut(&who).expect("a voter").crash(kept);
    }

    fn fire(&mut self, who: &str, kind: u16, group: GroupId) {
        let (who, timer) = (process(who), Timer::nth(kind, u32::from(group.0)));
        match self.timers.get(&(who, timer)) {
            None => self.said.push(format!("{}: no such timer", name(who.0))),
            Some(due) if kind == Voter::LAPSE && *due > self.now => {
                let left = Span::from_nanos(due - self.now);
                self.said.push(format!("{}: not before {left} from now", name(who.0)));
            }
            Some(_) => {
                self.timers.remove(&(who, timer));
                self.input(who, Input::Timer(timer));
            }
        }
    }

    fn disk(&mut self, words: &[&str]) {
        for who in self.named(words) {
            if let Some(at) = self.writing.iter().position(|writing| *writing == who) {
                self.writing.remove(at);
                self.input(who, Input::Durable);
            }
        }
    }

    /// Delivers or drops what was in flight on a pair when it was called, or everywhere.
    fn arrive(&mut self, words: &[&str], lost: bool) {
        let pair = words.first().and_then(|pair| pair.split_once('>'));
        let pair = pair.map(|(from, to)| (process(from), process(to)));
        for _ in 0..self.flying.len() {
            let (from, to, msg) = self.flying.pop_front().expect("counted");
            if pair.is_some_and(|pair| pair != (from, to)) {
                self.flying.push_back((from, to, msg));
            } else if !lost && self.runs.contains(&to) {
                self.input(to, Input::Message { from, msg });
            }
        }
    }

    fn settle(&mut self) {
        self.quiet = true;
        while !(self.flying.is_empty() && self.writing.is_empty()) {
            self.disk(&[]);
            self.arrive(&[], false);
        }
        self.quiet = false;
    }

    fn lead(&mut self, words: &[&str]) {
        let span = parse_span(words[1]).expect("a span");
        for _ in 0..span.as_nanos() / 100_000_000 {
            self.now += 100_000_000;
            self.quiet = true;
            self.fire(words[0], Raft::HEARTBEAT, SERVICE);
            self.settle();
        }
    }

    fn ask(&mut self, words: &[&str], release: bool) {
        let (agent, voter) = (process(words[0]), process(words[1]));
        let token = value(words, "token").map_or(0, |text| text.parse().expect("a token"));
        let token = FencingToken(token);
        self.seq += u32::from(!release);
        let seq = self.seq;
        let msg =
            if release { LeaseMsg::Release { token } } else { LeaseMsg::Acquire { seq, token } };
        self.input(voter, Input::Message { from: agent, msg: Msg::Lease(STORE, msg) });
    }

    fn show(&mut self, words: &[&str]) {
        for who in self.named(words) {
            let voter = &self.voters[&who];
            let raft = voter.raft();
            let role = if voter.leads().is_some() { "leads" } else { "is in" };
            let leader = raft.leader().map_or("nobody".to_string(), |leader| name(leader.0));
            let lease = voter.holder(STORE).map_or("nobody holds the lease".to_string(), |held| {
                format!("{} holds the lease with token {}", name(held.0.0), held.1.0)
            });
            let blank = if raft.is_blank() { ", is blank" } else { "" };
            let (last, committed) = (raft.last(), raft.committed());
            self.said.push(format!(
                "{} {role} term {}, follows {leader}{blank}; log ends at {} of term {}, committed {committed}; {lease}",
                name(who.0), raft.term().0, last.1, last.0.0,
            ));
        }
    }

    fn named(&self, words: &[&str]) -> Vec<ProcessId> {
        let named: Vec<_> = words.iter().filter(|w| !w.contains('=')).map(|w| process(w)).collect();
        if named.is_empty() { self.voters.keys().copied().collect() } else { named }
    }

    fn input(&mut self, who: ProcessId, input: Input) {
        let (book, mut effects) = (Book::default(), Vec::new());
        let (now, wall) = (LocalTime::from_nanos(self.now), WallTime::from_nanos(self.now));
        let mut ctx = Ctx::new(who, NodeId(who.0), now, wall, &book, &mut effects);
        self.voters.get_mut(&who).expect("a voter").step(input, &mut ctx);
        for effect in effects {
            self.carry_out(who, effect);
        }
    }

    fn carry_out(&mut self, who: ProcessId, effect: Effect) {
        match effect {
            Effect::SetTimer { timer, after } => {
                self.timers.insert((who, timer), self.now + after.as_nanos());
                if timer.kind != Voter::LAPSE {
                    return;
                }
            }
            Effect::CancelTimer(timer) => {
                self.timers.remove(&(who, timer));
                return;
            }
            Effect::Send { to, msg, .. } if self.voters.contains_key(&to) => {
                if self.cut.contains(&who) || self.cut.contains(&to) {
                    return;
                }
                self.flying.push_back((who, to, msg));
                if self.quiet {
                    return;
                }
            }
            Effect::Sync { .. } => {
                self.writing.push(who);
                if self.quiet {
                    return;
                }
            }
            _ => {}
        }
        self.said.push(format!("{}: {}", name(who.0), tell(&effect)));
    }
}

fn value<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

fn tell(effect: &Effect) -> String {
    match effect {
        Effect::Send { to, msg: Msg::Raft(_, msg), .. } => format!("{} {}", name(to.0), raft(msg)),
        Effect::Send { to, msg: Msg::Lease(_, msg), .. } => {
            let answer = match msg {
                LeaseMsg::Granted { seq, token } => format!("granted {seq}, token {}", token.0),
                LeaseMsg::Denied { seq, holder, token } => {
                    format!("denied {seq}, {} holds it with token {}", name(holder.0), token.0)
                }
                LeaseMsg::NotLeader { seq, hint } => {
                    let hint = hint.map_or("nobody".to_string(), |hint| name(hint.0));
                    format!("{seq} not leader, ask {hint}")
                }
                other => format!("{other:?}"),
            };
            format!("{} <- {answer}", name(to.0))
        }
        Effect::SetTimer { after, .. } => format!("the lease lapses in {after}"),
        Effect::Sync { .. } => "writes".to_string(),
        Effect::Authorise { holder, token, .. } => {
            format!("authorises {} with token {}", name(holder.0), token.0)
        }
        Effect::Claim(Claim::Primary(_, term)) => format!("leads term {}", term.0),
        Effect::Claim(Claim::SteppedDown(_, term)) => format!("steps down in term {}", term.0),
        Effect::Claim(Claim::Candidate(_, term)) => format!("stands in term {}", term.0),
        other => format!("{other:?}"),
    }
}

fn raft(msg: &RaftMsg) -> String {
    match *msg {
        RaftMsg::Ask { term, last_term, last_index, pre } => {
            let verb = if pre { "would you vote" } else { "vote" };
            format!("<- {verb} for me in term {}? log {last_index} of term {}", term.0, last_term.0)
        }
        RaftMsg::Vote { term, granted, pre } => {
            let word = if granted { "yes" } else { "no" };
            format!("<- {word}{}, term {}", if pre { " I would" } else { "" }, term.0)
        }
        RaftMsg::Append { term, prev_index, commit, entry_term, .. } => {
            let entry = match entry_term.0 {
                0 => format!("alive, after {prev_index}"),
                of => format!("hold {} of term {of}", prev_index + 1),
            };
            format!("<- {entry}; term {}, committed {commit}", term.0)
        }
        RaftMsg::Appended { term, matched } => format!("<- have {matched}, term {}", term.0),
        RaftMsg::Rejected { term, prev_index, hint_index, .. } => {
            format!("<- no {prev_index} here, try {hint_index}; term {}", term.0)
        }
        RaftMsg::Blank { term, has, .. } => format!("<- blank, have {has}, term {}", term.0),
    }
}

fn run(stage: &mut Stage, line: &str) {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let verb = words.remove(0);
    match verb {
        "voters" => stage.voters(&words),
        "start" => stage.start(&words),
        "crash" => stage.crash(&words),
        "after" => stage.now += parse_span(words[0]).expect("a span").as_nanos(),
        "timeout" => stage.fire(words[0], Raft::ELECTION, SERVICE),
        "heartbeat" => stage.fire(words[0], Raft::HEARTBEAT, SERVICE),
        "lapse" => stage.fire(words[0], Voter::LAPSE, STORE),
        "disk" => stage.disk(&words),
        "deliver" => stage.arrive(&words, false),
        "drop" => stage.arrive(&words, true),
        "settle" => stage.settle(),
        "lead" => stage.lead(&words),
        "cut" => stage.cut.push(process(words[0])),
        "heal" => stage.cut.clear(),
        "acquire" => stage.ask(&words, false),
        "release" => stage.ask(&words, true),
        "show" => stage.show(&words),
        _ => panic!("no verb `{verb}`"),
    }
}

/// Plays a script and gives it back with what really happened.
fn play(text: &str) -> String {
    let mut stage = Stage::default();
    let mut out = String::new();
    let mut answering = false;
    for line in text.lines() {
        if line == "----" {
            answering = true;
            out.push_str("----\n");
            stage.said.drain(..).for_each(|line| out.push_str(&(line + "\n")));
        } else if !answering || line.is_empty() {
            answering = false;
            out.push_str(line);
            out.push('\n');
            if !line.is_empty() && !line.starts_with('#') {
                run(&mut stage, line);
            }
        }
    }
    assert!(stage.said.is_empty(), "a script ends with an answer");
    out
}

#[test]
fn elections_and_logs() {
    every_story_in("raft", 1, play);
}

#[test]
fn leases() {
    every_story_in("lease", 1, play);
}
