//! What of a trial is told: kinds, names, and a range of time.

use crate::model::fact::{Claim, Fact};
use crate::model::id::{ClientId, GroupId, NodeId, RegionId, SiteId};
use crate::model::roster::Roster;
use crate::report::parts::{Shown, claims, facts};
use crate::report::recorder::Told;
use crate::sim::param::suggest;
use crate::sim::time::{SimTime, Span};
use crate::sim::units::parse_span;

/// What an observation is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Operations of clients.
    Client,
    /// What stands in histories and on disks.
    Disk,
    /// Who is primary and admits writes.
    Role,
    /// Faults, and what they do to processes and links.
    Fault,
    /// Leases and the elections of their voters.
    Lease,
    /// Checkers' opinions.
    Health,
    /// Steps of a failover, and who was authorised.
    Failover,
    /// Where clients are sent.
    Route,
}

/// Every kind with its word.
pub const KINDS: [(&str, Kind); 8] = [
    ("client", Kind::Client),
    ("disk", Kind::Disk),
    ("role", Kind::Role),
    ("fault", Kind::Fault),
    ("lease", Kind::Lease),
    ("health", Kind::Health),
    ("failover", Kind::Failover),
    ("route", Kind::Route),
];

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
    /// What an observation is about.
    pub fn of(told: &Told) -> Kind {
        match told {
            Told::Fact(fact) => Kind::of_fact(fact),
            Told::Claim(_, claim) => Kind::of_claim(claim),
        }
    }
    fn of_fact(fact: &Fact) -> Kind {
        match fact {
            Fact::Invoked { .. }
            | Fact::Concluded { .. }
            | Fact::Answered { .. }
            | Fact::Returned { .. }
            | Fact::Session { .. } => Kind::Client,
            Fact::Appended { .. }
            | Fact::Held { .. }
            | Fact::Durable { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::Reverted { .. }
            | Fact::Wiped { .. } => Kind::Disk,
            Fact::Began { .. } | Fact::Admits { .. } | Fact::Rule { .. } => Kind::Role,
            Fact::Authorised { .. } | Fact::Withdrawn { .. } | Fact::Ordered { .. } => {
                Kind::Failover
            }
            Fact::Routed { .. } => Kind::Route,
            _ => Kind::Fault,
        }
    }
    fn of_claim(claim: &Claim) -> Kind {
        match claim {
            Claim::Opinion { .. } | Claim::Tally { .. } | Claim::Contact(..) => Kind::Health,
            Claim::Step(..) | Claim::Voted(..) | Claim::Learned(..) => Kind::Failover,
            Claim::Failed(..) | Claim::TooFar(..) => Kind::Failover,
            Claim::Shooting(..) | Claim::StillOn(..) => Kind::Failover,
            Claim::SwitchedOff(_) | Claim::CutOff(..) | Claim::Returning(..) => Kind::Failover,
            Claim::LeaseHeld(..) | Claim::LeaseLost(_) | Claim::Candidate(..) => Kind::Lease,
            _ => Kind::Role,
        }
    }
}

/// What is told. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these kinds; all but the disks' progress when empty.
    pub kinds: Vec<Kind>,
    /// Not before.
    pub from: Option<SimTime>,
    /// Not after.
    pub to: Option<SimTime>,
    who: Option<Who>,
}

/// The bearers of the names that were asked for.
#[derive(Clone, Debug, Default)]
struct Who {
    nodes: Vec<NodeId>,
    clients: Vec<ClientId>,
    sites: Vec<SiteId>,
    groups: Vec<GroupId>,
}

