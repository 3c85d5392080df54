//! When faults begin and end: what every fault states of its times, whatever its kind.

use crate::sim::dist::DistSpec;
use crate::sim::param::Name;

crate::params! {
    /// A fault: when it begins and how long it lasts; its kind has parameters of its own.
    pub struct FaultCommon {
        /// Its name in reports, and of its dice; the kind and a number where left out.
        name: Option<Name> = None, "the kind and its place in the file";
        /// When it begins, counted from the start of the run, or from the event of `after`.
        at: Option<DistSpec> = None, "must be stated; with `after`, at once";
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

impl FaultCommon {
    /// True when it never ends.
    pub fn is_permanent(&self) -> bool {
        self.duration.is_none()
    }
}
