//! From a plan to the machines of one trial: who is told what about whom.

mod control;
mod elector;
mod keyed;

use crate::model::client::{Population, Setup};
use crate::model::control::agent::{Agent, AgentPlan};
use crate::model::control::controller::Controller;
use crate::model::control::coordination::Voter;
use crate::model::control::race::Racer;
use crate::model::control::storage::Storage;
use crate::model::control::{Fencing, Trigger};
use crate::model::detect::checker::Checker;
use crate::model::id::{ClientId, NodeId, ProcessId};
use crate::model::replica::{Guard, Mode, ModeParams, Replica, ReplicaSpec, Server};
use crate::model::route::name_server::Zone;
use crate::model::route::{Direct, NameServer, Nearest, Place, Router, ViaParams};
use crate::net::Fabric;
use crate::sim::clock::Clock;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::Span;
use crate::world::disk::Disk;
use crate::world::layout::{Layout, Task};
use crate::world::process::{Process, State};
use crate::world::run::{Host, Slot};
use crate::world::stage::Stage;

/// Those who keep nothing on disk, or whose disk nobody waits for.
const AT_ONCE: DistSpec = DistSpec::Constant(Span::ZERO);

/// The longest uptime of a host at the start of a run: nodes' monotonic clocks do not agree.
const UPTIME: Span = Span::from_secs(1_000);

impl Stage {
    pub(super) fn make_hosts(&self, streams: &Streams) -> Vec<Host> {
        let most = (self.plan.clock_drift_ppm.abs() * 1e3) as u64;
        let host = |node: &crate::world::layout::NodeSite| {
            let mut dice = streams.stream(Label::new("clock").with(&node.name));
            let uptime = Span::from_nanos(dice.below(UPTIME.as_nanos()));
            let drift = dice.below(2 * most + 1) as i64 - most as i64;
            let mut clock = Clock::new(uptime, 0);
            clock.set_drift(crate::sim::SimTime::ZERO, drift);
            Host {
                clock,
                down_by: Vec::new(),
                drift,
                drifted_by: Vec::new(),
                ails_by: Vec::new(),
                watchdog: 0,
                watchdog_due: None,
            }
        };
        self.layout.nodes.iter().map(host).collect()
    }

    pub(super) fn make_slots(&self, streams: &Streams) -> Vec<Slot> {
        let slot = |(i, (task, node)): (usize, &(Task, NodeId))| {
            let process = ProcessId::of(i);
            let disk_dice = streams.stream(self.label(process).with("disk"));
            Slot {
                machine: self.make(process, *task, streams),
                node: *node,
                site: self.layout.nodes[node.index()].site.index(),
                stands: match task {
                    Task::Database { store, .. } => !self.is_keyed(*store),
                    _ => matches!(task, Task::Voter { .. }),
                },
                supervised: matches!(task, Task::Database { store, .. } if self.races(*store)),
                state: State::Running,
                incarnation: 0,
                timers: Vec::new(),
                disk: Disk::new(Dist::new(self.disk_delay(*task)), disk_dice),
                inbox: std::collections::VecDeque::new(),
                admits: false,
                acks: u16::MAX,
                stopped_by: Vec::new(),
                paused_by: Vec::new(),
                stalled_by: Vec::new(),
                errs_by: Vec::new(),
            }
        };
        self.layout.tasks.iter().enumerate().map(slot).collect()
    }

    fn label(&self, process: ProcessId) -> Label {
        Label::new(&self.process_names[process.index()])
    }

    fn disk_delay(&self, task: Task) -> &DistSpec {
        match task {
            Task::Voter { lease, .. } => &self.plan.leases[lease].params.election.fsync,
            Task::Controller { failover } => {
                self.council(failover).map_or(&AT_ONCE, |council| &council.fsync)
            }
            Task::Database { store, .. } | Task::Storage { store } => {
                &self.plan.stores[store].params.fsync
            }
            _ => &AT_ONCE,
        }
    }

