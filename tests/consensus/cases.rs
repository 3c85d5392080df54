//! Stores that elect their leader: cases computed by hand.

use super::*;

/// How long a client's operations took, in whole microseconds.
fn took(tape: &Tape, client: u16, kind: OpKind) -> Vec<u64> {
    let mut began = BTreeMap::new();
    let mut took = Vec::new();
    for (now, fact) in &tape.facts {
        match *fact {
            Fact::Invoked { op, kind: k, .. } if op.client().0 == client && k == kind => {
                began.insert(op, *now);
            }
            Fact::Concluded { op, outcome: Outcome::Ok, .. } => {
                if let Some(began) = began.remove(&op) {
                    took.push(now.since(began).as_nanos() / 1_000);
                }
            }
            _ => {}
        }
    }
    took
}

fn typical(all: &[u64], expected: u64) {
    let right = all.iter().filter(|took| **took == expected).count();
    assert!(all.len() > 40 && right * 10 > all.len() * 9, "{right} of {}: {all:?}", all.len());
}

/// `a` leads; one way is 20 ms, within a place 0.1 ms, no disk takes time. A write from `a` takes
/// a round trip to the nearest others: 0.2 + 40. One from `b` goes to `a` (20), to the others and
/// back (40), and the news of the commit back to `b` (20). A read at `a` needs nobody under a
/// lease; asked of a majority it takes 40 more.
#[test]
fn a_write_takes_a_round_trip_to_a_majority_and_a_detour_where_it_is_passed_on() {
    let mut plan = elected(3, &[]);
    plan.stores[0].params.fsync = DistSpec::Constant(Span::ZERO);
    let (tape, verdict) = judged(&plan, 1);
    typical(&took(&tape, 0, OpKind::Write), 40_200);
    typical(&took(&tape, 1, OpKind::Write), 80_200);
    typical(&took(&tape, 0, OpKind::Read), 200);
    typical(&took(&tape, 1, OpKind::Read), 40_200);
    assert_eq!(value(&verdict, "election.count"), 0.0);
    let mut quorum = elected(3, &[("reads", "quorum"), ("not_leader", "redirect")]);
    quorum.stores[0].params.fsync = DistSpec::Constant(Span::ZERO);
    let (tape, _) = judged(&quorum, 1);
    typical(&took(&tape, 0, OpKind::Read), 40_200);
    // Told once where to go, clients of `b` ask `a`: 40 there and back, 40 for the majority.
    typical(&took(&tape, 1, OpKind::Read), 80_000);
    typical(&took(&tape, 1, OpKind::Write), 80_000);
}

