//! Probabilistically bounded staleness: quorum latencies, how often a read at once sees a write,
//! and how long until nearly all do.

use super::kit::{Case, Effort, Row, SEED, stage, trials};
use regionsim::measure::{MetricKey, Oracle, Sample, Verdict};
use regionsim::sim::Span;
use regionsim::sim::units::show_span;
use regionsim::world::Limits;

const FAST: &str = r#"{ dist = "mixture", parts = [
  { weight = 91.22, dist = "pareto", min = "235us", alpha = 10.0 },
  { weight = 8.78, dist = "exponential", mean = "602.41us" } ] }"#;
const DISK: &str = r#"{ dist = "mixture", parts = [
  { weight = 38, dist = "pareto", min = "1.05ms", alpha = 1.51 },
  { weight = 62, dist = "exponential", mean = "5.46448ms" } ] }"#;

/// Three replicas, a coordinator that is none of them, wires without delay.
fn scenario(write: &str, (r, w): (u32, u32), seconds: u64, clients: &str) -> String {
    let latency = format!("{{ write = {write}, ack = {FAST}, read = {FAST}, response = {FAST} }}")
        .replace('\n', " ");
    format!(
        r#"
schema_version = 1
[scenario]
name = "pbs"
[run]
warmup = "0s"
horizon = "{seconds}s"
settle = "2s"
clock_drift_ppm = 0.0
[region.dc]
zones = ["a", "b", "c", "d"]
[wan]
intra_region = {{ rtt = "0s", jitter = "0s" }}
within_zone = {{ rtt = "0s" }}
[store.kv]
replicas = ["dc/a", "dc/b", "dc/c"]
[store.kv.replication]
mode = "quorum"
r = {r}
w = {w}
coordinators = ["dc/d"]
latency = {latency}
[measure]
latency_digits = 4
[clients.web]
region = "dc/d"
{clients}
"#
    )
}

fn verdict(text: &str, trial: u64) -> Verdict {
    let (scenario, stage) = stage(text);
    let mut oracle = Oracle::new(stage.roster(), &scenario.settings);
    let finish = stage.run(SEED, trial, &mut oracle, &Limits::default());
    oracle.verdict(finish.at)
}

fn value(verdict: &Verdict, key: &str) -> f64 {
    let key = MetricKey::parse(key).expect("a metric");
    match verdict.get(&key) {
        Some(Sample::Value(value)) => value,
        other => panic!("{key} is {other:?}"),
    }
}

/// A published line: R, W, and the 99.9th percentiles of reads and writes on SSDs and disks, in ms.
type Line = (u32, u32, [f64; 4]);

/// Table 4.
const TABLE: [Line; 6] = [
    (1, 1, [0.66, 0.66, 0.66, 10.99]),
    (2, 2, [1.62, 1.64, 1.64, 20.96]),
    (1, 3, [0.65, 4.09, 0.65, 112.65]),
    (1, 2, [0.66, 1.63, 0.65, 20.97]),
    (2, 1, [1.63, 0.65, 1.63, 10.9]),
    (3, 1, [4.14, 0.65, 4.12, 10.89]),
];

/// Table 4: latencies, and the share of reads at once that see the write.
pub fn quorums(effort: Effort) -> Case {
    let mut rows = Vec::new();
    let lines = &TABLE[..effort.of(3, 6) as usize];
    let laws = [("SSD", FAST, 0), ("DISK", DISK, 2)];
    let each: Vec<_> = lines.iter().flat_map(|line| laws.map(|law| (line, law))).collect();
    let found = trials(each.len() as u64, |i| latencies(each[i as usize], effort));
    rows.extend(found.into_iter().flatten());
    let laws = [("SSD", FAST, 0.974), ("DISK", DISK, 0.437)];
    rows.extend(trials(2, |i| at_once(laws[i as usize], effort)));
    Case {
        title: "PBS: latencies of partial quorums, and reads at once",
        source: SOURCE,
        notes: "N = 3; one-way delays per message and replica as fitted there to LinkedIn's SSDs and disks; a coordinator that holds nothing; no repair of any kind. Shares at once are those of the paper's model repeated with many more runs (97.4 % and 43.7 %; the paper says 97.4 % and 43.9 %).",
        rows,
        tables: Vec::new(),
    }
}

const SOURCE: &str = "P. Bailis et al., Probabilistically Bounded Staleness for Practical Partial Quorums, PVLDB 5(8), 2012, tables 3 and 4.";

