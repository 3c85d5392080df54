//! Users who do one thing after another: at which operation each is, and when it begins the next.

use crate::model::client::loops::{Dice, Loop, LoopParams, Next, UserLoop};
use crate::model::client::{Keys, Setup};
use crate::model::ctx::{Ctx, Effect, Timer};
use crate::model::fact::OpKind;
use crate::model::route::Routes;
use crate::sim::Span;
use crate::sim::rng::Label;
use crate::sim::time::LocalTime;

/// A user begins its next operation; the argument is the user.
pub(super) const USER: u16 = 4;

/// Whose operation it is when it is no user's.
pub(super) const NOBODY: u32 = u32::MAX;

/// The users of a population.
pub(super) struct Users {
    kind: Loop,
    dice: Dice,
    /// By user: the operation it is at, or comes to next.
    numbers: Vec<u64>,
    /// By user: the resolver it stays with.
    resolvers: Vec<u32>,
    /// When the population began, and when its users begin nothing more.
    began: LocalTime,
    until: Span,
}

/// What a user does now.
pub(super) struct Act {
    pub kind: OpKind,
    pub key: u32,
    pub resolver: u32,
}

impl Users {
    /// Users of that kind who have not begun.
    pub(super) fn new(params: &LoopParams, setup: &Setup<'_>, label: Label) -> Users {
        let kind = Loop::new(params);
        let mut dice = setup.streams.stream(label.with("users").with("resolver"));
        let resolver = |_| setup.router.pick(&mut dice);
        Users {
            numbers: vec![0; kind.users() as usize],
            resolvers: (0..kind.users()).map(resolver).collect(),
            dice: Dice::new(setup.streams, label),
            kind,
            began: LocalTime::ZERO,
            until: Span::MAX,
        }
    }
    /// The population begins after `from`, and nothing begins from `until` on. The times of a
    /// script are those of the run.
    pub(super) fn start(&mut self, from: Span, until: LocalTime, ctx: &mut Ctx<'_>) {
        let from = if matches!(self.kind, Loop::Script(_)) { Span::ZERO } else { from };
        self.began = ctx.now().saturating_add(from);
        self.until = until.since(self.began);
        for user in 0..self.kind.users() {
            self.await_next(user, self.kind.first(user, &self.dice), ctx);
        }
    }
    /// Notes which operation of a user comes next, and arms its timer. One timer per user at most
    /// is under way.
    fn await_next(&mut self, user: u32, next: Option<Next>, ctx: &mut Ctx<'_>) {
        let Some((number, due)) = next.filter(|(_, due)| *due < self.until) else { return };
        let Some(at) = self.numbers.get_mut(user as usize) else { return };
        *at = number;
        let after = self.began.saturating_add(due).since(ctx.now());
        ctx.effect(Effect::Wake { timer: Timer::nth(USER, user), after });
    }
    /// A user begins its next operation.
    pub(super) fn begin(&mut self, user: u32, keys: &Keys, ctx: &mut Ctx<'_>) -> Option<Act> {
        let number = *self.numbers.get(user as usize)?;
        let (kind, key) = self.kind.act(user, number, &self.dice);
        let key = key.unwrap_or_else(|| self.dice.key(user, number, keys));
        self.await_next(user, self.kind.meanwhile(number), ctx);
        Some(Act { kind, key, resolver: self.resolvers[user as usize] })
    }
    /// A user's operation has ended.
    pub(super) fn ended(&mut self, user: u32, ctx: &mut Ctx<'_>) {
        let Some(number) = self.numbers.get(user as usize).copied() else { return };
        let now = ctx.now().since(self.began);
        let next = self.kind.next(user, number, now, &self.dice);
        self.await_next(user, next, ctx);
    }
}
