//! Histories for other checkers: read back they say what the run said, and Jepsen's notion of a lost
//! element, written down again from its definition, counts what our judges count.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const CUT: &str = "scenarios/active-passive/partition-43s.toml";
const SPLIT: &str = "scenarios/active-passive/split-brain.toml";
const QUORUM: &str = "scenarios/labs/partial-quorums.toml";

fn regionsim(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_regionsim")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn history(args: &[&str]) -> String {
    let (code, out, errors) = regionsim(&[&["export"], args].concat());
    assert_eq!(code, 0, "{errors}");
    out
}

/// What one line says, whatever the format.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    index: u64,
    time: u64,
    process: u64,
    kind: String,
    f: String,
    value: Value,
}

/// Reads a value of EDN as far as our files need it: integers, `nil`, keywords, vectors, sets, maps.
fn edn(text: &mut &str) -> Value {
    *text = text.trim_start_matches([' ', ',', '\n']);
    for (open, close) in [("#{", '}'), ("{", '}'), ("[", ']')] {
        if let Some(rest) = text.strip_prefix(open) {
            *text = rest;
            let mut items = Vec::new();
            loop {
                *text = text.trim_start_matches([' ', ',', '\n']);
                if let Some(rest) = text.strip_prefix(close) {
                    *text = rest;
                    break;
                }
                items.push(edn(text));
            }
            if open != "{" {
                return Value::Array(items);
            }
            let pairs =
                items.chunks(2).map(|pair| (pair[0].as_str().unwrap().into(), pair[1].clone()));
            return Value::Object(pairs.collect());
        }
    }
    let end = text.find([' ', ',', ']', '}', '\n']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    *text = rest;
    match word.strip_prefix(':') {
        Some(keyword) => Value::String(keyword.to_string()),
        None if word == "nil" => Value::Null,
        None => word.parse::<u64>().map(Value::from).unwrap_or_else(|_| panic!("no EDN: `{word}`")),
    }
}

fn line(value: &Value) -> Line {
    let number = |key: &str| value[key].as_u64().unwrap_or_else(|| panic!("{key} of {value}"));
    let word =
        |key: &str| value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}")).to_string();
    Line {
        index: number("index"),
        time: number("time"),
        process: number("process"),
        kind: word("type"),
        f: word("f"),
        value: value["value"].clone(),
    }
}

fn of_edn(text: &str) -> Vec<Line> {
    text.lines().map(|mut text| line(&edn(&mut text))).collect()
}

fn of_json(text: &str) -> Vec<Line> {
    text.lines().map(|text| line(&serde_json::from_str(text).unwrap())).collect()
}

/// Every process does one thing at a time, begins before it ends, and never goes on after doubt;
/// indices count, and time does not go back.
fn well_formed(lines: &[Line]) {
    let (mut busy, mut crashed) = (BTreeMap::new(), BTreeSet::new());
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line.index, i as u64);
        assert!(i == 0 || lines[i - 1].time <= line.time, "{line:?}");
        assert!(!crashed.contains(&line.process), "a crashed process goes on: {line:?}");
        if line.kind == "invoke" {
            assert!(busy.insert(line.process, line.f.clone()).is_none(), "{line:?}");
        } else {
            assert_eq!(busy.remove(&line.process).as_ref(), Some(&line.f), "{line:?}");
            if line.kind == "info" {
                crashed.insert(line.process);
            }
        }
    }
}

/// The dumb twin of `jepsen.checker/set`: acknowledged adds that the final read does not have.
fn lost_by_definition(lines: &[Line]) -> (usize, usize) {
    let values = |kind: &str| -> BTreeSet<u64> {
        let adds = lines.iter().filter(|line| line.f == "add" && line.kind == kind);
        adds.map(|line| line.value.as_u64().unwrap()).collect()
    };
    let (attempts, acknowledged) = (values("invoke"), values("ok"));
    let read =
        lines.iter().rfind(|line| line.f == "read" && line.kind == "ok").expect("a final read");
    let read: BTreeSet<u64> =
        read.value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    let unexpected = read.difference(&attempts).count();
    (acknowledged.difference(&read).count(), unexpected)
}

/// What our judges count in the first trials.
fn judged(scenario: &str, trials: usize, metric: &str) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let (out, number) = (folder.path().to_str().unwrap(), trials.to_string());
    let (code, _, errors) =
        regionsim(&["run", scenario, "--trials", &number, "--quiet", "--out", out]);
    assert!(code < 4, "{errors}");
    let results = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    column(&results.join("trials.csv"), metric)
}

