//! The longest interval without an acknowledged write: what a prober outside would measure.
//!
//! A gap is *real*, an outage and not chance, when it is longer than the longest before onset,
//! and somebody suffered in it: a write ended not ok, or a write waited for more than twice as
//! long as any waited before onset. (The plain rule, longer than before or anything not ok, takes
//! the longest of a thousand ordinary gaps for an outage in every other trial, merely because
//! more of them come after onset than before. At a few writes a second nobody has suffered then.)

use crate::measure::sample::Sample;
use crate::sim::time::{SimTime, Span};

/// The gaps of one episode.
#[derive(Clone, Copy, PartialEq, Debug)]
struct InEpisode {
    onset: SimTime,
    longest: Span,
    /// The longest real one.
    real: Span,
    /// The acknowledgement that ended it; nothing while it is open.
    ended: Option<SimTime>,
}

/// Watches the acknowledged writes of a store, a region or a population.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    last: SimTime,
    acked: bool,
    not_ok: bool,
    /// When a write was first offered since the last acknowledgement.
    offered: Option<SimTime>,
    /// The longest outside any episode.
    ordinary: Span,
    /// The longest from such an offer to the next acknowledgement, outside any episode.
    ordinary_wait: Span,
    episodes: Vec<InEpisode>,
}

impl Gaps {
    /// An episode begins.
    pub fn episode(&mut self, onset: SimTime) {
        let (longest, real) = (Span::ZERO, Span::ZERO);
        self.episodes.push(InEpisode { onset, longest, real, ended: None });
    }

    /// A write was offered.
    #[inline]
    pub fn offered(&mut self, now: SimTime) {
        self.offered.get_or_insert(now);
    }

    /// A write was acknowledged. `in_episode` tells whether an episode is under way, `counts`
    /// whether warm-up is over.
    #[inline]
    pub fn acknowledged(&mut self, now: SimTime, in_episode: bool, counts: bool) {
        let gap = now.since(self.last);
        if in_episode {
            let real = self.is_real(gap, now);
            if let Some(episode) = self.episodes.last_mut().filter(|e| now > e.onset) {
                episode.longest = episode.longest.max(gap);
                if real && gap > episode.real {
                    (episode.real, episode.ended) = (gap, Some(now));
                }
            }
        } else if self.acked && counts {
            self.ordinary = self.ordinary.max(gap);
            self.ordinary_wait = self.ordinary_wait.max(self.wait(now));
        }
        (self.last, self.acked, self.not_ok, self.offered) = (now, true, false, None);
    }

    /// A write ended not ok.
    pub fn not_ok(&mut self) {
        self.not_ok = true;
    }

    /// For how long a write has waited since the last acknowledgement.
    fn wait(&self, now: SimTime) -> Span {
        self.offered.map_or(Span::ZERO, |since| now.since(since))
    }

    fn is_real(&self, gap: Span, now: SimTime) -> bool {
        let known = !self.ordinary_wait.is_zero();
        let waited = known && self.wait(now) > self.ordinary_wait.saturating_mul(2);
        gap > self.ordinary && (self.not_ok || waited)
    }

    /// True when nothing has been acknowledged for so long that it is an outage, although a
    /// write was offered since.
    pub fn is_open(&self, now: SimTime, last_offer: SimTime) -> bool {
        last_offer > self.last && self.is_real(now.since(self.last), now)
    }

    /// The last acknowledgement.
    pub fn last(&self) -> SimTime {
        self.last
    }

    /// The longest gap: of all episodes, or of a trial without one.
    pub fn longest(&self, end: SimTime, last_offer: SimTime) -> Sample {
        let open = if last_offer > self.last { end.since(self.last) } else { Span::ZERO };
        let before = self.episodes.iter().map(|episode| episode.longest).max();
        Sample::Value(before.unwrap_or(self.ordinary).max(open).as_secs_f64())
    }

    /// Per episode, from onset to the acknowledgement that ended the longest real gap; zero
    /// where there was none; censored where it is still open.
    pub fn first_writes(&self, end: SimTime, last_offer: SimTime) -> Vec<Sample> {
        let still_open = self.is_open(end, last_offer);
        let mut samples: Vec<Sample> = self.episodes.iter().map(InEpisode::first_write).collect();
        if let (true, Some(last)) = (still_open, self.episodes.last())
            && end.since(self.last) > last.real
        {
            samples.pop();
            samples.push(Sample::Censored(end.since(last.onset).as_secs_f64()));
        }
        samples
    }
}

impl InEpisode {
    fn first_write(&self) -> Sample {
        let length = self.ended.map_or(Span::ZERO, |ended| ended.since(self.onset));
        Sample::Value(length.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::from_nanos(ms * 1_000_000)
    }

    /// A write every 100 ms, each acknowledged after 10 ms, for a second; then an episode.
    fn quiet_second() -> Gaps {
        let mut gaps = Gaps::default();
        for i in 1..=10 {
            gaps.offered(at(100 * i));
            gaps.acknowledged(at(100 * i + 10), false, true);
        }
        gaps.episode(at(1_050));
        gaps
    }

    #[test]
    fn nobody_came_for_a_while_is_no_outage() {
        let mut gaps = quiet_second();
        gaps.offered(at(5_000));
        gaps.acknowledged(at(5_010), true, true);
        assert_eq!(gaps.first_writes(at(9_000), at(5_000)), [Sample::Value(0.0)]);
    }

    #[test]
    fn a_write_that_waited_is_an_outage_although_it_ended_well() {
        let mut gaps = quiet_second();
        gaps.offered(at(1_100));
        gaps.acknowledged(at(5_050), true, true);
        assert_eq!(gaps.first_writes(at(9_000), at(1_100)), [Sample::Value(4.0)]);
    }

    #[test]
    fn a_write_that_failed_makes_its_gap_an_outage() {
        let mut gaps = quiet_second();
        gaps.offered(at(1_100));
        gaps.not_ok();
        gaps.offered(at(3_000));
        gaps.acknowledged(at(3_050), true, true);
        assert_eq!(gaps.first_writes(at(9_000), at(3_000)), [Sample::Value(2.0)]);
    }
}
