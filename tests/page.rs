//! The pages: whole, alone, the same for the same results, and the same when made afterwards.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SPLIT: &str = "scenarios/active-passive/split-brain.toml";
const CUT: &str = "scenarios/active-passive/partition-43s.toml";

/// A folder with results, and the page in it.
struct Results(tempfile::TempDir);

impl Results {
    /// Runs a command that writes a page, in little time.
    fn of(args: &[&str]) -> Results {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let more = ["--html", "--quiet", "--out", out];
        let run = Command::new(env!("CARGO_BIN_EXE_regionsim")).args(args).args(more).output();
        let run = run.unwrap();
        assert!(run.status.code().is_some_and(|code| code < 4), "{run:?}");
        Results(folder)
    }
    fn folder(&self) -> PathBuf {
        fs::read_dir(self.0.path()).unwrap().next().unwrap().unwrap().path()
    }
    fn page(&self) -> String {
        fs::read_to_string(self.folder().join("report.html")).unwrap()
    }
    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.folder().join(file)).unwrap()).unwrap()
    }
}

fn few(scenario: &str) -> Results {
    Results::of(&["run", scenario, "--trials", "3"])
}

/// The blocks of a page, in order.
fn blocks(page: &str) -> Vec<String> {
    let ids = page.split("<section id=\"").skip(1);
    ids.map(|rest| rest.split('"').next().unwrap().to_string()).collect()
}

#[test]
fn every_block_is_there_and_the_page_needs_nothing_but_itself() {
    let results = few(SPLIT);
    let (page, json) = (results.page(), results.json("results.json"));
    let all =
        ["objectives", "happened", "time", "distributions", "topology", "assumptions", "reproduce"];
    assert_eq!(blocks(&page), all);
    assert!(page.contains("id=\"verdict\""));
    let own = page.split("<summary>The scenario</summary>").next().unwrap();
    for outside in ["https://", "@import", "url(h", " src=", "<link"] {
        assert!(!own.contains(outside), "{outside}");
    }
    // The one address is a name: that of SVG.
    assert_eq!(own.matches("http://").count(), own.matches("http://www.w3.org/2000/svg").count());
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    // The lanes show what the judges found.
    let mut metrics = json["metrics"].as_array().unwrap().iter();
    let split = metrics.find(|metric| metric["metric"] == "split_brain.incidents").unwrap();
    assert!(split["max"].as_f64().unwrap() > 0.0);
    assert!(page.contains("class=\"t split\"") && page.contains("two primaries answered in "));
    assert!(page.contains(json["scenario"]["digest"].as_str().unwrap()));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
}

#[test]
fn the_same_run_makes_the_same_page_on_any_number_of_threads() {
    let on = |jobs: &str| Results::of(&["run", SPLIT, "--trials", "4", "--jobs", jobs]).page();
    assert!(on("1") == on("2"));
}

#[test]
fn lanes_tell_links_leases_opinions_rights_and_what_clients_got() {
    let page = few(CUT).page();
    for told in [
        "no way to and from ",
        "says: I hold the lease",
        "says: orders@us-east is unhealthy",
        "of 5 say that orders@us-east is unhealthy",
        "says: I am primary, or lead",
        "fenced: another has its right",
        "admits writes",
        "writes acknowledged here, at most ",
        "; none from ",
        "was given the right to be primary",
        "the fault cut lasts",
        "promote (orders)",
        "data-view=\"near\"",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert!(page.contains("objective <code>rto.restored</code>"), "the policy is judged");
    for part in ["detect", "promote", "DNS tail"] {
        assert!(page.contains(&format!("us-east: {part} ")), "{part}");
    }
}

#[test]
fn designs_stand_side_by_side_and_a_ladder_and_a_sweep_say_what_would_change_it() {
    let compared = Results::of(&["compare", SPLIT, "--variant", "base,storage", "--trials", "4"]);
    let page = compared.page();
    assert_eq!(blocks(&page)[..3], ["objectives", "designs", "happened"]);
    assert!(
        page.contains("◆ unbeaten") && page.contains("<optgroup label=\"ap-split-brain@storage\">")
    );
    let json = compared.json("comparison.json");
    let metrics = json["metrics"].as_array().unwrap();
    let rto = metrics.iter().find(|metric| metric["metric"] == "rto.restored").unwrap();
    let mean = rto["designs"][1]["difference"]["mean"].as_f64().unwrap();
    assert!(page.contains(&format!("data-of=\"difference\" value=\"{mean}\"")), "{mean}");

    let ladder = Results::of(&["ladder", SPLIT, "--trials", "2"]).page();
    assert!(blocks(&ladder).contains(&"change".to_string()));
    assert!(ladder.contains("class=\"t rung better\"") && ladder.contains("regionsim ladder "));

    let grid = ["sweep", CUT, "-P", "lease.ttl", "10s", "20s", "5s", "--trials", "2"];
    let swept =
        Results::of(&[&grid[..], &["-L", "store.orders.replication.mode", "async,sync"]].concat());
    let page = swept.page();
    assert_eq!(blocks(&page), ["change", "topology", "assumptions", "reproduce"]);
    assert_eq!(
        page.matches("over <code>lease.ttl</code>, store.orders.replication.mode=sync").count(),
        4
    );
    assert!(page.contains("-L lease.ttl 10s,15s,20s"), "the command is there");
}

/// `report` makes of a results folder the page that the command would have written.
#[test]
fn a_page_made_afterwards_is_the_same() {
    let all: [&[&str]; 4] = [
        &["run", CUT, "--trials", "3", "--set", "lease.ttl=20s"],
        &["compare", SPLIT, "--variant", "base,storage", "--trials", "3"],
        &["ladder", SPLIT, "--trials", "2"],
        &[
            "sweep",
            CUT,
            "-P",
            "lease.ttl",
            "10s",
            "20s",
            "5s",
            "--trials",
            "2",
            "--metric",
            "rpo.time",
        ],
    ];
    for args in all {
        let results = Results::of(args);
        let before = results.page();
        fs::remove_file(results.folder().join("report.html")).unwrap();
        let again = Command::new(env!("CARGO_BIN_EXE_regionsim"))
            .args(["report", results.folder().to_str().unwrap(), "--quiet"])
            .output()
            .unwrap();
        assert!(again.status.success(), "{args:?}: {again:?}");
        assert!(results.page() == before, "{args:?}");
    }
}

#[test]
fn a_folder_without_results_or_with_torn_ones_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let told = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        let output = command.args(["report", folder.path().to_str().unwrap()]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(matches!(told(), (Some(74), why) if why.contains("no results here")));
    fs::write(folder.path().join("trials.json"), "{\"format\":").unwrap();
    assert!(matches!(told(), (Some(74), why) if why.contains("torn: it ends in the middle")));
}

#[test]
fn the_inputs_are_those_that_explain_tells() {
    let page = few(CUT).page();
    let text = fs::read_to_string(CUT).unwrap();
    let (explanation, _) = regionsim::scenario::explain::explain(&text, &[], None);
    let rows = explanation.unwrap().rows;
    assert!(page.contains(&format!("where it came from ({})", rows.len())));
    let escaped = regionsim::report::html::escaped;
    for row in &rows {
        let source = row.source.show("the scenario");
        let cells = [&row.table, &row.key, &row.value, &source].map(|cell| escaped(cell));
        let told = format!("<tr><td>{}</td></tr>", cells.join("</td><td>"));
        assert!(page.contains(&told), "{told}");
    }
}
