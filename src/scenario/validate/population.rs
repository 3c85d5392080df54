//! Clients: rates, keys, retries.

use super::limits::{LIMIT_PAYLOAD, LIMIT_RUN};
use super::{Check, load, loops};
use crate::model::client::{ArrivalParams, ClientParams};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;
use crate::world::plan::limit;

/// The most attempts of one operation.
const LIMIT_ATTEMPTS: u32 = 250;
/// The steepest Zipf exponent.
const LIMIT_ZIPF: f64 = 10.0;

pub(super) fn clients(check: &mut Check<'_>) {
    let whole = check.plan.horizon.saturating_add(check.plan.settle);
    let (mut all, mut mean) = (0.0, 0.0);
    for table in &check.draft.clients {
        if check.draft.stores.is_empty() {
            let message = format!("`{}` has no store to use", table.name);
            check.error(&table.place, message, "declare one: [store.NAME]");
        }
        let (open, users) = (arrivals(check, table), loops::loops(check, table));
        load::load(check, table);
        let factors = load::factors(&table.params, whole);
        all += open * factors.0 + users;
        mean += open * factors.1 + users;
        keys(check, table);
        retries(check, table);
    }
    let trial = mean * whole.as_secs_f64();
    let place = check.draft.clients.first().map_or(0..0, |table| table.place.clone());
    if all > limit::OPS_PER_SECOND {
        let message = format!("{all} operations per second in all");
        let help = format!("the limit is {} per second", limit::OPS_PER_SECOND);
        check.error(&place, message, &help);
    } else if trial > limit::OPS_PER_TRIAL && whole <= LIMIT_RUN {
        let message =
            format!("{trial:.0} operations in one trial ({mean:.0} per second for {whole})");
        let help = format!("the limit is {:.0} per trial", limit::OPS_PER_TRIAL);
        check.error(&place, message, &help);
    }
    for store in &check.draft.stores {
        for (key, size) in [
            ("write_size", store.params.write_size),
            ("read_size", store.params.read_size),
            ("log_overhead", store.params.log_overhead),
        ] {
            if size.0 > LIMIT_PAYLOAD {
                let message = format!("{key} of {} bytes; the limit is {LIMIT_PAYLOAD}", size.0);
                check.error(store.place_of(key), message, "state the size of one operation");
            }
        }
    }
    if check.draft.clients.is_empty() && !check.draft.stores.is_empty() {
        let message = "nobody uses the stores: nothing is written, so nothing is lost".to_string();
        check.doubt(&(0..0), message, "declare a population: [clients.NAME]");
    }
}

/// Operations a second of one population.
fn arrivals(check: &mut Check<'_>, table: &Named<ClientParams>) -> f64 {
    let params = &table.params;
    if params.writes.is_none() && params.reads.is_none() && !table.wrote("users") {
        let message = format!("`{}` neither reads nor writes", table.name);
        check.doubt(&table.place, message, "writes = { per_second = 40 }");
    }
    rate(check, table, "writes", params.writes.as_ref())
        + rate(check, table, "reads", params.reads.as_ref())
}

fn rate(
    check: &mut Check<'_>,
    table: &Named<ClientParams>,
    key: &str,
    arrivals: Option<&ArrivalParams>,
) -> f64 {
    let Some(arrivals) = arrivals else { return 0.0 };
    let place = |key: &str| place_in(&table.node, key).unwrap_or(&table.place).clone();
    let rate = arrivals.per_second;
    let written = place_in(&table.node, &format!("{key}.per_second"));
    let Some(_) = written else { return 0.0 };
    let place = place(&format!("{key}.per_second"));
    if rate <= 0.0 {
        let message = format!("a rate of {rate} per second");
        check.error(&place, message, "above 0; to have none, leave it out");
        return 0.0;
    }
    if rate > limit::OPS_PER_SECOND {
        let message = format!("a rate of {rate} per second");
        let help = format!("the limit is {} per second", limit::OPS_PER_SECOND);
        check.error(&place, message, &help);
        return 0.0;
    }
    rate
}

fn keys(check: &mut Check<'_>, table: &Named<ClientParams>) {
    let keys = &table.params.keys;
    let place = |key: &str| -> Place { place_in(&table.node, key).unwrap_or(&table.place).clone() };
    if keys.count == 0 || keys.count > limit::KEYS {
        let help = format!("from 1 to the limit of {}", limit::KEYS);
        check.error(&place("keys.count"), format!("{} keys", keys.count), &help);
    }
    if !(0.0..=LIMIT_ZIPF).contains(&keys.zipf) {
        let help = format!("from 0 (uniform) to {LIMIT_ZIPF}; caches are often near 1");
        check.error(&place("keys.zipf"), format!("a Zipf exponent of {}", keys.zipf), &help);
    }
}

fn retries(check: &mut Check<'_>, table: &Named<ClientParams>) {
    let params = &table.params;
    let retry = &params.retry;
    let place = |key: &str| -> Place { place_in(&table.node, key).unwrap_or(&table.place).clone() };
    if retry.attempts == 0 || retry.attempts > LIMIT_ATTEMPTS {
        let help = format!("from 1 (no retries) to the limit of {LIMIT_ATTEMPTS}");
        check.error(&place("retry.attempts"), format!("{} attempts", retry.attempts), &help);
    }
    if params.deadline.is_zero() {
        let message = "a deadline of 0s: every operation ends unknown".to_string();
        check.error(&place("deadline"), message, "state how long a client waits: \"5s\"");
    } else if retry.attempt_timeout.is_zero() {
        let message = "an attempt_timeout of 0s: no attempt can succeed".to_string();
        check.error(&place("retry.attempt_timeout"), message, "state how long one attempt waits");
    } else if retry.attempts > 1 && retry.attempt_timeout >= params.deadline {
        let message = format!(
            "attempt_timeout ({}) is not below the deadline ({}): there is no time to retry",
            retry.attempt_timeout, params.deadline
        );
        let key = if place_in(&table.node, "retry.attempt_timeout").is_some() {
            "retry.attempt_timeout"
        } else {
            "deadline"
        };
        check.doubt(&place(key), message, "shorten the attempts, or state attempts = 1");
    }
    if !(1.0..=100.0).contains(&retry.backoff_factor) {
        let message = format!("a backoff_factor of {}", retry.backoff_factor);
        check.error(&place("retry.backoff_factor"), message, "from 1 (no growth) to 100");
    }
    if retry.backoff > retry.backoff_max {
        let message = format!(
            "backoff ({}) is longer than backoff_max ({})",
            retry.backoff, retry.backoff_max
        );
        check.error(&place("retry.backoff"), message, "the first pause is the shortest");
    }
}
