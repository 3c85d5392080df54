//! Replicas of a store with one writer: a shell for admission, lease, fencing and answers, and a
//! mode that says when a write counts as done.

pub mod async_log;
pub mod peer;
pub mod sync;

use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Bytes, Name};

crate::catalogue! {
    /// How a store replicates.
    pub enum ModeParams by "mode" {
        "async" => Async(async_log::Params),
        "sync" => Sync(sync::Params),
    }
}

crate::choices! {
    /// What a database does when its process starts again after a crash.
    pub enum Restart {
        /// What it was: a primary goes on as primary unless something stops it (PostgreSQL does).
        AsItWas = "as_it_was",
        /// A standby, until it is promoted or the lease makes it primary.
        Standby = "standby",
    }
}

crate::params! {
    /// A store: what is replicated where, and how.
    pub struct StoreParams {
        /// The region (or `region/zone`) of the primary.
        primary: Name, required;
        /// The regions (or zones) of the standbys, in order of preference.
        standbys: Vec<Name> = Vec::new(), "none";
        /// How it replicates: a table with `mode` and the parameters of that mode.
        replication: ModeParams, required;
        /// How long the disk takes to make a group of writes durable.
        fsync: DistSpec = DistSpec::Constant(Span::from_millis(1)), "our choice: a cloud SSD";
        /// Log bytes per write on the wire to a standby, beside the payload.
        log_overhead: Bytes = Bytes(100), "our choice";
        /// Size of a write's payload.
        write_size: Bytes = Bytes(1000), "our choice";
        /// Size of the answer to a read.
        read_size: Bytes = Bytes(1000), "our choice";
        /// From the start of its process until a database works again after a crash.
        restart_time: DistSpec = DistSpec::Constant(Span::from_secs(5)), "our choice";
        /// What a restarted database believes to be.
        restart: Restart = Restart::AsItWas, "PostgreSQL";
        /// Which `[lease.NAME]` it uses; where left out, the unnamed `[lease]`, if there is one.
        lease: Option<Name> = None, "the unnamed one";
        /// Which `[health_check.NAME]` watches it.
        health_check: Option<Name> = None, "the unnamed one";
        /// Which `[failover.NAME]` it fails over by.
        failover: Option<Name> = None, "the unnamed one";
        /// Which `[routing.NAME]` sends its clients.
        routing: Option<Name> = None, "the unnamed one";
    }
}

impl Default for ModeParams {
    /// Only stands in where a file states none, which is a problem that is reported.
    fn default() -> ModeParams {
        let mut nothing = crate::sim::param::Problems::default();
        let empty = crate::sim::param::Node::table(Vec::new());
        ModeParams::Async(async_log::Params::read(&empty, &mut nothing))
    }
}
