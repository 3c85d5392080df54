//! Chain replication: the head takes writes, each node ships to the next, and when the last one
//! confirms the head answers (van Renesse and Schneider 2004).
//!
//! `head` keeps the chain in order and says what counts as done; `link` is what a standby does for
//! the one behind it.
//!
//! # Decided
//! - Each node ships what is on its own disk. So a node in force has everything that those behind
//!   it have, and the last one's word stands for all.
//! - The last node confirms to the head itself: an answer takes the sum of the hops once around,
//!   not there and back.
//! - The head repairs the chain; the control plane only replaces the head. It takes a node out
//!   when the connection to it breaks, when it has not been heard for `repair_after`, or when it
//!   has not moved for so long although the node before it was ahead. It does not ask whose
//!   fault that is: a link between two nodes costs the chain the second one.
//! - A node that was taken out, or that asks anew because it lost something, comes to the end. It
//!   is in force once it has caught up; until then the one before it speaks for the chain. One
//!   at a time. It has caught up when it covers what the head had on disk at the beginning of a
//!   round, and the round took less than `repair_after` (Ongaro's rounds, dissertation, 4.2.1);
//!   then nothing more is answered without it, until it has all that was answered before.
//! - Who is promoted takes over the nodes in force that it last heard of, without the old head,
//!   and waits for them until it takes them out in turn. A head alone answers alone; who does not
//!   want that sets a guard.

mod head;
mod link;

use super::shell::MODE_TIMERS;
use super::{AsStandby, Confirms, Core, Replicate};
use crate::model::ctx::{Ctx, Timer};
use crate::model::id::{LogIndex, ProcessId};
use crate::model::replica::follower::Follower;
use crate::model::replica::peer::Peer;
use crate::sim::Span;
use crate::sim::dist::DistSpec;
use head::Head;
use link::Link;

/// The head looks for nodes that are silent or do not move.
const LOOK: Timer = Timer::of(MODE_TIMERS);
/// A node tells the head that it is there.
const BEAT: Timer = Timer::of(MODE_TIMERS + 1);
/// The shortest of both intervals: a timer of nothing would stop time.
const SHORTEST: Span = Span::from_millis(1);

crate::params! {
    /// Chain: the primary is the head, each standby ships to the next one, and a write is answered
    /// when the last one has it on disk.
    pub struct Params {
        /// How long a node may be silent, or not move although it owes, before the head takes it
        /// out of the chain.
        repair_after: Span = Span::from_secs(10), "our choice";
        /// How often a node tells the head that it is there, and how far.
        beat_interval: Span = Span::from_secs(1), "our choice";
        /// From a standby's disk to visible on it.
        apply_delay: DistSpec = DistSpec::Constant(Span::ZERO), "our choice";
    }
}

/// The most replicas of a chain: a place is told with a bit for each.
pub const MOST: usize = 64;

/// Chain replication at work.
#[derive(Clone, Debug)]
pub struct Mode {
    beat_interval: Span,
    look_interval: Span,
    head: Head,
    link: Link,
}

impl Mode {
    /// The mode of these parameters.
    pub fn new(params: &Params, standbys: usize) -> Mode {
        let repair_after = params.repair_after.max(SHORTEST);
        Mode {
            beat_interval: params.beat_interval.max(SHORTEST),
            look_interval: repair_after.div(4).min(params.beat_interval).max(SHORTEST),
            head: Head::new(repair_after, standbys),
            link: Link::default(),
        }
    }
}

impl Replicate for Mode {
    fn confirms(&self) -> Confirms {
        Confirms::Flush
    }
    fn acks_required(&self) -> u16 {
        self.head.acks_required()
    }
    fn acked(&self, _core: &Core) -> LogIndex {
        self.head.acked()
    }
    fn on_lead(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        let members = self.link.take_over(core);
        self.head.lead(members, core, ctx);
        ctx.set_timer(LOOK, self.look_interval);
    }
    fn on_append(&mut self, _core: &mut Core, _ctx: &mut Ctx<'_>) {}
    fn on_durable(&mut self, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.head.on_durable(core, ctx);
    }
    fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.head.on_peer(from, peer, core, ctx);
        self.link.remember(self.head.members());
    }
    fn on_timer(&mut self, timer: Timer, core: &mut Core, ctx: &mut Ctx<'_>) {
        if timer == LOOK {
            self.head.look(core, ctx);
            self.link.remember(self.head.members());
            ctx.set_timer(LOOK, self.look_interval);
        }
    }
    fn on_reset(&mut self, by: ProcessId, core: &mut Core, ctx: &mut Ctx<'_>) {
        self.head.on_reset(by, core, ctx);
        self.link.remember(self.head.members());
    }
    fn crash(&mut self) {
        self.head.crash();
        self.link.crash();
    }
    fn as_standby(
        &mut self,
        what: AsStandby,
        follower: &mut Follower,
        core: &mut Core,
        ctx: &mut Ctx<'_>,
    ) {
        match what {
            AsStandby::Follows => {
                self.link.follows(follower);
                ctx.set_timer(BEAT, self.beat_interval);
            }
            AsStandby::Timer(BEAT) => {
                self.link.beat(follower, core, ctx);
                ctx.set_timer(BEAT, self.beat_interval);
            }
            AsStandby::Moved => self.link.pass_on(follower, core, ctx),
            AsStandby::Told(from, peer) => self.link.on_peer(from, peer, follower, core, ctx),
            AsStandby::Reset(by) => self.link.on_reset(by),
            AsStandby::Timer(_) => {}
        }
    }
}
