//! What a probe asks of a database: how deep a health check looks.
//!
//! One probe carries everything that is asked, and the database answers when it knows: at once,
//! or once its test row is written. What no probe asks costs nothing.

use crate::sim::Span;

crate::choices! {
    /// What a health check looks at. Each word asks for what the ones before it imply: a process
    /// that answers.
    pub enum Check {
        /// Its process answers: a TCP connect.
        Connect = "connect",
        /// The application answers within the timeout: the probe takes a place in the node's
        /// `server` and its queue, as a read does.
        App = "app",
        /// A primary can write a test row: it is admitted, reaches the disk and, where the mode
        /// waits for standbys, their acknowledgement. A standby has nothing to write and passes
        /// (ask for its `role` where it should not); a deposed primary fails.
        Write = "write",
        /// A standby is not further behind its primary than `max_lag`; a primary never is.
        Lag = "lag",
        /// At most `max_backlog` requests queue for the node's `server`, or wait for disk and
        /// standbys.
        Backlog = "backlog",
    }
}

crate::choices! {
    /// Which role a database must have to be healthy.
    pub enum CheckRole {
        /// Whatever it is.
        Any = "any",
        /// Primary, and allowed to be by its lease: Patroni's `GET /primary`.
        Primary = "primary",
        /// A standby that is not being promoted: Patroni's `GET /replica`.
        Standby = "standby",
    }
}

/// Everything that one probe asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asks {
    /// The most that a standby may lag; the longest span where nobody asks.
    pub max_lag: Span,
    /// The most requests that may wait; the largest number where nobody asks.
    pub max_backlog: u32,
    /// Be served as a read is.
    pub app: bool,
    /// Write a test row.
    pub write: bool,
    /// Be this.
    pub role: CheckRole,
}

impl Asks {
    /// Nothing but an answer.
    pub const CONNECT: Asks = Asks {
        max_lag: Span::MAX,
        max_backlog: u32::MAX,
        app: false,
        write: false,
        role: CheckRole::Any,
    };

    /// What these parameters ask for.
    pub fn new(checks: &[Check], role: CheckRole, max_lag: Span, max_backlog: u32) -> Asks {
        let mut asks = Asks { role, ..Asks::CONNECT };
        for check in checks {
            match check {
                Check::Connect => {}
                Check::App => asks.app = true,
                Check::Write => asks.write = true,
                Check::Lag => asks.max_lag = max_lag,
                Check::Backlog => asks.max_backlog = max_backlog,
            }
        }
        asks
    }
}
