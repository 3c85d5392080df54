//! `sweep` as its users meet it.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

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

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.path("small.toml"), SMALL).unwrap();
        place
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn sweep(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        let command = command.current_dir(self.0.path()).args(["sweep", "small.toml"]).args(args);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_outage_grows_with_the_cut_and_the_chart_shows_it() {
    let place = Place::new();
    let told = place.sweep(&["-P", "fault.cut.duration", "10s", "40s", "10s", "--ascii"]);
    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    let shown = text(&told.stdout);
    assert!(shown.starts_with("sweep of small over fault.cut.duration   4 points, 6 trials each"));
    assert!(shown.contains("rto.first_write over fault.cut.duration") && shown.contains('o'));
    let value: Value =
        serde_json::from_slice(&fs::read(place.path("results/sweep-small/sweep.json")).unwrap())
            .unwrap();
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
    let place = Place::new();
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
    let told = place.sweep(&[&args[..], &["--format", "csv"]].concat());
    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    let rows = text(&told.stdout);
    let head = rows.lines().next().unwrap();
    // Ranges come before lists, whatever the order on the command line.
    assert!(
        head.starts_with("clients.web.writes.per_second,fault.cut.duration,scenario,"),
        "{head}"
    );
    let of_point: Vec<&str> =
        rows.lines().filter_map(|line| line.strip_prefix("10,30s,")).collect();
    let mut run = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    let set = ["--set", "fault.cut.duration=30s", "--set", "clients.web.writes.per_second=10"];
    let run =
        run.current_dir(place.0.path()).args(["run", "small.toml", "--format", "csv"]).args(set);
    let run = text(&run.output().unwrap().stdout);
    assert_eq!(of_point, run.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn what_was_finished_is_not_run_again_and_changes_no_byte() {
    let place = Place::new();
    let few = ["-L", "fault.cut.duration", "10s,20s"];
    let more = ["-L", "fault.cut.duration", "10s,20s,30s", "--format", "json"];
    assert_eq!(code(&place.sweep(&few)), 0);
    let resumed = place.sweep(&more);
    assert!(text(&resumed.stderr).contains("2 points were there already"));
    let fresh = place.sweep(&[&more[..], &["--fresh", "--jobs", "1"]].concat());
    assert!(fresh.stderr.is_empty());
    assert_eq!(resumed.stdout, fresh.stdout);
    // Another seed is another sweep: nothing of it is there.
    let other = place.sweep(&[&few[..], &["--seed", "8"]].concat());
    assert!(!text(&other.stderr).contains("already"), "{}", text(&other.stderr));
    // A torn file of a point is as good as none.
    let kept = place.path("results/sweep-small/points/fault.cut.duration=10s.json");
    fs::write(&kept, &fs::read(&kept).unwrap()[..100]).unwrap();
    let mended = place.sweep(&[&few[..], &["--seed", "8"]].concat());
    assert!(
        text(&mended.stderr).contains("1 points were there already"),
        "{}",
        text(&mended.stderr)
    );
}

#[test]
fn what_cannot_be_swept_is_said_before_anything_runs() {
    let place = Place::new();
    assert_eq!(code(&place.sweep(&[])), 2);
    assert_eq!(code(&place.sweep(&["-P", "fault.cut.duration", "10s", "40s", "0s"])), 2);
    assert_eq!(code(&place.sweep(&["-L", "fault.cut.duration", "10s", "--metric", "rto"])), 2);
    let wrong = place.sweep(&["-L", "fault.cut.duration", "10s,ten"]);
    assert_eq!(code(&wrong), 65);
    assert!(text(&wrong.stderr).contains("at fault.cut.duration=ten"), "{}", text(&wrong.stderr));
    assert_eq!(code(&place.sweep(&["-L", "fault.cut.duraton", "10s"])), 65);
    assert!(!place.path("results").exists());
}
