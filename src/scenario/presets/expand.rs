//! A preset in the tree gives way to the keys it states; those that the user wrote stand.

use super::{Limit, Preset, SPOTS, Takes};
use crate::scenario::schema::{Shape, TABLES, Table};
use crate::sim::param::{Entry, Node, Place, Problems, Tree, suggest};
use crate::sim::units::{parse_share, parse_span};

/// Tables with one key, which names the kind: who writes another kind wants nothing of this one.
const ONE_OF: [&str; 2] = ["via", "users"];

/// A preset that was used.
#[derive(Clone, Debug)]
pub struct Used {
    /// Where its name stands; the values it gave have the same place.
    pub place: Place,
    /// Which.
    pub preset: &'static Preset,
    /// In which table.
    pub spot: &'static str,
}

impl Used {
    /// Where the value of a key is from; the key is dotted below the table of the file.
    pub fn origin(&self, key: &str) -> String {
        let name = &self.preset.name;
        let above = self.spot.split_once('.').map_or("", |(_, inner)| inner);
        let key = key.strip_prefix(above).map_or(key, |key| key.trim_start_matches('.'));
        let within = |given: &str| {
            key == given || key.strip_prefix(given).is_some_and(|rest| rest.starts_with('.'))
        };
        let fit = self.preset.fit(self.spot);
        match fit.and_then(|fit| fit.values.iter().find(|value| within(&value.key))) {
            Some(value) => format!("{name} ({}: {})", value.known, value.source),
            None => name.clone(),
        }
    }
}

/// What came of it.
#[derive(Default)]
pub struct Expanded {
    /// The presets that were used.
    pub used: Vec<Used>,
    /// The tables whose preset could not be: what they lack is not the user's mistake.
    pub broken: Vec<Place>,
    errors: Problems,
    doubts: Problems,
}

impl Expanded {
    /// Notes what was found, and takes back what was said of keys that a preset would have stated.
    pub fn tell(&self, errors: &mut Problems, doubts: &mut Problems) {
        let lacks = |place: &Place, message: &str| {
            message.starts_with("missing key") && self.broken.contains(place)
        };
        errors.0.retain(|problem| !lacks(&problem.place, &problem.message));
        errors.0.extend(self.errors.0.iter().cloned());
        doubts.0.extend(self.doubts.0.iter().cloned());
    }
}

/// Expands every preset of a file.
pub fn expand(root: &mut Node) -> Expanded {
    let mut expanded = Expanded::default();
    let Tree::Table(entries) = &mut root.tree else { return expanded };
    for entry in entries {
        if let Some(table) = TABLES.iter().find(|table| table.key == entry.key) {
            tables(table, &mut entry.node, &mut |node| within(table.key, node, &mut expanded));
        }
    }
    expanded
}

/// Every table of that kind in the file.
fn tables(table: &Table, node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    match table.shape {
        Shape::One => visit(node),
        Shape::List => {
            if let Tree::List(items) = &mut node.tree {
                items.iter_mut().for_each(visit);
            }
        }
        Shape::Named | Shape::Either => {
            let own = |key: &str| {
                table.shape == Shape::Either
                    && (table.fields)().iter().any(|field| field.name == key)
            };
            if table.shape == Shape::Either {
                visit(node);
            }
            if let Tree::Table(entries) = &mut node.tree {
                let named = entries.iter_mut().filter(|entry| !own(&entry.key));
                named.for_each(|entry| visit(&mut entry.node));
            }
        }
    }
}

/// A table and the tables in it; the inner ones first, for what they name is nearer.
fn within(key: &'static str, node: &mut Node, expanded: &mut Expanded) {
    for spot in SPOTS {
        let inner = spot.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
        if let (Some(inner), Tree::Table(entries)) = (inner, &mut node.tree)
            && let Some(entry) = entries.iter_mut().find(|entry| entry.key == inner)
        {
            fill(&mut entry.node, spot, expanded);
        }
    }
    if let Some(spot) = SPOTS.into_iter().find(|spot| *spot == key) {
        fill(node, spot, expanded);
    }
}

