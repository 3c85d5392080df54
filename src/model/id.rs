//! Names as small numbers. Every id is dense: it indexes a `Vec` of its kind.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name(pub $int);

        impl $name {
            /// The id as an index.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
            /// The id of an index. Plans are limited far below the width of the integer.
            #[inline]
            pub const fn of(index: usize) -> $name {
                $name(index as $int)
            }
        }
    };
}

id! {
    /// A region: geography and the largest failure domain.
    RegionId(u16)
}
id! {
    /// A site: one zone of one region. Delays and partitions are between sites; a region
    /// without zones is one site.
    SiteId(u16)
}
id! {
    /// A node: one host with its clocks, its disk and its processes.
    NodeId(u16)
}
id! {
    /// A process on a node (database, agent, observer, …), or a client population. The address
    /// of messages.
    ProcessId(u16)
}
id! {
    /// A replication group: the replicas of one store or shard, or the voters of a
    /// coordination service.
    GroupId(u16)
}
id! {
    /// A client population.
    ClientId(u16)
}
id! {
    /// A fault of the scenario.
    FaultId(u16)
}

/// One client operation; retries keep it. Populations number their operations from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct OpId(u64);

impl OpId {
    /// The `seq`-th operation of `client`.
    #[inline]
    pub const fn new(client: ClientId, seq: u64) -> OpId {
        OpId(((client.0 as u64) << 48) | seq)
    }
    /// The population that invoked it.
    #[inline]
    pub const fn client(self) -> ClientId {
        ClientId((self.0 >> 48) as u16)
    }
    /// Its number within the population.
    #[inline]
    pub const fn seq(self) -> u64 {
        self.0 & 0xffff_ffff_ffff
    }
    /// Both in one word.
    #[inline]
    pub const fn word(self) -> u64 {
        self.0
    }
}

/// An election epoch of one group. Each promotion begins a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Term(pub u32);

/// A number that storage checks: an older one is refused. Zero is "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct FencingToken(pub u64);

/// How many entries a log has, or the number of one entry; the first entry is 1, and 0 is "empty".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct LogIndex(pub u64);

/// The part of a history written by one node in one term, without a restart in between. The
/// three are unique in a group, so two primaries never write the same segment, even where a
/// protocol gave both the same term, and what a crash wiped from memory is never written again
/// under the same name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Segment(u64);

impl Segment {
    /// What `node` writes in `term`.
    pub const fn new(term: Term, node: NodeId) -> Segment {
        Segment::again(term, node, 0)
    }
    /// What `node` writes in `term` after it restarted so many times.
    pub const fn again(term: Term, node: NodeId, restarts: u16) -> Segment {
        Segment((term.0 as u64) << 32 | (restarts as u64) << 16 | node.0 as u64)
    }
    /// The term it was written in.
    pub const fn term(self) -> Term {
        Term((self.0 >> 32) as u32)
    }
    /// The node that wrote it.
    pub const fn node(self) -> NodeId {
        NodeId(self.0 as u16)
    }
    /// All in one word.
    pub const fn word(self) -> u64 {
        self.0
    }
}

/// A place in a history: the segment that wrote the entry, and its number. Numbers continue
/// across segments: a segment that begins at index `i` of its parent has `i + 1` first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Position {
    /// Who wrote it and when.
    pub segment: Segment,
    /// Its number in the log.
    pub index: LogIndex,
}

/// One version of a key, of a store that keeps versions per key: whose write, and the number that
/// decides which of two is newer. Ordered by that number, then by operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Version {
    /// A timestamp or a count, as the mode has it; larger is newer.
    pub stamp: u64,
    /// Whose write.
    pub op: OpId,
}

impl Version {
    /// No version: the key was never written.
    pub const NOTHING: Version = Version { stamp: 0, op: OpId(0) };

    /// True when it is one.
    #[inline]
    pub const fn is_some(self) -> bool {
        self.stamp > 0
    }
}
