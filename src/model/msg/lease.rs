//! What lease holders and the coordination service say to each other.

use crate::model::id::{FencingToken, LogIndex, NodeId, ProcessId};

/// Lease holder (an agent) and coordination service (its voters). The group is the store whose
/// lease it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LeaseMsg {
    /// Give me the lease, or renew it. With a token it is granted only while that is the newest
    /// token there is: held still, or lapsed with nobody after it (then a larger one comes back).
    /// Otherwise it is denied, so that a former holder learns that somebody came after it.
    Acquire {
        /// Numbers the request; the answer repeats it.
        seq: u32,
        /// The token last held; 0 asks for the lease if it is free, whoever held it before.
        token: FencingToken,
    },
    /// I give it up.
    Release {
        /// The token held.
        token: FencingToken,
    },
    /// It is yours, for its full length from when you asked.
    Granted {
        /// Of the request.
        seq: u32,
        /// Its token; larger for each new holder, and after each lapse.
        token: FencingToken,
    },
    /// Somebody else holds it, or held it after the token that was shown.
    Denied {
        /// Of the request.
        seq: u32,
        /// Who.
        holder: NodeId,
        /// With which token.
        token: FencingToken,
    },
    /// I do not lead; perhaps this one does.
    NotLeader {
        /// Of the request.
        seq: u32,
        /// Who might.
        hint: Option<ProcessId>,
    },
    /// How does the lease stand?
    Look {
        /// Numbers the request; the answer repeats it.
        seq: u32,
        /// Tell me once when it changes hands or becomes free.
        watch: bool,
    },
    /// It stands so.
    Seen {
        /// Of the request.
        seq: u32,
        /// Who holds it.
        holder: Option<NodeId>,
        /// The newest token there is; 0 when nobody ever held it.
        token: FencingToken,
        /// How far the database of a holder had come when that last said so.
        published: LogIndex,
    },
    /// The holder's database has come so far.
    Publish {
        /// The token held.
        token: FencingToken,
        /// The last entry of its durable history.
        at: LogIndex,
    },
    /// To one who watches: it has changed hands, or is free.
    Changed,
}
