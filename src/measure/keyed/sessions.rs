//! What users saw of their own writes and of their earlier reads.

use crate::measure::keyed::Seen;
use crate::model::id::{ClientId, OpId};
use crate::sim::time::SimTime;
use std::collections::BTreeMap;

/// The most keys of which a user's last versions are kept; the smallest goes first.
pub const KEYS: usize = 256;

/// The last versions of one key that a user wrote and read.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    wrote: Option<Seen>,
    read: Option<Seen>,
}

/// What users saw, per population.
pub struct Sessions {
    /// Whose operations are under way.
    users: BTreeMap<OpId, u32>,
    last: BTreeMap<(ClientId, u32), BTreeMap<u32, Last>>,
    /// Per population: reads of users, those that missed the user's own write, and those that
    /// returned an older version than an earlier one of the user.
    pub counts: Vec<[u64; 3]>,
}

impl Sessions {
    /// For so many populations.
    pub fn new(clients: usize) -> Sessions {
        Sessions { users: BTreeMap::new(), last: BTreeMap::new(), counts: vec![[0; 3]; clients] }
    }
    /// The operation that begins is this user's.
    pub fn begins(&mut self, op: OpId, user: u32) {
        self.users.insert(op, user);
    }
    /// The operation ends: whose it was.
    pub(super) fn take(&mut self, op: OpId) -> Option<u32> {
        if self.users.is_empty() { None } else { self.users.remove(&op) }
    }
    fn last(&mut self, client: ClientId, user: u32, key: u32) -> &mut Last {
        let keys = self.last.entry((client, user)).or_default();
        if keys.len() >= KEYS && !keys.contains_key(&key) {
            keys.pop_first();
        }
        keys.entry(key).or_default()
    }
    /// A user's write was acknowledged.
    pub(super) fn wrote(&mut self, client: ClientId, user: u32, key: u32, seen: Seen) {
        let last = self.last(client, user, key);
        if last.wrote.is_none_or(|before| seen.newer_than(&before)) {
            last.wrote = Some(seen);
        }
    }
    /// A user's read, begun then, returned this; nothing where the key had no version.
    pub(super) fn read(
        &mut self,
        client: ClientId,
        user: u32,
        key: u32,
        seen: Option<Seen>,
        start: SimTime,
    ) {
        let last = self.last(client, user, key);
        let misses = |before: &Option<Seen>| match (before, &seen) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(seen)) => before.newer_than(seen),
        };
        let own = last.wrote.filter(|wrote| wrote.ended.is_some_and(|ended| ended <= start));
        let (unread, back) = (misses(&own), misses(&last.read));
        if seen.is_some() && !back {
            last.read = seen;
        }
        if let Some(counts) = self.counts.get_mut(client.index()) {
            counts[0] += 1;
            counts[1] += u64::from(unread);
            counts[2] += u64::from(back);
        }
    }
}
