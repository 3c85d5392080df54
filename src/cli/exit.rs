//! Exit codes, and which of several counts.

use regionsim::measure::expect::Ruling;
use std::process::ExitCode;

/// How the program ends. The order is that of precedence: where several apply, the greatest
/// counts. An interruption stands above what was found, for it was found of a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// Every expectation holds, or none was given.
    Good,
    /// There was nothing to run.
    Nothing,
    /// The command line asks for what is not there.
    Usage,
    /// The trials cannot tell.
    Inconclusive,
    /// An expectation failed.
    Failed,
    /// Interrupted; what was finished is written.
    Interrupted,
    /// A trial did not repeat itself.
    Wavering,
    /// A scenario has errors.
    BadScenario,
    /// Reading or writing failed.
    Io,
    /// A bug of ours.
    Bug,
}

impl Exit {
    /// The number of it.
    pub fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Nothing => 4,
            Exit::Wavering => 5,
            Exit::BadScenario => 65,
            Exit::Bug => 70,
            Exit::Io => 74,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

impl From<Ruling> for Exit {
    fn from(ruling: Ruling) -> Exit {
        match ruling {
            Ruling::Pass => Exit::Good,
            Ruling::Inconclusive => Exit::Inconclusive,
            Ruling::Fail => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::*;

    #[test]
    fn where_several_apply_the_greatest_counts() {
        let mut all = [
            Good,
            Nothing,
            Usage,
            Inconclusive,
            Failed,
            Interrupted,
            Wavering,
            BadScenario,
            Io,
            Bug,
        ];
        all.sort();
        all.reverse();
        assert_eq!(all.map(|exit| exit.code()), [70, 74, 65, 5, 130, 1, 3, 2, 4, 0]);
    }
}
