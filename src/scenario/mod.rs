//! The reader: what did the user mean?
//!
//! TOML in; a [`Plan`], expectations, and every diagnostic at once out. May use `world` (the plan
//! only), `measure` (metric catalogue, expectations and settings only), `model`, `net` and `sim`,
//! and the crates `toml`, `annotate-snippets` and `serde_json`. Will never know how a run
//! proceeds, and prints nothing: the porch does.
//!
//! The way of a file: `tree` (text to values with places), `overrides` (variants and `--set`),
//! `presets` (figures of products), `draft` (tables into declared parameters), `lower` (names into numbers), `validate` (what
//! cannot be or was hardly meant).
//!
//! # Decided
//! - The tree is read by the declarations of `sim::param`, not by serde: places survive, and all
//!   errors come at once.
//! - Overrides change the tree before it is read. There is one reader and one set of checks.
//! - A diagnostic about an override points into the override's own text.
//! - Zones: a bare region stands for its first zone where one node is placed, and for all its
//!   zones where a fault is aimed.

mod cues;
mod defaults;
pub mod diagnostic;
mod draft;
pub mod explain;
pub mod json_schema;
mod judges;
mod lower;
pub mod matrices;
mod names;
mod overlay;
mod overrides;
pub mod presets;
pub mod reference;
pub mod schema;
mod times;
mod tree;
mod validate;
mod wan;
mod windows;

pub use diagnostic::{Diagnostic, Origin, Severity, render};
pub use schema::PolicyTable;
pub use tree::{LIMIT_BYTES, LIMIT_DEPTH, LIMIT_VALUES};

use crate::measure::expect::Expectation;
use crate::measure::settings::Settings;
use crate::sim::digest::Digest;
use crate::sim::param::{Node, Place, Problems};
use crate::world::plan::Plan;
use draft::Draft;
use overlay::Overlay;

/// A scenario as meant.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// One line for reports.
    pub title: String,
    /// What it tells: stated, or the comment block at the head of the file.
    pub story: String,
    /// The question it answers; empty when none is stated.
    pub question: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What the world runs.
    pub plan: Plan,
    /// How the judges judge.
    pub settings: Settings,
    /// What is expected of the metrics.
    pub expectations: Vec<Expectation>,
    /// How many trials, unless the command line says otherwise.
    pub trials: u64,
    /// The seed, unless the command line says otherwise.
    pub seed: u64,
    /// The objectives.
    pub policy: PolicyTable,
    /// The names of the variants in the file.
    pub variants: Vec<String>,
    /// The variant that was applied.
    pub variant: Option<String>,
    /// Digest of the text and of all that was applied to it.
    pub digest: u64,
}

/// Reads a scenario. Nothing comes back when any diagnostic is an error.
pub fn load(text: &str) -> (Option<Scenario>, Vec<Diagnostic>) {
    load_with(text, &[], None)
}

/// Reads a scenario with a variant applied, and then overrides (`key`, `value`) over it.
///
/// A value is written as in TOML; what is not TOML is taken as text, so that `30m` needs no
/// quotes. `remove` as a key takes things away.
pub fn load_with(
    text: &str,
    overrides: &[(String, String)],
    variant: Option<&str>,
) -> (Option<Scenario>, Vec<Diagnostic>) {
    let reading = read(text, overrides, variant);
    (reading.scenario, reading.diagnostics)
}

/// Puts the expectations of another file in the place of a scenario's own: whoever wrote the
/// scenario does not judge it. That file has `[expect]` and nothing else, but for
/// `schema_version`. Nothing changes when any diagnostic is an error.
pub fn expect_instead(scenario: &mut Scenario, text: &str) -> Vec<Diagnostic> {
    let (mut problems, mut doubts) = (Problems::default(), Problems::default());
    let mut found = Vec::new();
    if let Some(root) = tree::parse(text, &mut problems) {
        for entry in root.entries() {
            if !["expect", "schema_version"].contains(&entry.key.as_str()) {
                problems.unknown_key(entry, &["expect", "schema_version"]);
            }
        }
        match root.get("expect") {
            Some(table) => {
                let of = (&scenario.plan, &scenario.settings);
                let (entries, trials) = (table.entries(), scenario.trials);
                found = judges::expectations(entries, trials, of, &mut problems, &mut doubts);
            }
            None => problems.add(&(0..0), "there is no table `[expect]`"),
        }
    }
    if problems.is_empty() {
        scenario.expectations = found;
    }
    let errors = problems.0.into_iter().map(|p| Diagnostic::new(Severity::Error, p));
    let doubts = doubts.0.into_iter().map(|p| Diagnostic::new(Severity::Warning, p));
    diagnostic::tidy(errors.chain(doubts).collect())
}

/// All that reading a file gives; `explain` needs more of it than a run.
struct Reading {
    scenario: Option<Scenario>,
    diagnostics: Vec<Diagnostic>,
    parts: Option<Parts>,
}

/// What `explain` needs: the file as written, the plan, where round trips come from, and the
/// presets that were used.
struct Parts {
    draft: Draft,
    plan: Plan,
    origins: Vec<wan::PairOrigin>,
    used: Vec<presets::Used>,
}

