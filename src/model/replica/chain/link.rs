//! A standby's place in a chain: it draws from the node before it and ships to the one behind it.

use crate::model::ctx::Ctx;
use crate::model::id::{LogIndex, ProcessId};
use crate::model::msg::Msg;
use crate::model::replica::core::Core;
use crate::model::replica::follower::Follower;
use crate::model::replica::peer::Peer;
use crate::model::replica::shipper::Shipper;

/// What a node knows of its place.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// The head it follows, or followed until it was promoted.
    head: Option<ProcessId>,
    /// Of its place; 0 before it has one.
    version: u32,
    /// Who is behind it.
    next: Option<ProcessId>,
    /// Who asked it where to begin before it was told that they are behind it, or before it had
    /// joined itself.
    early: Option<(ProcessId, Peer)>,
    /// Who is in force beside the head, as it last heard: kept on disk.
    members: Option<Vec<ProcessId>>,
    shipper: Shipper,
    /// It tells the head each time how far it is.
    reports: bool,
    /// What it told last in this place.
    told: Option<LogIndex>,
}

impl Link {
    /// It is the head from now on, of the nodes that it last heard of. At the start these are
    /// all.
    pub fn take_over(&mut self, core: &Core) -> Vec<ProcessId> {
        let old = self.head.take();
        self.forget();
        let members = self.members.as_ref().unwrap_or(&core.peers);
        members.iter().copied().filter(|peer| Some(*peer) != old).collect()
    }
    /// Who is in force, for the day when it leads again.
    pub fn remember(&mut self, members: impl Iterator<Item = ProcessId>) {
        let known = self.members.get_or_insert_default();
        known.clear();
        known.extend(members);
    }
    fn forget(&mut self) {
        (self.version, self.next, self.reports) = (0, None, false);
        self.shipper.crash();
    }
    /// The process died.
    pub fn crash(&mut self) {
        self.forget();
        self.early = None;
    }
    /// It follows a head from now on, and has no place yet.
    pub fn follows(&mut self, follower: &Follower) {
        self.head = follower.primary();
        self.forget();
    }
    /// Tells the head that it is there.
    pub fn beat(&self, follower: &Follower, core: &Core, ctx: &mut Ctx<'_>) {
        if let Some(head) = self.head.filter(|_| self.version > 0) {
            let joined = follower.has_joined();
            let flushed = if joined { core.log.durable().index } else { LogIndex(0) };
            ctx.cast(head, Msg::Peer(core.group, self.place(flushed, core)));
        }
    }
    fn place(&self, flushed: LogIndex, core: &Core) -> Peer {
        Peer::Place { term: core.term, version: self.version, flushed }
    }
    /// Ships what it has to the one behind it, and tells the head if that is its office. One that
    /// draws from the head itself tells it anyway.
    pub fn pass_on(&mut self, follower: &Follower, core: &Core, ctx: &mut Ctx<'_>) {
        self.answer_early(follower, core, ctx);
        self.shipper.ship(core, ctx);
        let flushed = core.log.durable().index;
        if self.reports && follower.has_joined() && self.told != Some(flushed) {
            self.told = Some(flushed);
            if let Some(head) = self.head.filter(|head| follower.source() != Some(*head)) {
                core.tell(head, self.place(flushed, core), 100, ctx);
            }
        }
    }
    /// Who asked too early is answered in time: before this node has joined the one before it, it
    /// does not know how much of its history stands.
    fn answer_early(&mut self, follower: &Follower, core: &Core, ctx: &mut Ctx<'_>) {
        let next = self.next;
        let due = |(from, _): &mut (ProcessId, Peer)| follower.has_joined() && next == Some(*from);
        if let Some((from, join)) = self.early.take_if(due) {
            self.shipper.on_peer(from, join, core, ctx);
        }
    }
    /// Another replica said something.
    pub fn on_peer(
        &mut self,
        from: ProcessId,
        peer: Peer,
        follower: &mut Follower,
        core: &mut Core,
        ctx: &mut Ctx<'_>,
    ) {
        match peer {
            Peer::Join { .. } => self.early = Some((from, peer)),
            Peer::Have { .. } if self.next == Some(from) => {
                self.shipper.on_peer(from, peer, core, ctx);
            }
            Peer::Link { term, version, prev, next, reports, members }
                if term == core.term && version > self.version && self.head == Some(from) =>
            {
                self.version = version;
                if next != self.next {
                    self.next = next;
                    self.shipper.reset_to(next.as_slice(), core, ctx.now());
                }
                let all = core.everybody(ctx.me());
                let me = ctx.me();
                let in_force =
                    all.iter().enumerate().filter(|(i, who)| members >> i & 1 == 1 && **who != me);
                self.remember(in_force.map(|(_, who)| *who));
                match prev {
                    Some(prev) => follower.draw_from(prev, core, ctx),
                    None => {
                        follower.follow(from);
                        follower.start(core, ctx);
                    }
                }
                (self.reports, self.told) = (reports, None);
            }
            _ => {}
        }
        self.pass_on(follower, core, ctx);
    }
    /// The connection to another process broke.
    pub fn on_reset(&mut self, by: ProcessId) {
        self.shipper.on_reset(by);
    }
}
