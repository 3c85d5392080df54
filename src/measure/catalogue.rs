//! The catalogue: every number a trial can yield, with its definition in a sentence or two.
//! The full definitions stand at the head of [`crate::measure`].

use crate::measure::metric::{Better, MetricDoc, Unit};
use Better::{Higher, Lower, Neither};
use Unit::{Count, PerSecond, Ratio, Seconds, Share};

const STORE: &[&str] = &["store"];
const CLIENT: &[&str] = &["store", "region", "client"];
const KIND: &[&str] = &["store", "region", "kind"];
const OPERATIONS: &[&str] = &["store", "region", "client", "kind", "window"];
const ONE_KIND: &[&str] = &["store", "region", "client", "window"];
const OVER: &[&str] = &["store", "over"];
const REGION: &[&str] = &["store", "region"];
const GROUP: &[&str] = &["group"];

const fn metric(
    name: &'static str,
    unit: Unit,
    better: Better,
    labels: &'static [&'static str],
    doc: &'static str,
) -> MetricDoc {
    let unbounded = !matches!(unit, Share);
    MetricDoc { name, unit, doc, labels, unbounded, better, self_reported: false }
}

/// A count or length that a right design holds at zero, so that `max == 0` is a fair limit.
const fn bounded(doc: MetricDoc) -> MetricDoc {
    MetricDoc { unbounded: false, ..doc }
}

const fn phase(name: &'static str, doc: &'static str) -> MetricDoc {
    MetricDoc { self_reported: true, ..metric(name, Seconds, Lower, STORE, doc) }
}

