//! What is wrong with a file, and how it is shown: the line, underlined, and what to do.

use crate::sim::param::{Place, Problem};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The most diagnostics that are kept; the rest is counted.
pub const LIMIT_SHOWN: usize = 100;
/// The longest line that is shown with its text, in bytes.
const LIMIT_LINE: usize = 1_000;
/// The longest message, in characters.
const LIMIT_MESSAGE: usize = 400;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing can be run.
    Error,
    /// It can be run, and is probably not what was meant.
    Warning,
}

/// Where a place counts from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// The scenario file.
    File,
    /// An override, `key=value`, with its text.
    Override(String),
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What the place counts from.
    pub origin: Origin,
    /// Where, in bytes; `0..0` is the file as a whole.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem as a diagnostic about the file.
    pub fn new(severity: Severity, problem: Problem) -> Diagnostic {
        Diagnostic {
            severity,
            origin: Origin::File,
            place: problem.place,
            message: tame(&problem.message),
            help: problem.help.as_deref().map(tame),
        }
    }

    /// True for an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Line and column of the place in the text it counts from, from 1; columns in characters.
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        line_and_column(text, self.place.start)
    }
}

/// Line and column of a byte, from 1; columns in characters.
pub fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let byte = floor(text, byte);
    let start = text[..byte].rfind('\n').map_or(0, |n| n + 1);
    let line = 1 + text[..byte].bytes().filter(|b| *b == b'\n').count();
    (line, 1 + text[start..byte].chars().count())
}

/// What a file holds may appear in a message: no control characters, no endless words.
fn tame(message: &str) -> String {
    let mut out: String = message
        .chars()
        .take(LIMIT_MESSAGE)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if message.chars().nth(LIMIT_MESSAGE).is_some() {
        out.push('…');
    }
    out
}

/// Sorts by place, drops repetitions, and keeps the first [`LIMIT_SHOWN`]: a file of noise has
/// an error per byte. Errors are kept before warnings.
pub fn tidy(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |d: &Diagnostic| (d.origin.clone(), d.place.start, d.place.end, d.severity);
    all.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message)));
    all.dedup();
    if all.len() > LIMIT_SHOWN {
        let rest = all.len() - LIMIT_SHOWN;
        let errors_dropped = all[LIMIT_SHOWN..].iter().any(Diagnostic::is_error);
        if errors_dropped && !all[..LIMIT_SHOWN].iter().any(Diagnostic::is_error) {
            all.sort_by_key(|d| d.severity);
        }
        all.truncate(LIMIT_SHOWN);
        let severity = if errors_dropped { Severity::Error } else { Severity::Warning };
        let message = format!("and {rest} more like these");
        all.push(Diagnostic { severity, origin: Origin::File, place: 0..0, message, help: None });
    }
    all
}

/// Renders diagnostics as rustc does. `path` is the file's name as the user gave it, `text` what
/// it holds; `colour` is for the porch to decide.
pub fn render(diagnostics: &[Diagnostic], path: &str, text: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(renderer.render(&[group(diagnostic, path, text)]).trim_end());
        out.push_str("\n\n");
    }
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let warnings = diagnostics.len() - errors;
    if !diagnostics.is_empty() {
        out.push_str(&format!("{path}: {}\n", tally(errors, warnings)));
    }
    out
}

fn tally(errors: usize, warnings: usize) -> String {
    let count = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let parts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    parts.join(", ")
}

fn group<'a>(diagnostic: &'a Diagnostic, path: &'a str, text: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let (path, text) = match &diagnostic.origin {
        Origin::File => (path, text),
        Origin::Override(text) => ("override", text.as_str()),
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
    let (line, place) = line_of(text, &diagnostic.place);
    let number = line_and_column(text, diagnostic.place.start);
    let whole_file = diagnostic.place == (0..0);
    if whole_file || line.len() > LIMIT_LINE {
        let mut origin = annotate_snippets::Origin::path(path);
        if !whole_file {
            origin = origin.line(number.0).char_column(number.1);
        }
        group = group.element(origin);
    } else {
        let snippet = Snippet::source(line).line_start(number.0).path(path);
        group = group.element(snippet.annotation(AnnotationKind::Primary.span(place)));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The line a place begins on, and the part of the place on that line, never empty unless the
/// line is.
fn line_of<'a>(text: &'a str, place: &Place) -> (&'a str, Place) {
    let begin = floor(text, place.start);
    let start = text[..begin].rfind('\n').map_or(0, |n| n + 1);
    let end = text[begin..].find('\n').map_or(text.len(), |n| begin + n);
    let line = text[start..end].trim_end_matches('\r');
    let from = (begin - start).min(line.len());
    let to = floor(text, place.end).saturating_sub(start).clamp(from, line.len());
    let to =
        if to == from { line[from..].chars().next().map_or(to, |c| to + c.len_utf8()) } else { to };
    (line, from..to)
}

/// The nearest character boundary at or before `byte`.
fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(place: Place, message: &str) -> Diagnostic {
        let problem = Problem { place, message: message.into(), help: Some("write 1".into()) };
        Diagnostic::new(Severity::Error, problem)
    }

    #[test]
    fn a_diagnostic_underlines_its_place_and_helps() {
        let text = "a = 1\nb = oops\n";
        let shown = render(&[about(10..14, "no such value")], "x.toml", text, false);
        let expected = "\
error: no such value
 --> x.toml:2:5
  |
2 | b = oops
  |     ^^^^
  |
  = help: write 1

x.toml: 1 error
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn places_outside_the_text_and_inside_a_character_do_no_harm() {
        for (text, place) in [("", 0..0), ("é", 1..1), ("a", 5..9), ("a\n", 2..2), ("é\r\nb", 1..5)]
        {
            render(&[about(place, "x\u{1b}[31m")], "x", text, false);
        }
    }

    #[test]
    fn noise_is_counted_and_not_listed() {
        let noise = (0..500).map(|i| about(i..i + 1, "noise")).collect();
        let kept = tidy(noise);
        assert_eq!(kept.len(), LIMIT_SHOWN + 1);
        assert_eq!(kept[LIMIT_SHOWN].message, "and 400 more like these");
    }
}
