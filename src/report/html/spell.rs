//! Something that is so, or not, over time.

use crate::sim::time::SimTime;

/// A stretch of time.
pub type Stretch = (SimTime, SimTime);

/// Something that is so, or not, over time.
#[derive(Clone, Debug, Default)]
pub struct Spell {
    since: Option<SimTime>,
    /// When it was so.
    pub stretches: Vec<Stretch>,
}

impl Spell {
    /// So for one stretch.
    pub fn of(stretch: Stretch) -> Spell {
        Spell { since: None, stretches: vec![stretch] }
    }
    /// From now on it is so, or not.
    pub fn set(&mut self, yes: bool, at: SimTime) {
        match (yes, self.since) {
            (true, None) => self.since = Some(at),
            (false, Some(since)) => {
                self.since = None;
                if at > since {
                    self.stretches.push((since, at));
                }
            }
            _ => {}
        }
    }
    /// The stretches that reach into a window.
    pub fn within(&self, (from, to): Stretch) -> impl Iterator<Item = Stretch> + '_ {
        self.stretches.iter().copied().filter(move |(start, end)| *end > from && *start < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story_of_tests::at;

    #[test]
    fn what_is_so_is_so_from_then_until_it_is_not() {
        let mut spell = Spell::default();
        for (yes, second) in [(true, 1), (true, 2), (false, 5), (false, 6), (true, 9), (false, 9)] {
            spell.set(yes, at(second));
        }
        assert_eq!(spell.stretches, [(at(1), at(5))]);
        assert_eq!(spell.within((at(5), at(9))).count(), 0);
        assert_eq!(spell.within((at(4), at(9))).count(), 1);
    }
}