impl Filter {
    /// Restricts to what concerns a node, a region, a site, a client population or a store; a
    /// second name widens it again.
    ///
    /// # Errors
    /// A name nobody has, with the nearest one.
    pub fn add_name(&mut self, name: &str, roster: &Roster) -> Result<(), String> {
        let mut who = self.who.take().unwrap_or_default();
        let region = roster.regions.iter().position(|region| region == name).map(RegionId::of);
        let mut known: Vec<&str> = roster.regions.iter().map(String::as_str).collect();
        let mut found = region.is_some();
        for (i, site) in roster.sites.iter().enumerate() {
            known.push(&site.name);
            if site.name == name || Some(site.region) == region {
                who.sites.push(SiteId::of(i));
                found = true;
            }
        }
        for (i, node) in roster.nodes.iter().enumerate() {
            known.push(&node.name);
            if node.name == name || who.sites.contains(&node.site) && found {
                who.nodes.push(NodeId::of(i));
                found = true;
            }
        }
        for (i, client) in roster.clients.iter().enumerate() {
            known.push(&client.name);
            if client.name == name || Some(client.region) == region {
                who.clients.push(ClientId::of(i));
                found = true;
            }
        }
        for (i, group) in roster.groups.iter().enumerate() {
            known.push(&group.name);
            if group.name == name {
                who.groups.push(GroupId::of(i));
                found = true;
            }
        }
        self.who = Some(who);
        if found {
            return Ok(());
        }
        known.sort_unstable();
        known.dedup();
        Err(format!("nobody is called `{name}`; {}", suggest(name, &known)))
    }

    /// Within the range of time?
    pub fn when(&self, at: SimTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at <= to)
    }
    /// Of a kind that is told?
    pub fn what(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
    /// About somebody who was asked for? A fault's beginning and end concern everybody.
    pub fn who(&self, told: &Told) -> bool {
        let Some(who) = &self.who else { return true };
        let mut concerned = false;
        let mut see = |_: &'static str, shown: Shown| {
            concerned |= match shown {
                Shown::Node(node) => who.nodes.contains(&node),
                Shown::Client(client) => who.clients.contains(&client),
                Shown::Op(op) => who.clients.contains(&op.client()),
                Shown::Site(site) => who.sites.contains(&site),
                Shown::Group(group) => who.groups.contains(&group),
                _ => false,
            };
        };
        match told {
            Told::Fact(Fact::Onset { .. } | Fact::Cleared { .. } | Fact::Settling) => return true,
            Told::Fact(fact) => facts::each(fact, see),
            Told::Claim(by, claim) => {
                see("by", Shown::Node(*by));
                claims::each(claim, see);
            }
        }
        concerned
    }
}

/// Reads a time of the run: `12:03.250`, `1:02:03`, or a duration from the start, `12m`.
///
/// # Errors
/// What was expected.
pub fn parse_time(text: &str) -> Result<SimTime, String> {
    let expected = || "expected a time such as `12:03.250` or a duration such as `12m`".to_string();
    if !text.contains(':') {
        return parse_span(text).map(|span| SimTime::ZERO + span);
    }
    let mut whole = Span::ZERO;
    let mut parts = text.rsplit(':');
    let seconds = parts.next().ok_or_else(expected)?;
    whole += parse_span(&format!("{seconds}s")).map_err(|_| expected())?;
    for unit in ["m", "h"] {
        if let Some(part) = parts.next() {
            whole += parse_span(&format!("{part}{unit}")).map_err(|_| expected())?;
        }
    }
    if parts.next().is_some() { Err(expected()) } else { Ok(SimTime::ZERO + whole) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story_of_tests::{at, cast, everything};

    #[test]
    fn times_are_read_as_they_are_shown() {
        for text in ["12:03.250", "00:00.000", "1:02:03.250"] {
            assert_eq!(parse_time(text).unwrap().to_string(), text);
        }
        assert_eq!(parse_time("12m").unwrap(), at(720_000));
        for text in ["", "12", "a:b", "1:2:3:4", "1:-2", ":"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_region_stands_for_all_that_is_in_it() {
        let mut filter = Filter::default();
        filter.add_name("us-west", &cast()).unwrap();
        let told = everything();
        let told: Vec<_> = told.iter().filter(|(_, told)| filter.who(told)).collect();
        assert!(told.iter().any(|(_, t)| matches!(t, Told::Fact(Fact::Link { .. }))));
        assert!(told.iter().any(|(_, t)| matches!(t, Told::Fact(Fact::Onset { .. }))));
        assert!(!told.iter().any(|(_, t)| matches!(t, Told::Fact(Fact::Admits { .. }))));
        let error = filter.add_name("us-wst", &cast()).unwrap_err();
        assert!(error.contains("did you mean `us-west`?"), "{error}");
    }

    #[test]
    fn every_kind_is_used() {
        let mut kinds: Vec<Kind> = everything().iter().map(|(_, told)| Kind::of(told)).collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), KINDS.len());
    }
}
