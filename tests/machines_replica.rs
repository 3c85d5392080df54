//! Stories of replicated databases as scripts: `tests/machines/replica/*.txt`.
//!
//! A block is what happens, `----`, and what the databases do about it. `UPDATE=1` rewrites the
//! second half; a person reads the difference.

mod replicas;
mod stories;

use regionsim::model::ctx::{Effect, Input, Part};
use regionsim::model::detect::{Asks, Check, CheckRole};
use regionsim::model::fact::{Claim, OpKind, Outcome};
use regionsim::model::id::{FencingToken, NodeId, Position, ProcessId, Segment, Term};
use regionsim::model::msg::{LocalMsg, Msg, ProbeMsg, Resync, StorageMsg};
use regionsim::model::replica::peer::Peer;
use regionsim::model::replica::{GuardParams, ModeParams, Restart, ServerParams, Unapplied};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Node, Param, Problems, Tree};
use regionsim::sim::time::{LocalTime, Span};
use regionsim::sim::units::parse_span;
use replicas::{Parcel, Replicas, Shape};
use stories::{Told, every_story_in, play};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn index(name: &str) -> usize {
    NAMES.iter().position(|known| *known == name).unwrap_or_else(|| panic!("no node `{name}`"))
}

/// The words after a verb: plain ones in order, and `key=value`.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn plain(&self, n: usize) -> Option<&'a str> {
        self.0.iter().filter(|word| !word.contains('=')).nth(n).copied()
    }
    fn has(&self, wanted: &str) -> bool {
        self.0.contains(&wanted)
    }
    fn node(&self, n: usize) -> usize {
        index(self.plain(n).unwrap_or_else(|| panic!("missing node {n} in {:?}", self.0)))
    }
    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
    fn span(&self, key: &str, default: Span) -> Span {
        self.value(key).map_or(default, |text| parse_span(text).expect(text))
    }
    fn number(&self, key: &str, default: u64) -> u64 {
        self.value(key).map_or(default, |text| text.parse().expect(text))
    }
}

fn segment(segment: Segment) -> String {
    let again = (segment.word() >> 16) as u16;
    let again = if again == 0 { String::new() } else { format!("+{again}") };
    format!("{}{}{again}", NAMES[segment.node().index()], segment.term().0)
}
fn place(at: Position) -> String {
    if at.index.0 == 0 {
        "nothing".into()
    } else {
        format!("{}:{}", segment(at.segment), at.index.0)
    }
}
fn name(process: ProcessId) -> String {
    match process.0 {
        0..20 => NAMES[process.index()].into(),
        20..50 => "agent".into(),
        50 => "client".into(),
        51 => "checker".into(),
        _ => "storage".into(),
    }
}

fn peer(peer: Peer) -> String {
    match peer {
        Peer::Join { term, seq, at } => format!("join #{seq} at {} in term {}", place(at), term.0),
        Peer::Fork { seq, at, .. } => format!("fork #{seq} at {}", place(at)),
        Peer::Unknown { seq, segment: s, .. } => format!("unknown #{seq} {}", segment(s)),
        Peer::Ship { segment: s, after, upto, .. } => {
            format!("ship {}:{}..{}", segment(s), after.0 + 1, upto.0)
        }
        Peer::Have { session, received, flushed, applied, .. } => {
            format!("have #{session} {}/{}/{}", received.0, flushed.0, applied.0)
        }
        Peer::Rejoin { session, .. } => format!("rejoin #{session}"),
        Peer::HowFar { seq, .. } => format!("how far? #{seq}"),
        Peer::ThusFar { seq, end, .. } => format!("thus far #{seq}: {}", end.0),
        Peer::Beat { .. } => "beat".into(),
        Peer::Link { version, prev: None, .. } => format!("no place @{version}"),
        Peer::Link { version, prev: Some(prev), next, reports, .. } => {
            let next = next.map_or("nobody".into(), name);
            let reports = if reports { ", reports" } else { "" };
            format!("place @{version} between {} and {next}{reports}", name(prev))
        }
        Peer::Place { version, flushed, .. } => format!("in place @{version}, {}", flushed.0),
        Peer::Stale { token } => format!("stale, token {}", token.0),
    }
}

