//! What a pipeline sees of `run`: a baseline, JUnit, annotations, enough trials and no more.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SCENARIO: &str = "scenarios/active-passive/partition-43s.toml";

fn regionsim(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    command.args(args).env_remove("GITHUB_STEP_SUMMARY");
    command.output().expect("the program runs")
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let out = folder.join("out");
    let mut args = vec!["run", SCENARIO, "--trials", "6", "--out", out.to_str().unwrap()];
    args.extend(["--set", "run.horizon=15m", "--set", "run.settle=2m"]);
    args.extend(["--set", "expect={}", "--set", "clients.east-web.writes.per_second=4"]);
    args.extend(["--set", "clients.eu-web.writes.per_second=4"]);
    args.extend(more);
    regionsim(&args)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_baseline_is_made_held_against_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline");
    let against = ["--baseline", baseline.to_str().unwrap()];
    let none = run(folder.path(), &against);
    assert_eq!(none.status.code(), Some(74), "there is none yet: {}", said(&none.stderr));
    assert!(said(&none.stderr).contains("--accept-baseline makes one"));

    let accept = [against[0], against[1], "--accept-baseline"];
    assert_eq!(run(folder.path(), &accept).status.code(), Some(0));
    let same = run(folder.path(), &against);
    assert_eq!(same.status.code(), Some(0));
    assert!(said(&same.stdout).contains("metrics are exactly the same"), "{}", said(&same.stdout));

    // A slower name server is a regression, and named.
    let slow = ["--set", "routing.via.dns.ttl=5m"];
    let worse = run(folder.path(), &[&against[..], &slow[..]].concat());
    assert_eq!(worse.status.code(), Some(1), "{}", said(&worse.stderr));
    let told = said(&worse.stdout);
    let rto = told
        .lines()
        .find(|line| line.trim_start().starts_with("rto.restored") && line.contains("worse"));
    assert!(rto.is_some_and(|line| line.contains('+') && line.contains('[')), "{told}");

    // Tolerated, it is none; accepted, it is the new baseline.
    let tolerant = [&against[..], &slow[..], &["--tolerance", "500%"]].concat();
    assert_eq!(run(folder.path(), &tolerant).status.code(), Some(2), "a share is at most 100 %");
    assert_eq!(run(folder.path(), &[&accept[..], &slow[..]].concat()).status.code(), Some(0));
    assert_eq!(run(folder.path(), &[&against[..], &slow[..]].concat()).status.code(), Some(0));
    let better = run(folder.path(), &against);
    assert_eq!(better.status.code(), Some(0));
    assert!(said(&better.stdout).contains("better"));
}

#[test]
fn a_baseline_of_something_else_or_torn_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline");
    let against = ["--baseline", baseline.to_str().unwrap()];
    run(folder.path(), &[&against[..], &["--accept-baseline"]].concat());
    let whole = baseline.join("ap-async-43s");
    let other = run(
        folder.path(),
        &["--baseline", whole.to_str().unwrap(), "--set", "scenario.name=\"other\""],
    );
    assert_eq!(other.status.code(), Some(74));
    assert!(said(&other.stderr).contains("not of `other`"), "{}", said(&other.stderr));
    fs::write(whole.join("results.json"), "{\"format\": ").unwrap();
    let torn = run(folder.path(), &against);
    assert_eq!(torn.status.code(), Some(74));
    assert!(said(&torn.stderr).contains("results.json"), "{}", said(&torn.stderr));
}

#[test]
fn what_fails_is_told_to_machines_at_the_line_that_expects_it() {
    let folder = tempfile::tempdir().unwrap();
    let (judge, xml) = (folder.path().join("teacher.toml"), folder.path().join("junit.xml"));
    fs::write(&judge, "# what the teacher expects\n[expect]\n\"rto.restored\" = [\"max < 1s\"]\n")
        .unwrap();
    let page = folder.path().join("page.md");
    let out = folder.path().join("out");
    let told = Command::new(env!("CARGO_BIN_EXE_regionsim"))
        .args(["run", SCENARIO, "--trials", "2", "--github", "--no-progress"])
        .args(["--out", out.to_str().unwrap(), "--junit", xml.to_str().unwrap()])
        .args(["--expect", judge.to_str().unwrap()])
        .env("GITHUB_STEP_SUMMARY", &page)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(1));
    let note = format!("::error file={},line=3,title=rto.restored::max is ", judge.display());
    assert!(said(&told.stderr).contains(&note), "{}", said(&told.stderr));
    assert!(fs::read_to_string(&page).unwrap().starts_with("# "));
    let xml = fs::read_to_string(&xml).unwrap();
    assert!(xml.contains("<testsuite name=\"ap-async-43s\" tests=\"1\""), "{xml}");
    assert!(xml.contains("failures=\"1\"") && xml.contains("type=\"fail\""), "{xml}");
    assert!(!xml.contains("timestamp"), "no wall-clock time in a file that is compared");
}

#[test]
fn trials_end_when_enough_is_known_and_their_number_is_no_matter_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = |jobs: &str, until: &str| {
        let out = folder.path().join(jobs);
        let small = ["--set", "run.horizon=13m", "--set", "run.settle=1m", "--set", "expect={}"];
        let slow = ["--set", "clients.east-web.writes.per_second=4", "--set"];
        let slow = [&slow[..], &["clients.eu-web.writes.per_second=4"]].concat();
        let args = ["run", SCENARIO, "--trials", "60", "--format", "json", "--jobs", jobs];
        regionsim(
            &[&args[..], &["--out", out.to_str().unwrap(), "--until-ci", until], &small, &slow]
                .concat(),
        )
    };
    let wide = run("1", "rto.restored=50%");
    assert!(
        said(&wide.stderr).contains("stopped after 32 trials: mean of rto.restored"),
        "{}",
        said(&wide.stderr)
    );
    assert_eq!(said(&wide.stdout), said(&run("2", "rto.restored=50%").stdout));
    let narrow = run("2", "rto.restored=0.01%");
    assert!(said(&narrow.stderr).contains("gave up after 60 trials"), "{}", said(&narrow.stderr));
    assert_eq!(narrow.status.code(), Some(0), "all that were asked for were run");
    assert_eq!(run("1", "rto.restord=5%").status.code(), Some(2));
}

#[test]
fn help_to_begin_is_printed_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("first.toml");
    let name = file.to_str().unwrap();
    assert_eq!(regionsim(&["new", name]).status.code(), Some(0));
    assert_eq!(regionsim(&["lint", name]).status.code(), Some(0));
    assert_eq!(regionsim(&["new", name]).status.code(), Some(2), "it exists");
    assert_eq!(regionsim(&["new"]).stdout, std::fs::read(&file).unwrap());
    for shell in ["bash", "zsh", "fish"] {
        let text = String::from_utf8(regionsim(&["completions", shell]).stdout).unwrap();
        assert!(text.contains("regionsim") && text.contains("until-ci"), "{shell}");
    }
    let page = String::from_utf8(regionsim(&["man"]).stdout).unwrap();
    assert!(page.contains(".TH regionsim") && page.contains("\\-\\-baseline"), "{}", &page[..300]);
}
