//! Client populations against closed forms, in a town of one population, two databases that
//! answer everything, and two name servers.

mod stage;

use regionsim::model::client::loops::{LoopParams, closed};
use regionsim::model::client::{ArrivalParams, ClientParams, Population, RetryParams};
use regionsim::model::ctx::{Effect, Input, Machine};
use regionsim::model::fact::Outcome;
use regionsim::model::id::ProcessId;
use regionsim::model::msg::{ClientMsg, DnsMsg, Msg};
use regionsim::model::route::name_server::Zone;
use regionsim::model::route::{DnsParams, GlobalLbParams, NameServer, ViaParams};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Share;
use regionsim::sim::rng::Streams;
use regionsim::sim::time::{LocalTime, Span};
use stage::{
    CLIENTS, DB_A, DB_B, GROUP, NS_A, NS_B, Stage, answer, by, order, poisson, population,
};
use std::collections::BTreeMap;

const ONE_WAY: Span = Span::from_millis(20);

fn secs(n: u64) -> LocalTime {
    LocalTime::ZERO + Span::from_secs(n)
}

/// How a process is reached.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    Well,
    Cut,
    Refuses,
}

struct Town {
    clients: Stage<Population>,
    servers: [Stage<NameServer>; 2],
    post: BTreeMap<(LocalTime, u64), (ProcessId, Input)>,
    posted: u64,
    reach: [Reach; 5],
    /// Every first or later attempt: when, and to whom.
    sent: Vec<(LocalTime, ProcessId)>,
    /// Every change of a resolver or edge.
    routed: Vec<(LocalTime, u32)>,
    concluded: Vec<(LocalTime, Outcome)>,
    lookups: [usize; 2],
}

