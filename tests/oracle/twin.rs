//! The streaming oracle against its dumb twin, on random short histories.

use crate::naive::Naive;
use crate::story::*;
use proptest::prelude::*;
use regionsim::measure::history::Limits;
use regionsim::measure::{MetricKey, Oracle, Sample, Settings, Verdict};
use regionsim::model::fact::{Fact, Observer, OpKind, Outcome};
use regionsim::model::id::*;

/// What may happen next; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    /// A node that is or thinks itself primary takes a write, and perhaps answers it; it ends.
    Write { who: usize, answer: bool, flush: bool, ends: u8 },
    /// A node that holds an old operation's retry appends it again, if it knows nothing of it or
    /// does not recognise it.
    Retry { who: usize, which: usize, recognises: bool },
    /// A node repeats its answer to a write it has.
    Again { which: usize },
    /// A standby copies its primary up to an entry or all of it.
    Copy { who: usize, from: usize, flush: bool },
    /// A node is promoted with what it has.
    Promote { who: usize },
    /// A fault touches a node.
    Hit { who: usize },
    /// A node crashes; or one that is down restarts with what its disk holds.
    Crash { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, which) = (0usize..3, 0usize..40);
    let write = (0usize..3, any::<bool>(), any::<bool>(), 0u8..4);
    prop_oneof![
        8 => write.prop_map(|(who, answer, flush, ends)| Step::Write { who, answer, flush, ends }),
        1 => (who.clone(), which.clone(), any::<bool>())
            .prop_map(|(who, which, recognises)| Step::Retry { who, which, recognises }),
        1 => which.prop_map(|which| Step::Again { which }),
        5 => (who.clone(), 0usize..3, any::<bool>())
            .prop_map(|(who, from, flush)| Step::Copy { who, from, flush }),
        1 => who.clone().prop_map(|who| Step::Promote { who }),
        1 => who.clone().prop_map(|who| Step::Hit { who }),
        1 => who.prop_map(|who| Step::Crash { who }),
    ]
}

/// A little world of three nodes without a network, which writes consistent facts.
struct Toy {
    facts: Vec<(u64, Fact)>,
    now: u64,
    term: u32,
    /// What each node has in memory.
    lines: [Vec<(Position, OpId)>; 3],
    /// The segment each node writes, if it thinks itself primary.
    writes: [Option<Segment>; 3],
    /// How much of that is on its disk.
    disks: [usize; 3],
    down: [bool; 3],
    /// (operation, who answered, where): those that have no outcome yet.
    open: Vec<(OpId, Option<(NodeId, Position)>)>,
    next: u64,
}

