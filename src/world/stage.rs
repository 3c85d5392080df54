//! The stage: everything of a plan that all its trials share.

use crate::model::client::Keys;
use crate::model::id::{GroupId, NodeId, ProcessId, RegionId};
use crate::model::order::Order;
use crate::model::replica::{Mode, Replicate, Unapplied};
use crate::model::roster::{
    ClientEntry, FaultEntry, GroupEntry, NodeEntry, ProcessEntry, Roster, SiteEntry,
};
use crate::net::{FabricSpec, LinkSpec, PairSpec, Physical, TransportSpec};
use crate::sim::dist::Dist;
use crate::sim::param::Problems;
use crate::sim::rng::{Label, Streams};
use crate::sim::time::{SimTime, Span};
use crate::world::fault::{Act, Fault};
use crate::world::layout::{Layout, Task};
use crate::world::plan::{PairPlan, Plan};
use crate::world::timeline::Timeline;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A fault, its names looked up.
pub(super) struct BoundFault {
    pub acts: Vec<Act>,
    pub times: Timeline,
}

/// An operator, its names looked up.
pub(super) struct BoundOperator {
    pub group: GroupId,
    pub orders: Vec<(ProcessId, Order)>,
    pub times: Timeline,
}

/// Everything of a plan that all its trials share: names, tables, wires.
pub struct Stage {
    pub(super) plan: Plan,
    pub(super) layout: Layout,
    pub(super) roster: Roster,
    pub(super) process_names: Vec<String>,
    pub(super) fabric: FabricSpec,
    pub(super) transport: TransportSpec,
    pub(super) faults: Vec<BoundFault>,
    pub(super) operators: Vec<BoundOperator>,
    pub(super) homes: Arc<[NodeId]>,
    pub(super) keys: Vec<Keys>,
    pub(super) horizon: SimTime,
    pub(super) end: SimTime,
    /// Where timers go that are beyond every run.
    pub(super) end_of_time: SimTime,
}

impl Stage {
    /// Prepares a plan. What it refuses (a fault whose target is nowhere) is a problem with its
    /// place; a scenario that was read without errors has none.
    pub fn new(plan: &Plan) -> Result<Stage, Problems> {
        let layout = Layout::new(plan);
        let roster = roster(plan, &layout);
        let mut problems = Problems::default();
        let faults = plan.faults.iter().map(|fault| BoundFault {
            acts: fault.params.acts(&layout, &mut problems),
            times: Timeline::new(
                Label::new("fault").with(&fault.name),
                &fault.common,
                &roster,
                &mut problems,
            ),
        });
        let faults: Vec<BoundFault> = faults.collect();
        let operators = plan.operators.iter().map(|operator| BoundOperator {
            group: Layout::store_group(operator.store),
            orders: operator.orders(plan, &layout),
            times: Timeline::new(
                Label::new("operator").with(&operator.name),
                &operator.common.times(),
                &roster,
                &mut problems,
            ),
        });
        let operators: Vec<BoundOperator> = operators.collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let process_names: Vec<String> = layout
            .tasks
            .iter()
            .map(|(task, node)| match task {
                Task::Checker { store, .. } => {
                    let node = &layout.nodes[node.index()].name;
                    format!("{}:{node}:{}", task.word(), plan.stores[*store].name)
                }
                _ => format!("{}:{}", task.word(), layout.nodes[node.index()].name),
            })
            .collect();
        let end = SimTime::ZERO + plan.horizon + plan.settle;
        let stage = Stage {
            roster,
            fabric: fabric(plan, &layout),
            transport: plan.wan.transport.clone(),
            homes: layout.tasks.iter().map(|(_, node)| *node).collect(),
            keys: plan.clients.iter().map(|client| Keys::new(&client.params.keys)).collect(),
            horizon: SimTime::ZERO + plan.horizon,
            end,
            end_of_time: end + Span::from_secs(1),
            plan: plan.clone(),
            layout,
            process_names,
            faults,
            operators,
        };
        stage.refuse_equal_labels();
        Ok(stage)
    }

