//! Clients who do one thing after another, and when a population is at work.

use super::Check;
use crate::model::client::ClientParams;
use crate::model::client::loops::{LoopParams, closed, paced, script, sequence};
use crate::scenario::draft::{Named, place_in};
use crate::sim::Span;
use crate::sim::param::{Node, Place, Tree};
use crate::world::plan::limit;

/// The most users of one population.
const LIMIT_USERS: u32 = 100_000;
/// The most operations that one sequence or script lists.
const LIMIT_OPERATIONS: usize = 100_000;

/// Operations a second that a population begins by a schedule; what it begins when others end
/// cannot be known beforehand.
pub(super) fn paced_rate(params: &ClientParams) -> f64 {
    match &params.users {
        Some(LoopParams::Paced(paced)) if !paced.every.is_zero() => {
            f64::from(paced.count) / paced.every.as_secs_f64()
        }
        _ => 0.0,
    }
}

/// Checks the users of a population; how many operations a second they begin by a schedule.
pub(super) fn loops(check: &mut Check<'_>, table: &Named<ClientParams>) -> f64 {
    time_at_work(check, table);
    let rate = paced_rate(&table.params);
    match &table.params.users {
        Some(LoopParams::Closed(closed::Params { count, .. })) => {
            users(check, table, "users.closed.count", *count);
        }
        Some(LoopParams::Paced(paced::Params { count, every, .. })) => {
            users(check, table, "users.paced.count", *count);
            let place = place(table, "users.paced.every");
            if every.is_zero() && place_in(&table.node, "users.paced.every").is_some() {
                let message = "a schedule of 0s: time would stand still".to_string();
                check.error(&place, message, "state how often: \"10ms\"");
            } else if rate > limit::OPS_PER_SECOND {
                let message = format!("every {every}: {rate:.0} operations per second");
                let help = format!("the limit is {} per second", limit::OPS_PER_SECOND);
                check.error(&place, message, &help);
                return 0.0;
            }
        }
        Some(LoopParams::Sequence(sequence::Params { operations, .. })) => {
            let keys: Vec<_> = operations.iter().map(|step| step.key).collect();
            listed(check, table, "users.sequence.operations", &keys);
        }
        Some(LoopParams::Script(script::Params { operations })) => {
            let keys: Vec<_> = operations.iter().map(|line| line.key).collect();
            listed(check, table, "users.script.operations", &keys);
            times(check, table, operations);
        }
        None => {}
    }
    rate
}

pub(super) fn place(table: &Named<ClientParams>, key: &str) -> Place {
    place_in(&table.node, key).unwrap_or(&table.place).clone()
}

fn users(check: &mut Check<'_>, table: &Named<ClientParams>, key: &str, count: u32) {
    if count == 0 || count > LIMIT_USERS {
        let help = format!("from 1 to the limit of {LIMIT_USERS}");
        check.error(&place(table, key), format!("{count} users"), &help);
    }
}

/// Where a key of the `index`-th table of a list stands.
pub(super) fn item(table: &Named<ClientParams>, list: &str, index: usize, key: &str) -> Place {
    let found: Option<&Node> =
        list.split('.').try_fold(&table.node, |node, step| node.get(step)).and_then(|node| {
            let Tree::List(items) = &node.tree else { return None };
            items.get(index)?.get(key)
        });
    found.map_or_else(|| place(table, list), |node| node.place.clone())
}

/// A list of operations with such keys.
fn listed(check: &mut Check<'_>, table: &Named<ClientParams>, list: &str, keys: &[Option<u32>]) {
    if place_in(&table.node, list).is_none() {
        return;
    }
    if keys.is_empty() || keys.len() > LIMIT_OPERATIONS {
        let message = format!("{} operations", keys.len());
        let help = format!("from 1 to the limit of {LIMIT_OPERATIONS}");
        check.error(&place(table, list), message, &help);
        return;
    }
    let count = table.params.keys.count;
    let beyond = |key: &Option<u32>| key.is_some_and(|key| key >= count);
    if let Some(index) = keys.iter().position(beyond) {
        let message = format!("key {} of {count} keys", keys[index].unwrap_or_default());
        let help = format!("keys are numbered from 0 to {}", count.saturating_sub(1));
        check.error(&item(table, list, index, "key"), message, &help);
    }
}

/// The times of a script rise, and lie within the run.
fn times(check: &mut Check<'_>, table: &Named<ClientParams>, lines: &[script::Line]) {
    let list = "users.script.operations";
    let end = whole(check);
    for (index, pair) in lines.windows(2).enumerate() {
        if pair[1].at < pair[0].at {
            let message = format!("at {} comes after an operation at {}", pair[1].at, pair[0].at);
            let help = "list operations in the order of their times";
            check.error(&item(table, list, index + 1, "at"), message, help);
            return;
        }
    }
    if let Some(index) = lines.iter().position(|line| line.at >= end) {
        let message = format!("at {}: the run ends at {end}, settling included", lines[index].at);
        let help = "move it, or make the run longer";
        check.doubt(&item(table, list, index, "at"), message, help);
    }
}

fn whole(check: &Check<'_>) -> Span {
    check.plan.horizon.saturating_add(check.plan.settle)
}

fn time_at_work(check: &mut Check<'_>, table: &Named<ClientParams>) {
    let params = &table.params;
    let script = matches!(params.users, Some(LoopParams::Script(_)));
    let only_users = params.writes.is_none() && params.reads.is_none();
    let end = whole(check);
    if let Some(until) = params.until.filter(|until| *until <= params.from) {
        let message = format!("`{}` works from {} until {until}: never", table.name, params.from);
        check.error(&place(table, "until"), message, "it begins before it ends");
    } else if params.from >= end && !end.is_zero() {
        let message = format!(
            "`{}` begins at {}: the run ends at {end}, settling included",
            table.name, params.from
        );
        check.doubt(&place(table, "from"), message, "begin earlier, or make the run longer");
    } else if script && only_users && !params.from.is_zero() {
        let message = "`from` does not move the times of a script".to_string();
        check.doubt(&place(table, "from"), message, "they count from the start of the run");
    }
}
