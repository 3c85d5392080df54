//! The decisions that need no state: who may be voted for, what is committed. Each is tested
//! against a twin that is plainly right.

use crate::model::id::Term;

/// How many of `n` voters are a majority.
pub(super) fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// True when a log that ends with `theirs` has everything that may be committed in a log that
/// ends with `ours`: the later term of the last entry wins, then the longer log.
pub(super) fn up_to_date<T: Ord>(theirs: (Term, T), ours: (Term, T)) -> bool {
    theirs >= ours
}

/// The largest entry that a majority of `held` has reached. Quadratic, and without allocation:
/// voters are few.
pub(super) fn held_by_majority<T: Copy + Ord + Default>(held: &[T]) -> T {
    let reached = |index: T| held.iter().filter(|&&h| h >= index).count();
    let enough = majority(held.len());
    held.iter().copied().filter(|&index| reached(index) >= enough).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The twin: sort, and take the one that a majority is not below.
    fn sorted(held: &[u32]) -> u32 {
        let mut sorted = held.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted[majority(held.len()) - 1]
    }

    /// The twin, in the words of the paper.
    fn as_written(theirs: (Term, u32), ours: (Term, u32)) -> bool {
        if theirs.0 != ours.0 { theirs.0 > ours.0 } else { theirs.1 >= ours.1 }
    }

    proptest! {
        #[test]
        fn a_majority_holds_what_the_sorted_list_says(held in prop::collection::vec(0u32..9, 1..10)) {
            prop_assert_eq!(held_by_majority(&held), sorted(&held));
        }

        #[test]
        fn the_later_term_wins_and_then_the_longer_log(a in 0u32..4, b in 0u32..4, i in 0u32..4, j in 0u32..4) {
            prop_assert_eq!(up_to_date((Term(a), i), (Term(b), j)), as_written((Term(a), i), (Term(b), j)));
        }
    }
}
