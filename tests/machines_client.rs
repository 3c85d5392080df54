//! Stories of a client population as scripts: `tests/machines/client/*.txt`.
//!
//! A block is what happens, `----`, and what the population does about it. `UPDATE=1` rewrites
//! the second half; a person reads the difference.

mod stage;
mod stories;

use regionsim::model::client::loops::paced::Late;
use regionsim::model::client::loops::{LoopParams, OpWord, closed, paced, script, sequence};
use regionsim::model::client::{ClientParams, KeyParams, Population, RetryParams};
use regionsim::model::ctx::{Class, Effect, Input, Timer};
use regionsim::model::detect::{Asks, CheckRole};
use regionsim::model::fact::Outcome;
use regionsim::model::id::{ClientId, OpId, ProcessId};
use regionsim::model::msg::{ClientMsg, DnsMsg, FenceMsg, Msg, ProbeMsg};
use regionsim::model::route::mixture::Late as LateClients;
use regionsim::model::route::proxy::{NoneHealthy, OnMarkedDown};
use regionsim::model::route::{
    DnsParams, GlobalLbParams, Mixture, ProxyParams, RoutingParams, ViaParams,
};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Share;
use regionsim::sim::time::{LocalTime, Span};
use regionsim::sim::units::parse_span;
use stage::{GROUP, Stage, answer, order, poisson, populate};
use std::collections::BTreeMap;
use stories::{Told, every_story_in, play};

const NAMES: [&str; 5] = ["clients", "db-a", "db-b", "ns-a", "ns-b"];

fn process(name: &str) -> ProcessId {
    let index = NAMES.iter().position(|known| *known == name);
    ProcessId(index.unwrap_or_else(|| panic!("no process `{name}`")) as u16)
}

/// The words after a verb: plain ones in order, and `key=value`.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn plain(&self, n: usize) -> &'a str {
        let mut plain = self.0.iter().filter(|word| !word.contains('='));
        plain.nth(n).unwrap_or_else(|| panic!("missing word {n} in {:?}", self.0))
    }
    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
    fn span(&self, key: &str, default: Span) -> Span {
        self.value(key).map_or(default, |text| parse_span(text).expect(text))
    }
    fn number(&self, key: &str, default: u32) -> u32 {
        self.value(key).map_or(default, |text| text.parse().expect(text))
    }
}

/// `via=proxy inter=2s fastinter=1s rise=2 fall=3 patience=1s role=primary down=reset none=all`.
fn proxy(words: &Words<'_>) -> ProxyParams {
    let default = ProxyParams::default();
    let maybe = |key| words.value(key).map(|text| parse_span(text).expect(text));
    ProxyParams {
        inter: words.span("inter", default.inter),
        fastinter: maybe("fastinter"),
        timeout: maybe("patience"),
        rise: words.number("rise", default.rise),
        fall: words.number("fall", default.fall),
        role: words.value("role").map_or(CheckRole::Any, |_| CheckRole::Primary),
        on_marked_down: words.value("down").map_or(OnMarkedDown::Keep, |_| OnMarkedDown::Reset),
        drain: drain(words),
        none_healthy: words.value("none").map_or(NoneHealthy::Refuse, |_| NoneHealthy::All),
        ..default
    }
}

/// `drain=10s`: connections live so much longer than clients are sent there.
fn drain(words: &Words<'_>) -> Option<Span> {
    words.value("drain").map(|text| parse_span(text).expect(text))
}

/// `late=5s`: all clients follow so much later than their resolver knows.
fn late(words: &Words<'_>) -> Mixture {
    let delay = words.value("late").map(|text| DistSpec::Constant(parse_span(text).expect(text)));
    let part = |delay| LateClients { share: Share(1.0), delay };
    Mixture { name: None, parts: delay.map(part).into_iter().collect() }
}

#[derive(Default)]
struct Script {
    stage: Option<Stage<Population>>,
    /// The last lookup, so that it can be answered.
    lookup: Option<(u32, u32)>,
    /// The last request, so that it can be refused.
    requests: Vec<(OpId, u8, ProcessId, Msg)>,
    /// How checks end, and the ends that are to be heard.
    habits: BTreeMap<ProcessId, String>,
    ends: Vec<Input>,
    /// Operations are told with their keys.
    users: bool,
    said: Vec<String>,
}

/// `users=closed think=1s`, `users=paced every=10ms late=skip`, `users=sequence ops=w3,r3`,
/// `users=script ops=10s:w3,12s:r3`: what users do, and to which key.
fn users(words: &Words<'_>) -> Option<LoopParams> {
    let operation = |text: &str| {
        let op = if text.starts_with('w') { OpWord::Write } else { OpWord::Read };
        (op, text[1..].parse().ok())
    };
    let listed = words.value("ops").unwrap_or_default().split(',');
    let count = words.number("count", 1);
    Some(match words.value("users")? {
        "closed" => {
            let think_time = DistSpec::Constant(words.span("think", Span::from_secs(1)));
            LoopParams::Closed(closed::Params { count, think_time, ..closed::Params::default() })
        }
        "paced" => LoopParams::Paced(paced::Params {
            every: words.span("every", Span::from_millis(10)),
            count,
            late: if words.value("late") == Some("skip") { Late::Skip } else { Late::CatchUp },
            ..paced::Params::default()
        }),
        "sequence" => LoopParams::Sequence(sequence::Params {
            operations: listed.map(operation).map(|(op, key)| sequence::Step { op, key }).collect(),
            pause: DistSpec::Constant(words.span("pause", Span::ZERO)),
            repeat: words.0.contains(&"repeat"),
        }),
        _ => LoopParams::Script(script::Params {
            operations: listed
                .map(|line| line.split_once(':').expect("a time"))
                .map(|(at, text)| (parse_span(at).expect(at), operation(text)))
                .map(|(at, (op, key))| script::Line { at, op, key })
                .collect(),
        }),
    })
}

