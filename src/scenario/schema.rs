//! The tables of a scenario file that no other room declares, and the list of all tables.

use crate::measure::settings::Settings;
use crate::model::client::ClientParams;
use crate::model::control::{FailoverParams, LeaseParams};
use crate::model::detect::HealthCheckParams;
use crate::model::replica::StoreParams;
use crate::model::route::RoutingParams;
use crate::net::TransportSpec;
use crate::params;
use crate::scenario::defaults;
use crate::scenario::matrices::MatrixName;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Bandwidth, Bytes, Declared, Field, Name, Share};
use crate::world::fault::FaultCommon;
use crate::world::operator::OperatorCommon;

/// The version of the file format that is read here.
pub const SCHEMA_VERSION: i64 = 1;

params! {
    /// What the scenario is called and what it asks.
    pub struct ScenarioTable {
        /// Its name: letters, digits, `-` and `_`. Also the name of the results folder.
        name: Name, required;
        /// One line for reports; the name where left out.
        title: Option<String> = None, "the name";
        /// Words to find it by.
        tags: Vec<String> = Vec::new(), "none";
        /// The question it answers.
        question: Option<String> = None, "none";
        /// What it tells; the comment block at the head of the file where left out.
        story: Option<String> = None, "the comment at the head of the file";
    }
}

params! {
    /// How long a trial is and how many are run.
    pub struct RunTable {
        /// Excluded from the measures of service.
        warmup: Span = Span::from_secs(120), "our choice";
        /// The end of the storm, counted from the start: faults happen before it.
        horizon: Span = Span::from_secs(1800), "our choice";
        /// Quiet at the end, after which loss and convergence are judged.
        settle: Span = Span::from_secs(300), "our choice";
        /// How many trials; `--trials` overrides it.
        trials: u64 = 500, "a 95 % interval for p99 needs 368";
        /// The seed; `--seed` overrides it. Trial i uses (seed, i).
        seed: u64 = 42, "our choice";
        /// How far each node's clock may run fast or slow, in parts per million.
        clock_drift_ppm: f64 = 200.0, "Spanner, OSDI 2012: 200 us/s between synchronisations";
    }
}

params! {
    /// Objectives only; what is realised is measured.
    pub struct PolicyTable {
        /// The recovery time objective.
        rto: Option<Span> = None, "none stated";
        /// The recovery point objective.
        rpo: Option<Span> = None, "none stated";
        /// The share of operations that should end well within their deadline.
        availability_slo: Option<Share> = None, "none stated";
    }
}

params! {
    /// A region: geography, and the largest failure domain.
    pub struct RegionTable {
        /// Its zones; without any it is one zone without a name.
        zones: Vec<Name> = Vec::new(), "one zone without a name";
        /// Its name in the RTT matrix.
        location: Option<Name> = None, "the region's own name";
    }
}

params! {
    /// The wire of every pair that neither a matrix nor `links` states.
    pub struct DefaultWire {
        /// Round-trip time; halved for one way.
        rtt: Option<Span> = None, "none: every pair must be stated elsewhere";
        /// Added to each packet, one way.
        jitter: DistSpec = defaults::wan_jitter(), "sd 0.5 ms: median mdev of the AWS (0.43 ms) and GCP (0.52 ms) matrices of 2020";
        /// Loss of each packet.
        loss: Share = Share(0.0), "ISP backbones measure below 0.01 %";
        /// Bandwidth; without one, packets never queue.
        bandwidth: Option<Bandwidth> = None, "unlimited";
        /// How much may wait for the wire before packets are dropped at the tail.
        queue: Bytes = Bytes(12_500_000), "our choice: 100 ms at 1 Gbps";
    }
}

params! {
    /// The wire of one pair; what is left out is taken from the matrix, then from `wan.default`.
    pub struct LinkTable {
        /// Two regions, both directions.
        between: Vec<Name> = Vec::new(), "use `from` and `to` for one direction";
        /// The sending region, for one direction.
        from: Option<Name> = None, "both directions";
        /// The receiving region, for one direction.
        to: Option<Name> = None, "both directions";
        /// Round-trip time; halved for one way.
        rtt: Option<Span> = None, "the matrix, or `wan.default`";
        /// Added to each packet, one way.
        jitter: Option<DistSpec> = None, "that of `wan.default`";
        /// Loss of each packet.
        loss: Option<Share> = None, "that of `wan.default`";
        /// Bandwidth.
        bandwidth: Option<Bandwidth> = None, "that of `wan.default`";
        /// How much may wait for the wire.
        queue: Option<Bytes> = None, "that of `wan.default`";
    }
}

