//! No routing: clients that were given one node's address and know no other.

use crate::model::ctx::{Ctx, Timer};
use crate::model::id::ProcessId;
use crate::model::msg::Msg;
use crate::model::route::{Moves, Routed, Routes, Waiting};
use crate::sim::rng::Stream;

/// Every attempt goes to this database.
pub struct Direct(pub ProcessId);

impl Routes for Direct {
    fn pick(&self, _dice: &mut Stream) -> u32 {
        0
    }
    fn route(&mut self, _resolver: u32, _attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        Routed::To(self.0)
    }
    fn hear(&mut self, _from: ProcessId, _msg: &Msg, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {}
    fn timer(
        &mut self,
        _timer: Timer,
        _waits: &dyn Fn(Waiting) -> bool,
        _moves: &mut Moves,
        _ctx: &mut Ctx<'_>,
    ) {
    }
}
