//! Parameters, declared once.
//!
//! A protocol, fault, checker or router states its parameters in its own file with [`params!`]:
//! name, default with its source, one line of documentation. From that one declaration come the
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

use crate::sim::time::Span;
use crate::sim::units;
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

/// "did you mean …?", or the list of what is known.
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
        None => format!("expected one of: {}", known.join(", ")),
    }
}

/// What kind of value a parameter takes: for the schema and the reference.
#[derive(Clone, PartialEq, Debug)]
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
    /// A table with declared parameters of its own.
    Table(&'static [Field]),
    /// A table of one's own shape, described in words.
    Other(&'static str),
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
#[derive(Clone, PartialEq, Debug)]
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

/// Declares a table of parameters; see the [module](self).
///
/// `name: Type = default, "source";` is optional with a default; `name: Type, required;` must be
/// given; `name: Option<Type> = None, "why nothing";` may be left out.
#[macro_export]
macro_rules! params {
    ($(#[doc = $doc:literal])* pub struct $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident: $ty:ty $(= $default:expr, $source:literal)? $(, $required:ident)?;)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
        }

        impl $name {
            /// Reads the table; what is missing takes its default, every problem is noted.
            pub fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Self {
                <Self as $crate::sim::param::Declared>::read_table(node, problems, &[])
            }
        }

        impl $crate::sim::param::Declared for $name {
            const DOC: &'static str = concat!($($doc, "\n",)* "");
            fn fields() -> &'static [$crate::sim::param::Field] {
                const FIELDS: &[$crate::sim::param::Field] = &[$($crate::sim::param::Field {
                    name: stringify!($field),
                    doc: concat!($($fdoc, "\n",)* ""),
                    kind: <$ty as $crate::sim::param::Param>::kind,
                    default: || $crate::params!(@show $ty $(, $default)?),
                    source: $crate::params!(@source $($source)?),
                },)*];
                FIELDS
            }
            #[allow(unused_variables, unused_mut, unused_assignments)]
            fn read_table(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems, also_known: &[&str]) -> Self {
                use $crate::sim::param::Param as _;
                $(let mut $field: Option<$ty> = None;)*
                if !matches!(node.tree, $crate::sim::param::Tree::Table(_)) {
                    problems.add(&node.place, format!("expected a table, found {}", node.what()));
                }
                for entry in node.entries() {
                    match entry.key.as_str() {
                        $(stringify!($field) => $field = <$ty>::read(&entry.node, problems).or_else(|| $crate::params!(@stand_in $ty $(, $default)?)),)*
                        key if also_known.contains(&key) => {}
                        _ => {
                            let mut known = vec![$(stringify!($field)),*];
                            known.extend(also_known);
                            problems.unknown_key(entry, &known);
                        }
                    }
                }
                $name { $($field: $field.unwrap_or_else(|| $crate::params!(@missing $ty, $field, node, problems $(, $default)?)),)* }
            }
            fn values(&self) -> Vec<String> {
                use $crate::sim::param::Param as _;
                vec![$(self.$field.show()),*]
            }
        }

        impl $crate::sim::param::Param for $name {
            fn kind() -> $crate::sim::param::Kind {
                $crate::sim::param::Kind::Table(<Self as $crate::sim::param::Declared>::fields())
            }
            fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Option<Self> {
                Some($name::read(node, problems))
            }
            fn show(&self) -> String {
                let names = <Self as $crate::sim::param::Declared>::fields().iter().map(|f| f.name);
                let values = <Self as $crate::sim::param::Declared>::values(self);
                let parts: Vec<String> = names.zip(values).filter(|(_, v)| !v.is_empty()).map(|(n, v)| format!("{n} = {v}")).collect();
                format!("{{ {} }}", parts.join(", "))
            }
        }
    };
    (@show $ty:ty, $default:expr) => {{
        let value: $ty = $default;
        Some(<$ty as $crate::sim::param::Param>::show(&value))
    }};
    (@show $ty:ty) => { None };
    (@source $source:literal) => { $source };
    (@source) => { "" };
    (@stand_in $ty:ty, $default:expr) => {{ let value: $ty = $default; Some(value) }};
    (@stand_in $ty:ty) => { Some(<$ty as Default>::default()) };
    (@missing $ty:ty, $field:ident, $node:ident, $problems:ident, $default:expr) => {{ let value: $ty = $default; value }};
    (@missing $ty:ty, $field:ident, $node:ident, $problems:ident) => {{
        $problems.add(&$node.place, format!("missing key `{}`", stringify!($field)));
        <$ty as Default>::default()
    }};
}

/// Declares an enum of words: `choices! { /// doc pub enum Ack { /// doc Flush = "flush", … } }`.
/// The first is the default where one is needed.
#[macro_export]
macro_rules! choices {
    ($(#[doc = $doc:literal])* pub enum $name:ident {
        $(#[doc = $fdoc:literal])* $first:ident = $first_word:literal
        $(, $(#[doc = $vdoc:literal])* $variant:ident = $word:literal)* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
        pub enum $name {
            $(#[doc = $fdoc])* #[default] $first,
            $($(#[doc = $vdoc])* $variant,)*
        }

        impl $name {
            /// The words, in order.
            pub const WORDS: &'static [&'static str] = &[$first_word $(, $word)*];
            /// The word of this one.
            pub const fn word(self) -> &'static str {
                match self { $name::$first => $first_word, $($name::$variant => $word,)* }
            }
        }

        impl $crate::sim::param::Param for $name {
            fn kind() -> $crate::sim::param::Kind {
                $crate::sim::param::Kind::Choice(Self::WORDS)
            }
            fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Option<Self> {
                if let $crate::sim::param::Tree::Text(text) = &node.tree {
                    match text.as_str() {
                        $first_word => return Some($name::$first),
                        $($word => return Some($name::$variant),)*
                        _ => {}
                    }
                    let help = $crate::sim::param::suggest(text, Self::WORDS);
                    problems.add_help(&node.place, format!("unknown value `{text}`"), help);
                } else {
                    problems.add(&node.place, format!("expected one of: {}; found {}", Self::WORDS.join(", "), node.what()));
                }
                None
            }
            fn show(&self) -> String {
                format!("{:?}", self.word())
            }
        }
    };
}

/// A name of something else in the file, and where it was written.
#[derive(Clone, Debug, Default)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl PartialEq for Name {
    /// Names are equal wherever they stand.
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text
    }
}

/// A share between 0 and 1, written `"0.5%"`.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub struct Share(pub f64);

/// A size in bytes, written `"2KB"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Bytes(pub u64);

/// Bits per second, written `"1Gbps"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Bandwidth(pub u64);

/// Reads a text through `parse`, or notes what is wrong.
fn read_text<T>(
    node: &Node,
    problems: &mut Problems,
    expected: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    match &node.tree {
        Tree::Text(text) => parse(text).map_err(|message| problems.add(&node.place, message)).ok(),
        Tree::Int(_) | Tree::Float(_) => {
            problems.add(&node.place, format!("a bare number has no unit; expected {expected}"));
            None
        }
        _ => {
            problems.add(&node.place, format!("expected {expected}, found {}", node.what()));
            None
        }
    }
}

macro_rules! quantity {
    ($ty:ty, $kind:expr, $expected:literal, $parse:expr, $show:expr) => {
        impl Param for $ty {
            fn kind() -> Kind {
                $kind
            }
            fn read(node: &Node, problems: &mut Problems) -> Option<$ty> {
                read_text(node, problems, $expected, $parse)
            }
            fn show(&self) -> String {
                let show: fn(&$ty) -> String = $show;
                format!("{:?}", show(self))
            }
        }
    };
}

quantity!(Span, Kind::Span, "a duration such as \"150ms\"", units::parse_span, |v| {
    units::show_span(*v)
});
quantity!(
    Share,
    Kind::Share,
    "a share such as \"0.5%\"",
    |t| units::parse_share(t).map(Share),
    |v| { units::show_share(v.0) }
);
quantity!(
    Bytes,
    Kind::Bytes,
    "a size such as \"2KB\"",
    |t| units::parse_bytes(t).map(Bytes),
    |v| { units::show_bytes(v.0) }
);
quantity!(
    Bandwidth,
    Kind::Bandwidth,
    "a bandwidth such as \"1Gbps\"",
    |t| units::parse_bandwidth(t).map(Bandwidth),
    |v| units::show_bandwidth(v.0)
);

impl Param for Name {
    fn kind() -> Kind {
        Kind::Name
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<Name> {
        match &node.tree {
            Tree::Text(text) => Some(Name { text: text.clone(), place: node.place.clone() }),
            _ => {
                problems.add(&node.place, format!("expected a name, found {}", node.what()));
                None
            }
        }
    }
    fn show(&self) -> String {
        format!("{:?}", self.text)
    }
}

impl Param for String {
    fn kind() -> Kind {
        Kind::Text
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<String> {
        match &node.tree {
            Tree::Text(text) => Some(text.clone()),
            _ => {
                problems.add(&node.place, format!("expected a text, found {}", node.what()));
                None
            }
        }
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Param for bool {
    fn kind() -> Kind {
        Kind::Bool
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<bool> {
        if let Tree::Bool(yes) = node.tree {
            return Some(yes);
        }
        problems.add(&node.place, format!("expected true or false, found {}", node.what()));
        None
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_number {
    ($($ty:ty),*) => {$(
        impl Param for $ty {
            fn kind() -> Kind {
                Kind::Int
            }
            fn read(node: &Node, problems: &mut Problems) -> Option<$ty> {
                match node.tree {
                    Tree::Int(n) => match <$ty>::try_from(n) {
                        Ok(n) => return Some(n),
                        Err(_) => problems.add(&node.place, format!("expected a whole number from 0 to {}", <$ty>::MAX)),
                    },
                    _ => problems.add(&node.place, format!("expected a whole number, found {}", node.what())),
                }
                None
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
whole_number!(u16, u32, u64);

impl Param for f64 {
    fn kind() -> Kind {
        Kind::Float
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<f64> {
        match node.tree {
            Tree::Int(n) => Some(n as f64),
            Tree::Float(x) if x.is_finite() => Some(x),
            _ => {
                problems.add(&node.place, format!("expected a number, found {}", node.what()));
                None
            }
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl<T: Param> Param for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<Option<T>> {
        T::read(node, problems).map(Some)
    }
    /// Nothing is shown as nothing.
    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

impl<T: Param> Param for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<Vec<T>> {
        match &node.tree {
            Tree::List(items) => {
                Some(items.iter().filter_map(|item| T::read(item, problems)).collect())
            }
            _ => {
                problems.add(&node.place, format!("expected a list, found {}", node.what()));
                None
            }
        }
    }
    fn show(&self) -> String {
        let items: Vec<String> = self.iter().map(T::show).collect();
        format!("[{}]", items.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
