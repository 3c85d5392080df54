//! Facts and claims taken apart into named parts, declared once per kind.
//!
//! From the one list below come the compact form in which a run is recorded, the way back, the
//! JSON of `trace --format jsonl`, and the nodes that `trace --node` looks for.

use crate::model::fact::{Claim, Fact, FailoverStep, OpKind, Outcome, ReturnStep};
use crate::model::id::{
    ClientId, FaultId, FencingToken, GroupId, LogIndex, NodeId, OpId, Position, ProcessId, Segment,
    SiteId, Term, Version,
};

/// The longest record: no fact has more than six numbers of at most ten bytes each.
pub const LIMIT_RECORD: usize = 80;

/// One record being written; it lives on the stack.
pub struct Bytes {
    bytes: [u8; LIMIT_RECORD],
    length: usize,
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes::new()
    }
}

impl Bytes {
    /// Nothing yet.
    #[inline]
    pub fn new() -> Bytes {
        Bytes { bytes: [0; LIMIT_RECORD], length: 0 }
    }
    /// A whole number, seven bits a byte, the lowest first.
    #[inline]
    pub fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.byte(n as u8 | 0x80);
            n >>= 7;
        }
        self.byte(n as u8);
    }
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }
    /// What was written.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Reads a number and moves on. A recording is written by this program alone, so a torn one is
/// a bug of ours.
#[inline]
pub fn take_number(from: &mut &[u8]) -> u64 {
    let (mut n, mut shift) = (0, 0);
    loop {
        let (first, rest) = from.split_first().expect("a recording ends at a record's end");
        *from = rest;
        n |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return n;
        }
        shift += 7;
    }
}

/// A part as something to look at.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Shown {
    /// A node.
    Node(NodeId),
    /// A group.
    Group(GroupId),
    /// A client population.
    Client(ClientId),
    /// A process.
    Process(ProcessId),
    /// A site.
    Site(SiteId),
    /// A fault.
    Fault(FaultId),
    /// An operation.
    Op(OpId),
    /// A place in a history.
    Position(Position),
    /// A segment of a history.
    Segment(Segment),
    /// A version of a key.
    Version(Version),
    /// A number.
    Number(u64),
    /// Yes or no.
    Bool(bool),
    /// One of a few words.
    Word(&'static str),
    /// Left out.
    Nothing,
}

/// A part of a fact or claim.
trait Part: Sized {
    fn put(&self, out: &mut Bytes);
    fn take(from: &mut &[u8]) -> Self;
    fn show(&self) -> Shown;
}

macro_rules! numbers {
    ($($ty:ty, $self:ident => $number:expr, $n:ident => $make:expr, $shown:expr;)*) => {$(
        impl Part for $ty {
            #[inline]
            fn put(&self, out: &mut Bytes) {
                let $self = self;
                out.number($number);
            }
            #[inline]
            fn take(from: &mut &[u8]) -> Self {
                let $n = take_number(from);
                $make
            }
            fn show(&self) -> Shown {
                let $self = self;
                $shown
            }
        }
    )*};
}

numbers! {
    NodeId, s => u64::from(s.0), n => NodeId(n as u16), Shown::Node(*s);
    GroupId, s => u64::from(s.0), n => GroupId(n as u16), Shown::Group(*s);
    ClientId, s => u64::from(s.0), n => ClientId(n as u16), Shown::Client(*s);
    ProcessId, s => u64::from(s.0), n => ProcessId(n as u16), Shown::Process(*s);
    SiteId, s => u64::from(s.0), n => SiteId(n as u16), Shown::Site(*s);
    FaultId, s => u64::from(s.0), n => FaultId(n as u16), Shown::Fault(*s);
    Term, s => u64::from(s.0), n => Term(n as u32), Shown::Number(u64::from(s.0));
    FencingToken, s => s.0, n => FencingToken(n), Shown::Number(s.0);
    LogIndex, s => s.0, n => LogIndex(n), Shown::Number(s.0);
    u32, s => u64::from(*s), n => n as u32, Shown::Number(u64::from(*s));
    u16, s => u64::from(*s), n => n as u16, Shown::Number(u64::from(*s));
    bool, s => u64::from(*s), n => n != 0, Shown::Bool(*s);
}