/// The two rows of one line and one law.
fn latencies(
    (&(r, w, published), (law, write, at)): (&Line, (&str, &str, usize)),
    effort: Effort,
) -> Vec<Row> {
    let seconds = effort.of(4, 100);
    let clients =
        "keys = { count = 100000 }\nwrites = { per_second = 5000 }\nreads = { per_second = 5000 }";
    let verdict = verdict(&scenario(write, (r, w), seconds, clients), 0);
    let row = |(leg, kind): (usize, &str)| {
        let ours = 1e3 * value(&verdict, &format!("latency.p999{{kind=\"{kind}\"}}"));
        let published = published[at + leg];
        // The 99.9th percentile of n draws has an error of its own beside the tolerance.
        let tolerance = match (effort, r.max(w)) {
            (Effort::Few, 3) => 0.35,
            (Effort::Few, _) => 0.15,
            (Effort::Many, 3) => 0.05,
            (Effort::Many, _) => 0.03,
        };
        Row {
            what: format!("{law}, R={r}, W={w}: 99.9th percentile of {kind}s"),
            label: "READ",
            published: format!("{published} ms"),
            ours: format!("{ours:.3} ms"),
            interval: format!("{} operations", 5_000 * seconds),
            tolerance: format!("± {:.0} %", 100.0 * tolerance),
            pass: (ours / published - 1.0).abs() <= tolerance,
        }
    };
    ["read", "write"].into_iter().enumerate().map(row).collect()
}

/// A user who writes, waits, and reads what was written, over and over.
fn user(pause: &str) -> String {
    format!(
        "[clients.web.users.sequence]\noperations = [{{ op = \"write\", key = 0 }}, {{ op = \"read\", key = 0 }}]\nrepeat = true\npause = {pause}"
    )
}

fn at_once((law, write, published): (&str, &str, f64), effort: Effort) -> Row {
    let seconds = effort.of(20, 200);
    let verdict = verdict(&scenario(write, (1, 1), seconds, &user("\"0s\"")), 0);
    let (ours, n) = (value(&verdict, "visibility.share"), value(&verdict, "session.reads"));
    let error = 4.0 * (published * (1.0 - published) / n).sqrt();
    let tolerance = error.max(0.005);
    Row {
        what: format!("{law}, R=W=1: share of reads at once that see the write"),
        label: "DERIVED",
        published: format!("{:.1} %", 100.0 * published),
        ours: format!("{:.2} %", 100.0 * ours),
        interval: format!("{n:.0} reads"),
        tolerance: format!("± {:.2} points", 100.0 * tolerance),
        pass: (ours - published).abs() <= tolerance,
    }
}

/// How the share of stale reads falls with the time since the acknowledgement.
#[derive(Clone, Copy)]
enum Tail {
    /// Exponentially.
    Exponential,
    /// As a power of the time.
    Power,
}

impl Tail {
    fn axis(self, t: f64) -> f64 {
        match self {
            Tail::Exponential => t,
            Tail::Power => libm::log(t),
        }
    }
}

/// A line of the column t: the law, R and W, the published t, the exact one, how the tail falls,
/// between which times reads begin, and the step of the authors' grid. All in ms.
struct Wait {
    law: (&'static str, &'static str),
    quorum: (u32, u32),
    published: f64,
    exact: f64,
    tail: Tail,
    between: (f64, f64),
    step: f64,
}

const fn ssd(quorum: (u32, u32), published: f64, exact: f64) -> Wait {
    let law = ("SSD", FAST);
    Wait { law, quorum, published, exact, tail: Tail::Exponential, between: (1.5, 2.4), step: 0.01 }
}
const fn disk(quorum: (u32, u32), published: f64, exact: f64, between: (f64, f64)) -> Wait {
    Wait { law: ("DISK", DISK), quorum, published, exact, tail: Tail::Power, between, step: 0.1 }
}

const WAITS: [Wait; 5] = [
    ssd((1, 1), 1.85, 1.97),
    disk((2, 1), 13.6, 14.15, (11.0, 18.0)),
    ssd((1, 2), 1.79, 1.86),
    disk((1, 1), 45.5, 52.0, (35.0, 70.0)),
    disk((1, 2), 43.3, 48.3, (35.0, 70.0)),
];

/// Table 4, column t: how long after the acknowledgement 99.9 % of reads see the write. From one
/// measured curve come the quantile and what the authors printed: the first point of a grid at
/// which 50,000 fresh trials have 99.9 %.
pub fn waits(effort: Effort) -> Case {
    let waits = &WAITS[..effort.of(2, 5) as usize];
    let rows = waits.iter().flat_map(|wait| wait.rows(effort)).collect();
    Case {
        title: "PBS: how long until 99.9 % of reads see a write",
        source: SOURCE,
        notes: "The published times are not quantiles: the authors raise t along a grid until a fresh sample of 50,000 trials reaches 99.9 %, which a lucky sample does too early. Both estimators are taken from the same curve: reads begin at times spread evenly about the crossing, and the share of stale ones is fitted by the law of its tail (exponential on SSDs, a power on disks). The exact values are those of the paper's model repeated with 18 million trials. Where R + W > 3, and on SSDs with R = 2 and W = 1 (99.94 % at once), t is 0.",
        rows,
        tables: Vec::new(),
    }
}

