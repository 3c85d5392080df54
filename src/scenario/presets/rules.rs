//! What a product wants of several values together: its own checks, and the advice of its guides.
//!
//! A rule that is broken is a doubt. It stands at the value that the user wrote.

use super::expand::{get, size};
use super::{Known, Preset, Used, known, text};
use crate::scenario::draft::Draft;
use crate::sim::Span;
use crate::sim::param::{Node, Place, Problems, Tree};
use crate::world::plan::Plan;

/// A value is to be at least so much.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The dotted key below the table.
    pub key: String,
    /// What it is to reach.
    pub least: Least,
    /// How the rule is known.
    pub known: Known,
    /// Where it is from.
    pub source: String,
}

/// How much.
#[derive(Clone, Debug)]
pub enum Least {
    /// The sum of other values of the table, each so many times.
    Of(Vec<(String, f64)>),
    /// So many round trips between the two members farthest apart.
    RoundTrips(f64),
}

impl Least {
    /// As one would say it: `2 × retry_timeout + loop_wait`.
    pub fn words(&self) -> String {
        match self {
            Least::RoundTrips(count) => {
                format!("{count} round trips between the members farthest apart")
            }
            Least::Of(parts) => {
                let part = |(key, times): &(String, f64)| match times {
                    1.0 => key.clone(),
                    times => format!("{times} × {key}"),
                };
                parts.iter().map(part).collect::<Vec<_>>().join(" + ")
            }
        }
    }
}

/// A rule of the catalogue.
pub(super) fn read(item: &Node) -> Option<Rule> {
    let number = |node: &Node| match node.tree {
        Tree::Int(n) => Some(n as f64),
        Tree::Float(x) => Some(x),
        _ => None,
    };
    let least = match item.get("round_trips") {
        Some(count) => Least::RoundTrips(number(count)?),
        None => {
            let parts = item.get("at_least")?.entries().iter();
            let part = parts.map(|entry| Some((entry.key.clone(), number(&entry.node)?)));
            Least::Of(part.collect::<Option<Vec<_>>>()?)
        }
    };
    Some(Rule {
        key: text(item, "key")?,
        least,
        known: known(item)?,
        source: text(item, "source")?,
    })
}

impl Rule {
    /// Doubts values of one table that break it. What the table leaves to defaults is not judged.
    pub(super) fn heed(&self, node: &Node, of: &Preset, used: &Place, doubts: &mut Problems) {
        let Least::Of(parts) = &self.least else { return };
        let Some(value) = get(node, &self.key).and_then(size) else { return };
        let part = |(key, times): &(String, f64)| Some(size(get(node, key)?)? * times);
        let Some(least) = parts.iter().map(part).sum::<Option<f64>>() else { return };
        if value < least {
            let keys = std::iter::once(&self.key).chain(parts.iter().map(|(key, _)| key));
            let mut places = keys.filter_map(|key| Some(&get(node, key)?.place));
            let written = places.find(|place| *place != used).unwrap_or(used);
            self.broken(of, written, "", doubts);
        }
    }
    fn broken(&self, of: &Preset, place: &Place, found: &str, doubts: &mut Problems) {
        let least = self.least.words();
        let message = format!("`{}` wants {} to be at least {least}{found}", of.name, self.key);
        doubts.add_help(place, message, format!("{}: {}", self.known, self.source));
    }
}

/// Doubts timeouts that are short for the distances of a store's replicas, or of a lease's voters.
pub fn round_trips(used: &[Used], draft: &Draft, plan: &Plan, doubts: &mut Problems) {
    let stores = draft.stores.iter().zip(&plan.stores);
    let stores = stores.map(|(table, store)| (table.node.get("replication"), &store.replicas));
    let leases = draft.leases.iter().zip(&plan.leases);
    let leases = leases.map(|(table, lease)| (table.node.get("election"), &lease.voters));
    for (node, members) in stores.chain(leases) {
        let Some(node) = node else { continue };
        // What a preset gave has the place of its name.
        let given = |one: &&Used| node.entries().iter().any(|entry| entry.place == one.place);
        for one in used.iter().filter(given) {
            for rule in one.preset.fit(one.spot).map_or(&[][..], |fit| &fit.rules) {
                let Least::RoundTrips(count) = rule.least else { continue };
                let Some(written) = get(node, &rule.key) else { continue };
                let far = farthest(members.iter().map(|spot| spot.region), plan);
                if size(written).is_some_and(|value| value < far.as_secs_f64() * count) {
                    rule.broken(one.preset, &written.place, &format!(" ({far})"), doubts);
                }
            }
        }
    }
}

/// The longest round trip between two of these regions.
fn farthest(regions: impl Iterator<Item = usize> + Clone, plan: &Plan) -> Span {
    let count = plan.regions.len();
    let delay =
        |a: usize, b: usize| plan.wan.pairs.get(a * count + b).map_or(Span::ZERO, |p| p.delay);
    let pairs = regions.clone().flat_map(|a| regions.clone().map(move |b| (a, b)));
    let trip = pairs.map(|(a, b)| delay(a, b).saturating_add(delay(b, a)));
    trip.max().unwrap_or(Span::ZERO)
}
