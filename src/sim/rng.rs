//! Named random streams.
//!
//! From the random crates only `from_seed` and `next_u64` are taken; the samplers are ours,
//! because those of a library may change their values in a minor version.

use crate::sim::time::Span;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The name of a stream: a path of names and purposes, never of positions.
///
/// ```
/// use regionsim::sim::rng::Label;
/// let label = Label::new("flow").with("db-fra").with("db-iad").with("delay");
/// assert_ne!(label, Label::new("flow").with("db-iad").with("db-fra").with("delay"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Label(u64);

impl Label {
    /// A label with one part.
    pub fn new(part: &str) -> Label {
        Label(0xcbf2_9ce4_8422_2325).with(part)
    }
    /// The label extended by one more part (FNV-1a over its bytes and a separator).
    pub fn with(self, part: &str) -> Label {
        let mut hash = self.0;
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        Label(hash)
    }
    /// The label extended by a number: an episode, an operation, an attempt.
    pub fn with_index(self, index: u64) -> Label {
        let mut hash = self.0;
        for byte in index.to_le_bytes().into_iter().chain([0xfe]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        Label(hash)
    }
    /// The 64-bit stream number, for the collision check at build.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// All dice of one trial, from its seed and number.
#[derive(Clone, Debug)]
pub struct Streams {
    seed: u64,
    trial: u64,
}

impl Streams {
    /// The dice of trial `trial` under `seed`.
    pub fn new(seed: u64, trial: u64) -> Streams {
        Streams { seed, trial }
    }
    /// The stream of that name; asking twice gives the same numbers.
    pub fn stream(&self, label: Label) -> Stream {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&self.trial.to_le_bytes());
        key[16..24].copy_from_slice(&label.0.to_le_bytes());
        Stream { rng: ChaCha8Rng::from_seed(key) }
    }
}

/// One sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }
    /// Uniform in `0..n`, without bias (Lemire's multiply and reject). `n` must not be zero.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below(0)");
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            let low = wide as u64;
            if low >= n || low >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }
    /// Uniform in `[0, 1)`, 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
    /// True with probability `p`.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
    /// Exponential with the given mean.
    #[inline]
    pub fn exponential(&mut self, mean: Span) -> Span {
        let u = 1.0 - self.unit();
        Span::from_nanos((-libm::log(u) * mean.as_nanos() as f64) as u64)
    }
}
