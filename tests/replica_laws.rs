//! Laws of histories and of replication, under storms that move messages, disks and timers at
//! random.

mod replicas;

use proptest::prelude::*;
use regionsim::model::id::{ClientId, LogIndex, NodeId, OpId, Position, Segment, Term};
use regionsim::model::log::{Appended, Book, Log};
use replicas::storm::{Promise, Storm, act, act_or_loss, mode, server};
use std::collections::BTreeMap;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn synchronous_answers_are_on_as_many_disks_as_promised(
        acks in prop::option::of(1..3i64),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let promised = acks.unwrap_or(2) as usize;
        let promise = Promise::OnDisks(promised);
        let mut storm = Storm::new(mode("sync", acks, &[]), promise, server);
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
        storm.serves_again();
    }

    #[test]
    fn semi_synchronous_answers_obey_the_rule_in_force(
        acks in 1..3i64,
        on_timeout in prop::sample::select(vec!["degrade", "wait", "refuse"]),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let entries = [("timeout", "2s"), ("on_timeout", on_timeout), ("ack_on", "flush")];
        let mode = mode("semi_sync", Some(acks), &entries);
        let mut storm = Storm::new(mode, Promise::RuleInForce, server);
        for act in acts {
            storm.act(act, false);
            let primary = &storm.all.nodes[0].machine;
            let rule = i64::from(primary.acks_required());
            prop_assert!(rule == acks || (rule == 0 && on_timeout == "degrade"));
        }
        storm.calm();
        // When all is quiet the mode is on again, everybody has everything, and it serves.
        prop_assert_eq!(i64::from(storm.all.nodes[0].machine.acks_required()), acks);
        let end = storm.all.nodes[0].machine.log().end();
        for node in &storm.all.nodes {
            prop_assert_eq!(node.machine.log().durable(), end);
        }
        storm.serves_again();
    }

    #[test]
    fn a_chain_answers_when_all_its_nodes_in_force_have_it_on_disk(
        repair_after in prop::sample::select(vec!["2s", "4s", "20s"]),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let mode = mode("chain", None, &[("repair_after", repair_after)]);
        let mut storm = Storm::new(mode, Promise::RuleInForce, server);
        for act in acts {
            storm.act(act, false);
        }
        storm.calm();
        // When all is quiet everybody is in force again and has everything.
        prop_assert_eq!(storm.all.nodes[0].machine.acks_required(), 2);
        let end = storm.all.nodes[0].machine.log().end();
        for node in &storm.all.nodes {
            prop_assert_eq!(node.machine.log().durable(), end);
            for (op, at) in &storm.answered {
                prop_assert!(node.machine.log().contains(*at), "{:?} is lost", op);
            }
        }
        storm.serves_again();
    }

    #[test]
    fn a_standby_that_lost_its_disk_gets_everything_again(
        word in prop::sample::select(vec!["async", "sync", "semi_sync", "chain"]),
        acts in prop::collection::vec(act_or_loss(), 50..400),
    ) {
        let mut storm = Storm::new(mode(word, None, &[]), Promise::Nothing, None);
        for act in acts {
            storm.act(act, false);
        }
        storm.calm();
        let end = storm.all.nodes[0].machine.log().end();
        for node in &storm.all.nodes {
            prop_assert_eq!(node.machine.log().durable(), end);
        }
        storm.serves_again();
    }

    #[test]
    fn no_primary_answers_for_what_it_has_not(
        word in prop::sample::select(vec!["async", "sync", "semi_sync", "chain"]),
        server in server(), acts in prop::collection::vec(act(), 50..400),
    ) {
        let mut storm = Storm::new(mode(word, None, &[]), Promise::Nothing, server);
        for act in acts {
            storm.act(act, true);
        }
        storm.calm();
    }
}
