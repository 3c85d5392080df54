//! `report.html`: what happened, where the time went, what would change it, on one page that needs
//! nothing but itself.
//!
//! A block a file; each says nothing where it has nothing to say.
//!
//! # Decided
//! - A page is made of what the results hold, and of a few trials that are run again for their
//!   lanes: recording all of them would cost every run what only this page needs.
//! - Every shape that a colour tells apart is told apart by place, line, stripes or letter as well.
//! - A number of `results.json` stands there exactly, beside what people read (`<data value>`).
//! - The page forbids itself every connection (its content security policy).

mod change;
mod charts;
mod designs;
mod element;
mod happened;
mod inputs;
pub mod lanes;
mod objectives;
pub mod picture;
mod spell;
mod spent;
mod topology;

pub use element::escaped;
pub use happened::{Pick, Shown, incident, picks, window};
pub use inputs::Origin;
pub use spell::{Spell, Stretch};
pub use topology::roles;

use crate::report::comparison::Comparison;
use crate::report::findings::Findings;
use crate::report::json::ruling_word;
use crate::report::sweep::Sweep;
use crate::scenario::explain::Explanation;

/// What a page is about.
pub enum Subject<'a> {
    /// One scenario.
    Run(&'a Findings),
    /// Several designs.
    Compare(&'a Comparison),
    /// A scenario with one safety device less, or more, at a time.
    Ladder(&'a Comparison),
    /// A scenario at many points.
    Sweep(&'a Sweep),
}

/// Everything a page needs.
pub struct Page<'a> {
    /// What it is about.
    pub subject: Subject<'a>,
    /// The trials that are shown.
    pub shown: &'a [Shown<'a>],
    /// The scenario (the first one) as it was understood.
    pub explanation: &'a Explanation,
    /// The scenarios it was made from.
    pub origins: &'a [Origin],
    /// The command that makes it again.
    pub command: &'a str,
}

impl Subject<'_> {
    /// What the first scenario came to. Of a sweep that is its first point.
    pub fn findings(&self) -> Option<&Findings> {
        match self {
            Subject::Run(findings) => Some(findings),
            Subject::Compare(comparison) | Subject::Ladder(comparison) => {
                comparison.designs.first().map(|design| &design.findings)
            }
            Subject::Sweep(sweep) => sweep.points.first().map(|(_, findings)| findings),
        }
    }
    fn comparison(&self) -> Option<&Comparison> {
        match self {
            Subject::Compare(comparison) | Subject::Ladder(comparison) => Some(comparison),
            _ => None,
        }
    }
}

/// The blocks in order: their names, and what they are called.
pub const BLOCKS: [(&str, &str); 9] = [
    ("objectives", "Objectives"),
    ("designs", "Designs side by side"),
    ("happened", "What happened"),
    ("time", "Where the time goes"),
    ("distributions", "Distributions"),
    ("change", "What would change it"),
    ("topology", "The topology"),
    ("assumptions", "Assumptions and limits"),
    ("reproduce", "Reproduce"),
];

/// The page. Nothing where no trial was finished.
pub fn text(page: &Page<'_>) -> Option<String> {
    let findings = page.subject.findings()?;
    let heading = &findings.heading;
    let swept = matches!(page.subject, Subject::Sweep(_));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<title>{}</title>\n<style>\n{}</style></head><body{}>\n<main>\n<h1>{}</h1>\n",
        escaped(&heading.label()),
        include_str!("style.css"),
        if matches!(page.subject, Subject::Ladder(_)) { " class=\"ladder\"" } else { "" },
        escaped(&heading.title),
    );
    if !heading.question.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", escaped(&heading.question)));
    }
    let class = match findings.expectations.is_empty() || swept {
        true => "",
        false => ruling_word(findings.ruling()),
    };
    let sentence = match &page.subject {
        Subject::Run(findings) => objectives::verdict(findings, page.explanation),
        Subject::Compare(comparison) | Subject::Ladder(comparison) => {
            let first = comparison.designs.first().map_or("", |design| design.label.as_str());
            format!(
                "{} designs in the same trials. {} <em>{}:</em> {}",
                comparison.designs.len(),
                escaped(&format!("{}.", designs::sentence(comparison))),
                escaped(first),
                objectives::verdict(findings, page.explanation)
            )
        }
        Subject::Sweep(sweep) => escaped(&change::sentence(sweep)),
    };
    out.push_str(&format!("<p class=\"verdict {class}\" id=\"verdict\">{sentence}</p>\n"));
    for (id, title) in BLOCKS {
        let body = body(page, findings, id);
        if !body.is_empty() {
            out.push_str(&format!("<section id=\"{id}\"><h2>{title}</h2>\n{body}\n</section>\n"));
        }
    }
    out.push_str(&format!(
        "</main>\n<script>\n{}</script>\n</body></html>\n",
        include_str!("script.js")
    ));
    Some(out)
}

/// A block; empty where it has nothing to say.
fn body(page: &Page<'_>, findings: &Findings, id: &str) -> String {
    let whole = match &page.subject {
        Subject::Sweep(_) => None,
        _ => Some(findings),
    };
    let wanted = || objectives::objectives(findings, page.explanation);
    match (id, whole) {
        ("objectives", Some(findings)) => objectives::block(findings, &wanted()),
        ("designs", _) => page.subject.comparison().map(designs::block).unwrap_or_default(),
        ("happened", _) => happened::block(page.shown),
        ("time", Some(findings)) => spent::block(findings),
        ("distributions", Some(findings)) => charts::block(findings, &wanted()),
        ("change", _) => match &page.subject {
            Subject::Ladder(comparison) => change::ladder(comparison),
            Subject::Sweep(sweep) => change::sweep(sweep),
            _ => String::new(),
        },
        ("topology", _) => {
            let lanes = page.shown.first().map(|shown| &shown.whole);
            topology::block(&findings.roster, &page.explanation.pairs, lanes)
        }
        ("assumptions", _) => inputs::assumptions(whole, page.explanation),
        ("reproduce", _) => inputs::reproduce(page.command, findings.heading.seed, page.origins),
        _ => String::new(),
    }
}
