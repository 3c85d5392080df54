//! Streams.
use crate::sim::Span;

crate::params! {
    /// How connections between processes behave.
    pub struct TransportSpec {
        /// The shortest time to a retransmission.
        rto_min: Span = Span::from_millis(200), "Linux TCP_RTO_MIN";
    }
}
