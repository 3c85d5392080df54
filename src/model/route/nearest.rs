//! No routing: clients that know the addresses of all replicas and ask the nearest one, or the
//! one of which they were told that it leads.
//!
//! What an attempt did not get there, the next one asks of the next nearest: a client library
//! that goes through its list of endpoints. It forgets then who leads.

use crate::model::ctx::Ctx;
use crate::model::id::ProcessId;
use crate::model::msg::{ClientMsg, Msg};
use crate::model::route::{Moves, Routed, Routes, Waiting};

/// Addresses, nearest first.
pub struct Nearest {
    order: Vec<ProcessId>,
    leader: Option<ProcessId>,
}

impl Nearest {
    /// Clients that know these, in that order; one at least.
    pub fn new(order: Vec<ProcessId>) -> Nearest {
        Nearest { order, leader: None }
    }
}

impl Routes for Nearest {
    fn route(&mut self, _resolver: u32, attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        let nth = usize::from(attempt.attempt);
        if nth > 0 {
            self.leader = None;
        }
        Routed::To(self.leader.unwrap_or(self.order[nth % self.order.len()]))
    }
    fn hear(&mut self, _from: ProcessId, msg: &Msg, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {
        if let Msg::Client(ClientMsg::Redirect { to, .. }) = *msg {
            self.leader = Some(to);
        }
    }
    fn reset(&mut self, by: ProcessId, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {
        self.leader = self.leader.filter(|leader| *leader != by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::OpKind;
    use crate::model::id::{NodeId, OpId};
    use crate::model::log::Book;
    use crate::sim::time::{LocalTime, WallTime};

    #[test]
    fn the_nearest_first_then_the_next_and_the_leader_once_it_is_known() {
        let (book, mut effects) = (Book::new(0), Vec::new());
        let now = LocalTime::ZERO;
        let mut ctx = Ctx::new(ProcessId(9), NodeId(9), now, WallTime::ZERO, &book, &mut effects);
        let mut router = Nearest::new(vec![ProcessId(2), ProcessId(0), ProcessId(1)]);
        let mut asks = |router: &mut Nearest, attempt: u8| {
            let routed =
                router.route(0, Waiting { seq: 0, attempt, kind: OpKind::Write }, &mut ctx);
            match routed {
                Routed::To(to) => to.0,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([0, 1, 2, 3].map(|n| asks(&mut router, n)), [2, 0, 1, 2]);
        router.leader = Some(ProcessId(1));
        assert_eq!([0, 0, 1, 0].map(|n| asks(&mut router, n)), [1, 1, 0, 2], "a failure forgets");
        let mut effects = Vec::new();
        let mut ctx = Ctx::new(ProcessId(9), NodeId(9), now, WallTime::ZERO, &book, &mut effects);
        let told = ClientMsg::Redirect { op: OpId::default(), attempt: 0, to: ProcessId(1) };
        router.hear(ProcessId(2), &Msg::Client(told), &mut Moves::default(), &mut ctx);
        assert_eq!(router.leader, Some(ProcessId(1)));
        router.reset(ProcessId(1), &mut Moves::default(), &mut ctx);
        assert_eq!(router.leader, None);
    }
}
