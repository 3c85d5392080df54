//! The items of a flow from their sending to their acknowledgement.

use super::transport::TransportSpec;
use crate::sim::SimTime;
use std::collections::VecDeque;

/// Where an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// At the sender: the window is full.
    Waiting,
    /// Under way.
    Flying,
    /// Its last packet is lost.
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
pub(super) struct Entry<T> {
    item: T,
    pub(super) bytes: u32,
    pub(super) state: State,
    /// When its last packet was sent.
    pub(super) sent: SimTime,
    /// The number of that transmission: later ones have higher numbers.
    pub(super) turn: u64,
}

/// All items not yet acknowledged, by number; bounded in what is sent, not in what waits.
#[derive(Clone, Debug)]
pub(super) struct Window<T> {
    most_items: u32,
    most_bytes: u64,
    /// From the oldest item not acknowledged to the newest.
    entries: VecDeque<Entry<T>>,
    /// The number of the first entry.
    pub(super) first: u32,
    /// The number of the next item to hand over.
    next: u32,
    /// The number of the next item to send for the first time.
    unsent: u32,
    /// Items below have lost their sender, and are never sent again.
    pub(super) orphans: u32,
    /// Bytes sent and not acknowledged.
    pub(super) bytes_out: u64,
    /// Acknowledgements under way to the sender: when, and the number after the last item.
    credits: VecDeque<(SimTime, u32)>,
}

impl<T: Copy> Window<T> {
    /// An empty one.
    pub(super) fn new(spec: &TransportSpec) -> Window<T> {
        Window {
            most_items: spec.window_items.max(1),
            most_bytes: spec.window_bytes.0,
            entries: VecDeque::new(),
            first: 0,
            next: 0,
            unsent: 0,
            orphans: 0,
            bytes_out: 0,
            credits: VecDeque::new(),
        }
    }

    /// The number after the newest item.
    pub(super) fn end(&self) -> u32 {
        self.first.checked_add(self.entries.len() as u32).expect("more than 2^32 items on one flow")
    }

    /// The entry of an item that is not acknowledged yet.
    pub(super) fn get(&self, seq: u32) -> Option<&Entry<T>> {
        self.entries.get(seq.checked_sub(self.first)? as usize)
    }

    /// The same, to change.
    pub(super) fn get_mut(&mut self, seq: u32) -> Option<&mut Entry<T>> {
        self.entries.get_mut(seq.checked_sub(self.first)? as usize)
    }

    /// Takes an item; it waits.
    pub(super) fn push(&mut self, now: SimTime, item: T, bytes: u32) {
        self.entries.push_back(Entry { item, bytes, state: State::Waiting, sent: now, turn: 0 });
    }

    /// The next item to send for the first time, if one waits and there is room for it.
    pub(super) fn admit(&mut self) -> Option<u32> {
        let out = self.unsent - self.first;
        let bytes = u64::from(self.entries.get(out as usize)?.bytes);
        let fits = out < self.most_items && self.bytes_out + bytes <= self.most_bytes;
        if out > 0 && !fits {
            return None;
        }
        self.bytes_out += bytes;
        self.unsent += 1;
        Some(self.unsent - 1)
    }

    /// Takes the acknowledgements that have reached the sender by now; the time of the last.
    pub(super) fn collect(&mut self, now: SimTime) -> Option<SimTime> {
        let mut progress = None;
        while let Some(&(at, next)) = self.credits.front()
            && at <= now
        {
            self.credits.pop_front();
            // One by one: it is nearly always one, and a drain costs more to set up.
            for _ in self.first..next {
                let gone = self.entries.pop_front();
                self.bytes_out -= gone.map_or(0, |entry| u64::from(entry.bytes));
            }
            self.first = next;
            progress = Some(at);
        }
        progress
    }

    /// Hands over what is next and there.
    pub(super) fn hand_over(&mut self, mut deliver: impl FnMut(T)) {
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

    /// True when something was handed over whose acknowledgement is not on its way.
    pub(super) fn unacknowledged(&self) -> bool {
        self.next > self.credits.back().map_or(self.first, |credit| credit.1)
    }

    /// An acknowledgement of all that was handed over will be with the sender at `at`.
    pub(super) fn acknowledge(&mut self, at: SimTime) {
        if self.unacknowledged() {
            let at = self.credits.back().map_or(at, |credit| credit.0.max(at));
            self.credits.push_back((at, self.next));
        }
    }

    /// When an acknowledgement will make room for an item that waits.
    pub(super) fn next_room(&self) -> Option<SimTime> {
        let waits = self.entries.len() as u32 > self.unsent - self.first;
        self.credits.front().filter(|_| waits).map(|credit| credit.0)
    }

    /// Items taken and not handed over.
    pub(super) fn backlog(&self) -> u64 {
        if self.orphans <= self.next {
            return u64::from(self.end() - self.next);
        }
        let pending = self.entries.iter().skip((self.next - self.first) as usize);
        pending.filter(|entry| entry.state != State::Dropped).count() as u64
    }

    /// Items sent and not acknowledged.
    pub(super) fn in_flight(&self) -> u32 {
        self.unsent - self.first
    }

    /// Forgets every item; numbers go on.
    pub(super) fn clear(&mut self) {
        let end = self.end();
        self.entries.clear();
        self.credits.clear();
        (self.first, self.next, self.unsent, self.orphans) = (end, end, end, end);
        self.bytes_out = 0;
    }

    /// What waits is forgotten, what was sent loses its sender: the first lost one and all
    /// after it are given up.
    pub(super) fn orphan(&mut self) {
        self.entries.truncate(self.in_flight() as usize);
        self.orphans = self.unsent;
        let lost = self.entries.iter().position(|entry| entry.state == State::Lost);
        if let Some(index) = lost {
            self.give_up(self.first + index as u32);
        }
    }

    /// Gives up item `from` and all after it that lost their sender.
    pub(super) fn give_up(&mut self, from: u32) {
        for seq in from..self.orphans {
            if let Some(entry) = self.get_mut(seq) {
                entry.state = State::Dropped;
            }
        }
        // Packets on one flow never overtake, so that no item of a new sender is there yet.
        self.hand_over(|_| debug_assert!(false, "an item overtook one sent before it"));
    }
}
