//! What a client's operation costs, judges included, on the e-commerce reference load.
//!
//! - `cargo bench --bench model` prints speed, events and allocations per operation, memory, and
//!   two ratios against plain twins measured beside them in turn.
//! - `cargo bench --bench model -- --count SECONDS [--no-judges]` only runs so many simulated
//!   seconds. Instructions per operation are the difference of two such runs of different length
//!   under callgrind, divided by the difference of their operations: no clock, no noise.

// A benchmark measures with a clock; the library has none.
#![allow(clippy::disallowed_types)]

use rayon::prelude::*;
use regionsim::measure::oracle::Oracle;
use regionsim::measure::settings::Settings;
use regionsim::model::fact::{Fact, Observer};
use regionsim::scenario;
use regionsim::sim::{SimTime, Span};
use regionsim::world::plan::Plan;
use regionsim::world::{Finish, Limits, Stage};
use stats_alloc::{INSTRUMENTED_SYSTEM, Stats, StatsAlloc};
use std::alloc::System;
use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The reference load, relative to the package.
const SCENARIO: &str = "scenarios/active-passive/ecommerce-async.toml";
/// What the reference load offers, in operations a second.
const RATE: u64 = 10_000;
/// The settling time after the horizon: the load goes on.
const SETTLE: u64 = 1;
/// Rounds of everything that is timed; the median counts.
const ROUNDS: usize = 5;

/// The judges of a run: the one line that says what "judges on" means.
fn judges(stage: &Stage) -> Oracle {
    Oracle::new(stage.roster(), &Settings::default())
}

/// The reference load without its disaster, for so many seconds.
fn stage(seconds: u64) -> Stage {
    let path = format!("{}/{SCENARIO}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the reference scenario is in the package");
    let (scenario, diagnostics) = scenario::load(&text);
    let mut plan: Plan = scenario.unwrap_or_else(|| panic!("{path}: {diagnostics:?}")).plan;
    plan.faults.clear();
    plan.warmup = Span::ZERO;
    plan.horizon = Span::from_secs(seconds);
    plan.settle = Span::from_secs(SETTLE);
    Stage::new(&plan).unwrap_or_else(|problems| panic!("{path}: {problems:?}"))
}

/// Counts operations that began.
#[derive(Default)]
struct Operations(u64);

impl Observer for Operations {
    #[inline]
    fn on_fact(&mut self, _: SimTime, fact: &Fact) {
        self.0 += u64::from(matches!(fact, Fact::Invoked { .. }));
    }
}

/// One trial with its judges, and what else observes; how long it took.
fn run(stage: &Stage, trial: u64, other: &mut impl Observer) -> (Finish, f64) {
    let begin = Instant::now();
    let mut observer = (judges(stage), other);
    let finish = stage.run(1, trial, &mut observer, &Limits::default());
    std::hint::black_box(observer.0.verdict(finish.at));
    (finish, begin.elapsed().as_secs_f64())
}

/// Writes every fact as a binary record into a file: what a trace costs at the least.
struct Recorder {
    file: BufWriter<std::fs::File>,
    record: Vec<u8>,
}

impl Recorder {
    fn new() -> Recorder {
        let file = tempfile::tempfile().expect("a temporary file");
        Recorder { file: BufWriter::with_capacity(1 << 20, file), record: Vec::with_capacity(64) }
    }
}

impl Observer for Recorder {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.record.clear();
        self.record.extend_from_slice(&at.as_nanos().to_le_bytes());
        let record = &mut self.record;
        fact.words(|word| record.extend_from_slice(&word.to_le_bytes()));
        self.file.write_all(&self.record).expect("room for the trace");
    }
}

/// Notes what was allocated between two moments of simulated time.
struct Window {
    from: SimTime,
    first: Option<Stats>,
    last: Option<Stats>,
    facts: u64,
}