    fn make(&self, process: ProcessId, task: Task, streams: &Streams) -> Process {
        let dice = streams.stream(self.label(process).with("own"));
        match task {
            Task::Database { store, replica } => self.node(process, store, replica, streams, dice),
            Task::Coordinator { store, .. } => self.coordinator(process, store, streams, dice),
            Task::Agent { store, replica } if self.races(store) => {
                Process::Racer(Box::new(Racer::new(self.racer(store, replica, streams, dice))))
            }
            Task::Agent { store, replica } => {
                let database = self.database(store, replica);
                let plan = &self.plan.stores[store];
                let fences_itself = self.fencing(store).contains(&Fencing::SelfStop);
                let failover = plan.failover.map(|i| &self.plan.failovers[i].params);
                Process::Agent(Box::new(Agent::new(AgentPlan {
                    group: Layout::store_group(store),
                    node: self.layout.node_of(process),
                    database,
                    lease: plan
                        .lease
                        .map(|lease| (self.plan.leases[lease].params.clone(), self.voters(lease))),
                    self_fence_after: failover
                        .filter(|_| fences_itself)
                        .map(|params| params.self_fence_after),
                    dice,
                })))
            }
            Task::Voter { lease, .. } => {
                let plan = &self.plan.leases[lease];
                let voters = self.voters(lease);
                let agents = self.layout.processes(|task| match task {
                    Task::Agent { store, .. } => self.plan.stores[store].lease == Some(lease),
                    _ => false,
                });
                let agents: Vec<_> =
                    agents.into_iter().map(|agent| (agent, self.layout.node_of(agent))).collect();
                let initial = plan.initial_leader.map(|i| voters[i]);
                let group = Layout::lease_group(&self.plan, lease);
                let voter =
                    Voter::new(group, process, &voters, &plan.params, &agents, initial, dice);
                Process::Voter(Box::new(voter))
            }
            Task::Checker { check, store, .. } => {
                let params = &self.plan.health_checks[check].params;
                let targets = self.replicas(store).map(|p| (self.layout.node_of(p), p)).collect();
                let controllers = self.plan.stores[store]
                    .failover
                    .filter(|failover| self.pinging_council(*failover).is_none())
                    .map(|failover| self.layout.processes(|t| t == Task::Controller { failover }));
                let group = Layout::store_group(store);
                let report_to = controllers.unwrap_or_default();
                Process::Checker(Box::new(Checker::new(params, group, targets, report_to, dice)))
            }
            Task::Controller { failover } => match self.council(failover) {
                Some(council) => self.member(process, failover, council, streams),
                None => {
                    Process::Controller(Box::new(Controller::new(self.charge(failover, streams))))
                }
            },
            Task::NameServer { routing } => self.name_server(process, routing, streams),
            Task::Storage { .. } => Process::Storage(Box::new(Storage::new())),
            Task::FenceDevice { store, replica } => {
                Process::FenceDevice(Box::new(self.fence_device(store, replica, streams)))
            }
            Task::Population { client } => self.population(process, client, streams),
        }
    }

    /// A replica of a store, of whatever family.
    fn node(
        &self,
        process: ProcessId,
        store: usize,
        replica: usize,
        streams: &Streams,
        dice: Stream,
    ) -> Process {
        match &self.plan.stores[store].params.replication {
            ModeParams::Consensus(params) => self.elector(process, store, params, dice),
            ModeParams::Quorum(params) => {
                self.keyed(process, store, params, Some(replica), streams, dice)
            }
            _ => self.replica(process, store, streams, dice),
        }
    }

    fn replica(
        &self,
        process: ProcessId,
        store: usize,
        streams: &Streams,
        dice: Stream,
    ) -> Process {
        let plan = &self.plan.stores[store];
        let params = &plan.params;
        let mode = Mode::new(&params.replication, plan.replicas.len() - 1);
        let mode = mode.expect("only stores with a primary have replicas of this kind");
        let apply = Dist::new(params.replication.apply_delay());
        let spec = self.replica_spec(process, store);
        let replica = Replica::new(spec, process, mode, apply, dice);
        let replica = match self.server(store, streams) {
            Some(server) => replica.with_server(server),
            None => replica,
        };
        let dice = || streams.stream(self.label(process).with("guard"));
        Process::Database(Box::new(match &params.guard {
            Some(guard) => replica.with_guard(Guard::new(guard, &mut dice())),
            None => replica,
        }))
    }

    fn database(&self, store: usize, replica: usize) -> ProcessId {
        let task = Task::Database { store, replica };
        self.layout.process(task).expect("every replica has a database")
    }

    fn replicas(&self, store: usize) -> impl Iterator<Item = ProcessId> {
        let count = self.plan.stores[store].replicas.len();
        (0..count).map(move |replica| self.database(store, replica))
    }

    fn voters(&self, lease: usize) -> Vec<ProcessId> {
        self.layout.processes(|task| matches!(task, Task::Voter { lease: l, .. } if l == lease))
    }

    fn fencing(&self, store: usize) -> &[Fencing] {
        let failover = self.plan.stores[store].failover;
        failover.map_or(&[], |i| &self.plan.failovers[i].params.fencing)
    }

