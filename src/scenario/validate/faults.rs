//! Faults: their names, when they happen, and whether they hit anything.

use super::targets::{standbys, targets};
use super::when::{circles, when};
use super::{Check, gray, long};
use crate::scenario::draft::{FaultDraft, place_in};
use crate::scenario::lower::fault_name;
use crate::scenario::names::suggest_few;
use crate::sim::Span;
use crate::sim::param::{Name, Place};
use crate::world::fault::{FaultParams, bursty_loss, clock, control_plane, link, partition};
use crate::world::plan::Spot;
use std::collections::BTreeMap;

/// For so many seconds a queue may hold packets up without a word.
const LONGEST_QUEUE: u64 = 10;

/// The largest step of a clock: several at once still leave it a reading.
const LIMIT_STEP: Span = Span::from_secs(365 * 86_400);

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
            Some(FaultParams::SlowDisk(params)) => gray::slow_disk(check, fault, params),
            Some(FaultParams::SlowNode(params)) => gray::slow_node(check, fault, params),
            Some(FaultParams::LossyNode(params)) => gray::lossy_node(check, fault, params),
            Some(FaultParams::BurstyLoss(params)) => bursty_loss(check, fault, params),
            Some(FaultParams::Errors(params)) => gray::errors(check, fault, params),
            Some(FaultParams::ControlPlane(params)) => control_plane(check, fault, params),
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
    if params.isolate.0.is_empty() {
        let message = "it isolates nothing".to_string();
        check.error(&isolate, message, "name regions or zones");
        return;
    }
    let before = check.errors.0.len();
    let inside = sides(check, &params.isolate.0);
    let stated = sides(check, &params.from.0);
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

fn control_plane(check: &mut Check<'_>, fault: &FaultDraft, params: &control_plane::Params) {
    let at = place(fault, "stops");
    if params.stops.is_empty() {
        let message = "it stops nothing".to_string();
        check.error(&at, message, "\"promotion\", \"routing\", or both");
    } else if check.plan.failovers.is_empty() {
        let message = "it stops nothing: nobody promotes or re-routes anything".to_string();
        check.doubt(&fault.node.place, message, "state a [failover]");
    }
}

fn clock(check: &mut Check<'_>, fault: &FaultDraft, params: &clock::Params) {
    targets(check, fault, &params.target);
    let drift = params.drift_ppm;
    if drift.abs() >= 1e6 {
        let message =
            format!("a drift of {drift} ppm: the clock would stand still or run backwards");
        let help = "below 1000000, above -1000000; 200 is a bad quartz";
        check.error(&place(fault, "drift_ppm"), message, help);
    }
    for (key, step) in [("forward", params.forward), ("back", params.back)] {
        if step > LIMIT_STEP {
            let message = format!("a step of {step}; the limit is {LIMIT_STEP}");
            check.error(&place(fault, key), message, "an hour is a lot already");
        }
    }
    let (forward, back) = (!params.forward.is_zero(), !params.back.is_zero());
    if forward && back {
        let message = "forward and back at once".to_string();
        check.error(&place(fault, "back"), message, "state one of them");
    } else if drift == 0.0 && !forward && !back {
        let message = "it changes nothing: no drift and no step".to_string();
        let help = "drift_ppm = 1000 gains 1 ms a second; back = \"1h\" sets the clock back";
        check.doubt(&fault.node.place, message, help);
    } else if drift == 0.0 && check.plan.stores.iter().all(|store| store.params.guard.is_none()) {
        let at = place(fault, if forward { "forward" } else { "back" });
        let message = "nobody reads the wall clock: no store has a guard".to_string();
        check.doubt(&at, message, "leases and timers run on the monotonic clock; try drift_ppm");
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
        ([a, b], _) => two_places(check, a, b),
        _ => {
            let message = format!("{} names", params.between.len());
            check.error(&between, message, "two places, or the one name of a physical link");
        }
    }
    let narrow = params.bandwidth.is_some();
    if !params.down && !narrow && params.loss.0 == 0.0 && long(&params.delay).is_zero() {
        let message = "it changes nothing: no delay, no loss, and the link is up".to_string();
        let help = "state down = true, a delay, a loss or a bandwidth";
        check.doubt(&fault.node.place, message, help);
    }
    if params.bandwidth.is_some_and(|bandwidth| bandwidth.0 == 0) {
        let message = "no bandwidth at all".to_string();
        check.error(&place(fault, "bandwidth"), message, "write down = true for a dead link");
    }
    let Some(at) = place_in(&fault.node, "queue") else { return };
    let Some(bandwidth) = params.bandwidth else {
        let message = "nothing waits: no bandwidth is stated".to_string();
        return check.doubt(at, message, "state a bandwidth, or leave the queue out");
    };
    let seconds = params.waits(bandwidth).saturating_mul(8) / bandwidth.0.max(1);
    if seconds > LONGEST_QUEUE {
        let message = format!("a full queue takes {seconds} s to leave, even after the fault");
        check.doubt(at, message, "a smaller queue; where it is left out, 100 ms");
    }
}

fn two_places(check: &mut Check<'_>, a: &Name, b: &Name) {
    let (first, second) =
        (sides(check, std::slice::from_ref(a)), sides(check, std::slice::from_ref(b)));
    if first.iter().any(|spot| second.contains(spot)) {
        let message = format!("`{}` and `{}` are the same place", a.text, b.text);
        check.error(&b.place, message, "name two places");
    }
}

fn bursty_loss(check: &mut Check<'_>, fault: &FaultDraft, params: &bursty_loss::Params) {
    if place_in(&fault.node, "between").is_some() {
        match params.between.as_slice() {
            [a, b] => two_places(check, a, b),
            names => {
                let message = format!("{} names", names.len());
                check.error(&place(fault, "between"), message, "two regions or zones");
            }
        }
    }
    let (written, law) = (place_in(&fault.node, "p"), params.law());
    let Some(p) = written.filter(|_| fault.node.get("r").is_some()) else { return };
    if law.p == 0.0 && law.loss_good == 0.0 {
        let message = "it changes nothing: with p = 0% the pair never turns bad".to_string();
        check.doubt(p, message, "\"1%\" begins a burst every hundred packets");
    } else if law.r == 0.0 {
        let message = "with r = 0% the first burst never ends".to_string();
        check.doubt(&place(fault, "r"), message, "bursts are 1/r packets long on average");
    } else if law.loss_bad < law.loss_good {
        let message = "a bad pair loses less than a good one".to_string();
        check.doubt(&place(fault, "loss_bad"), message, "exchange loss_bad and loss_good");
    }
}
