//! TOML text to the neutral tree of `sim::param`, with the place of every value. All syntax
//! errors come at once.

use crate::sim::param::{Entry, Node, Place, Problems, Tree};
use toml::de::{DeTable, DeValue};

/// The largest file, in bytes.
pub const LIMIT_BYTES: usize = 1 << 20;
/// The deepest nesting of tables and lists.
pub const LIMIT_DEPTH: usize = 64;
/// The most values in a file.
pub const LIMIT_VALUES: usize = 100_000;

/// Parses a whole file. Nothing comes back when it is not a tree that can be read further;
/// otherwise what could be understood, and the problems of the rest.
pub fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    if text.len() > LIMIT_BYTES {
        let message = format!("the file has {} bytes; the limit is 1 MiB", text.len());
        problems.add(&(0..0), message);
        return None;
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().unwrap_or(0..0);
        if error.message().contains("recurs") {
            let message = format!("nested too deep; the limit is {LIMIT_DEPTH} levels");
            problems.add(&place, message);
        } else {
            problems.add(&place, format!("not valid TOML: {}", error.message()));
        }
    }
    let mut reader = Reader { problems, values: 0, too_deep: false };
    let node = reader.table(root.get_ref(), 0..0, 0);
    if reader.values > LIMIT_VALUES {
        problems.add(&(0..0), format!("more values than the limit of {LIMIT_VALUES}"));
        return None;
    }
    Some(node)
}

/// Parses one value, as after `key =`. What is not a TOML value is taken as plain text, so that
/// nobody has to quote quotes on a command line.
pub fn parse_value(text: &str, problems: &mut Problems) -> Node {
    let place = 0..text.len();
    let parsed = if text.len() > LIMIT_BYTES { None } else { DeValue::parse(text).ok() };
    match parsed {
        Some(value) => {
            let mut reader = Reader { problems, values: 0, too_deep: false };
            reader.value(value.get_ref(), place, 0)
        }
        None => Node { place, tree: Tree::Text(text.to_string()) },
    }
}

struct Reader<'a> {
    problems: &'a mut Problems,
    values: usize,
    too_deep: bool,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, place: Place, depth: usize) -> Node {
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in table.iter() {
            let node = self.value(value.get_ref(), value.span(), depth + 1);
            entries.push(Entry { key: key.get_ref().to_string(), place: key.span(), node });
        }
        // The parser sorts by key; people read in the order they wrote.
        entries.sort_by_key(|entry| (entry.place.start, entry.place.end));
        Node { place, tree: Tree::Table(entries) }
    }

    fn value(&mut self, value: &DeValue<'_>, place: Place, depth: usize) -> Node {
        self.values += 1;
        if depth > LIMIT_DEPTH {
            if !self.too_deep {
                let message = format!("nested too deep; the limit is {LIMIT_DEPTH} levels");
                self.problems.add(&place, message);
            }
            self.too_deep = true;
            return Node { place, tree: Tree::Bool(false) };
        }
        let tree = match value {
            DeValue::String(text) => Tree::Text(text.to_string()),
            DeValue::Boolean(yes) => Tree::Bool(*yes),
            DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => Tree::Int(n),
                Err(_) => self.refuse(&place, "a whole number larger than 64 bits"),
            },
            DeValue::Float(x) => match x.as_str().parse() {
                Ok(x) => Tree::Float(x),
                Err(_) => self.refuse(&place, "a number that cannot be read"),
            },
            DeValue::Datetime(_) => self.refuse(&place, "a date; nothing here takes dates"),
            DeValue::Array(items) => Tree::List(
                items.iter().map(|i| self.value(i.get_ref(), i.span(), depth + 1)).collect(),
            ),
            DeValue::Table(table) => return self.table(table, place, depth),
        };
        Node { place, tree }
    }

    fn refuse(&mut self, place: &Place, what: &str) -> Tree {
        self.problems.add(place, format!("found {what}"));
        Tree::Text(String::new())
    }
}

/// The comment block at the head of a file: its story. Blank comment lines keep paragraphs.
pub fn leading_comment(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.trim().is_empty());
    let comment: Vec<&str> = lines
        .map_while(|line| line.trim_start().strip_prefix('#'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    comment.join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_places_and_their_order() {
        let text = "b = 1\na = [\"x\", { c.d = true }]\n[t.u]\nv = 2.5\n";
        let mut problems = Problems::default();
        let root = parse(text, &mut problems).unwrap();
        assert!(problems.is_empty());
        let keys: Vec<&str> = root.entries().iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "t"]);
        let v = root.get("t").unwrap().get("u").unwrap().get("v").unwrap();
        assert_eq!(&text[v.place.clone()], "2.5");
        assert_eq!(&text[root.get("t").unwrap().get("u").unwrap().place.clone()], "[t.u]");
    }

    #[test]
    fn all_syntax_errors_come_at_once() {
        let mut problems = Problems::default();
        parse("a = \nb = 1\nb = 2\nc = 'x\n", &mut problems);
        assert!(problems.0.len() >= 3, "{problems:?}");
    }

    #[test]
    fn a_word_on_the_command_line_needs_no_quotes() {
        let mut problems = Problems::default();
        assert_eq!(parse_value("30m", &mut problems).tree, Tree::Text("30m".into()));
        assert_eq!(parse_value("\"30m\"", &mut problems).tree, Tree::Text("30m".into()));
        assert_eq!(parse_value("17", &mut problems).tree, Tree::Int(17));
    }

    #[test]
    fn the_story_is_the_comment_at_the_head() {
        assert_eq!(leading_comment("\n# One.\n#\n# Two.\na = 1 # three\n"), "One.\n\nTwo.");
        assert_eq!(leading_comment("a = 1\n# late\n"), "");
    }
}
