//! Laws of merging: whatever the parts and their order, the whole is the same.

use super::*;
use crate::experiment::Trial;
use crate::measure::{Sample, Series};
use crate::sim::time::{SimTime, Span};
use crate::world::Finish;
use proptest::prelude::*;

fn source(asked: u64) -> Source {
    let (text, set) = ("schema_version = 1".to_string(), vec![("a".to_string(), "1".to_string())]);
    Source { text, expect: None, variant: None, set, seed: 7, asked }
}

/// What a part of the trials of an imaginary scenario comes to.
fn part(trials: Range<u64>) -> Outcomes {
    let asked = trials.end - trials.start;
    let total = |trials: u64| Total {
        of: Series {
            store: "s".into(),
            region: "a".into(),
            kind: "write",
            bin: Span::from_secs(1),
            bins: vec![],
        },
        bins: vec![[trials, 0, 2 * trials]; 3],
    };
    let trial = |n: u64| Trial {
        trial: n,
        finish: Finish {
            at: SimTime::ZERO + Span::from_secs(9),
            events: n * 3,
            facts: n,
            fingerprint: u64::MAX - n,
            halted: n.is_multiple_of(5),
        },
        samples: vec![match n % 4 {
            0 => Sample::Value(n as f64 / 3.0),
            1 => Sample::Censored(0.1 + n as f64),
            2 => Sample::Bounds { low: 1e-9, high: f64::INFINITY },
            _ => Sample::Missing,
        }],
        incidents: vec![],
        episodes: vec![],
        notes: vec![format!("trial {n}")],
    };
    let trials: Vec<Trial> = trials.map(trial).collect();
    // What nobody ran says nothing of metrics either.
    let none = trials.is_empty();
    let keys = if none { vec![] } else { vec![MetricKey::new("rto.restored")] };
    let totals = if none { vec![] } else { vec![total(asked)] };
    Outcomes { keys, asked, totals, trials }
}

fn shards(asked: u64, of: u64) -> Vec<(String, Shard)> {
    let shard = |index: u64| {
        let which = Part { index, of };
        let shard = Shard::new(source(asked), which, &part(which.trials(asked)));
        // Through the file and back.
        (format!("{index}.json"), Shard::read(&shard.text()).unwrap())
    };
    (1..=of).map(shard).collect()
}

proptest! {
    #[test]
    fn any_number_of_parts_in_any_order_is_the_whole(
        asked in 1u64..60,
        of in 1u64..12,
        order in prop::collection::vec(any::<u32>(), 12),
    ) {
        let mut parts = shards(asked, of);
        let mut keyed: Vec<_> = parts.drain(..).zip(order).collect();
        keyed.sort_by_key(|(_, key)| *key);
        let (told, whole) = merge(keyed.into_iter().map(|(part, _)| part).collect()).unwrap();
        prop_assert_eq!(told, source(asked));
        prop_assert_eq!(whole, part(0..asked));
    }

    #[test]
    fn joining_does_not_depend_on_how_it_is_bracketed(a in 0u64..9, b in 0u64..9, c in 0u64..9) {
        let parts = [part(0..a), part(a..a + b), part(a + b..a + b + c)];
        let [x, y, z] = parts.clone();
        let left = Outcomes::join(vec![Outcomes::join(vec![x.clone(), y.clone()]), z.clone()]);
        let right = Outcomes::join(vec![x, Outcomes::join(vec![y, z])]);
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(left, part(0..a + b + c));
    }

    #[test]
    fn parts_cover_all_trials_once_and_differ_by_one_at_most(asked in 0u64..1000, of in 1u64..50) {
        let parts: Vec<Range<u64>> =
            (1..=of).map(|index| Part { index, of }.trials(asked)).collect();
        prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        prop_assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, asked));
        let sizes: Vec<u64> = parts.iter().map(|part| part.end - part.start).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
    }
}

#[test]
fn what_does_not_belong_together_is_named() {
    let wrong = |change: fn(&mut Vec<(String, Shard)>)| {
        let mut parts = shards(10, 3);
        change(&mut parts);
        merge(parts).unwrap_err().join("; ")
    };
    assert_eq!(wrong(|parts| drop(parts.remove(1))), "part 2/3 is missing");
    assert!(wrong(|p| p[1].1.source.seed = 8).starts_with("2.json: another seed than 1.json"));
    assert!(wrong(|p| p[2].1.source.text.push(' ')).contains("3.json: another scenario"));
    assert!(wrong(|p| p[2].1.part.of = 4).contains("another number of parts"));
}

#[test]
fn a_torn_or_foreign_file_is_refused() {
    let text = shards(10, 3)[0].1.text();
    assert_eq!(Shard::read(&text[..text.len() / 2]).unwrap_err(), "torn: it ends in the middle");
    assert!(Shard::read("{}").unwrap_err().starts_with("no shard"));
    assert!(
        Shard::read(&text.replace("\"version\":1", "\"version\":9"))
            .unwrap_err()
            .contains("format")
    );
    let other = text
        .replace(&format!("\"model_version\":\"{MODEL_VERSION}\""), "\"model_version\":\"0.0.1\"");
    assert!(Shard::read(&other).unwrap_err().starts_with("made by regionsim 0.0.1"));
}

#[test]
fn an_interrupted_part_and_one_given_twice_are_named() {
    let mut parts = shards(10, 2);
    parts[0].1.trials.pop();
    parts.push(parts[1].clone());
    let wrong = merge(parts).unwrap_err();
    assert_eq!(
        wrong,
        ["1.json: it was interrupted after 4 of 5 trials", "2.json: the same part as 2.json"]
    );
}
