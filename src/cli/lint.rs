//! `lint`: all diagnostics, no simulation.

use super::files::{self, Text};
use super::output::Output;
use super::{Exit, LintArgs};
use regionsim::scenario::{Diagnostic, load_with};
use std::path::Path;

/// Lints every file with each of its variants.
pub fn lint(args: &LintArgs) -> Exit {
    let (files, mut exit) = files::meant(&args.paths);
    let mut out = Output::new();
    for file in &files {
        exit = exit.max(one(file, args, &mut out));
    }
    exit
}

fn one(file: &Path, args: &LintArgs, out: &mut Output) -> Exit {
    let text = match files::read(file) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let diagnostics = of_all_variants(&text, &args.set);
    files::show(&diagnostics, &text, args.quiet);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Exit::BadScenario;
    }
    if args.quiet || !diagnostics.is_empty() {
        return Exit::Good;
    }
    out.say(&format!("{}: ok\n", text.name))
}

/// What is wrong with the file as it is, and what each variant adds to that.
fn of_all_variants(text: &Text, set: &[(String, String)]) -> Vec<Diagnostic> {
    let (scenario, mut diagnostics) = load_with(&text.text, set, None);
    for variant in scenario.map(|scenario| scenario.variants).unwrap_or_default() {
        let (_, more) = load_with(&text.text, set, Some(&variant));
        for mut diagnostic in more {
            if !diagnostics.contains(&diagnostic) {
                diagnostic.message.push_str(&format!(" (variant `{variant}`)"));
                diagnostics.push(diagnostic);
            }
        }
    }
    diagnostics
}
