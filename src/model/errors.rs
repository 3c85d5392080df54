//! Errors: requests that a sick database fails before it has done anything.

use crate::model::detect::Asks;
use crate::model::fact::OpKind;
use crate::model::id::{OpId, ProcessId};
use crate::sim::draws::Draws;

/// What it fails.
#[derive(Clone, Debug)]
pub(in crate::model) struct Errors {
    reads: f64,
    writes: f64,
    draws: Draws,
}

impl Errors {
    /// Such shares of reads and writes; nothing where they are none.
    pub(in crate::model) fn new(reads: f64, writes: f64, draws: Draws) -> Option<Box<Errors>> {
        (reads > 0.0 || writes > 0.0).then(|| Box::new(Errors { reads, writes, draws }))
    }
    fn fails(&self, kind: OpKind, index: u64) -> bool {
        let share = match kind {
            OpKind::Read => self.reads,
            OpKind::Write => self.writes,
        };
        self.draws.unit(index) < share
    }
    /// True when it fails that attempt.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn fail(&self, op: OpId, kind: OpKind, attempt: u8) -> bool {
        // No population gets as far as its 2^40th operation.
        self.fails(kind, op.word() ^ (u64::from(attempt) << 40))
    }
    /// True when it fails that probe: as a read where the application is asked, as a write where
    /// a row is to be written.
    pub(in crate::model) fn fail_probe(
        &self,
        from: ProcessId,
        seq: u32,
        asks: Asks,
        writes: bool,
    ) -> bool {
        // Probes are nobody's operations, and each prober numbers its own.
        let index = u64::MAX << 49 | u64::from(from.0) << 33 | u64::from(seq) << 1;
        (asks.app && self.fails(OpKind::Read, index))
            || (asks.write && writes && self.fails(OpKind::Write, index | 1))
    }
}
