//! What an operator orders, outside of what participants decide by themselves.

use crate::model::id::{GroupId, NodeId};
use crate::sim::Span;

/// An order, given at a console: nothing delays or loses it, and a process that does not run hears
/// nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// To whoever decides for a store: another node is to lead.
    Switch {
        /// The store.
        group: GroupId,
        /// Who; nothing for the best.
        to: Option<NodeId>,
        /// Only with everything that the present primary has.
        whole: bool,
        /// After so long it is given up, unless somebody is being promoted.
        patience: Span,
    },
    /// To a database: it is to lead no longer, if it does.
    StepDown,
    /// To a member of a group that elects its leader: it is to stand for election at once.
    Stand,
}
