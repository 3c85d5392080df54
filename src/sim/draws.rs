//! Random numbers by index: the n-th draw for a purpose, without the draws before it.
//!
//! A [`Stream`](crate::sim::rng::Stream) is read in order. Where many users each have dice of
//! their own, a stream for each would cost 300 bytes a user; here a user costs nothing, and what
//! is drawn for an index is the same whatever was drawn before.

use crate::sim::rng::{Label, Streams};

/// The draws for one purpose: `squares64` of B. Widynski (Squares: A Fast Counter-Based RNG,
/// 2020), whose key comes from the stream of that name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draws {
    key: u64,
}

impl Streams {
    /// The draws of that name; asking twice gives the same numbers.
    pub fn draws(&self, label: Label) -> Draws {
        // The generator wants an odd key without long runs of equal digits: a random one has none.
        Draws { key: self.stream(label.with("by index")).next_u64() | 1 }
    }
}

impl Draws {
    /// 64 random bits for an index.
    #[inline]
    pub fn at(self, index: u64) -> u64 {
        let y = index.wrapping_mul(self.key);
        let z = y.wrapping_add(self.key);
        let square = |x: u64, add: u64| x.wrapping_mul(x).wrapping_add(add);
        let x = square(y, y).rotate_left(32);
        let x = square(x, z).rotate_left(32);
        let x = square(x, y).rotate_left(32);
        let last = square(x, z);
        last ^ (square(last.rotate_left(32), y) >> 32)
    }
    /// Uniform in `[0, 1)` for an index, 53 bits.
    #[inline]
    pub fn unit(self, index: u64) -> f64 {
        (self.at(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(name: &str) -> Draws {
        Streams::new(42, 7).draws(Label::new(name))
    }

    /// The definition as the paper prints it, line by line.
    #[allow(clippy::manual_rotate)]
    fn as_printed(ctr: u64, key: u64) -> u64 {
        let (mut x, y, z, t);
        x = ctr.wrapping_mul(key);
        y = x;
        z = y.wrapping_add(key);
        x = x.wrapping_mul(x).wrapping_add(y);
        x = (x >> 32) | (x << 32);
        x = x.wrapping_mul(x).wrapping_add(z);
        x = (x >> 32) | (x << 32);
        x = x.wrapping_mul(x).wrapping_add(y);
        x = (x >> 32) | (x << 32);
        x = x.wrapping_mul(x).wrapping_add(z);
        t = x;
        x = (x >> 32) | (x << 32);
        t ^ (x.wrapping_mul(x).wrapping_add(y) >> 32)
    }

    #[test]
    fn the_draws_are_those_of_the_paper() {
        let draws = draws("a");
        for index in (0..100).chain([1 << 32, (1 << 40) + 5, u64::MAX]) {
            assert_eq!(draws.at(index), as_printed(index, draws.key));
        }
    }

    #[test]
    fn an_index_has_its_number_and_a_name_its_numbers() {
        assert_eq!(draws("a").at(5), draws("a").at(5));
        assert_ne!(draws("a").at(5), draws("b").at(5));
        assert_ne!(draws("a").at(5), Streams::new(42, 8).draws(Label::new("a")).at(5));
    }

    /// Users number their operations in the lower 32 bits and themselves in the upper ones: both
    /// ways through the indexes the draws are uniform, and neighbours know nothing of each other.
    #[test]
    fn users_and_their_operations_are_uniform_and_independent() {
        let draws = draws("users");
        let paths: [&dyn Fn(u64) -> u64; 3] =
            [&|i| i, &|i| i << 32, &|i| ((i % 317) << 32) | (i / 317)];
        for path in paths {
            let (mut cells, mut pairs) = ([0u32; 64], [0u32; 64]);
            let n = 64_000u64;
            for i in 0..n {
                let bits = draws.at(path(i));
                cells[(bits >> 58) as usize] += 1;
                let next = draws.at(path(i + 1));
                pairs[((bits >> 61) << 3 | next >> 61) as usize] += 1;
            }
            for counts in [cells, pairs] {
                let expected = n as f64 / 64.0;
                let chi: f64 = counts
                    .iter()
                    .map(|count| f64::from(*count) - expected)
                    .map(|off| off * off / expected)
                    .sum();
                // 63 degrees of freedom: exceeded by chance once in a thousand.
                assert!(chi < 103.4, "{chi}");
            }
        }
    }
}
