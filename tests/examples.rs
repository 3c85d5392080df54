//! The examples for CI, for courses and for many machines do what they say: the commands in them
//! are run as they stand.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err, out};
use std::fs;
use std::process::Output;

const DESIGN: &str = include_str!("../examples/design.yml");
const GRADE: &str = include_str!("../examples/course/grade.yml");
const TEACHER: &str = include_str!("../examples/course/teacher.toml");
const STUDENT: &str = include_str!("../examples/course/student.toml");
const KUBERNETES: &str = include_str!("../examples/kubernetes.yaml");

/// The words of the steps of a workflow that call the program.
fn steps(workflow: &str) -> Vec<Vec<&str>> {
    let run = workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: regionsim "));
    run.map(|words| words.split_whitespace().collect()).collect()
}

/// A job ends with the first step that fails.
fn job(place: &Place, workflow: &str) -> Output {
    let mut last = None;
    for step in steps(workflow) {
        let told = place.run_as(&step, &[("GITHUB_STEP_SUMMARY", "page.md")]);
        let failed = code(&told) != 0;
        last = Some(told);
        if failed {
            break;
        }
    }
    last.expect("a workflow has steps")
}

#[test]
fn the_readme_shows_the_examples() {
    let readme = include_str!("../README.md");
    let slurm = include_str!("../examples/slurm.sh");
    for text in [DESIGN, GRADE, TEACHER, KUBERNETES, slurm] {
        assert!(readme.contains(text.trim_end()), "not in the README:\n{text}");
    }
}

#[test]
fn the_workflow_passes_a_good_design_and_stops_a_worse_one() {
    let place = Place::with("scenarios/homework.toml", STUDENT);
    assert_eq!(steps(DESIGN).len(), 2);
    let accept = ["run", "scenarios", "--quiet", "--baseline", "baseline", "--accept-baseline"];
    assert_eq!(code(&place.run(&accept)), 0);
    let good = job(&place, DESIGN);
    assert_eq!(code(&good), 0, "{}", err(&good));
    assert!(place.read("page.md").contains("homework"));
    assert!(place.read("junit.xml").contains("<testsuite name=\"homework\""));
    // A checker that waits for twice as many failures finds the loss later.
    let worse = STUDENT.replace("failure_threshold = 2", "failure_threshold = 4");
    place.file("scenarios/homework.toml", &worse);
    let stopped = job(&place, DESIGN);
    assert_eq!(code(&stopped), 1, "{}", err(&stopped));
    let said = err(&stopped);
    assert!(said.contains("::error") && said.contains("rto.first_write"), "{said}");
    // A broken file does not get as far as the run.
    place.file("scenarios/homework.toml", &STUDENT.replace("standbys", "stanbys"));
    let broken = job(&place, DESIGN);
    assert_eq!(code(&broken), 65);
    assert!(err(&broken).contains("did you mean `standbys`?"), "{}", err(&broken));
}

#[test]
fn the_teacher_judges_whatever_the_student_expects() {
    let place = Place::with("student.toml", STUDENT);
    place.file("teacher/teacher.toml", TEACHER);
    let good = job(&place, GRADE);
    assert_eq!(code(&good), 0, "{}{}", out(&good), err(&good));
    assert!(place.read("grade.xml").contains("tests=\"3\""), "{}", place.read("grade.xml"));
    // Without a failover nobody writes until the horizon; that its author is content changes nothing.
    let lazy = STUDENT.replace("[failover]", "[failover]\ntrigger = \"never\"");
    place.file(
        "student.toml",
        &format!("{lazy}\n[expect]\n\"rto.first_write\" = [\"p90 < 10h\"]\n"),
    );
    let failed = job(&place, GRADE);
    assert_eq!(code(&failed), 1, "{}{}", out(&failed), err(&failed));
    assert!(err(&failed).contains("::error file=teacher/teacher.toml,line="), "{}", err(&failed));
}

/// What stands after a key of the manifest.
fn of_manifest(key: &str) -> &'static str {
    let line = KUBERNETES.lines().find_map(|line| line.trim().strip_prefix(key));
    line.unwrap_or_else(|| panic!("no {key}")).trim()
}

#[test]
fn the_pods_of_the_manifest_are_one_run() {
    let place = Place::with("scenario/scenario.toml", STUDENT);
    let pods: u64 = of_manifest("completions:").parse().unwrap();
    let told = format!("value: \"{pods}\"");
    assert!(of_manifest("- { name: JOB_COMPLETIONS,").starts_with(&told));
    let command: Vec<String> = serde_json::from_str(of_manifest("command:")).unwrap();
    // What is mounted in a pod lies beside us here.
    let local = |word: &String| word.trim_start_matches('/').to_string();
    let words: Vec<String> = command[1..].iter().map(local).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for pod in 0..pods {
        let (index, pods) = (pod.to_string(), pods.to_string());
        let variables = [("JOB_COMPLETION_INDEX", &*index), ("JOB_COMPLETIONS", &*pods)];
        let told = place.run_as(&words, &variables);
        assert_eq!(code(&told), 0, "{}", err(&told));
    }
    let parts: Vec<String> =
        (1..=pods).map(|n| format!("results/homework/shard-{n}-of-{pods}.json")).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    assert_eq!(code(&place.run(&[&["merge"], &parts[..]].concat())), 0);
    assert_eq!(code(&place.run(&["run", words[1], "--out", "whole"])), 0);
    for file in ["results.json", "trials.csv", "incidents.csv", "summary.md"] {
        let read = |folder: &str| fs::read(place.path(folder).join("homework").join(file)).unwrap();
        assert_eq!(read("results"), read("whole"), "{file}");
    }
}
