//! Named random streams.
//!
//! From the random crates only the ChaCha8 key stream is taken, whose values are fixed by its
//! definition; the samplers are ours, because those of a library may change their values in a
//! minor version.

use crate::sim::dist::{Dist, DistSpec};
use crate::sim::time::Span;
use rand_chacha::ChaCha8Core;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::rand_core::block::Generator;
use std::sync::LazyLock;

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
    /// The label extended by a number: an episode, an operation, an attempt. It opens with a
    /// byte that no text holds, so that no two paths spell the same bytes.
    pub fn with_index(self, index: u64) -> Label {
        let mut hash = self.0;
        for byte in [0xfe].into_iter().chain(index.to_le_bytes()) {
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
    /// The stream of that name; asking twice gives the same numbers. Seed, trial and label each
    /// have their own part of the key: two streams are the same only if all three are. That no
    /// two names share a [`Label::number`] is checked where the names are given out.
    pub fn stream(&self, label: Label) -> Stream {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&self.trial.to_le_bytes());
        key[16..24].copy_from_slice(&label.0.to_le_bytes());
        Stream { core: ChaCha8Core::from_seed(key), buffer: [[0; 2]; BUFFER], next: BUFFER }
    }
}

/// Words made at a time: four blocks of ChaCha.
const BUFFER: usize = 32;

/// One sequence of random numbers. About 310 bytes.
#[derive(Clone, Debug)]
pub struct Stream {
    core: ChaCha8Core,
    /// Two words of the key stream are one of ours, the lower one first.
    buffer: [[u32; 2]; BUFFER],
    next: usize,
}

/// Exponential with the mean 2^32, for [`Stream::exponential`] to scale.
static EXPONENTIAL: LazyLock<Dist> =
    LazyLock::new(|| Dist::new(&DistSpec::exponential(Span::from_nanos(1 << 32))));

impl Stream {
    /// The next 64 random bits: two words of the key stream, the lower one first.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        if let Some(&[low, high]) = self.buffer.get(self.next) {
            self.next += 1;
            return u64::from(high) << 32 | u64::from(low);
        }
        self.refill()
    }
    #[cold]
    #[inline(never)]
    fn refill(&mut self) -> u64 {
        if let Ok(words) = self.buffer.as_flattened_mut().try_into() {
            self.core.generate(words);
        }
        self.next = 1;
        let [low, high] = self.buffer[0];
        u64::from(high) << 32 | u64::from(low)
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
    /// Exponential with the given mean: from a table in its body, exact in its tail.
    #[inline]
    pub fn exponential(&mut self, mean: Span) -> Span {
        let standard = EXPONENTIAL.sample(self).as_nanos();
        let wide = u128::from(standard) * u128::from(mean.as_nanos());
        Span::from_nanos(u64::try_from(wide >> 32).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use rand_chacha::ChaCha8Rng;

    fn stream(name: &str) -> Stream {
        Streams::new(42, 7).stream(Label::new(name))
    }

    #[test]
    fn a_stream_is_the_key_stream_of_chacha8_word_by_word() {
        let mut key = [0u8; 32];
        key[0] = 42;
        key[8] = 7;
        key[16..24].copy_from_slice(&Label::new("flow").number().to_le_bytes());
        let mut library = ChaCha8Rng::from_seed(key);
        let mut ours = stream("flow");
        for _ in 0..1_000 {
            assert_eq!(ours.next_u64(), library.next_u64());
        }
    }

    #[test]
    fn the_samplers_are_pinned() {
        let mut dice = stream("pinned");
        assert_eq!(
            [dice.next_u64(), dice.next_u64()],
            [4_273_193_858_635_724_521, 797_162_580_494_485_922]
        );
        let below = [dice.below(10), dice.below(1 << 40), dice.below(1)];
        let units = [dice.unit(), dice.unit()];
        let second = Span::from_secs(1);
        let waits = [0; 4].map(|_| dice.exponential(second).as_nanos());
        assert_eq!(below, [4, 918_915_985_356, 0]);
        assert_eq!(units, [0.430_857_420_804_547_8, 0.121_093_406_171_572_38]);
        assert_eq!(waits, [26_954_822, 969_072_697, 1_413_852_069, 1_398_014_397]);
    }

    #[test]
    fn paths_that_spell_alike_are_different_labels() {
        let a = Label::new("a");
        let labels = [
            a,
            a.with("b"),
            Label::new("ab"),
            Label::new("b").with("a"),
            a.with(""),
            a.with_index(0),
            a.with_index(1),
            a.with_index(1).with("b"),
            a.with("b").with_index(1),
            a.with("\0\0\0\0\0\0\0\0"),
        ];
        let mut numbers = labels.map(Label::number).to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), labels.len());
    }

    #[test]
    fn seed_trial_and_name_each_make_another_stream_and_nothing_else_does() {
        let first =
            |seed, trial, name| Streams::new(seed, trial).stream(Label::new(name)).next_u64();
        assert_eq!(first(1, 2, "x"), first(1, 2, "x"));
        let all = [first(1, 2, "x"), first(2, 1, "x"), first(1, 3, "x"), first(1, 2, "y")];
        for i in 0..all.len() {
            assert!(!all[..i].contains(&all[i]));
        }
    }

    #[test]
    fn below_is_uniform_and_the_exponential_memoryless() {
        let mut dice = stream("fair");
        let n = 600_000;
        let mut counts = [0i64; 6];
        for _ in 0..n {
            counts[dice.below(6) as usize] += 1;
        }
        // Chi-square with 5 degrees of freedom: 30.9 has probability 10^-5.
        let chi: f64 = counts.iter().map(|c| (c - 100_000).pow(2) as f64 / 1e5).sum();
        assert!(chi < 30.9, "{chi}");
        let mean = Span::from_millis(20);
        let waits: Vec<u64> = (0..n).map(|_| dice.exponential(mean).as_nanos()).collect();
        let average = waits.iter().sum::<u64>() as f64 / f64::from(n) / 2e7;
        assert!((average - 1.0).abs() < 5.0 / libm::sqrt(f64::from(n)), "{average}");
        for level in [0.1, 1.0, 3.0, 7.0] {
            let beyond = waits.iter().filter(|w| **w as f64 > level * 2e7).count() as f64;
            let p = libm::exp(-level);
            let deviation = libm::sqrt(f64::from(n) * p * (1.0 - p));
            assert!((beyond - f64::from(n) * p).abs() < 5.0 * deviation, "{level}: {beyond}");
        }
    }
}
