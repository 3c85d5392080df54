//! The program as its users meet it: exit codes, streams, files, interruptions.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err, out};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A small system with a crash of the primary; a minute of it takes little time.
const SMALL: &str = r#"
schema_version = 1
[scenario]
name = "small"
[run]
warmup = "5s"
horizon = "50s"
settle = "30s"
trials = 6
seed = 7
[region.a]
[region.b]
[wan]
default = { rtt = "20ms" }
[store.s]
primary = "a"
standbys = ["b"]
replication = { mode = "async" }
[routing]
policy = "failover"
via = { global_lb = { propagation = "1s" } }
[clients.web]
region = "b"
writes = { arrival = "poisson", per_second = 20 }
[[fault]]
name = "cut"
kind = "partition"
at = { dist = "uniform", min = "20s", max = "25s" }
duration = "5s"
isolate = ["a"]
"#;

/// Writes the small scenario.
fn small(place: &Place) -> PathBuf {
    place.file("small.toml", SMALL)
}

/// The small scenario with expectations.
fn expecting(place: &Place, limits: &str) -> PathBuf {
    place.file("expecting.toml", &format!("{SMALL}\n[expect]\n{limits}\n"))
}

fn results(place: &Place, scenario: &str, file: &str) -> String {
    place.read(&format!("results/{scenario}/{file}"))
}

