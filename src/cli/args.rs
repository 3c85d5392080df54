//! What the commands that run no trials, or one, are asked with.

use super::{Change, key_value};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Results folders; each gets its report.html
    #[arg(required = true, value_name = "RESULTS")]
    pub folders: Vec<PathBuf>,
    /// Say nothing
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
pub struct LintArgs {
    /// Scenario files, folders of them, or `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Replace a value first (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// Say nothing of files without errors, and show no warnings
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A scenario file, or `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub change: Change,
    /// The seed of the calendar, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
    /// The calendar of so many trials
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub trials: u64,
}

#[derive(Args, Debug)]
pub struct TraceArgs {
    /// A scenario file, or `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub change: Change,
    /// Which trial
    #[arg(long, default_value_t = 0)]
    pub trial: u64,
    /// The seed, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
    /// Only what concerns a node, region, client population or store (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub node: Vec<String>,
    /// Only these kinds, separated by commas; `disk` shows how far histories go
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = KIND_WORDS)]
    pub kind: Vec<String>,
    /// Not before: `12:03.250`, or a duration from the start such as `12m`
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Not after
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Every fact and claim on a line of its own
    #[arg(long)]
    pub all: bool,
    /// What is made of it: sentences, a JSON value a line, or a picture of the incident: swim lanes
    /// (svg), a file for trace viewers (perfetto), a sequence diagram (mermaid)
    #[arg(long, value_name = "KIND", default_value = TRACE_WORDS[0], value_parser = TRACE_WORDS)]
    pub to: String,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// A scenario file, or `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub change: Change,
    /// For which checker: a map a line as EDN (jepsen), as JSON (elle), or a porcupine.Operation a
    /// line as JSON
    #[arg(long, value_name = "CHECKER", value_parser = EXPORT_WORDS)]
    pub to: String,
    /// What operations are told as: one `set`, a `register` per key, or a list per key
    /// (`list-append`) [default: the first that the checker has: set, list-append, register]
    #[arg(long)]
    pub workload: Option<String>,
    /// Which store, where there are several
    #[arg(long, value_name = "NAME")]
    pub store: Option<String>,
    /// Which trial
    #[arg(long, default_value_t = 0)]
    pub trial: u64,
    /// The seed, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
}

/// The words of `export --to`; a test compares them with those of the library.
pub const EXPORT_WORDS: [&str; 3] = ["jepsen", "elle", "porcupine"];

/// The words of `trace --to`: told as it goes, or drawn; a test compares the latter with the library's.
pub const TRACE_WORDS: [&str; 5] = ["story", "jsonl", "svg", "perfetto", "mermaid"];

/// The words of `--kind`; a test compares them with those of the library.
pub const KIND_WORDS: [&str; 8] =
    ["client", "disk", "role", "fault", "lease", "health", "failover", "route"];