impl Wait {
    /// Reads and stale reads by when they began, over some trials.
    fn curve(&self, effort: Effort) -> Vec<(f64, f64, f64)> {
        const BINS: usize = 20;
        let (from, to) = self.between;
        let width = (to - from) / BINS as f64;
        let marks: Vec<f64> = (0..=BINS).map(|i| from + width * i as f64).collect();
        let shown = |t: &f64| show_span(Span::from_nanos(1_000 * libm::round(1e3 * t) as u64));
        let shown: Vec<String> = marks.iter().map(shown).collect();
        let pause = format!("{{ dist = \"uniform\", min = \"{from}ms\", max = \"{to}ms\" }}");
        let seconds = ((from + to + 3.0) * effort.of(10, 130) as f64) as u64;
        let text = scenario(self.law.1, self.quorum, seconds, &user(&pause))
            .replace("[measure]", &format!("[measure]\nvisibility_marks = {shown:?}"));
        let verdicts = trials(8, |trial| verdict(&text, trial));
        let bin = |i: usize| {
            let (mut reads, mut stale) = (0.0, 0.0);
            for verdict in &verdicts {
                // Starts are spread evenly: each bin has the same share of a trial's reads.
                let all = value(verdict, "session.reads") / BINS as f64;
                let key = format!("visibility.share{{after=\"{}\"}}", shown[i]);
                reads += all;
                stale += all * (1.0 - value(verdict, &key));
            }
            (marks[i] + width / 2.0, reads, stale)
        };
        (0..BINS).map(bin).collect()
    }

    fn rows(&self, effort: Effort) -> [Row; 2] {
        let curve = self.curve(effort);
        let stale: f64 = curve.iter().map(|bin| bin.2).sum();
        let reads: f64 = curve.iter().map(|bin| bin.1).sum();
        // ln P(stale) = a + b x, each bin weighted by how well it is known.
        let points = curve.iter().filter(|bin| bin.2 > 0.0);
        let points: Vec<_> = points
            .map(|(t, reads, stale)| (self.tail.axis(*t), libm::log(stale / reads), *stale))
            .collect();
        let (a, b) = line(&points);
        let share = |t: f64| libm::exp(a + b * self.tail.axis(t));
        let at = (libm::log(0.001) - a) / b;
        let quantile = match self.tail {
            Tail::Exponential => at,
            Tail::Power => libm::exp(at),
        };
        // The grid: from well before the crossing on, the chance that this point is the first.
        let (mut first, mut none_yet, mut t) = (0.0, 1.0, self.between.0);
        while none_yet > 1e-9 {
            let hit = at_most(50_000.0 * share(t), 50);
            first += none_yet * hit * t;
            none_yet *= 1.0 - hit;
            t += self.step;
        }
        let (law, (r, w)) = (self.law.0, self.quorum);
        // An error of the share moves the crossing by the inverse of the curve's slope.
        let slope = match self.tail {
            Tail::Exponential => -b * quantile,
            Tail::Power => -b,
        };
        let error = 4.0 / stale.sqrt() / slope;
        let row = |what: &str, label, published: f64, ours: f64, tolerance: f64| Row {
            what: format!("{law}, R={r}, W={w}: {what}"),
            label,
            published: format!("{published} ms"),
            ours: format!("{ours:.2} ms"),
            interval: format!("{reads:.0} reads, {stale:.0} stale"),
            tolerance: format!("± {:.1} %", 100.0 * tolerance),
            pass: (ours / published - 1.0).abs() <= tolerance,
        };
        [
            row("99.9 % quantile", "DERIVED", self.exact, quantile, error.max(0.04)),
            row("the authors' estimator", "READ", self.published, first, error.max(0.05)),
        ]
    }
}

/// The line through weighted points.
fn line(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let sum = |f: &dyn Fn(&(f64, f64, f64)) -> f64| points.iter().map(f).sum::<f64>();
    let all = sum(&|p| p.2);
    let (x, y) = (sum(&|p| p.2 * p.0) / all, sum(&|p| p.2 * p.1) / all);
    let b = sum(&|p| p.2 * (p.0 - x) * (p.1 - y)) / sum(&|p| p.2 * (p.0 - x) * (p.0 - x));
    (y - b * x, b)
}

/// The chance that a Poisson number of that mean is at most `most`.
fn at_most(mean: f64, most: u32) -> f64 {
    let (mut term, mut sum) = (libm::exp(-mean), 0.0);
    for k in 0..=most {
        sum += term;
        term *= mean / f64::from(k + 1);
    }
    sum
}
