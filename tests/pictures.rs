//! Pictures elsewhere: files that other programs open, held against the rules of their formats.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const CUT: &str = "scenarios/active-passive/partition-43s.toml";
const SPLIT: &str = "scenarios/active-passive/split-brain.toml";
const COUNCIL: &str = "scenarios/active-passive/three-sentinels.toml";

fn drawn(scenario: &str, to: &str, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    let output = command.args(["trace", scenario, "--to", to]).args(more).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn nanos(value: &Value) -> u64 {
    // Microseconds with three digits after the point: whole nanoseconds.
    (value.as_f64().unwrap_or_else(|| panic!("{value} is no time")) * 1e3).round() as u64
}

/// Complete events, by thread: from when to when.
type Complete = BTreeMap<(u64, u64), Vec<(u64, u64)>>;

/// Complete events of a thread lie within each other or apart.
fn nest(complete: &Complete) {
    for (thread, mut spans) in complete.clone() {
        spans.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        let mut open: Vec<u64> = Vec::new();
        for (from, to) in spans {
            while open.last().is_some_and(|end| *end <= from) {
                open.pop();
            }
            assert!(
                open.last().is_none_or(|end| to <= *end),
                "{thread:?}: {from} to {to} sticks out"
            );
            open.push(to);
        }
    }
}

/// The rules of "Trace Event Format": complete events of a thread nest, flows have both ends and ids
/// of their own, an end is not before its beginning, processes and threads have names.
fn check_perfetto(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    let events = file["traceEvents"].as_array().unwrap().clone();
    let (mut named, mut used) = (BTreeSet::new(), BTreeSet::new());
    let mut complete = Complete::new();
    let mut flows: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    let mut spells: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for event in &events {
        let thread = || (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        match event["ph"].as_str().unwrap() {
            "M" => drop(named.insert((
                event["name"] == "process_name",
                event["pid"].as_u64(),
                event["tid"].as_u64(),
            ))),
            "X" => {
                let (at, length) = (nanos(&event["ts"]), nanos(&event["dur"]));
                complete.entry(thread()).or_default().push((at, at + length));
                used.insert(thread());
            }
            "s" | "f" => flows.entry(event["id"].as_u64().unwrap()).or_default().push(event),
            "b" | "e" => {
                spells.entry(event["id"].as_str().unwrap().to_string()).or_default().push(event)
            }
            "i" => drop(used.insert(thread())),
            "C" => {
                assert!(event["args"].as_object().unwrap().values().all(Value::is_u64), "{event}")
            }
            other => panic!("no event is of kind {other}"),
        }
    }
    for (pid, tid) in used {
        assert!(named.contains(&(true, Some(pid), Some(0))), "process {pid} has no name");
        assert!(named.contains(&(false, Some(pid), Some(tid))), "thread {tid} has no name");
    }
    nest(&complete);
    let begins: BTreeSet<((u64, u64), u64)> = complete
        .iter()
        .flat_map(|(thread, all)| all.iter().map(|(from, _)| (*thread, *from)))
        .collect();
    for (id, ends) in flows {
        let [begin, end] = ends.as_slice() else { panic!("flow {id} has {} ends", ends.len()) };
        assert!(begin["ph"] == "s" && end["ph"] == "f" && end["bp"] == "e", "{begin} {end}");
        assert_eq!((&begin["name"], &begin["cat"]), (&end["name"], &end["cat"]));
        assert!(nanos(&begin["ts"]) <= nanos(&end["ts"]));
        for end in [begin, end] {
            // A flow hangs on a slice that begins at that very moment.
            let thread = (end["pid"].as_u64().unwrap(), end["tid"].as_u64().unwrap());
            let at = nanos(&end["ts"]);
            assert!(begins.contains(&(thread, at)), "{end} hangs in the air");
        }
    }
    for (id, ends) in spells {
        let [begin, end] = ends.as_slice() else { panic!("{id} has {} ends", ends.len()) };
        assert!(begin["ph"] == "b" && end["ph"] == "e" && nanos(&begin["ts"]) <= nanos(&end["ts"]));
        assert_eq!((&begin["name"], &begin["cat"]), (&end["name"], &end["cat"]));
    }
    events
}

#[test]
fn a_trace_for_perfetto_keeps_the_rules_of_the_format() {
    for (scenario, more) in [(CUT, &["--trial", "3"][..]), (SPLIT, &["--trial", "1"])] {
        let events = check_perfetto(&drawn(scenario, "perfetto", more));
        let named = |ph: &str, name: &str| {
            events
                .iter()
                .filter(|e| e["ph"] == ph && e["name"].as_str().unwrap().contains(name))
                .count()
        };
        assert!(
            named("s", "control: ") > 0 && named("s", "client: request") > 0,
            "messages are there"
        );
        assert!(named("C", "lag of orders@us-west") > 10 && named("C", "writes acknowledged") > 10);
        assert!(named("X", "admits writes") > 0 && named("X", "fault") > 0);
    }
}

/// Reads XML as far as it must be well formed: tags closed in order, attributes quoted, no bare signs.
fn well_formed(text: &str) -> usize {
    let (mut open, mut count, mut rest) = (Vec::new(), 0, text.trim());
    assert!(rest.starts_with("<svg ") && rest.contains("xmlns=\"http://www.w3.org/2000/svg\""));
    while let Some(at) = rest.find('<') {
        let between = &rest[..at];
        assert!(!between.contains('>'), "a bare sign in `{between}`");
        assert!(!between.contains('&') || between.contains(';'), "`{between}`");
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        count += 1;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_string()), "tags close in order");
            continue;
        }
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        let attributes = tag[name.len()..].trim_end_matches('/');
        assert!(attributes.matches('"').count().is_multiple_of(2), "<{tag}>");
        let names: Vec<&str> =
            attributes.split('"').step_by(2).map(str::trim).filter(|a| !a.is_empty()).collect();
        assert!(names.iter().all(|name| name.ends_with('=')), "<{tag}>");
        let distinct: BTreeSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "an attribute twice in <{tag}>");
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?}");
    count
}

