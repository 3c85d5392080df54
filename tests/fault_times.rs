//! When faults happen: again and again, after other faults, after a promotion. The world and the
//! calendar that `explain` prints tell the same times.

mod common;

use common::Tape;
use proptest::prelude::*;
use regionsim::model::fact::Fact;
use regionsim::model::id::{FaultId, NodeId};
use regionsim::scenario::load;
use regionsim::sim::SimTime;
use regionsim::world::{Limits, Stage};

/// Two regions, a store that fails over, one client who hardly asks.
const BASE: &str = r#"
schema_version = 1
[scenario]
name = "times"
[run]
warmup = "1s"
horizon = "100s"
settle = "10s"
clock_drift_ppm = 0.0
[region.a]
[region.b]
[wan]
default = { rtt = "20ms", jitter = "0ms" }
[store.db]
primary = "a"
standbys = ["b"]
replication = { mode = "async" }
restart_time = "10ms"
[health_check]
checkers = ["b"]
unhealthy_quorum = 1
request_interval = "1s"
timeout = "1s"
failure_threshold = 3
[failover]
controller = { region = "b" }
promotion = "2s"
[clients.web]
region = "b"
writes = { per_second = 1 }
"#;

fn stage(faults: &str) -> Stage {
    let (scenario, diagnostics) = load(&format!("{BASE}{faults}"));
    let scenario = scenario.unwrap_or_else(|| panic!("{faults}\n{diagnostics:#?}"));
    Stage::new(&scenario.plan).expect("a sound scenario")
}

fn run(stage: &Stage, trial: u64) -> Tape {
    let mut tape = Tape::default();
    stage.run(7, trial, &mut tape, &Limits::default());
    tape
}

/// Onsets and clearings as they happened: fault, begins, when in milliseconds.
fn happened(tape: &Tape) -> Vec<(u16, bool, u64)> {
    let of = |(now, fact): &(SimTime, Fact)| match fact {
        Fact::Onset { fault } => Some((fault.0, true, now.as_nanos() / 1_000_000)),
        Fact::Cleared { fault } => Some((fault.0, false, now.as_nanos() / 1_000_000)),
        _ => None,
    };
    tape.facts.iter().filter_map(of).collect()
}

/// When a node admits writes that it did not admit before.
fn admitted(tape: &Tape, who: NodeId) -> Vec<SimTime> {
    let of = |(now, fact): &(SimTime, Fact)| match fact {
        Fact::Admits { node, yes: true, .. } if *node == who => Some(*now),
        _ => None,
    };
    tape.facts.iter().filter_map(of).collect()
}

#[test]
fn a_flapping_link_goes_down_and_comes_up_so_many_times() {
    let tape = run(
        &stage(
            r#"
[[fault]]
kind = "link"
between = ["a", "b"]
down = true
at = "10s"
duration = "2s"
repeat = { pause = "3s", times = 3 }
"#,
        ),
        0,
    );
    let (down, up) = (|at| (0, true, at), |at| (0, false, at));
    let expected = [down(10_000), up(12_000), down(15_000), up(17_000), down(20_000), up(22_000)];
    assert_eq!(happened(&tape), expected);
    let links = tape.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Link { .. }));
    assert_eq!(links.count(), 12, "both directions, six times");
}

#[test]
fn without_a_number_it_goes_on_until_the_horizon_and_ends_before_the_storm() {
    let tape = run(
        &stage(
            r#"
[[fault]]
kind = "pause"
target = "db@b"
at = "10s"
duration = "20s"
repeat = { pause = "15s" }
"#,
        ),
        0,
    );
    let expected = [
        (0, true, 10_000),
        (0, false, 30_000),
        (0, true, 45_000),
        (0, false, 65_000),
        (0, true, 80_000),
        (0, false, 100_000),
    ];
    assert_eq!(happened(&tape), expected);
    let position = |wanted: fn(&Fact) -> bool| {
        tape.facts.iter().rposition(|(_, fact)| wanted(fact)).expect("there")
    };
    let cleared = position(|fact| matches!(fact, Fact::Cleared { .. }));
    assert!(cleared < position(|fact| matches!(fact, Fact::Settling)), "cleared, then quiet");
}

