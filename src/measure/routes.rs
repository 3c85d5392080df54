//! The way to a new primary: how long a region's clients take to get there, and how long its
//! resolvers go on sending some of them elsewhere.
//!
//! `dns.tail` of a region: from its first acknowledged write at the new primary to the moment
//! its last resolver began to send clients there. Resolvers are known by their [`Fact::Routed`].
//! A resolver that still points elsewhere in the end makes it censored; a region of which no
//! resolver moved has none.
//!
//! [`Fact::Routed`]: crate::model::fact::Fact::Routed

use crate::measure::sample::Sample;
use crate::model::id::{ClientId, NodeId};
use crate::sim::time::{SimTime, Span};
use std::collections::BTreeMap;

/// Watches the resolvers of one region's clients of one store.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    routes: BTreeMap<(ClientId, u32), NodeId>,
    target: Option<NodeId>,
    first_ok: Option<SimTime>,
    last_moved: Option<SimTime>,
    worst: Option<Sample>,
    /// While nothing is acknowledged at the target yet: the longest gap so far.
    gap: Span,
    /// True when the target is the initial primary.
    returns: bool,
    /// The longest gap of a failback.
    return_gap: Sample,
}

impl Tail {
    /// A node became primary.
    pub fn failover(&mut self, to: NodeId, returns: bool, now: SimTime) {
        self.finish(now);
        (self.target, self.first_ok, self.last_moved) = (Some(to), None, None);
        (self.returns, self.gap) = (returns, Span::ZERO);
        if returns {
            self.return_gap = self.return_gap.worse(Sample::Value(0.0));
        }
    }

    /// A resolver began to send clients to a node.
    pub fn routed(&mut self, client: ClientId, resolver: u32, node: NodeId, now: SimTime) {
        let before = self.routes.insert((client, resolver), node);
        if self.target == Some(node) && before != Some(node) {
            self.last_moved = Some(now);
        }
    }

    /// A write of the region was acknowledged; the one before it at `before`.
    #[inline]
    pub fn acknowledged(&mut self, by: Option<NodeId>, before: SimTime, now: SimTime) {
        if self.target.is_some() && self.first_ok.is_none() {
            self.gap = self.gap.max(now.since(before));
            if by == self.target {
                self.first_ok = Some(now);
                if self.returns {
                    let gap = Sample::Value(self.gap.as_secs_f64());
                    self.return_gap = self.return_gap.worse(gap);
                }
            }
        }
    }

    /// The longest gap of a failback, in the end. `last` is the last acknowledgement; `waits`
    /// tells whether a write was offered since.
    pub fn return_gap(&self, end: SimTime, last: SimTime, waits: bool) -> Sample {
        match self.returns && self.first_ok.is_none() && waits {
            true => self.return_gap.worse(Sample::Censored(end.since(last).as_secs_f64())),
            false => self.return_gap,
        }
    }

    fn finish(&mut self, now: SimTime) {
        let (Some(target), Some(first), Some(last)) = (self.target, self.first_ok, self.last_moved)
        else {
            return;
        };
        let elsewhere = self.routes.values().any(|node| *node != target);
        let sample = if elsewhere {
            Sample::Censored(now.since(first).as_secs_f64())
        } else {
            Sample::Value(last.since(first).as_secs_f64())
        };
        self.worst = Some(self.worst.unwrap_or(Sample::Missing).worse(sample));
    }

    /// The longest tail of the trial.
    pub fn worst(mut self, end: SimTime) -> Sample {
        self.finish(end);
        self.worst.unwrap_or(Sample::Missing)
    }
}
