//! The words of the scripts: machines, messages and spans from text, and messages to text.

#[path = "failovers.rs"]
mod failovers;

use failovers::{controller_plan, stonith};
use regionsim::model::control::agent::{Agent, AgentPlan};
use regionsim::model::control::controller::{Controller, Elected, Seat};
use regionsim::model::control::council::{CouncilParams, CouncilPlan, Member, Watching};
use regionsim::model::control::race::{Learn, RaceParams, Racer, RacerPlan};
use regionsim::model::control::stonith::{DevicePlan, FenceDevice};
use regionsim::model::control::storage::Storage;
use regionsim::model::control::{EnforcedBy, LeaseParams, RejoinAs, RejoinParams};
use regionsim::model::ctx::Machine;
use regionsim::model::detect::Asks;
use regionsim::model::detect::HealthCheckParams;
use regionsim::model::detect::checker::Checker;
use regionsim::model::id::{FencingToken, GroupId, NodeId, ProcessId, Term};
use regionsim::model::msg::{
    ControlMsg, CouncilMsg, FenceMsg, LeaseMsg, LocalMsg, Msg, ProbeMsg, Resync, Role, StorageMsg,
};
use regionsim::sim::Span;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::rng::{Label, Streams};
use regionsim::sim::units::parse_span;

/// One line: a verb, words, and `key=value` among them.
pub struct Words(Vec<String>);

impl Words {
    pub fn of(line: &str) -> Words {
        Words(line.split_whitespace().map(str::to_string).collect())
    }
    pub fn verb(&self) -> &str {
        self.nth(0)
    }
    pub fn nth(&self, n: usize) -> &str {
        self.0.get(n).map_or("", String::as_str)
    }
    pub fn rest(&self, from: usize) -> String {
        self.0[from..].join(" ")
    }
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
    pub fn number(&self, key: &str) -> u64 {
        self.get(key).map_or(0, |v| v.parse().expect("a number"))
    }
    fn number32(&self, key: &str) -> u32 {
        self.number(key) as u32
    }
    fn span_or(&self, key: &str, default: Span) -> Span {
        self.get(key).map_or(default, span)
    }
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|w| w == word)
    }
    /// `p7`.
    pub fn process(&self, n: usize) -> ProcessId {
        ProcessId(self.nth(n).trim_start_matches('p').parse().expect("a process"))
    }
    pub fn term(&self) -> Term {
        Term(self.number32("term"))
    }
    pub fn role(&self) -> Role {
        match self {
            w if w.has("primary") => Role::Primary,
            w if w.has("deposed") => Role::Deposed,
            _ => Role::Standby,
        }
    }
    /// The message from word `n` on.
    pub fn message(&self, n: usize) -> Msg {
        let group = GroupId(0);
        let (seq, episode) = (self.number32("seq"), self.number32("episode"));
        let (term, token) = (self.term(), FencingToken(self.number("token")));
        let node = NodeId(self.number("node") as u16);
        let takes = self.span_or("takes", Span::ZERO);
        let control = match self.nth(n) {
            "Unhealthy" => ControlMsg::Opinion { node, healthy: false, seq },
            "Healthy" => ControlMsg::Opinion { node, healthy: true, seq },
            "Hello" => {
                let primary = self.get("primary").map(|_| NodeId(self.number("primary") as u16));
                ControlMsg::Hello { seq, primary }
            }
            "StopTraffic" => ControlMsg::StopTraffic { episode },
            "Stopped" => ControlMsg::Stopped { episode },
            "Resume" => ControlMsg::Resume { episode },
            "Take" => ControlMsg::Take { episode },
            "Abandon" => ControlMsg::Abandon { episode },
            "Taken" => ControlMsg::Taken { episode, token },
            "Promote" => ControlMsg::Promote { episode, term, token, takes },
            "Promoted" => ControlMsg::Promoted { episode, term },
            "Follow" => {
                let primary = ProcessId(self.number("primary") as u16);
                ControlMsg::Follow { primary, term, token, resync: Resync::NONE }
            }
            "Granted" => return Msg::Lease(group, LeaseMsg::Granted { seq, token }),
            "Acquire" => return Msg::Lease(group, LeaseMsg::Acquire { seq, token }),
            "Changed" => return Msg::Lease(group, LeaseMsg::Changed),
            "Leading" => return Msg::Local(group, LocalMsg::Leading { term }),
            "Fenced" => return Msg::Local(group, LocalMsg::Fenced { token }),
            // A member asks, answers, tells whom it knows as primary.
            "AskIf" => {
                let stands = self.has("stands");
                return Msg::Council(group, CouncilMsg::Ask { node, term, stands });
            }
            "Say" => {
                let vote = self
                    .get("vote")
                    .map(|_| (ProcessId(self.number("vote") as u16), Term(self.number32("in"))));
                return Msg::Council(group, CouncilMsg::Say { node, down: self.has("down"), vote });
            }
            "Tell" => {
                let (newest, primary) = (Term(self.number32("newest")), node);
                let hello = CouncilMsg::Hello { newest, primary, term, token };
                return Msg::Council(group, hello);
            }
            "Ask" => return Msg::Local(group, LocalMsg::Ask { seq }),
            "Probe" => return Msg::Probe(ProbeMsg::Probe { seq, asks: Asks::CONNECT }),
            "Unwell" => return Msg::Probe(ProbeMsg::Unwell { seq }),
            "Alive" => return Msg::Probe(ProbeMsg::Alive { seq }),
            "Check" => {
                let seq = u64::from(seq);
                return Msg::Storage(group, StorageMsg::Check { token, seq });
            }
            "PowerOff" | "Switched" | "Blocked" => return Msg::Fence(group, self.fence(n)),
            other => panic!("unknown message {other:?}"),
        };
        Msg::Control(group, control)
    }
}