#[test]
fn faults_follow_each_other() {
    let stage = stage(
        r#"
[[fault]]
name = "third"
kind = "pause"
target = "db@b"
after = "cleared:second"
duration = "1s"
[[fault]]
name = "first"
kind = "link"
between = ["a", "b"]
loss = "1%"
at = "10s"
duration = "2s"
repeat = { pause = "3s", times = 5 }
[[fault]]
name = "second"
kind = "pause"
target = "db@a"
after = "onset:first"
nth = 3
at = "1s"
duration = "500ms"
"#,
    );
    let tape = run(&stage, 0);
    let of = |who: u16| {
        let all = happened(&tape).into_iter();
        all.filter(|(fault, ..)| *fault == who).map(|(.., at)| at).collect::<Vec<_>>()
    };
    assert_eq!(of(1).len(), 10);
    assert_eq!(of(2), [21_000, 21_500], "a second after the third onset, at 20 s");
    assert_eq!(of(0), [21_500, 22_500], "at once");
    assert!((0..3).all(|fault| stage.is_foreseen(FaultId(fault))));
}

#[test]
fn a_fault_follows_a_promotion_and_not_the_return_of_a_primary() {
    // The database of a is killed for 500 ms, too short for a failover, and is back; then for good.
    let stage = stage(
        r#"
[[fault]]
kind = "crash"
target = "db@a"
process = "database"
at = "10s"
duration = "500ms"
[[fault]]
kind = "crash"
target = "db@a"
at = "30s"
[[fault]]
name = "strike"
kind = "pause"
target = "db@b"
after = "promoted"
at = "2s"
duration = "1s"
[[fault]]
kind = "pause"
target = "db@b"
after = "cleared:strike"
at = "5s"
duration = "1s"
"#,
    );
    let tape = run(&stage, 0);
    assert_eq!(admitted(&tape, NodeId(0)).len(), 2, "a comes back once");
    let promoted = admitted(&tape, NodeId(1))[0].as_nanos() / 1_000_000;
    // Three probes a second apart fail, the last after a second; two seconds of promotion.
    assert!((34_900..37_100).contains(&promoted), "{promoted}");
    let strike: Vec<_> = happened(&tape).into_iter().filter(|(fault, ..)| *fault >= 2).collect();
    let after = |span: u64| promoted + span;
    let expected = [
        (2, true, after(2_000)),
        (2, false, after(3_000)),
        (3, true, after(8_000)),
        (3, false, after(9_000)),
    ];
    assert_eq!(strike, expected);
    let foreseen: Vec<bool> = (0..4).map(|fault| stage.is_foreseen(FaultId(fault))).collect();
    assert_eq!(foreseen, [true, true, false, false]);
    assert!(stage.calendar(7, 0).iter().all(|times| times.fault.0 < 2));
}

#[test]
fn the_right_is_withdrawn_then_given_then_used() {
    let told = |cue: &str| {
        let stage = stage(&format!(
            r#"
[[fault]]
kind = "crash"
target = "db@a"
at = "30s"
[[fault]]
kind = "link"
between = ["a", "b"]
loss = "1%"
after = "{cue}"
duration = "1ms"
"#
        ));
        happened(&run(&stage, 0))[1].2
    };
    let (withdrawn, authorised) = (told("withdrawn:db"), told("authorised:db"));
    let promoted = told("promoted:db");
    assert!(30_000 < withdrawn && withdrawn <= authorised && authorised <= promoted);
    assert!(promoted - withdrawn >= 2_000, "promotion takes 2 s: {withdrawn} to {promoted}");
}

#[test]
fn a_fault_that_learns_to_repeat_begins_as_before() {
    let times = |repeat: &str| {
        let stage = stage(&format!(
            r#"
[[fault]]
name = "f"
kind = "pause"
target = "db@b"
at = {{ dist = "uniform", min = "10s", max = "20s" }}
duration = {{ dist = "uniform", min = "1s", max = "2s" }}
{repeat}
"#
        ));
        happened(&run(&stage, 3))
    };
    let (once, often) = (times(""), times("repeat = { pause = \"10s\" }"));
    assert_eq!(once[..], often[..2]);
    assert!(often.len() > 10, "{often:?}");
    let lengths: Vec<u64> = often.chunks(2).map(|turn| turn[1].2 - turn[0].2).collect();
    assert!(lengths.windows(2).all(|pair| pair[0] != pair[1]), "drawn anew: {lengths:?}");
}

