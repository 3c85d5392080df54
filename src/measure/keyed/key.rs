//! One key: what each member has of it, and the versions that still matter.

use crate::model::id::{OpId, Version};
use crate::sim::time::SimTime;

/// The most versions of a key that are kept; what no member has and was overwritten goes first.
pub const KEPT: usize = 32;

/// A version, and when its write began and ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// Which.
    pub version: Version,
    /// When its operation was invoked.
    pub invoked: SimTime,
    /// When it ended, once it has.
    pub ended: Option<SimTime>,
}

impl Seen {
    /// One of which nothing is known any more: it is old.
    pub const fn forgotten(version: Version) -> Seen {
        Seen { version, invoked: SimTime::ZERO, ended: Some(SimTime::ZERO) }
    }
    /// True when this one is the newer of the two: it began when the other had ended, or they
    /// overlapped and its stamp is larger.
    pub fn newer_than(&self, other: &Seen) -> bool {
        let after = |a: &Seen, b: &Seen| b.ended.is_some_and(|ended| a.invoked >= ended);
        match (after(self, other), after(other, self)) {
            (true, false) => true,
            (false, true) => false,
            _ => self.version > other.version,
        }
    }
}

/// A version that is kept.
#[derive(Clone, Copy, Debug)]
struct Record {
    seen: Seen,
    acknowledged: bool,
    /// It overlapped with an acknowledged write, and is counted.
    concurrent: bool,
    /// Another took its place that is not newer.
    overwritten: bool,
    /// How many writes of the key had been acknowledged when it was, itself included.
    ordinal: u64,
    /// The earliest acknowledgement of a newer one.
    superseded: Option<SimTime>,
}

/// What an acknowledgement showed.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Found {
    /// The version it was; nothing where no member ever had it.
    pub version: Version,
    /// How many acknowledged writes are now known to have overlapped with another.
    pub concurrent: u64,
    /// How many are now known to have been overwritten by one that is not newer.
    pub overwritten: u64,
}

/// One key.
#[derive(Clone, Debug)]
pub struct Key {
    /// What each member has.
    current: Box<[Version]>,
    homes: u64,
    records: Vec<Record>,
    /// Acknowledged writes.
    acknowledged: u64,
    /// The first acknowledgement.
    first: Option<SimTime>,
    /// Its place in the list of keys on which members differ, plus one; zero when they do not.
    pub(super) listed: u32,
    /// What all must have before the store has converged.
    pub(super) target: Version,
}

impl Key {
    /// A key that nobody wrote, of so many members, held by these.
    pub fn new(members: usize, homes: u64) -> Key {
        Key {
            current: vec![Version::NOTHING; members].into(),
            homes,
            records: Vec::new(),
            acknowledged: 0,
            first: None,
            listed: 0,
            target: Version::NOTHING,
        }
    }

    /// True when this version was seen before.
    pub fn knows(&self, version: Version) -> bool {
        self.records.iter().rev().any(|record| record.seen.version == version)
    }
    /// What is known of a version; nothing for no version.
    pub fn seen(&self, version: Version) -> Option<Seen> {
        let record = self.records.iter().rev().find(|record| record.seen.version == version);
        let forgotten = || version.is_some().then(|| Seen::forgotten(version));
        record.map(|record| record.seen).or_else(forgotten)
    }

    /// A version that was not seen before. Tells how many acknowledged writes it took the place of
    /// though it is not newer than they are. A retry of a write is that write under another stamp.
    pub fn appears(&mut self, seen: Seen) -> u64 {
        let same = self.records.iter_mut().find(|r| r.seen.version.op == seen.version.op);
        if let Some(record) = same {
            record.seen.version = record.seen.version.max(seen.version);
            let seen = record.seen;
            return self.take_place(&seen);
        }
        let newer = self.records.iter().filter(|r| r.acknowledged && r.seen.newer_than(&seen));
        let superseded = newer.filter_map(|record| record.seen.ended).min();
        let taken = self.take_place(&seen);
        self.make_room();
        let ordinal = self.acknowledged;
        self.records.push(Record {
            seen,
            acknowledged: false,
            concurrent: false,
            overwritten: false,
            ordinal,
            superseded,
        });
        taken
    }

    /// A version is there now: it wins over every smaller one, also where it is not newer.
    fn take_place(&mut self, seen: &Seen) -> u64 {
        let mut taken = 0;
        for record in self.records.iter_mut().filter(|r| r.acknowledged && !r.overwritten) {
            let ended = record.seen.ended.unwrap_or(SimTime::MAX);
            let wins =
                seen.version > record.seen.version && seen.version.op != record.seen.version.op;
            record.overwritten = wins && seen.invoked < ended;
            taken += u64::from(record.overwritten);
        }
        taken
    }

    fn make_room(&mut self) {
        if self.records.len() < KEPT {
            return;
        }
        let idle = |record: &Record| {
            record.seen.ended.is_some()
                && !self.current.contains(&record.seen.version)
                && (record.superseded.is_some() || !record.acknowledged)
        };
        let oldest = self.records.iter().position(idle);
        // Where every one of them matters, one more does.
        if let Some(oldest) = oldest {
            self.records.remove(oldest);
        }
    }

