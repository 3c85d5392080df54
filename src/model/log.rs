//! A replica's history, and the book of where operations were appended.

use crate::model::id::{ClientId, GroupId, LogIndex, OpId, Position, Segment, Term};
use std::collections::BTreeMap;

/// One replica's history: which segments it is made of, how far it reaches in memory and on
/// disk. Entries themselves are not copied: a position names them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Log {
    /// Segments in order, each with the last index *before* it.
    lineage: Vec<(Segment, LogIndex)>,
    end: LogIndex,
    durable: LogIndex,
}

impl Log {
    /// An empty history.
    pub fn new() -> Log {
        Log::default()
    }
    /// The last entry in memory.
    pub fn end(&self) -> Position {
        self.position(self.end)
    }
    /// The last entry on disk.
    pub fn durable(&self) -> Position {
        self.position(self.durable)
    }
    /// The position of an index that this log has; index 0 is before every segment.
    pub fn position(&self, index: LogIndex) -> Position {
        let segment = self.lineage.iter().rev().find(|(_, before)| index > *before);
        Position { segment: segment.map(|(segment, _)| *segment).unwrap_or_default(), index }
    }
    /// True when the entry at `at` is part of this history, in memory.
    pub fn contains(&self, at: Position) -> bool {
        at.index == LogIndex(0)
            || self
                .span_of(at.segment)
                .is_some_and(|(before, last)| at.index > before && at.index <= last)
    }
    /// Where a segment lies in this log: the index before it, and its last index here.
    pub fn span_of(&self, segment: Segment) -> Option<(LogIndex, LogIndex)> {
        let i = self.lineage.iter().position(|(s, _)| *s == segment)?;
        let last = self.lineage.get(i + 1).map_or(self.end, |(_, before)| *before);
        Some((self.lineage[i].1, last))
    }
    /// The segment under `segment`, and the last index before it: where to look when the other
    /// side does not know `segment`.
    pub fn parent_of(&self, segment: Segment) -> Option<Position> {
        let i = self.lineage.iter().position(|(s, _)| *s == segment)?;
        let before = self.lineage[i].1;
        (i > 0).then(|| Position { segment: self.lineage[i - 1].0, index: before })
    }
    /// The highest entry, not above `index`, whose term is not above `term`.
    pub fn not_above(&self, index: LogIndex, term: Term) -> Position {
        let mut at = self.position(index.min(self.end));
        while at.segment.term() > term && at.index > LogIndex(0) {
            let before = self.span_of(at.segment).map_or(LogIndex(0), |(before, _)| before);
            at = self.position(before);
        }
        at
    }
    /// The first entry after `index` and how far its segment reaches here: what can be shipped
    /// in one range. Nothing when the log ends at `index`.
    pub fn next_range(&self, index: LogIndex) -> Option<(Segment, LogIndex)> {
        let i = self.lineage.iter().rposition(|(_, before)| *before <= index)?;
        let (segment, _) = self.lineage[i];
        let last = self.lineage.get(i + 1).map_or(self.end, |(_, before)| *before);
        (last > index).then_some((segment, last))
    }
    /// Begins a segment of one's own at the end.
    pub fn begin(&mut self, segment: Segment) -> Position {
        let from = self.end();
        self.drop_empty();
        self.lineage.push((segment, self.end));
        from
    }
    /// Drops segments at the end that nobody wrote in: their names are nowhere.
    fn drop_empty(&mut self) {
        while self.lineage.last().is_some_and(|(_, before)| *before >= self.end) {
            self.lineage.pop();
        }
    }
    /// Appends one entry to the last segment.
    #[inline]
    pub fn append(&mut self) -> Position {
        let (segment, _) = *self.lineage.last().expect("append to a log without a segment");
        self.end.0 += 1;
        Position { segment, index: self.end }
    }
    /// Takes over entries that another wrote: `segment` up to `upto`, following directly.
    /// What it has already changes nothing.
    pub fn extend(&mut self, segment: Segment, upto: LogIndex) {
        if upto <= self.end {
            return;
        }
        self.drop_empty();
        if self.lineage.last().is_none_or(|(last, _)| *last != segment) {
            self.lineage.push((segment, self.end));
        }
        self.end = upto;
    }
    /// Notes that the disk has everything up to `index`.
    pub fn mark_durable(&mut self, index: LogIndex) {
        self.durable = self.durable.max(index.min(self.end));
    }
    /// Cuts back to `index`, in memory and on disk.
    pub fn truncate(&mut self, index: LogIndex) {
        self.end = self.end.min(index);
        self.durable = self.durable.min(index);
        self.drop_empty();
    }
}

