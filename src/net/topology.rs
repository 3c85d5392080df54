//! Physical links between regions, and the routes over them.

use super::fabric::{Fabric, ROUTED, further};
use super::faults::InFlight;
use super::port::Port;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::{SimTime, Span};
use petgraph::algo::dijkstra;
use petgraph::graph::{NodeIndex, UnGraph};
use std::collections::VecDeque;

/// A physical link between two regions; both directions alike, each with its own queue.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LinkSpec {
    /// The region at one end.
    pub a: usize,
    /// The region at the other end.
    pub b: usize,
    /// Least one-way delay. Routes are shortest by it.
    pub delay: Span,
    /// Added to it, one way, drawn for each packet.
    pub jitter: DistSpec,
    /// Probability that a packet is lost on it.
    pub loss: f64,
    /// Bits per second each way; unlimited when nothing.
    pub bandwidth: Option<u64>,
    /// Bytes that may wait for the bandwidth, each way.
    pub queue: u64,
}

/// Physical links, and how long routing takes to notice that one died or healed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Physical {
    /// How many regions there are.
    pub regions: usize,
    /// The region of each site.
    pub region_of: Vec<usize>,
    /// The links; several between the same regions are allowed.
    pub links: Vec<LinkSpec>,
    /// From a link's death or healing until all routes heed it.
    pub convergence: Span,
}

/// What a physical link's death or healing did at once, and when routing will have heeded it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkChange {
    /// When to call [`Fabric::converge`].
    pub converge_at: SimTime,
    /// The pairs of sites that went up or down at once, in order.
    pub changed: Vec<(usize, usize)>,
}

/// A way over links from one region to another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Route {
    /// Directed links in order: `link * 2` from `a` to `b`, one more from `b` to `a`.
    pub(super) hops: Vec<usize>,
    /// The sum of the links' delays.
    pub(super) delay: Span,
}

/// A link and its live state.
#[derive(Clone, Debug)]
struct Link {
    spec: LinkSpec,
    jitter: Dist,
    /// One per direction, when the bandwidth is limited.
    ports: Option<[Port; 2]>,
    /// The faults that hold it down.
    down_by: Vec<u32>,
    /// What routing believes.
    believed_up: bool,
}

/// The links, and the routes routing has found over those it believes to be up.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    regions: usize,
    region_of: Vec<usize>,
    links: Vec<Link>,
    convergence: Span,
    /// Per directed pair of regions; nothing when there is no way.
    routes: Vec<Option<Route>>,
    /// What routing has yet to hear: when, which link, up or down.
    news: VecDeque<(SimTime, usize, bool)>,
}

impl Routes {
    /// All links up, all routes found.
    pub(super) fn new(spec: &Physical) -> Routes {
        let link = |spec: &LinkSpec| Link {
            spec: spec.clone(),
            jitter: Dist::new(&spec.jitter),
            ports: spec.bandwidth.map(|b| [Port::new(b, spec.queue), Port::new(b, spec.queue)]),
            down_by: Vec::new(),
            believed_up: true,
        };
        let mut routes = Routes {
            regions: spec.regions,
            region_of: spec.region_of.clone(),
            links: spec.links.iter().map(link).collect(),
            convergence: spec.convergence,
            routes: Vec::new(),
            news: VecDeque::new(),
        };
        routes.find();
        routes
    }

    /// Finds the shortest route of every directed pair of regions.
    ///
    /// Every region forwards by its distance to the destination, so the hops of two routes to
    /// one destination agree. Among equals the fewest hops win, then the lowest link.
    fn find(&mut self) {
        let mut graph = UnGraph::<(), u128>::with_capacity(self.regions, self.links.len());
        for _ in 0..self.regions {
            graph.add_node(());
        }
        for link in self.links.iter().filter(|link| link.believed_up) {
            graph.add_edge(
                NodeIndex::new(link.spec.a),
                NodeIndex::new(link.spec.b),
                cost(&link.spec),
            );
        }
        self.routes = vec![None; self.regions * self.regions];
        for to in 0..self.regions {
            let reached = dijkstra(&graph, NodeIndex::new(to), None, |edge| *edge.weight());
            let mut distance = vec![None; self.regions];
            for (region, cost) in reached {
                distance[region.index()] = Some(cost);
            }
            for from in 0..self.regions {
                self.routes[from * self.regions + to] = self.walk(from, to, &distance);
            }
        }
    }

    /// The way from `from` down the distances to `to`.
    fn walk(&self, from: usize, to: usize, distance: &[Option<u128>]) -> Option<Route> {
        let mut left = distance[from]?;
        let mut route = Route::default();
        let mut at = from;
        while at != to {
            let mut usable = self.links.iter().enumerate().filter(|(_, link)| link.believed_up);
            let (hop, next) = usable.find_map(|(index, link)| {
                let (a, b) = (link.spec.a, link.spec.b);
                let (next, direction) = if a == at { (b, 0) } else { (a, 1) };
                let onward = distance[next]? + cost(&link.spec);
                ((a == at || b == at) && a != b && onward == left)
                    .then_some((index * 2 + direction, next))
            })?;
            left -= cost(&self.links[hop / 2].spec);
            route.hops.push(hop);
            route.delay += self.links[hop / 2].spec.delay;
            at = next;
        }
        Some(route)
    }

    /// The route between the regions of two sites.
    pub(super) fn route(&self, from: usize, to: usize) -> Option<&Route> {
        self.routes[self.region_of[from] * self.regions + self.region_of[to]].as_ref()
    }

