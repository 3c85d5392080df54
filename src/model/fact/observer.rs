//! Who listens to a run.

use crate::model::fact::{Claim, Fact};
use crate::model::id::{NodeId, ProcessId};
use crate::model::msg::Msg;
use crate::sim::time::SimTime;

/// Listens to a run. Pairs of observers observe.
pub trait Observer {
    /// The world did something.
    fn on_fact(&mut self, at: SimTime, fact: &Fact);
    /// A participant said something.
    fn on_claim(&mut self, _at: SimTime, _by: NodeId, _claim: &Claim) {}
    /// A process sent a message. For pictures: no measure knows of messages.
    #[inline(always)]
    fn on_sent(&mut self, _at: SimTime, _from: ProcessId, _to: ProcessId, _msg: &Msg) {}
    /// A process heard a message.
    #[inline(always)]
    fn on_heard(&mut self, _at: SimTime, _from: ProcessId, _to: ProcessId, _msg: &Msg) {}
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
    #[inline(always)]
    fn on_sent(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        self.0.on_sent(at, from, to, msg);
        self.1.on_sent(at, from, to, msg);
    }
    #[inline(always)]
    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        self.0.on_heard(at, from, to, msg);
        self.1.on_heard(at, from, to, msg);
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
    #[inline(always)]
    fn on_sent(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        (**self).on_sent(at, from, to, msg);
    }
    #[inline(always)]
    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        (**self).on_heard(at, from, to, msg);
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
    #[inline(always)]
    fn on_sent(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        if let Some(observer) = self {
            observer.on_sent(at, from, to, msg);
        }
    }
    #[inline(always)]
    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        if let Some(observer) = self {
            observer.on_heard(at, from, to, msg);
        }
    }
}
