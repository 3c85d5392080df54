//! Faults: their names, when they happen, and whether they hit anything.

use super::targets::{standbys, targets};
use super::when::{circles, when};
use super::{Check, long};
use crate::scenario::draft::{FaultDraft, place_in};
use crate::scenario::lower::fault_name;
use crate::scenario::names::suggest_few;
use crate::sim::param::{Name, Place};
use crate::world::fault::{FaultParams, clock, link, partition};
use crate::world::plan::Spot;
use std::collections::BTreeMap;

pub(super) fn faults(check: &mut Check<'_>) {
    let draft = check.draft;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, fault) in draft.faults.iter().enumerate() {
        let name = fault_name(index, fault);
        if let Some(other) = seen.insert(name.clone(), index) {
            let message =
                format!("fault {} and fault {} are both called `{name}`", other + 1, index + 1);
            let help = "a name is also the name of a fault's dice: give each its own";
            check.error(&place(fault, "name"), message, help);
        }
        when(check, fault);
        match &fault.params {
            Some(FaultParams::Partition(params)) => partition(check, fault, params),
            Some(FaultParams::Crash(params)) => targets(check, fault, &params.target),
            Some(FaultParams::Pause(params)) => targets(check, fault, &params.target),
            Some(FaultParams::Stall(params)) => standbys(check, fault, &params.target),
            Some(FaultParams::Clock(params)) => clock(check, fault, params),
            Some(FaultParams::Link(params)) => link(check, fault, params),
            None => {}
        }
    }
    circles(check);
}

pub(super) fn place(fault: &FaultDraft, key: &str) -> Place {
    place_in(&fault.node, key).unwrap_or(&fault.node.place).clone()
}

/// The spots of several names; unknown ones are problems.
fn sides(check: &mut Check<'_>, names: &[Name]) -> Vec<Spot> {
    let mut spots = Vec::new();
    for name in names {
        match check.names.cover(&name.text) {
            Some(cover) => spots.extend(cover),
            None => {
                check.names.clone().spot(name, check.errors);
            }
        }
    }
    spots.sort_unstable();
    spots.dedup();
    spots
}

fn partition(check: &mut Check<'_>, fault: &FaultDraft, params: &partition::Params) {
    if place_in(&fault.node, "isolate").is_none() {
        return;
    }
    let isolate = place(fault, "isolate");
    if params.isolate.is_empty() {
        let message = "it isolates nothing".to_string();
        check.error(&isolate, message, "name regions or zones");
        return;
    }
    let before = check.errors.0.len();
    let inside = sides(check, &params.isolate);
    let stated = sides(check, &params.from);
    if check.errors.0.len() > before {
        return;
    }
    if let Some(both) = stated.iter().find(|spot| inside.contains(spot)) {
        let message = format!("`{}` is on both sides", check.plan.spot_name(*both));
        check.error(&place(fault, "from"), message, "a place cannot be cut off from itself");
        return;
    }
    let outside = |spot: &Spot| match stated.is_empty() {
        true => !inside.contains(spot),
        false => stated.contains(spot),
    };
    let clients = check.plan.clients.iter().map(|client| client.spot);
    let all: Vec<Spot> = check.nodes.iter().map(|(_, spot)| *spot).chain(clients).collect();
    let within = all.iter().any(|spot| inside.contains(spot));
    if !(within && all.iter().any(outside)) {
        let side = if within { "the other side" } else { "the isolated side" };
        let message = format!("it hits nothing: nothing stands on {side}");
        check.doubt(&isolate, message, "cut between places that something uses");
    }
}

fn clock(check: &mut Check<'_>, fault: &FaultDraft, params: &clock::Params) {
    targets(check, fault, &params.target);
    let Some(at) = place_in(&fault.node, "drift_ppm") else { return };
    let drift = params.drift_ppm;
    if drift == 0.0 {
        check.doubt(at, "a drift of 0 changes nothing".to_string(), "1000 gains 1 ms a second");
    } else if drift.abs() >= 1e6 {
        let message =
            format!("a drift of {drift} ppm: the clock would stand still or run backwards");
        check.error(at, message, "below 1000000, above -1000000; 200 is a bad quartz");
    }
}

fn link(check: &mut Check<'_>, fault: &FaultDraft, params: &link::Params) {
    if place_in(&fault.node, "between").is_none() {
        return;
    }
    let between = place(fault, "between");
    match (params.between.as_slice(), &check.plan.wan.physical) {
        ([one], Some(physical)) => {
            if !physical.links.iter().any(|link| link.name == one.text) {
                let known: Vec<&str> =
                    physical.links.iter().take(1_000).map(|link| link.name.as_str()).collect();
                let help = suggest_few(&one.text, &known);
                check.error(&one.place, format!("unknown physical link `{}`", one.text), &help);
            } else if let Some((message, help)) = params.unfit_for_a_cable() {
                check.error(&one.place, message.to_string(), help);
            }
        }
        ([one], None) => {
            let message = format!("`{}` is one name, and there are no physical links", one.text);
            check.error(&one.place, message, "name two places, or state wan.physical");
        }
        ([a, b], _) => {
            let (first, second) =
                (sides(check, std::slice::from_ref(a)), sides(check, std::slice::from_ref(b)));
            if first.iter().any(|spot| second.contains(spot)) {
                let message = format!("`{}` and `{}` are the same place", a.text, b.text);
                check.error(&b.place, message, "name two places");
            }
        }
        _ => {
            let message = format!("{} names", params.between.len());
            check.error(&between, message, "two places, or the one name of a physical link");
        }
    }
    if !params.down && params.loss.0 == 0.0 && long(&params.delay).is_zero() {
        let message = "it changes nothing: no delay, no loss, and the link is up".to_string();
        check.doubt(&fault.node.place, message, "state down = true, a delay or a loss");
    }
}