    /// Who is who.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Two processes whose dice had the same name would throw the same numbers. The names are
    /// hashed to 64 bits; a collision is refused here rather than lived with.
    fn refuse_equal_labels(&self) {
        let labels = self.process_names.iter().map(|name| Label::new(name).number());
        let distinct: BTreeSet<u64> = labels.collect();
        assert_eq!(distinct.len(), self.process_names.len(), "two processes share their dice");
    }

    pub(super) fn clients(&self) -> usize {
        self.plan.clients.len()
    }

    /// The nodes that a fault touches: themselves, their processes, or their links.
    pub(super) fn touched(&self, acts: &[Act]) -> Vec<NodeId> {
        let mut nodes = BTreeSet::new();
        let mut sites = BTreeSet::new();
        for act in acts {
            match act {
                Act::Block { from, to, .. }
                | Act::Slow { from, to, .. }
                | Act::Lossy { from, to, .. }
                | Act::Bursty { from, to, .. }
                | Act::Narrow { from, to, .. } => {
                    sites.insert(*from);
                    sites.insert(*to);
                }
                Act::StopOrders(_) => {}
                Act::Sever(site) => {
                    sites.insert(*site);
                }
                Act::StopHost { node, .. }
                | Act::Drift { node, .. }
                | Act::Step { node, .. }
                | Act::BadWire { node, .. } => {
                    nodes.insert(*node);
                }
                Act::Kill { process, .. }
                | Act::Pause(process)
                | Act::Stall { process, .. }
                | Act::SlowDisk { process, .. }
                | Act::Err { process, .. } => {
                    nodes.insert(self.layout.node_of(*process));
                }
                Act::LinkDown { link, .. } => {
                    let links = self.plan.wan.physical.iter().flat_map(|wan| &wan.links);
                    for link in links.skip(*link).take(1) {
                        let ends = [RegionId::of(link.a), RegionId::of(link.b)];
                        let all = self.layout.sites.iter().enumerate();
                        let hit = all.filter(|(_, region)| ends.contains(region));
                        sites.extend(hit.map(|(i, _)| crate::model::id::SiteId::of(i)));
                    }
                }
            }
        }
        let all = self.layout.nodes.iter().enumerate();
        let there = all.filter(|(_, node)| !node.outside && sites.contains(&node.site));
        nodes.extend(there.map(|(i, _)| NodeId::of(i)));
        nodes.into_iter().collect()
    }

    /// How long a host takes to come back after its watchdog rebooted it.
    pub(super) fn reboot_time(&self, node: NodeId, generation: u32, streams: &Streams) -> Span {
        let store =
            self.layout.nodes[node.index()].processes.iter().find_map(|process| {
                match self.layout.tasks[process.index()].0 {
                    Task::Database { store, .. } => Some(store),
                    _ => None,
                }
            });
        let lease = store.and_then(|store| self.plan.stores[store].lease);
        let Some(lease) = lease else { return Span::ZERO };
        let label = Label::new("reboot").with(&self.layout.nodes[node.index()].name);
        let mut dice = streams.stream(label.with_index(u64::from(generation)));
        Dist::new(&self.plan.leases[lease].params.reboot_time).sample(&mut dice)
    }
}

