//! An ordered, reliable stream: one direction of a connection between two processes.

use super::fabric::Fate;
use super::losses::Losses;
use super::transport::{Backoff, TransportSpec};
use super::window::{State, Window};
use crate::sim::{SimTime, Span};

/// What the caller is to schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowAction {
    /// A packet arrives: then call [`Flow::arrived`], or [`Flow::killed`] if it died on the way.
    Arrive {
        /// When.
        at: SimTime,
        /// The number of its item.
        seq: u32,
    },
    /// Call [`Flow::wake`]. It makes any earlier `Wake` of this flow stale.
    Wake {
        /// When.
        at: SimTime,
        /// To hand back to [`Flow::wake`].
        generation: u32,
    },
}

/// An ordered, reliable stream of `T`.
///
/// Loss and full queues delay items and never lose them: what is lost is sent again, the
/// receiver keeps what came early, and only a bounded amount is under way.
///
/// A loss is noticed as TCP with selective acknowledgements notices it (RFC 8985, RACK): when
/// the acknowledgement of a packet sent later is back, or when the retransmission timer runs
/// out. The timer sends the oldest loss only; when that gets through, the rest follows. A wait
/// in vain doubles the next one; an acknowledgement resets it.
///
/// Acknowledgements cost no events: when an item is delivered the caller says how long the way
/// back is, or that it is cut. In the latter case the item keeps its place in the window, and
/// the timer sends it again until an acknowledgement gets through. Not modelled: an
/// acknowledgement killed on its way back, congestion control, and retransmissions in vain
/// because a queue was long.
///
/// Numbers of items go on after a [`reset`](Flow::reset), so that packets of the time before are
/// recognised when they arrive. More than 2^32 items on one flow panic.
#[derive(Clone, Debug)]
pub struct Flow<T> {
    window: Window<T>,
    backoff: Backoff,
    losses: Losses,
    /// Scratch: items to send again now.
    again: Vec<u32>,
    /// Something was delivered, and its acknowledgement got lost.
    owed: bool,
    /// A packet sent only to be acknowledged: its item, and when it was sent.
    probe: Option<(u32, SimTime)>,
    /// When the retransmission timer runs out.
    timer: Option<SimTime>,
    /// How often it has run out without progress.
    attempt: u32,
    /// How many packets were sent.
    turn: u64,
    last_arrival: SimTime,
    /// The pending wake-up.
    wake: Option<SimTime>,
    generation: u32,
}

impl<T: Copy> Flow<T> {
    /// An empty stream over a path with that least round trip.
    pub fn new(spec: &TransportSpec, base_rtt: Span) -> Flow<T> {
        Flow {
            window: Window::new(spec),
            backoff: Backoff::new(spec, base_rtt),
            losses: Losses::new(),
            again: Vec::new(),
            owed: false,
            probe: None,
            timer: None,
            attempt: 0,
            turn: 0,
            last_arrival: SimTime::ZERO,
            wake: None,
            generation: 0,
        }
    }

    /// Takes one item of `bytes` and sends it as soon as the window has room. `wire` asks for
    /// the fate of a packet sent at that time with that many bytes.
    pub fn send(
        &mut self,
        now: SimTime,
        item: T,
        bytes: u32,
        mut wire: impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        self.window.push(now, item, bytes);
        self.collect(now);
        self.pump(now, &mut wire, out);
        self.arm(now, out);
    }

    /// When the packet now arriving for item `seq` was sent, to ask the fabric whether it still
    /// lives. Nothing when it was forgotten since ([`reset`](Flow::reset),
    /// [`orphan`](Flow::orphan)): ignore it.
    pub fn sent_at(&self, seq: u32) -> Option<SimTime> {
        if let Some((_, sent)) = self.probe.filter(|probe| probe.0 == seq) {
            return Some(sent);
        }
        let entry = self.window.get(seq)?;
        (entry.state == State::Flying).then_some(entry.sent)
    }