/// `a` leads and dies for good at 10 s. The others heard it last between 0 and 100 ms before, 20 ms
/// after it spoke; the first of two timeouts of 1 to 2 s runs out after 1.293 s in the median.
/// Asking (40 ms), a vote on the own disk (1 ms), asking (40 ms) and a vote on the other disk
/// (1 ms) follow. Where both time out within these 82 ms the vote may be split, and the next
/// timeouts follow.
#[test]
fn an_election_takes_the_shorter_timeout_and_two_questions() {
    let dead = || fault("dead", Span::from_secs(10), None, crash("orders@a", Process::Host));
    let mut times: Vec<f64> = (0..300)
        .map(|seed| {
            let mut plan = elected(3, &[]);
            (plan.horizon, plan.settle) = (Span::from_secs(20), Span::from_secs(1));
            plan.clients.clear();
            plan.faults.push(dead());
            let (tape, verdict) = judged(&plan, seed);
            obeys_the_laws(&tape, 3);
            value(&verdict, "election.time")
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let expected = 1.293 - 0.05 + 0.020 + 0.082;
    assert!(times[0] > 1.0, "{times:?}");
    assert!((times[150] - expected).abs() < 0.06, "{} against {expected}", times[150]);
    let split = times.iter().filter(|time| **time > 2.2).count();
    assert!((3..50).contains(&split), "{split} of 300 votes were split");
}

/// A leader cut off from both others steps down within timeout_min and a heartbeat, and what it took in
/// the meantime is answered by nobody until the line is back.
#[test]
fn a_leader_that_is_cut_off_steps_down_and_its_clients_learn_nothing() {
    let mut plan = elected(3, &[]);
    for other in ["b", "c"] {
        let cut = cut("a", other, Direction::Both, InFlight::Lost);
        plan.faults.push(fault(other, Span::from_secs(10), Some(Span::from_secs(20)), cut));
    }
    let (tape, verdict) = judged(&plan, 3);
    obeys_the_laws(&tape, 3);
    let down = tape.claims.iter().find_map(|(now, node, claim)| match claim {
        Claim::SteppedDown(..) => Some((*now, *node)),
        _ => None,
    });
    let (when, who) = down.expect("it steps down");
    assert_eq!(who, NodeId(0));
    assert!((at(10_950)..=at(11_150)).contains(&when), "{when}");
    let answers = tape.facts.iter().filter(|(now, fact)| {
        let ok = matches!(fact, Fact::Answered { node: NodeId(0), outcome: Outcome::Ok, at, .. } if at.index.0 > 0);
        ok && (at(11_000)..at(30_000)).contains(now)
    });
    assert_eq!(answers.count(), 0, "neither reads nor writes");
    assert_eq!(value(&verdict, "election.count"), 1.0);
    assert_eq!(value(&verdict, "writes.lost"), 0.0);
}

/// With leases of 4 s and timeouts of 1 to 2 s a new leader is there before the old lease is over. It
/// waits, or takes writes and withholds the answers: either way none is answered before 13.9 s, and
/// the writes that were withheld are answered at once then.
#[test]
fn a_new_leader_answers_nothing_while_the_lease_of_the_one_before_may_run() {
    for (word, appends_early) in [("wait", false), ("withhold", true)] {
        let mut plan = elected(3, &[("lease", "4s"), ("while_leased", word)]);
        plan.faults.push(fault(
            "dead",
            Span::from_secs(10),
            None,
            crash("orders@a", Process::Host),
        ));
        let (tape, _) = judged(&plan, 4);
        obeys_the_laws(&tape, 3);
        let began = tape
            .facts
            .iter()
            .rev()
            .find_map(|(now, fact)| matches!(fact, Fact::Began { .. }).then_some(*now));
        assert!(began.expect("elected") < at(12_200), "{began:?}");
        let first = |wanted: &dyn Fn(&Fact) -> bool| {
            let hit = tape.facts.iter().find(|(now, fact)| *now > at(10_100) && wanted(fact));
            hit.expect("it comes").0
        };
        let answer = first(&|f| matches!(f, Fact::Answered { outcome: Outcome::Ok, .. }));
        assert!((at(13_900)..at(14_200)).contains(&answer), "{word}: {answer}");
        let append = first(&|f| matches!(f, Fact::Appended { .. }));
        assert_eq!(append < at(13_800), appends_early, "{word}: {append}");
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

/// Ongaro's thesis, figure 9.4, as in `consensus/tests/published.rs`, but in the whole world: five
/// members without a leader, one way 30 to 40 ms, timeouts of 300 to 600 ms, no disk; 432 ms in
/// the mean until one leads (published curve, digitised).
#[test]
fn the_first_election_over_a_wide_area_takes_as_long_as_published() {
    let mut plan = elected(5, &[("timeout_min", "300ms"), ("timeout_max", "600ms")]);
    set(&mut plan, |params| {
        (params.pre_vote, params.check_quorum) = (false, false);
        params.heartbeat_interval = Span::from_secs(1000);
    });
    plan.stores[0].electors.initial_leader = None;
    plan.stores[0].params.fsync = DistSpec::Constant(Span::ZERO);
    for pair in &mut plan.wan.pairs {
        pair.delay = ms(30);
        pair.jitter = DistSpec::uniform(Span::ZERO, ms(10));
    }
    (plan.horizon, plan.settle) = (Span::from_secs(6), ms(1));
    plan.clients.clear();
    let time = |seed| {
        let (_, verdict) = judged(&plan, seed);
        value(&verdict, "election.first_majority{group=\"orders\"}")
    };
    let found = mean((0..1_500).map(time));
    assert!((found / 0.432 - 1.0).abs() < 0.04, "{found}");
}

/// etcd's timers: ticks of 100 ms, a timeout of 10 to 19 of them. Five members next to each other; the leader
/// dies somewhere between two heartbeats. The first of four timeouts is 10 + 1.5 ticks in the
/// mean (the minimum of four out of 0 to 9), less half a tick for the phase of each member and half
/// a heartbeat: 1.05 s. Continuous timers take 1 + 1/5 - 0.05 = 1.15 s.
#[test]
fn ticks_and_continuous_timers_detect_as_their_arithmetic_says() {
    let first_of_four = |tick: Option<Span>| {
        let time = |seed: u64| {
            let mut plan = elected(5, &[]);
            set(&mut plan, |params| params.tick = tick);
            plan.wan.pairs.iter_mut().for_each(|pair| pair.delay = Span::from_micros(100));
            plan.stores[0].params.fsync = DistSpec::Constant(Span::ZERO);
            (plan.horizon, plan.settle) = (Span::from_secs(15), ms(1));
            plan.clients.clear();
            let when = ms(10_000) + Span::from_micros(seed * 7_919 % 100_000);
            plan.faults.push(fault("dead", when, None, crash("orders@a", Process::Host)));
            let (tape, _) = judged(&plan, seed);
            let stands = tape.claims.iter().find(|(now, _, claim)| {
                *now > SimTime::ZERO + when && matches!(claim, Claim::Candidate(..))
            });
            stands.expect("somebody stands").0.since(SimTime::ZERO + when).as_secs_f64()
        };
        mean((0..600).map(time))
    };
    let continuous = first_of_four(None);
    assert!((continuous - 1.15).abs() < 0.02, "{continuous}");
    // Of four drawn from 0 to 9 the least is 1.5333 in the mean; the first of several members with the
    // same number of ticks is the one with the earliest phase.
    let ticked = first_of_four(Some(ms(100)));
    assert!((1.02..1.10).contains(&ticked), "{ticked}");
}

/// Three members, `c` with an empty log where the others have five entries: it may stand, and never
/// wins.
#[test]
fn a_vote_needs_a_log_that_is_as_long() {
    let mut winners = BTreeSet::new();
    for seed in 0..60 {
        let mut plan = elected(3, &[]);
        set(&mut plan, |params| {
            params.log_lengths = vec![5, 5];
            params.pre_vote = false;
        });
        plan.stores[0].electors.initial_leader = None;
        (plan.horizon, plan.settle) = (Span::from_secs(20), ms(1));
        plan.clients.clear();
        let (tape, _) = judged(&plan, seed);
        winners.extend(tape.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Began { node, .. } => Some(*node),
            _ => None,
        }));
    }
    assert_eq!(winners, BTreeSet::from([NodeId(0), NodeId(1)]));
}

/// `b` answers reads by itself while it hears the leader. When it is cut off its answers grow old;
/// after `max_staleness` it gives none.
#[test]
fn a_follower_answers_reads_until_they_would_be_too_old() {
    let mut plan =
        elected(3, &[("reads", "follower"), ("max_staleness", "2s"), ("no_leader", "refuse")]);
    plan.clock_drift_ppm = 0.0;
    plan.clients[1].params.retry.attempts = 1;
    for other in ["a", "c"] {
        let cut = cut("b", other, Direction::Both, InFlight::Lost);
        plan.faults.push(fault(other, Span::from_secs(10), Some(Span::from_secs(20)), cut));
    }
    let (tape, _) = judged(&plan, 1);
    let kind: BTreeMap<OpId, OpKind> = tape
        .facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Invoked { op, kind, .. } => Some((*op, *kind)),
            _ => None,
        })
        .collect();
    let reads = |from: u64, to: u64| {
        tape.facts.iter().filter(|(now, fact)| {
            let own = |op: &OpId| op.client().0 == 1 && kind[op] == OpKind::Read;
            let answer = matches!(fact, Fact::Answered { node: NodeId(1), op, outcome: Outcome::Ok, .. } if own(op));
            answer && (at(from)..at(to)).contains(now)
        }).count()
    };
    assert!(reads(2_000, 10_000) > 12 && reads(10_050, 11_900) > 0, "its own answers");
    assert_eq!(reads(12_100, 30_000), 0);
    assert!(reads(32_000, 40_000) > 12);
    let quick = took(&tape, 1, OpKind::Read);
    assert!(quick.iter().filter(|took| **took == 200).count() * 10 > quick.len() * 8, "{quick:?}");
}

