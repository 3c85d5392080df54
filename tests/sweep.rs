//! `sweep` as its users meet it.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err, out};
use serde_json::Value;
use std::fs;
use std::process::Output;

/// A cut of the primary's region; nobody takes over, so the outage is as long as the cut.
const SMALL: &str = r#"
schema_version = 1
scenario.name = "small"
run = { warmup = "5s", horizon = "80s", settle = "20s", trials = 6, seed = 7 }
region = { a = {}, b = {} }
wan.default.rtt = "20ms"
store.s = { primary = "a", standbys = ["b"], replication = { mode = "async" } }
clients.web = { region = "b", writes.per_second = 20 }
fault = [{ name = "cut", kind = "partition", at = "20s", duration = "20s", isolate = ["a"] }]
expect."rto.first_write" = "p50 < 1h"
"#;

fn small() -> Place {
    Place::with("small.toml", SMALL)
}

fn sweep(place: &Place, args: &[&str]) -> Output {
    place.run(&[&["sweep", "small.toml"], args].concat())
}

#[test]
fn the_outage_grows_with_the_cut_and_the_chart_shows_it() {
    let place = small();
    let told = sweep(&place, &["-P", "fault.cut.duration", "10s", "40s", "10s", "--ascii"]);
    assert_eq!(code(&told), 0, "{}", err(&told));
    let shown = out(&told);
    assert!(shown.starts_with("sweep of small over fault.cut.duration   4 points, 6 trials each"));
    assert!(shown.contains("rto.first_write over fault.cut.duration") && shown.contains('o'));
    let value = place.read("results/sweep-small/sweep.json");
    let value: Value = serde_json::from_str(&value).unwrap();
    let outage = |point: usize| {
        let metrics = value["points"][point]["metrics"].as_array().unwrap();
        let rto = metrics.iter().find(|m| m["metric"] == "rto.first_write").unwrap();
        rto["mean"].as_f64().unwrap()
    };
    for point in 0..4 {
        let cut = 10.0 * (point + 1) as f64;
        assert!((cut..cut + 3.0).contains(&outage(point)), "{cut}: {}", outage(point));
    }
}

#[test]
fn a_point_of_a_sweep_is_what_run_says_there() {
    let place = small();
    let args = [
        "-L",
        "fault.cut.duration",
        "10s,30s",
        "-P",
        "clients.web.writes.per_second",
        "5",
        "10",
        "5",
    ];
    let told = sweep(&place, &[&args[..], &["--format", "csv"]].concat());
    assert_eq!(code(&told), 0, "{}", err(&told));
    let rows = out(&told);
    let head = rows.lines().next().unwrap();
    // Ranges come before lists, whatever the order on the command line.
    assert!(
        head.starts_with("clients.web.writes.per_second,fault.cut.duration,scenario,"),
        "{head}"
    );
    let of_point: Vec<&str> =
        rows.lines().filter_map(|line| line.strip_prefix("10,30s,")).collect();
    let set = ["--set", "fault.cut.duration=30s", "--set", "clients.web.writes.per_second=10"];
    let run = out(&place.run(&[&["run", "small.toml", "--format", "csv"], &set[..]].concat()));
    assert_eq!(of_point, run.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn what_was_finished_is_not_run_again_and_changes_no_byte() {
    let place = small();
    let few = ["-L", "fault.cut.duration", "10s,20s"];
    let more = ["-L", "fault.cut.duration", "10s,20s,30s", "--format", "json"];
    assert_eq!(code(&sweep(&place, &few)), 0);
    let resumed = sweep(&place, &more);
    assert!(err(&resumed).contains("2 points were there already"));
    let fresh = sweep(&place, &[&more[..], &["--fresh", "--jobs", "1"]].concat());
    assert!(fresh.stderr.is_empty());
    assert_eq!(resumed.stdout, fresh.stdout);
    // Another seed is another sweep: nothing of it is there.
    let other = sweep(&place, &[&few[..], &["--seed", "8"]].concat());
    assert!(!err(&other).contains("already"), "{}", err(&other));
    // A torn file of a point is as good as none.
    let kept = place.path("results/sweep-small/points/fault.cut.duration=10s.json");
    fs::write(&kept, &fs::read(&kept).unwrap()[..100]).unwrap();
    let mended = sweep(&place, &[&few[..], &["--seed", "8"]].concat());
    assert!(err(&mended).contains("1 points were there already"), "{}", err(&mended));
}

#[test]
fn what_cannot_be_swept_is_said_before_anything_runs() {
    let place = small();
    assert_eq!(code(&sweep(&place, &[])), 2);
    assert_eq!(code(&sweep(&place, &["-P", "fault.cut.duration", "10s", "40s", "0s"])), 2);
    assert_eq!(code(&sweep(&place, &["-L", "fault.cut.duration", "10s", "--metric", "rto"])), 2);
    let wrong = sweep(&place, &["-L", "fault.cut.duration", "10s,ten"]);
    assert_eq!(code(&wrong), 65);
    assert!(err(&wrong).contains("at fault.cut.duration=ten"), "{}", err(&wrong));
    assert_eq!(code(&sweep(&place, &["-L", "fault.cut.duraton", "10s"])), 65);
    assert!(!place.path("results").exists());
}
