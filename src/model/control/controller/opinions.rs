//! What the checkers say of each node, counted.

use crate::model::id::{NodeId, ProcessId};
use std::collections::BTreeMap;

/// The latest opinion of each checker about each node.
#[derive(Clone, Debug, Default)]
pub struct Opinions {
    quorum: u16,
    /// By node and checker: what it says, and the number of the report.
    said: BTreeMap<(NodeId, ProcessId), (bool, u32)>,
}

impl Opinions {
    /// Nobody has said anything: all are healthy. A quorum below one counts as one.
    pub fn new(quorum: u16) -> Opinions {
        Opinions { quorum: quorum.max(1), said: BTreeMap::new() }
    }
    /// A checker reports: the new count of unhealthy opinions of that node, if it changed.
    /// A report that is older than what is known is dropped.
    pub fn hear(&mut self, by: ProcessId, node: NodeId, healthy: bool, seq: u32) -> Option<u16> {
        let before = self.count(node);
        let known = self.said.entry((node, by)).or_insert((true, 0));
        if seq > known.1 {
            *known = (healthy, seq);
        }
        let after = self.count(node);
        (before != after).then_some(after)
    }
    /// Somebody whose reports come in order says this now: the new count, if it changed.
    pub fn now_says(&mut self, by: ProcessId, node: NodeId, healthy: bool) -> Option<u16> {
        let seq = self.said.get(&(node, by)).map_or(0, |known| known.1);
        self.hear(by, node, healthy, seq.wrapping_add(1))
    }
    /// How many checkers say that a node is unhealthy.
    pub fn count(&self, node: NodeId) -> u16 {
        let of_node = self.said.range((node, ProcessId(0))..=(node, ProcessId(u16::MAX)));
        of_node.filter(|(_, (healthy, _))| !healthy).count() as u16
    }
    /// True when enough of them do.
    pub fn unhealthy(&self, node: NodeId) -> bool {
        self.count(node) >= self.quorum
    }
}
