//! Windows that a scenario names: stretches of time by when operations are invoked.

use crate::measure::bins::slot;
use crate::measure::latency::{Buckets, Counts, Set};
use crate::measure::ops::Op;
use crate::measure::settings::Settings;
use crate::model::cue::{Bound, Cue, Cues};
use crate::model::fact::{Fact, Outcome};
use crate::model::roster::Roster;
use crate::sim::param::Name;
use crate::sim::time::{SimTime, Span};

crate::params! {
    /// A stretch of time, for the label `window`: an operation belongs to it that is invoked in
    /// it, after warm-up.
    pub struct WindowTable {
        /// Where it begins, counted from the start of the run, or from the event of `after`.
        from: Span = Span::ZERO, "its beginning";
        /// Where it ends, counted likewise.
        to: Option<Span> = None, "the end of the run";
        /// The event it is counted from, when it happens first: `onset:FAULT`, `cleared:FAULT`,
        /// `promoted`, `authorised` or `withdrawn` (of one store: `promoted:STORE`).
        after: Option<Name> = None, "the start of the run";
    }
}

/// One window.
pub struct Window {
    /// Its name.
    pub name: String,
    /// Its event; nothing where it is counted from the start.
    event: Option<Bound>,
    from: Span,
    to: Option<Span>,
    /// From when to when, once that is known.
    span: Option<(SimTime, SimTime)>,
    /// What was invoked in it.
    pub set: Set,
}

impl Window {
    fn count_from(&mut self, event: SimTime) {
        let ends = self.to.map_or(SimTime::MAX, |to| event.saturating_add(to));
        self.span.get_or_insert((event.saturating_add(self.from), ends));
    }

    /// How much of it lies between the two, in seconds; nothing where its event did not happen.
    pub fn length(&self, warmup: SimTime, end: SimTime) -> Option<f64> {
        let (from, to) = self.span?;
        Some(to.min(end).since(from.max(warmup)).as_secs_f64())
    }
}

/// The windows of a scenario.
pub struct Windows {
    /// In the order of the file.
    pub all: Vec<Window>,
    cues: Cues,
}

impl Windows {
    /// The windows that the scenario names.
    pub fn new(settings: &Settings, roster: &Roster) -> Windows {
        let window = |(name, table): &(Name, WindowTable)| {
            let after = table.after.as_ref();
            let event = after.and_then(|after| Cue::parse(&after.text)?.bind(roster));
            let set = vec![Counts::default(); 2 * roster.clients.len()];
            let (name, from, to) = (name.text.clone(), table.from, table.to);
            let mut window = Window { name, event, from, to, span: None, set };
            if after.is_none() {
                window.count_from(SimTime::ZERO);
            }
            window
        };
        Windows { all: settings.window.0.iter().map(window).collect(), cues: Cues::new(roster) }
    }

    /// True when there are any.
    #[inline]
    pub fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Something rare happened: what is counted from it begins.
    pub fn on_fact(&mut self, fact: &Fact, now: SimTime) {
        let Some(happened) = self.cues.of(fact) else { return };
        let counted = |window: &Window| window.event.is_some_and(|event| event.is(&happened));
        for window in self.all.iter_mut().filter(|window| counted(window)) {
            window.count_from(now);
        }
    }

    /// An operation ended. Whatever a window is counted from has happened by the time an
    /// operation in it is invoked.
    #[inline(never)]
    pub fn concluded(
        &mut self,
        client: usize,
        op: &Op,
        outcome: Outcome,
        now: SimTime,
        buckets: Buckets,
    ) {
        for window in &mut self.all {
            let inside = |(from, to): (SimTime, SimTime)| from <= op.invoked && op.invoked < to;
            if !window.span.is_some_and(inside) {
                continue;
            }
            let counts = &mut window.set[slot(client, op.kind)];
            match outcome {
                Outcome::Ok => counts.record(buckets, now.since(op.invoked)),
                _ => counts.record_not_ok(outcome),
            }
        }
    }
}
