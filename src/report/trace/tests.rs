//! Stories told by the teller, word for word.

use super::*;
use crate::model::fact::{FailoverStep, OpKind, Outcome};
use crate::model::id::{ClientId, FaultId, GroupId, OpId, SiteId};
use crate::report::story_of_tests::{at, cast, everything};

fn manner() -> Manner {
    let (filter, bin) = (Filter::default(), Span::from_secs(1));
    Manner { filter, all: false, json: false, bin }
}

fn told(manner: Manner, story: &[(SimTime, Told)]) -> String {
    let roster = cast();
    let mut out = Vec::new();
    let mut teller = Teller::new(&roster, manner, &mut out);
    for (at, told) in story {
        match told {
            Told::Fact(fact) => teller.on_fact(*at, fact),
            Told::Claim(by, claim) => teller.on_claim(*at, *by, claim),
        }
    }
    let end = story.last().map_or(SimTime::ZERO, |(at, _)| *at);
    teller.finish(end).unwrap();
    String::from_utf8(out).unwrap()
}

/// Ten writes a second; after 3.05 s the primary's region is cut off for a while.
fn cut() -> Vec<(SimTime, Told)> {
    let (group, fault, node) = (GroupId(0), FaultId(0), NodeId(0));
    let mut story = Vec::new();
    for n in 0..60 {
        let op = OpId::new(ClientId(1), n);
        let lost = (30..50).contains(&n);
        let (outcome, by) = if lost { (Outcome::Unknown, None) } else { (Outcome::Ok, Some(node)) };
        let kind = OpKind::Write;
        story.push((at(n * 100), Told::Fact(Fact::Invoked { op, group, kind, key: 1 })));
        story.push((at(n * 100 + 50), Told::Fact(Fact::Concluded { op, outcome, by })));
        if n == 30 {
            let link = |from, to| Fact::Link { from: SiteId(from), to: SiteId(to), up: false };
            let cut = [Fact::Onset { fault }, Fact::Hit { fault, node }, link(0, 1), link(1, 0)];
            story.extend(cut.map(|fact| (at(3_050), Told::Fact(fact))));
        }
        if n == 40 || n == 41 {
            let opinion = Claim::Opinion { node, healthy: false, streak: 3 };
            story.push((at(n * 100 + 70), Told::Claim(NodeId(2), opinion)));
        }
        if n == 42 {
            let step = Claim::Step(group, FailoverStep::Declared);
            story.push((at(4_280), Told::Claim(NodeId(2), step)));
        }
    }
    story
}

#[test]
fn a_cut_reads_like_this() {
    let expected = "\
00:00.000–00:03.000  orders: 30 writes acknowledged by db-us-east (us-west)
00:03.050  FAULT cut (partition) begins
00:03.050  fault cut (partition) touches db-us-east
00:03.050  links cut: us-east ⇄ us-west
00:03.000–00:04.000  orders: 10 writes unknown (us-west)
00:04.070  checker-us-west said: 3rd failure of db-us-east: unhealthy
00:04.280  checker-us-west said: failover of orders: declared
00:04.000–00:05.000  orders: 10 writes unknown (us-west)
00:05.000–00:05.950  orders: 10 writes acknowledged by db-us-east (us-west)
";
    assert_eq!(told(manner(), &cut()), expected);
}

#[test]
fn filters_leave_the_rest_of_the_story_as_it_was() {
    let only = |change: fn(&mut Filter)| {
        let mut manner = manner();
        change(&mut manner.filter);
        told(manner, &cut())
    };
    let health = only(|filter| filter.kinds = vec![Kind::Health]);
    assert_eq!(health, "00:04.070  checker-us-west said: 3rd failure of db-us-east: unhealthy\n");
    let late = only(|filter| filter.from = Some(at(5_000)));
    assert_eq!(
        late,
        "00:05.000–00:05.950  orders: 10 writes acknowledged by db-us-east (us-west)\n"
    );
    let east = only(|filter| filter.add_name("east-web", &cast()).unwrap());
    assert_eq!(east, "00:03.050  FAULT cut (partition) begins\n");
}

#[test]
fn all_means_all_and_json_is_a_value_a_line() {
    let everything = everything();
    let manner = Manner { all: true, json: true, ..manner() };
    let lines = told(manner, &everything);
    assert_eq!(lines.lines().count(), everything.len());
    for (line, (at, _)) in lines.lines().zip(&everything) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["at_ns"], json!(at.as_nanos()));
    }
}

#[test]
fn folded_json_parses_too() {
    let lines = told(Manner { json: true, ..manner() }, &cut());
    let values: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(values.iter().any(|value| value["from_ns"] == json!(0)));
    assert!(values.iter().any(|value| value["fact"] == json!("link")));
}

#[test]
fn a_teller_to_whom_nobody_listens_says_so() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let roster = cast();
    let mut teller = Teller::new(&roster, manner(), Closed);
    for (at, told) in cut() {
        if let Told::Fact(fact) = told {
            teller.on_fact(at, &fact);
        }
    }
    assert!(teller.deaf());
    assert_eq!(teller.finish(at(6_000)).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
