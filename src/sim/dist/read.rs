//! Reading a distribution: a text for a constant, or a table with the key `dist`.

use super::spec::{DistSpec, Known, LIMIT_PARTS, LIMIT_VALUES, Shape, Shaped, Stat, Tail};
use crate::sim::param::{Kind, Node, Param, Problems, Share, Tree, suggest};
use crate::sim::time::Span;

/// One shape as the reference and the schema show it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Form {
    /// The word after `dist =`.
    pub name: &'static str,
    /// Its own keys.
    pub keys: &'static [&'static str],
    /// Which of them it takes, in words.
    pub takes: &'static str,
}

/// Every shape, beside the plain text for a constant.
pub const FORMS: [Form; 8] = [
    Form { name: "constant", keys: &["value"], takes: "value" },
    Form { name: "uniform", keys: &["min", "max"], takes: "min and max" },
    Form { name: "exponential", keys: &Stat::WORDS, takes: "mean or one quantile" },
    Form {
        name: "lognormal",
        keys: &["p50", "p75", "p90", "p95", "p99", "p999", "mean", "sd", "sigma"],
        takes: "two quantiles, or mean and a quantile, or mean and sd, or sigma and one of them",
    },
    Form { name: "gamma", keys: &["mean", "sd"], takes: "mean and sd" },
    Form {
        name: "pareto",
        keys: &["min", "alpha", "p50", "p75", "p90", "p95", "p99", "p999", "mean"],
        takes: "min and one of alpha, mean or a quantile",
    },
    Form { name: "mixture", keys: &["parts"], takes: "parts, each a distribution with a weight" },
    Form {
        name: "empirical",
        keys: &["values", "quantiles"],
        takes: "values, or quantiles as pairs [\"50%\", \"2ms\"] from 0% to 100%",
    },
];

/// Keys that every shape takes: larger values become `cap`; `never` is the share of draws that
/// never happen.
pub const COMMON_KEYS: [&str; 3] = ["dist", "cap", "never"];

impl Param for DistSpec {
    fn kind() -> Kind {
        Kind::Dist
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<DistSpec> {
        match &node.tree {
            Tree::Text(_) => Span::read(node, problems).map(DistSpec::Constant),
            Tree::Table(_) => read_table(node, problems, &[]),
            Tree::Int(_) | Tree::Float(_) => Span::read(node, problems).map(DistSpec::Constant),
            _ => {
                let help =
                    "write \"150ms\", or { dist = \"lognormal\", p50 = \"2ms\", p99 = \"25ms\" }";
                let found = format!("expected a distribution of durations, found {}", node.what());
                problems.add_help(&node.place, found, help);
                None
            }
        }
    }
    fn show(&self) -> String {
        self.as_written()
    }
}

fn read_table(node: &Node, problems: &mut Problems, also: &[&str]) -> Option<DistSpec> {
    let before = problems.0.len();
    let form = read_form(node, problems)?;
    let known: Vec<&str> = COMMON_KEYS.iter().chain(form.keys).chain(also).copied().collect();
    for entry in node.entries() {
        if !known.contains(&entry.key.as_str()) {
            problems.unknown_key(entry, &known);
        }
    }
    let shape = read_shape(node, form, problems);
    let cap = node.get("cap").and_then(|n| Span::read(n, problems));
    let never = node.get("never").and_then(|n| Share::read(n, problems)).map_or(0.0, |s| s.0);
    let shape = shape.filter(|_| problems.0.len() == before)?;
    let spec = match shape {
        Shape::Constant(span) if cap.is_none() && never == 0.0 => DistSpec::Constant(span),
        shape => DistSpec::Shaped(Box::new(Shaped { shape, cap, never })),
    };
    if let Err(message) = spec.check() {
        problems.add(&node.place, message);
        return None;
    }
    Some(spec)
}

fn read_form(node: &Node, problems: &mut Problems) -> Option<&'static Form> {
    let names = FORMS.map(|form| form.name);
    let Some(word) = node.get("dist") else {
        let help = format!("one of: {}", names.join(", "));
        problems.add_help(&node.place, "missing key `dist`", help);
        return None;
    };
    let name = String::read(word, problems)?;
    let form = FORMS.iter().find(|form| form.name == name);
    if form.is_none() {
        let message = format!("unknown distribution `{name}`");
        problems.add_help(&word.place, message, suggest(&name, &names));
    }
    form
}

