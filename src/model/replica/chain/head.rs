//! The head's side of a chain: who is in it and in which order, and what the last one has.

use crate::model::ctx::Ctx;
use crate::model::id::{LogIndex, Position, ProcessId};
use crate::model::replica::core::Core;
use crate::model::replica::peer::Peer;
use crate::model::replica::shipper::Shipper;
use crate::sim::Span;
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

/// A node behind the head.
#[derive(Clone, Copy, Debug)]
struct Node {
    peer: ProcessId,
    /// The question with which it came into its place; nothing before it has asked this head.
    asked: Option<u32>,
    /// The version of the chain with which it came there. What it said of itself in an earlier
    /// place counts no more: who was before it then may not be now.
    since: u32,
    /// What it has on disk, as far as we have heard.
    flushed: LogIndex,
    heard: LocalTime,
    /// Since when it has not moved, although the one before it was ahead.
    owes_since: Option<LocalTime>,
}

impl Node {
    fn new(peer: ProcessId, asked: Option<u32>, since: u32, now: LocalTime) -> Node {
        Node { peer, asked, since, flushed: LogIndex(0), heard: now, owes_since: None }
    }
    fn says(&mut self, flushed: LogIndex, now: LocalTime) {
        self.heard = now;
        if flushed > self.flushed {
            (self.flushed, self.owes_since) = (flushed, None);
        }
    }
    /// True when it has been silent, or stood still behind `ahead`, for too long.
    fn fails(&mut self, ahead: LogIndex, patience: Span, now: LocalTime) -> bool {
        if self.flushed >= ahead {
            self.owes_since = None;
        } else {
            self.owes_since.get_or_insert(now);
        }
        let still = self.owes_since.is_some_and(|since| now.since(since) >= patience);
        still || now.since(self.heard) >= patience
    }
}

/// Someone who asked for a place.
#[derive(Clone, Copy, Debug)]
struct Asks {
    peer: ProcessId,
    seq: u32,
    at: Position,
}

/// A chain, seen from its head.
#[derive(Clone, Debug)]
pub struct Head {
    patience: Span,
    /// How many others there are in all.
    standbys: usize,
    /// In force, in order.
    nodes: Vec<Node>,
    /// At the end, and not in force yet.
    joining: Option<Node>,
    /// The round in which it catches up: what it must reach, and when that was set.
    round: Option<(LogIndex, LocalTime)>,
    /// Nothing more is answered without the one that joins. It is in force once it has all that
    /// was answered before.
    closing: bool,
    /// Whoever wants a place after that.
    waiting: VecDeque<Asks>,
    /// Larger for each change. Never used twice, also not after a crash.
    version: u32,
    shipper: Shipper,
    acked: LogIndex,
}

impl Head {
    /// Of no chain yet.
    pub fn new(patience: Span, standbys: usize) -> Head {
        Head {
            patience,
            standbys,
            nodes: Vec::new(),
            joining: None,
            round: None,
            closing: false,
            waiting: VecDeque::new(),
            version: 0,
            shipper: Shipper::default(),
            acked: LogIndex(0),
        }
    }
    /// How many others must have a write: all of them before it ever led.
    pub fn acks_required(&self) -> u16 {
        if self.version == 0 { self.standbys as u16 } else { self.nodes.len() as u16 }
    }
    /// How far the last one in force is.
    pub fn acked(&self) -> LogIndex {
        self.acked
    }
    /// Who is in force, in order.
    pub fn members(&self) -> impl Iterator<Item = ProcessId> {
        self.nodes.iter().map(|node| node.peer)
    }
    /// It leads these from now on, once they ask.
    pub fn lead(&mut self, members: Vec<ProcessId>, core: &Core, ctx: &mut Ctx<'_>) {
        self.crash();
        let node = |peer: ProcessId| Node::new(peer, None, 0, ctx.now());
        self.nodes = members.into_iter().map(node).collect();
        self.arrange(core, ctx);
        self.count(core);
    }
    /// Forgets everything (the process died).
    pub fn crash(&mut self) {
        self.nodes.clear();
        (self.joining, self.round, self.closing) = (None, None, false);
        self.waiting.clear();
        self.shipper.crash();
        self.acked = LogIndex(0);
    }
    /// More is on its own disk.
    pub fn on_durable(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        self.shipper.ship(core, ctx);
        self.count(core);
    }
    /// What is on its own disk and on that of the last one in force.
    fn count(&mut self, core: &Core) {
        let own = core.log.durable().index;
        let last = self.joining.as_ref().filter(|_| self.closing).or(self.nodes.last());
        let last = last.map_or(own, |last| last.flushed);
        self.acked = self.acked.max(own.min(last));
    }

