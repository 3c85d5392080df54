//! Metrics of stores with versions per key: staleness, visibility, sessions, lost updates,
//! convergence.

use super::*;

/// In the order reports show them.
pub const ROWS: &[MetricDoc] = &[
    metric(
        "reads.stale",
        Share,
        Lower,
        CLIENT,
        "Share of reads invoked after warm-up that returned a version older than one acknowledged before they began.",
    ),
    metric(
        "staleness.mean",
        Seconds,
        Lower,
        CLIENT,
        "From the earliest acknowledgement of a version newer than the one returned to the start of the read, on average; 0 where there is none.",
    ),
    metric("staleness.p99", Seconds, Lower, CLIENT, "The same, of which 1 % of reads have more."),
    metric(
        "staleness.p999",
        Seconds,
        Lower,
        CLIENT,
        "The same, of which 0.1 % of reads have more.",
    ),
    metric("staleness.max", Seconds, Lower, CLIENT, "The same, at most."),
    metric(
        "staleness.versions_mean",
        Count,
        Lower,
        CLIENT,
        "Newer versions acknowledged before a read began that it did not return, on average.",
    ),
    metric("staleness.versions_max", Count, Lower, CLIENT, "The same, at most."),
    metric(
        "visibility.share",
        Share,
        Higher,
        AFTER,
        "Of the reads that began so long after the last acknowledgement of their key (from that mark of `measure.visibility_marks` to the next), the share that saw it; without a mark, of all.",
    ),
    metric(
        "visibility.t99",
        Seconds,
        Lower,
        CLIENT,
        "The first mark from which to the next 99 % of reads saw the last acknowledged write; missing where they never did.",
    ),
    metric("visibility.t999", Seconds, Lower, CLIENT, "The same for 99.9 % of reads."),
    bounded(metric(
        "session.read_your_writes",
        Count,
        Lower,
        CLIENT,
        "Reads of a user that returned an older version than the user's own last acknowledged write.",
    )),
    bounded(metric(
        "session.monotonic_reads",
        Count,
        Lower,
        CLIENT,
        "Reads of a user that returned an older version than an earlier read of the user did.",
    )),
    metric(
        "session.reads",
        Count,
        Neither,
        CLIENT,
        "Reads of users that do one thing after another.",
    ),
    metric(
        "writes.concurrent",
        Count,
        Neither,
        STORE,
        "Acknowledged writes that overlapped with another acknowledged write of their key.",
    ),
    bounded(metric(
        "updates.lost",
        Count,
        Lower,
        STORE,
        "Acknowledged writes that were overwritten by one that is not newer: it overlapped with them, or was older and had a clock that was ahead.",
    )),
    metric(
        "convergence.time",
        Seconds,
        Lower,
        STORE,
        "From when the last passing fault ended until every running replica had the newest version, of each key, whose write had ended by then; the longest.",
    ),
    bounded(metric(
        "divergence.keys",
        Count,
        Lower,
        STORE,
        "Keys on which running replicas differ in the end.",
    )),
];
