//! A database leads no longer.

use super::{Action, Scene};
use crate::model::id::ProcessId;
use crate::model::order::Order;
use crate::sim::param::Name;

crate::params! {
    /// A database is told to lead no longer. The members of a group that elects its leader elect
    /// one; elsewhere nobody follows it unless the checkers notice, or somebody acts.
    pub struct Params {
        /// Which: a replica, `STORE@PLACE`.
        node: Option<Name> = None, "whoever leads";
    }
}

impl Action for Params {
    fn who(&self) -> Option<&Name> {
        self.node.as_ref()
    }
    fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)> {
        scene.databases().into_iter().map(|database| (database, Order::StepDown)).collect()
    }
}
