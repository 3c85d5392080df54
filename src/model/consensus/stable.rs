//! What a voter must not forget: its term, its vote and its log, in memory and on disk.
//!
//! Disk and memory are two copies. A write carries an image of everything that changed since
//! the last one, taken when it begins; a crash puts the disk's copy back into memory.

use crate::model::id::{ProcessId, Term};

/// One entry of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// The term of the leader that wrote it.
    pub term: Term,
    /// What it says. Words whose top four bits are zero belong to [`super::Raft`]; all others
    /// are the shell's.
    pub word: u64,
}

/// What is stored beside the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    /// The latest term seen.
    pub(super) term: Term,
    /// Who got this voter's vote in it.
    pub(super) voted: Option<ProcessId>,
    /// Since the disk was lost: the number of that loss.
    pub(super) blank: Option<u64>,
}

/// The two copies, and the write between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Stable {
    head: Head,
    log: Vec<Entry>,
    disk_head: Head,
    disk_log: Vec<Entry>,
    /// Up to here both logs are the same.
    durable: u32,
    /// Entries after this one changed since the last write began.
    changed_after: u32,
    image: Image,
}

/// The write under way.
#[derive(Clone, Debug, Default)]
struct Image {
    under_way: bool,
    head: Head,
    after: u32,
    entries: Vec<Entry>,
    /// Up to here the log in memory is still what is being written.
    intact: u32,
}

impl Stable {
    /// Both copies the same.
    pub(super) fn new(head: Head, log: Vec<Entry>) -> Stable {
        let end = log.len() as u32;
        Stable {
            head,
            disk_head: head,
            disk_log: log.clone(),
            log,
            durable: end,
            changed_after: end,
            image: Image::default(),
        }
    }
    /// Term, vote and blankness in memory.
    pub(super) fn head(&self) -> Head {
        self.head
    }
    /// Changes them in memory.
    pub(super) fn set_head(&mut self, head: Head) {
        debug_assert!(head.term >= self.head.term, "terms do not go back");
        self.head = head;
    }
    /// True when term, vote and blankness are on disk as they are in memory.
    pub(super) fn head_is_durable(&self) -> bool {
        self.head == self.disk_head
    }
    /// True when the disk knows the current term.
    pub(super) fn term_is_durable(&self) -> bool {
        self.head.term == self.disk_head.term
    }
    /// The last entry in memory.
    pub(super) fn end(&self) -> u32 {
        self.log.len() as u32
    }
    /// Up to here the log in memory is on disk.
    pub(super) fn durable(&self) -> u32 {
        self.durable
    }
    /// The entry of that number, from 1.
    pub(super) fn entry(&self, index: u32) -> Option<Entry> {
        self.log.get((index as usize).checked_sub(1)?).copied()
    }
    /// The term of that entry; 0 before the first, none after the last.
    pub(super) fn term_at(&self, index: u32) -> Option<Term> {
        if index == 0 { Some(Term(0)) } else { self.entry(index).map(|entry| entry.term) }
    }
    /// Term and number of the last entry.
    pub(super) fn last(&self) -> (Term, u32) {
        (self.log.last().map_or(Term(0), |entry| entry.term), self.end())
    }
    /// The highest entry, not above `index`, whose term is not above `term`.
    pub(super) fn not_above(&self, index: u32, term: Term) -> (Term, u32) {
        let mut at = index.min(self.end());
        while self.term_at(at).is_some_and(|t| t > term) {
            at -= 1;
        }
        (self.term_at(at).unwrap_or_default(), at)
    }
    /// Appends in memory.
    pub(super) fn push(&mut self, entry: Entry) -> u32 {
        assert!(self.log.len() < u32::MAX as usize, "the log of a group is full");
        self.log.push(entry);
        self.end()
    }
    /// Cuts back in memory; the disk follows with the next write.
    pub(super) fn truncate(&mut self, to: u32) {
        self.log.truncate(to as usize);
        self.durable = self.durable.min(to);
        self.changed_after = self.changed_after.min(to);
        self.image.intact = self.image.intact.min(to);
    }
    /// Begins a write, if there is something to write and none is under way.
    pub(super) fn begin_write(&mut self) -> bool {
        let clean = self.head == self.disk_head
            && self.changed_after >= self.end()
            && self.durable == self.end();
        if self.image.under_way || clean {
            return false;
        }
        let after = self.changed_after.min(self.end());
        self.image.under_way = true;
        self.image.head = self.head;
        self.image.after = after;
        self.image.entries.clear();
        self.image.entries.extend_from_slice(&self.log[after as usize..]);
        self.image.intact = self.end();
        self.changed_after = self.end();
        true
    }
    /// The write has ended.
    pub(super) fn finish_write(&mut self) {
        if !std::mem::take(&mut self.image.under_way) {
            return;
        }
        self.disk_head = self.image.head;
        self.disk_log.truncate(self.image.after as usize);
        self.disk_log.extend_from_slice(&self.image.entries);
        self.durable = self.durable.max(self.image.intact.min(self.disk_log.len() as u32));
    }
    /// The process was killed: memory becomes what the disk has. A disk that was lost leaves a
    /// blank voter.
    pub(super) fn crash(&mut self, lost: Option<u64>) {
        if let Some(nonce) = lost {
            self.disk_head = Head { blank: Some(nonce), ..Head::default() };
            self.disk_log.clear();
        }
        let disk_log = std::mem::take(&mut self.disk_log);
        *self = Stable::new(self.disk_head, disk_log);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: u32, word: u64) -> Entry {
        Entry { term: Term(term), word }
    }

    #[test]
    fn a_crash_forgets_what_was_not_written() {
        let mut stable = Stable::default();
        stable.push(entry(1, 1));
        assert!(stable.begin_write());
        stable.push(entry(1, 2));
        assert!(!stable.begin_write(), "one write at a time");
        stable.finish_write();
        assert_eq!((stable.durable(), stable.end()), (1, 2));
        stable.crash(None);
        assert_eq!((stable.durable(), stable.end()), (1, 1));
    }

    #[test]
    fn what_is_cut_in_memory_is_still_on_disk_until_the_next_write() {
        let mut stable = Stable::new(Head::default(), vec![entry(1, 1), entry(1, 2), entry(1, 3)]);
        stable.truncate(1);
        stable.push(entry(2, 9));
        let mut crashed = stable.clone();
        crashed.crash(None);
        assert_eq!(crashed.entry(3), Some(entry(1, 3)));
        assert!(stable.begin_write());
        stable.finish_write();
        stable.crash(None);
        assert_eq!((stable.end(), stable.entry(2)), (2, Some(entry(2, 9))));
    }

    #[test]
    fn a_write_that_was_overtaken_by_a_cut_confirms_only_what_is_left() {
        let mut stable = Stable::default();
        stable.push(entry(1, 1));
        stable.push(entry(1, 2));
        assert!(stable.begin_write());
        stable.truncate(1);
        stable.push(entry(2, 2));
        stable.finish_write();
        assert_eq!((stable.durable(), stable.end()), (1, 2), "the second is another by now");
        assert!(stable.begin_write());
        stable.finish_write();
        assert_eq!(stable.durable(), 2);
    }

    #[test]
    fn a_lost_disk_leaves_nothing_but_the_knowledge_of_the_loss() {
        let mut stable = Stable::new(Head::default(), vec![entry(1, 1)]);
        stable.crash(Some(7));
        assert_eq!((stable.end(), stable.head().blank), (0, Some(7)));
    }
}