impl Toy {
    fn new() -> Toy {
        let mut toy = Toy {
            facts: Vec::new(),
            now: 0,
            term: 0,
            lines: Default::default(),
            writes: [None; 3],
            disks: [0; 3],
            down: [false; 3],
            open: Vec::new(),
            next: 0,
        };
        toy.promote(0);
        toy
    }
    fn say(&mut self, fact: Fact) {
        self.facts.push((self.now, fact));
    }
    fn end(&self, who: usize) -> Position {
        self.lines[who].last().map_or(at(segment(0, A), 0), |(place, _)| *place)
    }
    fn promote(&mut self, who: usize) {
        self.term += 1;
        let node = NodeId::of(who);
        let segment = segment(self.term, node);
        let from = self.end(who);
        self.say(Fact::Began { node, group: ORDERS, segment, from });
        self.writes[who] = Some(segment);
    }
    fn append(&mut self, who: usize, op: OpId) -> Option<Position> {
        let place = at(self.writes[who]?, self.lines[who].len() as u64 + 1);
        self.lines[who].push((place, op));
        self.say(Fact::Appended { node: NodeId::of(who), group: ORDERS, op, at: place });
        Some(place)
    }
    fn flush(&mut self, who: usize) {
        let upto = self.end(who);
        self.disks[who] = self.lines[who].len();
        self.say(Fact::Durable { node: NodeId::of(who), group: ORDERS, upto });
    }
    fn answer(&mut self, node: NodeId, op: OpId, place: Position) {
        let outcome = Outcome::Ok;
        self.say(Fact::Answered { node, group: ORDERS, op, outcome, at: place });
        if let Some(open) = self.open.iter_mut().find(|(other, _)| *other == op) {
            open.1 = Some((node, place));
        }
    }
    fn conclude(&mut self, which: usize, deadline: bool) {
        let (op, answer) = self.open[which];
        let (outcome, by) = match answer {
            Some((node, _)) if !deadline => (Outcome::Ok, Some(node)),
            _ => (Outcome::Unknown, None),
        };
        self.open.remove(which);
        self.say(Fact::Concluded { op, outcome, by });
    }
    fn write(&mut self, who: usize, answer: bool, flush: bool, ends: u8) {
        if self.down[who] || self.writes[who].is_none() {
            return;
        }
        let op = op(WEB, self.next);
        self.next += 1;
        self.say(Fact::Invoked { op, group: ORDERS, kind: OpKind::Write, key: op.seq() as u32 });
        self.open.push((op, None));
        let Some(place) = self.append(who, op) else { return };
        if flush {
            self.flush(who);
        }
        if answer {
            self.answer(NodeId::of(who), op, place);
        }
        match ends {
            0 | 1 => self.conclude(self.open.len() - 1, false),
            2 => self.conclude(0, ends == 2 && self.open[0].1.is_none()),
            _ => {}
        }
    }
    fn step(&mut self, step: &Step) {
        self.now += 10;
        match *step {
            Step::Write { who, answer, flush, ends } => self.write(who, answer, flush, ends),
            Step::Retry { who, which, recognises } => {
                let Some((op, _)) = self.open.get(which).copied() else { return };
                if self.down[who]
                    || self.writes[who].is_none()
                    || (recognises && self.lines[who].iter().any(|(_, o)| *o == op))
                {
                    return;
                }
                let Some(place) = self.append(who, op) else { return };
                self.flush(who);
                self.answer(NodeId::of(who), op, place);
            }
            Step::Again { which } => {
                let who = which % 3;
                let Some((place, op)) = self.lines[who].get(which / 3).copied() else { return };
                // Only the answer to a write that is over is repeated here: it moves nothing.
                let serves = self.writes[who].is_some() && !self.down[who];
                if serves && self.open.iter().all(|(o, _)| *o != op) {
                    self.answer(NodeId::of(who), op, place);
                }
            }
            Step::Copy { who, from, flush } => {
                if who == from || self.writes[from].is_none() || self.down[who] || self.down[from] {
                    return;
                }
                self.copy(who, from, flush);
            }
            Step::Promote { who } if self.down[who] => {}
            Step::Promote { who } => self.promote(who),
            Step::Hit { who } => {
                let (fault, node) = (FaultId(0), NodeId::of(who));
                self.say(Fact::Onset { fault });
                self.say(Fact::Hit { fault, node });
            }
            Step::Crash { who } => self.crash(who),
        }
    }
    fn copy(&mut self, who: usize, from: usize, flush: bool) {
        self.writes[who] = None;
        let (mine, theirs) = (&self.lines[who], &self.lines[from]);
        let shared = mine.iter().zip(theirs).take_while(|(a, b)| a == b).count();
        let node = NodeId::of(who);
        if shared < mine.len() {
            self.lines[who].truncate(shared);
            self.disks[who] = self.disks[who].min(shared);
            let to = self.end(who);
            self.say(Fact::Truncated { node, group: ORDERS, to });
        }
        self.lines[who] = self.lines[from].clone();
        let upto = self.end(who);
        self.say(Fact::Held { node, group: ORDERS, upto });
        if flush {
            self.flush(who);
        }
    }
    fn crash(&mut self, who: usize) {
        let (node, process) = (NodeId::of(who), ProcessId::of(who));
        self.down[who] = !self.down[who];
        if self.down[who] {
            self.say(Fact::Down { node, process, paused: false });
            return;
        }
        self.lines[who].truncate(self.disks[who]);
        self.writes[who] = None;
        let to = self.end(who);
        self.say(Fact::Truncated { node, group: ORDERS, to });
        self.say(Fact::Up { node, process });
    }
    /// Settling: everything ends, the newest primary writes once more.
    fn settle(&mut self) {
        self.now += 10;
        while !self.open.is_empty() {
            self.conclude(0, false);
        }
        self.say(Fact::Settling);
        for who in 0..3 {
            if self.down[who] {
                self.crash(who);
            }
        }
        let newest = (0..3).max_by_key(|who| self.writes[*who]).unwrap_or(0);
        if self.writes[newest].is_none() {
            self.promote(newest);
        }
        self.now += 10;
        self.write(newest, true, true, 0);
    }
}

