//! Parts of a run in jobs of their own, joined again; and a judge who is not the author.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A small system with a cut, and an expectation of its author's.
const SMALL: &str = r#"
schema_version = 1
scenario.name = "small"
run = { warmup = "5s", horizon = "50s", settle = "30s", trials = 11, seed = 7 }
region = { a = {}, b = {} }
wan.default.rtt = "20ms"
store.s = { primary = "a", standbys = ["b"], replication = { mode = "async" } }
clients.web = { region = "b", writes.per_second = 20 }
fault = [{ name = "cut", kind = "partition", at = "20s", duration = "20s", isolate = ["a"] }]
expect."rto.first_write" = "max < 10h"
[variant.short]
"fault.cut.duration" = "5s"
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.file("small.toml", SMALL);
        place
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
    fn run_as(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        let command = command.current_dir(self.0.path()).args(args).stdin(Stdio::null());
        command.envs(variables.iter().copied()).output().unwrap()
    }
    fn run(&self, args: &[&str]) -> Output {
        self.run_as(args, &[])
    }
    fn shard(&self, part: &str) -> String {
        let told = self.run(&["run", "small.toml", "--variant", "short", "--shard", part]);
        assert_eq!(code(&told), 0, "{told:?}");
        assert!(told.stdout.is_empty(), "a part judges nothing");
        format!("results/small@short/shard-{}.json", part.replace('/', "-of-"))
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn parts_in_any_order_are_what_one_run_says_byte_for_byte() {
    let place = Place::new();
    let parts = ["2/3", "3/3", "1/3"].map(|part| place.shard(part));
    let [a, b, c] = parts.each_ref().map(String::as_str);
    let merged = place.run(&["merge", b, a, c, "--out", "merged"]);
    let whole = place.run(&["run", "small.toml", "--variant", "short", "--out", "whole"]);
    assert_eq!((code(&merged), code(&whole)), (0, 0), "{merged:?}");
    assert_eq!(merged.stdout, whole.stdout);
    for file in ["results.json", "trials.csv", "incidents.csv", "summary.md"] {
        let read = |out: &str| fs::read(place.path(&format!("{out}/small@short/{file}"))).unwrap();
        assert_eq!(read("merged"), read("whole"), "{file}");
    }
}

#[test]
fn a_job_of_an_array_knows_its_part() {
    let place = Place::new();
    let args = ["run", "small.toml", "--shard", "auto"];
    let slurm = [
        ("SLURM_ARRAY_TASK_ID", "1"),
        ("SLURM_ARRAY_TASK_MIN", "0"),
        ("SLURM_ARRAY_TASK_COUNT", "2"),
    ];
    assert_eq!(code(&place.run_as(&args, &slurm)), 0);
    let indexed = [("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "2")];
    assert_eq!(code(&place.run_as(&args, &indexed)), 0);
    let parts = ["1-of-2", "2-of-2"].map(|part| format!("results/small/shard-{part}.json"));
    assert_eq!(code(&place.run(&["merge", &parts[1], &parts[0]])), 0);
    assert_eq!(code(&place.run(&args)), 2, "no job of an array");
}

#[test]
fn what_is_missing_torn_or_foreign_is_named() {
    let place = Place::new();
    let [one, three] = ["1/3", "3/3"].map(|part| place.shard(part));
    let missing = place.run(&["merge", &one, &three]);
    assert_eq!(code(&missing), 65);
    assert_eq!(complaint(&missing), "error: part 2/3 is missing\n");

    let text = fs::read_to_string(place.path(&one)).unwrap();
    place.file("torn.json", &text[..text.len() - 40]);
    let torn = place.run(&["merge", "torn.json", &three]);
    assert_eq!(code(&torn), 65);
    assert_eq!(complaint(&torn), "error: torn.json: torn: it ends in the middle\n");

    place.file("other.toml", &SMALL.replace("20ms", "30ms"));
    let other = place.run(&["run", "other.toml", "--variant", "short", "--shard", "2/3"]);
    assert_eq!(code(&other), 0);
    let two = "results/small@short/shard-2-of-3.json";
    let foreign = place.run(&["merge", &one, two, &three]);
    assert_eq!(code(&foreign), 65);
    assert!(complaint(&foreign).contains("another scenario than"), "{}", complaint(&foreign));

    assert_eq!(code(&place.run(&["merge", "nowhere.json"])), 74);
    assert_eq!(code(&place.run(&["run", "small.toml", "--shard", "4/3"])), 2);
}

#[test]
fn the_judge_may_be_another_than_the_author() {
    let place = Place::new();
    assert_eq!(code(&place.run(&["run", "small.toml"])), 0, "its author is content");
    place.file("judge.toml", "[expect]\n\"rto.first_write\" = [\"max < 10s\"]\n");
    assert_eq!(code(&place.run(&["run", "small.toml", "--expect", "judge.toml"])), 1);
    // The judge's word travels with the parts.
    for part in ["1/2", "2/2"] {
        let args = ["run", "small.toml", "--expect", "judge.toml", "--shard", part];
        assert_eq!(code(&place.run(&args)), 0);
    }
    let parts = ["results/small/shard-1-of-2.json", "results/small/shard-2-of-2.json"];
    assert_eq!(code(&place.run(&["merge", parts[0], parts[1]])), 1);

    place.file("judge.toml", "[expect]\n\"rto.first_wrte\" = [\"max < 10s\"]\n[run]\ntrials = 1\n");
    let broken = place.run(&["run", "small.toml", "--expect", "judge.toml"]);
    assert_eq!(code(&broken), 65);
    let said = complaint(&broken);
    assert!(said.contains("judge.toml:2:1") && said.contains("`rto.first_write`"), "{said}");
    assert!(said.contains("judge.toml:3:2") && said.contains("unknown key `run`"), "{said}");
}
