//! The failover controller: hears the checkers, decides, takes five steps.
//!
//! `opinions` counts what checkers say, `triggers` makes a failover of it or holds it back,
//! `contact` keeps what agents answer, `store` holds what is known of one store and keeps its
//! replicas on their primary, `failover` takes the steps of one store, `attempts` tries them again,
//! `fencing` makes the old primary harmless, `hunt` finds its candidate, `lag_guard` refuses one that is too far behind, `elected` is what
//! several controllers that elect the one that acts need of it,
//! `home` brings the primary back, `orders` are an operator's. Will never know why a node is
//! silent.
//!
//! # Decided
//! - Stores under one controller fail over together: one primary's quorum moves them all.
//! - What it knows survives a crash on its own disk; a step that was under way begins again.
//!   Without its disk it starts from the plan and learns terms and primary from the agents.
//! - Between declaring and promotion its hellos name no primary, so that one that fences
//!   itself does so even when only the answers are lost.
//! - With a lease the candidate is asked for its position before it takes the lease, and all
//!   are asked again once it has it: only then does nobody's position move any more.
//! - Routers are told once over a connection, and reminded by datagram from time to time,
//!   because one that was down when told would never know.
//! - An order that was under way when its connection broke is given again once the agent answers
//!   a datagram: to a dead process it would break the connection again and again.
//! - A failed attempt of a step takes its time and changes nothing: no order was given.
//! - A failover that was given up is not begun again before the primary has been well.

pub mod attempts;
mod contact;
pub mod elected;
mod failover;
pub mod fencing;
pub mod home;
mod hunt;
pub mod lag_guard;
mod opinions;
mod orders;
mod plan;
mod store;
mod triggers;

use crate::model::ctx::{Ctx, Input, Machine, Timer};
use crate::model::fact::Claim;
use crate::model::id::{GroupId, ProcessId};
use crate::model::msg::{ControlMsg, FenceMsg, Msg};
use crate::sim::Span;
use crate::sim::time::LocalTime;
use contact::Report;
pub use elected::Elected;
use opinions::Opinions;
pub use plan::{ControllerPlan, Seat, StorePlan};
use store::Store;

/// Contact every agent.
pub const CONTACT: u16 = 1;
/// The quorum has lasted.
pub const HOLD: u16 = 2;
/// The person agrees.
pub const APPROVE: u16 = 3;
/// A step of a store (its number) has taken its time.
pub const STEP: u16 = 4;
/// The old primary of a store (its number) has fenced itself.
pub const SELF_FENCED: u16 = 5;
/// The agents of a store (its number) had their time to answer.
pub const ASKED: u16 = 6;
/// The candidate of a store (its number) is silent.
pub const SILENT: u16 = 7;
/// A deposed primary may be reconfigured: the store's number times 65,536 plus the replica's.
pub const REJOIN: u16 = 8;
/// The last failover was long enough ago.
pub const COOLED: u16 = 9;
/// The fence device of a store (its number) is silent, or may be asked again.
pub const POWER: u16 = 10;
/// Load balancers of a store (its number) had their time to confirm.
pub const CUT: u16 = 11;
/// A planned switch of a store (its number) takes too long.
pub const SWITCH: u16 = 12;

/// Routers are reminded in every so many rounds of contact.
const REMIND_EVERY: u32 = 30;

/// What all stores of a controller go through together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The primaries are healthy, or nothing is to be done.
    Calm,
    /// The quorum is met; it must last.
    Holding,
    /// Waiting until the last failover was long enough ago.
    Cooling,
    /// Waiting for a person.
    Approving,
    /// Waiting to be elected.
    Standing,
    /// Failing over.
    Acting,
    /// A failover was given up; the primary has not been well since.
    GivenUp,
}

/// What a store needs of its controller while it acts.
struct Hand<'a> {
    plan: &'a ControllerPlan,
    episode: u32,
    /// Numbers the questions to agents.
    seq: &'a mut u32,
    opinions: &'a Opinions,
}

/// The controller's parts, borrowed for its stores to act with.
macro_rules! hand {
    ($controller:ident) => {
        $crate::model::control::controller::Hand {
            plan: &$controller.plan,
            episode: $controller.episode,
            seq: &mut $controller.seq,
            opinions: &$controller.opinions,
        }
    };
}
use hand;

/// The failover controller.
#[derive(Clone, Debug)]
pub struct Controller {
    plan: ControllerPlan,
    opinions: Opinions,
    stores: Vec<Store>,
    phase: Phase,
    episode: u32,
    /// How often a person was asked, or alerted.
    alerts: u32,
    /// When it last declared a failover.
    declared: Option<LocalTime>,
    seq: u32,
    rounds: u32,
    /// An election is under way in which it stands.
    candidate: bool,
}

impl Controller {
    /// A controller as planned. At the start the initial primaries hold term 1; without a lease
    /// their token is 1 too.
    pub fn new(plan: ControllerPlan) -> Controller {
        let store = |(i, plan): (usize, &StorePlan)| Store::new(i as u32, plan.clone());
        Controller {
            opinions: Opinions::new(plan.quorum),
            stores: plan.stores.iter().enumerate().map(store).collect(),
            phase: Phase::Calm,
            episode: 0,
            alerts: 0,
            declared: None,
            seq: 0,
            rounds: 0,
            candidate: false,
            plan,
        }
    }
    /// How many failovers it has declared.
    pub fn episodes(&self) -> u32 {
        self.episode
    }