impl Part for OpId {
    #[inline]
    fn put(&self, out: &mut Bytes) {
        self.client().put(out);
        out.number(self.seq());
    }
    #[inline]
    fn take(from: &mut &[u8]) -> Self {
        let client = ClientId::take(from);
        OpId::new(client, take_number(from))
    }
    fn show(&self) -> Shown {
        Shown::Op(*self)
    }
}

impl Part for Segment {
    #[inline]
    fn put(&self, out: &mut Bytes) {
        self.term().put(out);
        self.node().put(out);
        // Restarts stand between the two in the word and have no getter.
        out.number(self.word() >> 16 & 0xffff);
    }
    #[inline]
    fn take(from: &mut &[u8]) -> Self {
        let (term, node) = (Term::take(from), NodeId::take(from));
        Segment::again(term, node, take_number(from) as u16)
    }
    fn show(&self) -> Shown {
        Shown::Segment(*self)
    }
}

impl Part for Position {
    #[inline]
    fn put(&self, out: &mut Bytes) {
        self.segment.put(out);
        self.index.put(out);
    }
    #[inline]
    fn take(from: &mut &[u8]) -> Self {
        Position { segment: Segment::take(from), index: LogIndex::take(from) }
    }
    fn show(&self) -> Shown {
        Shown::Position(*self)
    }
}

impl Part for Version {
    #[inline]
    fn put(&self, out: &mut Bytes) {
        out.number(self.stamp);
        self.op.put(out);
    }
    #[inline]
    fn take(from: &mut &[u8]) -> Self {
        Version { stamp: take_number(from), op: OpId::take(from) }
    }
    fn show(&self) -> Shown {
        if self.is_some() { Shown::Version(*self) } else { Shown::Nothing }
    }
}

impl Part for Option<NodeId> {
    #[inline]
    fn put(&self, out: &mut Bytes) {
        out.number(self.map_or(0, |node| u64::from(node.0) + 1));
    }
    #[inline]
    fn take(from: &mut &[u8]) -> Self {
        take_number(from).checked_sub(1).map(|n| NodeId(n as u16))
    }
    fn show(&self) -> Shown {
        self.map_or(Shown::Nothing, Shown::Node)
    }
}

macro_rules! words {
    ($($ty:ident { $($arm:ident = $word:literal),* $(,)? })*) => {$(
        impl Part for $ty {
            #[inline]
            fn put(&self, out: &mut Bytes) {
                out.number(*self as u64);
            }
            #[inline]
            fn take(from: &mut &[u8]) -> Self {
                const ALL: &[$ty] = &[$($ty::$arm),*];
                ALL[take_number(from) as usize]
            }
            fn show(&self) -> Shown {
                Shown::Word(match self { $($ty::$arm => $word),* })
            }
        }
    )*};
}

words! {
    Outcome { Ok = "ok", Fail = "fail", Unknown = "unknown" }
    OpKind { Read = "read", Write = "write" }
    FailoverStep {
        Suspected = "suspected", Race = "race", CoolDown = "cool_down", Approve = "approve",
        Declared = "declared",
        StopTraffic = "stop_traffic", Drain = "drain", Fence = "fence", Promote = "promote",
        Route = "route", Done = "done", Abandoned = "abandoned",
    }
    ReturnStep {
        BringBack = "bring_back", Sync = "sync", Verify = "verify", Window = "window",
        Watch = "watch",
    }
}

