//! Connection draining: connections to where clients are sent no longer may finish for a while,
//! then the load balancer cuts them.

use crate::model::ctx::{Ctx, Timer};
use crate::model::id::ProcessId;
use crate::model::route::{FIRST_TIMER, Moves};
use crate::sim::Span;

/// A drain is over; the argument is its number. Beyond the timers of the load balancers.
pub(super) const DRAINED: u16 = FIRST_TIMER + 8;

/// The databases whose connections a load balancer is going to cut.
#[derive(Clone, Debug)]
pub(super) struct Drain {
    /// How long connections may live; for ever where nothing is stated.
    after: Option<Span>,
    /// Under way: number and database.
    leaving: Vec<(u32, ProcessId)>,
    next: u32,
}

impl Drain {
    /// Cuts connections so long after clients were sent elsewhere.
    pub(super) fn new(after: Option<Span>) -> Drain {
        Drain { after, leaving: Vec::new(), next: 0 }
    }
    /// Clients are sent to `to` from now on, and were sent to `from` before. Where they return to
    /// a database that drains, its connections are wanted again.
    pub(super) fn moved(
        &mut self,
        from: Option<ProcessId>,
        to: Option<ProcessId>,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(after) = self.after else { return };
        self.leaving.retain(|(_, database)| Some(*database) != to);
        if let Some(from) = from {
            self.next = self.next.wrapping_add(1);
            self.leaving.push((self.next, from));
            ctx.set_timer(Timer::nth(DRAINED, self.next), after);
        }
    }
    /// The time of a drain is over.
    pub(super) fn timer(&mut self, timer: Timer, moves: &mut Moves) {
        let over = self.leaving.iter().position(|(number, _)| *number == timer.arg);
        moves.cut.extend(over.map(|i| self.leaving.swap_remove(i).1));
    }
}