    /// True when the route in use is there and all its links work.
    pub(super) fn is_open(&self, from: usize, to: usize) -> bool {
        let works = |hop: &usize| self.links[hop / 2].down_by.is_empty();
        self.route(from, to).is_some_and(|route| route.hops.iter().all(works))
    }

    /// The sum of the delays on the route; zero when there is none.
    pub(super) fn delay(&self, from: usize, to: usize) -> Span {
        self.route(from, to).map_or(Span::ZERO, |route| route.delay)
    }

    /// The probability that no link on the route loses a packet.
    pub(super) fn pass(&self, from: usize, to: usize) -> f64 {
        let hops = self.route(from, to).map_or(&[][..], |route| &route.hops);
        hops.iter().map(|hop| 1.0 - self.links[hop / 2].spec.loss.clamp(0.0, 1.0)).product()
    }

    /// When a packet that enters the route at `at` has passed each link's queue, delay and
    /// jitter in order; nothing when a queue on the way is full.
    pub(super) fn travel(
        &mut self,
        now: SimTime,
        mut at: SimTime,
        from: usize,
        to: usize,
        bytes: u32,
        draw: u64,
    ) -> Option<SimTime> {
        let index = self.region_of[from] * self.regions + self.region_of[to];
        let route = self.routes[index].as_ref()?;
        for (part, hop) in route.hops.iter().enumerate() {
            let link = &mut self.links[hop / 2];
            if let Some(ports) = &mut link.ports {
                at = ports[hop % 2].pass(now, at, bytes)?;
            }
            at = at + link.spec.delay + link.jitter.quantile_of(further(draw, part as u64));
        }
        Some(at)
    }

    /// Does any route in use go over the link between these sites?
    fn uses(&self, from: usize, to: usize, link: usize) -> bool {
        self.route(from, to).is_some_and(|route| route.hops.iter().any(|hop| hop / 2 == link))
    }
}

/// Delay first, then hops: each link costs its nanoseconds and one hop more, so that a link
/// without delay is no free ride in circles.
fn cost(link: &LinkSpec) -> u128 {
    (u128::from(link.delay.as_nanos()) << 32) | 1
}

impl Fabric {
    /// A physical link dies. Every pair routed over it is down until [`Fabric::converge`] finds
    /// another way. With [`InFlight::Lost`] all that is under way on those pairs dies, wherever
    /// on the route it is. Ignored where no physical links were given.
    pub fn fail_link(
        &mut self,
        now: SimTime,
        link: usize,
        fault: u32,
        in_flight: InFlight,
    ) -> LinkChange {
        self.change_link(now, link, |down_by| {
            if !down_by.contains(&fault) {
                down_by.push(fault);
            }
        });
        if in_flight == InFlight::Lost {
            for pair in self.routed_pairs() {
                let (from, to) = (pair / self.sites, pair % self.sites);
                if self.routes.as_ref().is_some_and(|routes| routes.uses(from, to, link)) {
                    self.kill(now, pair);
                }
            }
        }
        self.link_changed(now)
    }

    /// Takes back this fault's [`Fabric::fail_link`]. The link works again once no fault holds
    /// it down; routes that still lead over it work at once, others return to it when routing
    /// has converged.
    pub fn heal_link(&mut self, now: SimTime, link: usize, fault: u32) -> LinkChange {
        self.change_link(now, link, |down_by| down_by.retain(|owner| *owner != fault));
        self.link_changed(now)
    }

    /// Routing heeds what happened to links at least one convergence time ago. The pairs of
    /// sites that went up or down, in order. Calling it early or twice does no harm.
    pub fn converge(&mut self, now: SimTime) -> Vec<(usize, usize)> {
        let Some(routes) = &mut self.routes else { return Vec::new() };
        let mut heard = false;
        while let Some(&(at, link, up)) = routes.news.front()
            && at <= now
        {
            heard |= routes.links[link].believed_up != up;
            routes.links[link].believed_up = up;
            routes.news.pop_front();
        }
        if !heard {
            return Vec::new();
        }
        routes.find();
        self.refresh_routed()
    }

    /// Changes who holds a link down, and sends routing the news if its state changed.
    fn change_link(&mut self, now: SimTime, link: usize, change: impl FnOnce(&mut Vec<u32>)) {
        let Some(routes) = &mut self.routes else { return };
        let down_by = &mut routes.links[link].down_by;
        let was_up = down_by.is_empty();
        change(down_by);
        let up = down_by.is_empty();
        if up != was_up {
            routes.news.push_back((now.saturating_add(routes.convergence), link, up));
        }
    }

    /// What a link's change did at once.
    fn link_changed(&mut self, now: SimTime) -> LinkChange {
        let convergence = self.routes.as_ref().map_or(Span::ZERO, |routes| routes.convergence);
        let changed = self.refresh_routed();
        LinkChange { converge_at: now.saturating_add(convergence), changed }
    }

    /// The pairs of sites that go over physical links.
    fn routed_pairs(&self) -> Vec<usize> {
        let all = 0..self.pairs.len();
        all.filter(|pair| self.pairs[*pair].flags & ROUTED != 0).collect()
    }

    /// Reckons all routed pairs anew; those that went up or down.
    fn refresh_routed(&mut self) -> Vec<(usize, usize)> {
        let mut changed = Vec::new();
        for pair in self.routed_pairs() {
            if self.refresh(pair) {
                changed.push((pair / self.sites, pair % self.sites));
            }
        }
        changed
    }
}
