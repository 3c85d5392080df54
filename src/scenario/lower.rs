//! From the file as written to the plan as meant: names become numbers.

use super::draft::{Draft, FaultDraft, Named, OperatorDraft};
use super::names::{Names, refer};
use super::wan::{self, PairOrigin};
use crate::model::control::{DecidedBy, FailoverParams, Fencing, LeaseParams};
use crate::model::detect::HealthCheckParams;
use crate::model::replica::{ModeParams, StoreParams};
use crate::model::route::{RoutingParams, ViaParams};
use crate::sim::param::{Name, Problems};
use crate::world::operator::Action;
use crate::world::plan::{
    ClientPlan, ElectorsPlan, FailoverPlan, FaultPlan, HealthCheckPlan, LeasePlan, OperatorPlan,
    Plan, RoutingPlan, Spot, StorePlan,
};

/// The plan, and where the round trip of each pair comes from. What could not be resolved is a
/// problem, and stands in the plan as the first of its kind.
pub fn lower(draft: &Draft, problems: &mut Problems) -> (Plan, Vec<PairOrigin>) {
    let names = Names::of(draft);
    let (wan, origins) = wan::lower(draft, &names, problems);
    let run = &draft.run.params;
    let mut routings: Vec<RoutingPlan> =
        draft.routings.iter().map(|table| routing(table, &names, problems)).collect();
    let fallback = routings.len();
    let stores: Vec<StorePlan> =
        draft.stores.iter().map(|table| store(table, draft, &names, fallback, problems)).collect();
    if stores.iter().any(|store| store.routing == Some(fallback)) {
        let params = RoutingParams::default();
        let name_servers = name_servers(&params, &names, problems);
        routings.push(RoutingPlan { name: "routing".to_string(), params, name_servers });
    }
    let clients = clients(draft, &stores, &names, problems);
    let operators = draft.operators.iter().enumerate();
    let operators = operators
        .filter_map(|(i, written)| operator(i, written, draft, &stores, &names, problems))
        .collect();
    let plan = Plan {
        name: draft.scenario.params.name.text.clone(),
        warmup: run.warmup,
        horizon: run.horizon,
        settle: run.settle,
        rto_objective: draft.policy.params.rto,
        availability_slo: draft.policy.params.availability_slo.map(|slo| slo.0),
        wan,
        stores,
        leases: draft.leases.iter().map(|table| lease(table, &names, problems)).collect(),
        health_checks: draft
            .health_checks
            .iter()
            .map(|table| health_check(table, &names, problems))
            .collect(),
        failovers: draft.failovers.iter().map(|table| failover(table, &names, problems)).collect(),
        routings,
        clients,
        faults: draft.faults.iter().enumerate().filter_map(|(i, f)| fault(i, f)).collect(),
        operators,
        clock_drift_ppm: run.clock_drift_ppm,
        regions: names.regions,
    };
    (plan, origins)
}

fn store(
    table: &Named<StoreParams>,
    draft: &Draft,
    names: &Names,
    fallback_routing: usize,
    problems: &mut Problems,
) -> StorePlan {
    let params = &table.params;
    if !params.replication.has_primary() {
        return elected(table, names, problems);
    }
    let mut replicas = Vec::new();
    if let Some(primary) = &params.primary {
        let all: Vec<Name> = std::iter::once(primary).chain(&params.standbys).cloned().collect();
        replicas = names.spots(&all, "replica", problems);
    } else if !table.wrote("primary") {
        problems.add(&table.node.place, "missing key `primary`".to_string());
    }
    let failover = refer(params.failover.as_ref(), &draft.failovers, "failover", problems);
    let lease = refer(params.lease.as_ref(), &draft.leases, "lease", problems);
    let check = params.health_check.as_ref();
    let routing = refer(params.routing.as_ref(), &draft.routings, "routing", problems);
    let token_storage = failover.and_then(|index| {
        let storage = &draft.failovers[index].params.token_storage;
        if storage.text == "standbys" { None } else { names.find_spot(&storage.text) }
    });
    let stonith = failover
        .map(|index| &draft.failovers[index].params)
        .filter(|params| params.fencing.contains(&Fencing::Stonith))
        .map(|params| &params.stonith);
    let device = stonith.and_then(|stonith| stonith.device.as_ref());
    let beside = |spot: &Spot| device.and_then(|d| names.find_spot(&d.text)).unwrap_or(*spot);
    let fence_devices = replicas.iter().filter(|_| stonith.is_some()).map(beside).collect();
    StorePlan {
        name: table.name.clone(),
        params: params.clone(),
        replicas,
        coordinators: Vec::new(),
        lease,
        health_check: refer(check, &draft.health_checks, "health_check", problems),
        failover,
        routing: Some(routing.unwrap_or(fallback_routing)),
        electors: ElectorsPlan::default(),
        token_storage,
        fence_devices,
    }
}

