//! Metrics of elections, of the survivor, and what participants say of themselves.

use super::*;

/// In the order reports show them.
pub const ROWS: &[MetricDoc] = &[
    metric(
        "election.first_majority",
        Seconds,
        Lower,
        GROUP,
        "From the start to the first node that leads with the votes of a majority of a coordination service, or of a store that elects its leader.",
    ),
    metric(
        "election.count",
        Count,
        Neither,
        STORE,
        "Leaders elected after the first, in a store that elects its leader.",
    ),
    metric(
        "election.term",
        Count,
        Neither,
        STORE,
        "The latest term that had a leader; missing where none did.",
    ),
    metric(
        "election.time",
        Seconds,
        Lower,
        STORE,
        "From the onset of a fault to the election that follows it, counted from the latest onset before; the longest of the trial; missing where no election followed a fault.",
    ),
    metric(
        "election.no_leader",
        Seconds,
        Lower,
        STORE,
        "Time after the first leader in which no member that ran took writes. A leader that is cut off takes them until it steps down.",
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
