//! Fencing tokens that storage checks before a write is answered.

use super::*;

/// How long a primary waits for that storage before it asks again, and no longer believes an
/// answer to what it asked before: what was accepted long ago may have been overtaken since.
/// Our choice, the usual length of a statement's timeout.
const STORAGE_PATIENCE: Span = Span::from_secs(5);

impl Replica {
    pub(super) fn check_storage(&mut self, ctx: &mut Ctx<'_>) {
        if let (Some(storage), Role::Primary) = (self.spec.storage, self.core.role) {
            let end = self.core.log.end().index;
            if self.storage_asked <= self.storage_ok {
                ctx.set_timer(STORAGE, STORAGE_PATIENCE);
            }
            self.storage_asked = end;
            let seq = u64::from(self.storage_round) << 48 | end.0;
            let check = StorageMsg::Check { token: self.core.token, seq };
            ctx.send(storage, Msg::Storage(self.core.group, check), 100);
        }
    }

    /// The storage is silent: a new round of questions, in which old answers do not count.
    pub(super) fn on_storage_silent(&mut self, ctx: &mut Ctx<'_>) {
        if self.storage_asked > self.storage_ok {
            self.storage_round = self.storage_round.wrapping_add(1);
            self.storage_ok = LogIndex(0);
            self.storage_asked = LogIndex(0);
            self.check_storage(ctx);
        }
    }

    pub(super) fn on_storage(&mut self, storage: StorageMsg, ctx: &mut Ctx<'_>) {
        match storage {
            StorageMsg::Accepted { seq }
                if self.core.role == Role::Primary
                    && seq >> 48 == u64::from(self.storage_round) =>
            {
                self.storage_ok = self.storage_ok.max(LogIndex(seq & ((1 << 48) - 1)));
                if self.storage_asked > self.storage_ok {
                    ctx.set_timer(STORAGE, STORAGE_PATIENCE);
                }
                self.progress(ctx);
            }
            StorageMsg::Refused { token } => self.on_newer_token(token, ctx),
            StorageMsg::Accepted { .. } | StorageMsg::Check { .. } => {}
        }
    }
}