impl Observer for Window {
    fn on_fact(&mut self, at: SimTime, _: &Fact) {
        if at < self.from {
            return;
        }
        self.facts += 1;
        self.first.get_or_insert_with(|| ALLOCATOR.stats());
        if self.facts.is_multiple_of(1024) {
            self.last = Some(ALLOCATOR.stats());
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn speed() {
    let stage = stage(60);
    let mut times = Vec::new();
    let (mut events, mut operations) = (0, 0);
    for _ in 0..ROUNDS {
        let mut counter = Operations::default();
        let (finish, seconds) = run(&stage, 0, &mut counter);
        (events, operations) = (finish.events, counter.0);
        times.push(seconds);
    }
    let rate = operations as f64 / median(times);
    println!("speed          {:>10.0} operations/s on one core, judges on", rate);
    println!("events         {:>10.2} per operation (goal: about 4)", ratio(events, operations));
}

fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

fn allocations() {
    let stage = stage(60);
    let from = SimTime::ZERO + Span::from_secs(30);
    let mut window = Window { from, first: None, last: None, facts: 0 };
    let begin = Instant::now();
    let finish = stage.run(1, 0, &mut window, &Limits::default());
    let _ = begin.elapsed();
    report_window("world", &window, &finish);
    let mut window = Window { from, first: None, last: None, facts: 0 };
    let (finish, _) = run(&stage, 0, &mut window);
    report_window("with judges", &window, &finish);
}

fn report_window(what: &str, window: &Window, finish: &Finish) {
    let (Some(first), Some(last)) = (window.first, window.last) else { return };
    let of = |stats: Stats| stats.allocations + stats.reallocations;
    let count = of(last) - of(first);
    let events = finish.events as f64 / finish.facts as f64 * window.facts as f64;
    let per_million = count as f64 / events * 1e6;
    println!(
        "allocations    {count:>10} in {events:.0} events of the steady state, {what} \
         ({per_million:.2} per million; goal: 0)"
    );
}

fn trace() {
    let stage = stage(20);
    let mut ratios = Vec::new();
    for round in 0..ROUNDS as u64 {
        let (_, plain) = run(&stage, round, &mut Operations::default());
        let (_, traced) = run(&stage, round, &mut Recorder::new());
        ratios.push(traced / plain);
    }
    println!("trace          {:>10.2} times the run without (at most 1.2)", median(ratios));
}

fn threads() {
    let stage = stage(10);
    let pool = |threads| {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        builder.build().expect("threads")
    };
    let (one, two) = (pool(1), pool(2));
    let trials = || {
        let begin = Instant::now();
        (0..8u64).into_par_iter().for_each(|trial| {
            run(&stage, trial, &mut Operations::default());
        });
        begin.elapsed().as_secs_f64()
    };
    let ratios = (0..ROUNDS).map(|_| one.install(trials) / two.install(trials)).collect();
    println!("two threads    {:>10.2} times one thread (at least 1.9)", median(ratios));
}

/// A run in a process of its own, which says how much memory it ever held.
fn memory(seconds: u64) {
    let stage = stage(seconds - SETTLE);
    let (finish, took) = run(&stage, 0, &mut Operations::default());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let megabytes = peak.map_or("?".into(), |kb| format!("{:.0} MB", kb as f64 / 1024.0));
    println!("{megabytes} and {took:.1} s for {} events", finish.events);
}

fn in_child(what: &str, seconds: u64, goal: &str) {
    let program = std::env::current_exe().expect("this program has a name");
    let output = Command::new(program).args(["--memory", &seconds.to_string()]).output();
    let output = output.expect("a child of this program");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{what:<14} {} ({goal})", said.trim());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let after = |word: &str| {
        let place = args.iter().position(|arg| arg == word)?;
        args.get(place + 1)?.parse::<u64>().ok()
    };
    if let Some(seconds) = after("--count") {
        let stage = stage(seconds);
        let mut counter = Operations::default();
        let finish = if args.iter().any(|arg| arg == "--no-judges") {
            stage.run(1, 0, &mut counter, &Limits::default())
        } else {
            run(&stage, 0, &mut counter).0
        };
        return println!("{finish:?}, {} operations", counter.0);
    }
    if let Some(seconds) = after("--memory") {
        return memory(seconds);
    }
    println!("{SCENARIO}: {RATE} operations/s, no fault");
    speed();
    allocations();
    trace();
    threads();
    in_child("ten minutes", 600, "goal: 5 s on one core, below 150 MB");
    in_child("an hour", 3600, "goal: no growth");
}
