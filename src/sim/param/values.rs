//! The plain values that parameters are made of.

use super::{Declared, Kind, Node, Param, Place, Problems, Tree};
use crate::sim::time::Span;
use crate::sim::units;

/// A name of something else in the file, and where it was written.
#[derive(Clone, Debug, Default)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl Name {
    /// A name that stands nowhere: a default.
    pub fn of(text: &str) -> Name {
        Name { text: text.to_string(), place: 0..0 }
    }
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
            Tree::Float(_) => {
                problems.add(&node.place, "expected a finite number");
                None
            }
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
        show_list(self)
    }
}

fn show_list<T: Param>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::show).collect();
    format!("[{}]", items.join(", "))
}

/// One value, or a list of them; in the order written.
#[derive(Clone, PartialEq, Debug)]
pub struct OneOrMore<T>(pub Vec<T>);

impl<T> Default for OneOrMore<T> {
    /// None.
    fn default() -> OneOrMore<T> {
        OneOrMore(Vec::new())
    }
}

impl<T: Param> Param for OneOrMore<T> {
    fn kind() -> Kind {
        Kind::OneOrMore(Box::new(T::kind()))
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<OneOrMore<T>> {
        match &node.tree {
            Tree::List(_) => Vec::read(node, problems).map(OneOrMore),
            _ => T::read(node, problems).map(|one| OneOrMore(vec![one])),
        }
    }
    fn show(&self) -> String {
        match self.0.as_slice() {
            [one] => one.show(),
            several => show_list(several),
        }
    }
}

/// Tables of one kind, by names that the user gives; in the order written.
#[derive(Clone, PartialEq, Debug)]
pub struct ByName<T>(pub Vec<(Name, T)>);

impl<T> Default for ByName<T> {
    /// None.
    fn default() -> ByName<T> {
        ByName(Vec::new())
    }
}

impl<T: Param + Declared> Param for ByName<T> {
    fn kind() -> Kind {
        Kind::ByName(T::fields())
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<ByName<T>> {
        let Tree::Table(entries) = &node.tree else {
            problems.add(&node.place, format!("expected a table, found {}", node.what()));
            return None;
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = Name { text: entry.key.clone(), place: entry.place.clone() };
            all.extend(T::read(&entry.node, problems).map(|table| (name, table)));
        }
        Some(ByName(all))
    }
    /// No tables are shown as nothing.
    fn show(&self) -> String {
        let shown = |(name, table): &(Name, T)| format!("{:?} = {}", name.text, table.show());
        let parts: Vec<String> = self.0.iter().map(shown).collect();
        if parts.is_empty() { String::new() } else { format!("{{ {} }}", parts.join(", ")) }
    }
}
