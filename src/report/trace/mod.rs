//! One trial as a story a person can follow.
//!
//! An observer that tells as it listens, in memory that does not grow with the length of the
//! trial. A recording can be replayed into it as well.

mod burst;
mod filter;
mod fold;
mod words;

pub use filter::{Filter, KINDS, Kind, parse_time};
pub use words::Words;

use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::NodeId;
use crate::model::roster::Roster;
use crate::report::recorder::Told;
use crate::sim::time::{SimTime, Span};
use burst::Burst;
use fold::{Fold, Folded};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// How the story is told.
#[derive(Clone, Debug)]
pub struct Manner {
    /// What of it.
    pub filter: Filter,
    /// Every observation on a line of its own, nothing folded.
    pub all: bool,
    /// A JSON value a line, instead of sentences.
    pub json: bool,
    /// Length of the bins in which operations are counted.
    pub bin: Span,
}

/// Tells a trial to a writer.
pub struct Teller<'a, W: Write> {
    words: Words<'a>,
    manner: Manner,
    out: W,
    fold: Fold,
    burst: Burst,
    /// What each node said last of each thing: what it merely repeats is not told again.
    said: BTreeMap<(NodeId, u8, String), Claim>,
    failed: Option<io::Error>,
}

impl<'a, W: Write> Teller<'a, W> {
    /// Ready to tell.
    pub fn new(roster: &'a Roster, manner: Manner, out: W) -> Teller<'a, W> {
        let fold = Fold::new(manner.bin.max(Span::from_millis(1)));
        let (words, burst, said) = (Words(roster), Burst::default(), BTreeMap::new());
        Teller { words, manner, out, fold, burst, said, failed: None }
    }

    /// True when the writer took no more: nobody listens.
    pub fn deaf(&self) -> bool {
        self.failed.is_some()
    }

    /// Tells the rest.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(mut self, at: SimTime) -> io::Result<()> {
        self.end_burst();
        let words = self.words;
        let mut lines = Vec::new();
        self.fold.finish(at, words, &mut |line| lines.push(line));
        lines.iter().for_each(|line| self.folded(line));
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        if self.failed.is_none() {
            self.failed = self.out.write_fmt(text).err();
        }
    }

    fn folded(&mut self, line: &Folded) {
        if self.manner.json {
            let (from, to) = (line.from.as_nanos(), line.to.as_nanos());
            let value =
                json!({ "from_ns": from, "to_ns": to, "kind": line.kind, "text": line.text });
            self.line(format_args!("{value}\n"));
        } else {
            self.line(format_args!("{}–{}  {}\n", line.from, line.to, line.text));
        }
    }

    fn tell(&mut self, at: SimTime, told: &Told) {
        if self.manner.json {
            let value = self.words.json(at, told);
            self.line(format_args!("{value}\n"));
        } else {
            let sentence = self.words.sentence(told);
            self.line(format_args!("{at}  {sentence}\n"));
        }
    }

    /// Brings the folded lines up to date before something else is told.
    fn catch_up(&mut self, at: SimTime, flush: bool) {
        let words = self.words;
        let mut lines = Vec::new();
        self.fold.advance(at, words, &mut |line| lines.push(line));
        if flush {
            self.fold.flush(words, &mut |line| lines.push(line));
        }
        lines.iter().for_each(|line| self.folded(line));
    }

    fn hear(&mut self, at: SimTime, told: Told) {
        let filter = &self.manner.filter;
        let kind = Kind::of(&told);
        let wanted = filter.when(at) && filter.what(kind) && filter.who(&told);
        // The disks' progress is told only where it was asked for.
        let progress = kind == Kind::Disk && filter.kinds.is_empty();
        if self.manner.all {
            if wanted {
                self.tell(at, &told);
            }
            return;
        }
        if at != self.burst.at {
            self.end_burst();
        }
        if let Told::Fact(fact) = &told {
            if wanted && !progress {
                self.catch_up(at, false);
                if self.fold.add(fact) {
                    return;
                }
            } else {
                self.fold.remember(fact);
                let rare = matches!(fact, Fact::Truncated { .. } | Fact::Wiped { .. });
                if !(wanted && rare) {
                    return;
                }
            }
            if !self.manner.json && self.burst.takes(at, fact) {
                return;
            }
        }
        if wanted && !self.repeats(&told) {
            self.end_burst();
            self.catch_up(at, true);
            self.tell(at, &told);
        }
    }

    fn repeats(&mut self, told: &Told) -> bool {
        let Told::Claim(by, claim) = told else { return false };
        let mut about = String::new();
        let tag = crate::report::parts::claims::tag(claim);
        crate::report::parts::claims::each(claim, |name, shown| {
            if matches!(name, "group" | "node") {
                about = format!("{shown:?}");
            }
        });
        // Losing a lease and holding it are news after each other, and so is the rest.
        let tag = match claim {
            Claim::LeaseLost(_) => crate::report::parts::claims::tag(&Claim::LeaseHeld(
                Default::default(),
                Default::default(),
            )),
            Claim::SteppedDown(..) => crate::report::parts::claims::tag(&Claim::Primary(
                Default::default(),
                Default::default(),
            )),
            Claim::Step(..) | Claim::Failed(..) | Claim::Fenced(..) => return false,
            _ => tag,
        };
        self.said.insert((*by, tag, about), *claim) == Some(*claim)
    }

    fn end_burst(&mut self) {
        let burst = std::mem::take(&mut self.burst);
        if burst.is_empty() {
            return;
        }
        self.catch_up(burst.at, true);
        let words = self.words;
        for line in burst.lines(words) {
            self.line(format_args!("{}  {line}\n", burst.at));
        }
    }
}

impl<W: Write> Observer for Teller<'_, W> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.hear(at, Told::Fact(*fact));
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.hear(at, Told::Claim(by, *claim));
    }
}

#[cfg(test)]
mod tests;
