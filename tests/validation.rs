//! Proof against the outside: published and derived numbers, met by the whole simulator.
//!
//! `cargo test --test validation` asserts every case on few trials. The report, on many, is
//! written to `results/validation/` by one command; its bytes are always the same:
//!
//! ```text
//! REPORT=1 cargo test --release --test validation -- report
//! ```

#[path = "validation/council.rs"]
mod council;
#[path = "validation/detection.rs"]
mod detection;
#[path = "validation/dns.rs"]
mod dns;
#[path = "validation/elections.rs"]
mod elections;
#[path = "validation/false_alarms.rs"]
mod false_alarms;
#[path = "validation/kit.rs"]
mod kit;
#[path = "validation/lease.rs"]
mod lease;
#[path = "validation/loss.rs"]
mod loss;
#[path = "validation/mixtures.rs"]
mod mixtures;
#[path = "validation/patroni.rs"]
mod patroni;
#[path = "validation/pbs.rs"]
mod pbs;
#[path = "validation/queues.rs"]
mod queues;
#[path = "validation/renewal.rs"]
mod renewal;
#[path = "validation/report.rs"]
mod report;
#[path = "validation/sync.rs"]
mod sync;

use kit::{Case, Effort};

/// Every case, in the order of the report.
const CASES: &[fn(Effort) -> Case] = &[
    elections::wide_area,
    elections::split_votes,
    detection::failed_probes,
    detection::route_53,
    false_alarms::lost_probes,
    dns::tail,
    dns::outage,
    mixtures::mixtures,
    loss::constant_lag,
    loss::batches,
    sync::nothing_lost,
    lease::law,
    patroni::node_crash,
    patroni::other_failures,
    council::sentinels,
    pbs::quorums,
    pbs::waits,
    queues::one_server,
    queues::closed_loops,
    queues::drain,
    renewal::process,
    renewal::imperfect_failover,
];

fn check(case: Case) {
    let wrong: Vec<String> =
        case.rows.iter().filter(|row| !row.pass).map(|row| format!("{row:?}")).collect();
    assert!(!case.rows.is_empty() && wrong.is_empty(), "{}\n{}", case.title, wrong.join("\n"));
}

#[test]
fn partial_quorums_are_as_fast_and_as_stale_as_published() {
    check(pbs::quorums(Effort::Few));
}

#[test]
fn reads_see_a_write_as_long_after_it_as_published() {
    check(pbs::waits(Effort::Few));
}

#[test]
fn sentinels_take_down_after_and_one_to_two_seconds() {
    check(council::sentinels(Effort::Few));
}

#[test]
fn a_pair_whose_failover_is_imperfect_is_up_for_the_share_of_the_closed_form() {
    check(renewal::imperfect_failover(Effort::Few));
}

#[test]
fn what_fails_at_a_rate_is_up_for_the_share_that_renewal_theory_says() {
    check(renewal::process(Effort::Few));
}

#[test]
fn elections_over_a_wide_area_take_as_long_as_published() {
    check(elections::wide_area(Effort::Few));
}

#[test]
fn split_votes_are_as_frequent_as_the_closed_form_says() {
    check(elections::split_votes(Effort::Few));
}

#[test]
fn failed_probes_detect_within_their_bounds() {
    check(detection::failed_probes(Effort::Few));
}

#[test]
fn fourteen_of_sixteen_checkers_take_as_long_as_route_53() {
    check(detection::route_53(Effort::Few));
}

#[test]
fn lost_probes_cry_wolf_as_seldom_as_the_closed_form_says() {
    check(false_alarms::lost_probes(Effort::Few));
}

#[test]
fn the_share_on_the_dead_address_falls_along_a_line() {
    check(dns::tail(Effort::Few));
}

#[test]
fn detection_and_dns_add_up_to_the_outage_of_a_client() {
    check(dns::outage(Effort::Few));
}

#[test]
fn late_clients_follow_as_their_mixture_says() {
    check(mixtures::mixtures(Effort::Few));
}

#[test]
fn asynchronous_loss_is_poisson_in_rate_times_lag() {
    check(loss::constant_lag(Effort::Few));
}

#[test]
fn batches_lose_up_to_a_batch_and_a_transit() {
    check(loss::batches(Effort::Few));
}

#[test]
fn synchronous_replication_loses_nothing_unless_the_wrong_standby_is_promoted() {
    check(sync::nothing_lost(Effort::Few));
}

#[test]
fn a_correct_lease_never_lets_two_answer_and_one_without_guard_does() {
    check(lease::law(Effort::Few));
}

#[test]
fn racers_replace_a_dead_node_in_the_published_time() {
    check(patroni::node_crash(Effort::Few));
}

#[test]
fn racers_meet_every_other_failure_as_their_loops_say() {
    check(patroni::other_failures(Effort::Few));
}

#[test]
fn a_database_that_lost_its_disk_does_not_resume_an_empty_history() {
    lease::resumes_after_losing_its_disk();
}

#[test]
fn one_server_keeps_clients_as_long_as_the_closed_form_says() {
    check(queues::one_server(Effort::Few));
}

#[test]
fn closed_loops_keep_the_law_of_response_times() {
    check(queues::closed_loops(Effort::Few));
}

#[test]
fn a_backlog_lasts_as_long_as_its_work_and_what_comes_meanwhile() {
    check(queues::drain(Effort::Few));
}

/// Writes the report when `REPORT` is set; checks nothing anew otherwise.
#[test]
fn report() {
    if std::env::var_os("REPORT").is_none() {
        return;
    }
    let cases: Vec<Case> = CASES.iter().map(|case| case(Effort::Many)).collect();
    report::write(&cases).expect("results/validation can be written");
    cases.into_iter().for_each(check);
}
