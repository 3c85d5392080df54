//! When faults begin and end: what every fault states of its times, whatever its kind.

use crate::sim::dist::{DistSpec, growing};
use crate::sim::param::Name;
use crate::sim::time::Span;

crate::params! {
    /// A fault: when it begins and how long it lasts; its kind has parameters of its own.
    pub struct FaultCommon {
        /// Its name in reports, and of its dice; the kind and a number where left out.
        name: Option<Name> = None, "the kind and its place in the file";
        /// When it begins, counted from the start of the run, or from the event of `after`.
        at: Option<DistSpec> = None, "stated, unless `after` (then at once) or `rate` is";
        /// The event it is counted from: `onset:FAULT`, `cleared:FAULT`, `promoted` (another node
        /// than the last one begins to admit writes), `authorised` (another node is given the right
        /// to), `withdrawn` (the right is being taken); the last three of one store with `:STORE`.
        after: Option<Name> = None, "the start of the run";
        /// Which of these events it follows: 2 is the second. It follows one only.
        nth: u32 = 1, "the first";
        /// How long it lasts; left out: it is permanent.
        duration: Option<DistSpec> = None, "permanent";
        /// It happens again and again: a flapping link, a process that crashes in a loop.
        repeat: Option<Repeat> = None, "it happens once";
        /// It happens at a rate instead, from the end of warm-up to the horizon: what fails is as
        /// good as new at first, and after each repair.
        rate: Option<Rate> = None, "it happens once";
    }
}

crate::params! {
    /// How a fault happens again. Its length is drawn anew each time, as is the pause.
    pub struct Repeat {
        /// From its end until it begins again.
        pause: DistSpec, required;
        /// How often it happens in all.
        times: Option<u32> = None, "until the horizon";
    }
}

crate::params! {
    /// How often something fails, and how soon it is repaired: by turns it works and does not
    /// (an alternating renewal process; in the long run it works for mtbf / (mtbf + mttr)).
    pub struct Rate {
        /// The mean time from a repair to the next failure; each is drawn exponentially.
        mtbf: Option<Span> = None, "that of `backbone`";
        /// The mean time to repair, likewise exponential; another law is stated by `duration`.
        mttr: Option<Span> = None, "`duration`, or that of `backbone`";
        /// A published law of backbones instead of both.
        backbone: Option<Backbone> = None, "mtbf and mttr";
    }
}

crate::choices! {
    /// What of a backbone fails. Which of all such things it is, from the worst to the best, is
    /// drawn once a trial, and with it both means (Meza et al., IMC 2018, 18 months of a backbone).
    pub enum Backbone {
        /// A link leased from a vendor: up for 337 to 10,500 h, down for 1.1 to 134 h.
        Link = "link",
        /// An edge, where the backbone meets others: up for 463 to 4,800 h, down for 1.5 to 107 h.
        Edge = "edge",
    }
}

impl Backbone {
    /// Mean time between failures and mean time to repair of the one that ranks at share `p`.
    /// Both grow exponentially with the rank, from the hours of the worst.
    pub fn means(self, p: f64) -> (Span, Span) {
        let (up, down) = match self {
            Backbone::Link => ((336.51, 3.4371), (1.1345, 4.7709)),
            Backbone::Edge => ((462.88, 2.3408), (1.513, 4.256)),
        };
        let mean = |(hours, growth): (f64, f64)| {
            let least = Span::from_secs((hours * 3600.0) as u64);
            growing(least, growth, p)
        };
        (mean(up), mean(down))
    }
}

impl FaultCommon {
    /// True when it never ends.
    pub fn is_permanent(&self) -> bool {
        self.duration.is_none() && self.rate.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours up and down of the worst twentieth, the median and the best twentieth, worked out
    /// from the published coefficients by hand.
    #[test]
    fn a_backbone_has_its_published_means() {
        let hours = |span: Span| span.as_secs_f64() / 3600.0;
        let table = [
            (Backbone::Link, 0.05, 399.6, 1.440),
            (Backbone::Link, 0.5, 1_876.6, 12.32),
            (Backbone::Link, 0.95, 8_813.0, 105.5),
            (Backbone::Edge, 0.05, 520.3, 1.872),
            (Backbone::Edge, 0.5, 1_491.7, 12.71),
            (Backbone::Edge, 0.95, 4_277.0, 86.3),
        ];
        for (backbone, p, up, down) in table {
            let (mtbf, mttr) = backbone.means(p);
            let close = |ours: Span, published: f64| (hours(ours) / published - 1.0).abs() < 2e-3;
            assert!(close(mtbf, up) && close(mttr, down), "{backbone:?} {p}: {mtbf} {mttr}");
        }
    }
}