impl Words {
    fn fence(&self, n: usize) -> FenceMsg {
        let (episode, attempt) = (self.number32("episode"), self.number32("attempt"));
        match self.nth(n) {
            "PowerOff" => FenceMsg::PowerOff { episode, attempt },
            "Switched" => FenceMsg::Switched { episode, attempt, off: self.has("off") },
            _ => FenceMsg::Blocked { target: ProcessId(self.number("target") as u16) },
        }
    }
}

pub fn span(text: &str) -> Span {
    parse_span(text).expect("a span")
}

/// A message without the room it belongs to.
pub fn show(msg: &Msg) -> String {
    match msg {
        Msg::Control(_, m) => format!("{m:?}"),
        Msg::Local(_, m) => format!("local {m:?}"),
        Msg::Council(_, m) => format!("council {m:?}"),
        Msg::Lease(_, m) => format!("{m:?}"),
        Msg::Probe(ProbeMsg::Probe { seq, asks }) if *asks == Asks::CONNECT => {
            format!("Probe {{ seq: {seq} }}")
        }
        Msg::Probe(m) => format!("{m:?}"),
        Msg::Storage(_, m) => format!("{m:?}"),
        Msg::Fence(_, m) => format!("{m:?}"),
        other => format!("{other:?}"),
    }
}

fn dice() -> Streams {
    Streams::new(1, 0)
}

/// The machine of the first line, its process and node.
pub fn machine(words: &Words) -> (Box<dyn Machine>, ProcessId, NodeId) {
    match words.verb() {
        "checker" => (Box::new(checker(words)), ProcessId(90), NodeId(9)),
        "agent" => (Box::new(agent(words)), ProcessId(1), NodeId(0)),
        "racer" => (Box::new(racer(words)), ProcessId(10), NodeId(0)),
        "controller" => (Box::new(controller(words)), ProcessId(50), NodeId(5)),
        "member" => (Box::new(member(words)), ProcessId(50), NodeId(5)),
        "fence" => (Box::new(fence_device(words)), ProcessId(300), NodeId(7)),
        "storage" => (Box::new(Storage::new()), ProcessId(60), NodeId(6)),
        other => panic!("unknown machine {other:?}"),
    }
}

/// Databases p100 and p101 on nodes 0 and 1.
fn checker(words: &Words) -> Checker {
    let params = HealthCheckParams {
        request_interval: words.span_or("interval", Span::from_secs(10)),
        timeout: words.span_or("timeout", Span::from_secs(4)),
        fast_interval: words.get("fast").map(span),
        ..HealthCheckParams::default()
    };
    let targets = vec![(NodeId(0), ProcessId(100))];
    let dice = dice().stream(Label::new("checker"));
    Checker::new(&params, GroupId(0), targets, vec![ProcessId(50)], dice)
}