fn read_shape(node: &Node, form: &Form, problems: &mut Problems) -> Option<Shape> {
    match form.name {
        "constant" => Some(Shape::Constant(must(node, "value", problems)?)),
        "uniform" => {
            let (min, max) = (must(node, "min", problems), must(node, "max", problems));
            Some(Shape::Uniform { min: min?, max: max? })
        }
        "exponential" => {
            let [known] = stats(node, form, problems)?;
            Some(Shape::Exponential(known))
        }
        "lognormal" => {
            let Some(sigma) = node.get("sigma") else {
                return Some(Shape::LogNormal(stats(node, form, problems)?));
            };
            let sigma = f64::read(sigma, problems);
            let [known] = stats(node, form, problems)?;
            Some(Shape::LogSigma(known, sigma?))
        }
        "gamma" => {
            let (mean, sd) = (must(node, "mean", problems), must(node, "sd", problems));
            Some(Shape::Gamma { mean: mean?, sd: sd? })
        }
        "pareto" => {
            let min = must(node, "min", problems);
            let Some(alpha) = node.get("alpha") else {
                let [known] = stats(node, form, problems)?;
                return Some(Shape::Pareto { min: min?, tail: Tail::Known(known) });
            };
            if Stat::WORDS.iter().any(|word| node.get(word).is_some()) {
                problems.add(&node.place, format!("a pareto takes {}", form.takes));
            }
            let alpha = f64::read(alpha, problems);
            Some(Shape::Pareto { min: min?, tail: Tail::Alpha(alpha?) })
        }
        "mixture" => read_parts(node, problems),
        _ => read_empirical(node, form, problems),
    }
}

/// A key that must be there.
fn must<T: Param>(node: &Node, key: &str, problems: &mut Problems) -> Option<T> {
    match node.get(key) {
        Some(value) => T::read(value, problems),
        None => {
            problems.add(&node.place, format!("missing key `{key}`"));
            None
        }
    }
}

/// Exactly `N` statistics among the keys.
fn stats<const N: usize>(node: &Node, form: &Form, problems: &mut Problems) -> Option<[Known; N]> {
    let before = problems.0.len();
    let mut found = Vec::new();
    for entry in node.entries() {
        if let Some(index) = Stat::WORDS.iter().position(|word| *word == entry.key) {
            let value = Span::read(&entry.node, problems).unwrap_or_default();
            found.push(Stat::ALL[index].is(value));
        }
    }
    let count = found.len();
    if let Ok(known) = found.try_into() {
        return Some(known).filter(|_| problems.0.len() == before);
    }
    let article = if form.name == "exponential" { "an" } else { "a" };
    let message = format!("{article} {} takes {}; found {count} of them", form.name, form.takes);
    problems.add(&node.place, message);
    None
}

/// A list of at most `most` things.
fn list<'a>(node: &'a Node, most: usize, problems: &mut Problems) -> Option<&'a [Node]> {
    match &node.tree {
        Tree::List(items) if (1..=most).contains(&items.len()) => Some(items),
        Tree::List(_) => {
            problems.add(&node.place, format!("expected a list of 1 to {most} entries"));
            None
        }
        _ => {
            problems.add(&node.place, format!("expected a list, found {}", node.what()));
            None
        }
    }
}

fn read_parts(node: &Node, problems: &mut Problems) -> Option<Shape> {
    let Some(parts) = node.get("parts") else {
        problems.add(&node.place, "missing key `parts`");
        return None;
    };
    let mut read = Vec::new();
    let items = list(parts, LIMIT_PARTS, problems)?;
    for item in items {
        let Tree::Table(_) = item.tree else {
            problems.add(&item.place, format!("expected a table, found {}", item.what()));
            continue;
        };
        // Nesting is refused before it is read, so that depth costs nothing.
        if item.get("parts").is_some() {
            let help = "list all parts in one mixture";
            problems.add_help(&item.place, "a mixture inside a mixture", help);
            continue;
        }
        let weight = match item.get("weight").map(|n| (n, &n.tree)) {
            Some((n, Tree::Text(_))) => Share::read(n, problems).map(|share| share.0),
            Some((n, _)) => f64::read(n, problems),
            None => must(item, "weight", problems),
        };
        let part = read_table(item, problems, &["weight"]);
        if let (Some(weight), Some(part)) = (weight, part) {
            read.push((weight, part));
        }
    }
    Some(read).filter(|read| read.len() == items.len()).map(Shape::Mixture)
}

fn read_empirical(node: &Node, form: &Form, problems: &mut Problems) -> Option<Shape> {
    match (node.get("values"), node.get("quantiles")) {
        (Some(values), None) => {
            list(values, LIMIT_VALUES, problems)?;
            Vec::read(values, problems).map(Shape::Values)
        }
        (None, Some(pairs)) => {
            let items = list(pairs, LIMIT_VALUES, problems)?;
            let points: Vec<_> =
                items.iter().filter_map(|item| read_pair(item, problems)).collect();
            Some(points).filter(|points| points.len() == items.len()).map(Shape::Quantiles)
        }
        _ => {
            problems.add(&node.place, format!("an empirical takes {}", form.takes));
            None
        }
    }
}

fn read_pair(node: &Node, problems: &mut Problems) -> Option<(f64, Span)> {
    if let Tree::List(pair) = &node.tree
        && let [share, value] = pair.as_slice()
    {
        let (share, value) = (Share::read(share, problems), Span::read(value, problems));
        return Some((share?.0, value?));
    }
    problems.add(&node.place, "expected a pair such as [\"50%\", \"2ms\"]");
    None
}