    fn on_start(&mut self, ctx: &mut Ctx<'_>) {
        let every = self.plan.failover.contact_interval.as_nanos().max(1);
        let own = self.plan.elected.map_or(self.plan.label, |elected| elected.label);
        let mut dice = self.plan.streams.stream(own.with("contact phase"));
        ctx.set_timer(Timer::of(CONTACT), Span::from_nanos(dice.below(every)));
        match self.phase {
            Phase::Calm | Phase::Standing | Phase::Acting | Phase::GivenUp => {}
            Phase::Holding => ctx.set_timer(Timer::of(HOLD), self.plan.hold),
            Phase::Cooling => {
                ctx.set_timer(Timer::of(COOLED), self.cooldown_left(ctx.now()));
            }
            Phase::Approving => self.wait_for_person(ctx),
        }
        for store in &mut self.stores {
            store.restart(&mut hand!(self), ctx);
        }
    }

    fn on_contact(&mut self, ctx: &mut Ctx<'_>) {
        self.seq = self.seq.wrapping_add(1);
        self.rounds = self.rounds.wrapping_add(1);
        for store in &mut self.stores {
            store.greet(self.seq, ctx);
            if self.rounds.is_multiple_of(REMIND_EVERY) {
                store.remind_routers(ctx);
            }
            store.look_again(&mut hand!(self), ctx);
        }
        self.look_homewards(ctx);
        ctx.set_timer(Timer::of(CONTACT), self.plan.failover.contact_interval);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_>) {
        let which = timer.arg as usize;
        match timer.kind {
            CONTACT => self.on_contact(ctx),
            HOLD if self.phase == Phase::Holding => self.held(ctx),
            COOLED if self.phase == Phase::Cooling => self.cooled(ctx),
            APPROVE if self.phase == Phase::Approving => self.declare(ctx),
            STEP | SELF_FENCED | ASKED | SILENT | POWER | CUT | SWITCH => {
                let Some(store) = self.stores.get_mut(which) else { return };
                store.on_timer(timer.kind, &mut hand!(self), ctx);
                self.consider(ctx);
            }
            REJOIN => {
                if let Some(store) = self.stores.get_mut(which >> 16) {
                    store.rejoin(which & 0xffff, &self.plan, ctx);
                }
            }
            _ => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, group: GroupId, msg: ControlMsg, ctx: &mut Ctx<'_>) {
        if let ControlMsg::Opinion { node, healthy, seq } = msg {
            if let Some(unhealthy) = self.opinions.hear(from, node, healthy, seq) {
                ctx.claim(Claim::Tally { node, unhealthy, of: self.plan.checkers });
                self.consider(ctx);
            }
            return;
        }
        let Some(store) = self.stores.iter_mut().find(|s| s.plan.group == group) else { return };
        let Some(who) = store.replica_of(from) else { return };
        let mut hand = hand!(self);
        match msg {
            ControlMsg::Status { seq, role, term, durable, running } => {
                let report = Report { seq, role, term, durable, running };
                store.on_report(who, report, hand.plan, ctx);
                if store.replicas[who].broken {
                    store.order_again(who, &mut hand, ctx);
                }
                store.hear_answer(&mut hand, ctx);
            }
            ControlMsg::Stopped { episode } if episode == hand.episode => {
                store.on_stopped(&mut hand, ctx)
            }
            ControlMsg::Taken { episode, token } if episode == hand.episode => {
                store.on_taken(who, token, &mut hand, ctx)
            }
            ControlMsg::Promoted { episode, term } if episode == hand.episode => {
                store.on_promoted(who, term, &mut hand, ctx)
            }
            _ => return,
        }
        self.consider(ctx);
    }
}

impl Controller {
    /// What fences an old primary says so.
    fn on_fence(&mut self, from: ProcessId, group: GroupId, msg: FenceMsg, ctx: &mut Ctx<'_>) {
        let Some(store) = self.stores.iter_mut().find(|s| s.plan.group == group) else { return };
        let mut hand = hand!(self);
        match msg {
            FenceMsg::Switched { episode, attempt, off } if episode == hand.episode => {
                store.on_switched(attempt, off, &mut hand, ctx)
            }
            FenceMsg::Blocked { target } if target == store.primary_database() => {
                store.on_blocked(from, &mut hand, ctx)
            }
            _ => return,
        }
        self.consider(ctx);
    }
}

impl Machine for Controller {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => self.on_start(ctx),
            Input::Timer(timer) => self.on_timer(timer, ctx),
            Input::Message { from, msg: Msg::Control(group, msg) } => {
                self.on_message(from, group, msg, ctx)
            }
            Input::Message { from, msg: Msg::Fence(group, msg) } => {
                self.on_fence(from, group, msg, ctx)
            }
            Input::Order(order) => self.on_order(order, ctx),
            Input::Reset { by } => {
                self.stores.iter_mut().for_each(|store| store.broke(by, self.seq, ctx));
            }
            _ => {}
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        if !disk_kept {
            *self = Controller::new(self.plan.clone());
        }
        for store in &mut self.stores {
            store.forget_questions();
        }
    }
}
