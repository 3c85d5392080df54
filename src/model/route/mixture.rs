//! How late clients follow a name: shares of resolvers whose clients go on using an old address
//! for some time after the resolver has learned the new one.
//!
//! A resolver learns of a change when its answer runs out, `U(0, TTL)` after the name servers
//! changed theirs; its clients follow some time `D` later, by the part of the mixture it belongs
//! to. A client is still sent to the old address t after the change with probability
//! `Σ share · P(U(0, TTL) + D > t)`.

use crate::model::id::ProcessId;
use crate::model::route::Place;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec, Shape, Shaped, Stat};
use crate::sim::param::{Kind, Node, Param, Problems, Share, Tree, suggest};
use crate::sim::rng::{Label, Streams};

crate::params! {
    /// A share of resolvers whose clients are late.
    pub struct Late {
        /// The share of a population's resolvers, and so of its clients.
        share: Share, required;
        /// From when the resolver has learned a new address until its clients use it.
        delay: DistSpec, required;
    }
}

/// Shares of late clients; the rest follow as soon as their resolver knows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mixture {
    /// Its name, where it has one.
    pub name: Option<&'static str>,
    /// The shares.
    pub parts: Vec<Late>,
}

/// The most parts of a mixture.
pub const LIMIT_PARTS: usize = 64;

impl Mixture {
    /// The mixtures that have a name.
    pub const NAMES: [&str; 1] = ["flavel-2014"];

    /// The mixture of that name.
    pub fn named(name: &str) -> Option<Mixture> {
        let name = *Mixture::NAMES.iter().find(|known| **known == name)?;
        Some(Mixture { name: Some(name), parts: flavel_2014() })
    }
}

/// Flavel et al., LANMAN 2014: with a TTL of 20 s, 90 % of users had switched within a minute and
/// 2 % had not after 15 minutes. Those two points are theirs; the shape between is our choice.
fn flavel_2014() -> Vec<Late> {
    let (second, minute) = (Span::from_secs(1), Span::from_secs(60));
    // A sigma of 0.8, and one of 1: the 99th percentile lies exp(2.3263 sigma) above the median.
    let slow = Shape::LogNormal([
        Stat::P50.is(minute.saturating_mul(4)),
        Stat::P99.is(Span::from_millis(1_543_360)),
    ]);
    let slowest = Shape::LogNormal([
        Stat::P50.is(minute.saturating_mul(60)),
        Stat::P99.is(Span::from_millis(36_865_706)),
    ]);
    let cap = Some(minute.saturating_mul(15));
    let slow = DistSpec::Shaped(Box::new(Shaped { shape: slow, cap, never: 0.0 }));
    vec![
        Late { share: Share(0.9), delay: DistSpec::uniform(Span::ZERO, second.saturating_mul(40)) },
        Late { share: Share(0.08), delay: slow },
        Late { share: Share(0.02), delay: slowest.into() },
    ]
}

impl Param for Mixture {
    fn kind() -> Kind {
        Kind::Other(
            "a list of tables, each with a `share` of resolvers and the `delay` (a distribution) \
             by which their clients follow late, or the name \"flavel-2014\"",
        )
    }
    fn read(node: &Node, problems: &mut Problems) -> Option<Mixture> {
        let Tree::Text(name) = &node.tree else {
            return Vec::read(node, problems).map(|parts| Mixture { name: None, parts });
        };
        let found = Mixture::named(name);
        if found.is_none() {
            let message = format!("unknown mixture `{name}`");
            problems.add_help(&node.place, message, suggest(name, &Mixture::NAMES));
        }
        found
    }
    fn show(&self) -> String {
        self.name.map_or_else(|| self.parts.show(), |name| format!("{name:?}"))
    }
}

/// The late clients of a population's resolvers.
pub(super) struct Lateness {
    delays: Vec<Dist>,
    /// Per resolver: which delay is its clients' (beyond the last: none), and where they will
    /// follow to.
    resolvers: Vec<(u16, Option<ProcessId>)>,
    streams: Streams,
    label: Label,
}

/// What becomes of a resolver's new knowledge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Follow {
    /// Its clients use it now.
    Now,
    /// They will after this long, unless something else is learned before.
    After(Span),
    /// They follow at the time that was set before.
    AsSet,
}

impl Lateness {
    /// To each resolver its part, by a draw of its own; nothing where nobody is late.
    pub(super) fn new(mixture: &Mixture, count: u32, place: &Place<'_>) -> Option<Box<Lateness>> {
        if mixture.parts.is_empty() {
            return None;
        }
        let label = place.label().with("late");
        let mut dice = place.streams.stream(label.with("resolvers"));
        let mut part = || {
            let (draw, mut sum) = (dice.unit(), 0.0);
            let before = mixture.parts.iter().take_while(|part| {
                sum += part.share.0;
                sum <= draw
            });
            before.count() as u16
        };
        let resolvers = (0..count).map(|_| (part(), None)).collect();
        let delays = mixture.parts.iter().map(|part| Dist::new(&part.delay)).collect();
        let streams = place.streams.clone();
        Some(Box::new(Lateness { delays, resolvers, streams, label }))
    }
    /// A resolver whose clients use `current` has learned `target`, by its `seq`-th lookup.
    pub(super) fn learned(
        &mut self,
        resolver: u32,
        seq: u32,
        current: ProcessId,
        target: ProcessId,
    ) -> Follow {
        let Some((part, next)) = self.resolvers.get_mut(resolver as usize) else {
            return Follow::Now;
        };
        if current == target {
            *next = None;
            return Follow::Now;
        }
        if *next == Some(target) {
            return Follow::AsSet;
        }
        let label = self.label.with_index(resolver.into()).with_index(seq.into());
        let delay = self.delays.get(usize::from(*part));
        let delay = delay.map_or(Span::ZERO, |d| d.sample(&mut self.streams.stream(label)));
        *next = (!delay.is_zero()).then_some(target);
        if delay.is_zero() { Follow::Now } else { Follow::After(delay) }
    }
    /// The time has come for a resolver's clients: where they go now.
    pub(super) fn due(&mut self, resolver: u32) -> Option<ProcessId> {
        self.resolvers.get_mut(resolver as usize)?.1.take()
    }
}