/// A store without an appointed primary: nothing decides for it, nothing leads its clients.
fn elected(table: &Named<StoreParams>, names: &Names, problems: &mut Problems) -> StorePlan {
    let params = table.params.clone();
    let replicas = names.spots(&params.replicas, "replica", problems);
    let mut electors = ElectorsPlan::default();
    if let ModeParams::Consensus(mode) = &params.replication {
        let mut find = |name: &Name| -> Option<usize> {
            let spot = names.spot(name, problems)?;
            let found = replicas.iter().position(|replica| *replica == spot);
            if found.is_none() {
                problems.add(&name.place, format!("`{}` is no replica of this store", name.text));
            }
            found
        };
        let mut all = |names: &[Name]| names.iter().filter_map(&mut find).collect();
        electors.non_voting = all(&mode.non_voting);
        electors.witnesses = all(&mode.witnesses);
        electors.preferred = all(&mode.preferred);
        electors.initial_leader = mode.initial_leader.as_ref().and_then(find);
    }
    let coordinators = match &params.replication {
        ModeParams::Quorum(quorum) => names.spots(&quorum.coordinators, "coordinator", problems),
        _ => Vec::new(),
    };
    StorePlan {
        name: table.name.clone(),
        params,
        replicas,
        coordinators,
        lease: None,
        health_check: None,
        failover: None,
        routing: None,
        electors,
        token_storage: None,
        fence_devices: Vec::new(),
    }
}

fn lease(table: &Named<LeaseParams>, names: &Names, problems: &mut Problems) -> LeasePlan {
    let params = table.params.clone();
    let voters = names.spots(&params.voters, "voter", problems);
    let initial_leader = params.election.initial_leader.as_ref().and_then(|name| {
        let spot = names.spot(name, problems)?;
        let found = voters.iter().position(|voter| *voter == spot);
        if found.is_none() {
            let message = format!("`{}` is no voter of this lease", name.text);
            problems.add(&name.place, message);
        }
        found
    });
    LeasePlan { name: table.name.clone(), params, voters, initial_leader }
}

fn health_check(
    table: &Named<HealthCheckParams>,
    names: &Names,
    problems: &mut Problems,
) -> HealthCheckPlan {
    let params = table.params.clone();
    let checkers = names.spots(&params.checkers, "checker", problems);
    let majority = checkers.len() as u32 / 2 + 1;
    let share = params.unhealthy_share.map(|share| (share.0 * checkers.len() as f64).ceil() as u32);
    let unhealthy_quorum = params.unhealthy_quorum.or(share).unwrap_or(majority);
    HealthCheckPlan { name: table.name.clone(), params, checkers, unhealthy_quorum }
}

fn failover(table: &Named<FailoverParams>, names: &Names, problems: &mut Problems) -> FailoverPlan {
    let params = table.params.clone();
    let storage = &params.token_storage;
    if storage.text != "standbys" && names.find_spot(&storage.text).is_none() {
        let mut known: Vec<&str> = vec!["standbys"];
        known.extend(names.regions.iter().map(|region| region.name.as_str()));
        let message = format!("unknown token_storage `{}`", storage.text);
        problems.add_help(
            &storage.place,
            message,
            super::names::suggest_few(&storage.text, &known),
        );
    }
    if let Some(device) = &params.stonith.device {
        names.spot(device, problems);
    }
    let controllers = match (&params.controller, &params.council, params.decided_by) {
        (Some(controller), _, DecidedBy::Controller) if !controller.region.text.is_empty() => {
            vec![names.spot(&controller.region, problems).unwrap_or_default()]
        }
        (_, Some(council), DecidedBy::Council) => names.spots(&council.members, "member", problems),
        _ => Vec::new(),
    };
    FailoverPlan { name: table.name.clone(), params, controllers }
}

fn routing(table: &Named<RoutingParams>, names: &Names, problems: &mut Problems) -> RoutingPlan {
    let params = table.params.clone();
    let name_servers = name_servers(&params, names, problems);
    RoutingPlan { name: table.name.clone(), params, name_servers }
}

/// The stated name servers, or one in every region.
fn name_servers(params: &RoutingParams, names: &Names, problems: &mut Problems) -> Vec<Spot> {
    match &params.via {
        ViaParams::Dns(dns) if !dns.servers.is_empty() => {
            names.spots(&dns.servers, "name server", problems)
        }
        ViaParams::Dns(_) => {
            (0..names.regions.len()).map(|region| Spot { region, zone: 0 }).collect()
        }
        ViaParams::GlobalLb(_) | ViaParams::Proxy(_) => Vec::new(),
    }
}

