//! The house inspects itself: which room may use which, where third-party crates live, what is
//! banned, how long a file and a function may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder, sorted.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}")) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"))
}

/// The room a file of `src/` belongs to.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("below src");
    let first = inside.components().next().expect("a file").as_os_str().to_string_lossy();
    match first.trim_end_matches(".rs") {
        "main" | "cli" | "lib" | "experiment" | "report" => "porch".to_string(),
        room => room.to_string(),
    }
}

/// What each room may use of the others. The porch may use everything.
const ARROWS: [(&str, &[&str]); 6] = [
    ("sim", &[]),
    ("net", &["sim"]),
    ("model", &["sim"]),
    ("world", &["model", "net", "sim"]),
    ("measure", &["model", "sim"]),
    ("scenario", &["world", "measure", "model", "net", "sim"]),
];

/// Where each third-party crate may be named.
const CRATES: [(&str, &[&str]); 16] = [
    ("rand", &["sim"]),
    ("rand_chacha", &["sim"]),
    ("libm", &["sim", "measure"]),
    ("strsim", &["sim"]),
    ("petgraph", &["net"]),
    ("hdrhistogram", &["measure"]),
    ("serde", &["scenario", "porch"]),
    ("toml", &["scenario"]),
    ("annotate_snippets", &["scenario"]),
    ("serde_json", &["scenario", "porch"]),
    ("clap", &["porch"]),
    ("csv", &["porch"]),
    ("indicatif", &["porch"]),
    ("rayon", &["porch"]),
    ("comfy_table", &["porch"]),
    ("ctrlc", &["porch"]),
];

/// Code without comments: `//` to the end of the line. Good enough for `use` lines and names.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn rooms_use_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        let room = room(&path);
        let Some((_, below)) = ARROWS.iter().find(|(name, _)| *name == room) else { continue };
        let text = code(&read(&path));
        for other in ["sim", "net", "model", "world", "measure", "scenario", "experiment", "report"]
        {
            let named = text.contains(&format!("crate::{other}::"))
                || text.contains(&format!("crate::{other};"));
            if named && other != room && !below.contains(&other) {
                wrong.push(format!("{} uses {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the plan of the house does not have:\n{wrong:#?}");
}

#[test]
fn scenario_knows_only_the_plan_of_the_world() {
    for path in rust_files("src/scenario") {
        let text = code(&read(&path));
        for (i, _) in text.match_indices("crate::world::") {
            let rest = &text[i + "crate::world::".len()..];
            let allowed = ["plan", "fault", "operator", "layout"];
            assert!(
                allowed.iter().any(|part| rest.starts_with(part)),
                "{} uses more of world than its plan: {}",
                path.display(),
                rest.lines().next().unwrap_or("")
            );
        }
    }
}

#[test]
fn only_the_phases_read_claims() {
    for path in rust_files("src/measure") {
        if path.ends_with("phases.rs") || path.ends_with("mod.rs") {
            continue;
        }
        let text = code(&read(&path));
        let named = text.contains("Claim") || text.contains("on_claim");
        assert!(!named, "{} reads claims; measures are judged from facts", path.display());
    }
}

#[test]
fn third_party_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        let text = code(&read(&path));
        for (name, rooms) in CRATES {
            let named = text.contains(&format!("use {name}::"))
                || text.contains(&format!(" {name}::"))
                || text.contains(&format!("({name}::"));
            if named && !rooms.contains(&room(&path).as_str()) {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_that_could_differ_between_two_runs_is_named() {
    const BANNED: [(&str, &str); 9] = [
        ("HashMap", "its order is not its key order"),
        ("HashSet", "its order is not its key order"),
        ("Instant", "only the binary may look at a clock"),
        ("SystemTime", "only the binary may look at a clock"),
        ("DefaultHasher", "labels are hashed by our own function"),
        ("thread_rng", "dice come from named streams"),
        ("todo!", "unfinished"),
        ("unimplemented!", "unfinished"),
        ("dbg!", "left over"),
    ];
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        let text = code(&read(&path));
        for (name, why) in BANNED {
            let word = |i: usize| {
                let before = text[..i].chars().next_back();
                let after = text[i + name.len()..].chars().next();
                let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !part(before) && !part(after)
            };
            if text.match_indices(name).any(|(i, _)| word(i)) {
                wrong.push(format!("{} names {name}: {why}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = read(&path);
        assert!(text.starts_with("//!"), "{} has no opening comment", path.display());
    }
}

#[test]
fn every_room_has_a_charter() {
    for (name, _) in ARROWS {
        let text = read(Path::new(&format!("src/{name}/mod.rs")));
        let charter: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let charter = charter.join("\n");
        for part in ["May use", "Will never know", "# Decided"] {
            assert!(charter.contains(part), "src/{name}/mod.rs: its charter lacks {part:?}");
        }
    }
}

#[test]
fn a_file_fits_a_sitting_and_a_function_a_screen() {
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > 400 {
            wrong.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (i, line) in lines.iter().enumerate() {
            let body = line.trim_start();
            let indent = line.len() - body.len();
            let is_fn =
                body.starts_with("fn ") || (body.starts_with("pub") && body.contains(" fn "));
            // A signature has no body, on however many lines it is written; a function on one
            // line is one line long.
            let opens = lines[i..].iter().find(|l| l.ends_with(['{', ';', '}']));
            if !is_fn || opens.is_none_or(|l| !l.ends_with('{')) {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let length = lines[i..].iter().position(|l| *l == close).unwrap_or(0);
            if length > 70 {
                wrong.push(format!("{}:{}: a function of {length} lines", path.display(), i + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_top_level_is_what_the_readme_lists() {
    const KNOWN: [&str; 18] = [
        ".ci",
        ".git",
        ".gitignore",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "clippy.toml",
        "examples",
        "results",
        "rustfmt.toml",
        "scenarios",
        "src",
        "target",
        "tests",
        ".github",
    ];
    for entry in fs::read_dir(".").expect("the project's folder") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        assert!(KNOWN.contains(&name.as_str()), "a stray file at the top: {name}");
    }
}

/// Every `.toml` below `scenarios/`, sorted.
fn scenarios() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("scenarios") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_scenario_has_a_golden_report_and_every_golden_a_scenario() {
    let stem = |path: &PathBuf| path.file_stem().expect("named").to_string_lossy().into_owned();
    let scenarios: Vec<String> = scenarios().iter().map(stem).collect();
    let goldens = fs::read_dir("tests/golden").expect("tests/golden");
    let mut goldens: Vec<String> = goldens.map(|e| stem(&e.expect("readable").path())).collect();
    goldens.sort();
    let mut sorted = scenarios.clone();
    sorted.sort();
    assert_eq!(sorted, goldens);
}

#[test]
fn every_scenario_opens_with_its_story_a_question_and_what_to_try_next() {
    for path in scenarios() {
        let text = read(&path);
        let story: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let story = story.join("\n");
        for part in ["Question:", "What to see:", "What to try next:"] {
            assert!(story.contains(part), "{}: its story lacks {part:?}", path.display());
        }
    }
}
