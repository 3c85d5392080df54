//! Stories of checker, agent, controller and storage: each script under
//! `tests/machines/control/` is a list of commands (`> verb words`) with what the machine did
//! under each. `UPDATE=1 cargo test --test machines_control` rewrites what it did.

#[path = "machines/control/words.rs"]
mod words;

mod stories;

use regionsim::model::ctx::{Class, Ctx, Effect, Input, Machine, Timer};
use regionsim::model::id::{FencingToken, GroupId, LogIndex, NodeId, Position, ProcessId, Segment};
use regionsim::model::log::Book;
use regionsim::model::msg::{ControlMsg, CouncilMsg, LeaseMsg, LocalMsg, Msg, ProbeMsg};
use regionsim::model::order::Order;
use regionsim::sim::Span;
use regionsim::sim::time::{LocalTime, WallTime};
use std::collections::BTreeMap;
use std::fmt::Write;
use stories::every_story_in;
use words::Words;

const GROUP: GroupId = GroupId(0);

/// The stage: one machine, its clock and timers, and helpers who answer for the others.
struct Stage {
    machine: Box<dyn Machine>,
    me: ProcessId,
    node: NodeId,
    now: LocalTime,
    /// By kind and argument: when, and in which order it was armed.
    timers: BTreeMap<(u16, u32), (LocalTime, u64)>,
    armed: u64,
    /// Who answers by itself, and with what words.
    helpers: BTreeMap<ProcessId, String>,
    hidden: Vec<String>,
    told: String,
}

impl Stage {
    fn new(line: &str) -> Stage {
        let words = Words::of(line);
        let (machine, me, node) = words::machine(&words);
        let (helpers, hidden, told) = (BTreeMap::new(), Vec::new(), String::new());
        let (now, timers) = (LocalTime::ZERO, BTreeMap::new());
        Stage { machine, me, node, now, timers, armed: 0, helpers, hidden, told }
    }
    /// One input, its effects, and what helpers answer to those.
    fn input(&mut self, input: Input) {
        let (book, mut effects) = (Book::new(0), Vec::new());
        let wall = WallTime::from_nanos(self.now.as_nanos());
        let mut ctx = Ctx::new(self.me, self.node, self.now, wall, &book, &mut effects);
        self.machine.step(input, &mut ctx);
        let mut answers = Vec::new();
        for effect in effects {
            self.carry_out(effect, &mut answers);
        }
        for (from, msg) in answers {
            self.input(Input::Message { from, msg });
        }
    }
    fn carry_out(&mut self, effect: Effect, answers: &mut Vec<(ProcessId, Msg)>) {
        match effect {
            Effect::SetTimer { timer, after } => {
                self.armed += 1;
                let due = self.now.saturating_add(after);
                self.timers.insert((timer.kind, timer.arg), (due, self.armed));
            }
            Effect::CancelTimer(timer) => {
                self.timers.remove(&(timer.kind, timer.arg));
            }
            Effect::Send { to, msg, class, .. } => {
                let how = if class == Class::Datagram { "~>" } else { "->" };
                self.tell(&format!("{how} p{} {}", to.0, words::show(&msg)));
                if let Some(answer) = self.helpers.get(&to).and_then(|w| answer(w, msg)) {
                    answers.push((to, answer));
                }
            }
            Effect::Claim(claim) => self.tell(&format!("claims {claim:?}")),
            other => self.tell(&format!("{other:?}")),
        }
    }
    fn tell(&mut self, what: &str) {
        if !self.hidden.iter().any(|word| what.contains(word.as_str())) {
            writeln!(self.told, "{} {what}", self.now).expect("text");
        }
    }
    /// Lets time pass; timers fire when they are due.
    fn run(&mut self, span: Span) {
        let end = self.now.saturating_add(span);
        loop {
            let next = self.timers.iter().min_by_key(|(_, due)| **due);
            match next.map(|(name, (due, _))| (*name, *due)) {
                Some(((kind, arg), due)) if due <= end => {
                    self.timers.remove(&(kind, arg));
                    self.now = self.now.max(due);
                    self.input(Input::Timer(Timer { kind, arg }));
                }
                _ => break,
            }
        }
        self.now = end;
    }
    fn command(&mut self, line: &str) {
        let words = Words::of(line);
        match words.verb() {
            "start" => self.input(Input::Start),
            "run" => self.run(words::span(words.nth(1))),
            // Frozen: time passes and nothing is heard, not even timers.
            "pause" => self.now = self.now.saturating_add(words::span(words.nth(1))),
            "hear" => {
                let from = words.process(1);
                self.input(Input::Message { from, msg: words.message(2) });
            }
            "refused" => {
                let by = words.process(1);
                self.input(Input::Refused { by, msg: words.message(2) });
            }
            "reset" => self.input(Input::Reset { by: words.process(1) }),
            "order" => {
                let node = words.get("to").and_then(|node| node.parse().ok()).map(NodeId);
                let (group, whole) = (GROUP, words.has("whole"));
                let patience = Span::from_secs(30);
                let order = Order::Switch { group, to: node, whole, patience };
                self.input(Input::Order(order));
            }
            "durable" => self.input(Input::Durable),
            "crash" => {
                self.timers.clear();
                self.machine.crash(words.nth(1) != "wiped");
            }
            "helper" => {
                self.helpers.insert(words.process(1), words.rest(2));
            }
            "silence" => {
                self.helpers.remove(&words.process(1));
            }
            // Lines with these words; `_` stands for a space.
            "hide" => {
                let words = words.rest(1);
                self.hidden = words.split(' ').map(|word| word.replace('_', " ")).collect();
            }
            verb => panic!("unknown verb {verb:?}"),
        }
    }
}

