//! STONITH ("shoot the other node in the head"): a device that cuts a host's power for the
//! controller. A host's management processor, a switched outlet, the interface of a cloud.
//!
//! Orders and answers are datagrams, as those of IPMI are: what a partition swallows is not
//! delivered when it heals. Each order is answered once: done, or failed; or the device hangs, and
//! it is not. With attempts that take `t`, fail with `f` and hang with `h`, and a pause `r` between
//! them, fencing takes `t` plus for each failure before it `t + r`, for each hang `timeout + r`.

use crate::model::control::controller::fencing::Unfenced;
use crate::model::ctx::{Ctx, Effect, Input, Machine, Timer};
use crate::model::id::{GroupId, NodeId, ProcessId};
use crate::model::msg::{FenceMsg, Msg};
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::{Name, Share};
use crate::sim::rng::{Label, Streams};

crate::choices! {
    /// What a fence device does to its host.
    pub enum PowerAction {
        /// Switches it off. It stays off.
        Off = "off",
        /// Switches it off, and on again.
        Reboot = "reboot",
    }
}

crate::params! {
    /// STONITH: the host of the old primary is switched off before another is promoted, unless
    /// the old primary has stopped as it was told to.
    pub struct StonithParams {
        /// The region (or zone) where the devices listen, one for each replica. Left out, each stands beside its
        /// host (a management processor, IPMI) and shares the faults of its region.
        device: Option<Name> = None, "beside each host";
        /// What it does.
        action: PowerAction = PowerAction::Off, "our choice; Pacemaker: stonith-action = reboot";
        /// How long it takes to do it, or to find that it cannot.
        takes: DistSpec = DistSpec::Constant(Span::from_secs(5)), "our choice";
        /// How long a host that was switched on again takes until its processes run.
        reboot_time: DistSpec = DistSpec::Constant(Span::from_secs(60)), "our choice";
        /// The share of attempts that fail.
        failure: Share = Share(0.0), "our choice";
        /// The share of attempts that hang: they do nothing, and nothing is heard of them.
        hang: Share = Share(0.0), "our choice";
        /// How long the controller waits for an answer.
        timeout: Span = Span::from_secs(60), "Pacemaker: stonith-timeout";
        /// From a failed attempt to the next.
        retry: Span = Span::from_secs(5), "our choice";
        /// So many attempts, unless `on_failure` is `wait`.
        attempts: u32 = 10, "Pacemaker: stonith-max-attempts";
        /// What follows when they are used up.
        on_failure: Unfenced = Unfenced::Wait, "Pacemaker: nothing runs before fencing has succeeded";
    }
}

/// The order has been carried out, or has failed.
const SWITCH: u16 = 1;
/// The host is switched on again.
const BOOT: u16 = 2;

/// What a fence device is told when it is made.
#[derive(Clone, Debug)]
pub struct DevicePlan {
    /// The store.
    pub group: GroupId,
    /// The host it switches.
    pub host: NodeId,
    /// How well.
    pub params: StonithParams,
    /// The dice of the trial.
    pub streams: Streams,
    /// Names its own.
    pub label: Label,
}

/// An order under way.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Order {
    from: ProcessId,
    episode: u32,
    attempt: u32,
    succeeds: bool,
}

/// A fence device.
#[derive(Clone, Debug)]
pub struct FenceDevice {
    plan: DevicePlan,
    order: Option<Order>,
    /// The switch itself: it stays as it is while the device is without power.
    off: bool,
    /// How often it was switched off.
    times: u32,
}

impl FenceDevice {
    /// A device whose host is on.
    pub fn new(plan: DevicePlan) -> FenceDevice {
        FenceDevice { plan, order: None, off: false, times: 0 }
    }

    fn on_order(&mut self, from: ProcessId, episode: u32, attempt: u32, ctx: &mut Ctx<'_>) {
        let plan = &self.plan;
        let label = plan.label.with_index(u64::from(episode)).with_index(u64::from(attempt));
        let mut dice = plan.streams.stream(label.with("outcome"));
        // Hanging first: a larger share of failures does not change which attempts hang.
        if dice.chance(plan.params.hang.0) {
            self.order = None;
            ctx.cancel_timer(Timer::of(SWITCH));
            return;
        }
        let succeeds = !dice.chance(plan.params.failure.0);
        let takes = Dist::new(&plan.params.takes).sample(&mut plan.streams.stream(label));
        self.order = Some(Order { from, episode, attempt, succeeds });
        ctx.set_timer(Timer::of(SWITCH), takes);
    }
    fn switch(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Order { from, episode, attempt, succeeds }) = self.order.take() else { return };
        if succeeds {
            self.off = true;
            self.times += 1;
            ctx.effect(Effect::Power { node: self.plan.host, on: false });
            self.boot_later(ctx);
        }
        let answer = FenceMsg::Switched { episode, attempt, off: succeeds };
        ctx.cast(from, Msg::Fence(self.plan.group, answer));
    }
    fn boot_later(&self, ctx: &mut Ctx<'_>) {
        let plan = &self.plan;
        if self.off && plan.params.action == PowerAction::Reboot {
            let label = plan.label.with("boot").with_index(u64::from(self.times));
            let takes = Dist::new(&plan.params.reboot_time).sample(&mut plan.streams.stream(label));
            ctx.set_timer(Timer::of(BOOT), takes);
        }
    }
}

impl Machine for FenceDevice {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.boot_later(ctx),
            Input::Message {
                from,
                msg: Msg::Fence(_, FenceMsg::PowerOff { episode, attempt }),
            } => {
                self.on_order(from, episode, attempt, ctx);
            }
            Input::Timer(timer) if timer.kind == SWITCH => self.switch(ctx),
            Input::Timer(timer) if timer.kind == BOOT && self.off => {
                self.off = false;
                ctx.effect(Effect::Power { node: self.plan.host, on: true });
            }
            _ => {}
        }
    }

    fn crash(&mut self, _disk_kept: bool) {
        self.order = None;
    }
}
