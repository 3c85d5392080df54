//! The longest interval without an acknowledged write: what a prober outside would measure.
//!
//! A gap is *real*, an outage and not chance, when it is longer than the longest before onset
//! and a write ended not ok in it, or when it is longer than twice that. (The plain rule, longer
//! than before or anything not ok, takes the longest of a thousand ordinary gaps for an outage
//! in every other trial, merely because more of them come after onset than before.)

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
    /// The longest outside any episode.
    ordinary: Span,
    episodes: Vec<InEpisode>,
}

impl Gaps {
    /// An episode begins.
    pub fn episode(&mut self, onset: SimTime) {
        let (longest, real) = (Span::ZERO, Span::ZERO);
        self.episodes.push(InEpisode { onset, longest, real, ended: None });
    }

    /// A write was acknowledged. `in_episode` tells whether an episode is under way, `counts`
    /// whether warm-up is over.
    #[inline]
    pub fn acknowledged(&mut self, now: SimTime, in_episode: bool, counts: bool) {
        let gap = now.since(self.last);
        if in_episode {
            let real = self.is_real(gap);
            if let Some(episode) = self.episodes.last_mut().filter(|e| now > e.onset) {
                episode.longest = episode.longest.max(gap);
                if real && gap > episode.real {
                    (episode.real, episode.ended) = (gap, Some(now));
                }
            }
        } else if self.acked && counts && gap > self.ordinary {
            self.ordinary = gap;
        }
        (self.last, self.acked, self.not_ok) = (now, true, false);
    }

    /// A write ended not ok.
    pub fn not_ok(&mut self) {
        self.not_ok = true;
    }

    fn is_real(&self, gap: Span) -> bool {
        let known = !self.ordinary.is_zero();
        let long = known && gap > self.ordinary.saturating_mul(2);
        gap > self.ordinary && (self.not_ok || long)
    }

    /// True when nothing has been acknowledged for so long that it is an outage, although a
    /// write was offered since.
    pub fn is_open(&self, now: SimTime, last_offer: SimTime) -> bool {
        last_offer > self.last && self.is_real(now.since(self.last))
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
