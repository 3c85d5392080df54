//! Who listens to a run.

use super::{Claim, Fact};
use crate::model::id::NodeId;
use crate::sim::time::SimTime;

/// Listens to a run. Pairs of observers observe.
pub trait Observer {
    /// The world did something.
    fn on_fact(&mut self, at: SimTime, fact: &Fact);
    /// A participant said something.
    fn on_claim(&mut self, _at: SimTime, _by: NodeId, _claim: &Claim) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline(always)]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        self.0.on_fact(at, fact);
        self.1.on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        self.0.on_claim(at, by, claim);
        self.1.on_claim(at, by, claim);
    }
}

impl<T: Observer> Observer for &mut T {
    #[inline(always)]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        (**self).on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        (**self).on_claim(at, by, claim);
    }
}

impl<T: Observer> Observer for Option<T> {
    #[inline(always)]
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        if let Some(observer) = self {
            observer.on_fact(at, fact);
        }
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        if let Some(observer) = self {
            observer.on_claim(at, by, claim);
        }
    }
}
