//! The page about a run: whole, alone, and the same for the same run.

use std::fs;
use std::process::Command;

/// Runs a scenario in little time and gives its page and its results.
fn page(scenario: &str, jobs: &str) -> (String, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_regionsim"))
        .args(["run", scenario, "--trials", "3", "--html", "--quiet", "--jobs", jobs, "--out", out])
        .output()
        .unwrap();
    assert!(run.status.code().is_some_and(|code| code < 4), "{run:?}");
    let results = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(results.join("report.html")).unwrap();
    let json = fs::read_to_string(results.join("results.json")).unwrap();
    (text, serde_json::from_str(&json).unwrap())
}

const SPLIT: &str = "scenarios/active-passive/split-brain.toml";

#[test]
fn every_block_is_there_and_the_page_needs_nothing_but_itself() {
    let (page, results) = page(SPLIT, "2");
    let blocks = [
        "verdict",
        "objectives",
        "happened",
        "distributions",
        "topology",
        "assumptions",
        "reproduce",
    ];
    let places: Vec<Option<usize>> =
        blocks.iter().map(|id| page.find(&format!("id=\"{id}\""))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    for outside in ["http://", "https://", "@import", "url(", " src="] {
        let said = page.split("<summary>The scenario</summary>").next().unwrap();
        assert!(!said.contains(outside), "{outside}");
    }
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    // The lanes show what the judges found, and every number of the results is on the page.
    let mut metrics = results["metrics"].as_array().unwrap().iter();
    let split = metrics.find(|metric| metric["metric"] == "split_brain.incidents").unwrap();
    assert!(split["max"].as_f64().unwrap() > 0.0);
    assert!(page.contains("class=\"split\"") && page.contains("two primaries answered in "));
    assert!(page.contains(results["scenario"]["digest"].as_str().unwrap()));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
}

#[test]
fn the_same_run_makes_the_same_page_on_any_number_of_threads() {
    assert!(page(SPLIT, "1").0 == page(SPLIT, "2").0);
}
