//! What nodes can serve, and whether that is enough.

use super::{Check, load};
use crate::model::client::loops::LoopParams;
use crate::model::replica::{ServerParams, StoreParams};
use crate::scenario::draft::{Named, place_in};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Place;

/// The most places of a node.
const LIMIT_CONCURRENCY: u32 = 10_000;
/// The longest queue.
const LIMIT_QUEUE: u32 = 1_000_000;

fn place(table: &Named<StoreParams>, key: &str) -> Place {
    let inner = place_in(&table.node, &format!("server.{key}"));
    inner.unwrap_or(table.place_of("server")).clone()
}

/// Every store's nodes.
pub(super) fn servers(check: &mut Check<'_>) {
    let draft = check.draft;
    for (number, table) in draft.stores.iter().enumerate() {
        let Some(server) = &table.params.server else { continue };
        if server.concurrency == 0 || server.concurrency > LIMIT_CONCURRENCY {
            let message = format!("{} requests at a time", server.concurrency);
            let help = format!("from 1 to the limit of {LIMIT_CONCURRENCY}");
            check.error(&place(table, "concurrency"), message, &help);
        } else if server.queue > LIMIT_QUEUE {
            let message = format!("a queue of {} requests", server.queue);
            let help = format!("at most the limit of {LIMIT_QUEUE}");
            check.error(&place(table, "queue"), message, &help);
        } else {
            capacity(check, table, number, server);
        }
    }
}

/// More than the primary can serve is surely a slip, unless it is the question.
fn capacity(
    check: &mut Check<'_>,
    table: &Named<StoreParams>,
    store: usize,
    server: &ServerParams,
) {
    let clients = check.plan.clients.iter().filter(|client| client.store == store);
    let (mut writes, mut reads) = (0.0, 0.0);
    let whole = check.plan.horizon.saturating_add(check.plan.settle);
    for client in clients {
        let mean = load::factors(&client.params, whole).1;
        writes += mean * client.params.writes.as_ref().map_or(0.0, |lane| lane.per_second);
        let paced = super::loops::paced_rate(&client.params);
        let share = match &client.params.users {
            Some(LoopParams::Paced(paced)) => paced.reads.0,
            _ => 0.0,
        };
        writes += paced * (1.0 - share);
        reads += paced * share;
        reads += mean * client.params.reads.as_ref().map_or(0.0, |lane| lane.per_second);
    }
    let mean = |spec: &DistSpec| Dist::new(spec).mean().map_or(0.0, |mean| mean.as_secs_f64());
    let write_time = mean(&server.service_time);
    let read_time = server.read_time.as_ref().map_or(write_time, mean);
    let busy = writes * write_time + reads * read_time;
    let places = f64::from(server.concurrency);
    if busy >= places {
        let message = format!(
            "`{}` is asked for {busy:.2} s of service a second and has {places} s to give: its queue stays full",
            table.name
        );
        let help = "serve faster, or more at a time, or ask for less";
        check.doubt(&place(table, "service_time"), message, help);
    }
}