impl Town {
    fn new(params: &ClientParams, via: &ViaParams, propagation: Span) -> Town {
        let (streams, spec) = (Streams::new(5, 0), DistSpec::Constant(propagation));
        let server = |me: ProcessId, name| {
            let zones = [Zone { group: GROUP, initial: DB_A, propagation: &spec }];
            Stage::new(me, NameServer::new(&zones, &streams, name))
        };
        let mut town = Town {
            clients: Stage::new(CLIENTS, population(params, &by(via.clone()), 5)),
            servers: [server(NS_A, "ns-a"), server(NS_B, "ns-b")],
            post: BTreeMap::new(),
            posted: 0,
            reach: [Reach::Well; 5],
            sent: Vec::new(),
            routed: Vec::new(),
            concluded: Vec::new(),
            lookups: [0; 2],
        };
        let effects = town.clients.step(Input::Start);
        town.carry_out(CLIENTS, effects);
        town
    }
    fn mail(&mut self, at: LocalTime, to: ProcessId, input: Input) {
        self.posted += 1;
        self.post.insert((at, self.posted), (to, input));
    }
    /// The controller's order reaches both name servers and the edge at that moment.
    fn order(&mut self, at: LocalTime, target: ProcessId, version: u32) {
        for to in [CLIENTS, NS_A, NS_B] {
            self.mail(at, to, Input::Message { from: DB_A, msg: order(target, version) });
        }
    }
    fn run_until(&mut self, end: LocalTime) {
        loop {
            let mail = self.post.keys().next().map(|(at, _)| *at);
            let stages = [self.clients.next(), self.servers[0].next(), self.servers[1].next()];
            let timer = stages.iter().flatten().min().copied();
            let Some(at) = mail.into_iter().chain(timer).min().filter(|at| *at <= end) else {
                return;
            };
            if mail == Some(at) {
                let (_, (to, input)) = self.post.pop_first().unwrap();
                self.deliver(at, to, input);
            } else if stages[0] == Some(at) {
                let effects = self.clients.fire();
                self.carry_out(CLIENTS, effects);
            } else {
                let i = usize::from(stages[1] != Some(at));
                let effects = self.servers[i].fire();
                self.carry_out(self.servers[i].me, effects);
            }
        }
    }
    fn deliver(&mut self, at: LocalTime, to: ProcessId, input: Input) {
        match (to, input) {
            (CLIENTS, _) => {
                self.clients.now = at;
                let effects = self.clients.step(input);
                self.carry_out(CLIENTS, effects);
            }
            (NS_A | NS_B, _) => {
                let server = &mut self.servers[usize::from(to == NS_B)];
                server.now = at;
                let effects = server.step(input);
                self.carry_out(to, effects);
            }
            (
                _,
                Input::Message { msg: Msg::Client(ClientMsg::Request { op, attempt, .. }), .. },
            ) => {
                let msg = answer(op, attempt, Outcome::Ok);
                self.mail(at + ONE_WAY, CLIENTS, Input::Message { from: to, msg });
            }
            other => panic!("nobody takes {other:?}"),
        }
    }
    fn carry_out(&mut self, from: ProcessId, effects: Vec<Effect>) {
        let now = if from == CLIENTS { self.clients.now } else { self.now_of(from) };
        for effect in effects {
            match effect {
                Effect::Send { to, msg, .. } => self.send(now, from, to, msg),
                Effect::Route { resolver, .. } => self.routed.push((now, resolver)),
                Effect::Conclude { outcome, .. } => self.concluded.push((now, outcome)),
                _ => {}
            }
        }
    }
    fn now_of(&self, server: ProcessId) -> LocalTime {
        self.servers[usize::from(server == NS_B)].now
    }
    fn send(&mut self, now: LocalTime, from: ProcessId, to: ProcessId, msg: Msg) {
        match msg {
            Msg::Client(_) => self.sent.push((now, to)),
            Msg::Dns(_, DnsMsg::Lookup { .. }) => self.lookups[usize::from(to == NS_B)] += 1,
            _ => {}
        }
        match self.reach[to.index()] {
            Reach::Well => self.mail(now + ONE_WAY, to, Input::Message { from, msg }),
            Reach::Refuses => {
                self.mail(now + ONE_WAY + ONE_WAY, from, Input::Refused { by: to, msg });
            }
            Reach::Cut => {}
        }
    }
    /// The share of attempts in a tenth of a second from `at` that went to `to`.
    fn share(&self, at: LocalTime, to: ProcessId) -> f64 {
        let tenth = Span::from_millis(100);
        let within = |t: LocalTime| t >= at && t.since(at) < tenth;
        let all = self.sent.iter().filter(|(t, _)| within(*t)).count();
        let those = self.sent.iter().filter(|(t, target)| within(*t) && *target == to).count();
        those as f64 / all as f64
    }
}

fn busy(per_second: f64) -> ClientParams {
    ClientParams { writes: poisson(per_second), ..ClientParams::default() }
}

fn dns(ttl: u64, resolvers: u32) -> DnsParams {
    DnsParams { ttl: Span::from_secs(ttl), resolvers, ..DnsParams::default() }
}

/// The closed form of the DNS tail: caches full with uniform ages, so t after the change the
/// share of clients on the dead address is 1 - t/TTL, and the mean residual is TTL/2.
#[test]
fn the_dns_tail_is_a_straight_line_over_one_ttl() {
    let mut town = Town::new(&busy(10_000.0), &ViaParams::Dns(dns(10, 1000)), Span::ZERO);
    // Long after the start: the ages must have stayed uniform.
    town.order(secs(13), DB_B, 1);
    town.run_until(secs(25));
    assert_eq!(town.share(secs(12), DB_A), 1.0);
    for t in [1, 3, 5, 7, 9] {
        let share = town.share(secs(13 + t), DB_A);
        let want = 1.0 - (t as f64 + 0.05) / 10.0;
        // Three standard errors of 1000 resolvers and 1000 operations, and one percent because a
        // resolver is asked only every tenth of a second.
        assert!((share - want).abs() < 0.07, "{t} s after the change: {share}, not {want}");
    }
    assert_eq!(town.routed.len(), 1000, "each resolver changed once");
    let residuals = town.routed.iter().map(|(at, _)| at.since(secs(13)).as_secs_f64());
    let mean = residuals.sum::<f64>() / 1000.0;
    assert!((mean - 5.0).abs() < 0.3, "three standard errors around TTL/2: {mean}");
    assert_eq!(town.share(secs(24), DB_B), 1.0);
}

