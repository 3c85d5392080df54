//! A record that follows versioned orders, each some time after it arrived.

use crate::model::id::ProcessId;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::rng::{Label, Streams};

/// Where to send clients, and the orders on their way.
pub(super) struct Rollout {
    target: ProcessId,
    /// Of the order that is followed; the initial record has version 0.
    version: u32,
    /// Arrived, not followed yet.
    pending: Vec<(u32, ProcessId)>,
    propagation: Dist,
    streams: Streams,
    label: Label,
}

impl Rollout {
    /// The initial record, version 0.
    pub(super) fn new(
        target: ProcessId,
        propagation: &DistSpec,
        streams: &Streams,
        label: Label,
    ) -> Rollout {
        let propagation = Dist::new(propagation);
        Rollout {
            target,
            version: 0,
            pending: Vec::new(),
            propagation,
            streams: streams.clone(),
            label,
        }
    }
    /// What is answered now.
    #[inline]
    pub(super) fn target(&self) -> ProcessId {
        self.target
    }
    /// By which order.
    pub(super) fn version(&self) -> u32 {
        self.version
    }
    /// Takes an order. Says how long until it is to be applied, or nothing when it is stale or
    /// already known. The delay is drawn by version: it is the same in every design.
    pub(super) fn order(&mut self, version: u32, target: ProcessId) -> Option<Span> {
        if version <= self.version || self.pending.iter().any(|(known, _)| *known == version) {
            return None;
        }
        self.pending.push((version, target));
        Some(self.delay(version))
    }
    /// The time for that order has come; orders older than it are void.
    pub(super) fn apply(&mut self, version: u32) {
        if let Some((_, target)) = self.pending.iter().find(|(known, _)| *known == version) {
            self.target = *target;
            self.version = version;
            self.pending.retain(|(known, _)| *known > version);
        }
    }
    /// The orders that are not followed yet, each with its whole delay: after a restart.
    pub(super) fn again(&self) -> impl Iterator<Item = (u32, Span)> + '_ {
        self.pending.iter().map(|(version, _)| (*version, self.delay(*version)))
    }
    fn delay(&self, version: u32) -> Span {
        let mut dice = self.streams.stream(self.label.with_index(version.into()));
        self.propagation.sample(&mut dice)
    }
}
