//! How clients find the primary: resolvers that cache, load balancers that are told.

use crate::sim::Span;
use crate::sim::dist::DistSpec;
use crate::sim::param::{Name, Share};

crate::choices! {
    /// Which node clients are sent to.
    pub enum Policy {
        /// The primary.
        Failover = "failover",
    }
}

crate::params! {
    /// DNS: each population asks many resolvers, which cache the answer.
    pub struct DnsParams {
        /// How long a resolver may keep an answer.
        ttl: Span = Span::from_secs(60), "Route 53: advice for records with a health check";
        /// The share of resolvers that keep it longer.
        ttl_violators: Share = Share(0.0), "our choice; PAM 2023 measured 8.74 % of resolvers";
        /// How much longer those keep it.
        overstay: DistSpec = DistSpec::Constant(Span::from_secs(300)), "our choice";
        /// How many resolvers a population uses, each for an equal share of its clients.
        resolvers: u32 = 200, "our choice";
        /// Where the authoritative name servers stand; in every region where left out.
        servers: Vec<Name> = Vec::new(), "every region (anycast)";
        /// How long a resolver waits for a name server before it asks the next nearest.
        lookup_timeout: Span = Span::from_secs(2), "our choice";
        /// From the controller's order until a name server that has it answers with it.
        propagation: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

crate::params! {
    /// A global load balancer: an edge near each population, told by the controller.
    pub struct GlobalLbParams {
        /// From the controller's order until an edge that has it follows it.
        propagation: DistSpec = DistSpec::Constant(Span::from_secs(3)), "our choice";
    }
}

crate::catalogue! {
    /// What sends clients.
    pub enum ViaParams by "" {
        "dns" => Dns(DnsParams),
        "global_lb" => GlobalLb(GlobalLbParams),
    }
}

crate::params! {
    /// How clients of a store find it.
    pub struct RoutingParams {
        /// Which node clients are sent to.
        policy: Policy = Policy::Failover, "our choice";
        /// What sends them: a table with the one key `dns` or `global_lb`.
        via: ViaParams = ViaParams::Dns(DnsParams::default()), "DNS with its defaults";
    }
}
