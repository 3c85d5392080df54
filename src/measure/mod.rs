//! The judges: how bad was it?
//!
//! Reads the facts of one trial as they happen and makes a [`Verdict`]; over many trials,
//! statistics and expectations. May use `model` (ids, facts, the roster), `sim` (time, dice for
//! the bootstrap, parameters) and `hdrhistogram`. Will never know protocols, roles or claims;
//! [`phases`] alone reads claims, in an observer of its own, and its metrics are marked
//! self-reported.
//!
//! # Definitions
//!
//! These rule over every other text.
//!
//! **Outcomes.** `ok`: the client received success before its deadline. `fail`: it definitely
//! did not happen. `unknown`: anything else; a deadline is unknown. *Not ok*: the last two.
//!
//! **Warm-up, storm, settling.** Measures of service leave warm-up out; its writes count where
//! loss is judged. From the fact `Settling` on nothing new begins; loss is judged at its end.
//!
//! **Episode.** Opened by a fault's onset, or by a change of primary that no fault explains, when
//! the right begins to be taken from the old one (or, where it is not, when the new one gets it).
//! Takes in faults that begin before service is restored. Closed when nothing bad (a bad window,
//! a real gap, a change of primary, no node admitting writes) has been seen for the stable hold;
//! it ends at the last bad thing seen. While a passing fault acts and has had no effect yet, its
//! episode stays open. Where the scenario names a fault (`measure.onset`), that alone opens one:
//! it is the disaster, and what else happens outside of its episodes is their weather.
//!
//! **Acknowledged write.** Its client received `ok` before its deadline.
//!
//! **Survivor.** The history of the node that answered the last write acknowledged in settling;
//! where nobody wrote, of the node that admits writes; else the most advanced disk that can
//! restart (*provisional*). Where that node and one that admits writes in the end, or two that
//! do, have histories of which neither contains the other: *unresolved*, and every figure of
//! loss has bounds. A running node's history is what it has in memory, a dead one's what is on
//! its disk (for stores without disks, what was in memory).
//!
//! **Lost write.** Acknowledged, and at no place where it was appended in the survivor. Its one
//! cause: `unflushed`, no disk ever held it; else `stranded`, answered at or after the onset of
//! the latest fault that hit its writer before that was deposed; else `lag`. Where no fault hit
//! the writer, the deposition stands for the onset.
//!
//! **`rpo.time`.** Over the lost writes of one deposition: the later of that onset and the last
//! lost answer, minus the first lost answer. **`rpo.at_onset`.** That onset minus the first lost
//! answer, over lag only. Both of the worst deposition.
//!
//! **`writes.unacked_survived`.** Writes that ended not ok and are in the survivor.
//! **`writes.doubled`.** Writes that stand more than once in the survivor: their effect came
//! twice. **`writes.doubled_acknowledged`.** Those of them whose client knows of a success.
//!
//! **`writes.gap`.** The longest interval without an acknowledged write that ends in an episode
//! or is still open; per store, region, population. **`rto.first_write`.** From onset to the
//! acknowledgement that ends the longest *real* gap: longer than the longest outside episodes,
//! and with a write in it that ended not ok, or that waited more than twice as long as any before. Zero where there is none.
//!
//! **Outage.** Per region and kind: in windows of 10 s by invocation, widened until they hold
//! 100 operations, fewer than 99 % end ok (where warm-up was below 99.9 %: one point below
//! warm-up). Runs closer than the stable hold are one. **`rto.restored`.** Per region: from onset
//! to the later of `rto.first_write` and the end of the episode's last outage; censored when
//! still bad at the end. **`rto.client_mean`.** Over the episode, the integral of the share of
//! operations that end not ok, weighted by traffic. **`rto.p95_clients`.** Until 95 % of offered
//! traffic succeeds. **`dns.tail`.** See [`routes`].
//!
//! **Split-brain incident.** Two nodes answer writes with success at places in conflicting
//! histories (neither a prefix of the other), the side that began to write earlier after the
//! later one's first such answer. From then until the losing side's last. Judged by when nodes
//! answered. Incidents that overlap are one.
//!
//! **Dual primary.** Two running nodes of a group admit writes. **False failover.** When the
//! failover began to take the right from the old primary (or, where it did not, when the new one
//! was authorised), the old one was up, admitted writes and was reachable both ways from a
//! majority of client regions. **Missed.** The primary was not up, admitting and so reachable for
//! longer than the objective RTO (else 10 min), and nothing was authorised in that time. A return
//! to the initial primary is a *failback*, not a failover.
//!
//! **Degraded time.** After warm-up, the time in which the rule of acknowledgement in force was
//! weaker than configured, in which the store ran without its last redundancy, and in which no
//! running member had everything. See [`degraded`].
//!
//! **Error budget.** One minus the objective. **`budget.used`.** The share of operations since
//! warm-up that ended not ok, by the budget. **Burn rate.** The same over the last stretch of time.
//! **`burn.alert_time`.** The time in which the rates over a long and a short stretch were both at
//! the threshold of an alert. See [`budget`].
//!
//! **Failback.** `failback.lost`: lost writes whose writer was deposed by the initial primary's
//! return. `failback.caught_up`: at each authorisation of the return, its disk held all that had
//! been acknowledged. `failback.outage`: per region, the longest gap in acknowledged writes up to
//! the first one at the primary returned to.
//!
//! **Stores with versions per key** (see [`keyed`]). Of two versions the newer is the one whose write
//! was invoked when the other had ended; of two that overlapped, the one with the larger stamp. A
//! read is *stale* when a version newer than the one it returned was acknowledged before it began:
//! in time, since the earliest such acknowledgement (0 where there is none); in versions, by how
//! many. **`visibility.share`.** Of the reads that began so long after the last acknowledgement of
//! their key (up to the next mark), the share that returned that version or a newer one.
//! **`session.read_your_writes`**, **`session.monotonic_reads`.** Reads of a user that returned
//! an older version than the user's own last acknowledged write, or than an earlier read of the
//! user did. **`writes.concurrent`.** Acknowledged writes that overlapped with another of their
//! key: what was acknowledged before a write began counts as known to it, since writes that carry
//! no context say nothing else. **`updates.lost`.** Acknowledged writes that a version with a larger
//! stamp took the place of, which was not newer: it began before they had ended. **`writes.lost`.**
//! Acknowledged writes newer than all that any restartable replica has in the end.
//! **`convergence.time`.** From when the last passing fault ended until every running replica had,
//! of each key it holds, the newest version whose write had ended by then; the longest; censored
//! where it did not come. **`divergence.keys`.** Keys on which running replicas differ in the end.
//!
//! **Windows.** An operation belongs to the window it was invoked in: before the first onset, in
//! an episode (up to the end of its last outage window), after one, or in one that the scenario
//! names. **`ops.rate`.** Operations of a window that ended ok, by the length of the window.
//!
//! **Over trials.** See [`stats`] and [`expect`].
//!
//! # Decided
//!
//! Where a situation showed a definition of the plan to be wrong, it was mended here, with the
//! situation as a test in `tests/oracle.rs`:
//! - *Unflushed* is what no disk ever held. "No disk that held it survived" would call every
//!   write of a region lost for good unflushed, and leave nothing for lag and stranded.
//! - A running survivor's memory counts: writes acknowledged in the last milliseconds are not
//!   lost because their flush was under way when the run ended.
//! - An incident begins with the newer side's first answer, whoever wins; otherwise an old
//!   winner would stretch it back to before there were two sides.
//! - Two nodes that answered in settling are unresolved only if both still stand in the end: a
//!   failover may reach into settling.
//! - A gap must stand out from chance before it counts (see [`gap`]).
//! - Whether a failover was needed is asked when the right begins to be taken (`Withdrawn`): by the
//!   time its rival is authorised, a healthy primary has been drained and fenced and admits nothing.
//!
//! Memory: operations under way and a bounded number of past ones ([`ops`]); single entries of a
//! history only where some running member lacks them ([`history`]); counts and histograms.

pub mod authority;
pub mod bins;
pub mod budget;
pub mod catalogue;
pub mod degraded;
pub mod election;
mod emit;
pub mod episode;
pub mod expect;
mod fold;
pub mod gap;
pub mod group;
pub mod health;
pub mod history;
pub mod keyed;
pub mod latency;
pub mod loss;
pub mod metric;
pub mod ops;
pub mod oracle;
pub mod outage;
pub mod phases;
mod rare;
pub mod routes;
pub mod sample;
pub mod scope;
pub mod service;
pub mod settings;
pub mod split_brain;
pub mod stats;
pub mod survivor;
pub mod tally;
pub mod twins;
pub mod verdict;
pub mod windows;

pub use catalogue::CATALOGUE;
pub use expect::{Expectation, Judgement, Ruling};
pub use metric::{Better, MetricDoc, MetricKey, Unit};
pub use oracle::Oracle;
pub use phases::Phases;
pub use sample::Sample;
pub use settings::Settings;
pub use verdict::{Cause, Episode, Incident, Series, Verdict};
