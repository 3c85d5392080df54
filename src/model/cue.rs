//! Cues: events of a run that something else is counted from, such as a fault or a window.

use crate::model::fact::Fact;
use crate::model::id::{FaultId, GroupId, NodeId};
use crate::model::roster::Roster;

/// An event of a run, faults named by `F` and stores by `G`. Where no store is named, that of
/// any store is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cue<F, G> {
    /// A fault begins.
    Onset(F),
    /// A fault ends.
    Cleared(F),
    /// Another node than the last one begins to admit writes.
    Promoted(Option<G>),
    /// Another node than the last one is given the right to be primary.
    Authorised(Option<G>),
    /// The right to be primary begins to be taken from a node.
    Withdrawn(Option<G>),
}

impl<'a> Cue<&'a str, &'a str> {
    /// What one writes.
    pub const FORMS: [&'static str; 5] = [
        "onset:FAULT",
        "cleared:FAULT",
        "promoted[:STORE]",
        "authorised[:STORE]",
        "withdrawn[:STORE]",
    ];

    /// Reads `onset:FAULT`, `promoted`, `promoted:STORE` and so on.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (text, None),
        };
        match word {
            "onset" => name.map(Cue::Onset),
            "cleared" => name.map(Cue::Cleared),
            "promoted" => Some(Cue::Promoted(name)),
            "authorised" => Some(Cue::Authorised(name)),
            "withdrawn" => Some(Cue::Withdrawn(name)),
            _ => None,
        }
    }

    /// Looks the names up. Nothing where one stands for nothing.
    pub fn bind(&self, roster: &Roster) -> Option<Bound> {
        let fault = |name: &str| {
            let found = roster.faults.iter().position(|fault| fault.name == name);
            found.map(FaultId::of)
        };
        let store = |name: &Option<&str>| match name {
            None => Some(None),
            Some(name) => {
                let mut groups = roster.groups.iter();
                let found = groups.position(|group| group.is_store && group.name == **name);
                found.map(|index| Some(GroupId::of(index)))
            }
        };
        Some(match self {
            Cue::Onset(name) => Cue::Onset(fault(name)?),
            Cue::Cleared(name) => Cue::Cleared(fault(name)?),
            Cue::Promoted(name) => Cue::Promoted(store(name)?),
            Cue::Authorised(name) => Cue::Authorised(store(name)?),
            Cue::Withdrawn(name) => Cue::Withdrawn(store(name)?),
        })
    }
}

/// A cue whose names are looked up.
pub type Bound = Cue<FaultId, GroupId>;

impl Bound {
    /// True when what happened is what this asks for.
    pub fn is(&self, happened: &Bound) -> bool {
        let same =
            |asked: &Option<GroupId>, told: &Option<GroupId>| asked.is_none() || asked == told;
        match (self, happened) {
            (Cue::Promoted(asked), Cue::Promoted(told))
            | (Cue::Authorised(asked), Cue::Authorised(told))
            | (Cue::Withdrawn(asked), Cue::Withdrawn(told)) => same(asked, told),
            _ => self == happened,
        }
    }
}

/// Follows who is primary, to tell a promotion from a primary that comes back.
#[derive(Clone, Debug)]
pub struct Cues {
    /// Per group: the last node that began to admit writes; nothing for what is no store.
    admits: Vec<Option<NodeId>>,
    /// Per group: the last node that was given the right.
    holds: Vec<Option<NodeId>>,
}

impl Cues {
    /// At the start of a run: the first member of each store is its primary.
    pub fn new(roster: &Roster) -> Cues {
        let first = roster.groups.iter().map(|group| match group.is_store {
            true => group.members.first().copied(),
            false => None,
        });
        let first: Vec<Option<NodeId>> = first.collect();
        Cues { admits: first.clone(), holds: first }
    }

