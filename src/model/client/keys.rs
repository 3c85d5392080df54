//! Which keys operations touch.

use crate::model::client::KeyParams;
use crate::sim::rng::Stream;
use crate::sim::zipf::Zipf;

/// Chooses keys: ranks from 0. Copies share their table, so make one per [`KeyParams`] and
/// clone it for every population and trial.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Each of so many is equally likely.
    Uniform(u32),
    /// Rank r with weight 1/(r+1)^s.
    Zipf(Zipf),
}

impl Keys {
    /// The choice that the parameters state.
    pub fn new(params: &KeyParams) -> Keys {
        if params.zipf == 0.0 {
            Keys::Uniform(params.count.max(1))
        } else {
            Keys::Zipf(Zipf::new(params.count.max(1), params.zipf))
        }
    }
    /// One key, from one draw.
    #[inline]
    pub fn sample(&self, dice: &mut Stream) -> u32 {
        match self {
            Keys::Uniform(count) => dice.below(u64::from(*count)) as u32,
            Keys::Zipf(zipf) => zipf.sample(dice),
        }
    }
    /// The key that these 64 random bits stand for.
    pub fn of_bits(&self, bits: u64) -> u32 {
        match self {
            // Off by less than 2^-40 of each key's share, for ten million keys.
            Keys::Uniform(count) => ((u128::from(bits) * u128::from(*count)) >> 64) as u32,
            Keys::Zipf(zipf) => zipf.rank_of(bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Label, Streams};

    #[test]
    fn the_first_rank_gets_its_share_and_the_uniform_choice_favours_none() {
        let mut dice = Streams::new(1, 0).stream(Label::new("keys"));
        let share_of_first = |keys: &Keys, dice: &mut Stream| {
            (0..100_000).filter(|_| keys.sample(dice) == 0).count() as f64 / 100_000.0
        };
        // Of 100 keys with s = 1 the first has 1/H(100) = 1/5.18738 = 19.28 %; the standard
        // error of the share is 0.125 %.
        let zipf = Keys::new(&KeyParams { count: 100, zipf: 1.0 });
        assert!((share_of_first(&zipf, &mut dice) - 0.19278).abs() < 0.005);
        let uniform = Keys::new(&KeyParams { count: 100, zipf: 0.0 });
        assert!((share_of_first(&uniform, &mut dice) - 0.01).abs() < 0.0013);
    }
}
