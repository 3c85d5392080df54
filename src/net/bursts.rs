//! Loss in bursts: the chain of Gilbert and Elliott.
//!
//! A pair is good or bad. Each packet first moves it on: from good to bad with probability `p`,
//! from bad to good with `r`; then it is lost with the probability of the state. In the long run
//! a share p/(p+r) of the packets meets a bad pair, in runs of 1/r packets on average (Gilbert,
//! Capacity of a burst-noise channel, 1960; Elliott 1963). The same model and letters as
//! `tc netem … loss gemodel p r 1-h 1-k`.

use super::fabric::threshold;
use crate::sim::rng::Stream;

/// The four probabilities.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Gilbert {
    /// From good to bad, at each packet.
    pub p: f64,
    /// From bad to good, at each packet.
    pub r: f64,
    /// Loss on a bad pair; netem's 1-h.
    pub loss_bad: f64,
    /// Loss on a good pair; netem's 1-k.
    pub loss_good: f64,
}

impl Gilbert {
    /// The share of packets that meets a bad pair in the long run.
    pub fn share_bad(&self) -> f64 {
        if self.p + self.r > 0.0 { self.p / (self.p + self.r) } else { 0.0 }
    }
}

/// One pair under such a fault, with dice of its own.
#[derive(Clone, Debug)]
pub(super) struct Bursts {
    /// Bounds for the high and the low half of a draw: moves from good and bad, loss in good and
    /// bad.
    moves: [u64; 2],
    loses: [u64; 2],
    bad: bool,
    dice: Stream,
}

impl Bursts {
    /// Begins as it is in the long run, so that a short fault loses the same share.
    pub(super) fn new(law: Gilbert, mut dice: Stream) -> Bursts {
        let bad = dice.chance(law.share_bad());
        let moves = [threshold(law.p), threshold(law.r)];
        let loses = [threshold(law.loss_good), threshold(law.loss_bad)];
        Bursts { moves, loses, bad, dice }
    }
    /// True when the next packet is lost.
    pub(super) fn lose(&mut self) -> bool {
        let draw = self.dice.next_u64();
        self.bad ^= (draw >> 32) < self.moves[usize::from(self.bad)];
        (draw & 0xffff_ffff) < self.loses[usize::from(self.bad)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Label, Streams};

    /// Of so many packets the share lost, and the mean length of a run of losses.
    fn run(law: Gilbert, packets: u32) -> (f64, f64) {
        let mut bursts = Bursts::new(law, Streams::new(3, 0).stream(Label::new("bursts")));
        let (mut lost, mut runs, mut before) = (0u32, 0u32, false);
        for _ in 0..packets {
            let now = bursts.lose();
            lost += u32::from(now);
            runs += u32::from(now && !before);
            before = now;
        }
        (f64::from(lost) / f64::from(packets), f64::from(lost) / f64::from(runs.max(1)))
    }

    #[test]
    fn the_share_lost_is_p_over_p_plus_r_in_runs_of_one_over_r() {
        let law = Gilbert { p: 0.01, r: 0.25, loss_bad: 1.0, loss_good: 0.0 };
        let packets = 1_000_000;
        let (share, burst) = run(law, packets);
        // 0.01 / 0.26 = 3.85 %. Cycles of 104 packets: some 9,600 of them; runs are geometric with
        // the mean 4 and the deviation sqrt(1 - r) / r = 3.5, so the mean of 9,600 has a standard
        // error of 0.035, and the share one of 0.0004 or so. Five of each.
        assert!((share - 0.01 / 0.26).abs() < 0.002, "{share}");
        assert!((burst - 4.0).abs() < 0.18, "{burst}");
    }

    #[test]
    fn with_r_as_1_minus_p_it_is_plain_loss() {
        // The state of a packet then does not depend on the last one's: runs of 1 / (1 - p).
        let law = Gilbert { p: 0.2, r: 0.8, loss_bad: 1.0, loss_good: 0.0 };
        let (share, burst) = run(law, 200_000);
        assert!((share - 0.2).abs() < 0.005, "{share}");
        assert!((burst - 1.25).abs() < 0.02, "{burst}");
    }

    #[test]
    fn both_states_lose_by_their_own_probability() {
        let law = Gilbert { p: 0.1, r: 0.1, loss_bad: 0.5, loss_good: 0.02 };
        let (share, _) = run(law, 200_000);
        // Half of the packets meet either state: (0.5 + 0.02) / 2 = 26 %.
        assert!((share - 0.26).abs() < 0.012, "{share}");
        let never = Gilbert { p: 0.0, r: 0.0, ..law };
        assert!((run(never, 100_000).0 - 0.02).abs() < 0.003);
    }

    #[test]
    fn it_begins_as_it_is_in_the_long_run() {
        let law = Gilbert { p: 0.001, r: 0.003, loss_bad: 1.0, loss_good: 0.0 };
        let first =
            |trial| Bursts::new(law, Streams::new(3, trial).stream(Label::new("bursts"))).lose();
        let lost = (0..4_000).filter(|trial| first(*trial)).count();
        // A quarter; five standard errors are 0.034.
        assert!((lost as f64 / 4_000.0 - 0.25).abs() < 0.035, "{lost}");
    }
}
