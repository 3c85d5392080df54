//! A planned switch: nothing that was answered is left behind.

use super::{Action, Scene};
use crate::model::id::ProcessId;
use crate::model::order::Order;
use crate::sim::Span;
use crate::sim::param::Name;
use crate::world::layout::Layout;

crate::params! {
    /// A planned switch, by the controller: traffic is stopped, the last writes are shipped, and
    /// only then the other one is promoted. The controller refuses it while it fails over.
    pub struct Params {
        /// Who is to lead: a replica, `STORE@PLACE`.
        to: Option<Name> = None, "the best standby";
        /// After so long it is given up, unless somebody is being promoted.
        timeout: Span = Span::from_secs(30), "our choice";
    }
}

impl Action for Params {
    fn who(&self) -> Option<&Name> {
        self.to.as_ref()
    }
    fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)> {
        let (group, to, patience) = (Layout::store_group(scene.store), scene.node(), self.timeout);
        let order = Order::Switch { group, to, whole: true, patience };
        scene.controller().into_iter().map(|controller| (controller, order)).collect()
    }
}