/// Where an operation was appended, as far as the book still knows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Appended<'a> {
    /// Nowhere.
    Never,
    /// Here (more than one place after a retry on another history).
    At(&'a [Position]),
    /// Too long ago: the table of operation ids has been trimmed. The client has long gone.
    Forgotten,
}

/// Where recent writes were appended: for each population a ring by operation number.
///
/// Real stores keep operation ids in the log itself, and a table over its recent part. The ring
/// is that table for all replicas at once; a replica believes only the places its own log holds.
#[derive(Clone, Debug, Default)]
pub struct Book {
    rings: Vec<Vec<(u64, GroupId, Position)>>,
    /// The rare operations that were appended more than once, as long as their rings know them.
    more: BTreeMap<OpId, Vec<Position>>,
}

impl Book {
    /// How many operations of a population are remembered.
    pub const DEPTH: usize = 1 << 16;

    /// A book for so many populations; each ring grows to its depth on use.
    pub fn new(populations: usize) -> Book {
        Book { rings: vec![Vec::new(); populations], more: BTreeMap::new() }
    }
    /// Notes that `op` was appended here.
    #[inline]
    pub fn note(&mut self, group: GroupId, op: OpId, at: Position) {
        let ring = &mut self.rings[op.client().index()];
        if ring.is_empty() {
            ring.resize(Book::DEPTH, (u64::MAX, GroupId(0), Position::default()));
        }
        let slot = &mut ring[op.seq() as usize % Book::DEPTH];
        if slot.0 == op.seq() {
            let first = slot.2;
            self.more.entry(op).or_insert_with(|| vec![first]).push(at);
        } else if slot.0 == u64::MAX || slot.0 < op.seq() {
            if !self.more.is_empty() {
                self.more.remove(&OpId::new(op.client(), slot.0));
            }
            *slot = (op.seq(), group, at);
        }
        // Else it comes so late that its place belongs to a later one by now: it is forgotten.
    }
    /// Where `op` was appended.
    #[inline]
    pub fn find(&self, op: OpId) -> Appended<'_> {
        let Some(slot) = self
            .rings
            .get(ClientId::index(op.client()))
            .and_then(|ring| ring.get(op.seq() as usize % Book::DEPTH))
        else {
            return Appended::Never;
        };
        if slot.0 == u64::MAX || slot.0 < op.seq() {
            Appended::Never
        } else if slot.0 > op.seq() {
            Appended::Forgotten
        } else {
            match self.more.get(&op) {
                Some(places) => Appended::At(places),
                None => Appended::At(std::slice::from_ref(&slot.2)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::NodeId;

    fn segment(term: u32, node: u16) -> Segment {
        Segment::new(Term(term), NodeId(node))
    }
    fn at(segment: Segment, index: u64) -> Position {
        Position { segment, index: LogIndex(index) }
    }

    #[test]
    fn a_history_is_the_segments_up_to_their_forks() {
        let (one, two) = (segment(1, 0), segment(2, 1));
        let mut log = Log::new();
        log.extend(one, LogIndex(10));
        assert_eq!(log.begin(two), at(one, 10));
        assert_eq!(log.append(), at(two, 11));
        assert!(log.contains(at(one, 10)) && log.contains(at(two, 11)));
        assert!(!log.contains(at(one, 11)), "the old primary's 11th entry is not ours");
        assert_eq!(log.next_range(LogIndex(4)), Some((one, LogIndex(10))));
        assert_eq!(log.next_range(LogIndex(10)), Some((two, LogIndex(11))));
        assert_eq!(log.next_range(LogIndex(11)), None);
        log.truncate(LogIndex(10));
        assert_eq!(log.end(), at(one, 10));
    }

    #[test]
    fn the_book_remembers_both_places_of_a_retried_write() {
        let mut book = Book::new(1);
        let op = OpId::new(ClientId(0), 7);
        assert_eq!(book.find(op), Appended::Never);
        book.note(GroupId(0), op, at(segment(1, 0), 5));
        book.note(GroupId(0), op, at(segment(2, 1), 5));
        assert_eq!(book.find(op), Appended::At(&[at(segment(1, 0), 5), at(segment(2, 1), 5)]));
        book.note(GroupId(0), OpId::new(ClientId(0), 7 + Book::DEPTH as u64), Position::default());
        assert_eq!(book.find(op), Appended::Forgotten);
    }
}
