//! Clients pinned to open connections: they asked once where to go, and go there until the
//! connection breaks (pools that keep connections alive and never resolve again).
//!
//! A connection breaks when the process at its other end dies and the host says so, when a load
//! balancer cuts it, when its host comes back and knows nothing of it, or when nothing was heard
//! on it for too long. It does not break because the node at its other end answers "not primary":
//! a deposed primary that lives keeps the clients that are pinned to it.
//!
//! A share p of a population is pinned. Where a host falls silent, that share is out for
//! `patience` (to `patience` + 1 s) longer than it takes to find the address; where a process is
//! killed and its host says so, they look for a new address as soon as everybody else.

use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::detect::Asks;
use crate::model::id::{ClientId, GroupId, NodeId, ProcessId};
use crate::model::msg::{Msg, ProbeMsg};
use crate::model::route::{Moves, Place, Routed, Router, Routes, Waiting};
use crate::sim::Span;
use crate::sim::rng::Stream;
use crate::sim::time::LocalTime;
use std::sync::Arc;

/// Tells a pinned connection's number from a resolver's, and its probes from a load balancer's.
const PINNED: u32 = 1 << 31;
/// How many groups of users break and resolve apart: as fine as resolvers are.
const CONNECTIONS: u32 = 100;
/// The time to see what was heard; beyond the timers of every other router.
const LOOK: u16 = u16::MAX;
/// From one look to the next.
const EVERY: Span = Span::from_secs(1);

/// Some users' connection.
struct Connection {
    /// The resolver they ask when they need an address.
    resolver: u32,
    /// Where it leads, or led.
    target: ProcessId,
    /// Which of the peer's lives it belongs to: it is open while that lasts.
    life: u32,
}

/// A database that connections lead to.
struct Peer {
    database: ProcessId,
    /// Counts the breaks.
    life: u32,
    /// Connections to it are open.
    open: bool,
    /// Somebody wants to open one.
    wanted: bool,
    heard: LocalTime,
    /// The probe under way on the ordered stream, which a host that came back resets.
    greeting: Option<u32>,
}

/// A router that leads pinned users by their connections, and everybody else as another does.
pub struct Pinned {
    inner: Router,
    share: f64,
    patience: Span,
    client: ClientId,
    group: GroupId,
    homes: Arc<[NodeId]>,
    connections: Vec<Connection>,
    peers: Vec<Peer>,
    /// Numbers the probes.
    seq: u32,
}

