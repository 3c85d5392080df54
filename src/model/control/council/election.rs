//! Asking, standing, voting, being elected.

use super::*;
use crate::model::fact::Claim;

/// An answer that is older than so many intervals of asking counts no longer. Redis Sentinel.
const STALE_AFTER: u64 = 5;

/// What a member knows of another one.
#[derive(Clone, Debug)]
pub struct Other {
    /// Who.
    pub who: ProcessId,
    /// When it was last asked about each node.
    asked: BTreeMap<NodeId, LocalTime>,
    /// When it last said that a node is down.
    down: BTreeMap<NodeId, LocalTime>,
    /// Its latest vote.
    vote: Option<(ProcessId, Term)>,
}

impl Other {
    /// Nothing is known.
    pub fn new(who: ProcessId) -> Other {
        Other { who, asked: BTreeMap::new(), down: BTreeMap::new(), vote: None }
    }
    /// Forgets what it said.
    pub fn forget(&mut self) {
        *self = Other::new(self.who);
    }
}

/// It stands for election.
#[derive(Clone, Copy, Debug)]
pub struct Candidacy {
    term: Term,
    since: LocalTime,
    /// Its own vote is durable, and the others have been asked.
    asked: bool,
}

impl Member {
    fn me(&self) -> ProcessId {
        self.plan.members[self.plan.me].0
    }
    fn node_of(&self, member: ProcessId) -> NodeId {
        let found = self.plan.members.iter().find(|(who, _)| *who == member);
        found.map_or(NodeId(0), |(_, node)| *node)
    }
    fn primaries(&self) -> Vec<(GroupId, NodeId)> {
        self.controller.knows().map(|known| (known.group, known.primary)).collect()
    }

    /// One look: at databases, at the others' answers, at the election.
    pub(super) fn look(&mut self, ctx: &mut Ctx<'_>) {
        self.look_soon = false;
        let changed = self.watch.as_mut().map(|watch| watch.look(ctx)).unwrap_or_default();
        for (node, down) in changed {
            self.controller.hear_opinion(self.me(), node, down, ctx);
            if !down {
                self.forget_opinions(node, LocalTime::MAX, ctx);
            }
        }
        let stale = self.plan.params.ask_interval.saturating_mul(STALE_AFTER);
        for (_, node) in self.primaries() {
            self.forget_opinions(node, ctx.now().saturating_sub(stale), ctx);
        }
        self.see_votes(ctx);
        self.note_declared(ctx);
        self.consider_standing(ctx);
        self.ask_others(ctx);
    }
    /// Its controller has declared, or no longer does: when it may stand.
    fn note_declared(&mut self, ctx: &mut Ctx<'_>) {
        if !self.controller.stands() {
            (self.stands_at, self.candidacy) = (None, None);
        } else if self.stands_at.is_none() {
            let term = Term(self.ballot.newest().0.saturating_add(1));
            let delay = self.draw("stand", term, &self.plan.params.stand_after);
            self.stands_at = Some(ctx.now().saturating_add(delay));
        }
    }
    /// The disk has what it wrote: a candidate asks for votes at once.
    pub(super) fn on_durable(&mut self, ctx: &mut Ctx<'_>) {
        self.ballot.on_durable(ctx);
        if self.candidacy.is_some_and(|candidacy| !candidacy.asked) {
            self.ask_others(ctx);
        }
    }
    /// What the others said of a node before that counts no longer.
    fn forget_opinions(&mut self, node: NodeId, before: LocalTime, ctx: &mut Ctx<'_>) {
        for i in 0..self.others.len() {
            let other = &mut self.others[i];
            if other.down.get(&node).is_some_and(|at| *at < before) {
                other.down.remove(&node);
                self.controller.hear_opinion(other.who, node, false, ctx);
            }
        }
    }

    /// Stands, if it has declared, its delay is over, and nothing bars it.
    fn consider_standing(&mut self, ctx: &mut Ctx<'_>) {
        let at = self.stands_at.map(|at| at.max(self.barred_until));
        if self.candidacy.is_some() || at.is_none_or(|at| at > ctx.now()) {
            return;
        }
        let term = Term(self.ballot.newest().0.saturating_add(1));
        let me = self.me();
        self.bar(ctx.now(), term);
        self.candidacy = Some(Candidacy { term, since: ctx.now(), asked: false });
        self.controller.set_candidate(true, ctx);
        for (group, _) in self.primaries() {
            ctx.claim(Claim::Candidate(group, term));
        }
        self.ballot.cast(me, term, ctx);
    }
    /// It stood in this term, or voted for another: it does not stand again soon.
    fn bar(&mut self, now: LocalTime, term: Term) {
        let spread = self.below("retry", term, self.plan.params.retry_spread);
        let wait = self.plan.params.retry_after().saturating_add(spread);
        self.barred_until = now.saturating_add(wait);
    }
    fn drop_candidacy(&mut self, ctx: &mut Ctx<'_>) {
        if self.candidacy.take().is_some() {
            self.controller.set_candidate(false, ctx);
        }
    }

