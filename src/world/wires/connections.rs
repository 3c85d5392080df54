//! Streams between processes: the one ordered connection of each pair, and what a death does to
//! the connections of the dead.

use crate::model::ctx::Input;
use crate::model::fact::Observer;
use crate::model::id::ProcessId;
use crate::model::msg::Msg;
use crate::net::{Fate, Flow, FlowAction};
use crate::sim::queue::Phase;
use crate::sim::time::SimTime;
use crate::world::process::State;
use crate::world::run::{Event, World};
use crate::world::wires::{Connection, STREAM};

impl<O: Observer> World<'_, O> {
    fn connection(&mut self, from: ProcessId, to: ProcessId) -> u32 {
        let row = &mut self.wires.connection_of[from.index()];
        if row.is_empty() {
            row.resize(self.slots.len(), 0);
        }
        if row[to.index()] == 0 {
            let rtt = self.fabric.base_rtt(self.site(from), self.site(to));
            let flow = Flow::new(&self.stage.transport, rtt);
            let dice = self.dice(from, to, STREAM);
            self.wires.connections.push(Connection { flow, from, to, dice, life: None });
            let number = self.wires.connections.len() as u32;
            self.wires.connection_of[from.index()][to.index()] = number;
        }
        self.wires.connection_of[from.index()][to.index()] - 1
    }

    pub(in crate::world) fn send_stream(
        &mut self,
        from: ProcessId,
        to: ProcessId,
        msg: Msg,
        bytes: u32,
    ) {
        let number = self.connection(from, to);
        self.with_flow(number, |flow, now, wire, out| flow.send(now, msg, bytes, wire, out));
    }

    /// Lends a flow its wire (dice and fabric), and schedules what it asks for.
    fn with_flow(
        &mut self,
        number: u32,
        act: impl FnOnce(
            &mut Flow<Msg>,
            SimTime,
            &mut dyn FnMut(SimTime, u32) -> Fate,
            &mut Vec<FlowAction>,
        ),
    ) {
        let now = self.now;
        let mut out = std::mem::take(&mut self.wires.actions);
        let connection = &mut self.wires.connections[number as usize];
        let dice = &mut self.wires.dice[connection.dice as usize];
        let line = connection.from.index() * self.wires.processes + connection.to.index();
        let pair = self.wires.lines[line].pair;
        let fabric = &mut self.fabric;
        let mut wire = |at: SimTime, bytes: u32| fabric.offer_on(at, pair, bytes, dice.next_u64());
        act(&mut connection.flow, now, &mut wire, &mut out);
        for action in out.drain(..) {
            match action {
                FlowAction::Arrive { at, seq } => {
                    self.queue.schedule(at, Phase::Arrive, Event::Flow { flow: number, seq });
                }
                FlowAction::Wake { at, generation } => {
                    let wake = Event::FlowWake { flow: number, generation };
                    self.queue.schedule(at, Phase::Timer, wake);
                }
            }
        }
        self.wires.actions = out;
    }

    pub(in crate::world) fn flow_wakes(&mut self, number: u32, generation: u32) {
        self.with_flow(number, |flow, now, wire, out| flow.wake(now, generation, wire, out));
    }

    pub(in crate::world) fn flow_arrives(&mut self, number: u32, seq: u32) {
        let connection = &self.wires.connections[number as usize];
        let (from, to, life) = (connection.from, connection.to, connection.life);
        let Some(sent) = connection.flow.sent_at(seq) else { return };
        let (a, b) = (self.site(from), self.site(to));
        let slot = &self.slots[to.index()];
        let host_down = !self.hosts[slot.node.index()].down_by.is_empty();
        if host_down || !self.fabric.alive(a, b, sent) {
            return self.with_flow(number, |flow, now, _, out| flow.killed(seq, now, out));
        }
        if slot.state == State::Dead || life.is_some_and(|life| life != slot.incarnation) {
            // Nothing listens there, or somebody who knows nothing of this connection. Where the
            // word of it gets lost, the sender goes on trying.
            let Some(at) = self.way_back(to, from) else {
                return self.with_flow(number, |flow, now, _, out| flow.killed(seq, now, out));
            };
            self.forget(number);
            return self.queue_reset(at, from, to);
        }
        let incarnation = slot.incarnation;
        self.wires.connections[number as usize].life = Some(incarnation);
        let back = self.fabric.is_up(b, a).then(|| self.fabric.base_delay(b, a));
        let mut delivered = std::mem::take(&mut self.wires.delivered);
        self.with_flow(number, |flow, now, _, out| {
            flow.arrived(seq, now, |_| back, |msg| delivered.push(msg), out);
        });
        for msg in delivered.drain(..) {
            self.hear(to, Input::Message { from, msg });
        }
        self.wires.delivered = delivered;
    }

    fn queue_reset(&mut self, at: SimTime, to: ProcessId, by: ProcessId) {
        self.queue.schedule(at, Phase::Arrive, Event::Reset { to, by });
    }

    fn forget(&mut self, number: u32) {
        let connection = &mut self.wires.connections[number as usize];
        connection.flow.reset();
        connection.life = None;
    }

    /// A process learns that another, with which it had connections, was killed.
    pub(in crate::world) fn reset_arrives(&mut self, to: ProcessId, by: ProcessId) {
        let number = self.wires.connection_of[to.index()].get(by.index()).copied().unwrap_or(0);
        if number != 0 {
            let life = self.wires.connections[number as usize - 1].life;
            let slot = &self.slots[by.index()];
            if slot.state == State::Dead || life.is_some_and(|life| life != slot.incarnation) {
                self.forget(number - 1);
            }
        }
        self.hear(to, Input::Reset { by });
    }

    /// A process died: its streams send nothing again, and if its host lives, everybody it
    /// talked with is told.
    pub(in crate::world) fn hang_up(&mut self, dead: ProcessId, host_lives: bool) {
        for number in 0..self.wires.connections.len() {
            if self.wires.connections[number].from == dead {
                let now = self.now;
                self.wires.connections[number].flow.orphan(now);
                self.wires.connections[number].life = None;
            }
        }
        if !host_lives {
            return;
        }
        for i in 0..self.slots.len() {
            let other = ProcessId::of(i);
            let talked = self.wires.talked(dead, other) || self.wires.talked(other, dead);
            let remote = self.slots[i].node != self.slots[dead.index()].node;
            if talked
                && remote
                && let Some(at) = self.way_back(dead, other)
            {
                self.queue_reset(at, other, dead);
            }
        }
    }
}
