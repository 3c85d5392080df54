//! The transport's parameters, and its schedule of retransmissions.

use crate::sim::Span;
use crate::sim::param::Bytes;

crate::params! {
    /// The transport under every connection: ordered, retransmitting, bounded in flight.
    pub struct TransportSpec {
        /// Shortest wait for an acknowledgement before a retransmission. The first wait is this
        /// or twice the least round trip, whichever is longer.
        rto_min: Span = Span::from_millis(200), "Linux TCP_RTO_MIN, include/net/tcp.h";
        /// Longest wait: each retransmission in vain doubles the wait up to this. Longer means a
        /// later resumption after a partition heals.
        rto_max: Span = Span::from_secs(5), "our choice: applications reconnect rather than wait for TCP's 120 s";
        /// How many messages may be sent and not yet acknowledged; the next ones wait.
        window_items: u32 = 4096, "our choice: the window in bytes is to bind first";
        /// How many bytes may be sent and not yet acknowledged. A larger message goes alone.
        /// Over the round trip this bounds the throughput of one connection.
        window_bytes: Bytes = Bytes(4_194_304), "Linux net.ipv4.tcp_wmem, largest";
    }
}

/// Exponential backoff: how long to wait for an acknowledgement.
///
/// The schedule of a [`Flow`](super::Flow), and on its own that of a message sent reliably over
/// a connection of its own: try number `n`, counted from zero, is given up after `delay(n)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    first: Span,
    longest: Span,
}

impl Backoff {
    /// The schedule over a path with that least round trip: RFC 6298 keeps the first wait above
    /// the smoothed round trip; twice the least one leaves room for jitter. When that is longer
    /// than `rto_max`, every wait is that long.
    pub fn new(spec: &TransportSpec, base_rtt: Span) -> Backoff {
        let first = spec.rto_min.max(base_rtt.saturating_mul(2)).max(Span::from_nanos(1));
        Backoff { first, longest: spec.rto_max.max(first) }
    }

    /// The wait after try number `attempt`, counted from zero.
    pub fn delay(&self, attempt: u32) -> Span {
        let doubled = 1u64.checked_shl(attempt).unwrap_or(u64::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_the_least_to_the_longest() {
        let backoff = Backoff::new(&TransportSpec::default(), Span::from_millis(70));
        let waits: Vec<_> = (0..7).map(|n| backoff.delay(n).to_string()).collect();
        assert_eq!(waits, ["200ms", "400ms", "800ms", "1.6s", "3.2s", "5s", "5s"]);
        assert_eq!(backoff.delay(u32::MAX), Span::from_secs(5));
    }

    #[test]
    fn a_long_way_waits_for_two_round_trips() {
        let backoff = Backoff::new(&TransportSpec::default(), Span::from_millis(300));
        assert_eq!(backoff.delay(0), Span::from_millis(600));
        let moon = Backoff::new(&TransportSpec::default(), Span::from_secs(3));
        assert_eq!((moon.delay(0), moon.delay(5)), (Span::from_secs(6), Span::from_secs(6)));
    }
}
