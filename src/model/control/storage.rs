//! Storage that checks fencing tokens: who shows an older token than it has seen is refused.

use crate::model::ctx::{Ctx, Effect, Input, Machine};
use crate::model::id::{FencingToken, GroupId, Position, ProcessId};
use crate::model::msg::{Msg, StorageMsg};
use std::collections::BTreeMap;

/// Storage shared by the primaries of any number of stores.
///
/// A new token is on its disk before it is obeyed: an acceptance promises that every older
/// token will be refused for ever, also after a crash.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    durable: BTreeMap<GroupId, FencingToken>,
    newest: BTreeMap<GroupId, FencingToken>,
    /// The write under way: which store's token, and which.
    writing: Option<(GroupId, FencingToken)>,
    /// Checks that wait for their token to be on disk.
    waiting: Vec<(ProcessId, GroupId, FencingToken, u64)>,
}

impl Storage {
    /// Storage that has seen nobody yet.
    pub fn new() -> Storage {
        Storage::default()
    }
    /// The newest token it has seen for a store.
    pub fn newest(&self, group: GroupId) -> FencingToken {
        self.newest.get(&group).copied().unwrap_or_default()
    }

    fn on_check(
        &mut self,
        from: ProcessId,
        group: GroupId,
        token: FencingToken,
        seq: u64,
        ctx: &mut Ctx<'_>,
    ) {
        let newest = self.newest(group);
        if token < newest {
            reply(from, group, StorageMsg::Refused { token: newest }, ctx);
            return;
        }
        self.newest.insert(group, token);
        if self.durable.get(&group).copied().unwrap_or_default() == token {
            reply(from, group, StorageMsg::Accepted { seq }, ctx);
        } else {
            self.waiting.push((from, group, token, seq));
            self.write_next(ctx);
        }
    }

    /// Begins the next write, unless one is under way: one at a time.
    fn write_next(&mut self, ctx: &mut Ctx<'_>) {
        if self.writing.is_none()
            && let Some((_, group, ..)) = self.waiting.first()
        {
            self.writing = Some((*group, self.newest(*group)));
            ctx.effect(Effect::Sync { group: *group, upto: Position::default() });
        }
    }

    fn on_durable(&mut self, ctx: &mut Ctx<'_>) {
        let Some((group, token)) = self.writing.take() else { return };
        self.durable.insert(group, token);
        let newest = self.newest(group);
        for (from, of, shown, seq) in std::mem::take(&mut self.waiting) {
            if of != group || shown > token {
                self.waiting.push((from, of, shown, seq));
            } else if shown == newest {
                reply(from, group, StorageMsg::Accepted { seq }, ctx);
            } else {
                reply(from, group, StorageMsg::Refused { token: newest }, ctx);
            }
        }
        self.write_next(ctx);
    }
}

fn reply(to: ProcessId, group: GroupId, msg: StorageMsg, ctx: &mut Ctx<'_>) {
    ctx.send(to, Msg::Storage(group, msg), 100);
}

impl Machine for Storage {
    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Message { from, msg: Msg::Storage(group, StorageMsg::Check { token, seq }) } => {
                self.on_check(from, group, token, seq, ctx)
            }
            Input::Durable => self.on_durable(ctx),
            _ => {}
        }
    }

    fn crash(&mut self, disk_kept: bool) {
        if !disk_kept {
            self.durable.clear();
        }
        self.newest = self.durable.clone();
        self.writing = None;
        self.waiting.clear();
    }
}
