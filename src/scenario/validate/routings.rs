//! Routing: how clients find the store, and how late.

use super::{Check, probes, shortest};
use crate::model::route::mixture::LIMIT_PARTS;
use crate::model::route::{DnsParams, RoutingParams, ViaParams};
use crate::scenario::draft::{Named, place_in};
use crate::sim::Span;
use crate::sim::param::Place;
use crate::sim::units::show_share;

pub(super) fn routings(check: &mut Check<'_>) {
    for table in &check.draft.routings {
        pinned(check, table);
        match &table.params.via {
            ViaParams::Dns(params) => dns(check, table, params),
            ViaParams::GlobalLb(_) => {}
            ViaParams::Proxy(proxy) => probes::of_proxy(check, table, proxy),
        }
    }
}

/// The place of a key of `via.dns`.
fn dns_place(table: &Named<RoutingParams>, key: &str) -> Place {
    place_in(&table.node, &format!("via.dns.{key}")).unwrap_or(&table.place).clone()
}

fn dns(check: &mut Check<'_>, table: &Named<RoutingParams>, dns: &DnsParams) {
    if dns.lookup_timeout.is_zero() {
        let message = "a lookup_timeout of 0s: no look-up can succeed".to_string();
        check.error(&dns_place(table, "lookup_timeout"), message, "longer than a round trip");
    }
    if dns.ttl_violators.0 > 0.0 && shortest(&dns.overstay) == Span::MAX {
        let message = "resolvers that never let an answer go".to_string();
        check.doubt(&dns_place(table, "overstay"), message, "state how long they overstay");
    }
    mixture(check, table, dns);
}

/// Late clients.
fn mixture(check: &mut Check<'_>, table: &Named<RoutingParams>, dns: &DnsParams) {
    let (mixture, place) = (&dns.mixture, dns_place(table, "mixture"));
    let all: f64 = mixture.parts.iter().map(|part| part.share.0).sum();
    if mixture.parts.len() > LIMIT_PARTS {
        let message = format!("{} parts; the limit is {LIMIT_PARTS}", mixture.parts.len());
        check.error(&place, message, "a part may have any distribution");
    } else if all > 1.0 + 1e-9 {
        let message = format!("the shares add up to {}", show_share(all));
        check.error(&place, message, "at most 100%; the rest follows at once");
    } else if mixture.parts.iter().any(|part| part.share.0 == 0.0) {
        let message = "a part with a share of 0%".to_string();
        check.doubt(&place, message, "leave it out");
    } else if let (Some(name), true) = (mixture.name, dns.ttl_violators.0 > 0.0) {
        let message = format!("`{name}` was measured at users: it has the TTL violators in it");
        let help = "leave ttl_violators out; they would count twice";
        check.doubt(&dns_place(table, "ttl_violators"), message, help);
    }
}

/// Clients pinned to open connections.
fn pinned(check: &mut Check<'_>, table: &Named<RoutingParams>) {
    let params = &table.params;
    let place = table.place_of("pinned_timeout");
    if params.pinned.0 > 0.0 && params.pinned_timeout.is_zero() {
        let message = "a pinned_timeout of 0s: no connection lives".to_string();
        check.error(place, message, "longer than a round trip, or leave `pinned` out");
    } else if table.wrote("pinned_timeout") && params.pinned.0 == 0.0 {
        let message = "pinned_timeout has no effect where nobody is pinned".to_string();
        check.doubt(place, message, "state `pinned`, the share of users, or leave it out");
    }
}
