//! `preset`: which figures of real products there are, and where each is from.

use super::Exit;
use super::output::{Output, complain};
use clap::Subcommand;
use regionsim::scenario::presets::{self, Preset, SPOTS, Takes};
use std::fmt::Write;

/// What is asked of the presets.
#[derive(Subcommand, Debug)]
pub enum Question {
    /// Print every preset by the tables it fits
    List,
    /// Print one with every value, its source and how it is known
    Show {
        /// Its name
        name: String,
    },
}

/// Answers it.
pub fn preset(question: &Question) -> Exit {
    match question {
        Question::List => Output::new().say(&list()),
        Question::Show { name } => match presets::of(name) {
            Some(preset) => Output::new().say(&shown(preset)),
            None => {
                let names: Vec<&str> = presets::all().iter().map(|p| p.name.as_str()).collect();
                let help = regionsim::sim::param::suggest(name, &names);
                complain(&format!("unknown preset `{name}`: {help}"));
                Exit::Usage
            }
        },
    }
}

fn list() -> String {
    let mut out = String::new();
    for spot in SPOTS {
        let _ = writeln!(out, "{spot} = {{ preset = … }}");
        for preset in presets::all().iter().filter(|preset| preset.fit(spot).is_some()) {
            let first = preset.about.split_inclusive(". ").next().unwrap_or_default();
            let _ = writeln!(out, "  {:<27} {}", preset.name, first.trim_end());
        }
    }
    out
}

fn shown(preset: &Preset) -> String {
    let mut out = format!("{}\n{}\nFigures of: {}\n", preset.name, preset.about, preset.as_of);
    for fit in &preset.fits {
        let _ = writeln!(out, "\n{} = {{ preset = \"{}\" }}", fit.spot, preset.name);
        for value in &fit.values {
            let instead = format!("{} = {}", value.key, value.value);
            let _ = writeln!(out, "  {instead:<36} {}: {}", value.known, value.source);
        }
        for limit in &fit.limits {
            let takes = match &limit.takes {
                Takes::OneOf(all) => all.join(" or "),
                Takes::Range(min, max) => {
                    let words = [("at least", min), ("at most", max)];
                    let words = words
                        .iter()
                        .filter_map(|(word, end)| end.as_ref().map(|end| format!("{word} {end}")));
                    words.collect::<Vec<_>>().join(", ")
                }
            };
            let rule = format!("{} takes {takes}", limit.key);
            let _ = writeln!(out, "  {rule:<36} {}: {}", limit.known, limit.source);
        }
        for rule in &fit.rules {
            let wants = format!("{} is at least {}", rule.key, rule.least.words());
            let _ = writeln!(out, "  {wants:<36} {}: {}", rule.known, rule.source);
        }
    }
    out
}
