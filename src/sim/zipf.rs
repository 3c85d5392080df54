//! Which key? Ranks with probability proportional to `1 / (rank + 1)^s`.

use crate::sim::rng::Stream;
use std::sync::Arc;

/// The most ranks: ten million keys, a table of 80 MB.
pub const LIMIT_RANKS: u32 = 10_000_000;
/// The largest exponent.
pub const LIMIT_EXPONENT: f64 = 3.0;

/// A sampler of ranks `0..n` by Zipf's law: one draw, two table reads at most. Copies share
/// the table (8 bytes a rank; none for `s = 0`, which is uniform).
///
/// Walker's alias method: every cell of the table stands for the probability `1 / n`, which
/// it splits between its own rank and one other.
#[derive(Clone, Debug)]
pub struct Zipf {
    ranks: u32,
    cells: Arc<[Cell]>,
}

/// The share of its own rank in 2^-32, and the rank that has the rest.
#[derive(Clone, Copy, Debug)]
struct Cell {
    own: u32,
    other: u32,
}

impl Zipf {
    /// A sampler of `ranks` ranks with exponent `s`; takes about 0.1 s per million ranks.
    ///
    /// # Panics
    /// When `ranks` is not in `1..=`[`LIMIT_RANKS`] or `s` not in `0..=`[`LIMIT_EXPONENT`]:
    /// what the user wrote has been checked before.
    pub fn new(ranks: u32, s: f64) -> Zipf {
        assert!((1..=LIMIT_RANKS).contains(&ranks), "{ranks} ranks");
        assert!((0.0..=LIMIT_EXPONENT).contains(&s), "exponent {s}");
        let cells = if s == 0.0 { Arc::new([]) as Arc<[Cell]> } else { cells(ranks, s).into() };
        Zipf { ranks, cells }
    }
    /// How many ranks there are.
    pub fn ranks(&self) -> u32 {
        self.ranks
    }
    /// One rank, from one draw; 0 is the most frequent.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> u32 {
        self.rank_of(stream.next_u64())
    }
    /// The rank that these 64 random bits stand for.
    #[inline]
    pub fn rank_of(&self, bits: u64) -> u32 {
        let wide = u128::from(bits) * u128::from(self.ranks);
        let index = (wide >> 64) as u32;
        match self.cells.get(index as usize) {
            // The digits below the index are uniform too, to 2^-40 at the least.
            Some(cell) if (wide >> 32) as u32 >= cell.own => cell.other,
            _ => index,
        }
    }
}

/// Fills the table in one sweep. Probabilities fall with the rank, so the cells that have too
/// much come first: each small cell, in order, is filled up from the large one whose turn it
/// is; a large one that has given away too much is filled up from the next.
fn cells(ranks: u32, s: f64) -> Vec<Cell> {
    let weight = |rank: u32| libm::pow(f64::from(rank) + 1.0, -s);
    let sum: f64 = (0..ranks).rev().map(weight).sum();
    let scale = f64::from(ranks) / sum;
    // In cells: the mean is one.
    let share = |rank: u32| weight(rank) * scale;
    let mut cells: Vec<_> = (0..ranks).map(|rank| Cell { own: u32::MAX, other: rank }).collect();
    let cell = |own: f64, other| Cell { own: (own * (1u64 << 32) as f64) as u32, other };
    let (mut large, mut after) = (0, ranks);
    while after - large > 1 {
        let middle = large + (after - large) / 2;
        if share(middle) < 1.0 { after = middle } else { large = middle }
    }
    let (mut giver, mut left) = (0, share(0));
    for small in after..ranks {
        let own = share(small);
        cells[small as usize] = cell(own, giver);
        left -= 1.0 - own;
        while left < 1.0 && giver + 1 < after {
            cells[giver as usize] = cell(left, giver + 1);
            giver += 1;
            left = share(giver) - (1.0 - left);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Label, Streams};

    /// The probabilities that the table really has.
    fn probabilities(zipf: &Zipf) -> Vec<f64> {
        let n = f64::from(zipf.ranks());
        let mut found = vec![0.0; zipf.ranks() as usize];
        for (rank, cell) in zipf.cells.iter().enumerate() {
            let own = f64::from(cell.own) / (1u64 << 32) as f64;
            found[rank] += own / n;
            found[cell.other as usize] += (1.0 - own) / n;
        }
        found
    }

    #[test]
    fn the_table_has_exactly_the_law() {
        for n in [1, 2, 3, 10, 1_000, 200_000] {
            for s in [1e-6, 0.3, 0.99, 1.0, 2.0, 3.0] {
                let sum: f64 = (1..=n).rev().map(|i| libm::pow(f64::from(i), -s)).sum();
                let found = probabilities(&Zipf::new(n, s));
                for (rank, found) in found.iter().enumerate() {
                    let truth = libm::pow(rank as f64 + 1.0, -s) / sum;
                    // One unit of the 32-bit shares per cell that gives to this rank.
                    let fine = (found - truth).abs() < 1e-9 + 1e-8 * truth;
                    assert!(fine, "n {n} s {s} rank {rank}: {found} {truth}");
                }
            }
        }
    }

    #[test]
    fn samples_follow_the_law() {
        let (n, s, draws) = (50u32, 0.99, 1_000_000);
        let zipf = Zipf::new(n, s);
        let mut stream = Streams::new(5, 0).stream(Label::new("zipf"));
        let mut counts = vec![0u32; n as usize];
        for _ in 0..draws {
            counts[zipf.sample(&mut stream) as usize] += 1;
        }
        let sum: f64 = (1..=n).map(|i| libm::pow(f64::from(i), -s)).sum();
        let chi: f64 = counts
            .iter()
            .zip(1..)
            .map(|(count, rank)| {
                let expected = f64::from(draws) * libm::pow(f64::from(rank), -s) / sum;
                let off = f64::from(*count) - expected;
                off * off / expected
            })
            .sum();
        // 49 degrees of freedom: mean 49, standard deviation 9.9; 107 has probability 10^-6.
        assert!(chi < 107.0, "{chi}");
    }

    #[test]
    fn exponent_zero_is_uniform_and_needs_no_table() {
        let zipf = Zipf::new(1_000_000, 0.0);
        assert!(zipf.cells.is_empty());
        assert_eq!([0, 1 << 63, u64::MAX].map(|bits| zipf.rank_of(bits)), [0, 500_000, 999_999]);
    }

    #[test]
    fn the_ranks_are_pinned() {
        let zipf = Zipf::new(1_000_000, 0.99);
        let mut stream = Streams::new(1, 0).stream(Label::new("keys"));
        let ranks = [0; 8].map(|_| zipf.sample(&mut stream));
        assert_eq!(ranks, [700, 65_112, 0, 1_843, 11, 0, 5_865, 24_602]);
    }
}
