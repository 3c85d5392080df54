//! Stores without a leader: any of several nodes will do, and the client knows them all.

use crate::model::ctx::Ctx;
use crate::model::id::ProcessId;
use crate::model::route::{Routed, Routes, Waiting};
use crate::sim::draws::Draws;
use crate::sim::rng::{Label, Streams};

/// Reads and writes each go to the nearest coordinator, or to one that is drawn for the
/// operation; a further attempt goes to the next.
pub struct Coordinators {
    /// Nearest first.
    processes: Vec<ProcessId>,
    /// Dice for reads and for writes; nothing where the nearest is asked.
    draws: [Option<Draws>; 2],
}

impl Coordinators {
    /// The router of the population of that label. `random` of reads and of writes.
    pub fn new(
        processes: Vec<ProcessId>,
        random: [bool; 2],
        streams: &Streams,
        label: Label,
    ) -> Coordinators {
        let draws = |random: bool, word: &str| {
            random.then(|| streams.draws(label.with("coordinator").with(word)))
        };
        Coordinators { processes, draws: [draws(random[0], "reads"), draws(random[1], "writes")] }
    }
}

impl Routes for Coordinators {
    #[inline]
    fn route(&mut self, _resolver: u32, attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        let count = self.processes.len() as u64;
        let first = match self.draws[attempt.kind as usize] {
            None => 0,
            Some(draws) => ((u128::from(draws.at(attempt.seq)) * u128::from(count)) >> 64) as u64,
        };
        let at = (first + u64::from(attempt.attempt)) % count.max(1);
        self.processes.get(at as usize).map_or(Routed::Nowhere, |process| Routed::To(*process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::OpKind;
    use crate::model::id::NodeId;
    use crate::model::log::Book;
    use crate::sim::time::{LocalTime, WallTime};

    fn target(router: &mut Coordinators, seq: u64, attempt: u8, kind: OpKind) -> u16 {
        let (book, mut effects) = (Book::new(1), Vec::new());
        let (now, wall) = (LocalTime::ZERO, WallTime::from_nanos(0));
        let mut ctx = Ctx::new(ProcessId(9), NodeId(9), now, wall, &book, &mut effects);
        match router.route(0, Waiting { seq, attempt, kind }, &mut ctx) {
            Routed::To(process) => process.0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_and_writes_are_drawn_apart_and_retries_go_round() {
        let processes = [4, 5, 6].map(ProcessId).to_vec();
        let streams = Streams::new(1, 0);
        let mut router = Coordinators::new(processes, [true, false], &streams, Label::new("c"));
        let mut seen = [0u32; 3];
        for seq in 0..3_000 {
            assert_eq!(target(&mut router, seq, 0, OpKind::Write), 4, "the nearest");
            let first = target(&mut router, seq, 0, OpKind::Read);
            seen[usize::from(first - 4)] += 1;
            let next = target(&mut router, seq, 1, OpKind::Read);
            assert_eq!(next, if first == 6 { 4 } else { first + 1 });
        }
        assert!(seen.iter().all(|count| (900..1_100).contains(count)), "{seen:?}");
        assert_eq!(target(&mut router, 0, 4, OpKind::Write), 5, "round and round");
    }
}
