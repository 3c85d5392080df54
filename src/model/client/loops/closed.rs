//! A closed loop: each user waits for its operation to end, thinks, and begins the next.

use super::{Dice, LEAST_PAUSE, Next, UserLoop};
use crate::model::fact::OpKind;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Share;

crate::params! {
    /// A closed loop: each user has one operation under way, and thinks when it has ended. With
    /// one user this is a sequential client. Users begin by thinking.
    pub struct Params {
        /// How many users.
        count: u32 = 1, "our choice: a sequential client";
        /// From the end of an operation, however it ended, until the next one begins.
        think_time: DistSpec = DistSpec::exponential(Span::from_secs(7)), "TPC-W: negative exponential, mean 7 s";
        /// The share of operations that are reads.
        reads: Share = Share(0.0), "our choice: writes only";
    }
}

/// The loop at work.
pub struct Loop {
    users: u32,
    think: Dist,
    reads: f64,
}

impl Loop {
    /// The loop that the parameters state.
    pub fn new(params: &Params) -> Loop {
        Loop { users: params.count, think: Dist::new(&params.think_time), reads: params.reads.0 }
    }
    fn think(&self, user: u32, number: u64, dice: &Dice) -> Span {
        self.think.quantile_of(dice.pause(user, number))
    }
}

impl UserLoop for Loop {
    fn users(&self) -> u32 {
        self.users
    }
    fn first(&self, user: u32, dice: &Dice) -> Option<Next> {
        Some((0, self.think(user, 0, dice)))
    }
    fn next(&self, user: u32, number: u64, now: Span, dice: &Dice) -> Option<Next> {
        let pause = self.think(user, number + 1, dice).max(LEAST_PAUSE);
        Some((number + 1, now.saturating_add(pause)))
    }
    fn act(&self, user: u32, number: u64, dice: &Dice) -> (OpKind, Option<u32>) {
        (dice.kind(user, number, self.reads), None)
    }
}