fn fill(node: &mut Node, spot: &'static str, expanded: &mut Expanded) {
    let table = node.place.clone();
    let Tree::Table(entries) = &mut node.tree else { return };
    let Some(at) = entries.iter().position(|entry| entry.key == "preset") else { return };
    let written = entries.remove(at).node;
    let place = written.place.clone();
    match named(&written, spot, &mut expanded.errors) {
        Some(preset) => {
            let Some(fit) = preset.fit(spot) else { return };
            for value in &fit.values {
                if value.unless.as_ref().is_none_or(|key| get(node, key).is_none()) {
                    put(node, &value.key, &value.node, &place);
                }
            }
            for limit in &fit.limits {
                heed(node, preset, limit, &mut expanded.doubts);
            }
            for rule in &fit.rules {
                rule.heed(node, preset, &place, &mut expanded.doubts);
            }
            expanded.used.push(Used { place, preset, spot });
        }
        None => expanded.broken.push(table),
    }
}

fn named(written: &Node, spot: &str, errors: &mut Problems) -> Option<&'static Preset> {
    let Tree::Text(name) = &written.tree else {
        let message = format!("expected the name of a preset, found {}", written.what());
        errors.add(&written.place, message);
        return None;
    };
    let Some(preset) = super::of(name) else {
        let help = suggest(name, &super::names_for(spot));
        errors.add_help(&written.place, format!("unknown preset `{name}`"), help);
        return None;
    };
    if preset.fit(spot).is_none() {
        let message = format!("`{name}` is no preset for `{spot}`");
        let help = format!("it fits {}", preset.fits_in_words());
        errors.add_help(&written.place, message, help);
        return None;
    }
    Some(preset)
}

pub(super) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    key.split('.').try_fold(node, |node, step| node.get(step))
}

/// Puts a value under its dotted key, unless the user wrote there.
fn put(node: &mut Node, key: &str, value: &Node, place: &Place) {
    let (step, rest) = key.split_once('.').map_or((key, None), |(step, rest)| (step, Some(rest)));
    let Tree::Table(entries) = &mut node.tree else { return };
    let found = entries.iter().position(|entry| entry.key == step);
    let (at, new) = match (found, rest) {
        (Some(_), None) => return,
        (Some(at), Some(_)) => (at, false),
        (None, _) => {
            let node = Node { place: place.clone(), tree: Tree::Table(Vec::new()) };
            entries.push(Entry { key: step.to_string(), place: place.clone(), node });
            (entries.len() - 1, true)
        }
    };
    let inner = &mut entries[at].node;
    match rest {
        None => *inner = at_place(value, place),
        Some(rest) => {
            let next = rest.split('.').next().unwrap_or_default();
            let other = ONE_OF.contains(&step) && !inner.entries().is_empty();
            if new || !other || inner.get(next).is_some() {
                put(inner, rest, value, place);
            }
        }
    }
}

fn at_place(node: &Node, place: &Place) -> Node {
    let tree = match &node.tree {
        Tree::List(items) => Tree::List(items.iter().map(|item| at_place(item, place)).collect()),
        Tree::Table(entries) => Tree::Table(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    place: place.clone(),
                    node: at_place(&entry.node, place),
                })
                .collect(),
        ),
        tree => tree.clone(),
    };
    Node { place: place.clone(), tree }
}

/// What the product would not take is a doubt.
fn heed(node: &Node, preset: &Preset, limit: &Limit, doubts: &mut Problems) {
    let Some(written) = get(node, &limit.key) else { return };
    let Some(value) = size(written) else { return };
    let of = |text: &String| size(&Node::text(text)).or_else(|| text.parse().ok());
    let (kept, takes) = match &limit.takes {
        Takes::OneOf(all) => {
            let near = |one: f64| (one - value).abs() <= f64::EPSILON * one.abs();
            (all.iter().filter_map(of).any(near), all.join(" or "))
        }
        Takes::Range(min, max) => {
            let above = min.as_ref().and_then(of).is_none_or(|min| min <= value);
            let below = max.as_ref().and_then(of).is_none_or(|max| value <= max);
            let takes = match (min, max) {
                (Some(min), Some(max)) => format!("from {min} to {max}"),
                (Some(min), None) => format!("at least {min}"),
                (None, max) => format!("at most {}", max.as_deref().unwrap_or("any")),
            };
            (above && below, takes)
        }
    };
    if !kept {
        let message = format!("`{}` does not take this {}: {takes}", preset.name, limit.key);
        doubts.add_help(&written.place, message, format!("{}: {}", limit.known, limit.source));
    }
}

