//! `compare` and `ladder` as their users meet them.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, out};
use serde_json::Value;
use std::fs;

/// A small system with a cut of the primary's region, and two variants.
const SMALL: &str = r#"
schema_version = 1
scenario.name = "small"
run = { warmup = "5s", horizon = "50s", settle = "30s", trials = 6, seed = 7 }
region = { a = {}, b = {}, c = {} }
wan.default.rtt = "20ms"
store.s = { primary = "a", standbys = ["b"], replication = { mode = "async" } }
lease = { voters = ["a", "b", "c"], ttl = "6s", renew_interval = "2s" }
health_check = { checkers = ["a", "b", "c"], request_interval = "2s", timeout = "1s" }
failover = { controller.region = "c", fencing = ["token"] }
routing.via = { global_lb = { propagation = "1s" } }
clients.web = { region = "b", writes.per_second = 20 }
clients.near = { region = "a", writes.per_second = 20 }
fault = [{ name = "cut", kind = "partition", at = "20s", duration = "20s", isolate = ["a"] }]
[variant.again]
"scenario.title" = "the same"
[variant.waits]
"failover.trigger" = "never"
"#;

fn small() -> Place {
    Place::with("small.toml", SMALL)
}

fn comparison(place: &Place, folder: &str) -> Value {
    serde_json::from_str(&place.read(&format!("results/{folder}/comparison.json"))).unwrap()
}

fn cell<'a>(comparison: &'a Value, metric: &str, design: &str) -> &'a Value {
    let find = |list: &'a Value, key: &str, is: &str| {
        let list = list.as_array().unwrap();
        list.iter().find(|one| one[key] == is).unwrap_or_else(|| panic!("no {is}"))
    };
    find(&find(&comparison["metrics"], "metric", metric)["designs"], "design", design)
}

#[test]
fn a_design_against_itself_differs_by_exactly_nothing() {
    let place = small();
    let told = place.run(&["compare", "small.toml", "small.toml"]);
    assert_eq!(code(&told), 0, "{told:?}");
    assert!(out(&told).contains("the same in all designs: rto.restored"), "{}", out(&told));
    let comparison = comparison(&place, "compare-small");
    for metric in comparison["metrics"].as_array().unwrap() {
        let difference = &metric["designs"][1]["difference"];
        if metric["designs"][0]["value"]["count"] != 0 {
            assert_eq!(difference["sign"], 0, "{metric}");
            assert_eq!(difference["mean"], 0.0, "{metric}");
        }
        assert_eq!(metric["winner"], Value::Null);
    }
}

#[test]
fn variants_are_compared_over_the_same_trials() {
    let place = small();
    let told = place.run(&["compare", "small.toml", "--variants"]);
    assert_eq!(code(&told), 0, "{told:?}");
    let comparison = comparison(&place, "compare-small");
    // A title changes nothing that happens.
    assert_eq!(cell(&comparison, "writes.lost", "small@again")["difference"]["mean"], 0.0);
    // Waiting for the cut to heal loses nothing, and users near the primary never notice.
    let waits = |metric: &str| &cell(&comparison, metric, "small@waits")["difference"]["sign"];
    assert_eq!((waits("writes.lost"), waits("rto.first_write")), (&(-1).into(), &(-1).into()));
    assert_eq!(cell(&comparison, "writes.lost", "small@waits")["best"], true);
    // What a design says here is what it says alone.
    let alone = place.run(&["run", "small.toml", "--variant", "waits", "--format", "json"]);
    let alone: Value = serde_json::from_str(&out(&alone)).unwrap();
    let rto = alone["metrics"].as_array().unwrap().iter().find(|m| m["metric"] == "rto.restored");
    assert_eq!(&cell(&comparison, "rto.restored", "small@waits")["value"], rto.unwrap());
}

