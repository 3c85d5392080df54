//! DNS: resolvers that cache the primary's address, and look it up when somebody asks.

use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::id::{ClientId, GroupId, NodeId, ProcessId};
use crate::model::msg::{DnsMsg, Msg};
use crate::model::route::mixture::{Follow, Lateness};
use crate::model::route::{FIRST_TIMER, Mixture, Moves, Place, Routed, Routes, Waiting};
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::{Name, Share};
use crate::sim::rng::{Label, Stream, Streams};
use crate::sim::time::LocalTime;
use std::sync::Arc;

crate::params! {
    /// DNS: each population asks many resolvers, which cache the answer.
    pub struct DnsParams {
        /// How long a resolver may keep an answer.
        ttl: Span = Span::from_secs(60), "Route 53: advice for records with a health check";
        /// The share of resolvers that keep it longer.
        ttl_violators: Share = Share(0.0), "our choice; PAM 2023 measured 8.74 % of resolvers";
        /// How much longer those keep it.
        overstay: DistSpec = DistSpec::Constant(Span::from_secs(300)), "our choice";
        /// How late clients follow what their resolver has learned (caches of browsers and systems,
        /// sessions): a list of shares, each with its delay, or `"flavel-2014"`: users of a CDN with a TTL of 20 s,
        /// of whom 90 % had switched within a minute and 2 % had not after 15 (Flavel et al., LANMAN 2014).
        mixture: Mixture = Mixture::default(), "nobody is late";
        /// How many resolvers a population uses, each for an equal share of its clients.
        resolvers: u32 = 1_000, "our choice: fine enough that the violators are a share, not an accident";
        /// Where the authoritative name servers stand; in every region where left out.
        servers: Vec<Name> = Vec::new(), "every region (anycast)";
        /// How long a resolver waits for a name server before it asks the next nearest.
        lookup_timeout: Span = Span::from_secs(2), "our choice";
        /// From the controller's order until a name server that has it answers with it.
        propagation: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

/// A resolver's lookup got no answer in time; the argument is the resolver.
const LOOKUP: u16 = FIRST_TIMER;
/// The late clients of a resolver follow; the argument is the resolver.
const FOLLOW: u16 = FIRST_TIMER + 1;

/// All resolvers of a population.
pub struct Dns {
    client: ClientId,
    group: GroupId,
    ttl: Span,
    lookup_timeout: Span,
    overstay: Dist,
    servers: Vec<ProcessId>,
    homes: Arc<[NodeId]>,
    streams: Streams,
    label: Label,
    /// What every attempt reads: kept small and together.
    caches: Vec<Cache>,
    /// What only a lookup needs, by the same index.
    lookups: Vec<Lookup>,
    /// Whose clients are late, where any are.
    late: Option<Box<Lateness>>,
}

/// What one resolver remembers.
struct Cache {
    expires: LocalTime,
    /// Where its clients go: what it was told last, or what late clients still use.
    target: ProcessId,
    overstays: bool,
}

/// What one resolver is about to find out.
#[derive(Default)]
struct Lookup {
    /// Numbers this resolver's lookups; an answer to an earlier one is not for this one.
    seq: u32,
    under_way: bool,
    /// Which server was asked last, counted on and on; the list is gone through round and round.
    asked: usize,
    /// How many servers in a row refused at once.
    refusals: usize,
    waiting: Vec<Waiting>,
}

impl Dns {
    /// Resolvers whose caches are full of the initial primary, at uniform ages: each began to
    /// be used at a time of its own, long ago.
    pub fn new(params: &DnsParams, place: &Place<'_>) -> Dns {
        let count = params.resolvers.max(1);
        let mut dns = Dns {
            client: place.client,
            group: place.group,
            ttl: params.ttl,
            lookup_timeout: params.lookup_timeout,
            overstay: Dist::new(&params.overstay),
            servers: place.servers.to_vec(),
            homes: Arc::clone(place.homes),
            streams: place.streams.clone(),
            label: place.label(),
            caches: Vec::with_capacity(count as usize),
            lookups: (0..count).map(|_| Lookup::default()).collect(),
            late: Lateness::new(&params.mixture, count, place),
        };
        let mut dice = place.streams.stream(dns.label.with("resolvers"));
        for resolver in 0..count {
            // Both draws are taken whatever the parameters: one more violator moves nothing else.
            let overstays = dice.chance(params.ttl_violators.0);
            let left = dice.unit() * dns.lifetime(resolver, 0, overstays).as_nanos() as f64;
            let expires = LocalTime::from_nanos(left as u64);
            dns.caches.push(Cache { expires, target: place.initial, overstays });
        }
        dns
    }
    /// How long the answer to the `seq`-th lookup of a resolver is kept.
    fn lifetime(&self, resolver: u32, seq: u32, overstays: bool) -> Span {
        if !overstays {
            return self.ttl;
        }
        let label = self.label.with("overstay").with_index(resolver.into()).with_index(seq.into());
        self.ttl.saturating_add(self.overstay.sample(&mut self.streams.stream(label)))
    }
    /// Asks the next server on the list.
    fn ask(&mut self, resolver: u32, ctx: &mut Ctx<'_>) {
        let lookup = &self.lookups[resolver as usize];
        if let Some(server) = self.servers.get(lookup.asked % self.servers.len().max(1)) {
            let question = DnsMsg::Lookup { resolver, seq: lookup.seq };
            ctx.cast(*server, Msg::Dns(self.group, question));
        }
        ctx.set_timer(Timer::nth(LOOKUP, resolver), self.lookup_timeout);
    }
    /// A resolver has learned an address: the one that its clients use now.
    fn learned(
        &mut self,
        resolver: u32,
        seq: u32,
        target: ProcessId,
        ctx: &mut Ctx<'_>,
    ) -> ProcessId {
        let current = self.caches[resolver as usize].target;
        let Some(late) = &mut self.late else { return target };
        match late.learned(resolver, seq, current, target) {
            Follow::Now => {
                ctx.cancel_timer(Timer::nth(FOLLOW, resolver));
                target
            }
            Follow::After(delay) => {
                ctx.set_timer(Timer::nth(FOLLOW, resolver), delay);
                current
            }
            Follow::AsSet => current,
        }
    }
    /// The clients of a resolver use that address from now on.
    fn follow(&mut self, resolver: u32, target: ProcessId, ctx: &mut Ctx<'_>) {
        let cache = &mut self.caches[resolver as usize];
        if cache.target != target {
            cache.target = target;
            let (client, group, node) = (self.client, self.group, self.homes[target.index()]);
            ctx.effect(Effect::Route { client, resolver, group, node });
        }
    }
    /// An attempt meets an expired entry: it waits, and the first to do so begins a lookup.
    #[cold]
    fn look_up(&mut self, resolver: u32, attempt: Waiting, ctx: &mut Ctx<'_>) {
        let lookup = &mut self.lookups[resolver as usize];
        lookup.waiting.push(attempt);
        if !lookup.under_way {
            lookup.under_way = true;
            lookup.seq = lookup.seq.wrapping_add(1);
            lookup.asked = 0;
            lookup.refusals = 0;
            self.ask(resolver, ctx);
        }
    }
}

impl Routes for Dns {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        let since_zero = ctx.now().since(LocalTime::ZERO);
        for cache in &mut self.caches {
            cache.expires = cache.expires.saturating_add(since_zero);
        }
    }
    #[inline]
    fn pick(&self, dice: &mut Stream) -> u32 {
        dice.below(self.caches.len() as u64) as u32
    }
    #[inline]
    fn route(&mut self, resolver: u32, attempt: Waiting, ctx: &mut Ctx<'_>) -> Routed {
        let cache = &self.caches[resolver as usize];
        if ctx.now() < cache.expires {
            return Routed::To(cache.target);
        }
        self.look_up(resolver, attempt, ctx);
        Routed::Wait
    }
    fn hear(&mut self, _from: ProcessId, msg: &Msg, moves: &mut Moves, ctx: &mut Ctx<'_>) {
        let &Msg::Dns(group, DnsMsg::Found { resolver, seq, target }) = msg else { return };
        let Some(lookup) = self.lookups.get_mut(resolver as usize) else { return };
        // A late answer to an earlier question of the same lookup is as good as any.
        if group != self.group || !lookup.under_way || lookup.seq != seq {
            return;
        }
        lookup.under_way = false;
        ctx.cancel_timer(Timer::nth(LOOKUP, resolver));
        let target = self.learned(resolver, seq, target, ctx);
        let lookup = &mut self.lookups[resolver as usize];
        moves.release.extend(lookup.waiting.drain(..).map(|attempt| (attempt, target)));
        let lifetime = self.lifetime(resolver, seq, self.caches[resolver as usize].overstays);
        let cache = &mut self.caches[resolver as usize];
        cache.expires = ctx.now().saturating_add(lifetime);
        self.follow(resolver, target, ctx);
    }
    fn refused(&mut self, by: ProcessId, msg: &Msg, _moves: &mut Moves, ctx: &mut Ctx<'_>) {
        let &Msg::Dns(_, DnsMsg::Lookup { resolver, seq }) = msg else { return };
        let Some(lookup) = self.lookups.get_mut(resolver as usize) else { return };
        let asked = self.servers.get(lookup.asked % self.servers.len().max(1));
        if !lookup.under_way || lookup.seq != seq || asked != Some(&by) {
            return;
        }
        lookup.refusals += 1;
        // After a whole round of refusals it waits out the timeout, as a resolver that is told
        // "no" by everybody does, instead of asking at the speed of the wire.
        if lookup.refusals < self.servers.len() {
            lookup.asked += 1;
            self.ask(resolver, ctx);
        }
    }
    fn timer(
        &mut self,
        timer: Timer,
        waits: &dyn Fn(Waiting) -> bool,
        _moves: &mut Moves,
        ctx: &mut Ctx<'_>,
    ) {
        let resolver = timer.arg;
        if timer.kind == FOLLOW {
            if let Some(target) = self.late.as_mut().and_then(|late| late.due(resolver)) {
                self.follow(resolver, target, ctx);
            }
            return;
        }
        let Some(lookup) = self.lookups.get_mut(resolver as usize) else { return };
        if timer.kind != LOOKUP || !lookup.under_way {
            return;
        }
        // Attempts that gave up meanwhile are forgotten, or a long outage would pile them up.
        lookup.waiting.retain(|attempt| waits(*attempt));
        lookup.refusals = 0;
        lookup.asked += 1;
        self.ask(resolver, ctx);
    }
}
