//! Consistency levels: how many replicas, and which, must have answered.

use crate::model::id::RegionId;
use crate::model::keyed::Ring;
use crate::sim::param::{Kind, Node, Param, Problems, Tree, suggest};

/// How many replicas of a key must have answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// So many, of any region.
    Count(u32),
    /// One of the coordinator's region.
    LocalOne,
    /// A majority of all.
    Quorum,
    /// A majority of those of the coordinator's region.
    LocalQuorum,
    /// A majority of those of every region.
    EachQuorum,
    /// All.
    All,
}

impl Level {
    const WORDS: [(&'static str, Level); 6] = [
        ("one", Level::Count(1)),
        ("local_one", Level::LocalOne),
        ("quorum", Level::Quorum),
        ("local_quorum", Level::LocalQuorum),
        ("each_quorum", Level::EachQuorum),
        ("all", Level::All),
    ];

    /// True when only replicas of the coordinator's region count.
    pub const fn is_local(self) -> bool {
        matches!(self, Level::LocalOne | Level::LocalQuorum)
    }
}

impl Param for Level {
    fn kind() -> Kind {
        Kind::Other(
            "a number of replicas, or one of `one`, `local_one`, `quorum`, `local_quorum`, `each_quorum`, `all`",
        )
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<Level> {
        match &node.tree {
            Tree::Int(count) if (1..=Ring::MOST as i64).contains(count) => {
                Some(Level::Count(*count as u32))
            }
            Tree::Int(count) => {
                let help = format!("from 1 to {}", Ring::MOST);
                problems.add_help(&node.place, format!("{count} is no number of replicas"), help);
                None
            }
            Tree::Text(text) => {
                let found = Level::WORDS.iter().find(|(word, _)| word == text);
                if found.is_none() {
                    let help = suggest(text, &Level::WORDS.map(|(word, _)| word));
                    problems.add_help(&node.place, format!("unknown level `{text}`"), help);
                }
                found.map(|(_, level)| *level)
            }
            _ => {
                let message =
                    format!("expected a number or a consistency level, found {}", node.what());
                problems.add(&node.place, message);
                None
            }
        }
    }
    fn show(&self) -> String {
        match (self, Level::WORDS.iter().find(|(_, level)| level == self)) {
            (_, Some((word, _))) => format!("{word:?}"),
            (Level::Count(count), None) => count.to_string(),
            _ => String::new(),
        }
    }
}

/// A level at one coordinator: of which sets of replicas how many must have answered.
#[derive(Clone, PartialEq, Debug)]
pub struct Need(Vec<(u64, u32)>);

impl Need {
    /// What a level needs of a key's replicas, asked from this region.
    pub fn new(level: Level, ring: &Ring, from: RegionId) -> Need {
        let majority = |n: u32| n / 2 + 1;
        let local = ring.region(from);
        let share = ring.shares().find(|(mask, _)| *mask == local).map_or(0, |(_, n)| n);
        Need(match level {
            Level::Count(count) => vec![(u64::MAX, count)],
            Level::LocalOne => vec![(local, 1)],
            Level::Quorum => vec![(u64::MAX, majority(ring.copies()))],
            Level::LocalQuorum => vec![(local, majority(share))],
            Level::EachQuorum => ring.shares().map(|(mask, n)| (mask, majority(n))).collect(),
            Level::All => vec![(u64::MAX, ring.copies())],
        })
    }
    /// True when these replicas are enough.
    #[inline]
    pub fn is_met(&self, by: u64) -> bool {
        self.0.iter().all(|(mask, count)| (by & mask).count_ones() >= *count)
    }
    /// How many replicas that takes.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_count_what_their_names_say() {
        // Three replicas in the region of the coordinator, three in another, two in a third.
        let ring = Ring::new(&[0, 0, 0, 1, 1, 1, 2, 2].map(RegionId), None);
        let met = |level: Level, by: u64| Need::new(level, &ring, RegionId(0)).is_met(by);
        assert!(met(Level::Count(2), 0b1_1000) && !met(Level::Count(2), 0b1000));
        assert!(met(Level::LocalOne, 0b100) && !met(Level::LocalOne, 0b1111_1000));
        assert!(met(Level::Quorum, 0b1111_1000) && !met(Level::Quorum, 0b1111_0000));
        assert!(met(Level::LocalQuorum, 0b11) && !met(Level::LocalQuorum, 0b1111_1001));
        assert!(met(Level::EachQuorum, 0b1101_1011) && !met(Level::EachQuorum, 0b0111_1111));
        assert!(met(Level::All, 0xff) && !met(Level::All, 0xfe));
    }

    #[test]
    fn a_level_is_shown_as_it_is_read() {
        for text in ["one", "local_one", "quorum", "local_quorum", "each_quorum", "all"] {
            let mut problems = Problems::default();
            let level = Level::read(&Node::text(text), &mut problems).expect("a word");
            assert_eq!(level.show(), format!("{text:?}"));
        }
        let three = Node { place: 0..0, tree: Tree::Int(3) };
        assert_eq!(Level::read(&three, &mut Problems::default()), Some(Level::Count(3)));
        assert_eq!(Level::Count(3).show(), "3");
    }
}