#[test]
fn the_number_of_jobs_changes_no_byte_and_every_format_is_told() {
    let place = small();
    for (format, begins) in
        [("json", "{"), ("jsonl", "{"), ("csv", "metric,"), ("markdown", "# "), ("human", "compa")]
    {
        let run = |jobs: &str| {
            let args = ["compare", "small.toml", "--variant", "base,waits", "--format", format];
            place.run(&[&args[..], &["--jobs", jobs]].concat())
        };
        let (one, two) = (run("1"), run("2"));
        assert_eq!(one.stdout, two.stdout);
        assert!(out(&one).starts_with(begins), "{format}: {}", out(&one));
    }
}

#[test]
fn the_first_row_of_a_ladder_is_what_run_says() {
    let place = small();
    let told = place.run(&["ladder", "small.toml"]);
    assert_eq!(code(&told), 0, "{told:?}");
    let text = out(&told);
    for rung in ["no fencing", "no lease", "no failover", "synchronous replication"] {
        assert!(text.contains(rung), "{text}");
    }
    place.run(&["run", "small.toml"]);
    let read = |path: &str| fs::read(place.path("results").join(path)).unwrap();
    for file in ["results.json", "trials.csv", "summary.md"] {
        let (rung, run) = (format!("ladder-small/as_written/{file}"), format!("small/{file}"));
        assert_eq!(read(&rung), read(&run), "{file}");
    }
    let ladder = comparison(&place, "ladder-small");
    let lease = &cell(&ladder, "split_brain.incidents", "no lease")["difference"]["sign"];
    assert_eq!(lease, &1, "without a lease the isolated primary goes on");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let place = small();
    assert_eq!(code(&place.run(&["compare", "small.toml"])), 2);
    assert_eq!(code(&place.run(&["compare", "small.toml", "nowhere.toml"])), 74);
    assert_eq!(code(&place.run(&["compare", "small.toml", "--variant", "base,wait"])), 65);
    assert_eq!(code(&place.run(&["compare", "small.toml", "--variants", "--trials", "0"])), 4);
    assert_eq!(code(&place.run(&["ladder", "small.toml", "--variant", "nobody"])), 65);
    assert!(!place.path("results").exists(), "nothing was run");
}

/// Active-passive, consensus and leaderless stores under the same users and the same cut.
#[test]
fn designs_of_other_kinds_are_compared_in_one_command() {
    let place = Place::new();
    let four = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/labs/four-designs.toml");
    let told = place.run(&["compare", four, "--variants", "--trials", "8"]);
    assert_eq!(code(&told), 0, "{told:?}");
    let ours = comparison(&place, "compare-four-designs");
    for design in ["sync", "consensus", "quorum"] {
        let design = format!("four-designs@{design}");
        let sign = |metric: &str| cell(&ours, metric, &design)["difference"]["sign"].clone();
        assert_eq!(sign("writes.lost"), -1, "{design} loses fewer writes");
        let write = "latency.p50{region=\"us-west\", kind=\"write\"}";
        assert_eq!(sign(write), 1, "{design} pays for it with latency");
    }
    let west = "availability.writes{region=\"us-west\"}";
    let better = |design: &str| cell(&ours, west, design)["difference"]["sign"].clone();
    assert_eq!(
        (better("four-designs@sync"), better("four-designs@consensus")),
        (json(-1), json(1))
    );
    // Each against itself is exactly nothing, whatever its kind.
    for design in ["base", "consensus", "quorum"] {
        let variant = format!("{design},{design}");
        let args = ["compare", four, "--variant", &variant, "--trials", "2", "--format", "json"];
        let told: Value = serde_json::from_str(&out(&place.run(&args))).unwrap();
        for metric in told["metrics"].as_array().unwrap() {
            let second = &metric["designs"][1];
            if second["value"]["count"] != 0 && second["difference"] != Value::Null {
                assert_eq!(second["difference"]["sign"], 0, "{design}: {metric}");
                assert_eq!(second["difference"]["mean"], 0.0, "{design}: {metric}");
            }
        }
    }
}

fn json(number: i8) -> Value {
    number.into()
}
