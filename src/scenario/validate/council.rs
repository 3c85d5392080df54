//! Councils: quorums that can be reached, members enough to agree, times that make sense
//! together.

use super::{Check, limits};
use crate::model::control::council::{CouncilParams, Watching};
use crate::model::control::{DecidedBy, FailoverParams, Fencing};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;
use crate::world::plan::StorePlan;

/// Keys of a council that only members who ping heed.
const OF_PINGS: [&str; 4] = ["quorum", "ping_interval", "down_after", "ask_interval"];

/// The council of a failover, where its members find out for themselves that a primary is down.
pub(super) fn pings(failover: &FailoverParams) -> Option<&CouncilParams> {
    let council = failover.council.as_ref()?;
    let decides = failover.decided_by == DecidedBy::Council;
    (decides && council.watch == Watching::Ping).then_some(council)
}

/// True when whoever decides about a failover hears health checkers.
pub(super) fn hears_checkers(failover: &FailoverParams) -> bool {
    match failover.decided_by {
        DecidedBy::Controller => true,
        DecidedBy::Council => pings(failover).is_none(),
        DecidedBy::Race => false,
    }
}

/// A council that decides, or one that does not.
pub(super) fn council(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    if params.decided_by != DecidedBy::Council {
        if table.wrote("council") {
            let message = format!("council has no effect: a {} decides", params.decided_by.word());
            let help = "state decided_by = \"council\", or leave it out";
            check.doubt(table.place_of("council"), message, help);
        }
        return;
    }
    let Some(council) = &params.council else {
        if !table.wrote("council") {
            let help = "state its members: { members = [\"…\"] }; or another decided_by";
            check.error(&table.node.place, "missing key `council`".to_string(), help);
        }
        return;
    };
    if table.wrote("controller") {
        let message = "controller has no effect with decided_by = \"council\"".to_string();
        check.doubt(table.place_of("controller"), message, "the members are the controllers");
    }
    if params.fencing.contains(&Fencing::SelfStop) {
        let message = "`self` fencing with decided_by = \"council\"".to_string();
        let help = "it counts on the one controller that everybody hears: fence by token, or lease";
        check.error(table.place_of("fencing"), message, help);
    }
    super::fencing::controllers_own(check, table);
    super::failback::only_a_controller(check, table);
    members(check, table, council);
    times(check, table, council);
}

/// Members who ping ask no checkers.
pub(super) fn idle_checkers(check: &mut Check<'_>, failover: &FailoverParams, store: &StorePlan) {
    let Some(health) = store.health_check.filter(|_| pings(failover).is_some()) else { return };
    let message =
        format!("nobody asks the checkers of `{}`: the council's members ping", store.name);
    let help = "leave the health check out, or state council.watch = \"health_check\"";
    check.doubt(&check.draft.health_checks[health].place, message, help);
}

fn place(table: &Named<FailoverParams>, key: &str) -> Place {
    let inner = place_in(&table.node, &format!("council.{key}"));
    inner.unwrap_or(table.place_of("council")).clone()
}

fn members(check: &mut Check<'_>, table: &Named<FailoverParams>, council: &CouncilParams) {
    let count = council.members.len();
    match count {
        0 => {
            let message = "a council without members decides nothing".to_string();
            check.error(&place(table, "members"), message, "state the regions they stand in");
            return;
        }
        1 => {
            let message = "a council of one agrees with itself".to_string();
            let help = "decided_by = \"controller\" is the same, with fewer words";
            check.doubt(&place(table, "members"), message, help);
        }
        2 => {
            let message = "of 2 members both must live: losing either stops failover".to_string();
            check.doubt(&place(table, "members"), message, "3 members survive the loss of one");
        }
        even if even % 2 == 0 => {
            let lost = (even - 1) / 2;
            let message = format!("{even} members survive the loss of {lost}, as {} do", even - 1);
            let help = "an odd number is better: add a member, or take one away";
            check.doubt(&place(table, "members"), message, help);
        }
        _ => {}
    }
    match council.quorum {
        Some(0) => {
            let message = "a quorum of 0 is always reached: every primary is down".to_string();
            check.error(&place(table, "quorum"), message, "at least 1");
        }
        Some(quorum) if quorum as usize > count => {
            let message =
                format!("a quorum of {quorum} can never be reached: there are {count} members");
            let help = format!("from 1 to {count}; or leave it out for a majority");
            check.error(&place(table, "quorum"), message, &help);
        }
        _ => {}
    }
}

fn times(check: &mut Check<'_>, table: &Named<FailoverParams>, council: &CouncilParams) {
    let pings = council.watch == Watching::Ping;
    for (key, span) in [
        ("ping_interval", council.ping_interval),
        ("tick", council.tick),
        ("ask_interval", council.ask_interval),
        ("hello_interval", council.hello_interval),
    ] {
        limits::period(check, &place(table, key), key, span);
    }
    if pings && council.down_after <= council.ping_interval {
        let message = format!(
            "down_after ({}) is not longer than ping_interval ({}): every database is down",
            council.down_after, council.ping_interval
        );
        let key = if wrote(table, "down_after") { "down_after" } else { "ping_interval" };
        check.error(&place(table, key), message, "down_after should be several pings");
    }
    if council.election_timeout < council.tick {
        let message = format!(
            "a candidate waits {} for votes and looks every {}: none is ever elected",
            council.election_timeout, council.tick
        );
        let help = "election_timeout should be several ticks and a round trip";
        check.error(&place(table, "election_timeout"), message, help);
    }
    if council.retry_after() < council.election_timeout {
        let message = format!(
            "a candidate waits {} for votes, and may stand again after {}",
            council.election_timeout,
            council.retry_after()
        );
        let key = if wrote(table, "retry_after") { "retry_after" } else { "failover_timeout" };
        check.doubt(&place(table, key), message, "it should be longer than election_timeout");
    }
    if council.parallel_syncs == 0 {
        let message = "parallel_syncs = 0: nobody would follow the new primary".to_string();
        check.error(&place(table, "parallel_syncs"), message, "at least 1");
    }
    for key in OF_PINGS {
        if !pings && wrote(table, key) {
            let message = format!("{key} has no effect with watch = \"health_check\"");
            let help = "the health check has its own keys: leave it out, or let members ping";
            check.doubt(&place(table, key), message, help);
        }
    }
}

fn wrote(table: &Named<FailoverParams>, key: &str) -> bool {
    place_in(&table.node, &format!("council.{key}")).is_some()
}