/// Every metric, in the order reports show them.
pub const CATALOGUE: &[MetricDoc] = &[
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
    metric(
        "rpo.time",
        Seconds,
        Lower,
        STORE,
        "Realised RPO: over the lost writes of one deposition, the later of onset and the last lost answer, minus the first lost answer; the worst deposition; 0 when none is lost.",
    ),
    metric(
        "rpo.at_onset",
        Seconds,
        Lower,
        STORE,
        "The textbook RPO: onset minus the first lost answer, over writes lost by lag only. It hides stranded writes: read it with `writes.stranded`.",
    ),
    bounded(metric(
        "writes.lost",
        Count,
        Lower,
        STORE,
        "Acknowledged writes absent from the survivor.",
    )),
    bounded(metric(
        "writes.lost_lag",
        Count,
        Lower,
        STORE,
        "Lost writes that were answered before the onset of the fault that led to the deposition.",
    )),
    bounded(metric(
        "writes.stranded",
        Count,
        Lower,
        STORE,
        "Lost writes that were answered after that onset, by a primary about to be deposed.",
    )),
    bounded(metric("writes.unflushed", Count, Lower, STORE, "Lost writes that no disk ever held.")),
    metric(
        "writes.acknowledged",
        Count,
        Higher,
        STORE,
        "Writes whose client received success before its deadline, warm-up included.",
    ),
    metric(
        "writes.unacked_survived",
        Count,
        Lower,
        STORE,
        "Writes that ended not ok and yet are in the survivor: the seed of double effects.",
    ),
    bounded(metric(
        "writes.doubled",
        Count,
        Lower,
        CLIENT,
        "Writes that stand more than once in the survivor: a retry that was applied again.",
    )),
    bounded(metric(
        "writes.doubled_acknowledged",
        Count,
        Lower,
        CLIENT,
        "Those of them whose client received success.",
    )),
    metric(
        "writes.gap",
        Seconds,
        Lower,
        CLIENT,
        "The longest interval without an acknowledged write that ends after onset or is still open; in a trial without an episode, the longest after warm-up.",
    ),
    bounded(metric(
        "split_brain.incidents",
        Count,
        Lower,
        STORE,
        "Times two nodes answered writes with success on conflicting histories, the older side after the newer side's first such answer.",
    )),
    bounded(metric(
        "split_brain.duration",
        Seconds,
        Lower,
        STORE,
        "Total length of those incidents.",
    )),
    bounded(metric(
        "split_brain.answers_winner",
        Count,
        Lower,
        STORE,
        "Conflicting answers in incidents on the side that survived.",
    )),
    bounded(metric(
        "split_brain.answers_loser",
        Count,
        Lower,
        STORE,
        "Conflicting answers in incidents on the side that did not.",
    )),
    bounded(metric(
        "split_brain.keys_both",
        Count,
        Lower,
        STORE,
        "Keys written on both sides of an incident.",
    )),
    bounded(metric(
        "dual_primary.time",
        Seconds,
        Lower,
        STORE,
        "Total time in which two running nodes admitted writes: exposure, whether or not anyone wrote.",
    )),
    bounded(metric("dual_primary.intervals", Count, Lower, STORE, "Number of such intervals.")),
    metric(
        "failover.count",
        Count,
        Neither,
        STORE,
        "Times another node than the acting primary became primary, returns to the initial primary not counted.",
    ),
    metric(
        "failback.count",
        Count,
        Neither,
        STORE,
        "Times the initial primary became primary again.",
    ),
    bounded(metric(
        "failback.caught_up",
        Count,
        Higher,
        STORE,
        "1 when at every failback the disk of the one returned to held all that had been acknowledged, else 0; missing where there was no failback.",
    )),
    bounded(metric(
        "failback.lost",
        Count,
        Lower,
        STORE,
        "Lost writes whose writer was deposed by the return of the initial primary; missing where there was no failback.",
    )),
    metric(
        "failback.outage",
        Seconds,
        Lower,
        REGION,
        "The longest gap in a region's acknowledged writes from before a failback to its first one at the primary returned to; without a region, the worst; missing where there was no failback.",
    ),
    bounded(metric(
        "failover.false",
        Count,
        Lower,
        STORE,
        "Failovers that began to take the right from an old primary that was up, admitted writes and was reachable from a majority of client regions.",
    )),
    bounded(metric(
        "failover.missed",
        Count,
        Lower,
        STORE,
        "Times the primary was down, unreachable or not admitting for longer than the objective RTO (else 10 min), and nothing was authorised.",
    )),
    metric(
        "outage.count",
        Count,
        Lower,
        KIND,
        "Outages: maximal runs of windows in which too few operations ended ok.",
    ),
    metric(
        "downtime",
        Seconds,
        Lower,
        KIND,
        "Total length of outages; without a region, of the worst region.",
    ),
    MetricDoc {
        unbounded: true,
        ..metric(
            "budget.used",
            Share,
            Lower,
            CLIENT,
            "Share of the error budget used: operations invoked after warm-up that did not end ok, by what `policy.availability_slo` allows. More than 100 % is more than there was; missing where no objective below 100 % is stated.",
        )
    },
    metric(
        "burn.worst",
        Ratio,
        Lower,
        OVER,
        "The worst burn rate over a stretch of `measure.burn_alerts`: the share that ended not ok, by the error budget; without a stretch, over the shortest.",
    ),
    metric(
        "burn.alert_time",
        Seconds,
        Lower,
        OVER,
        "Time in which the alert over that long stretch would have fired; without a stretch, any of them.",
    ),
    metric(
        "degraded.rule_time",
        Seconds,
        Lower,
        STORE,
        "Time after warm-up in which a running node admitted writes and waited for fewer confirmations than configured.",
    ),
    metric(
        "degraded.redundancy_time",
        Seconds,
        Lower,
        STORE,
        "Time after warm-up with at most one copy: running members whose disks hold all that was acknowledged until `copy_lag` ago. Missing where the store has one member.",
    ),
    metric(
        "degraded.no_copy_time",
        Seconds,
        Lower,
        STORE,
        "Time after warm-up without any such copy.",
    ),
    metric(
        "availability",
        Share,
        Higher,
        OPERATIONS,
        "Share of operations invoked after warm-up that ended ok, retries included.",
    ),
    metric("availability.writes", Share, Higher, ONE_KIND, "The same, of writes."),
    metric("availability.reads", Share, Higher, ONE_KIND, "The same, of reads."),
    metric("ops.ok", Count, Higher, OPERATIONS, "Operations invoked after warm-up that ended ok."),
    metric(
        "ops.fail",
        Count,
        Lower,
        OPERATIONS,
        "Operations invoked after warm-up that definitely did not happen.",
    ),
    metric(
        "ops.unknown",
        Count,
        Lower,
        OPERATIONS,
        "Operations invoked after warm-up of which the client knows neither.",
    ),
    metric(
        "ops.rate",
        PerSecond,
        Higher,
        OPERATIONS,
        "Operations that ended ok, per second of the window they were invoked in; without a window, from the end of warm-up to the end of the run.",
    ),
    metric(
        "latency.mean",
        Seconds,
        Lower,
        OPERATIONS,
        "Mean time from invocation to success, of operations that ended ok.",
    ),
    metric("latency.p50", Seconds, Lower, OPERATIONS, "Median time from invocation to success."),
    metric(
        "latency.p90",
        Seconds,
        Lower,
        OPERATIONS,
        "90th percentile of the time from invocation to success.",
    ),
    metric(
        "latency.p95",
        Seconds,
        Lower,
        OPERATIONS,
        "95th percentile of the time from invocation to success.",
    ),
    metric(
        "latency.p99",
        Seconds,
        Lower,
        OPERATIONS,
        "99th percentile of the time from invocation to success.",
    ),
    metric(
        "latency.p999",
        Seconds,
        Lower,
        OPERATIONS,
        "99.9th percentile of the time from invocation to success.",
    ),
    metric(
        "election.first_majority",
        Seconds,
        Lower,
        GROUP,
        "From the start to the first node that leads with the votes of a majority of a coordination service.",
    ),
    bounded(metric(
        "survivor.provisional",
        Count,
        Neither,
        STORE,
        "1 when nobody wrote or admitted writes in the end, so that the survivor is the most advanced disk that could restart.",
    )),
    bounded(metric(
        "survivor.unresolved",
        Count,
        Lower,
        STORE,
        "1 when two nodes ended as primary on conflicting histories, so that loss has only bounds.",
    )),
    phase(
        "phase.detect",
        "From the episode's onset to the moment enough checkers say unhealthy; self-reported.",
    ),
    phase(
        "phase.decide",
        "The hold time and the cool-down, from there until a decision is asked for or made; self-reported.",
    ),
    phase("phase.approve", "Waiting for a person to agree, or to begin; self-reported."),
    phase("phase.drain", "Stopping traffic and letting work under way end; self-reported."),
    phase("phase.fence", "Making the old primary harmless; self-reported."),
    phase("phase.promote", "Promoting the new primary; self-reported."),
    phase("phase.route", "Sending clients to the new primary; self-reported."),
];
