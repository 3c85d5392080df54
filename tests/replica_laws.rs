//! Laws of histories and of replication, under storms that move messages, disks and timers at
//! random.

mod replicas;

use proptest::prelude::*;
use regionsim::model::ctx::Effect;
use regionsim::model::fact::OpKind;
use regionsim::model::id::{
    ClientId, FencingToken, LogIndex, NodeId, OpId, Position, ProcessId, Segment, Term,
};
use regionsim::model::log::{Appended, Book, Log};
use regionsim::model::msg::LocalMsg;
use regionsim::model::replica::{ModeParams, Restart, ServerParams};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::{Node, Param, Problems, Tree};
use regionsim::sim::time::Span;
use replicas::{Parcel, Replicas, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// The dumb twin of a log: every entry's segment.
#[derive(Default)]
struct Twin {
    entries: Vec<Segment>,
    durable: usize,
    current: Option<Segment>,
}

impl Twin {
    fn position(&self, index: usize) -> Position {
        let segment = if index == 0 { Segment::default() } else { self.entries[index - 1] };
        Position { segment, index: LogIndex(index as u64) }
    }
}

fn same(log: Position, twin: Position) -> bool {
    log.index == twin.index && (log.index.0 == 0 || log.segment == twin.segment)
}

fn compare(log: &Log, twin: &Twin, known: &[Segment]) {
    let end = twin.entries.len();
    assert!(same(log.end(), twin.position(end)), "{log:?}");
    assert!(same(log.durable(), twin.position(twin.durable)), "{log:?}");
    for index in 0..=end {
        let at = LogIndex(index as u64);
        assert!(same(log.position(at), twin.position(index)), "{index} in {log:?}");
        let run = twin.entries[index..].iter().take_while(|s| **s == twin.entries[index]).count();
        let expected = (run > 0).then(|| (twin.entries[index], LogIndex((index + run) as u64)));
        assert_eq!(log.next_range(at), expected, "after {index} in {log:?}");
    }
    for segment in known {
        for index in 1..=end + 1 {
            let at = Position { segment: *segment, index: LogIndex(index as u64) };
            let has = twin.entries.get(index - 1) == Some(segment);
            assert_eq!(log.contains(at), has, "{at:?} in {log:?}");
        }
        if let Some(first) = twin.entries.iter().position(|s| s == segment) {
            let (before, last) = log.span_of(*segment).expect("it has entries");
            let count = twin.entries.iter().filter(|s| *s == segment).count();
            assert_eq!((before.0, last.0), (first as u64, (first + count) as u64));
            let parent = log.parent_of(*segment).map_or(0, |at| at.index.0);
            assert_eq!(parent, first as u64, "the parent of {segment:?} in {log:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_log_is_the_list_of_its_entries(acts in prop::collection::vec((0..5u8, 0..12usize), 1..60)) {
        let (mut log, mut twin, mut known) = (Log::new(), Twin::default(), Vec::new());
        for (act, n) in acts {
            let fresh = Segment::new(Term(known.len() as u32 + 1), NodeId((n % 3) as u16));
            match act {
                0 => {
                    let from = log.begin(fresh);
                    prop_assert!(same(from, twin.position(twin.entries.len())));
                    twin.current = Some(fresh);
                    known.push(fresh);
                }
                1 if twin.current.is_some() => {
                    let segment = twin.current.unwrap();
                    twin.entries.push(segment);
                    prop_assert_eq!(log.append(), twin.position(twin.entries.len()));
                }
                2 => {
                    // What is shipped continues the last entry's segment, or begins another.
                    let last = twin.entries.last().copied().filter(|_| n % 2 == 0);
                    let segment = last.unwrap_or(fresh);
                    let upto = twin.entries.len() + n / 2;
                    log.extend(segment, LogIndex(upto as u64));
                    if upto > twin.entries.len() {
                        twin.entries.resize(upto, segment);
                        known.push(segment);
                        twin.current = None;
                    }
                }
                3 => {
                    log.mark_durable(LogIndex(n as u64));
                    twin.durable = twin.durable.max(n.min(twin.entries.len()));
                }
                4 => {
                    log.truncate(LogIndex(n as u64));
                    twin.entries.truncate(n);
                    twin.durable = twin.durable.min(n);
                    twin.current = None;
                }
                _ => {}
            }
            compare(&log, &twin, &known);
        }
    }

    #[test]
    fn the_book_is_a_map_that_forgets(
        notes in prop::collection::vec((0..6u64, 0..3u64, 0..2u16), 1..60)
    ) {
        // Slots 0..6 of the ring, in laps 0..3 of it, by two populations.
        let mut book = Book::new(2);
        let mut twin: BTreeMap<(u16, u64), (u64, Vec<Position>)> = BTreeMap::new();
        for (i, (slot, lap, client)) in notes.into_iter().enumerate() {
            let seq = slot + lap * Book::DEPTH as u64;
            let at = Position { segment: Segment::new(Term(1), NodeId(0)), index: LogIndex(i as u64 + 1) };
            book.note(replicas::GROUP, OpId::new(ClientId(client), seq), at);
            let entry = twin.entry((client, slot)).or_insert((seq, Vec::new()));
            if entry.0 < seq {
                *entry = (seq, vec![at]);
            } else if entry.0 == seq {
                entry.1.push(at);
            }
            for ((client, slot), (newest, places)) in &twin {
                for lap in 0..3 {
                    let seq = slot + lap * Book::DEPTH as u64;
                    let expected = match seq.cmp(newest) {
                        std::cmp::Ordering::Less => Appended::Forgotten,
                        std::cmp::Ordering::Equal => Appended::At(places),
                        std::cmp::Ordering::Greater => Appended::Never,
                    };
                    prop_assert_eq!(book.find(OpId::new(ClientId(*client), seq)), expected);
                }
            }
        }
    }
}

/// One thing that happens in a storm.
#[derive(Clone, Copy, Debug)]
enum Act {
    Write(usize, bool),
    Retry(usize, u64),
    Deliver(usize, usize, u8),
    DropAlone(usize, usize),
    Reset(usize, usize),
    Fsync(usize),
    Tick(u64),
    Crash(usize),
    Restart(usize),
    FailOver(usize),
    Pause(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..3usize;
    prop_oneof![
        8 => (n.clone(), any::<bool>()).prop_map(|(i, id)| Act::Write(i, id)),
        3 => (n.clone(), 0..40u64).prop_map(|(i, back)| Act::Retry(i, back)),
        30 => (n.clone(), n.clone(), 1..6u8).prop_map(|(a, b, k)| Act::Deliver(a, b, k)),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::DropAlone(a, b)),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::Reset(a, b)),
        14 => n.clone().prop_map(Act::Fsync),
        4 => (1..3_000u64).prop_map(Act::Tick),
        1 => n.clone().prop_map(Act::Crash),
        3 => n.clone().prop_map(Act::Restart),
        1 => n.clone().prop_map(Act::FailOver),
        1 => n.prop_map(Act::Pause),
    ]
}

fn mode(word: &str, acks: Option<i64>, entries: &[(&str, &str)]) -> ModeParams {
    let mut table = vec![("mode", Node::text(word))];
    table.extend(entries.iter().map(|(key, value)| (*key, Node::text(value))));
    table.extend(acks.map(|acks| ("acks", Node { place: 0..0, tree: Tree::Int(acks) })));
    let mut problems = Problems::default();
    let mode = ModeParams::read(&Node::table(table), &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    mode.unwrap()
}

/// A storm over three replicas, and what must hold in it.
struct Storm {
    all: Replicas,
    names: BTreeMap<Position, OpId>,
    seq: u64,
    term: u32,
    /// How many standbys must have a write on disk when it is answered; nothing where roles
    /// change, since then a standby may have been rewound since.
    promised: Option<usize>,
    answered: BTreeSet<(OpId, Position)>,
}

impl Storm {
    fn new(mode: ModeParams, promised: Option<usize>, server: Option<ServerParams>) -> Storm {
        let all = Replicas::new(&Shape {
            idempotent: true,
            server,
            mode,
            replicas: 3,
            leased: false,
            tokens: false,
            storage: false,
            restart: Restart::AsItWas,
            restart_time: Span::from_millis(500),
            entry_bytes: 3_000_000,
        });
        let (names, answered) = (BTreeMap::new(), BTreeSet::new());
        Storm { all, names, seq: 0, term: 1, promised, answered }
    }

    fn act(&mut self, act: Act, roles_change: bool) {
        let all = &mut self.all;
        match act {
            Act::Write(i, id) if all.nodes[i].up => {
                self.seq += 1;
                all.request(i, self.seq, OpKind::Write, 0, id);
            }
            Act::Retry(i, back) if all.nodes[i].up => {
                let seq = self.seq.saturating_sub(back).max(1);
                all.request(i, seq, OpKind::Write, 1, true);
            }
            Act::Deliver(a, b, count) if a != b => {
                for _ in 0..count {
                    self.all.deliver(a, b);
                    self.check();
                }
                return;
            }
            Act::DropAlone(a, b) => {
                all.wire(a, b).retain(|parcel| !matches!(parcel, Parcel::Msg(_, true)));
            }
            Act::Reset(a, b) if a != b && all.nodes[a].up => {
                // What was under way from a to b is gone, and a hears of it.
                all.wire(a, b).clear();
                all.wire(b, a).push_back(Parcel::Reset);
            }
            Act::Fsync(i) if all.nodes[i].up => {
                all.fsync(i);
            }
            Act::Tick(ms) => all.tick(Span::from_millis(ms)),
            Act::Crash(i) if all.nodes[i].up => all.crash(i, true),
            Act::Restart(i) if !all.nodes[i].up => all.restart(i),
            Act::FailOver(i) if roles_change => self.fail_over(i),
            Act::Pause(i) if roles_change && all.nodes[i].up => {
                all.local(i, LocalMsg::StepDown);
                all.local(i, LocalMsg::Resume);
            }
            _ => {}
        }
        self.check();
    }

    fn fail_over(&mut self, to: usize) {
        self.term += 1;
        let (term, token) = (Term(self.term), FencingToken(u64::from(self.term)));
        for i in 0..3 {
            if !self.all.nodes[i].up {
                continue;
            }
            let primary = ProcessId::of(to);
            let takes = Span::from_millis(100);
            let follow = LocalMsg::Follow { primary, term, token };
            let lead = LocalMsg::Lead { term, token, takes };
            // The old primary hears of it half the time only.
            if i == to {
                self.all.local(i, lead);
            } else if self.term.is_multiple_of(2) || i != 0 {
                self.all.local(i, follow);
            }
        }
    }

    fn check(&mut self) {
        for (i, effect) in std::mem::take(&mut self.all.seen) {
            match effect {
                Effect::Append { op, at, .. } => {
                    let before = self.names.insert(at, op);
                    assert_eq!(before, None, "{at:?} is the name of two entries");
                }
                Effect::Answer { .. } => self.check_answer(i, effect),
                _ => {}
            }
        }
    }

    fn check_answer(&mut self, i: usize, effect: Effect) {
        for (_, op, at) in Replicas::acknowledged(&[(i, effect)]) {
            let log = self.all.nodes[i].machine.log();
            assert!(log.contains(at), "{i} answered {op:?} and has no {at:?}: {log:?}");
            assert!(log.durable().index >= at.index, "{i} answered {op:?} before its disk had it");
            assert_eq!(self.names.get(&at), Some(&op), "{i} answered for another's entry");
            let on_disk = |node: &&replicas::Node| {
                let log = node.machine.log();
                log.contains(at) && log.durable().index >= at.index
            };
            if let Some(promised) = self.promised {
                let standbys = self.all.nodes[1..].iter().filter(on_disk).count();
                assert!(standbys >= promised, "{op:?} at {at:?} is on {standbys} standbys");
            }
            self.answered.insert((op, at));
        }
    }

    /// All faults are over: everybody runs, everything arrives.
    fn calm(&mut self) {
        for i in 0..3 {
            if !self.all.nodes[i].up {
                self.all.restart(i);
            }
        }
        for _ in 0..20 {
            self.all.settle();
            self.check();
            self.all.tick(Span::from_secs(1));
        }
        self.all.settle();
        self.check();
    }
}

/// Nodes that serve everything at once, or two requests at a time with three in the queue.
fn server() -> impl Strategy<Value = Option<ServerParams>> {
    prop::option::of((0u64..300).prop_map(|ms| ServerParams {
        service_time: DistSpec::Constant(Span::from_millis(ms)),
        concurrency: 2,
        queue: 3,
        ..ServerParams::default()
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn synchronous_answers_are_on_as_many_disks_as_promised(
        acks in prop::option::of(1..3i64),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let promised = acks.unwrap_or(2) as usize;
        let mut storm = Storm::new(mode("sync", acks, &[]), Some(promised), server);
        for act in acts {
            storm.act(act, false);
        }
        storm.calm();
        // Whatever was answered is in every history now, and all are one.
        let end = storm.all.nodes[0].machine.log().end();
        for node in &storm.all.nodes {
            prop_assert_eq!(node.machine.log().durable(), end);
            for (op, at) in &storm.answered {
                prop_assert!(node.machine.log().contains(*at), "{:?} is lost", op);
            }
        }
        storm.seq += 1;
        let last = OpId::new(ClientId(0), storm.seq);
        storm.all.request(0, storm.seq, OpKind::Write, 0, true);
        storm.all.tick(Span::from_secs(1));
        storm.all.settle();
        storm.check();
        prop_assert!(storm.answered.iter().any(|(op, _)| *op == last), "service is back");
    }

    #[test]
    fn no_primary_answers_for_what_it_has_not(
        word in prop::sample::select(vec!["async", "sync"]),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let mut storm = Storm::new(mode(word, None, &[]), None, server);
        for act in acts {
            storm.act(act, true);
        }
        storm.calm();
    }
}