impl Script {
    fn stage(&mut self) -> &mut Stage<Population> {
        self.stage.as_mut().expect("a story begins with `clients`")
    }
    /// `clients via=lb deadline=5s …`: a population whose arrivals the script makes.
    fn clients(&mut self, words: &Words<'_>) {
        let retry = RetryParams::default();
        let params = ClientParams {
            writes: poisson(1e-9),
            reads: poisson(1e-9),
            users: users(words),
            from: words.span("from", Span::ZERO),
            until: words.value("until").map(|text| parse_span(text).expect(text)),
            deadline: words.span("deadline", Span::from_secs(5)),
            retry: RetryParams {
                attempts: words.number("attempts", 3),
                attempt_timeout: words.span("timeout", retry.attempt_timeout),
                backoff: words.span("backoff", retry.backoff),
                jitter: Share(0.0),
                ..retry
            },
            keys: KeyParams { count: 10, zipf: 0.0 },
            ..ClientParams::default()
        };
        let via = match words.value("via") {
            Some("dns") => Some(ViaParams::Dns(DnsParams {
                ttl: words.span("ttl", Span::from_secs(60)),
                resolvers: 1,
                mixture: late(words),
                ..DnsParams::default()
            })),
            Some("proxy") => Some(ViaParams::Proxy(proxy(words))),
            Some("node") => None,
            _ => {
                let propagation = words.span("propagation", Span::from_secs(3));
                let propagation = DistSpec::Constant(propagation);
                Some(ViaParams::GlobalLb(GlobalLbParams { propagation, drain: drain(words) }))
            }
        };
        // `pinned=10s`: everybody is, to connections that live so long in silence.
        let routing = via.map(|via| RoutingParams {
            via,
            pinned: Share(words.value("pinned").map_or(0.0, |_| 1.0)),
            pinned_timeout: words.span("pinned", Span::ZERO),
            ..RoutingParams::default()
        });
        self.stage = Some(Stage::new(ProcessId(0), populate(&params, routing.as_ref(), 1)));
        // Of an open loop the script says when operations begin: no `Input::Start`, and a rate of
        // nothing. Users begin by themselves.
        self.users = params.users.is_some();
        if self.users {
            self.hear(Input::Start);
        }
    }
    /// `start`: the router begins its own work.
    fn start(&mut self) {
        self.hear(Input::Start);
    }
    /// `is db-a well`: how its checks end from now on: `well`, `unwell`, `refused`, `silent`.
    fn is(&mut self, words: &Words<'_>) {
        self.habits.insert(process(words.plain(0)), words.plain(1).to_string());
    }
    /// A check of a database ends at once, as it has been told to, or never.
    fn end_check(&mut self, database: ProcessId, seq: u32, asks: Asks) -> &str {
        let how = self.habits.get(&database).map_or("silent", String::as_str);
        let input = |probe| Input::Message { from: database, msg: Msg::Probe(probe) };
        self.ends.extend(match how {
            "well" => Some(input(ProbeMsg::Alive { seq })),
            "unwell" => Some(input(ProbeMsg::Unwell { seq })),
            "refused" => {
                let msg = Msg::Probe(ProbeMsg::Probe { seq, asks });
                Some(Input::Refused { by: database, msg })
            }
            _ => None,
        });
        how
    }
    /// `begin write`, `begin read`.
    fn begin(&mut self, words: &Words<'_>) {
        let lane = u32::from(words.plain(0) == "read");
        self.hear(Input::Timer(Timer::nth(0, lane)));
    }
    /// `after 100ms`: timers fire as they fall due.
    fn after(&mut self, words: &Words<'_>) {
        let stage = self.stage();
        let end = stage.now + parse_span(words.plain(0)).unwrap();
        while let Some(at) = self.stage().next().filter(|at| *at <= end) {
            let effects = self.stage().fire();
            self.tell(at, effects);
        }
        self.stage().now = end;
    }
    /// `answer 0 ok`: the answer to the last attempt (or `attempt=`) arrives.
    fn answer(&mut self, words: &Words<'_>) {
        let (op, attempt, to, _) = self.request(words);
        let outcome = if words.plain(1) == "ok" { Outcome::Ok } else { Outcome::Fail };
        self.hear(Input::Message { from: to, msg: answer(op, attempt, outcome) });
    }
    /// `refuse 0`: the receiver's process does not run.
    fn refuse(&mut self, words: &Words<'_>) {
        let (_, _, by, msg) = self.request(words);
        self.hear(Input::Refused { by, msg });
    }
    fn request(&self, words: &Words<'_>) -> (OpId, u8, ProcessId, Msg) {
        let op = OpId::new(ClientId(0), words.plain(0).parse().unwrap());
        let wanted = words.value("attempt").map(|text| text.parse::<u8>().unwrap());
        let mut sent = self.requests.iter().rev();
        *sent.find(|r| r.0 == op && wanted.is_none_or(|a| a == r.1)).expect("no such attempt")
    }
    /// `found db-b`: a name server answers the last lookup.
    fn found(&mut self, words: &Words<'_>) {
        let (resolver, seq) = self.lookup.expect("no lookup");
        let msg = DnsMsg::Found { resolver, seq, target: process(words.plain(0)) };
        self.hear(Input::Message { from: process("ns-a"), msg: Msg::Dns(GROUP, msg) });
    }
    /// `refuse-lookup ns-a`.
    fn refuse_lookup(&mut self, words: &Words<'_>) {
        let (resolver, seq) = self.lookup.expect("no lookup");
        let msg = Msg::Dns(GROUP, DnsMsg::Lookup { resolver, seq });
        self.hear(Input::Refused { by: process(words.plain(0)), msg });
    }
    fn hear(&mut self, input: Input) {
        let now = self.stage().now;
        let effects = self.stage().step(input);
        self.tell(now, effects);
    }
    fn tell(&mut self, at: LocalTime, effects: Vec<Effect>) {
        for effect in effects {
            let said = match effect {
                Effect::Invoke { op, kind, key, .. } if self.users => {
                    format!("invoke {} {kind:?} key {key}", op.seq())
                }
                Effect::Invoke { op, kind, .. } => format!("invoke {} {kind:?}", op.seq()),
                Effect::Conclude { op, outcome, by } => {
                    let by =
                        by.map_or(String::new(), |node| format!(" by {}", NAMES[node.index()]));
                    format!("conclude {} {outcome:?}{by}", op.seq())
                }
                Effect::Route { resolver, node, .. } => {
                    let pinned = resolver >> 31 == 1;
                    let whose = if pinned { "connection" } else { "resolver" };
                    format!("route {whose} {} to {}", resolver << 1 >> 1, NAMES[node.index()])
                }
                Effect::Send { to, msg, class, .. } => self.sent(to, msg, class),
                other => format!("{other:?}"),
            };
            let since = at.since(LocalTime::ZERO);
            self.said.push(format!("{since}: {}", said.to_lowercase()));
        }
        for end in std::mem::take(&mut self.ends) {
            self.hear(end);
        }
    }
    fn sent(&mut self, to: ProcessId, msg: Msg, class: Class) -> String {
        let whom = NAMES[to.index()];
        match msg {
            Msg::Client(ClientMsg::Request { op, attempt, idempotent, .. }) => {
                self.requests.push((op, attempt, to, msg));
                let Class::Independent { patience } = class else { panic!("{class:?}") };
                let id = if idempotent { "id kept" } else { "no id" };
                format!("ask {whom} for {}, attempt {attempt}, {id}, within {patience}", op.seq())
            }
            Msg::Probe(ProbeMsg::Probe { seq, asks }) => {
                let verb = match (seq >> 31, class) {
                    (0, _) => "check",
                    (_, Class::Stream) => "greet",
                    _ => "knock at",
                };
                format!("{verb} {whom}: {}", self.end_check(to, seq, asks))
            }
            Msg::Dns(_, DnsMsg::Lookup { resolver, seq }) => {
                self.lookup = Some((resolver, seq));
                format!("look up at {whom}")
            }
            other => format!("send {other:?}"),
        }
    }
    fn obey(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap();
        let words = Words(words.collect());
        match verb {
            "clients" => self.clients(&words),
            "start" => self.start(),
            "is" => self.is(&words),
            "begin" => self.begin(&words),
            "after" => self.after(&words),
            "answer" => self.answer(&words),
            "refuse" => self.refuse(&words),
            "reset" => self.hear(Input::Reset { by: process(words.plain(0)) }),
            "order" => {
                let msg = order(process(words.plain(0)), words.number("version", 1));
                self.hear(Input::Message { from: process("ns-a"), msg });
            }
            "block" | "admit" => {
                let (target, version) = (process(words.plain(0)), words.number("version", 0));
                let msg = match verb {
                    "block" => FenceMsg::Block { target, version },
                    _ => FenceMsg::Admit { target },
                };
                let msg = Msg::Fence(GROUP, msg);
                self.hear(Input::Message { from: process("ns-a"), msg });
            }
            "found" => self.found(&words),
            "refuse-lookup" => self.refuse_lookup(&words),
            _ => panic!("no verb `{verb}`"),
        }
    }
}

impl Told for Script {
    fn command(&mut self, line: &str) {
        self.obey(line);
    }
    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}

#[test]
fn populations_do_what_their_stories_say() {
    every_story_in("client", 18, play::<Script>);
}
