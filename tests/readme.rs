//! The README keeps its word: its commands end as it says, its examples are what the program
//! prints, its reference is the one the program makes.
//!
//! `UPDATE=1 cargo test --test readme` rewrites what the program makes; read the diff.

use regionsim::scenario::{load, reference::reference};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = "README.md";
/// The run whose files are kept.
const EXAMPLE: &str = "results/example";
/// How many trials a command gets that states none: the test is of the command, not of the odds.
const FEW: &str = "2";

fn readme() -> String {
    fs::read_to_string(README).expect("a README")
}

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// The words after `regionsim`, if a line is a command of ours.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.split('#').next().unwrap_or("").trim();
    let args = match line.strip_prefix("regionsim ") {
        Some(args) => args,
        None => line.strip_prefix("cargo run ")?.split_once("-- ")?.1,
    };
    Some(args.split_whitespace().map(str::to_string).collect())
}

/// Runs the program at the top of the project; what it writes goes to `out`.
fn regionsim(args: &[String], out: &Path) -> Output {
    let mut args = args.to_vec();
    if ["run", "compare", "ladder", "sweep"].contains(&args[0].as_str()) {
        if let Some(at) = args.iter().position(|arg| arg == "--out") {
            args.drain(at..at + 2);
        }
        args.extend(["--out".to_string(), out.display().to_string()]);
    }
    if args[0] == "report" {
        // Results are where this test has them written.
        let there = |arg: &String| match arg.strip_prefix("results/") {
            Some(name) => out.join(name).display().to_string(),
            None => arg.clone(),
        };
        args = args.iter().map(there).collect();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_regionsim")).args(&args).output();
    output.unwrap_or_else(|error| panic!("{args:?}: {error}"))
}

/// The fenced blocks: language and text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                found.push((language.to_string(), String::new()));
            }
            None if open => {
                let (_, text) = found.last_mut().expect("a block is open");
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    found
}

/// The README with every part that is made put in anew.
fn made(text: &str, out: &Path) -> String {
    let mut lines = text.lines();
    let mut made = String::new();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        let Some(what) = line.strip_prefix("<!-- ").and_then(|l| l.strip_suffix(" -->")) else {
            continue;
        };
        let fill = if let Some(line) = what.strip_prefix("output of: ") {
            let output = regionsim(&command(line).expect("a command"), out);
            let both = [output.stdout, output.stderr].concat();
            Some(String::from_utf8(both).expect("text"))
        } else {
            what.strip_prefix("file: ").map(|path| fs::read_to_string(path).expect(path))
        };
        if let Some(fill) = fill {
            made.push_str(lines.next().expect("a block follows"));
            made.push_str(&format!("\n{}\n```\n", fill.trim_end()));
            assert!(lines.by_ref().any(|line| line == "```"), "{what}: the block has no end");
        } else if what == "reference: begin" {
            made.push_str(&format!("\n{}\n\n<!-- reference: end -->\n", reference().trim()));
            assert!(lines.by_ref().any(|line| line == "<!-- reference: end -->"));
        }
    }
    made
}

/// The first line in which two texts differ.
fn parting(ours: &str, theirs: &str) -> String {
    let differs = |(a, b): &(&str, &str)| a != b;
    match ours.lines().zip(theirs.lines()).find(differs) {
        Some((a, b)) => format!("here:    {a}\nprogram: {b}"),
        None => "one is longer than the other".to_string(),
    }
}

#[test]
fn what_the_program_makes_is_what_it_makes() {
    let out = tempfile::tempdir().expect("a folder");
    let old = readme();
    let new = made(&old, out.path());
    let mut wrong = Vec::new();
    if old != new {
        wrong.push(format!("{README}\n{}", parting(&old, &new)));
    }
    let label = "ap-async-43s";
    let kept = PathBuf::from(EXAMPLE).join(label);
    for entry in fs::read_dir(out.path().join(label)).expect("the example was run") {
        let path = entry.expect("readable").path();
        if path.ends_with("results.json") || path.ends_with("trials.json") {
            // Tens of thousands of lines would drown every diff.
            continue;
        }
        let kept = kept.join(path.file_name().expect("named"));
        let new = fs::read_to_string(&path).expect("text");
        let old = fs::read_to_string(&kept).unwrap_or_default();
        if updating() {
            fs::create_dir_all(kept.parent().expect("a folder")).expect("a folder");
            fs::write(&kept, &new).expect("written");
        } else if old != new {
            wrong.push(format!("{}\n{}", kept.display(), parting(&old, &new)));
        }
    }
    if updating() {
        fs::write(README, new).expect("written");
        return;
    }
    assert!(wrong.is_empty(), "UPDATE=1 rewrites them:\n{}", wrong.join("\n\n"));
}

#[test]
fn every_command_ends_as_the_readme_says() {
    let out = tempfile::tempdir().expect("a folder");
    let text = readme();
    let mut count = 0;
    for (language, block) in blocks(&text) {
        for line in block.lines().filter(|_| language == "sh") {
            let Some(mut args) = command(line) else {
                assert!(line.starts_with("cargo "), "not a command this test can check: {line}");
                continue;
            };
            let code = line.split_once("# exits ").map_or(0, |(_, n)| n.trim().parse().unwrap());
            let few = args[0] == "run" && !args.iter().any(|arg| arg == "--trials");
            if few {
                args.extend(["--trials".to_string(), FEW.to_string()]);
            }
            let output = regionsim(&args, out.path());
            let ended = output.status.code().expect("not killed");
            // So few trials may not be able to tell what the number in the file can.
            let may = ended == code || (few && code == 0 && ended == 3);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(may, "`{line}` ends with {ended}, not {code}\n{errors}");
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} commands found");
}

#[test]
fn the_first_scenario_has_nothing_wrong_with_it() {
    let text = readme();
    let after = text.split_once("<!-- first scenario -->").expect("a first scenario").1;
    let (language, toml) = blocks(after).swap_remove(0);
    assert_eq!(language, "toml");
    let (scenario, diagnostics) = load(&toml);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(scenario.expect("no diagnostics").name, "first");
}

#[test]
fn every_file_it_points_to_is_there() {
    let text = readme();
    for (at, _) in text.match_indices("](") {
        let target = text[at + 2..].split(')').next().unwrap_or("");
        if target.starts_with("http") || target.starts_with('#') {
            continue;
        }
        assert!(Path::new(target).exists(), "the README points to {target}");
    }
}
