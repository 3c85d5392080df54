//! What a message between nodes takes beside the wire: a distribution per kind of message.

use crate::model::ctx::Class;
use crate::model::id::OpId;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::draws::Draws;
use crate::sim::rng::{Label, Streams};

crate::params! {
    /// What messages between a coordinator and another node take beside the wire: disks, queues,
    /// pauses. What a node does by itself takes no message.
    pub struct LatencyParams {
        /// A write to a replica.
        write: DistSpec = DistSpec::Constant(Span::ZERO), "our choice: the wire alone";
        /// Its acknowledgement.
        ack: DistSpec = DistSpec::Constant(Span::ZERO), "our choice: the wire alone";
        /// A read to a replica.
        read: DistSpec = DistSpec::Constant(Span::ZERO), "our choice: the wire alone";
        /// The response to it.
        response: DistSpec = DistSpec::Constant(Span::ZERO), "our choice: the wire alone";
    }
}

/// A kind of message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Leg {
    Write,
    Ack,
    Read,
    Response,
}

/// How long the transport tries to deliver a message that no wait is added to. Our choice: longer
/// than any coordinator waits.
const PATIENCE: Span = Span::from_secs(10);

/// The delays of one store, the same for all its nodes.
#[derive(Clone, Debug)]
pub struct Latency {
    /// Per kind: its distribution and its dice; nothing where there is no delay.
    legs: [Option<(Dist, Draws)>; 4],
}

impl Latency {
    /// The delays that the parameters state, with dice named after the store.
    pub fn new(params: &LatencyParams, streams: &Streams, store: Label) -> Latency {
        let leg = |spec: &DistSpec, word: &str| {
            let none = *spec == DistSpec::Constant(Span::ZERO);
            let draws = || streams.draws(store.with("latency").with(word));
            (!none).then(|| (Dist::new(spec), draws()))
        };
        Latency {
            legs: [
                leg(&params.write, "write"),
                leg(&params.ack, "ack"),
                leg(&params.read, "read"),
                leg(&params.response, "response"),
            ],
        }
    }
    /// How a message of an operation's attempt to or from a replica travels.
    #[inline]
    pub fn class(&self, leg: Leg, op: OpId, attempt: u8, replica: u8) -> Class {
        match &self.legs[leg as usize] {
            None => Class::Independent { patience: PATIENCE },
            Some((dist, draws)) => {
                // 40 bits of operation, 10 of population, 8 of attempt, 6 of replica.
                let index = op.seq() << 24
                    ^ u64::from(op.client().0) << 14
                    ^ u64::from(attempt) << 6
                    ^ u64::from(replica);
                Class::Delayed { by: dist.quantile_of(draws.at(index)) }
            }
        }
    }
}
