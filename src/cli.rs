//! The command line: what can be asked, and where each question is answered.

mod args;
mod begin;
mod ci;
mod compare;
mod crew;
mod designs;
mod exit;
mod explain;
mod export;
mod files;
mod folder;
mod ladder;
mod lint;
mod output;
mod page;
mod preset;
mod report;
mod run;
mod shard;
mod shown;
mod sweep;
mod trace;

pub use exit::Exit;

use args::{ExplainArgs, ExportArgs, LintArgs, ReportArgs, TraceArgs};
use ci::CiArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use regionsim::experiment::{Part, Until};
use std::path::PathBuf;

/// The most trials of one run.
const LIMIT_TRIALS: u64 = 1_000_000;

/// Deterministic simulator of multi-region topologies: a disaster in, realised RPO, RTO and
/// split-brain out.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 every expectation holds or none was given, 1 an expectation \
failed, 2 wrong command line, 3 inconclusive, 4 nothing to run, 5 determinism check failed, 65 bad \
scenario, 70 a bug of ours, 74 input or output failed, 130 interrupted (what was finished is \
written). Where several apply: 70, 74, 65, 5, 130, 1, 3."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run trials on all cores, judge expectations, print a summary, write results
    Run(RunArgs),
    /// Run several designs over the same trials and tell their differences, each with its interval
    Compare(CompareArgs),
    /// Take each safety device away, or put its strongest form in, one at a time: what each is worth
    Ladder(LadderArgs),
    /// Join the parts that `run --shard` kept: what one run says, byte for byte
    Merge(MergeArgs),
    /// Run a scenario at many points of a grid of values; what was finished is not run again
    Sweep(SweepArgs),
    /// Write the page about results that `run`, `compare`, `ladder` or `sweep` left in a folder
    Report(ReportArgs),
    /// Print all diagnostics of scenarios and their variants, without simulating anything
    Lint(LintArgs),
    /// Print a scenario with every default filled in and where it came from, the round-trip times
    /// and the calendar of faults
    Explain(ExplainArgs),
    /// Tell one trial as a story
    Trace(TraceArgs),
    /// Print the history of a trial's clients, for checkers that others wrote
    Export(ExportArgs),
    /// Print the presets: figures of real products, each with its source and how it is known
    #[command(subcommand)]
    Preset(preset::Question),
    /// Print the JSON schema of scenario files
    Schema,
    /// Print a scenario to begin with, or write it into a new file
    New {
        /// The file; nothing that exists is overwritten
        file: Option<PathBuf>,
    },
    /// Print completions for a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What changes a scenario.
