//! Every diagnostic has a broken scenario in `tests/bad/` with its exact rendered output.
//! `UPDATE=1 cargo test --test diagnostics` writes the outputs anew; a person reads the diff.

use regionsim::scenario::{Severity, load, load_with, render};
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

/// A bad file may open with `# variant: NAME` or `# set: KEY=VALUE` lines: what to load it with.
fn load_as_told(text: &str) -> Vec<regionsim::scenario::Diagnostic> {
    let mut overrides = Vec::new();
    let mut variant = None;
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("# variant: ") {
            variant = Some(name);
        }
        if let Some((key, value)) = line.strip_prefix("# set: ").and_then(|set| set.split_once('='))
        {
            overrides.push((key.to_string(), value.to_string()));
        }
    }
    load_with(text, &overrides, variant).1
}

#[test]
fn every_bad_file_gives_exactly_its_diagnostics() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in files("bad", "toml") {
        let text = fs::read_to_string(&path).expect("readable");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let diagnostics = load_as_told(&text);
        assert!(!diagnostics.is_empty(), "{name}: nothing is wrong with it");
        let shown = render(&diagnostics, &name, &text, false);
        let expected = path.with_extension("txt");
        if update {
            fs::write(&expected, &shown).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "run with UPDATE=1 and read the diff:\n{}", wrong.join("\n"));
}

#[test]
fn every_output_has_its_file() {
    for path in files("bad", "txt") {
        assert!(path.with_extension("toml").exists(), "{} has no .toml", path.display());
    }
}

/// The diagnostics of a file and of each of its variants, rendered.
fn shown_in_all_variants(path: &Path, severity: Option<Severity>) -> String {
    let text = fs::read_to_string(path).expect("readable");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let mut shown = String::new();
    let mut show = |variant: Option<&str>| {
        let (scenario, mut diagnostics) = load_with(&text, &[], variant);
        diagnostics.retain(|d| severity.is_none_or(|severity| d.severity == severity));
        shown.push_str(&render(&diagnostics, &name, &text, false));
        scenario.map(|scenario| scenario.variants).unwrap_or_default()
    };
    for variant in show(None) {
        show(Some(&variant));
    }
    shown
}

#[test]
fn every_good_file_is_silent_in_all_its_variants() {
    for path in files("good", "toml") {
        assert_eq!(shown_in_all_variants(&path, None), "");
    }
}

#[test]
fn every_shipped_scenario_is_free_of_errors_in_all_its_variants() {
    let mut errors = String::new();
    let folders = ["../scenarios/active-passive", "../scenarios/consensus", "../scenarios/labs"];
    for path in folders.iter().flat_map(|folder| files(folder, "toml")) {
        errors.push_str(&shown_in_all_variants(&path, Some(Severity::Error)));
        print!("{}", shown_in_all_variants(&path, Some(Severity::Warning)));
    }
    assert!(errors.is_empty(), "{errors}");
}

#[test]
fn an_error_means_no_scenario_and_a_warning_does_not() {
    for path in files("bad", "toml") {
        let text = fs::read_to_string(&path).expect("readable");
        let (scenario, diagnostics) = load(&text);
        let broken = diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(scenario.is_none(), broken, "{}", path.display());
    }
}
