//! Gray failures: values that make no sense, and targets that none of it can touch.

use super::faults::place;
use super::targets::{reaches, targets};
use super::{Check, long};
use crate::scenario::draft::{FaultDraft, place_in};
use crate::sim::param::{Name, OneOrMore};
use crate::world::fault::target::Role;
use crate::world::fault::{errors, lossy_node, slow_disk, slow_node};
use crate::world::plan::Spot;

pub(super) fn slow_disk(check: &mut Check<'_>, fault: &FaultDraft, params: &slow_disk::Params) {
    let what = "no disk that anybody waits for is there";
    let help = "aim at a store, a lease or a council";
    some(check, fault, &params.target, &disks(check), what, help);
    if params.factor <= 0.0 {
        let message = format!("a factor of {}: a write takes some time", params.factor);
        check.error(&place(fault, "factor"), message, "10 takes ten times as long");
    } else if params.factor < 1.0 {
        let message = format!("a factor of {} makes the disk faster", params.factor);
        check.doubt(&place(fault, "factor"), message, "10 takes ten times as long");
    } else if params.factor == 1.0 && long(&params.delay).is_zero() {
        let message = "it changes nothing: no factor and no delay".to_string();
        check.doubt(&fault.node.place, message, "state a factor or a delay");
    }
}

pub(super) fn slow_node(check: &mut Check<'_>, fault: &FaultDraft, params: &slow_node::Params) {
    targets(check, fault, &params.target);
    if place_in(&fault.node, "delay").is_some() && long(&params.delay).is_zero() {
        let message = "a delay of 0s changes nothing".to_string();
        check.doubt(&place(fault, "delay"), message, "state how much longer packets take");
    }
}

pub(super) fn lossy_node(check: &mut Check<'_>, fault: &FaultDraft, params: &lossy_node::Params) {
    targets(check, fault, &params.target);
    if place_in(&fault.node, "loss").is_some() && params.loss.0 == 0.0 {
        let message = "a loss of 0% changes nothing".to_string();
        check.doubt(&place(fault, "loss"), message, "\"5%\" loses one packet in twenty");
    }
}

pub(super) fn errors(check: &mut Check<'_>, fault: &FaultDraft, params: &errors::Params) {
    let databases = nodes(check, Role::Database);
    let help = "aim at a store: `store@region`";
    some(check, fault, &params.target, &databases, "no database is there", help);
    if place_in(&fault.node, "share").is_some() && params.share.0 == 0.0 {
        let message = "a share of 0% changes nothing".to_string();
        check.doubt(&place(fault, "share"), message, "\"20%\" fails one request in five");
    }
}

type Node = (String, Spot, Role);

/// The nodes of a role, as faults name them.
fn nodes(check: &Check<'_>, role: Role) -> Vec<Node> {
    let plan = check.plan;
    let mut all = Vec::new();
    let mut add = |name: &str, spots: &[Spot]| {
        let node = |spot: &Spot| (format!("{name}@{}", plan.spot_name(*spot)), *spot, role);
        all.extend(spots.iter().map(node));
    };
    match role {
        Role::Database => plan.stores.iter().for_each(|s| add(&s.name, &s.replicas)),
        Role::Lease => plan.leases.iter().for_each(|l| add(&l.name, &l.voters)),
        Role::Controller => {
            let councils = plan.failovers.iter().filter(|f| f.params.council.is_some());
            councils.for_each(|f| add(&f.name, &f.controllers));
        }
        Role::Checker
        | Role::NameServer
        | Role::Storage
        | Role::FenceDevice
        | Role::Coordinator => {}
    }
    all
}

/// Whoever writes to a disk and waits for it.
fn disks(check: &Check<'_>) -> Vec<Node> {
    [Role::Database, Role::Lease, Role::Controller]
        .into_iter()
        .flat_map(|role| nodes(check, role))
        .collect()
}

/// One of these must be a target.
fn some(
    check: &mut Check<'_>,
    fault: &FaultDraft,
    names: &OneOrMore<Name>,
    nodes: &[Node],
    what: &str,
    help: &str,
) {
    let before = check.errors.0.len() + check.doubts.0.len();
    targets(check, fault, names);
    let Some(at) = place_in(&fault.node, "target") else { return };
    let said = check.errors.0.len() + check.doubts.0.len() > before;
    if !said && !nodes.iter().any(|(node, spot, role)| reaches(check, names, node, *spot, *role)) {
        check.doubt(at, format!("it hits nothing: {what}"), help);
    }
}
