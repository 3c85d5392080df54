//! What faults aim at: places, nodes and roles; and something must stand there.

use super::Check;
use super::faults::place;
use crate::scenario::draft::{FaultDraft, place_in};
use crate::scenario::names::suggest_few;
use crate::sim::param::{Name, OneOrMore, suggest};
use crate::world::fault::target::{Role, Target};
use crate::world::plan::Spot;

/// Every target is a region, a zone, a node or a role.
pub(super) fn targets(check: &mut Check<'_>, fault: &FaultDraft, names: &OneOrMore<Name>) {
    if place_in(&fault.node, "target").is_none() {
        return;
    }
    if names.0.is_empty() {
        let message = "it aims at nothing".to_string();
        check.error(&place(fault, "target"), message, "name regions, zones, nodes or roles");
    }
    for name in &names.0 {
        match Target::of(name) {
            Target::Role(Some(role), place) => of_role(check, name, role, place),
            Target::Role(None, _) => {
                let help = suggest(name.text.trim_start_matches("role:"), Role::WORDS);
                check.error(&name.place, format!("unknown role `{}`", name.text), &help);
            }
            Target::Other(text) => other(check, name, text),
        }
    }
}

fn of_role(check: &mut Check<'_>, name: &Name, role: Role, place: Option<&str>) {
    let spots = role.spots(check.plan);
    let Some(place) = place else {
        if spots.is_empty() {
            let message = format!("it hits nothing: no `{}` stands anywhere", role.word());
            check.doubt(&name.place, message, "aim at something that the file has");
        }
        return;
    };
    match check.names.cover(place) {
        Some(cover) if !spots.iter().any(|spot| cover.contains(spot)) => {
            let message = format!("it hits nothing: no `{}` stands in `{place}`", role.word());
            check.doubt(&name.place, message, "aim at a place where one stands");
        }
        Some(_) => {}
        None => unknown(check, name, place),
    }
}

fn other(check: &mut Check<'_>, name: &Name, text: &str) {
    if text.starts_with("clients:") {
        let message = format!("`{text}` cannot be hit: users live outside the regions");
        check.error(&name.place, message, "aim at a region, a zone or a node");
        return;
    }
    if check.nodes.iter().any(|(node, _)| node == text) {
        return;
    }
    match check.names.cover(text) {
        Some(spots) => somebody(check, name, &spots),
        None => unknown(check, name, text),
    }
}

fn somebody(check: &mut Check<'_>, name: &Name, spots: &[Spot]) {
    if !check.nodes.iter().any(|(_, spot)| spots.contains(spot)) {
        let message = format!("it hits nothing: no node stands in `{}`", name.text);
        check.doubt(&name.place, message, "aim at a place that a store, lease or check uses");
    }
}

fn unknown(check: &mut Check<'_>, name: &Name, text: &str) {
    if check.errors.0.len() > 1_000 {
        return;
    }
    let zones = check.names.all_zones();
    let regions = check.names.regions.iter().map(|region| region.name.as_str());
    let nodes = check.nodes.iter().map(|(node, _)| node.as_str());
    let known: Vec<&str> = match text.contains('@') {
        true => nodes.take(1_000).collect(),
        false => regions.chain(zones.iter().map(String::as_str)).collect(),
    };
    let help = suggest_few(text, &known);
    check.error(&name.place, format!("unknown target `{}`", name.text), &help);
}

/// True when one of the targets is that node of that role, or covers its place.
pub(super) fn reaches(
    check: &Check<'_>,
    names: &OneOrMore<Name>,
    node: &str,
    spot: Spot,
    role: Role,
) -> bool {
    let covers = |place: &str| check.names.cover(place).is_some_and(|spots| spots.contains(&spot));
    names.0.iter().any(|name| match Target::of(name) {
        Target::Role(found, place) => found == Some(role) && place.is_none_or(covers),
        Target::Other(text) => text == node || covers(text),
    })
}

/// A standby must stand there.
pub(super) fn standbys(check: &mut Check<'_>, fault: &FaultDraft, names: &OneOrMore<Name>) {
    let before = check.errors.0.len() + check.doubts.0.len();
    targets(check, fault, names);
    let Some(at) = place_in(&fault.node, "target") else { return };
    if check.errors.0.len() + check.doubts.0.len() > before {
        return;
    }
    let plan = check.plan;
    let hit = |store: &str, spot: &Spot| {
        let node = format!("{store}@{}", plan.spot_name(*spot));
        reaches(check, names, &node, *spot, Role::Database)
    };
    let standby = plan
        .stores
        .iter()
        .any(|store| store.replicas.iter().skip(1).any(|spot| hit(&store.name, spot)));
    if !standby {
        let all: Vec<String> = names.0.iter().map(|name| format!("`{}`", name.text)).collect();
        let message = format!("it hits nothing: no standby stands in {} at first", all.join(", "));
        check.doubt(at, message, "aim at a standby: `store@region`");
    }
}
