//! An ordered, reliable stream: one direction of a connection between two processes.

use super::fabric::Fate;
use super::transport::{Backoff, TransportSpec};
use crate::sim::{SimTime, Span};
use std::collections::VecDeque;

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

/// Where an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// At the sender: the window is full.
    Waiting,
    /// Under way.
    Flying,
    /// Its last packet is lost; there is a [`Hole`].
    Lost,
    /// At the receiver, before its turn.
    Early,
    /// Handed over; the acknowledgement has not reached the sender.
    Delivered,
    /// Given up, since its sender died.
    Dropped,
}

/// An item from its sending to its acknowledgement.
#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    item: T,
    bytes: u32,
    state: State,
    /// When its last packet was sent.
    sent: SimTime,
    /// The number of that transmission: later ones have higher numbers.
    turn: u64,
}

/// An item whose packet is lost.
#[derive(Clone, Copy, Debug)]
struct Hole {
    seq: u32,
    /// When the sender learns it from the acknowledgement of a later packet; never, if none.
    due: SimTime,
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
/// recognised when they arrive.
#[derive(Clone, Debug)]
pub struct Flow<T> {
    window_items: u32,
    window_bytes: u64,
    backoff: Backoff,
    /// From the oldest item not acknowledged to the newest.
    entries: VecDeque<Entry<T>>,
    /// The number of the first entry.
    first: u32,
    /// The number of the next item to hand over.
    next: u32,
    /// The number of the next item to send for the first time.
    unsent: u32,
    /// Items below have lost their sender, and are never sent again.
    orphans: u32,
    /// Bytes sent and not acknowledged.
    bytes_out: u64,
    /// Acknowledgements under way to the sender: when, and which number comes next.
    credits: VecDeque<(SimTime, u32)>,
    /// Lost packets, in the order of their numbers.
    holes: Vec<Hole>,
    /// Something was delivered, and its acknowledgement got lost.
    owed: bool,
    /// A packet sent only to be acknowledged: its item, and when it was sent.
    probe: Option<(u32, SimTime)>,
    /// When the retransmission timer runs out.
    timer: Option<SimTime>,
    /// How often it has run out without progress.
    attempt: u32,
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
            window_items: spec.window_items.max(1),
            window_bytes: spec.window_bytes.0,
            backoff: Backoff::new(spec, base_rtt),
            entries: VecDeque::new(),
            first: 0,
            next: 0,
            unsent: 0,
            orphans: 0,
            bytes_out: 0,
            credits: VecDeque::new(),
            holes: Vec::new(),
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
        wire: impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        self.entries.push_back(Entry { item, bytes, state: State::Waiting, sent: now, turn: 0 });
        self.collect(now);
        self.pump(now, wire, out);
        self.arm(now, out);
    }

    /// When the packet now arriving for item `seq` was sent, to ask the fabric whether it still
    /// lives. Nothing when it belongs to the time before a [`reset`](Flow::reset): ignore it.
    pub fn sent_at(&self, seq: u32) -> Option<SimTime> {
        if let Some((probed, sent)) = self.probe
            && probed == seq
        {
            return Some(sent);
        }
        let entry = self.entries.get(self.index(seq)?)?;
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
        if self.probe.is_some_and(|probe| probe.0 == seq) {
            self.probe = None;
        } else if let Some(index) = self.index(seq) {
            let entry = &mut self.entries[index];
            turn = entry.turn;
            entry.state = State::Early;
            self.hand_over(deliver);
        }
        match ack(now) {
            Some(delay) => self.acknowledge(now.saturating_add(delay), turn),
            None => {
                self.owed = self.next != self.first;
                self.start_timer(now, sent);
            }
        }
        self.arm(now, out);
    }

