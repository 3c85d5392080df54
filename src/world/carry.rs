//! A step of a machine, and carrying out what it leaves.
//!
//! The hottest code there is: effects are read where they lie, and facts of the kinds that every
//! operation writes are folded on the spot, where the compiler knows which kind it is.

use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::{GroupId, NodeId, Position, ProcessId};
use crate::model::msg::{ClientMsg, Msg};
use crate::model::replica::shell::ANSWER_CLASS;
use crate::sim::queue::Phase;
use crate::sim::time::{LocalTime, Span};
use crate::world::process::State;
use crate::world::run::{Event, World};

impl<O: Observer> World<'_, O> {
    /// One step of a machine, and what it leaves.
    pub fn step(&mut self, process: ProcessId, input: Input) {
        let slot = &mut self.slots[process.index()];
        let (node, stands) = (slot.node, slot.stands);
        let clock = &self.hosts[node.index()].clock;
        let now = clock.local(self.now);
        let ahead = clock.wall_ahead();
        let book = &self.book;
        let effects = &mut self.effects;
        if let Input::Message { from, ref msg } = input {
            self.observer.on_heard(self.now, from, process, msg);
        }
        let mut ctx = Ctx::with_wall_ahead(process, node, now, ahead, book, effects);
        slot.machine.step(input, &mut ctx);
        let mut effects = std::mem::take(&mut self.effects);
        for effect in &effects {
            self.carry_out(process, node, effect);
        }
        effects.clear();
        // What stood there meanwhile is an empty list: there is nothing to free, or to look at.
        std::mem::forget(std::mem::replace(&mut self.effects, effects));
        if stands {
            self.ask_at(process, now);
        }
    }

    /// Asks whether a process admits writes, and by which rule. A rule of its state: while it is
    /// paused or dead it admits nothing.
    pub fn ask(&mut self, process: ProcessId) {
        self.ask_at(process, self.local(process));
    }

    #[inline]
    fn ask_at(&mut self, process: ProcessId, now: LocalTime) {
        let slot = &self.slots[process.index()];
        let Some((group, admits, acks)) = slot.machine.standing(now) else { return };
        let admits = admits && slot.state == State::Running;
        if admits != slot.admits || (admits && acks != slot.acks) {
            self.stands_otherwise(process, group, admits, acks);
        }
    }

    #[cold]
    #[inline(never)]
    fn stands_otherwise(&mut self, process: ProcessId, group: GroupId, admits: bool, acks: u16) {
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        let changed = std::mem::replace(&mut slot.admits, admits) != admits;
        let other_rule = admits && std::mem::replace(&mut slot.acks, acks) != acks;
        if changed {
            self.fact(Fact::Admits { node, group, yes: admits });
        }
        if other_rule {
            self.fact(Fact::Rule { node, group, acks });
        }
    }

    #[inline(always)]
    fn carry_out(&mut self, process: ProcessId, node: NodeId, effect: &Effect) {
        match *effect {
            Effect::Send { to, ref msg, class, bytes } => self.send(process, to, msg, class, bytes),
            Effect::Answer { to, group, op, attempt, outcome, at, bytes } => {
                self.frequent_fact(Fact::Answered { node, group, op, outcome, at });
                let msg = Msg::Client(ClientMsg::Answer { op, attempt, outcome });
                self.send(process, to, &msg, ANSWER_CLASS, bytes);
            }
            Effect::Invoke { op, group, kind, key } => {
                self.frequent_fact(Fact::Invoked { op, group, kind, key });
            }
            Effect::Conclude { op, outcome, by } => {
                self.frequent_fact(Fact::Concluded { op, outcome, by });
            }
            Effect::Wake { timer, after } => self.wake(process, timer, after),
            Effect::Append { group, op, at } => {
                self.book.note(group, op, at);
                self.frequent_fact(Fact::Appended { node, group, op, at });
            }
            Effect::Hold { group, upto } => self.frequent_fact(Fact::Held { node, group, upto }),
            Effect::Sync { group, upto } => self.sync(process, group, upto),
            _ => self.carry_out_rare(process, node, effect),
        }
    }

    /// What happens less often than once in a few operations.
    #[inline(never)]
    fn carry_out_rare(&mut self, process: ProcessId, node: NodeId, effect: &Effect) {
        match *effect {
            Effect::SetTimer { timer, after } => self.set_timer(process, timer, after),
            Effect::CancelTimer(timer) => self.cancel_timer(process, timer),
            Effect::Begin { group, segment, from } => {
                self.fact(Fact::Began { node, group, segment, from });
            }
            Effect::Truncate { group, to } => {
                let slot = &mut self.slots[process.index()];
                slot.disk.void();
                slot.inbox.retain(|input| *input != Input::Durable);
                self.fact(Fact::Truncated { node, group, to });
            }
            Effect::Install { group, key, version } => {
                self.frequent_fact(Fact::Installed { node, group, key, version });
            }
            Effect::Return { group, op, version } => {
                self.frequent_fact(Fact::Returned { node, group, op, version });
            }
            Effect::Session { op, user } => self.fact(Fact::Session { op, user }),
            Effect::Withdraw { group, holder } => self.fact(Fact::Withdrawn { group, holder }),
            Effect::Authorise { group, holder, token } => {
                // A new leader of the coordination service may say again what an earlier one said.
                if token > self.authorised[group.index()] {
                    self.authorised[group.index()] = token;
                    self.fact(Fact::Authorised { group, holder, token });
                }
            }
            Effect::Route { client, resolver, group, node } => {
                self.fact(Fact::Routed { client, resolver, group, node });
            }
            Effect::Watchdog { after } => self.wind_watchdog(node, after),
            Effect::Power { node, on } => {
                // Not within the step: a host's end reaches many, its own device among them.
                self.queue.schedule(self.now, Phase::Fault, Event::Power { node, on });
            }
            Effect::Start(other) => self.start(other),
            Effect::Claim(claim) => self.claim(node, claim),
            // The frequent ones are carried out above.
            Effect::Send { .. }
            | Effect::Answer { .. }
            | Effect::Invoke { .. }
            | Effect::Conclude { .. }
            | Effect::Wake { .. }
            | Effect::Append { .. }
            | Effect::Hold { .. }
            | Effect::Sync { .. } => {}
        }
    }

    fn claim(&mut self, node: NodeId, claim: Claim) {
        self.observer.on_claim(self.now, node, &claim);
    }

    fn set_timer(&mut self, process: ProcessId, timer: Timer, after: Span) {
        self.cancel_timer(process, timer);
        if after == Span::MAX {
            return;
        }
        let slot = &mut self.slots[process.index()];
        let clock = &self.hosts[slot.node.index()].clock;
        let at = self.now.saturating_add(clock.true_span(after)).min(self.stage.end_of_time);
        let due = clock.local(self.now).saturating_add(after);
        let event = Event::Timer { process, incarnation: slot.incarnation, timer };
        let key = self.queue.schedule(at, Phase::Timer, event);
        slot.timers.push((timer, key, due));
    }

    fn cancel_timer(&mut self, process: ProcessId, timer: Timer) {
        let slot = &mut self.slots[process.index()];
        if !slot.inbox.is_empty() {
            // It fired during a pause, and has not been heard yet.
            slot.inbox.retain(|input| *input != Input::Timer(timer));
        }
        let timers = &mut slot.timers;
        if let Some(i) = timers.iter().position(|(other, ..)| *other == timer) {
            let (_, key, _) = timers.swap_remove(i);
            self.queue.cancel(key);
        }
    }

    #[inline]
    fn wake(&mut self, process: ProcessId, timer: Timer, after: Span) {
        let slot = &self.slots[process.index()];
        let clock = &self.hosts[slot.node.index()].clock;
        let at = self.now.saturating_add(clock.true_span(after)).min(self.stage.end_of_time);
        let event = Event::Wake { process, incarnation: slot.incarnation, timer };
        self.queue.schedule(at, Phase::Timer, event);
    }

    fn sync(&mut self, process: ProcessId, group: GroupId, upto: Position) {
        let slot = &mut self.slots[process.index()];
        let (delay, epoch) = slot.disk.begin(self.now, group, upto);
        let at = self.now.saturating_add(delay);
        self.queue.schedule(at, Phase::Durable, Event::Durable { process, epoch });
    }
}
