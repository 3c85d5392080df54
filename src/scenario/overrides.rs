//! Variants and `--set`: dotted keys that replace values in the tree before it is read, so that
//! one reader, and one set of diagnostics, serves all.

use crate::sim::param::{Entry, Node, Place, Problems, Tree, suggest};

/// Tables whose entries are named by the user: an override does not bring such a name into being
/// by stating one of its keys.
const NAMED: [&str; 3] = ["region", "store", "clients"];
/// The most steps of a dotted key.
const LIMIT_STEPS: usize = 64;

/// Applies the table of a variant. What stands right of a `=` replaces what the key leads to; a
/// table with a header of its own (`[variant.NAME.lease]`) goes inside what stands there.
/// `remove = ["lease", "fault.cut"]` takes things away.
pub fn apply_variant(root: &mut Node, variant: &Node, problems: &mut Problems) {
    if !matches!(variant.tree, Tree::Table(_)) {
        problems.add(&variant.place, format!("expected a table, found {}", variant.what()));
        return;
    }
    for entry in variant.entries() {
        apply_entry(root, &mut Vec::new(), entry, problems);
    }
}

fn apply_entry(root: &mut Node, above: &mut Vec<String>, entry: &Entry, problems: &mut Problems) {
    let inline = entry.node.place.start >= entry.place.end;
    let inside = matches!(entry.node.tree, Tree::Table(_)) && !inline;
    if inside && above.len() < LIMIT_STEPS && !entry.node.entries().is_empty() {
        above.push(entry.key.clone());
        for below in entry.node.entries() {
            apply_entry(root, above, below, problems);
        }
        above.pop();
        return;
    }
    let mut steps = above.clone();
    match above.as_slice() {
        [first] if first == "expect" => steps.push(entry.key.clone()),
        _ => steps.extend(split(&entry.key)),
    }
    apply(root, &steps, &entry.place, entry.node.clone(), problems);
}

/// Applies one `key = value`. `place` is where the key stands.
pub fn apply_key(root: &mut Node, key: &str, place: &Place, value: Node, problems: &mut Problems) {
    apply(root, &split(key), place, value, problems);
}

/// The steps of a dotted key; a step in double quotes may contain dots. Below `expect` stands
/// the name of a metric, which has dots of its own.
fn split(key: &str) -> Vec<String> {
    if let Some(metric) = key.strip_prefix("expect.") {
        return vec!["expect".to_string(), metric.to_string()];
    }
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for c in key.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            c => steps.last_mut().into_iter().for_each(|step| step.push(c)),
        }
    }
    steps.into_iter().map(|step| step.trim().to_string()).collect()
}

fn apply(root: &mut Node, steps: &[String], place: &Place, value: Node, problems: &mut Problems) {
    if steps.len() > LIMIT_STEPS || steps.iter().any(String::is_empty) {
        problems.add(place, format!("`{}` is not a key", steps.join(".")));
        return;
    }
    match steps {
        [first] if first == "remove" => remove_all(root, &value, problems),
        [first, ..] if first == "variant" => {
            problems.add(place, "a variant cannot change variants");
        }
        _ => set(root, steps, place, value, problems),
    }
}

fn set(root: &mut Node, steps: &[String], place: &Place, value: Node, problems: &mut Problems) {
    let mut node = root;
    for (depth, step) in steps.iter().enumerate() {
        let last = depth + 1 == steps.len();
        let done = &steps[..depth];
        match step_into(node, step, place, last, done, problems) {
            Some(inner) => node = inner,
            None => return,
        }
    }
    *node = value;
}

/// The node under `step`, made where that is allowed.
fn step_into<'a>(
    node: &'a mut Node,
    step: &str,
    place: &Place,
    last: bool,
    done: &[String],
    problems: &mut Problems,
) -> Option<&'a mut Node> {
    match &mut node.tree {
        Tree::Table(entries) => {
            let found = entries.iter().position(|entry| entry.key == step);
            let index = match found {
                Some(index) => index,
                None if !last && done.len() == 1 && NAMED.contains(&done[0].as_str()) => {
                    let names: Vec<&str> = entries.iter().map(|e| e.key.as_str()).collect();
                    let message = format!("there is no `{}.{step}`", done[0]);
                    problems.add_help(place, message, suggest(step, &names));
                    return None;
                }
                None if !last && done.is_empty() && ["fault", "operator"].contains(&step) => {
                    problems.add(place, format!("the file has no {step}"));
                    return None;
                }
                None => {
                    let node = Node { place: place.clone(), tree: Tree::Table(Vec::new()) };
                    entries.push(Entry { key: step.to_string(), place: place.clone(), node });
                    entries.len() - 1
                }
            };
            if last {
                entries[index].place = place.clone();
            }
            Some(&mut entries[index].node)
        }
        Tree::List(items) => {
            let count = items.len();
            match index_of(items, step) {
                Some(index) => Some(&mut items[index]),
                None => {
                    let message = format!("`{}` has no `{step}`", done.join("."));
                    let help = match count {
                        0 => "it is empty".to_string(),
                        1 => "items go by their `name`, or by number: there is only 0".to_string(),
                        n => format!("items go by their `name`, or by number from 0 to {}", n - 1),
                    };
                    problems.add_help(place, message, help);
                    None
                }
            }
        }
        _ => {
            problems.add(place, format!("`{}` is no table", done.join(".")));
            None
        }
    }
}

