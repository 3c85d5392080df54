//! Whatever the file holds, the reader answers: it never panics, hangs or eats memory.
//! `READER_CASES=100000 cargo test --test reader_laws` runs for longer.

use proptest::prelude::*;
use regionsim::scenario::{Severity, explain, load, load_with, render};
use std::fmt::Write as _;

const SAMPLE: &str = include_str!("good/interface.toml");

/// Bounded by default; an environment variable raises the count.
fn cases() -> ProptestConfig {
    let cases = std::env::var("READER_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// All that a porch would do with a file.
fn survives(text: &str) {
    let (scenario, diagnostics) = load(text);
    let errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(scenario.is_none(), errors);
    assert!(diagnostics.len() <= 101);
    render(&diagnostics, "x.toml", text, true);
    explain::explain(text, &[], None);
}

/// Pieces that TOML and scenarios are made of.
fn piece() -> impl Strategy<Value = String> {
    let words: Vec<&str> = SAMPLE.split_whitespace().collect();
    let marks = vec!["[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\n", "#", "\"\"\""];
    prop_oneof![
        3 => proptest::sample::select(words).prop_map(str::to_string),
        3 => proptest::sample::select(marks).prop_map(str::to_string),
        1 => Just("\n[lease.x]\n".to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_map(|x| format!("{x:e}")),
        1 => "[a-z0-9%\" ]{0,8}",
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_characters_are_read(text in "\\PC{0,300}") {
        survives(&text);
    }

    #[test]
    fn random_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_pieces_are_read(pieces in proptest::collection::vec(piece(), 0..120)) {
        survives(&pieces.join(" "));
    }

    #[test]
    fn a_mutated_scenario_is_read(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..40, piece()), 1..6),
    ) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (at, length, new) in cuts {
            let from = at.index(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, new.chars());
        }
        survives(&text.into_iter().collect::<String>());
    }

    /// A line's value is replaced by that of another line, or by something absurd: the file
    /// stays TOML, so that the checks behind the parser are reached.
    #[test]
    fn a_scenario_with_swapped_values_is_read(
        swaps in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8),
        absurd in proptest::sample::select(vec![
            "0", "-1", "1e300", "nan", "\"0s\"", "\"36500d\"", "\"100%\"", "[]", "{}", "\"\"", "true",
            "9223372036854775807", "\"1ns\"", "{ dist = \"pareto\", min = \"1ns\", alpha = 1e-3 }",
            "{ dist = \"lognormal\", p50 = \"1ns\", p99 = \"36500d\" }", "\"us-east/zone\"",
        ]),
    ) {
        let mut lines: Vec<String> = SAMPLE.lines().map(str::to_string).collect();
        let values: Vec<String> = lines.iter().filter_map(|l| l.split_once('=')).map(|(_, v)| v.to_string()).collect();
        for (i, (at, from)) in swaps.iter().enumerate() {
            let at = at.index(lines.len());
            let Some((key, _)) = lines[at].split_once('=') else { continue };
            let value = if i % 2 == 0 { absurd } else { values[from.index(values.len())].as_str() };
            lines[at] = format!("{key}= {value}");
        }
        survives(&lines.join("\n"));
    }

    #[test]
    fn random_overrides_are_read(key in "[a-z_.\"]{0,30}", value in "\\PC{0,30}") {
        let known = ["store.orders", "lease", "fault.cut", "wan.links.0", "run", "variant", "remove"];
        for prefix in known {
            let set = [(format!("{prefix}.{key}"), value.clone()), (key.clone(), value.clone())];
            let (_, diagnostics) = load_with(SAMPLE, &set, Some(&key));
            render(&diagnostics, "x.toml", SAMPLE, false);
        }
    }
}

/// The message of the one error that names a limit.
fn refusal(text: &str) -> String {
    let (scenario, diagnostics) = load(text);
    assert!(scenario.is_none());
    render(&diagnostics, "big.toml", text, false)
}

#[test]
fn ten_megabytes_are_refused() {
    let text = format!("# {}\n", "x".repeat(10_000_000));
    assert!(refusal(&text).contains("the limit is 1 MiB"));
}

#[test]
fn a_hundred_thousand_values_are_the_most() {
    let text = format!("x = [{}]\n", "1,".repeat(200_000));
    assert!(refusal(&text).contains("the limit of 100000"));
}

#[test]
fn a_million_brackets_are_nested_too_deep() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let text = format!("x = {}{}", open.repeat(100_000), close.repeat(100_000));
        assert!(refusal(&text).contains("the limit is 64 levels"), "{open}");
    }
    let text = format!("{}x = 1\n", "a.".repeat(100_000));
    assert!(refusal(&text).contains("the limit is 64 levels"));
}

#[test]
fn ten_thousand_regions_are_refused() {
    let mut text = SAMPLE.to_string();
    for i in 0..10_000 {
        let _ = writeln!(text, "[region.r{i}]");
    }
    assert!(refusal(&text).contains("the limit is 256"));
}

#[test]
fn a_long_line_and_a_long_word_are_shown_short() {
    let word = "x".repeat(500_000);
    let shown = refusal(&format!("{word} = 1\n[run]\nhorizon = \"{word}\"\n"));
    assert!(shown.len() < 10_000, "{} bytes", shown.len());
}

#[test]
fn ninety_thousand_mistakes_are_found_quickly() {
    let mut wrong = String::new();
    for i in 0..45_000 {
        let _ = writeln!(wrong, "wrnog{i} = \"x\"");
    }
    let shown = refusal(&SAMPLE.replace("[policy]", &format!("{wrong}[policy]")));
    assert!(shown.contains("more like these"));
    let lists = format!("standbys = [{}]", "\"us-esat\", ".repeat(90_000));
    assert!(
        refusal(&SAMPLE.replace("standbys = [\"us-west\"]", &lists)).contains("more like these")
    );
}

#[test]
fn the_digest_tells_texts_and_overrides_apart() {
    let digest =
        |text: &str, set: &[(String, String)]| load_with(text, set, None).0.map(|s| s.digest);
    let set = [("run.trials".to_string(), "9".to_string())];
    let plain = digest(SAMPLE, &[]);
    assert!(plain.is_some());
    assert_eq!(plain, digest(&SAMPLE.replace('\n', "\r\n"), &[]));
    assert_ne!(plain, digest(&SAMPLE.replace("43s", "44s"), &[]));
    assert_ne!(plain, digest(SAMPLE, &set));
}
