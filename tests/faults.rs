//! Kinds of faults one by one, on plans built by hand: what each does, to whom, and that nothing
//! of it is left when it clears.

mod common;

use common::{Tape, aim, fault, plain, plan, play};
use regionsim::model::fact::Fact;
use regionsim::model::id::NodeId;
use regionsim::sim::Span;
use regionsim::world::fault::{FaultParams, crash};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn secs(n: u64) -> Span {
    Span::from_secs(n)
}

/// Who goes down when, in seconds, in the order of the facts.
fn downs(tape: &Tape) -> Vec<(u64, NodeId)> {
    let down = |(at, fact): &(_, Fact)| match fact {
        Fact::Down { node, .. } => {
            Some((regionsim::sim::SimTime::as_nanos(*at) / 1_000_000_000, *node))
        }
        _ => None,
    };
    tape.facts.iter().filter_map(down).collect()
}

fn crash_of(targets: &[&str]) -> FaultParams {
    FaultParams::Crash(crash::Params { target: aim(targets), ..crash::Params::default() })
}

#[test]
fn a_fault_may_aim_at_several_at_once_and_at_a_role() {
    let hit = |targets: &[&str]| {
        let mut plan = plan(2, Span::from_millis(60), 2, plain("async"), 5.0);
        plan.faults.push(fault("f", secs(10), Some(secs(5)), crash_of(targets)));
        downs(&play(&plan, 1).1)
    };
    let both = [(10, A), (10, B)];
    assert_eq!(hit(&["role:database"]), both);
    assert_eq!(hit(&["orders@b", "orders@a"]), both);
    assert_eq!(hit(&["role:database@b"]), [(10, B)]);
    // Named twice, a node is still hit once.
    assert_eq!(hit(&["role:database@b", "orders@b"]), [(10, B)]);
    // The name servers of both regions are the third and the fourth node.
    assert_eq!(hit(&["role:name_server"]), [(10, NodeId(2)), (10, NodeId(3))]);
}
