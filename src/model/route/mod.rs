//! How clients find the primary: resolvers that cache, load balancers that are told, and such
//! that look for themselves.
//!
//! A router is part of the client's side: it lives in the population's machine, sends and hears
//! through it, and says where an attempt goes. Authoritative name servers are machines of their
//! own. May use `sim` and `model`'s vocabulary. Will never know the primary but by what a name
//! server or the controller said, nor what becomes of an attempt.
//!
//! # Decided
//! - A router is one file and one line of [`ViaParams`]: parameters and behaviour together.
//! - What is the same for every kind of router wraps one of them ([`Pinned`]), and costs nothing
//!   where it is not asked for.
//! - Resolvers look up on demand, not ahead of time: what nobody asks for is not refreshed.
//! - A user stays with one resolver: an operation's retries ask the same one again.
//! - Orders carry a version, and only a newer one is followed: orders may overtake each other.

mod blocked;
pub mod coordinators;
pub mod direct;
pub mod dns;
mod drain;
pub mod global_lb;
pub mod mixture;
pub mod name_server;
pub mod nearest;
pub mod pinned;
pub mod proxy;
mod rollout;

pub use coordinators::Coordinators;
pub use direct::Direct;
pub use dns::DnsParams;
pub use global_lb::GlobalLbParams;
pub use mixture::Mixture;
pub use name_server::NameServer;
pub use nearest::Nearest;
pub use pinned::Pinned;
pub use proxy::ProxyParams;

use crate::model::ctx::{Ctx, Timer};
use crate::model::fact::OpKind;
use crate::model::id::{ClientId, GroupId, NodeId, ProcessId};
use crate::model::msg::Msg;
use crate::sim::Span;
use crate::sim::param::Share;
use crate::sim::rng::{Label, Stream, Streams};
use std::sync::Arc;

crate::choices! {
    /// Which node clients are sent to.
    pub enum Policy {
        /// The primary.
        Failover = "failover",
    }
}

/// Timers of this kind and above are the router's; below, the population's.
pub const FIRST_TIMER: u16 = 16;

/// Where an attempt goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Routed {
    /// To this database.
    To(ProcessId),
    /// Nowhere yet: the router keeps its name and releases it when it knows more.
    Wait,
    /// Nowhere at all: it is refused here and now.
    Nowhere,
}

/// An attempt that waits for its router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// The operation's number within the population.
    pub seq: u64,
    /// Which attempt.
    pub attempt: u8,
    /// Read or write.
    pub kind: OpKind,
}

/// What a router makes its population do, beside sending new attempts where it says.
#[derive(Default, Debug)]
pub struct Moves {
    /// Attempts that waited, and where each goes now.
    pub release: Vec<(Waiting, ProcessId)>,
    /// The connections to these are cut: what is under way there ends, and nobody knows how.
    pub cut: Vec<ProcessId>,
}

/// What a router knows of its place when it is made.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Whose router it is.
    pub client: ClientId,
    /// The population's name: part of the names of its dice.
    pub name: &'a str,
    /// The store it leads to.
    pub group: GroupId,
    /// The database that is primary at the start.
    pub initial: ProcessId,
    /// The databases of all replicas, in the order of the file.
    pub databases: &'a [ProcessId],
    /// The authoritative name servers, nearest first (for DNS).
    pub servers: &'a [ProcessId],
    /// On which node each process runs.
    pub homes: &'a Arc<[NodeId]>,
    /// The dice of the trial.
    pub streams: &'a Streams,
}

impl Place<'_> {
    /// The beginning of the names of this population's streams.
    pub fn label(&self) -> Label {
        Label::new("client").with(self.name)
    }
}

