//! The primary's side of log shipping: a cursor per standby, a window, and what each confirmed.
//! The same in every mode that ships a log.

use super::shell::Core;
use crate::model::ctx::Ctx;
use crate::model::id::{LogIndex, Position, ProcessId};
use crate::model::replica::peer::Peer;
use crate::sim::time::LocalTime;

/// How much may be under way to one standby, in bytes: what a long fat pipe needs (150 ms at
/// 1 Gbit/s), and a bound on what waits in the network instead of in the log.
const WINDOW_BYTES: u64 = 16 << 20;
/// The largest range in one message, in bytes.
const RANGE_BYTES: u64 = 1 << 20;

/// How far one standby is.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    /// Its database.
    pub peer: ProcessId,
    /// True after it joined, until the connection breaks.
    pub joined: bool,
    /// The last entry sent to it.
    sent: LogIndex,
    /// What it has confirmed.
    pub received: LogIndex,
    /// What it has confirmed.
    pub flushed: LogIndex,
    /// What it has confirmed.
    pub applied: LogIndex,
    /// When it last confirmed anything.
    pub heard: LocalTime,
}

/// All standbys.
#[derive(Clone, Debug, Default)]
pub struct Shipper {
    cursors: Vec<Cursor>,
}

impl Shipper {
    /// Begins anew: nobody has joined.
    pub fn reset(&mut self, core: &Core, now: LocalTime) {
        let zero = LogIndex(0);
        self.cursors.clear();
        self.cursors.extend(core.peers.iter().map(|peer| Cursor {
            peer: *peer,
            joined: false,
            sent: zero,
            received: zero,
            flushed: zero,
            applied: zero,
            heard: now,
        }));
    }
    /// How far each standby is.
    pub fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }
    /// Forgets everything (the process died).
    pub fn crash(&mut self) {
        self.cursors.clear();
    }
    /// The connection to one standby broke; it will join again.
    pub fn on_reset(&mut self, by: ProcessId) {
        if let Some(cursor) = self.cursors.iter_mut().find(|c| c.peer == by) {
            cursor.joined = false;
        }
    }

    /// Sends every joined standby what is on our disk and not yet on its way.
    pub fn ship(&mut self, core: &Core, ctx: &mut Ctx<'_>) {
        for cursor in &mut self.cursors {
            Shipper::ship_to(cursor, core, ctx);
        }
    }

    fn ship_to(cursor: &mut Cursor, core: &Core, ctx: &mut Ctx<'_>) {
        let bytes = u64::from(core.entry_bytes.max(1));
        let limit = core.log.durable().index;
        while cursor.joined && cursor.sent < limit {
            let under_way = (cursor.sent.0.saturating_sub(cursor.received.0)) * bytes;
            if under_way >= WINDOW_BYTES {
                return;
            }
            let Some((segment, last)) = core.log.next_range(cursor.sent) else { return };
            let most = cursor.sent.0 + (RANGE_BYTES / bytes).max(1);
            let upto = LogIndex(last.min(limit).0.min(most));
            let after = cursor.sent;
            let size = ((upto.0 - after.0) * bytes + 100).min(u64::from(u32::MAX)) as u32;
            let ship = Peer::Ship { term: core.term, token: core.token, segment, after, upto };
            core.tell(cursor.peer, ship, size, ctx);
            cursor.sent = upto;
        }
    }

    /// A standby said something; true when its confirmations moved. Where `open`, what its
    /// window now allows is sent on; otherwise it waits for the next [`Shipper::ship`].
    pub fn on_peer(
        &mut self,
        from: ProcessId,
        peer: Peer,
        open: bool,
        core: &Core,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let Some(cursor) = self.cursors.iter_mut().find(|c| c.peer == from) else { return false };
        match peer {
            Peer::Join { term, at } if term == core.term => {
                Shipper::on_join(cursor, at, core, ctx);
                false
            }
            Peer::Have { term, received, flushed, applied } if term == core.term => {
                if !cursor.joined {
                    return false;
                }
                cursor.received = received;
                cursor.flushed = flushed;
                cursor.applied = applied;
                cursor.heard = ctx.now();
                if open {
                    Shipper::ship_to(cursor, core, ctx);
                }
                true
            }
            _ => false,
        }
    }

    /// Finds the last place both histories share, or asks to look further back.
    fn on_join(cursor: &mut Cursor, at: Position, core: &Core, ctx: &mut Ctx<'_>) {
        let shared = if at.index == LogIndex(0) {
            Some(LogIndex(0))
        } else {
            core.log
                .span_of(at.segment)
                .map(|(before, last)| if at.index > before { at.index.min(last) } else { before })
        };
        let Some(index) = shared else {
            let unknown = Peer::Unknown { term: core.term, segment: at.segment };
            return core.tell(cursor.peer, unknown, 100, ctx);
        };
        cursor.joined = true;
        cursor.sent = index;
        cursor.received = index;
        cursor.flushed = LogIndex(cursor.flushed.0.min(index.0));
        cursor.applied = LogIndex(cursor.applied.0.min(index.0));
        cursor.heard = ctx.now();
        let fork = Peer::Fork { term: core.term, token: core.token, at: core.log.position(index) };
        core.tell(cursor.peer, fork, 100, ctx);
        Shipper::ship_to(cursor, core, ctx);
    }
}