/// `c` gets the log and has no vote, `b` votes and never leads. `a` dies: nobody can lead. `a` alone
/// cannot commit without `b`.
#[test]
fn those_without_a_vote_do_not_count_and_witnesses_never_lead() {
    let mut plan = elected(3, &[]);
    plan.stores[0].electors.non_voting = vec![2];
    plan.stores[0].electors.witnesses = vec![1];
    plan.faults.push(fault(
        "far",
        Span::from_secs(10),
        Some(Span::from_secs(10)),
        crash("orders@c", Process::Host),
    ));
    plan.faults.push(fault(
        "dead",
        Span::from_secs(30),
        Some(Span::from_secs(10)),
        crash("orders@a", Process::Host),
    ));
    let (tape, verdict) = judged(&plan, 1);
    obeys_the_laws(&tape, 2);
    let acknowledged = |from: u64, to: u64| {
        let ok = |fact: &Fact| matches!(fact, Fact::Concluded { outcome: Outcome::Ok, .. });
        tape.facts.iter().filter(|(now, fact)| ok(fact) && (at(from)..at(to)).contains(now)).count()
    };
    assert!(acknowledged(10_500, 20_000) > 80, "the one without a vote is not missed");
    assert_eq!(acknowledged(31_000, 40_000), 0);
    assert!(acknowledged(50_000, 60_000) > 80);
    let leaders: BTreeSet<NodeId> = tape
        .facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Began { node, .. } => Some(*node),
            _ => None,
        })
        .collect();
    assert_eq!(leaders, BTreeSet::from([NodeId(0)]));
    assert_eq!(value(&verdict, "writes.lost"), 0.0);
}

