//! A forced switch: with what the new primary has.

use super::{Action, Scene};
use crate::model::id::ProcessId;
use crate::model::order::Order;
use crate::sim::Span;
use crate::sim::param::Name;
use crate::world::layout::Layout;

crate::params! {
    /// A forced switch, by the controller: the steps of a failover, without waiting for checkers,
    /// a cool-down, or the last writes. The controller refuses it while it fails over.
    pub struct Params {
        /// Who is to lead: a replica, `STORE@PLACE`.
        to: Name, required;
        /// After so long it is given up, unless somebody is being promoted.
        timeout: Span = Span::from_secs(600), "our choice";
    }
}

impl Action for Params {
    fn who(&self) -> Option<&Name> {
        Some(&self.to)
    }
    fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)> {
        let (group, to, patience) = (Layout::store_group(scene.store), scene.node(), self.timeout);
        let order = Order::Switch { group, to, whole: false, patience };
        scene.controller().into_iter().map(|controller| (controller, order)).collect()
    }
}