params! {
    /// The wires between the zones of one region.
    pub struct IntraRegionWire {
        /// Round-trip time; halved for one way.
        rtt: Span = Span::from_micros(800), "IBM Cloud 2026: median between zones 0.76 ms";
        /// Added to each packet, one way.
        jitter: DistSpec = defaults::zone_jitter(), "our choice";
        /// Loss of each packet.
        loss: Share = Share(0.0), "none";
        /// Bandwidth; without one, packets never queue.
        bandwidth: Option<Bandwidth> = None, "unlimited";
        /// How much may wait for the wire before packets are dropped at the tail.
        queue: Bytes = Bytes(12_500_000), "our choice: 100 ms at 1 Gbps";
    }
}

params! {
    /// The wires within one zone.
    pub struct WithinZoneWire {
        /// Round-trip time; halved for one way.
        rtt: Span = Span::from_micros(200), "our choice; IBM Cloud 2026 measured 0.1 ms";
        /// Added to each packet, one way.
        jitter: DistSpec = DistSpec::Constant(Span::ZERO), "AWS 2020: mdev 0.01 ms within a region";
        /// Loss of each packet.
        loss: Share = Share(0.0), "none";
        /// Bandwidth; without one, packets never queue.
        bandwidth: Option<Bandwidth> = None, "unlimited";
        /// How much may wait for the wire before packets are dropped at the tail.
        queue: Bytes = Bytes(12_500_000), "our choice: 100 ms at 1 Gbps";
    }
}

params! {
    /// A physical link, both directions. Packets take the shortest path over links.
    pub struct PhysicalTable {
        /// Its name, for faults; its two regions with `-` between where left out.
        name: Option<Name> = None, "the two regions with `-` between";
        /// The two regions it joins.
        between: Vec<Name>, required;
        /// Round-trip time; halved for one way.
        rtt: Span, required;
        /// Added to each packet, one way.
        jitter: Option<DistSpec> = None, "that of `wan.default`";
        /// Loss of each packet.
        loss: Option<Share> = None, "that of `wan.default`";
        /// Bandwidth.
        bandwidth: Option<Bandwidth> = None, "that of `wan.default`";
        /// How much may wait for the wire.
        queue: Option<Bytes> = None, "that of `wan.default`";
    }
}

params! {
    /// The wires: a matrix of end-to-end delays, with single pairs overridden, or physical links.
    pub struct WanTable {
        /// A built-in RTT matrix; regions have its names, or say which by `location`.
        matrix: Option<MatrixName> = None, "none: pairs are stated here";
        /// Every pair not stated otherwise.
        default: DefaultWire = DefaultWire::default(), "see its own keys";
        /// Single pairs.
        links: Vec<LinkTable> = Vec::new(), "none";
        /// Between the zones of one region.
        intra_region: IntraRegionWire = IntraRegionWire::default(), "see its own keys";
        /// Within one zone.
        within_zone: WithinZoneWire = WithinZoneWire::default(), "see its own keys";
        /// Physical links, instead of pairs: routes are shortest paths over them.
        physical: Vec<PhysicalTable> = Vec::new(), "none: pairs, not cables";
        /// How long routing takes to notice a dead or healed physical link.
        convergence: Span = Span::from_secs(5), "our choice";
        /// How connections between processes behave.
        transport: TransportSpec = TransportSpec::default(), "see its own keys";
    }
}

/// How often a table may stand in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Once: `[run]`.
    One,
    /// By name: `[region.NAME]`.
    Named,
    /// Once without a name, or by name: `[lease]`, `[lease.NAME]`.
    Either,
    /// A list: `[[fault]]`.
    List,
}

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its key.
    pub key: &'static str,
    /// How often it may stand.
    pub shape: Shape,
    /// What it is.
    pub doc: &'static str,
    /// Its parameters.
    pub fields: fn() -> &'static [Field],
}

const fn table<T: Declared>(key: &'static str, shape: Shape) -> Table {
    Table { key, shape, doc: T::DOC, fields: T::fields }
}

/// Every table with declared parameters, in the order of the reference.
pub const TABLES: [Table; 14] = [
    table::<ScenarioTable>("scenario", Shape::One),
    table::<RunTable>("run", Shape::One),
    table::<PolicyTable>("policy", Shape::One),
    table::<RegionTable>("region", Shape::Named),
    table::<WanTable>("wan", Shape::One),
    table::<StoreParams>("store", Shape::Named),
    table::<LeaseParams>("lease", Shape::Either),
    table::<HealthCheckParams>("health_check", Shape::Either),
    table::<FailoverParams>("failover", Shape::Either),
    table::<RoutingParams>("routing", Shape::Either),
    table::<ClientParams>("clients", Shape::Named),
    table::<FaultCommon>("fault", Shape::List),
    table::<OperatorCommon>("operator", Shape::List),
    table::<Settings>("measure", Shape::One),
];

/// The keys of the file itself.
pub const TOP: [&str; 17] = [
    "schema_version",
    "scenario",
    "run",
    "policy",
    "region",
    "wan",
    "store",
    "lease",
    "health_check",
    "failover",
    "routing",
    "clients",
    "fault",
    "operator",
    "measure",
    "expect",
    "variant",
];
