//! A load balancer that checks for itself: it sends clients to a database that passes its health
//! check, and needs nobody's orders (HAProxy in front of Patroni).
//!
//! The time until clients are sent to a node that begins to pass is `U(0, inter) + (rise - 1)
//! fastinter`, probes' round trips aside; until they are no longer sent to one that falls silent,
//! `U(0, inter) + (fall - 1) fastinter + timeout`, and without the timeout where it refuses.

use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::detect::{Asks, Check, CheckRole, Prober, Rhythm, Sampling};
use crate::model::id::{ClientId, GroupId, NodeId, ProcessId};
use crate::model::msg::Msg;
use crate::model::route::drain::{DRAINED, Drain};
use crate::model::route::{FIRST_TIMER, Moves, Place, Routed, Routes, Waiting};
use crate::sim::Span;
use std::sync::Arc;

crate::choices! {
    /// What happens to connections to a database that is marked down.
    pub enum OnMarkedDown {
        /// Nothing: they live until they end.
        Keep = "keep",
        /// They are reset (`on-marked-down shutdown-sessions`, as Patroni's template has it).
        Reset = "reset",
    }
}

crate::choices! {
    /// What a load balancer does while no database passes.
    pub enum NoneHealthy {
        /// Refuses at once (HAProxy: 503).
        Refuse = "refuse",
        /// Sends clients as if all passed: fail-open.
        All = "all",
    }
}

crate::params! {
    /// A load balancer beside each population that checks the databases for itself and sends
    /// clients to the first that passes, in the order of the store's replicas. It hears no
    /// controller.
    pub struct ProxyParams {
        /// From one check of a database to the next.
        inter: Span = Span::from_secs(2), "HAProxy";
        /// The interval while a database is changing between up and down.
        fastinter: Option<Span> = None, "HAProxy: the same as inter";
        /// How long a check waits for its answer.
        timeout: Option<Span> = None, "HAProxy: the same as inter";
        /// So many successes in a row mark a database up.
        rise: u32 = 2, "HAProxy";
        /// So many failures in a row mark it down.
        fall: u32 = 3, "HAProxy";
        /// Instead of results in a row: of the last `size` checks so many must have succeeded.
        sampling: Option<Sampling> = None, "results in a row";
        /// What a check looks at, beside the role; the words of `health_check.checks`.
        checks: Vec<Check> = vec![Check::Connect], "HAProxy: a TCP connect";
        /// The role that a database must have to pass: where it says primary, clients follow the
        /// primary without being told (HAProxy with Patroni's `GET /primary`).
        role: CheckRole = CheckRole::Any, "HAProxy";
        /// For `lag`: the most that a standby may be behind.
        max_lag: Span = Span::from_secs(10), "as health_check.max_lag";
        /// For `backlog`: the most requests that may wait.
        max_backlog: u32 = 100, "as health_check.max_backlog";
        /// What happens to connections to a database that is marked down.
        on_marked_down: OnMarkedDown = OnMarkedDown::Keep, "HAProxy";
        /// How long connections to the node that clients were sent to before may live; then they are cut.
        drain: Option<Span> = None, "they live until they break";
        /// What it does while no database passes.
        none_healthy: NoneHealthy = NoneHealthy::Refuse, "HAProxy: 503";
    }
}

impl ProxyParams {
    /// How often it checks, and when it changes its mind.
    pub fn rhythm(&self) -> Rhythm {
        Rhythm {
            interval: self.inter,
            fast: self.fastinter.unwrap_or(self.inter),
            timeout: self.timeout.unwrap_or(self.inter),
            fall: self.fall,
            rise: self.rise,
            sampling: self.sampling,
        }
    }
    /// What its checks ask.
    pub fn asks(&self) -> Asks {
        Asks::new(&self.checks, self.role, self.max_lag, self.max_backlog)
    }
}

/// The next check of a database (its number); the kind after it is a check without an answer.
const CHECK: u16 = FIRST_TIMER;

/// The load balancer of one population.
pub struct Proxy {
    client: ClientId,
    group: GroupId,
    databases: Arc<[ProcessId]>,
    homes: Arc<[NodeId]>,
    prober: Prober,
    fails_open: bool,
    resets: bool,
    drain: Drain,
    /// Where clients are sent; nowhere while no database passes.
    current: Option<ProcessId>,
}

impl Proxy {
    /// A load balancer that has long found out: what asks for a role has found the initial
    /// primary to be one and the others to be none.
    pub fn new(params: &ProxyParams, place: &Place<'_>) -> Proxy {
        let passes = |database: &ProcessId| match params.role {
            CheckRole::Any => true,
            CheckRole::Primary => *database == place.initial,
            CheckRole::Standby => *database != place.initial,
        };
        let databases = place.databases.iter().map(|database| (*database, passes(database)));
        let dice = place.streams.stream(place.label().with("checks"));
        let mut proxy = Proxy {
            client: place.client,
            group: place.group,
            databases: place.databases.into(),
            homes: Arc::clone(place.homes),
            prober: Prober::new(params.rhythm(), params.asks(), CHECK, databases, dice),
            fails_open: params.none_healthy == NoneHealthy::All,
            resets: params.on_marked_down == OnMarkedDown::Reset,
            drain: Drain::new(params.drain),
            current: None,
        };
        proxy.current = proxy.first_up();
        proxy
    }
    fn first_up(&self) -> Option<ProcessId> {
        let up = (0..self.prober.len()).find(|which| self.prober.healthy(*which));
        let fallback = || self.databases.first().copied().filter(|_| self.fails_open);
        up.map(|which| self.databases[which]).or_else(fallback)
    }
    /// A database was marked up or down: looks where clients belong now.
    fn marked(&mut self, which: usize, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        let database = self.databases[which];
        if self.resets && !self.prober.healthy(which) {
            moves.cut.push(database);
        }
        let (before, now) = (self.current, self.first_up());
        self.current = now;
        if before != now {
            self.drain.moved(before, now, ctx);
        }
        if let Some(target) = self.current.filter(|target| Some(*target) != before) {
            let (node, group) = (self.homes[target.index()], self.group);
            ctx.effect(Effect::Route { client: self.client, resolver: 0, group, node });
        }
    }
}

impl Routes for Proxy {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.prober.start(ctx);
    }
    #[inline]
    fn route(&mut self, _resolver: u32, _attempt: Waiting, _ctx: &mut Ctx<'_>) -> Routed {
        self.current.map_or(Routed::Nowhere, Routed::To)
    }
    fn hear(&mut self, _from: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        let &Msg::Probe(probe) = msg else { return };
        if let Some(finding) = self.prober.hear(probe, ctx)
            && finding.changed.is_some()
        {
            self.marked(finding.which, moves, ctx);
        }
    }
    fn refused(&mut self, by: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        self.hear(by, msg, moves, ctx);
    }
    fn reset(&mut self, by: ProcessId, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        while let Some(finding) = self.prober.lost(by, ctx) {
            if finding.changed.is_some() {
                self.marked(finding.which, moves, ctx);
            }
        }
    }
    fn timer(
        &mut self,
        timer: Timer,
        _waits: &dyn Fn(Waiting) -> bool,
        moves: &mut Moves,
        ctx: &mut Ctx<'_>,
    ) {
        if timer.kind == DRAINED {
            return self.drain.timer(timer, moves);
        }
        if let Some(finding) = self.prober.timer(timer, ctx)
            && finding.changed.is_some()
        {
            self.marked(finding.which, moves, ctx);
        }
    }
}
