//! Messages on their way: datagrams, messages on connections of their own, streams; refusals
//! and resets.

mod connections;

use crate::model::ctx::{Class, Input};
use crate::model::fact::Observer;
use crate::model::id::{NodeId, ProcessId};
use crate::model::msg::Msg;
use crate::net::{Backoff, Fabric, Fate, Flow, FlowAction};
use crate::sim::queue::Phase;
use crate::sim::rng::{Label, Stream};
use crate::sim::time::{SimTime, Span};
use crate::world::letters::Letters;
use crate::world::process::State;
use crate::world::run::{Event, World};
use crate::world::stage::Stage;

/// Between two processes of one node. Our choice: a call over a local socket.
const LOCAL_DELAY: Span = Span::from_micros(50);

/// How long the transport of a delayed message tries. Our choice: longer than anybody waits for
/// the answer.
const PATIENCE: Span = Span::from_secs(10);

/// A message on its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub msg: Msg,
    pub sent: SimTime,
    /// Until when its transport sends it again; the past for a datagram.
    pub give_up: SimTime,
    pub bytes: u32,
    /// The fabric's number of the pair it crosses.
    pub pair: u32,
    pub from: ProcessId,
    pub to: ProcessId,
    pub tries: u8,
    /// The sender's life: its connections die with it.
    pub life: u16,
}

/// All that a sender needs to know of one receiver, in one place.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// The number of its dice for messages on their own, and of those for the stream, plus one;
    /// zero is none yet: they never talked.
    dice: [u32; 2],
    /// The fabric's number of the pair between them.
    pair: u32,
    /// True within one node.
    local: bool,
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
    /// Every sender's lines, one after the other.
    lines: Vec<Line>,
    processes: usize,
    dice: Vec<Stream>,
    letters: Letters<Packet>,
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
    pub(super) fn new(processes: usize, lines: Vec<Line>) -> Wires {
        Wires {
            lines,
            processes,
            dice: Vec::new(),
            letters: Letters::new(),
            connections: Vec::new(),
            connection_of: vec![Vec::new(); processes],
            actions: Vec::new(),
            delivered: Vec::new(),
        }
    }

    /// True when `a` has ever sent to `b`.
    fn talked(&self, a: ProcessId, b: ProcessId) -> bool {
        self.lines[self.line(a, b)].dice != [0, 0]
    }

    #[inline]
    fn line(&self, from: ProcessId, to: ProcessId) -> usize {
        from.index() * self.processes + to.index()
    }
}

impl Stage {
    /// The lines between all processes.
    pub(super) fn make_wires(&self, fabric: &Fabric) -> Wires {
        let sites = |node: &NodeId| self.layout.nodes[node.index()].site.index();
        let mut lines = Vec::with_capacity(self.homes.len() * self.homes.len());
        for from in self.homes.iter() {
            lines.extend(self.homes.iter().map(|to| Line {
                dice: [0, 0],
                pair: fabric.pair(sites(from), sites(to)),
                local: from == to,
            }));
        }
        Wires::new(self.homes.len(), lines)
    }
}