/// A fifth of the resolvers keep an answer 20 s longer than its TTL of 10 s: of those, t after
/// the change, 1 - t/30 are still on the dead address.
#[test]
fn resolvers_that_overstay_the_ttl_stretch_the_tail() {
    let params = DnsParams {
        ttl_violators: Share(0.2),
        overstay: DistSpec::Constant(Span::from_secs(20)),
        ..dns(10, 2000)
    };
    let mut town = Town::new(&busy(10_000.0), &ViaParams::Dns(params), Span::ZERO);
    town.order(LocalTime::ZERO, DB_B, 1);
    town.run_until(secs(31));
    for (t, want) in [(5, 0.8 * 0.5 + 0.2 * 25.0 / 30.0), (11, 0.2 * 19.0 / 30.0), (20, 0.2 / 3.0)]
    {
        let share = town.share(secs(t), DB_A);
        assert!((share - want).abs() < 0.05, "{t} s after the change: {share}, not {want}");
    }
    assert_eq!(town.share(secs(30) + Span::from_millis(500), DB_A), 0.0);
}

#[test]
fn without_name_servers_caches_run_dry_and_recover_after_the_heal() {
    let mut town = Town::new(&busy(2000.0), &ViaParams::Dns(dns(10, 100)), Span::ZERO);
    town.run_until(secs(5));
    town.reach[NS_A.index()] = Reach::Cut;
    town.reach[NS_B.index()] = Reach::Cut;
    town.run_until(secs(16));
    let before = town.sent.len();
    town.run_until(secs(30));
    assert_eq!(town.sent.len(), before, "every entry has expired: nobody knows where to send");
    let dry: Vec<_> = town.concluded.iter().filter(|(at, _)| *at > secs(22)).collect();
    assert!(dry.iter().all(|(_, outcome)| *outcome == Outcome::Unknown), "deadlines are unknown");
    assert!((dry.len() as f64 - 16_000.0).abs() < 500.0, "they fail as fast as they begin");
    town.reach = [Reach::Well; 5];
    town.run_until(secs(33));
    assert!(town.sent.len() > before + 4000, "resolvers ask again every two seconds");
    town.run_until(secs(40));
    assert!(town.clients.machine.in_flight() < 300, "nothing is left over from the outage");
}

#[test]
fn a_dead_name_server_costs_a_timeout_and_a_refusing_one_a_round_trip() {
    for (reach, wait) in [(Reach::Cut, 2000), (Reach::Refuses, 40)] {
        let via = ViaParams::Dns(dns(10, 1));
        let mut town = Town::new(&busy(100.0), &via, Span::ZERO);
        town.reach[NS_A.index()] = reach;
        town.order(LocalTime::ZERO, DB_B, 1);
        town.run_until(secs(20));
        assert!(town.lookups[0] >= 1 && town.lookups[1] == town.lookups[0], "{:?}", town.lookups);
        let changed = town.routed[0].0;
        let last_kept = town.sent.iter().filter(|(_, to)| *to == DB_A).map(|(at, _)| *at).max();
        let gap = changed.since(last_kept.unwrap()).as_millis_f64();
        assert!(gap >= f64::from(wait + 40) && gap < f64::from(wait + 40 + 100), "{gap} ms");
    }
}

#[test]
fn an_edge_turns_all_clients_after_its_propagation() {
    let propagation = DistSpec::Constant(Span::from_secs(3));
    let via = ViaParams::GlobalLb(GlobalLbParams { propagation, drain: None });
    let mut town = Town::new(&busy(1000.0), &via, Span::ZERO);
    town.order(secs(2), DB_B, 1);
    town.run_until(secs(10));
    assert!(town.sent.iter().all(|(at, to)| *to == if *at < secs(5) { DB_A } else { DB_B }));
    assert_eq!(town.routed, [(secs(5), 0)]);
}