    /// A member takes a version into account.
    pub fn installed(&mut self, member: usize, version: Version) {
        let current = &mut self.current[member];
        *current = version.max(*current);
    }
    /// A member has only this left.
    pub fn reverted(&mut self, member: usize, version: Version) {
        self.current[member] = version;
    }

    /// A write ended without success.
    pub fn ended(&mut self, op: OpId, now: SimTime) {
        if let Some(record) = self.records.iter_mut().find(|r| r.seen.version.op == op) {
            record.seen.ended = Some(now);
        }
    }

    /// A write was acknowledged.
    pub fn acknowledged(&mut self, op: OpId, invoked: SimTime, now: SimTime) -> Found {
        self.acknowledged += 1;
        self.first.get_or_insert(now);
        let Some(at) = self.records.iter().position(|r| r.seen.version.op == op) else {
            return Found::default();
        };
        let mut own = self.records[at];
        own.seen.ended = Some(now);
        own.acknowledged = true;
        own.ordinal = self.acknowledged;
        let mut found = Found { version: own.seen.version, ..Found::default() };
        let others = self.records.iter_mut().enumerate().filter(|(i, _)| *i != at);
        for other in others.map(|(_, other)| other) {
            let overlapped = other.seen.ended.is_none_or(|ended| ended > invoked);
            if other.acknowledged && overlapped {
                found.concurrent += u64::from(!other.concurrent) + u64::from(!own.concurrent);
                (other.concurrent, own.concurrent) = (true, true);
            }
            own.overwritten |= other.seen.version > own.seen.version;
            if other.superseded.is_none() && own.seen.newer_than(&other.seen) {
                other.superseded = Some(now);
            }
            if other.acknowledged && other.seen.newer_than(&own.seen) {
                own.superseded = match (own.superseded, other.seen.ended) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        found.overwritten = u64::from(own.overwritten);
        self.records[at] = own;
        found
    }

    /// When the earliest version newer than this one was acknowledged, if that was before `start`.
    pub fn superseded(&self, version: Version, start: SimTime) -> Option<SimTime> {
        if !version.is_some() {
            return self.first.filter(|at| *at <= start);
        }
        let record = self.records.iter().rev().find(|record| record.seen.version == version);
        let at = match record {
            Some(record) => record.superseded,
            // Forgotten: something newer was acknowledged before all that is kept.
            None => self.records.iter().filter_map(|record| record.superseded).min(),
        };
        at.filter(|at| *at <= start)
    }

    /// How many versions newer than this one had been acknowledged by `start`.
    pub fn behind(&self, version: Version, start: SimTime) -> u64 {
        let late = |r: &&Record| r.acknowledged && r.seen.ended.is_none_or(|ended| ended > start);
        let by_then = self.acknowledged - self.records.iter().filter(late).count() as u64;
        let Some(record) = self.records.iter().rev().find(|r| r.seen.version == version) else {
            return by_then;
        };
        // Those acknowledged since, but for the ones that are not newer.
        let since = by_then.saturating_sub(record.ordinal);
        let older = self.records.iter().filter(|other| {
            other.acknowledged
                && other.ordinal > record.ordinal
                && other.seen.ended.is_some_and(|ended| ended <= start)
                && !other.seen.newer_than(&record.seen)
        });
        since.saturating_sub(older.count() as u64)
    }

    /// The newest version acknowledged by `start`: when that was, and whether this version is it
    /// or newer.
    pub fn sees(&self, version: Version, start: SimTime) -> Option<(SimTime, bool)> {
        let mut last: Option<&Record> = None;
        for record in self.records.iter().filter(|record| record.acknowledged) {
            let ended = record.seen.ended.filter(|ended| *ended <= start);
            if ended.is_some() && last.is_none_or(|last| ended >= last.seen.ended) {
                last = Some(record);
            }
        }
        let last = last?;
        let sees = match self.seen(version) {
            None => false,
            Some(seen) => !last.seen.newer_than(&seen),
        };
        Some((last.seen.ended?, sees))
    }

    /// What these members have.
    fn of(&self, members: u64) -> impl Iterator<Item = Version> {
        let all = self.current.iter().enumerate();
        all.filter(move |(i, _)| members >> i & 1 == 1).map(|(_, version)| *version)
    }

    /// True while those of these members that hold the key do not all have the same.
    pub fn differs(&self, live: u64) -> bool {
        let mut all = self.of(live & self.homes);
        let first = all.next();
        all.any(|version| Some(version) != first)
    }

    /// True when each of these members that holds the key has this version or a larger one.
    pub fn has(&self, live: u64, version: Version) -> bool {
        self.of(live & self.homes).all(|current| current >= version)
    }

    /// The largest version whose write had ended by then.
    pub fn ended_newest(&self, by: SimTime) -> Version {
        let ended = self.records.iter().filter(|r| r.seen.ended.is_some_and(|at| at <= by));
        ended.map(|record| record.seen.version).max().unwrap_or_default()
    }

    /// How many acknowledged writes are larger than what any of these members has.
    pub fn gone(&self, kept: u64) -> u64 {
        let most = self.of(kept).max().unwrap_or_default();
        let gone = |record: &&Record| record.acknowledged && record.seen.version > most;
        self.records.iter().filter(gone).count() as u64
    }
}