/// What a helper answers to a message.
fn answer(with: &str, msg: Msg) -> Option<Msg> {
    let words = Words::of(with);
    let (role, term) = (words.role(), words.term());
    let token = FencingToken(words.number("token"));
    let segment = Segment::new(term, NodeId(0));
    let durable = Position { segment, index: LogIndex(words.number("index")) };
    let idle = !with.contains("busy");
    match msg {
        Msg::Control(_, ControlMsg::Hello { seq, .. }) if with.starts_with("agent") => {
            let running = !with.contains("dead");
            Some(Msg::Control(GROUP, ControlMsg::Status { seq, role, term, durable, running }))
        }
        Msg::Local(_, LocalMsg::Ask { seq }) if with.starts_with("database") => {
            Some(Msg::Local(GROUP, LocalMsg::Status { seq, role, term, token, durable, idle }))
        }
        Msg::Lease(_, LeaseMsg::Acquire { seq, .. }) if with.starts_with("grants") => {
            Some(Msg::Lease(GROUP, LeaseMsg::Granted { seq, token }))
        }
        Msg::Lease(_, LeaseMsg::Acquire { seq, .. }) if with.starts_with("denies") => {
            let holder = NodeId(words.number("holder") as u16);
            Some(Msg::Lease(GROUP, LeaseMsg::Denied { seq, holder, token }))
        }
        Msg::Lease(_, LeaseMsg::Look { seq, .. }) if with.contains("seen=") => {
            let holder = words.get("by").map(|_| NodeId(words.number("by") as u16));
            let (token, published) = (words.number("seen"), LogIndex(words.number("published")));
            let token = FencingToken(token);
            Some(Msg::Lease(GROUP, LeaseMsg::Seen { seq, holder, token, published }))
        }
        Msg::Lease(_, LeaseMsg::Acquire { seq, .. }) if with.starts_with("refers") => {
            let hint = Some(ProcessId(words.number("to") as u16));
            Some(Msg::Lease(GROUP, LeaseMsg::NotLeader { seq, hint }))
        }
        Msg::Council(_, CouncilMsg::Ask { node, term, stands }) if with.starts_with("member") => {
            let votes = with.contains("votes") && stands;
            let vote = votes.then_some((ProcessId(50), term));
            Some(Msg::Council(GROUP, CouncilMsg::Say { node, down: with.contains("down"), vote }))
        }
        Msg::Probe(ProbeMsg::Probe { seq, .. }) if with.starts_with("alive") => {
            Some(Msg::Probe(ProbeMsg::Alive { seq }))
        }
        _ => None,
    }
}

/// Plays a script: the same text with what happened under each command.
fn play(script: &str) -> String {
    let mut stage: Option<Stage> = None;
    let mut out = String::new();
    for line in script.lines() {
        if let Some(command) = line.strip_prefix("> ") {
            writeln!(out, "{line}").expect("text");
            match stage.as_mut() {
                None => stage = Some(Stage::new(command)),
                Some(stage) => {
                    stage.command(command);
                    out.push_str(&std::mem::take(&mut stage.told));
                }
            }
        } else if line.starts_with('#') || line.is_empty() {
            writeln!(out, "{line}").expect("text");
        }
    }
    out
}

#[test]
fn every_script_plays_as_written() {
    every_story_in("control", 10, play);
}
