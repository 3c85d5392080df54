//! A run kept in memory in a compact form: about a dozen bytes a fact.
//!
//! Recording copies numbers and nothing else; names and words come when the recording is
//! replayed to whoever tells it.

use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::NodeId;
use crate::report::parts::{Bytes, LIMIT_RECORD, claims, facts, take_number};
use crate::sim::time::{SimTime, Span};

/// Marks a record as a claim; kinds of facts stay below it.
const CLAIM: u8 = 0x40;
/// Records never straddle two chunks, so a chunk is read on its own, and growing copies nothing.
const CHUNK: usize = 1 << 20;

/// Something that was observed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Told {
    /// The world did something.
    Fact(Fact),
    /// A node said something.
    Claim(NodeId, Claim),
}

/// One observation as bytes: kind, time since the observation before it, parts.
#[inline]
pub fn fact_record(since: Span, fact: &Fact) -> Bytes {
    let mut out = Bytes::new();
    out.number(u64::from(facts::tag(fact)));
    out.number(since.as_nanos());
    facts::put(fact, &mut out);
    out
}

/// The same for a claim.
#[inline]
pub fn claim_record(since: Span, by: NodeId, claim: &Claim) -> Bytes {
    let mut out = Bytes::new();
    out.number(u64::from(CLAIM | claims::tag(claim)));
    out.number(since.as_nanos());
    out.number(u64::from(by.0));
    claims::put(claim, &mut out);
    out
}

/// Keeps what it observes, up to a limit of bytes.
#[derive(Clone, Debug)]
pub struct Recorder {
    chunks: Vec<Vec<u8>>,
    last: SimTime,
    records: u64,
    bytes: usize,
    limit: usize,
    missed: u64,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::new()
    }
}

impl Recorder {
    /// A recorder without a limit of its own.
    pub fn new() -> Recorder {
        Recorder::with_limit(usize::MAX)
    }
    /// A recorder that keeps about so many bytes and then only counts.
    pub fn with_limit(limit: usize) -> Recorder {
        let (last, chunks) = (SimTime::ZERO, Vec::new());
        Recorder { chunks, last, records: 0, bytes: 0, limit, missed: 0 }
    }
    /// How many facts and claims were kept.
    pub fn records(&self) -> u64 {
        self.records
    }
    /// How many were not kept for want of room.
    pub fn missed(&self) -> u64 {
        self.missed
    }
    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// Everything kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, Told)> + '_ {
        let mut at = SimTime::ZERO;
        self.chunks.iter().flat_map(|chunk| Records { rest: chunk }).map(move |(since, told)| {
            at = at + since;
            (at, told)
        })
    }
    /// Lets an observer see the run again.
    pub fn replay(&self, observer: &mut impl Observer) {
        for (at, told) in self.iter() {
            match told {
                Told::Fact(fact) => observer.on_fact(at, &fact),
                Told::Claim(by, claim) => observer.on_claim(at, by, &claim),
            }
        }
    }

    #[inline]
    fn keep(&mut self, at: SimTime, record: &Bytes) {
        let record = record.as_slice();
        if self.bytes + record.len() > self.limit {
            self.missed += 1;
            return;
        }
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() + LIMIT_RECORD <= CHUNK => chunk.extend_from_slice(record),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.extend_from_slice(record);
                self.chunks.push(chunk);
            }
        }
        self.bytes += record.len();
        self.records += 1;
        self.last = at;
    }
}

impl Observer for Recorder {
    #[inline]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        let record = fact_record(at.since(self.last), fact);
        self.keep(at, &record);
    }
    #[inline]
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        let record = claim_record(at.since(self.last), by, claim);
        self.keep(at, &record);
    }
}

struct Records<'a> {
    rest: &'a [u8],
}

impl Iterator for Records<'_> {
    type Item = (Span, Told);
    fn next(&mut self) -> Option<(Span, Told)> {
        if self.rest.is_empty() {
            return None;
        }
        let tag = take_number(&mut self.rest) as u8;
        let since = Span::from_nanos(take_number(&mut self.rest));
        let told = if tag & CLAIM == 0 {
            Told::Fact(facts::take(tag, &mut self.rest))
        } else {
            let by = NodeId(take_number(&mut self.rest) as u16);
            Told::Claim(by, claims::take(tag & !CLAIM, &mut self.rest))
        };
        Some((since, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::parts::Shown;
    use crate::report::story_of_tests::everything;

    #[test]
    fn what_was_recorded_is_what_was_seen() {
        let told = everything();
        let mut recorder = Recorder::new();
        for (at, told) in &told {
            match told {
                Told::Fact(fact) => recorder.on_fact(*at, fact),
                Told::Claim(by, claim) => recorder.on_claim(*at, *by, claim),
            }
        }
        assert_eq!(recorder.iter().collect::<Vec<_>>(), told);
        assert!(recorder.bytes() < told.len() * 24, "{} bytes", recorder.bytes());
        let mut again = Recorder::new();
        recorder.replay(&mut again);
        assert_eq!(again.iter().collect::<Vec<_>>(), told);
    }

    #[test]
    fn a_long_recording_crosses_chunks_and_stops_at_its_limit() {
        let fact = Fact::Settling;
        let mut recorder = Recorder::new();
        for n in 0..1_000_000u64 {
            recorder.on_fact(SimTime::from_nanos(n * n), &fact);
        }
        assert!(recorder.chunks.len() > 1);
        let times = recorder.iter().map(|(at, _)| at.as_nanos());
        assert!(times.eq((0..1_000_000).map(|n| n * n)));

        let mut short = Recorder::with_limit(100);
        for n in 0..100u64 {
            short.on_fact(SimTime::from_nanos(n * 1_000_000), &fact);
        }
        assert_eq!(short.records() + short.missed(), 100);
        assert!(short.bytes() <= 100 && short.records() > 20);
        assert_eq!(short.iter().count() as u64, short.records());
    }

    #[test]
    fn every_kind_has_its_word_and_the_nodes_it_is_about() {
        for (_, told) in everything() {
            let mut parts = 0;
            match told {
                Told::Fact(fact) => {
                    assert!(!facts::WORDS[facts::tag(&fact) as usize].is_empty());
                    facts::each(&fact, |_, _| parts += 1);
                    assert_eq!(parts == 0, matches!(fact, Fact::Settling));
                }
                Told::Claim(_, claim) => {
                    claims::each(&claim, |name, shown| {
                        parts += 1;
                        assert!(!name.is_empty() && shown != Shown::Nothing);
                    });
                    assert!(parts > 0);
                }
            }
        }
    }
}