macro_rules! parts {
    ($(#[$doc:meta])* $module:ident, $ty:ident {
        $($tag:literal $word:literal => $arm:ident $({ $($field:ident),* })? $(( $($item:ident),* ))?,)*
    }) => {
        $(#[$doc])*
        pub mod $module {
            use super::*;

            /// The kinds, in words; the number of a kind indexes them.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The number of its kind.
            #[inline]
            pub fn tag(what: &$ty) -> u8 {
                match what { $($ty::$arm { .. } => $tag),* }
            }
            /// Writes its parts, without its kind.
            #[inline]
            pub fn put(what: &$ty, out: &mut Bytes) {
                match what {$(
                    $ty::$arm $({ $($field),* })? $(( $($item),* ))? => {
                        $($($field.put(out);)*)? $($($item.put(out);)*)?
                        let _ = &out;
                    }
                )*}
            }
            /// Reads what [`put`] wrote.
            pub fn take(tag: u8, from: &mut &[u8]) -> $ty {
                let _ = &from;
                match tag {
                    $($tag => {
                        $($(let $field = Part::take(from);)*)? $($(let $item = Part::take(from);)*)?
                        $ty::$arm $({ $($field),* })? $(( $($item),* ))?
                    })*
                    _ => unreachable!("a recording knows no kind {tag}"),
                }
            }
            /// Its parts by name.
            pub fn each(what: &$ty, mut see: impl FnMut(&'static str, Shown)) {
                match what {$(
                    $ty::$arm $({ $($field),* })? $(( $($item),* ))? => {
                        $($(see(stringify!($field), $field.show());)*)?
                        $($(see(stringify!($item), $item.show());)*)?
                        let _ = &mut see;
                    }
                )*}
            }
        }
    };
}

parts! {
    /// Facts.
    facts, Fact {
        0 "invoked" => Invoked { op, group, kind, key },
        1 "concluded" => Concluded { op, outcome, by },
        2 "answered" => Answered { node, group, op, outcome, at },
        3 "appended" => Appended { node, group, op, at },
        4 "began" => Began { node, group, segment, from },
        5 "held" => Held { node, group, upto },
        6 "durable" => Durable { node, group, upto },
        7 "truncated" => Truncated { node, group, to },
        8 "wiped" => Wiped { node, group },
        9 "admits" => Admits { node, group, yes },
        10 "rule" => Rule { node, group, acks },
        11 "authorised" => Authorised { group, holder, token },
        20 "withdrawn" => Withdrawn { group, holder },
        12 "routed" => Routed { client, resolver, group, node },
        13 "down" => Down { node, process, paused },
        14 "up" => Up { node, process },
        15 "link" => Link { from, to, up },
        16 "onset" => Onset { fault },
        17 "hit" => Hit { fault, node },
        25 "ails" => Ails { node, yes },
        18 "cleared" => Cleared { fault },
        19 "settling" => Settling,
        21 "installed" => Installed { node, group, key, version },
        22 "reverted" => Reverted { node, group, key, version },
        23 "returned" => Returned { node, group, op, version },
        24 "session" => Session { op, user },
        26 "ordered" => Ordered { group },
    }
}

parts! {
    /// Claims.
    claims, Claim {
        0 "primary" => Primary(group, term),
        1 "stepped_down" => SteppedDown(group, term),
        2 "opinion" => Opinion { node, healthy, streak },
        3 "tally" => Tally { node, unhealthy, of },
        4 "step" => Step(group, step),
        5 "lease_held" => LeaseHeld(group, token),
        6 "lease_lost" => LeaseLost(group),
        7 "candidate" => Candidate(group, term),
        8 "fenced" => Fenced(group, token),
        9 "rejoining" => Rejoining(group, node),
        10 "contact" => Contact(node, up),
        11 "voted" => Voted(group, term, node),
        12 "learned" => Learned(group, term, node),
        13 "failed" => Failed(group, step),
        14 "too_far" => TooFar(node, entries),
        15 "shooting" => Shooting(node, attempt),
        16 "still_on" => StillOn(node, attempt),
        17 "switched_off" => SwitchedOff(node),
        18 "cut_off" => CutOff(node, missing),
        19 "returning" => Returning(group, back),
    }
}
