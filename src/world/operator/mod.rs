//! What operators do, and when. One file and one line per action.
//!
//! An operator acts once, at a console: an action says which [`Order`]s go to which processes,
//! and the world hands them over at the time. The judges hear that an operator acted on a store
//! ([`Fact::Ordered`]), so that a planned switch is no false failover.
//!
//! [`Fact::Ordered`]: crate::model::fact::Fact::Ordered

pub mod promote;
pub mod stand;
pub mod step_down;
pub mod switchover;

use crate::model::id::{NodeId, ProcessId};
use crate::model::order::Order;
use crate::sim::dist::DistSpec;
use crate::sim::param::Name;
use crate::world::fault::FaultCommon;
use crate::world::layout::{Layout, Task};
use crate::world::plan::{OperatorPlan, Plan};

crate::params! {
    /// An operator, who acts once; each action has parameters of its own.
    pub struct OperatorCommon {
        /// Its name, also of its dice; the action and a number where left out.
        name: Option<Name> = None, "the action and its place in the file";
        /// The store that is acted on; may be left out while there is one.
        store: Option<Name> = None, "the only one";
        /// When, counted from the start of the run, or from the event of `after`.
        at: Option<DistSpec> = None, "stated, unless `after` is (then at once)";
        /// The event it is counted from, as for a fault: `onset:FAULT`, `cleared:FAULT`,
        /// `promoted`, `authorised`, `withdrawn`.
        after: Option<Name> = None, "the start of the run";
        /// Which of these events it follows: 2 is the second. It follows one only.
        nth: u32 = 1, "the first";
    }
}

impl OperatorCommon {
    /// The same times, as those of a fault that begins once.
    pub fn times(&self) -> FaultCommon {
        let (at, after) = (self.at.clone(), self.after.clone());
        FaultCommon { at, after, nth: self.nth, ..FaultCommon::default() }
    }
}

/// Where an action finds the processes it is about.
pub struct Scene<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its processes.
    pub layout: &'a Layout,
    /// Which store.
    pub store: usize,
    /// The replica that the action names.
    pub who: Option<usize>,
}

impl Scene<'_> {
    /// The database of a replica.
    fn database(&self, replica: usize) -> Option<ProcessId> {
        self.layout.process(Task::Database { store: self.store, replica })
    }
    /// The databases of the replica that is named, or of all.
    pub fn databases(&self) -> Vec<ProcessId> {
        let all = 0..self.plan.stores[self.store].replicas.len();
        let meant = all.filter(|replica| self.who.is_none_or(|who| who == *replica));
        meant.filter_map(|replica| self.database(replica)).collect()
    }
    /// The node of the replica that is named.
    pub fn node(&self) -> Option<NodeId> {
        self.who.and_then(|who| self.database(who)).map(|process| self.layout.node_of(process))
    }
    /// Who decides for the store.
    pub fn controller(&self) -> Vec<ProcessId> {
        let failover = self.plan.stores[self.store].failover;
        let it = failover.and_then(|failover| self.layout.process(Task::Controller { failover }));
        it.into_iter().collect()
    }
}

/// What an operator does.
pub trait Action {
    /// The replica it names, as `store@place`.
    fn who(&self) -> Option<&Name>;
    /// Which orders go to which processes.
    fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)>;
}

/// Turns one line per action into the reader's catalogue and the dispatch.
macro_rules! actions {
    ($($word:literal => $variant:ident in $file:ident),* $(,)?) => {
        crate::catalogue! {
            /// What an operator does.
            pub enum ActionParams by "action" {
                $($word => $variant($file::Params)),*
            }
        }

        impl Action for ActionParams {
            fn who(&self) -> Option<&Name> {
                match self { $(ActionParams::$variant(params) => params.who(),)* }
            }
            fn orders(&self, scene: &Scene<'_>) -> Vec<(ProcessId, Order)> {
                match self { $(ActionParams::$variant(params) => params.orders(scene),)* }
            }
        }
    };
}

actions! {
    "switchover" => Switchover in switchover,
    "promote" => Promote in promote,
    "step_down" => StepDown in step_down,
    "stand" => Stand in stand,
}

impl OperatorPlan {
    /// Which orders go to which processes.
    pub fn orders(&self, plan: &Plan, layout: &Layout) -> Vec<(ProcessId, Order)> {
        self.params.orders(&Scene { plan, layout, store: self.store, who: self.who })
    }
}
