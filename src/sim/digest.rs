//! The rolling fingerprint of a run, and checkpoints to find where two runs part.

use std::ops::Range;

/// A fingerprint of a sequence of 64-bit words. Two runs with the same fingerprint did, but for
/// one chance in 2^64, the same things in the same order.
///
/// Per word: exclusive or, multiply by the odd number nearest to 2^64 divided by the golden
/// ratio, fold the upper half onto the lower. Each step is a bijection of the state, so a
/// difference never heals by itself. It guards against mistakes, not against malice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

impl Digest {
    /// Of nothing yet.
    pub const fn new() -> Digest {
        Digest(0x243f_6a88_85a3_08d3)
    }
    /// Takes one more word in; four instructions.
    #[inline]
    pub const fn fold(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
    /// The fingerprint so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

/// The fingerprint after every so many facts. Memory is bounded: when full, every second
/// checkpoint is dropped and the stride doubles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoints {
    /// Fingerprint after fact `(i + 1) * stride`.
    values: Vec<u64>,
    stride: u64,
    next: u64,
    facts: u64,
    last: u64,
}

/// Checkpoints are at most so many: 32 KB.
const LIMIT: usize = 4096;

impl Default for Checkpoints {
    fn default() -> Self {
        Checkpoints::new()
    }
}

impl Checkpoints {
    /// A checkpoint every 2^16 facts to begin with.
    pub fn new() -> Checkpoints {
        Checkpoints::every(1 << 16)
    }
    /// A checkpoint every `stride` facts to begin with; a power of two.
    pub fn every(stride: u64) -> Checkpoints {
        assert!(stride.is_power_of_two(), "the stride must be a power of two");
        let last = Digest::new().value();
        Checkpoints { values: Vec::new(), stride, next: stride, facts: 0, last }
    }
    /// Notes the fingerprint after one more fact.
    #[inline]
    pub fn note(&mut self, digest: Digest) {
        self.facts += 1;
        self.last = digest.value();
        if self.facts == self.next {
            self.keep();
        }
    }
    #[cold]
    fn keep(&mut self) {
        self.values.push(self.last);
        if self.values.len() == LIMIT {
            self.values = self.values.iter().skip(1).step_by(2).copied().collect();
            self.stride *= 2;
        }
        self.next = (self.values.len() as u64 + 1) * self.stride;
    }
    /// How many facts were noted.
    pub fn facts(&self) -> u64 {
        self.facts
    }
    /// Facts between two checkpoints now.
    pub fn stride(&self) -> u64 {
        self.stride
    }
    /// The fingerprint after `fact` facts, where it was kept.
    fn after(&self, fact: u64) -> Option<u64> {
        if fact == self.facts {
            return Some(self.last);
        }
        let index =
            (fact / self.stride).checked_sub(1).filter(|_| fact.is_multiple_of(self.stride))?;
        self.values.get(index as usize).copied()
    }
    /// Where the two runs part: the first differing fact, counted from zero, lies in this
    /// range. Nothing when they are the same. Running both again and keeping the facts in the
    /// range finds the fact itself.
    pub fn first_difference(&self, other: &Checkpoints) -> Option<Range<u64>> {
        if (self.facts, self.last) == (other.facts, other.last) {
            return None;
        }
        let stride = self.stride.max(other.stride);
        let both = self.facts.min(other.facts);
        let whole = both / stride;
        // A difference never heals, so the checkpoints that agree come first.
        let (mut same, mut differs) = (0, whole + 1);
        while differs - same > 1 {
            let middle = same + (differs - same) / 2;
            let agree = self.after(middle * stride) == other.after(middle * stride);
            if agree { same = middle } else { differs = middle }
        }
        let end = if differs > whole { self.facts.max(other.facts) } else { differs * stride };
        Some(same * stride..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(facts: impl IntoIterator<Item = u64>, stride: u64) -> Checkpoints {
        let (mut digest, mut checkpoints) = (Digest::new(), Checkpoints::every(stride));
        for fact in facts {
            digest.fold(fact);
            checkpoints.note(digest);
        }
        checkpoints
    }

    #[test]
    fn the_fingerprint_is_pinned() {
        let mut digest = Digest::new();
        assert_eq!(digest.value(), 0x243f_6a88_85a3_08d3);
        for word in [0, 1, u64::MAX, 42] {
            digest.fold(word);
        }
        assert_eq!(digest.value(), 0x8bc5_fd62_7f3e_dd2f, "{:#x}", digest.value());
    }

    #[test]
    fn order_matters() {
        assert_ne!(run([1, 2], 1), run([2, 1], 1));
        assert_ne!(run([0], 1), run([0, 0], 1));
    }

    #[test]
    fn memory_is_bounded_and_the_stride_doubles() {
        let checkpoints = run(0..100_000, 2);
        assert!(checkpoints.values.len() < LIMIT);
        assert_eq!(checkpoints.stride(), 32);
        assert_eq!(checkpoints.facts(), 100_000);
        let kept = checkpoints.after(64).unwrap();
        assert_eq!(kept, run(0..64, 1).last);
    }

    proptest! {
        #[test]
        fn the_range_holds_the_first_difference(
            length in 1u64..40_000, at in 0u64..40_000, more in 0u64..20_000,
        ) {
            let at = at % length;
            let one = run(0..length, 1);
            let two = run((0..length + more).map(|n| if n == at { 999_999 } else { n }), 1);
            let range = one.first_difference(&two).unwrap();
            prop_assert!(range.contains(&at), "{range:?} {at}");
            prop_assert!(range.end - range.start <= one.stride().max(two.stride()) + more + 1);
            prop_assert_eq!(one.first_difference(&one), None);
        }
        #[test]
        fn a_run_that_merely_goes_on_parts_at_its_end(length in 0u64..9_000, more in 1u64..9_000) {
            let (one, two) = (run(0..length, 1), run(0..length + more, 1));
            let range = one.first_difference(&two).unwrap();
            prop_assert!(range.contains(&length));
        }
    }
}
