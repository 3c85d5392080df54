//! Which replicas hold a key: in every region some of its replicas, beginning at one that the
//! key decides and going round. A rule that nodes, clients and judges share.

use crate::model::id::RegionId;

/// The replicas of a store by region, and how many of them hold a key. Sets of replicas are
/// bits: replica i is bit i.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ring {
    /// Per region that has any: the region, and its replicas in the order of the file.
    regions: Vec<(RegionId, Vec<u8>)>,
    /// How many of a region's replicas hold a key.
    copies: usize,
    /// All of them, where every replica holds every key.
    all: Option<u64>,
}

impl Ring {
    /// The most replicas of one store.
    pub const MOST: usize = 64;

    /// The ring of replicas that stand in these regions, `n` of each region for a key; all of
    /// them where nothing is said.
    pub fn new(replicas: &[RegionId], n: Option<u32>) -> Ring {
        let mut regions: Vec<(RegionId, Vec<u8>)> = Vec::new();
        for (number, region) in replicas.iter().enumerate().take(Ring::MOST) {
            match regions.iter_mut().find(|(other, _)| other == region) {
                Some((_, members)) => members.push(number as u8),
                None => regions.push((*region, vec![number as u8])),
            }
        }
        let copies = n.map_or(Ring::MOST, |n| n.max(1) as usize);
        let whole = regions.iter().all(|(_, members)| members.len() <= copies);
        let all = regions.iter().flat_map(|(_, members)| members).fold(0, |set, i| set | 1 << i);
        Ring { regions, copies, all: whole.then_some(all) }
    }
    /// The replicas that hold a key.
    #[inline]
    pub fn homes(&self, key: u32) -> u64 {
        self.all.unwrap_or_else(|| self.homes_of(key))
    }
    #[cold]
    fn homes_of(&self, key: u32) -> u64 {
        self.regions.iter().fold(0, |set, (_, members)| {
            let order = walk(members, key).take(self.copies);
            order.fold(set, |set, replica| set | 1 << replica)
        })
    }
    /// All replicas of a region; none where it has none.
    pub fn region(&self, region: RegionId) -> u64 {
        let members = self.regions.iter().find(|(other, _)| *other == region);
        members.map_or(0, |(_, members)| members.iter().fold(0, |set, replica| set | 1 << replica))
    }
    /// Of each region, its replicas and how many of them hold a key.
    pub fn shares(&self) -> impl Iterator<Item = (u64, u32)> {
        self.regions
            .iter()
            .map(|(region, members)| (self.region(*region), members.len().min(self.copies) as u32))
    }
    /// How many replicas hold a key.
    pub fn copies(&self) -> u32 {
        self.shares().map(|(_, copies)| copies).sum()
    }
}

/// A region's replicas in the order in which a key prefers them.
fn walk(members: &[u8], key: u32) -> impl Iterator<Item = u8> {
    // Fibonacci hashing: neighbours in rank begin far from each other.
    let start = (u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    (0..members.len()).map(move |i| members[(start + i) % members.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_n_every_replica_holds_every_key() {
        let ring = Ring::new(&[RegionId(0), RegionId(1), RegionId(0)], None);
        assert_eq!((ring.homes(0), ring.homes(99), ring.copies()), (0b111, 0b111, 3));
        assert_eq!(ring.region(RegionId(0)), 0b101);
        assert_eq!(ring.region(RegionId(7)), 0);
    }

    #[test]
    fn with_n_each_region_holds_so_many_copies_and_all_replicas_their_share() {
        let regions = [0, 0, 0, 0, 1, 1, 1, 2].map(RegionId);
        let ring = Ring::new(&regions, Some(2));
        assert_eq!(ring.copies(), 5, "two, two, and the one of the last region");
        let mut held = [0u32; 8];
        for key in 0..12_000 {
            let homes = ring.homes(key);
            assert_eq!(homes.count_ones(), 5);
            for (mask, copies) in ring.shares() {
                assert_eq!((homes & mask).count_ones(), copies);
            }
            (0..8).for_each(|i| held[i] += (homes >> i & 1) as u32);
        }
        for (replica, held) in held.iter().enumerate() {
            let share = [6_000.0, 6_000.0, 6_000.0, 6_000.0, 8_000.0, 8_000.0, 8_000.0, 12_000.0];
            assert!((f64::from(*held) / share[replica] - 1.0).abs() < 0.02, "{replica}: {held}");
        }
    }
}