fn message(msg: Msg) -> String {
    match msg {
        Msg::Peer(_, msg) => peer(msg),
        Msg::Local(_, LocalMsg::Leading { term }) => format!("leading term {}", term.0),
        Msg::Local(_, LocalMsg::Fenced { token }) => format!("fenced by token {}", token.0),
        Msg::Local(_, LocalMsg::Status { role, term, durable, idle, .. }) => {
            let idle = if idle { "idle" } else { "busy" };
            format!("{role:?} in term {}, durable {}, {idle}", term.0, place(durable))
        }
        Msg::Probe(ProbeMsg::Alive { seq }) => format!("well #{seq}"),
        Msg::Probe(ProbeMsg::Unwell { seq }) => format!("not well #{seq}"),
        Msg::Storage(_, StorageMsg::Check { token, seq }) => {
            let (round, seq) = (seq >> 48, seq & ((1 << 48) - 1));
            format!("check token {} up to {seq}, round {round}", token.0)
        }
        other => format!("{other:?}"),
    }
}

fn effect(effect: Effect) -> Option<String> {
    Some(match effect {
        Effect::Begin { segment: s, from, .. } => {
            format!("begin {} on {}", segment(s), place(from))
        }
        Effect::Append { op, at, .. } => format!("append {} as {}", op.seq(), place(at)),
        Effect::Hold { upto, .. } => format!("hold {}", place(upto)),
        Effect::Sync { upto, .. } => format!("write to disk up to {}", place(upto)),
        Effect::Truncate { to, .. } => format!("cut back to {}", place(to)),
        Effect::Answer { op, attempt, outcome: Outcome::Ok, at, .. } => {
            format!("answer {}.{attempt} ok, {}", op.seq(), place(at))
        }
        Effect::Answer { op, attempt, outcome, .. } => {
            format!("answer {}.{attempt} {outcome:?}", op.seq())
        }
        Effect::Send { to, msg, .. } => format!("to {}: {}", name(to), message(msg)),
        Effect::Claim(Claim::Primary(_, term)) => format!("claim primary, term {}", term.0),
        Effect::Claim(Claim::SteppedDown(_, term)) => {
            format!("claim stepped down, term {}", term.0)
        }
        Effect::Claim(claim) => format!("claim {claim:?}"),
        Effect::SetTimer { .. } | Effect::Wake { .. } | Effect::CancelTimer(_) => return None,
        other => format!("{other:?}"),
    })
}

/// `replicas=3 leased tokens storage restart=standby service=10ms apply_rate=100 guard=1 …`
fn shape(words: &Words<'_>, mode: ModeParams) -> Shape {
    let distribution = |text: &str| DistSpec::Constant(parse_span(text).unwrap());
    let standby = words.value("restart") == Some("standby");
    Shape {
        replicas: words.number("replicas", 2) as usize,
        leased: words.has("leased"),
        tokens: words.has("tokens"),
        storage: words.has("storage"),
        idempotent: !words.has("forgets"),
        server: words.value("service").map(|text| ServerParams {
            service_time: distribution(text),
            read_time: words.value("read").map(distribution),
            concurrency: words.number("places", 1) as u32,
            queue: words.number("queue", 1000) as u32,
        }),
        restart: if standby { Restart::Standby } else { Restart::AsItWas },
        restart_time: words.span("restart_time", Span::ZERO),
        entry_bytes: words.number("entry_bytes", 1000) as u32,
        apply_rate: words.value("apply_rate").map(|text| text.parse().unwrap()),
        unapplied: if words.has("discard") { Unapplied::Discard } else { Unapplied::Replay },
        guard: words.value("guard").map(|text| GuardParams {
            min_replicas: text.parse().unwrap(),
            max_lag: words.span("max_lag", Span::from_secs(10)),
            ..GuardParams::default()
        }),
        ..Shape::of(mode)
    }
}

