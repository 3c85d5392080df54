//! No routing: clients that were given one node's address and know no other.

use crate::model::ctx::Ctx;
use crate::model::id::ProcessId;
use crate::model::route::{Routed, Routes, Waiting};

/// Every attempt goes to this database.
pub struct Direct(pub ProcessId);

impl Routes for Direct {
    fn route(&mut self, _resolver: u32, _attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        Routed::To(self.0)
    }
}
