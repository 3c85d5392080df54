//! What cannot be, and what was hardly meant.
//!
//! Reads the draft (for places) and the plan (for what was understood). Errors are impossible
//! combinations; doubts are possible ones that are probably not what was meant. May use what
//! `scenario` may. Will never know how a run proceeds, nor change the plan.
//!
//! # Decided
//! - Limits of size are checked before the plan is made, so that a huge file costs nothing.
//! - Where reading failed already, the checks that build on it are left out: one mistake, one
//!   message.

mod consensus;
mod council;
mod failback;
mod failovers;
mod faults;
mod fencing;
mod gray;
mod groups;
mod keyed;
mod limits;
mod load;
mod loops;
mod objectives;
mod operators;
mod population;
mod probes;
mod race;
mod replication;
mod routings;
mod servers;
mod systems;
mod targets;
mod when;

pub use limits::sizes;

use super::draft::Draft;
use super::names::Names;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::{Node, Place, Problems, Tree};
use crate::world::plan::{Plan, Spot};

/// The `index`-th item of the list under `key`.
pub fn item<'a>(table: &'a Node, key: &str, index: usize) -> Option<&'a Node> {
    match &table.get(key)?.tree {
        Tree::List(items) => items.get(index),
        _ => None,
    }
}

/// What every check sees.
struct Check<'a> {
    draft: &'a Draft,
    plan: &'a Plan,
    names: Names,
    /// Every node by name, clients left out: no fault can touch them.
    nodes: Vec<(String, Spot)>,
    errors: &'a mut Problems,
    doubts: &'a mut Problems,
}

impl Check<'_> {
    fn error(&mut self, place: &Place, message: String, help: &str) {
        self.errors.add_help(place, message, help);
    }
    fn doubt(&mut self, place: &Place, message: String, help: &str) {
        self.doubts.add_help(place, message, help);
    }
}

/// Checks everything.
pub fn validate(draft: &Draft, plan: &Plan, errors: &mut Problems, doubts: &mut Problems) {
    let names = Names::of(draft);
    let before = errors.0.len();
    let mut nodes = plan.node_names();
    nodes.retain(|(name, _)| !name.starts_with("clients:"));
    let mut check = Check { draft, plan, names, nodes, errors, doubts };
    limits::run(&mut check);
    population::clients(&mut check);
    groups::names_are_unique(&mut check);
    groups::stores(&mut check);
    servers::servers(&mut check);
    if before == 0 {
        groups::unused(&mut check);
    }
    systems::leases(&mut check);
    systems::health_checks(&mut check);
    failovers::failovers(&mut check);
    routings::routings(&mut check);
    faults::faults(&mut check);
    operators::operators(&mut check);
    if check.errors.is_empty() {
        objectives::policy(&mut check);
    }
    one_mistake_one_message(errors, before);
}

/// Of the problems found by checks, those at the place of an earlier problem go.
fn one_mistake_one_message(errors: &mut Problems, before: usize) {
    let (read, checked) = errors.0.split_at(before.min(errors.0.len()));
    let kept: Vec<_> = checked
        .iter()
        .filter(|p| p.place == (0..0) || !read.iter().take(1_000).any(|r| r.place == p.place))
        .cloned()
        .collect();
    errors.0.truncate(before);
    errors.0.extend(kept);
}

/// The shortest length a distribution takes.
fn shortest(spec: &DistSpec) -> Span {
    match spec {
        DistSpec::Constant(span) => *span,
        spec => Dist::new(spec).quantile_of(0),
    }
}

/// The length that one draw in a hundred exceeds.
fn long(spec: &DistSpec) -> Span {
    match spec {
        DistSpec::Constant(span) => *span,
        spec => Dist::new(spec).quantile_of(u64::MAX / 100 * 99),
    }
}