/// What a kind of router does. It hears what its population hears.
pub trait Routes {
    /// The population starts: what was drawn as "from the start" begins to run.
    fn start(&mut self, _ctx: &mut Ctx<'_>) {}
    /// Which resolver a new operation goes through, for all its attempts.
    fn pick(&self, _dice: &mut Stream) -> u32 {
        0
    }
    /// Where an attempt goes now.
    fn route(&mut self, resolver: u32, attempt: Waiting, ctx: &mut Ctx<'_>) -> Routed;
    /// A message for the router.
    fn hear(&mut self, _from: ProcessId, _msg: &Msg, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {}
    /// A message of the router's was refused.
    fn refused(&mut self, _by: ProcessId, _msg: &Msg, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {}
    /// The connections to a process broke.
    fn reset(&mut self, _by: ProcessId, _moves: &mut Moves, _ctx: &mut Ctx<'_>) {}
    /// A timer of the router's fired. `waits` tells whether an attempt still waits.
    fn timer(
        &mut self,
        _timer: Timer,
        _waits: &dyn Fn(Waiting) -> bool,
        _moves: &mut Moves,
        _ctx: &mut Ctx<'_>,
    ) {
    }
}

/// One line per kind makes its parameters, its constructor and its part in [`Router`]; after them
/// come the routers that no word in `via` asks for.
macro_rules! routers {
    (
        $($word:literal => $variant:ident($params:path, $router:path)),* $(,)?;
        $($(#[doc = $doc:literal])* $other:ident($kind:ty)),* $(,)?
    ) => {
        crate::catalogue! {
            /// What sends clients.
            pub enum ViaParams by "" {
                $($word => $variant($params)),*
            }
        }

        /// A population's router, of whatever kind.
        pub enum Router {
            $(#[doc = concat!("`", $word, "`")] $variant($router),)*
            $($(#[doc = $doc])* $other($kind),)*
        }

        impl Router {
            /// The router that the parameters ask for.
            pub fn new(via: &ViaParams, place: &Place<'_>) -> Router {
                match via { $(ViaParams::$variant(params) => Router::$variant(<$router>::new(params, place)),)* }
            }
        }

        impl Routes for Router {
            fn start(&mut self, ctx: &mut Ctx<'_>) {
                match self { $(Router::$variant(router) => router.start(ctx),)* $(Router::$other(router) => router.start(ctx),)* }
            }
            #[inline]
            fn pick(&self, dice: &mut Stream) -> u32 {
                match self { $(Router::$variant(router) => router.pick(dice),)* $(Router::$other(router) => router.pick(dice),)* }
            }
            #[inline]
            fn route(&mut self, resolver: u32, attempt: Waiting, ctx: &mut Ctx<'_>) -> Routed {
                match self { $(Router::$variant(router) => router.route(resolver, attempt, ctx),)* $(Router::$other(router) => router.route(resolver, attempt, ctx),)* }
            }
            fn hear(&mut self, from: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
                match self { $(Router::$variant(router) => router.hear(from, msg, moves, ctx),)* $(Router::$other(router) => router.hear(from, msg, moves, ctx),)* }
            }
            fn refused(&mut self, by: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
                match self { $(Router::$variant(router) => router.refused(by, msg, moves, ctx),)* $(Router::$other(router) => router.refused(by, msg, moves, ctx),)* }
            }
            fn reset(&mut self, by: ProcessId, moves: &mut Moves, ctx: &mut Ctx<'_>) {
                match self { $(Router::$variant(router) => router.reset(by, moves, ctx),)* $(Router::$other(router) => router.reset(by, moves, ctx),)* }
            }
            fn timer(
                &mut self,
                timer: Timer,
                waits: &dyn Fn(Waiting) -> bool,
                moves: &mut Moves,
                ctx: &mut Ctx<'_>,
            ) {
                match self { $(Router::$variant(router) => router.timer(timer, waits, moves, ctx),)* $(Router::$other(router) => router.timer(timer, waits, moves, ctx),)* }
            }
        }
    };
}

routers! {
    "dns" => Dns(dns::DnsParams, dns::Dns),
    "global_lb" => GlobalLb(global_lb::GlobalLbParams, global_lb::GlobalLb),
    "proxy" => Proxy(proxy::ProxyParams, proxy::Proxy);
    /// None: one node's address.
    Direct(Direct),
    /// The nearest of several addresses, or the one that leads.
    Nearest(Nearest),
    /// None: any node will do.
    Coordinators(Coordinators),
    /// For some users, the connection that they have.
    Pinned(Box<Pinned>),
}

impl Router {
    /// The router of a store's clients.
    pub fn of(params: &RoutingParams, place: &Place<'_>) -> Router {
        let router = Router::new(&params.via, place);
        if params.pinned.0 > 0.0 {
            let pinned = Pinned::new(router, params.pinned.0, params.pinned_timeout, place);
            return Router::Pinned(Box::new(pinned));
        }
        router
    }
}

crate::params! {
    /// How clients of a store find it.
    pub struct RoutingParams {
        /// Which node clients are sent to.
        policy: Policy = Policy::Failover, "our choice";
        /// What sends them: a table with the one key `dns`, `global_lb` or `proxy`.
        via: ViaParams = ViaParams::Dns(DnsParams::default()), "DNS with its defaults";
        /// The share of users with connections that they keep (pools that never resolve again): they
        /// go on to the node they once found until the connection breaks, because its process dies, a
        /// load balancer cuts it, or nothing is heard on it. A node that answers "not primary" keeps them.
        pinned: Share = Share(0.0), "nobody";
        /// How long such a connection lives on which nothing is heard.
        pinned_timeout: Span = Span::from_millis(924_600), "Linux: tcp_retries2 = 15, 924.6 s at least";
    }
}
