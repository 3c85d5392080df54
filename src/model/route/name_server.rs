//! An authoritative name server: it answers with the newest record it has.

use crate::model::ctx::{Ctx, Input, Machine, Timer};
use crate::model::id::{GroupId, ProcessId};
use crate::model::msg::{ControlMsg, DnsMsg, Msg};
use crate::model::route::rollout::Rollout;
use crate::sim::dist::DistSpec;
use crate::sim::rng::{Label, Streams};

/// An order has propagated. The kind is this plus the zone's index; the argument is the version.
const APPLY: u16 = 0;

/// What one name server answers for one store at the start.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// The store.
    pub group: GroupId,
    /// Its database that is primary at the start: the record with version 0. The controller's
    /// orders count from 1.
    pub initial: ProcessId,
    /// From an order's arrival until it is answered with.
    pub propagation: &'a DistSpec,
}

/// An authoritative name server. Its records are configuration: they survive a crash, and so do
/// orders that have arrived, which then take their whole delay again.
pub struct NameServer {
    zones: Vec<(GroupId, Rollout)>,
}

impl NameServer {
    /// A name server for these stores. `name` tells it from others: part of its dice's names.
    pub fn new(zones: &[Zone<'_>], streams: &Streams, name: &str) -> NameServer {
        let label = Label::new("name-server").with(name).with("propagation");
        let zones = zones.iter().map(|zone| {
            let label = label.with_index(zone.group.0.into());
            (zone.group, Rollout::new(zone.initial, zone.propagation, streams, label))
        });
        NameServer { zones: zones.collect() }
    }
    fn zone(&mut self, group: GroupId) -> Option<(u16, &mut Rollout)> {
        let i = self.zones.iter().position(|(known, _)| *known == group)?;
        Some((i as u16, &mut self.zones[i].1))
    }
    fn hear(&mut self, from: ProcessId, msg: Msg, ctx: &mut Ctx<'_>) -> Option<()> {
        match msg {
            Msg::Dns(group, DnsMsg::Lookup { resolver, seq }) => {
                let target = self.zone(group)?.1.target();
                ctx.cast(from, Msg::Dns(group, DnsMsg::Found { resolver, seq, target }));
            }
            Msg::Control(group, ControlMsg::Route { target, version }) => {
                let (i, record) = self.zone(group)?;
                let delay = record.order(version, target)?;
                ctx.set_timer(Timer::nth(APPLY + i, version), delay);
            }
            _ => {}
        }
        Some(())
    }
}

impl Machine for NameServer {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => {
                for (i, (_, record)) in self.zones.iter().enumerate() {
                    for (version, delay) in record.again() {
                        ctx.set_timer(Timer::nth(APPLY + i as u16, version), delay);
                    }
                }
            }
            Input::Message { from, msg } => {
                self.hear(from, msg, ctx);
            }
            Input::Timer(timer) => {
                if let Some((_, record)) = self.zones.get_mut((timer.kind - APPLY) as usize) {
                    record.apply(timer.arg);
                }
            }
            Input::Durable
            | Input::Refused { .. }
            | Input::Reset { .. }
            | Input::Stall { .. }
            | Input::Order(_)
            | Input::Errors { .. } => {}
        }
    }
    fn crash(&mut self, _disk_kept: bool) {}
}
