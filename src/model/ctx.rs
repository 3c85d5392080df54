//! Everything a participant can hear and do.
//!
//! A machine's run is a text: inputs and effects. It can be scripted, diffed and replayed. A
//! machine has no clock but the one in [`Ctx`], no network, no log of facts; its dice are
//! streams that it was given when it was made.

use crate::model::fact::{Claim, OpKind, Outcome};
use crate::model::id::{
    ClientId, FencingToken, GroupId, NodeId, OpId, Position, ProcessId, Segment, Version,
};
use crate::model::log::{Appended, Book};
use crate::model::msg::Msg;
use crate::model::order::Order;
use crate::sim::draws::Draws;
use crate::sim::time::{LocalTime, Span, WallTime};

/// A part of a standby that can fail apart from the rest of its process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What receives the log.
    Receiver,
    /// What applies it.
    Applier,
}

/// What a participant can hear.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Input {
    /// The process starts, or starts again after a crash (see [`Machine::crash`]).
    Start,
    /// A message arrived.
    Message {
        /// From whom.
        from: ProcessId,
        /// What.
        msg: Msg,
    },
    /// A timer fired.
    Timer(Timer),
    /// The disk finished the write that [`Effect::Sync`] began.
    Durable,
    /// A message was refused at once: its receiver's process does not run, but its host does.
    /// It was definitely not received.
    Refused {
        /// By whom.
        by: ProcessId,
        /// What.
        msg: Msg,
    },
    /// The connection to a process broke, because that process was killed on a live host.
    /// What was under way may or may not have been received.
    Reset {
        /// Whose.
        by: ProcessId,
    },
    /// From now on it fails such shares of what it is asked, before it has done anything
    /// (databases only).
    Errors {
        /// Of reads.
        reads: f64,
        /// Of writes.
        writes: f64,
        /// Decides which, by the operation and its attempt.
        draws: Draws,
    },
    /// An operator orders something.
    Order(Order),
    /// A part of it stops working, or works again (databases only).
    Stall {
        /// Which.
        part: Part,
        /// It does not work.
        yes: bool,
    },
}

/// A timer's name: what kind, and which of that kind. Each machine lists its kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Timer {
    /// A constant of the machine.
    pub kind: u16,
    /// Which one: a peer, an operation, a generation.
    pub arg: u32,
}

impl Timer {
    /// The only timer of its kind.
    pub const fn of(kind: u16) -> Timer {
        Timer { kind, arg: 0 }
    }
    /// One of several of its kind.
    pub const fn nth(kind: u16, arg: u32) -> Timer {
        Timer { kind, arg }
    }
}

/// How a message travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// On the one connection between the two processes: in order, retransmitted, bounded in
    /// flight. Never lost while both processes live.
    Stream,
    /// On a connection of its own: retransmitted until `patience` has passed, delay drawn
    /// alone, so that such messages may overtake each other.
    Independent {
        /// How long the sender's transport goes on trying.
        patience: Span,
    },
    /// Sent once; may be lost, may overtake.
    Datagram,
    /// On a connection of its own, by a transport that does not give up soon. Handling it takes
    /// time beside that of the wire, at the sender, the receiver or both.
    Delayed {
        /// How much.
        by: Span,
    },
}

