//! From `[wan]` to directed pairs or physical links. The one place where a round-trip time is
//! halved.

use super::draft::{Draft, place_in};
use super::matrices::Matrix;
use super::names::Names;
use super::schema::{DefaultWire, LinkTable, PhysicalTable, WanTable};
use crate::sim::Span;
use crate::sim::param::{Name, Place, Problems, Tree};
use crate::world::plan::{LinkPlan, PairPlan, PhysicalPlan, WanPlan};

/// Where the round trip of a pair comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PairOrigin {
    /// The matrix.
    Matrix,
    /// An entry of `wan.links`, by its number.
    Link(usize),
    /// `wan.default`.
    Default,
    /// `wan.intra_region`.
    IntraRegion,
    /// Physical links decide.
    Physical,
    /// Nothing states it, which is a problem that is reported.
    Missing,
}

/// The wires, and where the round trip of each pair comes from, row-major.
pub fn lower(draft: &Draft, names: &Names, problems: &mut Problems) -> (WanPlan, Vec<PairOrigin>) {
    let wan = &draft.wan.params;
    let count = names.regions.len();
    let mut pairs = Pairs {
        count,
        plans: vec![PairPlan::default(); count * count],
        origins: vec![PairOrigin::Missing; count * count],
    };
    let intra = intra_region(wan);
    for region in 0..count {
        pairs.set(region, region, intra.clone(), PairOrigin::IntraRegion);
    }
    let physical = if wan.physical.is_empty() {
        end_to_end(draft, names, &mut pairs, problems);
        None
    } else {
        pairs.all_across(PairOrigin::Physical);
        Some(physical(draft, names, problems))
    };
    let within = &wan.within_zone;
    let within_zone = PairPlan {
        delay: within.rtt.div(2),
        jitter: within.jitter.clone(),
        loss: within.loss,
        bandwidth: within.bandwidth,
        queue: within.queue,
    };
    let transport = wan.transport.clone();
    (WanPlan { pairs: pairs.plans, within_zone, physical, transport }, pairs.origins)
}

struct Pairs {
    count: usize,
    plans: Vec<PairPlan>,
    origins: Vec<PairOrigin>,
}

impl Pairs {
    fn set(&mut self, from: usize, to: usize, plan: PairPlan, origin: PairOrigin) {
        self.plans[from * self.count + to] = plan;
        self.origins[from * self.count + to] = origin;
    }
    fn across(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.count;
        (0..count * count).map(move |i| (i / count, i % count)).filter(|(from, to)| from != to)
    }
    fn all_across(&mut self, origin: PairOrigin) {
        for (from, to) in self.across() {
            self.origins[from * self.count + to] = origin;
        }
    }
}

fn intra_region(wan: &WanTable) -> PairPlan {
    let wire = &wan.intra_region;
    PairPlan {
        delay: wire.rtt.div(2),
        jitter: wire.jitter.clone(),
        loss: wire.loss,
        bandwidth: wire.bandwidth,
        queue: wire.queue,
    }
}

fn wire(default: &DefaultWire, rtt: Span) -> PairPlan {
    PairPlan {
        delay: rtt.div(2),
        jitter: default.jitter.clone(),
        loss: default.loss,
        bandwidth: default.bandwidth,
        queue: default.queue,
    }
}

fn end_to_end(draft: &Draft, names: &Names, pairs: &mut Pairs, problems: &mut Problems) {
    let wan = &draft.wan.params;
    if let Some(rtt) = wan.default.rtt {
        for (from, to) in pairs.across() {
            pairs.set(from, to, wire(&wan.default, rtt), PairOrigin::Default);
        }
    }
    if wan.matrix.is_some() {
        from_matrix(draft, pairs, problems);
    }
    for (index, link) in wan.links.iter().enumerate() {
        from_link(draft, names, index, link, pairs, problems);
    }
    missing(draft, names, pairs, problems);
}