impl<O: Observer> World<'_, O> {
    /// Sends a message on its way.
    #[inline(never)]
    pub fn send(&mut self, from: ProcessId, to: ProcessId, msg: &Msg, class: Class, bytes: u32) {
        self.observer.on_sent(self.now, from, to, msg);
        let line = &self.wires.lines[self.wires.line(from, to)];
        let (pair, dice) = (line.pair, line.dice[ALONE]);
        if line.local {
            return self.send_local(from, to, msg);
        }
        let give_up = match class {
            Class::Stream if self.plane.is_down() && self.plane.stops(msg) => {
                return self.keep_order(from, to, msg, bytes);
            }
            Class::Stream => return self.send_stream(from, to, *msg, bytes),
            Class::Datagram if self.plane.is_down() && self.plane.stops(msg) => return,
            Class::Datagram => SimTime::ZERO,
            Class::Independent { patience } => self.now.saturating_add(patience),
            Class::Delayed { by } => return self.send_delayed(from, to, *msg, by, bytes),
        };
        let sent = self.now;
        let life = self.slots[from.index()].incarnation as u16;
        let packet = || Packet { msg: *msg, sent, give_up, bytes, pair, from, to, tries: 0, life };
        if dice == 0 {
            return self.launch_first(packet());
        }
        self.launch(pair, bytes, dice - 1, packet);
    }

    /// The first one that goes this way.
    #[cold]
    #[inline(never)]
    fn launch_first(&mut self, packet: Packet) {
        let dice = self.make_dice(packet.from, packet.to, ALONE);
        let pair = self.wires.lines[self.wires.line(packet.from, packet.to)].pair;
        self.launch(pair, packet.bytes, dice, || Packet { pair, ..packet });
    }

    /// Sends a message that takes longer than its wire does: to handle it takes its time.
    #[inline(never)]
    fn send_delayed(&mut self, from: ProcessId, to: ProcessId, msg: Msg, by: Span, bytes: u32) {
        let pair = self.wires.lines[self.wires.line(from, to)].pair;
        let dice = self.dice(from, to, ALONE);
        let draw = self.wires.dice[dice as usize].next_u64();
        let (sent, give_up) = (self.now, self.now.saturating_add(PATIENCE));
        let life = self.slots[from.index()].incarnation as u16;
        let packet = Packet { msg, sent, give_up, bytes, pair, from, to, tries: 0, life };
        match self.fabric.offer_on(self.now, pair, bytes, draw) {
            Fate::Arrives(at) => {
                let letter = self.wires.letters.keep(packet);
                let at = at.saturating_add(by).min(self.stage.end_of_time);
                self.queue.schedule(at, Phase::Arrive, Event::Packet(letter));
            }
            // The delay is served once, before the transport tries again.
            Fate::Lost => self.retry(Packet { sent: sent.saturating_add(by), ..packet }),
        }
    }

    #[inline(never)]
    fn send_local(&mut self, from: ProcessId, to: ProcessId, msg: &Msg) {
        let (sent, give_up) = (self.now, SimTime::ZERO);
        let (bytes, pair, tries, life) = (0, 0, 0, 0);
        let packet = Packet { msg: *msg, sent, give_up, bytes, pair, from, to, tries, life };
        let letter = self.wires.letters.keep(packet);
        self.queue.schedule(sent.saturating_add(LOCAL_DELAY), Phase::Arrive, Event::Local(letter));
    }

    /// The dice between two processes, made on first use and named by both ends and the class
    /// of traffic.
    fn dice(&mut self, from: ProcessId, to: ProcessId, class: usize) -> u32 {
        match self.wires.lines[self.wires.line(from, to)].dice[class] {
            0 => self.make_dice(from, to, class),
            number => number - 1,
        }
    }

    #[cold]
    #[inline(never)]
    fn make_dice(&mut self, from: ProcessId, to: ProcessId, class: usize) -> u32 {
        let label = Label::new("packet")
            .with(&self.stage.process_names[from.index()])
            .with(&self.stage.process_names[to.index()])
            .with(if class == ALONE { "alone" } else { "stream" });
        self.wires.dice.push(self.streams.stream(label));
        let number = self.wires.dice.len() as u32;
        let line = self.wires.line(from, to);
        self.wires.lines[line].dice[class] = number;
        self.choose_pair(from, to);
        number - 1
    }

    /// Settles over which pair of the fabric two processes talk: that of their sites, or that of
    /// their hosts while a fault acts on the wire of one of them.
    fn choose_pair(&mut self, from: ProcessId, to: ProcessId) {
        let host = |process: ProcessId| u32::from(self.slots[process.index()].node.0);
        let (a, b) = (host(from), host(to));
        let sites = self.fabric.pair(self.site(from), self.site(to));
        let line = self.wires.line(from, to);
        self.wires.lines[line].pair = self.fabric.lane(sites, a, b);
    }

    /// A fault begins or ceases to act on the wire of a host. Who never talked is asked when they
    /// begin.
    pub(super) fn choose_pairs(&mut self, node: NodeId) {
        for process in self.stage.layout.nodes[node.index()].processes.clone() {
            for other in (0..self.slots.len()).map(ProcessId::of) {
                for (from, to) in [(process, other), (other, process)] {
                    if self.wires.talked(from, to) {
                        self.choose_pair(from, to);
                    }
                }
            }
        }
    }

    /// The pair of the fabric over which two processes talk.
    fn pair(&self, from: ProcessId, to: ProcessId) -> u32 {
        self.wires.lines[self.wires.line(from, to)].pair
    }

    #[inline]
    fn site(&self, process: ProcessId) -> usize {
        self.slots[process.index()].site
    }

    /// Puts a packet on the wire; it is made only where it is to be kept.
    #[inline(always)]
    fn launch(&mut self, pair: u32, bytes: u32, dice: u32, packet: impl FnOnce() -> Packet) {
        let draw = self.wires.dice[dice as usize].next_u64();
        match self.fabric.offer_on(self.now, pair, bytes, draw) {
            Fate::Arrives(at) => {
                let letter = self.wires.letters.keep(packet());
                self.queue.schedule(at, Phase::Arrive, Event::Packet(letter));
            }
            Fate::Lost => self.retry(packet()),
        }
    }

    /// The sender's transport notices a loss by the missing acknowledgement, and tries again
    /// while its patience lasts.
    #[cold]
    #[inline(never)]
    fn retry(&mut self, mut packet: Packet) {
        let rtt = self.fabric.base_rtt(self.site(packet.from), self.site(packet.to));
        let backoff = Backoff::new(&self.stage.transport, rtt);
        let at = packet.sent.saturating_add(backoff.delay(u32::from(packet.tries))).max(self.now);
        packet.tries = packet.tries.saturating_add(1);
        if at < packet.give_up {
            let letter = self.wires.letters.keep(packet);
            self.queue.schedule(at, Phase::Timer, Event::Resend(letter));
        }
    }

    pub(super) fn resend(&mut self, letter: u32) {
        let packet = self.wires.letters.take(letter);
        // A dead sender sends nothing again, nor does the one that was started in its place.
        let slot = &self.slots[packet.from.index()];
        if slot.state != State::Dead && slot.incarnation as u16 == packet.life {
            let dice = self.dice(packet.from, packet.to, ALONE);
            let (sent, pair) = (self.now, self.pair(packet.from, packet.to));
            let again = || Packet { sent, pair, ..packet };
            self.launch(pair, packet.bytes, dice, again);
        }
    }

    #[inline(always)]
    pub(super) fn arrive(&mut self, letter: u32) {
        let packet = self.wires.letters.look(letter);
        let (from, to) = (packet.from, packet.to);
        let lives = self.fabric.alive_on(packet.pair, packet.sent);
        if !lives || self.slots[to.index()].state != State::Running {
            return self.arrive_at_odds(letter, lives);
        }
        let input = Input::Message { from, msg: packet.msg };
        self.wires.letters.free(letter);
        self.step(to, input);
    }

    /// It died on the way, or its receiver does not run.
    #[cold]
    #[inline(never)]
    fn arrive_at_odds(&mut self, letter: u32, lives: bool) {
        let packet = self.wires.letters.take(letter);
        if !lives {
            return self.retry(packet);
        }
        let slot = &self.slots[packet.to.index()];
        if slot.state == State::Dead {
            if self.hosts[slot.node.index()].down_by.is_empty() {
                return self.refuse(packet);
            }
            return self.retry(packet);
        }
        self.hear(packet.to, Input::Message { from: packet.from, msg: packet.msg });
    }

    /// A live host says at once that nothing listens there; the word travels back.
    fn refuse(&mut self, packet: Packet) {
        if let Some(at) = self.way_back(packet.to, packet.from) {
            let letter = self.wires.letters.keep(packet);
            self.queue.schedule(at, Phase::Arrive, Event::Refused(letter));
        }
    }

    pub(super) fn refusal_arrives(&mut self, letter: u32) {
        let packet = self.wires.letters.take(letter);
        self.hear(packet.from, Input::Refused { by: packet.to, msg: packet.msg });
    }

    /// When a short word of the transport's own, sent now, arrives; nothing when it gets lost.
    fn way_back(&mut self, from: ProcessId, to: ProcessId) -> Option<SimTime> {
        let dice = self.dice(from, to, ALONE);
        let draw = self.wires.dice[dice as usize].next_u64();
        match self.fabric.offer_on(self.now, self.pair(from, to), 40, draw) {
            Fate::Arrives(at) => Some(at),
            Fate::Lost => None,
        }
    }

    pub(super) fn local_arrives(&mut self, letter: u32) {
        let Packet { from, to, msg, .. } = self.wires.letters.take(letter);
        if self.slots[to.index()].state == State::Dead {
            self.hear(from, Input::Refused { by: to, msg });
        } else {
            self.hear(to, Input::Message { from, msg });
        }
    }
}
