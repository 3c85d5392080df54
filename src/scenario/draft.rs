//! The file as written: every table read into its declared parameters, each with its place.
//! Names are not resolved yet.

use super::schema::{
    PolicyTable, RegionTable, RunTable, SCHEMA_VERSION, ScenarioTable, TOP, WanTable,
};
use crate::model::client::ClientParams;
use crate::model::control::{FailoverParams, LeaseParams};
use crate::model::detect::HealthCheckParams;
use crate::model::replica::StoreParams;
use crate::model::route::RoutingParams;
use crate::sim::param::{Declared, Entry, Kind, Name, Node, Place, Problems, Tree, suggest};
use crate::world::fault::{FaultCommon, FaultParams};
use crate::world::operator::{ActionParams, OperatorCommon};

/// The longest name.
pub const LIMIT_NAME: usize = 64;

/// A table with the name it stands under.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// The name; of an unnamed table, its key.
    pub name: String,
    /// True when the user gave the name.
    pub named: bool,
    /// Where the name stands.
    pub place: Place,
    /// What was written.
    pub node: Node,
    /// What was read.
    pub params: T,
}

impl<T> Named<T> {
    /// Where the value of `key` stands, or else the table.
    pub fn place_of(&self, key: &str) -> &Place {
        place_in(&self.node, key).unwrap_or(&self.place)
    }
    /// True when the user wrote `key`.
    pub fn wrote(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }
}

/// Where the value under a dotted key stands.
pub fn place_in<'a>(node: &'a Node, key: &str) -> Option<&'a Place> {
    key.split('.').try_fold(node, |node, step| node.get(step)).map(|node| &node.place)
}

/// A fault as written.
#[derive(Clone, Debug)]
pub struct FaultDraft {
    /// When, and for how long.
    pub common: FaultCommon,
    /// What; none when that could not be read.
    pub params: Option<FaultParams>,
    /// What was written.
    pub node: Node,
}

/// An operator as written.
#[derive(Clone, Debug)]
pub struct OperatorDraft {
    /// When, and on which store.
    pub common: OperatorCommon,
    /// What; none when that could not be read.
    pub params: Option<ActionParams>,
    /// What was written.
    pub node: Node,
}

/// The file as written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `[scenario]`
    pub scenario: Named<ScenarioTable>,
    /// `[run]`
    pub run: Named<RunTable>,
    /// `[policy]`
    pub policy: Named<PolicyTable>,
    /// `[region.NAME]`
    pub regions: Vec<Named<RegionTable>>,
    /// `[wan]`
    pub wan: Named<WanTable>,
    /// `[store.NAME]`
    pub stores: Vec<Named<StoreParams>>,
    /// `[lease]`, `[lease.NAME]`
    pub leases: Vec<Named<LeaseParams>>,
    /// `[health_check]`, `[health_check.NAME]`
    pub health_checks: Vec<Named<HealthCheckParams>>,
    /// `[failover]`, `[failover.NAME]`
    pub failovers: Vec<Named<FailoverParams>>,
    /// `[routing]`, `[routing.NAME]`
    pub routings: Vec<Named<RoutingParams>>,
    /// `[clients.NAME]`
    pub clients: Vec<Named<ClientParams>>,
    /// `[[fault]]`
    pub faults: Vec<FaultDraft>,
    /// `[[operator]]`
    pub operators: Vec<OperatorDraft>,
    /// `[measure]`
    pub measure: Option<Entry>,
    /// `[expect]`
    pub expect: Vec<Entry>,
    /// The names of `[variant.NAME]`.
    pub variants: Vec<Entry>,
}

