//! Gray failures at work (what runs, and serves badly), and loss in bursts.

use crate::model::ctx::Input;
use crate::model::fact::{Fact, Observer};
use crate::model::id::{NodeId, ProcessId, SiteId};
use crate::net::{Ailment, Gilbert};
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::queue::Phase;
use crate::sim::rng::Label;
use crate::world::run::{Event, World};

impl<O: Observer> World<'_, O> {
    /// A gray failure acts on a node.
    pub(super) fn ails(&mut self, node: NodeId, owner: u32) {
        let host = &mut self.hosts[node.index()];
        let first = host.ails_by.is_empty();
        if !host.ails_by.contains(&owner) {
            host.ails_by.push(owner);
        }
        if first {
            self.fact(Fact::Ails { node, yes: true });
        }
    }
    /// It acts no longer.
    pub(super) fn ails_no_more(&mut self, node: NodeId, owner: u32) {
        let host = &mut self.hosts[node.index()];
        let before = host.ails_by.len();
        host.ails_by.retain(|other| *other != owner);
        if before > 0 && host.ails_by.is_empty() {
            self.fact(Fact::Ails { node, yes: false });
        }
    }

    /// Names the dice of a fault for one purpose: new ones each time that it begins.
    pub(super) fn fault_label(&self, owner: u32, purpose: &str) -> Label {
        let fault = owner as usize;
        let name = &self.stage.roster.faults[fault].name;
        let times = u64::from(self.onsets[fault]);
        Label::new("fault").with(name).with(purpose).with_index(times)
    }

    pub(super) fn slow_disk(
        &mut self,
        process: ProcessId,
        owner: u32,
        factor: f64,
        delay: &DistSpec,
    ) {
        let label = self.fault_label(owner, "disk").with(self.stage.process_name(process));
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        slot.disk.slow(owner, factor, Dist::new(delay), self.streams.stream(label));
        self.ails(node, owner);
    }
    pub(super) fn unslow_disk(&mut self, process: ProcessId, owner: u32) {
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        if let Some((takes, epoch)) = slot.disk.unslow(owner, self.now) {
            let at = self.now.saturating_add(takes);
            self.queue.schedule(at, Phase::Durable, Event::Durable { process, epoch });
        }
        self.ails_no_more(node, owner);
    }

    /// The wire of one host is bad.
    pub(super) fn bad_wire(
        &mut self,
        node: NodeId,
        owner: u32,
        delay: &[Option<DistSpec>; 2],
        loss: [f64; 2],
    ) {
        let way = |i: usize| Ailment { delay: delay[i].as_ref().map(Dist::new), loss: loss[i] };
        self.fabric.ail(u32::from(node.0), owner, way(0), way(1));
        self.choose_pairs(node);
        self.ails(node, owner);
    }
    /// It is good again, as far as this fault goes, which the fabric has cleared.
    pub(super) fn good_wire(&mut self, node: NodeId, owner: u32) {
        self.choose_pairs(node);
        self.ails_no_more(node, owner);
    }

    /// A pair begins to lose packets in bursts, by dice of its own.
    pub(super) fn burst(&mut self, from: SiteId, to: SiteId, owner: u32, law: Gilbert) {
        let names = &self.stage.roster.sites;
        let label = self.fault_label(owner, "bursts");
        let label = label.with(&names[from.index()].name).with(&names[to.index()].name);
        let dice = self.streams.stream(label);
        self.fabric.bursty(from.index(), to.index(), owner, law, dice);
    }

    pub(super) fn err(&mut self, process: ProcessId, owner: u32, shares: [f64; 2]) {
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        slot.errs_by.push((owner, shares));
        self.tell_errors(process);
        self.ails(node, owner);
    }
    pub(super) fn unerr(&mut self, process: ProcessId, owner: u32) {
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        slot.errs_by.retain(|(other, _)| *other != owner);
        self.tell_errors(process);
        self.ails_no_more(node, owner);
    }
    /// What of its requests a database fails from now on. Several faults fail independently.
    pub(super) fn tell_errors(&mut self, process: ProcessId) {
        let mut pass = [1.0; 2];
        for (_, shares) in &self.slots[process.index()].errs_by {
            pass = [pass[0] * (1.0 - shares[0]), pass[1] * (1.0 - shares[1])];
        }
        let label = Label::new(self.stage.process_name(process)).with("errors");
        let (reads, writes) = (1.0 - pass[0], 1.0 - pass[1]);
        let draws = self.streams.draws(label);
        self.hear(process, Input::Errors { reads, writes, draws });
    }
}
