//! Metrics of recovery: how long it took.

use super::*;

/// In the order reports show them.
pub const ROWS: &[MetricDoc] = &[
    metric(
        "rto.restored",
        Seconds,
        Lower,
        REGION,
        "Realised RTO: from the episode's onset to the later of `rto.first_write` and the end of its last outage; without a region, the worst region; the worst episode of the trial.",
    ),
    metric(
        "rto.first_write",
        Seconds,
        Lower,
        CLIENT,
        "From onset to the acknowledgement that ends the longest gap in acknowledged writes; without a region, the worst region.",
    ),
    metric(
        "rto.client_mean",
        Seconds,
        Lower,
        CLIENT,
        "Mean downtime of a client in the episode: over time, the share of operations that did not end ok; weighted by traffic.",
    ),
    metric(
        "rto.p95_clients",
        Seconds,
        Lower,
        STORE,
        "From onset until 95 % of offered traffic succeeds.",
    ),
    metric(
        "dns.tail",
        Seconds,
        Lower,
        REGION,
        "From a region's first acknowledged write at the new primary to the moment its last resolver sends clients there; without a region, the worst. Missing where no failover moved a resolver.",
    ),
];