/// An item of a list by its `name`, or by its number from 0.
fn index_of(items: &[Node], step: &str) -> Option<usize> {
    let named = |item: &Node| {
        item.get("name").is_some_and(|name| matches!(&name.tree, Tree::Text(t) if t == step))
    };
    items.iter().position(named).or_else(|| step.parse().ok().filter(|index| *index < items.len()))
}

fn remove_all(root: &mut Node, what: &Node, problems: &mut Problems) {
    let one = std::slice::from_ref(what);
    let items = if let Tree::List(items) = &what.tree { items.as_slice() } else { one };
    for item in items {
        let Tree::Text(key) = &item.tree else {
            problems.add(&item.place, format!("expected a dotted key, found {}", item.what()));
            continue;
        };
        let steps = split(key);
        if !remove(root, &steps) {
            problems.add(&item.place, format!("there is no `{}` to remove", steps.join(".")));
        }
    }
}

fn remove(node: &mut Node, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return false };
    match &mut node.tree {
        Tree::Table(entries) => {
            let Some(index) = entries.iter().position(|e| &e.key == step) else { return false };
            if rest.is_empty() {
                entries.remove(index);
                return true;
            }
            remove(&mut entries[index].node, rest)
        }
        Tree::List(items) => {
            let Some(index) = index_of(items, step) else { return false };
            if rest.is_empty() {
                items.remove(index);
                return true;
            }
            remove(&mut items[index], rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tree;

    fn after(base: &str, variant: &str) -> (Node, Vec<String>) {
        let mut problems = Problems::default();
        let mut root = tree::parse(base, &mut problems).unwrap();
        let variant = tree::parse(variant, &mut problems).unwrap();
        apply_variant(&mut root, &variant, &mut problems);
        (root, problems.0.into_iter().map(|p| p.message).collect())
    }

    fn text_at<'a>(root: &'a Node, path: &str) -> Option<&'a str> {
        let node = path.split('.').try_fold(root, |node, step| node.get(step))?;
        if let Tree::Text(text) = &node.tree { Some(text) } else { None }
    }

    #[test]
    fn a_dotted_key_replaces_one_value() {
        let base = "[store.orders]\nprimary = 'a'\nreplication = { mode = 'async', acks = 'x' }";
        for variant in
            ["\"store.orders.replication.mode\" = 'sync'", "store.orders.replication.mode = 'sync'"]
        {
            let (root, problems) = after(base, variant);
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(text_at(&root, "store.orders.replication.mode"), Some("sync"));
            assert_eq!(text_at(&root, "store.orders.replication.acks"), Some("x"));
        }
        let (root, _) = after(base, "\"store.orders.replication\" = { mode = 'sync' }");
        assert_eq!(text_at(&root, "store.orders.replication.acks"), None);
    }

    #[test]
    fn expectations_are_replaced_together_or_one_by_one() {
        let base = "[expect]\n\"rpo.time\" = 'a'\n\"rto.restored\" = 'b'";
        let expect = |variant: &str| {
            let (root, problems) = after(base, variant);
            assert!(problems.is_empty(), "{problems:?}");
            let value = |key: &str| {
                root.get("expect").and_then(|e| e.get(key)).map(|node| format!("{:?}", node.tree))
            };
            (value("rpo.time"), value("rto.restored"))
        };
        let (a, b, c) = ("Text(\"a\")", "Text(\"b\")", "Text(\"c\")");
        let is = |text: &str| Some(text.to_string());
        assert_eq!(expect("\"expect\" = { \"rpo.time\" = 'c' }"), (is(c), None));
        assert_eq!(expect("\"expect.rpo.time\" = 'c'"), (is(c), is(b)));
        assert_eq!(expect("[expect]\n\"rto.restored\" = 'c'"), (is(a), is(c)));
    }

    #[test]
    fn items_of_lists_go_by_name_or_number_and_things_can_be_removed() {
        let base = "[[fault]]\nname = 'cut'\nat = '1s'\n[[fault]]\nat = '2s'\n[lease]\nttl = '1s'";
        let (root, problems) =
            after(base, "\"fault.cut.at\" = '3s'\n\"fault.1.at\" = '4s'\nremove = ['lease']");
        assert!(problems.is_empty(), "{problems:?}");
        let Tree::List(faults) = &root.get("fault").unwrap().tree else { panic!() };
        assert_eq!(text_at(&faults[0], "at"), Some("3s"));
        assert_eq!(text_at(&faults[1], "at"), Some("4s"));
        assert!(root.get("lease").is_none());
    }

    #[test]
    fn a_name_that_is_not_there_is_not_made() {
        let (_, problems) = after("[store.orders]\n", "\"store.ordres.primary\" = 'a'");
        assert_eq!(problems, ["there is no `store.ordres`"]);
    }
}
