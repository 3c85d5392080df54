//! Stores with versions per key: their nodes, and how clients find them.

use super::*;
use crate::model::keyed::quorum::{Node, Params, Pick, Seat};
use crate::model::keyed::{Keyed, Latency, Registers};
use crate::model::replica::ModeParams;
use crate::model::route::Coordinators;
use std::sync::Arc;

impl Stage {
    /// True for a store with versions per key.
    pub(super) fn is_keyed(&self, store: usize) -> bool {
        self.plan.stores[store].params.replication.is_keyed()
    }

    /// A node of such a store that only coordinates.
    pub(super) fn coordinator(
        &self,
        process: ProcessId,
        store: usize,
        streams: &Streams,
        dice: Stream,
    ) -> Process {
        match &self.plan.stores[store].params.replication {
            ModeParams::Quorum(params) => self.keyed(process, store, params, None, streams, dice),
            _ => panic!("only stores with versions per key have coordinators"),
        }
    }

    /// A node of such a store: a replica, or one that only coordinates.
    pub(super) fn keyed(
        &self,
        process: ProcessId,
        store: usize,
        params: &Params,
        replica: Option<usize>,
        streams: &Streams,
        dice: Stream,
    ) -> Process {
        let plan = &self.plan.stores[store];
        let bytes = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        let site = self.layout.nodes[self.layout.node_of(process).index()].site;
        let label = Label::new("store").with(&plan.name);
        let seat = Seat {
            group: Layout::store_group(store),
            replicas: self.replicas(store).collect(),
            own: replica.map(|replica| replica as u8),
            region: self.layout.sites[site.index()],
            ring: Arc::new(plan.ring().unwrap_or_default()),
            latency: Latency::new(&params.latency, streams, label),
            params: params.clone(),
            restart_time: Dist::new(&plan.params.restart_time),
            write_bytes: bytes(plan.params.write_size.0.saturating_add(plan.params.log_overhead.0)),
            read_bytes: bytes(plan.params.read_size.0),
            dice,
        };
        Process::Keyed(Box::new(Keyed::Quorum(Node::new(seat, Registers::default()))))
    }

    /// The coordinators of a store as a population knows them: nearest first.
    pub(super) fn coordinators(
        &self,
        population: ProcessId,
        store: usize,
        label: Label,
        streams: &Streams,
    ) -> Router {
        let fabric = Fabric::new(&self.fabric);
        let site = |p: ProcessId| self.layout.nodes[self.layout.node_of(p).index()].site.index();
        let asked = |task| matches!(task, Task::Coordinator { store: s, .. } if s == store);
        let mut processes = self.layout.processes(asked);
        if processes.is_empty() {
            processes = self.replicas(store).collect();
        }
        processes.sort_by_key(|other| (fabric.base_rtt(site(population), site(*other)), *other));
        let random = match &self.plan.stores[store].params.replication {
            ModeParams::Quorum(params) => [params.read_to, params.write_to],
            _ => [Pick::Nearest; 2],
        };
        let random = random.map(|pick| pick == Pick::Random);
        Router::Coordinators(Coordinators::new(processes, random, streams, label))
    }
}