/// Reads every table of the file.
pub fn read(root: &Node, problems: &mut Problems) -> Draft {
    for entry in root.entries() {
        if !TOP.contains(&entry.key.as_str()) {
            problems.unknown_key(entry, &TOP);
        }
    }
    version(root, problems);
    let scenario: Named<ScenarioTable> = one(root, "scenario", problems);
    if scenario.wrote("name") {
        check_name(&scenario.params.name.text, &scenario.params.name.place, problems);
    }
    Draft {
        scenario,
        run: one(root, "run", problems),
        policy: one(root, "policy", problems),
        regions: named(root, "region", problems),
        wan: one(root, "wan", problems),
        stores: named(root, "store", problems),
        leases: either(root, "lease", problems),
        health_checks: either(root, "health_check", problems),
        failovers: either(root, "failover", problems),
        routings: either(root, "routing", problems),
        clients: named(root, "clients", problems),
        faults: items(root, "fault", "faults", problems, fault),
        operators: items(root, "operator", "operators", problems, operator),
        measure: root.entries().iter().find(|entry| entry.key == "measure").cloned(),
        expect: entries_of(root, "expect", problems).to_vec(),
        variants: entries_of(root, "variant", problems).to_vec(),
    }
}

fn version(root: &Node, problems: &mut Problems) {
    let help = format!("this version reads schema_version = {SCHEMA_VERSION}");
    match root.get("schema_version") {
        Some(Node { tree: Tree::Int(SCHEMA_VERSION), .. }) => {}
        Some(node) => problems.add_help(&node.place, "unknown schema_version", help),
        None => {
            let help = format!("begin the file with schema_version = {SCHEMA_VERSION}");
            problems.add_help(&(0..0), "missing key `schema_version`", help);
        }
    }
}

/// The entries of a table of the file, or none; it is a problem when it is no table.
fn entries_of<'a>(root: &'a Node, key: &str, problems: &mut Problems) -> &'a [Entry] {
    match root.get(key) {
        Some(Node { tree: Tree::Table(entries), .. }) => entries,
        Some(node) => {
            problems.add(&node.place, format!("expected a table, found {}", node.what()));
            &[]
        }
        None => &[],
    }
}

fn one<T: Declared>(root: &Node, key: &str, problems: &mut Problems) -> Named<T> {
    let entry = root.entries().iter().find(|entry| entry.key == key);
    let (place, node) = match entry {
        Some(entry) => (header(entry), entry.node.clone()),
        None => (0..0, Node::table(Vec::new())),
    };
    let before = problems.0.len();
    let params = T::read_table(&node, problems, &[]);
    // A missing key is said where the table begins; without the table, which table it belongs to.
    for problem in &mut problems.0[before..] {
        if entry.is_none() {
            problem.message = format!("{} in [{key}]", problem.message);
        }
    }
    Named { name: key.to_string(), named: false, place, node, params }
}

/// Where a table begins: its header, or for an inline table its key.
fn header(entry: &Entry) -> Place {
    entry.place.clone()
}

fn named<T: Declared>(root: &Node, key: &str, problems: &mut Problems) -> Vec<Named<T>> {
    entries_of(root, key, problems).iter().map(|entry| read_named(entry, problems)).collect()
}

fn read_named<T: Declared>(entry: &Entry, problems: &mut Problems) -> Named<T> {
    check_name(&entry.key, &entry.place, problems);
    let params = T::read_table(&entry.node, problems, &[]);
    let (name, node) = (entry.key.clone(), entry.node.clone());
    Named { name, named: true, place: header(entry), node, params }
}

/// Names become parts of node names, of dotted keys and of file names.
pub fn check_name(name: &str, place: &Place, problems: &mut Problems) {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > LIMIT_NAME {
        problems.add(place, format!("longer than the limit of {LIMIT_NAME} characters"));
    } else if name.is_empty() || !name.chars().all(good) {
        let help = "a name has letters, digits, `-` and `_`";
        problems.add_help(place, format!("`{name}` is not a name"), help);
    }
}

