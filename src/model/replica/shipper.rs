//! The primary's side of log shipping: a cursor per standby, a window, and what each confirmed.
//! The same in every mode that ships a log.

use super::core::Core;
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
    /// The number of the question by which it joined; older ones are void.
    session: u32,
    /// The last entry sent to it.
    pub sent: LogIndex,
    /// Where shipping began when it joined.
    from: LogIndex,
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
    /// How far may be shipped: what was on our disk at the last [`Shipper::ship`].
    upto: LogIndex,
}

impl Shipper {
    /// Begins anew: nobody has joined.
    pub fn reset(&mut self, core: &Core, now: LocalTime) {
        self.reset_to(&core.peers, core, now);
    }
    /// Begins anew, with those alone.
    pub fn reset_to(&mut self, peers: &[ProcessId], core: &Core, now: LocalTime) {
        let zero = LogIndex(0);
        self.upto = core.log.durable().index;
        self.cursors.clear();
        self.cursors.extend(peers.iter().map(|peer| Cursor {
            peer: *peer,
            joined: false,
            session: 0,
            sent: zero,
            from: zero,
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
    /// How far the `needed` most advanced standbys are, by that measure; nowhere while there are
    /// fewer, the end of everything when none is needed.
    pub fn reached_by(&self, needed: usize, of: impl Fn(&Cursor) -> LogIndex) -> LogIndex {
        match needed {
            0 => LogIndex(u64::MAX),
            1 => self.cursors.iter().map(of).max().unwrap_or_default(),
            _ => {
                let mut reached: Vec<LogIndex> = self.cursors.iter().map(of).collect();
                reached.sort_unstable();
                reached.len().checked_sub(needed).map(|i| reached[i]).unwrap_or_default()
            }
        }
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
        self.upto = core.log.durable().index;
        for cursor in &mut self.cursors {
            Shipper::ship_to(cursor, self.upto, core, ctx);
        }
    }

    fn ship_to(cursor: &mut Cursor, limit: LogIndex, core: &Core, ctx: &mut Ctx<'_>) {
        let bytes = u64::from(core.entry_bytes.max(1));
        while cursor.joined && cursor.sent < limit {
            let confirmed = cursor.received.max(cursor.from);
            let under_way = (cursor.sent.0.saturating_sub(confirmed.0)) * bytes;
            if under_way >= WINDOW_BYTES {
                return;
            }
            let Some((segment, last)) = core.log.next_range(cursor.sent) else { return };
            let most = cursor.sent.0 + (RANGE_BYTES / bytes).max(1);
            let upto = LogIndex(last.min(limit).0.min(most));
            let after = cursor.sent;
            let size = ((upto.0 - after.0) * bytes + 100).min(u64::from(u32::MAX)) as u32;
            let token = core.signature();
            let ship = Peer::Ship { term: core.term, token, segment, after, upto };
            core.tell(cursor.peer, ship, size, ctx);
            cursor.sent = upto;
        }
    }

    /// A standby said something; true when its confirmations moved. What its window now allows
    /// of the last [`Shipper::ship`] is sent on.
    pub fn on_peer(&mut self, from: ProcessId, peer: Peer, core: &Core, ctx: &mut Ctx<'_>) -> bool {
        let limit = self.upto;
        let Some(cursor) = self.cursors.iter_mut().find(|c| c.peer == from) else { return false };
        match peer {
            Peer::Join { term, seq, at } if term == core.term => {
                // A question that was answered already is asked again while the answer is still
                // under way; and one that was overtaken by a later one is void.
                if seq > cursor.session || (seq == cursor.session && !cursor.joined) {
                    Shipper::on_join(cursor, seq, at, core, ctx);
                    Shipper::ship_to(cursor, limit, core, ctx);
                }
                false
            }
            Peer::Have { term, session, received, flushed, applied } if term == core.term => {
                if !cursor.joined || session != cursor.session {
                    if session >= cursor.session {
                        core.tell(from, Peer::Rejoin { term, session }, 100, ctx);
                    }
                    return false;
                }
                cursor.received = received;
                cursor.flushed = flushed;
                cursor.applied = applied;
                cursor.heard = ctx.now();
                Shipper::ship_to(cursor, limit, core, ctx);
                true
            }
            _ => false,
        }
    }

    /// Finds the last place both histories share, or asks to look further back.
    fn on_join(cursor: &mut Cursor, seq: u32, at: Position, core: &Core, ctx: &mut Ctx<'_>) {
        let shared = if at.index == LogIndex(0) {
            Some(LogIndex(0))
        } else {
            core.log
                .span_of(at.segment)
                .map(|(before, last)| if at.index > before { at.index.min(last) } else { before })
        };
        let term = core.term;
        let Some(index) = shared else {
            let unknown = Peer::Unknown { term, seq, segment: at.segment };
            return core.tell(cursor.peer, unknown, 100, ctx);
        };
        cursor.joined = true;
        cursor.session = seq;
        cursor.sent = index;
        cursor.from = index;
        // Nothing counts as confirmed again before it says so in this session: it may have lost
        // its memory, or its disk.
        cursor.received = LogIndex(cursor.received.0.min(index.0));
        cursor.flushed = LogIndex(cursor.flushed.0.min(index.0));
        cursor.applied = LogIndex(cursor.applied.0.min(index.0));
        cursor.heard = ctx.now();
        let token = core.signature();
        let fork = Peer::Fork { term, token, seq, at: core.log.position(index) };
        core.tell(cursor.peer, fork, 100, ctx);
    }
}
