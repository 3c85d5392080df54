//! Asynchronous log shipping: the primary answers on its own, the standbys follow.

use crate::sim::Span;
use crate::sim::dist::DistSpec;

crate::choices! {
    /// When the primary ships what it has.
    pub enum Ship {
        /// After every local disk write, as PostgreSQL streams its log.
        Flush = "flush",
        /// At a fixed interval, as log shipping by files does.
        Batch = "batch",
    }
}

crate::choices! {
    /// When the primary answers a write.
    pub enum Answer {
        /// When its own disk has it.
        Flush = "flush",
        /// As soon as it is in memory (`synchronous_commit = off`).
        Append = "append",
    }
}

crate::params! {
    /// Asynchronous: the primary answers on its own; what has not reached a standby when the
    /// primary is lost, is lost.
    pub struct Params {
        /// When the primary ships its log.
        ship: Ship = Ship::Flush, "PostgreSQL streaming replication";
        /// The interval of `ship = "batch"`.
        batch_interval: Span = Span::from_secs(1), "our choice";
        /// When the primary answers a write.
        answer: Answer = Answer::Flush, "PostgreSQL synchronous_commit = local";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}
