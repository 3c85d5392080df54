//! Presets: figures of real products, each with its source and how it is known. A scenario names
//! one beside its own keys: `lease = { preset = "patroni", ttl = "40s" }`.
//!
//! May use `sim` and the reader's tree. Will never know a run, nor decide what a key means: a preset
//! states keys as a user would, and they are read as if he had.
//!
//! # Decided
//! - The catalogue is TOML beside this file, so that a figure is corrected where it is cited.
//! - A preset is expanded in the tree, after variants and overrides and before anything is read:
//!   there is one reader and one set of checks. What stands beside it goes before it.
//! - Each value says how it is known. What was recalled is never shown as documented.

mod expand;
mod rules;

pub use expand::{Expanded, Used, expand};
pub use rules::{Least, Rule, round_trips};

use super::tree;
use crate::sim::param::{Node, Problems, Tree};
use std::fmt;
use std::sync::OnceLock;

/// The tables that a preset may stand in.
pub const SPOTS: [&str; 10] = [
    "health_check",
    "lease",
    "lease.election",
    "failover",
    "routing",
    "store.replication",
    "store.guard",
    "clients",
    "clients.retry",
    "fault",
];

/// The catalogue, in the order in which it is listed.
const FILES: [&str; 6] = [
    include_str!("steering.toml"),
    include_str!("managers.toml"),
    include_str!("consensus.toml"),
    include_str!("managed.toml"),
    include_str!("clients.toml"),
    include_str!("outages.toml"),
];

/// How a figure is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// The product's own documentation or source, or the study itself, was read.
    Documented,
    /// It was read as others quote it.
    Quoted,
    /// It was recalled, and not looked up.
    Recalled,
    /// It follows from documented figures; the source says how.
    Derived,
    /// Nobody states it.
    Choice,
}

impl Known {
    const WORDS: [(&'static str, Known); 5] = [
        ("documented", Known::Documented),
        ("quoted", Known::Quoted),
        ("recalled", Known::Recalled),
        ("derived", Known::Derived),
        ("our choice", Known::Choice),
    ];
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word =
            Known::WORDS.iter().find(|(_, known)| known == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

/// A value that a preset states.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its dotted key below the table.
    pub key: String,
    /// The value as one would write it.
    pub value: String,
    /// How it is known.
    pub known: Known,
    /// Where it is from.
    pub source: String,
    node: Node,
    /// The key that takes its place where the user wrote that.
    unless: Option<String>,
}

/// What the product itself takes for a key.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The dotted key below the table.
    pub key: String,
    /// The least and the most, or the only ones, as one would write them.
    pub takes: Takes,
    /// How it is known.
    pub known: Known,
    /// Where it is from.
    pub source: String,
}

/// Which values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Takes {
    /// From here to there.
    Range(Option<String>, Option<String>),
    /// One of these.
    OneOf(Vec<String>),
}

/// A preset as it fits one table.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The table: one of [`SPOTS`].
    pub spot: &'static str,
    /// What it states.
    pub values: Vec<Given>,
    /// What the product takes.
    pub limits: Vec<Limit>,
    /// What it wants of several together.
    pub rules: Vec<Rule>,
}

/// A preset.
#[derive(Clone, Debug)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// What it is, and what of the product it leaves out.
    pub about: String,
    /// The version or the date that the figures are of.
    pub as_of: String,
    /// The tables it fits.
    pub fits: Vec<Fit>,
}

impl Preset {
    /// As it fits that table.
    pub fn fit(&self, spot: &str) -> Option<&Fit> {
        self.fits.iter().find(|fit| fit.spot == spot)
    }
    /// The tables it fits, in words.
    pub fn fits_in_words(&self) -> String {
        let spots: Vec<String> = self.fits.iter().map(|fit| format!("`{}`", fit.spot)).collect();
        spots.join(", ")
    }
}

/// Every preset.
pub fn all() -> &'static [Preset] {
    static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
    // A test reads the catalogue and finds it whole.
    ALL.get_or_init(|| FILES.iter().flat_map(|text| read(text).unwrap_or_default()).collect())
}

/// The preset of that name.
pub fn of(name: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.name == name)
}