fn column(path: &Path, metric: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader.headers().unwrap().iter().position(|name| name == metric).unwrap();
    reader.records().map(|row| row.unwrap()[at].parse().unwrap()).collect()
}

#[test]
fn lost_elements_by_jepsens_definition_are_our_lost_writes() {
    for scenario in [CUT, SPLIT] {
        let ours = judged(scenario, 2, "writes.lost");
        assert!(ours.iter().any(|lost| *lost > 100.0), "{ours:?}");
        for (trial, ours) in ours.iter().enumerate() {
            let lines =
                of_edn(&history(&[scenario, "--to", "jepsen", "--trial", &trial.to_string()]));
            well_formed(&lines);
            assert_eq!(
                lost_by_definition(&lines),
                (*ours as usize, 0),
                "{scenario}, trial {trial}"
            );
        }
    }
}

#[test]
fn the_same_history_in_two_formats_reads_back_the_same() {
    for workload in ["list-append", "register"] {
        let jepsen = history(&[CUT, "--to", "jepsen", "--workload", workload]);
        let elle = history(&[CUT, "--to", "elle", "--workload", workload]);
        let (jepsen, elle) = (of_edn(&jepsen), of_json(&elle));
        well_formed(&jepsen);
        well_formed(&elle);
        assert_eq!(jepsen.len(), elle.len());
        for (a, b) in jepsen.iter().zip(&elle) {
            let bare = |line: &Line| (line.index, line.time, line.process, line.kind.clone());
            assert_eq!(bare(a), bare(b));
            // A register of Jepsen is a tuple, one of Elle a transaction of one step.
            let step = &b.value[0];
            if workload == "list-append" {
                assert_eq!(a.value, b.value);
            } else {
                assert_eq!(a.value[0], step[1]);
                assert_eq!(a.value[1], step[2]);
                assert_eq!(a.f == "write", step[0] == "w");
            }
        }
    }
}

/// In a store of versions a read returns the value that some write of its key wrote, or none; and
/// Porcupine's operations are those of the other histories without what failed.
#[test]
fn registers_of_a_quorum_are_told_to_porcupine_as_to_elle() {
    let elle = of_json(&history(&[QUORUM, "--to", "elle", "--workload", "register"]));
    well_formed(&elle);
    let mut written: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let (mut expected, mut read) = (Vec::new(), 0);
    let mut began: BTreeMap<u64, u64> = BTreeMap::new();
    for line in &elle {
        let step = line.value[0].as_array().unwrap();
        let (key, value) = (step[1].as_u64().unwrap(), step[2].as_u64());
        let write = step[0] == "w";
        match line.kind.as_str() {
            "invoke" => {
                began.insert(line.process, line.time);
                if write {
                    assert!(
                        written.entry(key).or_default().insert(value.unwrap()),
                        "written twice"
                    );
                }
            }
            "ok" if !write => {
                read += usize::from(value.is_some());
                assert!(value.is_none_or(|value| written[&key].contains(&value)), "{line:?}");
            }
            _ => {}
        }
        if line.kind == "ok" {
            expected.push((began[&line.process], line.time, write, key));
        }
    }
    assert!(read > 100, "only {read} reads found anything");
    let porcupine = history(&[QUORUM, "--to", "porcupine"]);
    let mut told = Vec::new();
    for text in porcupine.lines() {
        let op: Value = serde_json::from_str(text).unwrap();
        let number = |key: &str| op[key].as_u64().unwrap();
        assert!(number("Call") <= number("Return"));
        if op["Output"] != serde_json::json!({}) || elle.iter().any(|l| l.time == number("Return"))
        {
            let write = op["Input"]["Op"] == "write";
            told.push((
                number("Call"),
                number("Return"),
                write,
                op["Input"]["Key"].as_u64().unwrap(),
            ));
        }
    }
    expected.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn what_a_checker_or_a_store_has_not_is_said() {
    let (code, _, errors) = regionsim(&["export", CUT, "--to", "porcupine", "--workload", "set"]);
    assert!(code == 2 && errors.contains("`porcupine` has no workload `set`"), "{errors}");
    let (code, _, errors) = regionsim(&["export", QUORUM, "--to", "jepsen"]);
    assert!(code == 2 && errors.contains("it has registers, no lists or sets"), "{errors}");
    let (code, _, errors) = regionsim(&["export", CUT, "--to", "jepsen", "--store", "nobody"]);
    assert!(code == 2 && errors.contains("no store `nobody`; there are orders"), "{errors}");
}
