//! Operations at exact times, whatever becomes of earlier ones.

use super::{Dice, Next, OpWord, UserLoop};
use crate::model::fact::OpKind;
use crate::sim::Span;

crate::params! {
    /// An operation at an exact time.
    pub struct Line {
        /// When it begins, from the start of the run.
        at: Span, required;
        /// What it does.
        op: OpWord, required;
        /// The key.
        key: Option<u32> = None, "drawn as the population's `keys` say";
    }
}

crate::params! {
    /// Operations at exact times, whether or not earlier ones have ended.
    pub struct Params {
        /// The operations, in the order of their times.
        operations: Vec<Line>, required;
    }
}

/// The script at work.
pub struct Loop {
    lines: Vec<Line>,
}

impl Loop {
    /// The script that the parameters state.
    pub fn new(params: &Params) -> Loop {
        Loop { lines: params.operations.clone() }
    }
    fn line(&self, number: u64) -> Option<Next> {
        self.lines.get(number as usize).map(|line| (number, line.at))
    }
}

impl UserLoop for Loop {
    fn users(&self) -> u32 {
        u32::from(!self.lines.is_empty())
    }
    fn first(&self, _user: u32, _dice: &Dice) -> Option<Next> {
        self.line(0)
    }
    fn meanwhile(&self, number: u64) -> Option<Next> {
        self.line(number + 1)
    }
    fn next(&self, _user: u32, _number: u64, _now: Span, _dice: &Dice) -> Option<Next> {
        None
    }
    fn act(&self, _user: u32, number: u64, _dice: &Dice) -> (OpKind, Option<u32>) {
        let line = &self.lines[number as usize];
        (line.op.kind(), line.key)
    }
}
