//! What is due when: attempts that may time out, and pauses that end.

use crate::model::client::RetryParams;
use crate::sim::Span;
use crate::sim::rng::{Label, Streams};
use crate::sim::time::LocalTime;
use std::collections::{BTreeSet, VecDeque};

/// Attempts in the order in which they time out: since all may wait equally long, that is the
/// order in which they began. First attempts began in the order of their operations, so for them
/// the window itself is the line, and beginning an operation costs nothing here; only retries
/// have a line of their own.
#[derive(Default)]
pub(super) struct Timeouts {
    /// First attempts of earlier operations have been dealt with.
    pub first: u64,
    /// Retries that may time out; those that ended stay until they come to the front.
    pub retries: VecDeque<(LocalTime, u64, u8)>,
    /// True while a timer is under way for the earliest when it was armed.
    pub armed: bool,
}

/// Pauses between attempts: rare, so ordered by a tree.
pub(super) struct Pauses {
    due: BTreeSet<(LocalTime, u64, u8)>,
    first: Span,
    factor: f64,
    longest: Span,
    jitter: f64,
    streams: Streams,
    label: Label,
}

impl Pauses {
    /// No pause yet.
    pub(super) fn new(params: &RetryParams, streams: &Streams, label: Label) -> Pauses {
        Pauses {
            due: BTreeSet::new(),
            first: params.backoff,
            factor: params.backoff_factor,
            longest: params.backoff_max,
            jitter: params.jitter.0,
            streams: streams.clone(),
            label,
        }
    }
    /// How long to pause before `attempt` (from 1): longer each time up to the longest, and
    /// the random share of it drawn by operation and attempt, so that it is the same in every
    /// design.
    pub(super) fn length(&self, seq: u64, attempt: u8) -> Span {
        let whole = (1..attempt).fold(self.first, |pause, _| self.longer(pause));
        let whole = whole.min(self.longest);
        if self.jitter <= 0.0 {
            return whole;
        }
        let label = self.label.with_index(seq).with_index(attempt.into());
        let random = self.streams.stream(label).unit();
        let share = 1.0 - self.jitter + self.jitter * random;
        Span::from_nanos((whole.as_nanos() as f64 * share) as u64)
    }
    /// The pause after this one. Beyond the longest nothing is longer, so no product overflows.
    fn longer(&self, pause: Span) -> Span {
        if pause >= self.longest {
            return pause;
        }
        Span::from_nanos((pause.as_nanos() as f64 * self.factor) as u64)
    }
    /// Adds a pause; true when it now ends first.
    pub(super) fn push(&mut self, due: LocalTime, seq: u64, attempt: u8) -> bool {
        self.due.insert((due, seq, attempt));
        self.due.first() == Some(&(due, seq, attempt))
    }
    /// Takes out the first pause that has ended.
    pub(super) fn pop(&mut self, now: LocalTime) -> Option<(u64, u8)> {
        let (due, ..) = self.due.first()?;
        if *due > now {
            return None;
        }
        self.due.pop_first().map(|(_, seq, attempt)| (seq, attempt))
    }
    /// When the first ends.
    pub(super) fn next(&self) -> Option<LocalTime> {
        self.due.first().map(|(due, ..)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::param::Share;

    fn pauses(jitter: f64) -> Pauses {
        let params = RetryParams {
            backoff: Span::from_millis(100),
            backoff_max: Span::from_millis(300),
            jitter: Share(jitter),
            ..RetryParams::default()
        };
        Pauses::new(&params, &Streams::new(1, 0), Label::new("backoff"))
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let lengths = [1, 2, 3, 200].map(|attempt| pauses(0.0).length(9, attempt));
        assert_eq!(lengths, [100, 200, 300, 300].map(Span::from_millis));
    }

    #[test]
    fn half_jitter_stays_in_the_upper_half_and_depends_on_operation_and_attempt_alone() {
        let (one, other) = (pauses(0.5), pauses(0.5));
        for seq in 0..1000 {
            let length = one.length(seq, 1);
            assert!(length >= Span::from_millis(50) && length <= Span::from_millis(100));
        }
        assert_eq!(one.length(17, 2), other.length(17, 2));
        assert_ne!(one.length(17, 2), one.length(18, 2));
    }
}