/// An unnamed table, or named ones, or both: an entry that is a table, and no parameter of
/// that key, is a named one.
fn either<T: Declared>(root: &Node, key: &str, problems: &mut Problems) -> Vec<Named<T>> {
    let Some(entry) = root.entries().iter().find(|entry| entry.key == key) else {
        return Vec::new();
    };
    let entries = entries_of(root, key, problems);
    let (named, own): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|e| is_named::<T>(e));
    let mut out = Vec::new();
    if named.is_empty() || !own.is_empty() {
        let tree = match &entry.node.tree {
            Tree::Table(_) => Tree::Table(own.into_iter().cloned().collect()),
            _ => return out,
        };
        let node = Node { place: entry.node.place.clone(), tree };
        let params = T::read_table(&node, problems, &[]);
        let (name, place) = (key.to_string(), header(entry));
        out.push(Named { name, named: false, place, node, params });
    }
    out.extend(named.into_iter().map(|entry| read_named(entry, problems)));
    out
}

fn is_named<T: Declared>(entry: &Entry) -> bool {
    let fields = T::fields();
    let is_key = |name: &str| fields.iter().any(|field| field.name == name);
    // A mistyped key of its own, such as `[lease.electoin]`, is not taken for a name.
    let tables: Vec<&str> = fields
        .iter()
        .filter(|field| {
            matches!((field.kind)(), Kind::Table(_) | Kind::ByName(_) | Kind::Tagged(..))
        })
        .map(|field| field.name)
        .collect();
    let mistyped = !tables.is_empty() && suggest(&entry.key, &tables).starts_with("did you mean");
    matches!(entry.node.tree, Tree::Table(_)) && !is_key(&entry.key) && !mistyped
}

/// A list of tables: `[[key]]`.
fn items<T>(
    root: &Node,
    key: &str,
    what: &str,
    problems: &mut Problems,
    read: impl Fn(&Node, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let Some(node) = root.get(key) else { return Vec::new() };
    let Tree::List(items) = &node.tree else {
        let message = format!("expected a list of {what}, found {}", node.what());
        problems.add_help(&node.place, message, format!("write [[{key}]], with two brackets"));
        return Vec::new();
    };
    items.iter().filter_map(|item| read(item, problems)).collect()
}

/// A fault's table holds the keys of every fault and those of its kind: each reader knows its
/// own, so what neither knows is found here, once.
fn fault(node: &Node, problems: &mut Problems) -> Option<FaultDraft> {
    is_table(node, problems)?;
    let params = FaultParams::read_also(node, problems, &keys_of::<FaultCommon>());
    let common: FaultCommon = own(node, problems);
    check_own_name(common.name.as_ref(), problems);
    Some(FaultDraft { common, params, node: node.clone() })
}

/// The same of an operator.
fn operator(node: &Node, problems: &mut Problems) -> Option<OperatorDraft> {
    is_table(node, problems)?;
    let params = ActionParams::read_also(node, problems, &keys_of::<OperatorCommon>());
    let common: OperatorCommon = own(node, problems);
    check_own_name(common.name.as_ref(), problems);
    Some(OperatorDraft { common, params, node: node.clone() })
}

fn is_table(node: &Node, problems: &mut Problems) -> Option<()> {
    if matches!(node.tree, Tree::Table(_)) {
        return Some(());
    }
    problems.add(&node.place, format!("expected a table, found {}", node.what()));
    None
}

fn keys_of<T: Declared>() -> Vec<&'static str> {
    T::fields().iter().map(|field| field.name).collect()
}

/// The part of a table that is declared apart from its kind.
fn own<T: Declared>(node: &Node, problems: &mut Problems) -> T {
    let keys = keys_of::<T>();
    let ours = |entry: &&Entry| keys.contains(&entry.key.as_str());
    let entries = node.entries().iter().filter(ours).cloned().collect();
    T::read_table(&Node { place: node.place.clone(), tree: Tree::Table(entries) }, problems, &[])
}

fn check_own_name(name: Option<&Name>, problems: &mut Problems) {
    if let Some(name) = name {
        check_name(&name.text, &name.place, problems);
    }
}