fn roster(plan: &Plan, layout: &Layout) -> Roster {
    let sites = layout.site_names.iter().zip(&layout.sites);
    let nodes = layout.nodes.iter();
    let stores = plan.stores.iter().enumerate().map(|(store, plan)| GroupEntry {
        name: plan.name.clone(),
        is_store: true,
        members: members(layout, |t| matches!(t, Task::Database { store: s, .. } if s == store)),
        in_memory: false,
        acks: match Mode::new(&plan.params.replication, plan.replicas.len().saturating_sub(1)) {
            Some(mode) => mode.acks_required(),
            None if plan.params.replication.is_keyed() => 0,
            None => ((plan.replicas.len() - plan.electors.non_voting.len()) / 2) as u16,
        },
        elects: !plan.params.replication.has_primary() && !plan.params.replication.is_keyed(),
        cuts_disks: plan.params.unapplied == Unapplied::Discard,
        ring: plan.ring().map(Arc::new),
    });
    let leases = plan.leases.iter().enumerate().map(|(lease, plan)| GroupEntry {
        name: plan.name.clone(),
        is_store: false,
        members: members(layout, |t| matches!(t, Task::Voter { lease: l, .. } if l == lease)),
        in_memory: false,
        acks: 0,
        elects: true,
        cuts_disks: false,
        ring: None,
    });
    let clients = plan.clients.iter().map(|client| ClientEntry {
        name: client.name.clone(),
        region: RegionId::of(client.spot.region),
        site: layout.site(client.spot),
        group: Layout::store_group(client.store),
    });
    let faults = plan.faults.iter().map(|fault| FaultEntry {
        name: fault.name.clone(),
        kind: fault.params.word(),
        permanent: fault.common.is_permanent(),
    });
    Roster {
        regions: plan.regions.iter().map(|region| region.name.clone()).collect(),
        sites: sites
            .map(|(name, region)| SiteEntry { name: name.clone(), region: *region })
            .collect(),
        nodes: nodes.map(|node| NodeEntry { name: node.name.clone(), site: node.site }).collect(),
        processes: layout
            .tasks
            .iter()
            .map(|(task, node)| ProcessEntry { role: task.word(), node: *node })
            .collect(),
        groups: stores.chain(leases).collect(),
        clients: clients.collect(),
        faults: faults.collect(),
        warmup: SimTime::ZERO + plan.warmup,
        horizon: SimTime::ZERO + plan.horizon,
        end: SimTime::ZERO + plan.horizon + plan.settle,
        rto_objective: plan.rto_objective,
        availability_slo: plan.availability_slo,
    }
}

fn members(layout: &Layout, passes: impl Fn(Task) -> bool) -> Vec<NodeId> {
    layout.processes(passes).into_iter().map(|process| layout.node_of(process)).collect()
}

/// The wires of a plan between all its sites. A pair of regions shares its bandwidth among all
/// pairs of zones.
fn fabric(plan: &Plan, layout: &Layout) -> FabricSpec {
    let regions = plan.regions.len();
    let sites = layout.sites.len();
    let mut pairs = Vec::with_capacity(sites * sites);
    for (a, from) in layout.sites.iter().enumerate() {
        for (b, to) in layout.sites.iter().enumerate() {
            let row = from.index() * regions + to.index();
            let pair = if a == b {
                pair_spec(&plan.wan.within_zone, None)
            } else if from != to && plan.wan.physical.is_some() {
                PairSpec { routed: true, ..PairSpec::default() }
            } else {
                pair_spec(&plan.wan.pairs[row], Some(row))
            };
            pairs.push(pair);
        }
    }
    let physical = plan.wan.physical.as_ref().map(|wan| Physical {
        regions,
        region_of: layout.sites.iter().map(|region| region.index()).collect(),
        links: wan
            .links
            .iter()
            .map(|link| LinkSpec {
                a: link.a,
                b: link.b,
                delay: link.wire.delay,
                jitter: link.wire.jitter.clone(),
                loss: link.wire.loss.0,
                bandwidth: link.wire.bandwidth.map(|bandwidth| bandwidth.0),
                queue: link.wire.queue.0,
            })
            .collect(),
        convergence: wan.convergence,
    });
    FabricSpec { sites, pairs, physical }
}

fn pair_spec(pair: &PairPlan, trunk: Option<usize>) -> PairSpec {
    PairSpec {
        base: pair.delay,
        jitter: pair.jitter.clone(),
        loss: pair.loss.0,
        bandwidth: pair.bandwidth.map(|bandwidth| bandwidth.0),
        queue: pair.queue.0,
        trunk: if pair.bandwidth.is_some() { trunk } else { None },
        routed: false,
    }
}

impl Stage {
    /// The name of a process, as its dice and the trace know it.
    pub fn process_name(&self, process: ProcessId) -> &str {
        &self.process_names[process.index()]
    }
}