    /// Asks the others: about a primary that it finds down, for their votes where it stands.
    fn ask_others(&mut self, ctx: &mut Ctx<'_>) {
        let me = self.me();
        let own = self.candidacy.is_some_and(|c| self.ballot.durable_vote() == Some((me, c.term)));
        let canvass = own && self.candidacy.is_some_and(|c| !c.asked);
        for (group, node) in self.primaries() {
            let finds_down = self.watch.as_ref().is_some_and(|watch| watch.down(node));
            if !finds_down && !own {
                continue;
            }
            let (term, stands) = (self.ballot.newest(), own);
            for other in &mut self.others {
                let last = other.asked.get(&node);
                let every = self.plan.params.ask_interval;
                if canvass || last.is_none_or(|at| ctx.now().since(*at) >= every) {
                    other.asked.insert(node, ctx.now());
                    let ask = CouncilMsg::Ask { node, term, stands };
                    ctx.cast(other.who, Msg::Council(group, ask));
                }
            }
        }
        if let Some(candidacy) = self.candidacy.as_mut() {
            candidacy.asked |= own;
        }
    }
    /// Another member asks.
    pub(super) fn on_ask(
        &mut self,
        from: ProcessId,
        node: NodeId,
        term: Term,
        stands: bool,
        ctx: &mut Ctx<'_>,
    ) {
        // One whose primary is not ours has missed a failover: it gets no vote for another one.
        let ours = self.primaries().iter().any(|(_, primary)| *primary == node);
        if stands && ours && self.ballot.cast(from, term, ctx) {
            self.bar(ctx.now(), term);
            for (group, _) in self.primaries() {
                ctx.claim(Claim::Voted(group, term, self.node_of(from)));
            }
        }
        self.ballot.see(term, ctx);
        if self.candidacy.is_some_and(|c| c.term < self.ballot.newest()) {
            self.drop_candidacy(ctx);
        }
        let down = ours && self.watch.as_ref().is_some_and(|watch| watch.down(node));
        let say = CouncilMsg::Say { node, down, vote: self.ballot.vote() };
        self.ballot.say(from, Msg::Council(self.group, say), ctx);
    }
    /// Another member answers.
    pub(super) fn on_say(
        &mut self,
        from: ProcessId,
        node: NodeId,
        down: bool,
        vote: Option<(ProcessId, Term)>,
        ctx: &mut Ctx<'_>,
    ) {
        let finds_down = self.watch.as_ref().is_some_and(|watch| watch.down(node));
        let Some(other) = self.others.iter_mut().find(|other| other.who == from) else { return };
        other.vote = vote;
        self.look_soon = true;
        if !finds_down {
            return;
        }
        if down {
            other.down.insert(node, ctx.now());
        } else {
            other.down.remove(&node);
        }
        self.controller.hear_opinion(from, node, down, ctx);
    }

    /// Counts the votes of its candidacy: acts, or stops waiting.
    fn see_votes(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Candidacy { term, since, .. }) = self.candidacy else { return };
        let mine = Some((self.me(), term));
        let own = usize::from(self.ballot.durable_vote() == mine);
        let votes = own + self.others.iter().filter(|other| other.vote == mine).count();
        let members = self.plan.members.len();
        let quorum = match self.plan.params.watch {
            Watching::Ping => self.plan.params.quorum_of(members) as usize,
            Watching::HealthCheck => 0,
        };
        let superseded = self.ballot.newest() > term;
        if !superseded && votes >= quorum.max(members / 2 + 1) {
            (self.candidacy, self.stands_at, self.elected_in) = (None, None, term);
            self.controller.elect(term, ctx);
        } else if superseded || ctx.now().since(since) >= self.plan.params.election_timeout {
            self.drop_candidacy(ctx);
        }
    }

    /// After each step: notices what its controller has come to, tells news, plans the next look.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>) {
        if self.controller.found_nobody() {
            self.controller.give_up(ctx);
        }
        self.note_declared(ctx);
        let news = self.controller.knows().any(|k| self.told.get(&k.group) != Some(&k.term));
        if news {
            self.barred_until = LocalTime::ZERO;
            self.greet(true, ctx);
        }
        self.plan_look(ctx);
    }
    /// Sets the timer of the next look, if there is anything to look at.
    fn plan_look(&mut self, ctx: &mut Ctx<'_>) {
        let next = self.due().map(|due| self.ticks.next(ctx.now(), due));
        if next == self.tick_at {
            return;
        }
        self.tick_at = next;
        match next {
            Some(at) => ctx.set_timer(Timer::of(TICK), at.since(ctx.now())),
            None => ctx.cancel_timer(Timer::of(TICK)),
        }
    }
    fn due(&self) -> Option<LocalTime> {
        let params = &self.plan.params;
        let soon = self.look_soon.then_some(LocalTime::ZERO);
        let watch = self.watch.as_ref().and_then(Watch::due);
        let stand = self.stands_at.filter(|_| self.candidacy.is_none());
        let stand = stand.map(|at| at.max(self.barred_until));
        let give_up = self.candidacy.map(|c| c.since.saturating_add(params.election_timeout));
        let stale = params.ask_interval.saturating_mul(STALE_AFTER);
        let mut asks = None;
        for (_, node) in self.primaries() {
            let finds_down = self.watch.as_ref().is_some_and(|watch| watch.down(node));
            let asking = finds_down || self.candidacy.is_some_and(|c| c.asked);
            for other in &self.others {
                let again = other.asked.get(&node).map(|at| at.saturating_add(params.ask_interval));
                let again = again.or(asking.then_some(LocalTime::ZERO)).filter(|_| asking);
                let old = other.down.get(&node).map(|at| at.saturating_add(stale));
                asks = asks.into_iter().chain(again).chain(old).min();
            }
        }
        [soon, watch, stand, give_up, asks].into_iter().flatten().min()
    }
}