/// What a participant can do. Carried out by the world, in order.
///
/// The kind has a byte of its own, not a corner of some field: it is read five times for each
/// operation of a client. So fields keep their order, small ones first.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum Effect {
    /// Sends a message. Between processes of one node it is a local call.
    Send {
        /// To whom.
        to: ProcessId,
        /// Payload on the wire.
        bytes: u32,
        /// What.
        msg: Msg,
        /// How.
        class: Class,
    },
    /// Arms a timer on the node's monotonic clock; one of the same name is replaced.
    SetTimer {
        /// Its name.
        timer: Timer,
        /// How long from now, by the local clock.
        after: Span,
    },
    /// Disarms a timer, if armed.
    CancelTimer(Timer),
    /// Like `SetTimer`, but cheaper: cannot be cancelled or replaced, so the machine must
    /// recognise a stale one itself. For the busiest timers only.
    Wake {
        /// Its name.
        timer: Timer,
        /// How long from now, by the local clock.
        after: Span,
    },
    /// Begins a segment of its own on top of `from`.
    Begin {
        /// The store.
        group: GroupId,
        /// The new segment.
        segment: Segment,
        /// The last entry shared with the parent.
        from: Position,
    },
    /// Appends an entry for `op` to the history in memory.
    Append {
        /// The store.
        group: GroupId,
        /// Whose write.
        op: OpId,
        /// Where.
        at: Position,
    },
    /// Holds what another sent, in memory, up to here.
    Hold {
        /// The store.
        group: GroupId,
        /// The end.
        upto: Position,
    },
    /// Starts a disk write of everything up to here; [`Input::Durable`] tells its end. At most
    /// one is under way; a machine commits groups by waiting for the previous one.
    Sync {
        /// The store.
        group: GroupId,
        /// The end; for what is no history (a vote), the default position.
        upto: Position,
    },
    /// Cuts the history back, in memory and on disk. A write under way is void: no
    /// [`Input::Durable`] will follow.
    Truncate {
        /// The store.
        group: GroupId,
        /// The new end.
        to: Position,
    },
    /// Answers a client's operation: a message and a fact.
    Answer {
        /// What to say.
        outcome: Outcome,
        /// Which attempt.
        attempt: u8,
        /// The client.
        to: ProcessId,
        /// The store.
        group: GroupId,
        /// Payload on the wire.
        bytes: u32,
        /// Which operation.
        op: OpId,
        /// Where the write stands, or where the read was taken.
        at: Position,
    },
    /// This node's value of a key takes a version into account (stores with versions per key).
    Install {
        /// The store.
        group: GroupId,
        /// The key.
        key: u32,
        /// What.
        version: Version,
    },
    /// What the answer to a read carries, ahead of that answer (stores with versions per key).
    Return {
        /// The store.
        group: GroupId,
        /// Which read.
        op: OpId,
        /// What; nothing where the key was never written.
        version: Version,
    },
    /// Whose operation the next one is (clients of stores with versions per key only).
    Session {
        /// The operation.
        op: OpId,
        /// The number of the user in the population.
        user: u32,
    },
    /// Begins an operation (clients only).
    Invoke {
        /// Read or write.
        kind: OpKind,
        /// The store.
        group: GroupId,
        /// The key.
        key: u32,
        /// Which.
        op: OpId,
    },
    /// Ends an operation (clients only).
    Conclude {
        /// How.
        outcome: Outcome,
        /// Which.
        op: OpId,
        /// Whose answer ended it.
        by: Option<NodeId>,
    },
    /// Gives a node the right to be primary.
    Authorise {
        /// The store.
        group: GroupId,
        /// Who may.
        holder: NodeId,
        /// With this token.
        token: FencingToken,
    },
    /// Begins to take the right to be primary from a node.
    Withdraw {
        /// The store.
        group: GroupId,
        /// Whose right.
        holder: NodeId,
    },
    /// Begins to send a population's clients elsewhere.
    Route {
        /// Whose.
        client: ClientId,
        /// Which resolver.
        resolver: u32,
        /// The store.
        group: GroupId,
        /// Where to.
        node: NodeId,
    },
    /// Winds up the host's hardware watchdog: when it runs out, the host is rebooted. The
    /// longest span disarms it.
    Watchdog {
        /// Until it runs out, by the local clock.
        after: Span,
    },
    /// Switches a host off, or on again (fence devices only).
    Power {
        /// Which.
        node: NodeId,
        /// On.
        on: bool,
    },
    /// Starts a process of the same host that is dead, unless something holds it down.
    Start(ProcessId),
    /// Says something.
    Claim(Claim),
}

/// What a machine sees of the world while it takes a step.
pub struct Ctx<'a> {
    me: ProcessId,
    node: NodeId,
    now: LocalTime,
    /// By how many nanoseconds the wall clock is ahead of that.
    ahead: i64,
    book: &'a Book,
    effects: &'a mut Vec<Effect>,
}

impl<'a> Ctx<'a> {
    /// Made by the world, and by tests.
    pub fn new(
        me: ProcessId,
        node: NodeId,
        now: LocalTime,
        wall: WallTime,
        book: &'a Book,
        effects: &'a mut Vec<Effect>,
    ) -> Ctx<'a> {
        let ahead = wall.as_nanos().wrapping_sub(now.as_nanos()) as i64;
        Ctx { me, node, now, ahead, book, effects }
    }
    /// The same with a wall clock that is so many nanoseconds ahead of the monotonic one: the
    /// reading is worked out when somebody asks for it.
    #[inline]
    pub fn with_wall_ahead(
        me: ProcessId,
        node: NodeId,
        now: LocalTime,
        ahead: i64,
        book: &'a Book,
        effects: &'a mut Vec<Effect>,
    ) -> Ctx<'a> {
        Ctx { me, node, now, ahead, book, effects }
    }
    /// This process.
    #[inline]
    pub fn me(&self) -> ProcessId {
        self.me
    }
    /// Its node.
    #[inline]
    pub fn node(&self) -> NodeId {
        self.node
    }
    /// What the node's monotonic clock reads.
    #[inline]
    pub fn now(&self) -> LocalTime {
        self.now
    }
    /// What the node's wall clock reads.
    #[inline]
    pub fn wall(&self) -> WallTime {
        WallTime::from_nanos(self.now.as_nanos().saturating_add_signed(self.ahead))
    }
    /// Where an operation was appended. A replica may only use the places its own log holds:
    /// this stands for the table of operation ids that it keeps with its log.
    #[inline]
    pub fn appended(&self, op: OpId) -> Appended<'_> {
        self.book.find(op)
    }
    /// Leaves an effect.
    #[inline]
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
    /// Sends on the one ordered connection.
    pub fn send(&mut self, to: ProcessId, msg: Msg, bytes: u32) {
        self.effect(Effect::Send { to, msg, class: Class::Stream, bytes });
    }
    /// Sends once.
    pub fn cast(&mut self, to: ProcessId, msg: Msg) {
        self.effect(Effect::Send { to, msg, class: Class::Datagram, bytes: 100 });
    }
    /// Arms a timer.
    pub fn set_timer(&mut self, timer: Timer, after: Span) {
        self.effect(Effect::SetTimer { timer, after });
    }
    /// Disarms a timer.
    pub fn cancel_timer(&mut self, timer: Timer) {
        self.effect(Effect::CancelTimer(timer));
    }
    /// Says something.
    pub fn claim(&mut self, claim: Claim) {
        self.effect(Effect::Claim(claim));
    }
}

/// A participant.
pub trait Machine {
    /// Takes one input and leaves effects.
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>);
    /// The process was killed: forgets what was in memory only, and everything when the disk
    /// went too. [`Input::Start`] follows when it is started again.
    fn crash(&mut self, disk_kept: bool);
}
