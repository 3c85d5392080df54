//! Findings written into their results folder and shown in the format that was asked for.

use super::output::{Output, cannot_write};
use super::{Exit, Format, folder};
use regionsim::experiment::Source;
use regionsim::report::baseline::Check;
use regionsim::report::{Findings, against, csv, histogram, json, markdown, summary};
use serde_json::Value;
use std::path::Path;

/// What a command has shown so far, and how that ends.
pub struct Shown<'a> {
    folder: &'a Path,
    format: Format,
    quiet: bool,
    /// Plain ASCII, whatever the terminal says.
    ascii: bool,
    out: Output,
    exit: Exit,
    /// A line per scenario.
    lines: Vec<String>,
    /// What `--format json` prints at the end.
    values: Vec<Value>,
}

impl<'a> Shown<'a> {
    /// Nothing yet; results folders are made in `folder`.
    pub fn new(folder: &'a Path, format: Format, quiet: bool, ascii: bool) -> Shown<'a> {
        let (out, exit) = (Output::new(), Exit::Good);
        let (lines, values) = Default::default();
        Shown { folder, format, quiet, ascii, out, exit, lines, values }
    }

    /// Something happened that decides the exit code.
    pub fn note(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    /// Judges, writes and shows one scenario, and how it stands against its baseline.
    pub fn found(&mut self, findings: &Findings, source: &Source, checks: &[Check]) {
        let label = findings.heading.label();
        if findings.outcomes.interrupted() {
            self.note(Exit::Interrupted);
        }
        if findings.outcomes.trials.is_empty() {
            // Nothing was finished: results that stand there already stay.
            return;
        }
        self.note(findings.ruling().into());
        if findings.outcomes.halted() {
            self.note(Exit::Inconclusive);
        }
        let folder = self.folder.join(&label);
        if let Err(error) = folder::write(&folder, findings, Some(source)) {
            self.note(cannot_write(&folder, &error));
        }
        let first = self.lines.is_empty();
        self.lines.push(summary::line(findings));
        let exit = match self.format {
            Format::Human if self.quiet => Exit::Good,
            Format::Human => {
                let gap = if first { "" } else { "\n" };
                let (colour, ascii) = (self.out.colour(), self.ascii || self.out.ascii());
                let summary = summary::text(findings, colour);
                let bars = histogram::text(findings, ascii);
                self.out.say(&format!("{gap}{summary}{bars}{}", against::text(checks)))
            }
            Format::Json => {
                let mut value = json::value(findings);
                if !checks.is_empty() {
                    value["against_baseline"] = Value::Array(against::values(checks));
                }
                self.values.push(value);
                Exit::Good
            }
            Format::Jsonl => {
                let checked = against::lines(checks, &findings.heading.name);
                self.out.say(&format!("{}{checked}", json::lines(findings)))
            }
            Format::Csv => {
                let mut rows = if first { csv::metrics_header() } else { Vec::new() };
                rows.extend(csv::metrics(findings));
                self.out.say(&String::from_utf8_lossy(&rows))
            }
            Format::Markdown => {
                let page = markdown::text(findings);
                self.out.say(&format!("{page}{}", against::markdown(checks)))
            }
        };
        self.note(exit);
    }

    /// What is shown after all of them; how it all ends.
    pub fn end(mut self) -> Exit {
        if self.format == Format::Json && !self.values.is_empty() {
            let value = match self.values.len() {
                1 => self.values.remove(0),
                _ => Value::Array(std::mem::take(&mut self.values)),
            };
            let exit = self.out.say(&json::pretty(&value));
            self.note(exit);
        }
        if self.format == Format::Human && !self.quiet && self.lines.len() > 1 {
            let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
            let exit = self.out.say(&format!("\n{lines}"));
            self.note(exit);
        }
        self.exit
    }
}
