//! A fixed schedule: each user begins an operation at every tick, unless its last one still runs.

use super::{Dice, Next, UserLoop};
use crate::model::fact::OpKind;
use crate::sim::Span;
use crate::sim::param::Share;

crate::choices! {
    /// What becomes of the ticks that come while an operation is under way.
    pub enum Late {
        /// Their operations follow, one after the other, each as soon as the one before has ended,
        /// until the schedule is met again.
        CatchUp = "catch_up",
        /// They are left out; the next operation begins with the next tick.
        Skip = "skip",
    }
}

crate::params! {
    /// A fixed schedule, one operation under way at a time. The first tick is when the population
    /// begins; of several users, each ticks a share of the interval after the one before.
    pub struct Params {
        /// From tick to tick.
        every: Span, required;
        /// How many users.
        count: u32 = 1, "our choice";
        /// What becomes of ticks that come while the last operation is under way.
        late: Late = Late::CatchUp, "our choice";
        /// The share of operations that are reads.
        reads: Share = Share(0.0), "our choice: writes only";
    }
}

/// The loop at work. An operation has the number of its tick, whatever was left out before, so
/// that it does the same in every design.
pub struct Loop {
    users: u32,
    every: u64,
    late: Late,
    reads: f64,
}

impl Loop {
    /// The loop that the parameters state.
    pub fn new(params: &Params) -> Loop {
        let every = params.every.as_nanos().max(1);
        Loop { users: params.count, every, late: params.late, reads: params.reads.0 }
    }
    /// When a user's first tick is.
    fn phase(&self, user: u32) -> u64 {
        let share = u128::from(self.every) * u128::from(user) / u128::from(self.users.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
    fn due(&self, user: u32, number: u64) -> Span {
        let since = self.every.saturating_mul(number);
        Span::from_nanos(self.phase(user).saturating_add(since))
    }
}

impl UserLoop for Loop {
    fn users(&self) -> u32 {
        self.users
    }
    fn first(&self, user: u32, _dice: &Dice) -> Option<Next> {
        Some((0, self.due(user, 0)))
    }
    fn next(&self, user: u32, number: u64, now: Span, _dice: &Dice) -> Option<Next> {
        match self.late {
            Late::CatchUp => Some((number + 1, self.due(user, number + 1).max(now))),
            Late::Skip => {
                let since = now.as_nanos().saturating_sub(self.phase(user));
                let number = since.div_ceil(self.every).max(number + 1);
                Some((number, self.due(user, number)))
            }
        }
    }
    fn act(&self, user: u32, number: u64, dice: &Dice) -> (OpKind, Option<u32>) {
        (dice.kind(user, number, self.reads), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Label, Streams};

    /// The number of each operation and when it begins, where the n-th one takes so many
    /// milliseconds.
    fn play(late: Late, takes: &[u64]) -> Vec<(u64, u64)> {
        let params = Params { every: Span::from_millis(10), late, ..Params::default() };
        let users = Loop::new(&params);
        let dice = Dice::new(&Streams::new(1, 0), Label::new("clients"));
        let (mut next, mut begun) = (users.first(0, &dice), Vec::new());
        for takes in takes {
            let (number, begins) = next.expect("a schedule does not end");
            begun.push((number, begins.as_nanos() / 1_000_000));
            let ends = begins.saturating_add(Span::from_millis(*takes));
            next = users.next(0, number, ends, &dice);
        }
        begun
    }

    #[test]
    fn late_ones_follow_at_once_until_the_schedule_is_met() {
        // The second takes 35 ms: ticks 2, 3 and 4 come meanwhile, and follow back to back.
        let begun = play(Late::CatchUp, &[1, 35, 1, 1, 1, 1]);
        assert_eq!(begun, [(0, 0), (1, 10), (2, 45), (3, 46), (4, 47), (5, 50)]);
    }

    #[test]
    fn late_ones_are_left_out() {
        let begun = play(Late::Skip, &[1, 35, 1, 20, 1]);
        // One that ends with a tick is not late for it.
        assert_eq!(begun, [(0, 0), (1, 10), (5, 50), (6, 60), (8, 80)]);
    }

    #[test]
    fn users_share_the_interval() {
        let params = Params { every: Span::from_millis(10), count: 4, ..Params::default() };
        let dice = Dice::new(&Streams::new(1, 0), Label::new("clients"));
        let first = |user| Loop::new(&params).first(user, &dice).map(|(_, at)| at.as_nanos());
        assert_eq!([0, 1, 2, 3].map(first), [0, 2_500_000, 5_000_000, 7_500_000].map(Some));
    }
}
