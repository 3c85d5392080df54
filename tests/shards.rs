//! Parts of a run in jobs of their own, joined again; and a judge who is not the author.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err};
use std::fs;

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

fn small() -> Place {
    Place::with("small.toml", SMALL)
}

fn shard(place: &Place, part: &str) -> String {
    let told = place.run(&["run", "small.toml", "--variant", "short", "--shard", part]);
    assert_eq!(code(&told), 0, "{told:?}");
    assert!(told.stdout.is_empty(), "a part judges nothing");
    format!("results/small@short/shard-{}.json", part.replace('/', "-of-"))
}

#[test]
fn parts_in_any_order_are_what_one_run_says_byte_for_byte() {
    let place = small();
    let parts = ["2/3", "3/3", "1/3"].map(|part| shard(&place, part));
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
    let place = small();
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
    let place = small();
    let [one, three] = ["1/3", "3/3"].map(|part| shard(&place, part));
    let missing = place.run(&["merge", &one, &three]);
    assert_eq!(code(&missing), 65);
    assert_eq!(err(&missing), "error: part 2/3 is missing\n");

    let text = place.read(&one);
    place.file("torn.json", &text[..text.len() - 40]);
    let torn = place.run(&["merge", "torn.json", &three]);
    assert_eq!(code(&torn), 65);
    assert_eq!(err(&torn), "error: torn.json: torn: it ends in the middle\n");

    place.file("other.toml", &SMALL.replace("20ms", "30ms"));
    let other = place.run(&["run", "other.toml", "--variant", "short", "--shard", "2/3"]);
    assert_eq!(code(&other), 0);
    let two = "results/small@short/shard-2-of-3.json";
    let foreign = place.run(&["merge", &one, two, &three]);
    assert_eq!(code(&foreign), 65);
    assert!(err(&foreign).contains("another scenario than"), "{}", err(&foreign));

    assert_eq!(code(&place.run(&["merge", "nowhere.json"])), 74);
    assert_eq!(code(&place.run(&["run", "small.toml", "--shard", "4/3"])), 2);
}

#[test]
fn the_judge_may_be_another_than_the_author() {
    let place = small();
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
    let said = err(&broken);
    assert!(said.contains("judge.toml:2:1") && said.contains("`rto.first_write`"), "{said}");
    assert!(said.contains("judge.toml:3:2") && said.contains("unknown key `run`"), "{said}");
}

#[test]
fn a_judge_is_read_once_for_all_scenarios() {
    let place = small();
    place.file("other.toml", &SMALL.replace("\"small\"", "\"other\""));
    let judge =
        fs::File::open(place.file("judge.toml", "[expect]\n\"rto.first_write\" = \"p50 < 1s\"\n"));
    // Standard input can be read but once.
    let args = ["run", "small.toml", "other.toml", "--expect", "-", "--no-progress"];
    let told = place.command().args(args).stdin(judge.unwrap()).output().unwrap();
    assert_eq!(code(&told), 1, "{}", err(&told));
    let text = String::from_utf8(told.stdout).unwrap();
    assert_eq!(text.matches("p50 < 1s").count(), 2, "{text}");
}