    /// The packet of item `seq` arrives. Hands over, in order, all that is now complete. `ack`
    /// is asked once for the delay of an acknowledgement; nothing when the way back is cut.
    pub fn arrived(
        &mut self,
        seq: u32,
        now: SimTime,
        ack: impl FnOnce(SimTime) -> Option<Span>,
        deliver: impl FnMut(T),
        out: &mut Vec<FlowAction>,
    ) {
        let Some(sent) = self.sent_at(seq) else { return };
        let mut turn = 0;
        if self.is_probe(seq) {
            self.probe = None;
        } else if let Some(entry) = self.window.get_mut(seq) {
            turn = entry.turn;
            entry.state = State::Early;
            self.window.hand_over(deliver);
        }
        // A dead sender waits for nothing: its items leave the window at once.
        match if seq < self.window.orphans { Some(Span::ZERO) } else { ack(now) } {
            Some(delay) => self.acknowledge(now.saturating_add(delay), turn),
            None => {
                self.owed = self.window.unacknowledged();
                self.start_timer(now, sent);
            }
        }
        self.arm(now, out);
    }

    /// The packet of item `seq` was found dead at its arrival.
    pub fn killed(&mut self, seq: u32, now: SimTime, out: &mut Vec<FlowAction>) {
        let Some(sent) = self.sent_at(seq) else { return };
        if self.is_probe(seq) {
            self.probe = None;
        } else if seq < self.window.orphans {
            self.window.give_up(seq);
            self.acknowledge(now, 0);
        } else {
            self.lose(seq);
        }
        self.start_timer(now, sent);
        self.arm(now, out);
    }

    /// A wake-up: retransmits what is due, and sends what waited for the window. Ignored when
    /// `generation` is not that of the last [`FlowAction::Wake`].
    pub fn wake(
        &mut self,
        now: SimTime,
        generation: u32,
        mut wire: impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        if self.wake.is_none() || generation != self.generation {
            return;
        }
        self.wake = None;
        self.collect(now);
        let mut again = std::mem::take(&mut self.again);
        self.losses.take_due(now, &mut again);
        for seq in again.drain(..) {
            self.transmit(seq, now, &mut wire, out);
        }
        self.again = again;
        if self.timer.is_some_and(|timer| timer <= now) {
            self.timed_out(now, &mut wire, out);
        }
        self.pump(now, &mut wire, out);
        self.arm(now, out);
    }

    /// The receiving process or the connection died: everything is forgotten. How many items
    /// were dropped, that is, taken and not handed over. Packets under way will be ignored.
    pub fn reset(&mut self) -> u64 {
        let dropped = self.backlog();
        self.window.clear();
        self.losses.forget_below(self.window.end());
        (self.owed, self.probe, self.wake) = (false, None, None);
        (self.timer, self.attempt, self.last_arrival) = (None, 0, SimTime::ZERO);
        dropped
    }

    /// The sending process died: what is under way still arrives, and is handed over up to the
    /// first item that is missing; nothing is sent again. How many items were dropped now (more
    /// may follow if a packet under way is killed). New items may be sent afterwards.
    pub fn orphan(&mut self, now: SimTime) -> u64 {
        let before = self.backlog();
        self.window.orphan();
        self.losses.forget_below(self.window.orphans);
        (self.probe, self.timer, self.attempt) = (None, None, 0);
        self.acknowledge(now, 0);
        before - self.backlog()
    }

    /// Items taken and not handed over.
    pub fn backlog(&self) -> u64 {
        self.window.backlog()
    }

    /// Items sent and not acknowledged: never more than the window.
    pub fn in_flight(&self) -> u32 {
        self.window.in_flight()
    }

    /// Bytes sent and not acknowledged: never more than the window, unless one item is.
    pub fn bytes_in_flight(&self) -> u64 {
        self.window.bytes_out
    }
}