#[derive(Default)]
struct Script {
    all: Option<Replicas>,
    said: Vec<String>,
}

impl Script {
    fn all(&mut self) -> &mut Replicas {
        self.all.as_mut().expect("a story begins with `store`")
    }
    /// `store sync replicas=3 acks=1 leased tokens storage restart=standby …`
    fn store(&mut self, words: &Words<'_>) {
        let mut entries = vec![("mode", Node::text(words.plain(0).expect("a mode")))];
        for key in [
            "ship",
            "batch_interval",
            "answer",
            "ack_on",
            "dead_standby",
            "drop_after",
            "timeout",
            "on_timeout",
            "apply_delay",
            "repair_after",
            "beat_interval",
        ] {
            entries.extend(words.value(key).map(|value| (key, Node::text(value))));
        }
        let acks = words
            .value("acks")
            .map(|text| ("acks", Node { place: 0..0, tree: Tree::Int(text.parse().unwrap()) }));
        entries.extend(acks);
        if words.has("no-wait") {
            let no = Node { place: 0..0, tree: Tree::Bool(false) };
            entries.push(("wait_no_replica", no));
        }
        let mut problems = Problems::default();
        let mode = ModeParams::read(&Node::table(entries), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        self.all = Some(Replicas::new(&shape(words, mode.expect("no problem"))));
    }
    fn local(&mut self, verb: &str, words: &Words<'_>) {
        let i = words.node(0);
        let term = Term(words.number("term", 1) as u32);
        let token = FencingToken(words.number("token", 0));
        let msg = match verb {
            "lease" => LocalMsg::Lease {
                token,
                until: LocalTime::ZERO.saturating_add(words.span("until", Span::MAX)),
            },
            "lead" => LocalMsg::Lead { term, token, takes: words.span("takes", Span::ZERO) },
            "follow" => LocalMsg::Follow {
                primary: ProcessId::of(words.node(1)),
                term,
                token,
                resync: Resync {
                    takes: words.span("resync", Span::ZERO),
                    rebuilt: words.has("rebuilt"),
                },
            },
            "stepdown" => LocalMsg::StepDown,
            "quiesce" => LocalMsg::Quiesce,
            "resume" => LocalMsg::Resume,
            _ => LocalMsg::Ask { seq: 1 },
        };
        self.all().local(i, msg);
    }
    /// `stall b applier`, `unstall b receiver`.
    fn stall(&mut self, words: &Words<'_>, yes: bool) {
        let applier = words.plain(1) == Some("applier");
        let part = if applier { Part::Applier } else { Part::Receiver };
        self.all().step(words.node(0), Input::Stall { part, yes });
    }
    /// `log a`: what it has, and whether it admits writes.
    fn log(&mut self, i: usize) {
        let now = self.all().now;
        let machine = &self.all().nodes[i].machine;
        let (end, durable) = (machine.log().end(), machine.log().durable());
        let admits = if machine.admits(now) { ", admits writes" } else { "" };
        let acks = machine.acks_required();
        let said = format!(
            "{end}, durable {durable}{admits}, acks {acks}",
            end = place(end),
            durable = place(durable)
        );
        self.said.push(format!("{}: has {said}", NAMES[i]));
    }
    /// `write 7 to=b attempt=1`, `write 1..5`.
    fn request(&mut self, kind: OpKind, words: &Words<'_>) {
        let to = words.value("to").map_or(0, index);
        let attempt = words.number("attempt", 0) as u8;
        let which = words.plain(0).expect("a number");
        let (first, last) = which.split_once("..").unwrap_or((which, which));
        for seq in first.parse::<u64>().unwrap()..=last.parse().unwrap() {
            self.all().request(to, seq, kind, attempt, !words.has("no-id"));
        }
    }
    /// `probe a seq=7 write lag=1s backlog=5 role=primary`: a health check asks.
    fn probe(&mut self, words: &Words<'_>) {
        let role = match words.value("role") {
            Some("primary") => CheckRole::Primary,
            Some("standby") => CheckRole::Standby,
            _ => CheckRole::Any,
        };
        let mut checks = vec![Check::Connect];
        checks.extend(words.has("app").then_some(Check::App));
        checks.extend(words.has("write").then_some(Check::Write));
        checks.extend(words.value("lag").map(|_| Check::Lag));
        checks.extend(words.value("backlog").map(|_| Check::Backlog));
        let (lag, backlog) = (words.span("lag", Span::ZERO), words.number("backlog", 0));
        let asks = Asks::new(&checks, role, lag, backlog as u32);
        let probe = ProbeMsg::Probe { seq: words.number("seq", 1) as u32, asks };
        self.all().probe(words.node(0), probe);
    }
    /// `accept a`, `refuse a token=3`: the storage answers the last check.
    fn storage(&mut self, accepts: bool, words: &Words<'_>) {
        let i = words.node(0);
        let last = self.all().checks.iter().rev().find(|(by, _)| *by == i).copied();
        let Some((_, StorageMsg::Check { seq, .. })) = last else { panic!("no check") };
        let refused = StorageMsg::Refused { token: FencingToken(words.number("token", 0)) };
        let answer = if accepts { StorageMsg::Accepted { seq } } else { refused };
        self.all().storage(i, answer);
    }
    /// `deliver`, `deliver a b`, `deliver a b join`: what is on the way, or the first of a kind.
    fn deliver(&mut self, words: &Words<'_>) {
        if words.plain(0).is_none() {
            self.all().deliver_all();
            return;
        }
        let (from, to) = (words.node(0), words.node(1));
        if let Some(kind) = words.plain(2) {
            let wire = self.all().wire(from, to);
            let is =
                |p: &Parcel| matches!(p, Parcel::Msg(msg, _) if message(*msg).starts_with(kind));
            let at = wire.iter().position(is).unwrap_or_else(|| panic!("no {kind}"));
            let parcel = wire.remove(at).expect("found");
            wire.push_front(parcel);
            self.all().deliver(from, to);
            return;
        }
        for _ in 0..self.all().wire(from, to).len() {
            self.all().deliver(from, to);
        }
    }
    fn obey(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap();
        let words = Words(words.collect());
        match verb {
            "store" => self.store(&words),
            "write" => self.request(OpKind::Write, &words),
            "read" => self.request(OpKind::Read, &words),
            "deliver" => self.deliver(&words),
            "drop" => self.all().wire(words.node(0), words.node(1)).clear(),
            "fsync" => assert!(self.all().fsync(words.node(0)), "no write under way"),
            "settle" => self.all().settle(),
            "tick" => self.all().tick(parse_span(words.plain(0).unwrap()).unwrap()),
            "crash" => self.all().crash(words.node(0), words.value("disk") != Some("lost")),
            "restart" => self.all().restart(words.node(0)),
            "accept" => self.storage(true, &words),
            "refuse" => self.storage(false, &words),
            "probe" => self.probe(&words),
            "log" => self.log(words.node(0)),
            "stall" => self.stall(&words, true),
            "unstall" => self.stall(&words, false),
            "quietly" => {}
            _ => self.local(verb, &words),
        }
        let now = self.all().now.since(LocalTime::ZERO);
        for (i, what) in std::mem::take(&mut self.all().seen) {
            if let Some(said) = effect(what) {
                self.said.push(format!("{now} {}: {said}", NAMES[NodeId::of(i).index()]));
            }
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
fn databases_do_what_their_stories_say() {
    every_story_in("replica", 20, play::<Script>);
}