#[test]
fn lanes_for_slides_are_well_formed_and_need_nothing_else() {
    for scenario in [CUT, SPLIT] {
        let svg = drawn(scenario, "svg", &[]);
        assert!(well_formed(&svg) > 60);
        // Colours are in it, for no program knows the variables of our page.
        assert!(svg.contains("<style>") && !svg.contains("var(--"));
        assert!(svg.contains("trial 0 of seed"));
    }
    assert!(drawn(SPLIT, "svg", &[]).contains("split brain: two histories take writes"));
}

#[test]
fn a_sequence_diagram_fits_a_document() {
    for scenario in [CUT, SPLIT, COUNCIL] {
        let text = drawn(scenario, "mermaid", &["--trial", "1"]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "sequenceDiagram");
        let known: BTreeSet<&str> = lines
            .iter()
            .filter_map(|l| l.trim().strip_prefix("participant "))
            .map(|l| l.split(' ').next().unwrap())
            .collect();
        let body: Vec<&str> = lines[1 + known.len()..].iter().map(|line| line.trim()).collect();
        assert!(body.len() > 6 && body.len() <= 42, "{} lines", body.len());
        for line in body {
            let (who, said) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            let who = who.strip_prefix("Note over ").unwrap_or(who);
            assert!(
                who.split("->>").flat_map(|w| w.split(',')).all(|w| known.contains(w)),
                "{line}"
            );
            assert!(!said.is_empty() && !said.contains(';') && !said.contains('#'), "{line}");
        }
        assert!(text.contains("FAULT ") && text.contains("->>"), "{text}");
    }
}

#[test]
fn lines_of_json_are_a_value_each() {
    let text = drawn(CUT, "jsonl", &["--from", "10m", "--until", "12m"]);
    assert!(text.lines().count() > 10);
    text.lines().for_each(|line| assert!(serde_json::from_str::<Value>(line).unwrap().is_object()));
}
