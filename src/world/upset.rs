//! Faults at work: onsets, clearings, crashes, pauses, watchdogs. Every effect is owned by a
//! fault, so that overlapping ones compose.

use crate::model::ctx::{Input, Machine, Part};
use crate::model::fact::{Fact, Observer};
use crate::model::id::{FaultId, GroupId, NodeId, ProcessId, SiteId, Version};
use crate::net::{InFlight, LinkChange};
use crate::sim::dist::Dist;
use crate::sim::queue::Phase;
use crate::sim::time::Span;
use crate::world::fault::{self, Act};
use crate::world::process::{Process, State};
use crate::world::run::{Event, World};

/// The owner of reboots by a watchdog, beside all faults.
const WATCHDOG: u32 = u32::MAX;
/// The owner of what a fence device switched off.
const FENCED: u32 = u32::MAX - 1;

impl<O: Observer> World<'_, O> {
    pub(super) fn onset(&mut self, fault: u16) {
        let id = FaultId(fault);
        self.onsets[id.index()] += 1;
        self.fact(Fact::Onset { fault: id });
        let acts = &self.stage.faults[id.index()].acts;
        for node in self.stage.touched(acts) {
            self.fact(Fact::Hit { fault: id, node });
        }
        for act in acts {
            self.act(u32::from(fault), act);
        }
    }

    fn act(&mut self, owner: u32, act: &Act) {
        match act {
            Act::Block { from, to, in_flight } => {
                let (now, in_flight) = (self.now, wire_fate(*in_flight));
                if self.fabric.block(now, from.index(), to.index(), owner, in_flight) {
                    self.fact(Fact::Link { from: *from, to: *to, up: false });
                }
            }
            Act::Slow { from, to, delay } => {
                self.fabric.slow(from.index(), to.index(), owner, Dist::new(delay), 1.0);
            }
            Act::Lossy { from, to, share } => {
                self.fabric.lossy(from.index(), to.index(), owner, *share);
            }
            Act::LinkDown { link, in_flight } => {
                let in_flight = wire_fate(*in_flight);
                let change = self.fabric.fail_link(self.now, *link, owner, in_flight);
                self.link_changed(change);
            }
            Act::Sever(site) => self.fabric.sever(self.now, site.index()),
            Act::StopHost { node, disk_kept } => self.stop_host(*node, owner, *disk_kept),
            Act::Kill { process, disk_kept } => {
                self.slots[process.index()].stopped_by.push(owner);
                self.kill(*process, *disk_kept, true);
            }
            Act::Pause(process) => self.pause(*process, owner),
            Act::Stall { process, part } => self.stall(*process, *part, owner),
            Act::Bursty { from, to, law } => self.burst(*from, *to, owner, *law),
            Act::Narrow { from, to, place, bandwidth, queue } => {
                let (from, to) = (from.index(), to.index());
                self.fabric.narrow(from, to, owner, *place, *bandwidth, *queue);
            }
            Act::BadWire { node, delay, loss } => self.bad_wire(*node, owner, delay, *loss),
            Act::SlowDisk { process, factor, delay } => {
                self.slow_disk(*process, owner, *factor, delay);
            }
            Act::Err { process, reads, writes } => self.err(*process, owner, [*reads, *writes]),
            Act::StopOrders(stops) => self.stop_orders(owner, *stops),
            Act::Step { node, by } => self.hosts[node.index()].clock.step_wall(*by),
            Act::Drift { node, ppb } => {
                self.hosts[node.index()].drifted_by.push((owner, *ppb));
                self.set_drift(*node);
            }
        }
    }

    pub(super) fn clear(&mut self, fault: u16) {
        let owner = u32::from(fault);
        self.fact(Fact::Cleared { fault: FaultId(fault) });
        for (from, to) in self.fabric.clear(owner) {
            self.fact(Fact::Link { from: SiteId::of(from), to: SiteId::of(to), up: true });
        }
        for act in &self.stage.faults[usize::from(fault)].acts {
            match act {
                Act::LinkDown { link, .. } => {
                    let change = self.fabric.heal_link(self.now, *link, owner);
                    self.link_changed(change);
                }
                Act::StopHost { node, .. } => self.start_host(*node, owner),
                Act::Kill { process, .. } => {
                    self.slots[process.index()].stopped_by.retain(|other| *other != owner);
                    self.revive(*process);
                }
                Act::Pause(process) => self.unpause(*process, owner),
                Act::Stall { process, part } => self.unstall(*process, *part, owner),
                Act::SlowDisk { process, .. } => self.unslow_disk(*process, owner),
                Act::Err { process, .. } => self.unerr(*process, owner),
                Act::Drift { node, .. } => {
                    self.hosts[node.index()].drifted_by.retain(|(other, _)| *other != owner);
                    self.set_drift(*node);
                }
                Act::StopOrders(stops) => self.let_orders_pass(owner, *stops),
                Act::Step { node, by } => self.hosts[node.index()].clock.step_wall(-*by),
                Act::BadWire { node, .. } => self.good_wire(*node, owner),
                Act::Block { .. }
                | Act::Slow { .. }
                | Act::Lossy { .. }
                | Act::Bursty { .. }
                | Act::Narrow { .. }
                | Act::Sever(_) => {}
            }
        }
    }

    fn link_changed(&mut self, change: LinkChange) {
        self.pairs_changed(change.changed);
        self.queue.schedule(change.converge_at, Phase::Fault, Event::Converge);
    }

    pub(super) fn converge(&mut self) {
        let changed = self.fabric.converge(self.now);
        self.pairs_changed(changed);
    }

    fn pairs_changed(&mut self, changed: Vec<(usize, usize)>) {
        for (from, to) in changed {
            let up = self.fabric.is_up(from, to);
            self.fact(Fact::Link { from: SiteId::of(from), to: SiteId::of(to), up });
        }
    }

    fn stop_host(&mut self, node: NodeId, owner: u32, disk_kept: bool) {
        self.hosts[node.index()].down_by.push(owner);
        self.wind_watchdog(node, Span::MAX);
        for process in self.stage.layout.nodes[node.index()].processes.clone() {
            self.kill(process, disk_kept, false);
        }
    }

    fn start_host(&mut self, node: NodeId, owner: u32) {
        self.hosts[node.index()].down_by.retain(|other| *other != owner);
        for process in self.stage.layout.nodes[node.index()].processes.clone() {
            self.revive(process);
        }
    }

    /// A process dies. What it had in memory is gone; what its disk wrote stays, if the disk
    /// does. A second death while dead can only take the disk.
    fn kill(&mut self, process: ProcessId, disk_kept: bool, host_lives: bool) {
        let slot = &mut self.slots[process.index()];
        let was_dead = slot.state == State::Dead;
        if was_dead && disk_kept {
            return;
        }
        slot.machine.crash(disk_kept);
        slot.disk.void();
        slot.inbox.clear();
        slot.state = State::Dead;
        slot.incarnation += 1;
        let node = slot.node;
        let history = slot.machine.history();
        let reverted = match &mut slot.machine {
            Process::Keyed(node) => Some((node.group(), node.reverted())),
            _ => None,
        };
        for (_, key, _) in std::mem::take(&mut self.slots[process.index()].timers) {
            self.queue.cancel(key);
        }
        if !was_dead {
            self.fact(Fact::Down { node, process, paused: false });
        }
        if let Some((group, to)) = history {
            let fact = if disk_kept {
                Fact::Truncated { node, group, to }
            } else {
                Fact::Wiped { node, group }
            };
            self.fact(fact);
        }
        if let Some((group, reverted)) = reverted {
            self.keys_lost(node, group, disk_kept, reverted);
        }
        self.ask(process);
        if !was_dead {
            self.hang_up(process, host_lives);
        }
    }

    /// What a crash left of a node's keys.
    fn keys_lost(
        &mut self,
        node: NodeId,
        group: GroupId,
        disk_kept: bool,
        reverted: Vec<(u32, Version)>,
    ) {
        if !disk_kept {
            return self.fact(Fact::Wiped { node, group });
        }
        for (key, version) in reverted {
            self.fact(Fact::Reverted { node, group, key, version });
        }
    }

    /// Starts a process again, if nothing stops it any longer, unless that is for its agent to do.
    fn revive(&mut self, process: ProcessId) {
        if !self.slots[process.index()].supervised {
            self.start(process);
        }
    }

    /// Starts a dead process, if nothing stops it any longer.
    pub(super) fn start(&mut self, process: ProcessId) {
        let slot = &mut self.slots[process.index()];
        let node = slot.node;
        let held = !slot.stopped_by.is_empty() || !self.hosts[node.index()].down_by.is_empty();
        if held || slot.state != State::Dead {
            return;
        }
        let paused = !slot.paused_by.is_empty();
        slot.state = if paused { State::Paused } else { State::Running };
        if !paused {
            self.fact(Fact::Up { node, process });
        }
        self.hear(process, Input::Start);
        // The new life knows nothing of what still keeps its parts from working.
        for part in [Part::Receiver, Part::Applier] {
            if self.is_stalled(process, part) {
                self.hear(process, Input::Stall { part, yes: true });
            }
        }
        if !self.slots[process.index()].errs_by.is_empty() {
            self.tell_errors(process);
        }
    }

    fn is_stalled(&self, process: ProcessId, part: Part) -> bool {
        self.slots[process.index()].stalled_by.iter().any(|(_, other)| *other == part)
    }
    fn stall(&mut self, process: ProcessId, part: Part, owner: u32) {
        let first = !self.is_stalled(process, part);
        self.slots[process.index()].stalled_by.push((owner, part));
        if first {
            self.hear(process, Input::Stall { part, yes: true });
        }
    }
    fn unstall(&mut self, process: ProcessId, part: Part, owner: u32) {
        self.slots[process.index()].stalled_by.retain(|other| *other != (owner, part));
        if !self.is_stalled(process, part) {
            self.hear(process, Input::Stall { part, yes: false });
        }
    }

    fn pause(&mut self, process: ProcessId, owner: u32) {
        let slot = &mut self.slots[process.index()];
        slot.paused_by.push(owner);
        if slot.state == State::Running {
            slot.state = State::Paused;
            let node = slot.node;
            self.fact(Fact::Down { node, process, paused: true });
            self.ask(process);
        }
    }

    /// A pause ends: what arrived meanwhile is heard now, in order.
    fn unpause(&mut self, process: ProcessId, owner: u32) {
        let slot = &mut self.slots[process.index()];
        slot.paused_by.retain(|other| *other != owner);
        if !slot.paused_by.is_empty() || slot.state != State::Paused {
            return;
        }
        slot.state = State::Running;
        let node = slot.node;
        self.fact(Fact::Up { node, process });
        self.ask(process);
        // One by one: what is heard first may disarm a timer that fired meanwhile.
        while let Some(input) = self.slots[process.index()].inbox.pop_front() {
            self.step(process, input);
        }
    }

    /// A clock's drift changes: it continues from where it is, and pending timers move to where
    /// they now belong.
    fn set_drift(&mut self, node: NodeId) {
        let now = self.now;
        let host = &mut self.hosts[node.index()];
        let added: i64 = host.drifted_by.iter().map(|(_, ppb)| ppb).sum();
        host.clock.set_drift(now, host.drift + added);
        for process in self.stage.layout.nodes[node.index()].processes.clone() {
            let mut timers = std::mem::take(&mut self.slots[process.index()].timers);
            let incarnation = self.slots[process.index()].incarnation;
            for (timer, key, due) in &mut timers {
                self.queue.cancel(*key);
                let at = self.hosts[node.index()].clock.when(*due);
                let at = at.max(now).min(self.stage.end_of_time);
                let event = Event::Timer { process, incarnation, timer: *timer };
                *key = self.queue.schedule(at, Phase::Timer, event);
            }
            self.slots[process.index()].timers = timers;
        }
        if self.hosts[node.index()].watchdog_due.is_some() {
            self.schedule_watchdog(node);
        }
    }

    /// Winds a host's watchdog up; the longest span disarms it.
    pub(super) fn wind_watchdog(&mut self, node: NodeId, after: Span) {
        let host = &mut self.hosts[node.index()];
        let due = host.clock.local(self.now).saturating_add(after);
        host.watchdog_due = (after != Span::MAX).then_some(due);
        self.schedule_watchdog(node);
    }

    fn schedule_watchdog(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.watchdog = host.watchdog.wrapping_add(1);
        let Some(due) = host.watchdog_due else { return };
        let generation = host.watchdog;
        let at = host.clock.when(due).max(self.now).min(self.stage.end_of_time);
        self.queue.schedule(at, Phase::Timer, Event::Watchdog { node, generation });
    }

    /// The watchdog reboots its host: hardware, so a frozen process does not stop it.
    pub(super) fn watchdog_runs_out(&mut self, node: NodeId, generation: u32) {
        let host = &self.hosts[node.index()];
        if host.watchdog != generation || !host.down_by.is_empty() {
            return;
        }
        self.stop_host(node, WATCHDOG, true);
        let takes = self.stage.reboot_time(node, generation, &self.streams);
        let at = self.now.saturating_add(takes).min(self.stage.end_of_time);
        self.queue.schedule(at, Phase::Fault, Event::Rebooted(node));
    }

    /// A fence device switches a host off, or on again.
    pub(super) fn switch_host(&mut self, node: NodeId, on: bool) {
        let is_off = self.hosts[node.index()].down_by.contains(&FENCED);
        if on {
            self.start_host(node, FENCED);
        } else if !is_off {
            self.stop_host(node, FENCED, true);
        }
    }

    pub(super) fn rebooted(&mut self, node: NodeId) {
        self.start_host(node, WATCHDOG);
    }
}

fn wire_fate(in_flight: fault::InFlight) -> InFlight {
    match in_flight {
        fault::InFlight::Lost => InFlight::Lost,
        fault::InFlight::Delivered => InFlight::Delivered,
    }
}
