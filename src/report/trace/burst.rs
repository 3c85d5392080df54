//! A fault changes many things at one instant; these are told together.

use crate::model::fact::Fact;
use crate::model::id::{FaultId, NodeId, SiteId};
use crate::report::trace::words::Words;
use crate::sim::time::SimTime;
use std::collections::BTreeSet;

/// The most bystanders of a fault that are told by name.
const LIMIT_NAMES: usize = 4;

/// What changed at one instant.
#[derive(Default)]
pub struct Burst {
    /// That instant.
    pub at: SimTime,
    hits: Vec<(FaultId, Vec<NodeId>)>,
    cut: BTreeSet<(SiteId, SiteId)>,
    restored: BTreeSet<(SiteId, SiteId)>,
}

impl Burst {
    /// Nothing in it?
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty() && self.cut.is_empty() && self.restored.is_empty()
    }

    /// Takes what is told together; everything it holds is of one instant. False for the rest.
    pub fn takes(&mut self, at: SimTime, fact: &Fact) -> bool {
        match *fact {
            Fact::Hit { fault, node } => match self.hits.last_mut() {
                Some((last, nodes)) if *last == fault => nodes.push(node),
                _ => self.hits.push((fault, vec![node])),
            },
            Fact::Link { from, to, up } => {
                let links = if up { &mut self.restored } else { &mut self.cut };
                links.insert((from, to));
            }
            _ => return false,
        }
        self.at = at;
        true
    }

    /// In sentences.
    pub fn lines(&self, words: Words<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        for (fault, nodes) in &self.hits {
            lines.push(format!("fault {} touches {}", words.fault(*fault), touched(nodes, words)));
        }
        for (what, links) in [("cut", &self.cut), ("restored", &self.restored)] {
            for (from, sign, to) in stars(links) {
                let to: Vec<&str> = to.iter().map(|site| words.site(*site)).collect();
                lines.push(format!("links {what}: {} {sign} {}", words.site(from), to.join(", ")));
            }
        }
        lines
    }
}

/// Nodes that hold data by name; of the others some, and how many more.
fn touched(nodes: &[NodeId], words: Words<'_>) -> String {
    let holds =
        |node: &&NodeId| words.0.groups.iter().any(|g| g.is_store && g.members.contains(node));
    let (data, others): (Vec<&NodeId>, Vec<&NodeId>) = nodes.iter().partition(holds);
    let shown = if others.len() <= LIMIT_NAMES { others.len() } else { 0 };
    let named = data.into_iter().chain(others.iter().take(shown).copied());
    let mut names: Vec<String> = named.map(|node| words.node(*node).to_string()).collect();
    match (others.len() - shown, names.is_empty()) {
        (0, _) => {}
        (more, true) => names.push(format!("{more} nodes")),
        (more, false) => names.push(format!("{more} other nodes")),
    }
    names.join(", ")
}

/// Links as few stars: first of both directions, from whoever has most, then of one.
fn stars(links: &BTreeSet<(SiteId, SiteId)>) -> Vec<(SiteId, &'static str, Vec<SiteId>)> {
    let mut rest = links.clone();
    let mut stars = Vec::new();
    for (sign, both) in [("⇄", true), ("→", false)] {
        loop {
            let fits = |(from, to): &&(SiteId, SiteId)| !both || rest.contains(&(*to, *from));
            let mut count = std::collections::BTreeMap::new();
            for (from, _) in rest.iter().filter(fits) {
                *count.entry(*from).or_insert(0) += 1;
            }
            // The first of those with most, so that the order is that of the sites.
            let most = count.iter().max_by_key(|(site, n)| (**n, std::cmp::Reverse(**site)));
            let Some(centre) = most.map(|(site, _)| *site) else { break };
            let to: Vec<SiteId> =
                rest.iter().filter(fits).filter(|(f, _)| *f == centre).map(|(_, to)| *to).collect();
            for site in &to {
                rest.remove(&(centre, *site));
                if both {
                    rest.remove(&(*site, centre));
                }
            }
            stars.push((centre, sign, to));
        }
    }
    stars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_cut_off_is_one_star_and_one_way_cuts_are_told_apart() {
        let site = SiteId;
        let mut links = BTreeSet::new();
        for other in [0, 1, 3] {
            links.insert((site(2), site(other)));
            links.insert((site(other), site(2)));
        }
        links.insert((site(0), site(3)));
        let expected =
            [(site(2), "⇄", vec![site(0), site(1), site(3)]), (site(0), "→", vec![site(3)])];
        assert_eq!(stars(&links), expected);
    }
}
