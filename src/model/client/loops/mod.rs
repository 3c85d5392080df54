//! What users do one after another: loops that wait for each operation's end, and scripts.
//!
//! A loop is a file here and one line of `loops!`: parameters and behaviour together. It says
//! when a user's next operation begins and what it does, as a rule of the user, the number of the
//! operation and, where it waits, the moment at which the last one ended. May use `sim` and the
//! words of facts. Will never know how an operation ended, or where it was sent.
//!
//! # Decided
//! - Dice are drawn by user and number of the operation, never in the order in which operations
//!   happen: what a user does for the tenth time is the same whatever the store does.
//! - A user has no state but the number of the operation it is at, so that ten thousand users
//!   cost ten thousand numbers.
//! - Latency counts from when an operation begins, not from when a schedule wanted it.

pub mod closed;
pub mod paced;
pub mod script;
pub mod sequence;

use crate::model::client::Keys;
use crate::model::fact::OpKind;
use crate::sim::Span;
use crate::sim::draws::Draws;
use crate::sim::rng::{Label, Streams};

crate::choices! {
    /// What one operation does.
    pub enum OpWord {
        /// It writes its key.
        Write = "write",
        /// It reads its key.
        Read = "read",
    }
}

impl OpWord {
    /// The same for machines.
    pub fn kind(self) -> OpKind {
        match self {
            OpWord::Write => OpKind::Write,
            OpWord::Read => OpKind::Read,
        }
    }
}

/// The dice of all users of a population, by user and number of the operation.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    /// For pauses.
    pause: Draws,
    /// For read or write.
    kind: Draws,
    /// For keys.
    key: Draws,
}

impl Dice {
    /// The dice of the population of that name.
    pub fn new(streams: &Streams, population: Label) -> Dice {
        let draws = |purpose: &str| streams.draws(population.with("users").with(purpose));
        Dice { pause: draws("pause"), kind: draws("kind"), key: draws("key") }
    }
    fn index(user: u32, number: u64) -> u64 {
        (u64::from(user) << 32) | (number & 0xffff_ffff)
    }
    /// 64 random bits for the pause before an operation.
    pub fn pause(&self, user: u32, number: u64) -> u64 {
        self.pause.at(Dice::index(user, number))
    }
    /// A read with that probability, else a write.
    pub fn kind(&self, user: u32, number: u64, reads: f64) -> OpKind {
        let read = self.kind.unit(Dice::index(user, number)) < reads;
        if read { OpKind::Read } else { OpKind::Write }
    }
    /// The key of an operation.
    pub fn key(&self, user: u32, number: u64, keys: &Keys) -> u32 {
        keys.of_bits(self.key.at(Dice::index(user, number)))
    }
}

/// An operation of a user to come: its number, and when it begins, counted from when the
/// population began.
pub type Next = (u64, Span);

/// What users of one kind do. Times are counted from when the population began.
pub trait UserLoop {
    /// How many users there are.
    fn users(&self) -> u32;
    /// A user's first operation.
    fn first(&self, user: u32, dice: &Dice) -> Option<Next>;
    /// What begins next, whatever becomes of the operation that begins now.
    fn meanwhile(&self, _number: u64) -> Option<Next> {
        None
    }
    /// What begins next, now that the operation has ended.
    fn next(&self, user: u32, number: u64, now: Span, dice: &Dice) -> Option<Next>;
    /// What an operation does; no key where it is drawn.
    fn act(&self, user: u32, number: u64, dice: &Dice) -> (OpKind, Option<u32>);
}

/// One line per kind makes its parameters, its constructor and its part in [`Loop`].
macro_rules! loops {
    ($($word:literal => $variant:ident in $file:ident),* $(,)?) => {
        crate::catalogue! {
            /// What users do one after another.
            pub enum LoopParams by "" {
                $($word => $variant($file::Params)),*
            }
        }

        /// A loop at work.
        pub enum Loop {
            $(#[doc = concat!("`", $word, "`")] $variant($file::Loop),)*
        }

        impl Loop {
            /// The loop of these parameters.
            pub fn new(params: &LoopParams) -> Loop {
                match params {
                    $(LoopParams::$variant(params) => Loop::$variant($file::Loop::new(params)),)*
                }
            }
        }

        impl UserLoop for Loop {
            fn users(&self) -> u32 {
                match self { $(Loop::$variant(users) => users.users(),)* }
            }
            fn first(&self, user: u32, dice: &Dice) -> Option<Next> {
                match self { $(Loop::$variant(users) => users.first(user, dice),)* }
            }
            fn meanwhile(&self, number: u64) -> Option<Next> {
                match self { $(Loop::$variant(users) => users.meanwhile(number),)* }
            }
            fn next(&self, user: u32, number: u64, now: Span, dice: &Dice) -> Option<Next> {
                match self { $(Loop::$variant(users) => users.next(user, number, now, dice),)* }
            }
            fn act(&self, user: u32, number: u64, dice: &Dice) -> (OpKind, Option<u32>) {
                match self { $(Loop::$variant(users) => users.act(user, number, dice),)* }
            }
        }
    };
}

loops! {
    "closed" => Closed in closed,
    "paced" => Paced in paced,
    "sequence" => Sequence in sequence,
    "script" => Script in script,
}

/// The shortest time between two operations of one user that follow each other without a
/// schedule: where an answer takes no time and a user does not think, time would stand still.
/// Our choice.
const LEAST_PAUSE: Span = Span::from_micros(1);