fn read(text: &str, overrides: &[(String, String)], variant: Option<&str>) -> Reading {
    let (mut problems, mut doubts) = (Problems::default(), Problems::default());
    let overlay = Overlay::new(text, overrides);
    let root = tree::parse(text, &mut problems);
    let valid = problems.is_empty();
    let (mut scenario, mut parts) = (None, None);
    if let Some(mut root) = root {
        if let Some(name) = variant {
            overlay.vary(&mut root, name, &mut problems);
        }
        overlay.apply(&mut root, overrides, &mut problems);
        if valid {
            let expanded = presets::expand(&mut root);
            let draft = draft::read(&root, &mut problems);
            expanded.tell(&mut problems, &mut doubts);
            if validate::sizes(&draft, &mut problems) {
                let (plan, origins) = lower::lower(&draft, &mut problems);
                validate::validate(&draft, &plan, &mut problems, &mut doubts);
                presets::round_trips(&expanded.used, &draft, &plan, &mut doubts);
                let settings = judges::settings(&draft, &mut problems);
                let mut found = windows::Found { errors: &mut problems, doubts: &mut doubts };
                windows::check(&draft, &plan, &settings.window.0, &mut found);
                windows::onset(&plan, settings.onset.as_ref(), &mut found);
                let expectations = {
                    let (trials, of) = (draft.run.params.trials, (&plan, &settings));
                    judges::expectations(&draft.expect, trials, of, &mut problems, &mut doubts)
                };
                let judged = (settings, expectations);
                let clone = plan.clone();
                scenario = Some(assemble(text, &draft, clone, judged, overrides, variant));
                parts = Some(Parts { draft, plan, origins, used: expanded.used });
            }
        } else {
            typos_beside_syntax_errors(text, &root, &mut problems);
        }
    }
    about_nothing_broken(&problems, &mut doubts);
    let errors = problems.0.into_iter().map(|p| overlay.diagnostic(Severity::Error, p));
    let doubts = doubts.0.into_iter().map(|p| overlay.diagnostic(Severity::Warning, p));
    let diagnostics = diagnostic::tidy(errors.chain(doubts).collect());
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    Reading { scenario: scenario.filter(|_| !broken), diagnostics, parts }
}

/// A doubt about something that is broken is dropped: what was meant is not known.
fn about_nothing_broken(errors: &Problems, doubts: &mut Problems) {
    let broken: Vec<_> = errors.0.iter().take(1_000).map(|p| p.place.clone()).collect();
    let within = |e: &Place, d: &Place| *e != (0..0) && d.start <= e.start && e.end <= d.end;
    doubts.0.retain(|doubt| !broken.iter().any(|error| within(error, &doubt.place)));
}

/// Of a file that is not TOML only a part was understood. What is missing from that part may
/// stand in the other, so only what is surely wrong is told: unknown words, on lines that could
/// be read.
fn typos_beside_syntax_errors(text: &str, root: &Node, problems: &mut Problems) {
    let line = |byte: usize| diagnostic::line_and_column(text, byte).0;
    let broken: Vec<usize> = problems.0.iter().map(|p| line(p.place.start)).collect();
    if broken.len() > diagnostic::LIMIT_SHOWN {
        return;
    }
    let mut more = Problems::default();
    let mut root = root.clone();
    presets::expand(&mut root).tell(&mut more, &mut Problems::default());
    draft::read(&root, &mut more);
    let sure =
        |message: &str| message.starts_with("unknown ") || message.starts_with("a bare number");
    more.0.truncate(1_000);
    more.0.retain(|p| sure(&p.message) && !broken.contains(&line(p.place.start)));
    problems.0.append(&mut more.0);
}

fn assemble(
    text: &str,
    draft: &Draft,
    plan: Plan,
    judged: (Settings, Vec<Expectation>),
    overrides: &[(String, String)],
    variant: Option<&str>,
) -> Scenario {
    let table = &draft.scenario.params;
    let run = &draft.run.params;
    Scenario {
        name: table.name.text.clone(),
        title: table.title.clone().unwrap_or_else(|| table.name.text.clone()),
        story: table.story.clone().unwrap_or_else(|| tree::leading_comment(text)),
        question: table.question.clone().unwrap_or_default(),
        tags: table.tags.clone(),
        plan,
        settings: judged.0,
        expectations: judged.1,
        trials: run.trials,
        seed: run.seed,
        policy: draft.policy.params.clone(),
        variants: draft.variants.iter().map(|entry| entry.key.clone()).collect(),
        variant: variant.map(str::to_string),
        digest: digest(text, overrides, variant),
    }
}

/// Of the text and of all that was applied to it; line ends do not count.
fn digest(text: &str, overrides: &[(String, String)], variant: Option<&str>) -> u64 {
    let mut digest = Digest::new();
    let mut fold = |part: &str| {
        digest.fold(part.len() as u64);
        part.bytes().for_each(|byte| digest.fold(u64::from(byte)));
    };
    fold(&text.replace("\r\n", "\n"));
    fold(variant.unwrap_or(""));
    for (key, value) in overrides {
        fold(key);
        fold(value);
    }
    digest.value()
}
