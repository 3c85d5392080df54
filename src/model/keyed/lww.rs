//! Registers of which the last writer wins: of two versions the one with the larger stamp stays.

use crate::model::id::Version;
use crate::model::keyed::Merge;

/// One register per key, made on first use.
#[derive(Clone, Default, Debug)]
pub struct Registers {
    values: Vec<Version>,
    /// What was there before each change that is not on disk, oldest first.
    undo: Vec<(u32, Version)>,
    /// How many of these are on their way to the disk.
    flushing: usize,
}

impl Merge for Registers {
    #[inline]
    fn merge(&mut self, key: u32, version: Version) -> bool {
        let at = key as usize;
        if at >= self.values.len() {
            self.values.resize(at + 1, Version::NOTHING);
        }
        let value = &mut self.values[at];
        if version > *value {
            self.undo.push((key, *value));
            *value = version;
            return true;
        }
        version != *value
    }
    #[inline]
    fn value(&self, key: u32) -> Version {
        self.values.get(key as usize).copied().unwrap_or(Version::NOTHING)
    }
    fn flush_begins(&mut self) {
        self.flushing = self.undo.len();
    }
    fn flush_ends(&mut self) {
        self.undo.drain(..self.flushing);
        self.flushing = 0;
    }
    fn is_dirty(&self) -> bool {
        self.undo.len() > self.flushing
    }
    fn crash(&mut self, disk_kept: bool) -> Vec<(u32, Version)> {
        self.flushing = 0;
        if !disk_kept {
            *self = Registers::default();
            return Vec::new();
        }
        let undo = std::mem::take(&mut self.undo);
        for (key, before) in undo.iter().rev() {
            self.values[*key as usize] = *before;
        }
        let mut keys: Vec<u32> = undo.into_iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().map(|key| (key, self.value(key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ClientId, OpId};
    use proptest::prelude::*;

    fn version(stamp: u64, seq: u64) -> Version {
        Version { stamp, op: OpId::new(ClientId(0), seq) }
    }

    #[test]
    fn the_larger_stamp_stays_whatever_comes_last() {
        let mut registers = Registers::default();
        assert!(registers.merge(7, version(20, 2)));
        assert!(registers.merge(7, version(10, 1)), "it is taken into account, and loses");
        assert_eq!(registers.value(7), version(20, 2));
        assert!(!registers.merge(7, version(20, 2)), "known already");
        assert_eq!(registers.value(8), Version::NOTHING);
    }

    #[test]
    fn a_crash_goes_back_to_what_is_on_disk() {
        let mut registers = Registers::default();
        registers.merge(1, version(10, 1));
        registers.flush_begins();
        registers.merge(1, version(20, 2));
        registers.flush_ends();
        registers.merge(2, version(30, 3));
        registers.flush_begins();
        registers.merge(1, version(40, 4));
        assert_eq!(
            registers.crash(true),
            [(1, version(10, 1)), (2, Version::NOTHING)],
            "the first flush ended; the second was under way, and is void"
        );
        assert_eq!(registers.value(1), version(10, 1));
        registers.merge(1, version(50, 5));
        assert_eq!(registers.crash(false), []);
        assert_eq!(registers.value(1), Version::NOTHING);
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent(
            stamps in prop::collection::vec((0u32..4, 1u64..6, 0u64..6), 0..30),
            again in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let (mut one, mut other) = (Registers::default(), Registers::default());
            let versions: Vec<(u32, Version)> =
                stamps.iter().map(|(key, stamp, seq)| (*key, version(*stamp, *seq))).collect();
            for (key, version) in &versions {
                one.merge(*key, *version);
            }
            for (key, version) in versions.iter().rev() {
                other.merge(*key, *version);
            }
            for index in again.iter().filter(|_| !versions.is_empty()) {
                let (key, version) = versions[index.index(versions.len())];
                other.merge(key, version);
            }
            for key in 0..4 {
                let all = versions.iter().filter(|(other, _)| *other == key);
                let twin = all.map(|(_, version)| *version).max().unwrap_or(Version::NOTHING);
                prop_assert_eq!(one.value(key), twin);
                prop_assert_eq!(other.value(key), twin);
            }
        }
    }
}
