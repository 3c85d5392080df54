//! What the coordination service writes to its log: commands, each in one word.

use crate::model::id::{FencingToken, GroupId, LogIndex, NodeId};

/// What an entry of the log says. In a word: 4 bits which, 12 the store, and 12 the node with 36
/// the token, or 48 the last entry of a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// The lease is this node's.
    Grant {
        /// The store.
        group: GroupId,
        /// Whose.
        holder: NodeId,
        /// With this token.
        token: FencingToken,
    },
    /// It goes on being this node's.
    Renew {
        /// The store.
        group: GroupId,
        /// Whose.
        holder: NodeId,
        /// With this token.
        token: FencingToken,
    },
    /// It is nobody's: it lapsed, or was given up.
    Revoke {
        /// The store.
        group: GroupId,
        /// The token that ends.
        token: FencingToken,
    },
    /// The database of its holder has come so far.
    Publish {
        /// The store.
        group: GroupId,
        /// The last entry of its durable history.
        at: LogIndex,
    },
}

impl Command {
    /// The command as a word. Panics beyond 4,096 stores or nodes, 2^36 tokens or 2^48 entries;
    /// plans are limited below the first two, and the others would take a grant each second for
    /// 2,000 years, or ten million writes a second for ten months.
    pub fn encode(self) -> u64 {
        let (kind, group, node, token) = match self {
            Command::Grant { group, holder, token } => (1, group, holder, token),
            Command::Renew { group, holder, token } => (2, group, holder, token),
            Command::Revoke { group, token } => (3, group, NodeId(0), token),
            Command::Publish { group, at } => {
                assert!(group.0 < 1 << 12 && at.0 < 1 << 48, "a field overflows");
                return 4 << 60 | u64::from(group.0) << 48 | at.0;
            }
        };
        assert!(group.0 < 1 << 12 && node.0 < 1 << 12 && token.0 < 1 << 36, "a field overflows");
        kind << 60 | u64::from(group.0) << 48 | u64::from(node.0) << 36 | token.0
    }
    /// The command in a word; none in a word that is not the service's own.
    pub fn decode(word: u64) -> Option<Command> {
        let group = GroupId((word >> 48 & 0xfff) as u16);
        let holder = NodeId((word >> 36 & 0xfff) as u16);
        let token = FencingToken(word & ((1 << 36) - 1));
        match word >> 60 {
            1 => Some(Command::Grant { group, holder, token }),
            2 => Some(Command::Renew { group, holder, token }),
            3 => Some(Command::Revoke { group, token }),
            4 => Some(Command::Publish { group, at: LogIndex(word & ((1 << 48) - 1)) }),
            _ => None,
        }
    }
    /// The store it is about.
    pub fn group(self) -> GroupId {
        match self {
            Command::Grant { group, .. }
            | Command::Renew { group, .. }
            | Command::Revoke { group, .. }
            | Command::Publish { group, .. } => group,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_command_survives_its_word(kind in 0u8..4, group in 0u16..4096, node in 0u16..4096, token in 0u64..1 << 36) {
            let (group, holder, token) = (GroupId(group), NodeId(node), FencingToken(token));
            let command = match kind {
                0 => Command::Grant { group, holder, token },
                1 => Command::Renew { group, holder, token },
                2 => Command::Publish { group, at: LogIndex(token.0) },
                _ => Command::Revoke { group, token },
            };
            prop_assert_eq!(Command::decode(command.encode()), Some(command));
            prop_assert_eq!(command.group(), group);
        }

        #[test]
        fn the_words_of_the_group_itself_say_nothing_here(word in 0u64..1 << 60) {
            prop_assert_eq!(Command::decode(word), None);
        }
    }
}
