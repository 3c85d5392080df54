//! The resolved scenario as data: every value with where it came from, the round trips in use,
//! and the calendar of faults. The porch prints it.

use super::diagnostic::{self, Diagnostic, Origin};
use super::draft::{Draft, Named};
use super::matrices::Matrix;
use super::overlay::Overlay;
use super::presets::Used;
use super::times::{begins, lasts};
use super::wan::PairOrigin;
use super::{Parts, tree};
use crate::sim::param::{Arm, Declared, Field, Kind, Node, Param, Problems, Tree};
use crate::sim::{Span, units};
use crate::world::fault::FaultParams;
use crate::world::operator::ActionParams;
use crate::world::plan::Plan;

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The file, at this line.
    File(usize),
    /// An override, as it was written.
    Override(String),
    /// A default, with where that comes from.
    Default(String),
    /// An RTT matrix, with its source and date.
    Matrix(String),
    /// A preset, with how it is known and from where.
    Preset(String),
}

impl Source {
    /// In a few words: `demo.toml:12`, `default (Patroni: ttl)`.
    pub fn show(&self, path: &str) -> String {
        match self {
            Source::File(line) => format!("{path}:{line}"),
            Source::Override(text) => format!("override {text}"),
            Source::Default(source) if source.is_empty() => "default".to_string(),
            Source::Default(source) => format!("default ({source})"),
            Source::Matrix(source) => format!("matrix {source}"),
            Source::Preset(source) => format!("preset {source}"),
        }
    }
}

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The table: `store.orders`.
    pub table: String,
    /// The key, dotted below the table: `replication.mode`.
    pub key: String,
    /// The value as one would write it; empty when nothing is set.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// The round trip of one directed pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairRow {
    /// The sending region.
    pub from: String,
    /// The receiving region.
    pub to: String,
    /// Twice the one-way delay.
    pub rtt: Span,
    /// Jitter, loss and bandwidth as one would write them.
    pub rest: String,
    /// Where the round trip came from.
    pub source: Source,
}

/// One fault of the calendar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalendarRow {
    /// Its name.
    pub name: String,
    /// When it begins, as stated.
    pub at: String,
    /// How long it lasts, as stated; `permanent` where it does not end.
    pub duration: String,
    /// What it does: kind and parameters.
    pub what: String,
}

/// A scenario explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Every value, table by table.
    pub rows: Vec<Row>,
    /// The matrix in use: name, what was measured, date, source.
    pub matrix: Option<String>,
    /// The round trips between regions; none where physical links decide.
    pub pairs: Vec<PairRow>,
    /// The faults, and what operators do, in the order of the file.
    pub calendar: Vec<CalendarRow>,
}

/// Explains a scenario; nothing when it has errors.
pub fn explain(
    text: &str,
    overrides: &[(String, String)],
    variant: Option<&str>,
) -> (Option<Explanation>, Vec<Diagnostic>) {
    let reading = super::read(text, overrides, variant);
    let sound = reading.scenario.is_some();
    let parts = reading.parts.filter(|_| sound);
    (parts.map(|parts| Explainer::explain(text, overrides, &parts)), reading.diagnostics)
}

struct Explainer<'a> {
    text: &'a str,
    overlay: Overlay,
    used: &'a [Used],
    rows: Vec<Row>,
}

impl<'a> Explainer<'a> {
    fn explain(text: &'a str, overrides: &[(String, String)], parts: &'a Parts) -> Explanation {
        let overlay = Overlay::new(text, overrides);
        let mut explainer = Explainer { text, overlay, used: &parts.used, rows: Vec::new() };
        explainer.tables(&parts.draft, &parts.plan);
        let matrix = parts.draft.wan.params.matrix.map(Matrix::of);
        let cite = |m: &Matrix| format!("{} ({}, {}; {})", m.name, m.measure, m.date, m.source);
        Explanation {
            pairs: explainer.pairs(parts, matrix.map(cite)),
            rows: explainer.rows,
            matrix: matrix.map(cite),
            calendar: calendar(&parts.plan),
        }
    }

