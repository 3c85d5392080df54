//! What a pipeline wants of a run: a baseline to hold it against, JUnit, annotations.

use super::files::Text;
use super::output::{cannot_write, complain, tell};
use super::shown::Shown;
use super::{Exit, folder};
use clap::Args;
use regionsim::experiment::Source;
use regionsim::report::baseline::{Baseline, Check};
use regionsim::report::junit::{self, TestSuite};
use regionsim::report::{Findings, against, github, markdown};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a pipeline wants of a run.
#[derive(Args, Debug)]
#[command(next_help_heading = "For pipelines")]
pub struct CiArgs {
    /// Hold the run against results that were accepted: a results folder, or a folder of them; a
    /// metric that is surely worse ends with exit code 1
    #[arg(long, value_name = "DIR|results.json")]
    pub baseline: Option<PathBuf>,
    /// Make what this run finds the new baseline, worse or not
    #[arg(long, requires = "baseline")]
    pub accept_baseline: bool,
    /// How much worse than the baseline is tolerated, as a share of the baseline's mean
    #[arg(long, value_name = "SHARE", default_value = "0%", requires = "baseline", value_parser = regionsim::sim::units::parse_share)]
    pub tolerance: f64,
    /// Also write expectations and checks against the baseline as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also annotate for GitHub Actions (on standard error) what does not hold, and add a summary
    /// to the page of the job
    #[arg(long)]
    pub github: bool,
}

/// What a pipeline wants, and what it has been given so far.
pub struct Ci<'a> {
    args: &'a CiArgs,
    suites: Vec<TestSuite>,
    /// What the page of the job shows.
    page: String,
}

impl<'a> Ci<'a> {
    /// Nothing was run yet.
    pub fn new(args: &'a CiArgs) -> Ci<'a> {
        Ci { args, suites: Vec::new(), page: String::new() }
    }

    /// Holds what was found against its baseline, where one is wanted.
    ///
    /// # Errors
    /// The exit code where there is none, or none of this; it has been told.
    fn check(&self, findings: &Findings) -> Result<Vec<Check>, Exit> {
        let Some(place) = &self.args.baseline else { return Ok(Vec::new()) };
        let label = findings.heading.label();
        let folder = folder_of(place, &label);
        if !folder.join(RESULTS).exists() {
            if self.args.accept_baseline {
                return Ok(Vec::new());
            }
            complain(&format!(
                "no baseline of `{label}` in {}; --accept-baseline makes one",
                place.display()
            ));
            return Err(Exit::Io);
        }
        let bad = |why: String| {
            complain(&format!("the baseline in {}: {why}", folder.display()));
            Exit::Io
        };
        let text = fs::read_to_string(folder.join(RESULTS));
        let trials = fs::read(folder.join(TRIALS));
        let (text, trials) = match (text, trials) {
            (Ok(text), Ok(trials)) => (text, trials),
            (Err(error), _) => return Err(bad(format!("cannot read {RESULTS}: {error}"))),
            (_, Err(error)) => return Err(bad(format!("cannot read {TRIALS}: {error}"))),
        };
        let baseline = Baseline::read(&text, &trials).map_err(bad)?;
        match baseline.foreign(findings) {
            Some(why) => Err(bad(why)),
            None => Ok(baseline.check(findings, self.args.tolerance)),
        }
    }

    /// Shows a scenario, held against its baseline where one is wanted; `judge` is the file that
    /// its expectations stand in.
    pub fn judge(
        &mut self,
        findings: &Findings,
        source: &Source,
        judge: &Text,
        shown: &mut Shown<'_>,
    ) {
        let checks = self.check(findings).unwrap_or_else(|exit| {
            shown.note(exit);
            Vec::new()
        });
        shown.found(findings, source, &checks);
        if !findings.outcomes.trials.is_empty() {
            shown.note(self.found(findings, &checks, judge));
        }
    }

    fn found(&mut self, findings: &Findings, checks: &[Check], judge: &Text) -> Exit {
        if self.args.junit.is_some() {
            self.suites.push(junit::suite(findings, checks));
        }
        if self.args.github {
            tell(&github::annotations(findings, checks, &judge.name, &judge.text));
            self.page.push_str(&markdown::text(findings));
            self.page.push_str(&against::markdown(checks));
            self.page.push('\n');
        }
        let worse = checks.iter().any(|check| check.regressed);
        match &self.args.baseline {
            Some(place) if self.args.accept_baseline => accept(place, findings),
            _ if worse => Exit::Failed,
            _ => Exit::Good,
        }
    }

    /// Writes what is written at the end.
    pub fn end(self) -> Exit {
        let mut exit = Exit::Good;
        if let Some(file) = &self.args.junit {
            exit = exit.max(junit(file, self.suites));
        }
        // Where the job's page is, is in the environment of the job.
        let page = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|_| !self.page.is_empty());
        if let Some(file) = page.map(PathBuf::from) {
            let file_of = fs::OpenOptions::new().create(true).append(true).open(&file);
            if let Err(error) = file_of.and_then(|mut file| file.write_all(self.page.as_bytes())) {
                exit = exit.max(cannot_write(&file, &error));
            }
        }
        exit
    }
}

const RESULTS: &str = "results.json";
const TRIALS: &str = "trials.csv";

/// The folder of the baseline: what was named, where that is a results folder or its
/// `results.json`; else the folder below it that is called as the scenario is.
fn folder_of(place: &Path, label: &str) -> PathBuf {
    if place.file_name().is_some_and(|name| name == RESULTS) {
        return place.parent().unwrap_or(Path::new("")).to_path_buf();
    }
    if place.join(RESULTS).exists() { place.to_path_buf() } else { place.join(label) }
}

fn accept(place: &Path, findings: &Findings) -> Exit {
    if findings.outcomes.interrupted() {
        complain("an interrupted run makes no baseline");
        return Exit::Interrupted;
    }
    let folder = folder_of(place, &findings.heading.label());
    let written = folder::write(&folder, findings, None);
    match written {
        Ok(()) => {
            tell(&format!("accepted as the baseline: {}\n", folder.display()));
            Exit::Good
        }
        Err(error) => cannot_write(&folder, &error),
    }
}

fn junit(file: &Path, suites: Vec<TestSuite>) -> Exit {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let written = match name {
        Some(name) => {
            let bytes = junit::text(suites).into_bytes();
            folder::put_all(parent.unwrap_or(Path::new(".")), &[(&name, bytes)])
        }
        None => Err(std::io::Error::other("not the name of a file")),
    };
    written.map_or_else(|error| cannot_write(file, &error), |()| Exit::Good)
}
