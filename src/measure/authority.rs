//! Who may write: dual primaries, failovers, false and missed ones, first elections.

use crate::measure::health::Health;
use crate::model::id::{NodeId, SiteId, Term};
use crate::sim::time::{SimTime, Span};

/// When no objective RTO is stated, a failover is missed after this.
const PATIENCE: Span = Span::from_secs(600);

/// A change of the acting primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// None.
    No,
    /// To another node.
    Failover,
    /// Back to the initial one.
    Failback,
}

/// Watches the authority over one group.
pub struct Authority {
    admits: Vec<NodeId>,
    /// Who led first.
    pub initial: Option<NodeId>,
    /// The acting primary: the last one authorised, or that began to write.
    pub primary: Option<NodeId>,
    /// The sites of each region's clients.
    regions: Vec<Vec<SiteId>>,
    patience: Span,
    /// From whom the right is being taken, and whether that one served well then.
    withdrawn: Option<(NodeId, bool)>,
    /// When an operator acted on the group, unless the primary changed since.
    ordered: Option<SimTime>,
    newest_term: Option<Term>,
    dual_since: Option<SimTime>,
    /// Total time with two nodes admitting writes.
    pub dual_time: Span,
    /// How often that began.
    pub dual_intervals: u64,
    /// Since when the primary has not been fit to serve.
    unfit_since: Option<SimTime>,
    /// Failovers.
    pub failovers: u64,
    /// Returns to the initial primary.
    pub failbacks: u64,
    /// Failovers away from a primary that was well.
    pub false_failovers: u64,
    /// Failovers that were needed and did not come.
    pub missed: u64,
    /// When a node first led.
    pub first_led: Option<SimTime>,
}

impl Authority {
    /// For a group whose clients sit at these sites, by region.
    pub fn new(
        initial: Option<NodeId>,
        regions: Vec<Vec<SiteId>>,
        objective: Option<Span>,
    ) -> Authority {
        Authority {
            admits: Vec::new(),
            initial,
            primary: initial,
            regions,
            patience: objective.unwrap_or(PATIENCE),
            withdrawn: None,
            ordered: None,
            newest_term: None,
            dual_since: None,
            dual_time: Span::ZERO,
            dual_intervals: 0,
            unfit_since: Some(SimTime::ZERO),
            failovers: 0,
            failbacks: 0,
            false_failovers: 0,
            missed: 0,
            first_led: None,
        }
    }

    /// A node started or stopped admitting writes.
    pub fn admits(&mut self, node: NodeId, yes: bool, health: &Health, now: SimTime) {
        self.admits.retain(|other| *other != node);
        if yes {
            self.admits.push(node);
            self.first_led.get_or_insert(now);
        }
        self.look(health, now);
    }

    /// Who admits writes and runs.
    pub fn admitting(&self, health: &Health) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> =
            self.admits.iter().copied().filter(|node| health.runs(*node)).collect();
        nodes.sort_unstable();
        nodes
    }

    /// True while somebody who runs and of whom that holds admits writes.
    pub fn admits_where(&self, health: &Health, holds: impl Fn(NodeId) -> bool) -> bool {
        self.admits.iter().any(|node| health.runs(*node) && holds(*node))
    }

    /// True while nobody who runs admits writes.
    pub fn vacant(&self, health: &Health) -> bool {
        !self.admits.iter().any(|node| health.runs(*node))
    }

    /// Looks again, after anything changed that may matter.
    pub fn look(&mut self, health: &Health, now: SimTime) {
        let dual = self.admits.iter().filter(|node| health.runs(**node)).count() >= 2;
        match (dual, self.dual_since) {
            (true, None) => {
                self.dual_since = Some(now);
                self.dual_intervals += 1;
            }
            (false, Some(since)) => {
                self.dual_time += now.since(since);
                self.dual_since = None;
            }
            _ => {}
        }
        let fit = self
            .primary
            .is_some_and(|primary| self.admits.contains(&primary) && self.well(primary, health));
        match (fit, self.unfit_since) {
            (true, Some(_)) => self.end_unfit(now),
            (false, None) => self.unfit_since = Some(now),
            _ => {}
        }
    }

    fn end_unfit(&mut self, now: SimTime) {
        if let Some(since) = self.unfit_since.take() {
            self.missed += u64::from(now.since(since) > self.patience);
        }
    }

    /// True while a node runs, no gray failure acts on it, and most regions' clients reach it.
    fn well(&self, node: NodeId, health: &Health) -> bool {
        let reached = |sites: &&Vec<SiteId>| sites.iter().any(|site| health.reaches(*site, node));
        let reached = self.regions.iter().filter(reached).count();
        health.is_well(node) && (self.regions.is_empty() || 2 * reached > self.regions.len())
    }

    /// True while a node admits writes, is well, and most regions' clients reach it.
    fn serves(&self, node: NodeId, health: &Health) -> bool {
        self.admits.contains(&node) && self.well(node, health)
    }

    /// A failover began to take the right from a node: whether that was needless is judged now,
    /// because the failover itself is about to stop it.
    pub fn withdrawn(&mut self, holder: NodeId, health: &Health, now: SimTime) {
        let planned = self.ordered == Some(now);
        self.withdrawn = Some((holder, !planned && self.serves(holder, health)));
    }

    /// An operator acts on the group. What follows from it is no false failover: what takes the
    /// right away at once, or, where members elect, the next election.
    pub fn ordered(&mut self, now: SimTime) {
        self.ordered = Some(now);
    }

    /// A node began to write in this term: true when no other has in it or after. An old primary
    /// that restarts begins a segment of its old term; nobody authorised that.
    pub fn is_news(&mut self, term: Term) -> bool {
        let news = self.newest_term.is_none_or(|newest| term > newest);
        if news {
            self.newest_term = Some(term);
        }
        news
    }

    /// A node was authorised, or began to write.
    pub fn authorised(&mut self, node: NodeId, health: &Health, now: SimTime) -> Change {
        if self.primary == Some(node) {
            return Change::No;
        }
        let old = self.primary.replace(node);
        let ordered = self.ordered.take().is_some();
        // The wait for this authorisation ends here; a new one begins if the new primary is not
        // fit at once.
        self.end_unfit(now);
        let change = if old.is_none() || self.first_led.is_none() {
            // Nobody has led yet: this is the first election, and no failover.
            self.initial = Some(node);
            Change::No
        } else if self.initial == Some(node) {
            self.failbacks += 1;
            self.withdrawn = None;
            Change::Failback
        } else {
            self.failovers += 1;
            let judged = self.withdrawn.take().filter(|(holder, _)| Some(*holder) == old);
            let needless = match (judged, old) {
                (Some((_, needless)), _) => needless,
                (None, Some(old)) => !ordered && self.serves(old, health),
                (None, None) => false,
            };
            self.false_failovers += u64::from(needless);
            Change::Failover
        };
        self.look(health, now);
        change
    }

    /// The run is over.
    pub fn end(&mut self, now: SimTime) {
        if let Some(since) = self.dual_since.take() {
            self.dual_time += now.since(since);
        }
        self.end_unfit(now);
    }
}
