//! Messages on their way: datagrams, messages on connections of their own, streams; refusals
//! and resets.

use crate::model::ctx::{Class, Input};
use crate::model::fact::Observer;
use crate::model::id::ProcessId;
use crate::model::msg::Msg;
use crate::net::{Backoff, Fate, Flow, FlowAction};
use crate::sim::queue::Phase;
use crate::sim::rng::{Label, Stream};
use crate::sim::time::{SimTime, Span};
use crate::world::process::State;
use crate::world::run::{Event, World};

/// Between two processes of one node. Our choice: a call over a local socket.
const LOCAL_DELAY: Span = Span::from_micros(50);

/// A message on its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub msg: Msg,
    pub sent: SimTime,
    /// Until when its transport sends it again; the past for a datagram.
    pub give_up: SimTime,
    pub bytes: u32,
    pub from: ProcessId,
    pub to: ProcessId,
    pub tries: u8,
    /// The sender's life: its connections die with it.
    pub life: u16,
}

/// One direction of a connection.
struct Connection {
    flow: Flow<Msg>,
    from: ProcessId,
    to: ProcessId,
    dice: u32,
    /// The receiver's life that the connection was made with, once something got through.
    life: Option<u32>,
}

/// What is between processes.
pub(super) struct Wires {
    /// Per sender, once it talks: per receiver and class the number of its dice (and, for
    /// streams, of its connection), plus one; zero is none yet.
    rows: Vec<Vec<[u32; 2]>>,
    dice: Vec<Stream>,
    connections: Vec<Connection>,
    connection_of: Vec<Vec<u32>>,
    actions: Vec<FlowAction>,
    delivered: Vec<Msg>,
}

/// Kinds of dice between two processes.
const ALONE: usize = 0;
const STREAM: usize = 1;

impl Wires {
    /// No one has spoken.
    pub(super) fn new(processes: usize) -> Wires {
        Wires {
            rows: vec![Vec::new(); processes],
            dice: Vec::new(),
            connections: Vec::new(),
            connection_of: vec![Vec::new(); processes],
            actions: Vec::new(),
            delivered: Vec::new(),
        }
    }

    /// True when `a` has ever sent to `b`.
    fn talked(&self, a: ProcessId, b: ProcessId) -> bool {
        self.rows[a.index()].get(b.index()).is_some_and(|row| *row != [0, 0])
    }
}

