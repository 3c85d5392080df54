//! The members of a store that elects its leader, as a plan states them.

use super::*;
use crate::model::consensus::member::{Member, MemberSpec, Params};

impl Stage {
    pub(super) fn elector(
        &self,
        process: ProcessId,
        store: usize,
        params: &Params,
        dice: Stream,
    ) -> Process {
        let plan = &self.plan.stores[store];
        let members: Vec<ProcessId> = self.replicas(store).collect();
        let bytes = plan.params.write_size.0.saturating_add(plan.params.log_overhead.0);
        let spec = MemberSpec {
            group: Layout::store_group(store),
            voters: members.len(),
            initial_leader: plan.initial_leader.map(|leader| members[leader]),
            members,
            params: params.clone(),
            entry_bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            idempotent: plan.params.idempotent,
            restart_time: Dist::new(&plan.params.restart_time),
        };
        Process::Elector(Box::new(Member::new(spec, process, dice)))
    }
}
