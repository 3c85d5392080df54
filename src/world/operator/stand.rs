//! A member stands for election.

use super::{Action, Scene};
use crate::model::id::ProcessId;
use crate::model::order::Order;
use crate::sim::param::Name;

crate::params! {
    /// A member of a group that elects its leader is told to stand for election at once, whether
    /// or not it hears a leader. Where members ask before they stand (`pre_vote`), it asks.
    pub struct Params {
        /// Which: a replica, `STORE@PLACE`.
        node: Name, required;
    }
}

impl Action for Params {
    fn who(&self) -> Option<&Name> {
        Some(&self.node)
    }
    fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)> {
        scene.databases().into_iter().map(|database| (database, Order::Stand)).collect()
    }
}