    /// A node says something.
    pub fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &Core, ctx: &mut Ctx<'_>) {
        match peer {
            Peer::Join { term, seq, at } if term == core.term => {
                self.on_join(Asks { peer: from, seq, at }, core, ctx);
            }
            Peer::Have { term, session, flushed, .. } if term == core.term => {
                if self.first() == Some(from) {
                    self.shipper.on_peer(from, peer, core, ctx);
                }
                self.on_have(from, session, flushed, core, ctx);
            }
            Peer::Place { term, version, flushed } if term == core.term => {
                self.on_place(from, version, flushed, core, ctx);
            }
            _ => {}
        }
    }
    fn line(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().chain(&self.joining)
    }
    fn line_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.iter_mut().chain(&mut self.joining)
    }
    fn first(&self) -> Option<ProcessId> {
        self.line().next().map(|node| node.peer)
    }

    /// Somebody asks where to begin: those in force are told their place, others get one at the
    /// end.
    fn on_join(&mut self, asks: Asks, core: &Core, ctx: &mut Ctx<'_>) {
        let first = self.first() == Some(asks.peer);
        let version = self.version + 1;
        let Some(node) = self.line_mut().find(|node| node.peer == asks.peer) else {
            match self.waiting.iter_mut().find(|other| other.peer == asks.peer) {
                Some(known) => *known = asks,
                None => self.waiting.push_back(asks),
            }
            return self.admit(core, ctx);
        };
        node.heard = ctx.now();
        let again = node.asked == Some(asks.seq);
        let stays = match node.asked {
            None => true,
            Some(known) if asks.seq <= known => again,
            // The first one asks us whenever its connection broke. Has it lost nothing?
            Some(_) => first && asks.at.index >= node.flushed && core.log.contains(asks.at),
        };
        if stays {
            let new = node.asked.replace(asks.seq).is_none();
            if new {
                node.since = version;
                self.arrange(core, ctx);
            } else {
                self.tell(asks.peer, core, ctx);
            }
            self.answer_first(asks, core, ctx);
        } else if node.asked.is_some_and(|known| asks.seq > known) {
            self.take_out(asks.peer, core, ctx);
            self.waiting.push_back(asks);
            self.admit(core, ctx);
            self.count(core);
        }
    }
    /// The first one is shipped to by us.
    fn answer_first(&mut self, asks: Asks, core: &Core, ctx: &mut Ctx<'_>) {
        if self.first() == Some(asks.peer) {
            let join = Peer::Join { term: core.term, seq: asks.seq, at: asks.at };
            self.shipper.on_peer(asks.peer, join, core, ctx);
        }
    }
    /// Lets the next one that waits come to the end.
    fn admit(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        if self.joining.is_none()
            && let Some(asks) = self.waiting.pop_front()
        {
            let since = self.version + 1;
            self.joining = Some(Node::new(asks.peer, Some(asks.seq), since, ctx.now()));
            (self.round, self.closing) = (None, false);
            self.arrange(core, ctx);
            self.answer_first(asks, core, ctx);
        }
    }

    /// Who draws from us says how far it is. Whatever it is then, it has from us.
    fn on_have(
        &mut self,
        from: ProcessId,
        session: u32,
        flushed: LogIndex,
        core: &Core,
        ctx: &mut Ctx<'_>,
    ) {
        let first = self.first() == Some(from);
        let known = self.line_mut().find(|node| node.peer == from);
        match known.and_then(|node| node.asked) {
            Some(asked) if first && session >= asked => self.on_word(from, flushed, core, ctx),
            Some(_) => {}
            None => self.turn_away(from, core, ctx),
        }
    }
    /// A node says how far it is in a place.
    fn on_place(
        &mut self,
        from: ProcessId,
        version: u32,
        flushed: LogIndex,
        core: &Core,
        ctx: &mut Ctx<'_>,
    ) {
        let known = self.line().find(|node| node.peer == from && node.asked.is_some());
        let Some(since) = known.map(|node| node.since) else {
            return self.turn_away(from, core, ctx);
        };
        if version < self.version {
            self.tell(from, core, ctx);
        }
        if version >= since {
            self.on_word(from, flushed, core, ctx);
        }
    }
    /// Who speaks as if it had a place is told that it has none, unless it waits for one.
    fn turn_away(&self, from: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        if !self.waiting.iter().any(|asks| asks.peer == from) {
            self.tell(from, core, ctx);
        }
    }
    fn on_word(&mut self, from: ProcessId, flushed: LogIndex, core: &Core, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        if let Some(node) = self.line_mut().find(|node| node.peer == from) {
            node.says(flushed, now);
        }
        self.judge_joining(from, core, ctx);
        self.count(core);
    }
    /// The one that joins is in force when it has caught up.
    fn judge_joining(&mut self, from: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        let Some(node) = self.joining.filter(|node| node.peer == from) else { return };
        let (own, now) = (core.log.durable().index, ctx.now());
        let (goal, since) = *self.round.get_or_insert((own, now));
        if node.flushed >= goal {
            self.round = Some((own, now));
            self.closing |= now.since(since) < self.patience;
        }
        if self.closing && node.flushed >= self.acked {
            self.joining = None;
            self.nodes.push(node);
            self.arrange(core, ctx);
            self.admit(core, ctx);
        }
    }

    /// Takes out whoever is silent, or does not move.
    pub fn look(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        let (patience, now) = (self.patience, ctx.now());
        let mut ahead = core.log.durable().index;
        let mut failed = Vec::new();
        for node in self.line_mut() {
            if node.fails(ahead, patience, now) {
                failed.push(node.peer);
            }
            ahead = node.flushed;
        }
        for peer in failed {
            self.take_out(peer, core, ctx);
        }
        self.admit(core, ctx);
        self.count(core);
    }
    /// The connection to a process broke: if it was a node, it died.
    pub fn on_reset(&mut self, by: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        self.waiting.retain(|asks| asks.peer != by);
        if self.line().any(|node| node.peer == by) {
            self.take_out(by, core, ctx);
            self.admit(core, ctx);
            self.count(core);
        }
    }
    fn take_out(&mut self, peer: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        self.nodes.retain(|node| node.peer != peer);
        if self.joining.take_if(|node| node.peer == peer).is_some() {
            self.closing = false;
        }
        self.arrange(core, ctx);
    }

    /// The chain has changed: ships to its first node, and tells all their places.
    fn arrange(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        self.version += 1;
        let first = self.first();
        if self.shipper.cursors().first().map(|cursor| cursor.peer) != first {
            self.shipper.reset_to(first.as_slice(), core, ctx.now());
        }
        let linked: Vec<ProcessId> =
            self.line().filter(|node| node.asked.is_some()).map(|node| node.peer).collect();
        for peer in linked {
            self.tell(peer, core, ctx);
        }
    }
    /// Tells one its place: before and behind whom, or that it has none.
    fn tell(&self, peer: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        let line: Vec<&Node> = self.line().collect();
        let place = line.iter().position(|node| node.peer == peer && node.asked.is_some());
        let me = ctx.me();
        let before = |i: usize| i.checked_sub(1).map_or(me, |before| line[before].peer);
        let all = core.everybody(me);
        let bit = |node: &Node| all.iter().position(|other| *other == node.peer);
        let members = self.nodes.iter().filter_map(bit).fold(0, |bits, i| bits | 1 << i);
        let link = Peer::Link {
            term: core.term,
            version: self.version,
            prev: place.map(before),
            next: place.and_then(|i| line.get(i + 1)).map(|node| node.peer),
            // The last one in force speaks for the chain, and the one that joins for itself.
            reports: place.is_some_and(|i| i + 1 >= self.nodes.len()),
            members,
        };
        core.tell(peer, link, 100, ctx);
    }
}