fn lease(words: &Words) -> LeaseParams {
    LeaseParams {
        ttl: words.span_or("ttl", Span::from_secs(10)),
        renew_interval: words.span_or("renew", Span::from_secs(3)),
        request_timeout: words.span_or("request", Span::from_secs(1)),
        enforced_by: match words.get("enforced_by") {
            Some("agent") => EnforcedBy::Agent,
            Some("watchdog") => EnforcedBy::Watchdog,
            Some("nobody") => EnforcedBy::Nobody,
            _ => EnforcedBy::Database,
        },
        ..LeaseParams::default()
    }
}

/// Replica `n`: agent p10 + n and database p100 + n on node n.
fn seat(n: u16) -> Seat {
    Seat { node: NodeId(n), agent: ProcessId(10 + n), database: ProcessId(100 + n) }
}

/// Beside database p100 on node 0; voters p70, p71; rivals with agents p11, p12, …; router p200.
fn racer(words: &Words) -> Racer {
    let race = RaceParams::default();
    Racer::new(RacerPlan {
        group: GroupId(0),
        seat: seat(0),
        rivals: (1..words.number("seats").max(2) as u16).map(seat).collect(),
        lease: LeaseParams { ttl: words.span_or("ttl", Span::from_secs(30)), ..lease(words) },
        voters: vec![ProcessId(70), ProcessId(71)],
        race: RaceParams {
            learn: if words.has("poll") { Learn::Poll } else { Learn::Watch },
            check_timeout: words.span_or("check", race.check_timeout),
            demotion: DistSpec::Constant(words.span_or("demotion", Span::ZERO)),
            primary_start_timeout: words.span_or("start", race.primary_start_timeout),
            start_attempts: words.number("attempts").max(1) as u32,
            ..race
        },
        rejoin: RejoinParams {
            becomes: if words.has("zombie") { RejoinAs::Zombie } else { RejoinAs::Standby },
            ..RejoinParams::default()
        },
        promotion: DistSpec::Constant(Span::from_secs(2)),
        route: DistSpec::Constant(words.span_or("route", Span::ZERO)),
        routers: vec![ProcessId(200)],
        entry_bytes: 1_000,
        streams: dice(),
        label: Label::new("orders"),
        dice: dice().stream(Label::new("agent")),
    })
}

/// Beside database p100 on node 0; voters p70, p71, p72.
fn agent(words: &Words) -> Agent {
    let lease = lease(words);
    let voters = vec![ProcessId(70), ProcessId(71), ProcessId(72)];
    Agent::new(AgentPlan {
        group: GroupId(0),
        node: NodeId(0),
        database: ProcessId(100),
        lease: words.has("leased").then_some((lease, voters)),
        self_fence_after: words.get("self_fence_after").map(span),
        dice: dice().stream(Label::new("agent")),
    })
}

/// Switches the host of node 0.
fn fence_device(words: &Words) -> FenceDevice {
    FenceDevice::new(DevicePlan {
        group: GroupId(0),
        host: NodeId(0),
        params: stonith(words),
        streams: dice(),
        label: Label::new("stonith"),
    })
}

/// Agents p10, p11, p12 on nodes 0, 1, 2 with databases p100, p101, p102; router p200.
fn controller(words: &Words) -> Controller {
    Controller::new(controller_plan(words))
}

/// As the controller; the other members are p51, p52, … on nodes 6, 7, …
fn member(words: &Words) -> Member {
    let count = words.number("members").max(3) as u16;
    let label = Label::new("member");
    let mut controller = controller_plan(words);
    let params = CouncilParams {
        quorum: Some(words.number("quorum").max(1) as u32),
        watch: if words.has("checked") { Watching::HealthCheck } else { Watching::Ping },
        down_after: words.span_or("down_after", Span::from_secs(5)),
        election_timeout: words.span_or("election", Span::from_secs(3)),
        retry_after: Some(words.span_or("retry", Span::from_secs(20))),
        stand_after: DistSpec::Constant(words.span_or("stand_after", Span::ZERO)),
        failover_timeout: words.span_or("failover_timeout", Span::from_secs(10)),
        role_interval: words.span_or("role", Span::ZERO),
        ..CouncilParams::default()
    };
    controller.checkers = count;
    controller.elected = Some(Elected {
        parallel_syncs: words.number("parallel").max(1) as u32,
        patience: params.failover_timeout,
        stops_old_primary: words.has("stops"),
        label,
    });
    let members = (0..count).map(|n| (ProcessId(50 + n), NodeId(5 + n))).collect();
    Member::new(CouncilPlan { params, members, me: 0, controller, label })
}