    fn replica_spec(&self, process: ProcessId, store: usize) -> ReplicaSpec {
        let plan = &self.plan.stores[store];
        let node = self.layout.node_of(process);
        let storage = self.layout.process(Task::Storage { store });
        ReplicaSpec {
            group: Layout::store_group(store),
            replicas: self.replicas(store).collect(),
            agent: self.layout.on_node(node, "agent").first().copied(),
            leased: plan.lease.is_some(),
            checks_tokens: self.fencing(store).contains(&Fencing::Token) && storage.is_none(),
            storage,
            idempotent: plan.params.idempotent,
            restart: plan.params.restart,
            restart_time: Dist::new(&plan.params.restart_time),
            apply_rate: plan.params.apply_rate,
            unapplied: plan.params.unapplied,
            entry_bytes: self.entry_bytes(store),
            answer_bytes: 100,
        }
    }

    fn entry_bytes(&self, store: usize) -> u32 {
        let params = &self.plan.stores[store].params;
        let bytes = params.write_size.0.saturating_add(params.log_overhead.0);
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The places of a store's nodes. An operation's service is drawn by store, not by node.
    fn server(&self, store: usize, streams: &Streams) -> Option<Server> {
        let plan = &self.plan.stores[store];
        let label = Label::new("store").with(&plan.name).with("service");
        plan.params.server.as_ref().map(|params| Server::new(params, streams.draws(label)))
    }

    /// Who is told where a store's clients belong.
    fn routers(&self, store: usize) -> Vec<ProcessId> {
        let Some(routing) = self.plan.stores[store].routing else { return Vec::new() };
        match self.plan.routings[routing].params.via {
            ViaParams::Dns(_) => self.name_servers(routing),
            ViaParams::Proxy(_) => Vec::new(),
            ViaParams::GlobalLb(_) => self.layout.processes(|task| match task {
                Task::Population { client } => {
                    let plan = &self.plan.clients[client];
                    plan.store == store && plan.node.is_none()
                }
                _ => false,
            }),
        }
    }

    fn name_servers(&self, routing: usize) -> Vec<ProcessId> {
        self.layout.processes(|task| task == Task::NameServer { routing })
    }

    fn name_server(&self, process: ProcessId, routing: usize, streams: &Streams) -> Process {
        let instant = DistSpec::Constant(Span::ZERO);
        let propagation = match &self.plan.routings[routing].params.via {
            ViaParams::Dns(params) => &params.propagation,
            ViaParams::GlobalLb(_) | ViaParams::Proxy(_) => &instant,
        };
        let led = |store: &usize| self.plan.stores[*store].routing == Some(routing);
        let stores = (0..self.plan.stores.len()).filter(led);
        let zones: Vec<Zone<'_>> = stores
            .map(|store| Zone {
                group: Layout::store_group(store),
                initial: self.database(store, 0),
                propagation,
            })
            .collect();
        let name = &self.process_names[process.index()];
        Process::NameServer(Box::new(NameServer::new(&zones, streams, name)))
    }

    fn population(&self, process: ProcessId, client: usize, streams: &Streams) -> Process {
        let plan = &self.plan.clients[client];
        let store = &self.plan.stores[plan.store];
        let fabric = Fabric::new(&self.fabric);
        let site = |p: ProcessId| self.layout.nodes[self.layout.node_of(p).index()].site.index();
        let mut servers = store.routing.map_or(Vec::new(), |routing| self.name_servers(routing));
        servers.sort_by_key(|server| (fabric.base_rtt(site(process), site(*server)), *server));
        let databases: Vec<ProcessId> = self.replicas(plan.store).collect();
        let id = ClientId::of(client);
        let group = Layout::store_group(plan.store);
        let place = Place {
            client: id,
            name: &plan.name,
            group,
            initial: databases[0],
            databases: &databases,
            servers: &servers,
            homes: &self.homes,
            streams,
        };
        let router = match (plan.node, store.routing) {
            (Some(replica), _) => Router::Direct(Direct(databases[replica])),
            (None, Some(routing)) => Router::of(&self.plan.routings[routing].params, &place),
            (None, None) if self.is_keyed(plan.store) => {
                self.coordinators(process, plan.store, place.label(), streams)
            }
            (None, None) => {
                let far = |p: &ProcessId| fabric.base_rtt(site(process), site(*p));
                let mut order = databases.clone();
                order.sort_by_key(far);
                Router::Nearest(Nearest::new(order))
            }
        };
        let bytes = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        Process::Population(Box::new(Population::new(Setup {
            id,
            name: &plan.name,
            params: &plan.params,
            group,
            write_bytes: bytes(store.params.write_size.0),
            read_bytes: bytes(store.params.read_size.0),
            keys: self.keys[client].clone(),
            router,
            tells_sessions: self.is_keyed(plan.store),
            homes: &self.homes,
            streams,
        })))
    }
}
