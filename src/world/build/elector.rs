//! The members of a store that elects its leader, as a plan states them.

use super::*;
use crate::model::consensus::member::{Member, MemberSpec, Params};
use crate::model::id::{LogIndex, Segment, Term};

impl Stage {
    pub(super) fn elector(
        &self,
        process: ProcessId,
        store: usize,
        params: &Params,
        dice: Stream,
    ) -> Process {
        let plan = &self.plan.stores[store];
        let electors = &plan.electors;
        let replicas: Vec<ProcessId> = self.replicas(store).collect();
        let named =
            |some: &[usize]| -> Vec<ProcessId> { some.iter().map(|i| replicas[*i]).collect() };
        let silent = named(&electors.non_voting);
        let me = replicas.iter().position(|other| *other == process).unwrap_or_default();
        let mut members = replicas.clone();
        members.retain(|member| !silent.contains(member));
        let voters = members.len();
        members.extend(silent);
        let length = params.log_lengths.get(me).copied().unwrap_or_default();
        // Before term 1 there is no leader: somebody wrote it, no matter who.
        let author = Segment::new(Term(0), self.layout.node_of(replicas[0]));
        let spec = MemberSpec {
            group: Layout::store_group(store),
            voters,
            members,
            witnesses: named(&electors.witnesses),
            preferred: named(&electors.preferred),
            initial_leader: electors.initial_leader.map(|leader| replicas[leader]),
            log: (author, LogIndex(u64::from(length))),
            phase: params.phases.get(me).copied(),
            params: params.clone(),
            entry_bytes: self.entry_bytes(store),
            idempotent: plan.params.idempotent,
            restart_time: Dist::new(&plan.params.restart_time),
        };
        Process::Elector(Box::new(Member::new(spec, process, dice)))
    }
}
