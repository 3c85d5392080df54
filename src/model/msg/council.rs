//! What controllers say to each other that elect the one that acts.

use crate::model::id::{FencingToken, NodeId, ProcessId, Term};

/// Between controllers that elect the one that acts. The group is one of their stores.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum CouncilMsg {
    /// Do you too find this node down?
    Ask {
        /// Which.
        node: NodeId,
        /// The newest term I know; with `stands`, the one I stand for.
        term: Term,
        /// Your vote, please.
        stands: bool,
    },
    /// What I think of that node, and whom I voted for.
    Say {
        /// Which.
        node: NodeId,
        /// True when I find it down.
        down: bool,
        /// My latest vote: for whom, and in which term.
        vote: Option<(ProcessId, Term)>,
    },
    /// Whom I know as primary. The newest term wins.
    Hello {
        /// The newest term I know.
        newest: Term,
        /// Who is primary.
        primary: NodeId,
        /// Since which term.
        term: Term,
        /// With which token.
        token: FencingToken,
    },
}