impl<O: Observer> World<'_, O> {
    /// Sends a message on its way.
    #[inline]
    pub fn send(&mut self, from: ProcessId, to: ProcessId, msg: Msg, class: Class, bytes: u32) {
        if self.slots[from.index()].node == self.slots[to.index()].node {
            let at = self.now.saturating_add(LOCAL_DELAY);
            self.queue.schedule(at, Phase::Arrive, Event::Local { from, to, msg });
            return;
        }
        let give_up = match class {
            Class::Stream => return self.send_stream(from, to, msg, bytes),
            Class::Datagram => SimTime::ZERO,
            Class::Independent { patience } => self.now.saturating_add(patience),
        };
        let life = self.slots[from.index()].incarnation as u16;
        self.launch(Packet { msg, sent: self.now, give_up, bytes, from, to, tries: 0, life });
    }

    /// The dice between two processes, made on first use and named by both ends and the class
    /// of traffic.
    #[inline]
    fn dice(&mut self, from: ProcessId, to: ProcessId, class: usize) -> u32 {
        if let Some(row) = self.wires.rows[from.index()].get(to.index())
            && row[class] != 0
        {
            return row[class] - 1;
        }
        self.make_dice(from, to, class)
    }

    #[cold]
    fn make_dice(&mut self, from: ProcessId, to: ProcessId, class: usize) -> u32 {
        let row = &mut self.wires.rows[from.index()];
        if row.is_empty() {
            row.resize(self.slots.len(), [0, 0]);
        }
        let label = Label::new("packet")
            .with(&self.stage.process_names[from.index()])
            .with(&self.stage.process_names[to.index()])
            .with(if class == ALONE { "alone" } else { "stream" });
        self.wires.dice.push(self.streams.stream(label));
        row[to.index()][class] = self.wires.dice.len() as u32;
        self.wires.dice.len() as u32 - 1
    }

    #[inline]
    fn site(&self, process: ProcessId) -> usize {
        self.hosts[self.slots[process.index()].node.index()].site
    }

    #[inline]
    fn launch(&mut self, mut packet: Packet) {
        let dice = self.dice(packet.from, packet.to, ALONE);
        let draw = self.wires.dice[dice as usize].next_u64();
        let (from, to) = (self.site(packet.from), self.site(packet.to));
        packet.sent = self.now;
        match self.fabric.offer(self.now, from, to, packet.bytes, draw) {
            Fate::Arrives(at) => {
                self.queue.schedule(at, Phase::Arrive, Event::Packet(packet));
            }
            Fate::Lost => self.retry(packet),
        }
    }

    /// The sender's transport notices a loss by the missing acknowledgement, and tries again
    /// while its patience lasts.
    #[cold]
    fn retry(&mut self, mut packet: Packet) {
        let rtt = self.fabric.base_rtt(self.site(packet.from), self.site(packet.to));
        let backoff = Backoff::new(&self.stage.transport, rtt);
        let at = packet.sent.saturating_add(backoff.delay(u32::from(packet.tries))).max(self.now);
        packet.tries = packet.tries.saturating_add(1);
        if at < packet.give_up {
            self.queue.schedule(at, Phase::Timer, Event::Resend(packet));
        }
    }

    pub(super) fn resend(&mut self, packet: Packet) {
        // A dead sender sends nothing again, nor does the one that was started in its place.
        let slot = &self.slots[packet.from.index()];
        if slot.state != State::Dead && slot.incarnation as u16 == packet.life {
            self.launch(packet);
        }
    }

    #[inline]
    pub(super) fn arrive(&mut self, packet: Packet) {
        if !self.fabric.alive(self.site(packet.from), self.site(packet.to), packet.sent) {
            return self.retry(packet);
        }
        let slot = &self.slots[packet.to.index()];
        if slot.state == State::Dead {
            if self.hosts[slot.node.index()].down_by.is_empty() {
                return self.refuse(packet.from, packet.to, packet.msg);
            }
            return self.retry(packet);
        }
        self.hear(packet.to, Input::Message { from: packet.from, msg: packet.msg });
    }

    /// A live host says at once that nothing listens there; the word travels back.
    fn refuse(&mut self, to: ProcessId, by: ProcessId, msg: Msg) {
        if let Some(at) = self.way_back(by, to) {
            self.queue.schedule(at, Phase::Arrive, Event::Refused { to, by, msg });
        }
    }

    /// When a short word of the transport's own, sent now, arrives; nothing when it gets lost.
    fn way_back(&mut self, from: ProcessId, to: ProcessId) -> Option<SimTime> {
        let dice = self.dice(from, to, ALONE);
        let draw = self.wires.dice[dice as usize].next_u64();
        match self.fabric.offer(self.now, self.site(from), self.site(to), 40, draw) {
            Fate::Arrives(at) => Some(at),
            Fate::Lost => None,
        }
    }

    pub(super) fn local_arrives(&mut self, from: ProcessId, to: ProcessId, msg: Msg) {
        if self.slots[to.index()].state == State::Dead {
            self.hear(from, Input::Refused { by: to, msg });
        } else {
            self.hear(to, Input::Message { from, msg });
        }
    }

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

    fn send_stream(&mut self, from: ProcessId, to: ProcessId, msg: Msg, bytes: u32) {
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
        let from = self.hosts[self.slots[connection.from.index()].node.index()].site;
        let to = self.hosts[self.slots[connection.to.index()].node.index()].site;
        let fabric = &mut self.fabric;
        let mut wire = |at: SimTime, bytes: u32| fabric.offer(at, from, to, bytes, dice.next_u64());
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

    pub(super) fn flow_wakes(&mut self, number: u32, generation: u32) {
        self.with_flow(number, |flow, now, wire, out| flow.wake(now, generation, wire, out));
    }

    pub(super) fn flow_arrives(&mut self, number: u32, seq: u32) {
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
    pub(super) fn reset_arrives(&mut self, to: ProcessId, by: ProcessId) {
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
    pub(super) fn hang_up(&mut self, dead: ProcessId, host_lives: bool) {
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