fn told(steps: &[Step], limits: Limits) -> (Verdict, Naive) {
    let mut toy = Toy::new();
    steps.iter().for_each(|step| toy.step(step));
    toy.settle();
    let mut oracle = Oracle::with_limits(&roster(), &Settings::default(), limits);
    let mut naive = Naive::default();
    for (at, fact) in &toy.facts {
        oracle.on_fact(ms(*at), fact);
        naive.on_fact(ms(*at), fact);
    }
    (oracle.verdict(ms(toy.now + 10)), naive)
}

fn expected(naive: &Naive) -> [(&'static str, f64); 11] {
    let judged = naive.judge();
    [
        ("writes.lost", judged.lost as f64),
        ("writes.lost_lag", judged.lag as f64),
        ("writes.stranded", judged.stranded as f64),
        ("writes.unflushed", judged.unflushed as f64),
        ("writes.unacked_survived", judged.unacked_survived as f64),
        ("writes.doubled", judged.doubled as f64),
        ("writes.doubled_acknowledged", judged.doubled_acknowledged as f64),
        ("rpo.time", judged.time),
        ("rpo.at_onset", judged.at_onset),
        ("split_brain.incidents", judged.incidents as f64),
        ("split_brain.duration", judged.incident_time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_streaming_oracle_equals_the_one_that_keeps_everything(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let (verdict, naive) = told(&steps, Limits::default());
        for (metric, expected) in expected(&naive) {
            let found = value(&verdict, metric);
            prop_assert!((found - expected).abs() < 1e-9, "{metric}: {found}, naive {expected}");
        }
    }

    #[test]
    fn folding_what_all_disks_hold_changes_nothing(steps in prop::collection::vec(step(), 1..60)) {
        // Folded as soon as may be: every place where a history can come to end is a boundary.
        let (verdict, naive) = told(&steps, Limits { every: 1, ..Limits::default() });
        for (metric, expected) in expected(&naive) {
            let found = value(&verdict, metric);
            prop_assert!((found - expected).abs() < 1e-9, "{metric}: {found}, naive {expected}");
        }
    }

    #[test]
    fn folding_too_much_gives_bounds_that_hold_the_truth(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let (verdict, naive) = told(&steps, Limits { block: 4, detail: 3, recent: 0, every: 1 });
        for (metric, expected) in expected(&naive) {
            // Cause and time of a write that was appended again after it was folded are not
            // known exactly; that it is lost is.
            let counted = metric.starts_with("writes.doubled") || metric.starts_with("split_brain");
            if !counted && !["writes.lost", "writes.unacked_survived"].contains(&metric) {
                continue;
            }
            let found = verdict.get(&MetricKey::new(metric)).and_then(|s: Sample| s.range());
            let (low, high) = found.unwrap();
            prop_assert!(
                low <= expected + 1e-9 && expected <= high + 1e-9,
                "{metric}: {low} to {high}, naive {expected}"
            );
        }
    }
}