#[derive(Args, Clone, Debug)]
struct Change {
    /// Apply a variant of the file
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Replace a value: a dotted key and what TOML has after `=` (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Scenario files, folders of them, or `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    trials: TrialArgs,
    /// Where results folders are made, one per scenario
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// First run some trials twice and compare every fact
    #[arg(long)]
    check_determinism: bool,
    /// A file whose `[expect]` stands in for that of the scenarios
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Run one part of the trials and keep it for `merge`: `3/8`, or `auto` in an array of jobs
    /// (Slurm, Kubernetes; `auto/8` where the number of parts is not in the environment)
    #[arg(long, value_name = "PART/PARTS", value_parser = shard::part, conflicts_with_all = ["until_ci", "baseline", "junit"])]
    shard: Option<Part>,
    /// End as soon as a metric is known well enough: the 95 % interval of its mean (or of
    /// METRIC:p95) reaches no further than this share to either side; at most all trials are run
    #[arg(long, value_name = "METRIC=5%", value_parser = Until::parse)]
    until_ci: Option<Until>,
    /// Also write report.html: a page with what happened, for people
    #[arg(long, conflicts_with = "shard")]
    html: bool,
    /// Draw distributions in plain ASCII
    #[arg(long)]
    ascii: bool,
    #[command(flatten)]
    ci: CiArgs,
}

/// Which trials are run, and how.
#[derive(Args, Debug)]
struct TrialArgs {
    /// The seed, instead of the scenario's; trial i uses (seed, i)
    #[arg(long)]
    seed: Option<u64>,
    /// How many trials, instead of the scenario's number
    #[arg(long = "trials", value_parser = clap::value_parser!(u64).range(0..=LIMIT_TRIALS))]
    number: Option<u64>,
    /// Threads; never changes a byte of output [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    jobs: Option<u64>,
    /// Print no summary, no warning and no progress
    #[arg(long, short)]
    quiet: bool,
    /// Show no progress
    #[arg(long)]
    no_progress: bool,
}

#[derive(Args, Debug)]
struct CompareArgs {
    /// Scenario files, folders of them, or `-` for standard input; the first is the reference
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Also each variant in the files
    #[arg(long)]
    variants: bool,
    /// Only these variants, separated by commas, in this order; `base` is the file as written
    #[arg(
        long = "variant",
        value_name = "NAME",
        value_delimiter = ',',
        conflicts_with = "variants"
    )]
    only: Vec<String>,
    /// Replace a value in every design: a dotted key and what TOML has after `=` (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    trials: TrialArgs,
    /// Where the results folder is made
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Also write report.html: a page with what happened, for people
    #[arg(long)]
    html: bool,
}

#[derive(Args, Debug)]
struct MergeArgs {
    /// The files that `run --shard` kept, in any order
    #[arg(required = true, value_name = "SHARD")]
    shards: Vec<PathBuf>,
    /// Where the results folder is made
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Print no summary
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    ci: CiArgs,
}

#[derive(Args, Debug)]
struct SweepArgs {
    /// A scenario file, or `-` for standard input
    file: PathBuf,
    /// Vary a number: from, to, and by how much, with their unit (may be repeated: a grid)
    #[arg(short = 'P', num_args = 4, value_names = ["KEY", "FROM", "TO", "STEP"], allow_negative_numbers = true)]
    range: Vec<String>,
    /// Vary a value: a list separated by commas (may be repeated: a grid)
    #[arg(short = 'L', num_args = 2, value_names = ["KEY", "a,b,c"])]
    list: Vec<String>,
    /// Show this metric instead of those that the scenario expects something of (may be repeated)
    #[arg(long, value_name = "METRIC")]
    metric: Vec<String>,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    trials: TrialArgs,
    /// Run every point again, also those that were finished before
    #[arg(long)]
    fresh: bool,
    /// Draw charts in plain ASCII
    #[arg(long)]
    ascii: bool,
    /// Where the results folder is made
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Also write report.html: a page with what happened, for people
    #[arg(long)]
    html: bool,
}

#[derive(Args, Debug)]
struct LadderArgs {
    /// A scenario file, or `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    trials: TrialArgs,
    /// Where the results folder is made
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Also write report.html: a page with what happened, for people
    #[arg(long)]
    html: bool,
}

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// A summary to read
    Human,
    /// What results.json holds; a list of it for several scenarios
    Json,
    /// A line of JSON per scenario and metric
    Jsonl,
    /// A row per scenario and metric
    Csv,
    /// What summary.md holds
    Markdown,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("expected KEY=VALUE, such as `lease.ttl=10s`".to_string()),
    }
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> Exit {
        match self.command {
            Command::Run(args) => run::run(&args),
            Command::Compare(args) => compare::compare(&args),
            Command::Ladder(args) => ladder::ladder(&args),
            Command::Merge(args) => shard::merge(&args),
            Command::Sweep(args) => sweep::sweep(&args),
            Command::Report(args) => report::report(&args),
            Command::Lint(args) => lint::lint(&args),
            Command::Explain(args) => explain::explain(&args),
            Command::Trace(args) => trace::trace(&args),
            Command::Export(args) => export::export(&args),
            Command::Preset(question) => preset::preset(&question),
            Command::New { file } => begin::new(file.as_deref()),
            Command::Completions { shell } => begin::completions(shell),
            Command::Man => begin::man(),
            Command::Schema => begin::schema(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let known = regionsim::report::trace::KINDS.map(|(word, _)| word);
        assert_eq!(known, args::KIND_WORDS);
        let formats = regionsim::report::export::FORMATS.map(|format| format.word);
        assert_eq!(formats, args::EXPORT_WORDS);
        let drawn = regionsim::report::pictures::WAYS.map(|way| way.word);
        assert_eq!(drawn, args::TRACE_WORDS[2..]);
    }

    #[test]
    fn an_override_has_a_key_and_a_value() {
        assert_eq!(key_value("a.b = 10s"), Ok(("a.b".to_string(), "10s".to_string())));
        assert_eq!(key_value("a=b=c"), Ok(("a".to_string(), "b=c".to_string())));
        assert!(key_value("a").is_err() && key_value("=b").is_err());
    }
}
