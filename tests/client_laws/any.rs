//! Populations and ways to route them, at random.

use proptest::prelude::*;
use regionsim::model::client::curve::{LoadParams, PointParams, SpikeParams};
use regionsim::model::client::loops::paced::Late;
use regionsim::model::client::loops::{LoopParams, OpWord, closed, paced, script, sequence};
use regionsim::model::client::{Arrival, ArrivalParams, ClientParams, KeyParams, RetryParams};
use regionsim::model::route::mixture::Late as LateClients;
use regionsim::model::route::{DnsParams, GlobalLbParams, Mixture, RoutingParams, ViaParams};
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Share;
use regionsim::sim::time::Span;

/// Users of each kind who do not think long.
pub fn any_users() -> impl Strategy<Value = LoopParams> {
    let times = proptest::collection::vec(0u64..5000, 1..20).prop_map(|mut times| {
        times.sort_unstable();
        times.into_iter().map(Span::from_millis).collect::<Vec<_>>()
    });
    let word = |ms: u64| [OpWord::Write, OpWord::Read][(ms % 2) as usize];
    (0usize..5, 0u64..200, 1u32..4, times, any::<bool>()).prop_map(
        move |(which, ms, count, times, repeat)| {
            let (pause, reads) = (Span::from_millis(ms), Share(0.3));
            let exponential = DistSpec::exponential(pause.saturating_add(Span::from_millis(1)));
            let late = [Late::CatchUp, Late::Skip][usize::from(repeat)];
            let key = |n: usize| (!n.is_multiple_of(3)).then_some(n as u32);
            match which {
                0 => LoopParams::Closed(closed::Params { count, think_time: exponential, reads }),
                1 | 2 => {
                    let every = pause.max(Span::from_millis(1));
                    LoopParams::Paced(paced::Params { every, count, late, reads })
                }
                3 => {
                    let step = |n: usize| sequence::Step { op: word(n as u64), key: key(n) };
                    let operations = (0..times.len()).map(step).collect();
                    LoopParams::Sequence(sequence::Params {
                        operations,
                        pause: DistSpec::Constant(pause),
                        repeat,
                    })
                }
                _ => {
                    let line = |(n, at): (usize, &Span)| script::Line {
                        at: *at,
                        op: word(n as u64),
                        key: key(n),
                    };
                    let operations = times.iter().enumerate().map(line).collect();
                    LoopParams::Script(script::Params { operations })
                }
            }
        },
    )
}

/// Rates that rise and fall within seconds.
pub fn any_load() -> impl Strategy<Value = LoadParams> {
    let point = |(at, factor): (u64, f64)| PointParams { at: Span::from_millis(at), factor };
    let spike = |(from, length, factor): (u64, u64, f64)| SpikeParams {
        from: Span::from_millis(from),
        to: Span::from_millis(from + length),
        factor,
    };
    let points = proptest::collection::vec((0u64..1000, 0.1f64..3.0), 1..5);
    let spikes = proptest::collection::vec((0u64..3000, 1u64..1000, 0.0f64..4.0), 0..3);
    (points, spikes, any::<bool>()).prop_map(move |(mut points, spikes, repeated)| {
        points.sort_by_key(|(at, _)| *at);
        LoadParams {
            curve: points.into_iter().map(point).collect(),
            period: repeated.then_some(Span::from_secs(1)),
            spikes: spikes.into_iter().map(spike).collect(),
        }
    })
}

/// Both open loops, perhaps users, and some way to retry.
pub fn any_params() -> impl Strategy<Value = ClientParams> {
    let users = proptest::option::of(any_users());
    (1u32..5, 1u64..1500, 0u64..300, 0.0f64..=1.0, users).prop_map(
        |(attempts, timeout, backoff, jitter, users)| ClientParams {
            users,
            writes: Some(ArrivalParams { arrival: Arrival::Poisson, per_second: 40.0 }),
            reads: Some(ArrivalParams { arrival: Arrival::Constant, per_second: 20.0 }),
            keys: KeyParams { count: 100, zipf: 0.9 },
            deadline: Span::from_millis(1000),
            retry: RetryParams {
                attempts,
                attempt_timeout: Span::from_millis(timeout),
                backoff: Span::from_millis(backoff),
                jitter: Share(jitter),
                ..RetryParams::default()
            },
            ..ClientParams::default()
        },
    )
}

/// Name servers or load balancers.
fn any_via() -> impl Strategy<Value = ViaParams> {
    (0u64..2000, 1u32..9, 50u64..1500, any::<bool>()).prop_map(|(ms, resolvers, timeout, dns)| {
        let delay = DistSpec::uniform(Span::ZERO, Span::from_millis(timeout));
        let late = LateClients { share: Share(0.5), delay };
        if dns {
            ViaParams::Dns(DnsParams {
                ttl: Span::from_millis(ms),
                resolvers,
                ttl_violators: Share(0.5),
                overstay: DistSpec::Constant(Span::from_millis(ms)),
                mixture: Mixture { name: None, parts: (0..ms % 2).map(|_| late.clone()).collect() },
                lookup_timeout: Span::from_millis(timeout),
                ..DnsParams::default()
            })
        } else {
            let propagation = DistSpec::Constant(Span::from_millis(ms));
            let drain = (resolvers > 4).then_some(Span::from_millis(timeout));
            ViaParams::GlobalLb(GlobalLbParams { propagation, drain })
        }
    })
}

/// Any way from a name to a node.
pub fn any_routing() -> impl Strategy<Value = RoutingParams> {
    (any_via(), 0u64..3, 1u64..5000).prop_map(|(via, pinned, timeout)| RoutingParams {
        via,
        pinned: Share(pinned as f64 / 2.0),
        pinned_timeout: Span::from_millis(timeout),
        ..RoutingParams::default()
    })
}
