//! Parameters, declared once.
//!
//! A protocol, fault, checker or router states its parameters in its own file with
//! [`params!`](crate::params): name, default with its source, one line of documentation. From that one declaration come the
//! reader, the JSON schema, the origins that `explain` prints, and the reference in the README.
//!
//! What a user wrote arrives as a [`Node`]: a neutral tree with the place of every value. The
//! kernel knows no file format.
//!
//! ```
//! use regionsim::sim::param::{Node, Problems, Tree};
//! use regionsim::sim::Span;
//!
//! regionsim::params! {
//!     /// Waits a while.
//!     pub struct Wait {
//!         /// How long to wait.
//!         time: Span = Span::from_secs(3), "our choice";
//!     }
//! }
//!
//! let mut problems = Problems::default();
//! let wait = Wait::read(&Node::table(vec![("time", Node::text("5s"))]), &mut problems);
//! assert!(problems.is_empty());
//! assert_eq!(wait.time, Span::from_secs(5));
//! ```

mod macros;
mod values;

pub use values::{Bandwidth, ByName, Bytes, Name, OneOrMore, Share};

use std::ops::Range;

/// A place in what the user wrote, in bytes.
pub type Place = Range<usize>;

/// One value the user wrote, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub tree: Tree,
}

/// A value of no particular file format.
#[derive(Clone, PartialEq, Debug)]
pub enum Tree {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order written.
    Table(Vec<Entry>),
}

/// A key of a table, where the key stands, and its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// A text without a place; for tests and defaults.
    pub fn text(text: &str) -> Node {
        Node { place: 0..0, tree: Tree::Text(text.to_string()) }
    }
    /// A table without places; for tests and defaults.
    pub fn table(entries: Vec<(&str, Node)>) -> Node {
        let entries = entries
            .into_iter()
            .map(|(key, node)| Entry { key: key.to_string(), place: 0..0, node })
            .collect();
        Node { place: 0..0, tree: Tree::Table(entries) }
    }
    /// The value under `key`, when this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }
    /// The entries of a table; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Table(entries) => entries,
            _ => &[],
        }
    }
    /// What kind of thing was written, for messages.
    pub fn what(&self) -> &'static str {
        match self.tree {
            Tree::Bool(_) => "a boolean",
            Tree::Int(_) => "a whole number",
            Tree::Float(_) => "a number",
            Tree::Text(_) => "a text",
            Tree::List(_) => "a list",
            Tree::Table(_) => "a table",
        }
    }
}

/// Something wrong with what the user wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// Everything wrong so far: reading never stops at the first problem.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes one problem.
    pub fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.0.push(Problem { place: place.clone(), message: message.into(), help: None });
    }
    /// Notes one problem and what to do about it.
    pub fn add_help(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        let (message, help) = (message.into(), Some(help.into()));
        self.0.push(Problem { place: place.clone(), message, help });
    }
    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Notes a key that nobody knows, with the nearest known one.
    pub fn unknown_key(&mut self, entry: &Entry, known: &[&str]) {
        let message = format!("unknown key `{}`", entry.key);
        self.add_help(&entry.place, message, suggest(&entry.key, known));
    }
}

/// "did you mean …?", or the list of what is known: for a word in parts, of those that begin alike.
pub fn suggest(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .filter(|_| word.len() <= 64)
        .map(|k| (strsim::damerau_levenshtein(word, k), *k))
        .filter(|(d, k)| *d <= 2.max(k.len() / 3) && *d < k.len())
        .min();
    match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing is expected here".to_string(),
        None => {
            let head = |word: &str| word.split('.').next().unwrap_or_default().to_string();
            let alike = |k: &&str| head(k) == head(word);
            let some: Vec<&str> = known.iter().copied().filter(alike).collect();
            let told = if some.is_empty() { known.join(", ") } else { some.join(", ") };
            format!("expected one of: {told}")
        }
    }
}

/// What kind of value a parameter takes: for the schema and the reference.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A duration: `"150ms"`.
    Span,
    /// A share: `"0.5%"`.
    Share,
    /// A size: `"2KB"`.
    Bytes,
    /// A bandwidth: `"1Gbps"`.
    Bandwidth,
    /// A constant duration or a distribution of durations.
    Dist,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A name of something else in the file.
    Name,
    /// Free text.
    Text,
    /// A list of such values.
    List(Box<Kind>),
    /// Such a value, or a list of them.
    OneOrMore(Box<Kind>),
    /// A table with declared parameters of its own.
    Table(&'static [Field]),
    /// Tables with these parameters, by names that the user gives.
    ByName(&'static [Field]),
    /// A table whose `tag` key names one of several kinds, each with parameters of its own; where
    /// the tag is empty, a table with one key, which names the kind.
    Tagged(&'static str, &'static [Arm]),
    /// A table of one's own shape, described in words.
    Other(&'static str),
}

/// One kind in a catalogue of kinds.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The word the user writes.
    pub word: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its parameters.
    pub fields: fn() -> &'static [Field],
}

/// A value that can be read from what the user wrote, and shown.
pub trait Param: Sized {
    /// What it takes.
    fn kind() -> Kind;
    /// Reads it, or notes what is wrong and returns nothing.
    fn read(node: &Node, problems: &mut Problems) -> Option<Self>;
    /// As the user would write it.
    fn show(&self) -> String;
}

/// One declared parameter.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Its documentation: what it is, what it trades.
    pub doc: &'static str,
    /// What it takes.
    pub kind: fn() -> Kind,
    /// The default as the user would write it; nothing when the parameter must be given.
    pub default: fn() -> Option<String>,
    /// Where the default comes from.
    pub source: &'static str,
}

