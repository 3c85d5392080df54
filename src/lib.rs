//! A deterministic, seeded discrete-event simulator of multi-region topologies: a disaster in,
//! realised RPO, RTO and split-brain out.
//!
//! A [`scenario`] says which regions, stores, checkers and clients there are, and what goes
//! wrong. It is read into a plan; the [`world`] runs a trial of it and writes down facts; the
//! judges of [`measure`] rebuild from facts alone what was lost, for how long nobody could write,
//! and whether two nodes took writes at once. An [`experiment`] does that over many trials, and
//! [`report`] shows what they come to.
//!
//! ```text
//! scenarios/*.toml ─► scenario ─► Plan ─► world ─► Facts ─► measure ─► Verdict ─► report
//!                      (what was   (value) (what    (stream) (how bad    (value)
//!                       meant)              happened)         was it)
//! ```
//!
//! The binary of the same name is the same thing for the command line.
//!
//! # Example
//!
//! The primary's region is cut off for a while; nobody takes over. Writes fail meanwhile, and
//! none that was acknowledged is lost.
//!
//! ```
//! use regionsim::experiment::Experiment;
//! use regionsim::measure::MetricKey;
//! use regionsim::scenario;
//! use regionsim::world::{Limits, Stage};
//! use std::sync::atomic::AtomicBool;
//!
//! let text = r#"
//!     schema_version = 1
//!     [scenario]
//!     name = "cut"
//!     [run]
//!     warmup = "10s"
//!     horizon = "2m"
//!     settle = "1m"
//!     [region.a]
//!     [region.b]
//!     [wan]
//!     default = { rtt = "60ms" }
//!     [store.orders]
//!     primary = "a"
//!     standbys = ["b"]
//!     replication = { mode = "async" }
//!     [clients.web]
//!     region = "b"
//!     writes = { arrival = "poisson", per_second = 20 }
//!     [[fault]]
//!     name = "cut"
//!     kind = "partition"
//!     at = "40s"
//!     duration = "20s"
//!     isolate = ["a"]
//! "#;
//! let (scenario, diagnostics) = scenario::load(text);
//! let scenario = scenario.unwrap_or_else(|| panic!("{diagnostics:?}"));
//! let stage = Stage::new(&scenario.plan).expect("a scenario without errors can be built");
//!
//! let never = AtomicBool::new(false);
//! let experiment = Experiment {
//!     stage: &stage,
//!     settings: &scenario.settings,
//!     seed: 42,
//!     trials: 0..5,
//!     jobs: 2,
//!     events: Limits::default().events,
//!     stop: &never,
//! };
//! let outcomes = experiment.run(&|_done| ()).expect("no trial panics");
//!
//! let of = |name| outcomes.samples(&MetricKey::new(name)).expect("a metric of every scenario");
//! for (rto, lost) in of("rto.first_write").iter().zip(of("writes.lost")) {
//!     // The cut lasts 20 s; the first write after it takes a little longer.
//!     assert!((20.0..25.0).contains(&rto.value().unwrap()), "{rto:?}");
//!     assert_eq!(lost.value(), Some(0.0));
//! }
//! ```
//!
//! # Rooms
//!
//! ```text
//! porch (main, cli, experiment, report) ─► everything below
//! scenario ─► world (its plan only), measure (catalogue, expectations), model, net, sim
//! world    ─► model, net, sim            measure ─► model (ids and facts), sim
//! net      ─► sim                        model   ─► sim
//! sim      ─► nothing
//! ```
//!
//! Each room's `mod.rs` says what it is for, what it may use, what it will never know, and what
//! was decided. `world` and `measure` never meet: they share only the facts of
//! [`model::fact`]. `model` and `net` never meet: a protocol cannot know the topology. A test
//! reads the source and checks the arrows.

pub mod experiment;
pub mod measure;
pub mod model;
pub mod net;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod world;

/// The examples in the README, so that they are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
