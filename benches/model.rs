//! temporary
#[path = "../tests/common/mod.rs"]
mod common;
use regionsim::model::client::*;
use regionsim::model::fact::*;
use regionsim::sim::dist::DistSpec;
use regionsim::sim::param::Node;
use regionsim::sim::*;
use regionsim::world::{Limits, Stage};
struct Nobody;
impl Observer for Nobody {
    fn on_fact(&mut self, _: SimTime, _: &Fact) {}
}
fn main() {
    let secs: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(60);
    let mut plan = common::plan(
        3,
        Span::from_millis(80),
        2,
        common::mode(vec![("mode", Node::text("async"))]),
        50.0,
    );
    plan.horizon = Span::from_secs(secs);
    plan.settle = Span::from_secs(1);
    for c in &mut plan.clients {
        c.params.writes = Some(ArrivalParams { per_second: 1000.0, ..Default::default() });
        c.params.reads = Some(ArrivalParams { per_second: 7000.0 / 3.0, ..Default::default() });
        c.params.keys = KeyParams { count: 1_000_000, zipf: 0.99 };
    }
    for p in &mut plan.wan.pairs {
        p.jitter = <DistSpec as regionsim::sim::param::Param>::read(
            &Node::table(vec![
                ("dist", Node::text("lognormal")),
                ("p50", Node::text("1ms")),
                ("p99", Node::text("10ms")),
            ]),
            &mut Default::default(),
        )
        .unwrap();
    }
    let stage = Stage::new(&plan).unwrap();
    let t = std::time::Instant::now();
    let f = stage.run(1, 0, &mut Nobody, &Limits::default());
    let d = t.elapsed().as_secs_f64();
    let ops = 10_000.0 * (secs + 1) as f64;
    println!("{f:?} {d:.2}s {:.0} ops/s, events/op {:.2}", ops / d, f.events as f64 / ops);
}
