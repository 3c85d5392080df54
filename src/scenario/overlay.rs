//! The file and the overrides over it as one range of places, so that every problem finds back
//! to the text it is about.

use super::diagnostic::{Diagnostic, Origin, Severity};
use super::{overrides, tree};
use crate::sim::param::{Node, Place, Problem, Problems, Tree, suggest};

/// Where each override begins, behind the file's last byte.
pub struct Overlay {
    file: usize,
    texts: Vec<(usize, String)>,
}

impl Overlay {
    /// Lays the overrides out behind the file.
    pub fn new(text: &str, overrides: &[(String, String)]) -> Overlay {
        let mut next = text.len() + 1;
        let mut texts = Vec::new();
        for (key, value) in overrides {
            let line = format!("{key}={value}");
            let begin = next;
            next += line.len() + 1;
            texts.push((begin, line));
        }
        Overlay { file: text.len(), texts }
    }

    /// Applies the variant of that name.
    pub fn vary(&self, root: &mut Node, name: &str, problems: &mut Problems) {
        let variants = root.get("variant").cloned();
        let variants = variants.unwrap_or_else(|| Node::table(Vec::new()));
        match variants.get(name) {
            Some(variant) => overrides::apply_variant(root, variant, problems),
            None => {
                let known: Vec<&str> =
                    variants.entries().iter().map(|entry| entry.key.as_str()).collect();
                let help = match known.is_empty() {
                    true => "the file has no variants".to_string(),
                    false => suggest(name, &known),
                };
                problems.add_help(&(0..0), format!("unknown variant `{name}`"), help);
            }
        }
    }

    /// Applies the overrides, in order.
    pub fn apply(&self, root: &mut Node, all: &[(String, String)], problems: &mut Problems) {
        for ((key, value), (begin, line)) in all.iter().zip(&self.texts) {
            let mut inner = Problems::default();
            let mut node = tree::parse_value(value, &mut inner);
            let at = begin + key.len() + 1;
            shift(&mut node, at);
            let broken = !inner.is_empty();
            for problem in inner.0 {
                let place = problem.place.start + at..problem.place.end + at;
                problems.0.push(Problem { place, ..problem });
            }
            if broken {
                continue;
            }
            let place = *begin..begin + key.len().max(1).min(line.len());
            overrides::apply_key(root, key, &place, node, problems);
        }
    }

    /// The problem as a diagnostic about the text it is about.
    pub fn diagnostic(&self, severity: Severity, problem: Problem) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(severity, problem);
        let (origin, begin) = self.origin(&diagnostic.place);
        diagnostic.place = diagnostic.place.start - begin..diagnostic.place.end.max(begin) - begin;
        diagnostic.origin = origin;
        diagnostic
    }

    /// Which text a place is in, and where that text begins.
    pub fn origin(&self, place: &Place) -> (Origin, usize) {
        let over = self.texts.iter().rev().find(|(begin, _)| *begin <= place.start);
        match over {
            Some((begin, line)) if place.start > self.file => {
                (Origin::Override(line.clone()), *begin)
            }
            _ => (Origin::File, 0),
        }
    }
}

fn shift(node: &mut Node, by: usize) {
    let moved = |place: &Place| place.start + by..place.end + by;
    node.place = moved(&node.place);
    match &mut node.tree {
        Tree::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Tree::Table(entries) => {
            for entry in entries {
                entry.place = moved(&entry.place);
                shift(&mut entry.node, by);
            }
        }
        _ => {}
    }
}
