//! Folding: the oldest entries of a branch become blocks. See [`History`] for what may fold.

use crate::measure::history::{Block, History};
use crate::measure::tally::{State, Tally};

impl History {
    /// Folds what every member has on disk, and what is too much to keep. One that is dead counts:
    /// it may come back, receive half of what it missed, and be promoted there.
    pub(super) fn fold(&mut self, branch: usize) {
        let disks = self.members.iter().map(|member| self.reach(member.durable, branch));
        let common = disks.min().unwrap_or(0);
        let end = self.branches[branch].end();
        let old = end.saturating_sub(self.limits.recent);
        let too_many = end.saturating_sub(self.limits.detail);
        let target = common.min(old).max(too_many);
        if target <= self.branches[branch].folded {
            return;
        }
        let ends = self.members.iter().flat_map(|member| [member.held, member.durable]);
        let mut edges: Vec<u64> = ends.map(|end| self.reach(end, branch)).collect();
        let forks = self.branches.iter().filter(|b| b.parent.branch as usize == branch);
        edges.extend(forks.map(|b| b.parent.index));
        edges.push(self.branches[branch].flushed);
        edges.sort_unstable();
        let marks = &self.marks;
        let branch = &mut self.branches[branch];
        let mut first = branch.blocks.last().map_or(0, |block| block.last);
        if branch.blocks.len() > 1 {
            first = branch.blocks[branch.blocks.len() - 2].last;
        } else if branch.blocks.len() == 1 {
            first = branch.parent.index;
        }
        while branch.folded < target {
            let Some(entry) = branch.entries.front() else { break };
            if entry.state == State::Pending {
                break;
            }
            let at = branch.folded;
            let fresh = branch.blocks.last().is_none_or(|block| {
                block.last != at
                    || at - first >= self.limits.block
                    || edges.binary_search(&at).is_ok()
            });
            if fresh {
                branch.blocks.push(Block { last: at, tally: Tally::default() });
                first = at;
            }
            // As far as one block goes.
            let edge = edges.get(edges.partition_point(|edge| *edge <= at));
            let full = first.saturating_add(self.limits.block).max(at + 1);
            let upto = target.min(full).min(edge.copied().unwrap_or(u64::MAX));
            let Some(block) = branch.blocks.last_mut() else { break };
            for entry in branch.entries.iter().take((upto - at) as usize) {
                if entry.state == State::Pending {
                    break;
                }
                block.tally.add(entry, marks);
                block.last += 1;
            }
            branch.entries.drain(..(block.last - at) as usize);
            branch.folded = block.last;
        }
    }
}
