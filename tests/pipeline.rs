//! What a pipeline sees of `run`: a baseline, JUnit, annotations, enough trials and no more.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err, out};
use std::fs;
use std::process::Output;

const SCENARIO: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/active-passive/partition-43s.toml");

/// A run of it that takes little time.
fn run(place: &Place, more: &[&str]) -> Output {
    let mut args = vec!["run", SCENARIO, "--trials", "6", "--out", "out"];
    args.extend(["--set", "run.horizon=15m", "--set", "run.settle=2m"]);
    args.extend(["--set", "expect={}", "--set", "clients.east-web.writes.per_second=4"]);
    args.extend(["--set", "clients.eu-web.writes.per_second=4"]);
    args.extend(more);
    place.run(&args)
}

#[test]
fn a_baseline_is_made_held_against_and_replaced() {
    let place = Place::new();
    let against = ["--baseline", "baseline"];
    let none = run(&place, &against);
    assert_eq!(code(&none), 74, "there is none yet: {}", err(&none));
    assert!(err(&none).contains("--accept-baseline makes one"));

    let accept = [against[0], against[1], "--accept-baseline"];
    assert_eq!(code(&run(&place, &accept)), 0);
    let same = run(&place, &against);
    assert_eq!(code(&same), 0);
    assert!(out(&same).contains("metrics are exactly the same"), "{}", out(&same));

    // A slower name server is a regression, and named.
    let slow = ["--set", "routing.via.dns.ttl=5m"];
    let worse = run(&place, &[&against[..], &slow[..]].concat());
    assert_eq!(code(&worse), 1, "{}", err(&worse));
    let told = out(&worse);
    let rto = told
        .lines()
        .find(|line| line.trim_start().starts_with("rto.restored") && line.contains("worse"));
    assert!(rto.is_some_and(|line| line.contains('+') && line.contains('[')), "{told}");

    // Tolerated, it is none; accepted, it is the new baseline.
    let tolerant = [&against[..], &slow[..], &["--tolerance", "500%"]].concat();
    assert_eq!(code(&run(&place, &tolerant)), 2, "a share is at most 100 %");
    assert_eq!(code(&run(&place, &[&accept[..], &slow[..]].concat())), 0);
    assert_eq!(code(&run(&place, &[&against[..], &slow[..]].concat())), 0);
    let better = run(&place, &against);
    assert_eq!(code(&better), 0);
    assert!(out(&better).contains("better"));
}

#[test]
fn a_baseline_of_something_else_or_torn_is_refused() {
    let place = Place::new();
    let against = ["--baseline", "baseline"];
    run(&place, &[&against[..], &["--accept-baseline"]].concat());
    let whole = place.path("baseline/ap-async-43s");
    let other =
        run(&place, &["--baseline", whole.to_str().unwrap(), "--set", "scenario.name=\"other\""]);
    assert_eq!(code(&other), 74);
    assert!(err(&other).contains("not of `other`"), "{}", err(&other));
    fs::write(whole.join("results.json"), "{\"format\": ").unwrap();
    let torn = run(&place, &against);
    assert_eq!(code(&torn), 74);
    assert!(err(&torn).contains("results.json"), "{}", err(&torn));
}

#[test]
fn what_fails_is_told_to_machines_at_the_line_that_expects_it() {
    let place = Place::new();
    let judge = "# what the teacher expects\n[expect]\n\"rto.restored\" = [\"max < 1s\"]\n";
    place.file("teacher.toml", judge);
    let args = ["run", SCENARIO, "--trials", "2", "--github", "--no-progress", "--out", "out"];
    let more = ["--junit", "junit.xml", "--expect", "teacher.toml"];
    let page = [("GITHUB_STEP_SUMMARY", "page.md")];
    let told = place.run_as(&[&args[..], &more].concat(), &page);
    assert_eq!(code(&told), 1);
    let note = "::error file=teacher.toml,line=3,title=rto.restored::max is ";
    assert!(err(&told).contains(note), "{}", err(&told));
    assert!(place.read("page.md").starts_with("# "));
    let xml = place.read("junit.xml");
    assert!(xml.contains("<testsuite name=\"ap-async-43s\" tests=\"1\""), "{xml}");
    assert!(xml.contains("failures=\"1\"") && xml.contains("type=\"fail\""), "{xml}");
    assert!(!xml.contains("timestamp"), "no wall-clock time in a file that is compared");
}

#[test]
fn trials_end_when_enough_is_known_and_their_number_is_no_matter_of_threads() {
    let place = Place::new();
    let run = |jobs: &str, until: &str| {
        let small = ["--set", "run.horizon=13m", "--set", "run.settle=1m", "--set", "expect={}"];
        let slow = ["--set", "clients.east-web.writes.per_second=4", "--set"];
        let slow = [&slow[..], &["clients.eu-web.writes.per_second=4"]].concat();
        let args = ["run", SCENARIO, "--trials", "60", "--format", "json", "--jobs", jobs];
        place.run(&[&args[..], &["--out", jobs, "--until-ci", until], &small, &slow].concat())
    };
    let wide = run("1", "rto.restored=50%");
    assert!(err(&wide).contains("stopped after 32 trials: mean of rto.restored"), "{}", err(&wide));
    assert_eq!(wide.stdout, run("2", "rto.restored=50%").stdout);
    let narrow = run("2", "rto.restored=0.01%");
    assert!(err(&narrow).contains("gave up after 60 trials"), "{}", err(&narrow));
    assert_eq!(code(&narrow), 0, "all that were asked for were run");
    assert_eq!(code(&run("1", "rto.restord=5%")), 2);
}

#[test]
fn help_to_begin_is_printed_and_overwrites_nothing() {
    let place = Place::new();
    assert_eq!(code(&place.run(&["new", "first.toml"])), 0);
    assert_eq!(code(&place.run(&["lint", "first.toml"])), 0);
    assert_eq!(code(&place.run(&["new", "first.toml"])), 2, "it exists");
    assert_eq!(out(&place.run(&["new"])), place.read("first.toml"));
    for shell in ["bash", "zsh", "fish"] {
        let text = out(&place.run(&["completions", shell]));
        assert!(text.contains("regionsim") && text.contains("until-ci"), "{shell}");
    }
    let page = out(&place.run(&["man"]));
    assert!(page.contains(".TH regionsim") && page.contains("\\-\\-baseline"), "{}", &page[..300]);
}