#[test]
fn at_a_rate_it_fails_from_warm_up_on_and_is_repaired_by_its_own_law() {
    let times = |rate: &str| {
        let stage = stage(&format!(
            "[[fault]]\nname = \"f\"\nkind = \"link\"\nbetween = [\"a\", \"b\"]\nloss = \"1%\"\n{rate}"
        ));
        let trials = (0..200).map(|trial| stage.calendar(7, trial));
        trials.flatten().collect::<Vec<_>>()
    };
    let exponential = times("rate = { mtbf = \"4s\", mttr = \"500ms\" }");
    // 99 s of storm in turns of 4.5 s on average: 22 a trial.
    assert!((4_100..4_700).contains(&exponential.len()), "{}", exponential.len());
    assert!(exponential.iter().all(|times| times.onset.as_nanos() >= 1_000_000_000));
    let stated = times("rate = { mtbf = \"4s\" }\nduration = \"500ms\"");
    for times in &stated {
        let clear = times.clear.expect("it is repaired");
        let lasts = clear.since(times.onset).as_nanos();
        let horizon = clear.as_nanos() == 100_000_000_000;
        assert!(lasts == 500_000_000 || (horizon && lasts < 500_000_000), "{times:?}");
    }
    // The dice of failures and of repairs are apart: the first failures are the same.
    assert_eq!(exponential[0].onset, stated[0].onset);
}

/// A fault that disturbs nothing: a link between two places, made a little lossy.
fn harmless(name: usize, start: &str, rest: &str) -> String {
    format!(
        "[[fault]]\nname = \"f{name}\"\nkind = \"link\"\nbetween = [\"a\", \"b\"]\nloss = \"1%\"\n{start}\n{rest}\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The calendar is worked out in advance, the world goes from event to event: both tell the
    /// same times, with ends at the horizon, ties and chains of faults.
    #[test]
    fn the_calendar_foretells_what_the_world_does(
        faults in prop::collection::vec((0usize..6, 0u64..9, 0u64..30, 0u64..4, 1u32..4, any::<bool>()), 1..6),
        trial in 0u64..100,
    ) {
        let mut text = String::new();
        for (i, (other, at, duration, pause, nth, random)) in faults.iter().enumerate() {
            let at = match random {
                true => format!("{{ dist = \"uniform\", min = \"{at}0s\", max = \"95s\" }}"),
                false => format!("\"{at}0s\""),
            };
            let start = match *other < i {
                true if other % 2 == 0 => format!("after = \"cleared:f{other}\"\nat = \"{nth}s\""),
                true => format!("after = \"onset:f{other}\"\nat = {at}"),
                false => format!("at = {at}"),
            };
            let lasts = format!("duration = \"{}s\"", duration + 1);
            let (start, lasts) = match (*other, pause) {
                (5, 3) => (format!("rate = {{ mtbf = \"9s\", mttr = \"{nth}s\" }}"), String::new()),
                (5, 0) => ("rate = { backbone = \"edge\" }".to_string(), String::new()),
                _ => (start, lasts),
            };
            let rest = match pause {
                3 if *other == 5 => lasts,
                0 => lasts,
                1 => format!("{lasts}\nrepeat = {{ pause = \"{nth}s\" }}"),
                _ => format!("{lasts}\nrepeat = {{ pause = \"0s\", times = {} }}", nth + 1),
            };
            text += &harmless(i, &start, &rest);
        }
        let stage = stage(&text);
        let tape = run(&stage, trial);
        let mut told = Vec::new();
        for times in stage.calendar(7, trial) {
            told.push((times.fault.0, true, times.onset.as_nanos() / 1_000_000));
            told.extend(times.clear.map(|at| (times.fault.0, false, at.as_nanos() / 1_000_000)));
        }
        for fault in 0..faults.len() as u16 {
            let of = |all: &[(u16, bool, u64)]| -> Vec<_> {
                all.iter().filter(|(who, ..)| *who == fault).copied().collect()
            };
            prop_assert_eq!(of(&told), of(&happened(&tape)), "{}", text);
        }
    }
}
