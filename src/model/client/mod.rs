//! Client populations: when operations begin, and what becomes of them.
//!
//! A population stands for the many users of a region: it decides when operations begin, asks a
//! router where to send each attempt, waits, retries, and says once how each operation ended.
//! May use `sim`, `model`'s vocabulary and `model::route`. Will never know where the primary
//! really is, what a replica did with a request, or true time.
//!
//! # Decided
//! - One machine per population, not per user: an open loop has no state per user, and an
//!   operation costs a slot in a window, not a process.
//! - What a user does (when, which key, through which resolver) comes from streams that only
//!   arrivals draw from, one set for writes and one for reads, so that it is the same whatever
//!   the store does and whatever design is compared. Backoff is drawn by operation and attempt.
//! - A curve or a spike changes when the n-th operation begins, and nothing that it does.
//! - Deadlines and attempt timeouts are constant in a population, so what is due first began
//!   first: a line with one timer for its head replaces a timer per operation.
//! - A deadline is [`Unknown`](crate::model::fact::Outcome::Unknown), never a failure. An
//!   attempt that once ended as unknown keeps the operation from ever failing definitely.
//! - An open loop is a lane of [`population::Population`]; users who wait for their operations
//!   are numbers ([`loops`]), with one timer each. What a user does is drawn by user and number
//!   of the operation, so that it too is the same whatever the store does.

mod agenda;
mod arrivals;
pub mod curve;
pub mod keys;
pub mod loops;
pub mod population;
mod users;
mod window;

pub use keys::Keys;
pub use population::{Population, Setup};

use crate::model::client::curve::LoadParams;
use crate::model::client::loops::LoopParams;
use crate::sim::Span;
use crate::sim::param::{Name, Share};

crate::choices! {
    /// When operations begin.
    pub enum Arrival {
        /// At exponential intervals: many independent users.
        Poisson = "poisson",
        /// At equal intervals, from a random phase.
        Constant = "constant",
    }
}

crate::params! {
    /// An open loop: operations begin whether or not earlier ones have ended.
    pub struct ArrivalParams {
        /// When they begin.
        arrival: Arrival = Arrival::Poisson, "our choice";
        /// How many a second.
        per_second: f64, required;
    }
}

crate::params! {
    /// Which keys operations touch: ranks 0 to `count` - 1, rank r with weight 1/(r+1)^zipf.
    pub struct KeyParams {
        /// How many keys.
        count: u32 = 10_000, "our choice";
        /// The exponent; 0 is uniform.
        zipf: f64 = 0.0, "uniform";
    }
}

crate::params! {
    /// Retries with exponential backoff and jitter.
    pub struct RetryParams {
        /// The most attempts, the first included; 1 means no retries.
        attempts: u32 = 3, "AWS SDK standard mode";
        /// How long one attempt waits for an answer.
        attempt_timeout: Span = Span::from_secs(2), "Cassandra Java driver: request timeout";
        /// The first pause; each further one is `backoff_factor` times as long.
        backoff: Span = Span::from_millis(100), "Kafka: retry.backoff.ms";
        /// How much longer each pause is than the one before.
        backoff_factor: f64 = 2.0, "AWS SDK, Kafka: doubled";
        /// The longest pause.
        backoff_max: Span = Span::from_secs(1), "Kafka: retry.backoff.max.ms";
        /// The share of a pause that is random: 100% is full jitter.
        jitter: Share = Share(1.0), "AWS SDK: full jitter";
        /// Retries carry the operation's id, and the store recognises one it has done already.
        idempotent: bool = true, "our choice";
    }
}

crate::params! {
    /// A population of clients. Users live outside the region: they survive it.
    pub struct ClientParams {
        /// Where they live: their network stands there.
        region: Name, required;
        /// Which store they use; may be left out while there is one.
        store: Option<Name> = None, "the only one";
        /// The one node they all ask (`store@place`), whatever happens to it: no routing leads
        /// them.
        node: Option<Name> = None, "none: the store's routing leads them";
        /// Their writes, as an open loop.
        writes: Option<ArrivalParams> = None, "none";
        /// Their reads, as an open loop.
        reads: Option<ArrivalParams> = None, "none";
        /// How the rates of both vary: a daily curve, spikes.
        load: Option<LoadParams> = None, "none: they are constant";
        /// Users who do one thing after another: a table with the one key `closed`, `paced`,
        /// `sequence` or `script`.
        users: Option<LoopParams> = None, "none";
        /// When they begin, from the start of the run.
        from: Span = Span::ZERO, "the start of the run";
        /// From when on they begin nothing more.
        until: Option<Span> = None, "the end of the run";
        /// Which keys they touch.
        keys: KeyParams = KeyParams::default(), "see its own keys";
        /// How long a client waits in all; then the operation's outcome is unknown.
        deadline: Span = Span::from_secs(5), "Cassandra: read_request_timeout";
        /// Retries.
        retry: RetryParams = RetryParams::default(), "see its own keys";
    }
}