/// The parts.
impl<T: Copy> Flow<T> {
    /// Takes the acknowledgements that have reached the sender by now. Progress resets the
    /// backoff, and starts the timer anew if more is expected.
    fn collect(&mut self, now: SimTime) {
        if let Some(at) = self.window.collect(now) {
            self.attempt = 0;
            self.timer = self.expects().then(|| at.saturating_add(self.backoff.delay(0)));
        }
    }

    /// Sends what waits, as far as the window allows.
    fn pump(
        &mut self,
        now: SimTime,
        wire: &mut impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        while let Some(seq) = self.window.admit() {
            self.transmit(seq, now, wire, out);
        }
    }

    /// Puts the packet of an item on the wire.
    fn transmit(
        &mut self,
        seq: u32,
        now: SimTime,
        wire: &mut impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        self.turn += 1;
        let Some(entry) = self.window.get_mut(seq) else { return };
        (entry.sent, entry.turn) = (now, self.turn);
        match wire(now, entry.bytes) {
            Fate::Arrives(at) => {
                entry.state = State::Flying;
                self.last_arrival = at.max(self.last_arrival);
                out.push(FlowAction::Arrive { at: self.last_arrival, seq });
            }
            Fate::Lost => {
                self.lose(seq);
                self.start_timer(now, now);
            }
        }
    }

    /// Notes that the packet of an item is lost.
    fn lose(&mut self, seq: u32) {
        if let Some(entry) = self.window.get_mut(seq) {
            entry.state = State::Lost;
            self.losses.add(seq, entry.turn);
        }
    }

    /// True when the sender waits for an acknowledgement that is not on its way.
    fn expects(&self) -> bool {
        self.owed || !self.losses.is_empty()
    }

    /// True when the packet under way for item `seq` is only to be acknowledged.
    fn is_probe(&self, seq: u32) -> bool {
        self.probe.is_some_and(|probe| probe.0 == seq)
    }

    /// The retransmission timer ran out: the oldest lost item goes again, or, when nothing is
    /// lost and an acknowledgement is missing, the oldest delivered one.
    fn timed_out(
        &mut self,
        now: SimTime,
        wire: &mut impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        self.timer = None;
        if !self.expects() {
            return;
        }
        self.attempt = self.attempt.saturating_add(1);
        if let Some(seq) = self.losses.take_oldest() {
            self.transmit(seq, now, wire, out);
        } else if self.probe.is_none()
            && let Some(entry) = self.window.get(self.window.first)
            && let Fate::Arrives(at) = wire(now, entry.bytes)
        {
            self.last_arrival = at.max(self.last_arrival);
            self.probe = Some((self.window.first, now));
            out.push(FlowAction::Arrive { at: self.last_arrival, seq: self.window.first });
        }
        self.start_timer(now, now);
    }

    /// Starts the timer of a packet sent at `sent`, unless it runs or nothing is expected.
    fn start_timer(&mut self, now: SimTime, sent: SimTime) {
        if self.timer.is_none() && self.expects() {
            let wait = self.backoff.delay(self.attempt);
            self.timer = Some(sent.saturating_add(wait).max(now));
        }
    }

    /// An acknowledgement of all that was handed over will be with the sender at `at`. It also
    /// tells of the packets sent before transmission `turn` that are lost.
    fn acknowledge(&mut self, at: SimTime, turn: u64) {
        self.owed = false;
        self.window.acknowledge(at);
        self.losses.learn(turn, at);
    }

    /// Asks for a wake-up when one is needed earlier than the pending one.
    fn arm(&mut self, now: SimTime, out: &mut Vec<FlowAction>) {
        if !self.expects() {
            self.timer = None;
        }
        let at = self.timer.unwrap_or(SimTime::MAX).min(self.losses.next_due());
        let at = at.min(self.window.next_room().unwrap_or(SimTime::MAX));
        if at == SimTime::MAX || self.wake.is_some_and(|pending| pending <= at) {
            return;
        }
        let at = at.max(now);
        self.generation = self.generation.wrapping_add(1);
        self.wake = Some(at);
        out.push(FlowAction::Wake { at, generation: self.generation });
    }
}
