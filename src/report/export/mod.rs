//! Histories of clients, for checkers that others wrote. A format is one file and one line in
//! [`FORMATS`].
//!
//! # What a history is here
//! - An operation begins and ends when its client says so; retries do not show.
//! - Outcomes have three values, which all these tools have: it happened, it did not, nobody knows.
//! - A write has no value in the model; in a history it has one of its own, a number from 1 in the
//!   order in which writes began. What a read returned follows from where in a history it was taken.
//! - A process does one thing at a time. One whose operation ended in doubt does nothing more
//!   (Jepsen: "crashed" processes are replaced): here the next free number takes its place.

mod elle;
mod historian;
mod jepsen;
mod porcupine;

pub use historian::{Ended, Historian, History, Operation};

/// What operations are told as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    /// Reads and writes of keys.
    Register,
    /// Writes append to the list of their key, reads return it whole.
    ListAppend,
    /// Writes add to one set, which is read once, in the end.
    Set,
}

/// All of them, as the command line calls them.
pub const WORKLOADS: [(&str, Workload); 3] = [
    ("register", Workload::Register),
    ("list-append", Workload::ListAppend),
    ("set", Workload::Set),
];

/// A format.
pub struct Format {
    /// What `export --to` calls it.
    pub word: &'static str,
    /// What it can tell; the first is the default.
    pub workloads: &'static [Workload],
    /// Writes a history.
    pub text: fn(&History, Workload) -> String,
}

/// All of them.
pub const FORMATS: [Format; 3] = [
    Format { word: "jepsen", workloads: jepsen::WORKLOADS, text: jepsen::text },
    Format { word: "elle", workloads: elle::WORKLOADS, text: elle::text },
    Format { word: "porcupine", workloads: porcupine::WORKLOADS, text: porcupine::text },
];

impl Format {
    /// The format of that name.
    pub fn find(word: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.word == word)
    }
}

/// Every format may be asked for what it knows.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::{Fact, Observer, OpKind, Outcome};
    use crate::model::id::{ClientId, GroupId, LogIndex, NodeId, OpId, Position, Segment, Term};
    use crate::report::story_of_tests::{at, cast};

    /// Two writes of key 5 (the second is lost by a cut back), one in doubt, one refused, and a read
    /// at the first.
    pub(super) fn small() -> History {
        let roster = cast();
        let (group, node) = (GroupId(0), NodeId(0));
        let segment = Segment::new(Term(1), node);
        let place = |index| Position { segment, index: LogIndex(index) };
        let op = |n| OpId::new(ClientId(0), n);
        let mut historian = Historian::new(&roster, group);
        let mut tell = |ms: u64, fact: Fact| historian.on_fact(at(ms), &fact);
        let begin = |n, kind| Fact::Invoked { op: op(n), group, kind, key: 5 };
        let end = |n, outcome| Fact::Concluded { op: op(n), outcome, by: Some(node) };
        tell(0, Fact::Began { node, group, segment, from: Position::default() });
        tell(0, Fact::Admits { node, group, yes: true });
        tell(1, begin(0, OpKind::Write));
        tell(2, Fact::Appended { node, group, op: op(0), at: place(1) });
        tell(3, end(0, Outcome::Ok));
        tell(4, begin(1, OpKind::Read));
        let answer = Fact::Answered { node, group, op: op(1), outcome: Outcome::Ok, at: place(1) };
        tell(5, answer);
        tell(5, begin(2, OpKind::Write));
        tell(6, end(1, Outcome::Ok));
        tell(7, Fact::Appended { node, group, op: op(2), at: place(2) });
        tell(8, end(2, Outcome::Ok));
        tell(9, begin(3, OpKind::Write));
        tell(10, end(3, Outcome::Unknown));
        tell(11, begin(4, OpKind::Write));
        tell(12, end(4, Outcome::Fail));
        tell(13, Fact::Truncated { node, group, to: place(1) });
        historian.history(at(20))
    }

    #[test]
    fn a_history_knows_what_was_read_what_is_left_and_who_did_it() {
        let history = small();
        let told: Vec<_> = history.operations.iter().map(|op| (op.process, op.value)).collect();
        // The read still ran when the second write began; whose end is in doubt is not used again.
        assert_eq!(told, [(0, 1), (0, 0), (1, 2), (0, 3), (1, 4)]);
        assert_eq!(history.operations[1].read, Some(vec![1]));
        assert_eq!(history.survivor, Some(vec![1]));
        assert_eq!(history.operations[3].end.map(|end| end.outcome), Some(Outcome::Unknown));
    }

    #[test]
    fn every_format_tells_all_that_it_says_it_can() {
        let history = small();
        for format in &FORMATS {
            for workload in format.workloads {
                let text = (format.text)(&history, *workload);
                assert!(text.lines().count() >= 4, "{}: {text}", format.word);
            }
        }
    }
}