    /// The packet of item `seq` was found dead at its arrival.
    pub fn killed(&mut self, seq: u32, now: SimTime, out: &mut Vec<FlowAction>) {
        let Some(sent) = self.sent_at(seq) else { return };
        if self.probe.is_some_and(|probe| probe.0 == seq) {
            self.probe = None;
        } else if seq < self.orphans {
            self.drop_orphans(seq);
            self.hand_over(|_| {});
        } else if let Some(index) = self.index(seq) {
            self.lose(index);
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
        while let Some(found) = self.holes.iter().position(|hole| hole.due <= now) {
            self.fill(found, now, &mut wire, out);
        }
        if self.timer.is_some_and(|timer| timer <= now) {
            self.timed_out(now, &mut wire, out);
        }
        self.pump(now, wire, out);
        self.arm(now, out);
    }

    /// The receiving process or the connection died: everything is forgotten. How many items
    /// were dropped, that is, taken and not handed over. Packets under way will be ignored.
    pub fn reset(&mut self) -> u64 {
        let dropped = self.backlog();
        let end = self.end();
        self.entries.clear();
        (self.first, self.next, self.unsent, self.orphans) = (end, end, end, end);
        self.credits.clear();
        self.holes.clear();
        (self.bytes_out, self.owed, self.probe) = (0, false, None);
        (self.timer, self.attempt, self.wake) = (None, 0, None);
        dropped
    }

    /// The sending process died: what is under way still arrives, and is handed over up to the
    /// first item that is missing; nothing is sent again. How many items were dropped now (more
    /// may follow if a packet under way is killed). New items may be sent afterwards.
    pub fn orphan(&mut self) -> u64 {
        let before = self.backlog();
        self.orphans = self.end();
        self.unsent = self.orphans;
        let gone = |entry: &Entry<T>| matches!(entry.state, State::Waiting | State::Lost);
        if let Some(index) = self.entries.iter().position(gone) {
            self.drop_orphans(self.first + index as u32);
            self.hand_over(|_| {});
        }
        (self.owed, self.probe, self.timer, self.attempt) = (false, None, None, 0);
        before - self.backlog()
    }

    /// Items taken and not handed over.
    pub fn backlog(&self) -> u64 {
        let after_next = self.entries.iter().skip((self.next - self.first) as usize);
        match self.orphans > self.next {
            true => after_next.filter(|entry| entry.state != State::Dropped).count() as u64,
            false => u64::from(self.end() - self.next),
        }
    }

    /// Items sent and not acknowledged: never more than the window.
    pub fn in_flight(&self) -> usize {
        (self.unsent - self.first) as usize
    }

    /// Bytes sent and not acknowledged: never more than the window, unless one item is.
    pub fn bytes_in_flight(&self) -> u64 {
        self.bytes_out
    }
}

/// The parts.
impl<T: Copy> Flow<T> {
    /// The number after the newest item.
    fn end(&self) -> u32 {
        self.first.checked_add(self.entries.len() as u32).expect("more than 2^32 items on one flow")
    }

    /// Where item `seq` is in `entries`, if it is at or after the first.
    fn index(&self, seq: u32) -> Option<usize> {
        seq.checked_sub(self.first).map(|index| index as usize)
    }

    /// Takes the acknowledgements that have reached the sender by now.
    fn collect(&mut self, now: SimTime) {
        while let Some(&(at, next)) = self.credits.front()
            && at <= now
        {
            self.credits.pop_front();
            while self.first < next {
                if let Some(entry) = self.entries.pop_front() {
                    self.bytes_out -= u64::from(entry.bytes);
                }
                self.first += 1;
            }
            self.attempt = 0;
            let waiting = !self.holes.is_empty() || self.owed;
            self.timer = waiting.then(|| at.saturating_add(self.backoff.delay(0)));
        }
    }

    /// Sends what waits, as far as the window allows.
    fn pump(
        &mut self,
        now: SimTime,
        mut wire: impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        while self.has_room() {
            let index = (self.unsent - self.first) as usize;
            self.unsent += 1;
            self.bytes_out += u64::from(self.entries[index].bytes);
            self.transmit(index, now, &mut wire, out);
        }
    }

    /// True when an item waits and the window has room for it.
    fn has_room(&self) -> bool {
        let in_flight = self.unsent - self.first;
        match self.entries.get(in_flight as usize) {
            None => false,
            Some(_) if in_flight == 0 => true,
            Some(entry) => {
                in_flight < self.window_items
                    && self.bytes_out + u64::from(entry.bytes) <= self.window_bytes
            }
        }
    }