#[test]
fn a_run_without_expectations_measures_and_ends_well() {
    let place = Place::new();
    small(&place);
    let run = place.run(&["run", "small.toml"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(out(&run).starts_with("small   6 trials  seed 7\n"), "{}", out(&run));
    assert!(!out(&run).contains('\u{1b}') && !err(&run).contains('\u{1b}'), "no colours in a pipe");
    for file in ["results.json", "trials.csv", "incidents.csv", "summary.md"] {
        assert!(!results(&place, "small", file).is_empty(), "{file}");
    }
    assert_eq!(results(&place, "small", "trials.csv").lines().count(), 7);
}

#[test]
fn expectations_decide_the_exit_code() {
    let place = Place::new();
    let with = |limits: &str| {
        let path = expecting(&place, limits);
        let run = place.run(&["run", path.to_str().unwrap(), "--quiet"]);
        assert_eq!(out(&run), "");
        code(&run)
    };
    assert_eq!(with("\"writes.acknowledged\" = [\"min > 10\"]"), 0);
    assert_eq!(with("\"writes.acknowledged\" = [\"min > 1000000\"]"), 1);
    // Six trials leave the 99th percentile open.
    assert_eq!(with("\"writes.acknowledged\" = [\"p99 < 1000000\"]"), 3);
    assert_eq!(with("\"writes.acknowledged\" = [\"p99 < 1000000\", \"min > 1000000\"]"), 1);
}

#[test]
fn a_wrong_command_line_is_2() {
    let place = Place::new();
    small(&place);
    for args in [
        &["run"][..],
        &["run", "small.toml", "--frobnicate"],
        &["frobnicate"],
        &["run", "small.toml", "--jobs", "0"],
        &["run", "small.toml", "--trials", "many"],
        &["run", "small.toml", "--trials", "99999999999"],
        &["run", "small.toml", "--set", "no-equals-sign"],
        &["trace", "small.toml", "--kind", "gossip"],
        &["trace", "small.toml", "--node", "nobody"],
        &["trace", "small.toml", "--from", "noon"],
    ] {
        let run = place.run(args);
        assert_eq!(code(&run), 2, "{args:?}: {}", err(&run));
        assert_eq!(out(&run), "");
    }
    let help = place.run(&["run", "--help"]);
    assert_eq!(code(&help), 0);
    assert!(out(&help).contains("--check-determinism"));
}

#[test]
fn nothing_to_run_is_4() {
    let place = Place::new();
    small(&place);
    fs::create_dir(place.path("empty")).unwrap();
    let run = place.run(&["run", "empty"]);
    assert_eq!(code(&run), 4);
    assert!(err(&run).contains("no scenario"), "{}", err(&run));
    assert_eq!(code(&place.run(&["run", "small.toml", "--trials", "0"])), 4);
}

#[test]
fn a_bad_scenario_is_65_and_shows_all_that_is_wrong() {
    let place = Place::new();
    let broken = SMALL.replace("rtt = \"20ms\"", "rtt = 20").replace("isolate", "isolat");
    place.file("bad.toml", &broken);
    for command in ["run", "lint", "explain", "trace"] {
        let run = place.run(&[command, "bad.toml"]);
        assert_eq!(code(&run), 65, "{command}");
        assert!(err(&run).contains("bad.toml:"), "{command}: {}", err(&run));
        assert!(err(&run).contains("did you mean `isolate`?"), "{command}: {}", err(&run));
        assert_eq!(out(&run), "", "{command}");
    }
    assert!(!place.path("results").exists());
    place.file("noise.toml", "\u{0}\u{1}[[[");
    assert_eq!(code(&place.run(&["lint", "noise.toml"])), 65);
    fs::write(place.path("latin.toml"), b"# caf\xe9\n").unwrap();
    let run = place.run(&["lint", "latin.toml"]);
    assert_eq!(code(&run), 65);
    assert!(err(&run).contains("UTF-8"), "{}", err(&run));
    let unknown = place.run(&["run", "bad.toml", "--variant", "nope"]);
    assert_eq!(code(&unknown), 65);
}

#[test]
fn what_cannot_be_read_or_written_is_74() {
    let place = Place::new();
    small(&place);
    let run = place.run(&["run", "missing.toml"]);
    assert_eq!(code(&run), 74);
    assert!(err(&run).contains("cannot read missing.toml"), "{}", err(&run));
    place.file("blocked", "a file where a folder should be");
    let run = place.run(&["run", "small.toml", "--out", "blocked"]);
    assert_eq!(code(&run), 74);
    assert!(err(&run).contains("cannot write"), "{}", err(&run));
    // The greater trouble counts, and the good scenario is run all the same.
    let run = place.run(&["run", "missing.toml", "small.toml"]);
    assert_eq!(code(&run), 74);
    assert!(out(&run).contains("small   6 trials"));
}

#[test]
fn the_number_of_jobs_never_changes_a_byte() {
    let place = Place::new();
    small(&place);
    let all = |jobs: &str, folder: &str| {
        let run = place.run(&["run", "small.toml", "--jobs", jobs, "--out", folder]);
        assert_eq!(code(&run), 0);
        let read = |file: &str| fs::read(place.path(folder).join("small").join(file)).unwrap();
        let files = ["results.json", "trials.csv", "incidents.csv", "summary.md"].map(read);
        (run.stdout, files)
    };
    let one = all("1", "one");
    assert_eq!(one, all("2", "two"));
    assert_eq!(one, all("5", "five"));
    let text = String::from_utf8_lossy(&one.1[0]).to_string();
    assert!(!text.contains(place.folder().to_str().unwrap()), "no path of the machine");
}

#[test]
fn every_format_parses() {
    let place = Place::new();
    small(&place);
    place.file("more/other.toml", &SMALL.replace("\"small\"", "\"other\""));
    let show = |format: &str| {
        let run = place.run(&["run", "small.toml", "more", "--trials", "2", "--format", format]);
        assert_eq!(code(&run), 0, "{}", err(&run));
        out(&run)
    };
    let list: serde_json::Value = serde_json::from_str(&show("json")).unwrap();
    assert_eq!(list[0]["scenario"]["name"], "small");
    assert_eq!(list[1]["scenario"]["name"], "other");
    for line in show("jsonl").lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value["metric"].is_string());
    }
    let table = show("csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_string()).collect();
    assert!(names.contains(&"small".to_string()) && names.contains(&"other".to_string()));
    assert!(!names.contains(&"scenario".to_string()), "one header");
    assert!(show("markdown").contains("| metric | limit |"));
    let human = show("human");
    let last: Vec<&str> = human.lines().rev().take(2).collect();
    assert!(last[1].starts_with("small   2 trials") && last[0].starts_with("other   2 trials"));
    let one = place.run(&["run", "small.toml", "--trials", "2", "--format", "json"]);
    let one: serde_json::Value = serde_json::from_str(&out(&one)).unwrap();
    assert_eq!(one["trials"]["finished"], 2);
}

#[test]
fn a_trial_repeats_itself() {
    let place = Place::new();
    small(&place);
    let run = place.run(&["run", "small.toml", "--check-determinism"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert_eq!(err(&run), "");
}

#[test]
fn variants_are_run_by_name_or_all_together() {
    let place = Place::new();
    let text = format!("{SMALL}\n[variant.sync]\n\"store.s.replication.mode\" = \"sync\"\n");
    place.file("two.toml", &text);
    let run = place.run(&["run", "two.toml", "--trials", "2", "--variant", "all"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let digest = |folder: &str| {
        let value: serde_json::Value =
            serde_json::from_str(&results(&place, folder, "results.json")).unwrap();
        value["scenario"]["digest"].to_string()
    };
    assert_ne!(digest("small"), digest("small@sync"));
    let twice = place.run(&["run", "two.toml", "two.toml", "--trials", "1"]);
    assert_eq!(code(&twice), 65);
    assert!(err(&twice).contains("there was a scenario `small`"), "{}", err(&twice));
}

#[test]
fn a_scenario_may_come_from_standard_input() {
    let place = Place::new();
    let mut command = place.command();
    command.args(["lint", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(SMALL.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), out(&output).as_str()), (0, "<stdin>: ok\n"));
}

#[test]
fn explain_shows_origins_and_the_calendar() {
    let place = Place::new();
    small(&place);
    let run = place.run(&["explain", "small.toml", "--trials", "2", "--set", "run.settle=40s"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let text = out(&run);
    for part in ["# small.toml:4", "# default (", "# override run.settle", "Round-trip", "Calendar"]
    {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

#[test]
fn the_schema_is_json() {
    let run = Place::new().run(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out(&run)).unwrap();
    assert!(schema["properties"]["store"].is_object());
}

#[test]
fn a_trace_tells_the_story_and_its_filters_shorten_it() {
    let place = Place::new();
    small(&place);
    let lines = |more: &[&str]| {
        let run = place.run(&[&["trace", "small.toml", "--trial", "1"], more].concat());
        assert_eq!(code(&run), 0, "{}", err(&run));
        out(&run).lines().map(String::from).collect::<Vec<_>>()
    };
    let story = lines(&[]);
    assert!(story.iter().any(|line| line.contains("FAULT cut (partition) begins")));
    assert!(story.iter().any(|line| line.contains("writes acknowledged by")));
    let faults = lines(&["--kind", "fault"]);
    assert!(faults.len() < story.len());
    let all = lines(&["--all", "--to", "jsonl"]);
    assert!(all.len() > 10 * story.len());
    let mut last = 0;
    for line in &all {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let at = value["at_ns"].as_u64().unwrap();
        assert!(last <= at, "time goes forward");
        last = at;
    }
    let early = lines(&["--all", "--to", "jsonl", "--until", "10s"]);
    assert!(!early.is_empty() && early.len() < all.len());
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let place = Place::new();
    small(&place);
    let mut command = place.command();
    command.args(["trace", "small.toml", "--all"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    assert!(first.starts_with("small, trial 0 of seed 7"));
}

/// The names of all files below a folder.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(names(&path));
        } else {
            found.push(path.file_name().unwrap().to_string_lossy().to_string());
        }
    }
    found.sort();
    found
}

#[cfg(unix)]
#[test]
fn an_interruption_keeps_what_is_finished() {
    let place = Place::new();
    small(&place);
    let mut command = place.command();
    command.args(["run", "small.toml", "--trials", "1000000", "--jobs", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert!(out(&output).contains("of 1000000 trials (interrupted)"), "{}", out(&output));
    let value: serde_json::Value =
        serde_json::from_str(&results(&place, "small", "results.json")).unwrap();
    let finished = value["trials"]["finished"].as_u64().unwrap();
    assert_eq!(value["trials"]["interrupted"], true);
    assert!(finished > 0);
    let rows = results(&place, "small", "trials.csv").lines().count() as u64;
    assert_eq!(rows, finished + 1);
    let whole = ["incidents.csv", "results.json", "summary.md", "trials.csv", "trials.json"];
    assert_eq!(names(&place.path("results")), whole);
}