/// A table of declared parameters.
pub trait Declared: Sized {
    /// What the table is, from its documentation.
    const DOC: &'static str;
    /// Its parameters.
    fn fields() -> &'static [Field];
    /// Reads the table. What is missing takes its default; every problem is noted.
    fn read_table(node: &Node, problems: &mut Problems, also_known: &[&str]) -> Self;
    /// Every parameter's value, as the user would write it, in the order of [`Declared::fields`].
    fn values(&self) -> Vec<String>;
}

/// The word that names the kind of a tagged table, and the table of its parameters; used by
/// [`catalogue!`](crate::catalogue).
pub fn tag_of<'a>(
    node: &'a Node,
    tag: &str,
    words: &[&str],
    problems: &mut Problems,
) -> Option<(String, &'a Node)> {
    let Tree::Table(entries) = &node.tree else {
        problems.add(&node.place, format!("expected a table, found {}", node.what()));
        return None;
    };
    let (word, place, body) = if tag.is_empty() {
        let [entry] = entries.as_slice() else {
            let message = format!("expected exactly one of: {}", words.join(", "));
            problems.add(&node.place, message);
            return None;
        };
        (entry.key.clone(), &entry.place, &entry.node)
    } else {
        let Some(value) = node.get(tag) else {
            let message = format!("missing key `{tag}`");
            problems.add_help(&node.place, message, format!("one of: {}", words.join(", ")));
            return None;
        };
        let Tree::Text(word) = &value.tree else {
            problems.add(&value.place, format!("expected a text, found {}", value.what()));
            return None;
        };
        (word.clone(), &value.place, node)
    };
    if !words.contains(&word.as_str()) {
        let what = if tag.is_empty() { "key" } else { tag };
        problems.add_help(place, format!("unknown {what} `{word}`"), suggest(&word, words));
        return None;
    }
    Some((word, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Span;
    use crate::{choices, params};

    choices! {
        /// A colour.
        pub enum Colour {
            /// Red.
            Red = "red",
            /// Blue.
            Blue = "blue",
        }
    }
    params! {
        /// A test table.
        pub struct Sample {
            /// A length.
            time: Span = Span::from_secs(3), "chance";
            /// A colour.
            colour: Colour = Colour::Blue, "taste";
            /// A name.
            who: Name, required;
            /// Perhaps.
            maybe: Option<u32> = None, "nothing by default";
        }
    }

    #[test]
    fn a_missing_key_takes_its_default_and_a_required_one_is_a_problem() {
        let mut problems = Problems::default();
        let sample = Sample::read(&Node::table(vec![]), &mut problems);
        assert_eq!(
            (sample.time, sample.colour, sample.maybe),
            (Span::from_secs(3), Colour::Blue, None)
        );
        assert_eq!(problems.0.len(), 1);
        assert_eq!(problems.0[0].message, "missing key `who`");
    }

    #[test]
    fn every_problem_is_noted_with_a_hint() {
        let mut problems = Problems::default();
        let table = vec![
            ("tiem", Node::text("3s")),
            ("colour", Node::text("bleu")),
            ("who", Node::text("x")),
            ("time", Node { place: 0..0, tree: Tree::Int(3) }),
        ];
        Sample::read(&Node::table(table), &mut problems);
        let found: Vec<_> =
            problems.0.iter().map(|p| (p.message.as_str(), p.help.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("unknown key `tiem`", Some("did you mean `time`?")),
                ("unknown value `bleu`", Some("did you mean `blue`?")),
                ("a bare number has no unit; expected a duration such as \"150ms\"", None),
            ]
        );
    }

    #[test]
    fn the_declaration_tells_names_defaults_and_sources() {
        let fields = Sample::fields();
        assert_eq!(fields[0].name, "time");
        assert_eq!((fields[0].default)(), Some("\"3s\"".to_string()));
        assert_eq!(fields[1].source, "taste");
        assert_eq!((fields[2].default)(), None);
        assert_eq!(fields[0].doc.trim(), "A length.");
    }
}