    /// Puts the packet of an entry on the wire.
    fn transmit(
        &mut self,
        index: usize,
        now: SimTime,
        wire: &mut impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        self.turn += 1;
        let entry = &mut self.entries[index];
        (entry.sent, entry.turn) = (now, self.turn);
        match wire(now, entry.bytes) {
            Fate::Arrives(at) => {
                entry.state = State::Flying;
                self.last_arrival = at.max(self.last_arrival);
                let seq = self.first + index as u32;
                out.push(FlowAction::Arrive { at: self.last_arrival, seq });
            }
            Fate::Lost => {
                self.lose(index);
                self.start_timer(now, now);
            }
        }
    }

    /// Notes that the packet of an entry is lost.
    fn lose(&mut self, index: usize) {
        self.entries[index].state = State::Lost;
        let seq = self.first + index as u32;
        let place = self.holes.partition_point(|hole| hole.seq < seq);
        self.holes.insert(place, Hole { seq, due: SimTime::MAX });
    }

    /// Sends a lost item again.
    fn fill(
        &mut self,
        hole: usize,
        now: SimTime,
        wire: &mut impl FnMut(SimTime, u32) -> Fate,
        out: &mut Vec<FlowAction>,
    ) {
        let hole = self.holes.remove(hole);
        let index = (hole.seq - self.first) as usize;
        self.transmit(index, now, wire, out);
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
        self.attempt = self.attempt.saturating_add(1);
        if !self.holes.is_empty() {
            self.fill(0, now, wire, out);
        } else if self.owed && self.probe.is_none() {
            let bytes = self.entries.front().map_or(0, |entry| entry.bytes);
            if let Fate::Arrives(at) = wire(now, bytes) {
                self.last_arrival = at.max(self.last_arrival);
                self.probe = Some((self.first, now));
                out.push(FlowAction::Arrive { at: self.last_arrival, seq: self.first });
            }
        }
        if !self.holes.is_empty() || self.owed {
            self.start_timer(now, now);
        }
    }

    /// Starts the timer of a packet sent at `sent`, unless it runs.
    fn start_timer(&mut self, now: SimTime, sent: SimTime) {
        if self.timer.is_none() && (self.owed || !self.holes.is_empty()) {
            let wait = self.backoff.delay(self.attempt);
            self.timer = Some(sent.saturating_add(wait).max(now));
        }
    }

    /// Hands over what is next and there.
    fn hand_over(&mut self, mut deliver: impl FnMut(T)) {
        while let Some(entry) = self.entries.get_mut((self.next - self.first) as usize) {
            match entry.state {
                State::Early => deliver(entry.item),
                State::Dropped => {}
                _ => break,
            }
            entry.state = State::Delivered;
            self.next += 1;
        }
    }

    /// An acknowledgement of all that was handed over will be with the sender at `at`. It also
    /// tells of the packets sent before transmission `turn` that are lost.
    fn acknowledge(&mut self, at: SimTime, turn: u64) {
        self.owed = false;
        let last = self.credits.back().copied();
        let known = last.map_or(self.first, |(_, next)| next);
        if self.next > known {
            let at = last.map_or(at, |(before, _)| before.max(at));
            self.credits.push_back((at, self.next));
        }
        for hole in &mut self.holes {
            let entry = &self.entries[(hole.seq - self.first) as usize];
            if entry.turn < turn {
                hole.due = hole.due.min(at);
            }
        }
    }

    /// Gives up item `from` and all after it that lost their sender.
    fn drop_orphans(&mut self, from: u32) {
        for seq in from..self.orphans {
            let index = (seq - self.first) as usize;
            self.entries[index].state = State::Dropped;
        }
        let orphans = self.orphans;
        self.holes.retain(|hole| hole.seq >= orphans);
    }

    /// Asks for a wake-up when one is needed earlier than the pending one.
    fn arm(&mut self, now: SimTime, out: &mut Vec<FlowAction>) {
        let mut at = self.timer.unwrap_or(SimTime::MAX);
        for hole in &self.holes {
            at = at.min(hole.due);
        }
        if let Some(&(credit, _)) = self.credits.front()
            && self.end() > self.unsent
        {
            at = at.min(credit);
        }
        if at == SimTime::MAX || self.wake.is_some_and(|pending| pending <= at) {
            return;
        }
        let at = at.max(now);
        self.generation = self.generation.wrapping_add(1);
        self.wake = Some(at);
        out.push(FlowAction::Wake { at, generation: self.generation });
    }
}