/// The names of the presets that fit a table.
pub fn names_for(spot: &str) -> Vec<&'static str> {
    all().iter().filter(|p| p.fit(spot).is_some()).map(|p| p.name.as_str()).collect()
}

/// A file of the catalogue, or what is wrong with it.
fn read(file: &str) -> Result<Vec<Preset>, String> {
    let mut problems = Problems::default();
    let root = tree::parse(file, &mut problems).ok_or("not a tree")?;
    match problems.0.first() {
        Some(problem) => Err(problem.message.clone()),
        None => root.entries().iter().map(|e| preset(file, &e.key, &e.node)).collect(),
    }
}

fn preset(file: &str, name: &str, node: &Node) -> Result<Preset, String> {
    let wrong = |what: &str| format!("{name}: {what}");
    let as_of = text(node, "as_of").ok_or(wrong("no as_of"))?;
    let mut fits: Vec<Fit> = Vec::new();
    for entry in node.entries() {
        if ["about", "as_of"].contains(&entry.key.as_str()) {
            continue;
        }
        let (key, what) = entry.key.split_once(' ').unwrap_or((&entry.key, "values"));
        let spot = SPOTS.into_iter().find(|spot| *spot == key).ok_or(wrong(&entry.key))?;
        let Tree::List(items) = &entry.node.tree else { return Err(wrong("no list")) };
        if fits.last().is_none_or(|fit| fit.spot != spot) {
            fits.push(Fit { spot, values: vec![], limits: vec![], rules: vec![] });
        }
        let Some(fit) = fits.last_mut() else { continue };
        for item in items {
            let broken = || wrong(file.get(item.place.clone()).unwrap_or_default());
            match what {
                "values" => fit.values.push(given(file, item).ok_or_else(broken)?),
                "limits" => fit.limits.push(limit(file, item).ok_or_else(broken)?),
                "rules" => fit.rules.push(rules::read(item).ok_or_else(broken)?),
                other => return Err(wrong(other)),
            }
        }
    }
    let about = text(node, "about").ok_or(wrong("no about"))?;
    Ok(Preset { name: name.to_string(), about, as_of, fits })
}

fn given(file: &str, item: &Node) -> Option<Given> {
    let node = item.get("value")?.clone();
    Some(Given {
        key: text(item, "key")?,
        value: file.get(node.place.clone())?.to_string(),
        known: known(item)?,
        source: text(item, "source")?,
        node,
        unless: text(item, "unless"),
    })
}

fn limit(file: &str, item: &Node) -> Option<Limit> {
    let shown = |node: &Node| file.get(node.place.clone()).map(|t| t.trim_matches('"').to_string());
    let takes = match item.get("one_of").map(|node| &node.tree) {
        Some(Tree::List(items)) => Takes::OneOf(items.iter().filter_map(shown).collect()),
        _ => Takes::Range(item.get("min").and_then(shown), item.get("max").and_then(shown)),
    };
    Some(Limit {
        key: text(item, "key")?,
        takes,
        known: known(item)?,
        source: text(item, "source")?,
    })
}

fn known(item: &Node) -> Option<Known> {
    let word = text(item, "known")?;
    Known::WORDS.iter().find(|(known, _)| *known == word).map(|(_, known)| *known)
}

fn text(node: &Node, key: &str) -> Option<String> {
    match &node.get(key)?.tree {
        Tree::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole_and_every_name_stands_once() {
        let mut count = 0;
        for file in FILES {
            count += read(file).unwrap_or_else(|wrong| panic!("{wrong}")).len();
        }
        assert_eq!(all().len(), count);
        let mut names: Vec<&str> = all().iter().map(|preset| preset.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for preset in all() {
            assert!(preset.about.len() > 20 && !preset.as_of.is_empty(), "{}", preset.name);
            assert!(!preset.fits.is_empty(), "{}", preset.name);
            for fit in &preset.fits {
                assert!(!fit.values.is_empty(), "{}: {}", preset.name, fit.spot);
                assert!(fit.values.iter().all(|v| v.source.len() > 3), "{}", preset.name);
            }
        }
    }
}