/// A duration in seconds, a share, or a number.
pub(super) fn size(node: &Node) -> Option<f64> {
    match &node.tree {
        Tree::Int(n) => Some(*n as f64),
        Tree::Float(x) => Some(*x),
        Tree::Text(text) => {
            let span = parse_span(text).map(|span| span.as_secs_f64());
            span.or_else(|_| parse_share(text)).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::draft;
    use crate::scenario::presets::all;
    use crate::scenario::tree;

    fn keys(text: &str) -> (Node, Expanded) {
        let mut root = tree::parse(text, &mut Problems::default()).unwrap();
        let expanded = expand(&mut root);
        (root, expanded)
    }

    fn at<'a>(root: &'a Node, key: &str) -> Option<&'a Tree> {
        get(root, key).map(|node| &node.tree)
    }

    #[test]
    fn what_the_user_wrote_stands() {
        let (root, expanded) = keys("lease = { preset = \"patroni\", ttl = \"40s\" }\n");
        assert_eq!(at(&root, "lease.ttl"), Some(&Tree::Text("40s".into())));
        assert_eq!(at(&root, "lease.preset"), None);
        assert_eq!(expanded.used.len(), 1);
        assert!(expanded.errors.is_empty() && expanded.doubts.is_empty());
    }

    #[test]
    fn who_writes_another_kind_wants_nothing_of_the_presets_kind() {
        let text = "routing = { preset = \"route53-standard\", via = { global_lb = {} } }\n";
        let (root, _) = keys(text);
        assert_eq!(get(&root, "routing.via").map(|via| via.entries().len()), Some(1));
        let text = "routing = { preset = \"haproxy\", via = { proxy = { inter = \"9s\" } } }\n";
        let (root, _) = keys(text);
        assert_eq!(at(&root, "routing.via.proxy.inter"), Some(&Tree::Text("9s".into())));
        assert_eq!(at(&root, "routing.via.proxy.fall"), Some(&Tree::Int(3)));
    }

    #[test]
    fn one_key_may_stand_for_another() {
        let text = "health_check = { preset = \"route53-standard\", unhealthy_quorum = 2 }\n";
        let (root, _) = keys(text);
        assert_eq!(at(&root, "health_check.unhealthy_share"), None);
        let (root, _) = keys("health_check.probes = { preset = \"route53-standard\" }\n");
        assert!(at(&root, "health_check.probes.unhealthy_share").is_some());
    }

    /// Every preset states only keys that its table has, with values that they take, and keeps the
    /// rules of its own product.
    #[test]
    fn every_preset_is_read_without_a_word() {
        for preset in all() {
            for fit in &preset.fits {
                let (table, inner) = fit.spot.split_once('.').unwrap_or((fit.spot, ""));
                let name = &preset.name;
                let body = match inner {
                    "" => format!("preset = \"{name}\""),
                    inner => format!("{inner} = {{ preset = \"{name}\" }}"),
                };
                let body = match table {
                    "store" | "clients" => format!("[{table}.x]\n{body}\n"),
                    "fault" => format!("[[{table}]]\nkind = \"pause\"\ntarget = \"x\"\n{body}\n"),
                    table => format!("[{table}]\n{body}\n"),
                };
                let (root, expanded) = keys(&body);
                assert_eq!(expanded.used.len(), 1, "{body}");
                let mut problems = Problems::default();
                draft::read(&root, &mut problems);
                let said = expanded.errors.0.iter().chain(&expanded.doubts.0).chain(&problems.0);
                let said: Vec<_> =
                    said.filter(|problem| !problem.message.starts_with("missing")).collect();
                assert!(said.is_empty(), "{body}: {said:?}");
            }
        }
    }
}
