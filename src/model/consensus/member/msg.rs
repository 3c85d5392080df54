//! What the members of a store say to each other: ranges of the log, never single writes.

use crate::model::fact::Outcome;
use crate::model::id::{LogIndex, NodeId, OpId, Position, Segment, Term};
use crate::sim::Span;
use crate::sim::time::WallTime;

/// Between the members of one store. A range of entries lies within one segment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum MemberMsg {
    /// Candidate: vote for me.
    Ask {
        /// The term it stands in, or would stand in.
        term: Term,
        /// Its last entry.
        last: Position,
        /// True for "would you?": nobody's term or vote changes.
        pre: bool,
        /// The leader asked it to stand: that one is nobody to be loyal to.
        invited: bool,
    },
    /// The answer.
    Vote {
        /// The term of the question where granted, else the voter's own.
        term: Term,
        /// Yes.
        granted: bool,
        /// Of the question.
        pre: bool,
        /// For so long a lease may run that I gave to a leader before you.
        leased: Span,
    },
    /// Leader: hold these entries, if you have the one before them.
    Append {
        /// The leader's term.
        term: Term,
        /// Who wrote the one before them.
        prev: Author,
        /// Who wrote them.
        author: Author,
        /// By how much what is committed ends before `upto`, or a lot.
        behind: u32,
        /// The number of the one before them.
        after: LogIndex,
        /// The last of them; as `after` where there are none.
        upto: LogIndex,
    },
    /// Follower: mine is durable, and the same as yours, up to here.
    Appended {
        /// The follower's term.
        term: Term,
        /// Up to this entry.
        upto: LogIndex,
    },
    /// Follower: I do not have the entry before yours, or your term is over.
    Rejected {
        /// The follower's term.
        term: Term,
        /// The number of the one before, as asked.
        after: LogIndex,
        /// Nothing above this entry of mine can be the same.
        hint: Position,
    },
    /// Leader, regularly: I live.
    Beat {
        /// The leader's term.
        term: Term,
        /// Numbers its signs of life; the answer repeats it.
        round: u32,
        /// How far the log is committed.
        commit: LogIndex,
        /// What my wall clock reads: nothing more commits before it.
        closed: WallTime,
    },
    /// Follower: I heard you.
    Alive {
        /// The follower's term.
        term: Term,
        /// Of the sign of life.
        round: u32,
        /// Durable, and the same as yours, up to here.
        upto: LogIndex,
    },
    /// Leader: this much is committed.
    Commit {
        /// The leader's term.
        term: Term,
        /// The last entry.
        upto: LogIndex,
    },
    /// Follower without memory: I lost my disk. I hold this much of yours, and count for nothing
    /// until I hear a welcome that repeats this number.
    Blank {
        /// The follower's term.
        term: Term,
        /// Up to this entry.
        has: LogIndex,
        /// Drawn anew at each loss.
        nonce: u64,
    },
    /// Leader: an entry that was proposed for that loss is committed, and you hold it.
    Welcome {
        /// The leader's term.
        term: Term,
        /// Of the loss.
        nonce: u64,
    },
    /// Leader: stand now, I lead no longer.
    Stand {
        /// The leader's term.
        term: Term,
    },
    /// Leader to the member that passed an operation on: it ended so. Not for writes that
    /// succeed: the member learns of these from the log.
    Served {
        /// Which operation.
        op: OpId,
        /// Which attempt.
        attempt: u8,
        /// `Ok` for a read; `Fail` when the one asked leads no longer.
        outcome: Outcome,
        /// Where the read was taken.
        at: Position,
    },
}

/// Who wrote a segment, small: the term in two halves, and the node. No member writes again in a term
/// after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Author([u16; 3]);

impl Author {
    /// The writer of a segment.
    pub fn of(segment: Segment) -> Author {
        let term = segment.term().0;
        Author([(term >> 16) as u16, term as u16, segment.node().0])
    }
    /// The segment.
    pub fn segment(self) -> Segment {
        let [high, low, node] = self.0;
        Segment::new(Term(u32::from(high) << 16 | u32::from(low)), NodeId(node))
    }
}

impl MemberMsg {
    /// The term in the message; none where it does not matter.
    pub fn term(&self) -> Option<Term> {
        match *self {
            MemberMsg::Ask { term, .. }
            | MemberMsg::Vote { term, .. }
            | MemberMsg::Append { term, .. }
            | MemberMsg::Appended { term, .. }
            | MemberMsg::Rejected { term, .. }
            | MemberMsg::Beat { term, .. }
            | MemberMsg::Alive { term, .. }
            | MemberMsg::Commit { term, .. }
            | MemberMsg::Blank { term, .. }
            | MemberMsg::Stand { term }
            | MemberMsg::Welcome { term, .. } => Some(term),
            MemberMsg::Served { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::msg::Msg;

    #[test]
    fn a_message_is_no_larger_than_that_of_a_log_shipper() {
        assert!(std::mem::size_of::<MemberMsg>() <= 40);
        assert_eq!(std::mem::size_of::<Msg>(), 48);
    }

    #[test]
    fn an_author_is_a_segment_that_was_not_begun_again() {
        let segment = Segment::new(Term(70_007), NodeId(3));
        assert_eq!(Author::of(segment).segment(), segment);
    }
}
