//! How far a standby is behind, in time, as it can know it itself.
//!
//! When a health check asks, the standby asks its primary how far its disk is, and remembers
//! when it asked. It is behind by the age of the oldest such question whose answer it has not
//! applied yet, or not received. So a heartbeat table is read (pt-heartbeat), but nothing is
//! written, and where nobody asks nothing is sent. The grain is the probes' interval.

use super::core::Core;
use crate::model::ctx::Ctx;
use crate::model::id::{LogIndex, ProcessId};
use crate::model::msg::Msg;
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::time::LocalTime;
use std::collections::VecDeque;

/// The most questions that are remembered: the oldest tells the lag, the others only when it has
/// been caught up with.
const MOST: usize = 256;

/// One question to the primary.
#[derive(Clone, Copy, Debug)]
struct Question {
    seq: u32,
    asked: LocalTime,
    /// Where the primary's disk was, once it has said so.
    end: Option<LogIndex>,
}

/// The questions that are not caught up with.
#[derive(Clone, Debug, Default)]
pub struct Lag {
    questions: VecDeque<Question>,
    /// Numbers the questions; never used twice.
    seq: u32,
}

impl Lag {
    /// Asks the primary how far it is.
    pub fn ask(&mut self, primary: ProcessId, core: &Core, ctx: &mut Ctx<'_>) {
        if self.questions.len() < MOST {
            self.seq = self.seq.wrapping_add(1);
            self.questions.push_back(Question { seq: self.seq, asked: ctx.now(), end: None });
            let question = Peer::HowFar { term: core.term, seq: self.seq };
            ctx.cast(primary, Msg::Peer(core.group, question));
        }
    }
    /// The primary answered.
    pub fn told(&mut self, seq: u32, end: LogIndex) {
        if let Some(question) = self.questions.iter_mut().find(|q| q.seq == seq) {
            question.end = Some(end);
        }
    }
    /// How far behind one is who has applied that much.
    pub fn behind(&mut self, applied: LogIndex, now: LocalTime) -> Span {
        // Who has caught up with one question has with all before it, answered or not.
        let reached = |q: &Question| q.end.is_some_and(|end| end <= applied);
        if let Some(last) = self.questions.iter().rposition(reached) {
            self.questions.drain(..=last);
        }
        self.questions.front().map_or(Span::ZERO, |q| now.since(q.asked))
    }
    /// Another primary, or a crash: what was asked before says nothing any more.
    pub fn forget(&mut self) {
        self.questions.clear();
    }
}
