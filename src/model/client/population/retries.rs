//! Attempts that time out, and pauses between attempts.

use super::*;

impl Population {
    /// The attempt that times out first, of those that are still under way.
    fn next_timeout(&mut self) -> Option<(LocalTime, u64, u8)> {
        while self.timeouts.retries.front().is_some_and(|r| !self.under_way(r.1, r.2)) {
            self.timeouts.retries.pop_front();
        }
        let retry = self.timeouts.retries.front().copied();
        if self.attempt_timeout >= self.deadline {
            return retry;
        }
        let range = self.window.range();
        let from = self.timeouts.first.max(range.start);
        let first = (from..range.end).find(|seq| self.under_way(*seq, 0));
        self.timeouts.first = first.unwrap_or(range.end);
        let first = first.and_then(|seq| {
            let due = self.window.get(seq)?.invoked.saturating_add(self.attempt_timeout);
            Some((due, seq, 0))
        });
        first.into_iter().chain(retry).min()
    }
    /// Arms the timer for the attempt that times out first.
    #[cold]
    pub(super) fn await_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let next = self.next_timeout();
        // Where no attempt ever times out, there is nothing to come back for.
        self.timeouts.armed = next.is_some() || self.attempt_timeout >= self.deadline;
        if let Some((due, ..)) = next {
            ctx.set_timer(Timer::of(ATTEMPT), due.since(ctx.now()));
        }
    }
    /// Ends every attempt that has timed out. One that was never sent did definitely nothing.
    pub(super) fn time_out(&mut self, ctx: &mut Ctx<'_>) {
        while let Some((_, seq, attempt)) = self.next_timeout().filter(|n| n.0 <= ctx.now()) {
            let sent = self.window.attempt(seq, attempt, State::Sent).is_some();
            self.end_attempt(seq, !sent, None, ctx);
        }
        self.await_timeout(ctx);
    }
    /// Arms the timer for the pause that ends first.
    pub(super) fn await_pause(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(due) = self.pauses.next() {
            ctx.set_timer(Timer::of(RETRY), due.since(ctx.now()));
        }
    }
    /// Begins the attempts whose pause has ended.
    pub(super) fn retry(&mut self, ctx: &mut Ctx<'_>) {
        while let Some((seq, attempt)) = self.pauses.pop(ctx.now()) {
            if self.window.attempt(seq, attempt, State::Pausing).is_some() {
                self.begin_attempt(seq, ctx);
            }
        }
        self.await_pause(ctx);
    }
}