    fn tables(&mut self, draft: &Draft, plan: &Plan) {
        self.table("scenario", &draft.scenario);
        self.table("run", &draft.run);
        self.table("policy", &draft.policy);
        self.named("region", &draft.regions);
        self.table("wan", &draft.wan);
        self.named("store", &draft.stores);
        self.named("lease", &draft.leases);
        self.named("health_check", &draft.health_checks);
        self.named("failover", &draft.failovers);
        self.named("routing", &draft.routings);
        for routing in plan.routings.iter().skip(draft.routings.len()) {
            self.declared("routing", &routing.params, &Node::table(Vec::new()));
        }
        self.named("clients", &draft.clients);
        for (fault, written) in plan.faults.iter().zip(&draft.faults) {
            let name = format!("fault.{}", fault.name);
            self.declared(&name, &fault.common, &written.node);
            self.value(
                &name,
                "",
                &FaultParams::kind(),
                &fault.params.show(),
                Some(&written.node),
                "",
            );
        }
        for (operator, written) in plan.operators.iter().zip(&draft.operators) {
            let name = format!("operator.{}", operator.name);
            self.declared(&name, &operator.common, &written.node);
            let (kind, node) = (ActionParams::kind(), Some(&written.node));
            self.value(&name, "", &kind, &operator.params.show(), node, "");
        }
        let settings = super::judges::settings(draft, &mut Problems::default());
        let nothing = Node::table(Vec::new());
        let node = draft.measure.as_ref().map_or(&nothing, |entry| &entry.node);
        self.declared("measure", &settings, node);
        for entry in &draft.expect {
            let limits = match &entry.node.tree {
                Tree::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.node),
            };
            for limit in limits {
                let Tree::Text(value) = &limit.tree else { continue };
                let source = self.written(limit);
                self.row("expect", &entry.key, value, source);
            }
        }
    }

    fn table<T: Declared>(&mut self, key: &str, table: &Named<T>) {
        self.declared(key, &table.params, &table.node);
    }

    fn named<T: Declared>(&mut self, key: &str, tables: &[Named<T>]) {
        for table in tables {
            let name = if table.named { format!("{key}.{}", table.name) } else { key.to_string() };
            self.declared(&name, &table.params, &table.node);
        }
    }

    fn declared<T: Declared>(&mut self, table: &str, params: &T, node: &Node) {
        for (field, value) in T::fields().iter().zip(params.values()) {
            self.field(table, "", field, &value, Some(node));
        }
    }

    fn field(&mut self, table: &str, above: &str, field: &Field, value: &str, node: Option<&Node>) {
        let key = join(above, field.name);
        let written = node.and_then(|node| node.get(field.name));
        self.value(table, &key, &(field.kind)(), value, written, field.source);
    }

    /// One value, or the values of the table it is. `shown` is what the parameter shows of
    /// itself, which is what a user would write, so the parser takes it apart.
    fn value(
        &mut self,
        table: &str,
        key: &str,
        kind: &Kind,
        shown: &str,
        written: Option<&Node>,
        default_source: &str,
    ) {
        let parsed = tree::parse_value(shown, &mut Problems::default());
        let part = |name: &str| {
            parsed.get(name).and_then(|node| shown.get(node.place.clone())).unwrap_or_default()
        };
        match kind {
            Kind::Table(fields) if !parsed.entries().is_empty() => {
                for field in *fields {
                    self.field(table, key, field, part(field.name), written);
                }
            }
            Kind::ByName(fields) if !parsed.entries().is_empty() => {
                for entry in parsed.entries() {
                    let (name, inner) = (&entry.key, written.and_then(|node| node.get(&entry.key)));
                    let kind = Kind::Table(fields);
                    self.value(table, &join(key, name), &kind, part(name), inner, default_source);
                }
            }
            Kind::Tagged(tag, arms) if !parsed.entries().is_empty() => {
                if tag.is_empty() {
                    let word = parsed.entries()[0].key.clone();
                    let inner = written.and_then(|node| node.get(&word));
                    let fields = arm(arms, &word);
                    let key = join(key, &word);
                    self.value(
                        table,
                        &key,
                        &Kind::Table(fields),
                        part(&word),
                        inner,
                        default_source,
                    );
                    return;
                }
                let inner = written.and_then(|node| node.get(tag));
                self.leaf(table, &join(key, tag), part(tag), inner, default_source);
                for field in arm(arms, part(tag).trim_matches('"')) {
                    self.field(table, key, field, part(field.name), written);
                }
            }
            _ => self.leaf(table, key, shown, written, default_source),
        }
    }

    fn leaf(&mut self, table: &str, key: &str, value: &str, written: Option<&Node>, from: &str) {
        let source = match written {
            Some(node) => match self.used.iter().find(|used| used.place == node.place) {
                Some(used) => Source::Preset(used.origin(key)),
                None => self.written(node),
            },
            None => Source::Default(from.to_string()),
        };
        self.row(table, key, value, source);
    }

    fn row(&mut self, table: &str, key: &str, value: &str, source: Source) {
        let (table, key, value) = (table.to_string(), key.to_string(), value.to_string());
        self.rows.push(Row { table, key, value, source });
    }

    fn written(&self, node: &Node) -> Source {
        match self.overlay.origin(&node.place) {
            (Origin::Override(text), _) => Source::Override(text),
            (Origin::File, _) => {
                Source::File(diagnostic::line_and_column(self.text, node.place.start).0)
            }
        }
    }

    fn pairs(&self, parts: &Parts, matrix: Option<String>) -> Vec<PairRow> {
        let plan = &parts.plan;
        let count = plan.regions.len();
        let mut rows = Vec::new();
        for (at, origin) in parts.origins.iter().enumerate() {
            let (from, to) = (at / count, at % count);
            let place = |key: &str| {
                let node = parts.draft.wan.node.get(key)?;
                Some(self.written(node))
            };
            let source = match origin {
                PairOrigin::Matrix => Source::Matrix(matrix.clone().unwrap_or_default()),
                PairOrigin::Link(index) => {
                    let link = super::validate::item(&parts.draft.wan.node, "links", *index);
                    link.map_or(Source::File(0), |node| self.written(node))
                }
                PairOrigin::Default => place("default").unwrap_or(Source::Default(String::new())),
                PairOrigin::IntraRegion | PairOrigin::Physical | PairOrigin::Missing => continue,
            };
            let wire = &plan.wan.pairs[at];
            let bandwidth = wire.bandwidth.map_or("unlimited".to_string(), |b| b.show());
            let rest = format!(
                "jitter {}, loss {}, bandwidth {bandwidth}",
                wire.jitter.show(),
                units::show_share(wire.loss.0)
            );
            rows.push(PairRow {
                from: plan.regions[from].name.clone(),
                to: plan.regions[to].name.clone(),
                rtt: wire.delay.saturating_mul(2),
                rest,
                source,
            });
        }
        rows
    }
}

