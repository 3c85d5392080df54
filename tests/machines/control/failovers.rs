//! The plans of controllers, from the words of a script.

use super::{Words, dice, seat};
use regionsim::model::control::controller::attempts::{GiveUp, Step};
use regionsim::model::control::controller::fencing::Unfenced;
use regionsim::model::control::controller::home::Style;
use regionsim::model::control::controller::lag_guard::{LagGuardParams, TooFar};
use regionsim::model::control::controller::{ControllerPlan, StorePlan};
use regionsim::model::control::stonith::{PowerAction, StonithParams};
use regionsim::model::control::{
    Candidate, Failback, FailoverParams, Fencing, RejoinAs, StopOrder, Trigger,
};
use regionsim::model::id::{GroupId, ProcessId};
use regionsim::sim::Span;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Bytes, Node, Param, Problems, Share};
use regionsim::sim::rng::Label;

/// How a controller fails over.
pub fn controller_plan(words: &Words) -> ControllerPlan {
    let failover = failover(words);
    let store = StorePlan {
        group: GroupId(0),
        label: Label::new("orders"),
        seats: (0..words.number("seats").max(2) as u16).map(seat).collect(),
        primary: 0,
        leased: words.has("leased"),
        routers: vec![ProcessId(200)],
        entry_bytes: 1000,
        devices: vec![ProcessId(300), ProcessId(301), ProcessId(302)],
    };
    ControllerPlan {
        failover,
        quorum: words.number("quorum").max(1) as u16,
        checkers: 5,
        hold: words.span_or("hold", Span::ZERO),
        self_fence_wait: words.span_or("self_fence_wait", Span::from_secs(31)),
        stores: vec![store],
        elected: None,
        streams: dice(),
        label: Label::new("controller"),
    }
}

fn failover(words: &Words) -> FailoverParams {
    let constant = |key: &str| DistSpec::Constant(words.span_or(key, Span::ZERO));
    let mut failover = FailoverParams {
        stop_traffic: constant("stop_traffic"),
        drain: constant("drain"),
        fence: constant("fence"),
        promotion: DistSpec::Constant(words.span_or("promotion", Span::from_secs(2))),
        route: constant("route"),
        operator_response: constant("operator_response"),
        ..FailoverParams::default()
    };
    failover.rejoin.after = words.span_or("rejoin", Span::from_secs(10));
    if words.has("zombie") {
        failover.rejoin.becomes = RejoinAs::Zombie;
    }
    if words.has("rebuilt") {
        failover.rejoin.becomes = RejoinAs::Rebuilt;
        failover.rejoin.data_size = Bytes(1_000_000_000);
    }
    failover.rejoin.resync = constant("resync");
    if words.has("approval") {
        failover.trigger = Trigger::Approval;
    }
    if words.has("manual") {
        failover.trigger = Trigger::Manual;
    }
    steps(words, &mut failover);
    failover.operator_never = Share(words.number("operator_never") as f64 / 100.0);
    failover.cooldown = words.span_or("cooldown", Span::ZERO);
    if words.has("never") {
        failover.trigger = Trigger::Never;
    }
    if words.has("first_listed") {
        failover.candidate = Candidate::FirstListed;
    }
    if words.has("stop_once") {
        failover.stop_order = StopOrder::Once;
    }
    if words.has("self") {
        failover.fencing = vec![Fencing::SelfStop];
    }
    fencing(words, &mut failover);
    returning(words, &mut failover);
    failover
}

/// Steps that fail, and the guard on lag.
fn steps(words: &Words, failover: &mut FailoverParams) {
    failover.steps.failure = Share(words.number("failure") as f64 / 100.0);
    failover.steps.hang = Share(words.number("hang") as f64 / 100.0);
    failover.steps.timeout = words.span_or("timeout", Span::from_secs(60));
    failover.steps.attempts = words.get("attempts").map_or(3, |n| n.parse().expect("a number"));
    failover.steps.retry = words.span_or("retry", Span::from_secs(5));
    if let Some(step) = words.get("unreliable") {
        let step = Step::read(&Node::text(step), &mut Problems::default());
        failover.steps.unreliable = vec![step.expect("a step")];
    }
    if words.has("abandon") {
        failover.steps.on_failure = GiveUp::Abandon;
    }
    failover.lag_guard = LagGuardParams {
        max: words
            .get("max_lag")
            .map(|kilobytes| Bytes(kilobytes.parse::<u64>().expect("a number") * 1000)),
        too_far: match words.get("too_far") {
            Some("refuse") => TooFar::Refuse,
            Some("promote") => TooFar::Promote,
            _ => TooFar::Wait,
        },
        patience: words.span_or("patience", Span::ZERO),
    };
}

/// Failback.
fn returning(words: &Words, failover: &mut FailoverParams) {
    if words.has("careful") || words.has("hasty") {
        failover.failback = Failback::Automatic;
        failover.returning.stable = Span::from_secs(3);
        failover.returning.verify = DistSpec::Constant(Span::from_secs(4));
        failover.returning.max_lag = Bytes(10_000);
    }
    if words.has("hasty") {
        failover.returning.style = Style::Hasty;
    }
    if words.has("scheduled") {
        failover.failback = Failback::Scheduled;
        failover.returning.window.opens = Span::from_secs(60);
    }
}

/// STONITH with devices p300, p301, p302, and fencing at the network.
fn fencing(words: &Words, failover: &mut FailoverParams) {
    let then = match words.get("unfenced") {
        Some("go_on") => Unfenced::GoOn,
        Some("abandon") => Unfenced::Abandon,
        _ => Unfenced::Wait,
    };
    if words.has("stonith") {
        failover.fencing.push(Fencing::Stonith);
        failover.stonith = stonith(words);
        failover.stonith.on_failure = then;
    }
    if words.has("network") {
        failover.fencing.push(Fencing::Network);
        failover.network_fence.on_failure = then;
    }
}

/// How a host is switched off.
pub fn stonith(words: &Words) -> StonithParams {
    StonithParams {
        action: if words.has("reboot") { PowerAction::Reboot } else { PowerAction::Off },
        failure: Share(words.number("failure") as f64 / 100.0),
        hang: Share(words.number("hang") as f64 / 100.0),
        timeout: words.span_or("timeout", Span::from_secs(60)),
        attempts: words.get("attempts").map_or(10, |n| n.parse().expect("a number")),
        ..StonithParams::default()
    }
}