    /// The cue that a fact is, if it is one.
    pub fn of(&mut self, fact: &Fact) -> Option<Bound> {
        match *fact {
            Fact::Onset { fault } => Some(Cue::Onset(fault)),
            Fact::Cleared { fault } => Some(Cue::Cleared(fault)),
            Fact::Admits { node, group, yes: true } => {
                is_other(&mut self.admits, group, node).then_some(Cue::Promoted(Some(group)))
            }
            Fact::Authorised { group, holder, .. } => {
                is_other(&mut self.holds, group, holder).then_some(Cue::Authorised(Some(group)))
            }
            Fact::Withdrawn { group, .. } => Some(Cue::Withdrawn(Some(group))),
            _ => None,
        }
    }
}

/// True when the node is not the last one of the store; from now on it is.
fn is_other(last: &mut [Option<NodeId>], group: GroupId, node: NodeId) -> bool {
    match last.get_mut(group.index()) {
        Some(Some(last)) => std::mem::replace(last, node) != node,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::FencingToken;
    use crate::model::roster::{FaultEntry, GroupEntry};

    fn group(name: &str, is_store: bool, members: &[u16]) -> GroupEntry {
        GroupEntry {
            name: name.into(),
            is_store,
            members: members.iter().map(|n| NodeId(*n)).collect(),
            in_memory: false,
            acks: 0,
            elects: false,
            cuts_disks: false,
            ring: None,
        }
    }

    fn roster() -> Roster {
        Roster {
            groups: vec![
                group("orders", true, &[0, 1]),
                group("users", true, &[2, 3]),
                group("orders", false, &[4, 5]),
            ],
            faults: vec![FaultEntry { name: "cut".into(), kind: "partition", permanent: false }],
            ..Roster::default()
        }
    }

    #[test]
    fn names_are_looked_up_and_what_stands_for_nothing_is_nothing() {
        let bind = |text: &str| Cue::parse(text).and_then(|cue| cue.bind(&roster()));
        assert_eq!(bind("onset:cut"), Some(Cue::Onset(FaultId(0))));
        assert_eq!(bind("cleared:cut"), Some(Cue::Cleared(FaultId(0))));
        assert_eq!(bind("promoted"), Some(Cue::Promoted(None)));
        assert_eq!(bind("promoted:users"), Some(Cue::Promoted(Some(GroupId(1)))));
        // A lease of the same name as a store is no store.
        assert_eq!(bind("withdrawn:orders"), Some(Cue::Withdrawn(Some(GroupId(0)))));
        for nothing in ["onset", "onset:", "onset:cot", "promoted:", "promoted:x", "elected", ""] {
            assert_eq!(bind(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_primary_that_comes_back_is_not_promoted() {
        let mut cues = Cues::new(&roster());
        let mut hear = |node: u16, group: u16, yes: bool| {
            cues.of(&Fact::Admits { node: NodeId(node), group: GroupId(group), yes })
        };
        let promoted = |group: u16| Some(Cue::Promoted(Some(GroupId(group))));
        assert_eq!(hear(0, 0, true), None, "the first primary begins");
        assert_eq!(hear(0, 0, false), None);
        assert_eq!(hear(0, 0, true), None, "and comes back");
        assert_eq!(hear(1, 0, true), promoted(0));
        assert_eq!(hear(1, 0, true), None);
        assert_eq!(hear(3, 1, true), promoted(1), "each store apart");
        assert_eq!(hear(0, 0, true), promoted(0), "and back again");
        assert_eq!(hear(4, 2, true), None, "a leader of a coordination service is none");
    }

    #[test]
    fn the_right_is_given_anew_only_to_another() {
        let mut cues = Cues::new(&roster());
        let mut give = |holder: u16, token: u64| {
            let (group, holder, token) = (GroupId(0), NodeId(holder), FencingToken(token));
            cues.of(&Fact::Authorised { group, holder, token }).is_some()
        };
        assert_eq!([give(0, 1), give(0, 2), give(1, 3), give(1, 4)], [false, false, true, false]);
    }

    #[test]
    fn who_names_no_store_means_any() {
        let told = Cue::Promoted(Some(GroupId(1)));
        assert!(Bound::Promoted(None).is(&told) && Bound::Promoted(Some(GroupId(1))).is(&told));
        assert!(!Bound::Promoted(Some(GroupId(0))).is(&told) && !Bound::Authorised(None).is(&told));
        assert!(!Bound::Onset(FaultId(0)).is(&Cue::Onset(FaultId(1))));
    }
}