#[test]
fn a_name_server_keeps_its_record_and_its_orders_through_a_crash() {
    let spec = DistSpec::Constant(Span::from_secs(4));
    let zones = [Zone { group: GROUP, initial: DB_A, propagation: &spec }];
    let server = || NameServer::new(&zones, &Streams::new(1, 0), "ns");
    let mut stage = Stage::new(NS_A, server());
    let asked = |stage: &mut Stage<NameServer>| {
        let question = Msg::Dns(GROUP, DnsMsg::Lookup { resolver: 7, seq: 9 });
        let [Effect::Send { to: CLIENTS, msg: Msg::Dns(_, found), .. }] =
            stage.message(CLIENTS, question)[..]
        else {
            panic!("one answer to who asked");
        };
        let DnsMsg::Found { resolver: 7, seq: 9, target } = found else { panic!("{found:?}") };
        target
    };
    stage.message(DB_A, order(DB_B, 2));
    stage.pass(Span::from_secs(3));
    assert_eq!(asked(&mut stage), DB_A, "the order has not propagated");
    // Killed: its timers die with it, its configuration does not.
    let mut again = Stage::new(NS_A, stage.machine);
    again.machine.crash(false);
    again.step(Input::Start);
    again.pass(Span::from_secs(4));
    assert_eq!(asked(&mut again), DB_B);
    again.message(DB_A, order(DB_A, 1));
    again.pass(Span::from_secs(9));
    assert_eq!(asked(&mut again), DB_B, "an older order is not followed");
}

/// What the speed of a population rests on: in the steady state an operation arms one timer (the
/// next arrival), and the timers of deadlines and timeouts are shared by thousands.
#[test]
fn answered_operations_share_their_timers() {
    let params = ClientParams {
        reads: Some(ArrivalParams { per_second: 7000.0, ..ArrivalParams::default() }),
        retry: RetryParams { attempt_timeout: Span::from_secs(2), ..RetryParams::default() },
        ..busy(3000.0)
    };
    let via = ViaParams::GlobalLb(GlobalLbParams::default());
    let mut town = Town::new(&params, &via, Span::ZERO);
    town.run_until(secs(20));
    let operations = town.concluded.len() as f64;
    let armings = town.clients.armings() as f64;
    assert!((operations - 200_000.0).abs() < 2000.0, "four standard errors: {operations}");
    assert!(armings / operations < 1.01, "{armings} timers for {operations} operations");
    assert!(town.concluded.iter().all(|(_, outcome)| *outcome == Outcome::Ok));
}

/// The interactive response time law: N users who think for Z and are answered after R do
/// N / (R + Z) operations a second. Here N = 10,000, Z = 1 s in the mean, R = 40 ms.
///
/// And what a crowd may cost: one timer per operation, and those of deadlines are shared.
#[test]
fn ten_thousand_users_do_what_the_law_of_response_times_says_for_a_timer_each() {
    let think_time = DistSpec::exponential(Span::from_secs(1));
    let reads = Share(0.7);
    let users = closed::Params { count: 10_000, think_time, reads };
    let params = ClientParams { users: Some(LoopParams::Closed(users)), ..ClientParams::default() };
    let via = ViaParams::GlobalLb(GlobalLbParams::default());
    let mut town = Town::new(&params, &via, Span::ZERO);
    town.run_until(secs(10));
    let before = town.sent.len();
    assert!(town.clients.machine.in_flight() < 1_000, "40 ms of 9,615 a second, and gaps");
    town.run_until(secs(20));
    let rate = (town.sent.len() - before) as f64 / 10.0;
    // A user's cycles vary by 1 / 1.04 of their mean: four standard errors of 96,000 of them.
    assert!((rate - 10_000.0 / 1.04).abs() < 4.0 * (96_154.0f64).sqrt() / 10.0, "{rate}");
    let armings = town.clients.armings() as f64;
    let operations = town.sent.len() as f64;
    assert!(armings < 1.01 * operations + 10_000.0, "{armings} timers for {operations} operations");
}