fn clients(
    draft: &Draft,
    stores: &[StorePlan],
    names: &Names,
    problems: &mut Problems,
) -> Vec<ClientPlan> {
    let mut plans = Vec::new();
    for table in &draft.clients {
        let params = table.params.clone();
        let spot = match table.wrote("region") {
            true => names.spot(&params.region, problems).unwrap_or_default(),
            false => Spot::default(),
        };
        let node = params.node.as_ref().and_then(|node| {
            let wanted = params.store.as_ref();
            replica_named(node, wanted, stores, names, problems)
        });
        let store = match (&params.store, draft.stores.len()) {
            (None, _) if params.node.is_some() => node.map(|(store, _)| store),
            (None, 1) => Some(0),
            (None, 0) => None,
            (None, _) => {
                let known: Vec<&str> = draft.stores.iter().map(|s| s.name.as_str()).collect();
                let help = format!("one of: {}", known.join(", "));
                problems.add_help(&table.place, "missing key `store`: there are several", help);
                None
            }
            (name, _) => refer(name.as_ref(), &draft.stores, "store", problems),
        };
        plans.push(ClientPlan {
            name: table.name.clone(),
            params,
            spot,
            store: store.unwrap_or_default(),
            node: node.map(|(_, replica)| replica),
        });
    }
    plans
}

/// The replica called `store@place`: the indexes of its store and of itself. Of any store, or of
/// the one that is wanted.
fn replica_named(
    node: &Name,
    wanted: Option<&Name>,
    stores: &[StorePlan],
    names: &Names,
    problems: &mut Problems,
) -> Option<(usize, usize)> {
    let mut known = Vec::new();
    for (number, store) in stores.iter().enumerate() {
        if wanted.is_some_and(|wanted| wanted.text != store.name) {
            continue;
        }
        for (replica, spot) in store.replicas.iter().enumerate() {
            let name = format!("{}@{}", store.name, names.spot_name(*spot));
            if name == node.text {
                return Some((number, replica));
            }
            known.push(name);
        }
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let of = wanted.map_or(String::new(), |wanted| format!(" of `{}`", wanted.text));
    let message = format!("no replica{of} is called `{}`", node.text);
    problems.add_help(&node.place, message, super::names::suggest_few(&node.text, &known));
    None
}

/// The name of a fault: as stated, or its kind and its place in the file, from 1.
pub fn fault_name(index: usize, fault: &FaultDraft) -> String {
    let kind = fault.params.as_ref().map_or("fault", |params| params.word());
    let own = || format!("{kind}-{}", index + 1);
    fault.common.name.as_ref().map(|name| name.text.clone()).unwrap_or_else(own)
}

fn fault(index: usize, draft: &FaultDraft) -> Option<FaultPlan> {
    let params = draft.params.clone()?;
    Some(FaultPlan { name: fault_name(index, draft), common: draft.common.clone(), params })
}

/// The name of an operator: as stated, or the action and its place in the file, from 1.
pub fn operator_name(index: usize, operator: &OperatorDraft) -> String {
    let action = operator.params.as_ref().map_or("operator", |params| params.word());
    let own = || format!("{action}-{}", index + 1);
    operator.common.name.as_ref().map(|name| name.text.clone()).unwrap_or_else(own)
}

fn operator(
    index: usize,
    written: &OperatorDraft,
    draft: &Draft,
    stores: &[StorePlan],
    names: &Names,
    problems: &mut Problems,
) -> Option<OperatorPlan> {
    let (common, params) = (written.common.clone(), written.params.clone()?);
    let wanted = common.store.as_ref();
    let who = match params.who() {
        Some(who) if !who.text.is_empty() => {
            Some(replica_named(who, wanted, stores, names, problems)?)
        }
        _ => None,
    };
    let store = match (wanted, who, stores.len()) {
        (Some(_), ..) => refer(wanted, &draft.stores, "store", problems)?,
        (None, Some((store, _)), _) => store,
        (None, None, 1) => 0,
        (None, None, _) => {
            let known: Vec<&str> = draft.stores.iter().map(|s| s.name.as_str()).collect();
            let help = format!("one of: {}", known.join(", "));
            let message = "missing key `store`: there are several".to_string();
            problems.add_help(&written.node.place, message, help);
            return None;
        }
    };
    let who = who.map(|(_, replica)| replica);
    Some(OperatorPlan { name: operator_name(index, written), common, params, store, who })
}