fn from_matrix(draft: &Draft, pairs: &mut Pairs, problems: &mut Problems) {
    let wan = &draft.wan.params;
    let Some(matrix) = wan.matrix.map(Matrix::of) else { return };
    let mut rows: Vec<Option<&str>> = Vec::new();
    for region in &draft.regions {
        let stated = region.params.location.as_ref();
        let (text, place) =
            stated.map_or((&region.name, &region.place), |name| (&name.text, &name.place));
        let row = matrix.regions.iter().find(|known| *known == text).copied();
        if row.is_none() && (stated.is_some() || wan.default.rtt.is_none()) {
            let message = format!("the matrix {} has no region `{text}`", matrix.name);
            let mut help = super::names::suggest_few(text, &matrix.regions);
            if stated.is_none() {
                help.push_str(" Or say which by `location`.");
            }
            problems.add_help(place, message, help);
        }
        rows.push(row);
    }
    for (from, to) in pairs.across() {
        let (Some(a), Some(b)) = (rows[from], rows[to]) else { continue };
        // Two regions of the file at one location of the matrix: as between its zones.
        let rtt = if a == b { Some(wan.intra_region.rtt) } else { matrix.rtt(a, b) };
        if let Some(rtt) = rtt {
            pairs.set(from, to, wire(&wan.default, rtt), PairOrigin::Matrix);
        }
    }
}

/// The two ends of a link: both directions for `between`, one for `from` and `to`.
fn ends(
    names: &Names,
    link: &LinkTable,
    place: &Place,
    problems: &mut Problems,
) -> Option<(usize, usize, bool)> {
    let (a, b, both) = match (link.between.as_slice(), &link.from, &link.to) {
        ([a, b], None, None) => (a, b, true),
        ([], Some(a), Some(b)) => (a, b, false),
        _ => {
            let help =
                "between = [\"a\", \"b\"] for both directions, from = \"a\", to = \"b\" for one";
            problems.add_help(place, "a link has two ends", help);
            return None;
        }
    };
    let (a_index, b_index) = (names.region(a, problems), names.region(b, problems));
    let (a_index, b_index) = (a_index?, b_index?);
    if a_index == b_index {
        let help = "delays within a region are `wan.intra_region` and `wan.within_zone`";
        problems.add_help(&b.place, "a link from a region to itself", help);
        return None;
    }
    Some((a_index, b_index, both))
}

fn from_link(
    draft: &Draft,
    names: &Names,
    index: usize,
    link: &LinkTable,
    pairs: &mut Pairs,
    problems: &mut Problems,
) {
    let node = super::validate::item(&draft.wan.node, "links", index);
    let place = node.map_or(0..0, |node| node.place.clone());
    let Some((a, b, both)) = ends(names, link, &place, problems) else { return };
    let directions = if both { vec![(a, b), (b, a)] } else { vec![(a, b)] };
    for (from, to) in directions {
        let at = from * pairs.count + to;
        if matches!(pairs.origins[at], PairOrigin::Link(_)) {
            let (from, to) = (&names.regions[from].name, &names.regions[to].name);
            let message = format!("the pair `{from}` to `{to}` is stated twice");
            problems.add(&place, message);
            return;
        }
        let mut plan = pairs.plans[at].clone();
        match link.rtt {
            Some(rtt) => plan = wire(&draft.wan.params.default, rtt),
            None if pairs.origins[at] == PairOrigin::Missing => {
                problems.add(&place, "missing key `rtt`: nothing else states it for this pair");
            }
            None => {}
        }
        refine(&mut plan, link);
        pairs.set(from, to, plan, PairOrigin::Link(index));
    }
}

fn refine(plan: &mut PairPlan, link: &LinkTable) {
    plan.jitter = link.jitter.clone().unwrap_or(plan.jitter.clone());
    plan.loss = link.loss.unwrap_or(plan.loss);
    plan.bandwidth = link.bandwidth.or(plan.bandwidth);
    plan.queue = link.queue.unwrap_or(plan.queue);
}

