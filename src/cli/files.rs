//! Which scenario files are meant, and what they hold.

use super::output::{complain, error_colour, tell};
use super::{Change, Exit};
use regionsim::scenario::{
    Diagnostic, LIMIT_BYTES, Scenario, Severity, expect_instead, load_with, render,
};
use regionsim::world::Stage;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The deepest folder below the one that was named.
const LIMIT_DEPTH: usize = 32;

/// The files that are meant: a file is itself, a folder all `.toml` files below it, by name.
/// Folders that cannot be read are complained of; so are folders without scenarios.
pub fn meant(paths: &[PathBuf]) -> (Vec<PathBuf>, Exit) {
    let (mut found, mut exit) = (Vec::new(), Exit::Good);
    for path in paths {
        if path.as_os_str() == "-" || !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        if let Err(error) = below(path, 0, &mut found) {
            complain(&format!("cannot read {}: {error}", path.display()));
            exit = exit.max(Exit::Io);
        } else if found.len() == before {
            complain(&format!("{}: no scenario (.toml) below this folder", path.display()));
            exit = exit.max(Exit::Nothing);
        }
    }
    (found, exit)
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        // A link to a folder is not followed, for it may lead back here.
        let is_folder = fs::symlink_metadata(&path)?.is_dir();
        if is_folder && depth < LIMIT_DEPTH {
            below(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// A file's text and the name it goes by in messages.
pub struct Text {
    /// As the user gave it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Reads a file, or standard input for `-`. Never more than a scenario may have.
///
/// # Errors
/// The exit code; the complaint has been made.
pub fn read(path: &Path) -> Result<Text, Exit> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "<stdin>".to_string() } else { path.display().to_string() };
    let limit = LIMIT_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = match stdin {
        true => io::stdin().take(limit).read_to_end(&mut bytes),
        false => fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    if let Err(error) = read {
        complain(&format!("cannot read {name}: {error}"));
        return Err(Exit::Io);
    }
    if bytes.len() > LIMIT_BYTES {
        complain(&format!("{name}: larger than the limit of {LIMIT_BYTES} bytes"));
        return Err(Exit::BadScenario);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Text { name, text }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            complain(&format!("{name}: not UTF-8 text, first at byte {at}"));
            Err(Exit::BadScenario)
        }
    }
}

/// Shows diagnostics; of a quiet run only errors.
pub fn show(diagnostics: &[Diagnostic], text: &Text, quiet: bool) {
    let wanted: Vec<Diagnostic> =
        diagnostics.iter().filter(|d| !quiet || d.is_error()).cloned().collect();
    if !wanted.is_empty() {
        tell(&render(&wanted, &text.name, &text.text, error_colour()));
    }
}

/// A scenario that can be run.
pub struct Ready {
    /// As meant.
    pub scenario: Scenario,
    /// As built.
    pub stage: Stage,
}

/// Reads a scenario and builds it, and shows what is wrong.
///
/// # Errors
/// The exit code of a bad scenario; the diagnostics have been shown.
pub fn ready(text: &Text, change: &Change, quiet: bool) -> Result<Ready, Exit> {
    let (scenario, diagnostics) = load_with(&text.text, &change.set, change.variant.as_deref());
    show(&diagnostics, text, quiet);
    let scenario = scenario.ok_or(Exit::BadScenario)?;
    match Stage::new(&scenario.plan) {
        Ok(stage) => Ok(Ready { scenario, stage }),
        Err(problems) => {
            let error = |problem| Diagnostic::new(Severity::Error, problem);
            let diagnostics: Vec<Diagnostic> = problems.0.into_iter().map(error).collect();
            show(&diagnostics, text, quiet);
            Err(Exit::BadScenario)
        }
    }
}

/// Puts the expectations of another file in the place of the scenario's own.
///
/// # Errors
/// The exit code of a bad file; the diagnostics have been shown.
pub fn judged_by(scenario: &mut Scenario, judge: &Text, quiet: bool) -> Result<(), Exit> {
    let diagnostics = expect_instead(scenario, &judge.text);
    show(&diagnostics, judge, quiet);
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    if broken { Err(Exit::BadScenario) } else { Ok(()) }
}