impl Pinned {
    /// That share of users have connections to the initial primary; they find others by `inner`.
    pub fn new(inner: Router, share: f64, patience: Span, place: &Place<'_>) -> Pinned {
        let mut dice = place.streams.stream(place.label().with("pinned"));
        let connection =
            |_| Connection { resolver: inner.pick(&mut dice), target: place.initial, life: 0 };
        let connections = (0..CONNECTIONS).map(connection).collect();
        let peer = |database: &ProcessId| Peer {
            database: *database,
            life: 0,
            open: *database == place.initial,
            wanted: *database == place.initial,
            heard: LocalTime::ZERO,
            greeting: None,
        };
        Pinned {
            inner,
            share,
            patience,
            client: place.client,
            group: place.group,
            homes: Arc::clone(place.homes),
            connections,
            peers: place.databases.iter().map(peer).collect(),
            seq: PINNED,
        }
    }
    fn peer(&self, database: ProcessId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.database == database)
    }
    /// Users without an open connection were told an address: they go there, and stay once the
    /// other end has answered.
    fn connect(&mut self, number: u32, target: ProcessId, ctx: &mut Ctx<'_>) {
        let Some(which) = self.peer(target) else { return };
        let connection = &mut self.connections[number as usize];
        if connection.target != target {
            let (node, resolver) = (self.homes[target.index()], PINNED | number);
            let (client, group) = (self.client, self.group);
            ctx.effect(Effect::Route { client, resolver, group, node });
        }
        let peer = &mut self.peers[which];
        (connection.target, connection.life) = (target, peer.life);
        if !peer.wanted {
            (peer.wanted, peer.heard) = (true, ctx.now());
            self.greet(which, ctx);
        }
    }
    /// Asks a peer whether it is there: by a datagram, and on the stream where nothing is under way
    /// on it.
    fn greet(&mut self, which: usize, ctx: &mut Ctx<'_>) {
        let mut probe = || {
            self.seq = self.seq.wrapping_add(1) | PINNED;
            (self.seq, Msg::Probe(ProbeMsg::Probe { seq: self.seq, asks: Asks::CONNECT }))
        };
        let peer = &mut self.peers[which];
        if peer.greeting.is_none() {
            let (seq, probe) = probe();
            peer.greeting = Some(seq);
            ctx.send(peer.database, probe, 100);
        }
        ctx.cast(peer.database, probe().1);
    }
    /// A peer answered.
    fn heard(&mut self, from: ProcessId, seq: u32, ctx: &mut Ctx<'_>) {
        let Some(which) = self.peer(from) else { return };
        let peer = &mut self.peers[which];
        peer.heard = ctx.now();
        if peer.greeting == Some(seq) {
            peer.greeting = None;
            peer.open |= peer.wanted;
        }
    }
    /// The connections to a database are no more: who needs one asks for an address again.
    fn broken(&mut self, database: ProcessId) {
        if let Some(which) = self.peer(database) {
            let peer = &mut self.peers[which];
            peer.life = peer.life.wrapping_add(1);
            (peer.open, peer.wanted, peer.greeting) = (false, false, None);
        }
    }
    /// Looks which peers have been silent for too long, and greets the others.
    fn look(&mut self, ctx: &mut Ctx<'_>) {
        for which in 0..self.peers.len() {
            let Peer { database, wanted, heard, .. } = self.peers[which];
            if wanted && ctx.now().since(heard) >= self.patience {
                self.broken(database);
            } else if wanted {
                self.greet(which, ctx);
            }
        }
        ctx.set_timer(Timer::of(LOOK), EVERY);
    }
    /// What the inner router cut breaks here as well.
    fn follow_cuts(&mut self, moves: &Moves) {
        for database in &moves.cut {
            self.broken(*database);
        }
    }
}

impl Routes for Pinned {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.inner.start(ctx);
        let now = ctx.now();
        self.peers.iter_mut().for_each(|peer| peer.heard = now);
        self.look(ctx);
    }
    fn pick(&self, dice: &mut Stream) -> u32 {
        if dice.chance(self.share) {
            return PINNED | dice.below(u64::from(CONNECTIONS)) as u32;
        }
        self.inner.pick(dice)
    }
    fn route(&mut self, resolver: u32, attempt: Waiting, ctx: &mut Ctx<'_>) -> Routed {
        let number = resolver ^ PINNED;
        let Some(connection) = self.connections.get(number as usize) else {
            return self.inner.route(resolver, attempt, ctx);
        };
        let &Connection { resolver, target, life } = connection;
        let is_open = |peer: &Peer| peer.database == target && peer.open && peer.life == life;
        if self.peers.iter().any(is_open) {
            return Routed::To(target);
        }
        let routed = self.inner.route(resolver, attempt, ctx);
        if let Routed::To(target) = routed {
            self.connect(number, target, ctx);
        }
        routed
    }
    fn hear(&mut self, from: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        match *msg {
            Msg::Probe(ProbeMsg::Alive { seq } | ProbeMsg::Unwell { seq }) if seq >= PINNED => {
                self.heard(from, seq, ctx);
            }
            _ => {
                self.inner.hear(from, msg, moves, ctx);
                self.follow_cuts(moves);
            }
        }
    }
    fn refused(&mut self, by: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        match *msg {
            Msg::Probe(ProbeMsg::Probe { seq, .. }) if seq >= PINNED => self.broken(by),
            _ => {
                self.inner.refused(by, msg, moves, ctx);
                self.follow_cuts(moves);
            }
        }
    }
    fn reset(&mut self, by: ProcessId, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        self.broken(by);
        self.inner.reset(by, moves, ctx);
        self.follow_cuts(moves);
    }
    fn timer(
        &mut self,
        timer: Timer,
        waits: &dyn Fn(Waiting) -> bool,
        moves: &mut Moves,
        ctx: &mut Ctx<'_>,
    ) {
        if timer.kind == LOOK {
            return self.look(ctx);
        }
        self.inner.timer(timer, waits, moves, ctx);
        self.follow_cuts(moves);
    }
}
