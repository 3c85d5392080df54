//! Synchronous replication: all standbys, or any k of them, confirm before the answer.

use crate::sim::Span;
use crate::sim::dist::DistSpec;

crate::choices! {
    /// What a standby must have done before it confirms.
    pub enum Ack {
        /// It is on the standby's disk (PostgreSQL `synchronous_commit = on`).
        Flush = "flush",
        /// It has arrived (`remote_write`).
        Receive = "receive",
        /// It is visible on the standby (`remote_apply`).
        Apply = "apply",
    }
}

crate::choices! {
    /// What happens to writes when too few standbys confirm.
    pub enum OnDeadStandby {
        /// They wait.
        Block = "block",
        /// A standby that has not confirmed for `drop_after` no longer counts, until it has
        /// caught up.
        Drop = "drop",
    }
}

crate::params! {
    /// Synchronous: a write is answered when all standbys, or `acks` of them, have confirmed it.
    pub struct Params {
        /// How many standbys must confirm; all of them where this is left out.
        acks: Option<u32> = None, "all standbys";
        /// What a standby must have done before it confirms.
        ack_on: Ack = Ack::Flush, "PostgreSQL synchronous_commit = on";
        /// What happens when too few confirm.
        dead_standby: OnDeadStandby = OnDeadStandby::Block, "PostgreSQL: a commit waits";
        /// How long a silent standby counts, with `dead_standby = "drop"`.
        drop_after: Span = Span::from_secs(10), "our choice";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}