/// `a` should lead. It dies and comes back: the leader of the meantime hands over to it, within a heartbeat
/// after it has caught up, and no write fails for that.
#[test]
fn the_one_that_should_lead_gets_the_lead_back() {
    let mut plan = elected(3, &[]);
    plan.stores[0].electors.preferred = vec![0];
    plan.faults.push(fault(
        "dead",
        Span::from_secs(10),
        Some(Span::from_secs(5)),
        crash("orders@a", Process::Host),
    ));
    let (tape, verdict) = judged(&plan, 1);
    obeys_the_laws(&tape, 3);
    assert_eq!((value(&verdict, "election.count"), value(&verdict, "election.term")), (2.0, 3.0));
    let (when, who) = tape
        .facts
        .iter()
        .rev()
        .find_map(|(now, fact)| match fact {
            Fact::Began { node, .. } => Some((*now, *node)),
            _ => None,
        })
        .expect("elected");
    // Host up at 15 s, restarted at 20 s.
    assert!(who == NodeId(0) && (at(20_000)..at(20_600)).contains(&when), "{who:?} at {when}");
    let failed = tape.facts.iter().filter(|(now, fact)| {
        *now > at(16_000)
            && matches!(fact, Fact::Concluded { outcome, .. } if *outcome != Outcome::Ok)
    });
    assert_eq!(failed.count(), 0);
}

/// `c` should lead. It crashes, `b` takes over, and `a` is paused while `c` comes back: all that
/// `c` lacks is committed with `a` before `c` has it. It gets the lead all the same.
#[test]
fn the_lead_goes_to_the_preferred_even_if_it_is_the_last_to_have_everything() {
    let faults = vec![
        fault("", ms(20_465), Some(ms(5_522)), pause("orders@a")),
        fault("", ms(15_626), Some(ms(7_162)), crash("orders@c", Process::Host)),
    ];
    let mut plan = stormy(3, &[("no_leader", "refuse"), ("lease", "3s")], faults);
    plan.stores[0].electors.preferred = vec![2];
    let (tape, _) = judged(&plan, 189);
    let mut began = tape.facts.iter().filter_map(|(now, fact)| match fact {
        Fact::Began { node, .. } => Some((*now, *node)),
        _ => None,
    });
    let (last, leader) = began.next_back().expect("somebody leads");
    assert_eq!(leader, NodeId(2));
    assert!(last > at(25_987) && last < at(26_500), "soon after the others are back: {last}");
    back_in_service(&tape).unwrap();
}
