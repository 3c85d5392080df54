//! The control plane alone is gone: what runs goes on, and nobody can change it.

use super::{Act, Fault};
use crate::sim::param::Problems;
use crate::world::layout::Layout;

crate::choices! {
    /// What can no longer be done.
    pub enum Stops {
        /// Roles cannot be changed: nobody is stopped, promoted, or told to follow another, and
        /// nobody gets a lease that is not its own already.
        Promotion = "promotion",
        /// Clients cannot be sent elsewhere: name servers and load balancers are told nothing new.
        Routing = "routing",
    }
}

crate::params! {
    /// The control plane is gone. Databases, agents, checkers, controllers, voters and name servers
    /// run on and talk; leases are renewed, name servers answer with what they have, a load
    /// balancer that checks for itself (`proxy`) goes on doing so. What does not get through are
    /// orders: of a controller, a council or a racer. Those given meanwhile wait, as on a
    /// connection that is cut, and are carried out in their order when the fault clears, if
    /// whoever gave them still runs.
    pub struct Params {
        /// What can no longer be done.
        stops: Vec<Stops> = vec![Stops::Promotion, Stops::Routing], "our choice: all of it";
    }
}

impl Fault for Params {
    fn acts(&self, _: &Layout, _: &mut Problems) -> Vec<Act> {
        self.stops.iter().map(|stops| Act::StopOrders(*stops)).collect()
    }
}