fn calendar(plan: &Plan) -> Vec<CalendarRow> {
    let row = |fault: &crate::world::plan::FaultPlan| CalendarRow {
        name: fault.name.clone(),
        at: begins(&fault.common),
        duration: lasts(&fault.common),
        what: fault.params.show(),
    };
    let operator = |operator: &crate::world::plan::OperatorPlan| CalendarRow {
        name: operator.name.clone(),
        at: begins(&operator.common.times()),
        duration: String::new(),
        what: format!("{} on {}", operator.params.show(), plan.stores[operator.store].name),
    };
    plan.faults.iter().map(row).chain(plan.operators.iter().map(operator)).collect()
}

fn join(above: &str, key: &str) -> String {
    if above.is_empty() { key.to_string() } else { format!("{above}.{key}") }
}

fn arm(arms: &'static [Arm], word: &str) -> &'static [Field] {
    arms.iter().find(|arm| arm.word == word).map_or(&[], |arm| (arm.fields)())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../tests/good/interface.toml");

    fn row<'a>(explanation: &'a Explanation, table: &str, key: &str) -> &'a Row {
        explanation
            .rows
            .iter()
            .find(|row| row.table == table && row.key == key)
            .unwrap_or_else(|| panic!("no row {table} {key}: {:#?}", explanation.rows))
    }

    /// The line of the sample that contains `words`.
    fn line(words: &str) -> Source {
        Source::File(1 + SAMPLE.lines().position(|line| line.contains(words)).unwrap())
    }

    #[test]
    fn every_value_says_where_it_came_from() {
        let set = [("lease.ttl".to_string(), "20s".to_string())];
        let (explanation, diagnostics) = explain(SAMPLE, &set, None);
        assert_eq!(diagnostics, []);
        let e = explanation.unwrap();
        let mode = row(&e, "store.orders", "replication.mode");
        assert_eq!((mode.value.as_str(), &mode.source), ("\"async\"", &line("replication =")));
        assert_eq!(row(&e, "lease", "ttl").source, Source::Override("lease.ttl=20s".into()));
        let fsync = row(&e, "store.orders", "fsync");
        assert_eq!(fsync.source, Source::Default("our choice: a cloud SSD".into()));
        assert_eq!(row(&e, "routing", "via.dns.ttl").value, "\"1m\"");
        assert_eq!(row(&e, "routing", "via.dns.resolvers").value, "1000");
        assert_eq!(row(&e, "fault.cut", "direction").value, "\"both\"");
    }

    #[test]
    fn round_trips_are_shown_whole_with_their_line() {
        let e = explain(SAMPLE, &[], None).0.unwrap();
        let pair = |a: &str, b: &str| {
            e.pairs.iter().find(|p| p.from == a && p.to == b).map(|p| (p.rtt, p.source.clone()))
        };
        assert_eq!(pair("us-west", "us-east"), Some((Span::from_millis(62), line("62ms"))));
        assert_eq!(pair("us-west", "ap-south"), Some((Span::from_millis(150), line("default ="))));
        assert_eq!(e.calendar[0].duration, "\"43s\"");
    }
}