fn missing(draft: &Draft, names: &Names, pairs: &Pairs, problems: &mut Problems) {
    let name = |index: usize| names.regions[index].name.as_str();
    let missing: Vec<(usize, usize)> = pairs
        .across()
        .filter(|(from, to)| pairs.origins[from * pairs.count + to] == PairOrigin::Missing)
        .collect();
    // Where a matrix is named, it or the region that it does not know has been named already.
    let told = draft.wan.wrote("matrix") || !matches!(draft.wan.node.tree, Tree::Table(_));
    if missing.is_empty() || told {
        return;
    }
    let shown: Vec<String> = missing
        .iter()
        .filter(|(from, to)| from < to || !missing.contains(&(*to, *from)))
        .map(|(from, to)| format!("{}–{}", name(*from), name(*to)))
        .collect();
    let more =
        if shown.len() > 6 { format!(" and {} more", shown.len() - 6) } else { String::new() };
    let message =
        format!("no round-trip time for {}{more}", shown[..shown.len().min(6)].join(", "));
    let help = "state wan.default = { rtt = \"…\" }, a matrix, or the pair in wan.links";
    problems.add_help(&draft.wan.place, message, help);
}

fn physical(draft: &Draft, names: &Names, problems: &mut Problems) -> PhysicalPlan {
    let wan = &draft.wan.params;
    for key in ["matrix", "links"] {
        if draft.wan.wrote(key) {
            let message =
                format!("`{key}` states pairs, and `physical` states cables: only one can hold");
            problems.add(draft.wan.place_of(key), message);
        }
    }
    let mut links: Vec<LinkPlan> = Vec::new();
    for (index, link) in wan.physical.iter().enumerate() {
        let node = super::validate::item(&draft.wan.node, "physical", index);
        let place = node.map_or(0..0, |node| node.place.clone());
        if let Some(plan) = physical_link(wan, names, link, &place, problems) {
            let twin = links.iter().any(|other| other.name == plan.name);
            if twin {
                let message = format!("two physical links are called `{}`", plan.name);
                problems.add_help(&place, message, "give one of them a `name`");
            }
            links.push(plan);
        }
    }
    unconnected(draft, names, &links, problems);
    PhysicalPlan { links, convergence: wan.convergence }
}

fn physical_link(
    wan: &WanTable,
    names: &Names,
    link: &PhysicalTable,
    place: &Place,
    problems: &mut Problems,
) -> Option<LinkPlan> {
    let table = LinkTable {
        between: link.between.clone(),
        rtt: Some(link.rtt),
        jitter: link.jitter.clone(),
        loss: link.loss,
        bandwidth: link.bandwidth,
        queue: link.queue,
        ..LinkTable::default()
    };
    let (a, b, _) = ends(names, &table, place, problems)?;
    let mut plan = wire(&wan.default, link.rtt);
    refine(&mut plan, &table);
    let own = || format!("{}-{}", names.regions[a].name, names.regions[b].name);
    let name = link.name.as_ref().map(|name: &Name| name.text.clone()).unwrap_or_else(own);
    Some(LinkPlan { name, a, b, wire: plan })
}

/// Every region must be reachable from the first while all links live.
fn unconnected(draft: &Draft, names: &Names, links: &[LinkPlan], problems: &mut Problems) {
    let mut reached = vec![false; names.regions.len()];
    let mut todo: Vec<usize> = (0..reached.len().min(1)).collect();
    while let Some(region) = todo.pop() {
        if std::mem::replace(&mut reached[region], true) {
            continue;
        }
        let ends = links.iter().flat_map(|link| [(link.a, link.b), (link.b, link.a)]);
        todo.extend(ends.filter(|(from, _)| *from == region).map(|(_, to)| to));
    }
    for (region, _) in reached.iter().enumerate().filter(|(_, reached)| !**reached) {
        let message = format!(
            "no physical link leads from `{}` to `{}`",
            names.regions[0].name, names.regions[region].name
        );
        let place = place_in(&draft.wan.node, "physical").unwrap_or(&draft.wan.place);
        problems.add(place, message);
    }
}
