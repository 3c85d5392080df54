//! What operators do: when, and whether anybody takes the order.

use super::Check;
use super::when::when;
use crate::model::control::DecidedBy;
use crate::scenario::draft::{FaultDraft, OperatorDraft, place_in};
use crate::scenario::lower::operator_name;
use crate::sim::param::Place;
use crate::world::operator::ActionParams;
use std::collections::BTreeMap;

fn place(operator: &OperatorDraft, key: &str) -> Place {
    place_in(&operator.node, key).unwrap_or(&operator.node.place).clone()
}

pub(super) fn operators(check: &mut Check<'_>) {
    let draft = check.draft;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, operator) in draft.operators.iter().enumerate() {
        let name = operator_name(index, operator);
        if let Some(other) = seen.insert(name.clone(), index) {
            let message = format!(
                "operator {} and operator {} are both called `{name}`",
                other + 1,
                index + 1
            );
            let help = "a name is also the name of an operator's dice: give each its own";
            check.error(&place(operator, "name"), message, help);
        }
        let wrote = |key: &str| operator.node.get(key).is_some();
        if wrote("at") || wrote("after") {
            let (common, node) = (operator.common.times(), operator.node.clone());
            when(check, &FaultDraft { common, params: None, node });
        } else {
            let message = "it does not say when".to_string();
            let help = "state `at`, or the event that it follows (`after`)";
            check.error(&operator.node.place, message, help);
        }
    }
    takers(check);
}

/// Whether there is somebody who takes the order.
fn takers(check: &mut Check<'_>) {
    let plan = check.plan;
    for (index, operator) in check.draft.operators.iter().enumerate() {
        let name = operator_name(index, operator);
        let Some(meant) = plan.operators.iter().find(|meant| meant.name == name) else { continue };
        let store = &plan.stores[meant.store];
        let mode = &store.params.replication;
        let failover = store.failover.map(|failover| &plan.failovers[failover].params);
        let by = failover.map(|failover| failover.decided_by);
        let controlled = by == Some(DecidedBy::Controller);
        let at = place(operator, "action");
        let whose = &store.name;
        match &meant.params {
            ActionParams::Switchover(_) | ActionParams::Promote(_) if !controlled => {
                let who = by.map_or("nobody".to_string(), |by| format!("\"{}\"", by.word()));
                let message = format!("who decides for `{whose}` is {who}, which takes no order");
                check.error(&at, message, "only a controller does: `decided_by = \"controller\"`");
            }
            ActionParams::Switchover(params) if params.timeout.is_zero() => {
                let message = "a timeout of 0s: the switch is given up at once".to_string();
                check.error(&place(operator, "timeout"), message, "longer than a few round trips");
            }
            ActionParams::Promote(params) if params.timeout.is_zero() => {
                let message = "a timeout of 0s: the switch is given up at once".to_string();
                check.error(&place(operator, "timeout"), message, "longer than a failover takes");
            }
            ActionParams::Stand(_) if mode.has_primary() || mode.is_keyed() => {
                let message = format!("`{whose}` elects nobody");
                check.error(&at, message, "promote, or switch over");
            }
            ActionParams::StepDown(_) if mode.is_keyed() => {
                let message = format!("nobody leads `{whose}`: every node takes writes");
                check.error(&at, message, "leave it out");
            }
            _ => {}
        }
        if matches!(meant.params, ActionParams::Switchover(_) | ActionParams::Promote(_))
            && store.replicas.len() < 2
        {
            let message = format!("`{whose}` has no standby");
            check.error(&at, message, "declare one: `standbys`");
        }
    }
}
