//! Who decides, as a plan states it: controllers, councils, racers, and what they are told.

use super::*;
use crate::model::control::DecidedBy;
use crate::model::control::controller::{ControllerPlan, Elected, Seat, StorePlan as Charge};
use crate::model::control::council::{CouncilParams, CouncilPlan, Member, Watching};
use crate::model::control::race::RacerPlan;
use crate::model::control::stonith::{DevicePlan, FenceDevice};
use crate::sim::rng::Stream;

/// With `self` fencing the controller waits that much longer than the primary, for delay and
/// drift. Our choice.
const SELF_FENCE_GUARD: Span = Span::from_secs(1);

impl Stage {
    /// True when a store's agents race for its lease.
    pub(super) fn races(&self, store: usize) -> bool {
        let failover = self.plan.stores[store].failover;
        failover.is_some_and(|i| self.plan.failovers[i].params.decided_by == DecidedBy::Race)
    }

    /// What an agent that races is told.
    pub(super) fn racer(
        &self,
        store: usize,
        replica: usize,
        streams: &Streams,
        dice: Stream,
    ) -> RacerPlan {
        let plan = &self.plan.stores[store];
        let failover = plan.failover.map(|i| &self.plan.failovers[i].params);
        let failover = failover.cloned().unwrap_or_default();
        let lease = plan.lease.map(|i| (self.plan.leases[i].params.clone(), self.voters(i)));
        let (lease, voters) = lease.unwrap_or_default();
        let mut rivals: Vec<Seat> = self.seats(store).collect();
        RacerPlan {
            group: Layout::store_group(store),
            seat: rivals.remove(replica),
            rivals,
            lease,
            voters,
            race: failover.race,
            rejoin: failover.rejoin,
            promotion: failover.promotion,
            route: failover.route,
            routers: self.routers(store),
            entry_bytes: plan.params.write_size.0.saturating_add(plan.params.log_overhead.0),
            streams: streams.clone(),
            label: Label::new("failover").with(&plan.name),
            dice,
        }
    }

    pub(super) fn seats(&self, store: usize) -> impl Iterator<Item = Seat> {
        self.replicas(store).enumerate().map(move |(replica, database)| Seat {
            node: self.layout.node_of(database),
            agent: self.layout.process(Task::Agent { store, replica }).expect("built with it"),
            database,
        })
    }

    /// The council of a failover, where one decides.
    pub(super) fn council(&self, failover: usize) -> Option<&CouncilParams> {
        let params = &self.plan.failovers[failover].params;
        params.council.as_ref().filter(|_| params.decided_by == DecidedBy::Council)
    }
    /// The same, where its members find out for themselves that a primary is down.
    pub(super) fn pinging_council(&self, failover: usize) -> Option<&CouncilParams> {
        self.council(failover).filter(|council| council.watch == Watching::Ping)
    }

    /// A member of a council: a controller that others must elect.
    pub(super) fn member(
        &self,
        process: ProcessId,
        failover: usize,
        council: &CouncilParams,
        streams: &Streams,
    ) -> Process {
        let members = self.layout.processes(|task| task == Task::Controller { failover });
        let me = members.iter().position(|member| *member == process).unwrap_or_default();
        let label = self.label(process).with("council");
        let mut controller = self.charge(failover, streams);
        if council.watch == Watching::Ping {
            controller.quorum = council.quorum_of(members.len()) as u16;
            controller.checkers = members.len() as u16;
            controller.hold = Span::ZERO;
        }
        controller.elected = Some(Elected {
            parallel_syncs: council.parallel_syncs,
            patience: council.failover_timeout,
            stops_old_primary: council.stops_old_primary,
            label,
        });
        Process::Member(Box::new(Member::new(CouncilPlan {
            params: council.clone(),
            members: members.iter().map(|m| (*m, self.layout.node_of(*m))).collect(),
            me,
            controller,
            label,
        })))
    }

    /// What the controller of a failover is told.
    pub(super) fn charge(&self, failover: usize, streams: &Streams) -> ControllerPlan {
        let plan = &self.plan.failovers[failover];
        let stores: Vec<usize> = (0..self.plan.stores.len())
            .filter(|store| self.plan.stores[*store].failover == Some(failover))
            .collect();
        let check = stores.iter().find_map(|store| self.plan.stores[*store].health_check);
        let check = check.map(|check| &self.plan.health_checks[check]);
        let mut params = plan.params.clone();
        if check.is_none() && self.pinging_council(failover).is_none() {
            // Nobody will ever say that the primary is unhealthy.
            params.trigger = Trigger::Never;
        }
        ControllerPlan {
            quorum: check.map_or(u16::MAX, |check| check.unhealthy_quorum as u16),
            checkers: check.map_or(0, |check| check.checkers.len() as u16),
            hold: check.map_or(Span::ZERO, |check| check.params.hold),
            self_fence_wait: params.self_fence_after.saturating_add(SELF_FENCE_GUARD),
            failover: params,
            stores: stores.into_iter().map(|store| self.charge_of(store)).collect(),
            elected: None,
            streams: streams.clone(),
            label: Label::new("failover").with(&plan.name),
        }
    }

    pub(super) fn charge_of(&self, store: usize) -> Charge {
        let plan = &self.plan.stores[store];
        Charge {
            group: Layout::store_group(store),
            label: Label::new("failover").with(&plan.name),
            seats: self.seats(store).collect(),
            primary: 0,
            leased: plan.lease.is_some(),
            routers: self.routers(store),
            entry_bytes: self.entry_bytes(store),
            devices: self.layout.processes(
                |task| matches!(task, Task::FenceDevice { store: of, .. } if of == store),
            ),
        }
    }

    /// The device that switches a replica's host off.
    pub(super) fn fence_device(
        &self,
        store: usize,
        replica: usize,
        streams: &Streams,
    ) -> FenceDevice {
        let plan = &self.plan.stores[store];
        let failover = plan.failover.map(|i| &self.plan.failovers[i].params);
        FenceDevice::new(DevicePlan {
            group: Layout::store_group(store),
            host: self.layout.node_of(self.database(store, replica)),
            params: failover.map(|params| params.stonith.clone()).unwrap_or_default(),
            streams: streams.clone(),
            label: Label::new("stonith").with(&plan.name).with_index(replica as u64),
        })
    }
}
