//! A fixed sequence of operations, one after another.

use super::{Dice, LEAST_PAUSE, Next, OpWord, UserLoop};
use crate::model::fact::OpKind;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};

crate::params! {
    /// An operation of a sequence.
    pub struct Step {
        /// What it does.
        op: OpWord, required;
        /// The key.
        key: Option<u32> = None, "drawn as the population's `keys` say";
    }
}

crate::params! {
    /// One user executes these operations in this order, each when the one before has ended.
    pub struct Params {
        /// The operations.
        operations: Vec<Step>, required;
        /// From the end of an operation, however it ended, until the next one begins.
        pause: DistSpec = DistSpec::Constant(Span::ZERO), "our choice: at once";
        /// Begin again when the last one has ended.
        repeat: bool = false, "our choice: once through";
    }
}

/// The loop at work.
pub struct Loop {
    steps: Vec<Step>,
    pause: Dist,
    repeat: bool,
}

impl Loop {
    /// The loop that the parameters state.
    pub fn new(params: &Params) -> Loop {
        let steps = params.operations.clone();
        Loop { steps, pause: Dist::new(&params.pause), repeat: params.repeat }
    }
}

impl UserLoop for Loop {
    fn users(&self) -> u32 {
        u32::from(!self.steps.is_empty())
    }
    fn first(&self, _user: u32, _dice: &Dice) -> Option<Next> {
        Some((0, Span::ZERO))
    }
    fn next(&self, user: u32, number: u64, now: Span, dice: &Dice) -> Option<Next> {
        let number = number + 1;
        let pause = self.pause.quantile_of(dice.pause(user, number)).max(LEAST_PAUSE);
        let goes_on = self.repeat || number < self.steps.len() as u64;
        goes_on.then_some((number, now.saturating_add(pause)))
    }
    fn act(&self, _user: u32, number: u64, _dice: &Dice) -> (OpKind, Option<u32>) {
        let step = &self.steps[(number % self.steps.len() as u64) as usize];
        (step.op.kind(), step.key)
    }
}
